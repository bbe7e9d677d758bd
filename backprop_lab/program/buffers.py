"""A graph bound to memory: every array allocated once, every operation one NumPy call into it.

:func:`bind` writes the calls as a Python function that has no decision left to make. ``source.py`` writes the
same operations, in the same order, for a person to read.

What must hold: no result overwrites what is still to be read; what depends on the data alone is computed when
they change, not at every call.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.program.inputs import checked_value
from backprop_lab.program.simplify import moving, number_in
from backprop_lab.rules.networks import checked_labels, rows_of
from backprop_lab.rules.shapes import axes_of
from backprop_lab.words import notation

MOST_COLUMNS_ONE_BY_ONE = 8  # of a maximum along rows: NumPy is slow along short ones
LEAST_ROWS_TO_COPY_FOR = 32  # of the left matrix of a product, for the right one to be copied first
MOST_ENTRIES_TO_COPY = 1 << 12  # of that right one
LONGEST_ONES = 1 << 16  # entries of a vector of ones that is kept to sum by a product
_FUNCTIONS = (
    np.exp, np.log, np.log1p, np.expm1, np.sqrt, np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh
)  # fmt: skip
_CHOICES: dict[Callable, str] = {  # the result is one of the numbers itself, so that all must have its type
    np.where: "{1} if {0} else {2}",
    np.maximum: "{0} if {0} > {1} or {0} != {0} else {1}",  # a NaN stays one
    np.minimum: "{0} if {0} < {1} or {0} != {0} else {1}",
}
_PYTHONS: dict[Callable, str] = {  # how Python calculates with single numbers
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}",
    np.negative: "-{}", np.positive: "{}", np.square: "{0} * {0}", np.reciprocal: "1 / {}",
    np.power: "pow({}, {})", np.absolute: "abs({})", np.arctan: "atan({})",
    np.greater: "{} > {}", np.greater_equal: "{} >= {}", np.less: "{} < {}", np.less_equal: "{} <= {}",
    np.equal: "{} == {}", np.not_equal: "{} != {}",
    **{function: function.__name__ + "({})" for function in _FUNCTIONS}, **_CHOICES,
}  # fmt: skip
_VIEWS: set[Callable] = {
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.flip,
    np.broadcast_to, operator.getitem,
}  # fmt: skip


class Calls(NamedTuple):
    """``run(changed)`` computes the cost and fills ``gradient``; ``changed``: whether the data were."""

    run: Callable[[bool], float]
    gradient: np.ndarray


def bind(J: Node, gradient: Node, leaves: dict[Node, np.ndarray]) -> Calls:
    """The calls that compute J and its gradient.

    ``leaves`` maps every leaf with a name to the array that holds its value. The variable among them moves
    between runs; the others are data.
    """
    return _Binder(J, gradient, leaves).bound()


class _Binder:
    def __init__(self, J, gradient, leaves):
        self.roots = (J, gradient)
        self.order = topological_order(J, gradient)
        self.place: dict[Node, np.ndarray | str] = dict(leaves)  # of a computed single number: its name
        self.names: dict = {}
        self.scope: dict[str, Any] = {
            "dot": np.dot, "copyto": np.copyto, "np": np, "number": lambda array: array[()],
            "pow": np.power, "atan": np.arctan, **{f.__name__: f for f in _FUNCTIONS},
        }  # fmt: skip
        self.lines: dict[bool, list[str]] = {False: [], True: []}
        self.moves = moving(self.roots)
        self.target: dict[Node, np.ndarray] = {}
        self.owner: dict[Node, Node] = {}  # whose memory a view looks into
        self.reads = Counter([*self.roots, *(a for node in self.order for a in node.inputs)])  # still to come
        self.gradient = np.empty(gradient.shape, gradient.dtype)

    def bound(self):
        J, gradient = self.roots
        self._aim(gradient)
        for node in self.order:
            if node in self.place:
                continue
            if node.rule is None:
                self.place[node] = checked_value(node, node.value)
            elif not self._is_view(node):
                self._compute(node)
        lines = self.lines[True]
        if self.place[gradient] is not self.gradient:
            lines.append(f"copyto({self._name(self.gradient)}, {self._text(gradient)})")
        lines.append(f"return {self._text(J)}")
        numbers = [p for n, p in self.place.items() if isinstance(p, str) and n not in self.moves]
        kept = [f"global {', '.join(numbers)}"] if numbers else []
        self.scope["prepare"] = _function([*kept, *self.lines[False], "return"], self.scope)
        lines.insert(0, "if changed: prepare()")
        run = _silent(_function(lines, self.scope))
        if all(map(_is_number, self.order)):
            run = self._on_floats(run, lines, numbers)
        return Calls(run, self.gradient)

    def _on_floats(self, slow, lines, numbers):
        """The calls on Python's own floats: NumPy takes ten times as long for one number.

        Where Python refuses (1 / 0, log of a negative number) NumPy gives its infinities and NaNs.
        """
        prepared = _silent(self.scope["prepare"])

        def prepare():
            prepared()
            scope.update({name: float(self.scope[name]) for name in numbers})

        scope = {**self.scope, **vars(math), "number": float, "prepare": prepare}
        quick = _function(lines, scope)

        def run(changed):
            try:
                return quick(changed)
            except (ArithmeticError, ValueError):
                return slow(changed)

        return run

    # -- where results go

    def _aim(self, gradient):
        """The parts of the gradient are computed where they belong, instead of being copied there."""
        if gradient in self.moves:
            self.target[gradient] = self.gradient
        for node in reversed(self.order):
            if node not in self.target or node.rule is None:
                continue
            place = self.target[node]
            if node.rule.function is np.concatenate and node.ndim == 1:
                parts = _parts(node, place)
            elif node.rule.function in (np.ravel, np.reshape):
                parts = [(a, place.reshape(a.shape)) for a in node.inputs]
            elif isinstance(node.rule.compute, np.ufunc):
                joined = [a for a in node.inputs if a.rule is not None and a.rule.function is np.concatenate]
                parts = [(a, place) for a in joined[:1]]
            else:
                parts = []
            for a, part in parts:
                fits = a.shape == part.shape != () and a.dtype == part.dtype  # a single number has no place
                if fits and a.rule is not None and self.reads[a] == 1 and a in self.moves:
                    self.target[a] = part

    def _is_view(self, node) -> bool:
        """Whether a node is only a view of its input's memory; then it is placed there and costs nothing."""
        source = self.place[node.inputs[0]]
        if not isinstance(source, np.ndarray) or node.rule.function not in _VIEWS:
            return False
        view = node.rule.compute(source, **node.parameters)
        if not isinstance(view, np.ndarray):  # an array of one number, not the number
            key = node.parameters.get("key", ())
            view = source[(*(key if isinstance(key, tuple) else (key,)), ...)]
        goal = self.target.get(node, view)
        if _address(view) != _address(goal) or not np.may_share_memory(view, source):
            return False
        self.place[node] = goal
        self.owner[node] = owner = self.owner.get(node.inputs[0], node.inputs[0])
        self.reads[owner] += self.reads[node] - 1
        return True

    # -- how results are computed

    def _compute(self, node):
        self.reads.subtract(self.owner.get(a, a) for a in node.inputs)
        if node.shape == ():
            self.place[node] = f"n{len(self.place)}"
            line = f"{self.place[node]} = {self._number(node)}"
        else:
            self.place[node] = self._memory(node)
            line = self._into(node, self._name(self.place[node]))
        self.lines[node in self.moves].append(line)

    def _memory(self, node) -> np.ndarray:
        """Where a node's value goes: its target, an input that nobody reads any more, or a new array."""
        if node in self.target:
            return self.target[node]
        for a in node.inputs if _is_entrywise(node) else _elses(node):
            place = self.place[a]
            fits = (a.shape, a.dtype) == (node.shape, node.dtype) and a not in self.owner
            free = a.rule is not None and a not in self.target and a in self.moves and not self.reads[a]
            if fits and free and isinstance(place, np.ndarray):
                return place
        return np.empty(node.shape, node.dtype)

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
        if isinstance(place, str):
            return place
        if operand.leaf_kind and operand.name is None and operand.shape == () and place.dtype == np.float64:
            return notation.literal(place.flat[0])
        return self._name(place)

    def _single(self, operand) -> str:
        """An operand of a calculation with single numbers."""
        text = self._text(operand)
        if isinstance(operand, Node) and text in self.scope:  # an array of one
            return f"number({text})"
        return notation.bracket_minus(text)

    def _typed(self, operand, dtype) -> str:
        """An operand of a choice, a number in NumPy's type: it may be the result, which any call reads."""
        number = number_in(operand)
        return self._single(operand) if number is None else self._name(dtype.type(number))

    def _operand(self, operand, node) -> str:
        """An operand of a call on arrays: numbers as arrays of the right type, which NumPy reads faster."""
        number, others = number_in(operand), [a.dtype for a in node.inputs if a is not operand]
        if number is None or not any(dtype.kind == "f" for dtype in others):
            return self._text(operand)
        own = operand.dtype if isinstance(operand, Node) else operand
        dtype = node.dtype if node.dtype.kind == "f" else np.result_type(*others, own)
        full = node.rule.compute in (np.maximum, np.minimum)
        return self._constant(number, node.shape if full else (), dtype)

    def _constant(self, number, shape, dtype) -> str:
        key = number, shape, dtype
        if key not in self.names:
            self.names[key] = self._name(np.full(shape, number, dtype))
        return self.names[key]

    def _number(self, node) -> str:
        """A single number from single numbers by Python's own operators, else by the quickest call."""
        if node.rule.function in _PYTHONS and all(np.shape(a) == () for a in node.arguments):
            chooses = node.rule.function in _CHOICES
            texts = (self._typed(a, node.dtype) if chooses else self._single(a) for a in node.arguments)
            return _PYTHONS[node.rule.function].format(*texts)
        return self._quickest(node, None) or self._plain(node)

    def _into(self, node, out) -> str:
        """The call that puts a node's value into the array ``out``."""
        quickest = self._quickest(node, out)
        if quickest or not _is_entrywise(node):
            return quickest or f"copyto({out}, {self._plain(node)})"
        operands = (self._operand(a, node) for a in node.arguments)
        return f"{self._name(node.rule.compute)}({', '.join(operands)}, out={out})"

    def _quickest(self, node, out) -> str | None:
        emit = _EMITTERS.get(node.rule.function)
        return emit and emit(self, node, out)

    def _plain(self, node) -> str:
        compute = node.rule.compute
        if node.parameters:
            compute = partial(compute, **node.parameters)
        return f"{self._name(compute)}({', '.join(map(self._text, node.arguments))})"


def _function(lines: list[str], scope: dict[str, Any]) -> Callable:
    """The function that has these lines as its body; ``scope`` holds its globals."""
    exec(compile("\n    ".join(["def run(changed=True):", *lines]), "<program of a graph>", "exec"), scope)
    return scope["run"]


_silent = np.errstate(all="ignore")  # as a decorator


def _is_entrywise(node) -> bool:
    return isinstance(node.rule.compute, np.ufunc) and node.rule.kind == "elementwise"


def _is_number(node) -> bool:
    """Whether a node is a single number as Python has them, a leaf, or the vector of such numbers."""
    if node.rule is None or node.rule.function in (np.ravel, np.concatenate):
        return True
    pythons = node.rule.function in _PYTHONS or node.rule.function is operator.getitem
    return pythons and node.shape == () and node.dtype in (np.float64, bool)


def _parts(node, whole):
    """(argument, its part of the whole) for vectors put end to end."""
    ends = np.cumsum([0, *(a.size for a in node.arguments)])
    return [(a, whole[i:j]) for a, i, j in zip(node.arguments, ends, ends[1:])]


def _address(place):
    """Where an array's first entry lies in memory; None for the name of a single number."""
    return place.__array_interface__["data"] if isinstance(place, np.ndarray) else None


# --------------------------------------------------------------------- the quickest call for some operations


def _product(binder, node, out):
    """``dot``; a small transposed matrix on the right is copied first, as BLAS is slower with it."""
    x, y = node.arguments
    if x.ndim > 2 or y.ndim > 2 or not x.dtype == y.dtype == node.dtype:
        return None
    right, before, place = binder._text(y), "", binder.place[y]
    pays = x.ndim == y.ndim == 2 and x.shape[0] >= LEAST_ROWS_TO_COPY_FOR and y.size <= MOST_ENTRIES_TO_COPY
    if pays and place.T.flags.c_contiguous and not place.flags.c_contiguous:
        right = binder._name(np.empty(y.shape, y.dtype))
        before = f"copyto({right}, {binder._name(place)}); "
    return f"{before}dot({', '.join(filter(None, [binder._text(x), right, out]))})"


def _of_vectors(first, second, binder, node, out):
    """An inner or outer product: ``dot`` of the two arrays in these shapes."""
    x, y = (binder.place.get(a) for a in node.arguments)
    whole = all(isinstance(place, np.ndarray) and place.flags.c_contiguous for place in (x, y))
    if not whole or not x.dtype == y.dtype == node.dtype:
        return None
    views = binder._name(x.reshape(first)), binder._name(y.reshape(second))
    return f"dot({', '.join(filter(None, [*views, out]))})"


def _sum(binder, node, out):
    """A sum as a product with ones; the mean as a product with 1/n."""
    (x,) = node.inputs
    place, axes = binder.place[x], axes_of(node.parameters["axis"], x.ndim)
    count = x.size // max(node.size, 1)
    if isinstance(place, str) or place.dtype != node.dtype or not 0 < count <= LONGEST_ONES:
        return None
    if place.dtype == np.float16:  # too coarse for 1/n; NumPy itself sums in single precision
        return None
    ones = binder._constant(1.0 if node.rule.compute is np.sum else 1 / count, (count,), place.dtype)
    if out is None:
        return f"dot({ones}, {binder._name(place.reshape(-1))})" if place.flags.c_contiguous else None
    if x.ndim != 2 or len(axes) != 1:
        return None
    x, out = binder._text(x), binder._name(binder.place[node].reshape(-1))
    return f"dot({ones}, {x}, {out})" if axes == (0,) else f"dot({x}, {ones}, {out})"


def _extreme(binder, node, out):
    """A maximum or minimum along short rows: column by column."""
    place, axis = binder.place[node.inputs[0]], node.parameters["axis"]
    if out is None or place.ndim != 2 or axis not in (1, -1):
        return None
    if not 2 <= place.shape[1] <= MOST_COLUMNS_ONE_BY_ONE:
        return None
    call = binder._name(np.maximum if node.rule.compute is np.max else np.minimum)
    out = binder._name(binder.place[node].reshape(-1))
    first, second, *others = (binder._name(column) for column in place.T)
    pairs = [(first, second), *((out, other) for other in others)]
    return "; ".join(f"{call}({a}, {b}, out={out})" for a, b in pairs)


def _elses(node) -> tuple[Node, ...]:
    """What np.where takes where its condition does not hold: its memory may become the result's."""
    return (
        node.inputs[-1:] if node.rule.function is np.where and node.arguments[-1] is node.inputs[-1] else ()
    )


def _where(binder, node, out):
    """The one branch copied whole, and the other over it."""
    condition, x, y = node.arguments
    if out is None or not isinstance(condition, Node) or condition.dtype != bool or condition.shape == ():
        return None
    x, y = (binder._operand(a, node) for a in (x, y))
    before = "" if y == out else f"copyto({out}, {y}); "
    return f"{before}copyto({out}, {x}, where={binder._text(condition)})"


def _ravel(binder, node, out):
    """A single number as a vector of one."""
    place = binder.place[node.inputs[0]]
    return f"{out}[0] = {place}" if isinstance(place, str) else None


def _join(binder, node, out):
    """Only what was not computed in its place is copied there."""
    if node.ndim != 1:
        return None
    parts = _parts(node, binder.place[node])
    apart = [(a, part) for a, part in parts if _address(binder.place[a]) != _address(part)]
    return "; ".join(f"copyto({binder._name(part)}, {binder._text(a)})" for a, part in apart) or "pass"


def _rows_of_labels(binder, node, out):
    """Rows of the identity matrix, if that is no larger than what is computed."""
    labels, classes = binder.place.get(node.arguments[0]), node.parameters["classes"]
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or classes**2 > node.size:
        return None
    largest, rows = binder._name(np.maximum.reduce), binder._name(np.eye(classes, dtype=node.dtype).take)
    unsigned = binder._name(labels.view(f"u{labels.itemsize}"))  # in which a negative label is a large one
    checked, labels = binder._name(partial(checked_labels, classes=classes)), binder._name(labels)
    return (
        f"{largest}({unsigned}, None) < {classes} or {checked}({labels}); {rows}({labels}, 0, {out}, 'clip')"
    )


_EMITTERS: dict[Callable, Callable] = {
    np.matmul: _product,
    np.vdot: partial(_of_vectors, -1, -1),
    np.outer: partial(_of_vectors, (-1, 1), (1, -1)),
    np.sum: _sum,
    np.mean: _sum,
    np.max: _extreme,
    np.min: _extreme,
    np.where: _where,
    np.ravel: _ravel,
    np.concatenate: _join,
    rows_of: _rows_of_labels,
}
