"""A graph bound to memory: every array allocated once, every operation one NumPy call into it.

:func:`bind` writes the calls down as a Python function without any decision left in it. ``source.py``
writes the same operations, in the same order, for a person.

What must hold: nobody reads a buffer after it was reused; what only the data decide is computed when the
data change, not at every call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import numpy as np

from backprop_lab import notation
from backprop_lab.graph import Node, topological_order
from backprop_lab.simplify import BROADCAST, MULTIPLY, number_in

NARROW = 2  # columns up to which an operation that repeats its operands is done column by column
SMALL = 1 << 14  # entries of a gate that is kept as floats; a larger one is better left short
FEW_COLUMNS = 8  # whose maximum is taken column by column: NumPy is slow along short rows
ONES = 1 << 16  # entries of the longest vector of ones that is kept to sum by a product
_PYTHONS = {  # Python's own operators, for single numbers
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
    "negative": "-{}", "square": "{0} * {0}",
}  # fmt: skip


def bind(J: Node, gradient: Node, leaves: dict[Node, np.ndarray]) -> SimpleNamespace:
    """``.run()`` computes J and fills ``.gradient``; ``.prepare()`` what only the data decide.

    ``leaves`` maps every leaf with a name to the array that holds its value. The variable among them moves
    between runs; after any other changed, ``prepare`` comes first.
    """
    return _Binder(J, gradient, leaves).bound()


def define(scope: dict, **functions: list[str]):
    """Define functions without arguments, each given by the lines of its body, in ``scope``."""
    for name, lines in functions.items():
        body = "".join(f"    {line}\n" for line in lines or ["pass"])
        exec(compile(f"def {name}():\n{body}", "<program of a graph>", "exec"), scope)


class _Binder:
    def __init__(self, J, gradient, leaves):
        self.roots = (J, gradient)
        self.order = topological_order(J, gradient)
        self.place: dict[Node, np.ndarray | str] = dict(leaves)  # of a computed single number: its name
        self.owner: dict[Node, Node] = {}  # whose memory a view looks into
        self.names: dict = {}
        self.scope: dict[str, object] = {"dot": np.dot, "copyto": np.copyto, "np": np}
        self.lines: dict[bool, list[str]] = {False: [], True: []}
        self.moves = {}
        for node in self.order:
            kind = node.leaf_kind
            self.moves[node] = kind == "variable" if kind else any(self.moves[a] for a in node.inputs)
        self.target: dict[Node, np.ndarray] = {}
        self.gradient = np.empty(gradient.shape, gradient.dtype)
        self.readers: dict[Node, list[Node]] = {}
        for node in self.order:
            for a in node.inputs:
                self.readers.setdefault(a, []).append(node)

    def bound(self):
        J, gradient = self.roots
        self._aim(gradient)
        last = self._last_reads()
        free: dict[tuple, list[np.ndarray]] = {}
        for position, node in enumerate(self.order):
            if node in self.place:
                continue
            if node.rule is None:
                self.place[node] = node.value
            elif not self._look(node):
                self._compute(node, list(self._ending(node, position, last)), free)
        numbers = [n for n in self.order if isinstance(self.place[n], str) and not self.moves[n]]
        prepare = [f"global {', '.join(self.place[n] for n in numbers)}"] if numbers else []
        prepare += self.lines[False]
        run = self.lines[True]
        if self.place[gradient] is not self.gradient:
            run.append(f"copyto({self._name(self.gradient)}, {self._text(gradient)})")
        define(self.scope, prepare=prepare, run=[*run, f"return {self._text(J)}"])
        return SimpleNamespace(
            run=np.errstate(all="ignore")(self.scope["run"]),
            prepare=np.errstate(all="ignore")(self.scope["prepare"]),
            gradient=self.gradient,
        )

    # -- where results go

    def _aim(self, gradient):
        """The parts of the gradient are computed where they belong, instead of being copied there."""
        if self.moves[gradient]:
            self.target[gradient] = self.gradient
        for node in reversed(self.order):
            if node not in self.target or node.rule is None:
                continue
            place = self.target[node]
            if node.rule.known_as == "concatenate" and node.ndim == 1:
                ends = np.cumsum([0, *(a.size for a in node.arguments)])
                parts = [(a, place[i:j]) for a, i, j in zip(node.arguments, ends, ends[1:])]
            elif node.rule.known_as in ("ravel", "reshape"):
                parts = [(a, place.reshape(a.shape)) for a in node.inputs]
            elif isinstance(node.rule.compute, np.ufunc):
                parts = [
                    (a, place) for a in node.inputs if a.rule is not None and a.rule.known_as == "concatenate"
                ][:1]
            else:
                parts = []
            for a, part in parts:
                fits = (a.shape, a.dtype) == (part.shape, part.dtype)
                if (
                    fits
                    and a.rule is not None
                    and len(self.readers[a]) == 1
                    and a is not self.roots[0]
                    and self.moves[a]
                ):
                    self.target[a] = part

    def _last_reads(self):
        """{node that owns memory: position of the last operation that reads it, itself or as a view}."""
        last = {}
        owner = {}
        for position, node in enumerate(self.order):
            for a in node.inputs:
                while a is not None:
                    last[a] = position
                    a = owner.get(a)
            if _may_be_view(node):
                owner[node] = node.inputs[0]
        for root in self.roots:
            while root is not None:
                last[root] = len(self.order)
                root = owner.get(root)
        return last

    def _ending(self, node, position, last):
        """Inputs that nobody reads after this node, and whose memory is their own."""
        for a in dict.fromkeys(node.inputs):
            while a in self.owner:
                a = self.owner[a]
            ours = a.rule is not None and isinstance(self.place[a], np.ndarray) and a not in self.target
            if ours and last[a] == position and self.moves[a] == self.moves[node] is True:
                yield a

    def _out(self, node, ending, free, elementwise):
        """The array that receives a node's value: its target, an input's that ends here, or a free one."""
        if node in self.target:
            out = self.target[node]
        else:
            inputs = {id(self.place[a]) for a in node.inputs}
            reusable = [a for a in ending if elementwise and id(self.place[a]) in inputs]
            same = [a for a in reusable if (a.shape, a.dtype) == (node.shape, node.dtype)]
            dtype = self._kept_as(node)
            key = node.size, dtype
            if same:
                out = self.place[same[0]]
                ending[:] = [a for a in ending if a is not same[0]]
            elif self.moves[node] and free.get(key):
                out = free[key].pop().reshape(node.shape)
            else:
                out = np.empty(node.shape, dtype)
        self.place[node] = out
        return out

    def _kept_as(self, node) -> np.dtype:
        """A small gate that is only multiplied with is kept as 0.0 and 1.0: NumPy need not convert it."""
        readers = self.readers.get(node, ())
        only_factor = all(r.rule is MULTIPLY and r.dtype.kind == "f" for r in readers)
        return readers[0].dtype if node.dtype == bool and node.size <= SMALL and only_factor else node.dtype

    def _look(self, node) -> bool:
        """Whether a node is but another look at its input's memory; then it costs nothing."""
        if not _may_be_view(node) or not isinstance(self.place[node.inputs[0]], np.ndarray):
            return False
        source = self.place[node.inputs[0]]
        view = node.rule.compute(source, **node.parameters)
        if node.shape == () and node.rule.known_as == "index":  # an array of one number, not the number
            key = node.parameters["key"]
            view = source[(*(key if isinstance(key, tuple) else (key,)), ...)]
        if not isinstance(view, np.ndarray) or not np.may_share_memory(view, source):
            return False
        if node in self.target and self.target[node] is not view:
            goal = self.target[node]
            if view.__array_interface__["data"] != goal.__array_interface__["data"]:
                return False
            view = goal
        self.place[node] = view
        self.owner[node] = node.inputs[0]
        return True

    # -- how results are computed

    def _compute(self, node, ending, free):
        emit = _EMITTERS.get(node.rule.known_as)
        if node.shape == () and node not in self.target:
            text = emit(self, node, None) if emit else None
            self.place[node] = f"n{len(self.place)}"
            self._line(node, f"{self.place[node]} = {text or self._number(node)}")
        else:
            elementwise = isinstance(node.rule.compute, np.ufunc) and node.rule.kind == "elementwise"
            out = self._name(self._out(node, ending, free, elementwise))
            if node.shape == ():
                text = emit(self, node, None) if emit else None
                self._line(node, f"{out}[()] = {text or self._number(node)}")
            else:
                for line in (emit(self, node, out) if emit else None) or self._call(node, out):
                    self._line(node, line)
        if self.moves[node]:
            for a in ending:
                array = self.place[a]
                if array.base is None or array.base.size == array.size:
                    free.setdefault((a.size, array.dtype), []).append(array)

    def _line(self, node, text):
        self.lines[self.moves[node]].append(text)

    def _name(self, thing) -> str:
        """A name for an array or a function in the scope of the text."""
        if id(thing) not in self.names:
            self.names[id(thing)] = f"{'a' if isinstance(thing, np.ndarray) else 'f'}{len(self.names)}"
            self.scope[self.names[id(thing)]] = thing
        return self.names[id(thing)]

    def _text(self, operand) -> str:
        if not isinstance(operand, Node):
            return notation.literal(operand)
        place = self.place[operand]
        if (
            operand.shape == ()
            and operand.rule is None
            and operand.name is None
            and place.dtype == np.float64
        ):
            return notation.literal(place[()])
        return place if isinstance(place, str) else self._name(place)

    def _operand(self, operand, node) -> str:
        """An operand of a call on arrays: numbers as arrays of the right type, which NumPy reads faster."""
        number = number_in(operand)
        if number is None:
            return self._text(operand)
        others = [a.dtype for a in node.inputs if a is not operand]
        floats = [dtype for dtype in others if dtype.kind == "f"]
        dtype = node.dtype if node.dtype.kind == "f" and not floats else np.result_type(*(floats or others))
        full = node.rule.compute in (np.maximum, np.minimum)
        return self._constant(number, node.shape if full else (), dtype)

    def _constant(self, number, shape, dtype) -> str:
        key = number, shape, dtype
        if key not in self.names:
            self.names[key] = self._name(np.full(shape, number, dtype))
        return self.names[key]

    def _call(self, node, out) -> list[str]:
        if (
            isinstance(node.rule.compute, np.ufunc)
            and node.rule.compute.nout == 1
            and node.rule.kind == "elementwise"
        ):
            operands = [self._operand(a, node) for a in node.arguments]
            narrow = node.ndim == 2 and node.shape[1] <= NARROW < node.shape[0]
            calls = self._columns(node, operands) if narrow else None
            calls = calls or [[*operands, out]]
            call = self._name(node.rule.compute)
            return [f"{call}({', '.join(texts)}, out={result})" for *texts, result in calls]
        return [f"copyto({out}, {self._plain(node)})"]

    def _columns(self, node, names) -> list[list[str]] | None:
        """Operands and result column by column, where an operand is repeated: NumPy is slow along short rows.

        Not where the result is written over something of which a later column still reads.
        """
        result, operands = self.place[node], [self.scope.get(name) for name in names]
        if any(o is None or (o is not result and np.may_share_memory(o, result)) for o in operands):
            return None
        if all(o.shape == node.shape for o in operands):
            return None
        wide = [np.broadcast_to(o, node.shape) for o in operands] + [result]
        return [[self._name(array[:, i]) for array in wide] for i in range(node.shape[1])]

    def _plain(self, node) -> str:
        compute = node.rule.compute
        if node.parameters:
            compute = partial(compute, **node.parameters)
        return f"{self._name(compute)}({', '.join(map(self._text, node.arguments))})"

    def _number(self, node) -> str:
        """A single number from single numbers, by Python's own operators where there are some."""
        texts = [self._text(a) for a in node.arguments]
        if node.rule.known_as in _PYTHONS and all(np.shape(a) == () for a in node.arguments):
            return _PYTHONS[node.rule.known_as].format(*(f"({t})" if t[0] == "-" else t for t in texts))
        return self._plain(node)


_VIEWS = {"reshape", "ravel", "transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "index", "flip"}


def _may_be_view(node) -> bool:
    return node.rule is not None and (node.rule.known_as in _VIEWS or node.rule is BROADCAST)


# --------------------------------------------------------------------- the quickest call for some operations


def _product(binder, node, out):
    x, y = node.arguments
    if np.ndim(x) > 2 or np.ndim(y) > 2 or not x.dtype == y.dtype == node.dtype:
        return None
    call = f"dot({binder._text(x)}, {binder._text(y)}"
    return call + ")" if out is None else [f"{call}, {out})"]


def _inner_product(binder, node, out):
    x, y = (binder.place[a] for a in node.arguments)
    if not _in_one_piece(x, y) or not x.dtype == y.dtype == node.dtype:
        return None
    return f"dot({binder._name(x.reshape(-1))}, {binder._name(y.reshape(-1))})"


def _outer(binder, node, out):
    x, y = (binder.place[a] for a in node.inputs)
    if not _in_one_piece(x, y):
        return None
    x, y = binder._name(x.reshape(-1, 1)), binder._name(y.reshape(1, -1))
    return [f"{binder._name(np.multiply)}({x}, {y}, out={out})"]


def _sum(binder, node, out):
    """A sum as a product with ones; the mean as a product with 1/n."""
    (x,) = node.inputs
    place, axis = binder.place[x], node.parameters["axis"]
    if isinstance(place, str) or place.dtype != node.dtype or place.size == 0:
        return None
    count = x.size // max(node.size, 1)
    weight = 1.0 if node.rule.compute is np.sum else 1 / count
    axis = axis if axis is None or isinstance(axis, tuple) else (axis % x.ndim,)
    if (axis is None or len(axis) == x.ndim) and out is None:
        if not place.flags.c_contiguous or count > ONES:
            return None
        return f"dot({binder._constant(weight, (count,), place.dtype)}, {binder._name(place.reshape(-1))})"
    if x.ndim != 2 or out is None or axis is None or len(axis) != 1 or count > ONES:
        return None
    ones = binder._constant(weight, (count,), place.dtype)
    flat = binder._name(binder.place[node].reshape(-1))
    x = binder._text(x)
    return [f"dot({ones}, {x}, {flat})" if axis == (0,) else f"dot({x}, {ones}, {flat})"]


def _extreme(binder, node, out):
    (x,) = node.inputs
    place, axis = binder.place[x], node.parameters["axis"]
    ufunc = np.maximum if node.rule.compute is np.max else np.minimum
    if isinstance(place, str) or out is None or place.ndim != 2 or axis not in (1, -1):
        return None
    call = binder._name(ufunc)
    if 2 <= place.shape[1] <= FEW_COLUMNS:
        flat = binder._name(binder.place[node].reshape(-1))
        columns = [binder._name(place[:, i]) for i in range(place.shape[1])]
        return [f"{call}({a}, {b}, out={flat})" for a, b in zip([columns[0], *[flat] * 9], columns[1:])]
    reduce = binder._name(ufunc.reduce)
    return [f"{reduce}({binder._text(x)}, 1, None, {out}, {node.parameters['keepdims']})"]


def _power(binder, node, out):
    if number_in(node.arguments[1]) != 2 or out is None:
        return None
    return [f"{binder._name(np.square)}({binder._text(node.arguments[0])}, out={out})"]


def _join(binder, node, out):
    """Only what was not computed in its place is copied there."""
    ends = np.cumsum([0, *(a.size for a in node.arguments)])
    whole = binder.place[node]
    if node.ndim != 1:
        return None
    lines = []
    for a, i, j in zip(node.arguments, ends, ends[1:]):
        part = whole[i:j]
        there = binder.place[a]
        if (
            not isinstance(there, np.ndarray)
            or there.__array_interface__["data"] != part.__array_interface__["data"]
        ):
            lines.append(f"copyto({binder._name(part)}, {binder._text(a)})")
    return lines or ["pass"]


def _in_one_piece(*places):
    return all(isinstance(place, np.ndarray) and place.flags.c_contiguous for place in places)


_EMITTERS: dict[str, Callable] = {
    "matmul": _product,
    "vdot": _inner_product,
    "outer": _outer,
    "sum": _sum,
    "mean": _sum,
    "max": _extreme,
    "min": _extreme,
    "power": _power,
    "concatenate": _join,
}
