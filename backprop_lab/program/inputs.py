"""The arrays from which a program reads its leaves.

What must hold: only leaves that have changed are copied before a run; what an interrupt left half copied is
copied anew, and what depends on it computed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.passes.passes import refuse_without_value


class Inputs:
    """``places``, {leaf: array}, each filled with a copy of another array, its source.

    Sources are compared by identity, so their numbers must not change. ``changed`` says that a place was
    written to; whoever has computed what depends on the places sets it back.
    """

    def __init__(self, places: dict[Node, np.ndarray]):
        self._places = places
        self._expected = {leaf.name: (leaf, leaf.dtype, place.shape, place) for leaf, place in places.items()}
        self._sources = dict(places)  # each its own source: nothing was copied yet
        self.changed = True

    def fill(self, given: Mapping[Node, np.ndarray]):
        """Copy the given arrays, and the values of all other leaves, where these are not there yet."""
        for leaf, source in self._sources.items():
            value = given[leaf] if leaf in given else leaf._current_value()
            if value is not source:
                self.changed = True
                value = checked_value(leaf, value)
                self._sources[leaf] = place = self._places[leaf]  # until it is copied
                place[...] = value
                self._sources[leaf] = value

    def take(self, arrays: Mapping[Node, np.ndarray], rows: np.ndarray) -> bool:
        """Copy these rows of arrays that were checked, if so many are expected; whether they are."""
        self.changed = True
        places, sources, count = self._places, self._sources, len(rows)
        for leaf, array in arrays.items():
            place = places[leaf]
            if len(place) != count:
                return False
            sources[leaf] = place  # so that whatever comes next is copied
            if array.dtype is place.dtype:
                array.take(rows, 0, place, "clip")  # all rows exist, and "raise" would not write at once
            else:
                place[...] = array.take(rows, 0)
        return len(arrays) == len(places) or self._filled_up(arrays.keys())

    def read(self, data: Mapping[str, object]) -> bool:
        """Copy arrays, by name, if they need no conversion and fit; whether they do."""
        self.changed = True
        expected, sources = self._expected, self._sources
        for name, array in data.items():
            if name not in expected:
                return False
            leaf, dtype, shape, place = expected[name]
            if type(array) is not np.ndarray or array.dtype is not dtype or array.shape != shape:
                return False
            sources[leaf] = place
            place[...] = array
        return len(data) == len(expected) or self._filled_up({expected[name][0] for name in data})

    def _filled_up(self, there: Set[Node]) -> bool:
        """Copy the values of all leaves but these, if they fit; whether they do."""
        if any(leaf.shape != place.shape for leaf, place in self._places.items() if leaf not in there):
            return False
        self.fill({leaf: self._places[leaf] for leaf in there})
        return True

    def sources_become(self, values: dict[Node, np.ndarray]) -> map:
        """For :func:`assign_together`: record that the places already hold copies of these."""
        return map(self._sources.update, [values])


def checked_value(leaf: Node, value: np.ndarray | None) -> np.ndarray:
    """A leaf's value, or an error in words where it has none."""
    return refuse_without_value([leaf]) if value is None else value
