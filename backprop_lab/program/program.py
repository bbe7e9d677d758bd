"""The fast program of a cost and its gradient.

The gradient's graph is simplified (``simplify.py``), its variables are put into one vector
(``one_vector.py``), it is bound to buffers (``buffers.py``) and run as a flat list of NumPy calls;
``source.py`` writes the same operations for a person to read. A graph that is too long for that, or has a
reader's own derivative for arrays only, is run by the plain passes on a copy.

What must hold: the same answers as :func:`bl.backward`; the graph's state stays as it is; results are fresh
arrays; one program may be called from several threads, where each call waits for the previous one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from backprop_lab.graph.interrupts import while_holding
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import Pass, checked_node
from backprop_lab.program.buffers import bind
from backprop_lab.program.by_shapes import ByShapes
from backprop_lab.program.inputs import Inputs, checked_value
from backprop_lab.program.parameters import Parameters
from backprop_lab.program.program_graph import ProgramGraph, copied, is_of_a_readers_rule
from backprop_lab.words import notation
from backprop_lab.words.arrays import finite, numbers_for
from backprop_lab.words.errors import NotAnArrayError, ShapeError
from backprop_lab.words.naming import folded

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_BOUND_NODES = 2000  # of a graph; a longer one is run by the plain passes


class Bound(NamedTuple):
    """A cost and its gradient for one set of shapes, which read θ as it is and the data in ``inputs``.

    ``calls(changed)`` gives the cost and fills ``gradient``; ``changed``: whether the data were.
    """

    inputs: Inputs
    calls: Callable[[bool], float]
    gradient: np.ndarray

    def run(self) -> float:
        """The cost; fills ``gradient``."""
        inputs = self.inputs
        cost = self.calls(inputs.changed)
        inputs.changed = False
        return cost


class Batch(Protocol):
    """Arrays for one step of learning."""

    @property
    def given(self) -> Mapping[Node, np.ndarray]:
        """{leaf: array}, checked."""

    def into(self, inputs: Inputs) -> bool:
        """Copy them there, and the values of all other leaves, if all fit; whether they do."""


class Program:
    """The program that :func:`bl.compile` makes; see there."""

    parameters: Parameters  # laid out by the graph that is bound first

    def __init__(self, J: Node, wrt: Node | Iterable[Node] | None = None):
        name = notation.mention(checked_node(J, "compile"), code=True)
        if J.shape != ():
            raise ShapeError(
                f"compile: {name} has shape {J.shape}; a cost is a single number (a scalar): take its np.sum "
                "or np.mean"
            )
        if J.dtype.kind != "f":
            raise NotAnArrayError(f"compile: {name} holds {J.dtype}; a cost is a real number")
        self.cost = J
        leaves = [node for node in topological_order(J) if node.rule is None]
        self.constants = [leaf for leaf in leaves if leaf.name is None]
        self.variables = _checked_variables(wrt, leaves)
        self.moving = set(self.variables)
        self.leaves = _by_name([*leaves, *self.variables])
        self._lock = Lock()
        self._bound = ByShapes(self._bind, self.constants)
        self._bound.made_for({})

    def __call__(self, /, **leaves: npt.ArrayLike) -> tuple[np.ndarray, dict[Node, np.ndarray]]:
        """(value, {variable: gradient}), with these values for leaves in this call."""
        given = self.checked(leaves) if leaves else {}
        cost, flat = self.run(given)
        if not (math.isfinite(cost) and all_finite(flat)):
            self.report(given)
        return np.array(cost, self.cost.dtype), self.parameters.parts(flat)

    def run(self, given: dict[Node, np.ndarray]) -> tuple[float, np.ndarray]:
        """The cost and its gradient by θ, with these values for leaves; no NaN is reported.

        Arrays are compared by identity: to give other numbers, give another array.
        """
        return while_holding(self._lock, self._run, given)

    def _run(self, given):
        bound = self._filled(given)
        self.parameters.fill(given)
        return bound.run(), bound.gradient.copy()

    @property
    def source(self) -> str:
        """The program as a NumPy function of θ (all variables in one vector) and of the data."""
        return self.graph_for({}).source("numpy")[0]

    @property
    def inputs(self) -> dict[str, Any]:
        """The arguments for the function in ``source``: values of the graph, the reader's operations."""
        graph = self.graph_for({})
        values = {
            leaf: checked_value(leaf, leaf.value).astype(copy.dtype) for leaf, copy in graph.leaves.items()
        }
        return graph.arguments(np, graph.source("numpy")[1], values)

    def __repr__(self):
        name = notation.mention(self.cost, code=True)
        return f"<program of {name} and its gradient by {self.variable_names}>"

    @property
    def variable_names(self) -> str:
        """The variables' names in their order, with commas."""
        return ", ".join(variable.name or "" for variable in self.variables)

    def graph_for(self, shapes: dict[Node, tuple[int, ...]]) -> ProgramGraph:
        """The graph that is bound, printed and run in other libraries, for these shapes of leaves."""
        return ProgramGraph(self.cost, self.leaves.values(), self.variables, shapes)

    def bound_for(self, batch: Batch, last: Bound | None) -> Bound:
        """The program bound to memory for arrays of these shapes, with this batch in it.

        ``last`` is what the batch before got: most batches fit there as well.
        """
        if last is not None and self._bound.keeps(last) and batch.into(last.inputs):
            return last
        return self._filled(batch.given)

    def _filled(self, given: Mapping[Node, np.ndarray]) -> Bound:
        bound = self._bound.made_for(given)
        bound.inputs.fill(given)
        return bound

    def _bind(self, shapes) -> Bound:
        graph = self._graph_to_bind(shapes)
        if not hasattr(self, "parameters"):
            self.parameters = Parameters(graph.slices if graph else _end_to_end(self.variables))
        if graph is None or graph.slices != self.parameters.slices:
            return self._plain(shapes)
        data = self._places(graph.leaves)
        bound = {graph.leaves[leaf]: place for leaf, place in data.items()}
        calls = bind(graph.cost, graph.gradient, {graph.theta: self.parameters.theta} | bound)
        return Bound(Inputs(data), *calls)

    def _graph_to_bind(self, shapes) -> ProgramGraph | None:
        """The graph to bind, or None where the plain passes are run instead."""
        order = topological_order(self.cost)
        if len(order) > MOST_BOUND_NODES or any(v.dtype != self.cost.dtype for v in self.variables):
            return None
        try:
            return self.graph_for(shapes)
        except Exception as error:
            if is_of_a_readers_rule(error):
                return None
            raise

    def _places(self, copies) -> dict[Node, np.ndarray]:
        """{leaf: an empty array} for all leaves but the variables."""
        data = {leaf: copy for leaf, copy in copies.items() if leaf not in self.moving}
        return {leaf: np.empty(copy.shape, copy.dtype) for leaf, copy in data.items()}

    def _plain(self, shapes, on_nonfinite: str = "ignore") -> Bound:
        """The plain passes over a copy of the graph, in place of a flat program."""
        cost, copies = copied(self.cost, self.leaves.values(), self.variables, shapes)
        theta, parts, slices = self.parameters.theta, self.parameters.parts, self.parameters.slices
        gradient, data = np.zeros_like(theta), self._places(copies)

        def run(changed):
            values = {copies[leaf]: array for leaf, array in (data | parts(theta)).items()}
            passed = Pass(cost, "program")
            passed.values = [values.get(node, node._value) for node in passed.order]
            flows = passed.both_ways(1, on_nonfinite)
            for leaf, place in slices.items():
                if copies[leaf] in flows:
                    gradient[place] = flows[copies[leaf]].reshape(-1)
            return passed.values[-1]

        return Bound(Inputs(data), run, gradient)

    def report(self, given: Mapping[Node, np.ndarray], on_nonfinite: str = "warn"):
        """Name the node that made a NaN or an infinity, in a warning or an error."""
        plain = self._plain({leaf: array.shape for leaf, array in given.items()}, on_nonfinite)
        plain.inputs.fill(given)
        plain.run()

    def leaf_called(self, name: str | Node | None) -> Node:
        """The leaf of this name, as Python reads it, which a node may stand for; or an error in words."""
        called = name.name if isinstance(name, Node) else name
        known = called if called is None or called in self.leaves else folded(called)
        if known is None or known not in self.leaves:
            raise TypeError(f"the program has no leaf {called!r}; its leaves are {', '.join(self.leaves)}")
        return self.leaves[known]

    def checked(self, given: Mapping[str, npt.ArrayLike]) -> dict[Node, np.ndarray]:
        """{name: value} as {leaf: array of its type}, or an error in words.

        Each is a new view, because the reader may have changed an array since it was last given.
        """
        arrays = {}
        for name, value in given.items():
            leaf = self.leaf_called(name)
            array = numbers_for(leaf, value, "program({}=…)")
            if array.shape != leaf.shape:
                self.check_shape(leaf, array)
            arrays[leaf] = array.view()
        return arrays

    def check_shape(self, leaf: Node, array: np.ndarray):
        """Only data may change their shape, and only in the number of examples, along the first axis."""
        if array.shape == leaf.shape:
            return
        if leaf in self.moving:
            raise ShapeError(
                f"program({leaf.name}=…): the variable {leaf.name} has shape {leaf.shape}, was given "
                f"{array.shape}; only data may change their shape"
            )
        if array.ndim != leaf.ndim or array.shape[1:] != leaf.shape[1:]:
            raise ShapeError(
                f"program({leaf.name}=…): {leaf.name} has shape {leaf.shape} in the graph, was given "
                f"{array.shape}; only the first axis, that of the examples, may be longer or shorter"
            )
        if len(array) == 0:
            raise ShapeError(
                f"program({leaf.name}=…): {leaf.name} was given shape {array.shape}, which holds no example"
            )


all_finite = np.errstate(over="ignore")(finite)


def _by_name(leaves: Iterable[Node]) -> dict[str, Node]:
    """{name: leaf} of those that have a name, as Python reads it; an error where two have the same."""
    distinct = dict.fromkeys(leaves)
    counts = Counter(folded(leaf.name) for leaf in distinct if leaf.name is not None)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(
            f"compile: two leaves are called {twice[0]!r}, and a program knows leaves by name; "
            f'give one of them another name: bl.variable("{twice[0]}2", …)'
        )
    return {folded(leaf.name): leaf for leaf in distinct if leaf.name is not None}


def _checked_variables(wrt, leaves) -> list[Node]:
    learned = [leaf for leaf in leaves if leaf.leaf_kind == "variable"]
    variables = [wrt] if isinstance(wrt, Node) else list(learned if wrt is None else wrt)
    for variable in variables:
        if not isinstance(variable, Node) or variable.leaf_kind != "variable":
            name = notation.mention(variable, code=True) if isinstance(variable, Node) else repr(variable)
            raise NotAnArrayError(
                f"compile: wrt takes variables, and {name} is none; for others: bl.gradient"
            )
    if not variables and learned:
        raise ValueError("compile: wrt is empty; name the variables whose gradients you want")
    if not variables:
        raise ValueError("compile: the cost depends on no variable, so there is no gradient to compute")
    return list(dict.fromkeys(variables))


def _end_to_end(variables) -> dict[Node, slice]:
    """{variable: its slice of a vector}, where they lie end to end in their order."""
    ends = np.cumsum([0, *(v.size for v in variables)])
    return {v: slice(a, b) for v, a, b in zip(variables, ends, ends[1:])}
