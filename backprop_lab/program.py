"""``bl.compile``: the fast program of a cost and its gradient.

The gradient's graph is simplified (``simplify.py``), bound to buffers (``buffers.py``) and run as a flat
list of NumPy calls; ``source.py`` writes the same operations down for a person. A graph too long for that
runs by the plain passes, on a copy of its own.

What must hold: the same answers as :func:`bl.backward`; the graph's state stays as it is; results are fresh
arrays; one program may be called from several threads, each call waiting for the one before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from threading import Lock

import numpy as np

from backprop_lab import notation, simplify
from backprop_lab.buffers import bind
from backprop_lab.derivatives import adjoints
from backprop_lab.errors import MissingValueError, NotAnArrayError, ShapeError
from backprop_lab.graph import Node, constant, numbers_for, topological_order
from backprop_lab.passes import Gradients, backward, checked_node
from backprop_lab.simplify import Suggestion
from backprop_lab.source import written

LONGEST = 2000  # nodes of a graph that is still bound; a longer one runs by the plain passes


def compile(J: Node, wrt: Iterable[Node] | None = None, xp=None):
    """A program for the cost ``J`` and its gradient: call it to get ``(value, {variable: gradient})``.

    ``J`` is a single number. ``wrt`` are the variables whose gradients are wanted, all of them by default.
    ``program(x=…, y=…)`` takes other values for leaves, by name, only for this call; their first axis may
    be longer or shorter than in the graph. Leaves not named have the values that they have in the graph.
    ``program.source`` is the program as a NumPy function.

    ``xp``: a module with NumPy's names, such as ``jax.numpy``. Then the result is a pure function of the
    leaves by name that gives ``(value, {name: gradient})``, computed with that module.

    Raises TypeError for what is not a cost or not a variable of it, ValueError for two leaves of one name.

    >>> import numpy as np, backprop_lab as bl
    >>> w, x = bl.variable("w", [2.0, -1.0]), bl.constant("x", [3.0, 1.0])
    >>> program = bl.compile(np.sum(w * x) ** 2, wrt=[w])
    >>> value, gradients = program()
    >>> float(value), gradients[w]
    (25.0, array([30., 10.]))
    >>> float(program(x=[1.0, 1.0])[0])
    1.0
    """
    program = Program(J, wrt)
    return program if xp is None else Functional(program, xp)


class Program:
    """What :func:`compile` makes; see there."""

    def __init__(self, J: Node, wrt: Iterable[Node] | None = None):
        checked_node(J, "compile")
        if J.shape != ():
            raise ShapeError(
                f"compile: {notation.mention(J, code=True)} has shape {J.shape}; a cost is a single number: "
                "take np.sum or np.mean of it"
            )
        self.cost = J
        leaves = [node for node in topological_order(J) if node.rule is None and node.name is not None]
        self.variables = _checked_variables(J, wrt, leaves)
        self._moving = set(self.variables)
        leaves += [v for v in self.variables if v not in set(leaves)]
        self.leaves = {leaf.name: leaf for leaf in leaves}
        if len(self.leaves) < len(leaves):
            names = [leaf.name for leaf in leaves]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(
                f"compile: two leaves are called {twice!r}, and a program knows leaves by name; "
                f'give one of them another name: bl.variable("{twice}2", …)'
            )
        self._bound: dict[tuple, _Bound | _Plain] = {}
        self._lock = Lock()
        self.bound_for({})

    def __call__(self, **leaves) -> tuple[np.ndarray, dict[Node, np.ndarray]]:
        """(value, {variable: gradient}) with these values for leaves, for this call."""
        given = self._checked(leaves) if leaves else {}
        with self._lock:
            bound = self.bound_for(given)
            bound.load(given)
            cost = bound.run()
            flat = bound.gradient.copy()
        if not (math.isfinite(cost) and math.isfinite(flat.dot(flat))):
            self.report(given)
        return np.array(cost, self.cost.dtype), Gradients(
            [(variable, flat[place].reshape(shape)) for variable, place, shape in bound.parts]
        )

    @property
    def source(self) -> str:
        """The program as a NumPy function of θ (all variables in one vector) and of the data."""
        return self.bound_for({}).source("numpy")[0]

    def __repr__(self):
        names = ", ".join(variable.name for variable in self.variables)
        return f"<program of {notation.mention(self.cost, code=True)} and its gradient by {names}>"

    def bound_for(self, given: dict[Node, np.ndarray]) -> _Bound | _Plain:
        """The program bound for these shapes of the leaves; made when they are first seen."""
        key = tuple((leaf, array.shape) for leaf, array in given.items() if array.shape != leaf.shape)
        if key not in self._bound:
            self._bound[key] = _bound(self, dict(key))
        return self._bound[key]

    def report(self, given):
        """Name the node that made a NaN or an infinity."""
        plain = _Plain(self, {leaf: array.shape for leaf, array in given.items()})
        plain.load(given)
        plain.run(on_nonfinite="warn")

    def _checked(self, given):
        arrays = {}
        for name, value in given.items():
            if name not in self.leaves:
                raise TypeError(f"the program has no leaf {name!r}; its leaves are {', '.join(self.leaves)}")
            leaf, context = self.leaves[name], f"program({name}=…)"
            arrays[leaf] = numbers_for(leaf, value, context)
            if leaf in self._moving and arrays[leaf].shape != leaf.shape:
                raise ShapeError(
                    f"{context}: the variable {name} has shape {leaf.shape}, was given "
                    f"{arrays[leaf].shape}; only data may change their shape"
                )
        return arrays


def _checked_variables(J, wrt, leaves):
    if wrt is None:
        wrt = [leaf for leaf in leaves if leaf.leaf_kind == "variable"]
    variables = [wrt] if isinstance(wrt, Node) else list(wrt)
    for variable in variables:
        if not isinstance(variable, Node) or variable.leaf_kind != "variable":
            name = notation.mention(variable, code=True) if isinstance(variable, Node) else repr(variable)
            raise NotAnArrayError(f"compile: wrt takes variables, and {name} is none; for others: bl.gradient")
    if not variables:
        raise ValueError("compile: the cost depends on no variable, so there is no gradient to compute")
    return list(dict.fromkeys(variables))


# ------------------------------------------------------------------------------------ from graph to calls


def copied(J: Node, shapes: dict[Node, tuple], moving: set[Node]) -> tuple[Node, dict[Node, Node]]:
    """J again on leaves of its own, of these shapes, and {leaf: its copy}; only ``moving`` are variables.

    A leaf of integers that are only calculated with becomes one of floats.
    """
    order = topological_order(J)
    counting = {
        a
        for node in order
        for a, derivative in zip(node.arguments, node.rule.derivatives if node.rule else ())
        if derivative is None or node.dtype.kind != "f"
    }
    new: dict[Node, Node] = {}
    for node in order:
        if node.rule is not None:
            new[node] = simplify.with_arguments(node, tuple(new.get(a, a) for a in node.arguments))
        elif node.name is None:
            new[node] = node
        else:
            dtype = node.dtype if node.dtype.kind == "f" or node in counting else J.dtype
            new[node] = simplify.leaf_of(node.name, shapes.get(node, node.shape), dtype, node in moving)
    return new[J], {node: new[node] for node in order if node.rule is None and node.name is not None}


def _bound(program, shapes):
    """The program for these shapes: bound to buffers, or by the plain passes where that does not pay."""
    size = len(topological_order(program.cost))
    if size > LONGEST or any(v.dtype != program.cost.dtype for v in program.variables):
        return _Plain(program, shapes)
    return _Bound(program, shapes)


class _Bound:
    """The simplified gradient graph, bound to buffers."""

    def __init__(self, program: Program, shapes):
        J, leaves = copied(program.cost, shapes, program._moving)
        variables = [leaves[variable] for variable in program.variables]
        flows = adjoints(J)
        for node, flow in flows.items():
            if node.name is not None and flow.name is None and flow.rule is not None:
                flow.named(Suggestion(f"d{node.name}"))
        nothing = {v: constant(None, np.zeros(v.shape, v.dtype)) for v in variables if v not in flows}
        roots = [J, *((flows | nothing)[v] for v in variables)]
        for simplification in simplify.SIMPLIFICATIONS:
            roots = simplification(roots)
        J, gradient, theta, slices = simplify.in_one_vector(roots[0], roots[1:], variables)
        self.roots = [J, gradient.named(Suggestion("gradient"))]
        self.theta = np.empty(theta.shape, theta.dtype)
        self._parameters = [theta, *(copy for leaf, copy in leaves.items() if leaf not in program._moving)]
        self.parts, self._loads = [], []
        places = {theta: self.theta}
        for leaf, copy in leaves.items():
            moves = leaf in program._moving
            if moves:
                self.parts.append((leaf, slices[copy], leaf.shape))
                place = self.theta[slices[copy]].reshape(leaf.shape)
            else:
                place = places[copy] = np.empty(copy.shape, copy.dtype)
            self._loads.append([leaf, place, None, moves])
        self._calls = bind(*self.roots, places)
        self.run, self.gradient = self._calls.run, self._calls.gradient

    def load(self, given):
        """Take up what changed: given arrays, and new values of leaves."""
        changed = False
        for load in self._loads:
            leaf, place, known, moves = load
            value = given.get(leaf) if given else None
            if value is None:
                value = leaf.value
                if value is known:
                    continue
                load[2] = _present(leaf, value)
            else:
                load[2] = None  # only for this call
            place[...] = value
            changed = changed or not moves
        if changed:
            self._calls.prepare()

    def source(self, library):
        return written(self.roots, self._parameters, library)


class _Plain:
    """The plain passes, on a copy of the graph."""

    def __init__(self, program: Program, shapes):
        self._cost, leaves = copied(program.cost, shapes, program._moving)
        self._leaves = leaves
        sizes = np.cumsum([0, *(v.size for v in program.variables)])
        self.parts = [
            (v, slice(a, b), v.shape) for v, a, b in zip(program.variables, sizes, sizes[1:], strict=False)
        ]
        dtype = np.result_type(*(v.dtype for v in program.variables))
        self.theta, self.gradient = np.empty(sizes[-1], dtype), np.empty(sizes[-1], dtype)

    def load(self, given):
        for leaf, copy in self._leaves.items():
            copy.value = given.get(leaf, _present(leaf, leaf.value))
        for variable, place, _ in self.parts:
            self.theta[place] = self._leaves[variable].value.ravel()

    def run(self, on_nonfinite="ignore"):
        gradients = backward(self._cost, on_nonfinite=on_nonfinite)
        for variable, place, _ in self.parts:
            self.gradient[place] = gradients[self._leaves[variable]].ravel()
        return self._cost.value

    def source(self, library):
        roots = [self._cost, *adjoints(self._cost).values()]
        return written(roots, list(self._leaves.values()), library)


def _present(leaf, value):
    if value is None:
        name = leaf.name
        raise MissingValueError(f"{name} (shape {leaf.shape}) stands without a value; give it one: {name}.value = …")
    return value
