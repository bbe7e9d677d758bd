"""The arrays from which a program reads its leaves.

What must hold: only leaves that have changed are copied before a run; what an interrupt left half copied is
copied anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.passes.passes import refuse_without_value


class Inputs:
    """``places``, {leaf: array}, each filled with a copy of another array, its source.

    ``prepare`` is called whenever a place was written to. Sources are compared by identity, so their
    numbers must not change.
    """

    def __init__(self, places: dict[Node, np.ndarray], prepare: Callable[[], object] = lambda: None):
        self._places, self._prepare = places, prepare
        self._sources = dict(places)  # each its own source: nothing was copied yet
        if not places:  # then nothing will ever be written
            prepare()

    def fill(self, given: Mapping[Node, np.ndarray]):
        """Copy the given arrays, and the values of all other leaves, where these are not there yet."""
        changed: dict[Node, np.ndarray] = {}
        for leaf, source in self._sources.items():
            value = given[leaf] if leaf in given else leaf._current_value()
            if value is not source:
                changed[leaf] = checked_value(leaf, value)
        if changed:
            places = {leaf: self._places[leaf] for leaf in changed}
            self._sources.update(places)  # until all are copied: after an interrupt they are copied anew
            for leaf, place in places.items():
                place[...] = changed[leaf]
            self._prepare()
            self._sources.update(changed)

    def sources_become(self, values: dict[Node, np.ndarray]) -> map:
        """For :func:`assign_together`: record that the places already hold copies of these."""
        return map(self._sources.update, [values])


def checked_value(leaf: Node, value: np.ndarray | None) -> np.ndarray:
    """A leaf's value, or an error in words where it has none."""
    return refuse_without_value([leaf]) if value is None else value
