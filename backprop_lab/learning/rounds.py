"""Learning as records: some iterations of stochastic gradient descent, every step of every pass.

What must hold: the batches and the values are those of ``bl.sgd`` with the same arguments; the graph and
the values in it stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.learning.descent import checked_rate, sgd
from backprop_lab.passes.passes import steps
from backprop_lab.passes.records import Step
from backprop_lab.words import notation
from backprop_lab.words.arrays import frozen
from backprop_lab.words.errors import ShapeError
from backprop_lab.words.numbers import whole_number

if TYPE_CHECKING:
    import numpy.typing as npt


class Update(NamedTuple):
    """One step of a ``variable`` against its ``gradient``: ``after`` = ``before`` − η · ``gradient``."""

    cost: Node
    variable: Node
    before: np.ndarray
    gradient: np.ndarray
    learning_rate: float
    after: np.ndarray

    @property
    def formula(self) -> str:
        """What happens, in symbols: ``w ← w − η · ∂J/∂w``."""
        name, cost = notation.mention(self.variable), self.cost.name
        return f"{name} ← {name} − η · ∂{notation.symbol(cost) if cost else 'J'}/∂{name}"

    @property
    def numbers(self) -> str:
        """The update with values put in: ``(5, 2) − 0.01 · (20, −34) = (4.8, 2.34)``."""
        before, gradient, after = map(notation.array, (self.before, self.gradient, self.after))
        rate = notation.number(self.learning_rate)
        return f"{before} − {rate} · {notation.bracket_minus(gradient)} = {after}"

    def __str__(self):
        return f"update    {self.formula}   {self.numbers}"


class Round(NamedTuple):
    """One iteration: the ``batch`` at the leaves, the ``steps`` of both passes, the ``updates``."""

    steps: list[Step]
    updates: tuple[Update, ...] = ()
    batch: Mapping[Node, np.ndarray] = MappingProxyType({})


def learning_rounds(
    J: Node,
    iterations: int,
    learning_rate: float | Callable[[int], float],
    data: Mapping[str, npt.ArrayLike] | Iterable[Mapping[str, npt.ArrayLike]] | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    given: Mapping[Node, np.ndarray] | None = None,
) -> list[Round]:
    """The first ``iterations`` of ``bl.sgd(J, data, learning_rate, batch_size, seed=seed)``, as records.

    ``given``: values to start from in place of the leaves' own. Raises :class:`ShapeError` for a
    batch of another shape than its leaf has in the graph: every picture shows the same graph.

    >>> import backprop_lab as bl
    >>> w = bl.variable("w", 3.0)
    >>> for round in learning_rounds(w * w, 2, learning_rate=0.25):
    ...     print(*round.updates)
    update    w ← w − η · ∂J/∂w   3 − 0.25 · 6 = 1.5
    update    w ← w − η · ∂J/∂w   1.5 − 0.25 · 3 = 0.75
    """
    iterations = whole_number("iterations", iterations, 1)
    loop = sgd(J, data, learning_rate, batch_size, epochs=iterations, seed=seed)
    values, rounds = dict(given or {}), []
    for index, (_, batch) in zip(range(iterations), loop.batches):
        rate = checked_rate(learning_rate(index) if callable(learning_rate) else learning_rate)
        for leaf, array in batch.items():
            if array.shape != leaf.shape:
                raise ShapeError(
                    f"{leaf.name} has shape {leaf.shape} in the graph and {array.shape} in a batch; to look "
                    "at learning step by step, build the graph with the first batch, and let batch_size "
                    "divide the number of examples"
                )
        records = steps(J, given=values | batch)
        updates = tuple(
            _update(step, rate, values)
            for step in records
            if step.complete and step.receiver is not None and step.receiver.leaf_kind == "variable"
        )
        rounds.append(Round(records, updates, batch))
        values |= {update.variable: update.after for update in updates}
    if not rounds:
        raise ValueError("data holds no batch to learn from")
    return rounds


def _update(step, rate, values) -> Update:
    variable, gradient = step.receiver, step.so_far.sum
    before = values.get(variable, variable.value)
    with np.errstate(all="ignore"):  # what diverges is seen in the next round
        after = frozen(np.asarray(before - np.asarray(rate, variable.dtype) * gradient))
    return Update(step.cost, variable, frozen(np.array(before)), gradient, rate, after)
