"""A cache of what is made from a program, with one entry for each set of shapes of its data.

What must hold: the values of unnamed constants go into what is made, so it is made anew when one of them has
another value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np

from backprop_lab.graph.node import Node

MOST_SHAPES = 16  # kept at a time; with one more, the oldest is dropped


Made = TypeVar("Made")


class ByShapes(Generic[Made]):
    """A cache of ``make({leaf: shape})``, which gets only leaves whose shape differs from the graph's."""

    def __init__(self, make: Callable[[dict[Node, tuple[int, ...]]], Made], constants: Iterable[Node]):
        self._make, self._constants = make, list(constants)
        self._values: list[np.ndarray | None] = [None] * len(self._constants)
        self._made: dict[tuple, Made] = {}

    def __len__(self):
        return len(self._made)

    def made_for(self, given: Mapping[Node, np.ndarray]) -> Made:
        """What ``make`` gives for the shapes of the given arrays."""
        key = tuple([(leaf, tuple(a.shape)) for leaf, a in given.items() if a.shape != leaf.shape])
        if not self._hold():
            self._made, self._values = {}, self._values_now()  # read first: another thread may change one
        if key not in self._made:
            if len(self._made) == MOST_SHAPES:
                del self._made[next(iter(self._made))]
            self._made[key] = self._make(dict(key))
        return self._made[key]

    def keeps(self, made: Made) -> bool:
        """Whether this was made for the values that unnamed constants have now."""
        return made in self._made.values() and self._hold()

    def _hold(self) -> bool:
        return not self._constants or all(map(operator.is_, self._values, self._values_now()))

    def _values_now(self) -> list[np.ndarray | None]:
        return [constant._value for constant in self._constants]
