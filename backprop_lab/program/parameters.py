"""All variables of a program in one vector θ, which learns.

A step of learning moves θ alone. The variables are given their new values when somebody looks at one:
``leaf._learner`` is the :class:`Parameters` that it asks (see ``graph/node.py``).

What must hold: while θ is ahead of the variables' values, it is the learner of all of them, and nothing that
was computed from the older values is still known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backprop_lab.graph.interrupts import assign_together
from backprop_lab.graph.node import Node, set_value
from backprop_lab.passes.passes import Gradients
from backprop_lab.program.inputs import Inputs
from backprop_lab.words.arrays import frozen


class Parameters:
    """θ, and which ``slices`` of it the variables are."""

    def __init__(self, slices: dict[Node, slice]):
        self.slices = slices
        self.theta = np.empty(sum(leaf.size for leaf in slices), np.result_type(*(v.dtype for v in slices)))
        places = {leaf: self.theta[place].reshape(leaf.shape) for leaf, place in slices.items()}
        self._inputs = Inputs(places)
        self._ahead = False  # whether θ has moved on from the variables' values

    def parts(self, flat: np.ndarray) -> Gradients:
        """{variable: its part of a vector like θ, in its shape}: views."""
        found = Gradients()
        for leaf, place in self.slices.items():
            part = flat[place].reshape(leaf.shape)
            found[leaf] = part if part.dtype is leaf.dtype else part.astype(leaf.dtype, copy=False)
        return found

    def fill(self, given: Mapping[Node, np.ndarray]):
        """Bring θ up to date: the given arrays, for the next run only, else the variables' values."""
        if self._ahead:
            if self.slices.keys().isdisjoint(given):
                return  # the variables' values are what θ says
            self.publish()  # so that the given arrays do not cost what was learned
        self._inputs.fill(given)

    def lead(self):
        """From now on the variables' values are what θ says, and it may move."""
        if not self._ahead:
            for leaf in self.slices:
                leaf._current_value()  # who has learned it so far hands it over
                leaf._learner = self
                leaf.forget_consumers()
            self._ahead = True

    def publish(self):
        """Give the variables the values that θ has now."""
        if self._ahead:
            values = {leaf: frozen(part) for leaf, part in self.parts(frozen(self.theta.copy())).items()}
            assign_together(
                map(set_value, values, values.values()),
                self._inputs.sources_become(values),
                map(setattr, [self], ["_ahead"], [False]),
            )

    def release(self):
        """The variables have values of their own again: the last ones."""
        self.publish()
        for leaf in self.slices:
            if leaf._learner is self:
                leaf._learner = None
