"""``bl.sgd``: stochastic gradient descent on a cost, one record for each step.

Each step is batch → forward → backward → update, by the fast program. All variables lie in one vector θ,
so that the update is two operations, however many variables there are.

What must hold: the variables' ``.value`` follow every step; the same seed gives the same numbers; a loop
interrupted at any moment has taken its last step whole or not at all, and goes on with the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.learning.batches import Batches, source_of
from backprop_lab.passes.nonfinite import NonFiniteError
from backprop_lab.program.program import Program, all_finite
from backprop_lab.words.notation import number
from backprop_lab.words.numbers import number_within, whole_number

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(slots=True)
class SGDStep:
    """One step: its epoch and index, counted from 0, the cost of its batch before the update, and η."""

    epoch: int
    index: int
    cost: float
    learning_rate: float

    def __str__(self):
        cost, rate = number(self.cost), number(self.learning_rate)
        return f"epoch {self.epoch}, step {self.index}: cost {cost}, η = {rate}"


def sgd(
    J: Node | Program,
    data: Mapping[str, npt.ArrayLike] | Iterable[Mapping[str, npt.ArrayLike]] | None = None,
    learning_rate: float | Callable[[int], float] = 0.1,
    batch_size: int | None = None,
    epochs: int = 1,
    seed: int = 0,
    momentum: float = 0,
    *,
    wrt: Node | Iterable[Node] | None = None,
    progress: bool = False,
    on_nonfinite: str = "warn",
) -> SGD:
    """Stochastic gradient descent on the cost ``J``: iterate over it, each item is one step.

    ``J``: a cost, or what :func:`bl.compile` made of it, which saves compiling it again for every run.
    ``data``: {leaf name: array}, arrays with the examples on their first axis, shuffled anew in every epoch
    and cut into batches of ``batch_size`` (all examples by default); or an iterable of such mappings, each a
    batch; or None, and every step uses the leaves as they are. The arrays of one mapping are copied when the
    loop is made, those of an iterable are read when their step comes. ``learning_rate``: η, or a function of
    the step's index. ``momentum`` μ: the velocity, 0 at first, is v ← μv + ∇J, and the update θ ← θ − ηv.
    ``wrt``: the variables that learn, all of them by default. ``progress``: show a bar.
    ``on_nonfinite``: at the first NaN or infinity ``"warn"`` once and go on, or ``"raise"`` NonFiniteError,
    and the variables keep the values from before that step.

    A loop that was left with ``break``, or interrupted, goes on where it stopped when the same object is
    iterated again.
    Source: Robbins & Monro (1951); momentum: Polyak (1964); Goodfellow, Bengio & Courville (2016), 8.3.

    >>> import numpy as np, backprop_lab as bl
    >>> w, x = bl.variable("w", 0.0), bl.constant("x", [1.0, 2.0])
    >>> y = bl.constant("y", [3.0, 6.0])
    >>> for step in bl.sgd(np.mean((w * x - y) ** 2), learning_rate=0.1, epochs=3):
    ...     print(step, round(float(w.value), 4))
    epoch 0, step 0: cost 22.5, η = 0.1 1.5
    epoch 1, step 1: cost 5.625, η = 0.1 2.25
    epoch 2, step 2: cost 1.406, η = 0.1 2.625
    """
    return SGD(J, data, learning_rate, batch_size, epochs, seed, momentum, wrt, progress, on_nonfinite)


class SGD:
    """The iterator over steps that :func:`sgd` makes. ``learning_rate`` and ``momentum`` may be set.

    ``batches`` gives those still to come (see :class:`Batches`).
    """

    def __init__(
        self, J, data, learning_rate, batch_size, epochs, seed, momentum, wrt, progress, on_nonfinite
    ):
        if isinstance(J, Program) and wrt is not None:
            raise TypeError("sgd: a program has its variables already; give wrt= to bl.compile")
        if on_nonfinite not in ("warn", "raise"):
            raise ValueError(f'sgd: on_nonfinite is "warn" or "raise", not {on_nonfinite!r}')
        self._program = J if isinstance(J, Program) else Program(J, wrt)
        self._raises = on_nonfinite == "raise"
        self._velocity: np.ndarray | None = None  # until a momentum asks for it: a copy at every step
        self.learning_rate, self.momentum = learning_rate, momentum
        epochs = whole_number("sgd: epochs", epochs, 0)
        size = None if batch_size is None else whole_number("sgd: batch_size", batch_size, 1)
        source = source_of(data, size, epochs, seed, self._checked)
        self.batches = Batches(source)
        self._steps = self._run()
        self._bar = partial(_bar(), total=source.steps, unit="step") if progress else None

    def __iter__(self) -> Iterator[SGDStep]:
        return self

    def __next__(self) -> SGDStep:
        while True:
            for step in self._steps:
                return step
            if self.batches.coming() is None:
                raise StopIteration
            self._steps = self._run()  # an interrupt had ended it

    def __repr__(self):
        return f"<stochastic gradient descent on {self._program.variable_names}>"

    @property
    def learning_rate(self) -> float | Callable[[int], float]:
        """η: a number, or a function of the step's index."""
        return self._rate

    @learning_rate.setter
    def learning_rate(self, rate: float | Callable[[int], float]):
        self._rate = rate if callable(rate) else checked_rate(rate)

    @property
    def momentum(self) -> float:
        """μ, from 0 to below 1."""
        return self._momentum

    @momentum.setter
    def momentum(self, momentum: float):
        self._momentum = number_within("sgd: momentum", momentum, "from 0 to below 1", below=1)
        if self._momentum and self._velocity is None:
            self._velocity = np.zeros_like(self._program.parameters.theta)

    def _run(self):
        program, parameters, batches = self._program, self._program.parameters, self.batches
        theta, reported = parameters.theta, False
        rate = eta = bar = bound = None
        try:
            while (batch := batches.coming()) is not None:
                index = batches.taken
                parameters.fill({})
                bound = program.bound_for(batch, bound)
                cost = float(bound.run())
                if self._raises:
                    self._refuse_nonfinite(cost, bound.gradient, batch)
                elif not (reported or math.isfinite(cost)):
                    reported = True
                    program.report(batch.given)
                wanted = checked_rate(self._rate(index)) if callable(self._rate) else self._rate
                if wanted != rate:
                    rate, eta = wanted, np.array(wanted, theta.dtype)
                parameters.lead()
                _descend(theta, bound.gradient, self._velocity, eta, self._momentum, batches)
                if self._bar is not None:
                    if bar is None:
                        bar = self._bar(initial=index)
                    bar.set_postfix_str(f"cost {number(cost)}", refresh=False)
                    bar.update()
                yield SGDStep(batch.epoch, index, cost, wanted)
        finally:
            parameters.publish()
            if bar is not None:
                bar.close()

    def _refuse_nonfinite(self, cost, gradient, batch):
        if not (math.isfinite(cost) and all_finite(gradient)):
            self._program.report(batch.given, "raise")
            step = self.batches.taken
            raise NonFiniteError(f"the cost or its gradient is not finite in step {step}")

    def _checked(self, data: Mapping[str, npt.ArrayLike]) -> dict[Node, np.ndarray]:
        if not isinstance(data, Mapping):
            raise TypeError(
                f"sgd: a batch is a mapping {{leaf name: array}}, was given {type(data).__name__}"
            )
        arrays = self._program.checked(data)
        for leaf in arrays:
            if leaf in self._program.moving:
                raise TypeError(f"sgd: {leaf.name} is a variable that learns; data are for constants")
        return arrays


@np.errstate(all="ignore")  # a cost that diverges was reported, with the node's name
def _descend(theta, gradient, velocity, eta, momentum, batches):
    """θ ← θ − ηv in place, which overwrites the gradient; then the batch counts as taken.

    All of it happens or nothing, as there are only operators and assignments (see ``graph/interrupts.py``).
    """
    if momentum:
        velocity *= momentum
        velocity += gradient
        gradient[...] = velocity
    elif velocity is not None:
        velocity[...] = gradient  # a momentum of 0 forgets: 0 · v would keep a NaN
    gradient *= eta
    theta -= gradient
    batches.taken += 1


def checked_rate(rate: float) -> float:
    """η as a number, not negative."""
    return number_within("sgd: learning_rate", rate, "not negative")


def _bar() -> type:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True shows its bar with tqdm: pip install tqdm") from None

    class Bar(tqdm):
        monitor_interval = 0  # without the thread that watches slow bars: Python in a browser has none

    return Bar
