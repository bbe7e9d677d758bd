"""The graph that is bound and printed: a cost and its gradient by θ, simplified.

The simplifications are those of ``simplify.py``; ``one_vector.py`` puts the variables together.

What must hold: the reader's graph stays as it is; an error of the package's own is never taken for one of a
reader's rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from traceback import walk_tb
from types import ModuleType

import numpy as np

from backprop_lab.graph.leaves import leaf_of
from backprop_lab.graph.node import Node
from backprop_lab.graph.operation import Rule
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import adjoints
from backprop_lab.program import simplify
from backprop_lab.program.one_vector import in_one_vector
from backprop_lab.program.simplify import Suggestion
from backprop_lab.program.source import written
from backprop_lab.rules import extending

Shapes = dict[Node, tuple[int, ...]]
Parameters = dict[str, Node | Rule | None]


class ProgramGraph:
    """A cost and its gradient by θ as one simplified graph, for these shapes of the leaves.

    ``leaves``: {leaf of the reader's graph: its copy here}; ``slices``: {variable: its part of ``theta``}.
    """

    def __init__(self, J: Node, leaves: Iterable[Node], variables: list[Node], shapes: Shapes):
        J, self.leaves = copied(J, leaves, variables, shapes)
        copies = [self.leaves[variable] for variable in variables]
        flows = adjoints(J, asked=copies)
        for node, flow in flows.items():
            if node.name is not None and flow.name is None and flow.rule is not None:
                flow.named(Suggestion(f"d{node.name}"))
        roots = [J, *(flows[copy] for copy in copies)]
        for simplification in simplify.SIMPLIFICATIONS:
            roots = simplification(roots)
        self.cost, gradient, self.theta, slices = in_one_vector(roots[0], roots[1:], copies)
        self.cost, gradient = simplify.folded(simplify.as_the_passes_read([self.cost, gradient]))
        nameless = gradient.rule is not None and gradient.name is None
        self.gradient = gradient.named(Suggestion("gradient")) if nameless else gradient
        self.slices = {variable: slices[self.leaves[variable]] for variable in variables}

    def arguments(self, xp: ModuleType, parameters: Parameters, values: dict) -> dict:
        """The arguments for the function in ``source``, as arrays of the library, from {leaf: value}."""
        in_order = sorted(self.slices, key=lambda variable: self.slices[variable].start)
        theta = xp.concatenate([xp.ravel(values[variable]) for variable in in_order])
        if any(variable.dtype != self.theta.dtype for variable in in_order):  # that of the cost is wider
            theta = theta.astype(self.theta.dtype)

        def argument(given: Node | Rule | None):
            if given is None:
                return theta
            if isinstance(given, Rule):
                return given.compute
            if given.rule is not None:
                return partial(given.rule.compute, **given.parameters)
            return values[given] if given in values else xp.asarray(given.value)

        return {name: argument(given) for name, given in parameters.items()}

    def source(self, library: str) -> tuple[str, Parameters]:
        """(text, {parameter: leaf of the reader's graph, unnamed constant or operation}); None for θ."""
        data = [copy for leaf, copy in self.leaves.items() if leaf not in self.slices]
        text, parameters = written([self.cost, self.gradient], [self.theta, *data], library)
        own = {copy: leaf for leaf, copy in self.leaves.items()} | {self.theta: None}
        return text, {name: own.get(leaf, leaf) for name, leaf in parameters.items()}


def copied(
    J: Node, leaves: Iterable[Node], variables: Iterable[Node], shapes: Shapes
) -> tuple[Node, dict[Node, Node]]:
    """(J on copies of its leaves, with these shapes; {leaf: its copy}); only ``variables`` want a gradient.

    A leaf of integers becomes one of floats, if all operations read it in the same type of floats.
    """
    read_as: dict[Node, set[np.dtype]] = {}
    for node in topological_order(J):
        for a, derivative in zip(node.arguments, node.rule.derivatives if node.rule else ()):
            if isinstance(a, Node):
                read_as.setdefault(a, set()).add(a.dtype if derivative is None else node.dtype)
    copies, moving = {}, set(variables)
    for leaf in leaves:
        readers = read_as.get(leaf, set())
        dtype = next(iter(readers)) if leaf.dtype.kind != "f" and len(readers) == 1 else leaf.dtype
        copies[leaf] = leaf_of(leaf.name, shapes.get(leaf, leaf.shape), dtype, leaf in moving)
    (copy,) = simplify.as_the_passes_read(simplify.rewritten([J], lambda node, uses: None, copies))
    return copy, copies


def is_of_a_readers_rule(error: Exception) -> bool:
    """Whether an error was raised inside a function that was given to ``bl.rule``: ``extending.py`` calls it.

    A reader's derivative may be for arrays only; a mistake of the package's own must not look like that.
    """
    return any(frame.f_globals is vars(extending) for frame, _ in walk_tb(error.__traceback__))
