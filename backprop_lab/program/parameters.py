"""All variables of a program in one vector θ, which learns.

A step of learning moves θ alone, so that θ is ahead of the variables' values. They get theirs when somebody
looks at one of them: then ``leaf._learner`` is asked to publish (see ``graph/node.py``).

What must hold: θ is ahead exactly while it is the learner of all its variables, and otherwise of none; while
it is ahead, nothing that was computed from their older values is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat

import numpy as np

from backprop_lab.graph.interrupts import assign_together
from backprop_lab.graph.node import Node, set_learner, set_nonfinite, set_value
from backprop_lab.passes.passes import Gradients
from backprop_lab.program.inputs import Inputs
from backprop_lab.words.arrays import finite, frozen


class Parameters:
    """θ, and the ``slices`` of it that the variables are."""

    def __init__(self, slices: dict[Node, slice]):
        self.slices = slices
        self.theta = np.empty(sum(leaf.size for leaf in slices), np.result_type(*(v.dtype for v in slices)))
        places = {leaf: self.theta[place].reshape(leaf.shape) for leaf, place in slices.items()}
        self._inputs, self._any_leaf = Inputs(places), next(iter(slices))

    def parts(self, flat: np.ndarray) -> Gradients:
        """{variable: its part of a vector like θ, in its shape}: views."""
        found = Gradients()
        for leaf, place in self.slices.items():
            part = flat[place].reshape(leaf.shape)
            found[leaf] = part if part.dtype is leaf.dtype else part.astype(leaf.dtype, copy=False)
        return found

    @property
    def ahead(self) -> bool:
        """Whether θ has moved on from the variables' values."""
        return self._any_leaf._learner is self

    def fill(self, given: Mapping[Node, np.ndarray]):
        """Bring θ up to date: the given arrays, for the next run only, else the variables' values."""
        if self.ahead:
            if self.slices.keys().isdisjoint(given):
                return  # θ is newer than the variables' own values
            self.publish()  # else the given arrays would overwrite what was learned
        self._inputs.fill(given)

    def lead(self):
        """Make θ the learner of its variables: from now on it holds their values, and may move."""
        if not self.ahead:
            for leaf in self.slices:
                if leaf._learner is not None:  # another program's θ was ahead
                    leaf._learner.publish()
                leaf.forget_consumers()
            assign_together(map(set_learner, self.slices, repeat(self)))

    def publish(self):
        """Give the variables the values that θ has now."""
        if self.ahead:
            values = self.parts(frozen(self.theta.copy()))
            for value in values.values():
                value.setflags(write=False)  # some were converted to another precision
            with np.errstate(over="ignore"):
                sound = finite(self.theta)
                nonfinite = [not (sound or finite(value)) for value in values.values()]
            assign_together(
                map(set_value, values, values.values()),
                map(set_nonfinite, values, nonfinite),
                self._inputs.sources_become(values),
                map(set_learner, values, repeat(None)),
            )
