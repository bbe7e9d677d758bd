"""What is made of a program once for each shape of its data, and kept.

What must hold: the values of unnamed constants go into what is made, so it is made again once one has
another value, whoever asks.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np

from backprop_lab.graph.node import Node

MOST_SHAPES = 16  # kept at a time; of more, the oldest is dropped


Made = TypeVar("Made")


class ByShapes(Generic[Made]):
    """What ``make({leaf: shape})`` gives, called with the leaves whose shape is not that of the graph."""

    def __init__(self, make: Callable[[dict[Node, tuple[int, ...]]], Made], constants: Iterable[Node]):
        self._make, self._constants = make, list(constants)
        self._made: dict[tuple, tuple[Made, list[np.ndarray | None]]] = {}

    def __len__(self):
        return len(self._made)

    def made_for(self, given: Mapping[Node, np.ndarray]) -> Made:
        """What was made for the shapes of the given arrays, now if it was not."""
        key = tuple([(leaf, tuple(a.shape)) for leaf, a in given.items() if a.shape != leaf.shape])
        if key in self._made:
            made, values = self._made[key]
            if all(map(operator.is_, values, [constant._value for constant in self._constants])):
                return made
        elif len(self._made) == MOST_SHAPES:
            del self._made[next(iter(self._made))]
        values = [constant._value for constant in self._constants]  # first: one may be changed meanwhile
        made = self._make(dict(key))
        self._made[key] = made, values
        return made
