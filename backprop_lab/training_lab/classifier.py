"""A run of the training lab, without any widget: the settings, the points, the graph, and the steps taken.

From equal settings and points a run takes equal steps, in one go or in many.

What must hold: the rate and the penalty can be moved without compiling anew; a step that would make a NaN or
an infinity is not taken, and the parameters stay as they were; an interrupted run keeps its last step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from backprop_lab.graph.leaves import constant, variable
from backprop_lab.graph.node import Node
from backprop_lab.learning.descent import SGD, sgd
from backprop_lab.passes.nonfinite import NonFiniteError
from backprop_lab.program.compiling import compile
from backprop_lab.program.program import Program
from backprop_lab.training_lab.network import (
    cost_graph,
    layers_of,
    log_odds,
    mean_cost,
    probability,
    probability_grid,
    scores,
    start_of,
)
from backprop_lab.training_lab.points import Points, points_of
from backprop_lab.training_lab.settings import OWN, Settings

FIRST_COSTS, EVERY = 10, 20  # the costs of the first 10 steps are kept, and then of every 20th
MOST_COSTS = 64  # kept at a time
EPOCHS = 10**9  # a run ends when nobody asks for more

Costs = tuple[int, float | None, float | None]
"""(step, training cost, validation cost), None if there are no points."""


class Classifier:
    """A network and its run: ``step`` steps have been taken since the start.

    ``costs`` are (step, training cost, validation cost) along the way, both without the penalty; None if
    there are no points. ``diverged`` says which node became infinite, if one did. ``cost`` is the graph and
    ``program`` the compiled one; both are None if there is nothing to learn from.

    >>> model = Classifier(Settings(hidden=(4,)))
    >>> model.retrain(20)
    >>> model.step, model.costs[-1][1] < model.costs[0][1]
    (20, True)
    """

    def __init__(self, settings: Settings, points: Points | None = None):
        self.settings, self.points = settings, points if points is not None else points_of(settings)
        self._build()

    def change(self, settings: Settings, points: Points | None = None) -> bool:
        """Change to other settings, and to other points if given.

        Returns whether the run continues, as with another rate or penalty; else it starts anew.
        """
        before, self.settings = self.settings, settings
        moved = replace(before, learning_rate=settings.learning_rate, penalty=settings.penalty)
        if settings == moved and points is None:
            self._move(settings.learning_rate, settings.penalty)
            return True
        if points is not None:
            self.points = points
        elif settings.data != OWN and _source(settings) != _source(before):
            self.points = points_of(settings)
        count = len(self.points.part(validation=False)[1])
        if _shape(settings) == _shape(before) and count == len(self._training[1]):
            self._read_points()
            self._give_points_to_the_graph()
            self.restart()
        else:
            self._build()
        return False

    def _move(self, rate: float, penalty: float):
        """Use this rate and penalty from the next step on."""
        if self._run is not None:
            self._run.learning_rate = rate
        self._factor.value = np.asarray(penalty, self.settings.dtype)

    def _build(self):
        """Build the graph and its program, on new variables."""
        settings = self.settings
        self.leaves = {name: variable(name, value) for name, value in start_of(settings).items()}
        self._factor = constant("lam", np.asarray(settings.penalty, settings.dtype))
        self._run: SGD | None = None
        self.cost: Node | None = None
        self.program: Program | None = None
        self._read_points()
        if len(self._training[1]):
            X, y = self._training
            self.cost = cost_graph(self.leaves, X, y, settings.activation, self._factor)
            self.program = compile(self.cost)
        self.restart()

    def _read_points(self):
        """Read the points as the graph needs them, for training and for validation."""
        parts = [self.points.part(validation) for validation in (False, True)]
        self._training, self._validation = (self._as_operands(X, y) for X, y in parts)

    def _as_operands(self, X, y):
        signs = (2 * y - 1)[:, None].astype(self.settings.dtype)
        return X.astype(self.settings.dtype), signs if self.settings.outputs == 1 else y

    def _give_points_to_the_graph(self):
        if self.program is not None:
            for name, value in zip("Xy", self._training):
                self.program.leaves[name].value = value

    # -- running

    def restart(self):
        """Back to the start: step 0."""
        settings, self._run = self.settings, None  # the old run gives up its variables first
        for name, value in start_of(settings).items():
            self.leaves[name].value = value
        self._factor.value = np.asarray(settings.penalty, settings.dtype)
        self.step, self.every, self.diverged, self.costs = 0, EVERY, "", []
        if self.program is not None:
            self._run = sgd(
                self.program,
                dict(zip("Xy", self._training)),
                learning_rate=settings.learning_rate,
                batch_size=settings.batch_size,
                epochs=EPOCHS,
                seed=settings.seed,
                on_nonfinite="raise",
            )
        self.costs = [self.now()]

    def advance(self, steps: int):
        """Take ``steps`` more steps, or as many as there are before one that diverges."""
        if self._run is None or self.diverged:
            return
        try:
            for taken in islice(self._run, steps):
                self.step = taken.index + 1
                if self.step <= FIRST_COSTS or self.step % self.every == 0:
                    self._keep_costs()
        except NonFiniteError as error:
            self.diverged = str(error)

    def retrain(self, steps: int):
        """Take ``steps`` steps from the start."""
        self.restart()
        self.advance(steps)

    @property
    def steps_in_epoch(self) -> int:
        """The number of batches until every training point was used once."""
        n = len(self._training[1])
        return max(1, math.ceil(n / (self.settings.batch_size or max(n, 1))))

    @property
    def epoch(self) -> int:
        """The epoch to which the next step belongs, counted from 0."""
        return self.step // self.steps_in_epoch

    def next_step(self) -> Node:
        """The cost of the next step as a separate graph: its batch, and the parameters as they are now.

        A penalty of 0 is left out. Raises ValueError if there is nothing to learn from.
        """
        if self._run is None:
            raise ValueError("training: there is no training point yet, so there is no step to look at")
        coming = self._run.batches.peek()
        assert coming is not None  # no run gets to the end of its epochs
        batch = {leaf.name: array for leaf, array in coming[1].items()}
        leaves = {name: variable(name, leaf.value) for name, leaf in self.leaves.items()}
        factor = constant("lam", self._factor.value) if self.settings.penalty else None
        return cost_graph(leaves, batch["X"], batch["y"], self.settings.activation, factor)

    # -- what is shown

    def now(self) -> Costs:
        """(step, training cost, validation cost) at this moment."""
        with np.errstate(all="ignore"):
            training, validation = (float(mean_cost(z, y)) if len(y) else None for z, y in self._answers())
        return self.step, training, validation

    def _answers(self):
        """(scores, y) of the training and of the validation points, computed in one call."""
        (X, y), (others, validation) = self._training, self._validation
        with np.errstate(all="ignore"):
            z = scores(np.concatenate([X, others]), self._layers(), self.settings.activation)
        return (z[: len(y)], y), (z[len(y) :], validation)

    def _keep_costs(self):
        """Keep the costs of this step; when there are too many, every second one is dropped."""
        self.costs.append(self.now())
        if len(self.costs) > MOST_COSTS:
            self.every *= 2
            self.costs = [c for c in self.costs if c[0] <= FIRST_COSTS or c[0] % self.every == 0]

    def right(self) -> list[tuple[int, int]]:
        """(points on the right side of the boundary, all points), in training and in validation."""
        return [(int(((log_odds(z) > 0) == (y.reshape(-1) > 0)).sum()), len(y)) for z, y in self._answers()]

    def grid(self, n: int, window: Sequence[float]) -> np.ndarray:
        """The probability of class 1 over a window of the plane, 0 to 255: n × n pixels, the upper row first.

        ``window``: (x low, x high, y low, y high); the values are taken at the middle of each pixel.
        """
        return probability_grid(self._layers(), self.settings.activation, n, window)

    def probability(self, X: np.ndarray) -> np.ndarray:
        """The probability of class 1 for each row of X."""
        return probability(X, self._layers(), self.settings.activation)

    def parameters(self) -> dict[str, np.ndarray]:
        """{name: value} of all weights and biases."""
        found = {}
        for name, leaf in self.leaves.items():
            value = leaf.value
            assert value is not None  # a run begins with values
            found[name] = value
        return found

    def _layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return layers_of(self.parameters())


def _source(settings) -> tuple:
    """The settings that the points depend on."""
    return settings.data, settings.n, settings.noise, settings.seed


def _shape(settings) -> tuple:
    """The settings that the graph depends on."""
    return settings.sizes, settings.activation, settings.dtype
