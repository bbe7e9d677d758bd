"""The fast program of a cost and its gradient.

The gradient's graph is simplified (``simplify.py``), bound to buffers (``buffers.py``) and run as a flat
list of NumPy calls; ``source.py`` writes the same operations down for a person. A graph too long for that,
or with a reader's own derivative that knows arrays only, runs by the plain passes, on a copy of its own.

What must hold: the same answers as :func:`bl.backward`; the graph's state stays as it is; results are fresh
arrays; one program may be called from several threads, each call waiting for the one before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from threading import Lock
from types import SimpleNamespace

import numpy as np

from backprop_lab.graph.node import Node, set_together, set_value
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import adjoints
from backprop_lab.passes.passes import Gradients, Pass, checked_node, refuse_without_value
from backprop_lab.program import simplify
from backprop_lab.program.buffers import bind
from backprop_lab.program.one_vector import in_one_vector, leaf_of
from backprop_lab.program.simplify import Suggestion
from backprop_lab.program.source import written
from backprop_lab.rules.primitives import converted
from backprop_lab.words import notation
from backprop_lab.words.arrays import finite, frozen, numbers_for
from backprop_lab.words.errors import NotAnArrayError, ShapeError

KEPT = 16  # shapes of data that a program stays bound to; of more, the first is let go
LONGEST = 2000  # nodes of a graph that is still bound; a longer one runs by the plain passes


class Program:
    """What :func:`bl.compile` makes; see there."""

    def __init__(self, J: Node, wrt: Iterable[Node] | None = None):
        name = notation.mention(checked_node(J, "compile"), code=True)
        if J.shape != ():
            raise ShapeError(
                f"compile: {name} has shape {J.shape}; a cost is a single number: take its np.sum or np.mean"
            )
        if J.dtype.kind != "f":
            raise NotAnArrayError(f"compile: {name} holds {J.dtype}; a cost is a real number")
        self.cost = J
        leaves = [node for node in topological_order(J) if node.rule is None and node.name is not None]
        self.variables = _checked_variables(wrt, leaves)
        self.moving = set(self.variables)
        leaves = list(dict.fromkeys([*leaves, *self.variables]))
        self.leaves = {leaf.name: leaf for leaf in leaves}
        if len(self.leaves) < len(leaves):
            twice = next(leaf.name for leaf in leaves if self.leaves[leaf.name] is not leaf)
            raise ValueError(
                f"compile: two leaves are called {twice!r}, and a program knows leaves by name; "
                f'give one of them another name: bl.variable("{twice}2", …)'
            )
        self._fixed = {n: n.value for n in topological_order(J) if n.rule is None and n.name is None}
        self._bound: dict[tuple, _Bound] = {}
        self._lock = Lock()
        self.parameters: Parameters | None = None
        self.bound_for({})

    def __call__(self, /, **leaves) -> tuple[np.ndarray, dict[Node, np.ndarray]]:
        """(value, {variable: gradient}) with these values for leaves, for this call."""
        given = self.checked(leaves) if leaves else {}
        cost, flat = self.run(given)
        if not (math.isfinite(cost) and sound(flat)):
            self.report(given)
        return np.array(cost, self.cost.dtype), self.parameters.parts(flat)

    def run(self, given: dict[Node, np.ndarray]):
        """The cost and its gradient by θ, with these values of leaves; nothing is reported."""
        held = []  # the lock, taken and noted in one operation: after "with" Python 3.14 looks for interrupts
        try:
            held += map(self._lock.acquire, (True,))
            bound = self.bound_for(given)
            self.parameters.take_up(given)
            bound.take_up(given)
            return bound.run(), bound.gradient.copy()
        finally:
            if held:
                self._lock.release()

    @property
    def source(self) -> str:
        """The program as a NumPy function of θ (all variables in one vector) and of the data."""
        return Simplified(self, {}).source("numpy")[0]

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What to call the function in ``source`` with, for the values that the graph has now."""
        graph = Simplified(self, {})
        values = {leaf: present(leaf, leaf.value).astype(copy.dtype) for leaf, copy in graph.leaves.items()}
        return graph.arguments(np, graph.source("numpy")[1], values)

    def __repr__(self):
        names = ", ".join(variable.name for variable in self.variables)
        return f"<program of {notation.mention(self.cost, code=True)} and its gradient by {names}>"

    @property
    def outdated(self) -> bool:
        """Whether an unnamed constant, whose number is part of what was bound, has another value now."""
        return any([node._value is not value for node, value in self._fixed.items()])

    def bound_for(self, given: dict[Node, np.ndarray]) -> _Bound:
        """The program bound for these shapes of the leaves; made when they are first seen."""
        if self.outdated:
            self._bound.clear()  # first, as an interrupt may come
            self._fixed = {node: node.value for node in self._fixed}
        key = tuple((leaf, array.shape) for leaf, array in given.items() if array.shape != leaf.shape)
        if key not in self._bound:
            if len(self._bound) == KEPT:
                del self._bound[next(iter(self._bound))]
            self._bound[key] = self._made(dict(key))
        return self._bound[key]

    def _made(self, shapes) -> _Bound:
        graph = self._simplified(shapes)
        if graph is None:
            ends = np.cumsum([0, *(v.size for v in self.variables)])
            slices = {v: slice(a, b) for v, a, b in zip(self.variables, ends, ends[1:])}
        else:
            slices = graph.slices
        if self.parameters is None:
            self.parameters = Parameters(slices)
        if graph is None or slices != self.parameters.slices:
            return self._plain(shapes)
        theta = {graph.theta: self.parameters.theta}
        return _Bound(graph.leaves, slices, lambda data: bind(graph.cost, graph.gradient, theta | data))

    def _simplified(self, shapes) -> Simplified | None:
        """The graph to be bound, or None where the plain passes are to run."""
        order = topological_order(self.cost)
        if len(order) > LONGEST or any(v.dtype != self.cost.dtype for v in self.variables):
            return None
        try:
            return Simplified(self, shapes)
        except Exception:  # a reader's own derivative may be one for arrays only
            if all(node.rule is None or node.rule.home for node in order):
                raise
            return None

    def _plain(self, shapes) -> _Bound:
        """The same by the plain passes, over a copy of the graph."""
        cost, leaves = copied(self, shapes)
        slices, theta, parts = self.parameters.slices, self.parameters.theta, self.parameters.parts
        gradient = np.zeros_like(theta)

        def calls(data):
            def run(on_nonfinite="ignore"):
                values = data | {leaves[leaf]: part for leaf, part in parts(theta).items()}
                passed = Pass(cost, "program")
                passed.values = [values.get(node, node._value) for node in passed.order]
                flows = passed.both_ways(1, on_nonfinite)
                for leaf, place in slices.items():
                    if leaves[leaf] in flows:
                        gradient[place] = flows[leaves[leaf]].reshape(-1)
                return passed.values[-1]

            return SimpleNamespace(run=run, gradient=gradient, prepare=lambda: None)

        return _Bound(leaves, slices, calls)

    def report(self, given, on_nonfinite="warn"):
        """Name the node that made a NaN or an infinity, in a warning or in what is raised."""
        plain = self._plain({leaf: array.shape for leaf, array in given.items()})
        plain.take_up(given)
        plain.run(on_nonfinite)

    def named(self, given: dict[str, object]) -> dict[Node, object]:
        """{name: value} as {leaf: value}, or an error in words."""
        for name in given:
            if name not in self.leaves:
                raise TypeError(f"the program has no leaf {name!r}; its leaves are {', '.join(self.leaves)}")
        return {self.leaves[name]: value for name, value in given.items()}

    def checked(self, given: dict[str, object]) -> dict[Node, np.ndarray]:
        """{name: value} as {leaf: array of its type}, or an error in words."""
        arrays = {
            leaf: numbers_for(leaf, value, f"program({leaf.name}=…)")
            for leaf, value in self.named(given).items()
        }
        self.check_shapes(arrays)
        return arrays

    def check_shapes(self, arrays):
        """Only data may change their shape."""
        for leaf, array in arrays.items():
            if leaf in self.moving and array.shape != leaf.shape:
                raise ShapeError(
                    f"program({leaf.name}=…): the variable {leaf.name} has shape {leaf.shape}, was given "
                    f"{array.shape}; only data may change their shape"
                )


sound = np.errstate(over="ignore")(finite)


def _checked_variables(wrt, leaves):
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


# ------------------------------------------------------------------------------------ from graph to calls


def copied(program: Program, shapes: dict[Node, tuple]) -> tuple[Node, dict[Node, Node]]:
    """The cost again on leaves of its own, of these shapes, and {leaf: its copy}; variables are what moves.

    A leaf of integers that are only calculated with becomes one of floats.
    """
    J = program.cost
    counting = {
        a
        for node in topological_order(J)
        for a, derivative in zip(node.arguments, node.rule.derivatives if node.rule else ())
        if derivative is None or node.dtype.kind != "f"
    }
    leaves = {}
    for leaf in program.leaves.values():
        dtype = leaf.dtype if leaf.dtype.kind == "f" or leaf in counting else J.dtype
        leaves[leaf] = leaf_of(leaf.name, shapes.get(leaf, leaf.shape), dtype, leaf in program.moving)
    (copy,) = simplify.rewritten([J], lambda node, uses: _as_floats(node), leaves)
    return copy, leaves


def _as_floats(node) -> Node:
    """Counts and flags in the node's own type, where NumPy would compute in another than the passes do."""
    arguments = node.arguments
    floats = [a for a in arguments if (a.dtype.kind == "f" if isinstance(a, Node) else isinstance(a, float))]
    single = node.dtype != np.float64

    def converts(a, derivative):
        counts = isinstance(a, Node) and a.dtype.kind != "f" and derivative is not None
        return counts and node.dtype.kind == "f" and (not floats or (single and a.dtype.kind != "b"))

    read = (
        converted(a, dtype=node.dtype) if converts(a, derivative) else a
        for a, derivative in zip(arguments, node.rule.derivatives)
    )
    return simplify.with_arguments(node, tuple(read))


class Simplified:
    """A cost and its gradient by θ as one simplified graph, for these shapes of the leaves."""

    def __init__(self, program: Program, shapes):
        J, self.leaves = copied(program, shapes)
        variables = [self.leaves[variable] for variable in program.variables]
        flows = adjoints(J, asked=variables)
        for node, flow in flows.items():
            if node.name is not None and flow.name is None and flow.rule is not None:
                flow.named(Suggestion(f"d{node.name}"))
        roots = [J, *(flows[v] for v in variables)]
        for simplification in simplify.SIMPLIFICATIONS:
            roots = simplification(roots)
        self.cost, gradient, self.theta, slices = in_one_vector(roots[0], roots[1:], variables)
        nameless = gradient.rule is not None and gradient.name is None
        self.gradient = gradient.named(Suggestion("gradient")) if nameless else gradient
        self.slices = {variable: slices[self.leaves[variable]] for variable in program.variables}

    def arguments(self, xp, parameters: dict[str, Node], values: dict) -> dict:
        """What to call the function of ``source`` with, as arrays of the library: a value for each leaf."""
        in_order = sorted(self.slices, key=lambda variable: self.slices[variable].start)
        theta = xp.concatenate([xp.ravel(values[variable]) for variable in in_order])
        return {
            name: theta if leaf is None else values[leaf] if leaf in values else xp.asarray(leaf.value)
            for name, leaf in parameters.items()
        }

    def source(self, library: str) -> tuple[str, dict[str, Node]]:
        """The text, and {parameter: leaf of the program, or unnamed constant}; θ is called ``None``."""
        data = [copy for leaf, copy in self.leaves.items() if leaf not in self.slices]
        text, parameters = written([self.cost, self.gradient], [self.theta, *data], library)
        own = {copy: leaf for leaf, copy in self.leaves.items()} | {self.theta: None}
        return text, {name: own.get(leaf, leaf) for name, leaf in parameters.items()}


_NOTHING = object()  # stands for what a leaf was known to be before it was first looked at


class Inputs:
    """Arrays from which a program reads its leaves, ``{leaf: array}``.

    ``stale`` says whether anything was written to them that nobody has taken notice of yet.
    """

    def __init__(self, places: dict[Node, np.ndarray]):
        self._places, self.stale = places, True
        self._known: dict[Node, object] = dict.fromkeys(places, _NOTHING)
        self._given = None  # the last ones

    def take_up(self, given=(), again=False):
        """Bring the arrays up to date: given ones for this once, and leaves that were changed since.

        ``again``: the given ones are as they were the last time; they are here unless others came since.
        """
        again, self._given = again and given is self._given, None
        for leaf, known in self._known.items():
            once = leaf in given
            if once and again:
                continue
            value = given[leaf] if once else leaf._value if leaf._holder is self else leaf._newest()
            if once or value is not known:
                self.stale, self._known[leaf] = True, _NOTHING  # first, as an interrupt may come
                self._places[leaf][...] = present(leaf, value)
                if not once:
                    self._known[leaf] = value
        self._given = given


class Parameters(Inputs):
    """All variables of a program in one vector θ, and what the graph knows of their values."""

    def __init__(self, slices: dict[Node, slice]):
        self.slices = slices
        self.theta = np.empty(sum(leaf.size for leaf in slices), np.result_type(*(v.dtype for v in slices)))
        self._published = True
        super().__init__({leaf: self.theta[place].reshape(leaf.shape) for leaf, place in slices.items()})

    def take_up(self, given=(), again=False):
        """The same; values given for once do not cost what was learned: that is published first."""
        if given and any(leaf in given for leaf in self.slices):
            self.publish()
        super().take_up(given, again)

    def parts(self, flat: np.ndarray) -> Gradients:
        """{variable: its part of a vector like θ, in its shape}: views."""
        found = Gradients()
        for leaf, place in self.slices.items():
            part = flat[place].reshape(leaf.shape)
            found[leaf] = part if part.dtype is leaf.dtype else part.astype(leaf.dtype, copy=False)
        return found

    def hold(self):
        """From now on the variables' values are what θ says."""
        for leaf in self.slices:
            leaf._holder = self

    def release(self):
        """The variables have values of their own again: the last ones."""
        for leaf in self.slices:
            if leaf._holder is self:
                self.publish()
                leaf._holder = None

    def moved(self):
        """θ was changed: what was computed from the variables is unknown again."""
        if self._published:
            for leaf in self.slices:
                leaf.forget_consumers()
            self._published = False

    def publish(self):
        """Give the variables the values that θ has now."""
        if not self._published:
            parts = self.parts(frozen(self.theta.copy()))
            mine = {leaf: frozen(value) for leaf, value in parts.items() if leaf._holder is self}
            set_together(map(set_value, mine, mine.values()))
            self._known.update(mine)
            self._published = True


class _Bound(Inputs):
    """What was bound, with an array for each leaf of the data: ``calls`` makes it from these arrays."""

    def __init__(self, leaves: dict[Node, Node], slices, calls):
        data = {leaf: copy for leaf, copy in leaves.items() if leaf not in slices}
        super().__init__({leaf: np.empty(copy.shape, copy.dtype) for leaf, copy in data.items()})
        made = calls({copy: self._places[leaf] for leaf, copy in data.items()})
        self.run, self.gradient, self._prepare = made.run, made.gradient, made.prepare

    def take_up(self, given=(), again=False):
        """The same, and compute what only the data decide."""
        super().take_up(given, again)
        if self.stale:
            self._prepare()
            self.stale = False


def present(leaf, value):
    if value is None:
        refuse_without_value([leaf])
    return value
