"""A cost of two parameters as a function of a point in the plane, for the explorer of its landscape.

What must hold: a point may lie anywhere, so a cost that is not finite is no error; the learner's variables
keep their values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice

import numpy as np

from backprop_lab.explorers.real_functions import formula_in_leaves
from backprop_lab.graph.node import Node
from backprop_lab.learning.descent import sgd
from backprop_lab.passes.passes import checked_node
from backprop_lab.program.inputs import checked_value
from backprop_lab.program.program import Program
from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError, ShapeError
from backprop_lab.words.numbers import finite_number

WHAT = "landscape"
LITTLE = 0.003  # of the descent so far: a step that descends less is the last


class PlaneCost:
    """J as a function of a point in the plane and of a batch; infinities and NaNs raise no warning."""

    def __init__(self, J: Node, data):
        if data is not None and not isinstance(data, Mapping):
            raise NotAnArrayError(
                f"{WHAT}: data is a mapping {{leaf name: array}}, not {type(data).__name__}"
            )
        self._program = Program(checked_node(J, WHAT))
        self._variables = self._program.variables
        if sum(v.size for v in self._variables) != 2:
            found = ", ".join(f"{v.name} ({notation.extent(v.shape)})" for v in self._variables)
            raise ShapeError(
                f"{WHAT}: a plane has two parameters, and this cost has others: {found}; make those that are "
                "to stand still constants"
            )
        self._data = data
        self.all = self.batches(1)[0][1]
        self.examples = len(next(iter(self.all.values()), ()))
        self._others = {
            leaf: checked_value(leaf, leaf.value)
            for leaf in self._program.leaves.values()
            if leaf not in self._program.moving and leaf not in self.all
        }
        self.dtype = np.result_type(*(v.dtype for v in self._variables))
        names = [f"{v.name}{i if v.size == 2 else ''}" for v in self._variables for i in (1, 2)[: v.size]]
        self.names = [notation.symbol(name) for name in names]
        self.symbol = notation.symbol(J.name) if J.name else "J"
        self.formula = formula_in_leaves(J)

    def batches(self, count: int, size: int | None = None, seed: int = 0) -> list[tuple]:
        """The first ``count`` batches that :func:`bl.sgd` takes: (epoch, {leaf: array})."""
        loop = sgd(self._program, self._data, batch_size=size, epochs=count, seed=seed)
        return list(islice(loop.batches, count))

    def __call__(self, point, batch=None, factor: float = 0.0) -> tuple[float, np.ndarray]:
        """Value and gradient over all examples or over a batch, with a penalty of this factor."""
        given = self._others | (self.all if batch is None else batch) | self._leaves(point)
        value, flat = self._program.run(given)
        parts = self._program.parameters.parts(flat)
        slope = np.concatenate([np.ravel(parts[v]) for v in self._variables])
        if factor:
            with np.errstate(all="ignore"):
                value, slope = value + factor * (point @ point), slope + 2 * factor * point
        return float(value), slope

    def _leaves(self, point) -> dict[Node, np.ndarray]:
        point = np.asarray(point, self.dtype)
        parts = [point] if len(self._variables) == 1 else [point[:1], point[1:]]
        return {v: part.reshape(v.shape) for v, part in zip(self._variables, parts, strict=True)}

    def point(self, start) -> np.ndarray:
        """Where the path starts, by default at the values of the variables; J is finite there."""
        if start is None:
            start = np.concatenate([np.ravel(checked_value(v, v.value)) for v in self._variables])
        if isinstance(start, (str, Mapping)) or np.shape(start) != (2,):
            raise ValueError(f"{WHAT}: start is a point of two numbers, not {start!r}")
        point = np.array(
            [finite_number(f"{WHAT}: start of {n}", v) for n, v in zip(self.names, start, strict=True)]
        )
        value, slope = self(point)
        if not (math.isfinite(value) and np.isfinite(slope).all()):
            at = notation.array(point)
            raise ValueError(
                f"{WHAT}: {self.symbol} or its gradient is not finite at the start {at}; give another"
            )
        return point


def low_point(cost: PlaneCost, start) -> np.ndarray:
    """A low point near the start, for the window to show: the end of a descent that never climbs, its steps
    as long as the last bend allows. Barzilai & Borwein, IMA Journal of Numerical Analysis 8 (1988)."""
    point, (value, slope) = start, cost(start)
    first = value
    far = 10 * max(1.0, float(np.hypot(*start)))
    length = 0.1 * far / max(1.0, float(np.hypot(*slope)))
    for _ in range(60):
        for _ in range(40):
            there = point - length * slope
            value_there, slope_there = cost(there)
            if value_there < value and np.isfinite(slope_there).all() and np.hypot(*(there - start)) < far:
                break
            length /= 2
        else:
            return point
        moved, turned = there - point, slope_there - slope
        bend = float(moved @ turned)
        length = float(moved @ moved) / bend if bend > 0 else 2 * length
        gained, point, value, slope = value - value_there, there, value_there, slope_there
        if gained < LITTLE * (first - value):
            break
    return point
