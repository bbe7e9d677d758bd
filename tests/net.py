"""A net for faults: random graphs over all operations, run in every way there is, and compared.

``Graph(number)`` is always the same graph. Its operations, axes, types, ties, empty arrays, names and
constants are drawn from what a stranger may write. ``disagreements`` compares the ways to run it, ``bl.sgd``
with a loop by hand, and all of them once more after the constants without a name have changed.

``python tests/net.py 20000`` draws so many graphs and prints those in which two ways disagree.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from ways import ways_of

import backprop_lab as bl
from backprop_lab.graph.node import RULES
from backprop_lab.graph.operation import Rule
from backprop_lab.graph.order import topological_order

FLOATS = {"f8": 1e-8, "f4": 2e-3, "f2": 0.1}  # how close two ways come that round differently
TYPES = ["f8", "f4", "f2", ">f8", ">f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", ">i4", "?"]
SHAPES = [
    (),
    (1,),
    (2,),
    (3,),
    (4,),
    (1, 3),
    (2, 1),
    (2, 3),
    (3, 2),
    (3, 3),
    (2, 2, 3),
    (1, 1),
    (0,),
    (0, 3),
    (2, 0),
]
NAMES = [
    "w",
    "x",
    "θ",
    "np",
    "bl",
    "program",
    "scatter",
    "inputs",
    "value",
    "gradient",
    "sum",
    "lambda",
    "class",
    "x 1",
]
NAMES += [
    "J",
    "é",
    "ﬁ",
    "µ",
    "1st",
    "a'b",
    'a"b',
    "None",
    "float",
    "x₁",
    "x_1",
    "{0}",
    "%s",
    "\\n",
    "g",
    "z",
    "self",
]
LARGEST = 24  # entries of a node

own = bl.rule("program", lambda x: np.sin(x) + x, lambda z, x: np.cos(x) + 1)  # a hostile name again
powered = bl.rule("np", lambda x, y: x**2 * y, lambda z, x, y: 2 * x * y, lambda z, x, y: x**2)


class Drawing:
    """The drawing of one graph: the random choices, and the nodes that stand so far."""

    def __init__(self, number: int):
        self.random = np.random.default_rng([7, number])
        self.kind = self.pick(["f8", "f8", "f8", "f8", "f4", "f2"])
        self.names = [str(name) for name in self.random.permutation(NAMES)]
        self.nodes = [
            bl.variable(self.names.pop(), self.numbers(self.pick(SHAPES), self.kind))
            for _ in range(self.random.integers(1, 4))
        ]

    def pick(self, among):
        return among[int(self.random.integers(len(among)))]

    def maybe(self, share=0.5) -> bool:
        return bool(self.random.random() < share)

    def numbers(self, shape, kind) -> np.ndarray:
        """Quarters between −2 and 2, so that many are equal and most of what is computed is exact."""
        quarters = self.random.integers(-8, 9, shape) / 4
        if kind == "?":
            return quarters > 0
        if np.dtype(kind).kind == "i":
            return np.asarray(self.random.integers(-3, 4, shape)).astype(kind)
        if np.dtype(kind).kind == "u":
            return np.asarray(self.random.integers(0, 200, shape)).astype(kind)
        return np.asarray(quarters).astype(kind)

    def constant(self, shape, kind=None):
        """A constant of any type: with a name, or as the array or the number that an operation is given."""
        value = self.numbers(shape, kind or self.pick(TYPES))
        if self.maybe(0.3) and self.names:
            return bl.constant(self.names.pop(), value)
        return value if value.ndim else self.pick([value[()], value.item()])

    def integer(self, number: int):
        """This whole number, as Python's or as one of NumPy's."""
        return self.pick([int, int, np.int64, np.int8, np.uint8 if number >= 0 else np.int16])(number)

    def axis(self, x, several=True):
        """None, or some axes of x, counted from either end."""
        if x.ndim == 0 or self.maybe(0.25):
            return None
        axes = [int(a) - x.ndim * self.maybe() for a in self.random.permutation(x.ndim)]
        if several and self.maybe(0.3):
            return tuple(axes[: self.random.integers(0, x.ndim + 1)])
        return self.integer(axes[0])

    def one_axis(self, x):
        return self.integer(int(self.random.integers(-x.ndim, x.ndim)))

    def tame(self, x):
        """x, made smaller if it is large."""
        largest = float(np.max(np.abs(as_floats(bl.forward(x, on_nonfinite="ignore"))), initial=0))
        return x if largest <= 4 else np.sin(x) if self.maybe() else x / 2.0 ** np.ceil(np.log2(largest / 4))

    def beside(self, x):
        """An operand that fits x by broadcasting: a node, a constant, a number."""
        fitting = [node for node in self.nodes if fits(node.shape, x.shape)]
        if fitting and self.maybe(0.6):
            return self.tame(self.pick(fitting))
        some = [n if self.maybe(0.8) else 1 for n in x.shape]
        return self.constant(tuple(some[self.random.integers(0, len(some) + 1) :]))

    def with_shape(self, shape):
        """An operand of exactly this shape."""
        fitting = [node for node in self.nodes if node.shape == shape]
        return self.tame(self.pick(fitting)) if fitting and self.maybe(0.6) else self.constant(shape)


def as_floats(x):
    return np.asarray(x, float)


def fits(shape, other) -> bool:
    try:
        return np.prod(np.broadcast_shapes(shape, other)) <= LARGEST
    except ValueError:
        return False


def positive(x):
    return abs(x) + 0.5


# ------------------------------------------------------------------------- the operations, by families

UNARY = [
    np.sin,
    np.cos,
    np.tanh,
    np.exp,
    np.expm1,
    np.sinh,
    np.cosh,
    np.arctan,
    np.square,
    np.absolute,
    np.sign,
]
UNARY += [np.negative, np.positive, bl.relu, bl.sigmoid, bl.softplus, own, bl.stop_gradient]
UNARY += [lambda x: np.tan(x / 4), lambda x: np.sqrt(positive(x)), lambda x: np.log(positive(x))]
UNARY += [
    lambda x: np.log1p(abs(x)),
    lambda x: np.reciprocal(positive(x)),
    lambda x: bl.leaky_relu(x, slope=0.25),
]
COMPARISONS = [np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal]
CONJUNCTIONS = [np.logical_and, np.logical_or, np.logical_xor, lambda x, y: x & y, lambda x, y: x | y]
CONJUNCTIONS += [lambda x, y: x ^ y, lambda x, y: ~x, lambda x, y: np.logical_not(y)]
BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    np.maximum,
    np.minimum,
    np.logaddexp,
    bl.squared_error,
    bl.l2,
    powered,
]
BINARY += [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y]
BINARY += [lambda x, y: np.divide(x, positive(y)), lambda x, y: np.power(positive(x), y)]
BINARY += [lambda x, y: x // positive(y), lambda x, y: x % positive(y), lambda x, y: (x > y) * x]
REDUCTIONS = [np.sum, np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.linalg.norm, bl.logsumexp]


def unary(draw, x):
    return draw.pick(UNARY)(draw.tame(x))


def binary(draw, x):
    operands = [draw.tame(x), draw.beside(x)]
    if draw.maybe():
        operands.reverse()
    return draw.pick(BINARY)(*operands)


def compared(draw, x):
    return draw.pick(COMPARISONS)(x, draw.beside(x))


def condition(draw, x):
    condition = compared(draw, x)
    if draw.maybe(0.3):
        other = compared(draw, x)
        if not fits(condition.shape, other.shape):
            return None
        condition = draw.pick(CONJUNCTIONS)(condition, other)
    branches = [draw.tame(x), draw.beside(x)]
    if not fits(np.shape(condition), np.broadcast_shapes(*map(np.shape, branches))):
        return None
    if draw.maybe(0.3):
        condition = draw.numbers(x.shape, "?")
    return np.where(condition, *(branches if draw.maybe() else reversed(branches)))


def clip(draw, x):
    low = draw.pick([None, -0.5, np.float32(-0.25), draw.constant((), "f8")])
    high = draw.pick([0.75, np.float64(1), 2]) if low is None or draw.maybe() else None
    return np.clip(x, low, high)


def power(draw, x):
    exponent = draw.pick([0, 1, 2, 3, np.int8(2), np.uint8(3), 2.0, np.float32(2), np.int64(1)])
    return (
        draw.tame(x) ** exponent
        if draw.maybe(0.8)
        else positive(draw.tame(x)) ** draw.pick([-1, 0.5, -2, np.int16(-2)])
    )


def reduction(draw, x):
    function = draw.pick(REDUCTIONS)
    if x.size == 0 and function not in (np.sum, np.prod):
        function = np.sum
    axis = draw.axis(x, several=function is not np.linalg.norm)
    if function is np.linalg.norm:
        x = positive(draw.tame(x)) if draw.maybe() else draw.tame(x)
    if function is np.std:
        x = x * np.asarray(np.arange(x.size).reshape(x.shape), draw.kind)
    return function(draw.tame(x), axis=axis, keepdims=draw.pick([True, False, np.True_]))


def precision(draw, x):
    return draw.tame(x).astype(draw.pick(list(FLOATS)))


def softmax(draw, x):
    if x.size == 0 or x.ndim == 0:
        return None
    return draw.pick([bl.softmax, bl.log_softmax])(draw.tame(x), axis=draw.axis(x, several=False))


def cost(draw, x):
    if x.size == 0 or x.ndim == 0:
        return None
    classes = x.shape[-1]
    labels = np.asarray(draw.random.integers(0, classes, x.shape[:-1]))
    if draw.maybe() and draw.names:
        labels = bl.constant(draw.names.pop(), labels.astype(draw.pick(["i8", "u1", ">i4"])))
        return bl.cross_entropy(draw.tame(x), labels)
    return bl.cross_entropy(draw.tame(x), np.eye(classes, dtype=draw.pick(TYPES))[labels])


def cumulate(draw, x):
    return np.cumsum(draw.tame(x), axis=draw.axis(x, several=False))


def reorder(draw, x):
    if x.ndim == 0:
        return np.expand_dims(x, draw.pick([0, (0, -1), np.int64(-1)]))
    a, b = draw.one_axis(x), draw.one_axis(x)
    return draw.pick(
        [
            lambda: x.T,
            lambda: np.transpose(x, [int(i) for i in draw.random.permutation(x.ndim)]),
            lambda: np.swapaxes(x, a, b),
            lambda: np.moveaxis(x, a, b),
            lambda: np.flip(x, draw.axis(x)),
            lambda: np.ravel(x),
            lambda: np.reshape(x, draw.pick([-1, x.shape, (1, *x.shape), (np.int64(x.size),)])),
            lambda: np.expand_dims(x, a),
            lambda: np.squeeze(x),
        ]
    )()


def copy(draw, x):
    twice = draw.pick([2, np.int64(2), np.uint8(2)])
    axis = draw.axis(x, several=False)
    return draw.pick(
        [
            lambda: np.tile(x, draw.pick([twice, (twice, 1), np.array([2, 1]), [1, twice]])),
            lambda: np.repeat(x, twice, axis=axis),
            lambda: np.broadcast_to(x, (twice, *x.shape)),
            lambda: np.stack([x, draw.with_shape(x.shape), x], axis=draw.pick([0, -1, np.int8(0)])),
            lambda: np.concatenate([x, draw.with_shape(x.shape)], axis=axis) if x.ndim else None,
            lambda: np.diag(x) if x.ndim == 1 else np.trace(x) if x.ndim == 2 else None,
        ]
    )()


def index(draw, x):
    if x.ndim == 0 or 0 in x.shape:
        return x[...] if x.ndim else x[()]
    i = draw.integer(int(draw.random.integers(-x.shape[0], x.shape[0])))
    some = draw.random.integers(0, x.shape[0], draw.pick([3, (2, 2), 0]))
    return draw.pick(
        [
            lambda: x[i],
            lambda: x[::-2],
            lambda: x[..., None],
            lambda: x[some.astype(draw.pick(["i8", "u1", ">i4"]))],
            lambda: x[:, i % x.shape[1]] if x.ndim > 1 else x[:1],
            lambda: x[1:, ..., None],
            lambda: np.split(x, x.shape[0])[int(i)],
        ]
    )()


def contraction(draw, x):
    x = draw.tame(x)
    length = x.shape[-1] if x.ndim else 1
    return draw.pick(
        [
            lambda: x @ draw.with_shape(draw.pick([(length,), (length, 2)])) if x.ndim else None,
            lambda: np.dot(x, draw.with_shape((length,) if x.ndim else ())) if x.ndim < 3 else None,
            lambda: np.outer(x, draw.with_shape((2,))),
            lambda: np.inner(x, draw.with_shape((2, length))) if x.ndim else None,
            lambda: np.vdot(x, draw.with_shape(x.shape)),
            lambda: np.tensordot(x, draw.with_shape((length, 2)), axes=draw.integer(1)) if x.ndim else None,
            lambda: np.einsum("...i,ij->j...", x, draw.with_shape((length, 2))) if x.ndim else None,
            lambda: np.einsum("ij,kj", x, draw.with_shape((2, length))) if x.ndim == 2 else None,
        ]
    )()


MOVES: list[Callable] = [
    unary,
    unary,
    binary,
    binary,
    binary,
    condition,
    clip,
    power,
    reduction,
    reduction,
    reduction,
]
MOVES += [precision, softmax, cost, cumulate, reorder, copy, index, contraction]


class Graph:
    """A drawn graph: its cost, and what of it can be changed."""

    def __init__(self, number: int):
        self.number, draw = number, Drawing(number)
        for _ in range(int(draw.random.integers(3, 10))):
            z = draw.pick(MOVES)(draw, draw.pick(draw.nodes))
            if isinstance(z, bl.Node) and z.size <= LARGEST:
                draw.nodes.append(z)
        read = {operand for node in draw.nodes for operand in node.inputs}
        self.J = sum(np.sum(np.sin(draw.tame(z))) for z in draw.nodes if z not in read)
        self.unnamed = [n for n in topological_order(self.J) if n.rule is None and not n.name]

    def change(self):
        """Give the constants without a name other values, for which the operations exist as well."""
        for constant in self.unnamed:
            constant.value = (
                ~constant.value if constant.dtype == bool else constant.value + constant.dtype.type(1)
            )


# -------------------------------------------------------------------------------------- the comparison


def closeness(J) -> float:
    """How close two ways come that round differently: as the least precise numbers of the graph allow."""
    return max(FLOATS[n.dtype.str[1:]] for n in topological_order(J) if n.dtype.kind == "f")


def disagreements(graph: Graph) -> list[str] | None:
    """Each way that does not give what the passes give, and by how much; None if these are not finite."""
    found = []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ways, program = ways_of(graph.J), bl.compile(graph.J)
        for change in (lambda: None, graph.change):
            change()
            right = ways["passes"]()
            steepest, close = max(1, *map(size, right[1].values())), closeness(graph.J)
            rate = 1 / 64 / steepest  # no variable moves far
            expected = descended(graph.J, program.variables, by_hand(graph.J, program.variables, rate))
            if not finite(right) or not finite(expected):
                return None
            for name, way in ways.items():
                found += differences(name, right, way(), close)
            after = descended(graph.J, program.variables, bl.sgd(program, learning_rate=rate, epochs=3))
            # What rounding moved in the first step, a steep cost moves on.
            found += differences("sgd", expected, after, close * steepest**2)
    return found


def by_hand(J, variables, rate) -> Iterator[None]:
    """Three steps of descent, by the passes."""
    for _ in range(3):
        gradients = bl.backward(J, on_nonfinite="ignore")
        for leaf in variables:
            leaf.value = leaf.value - np.asarray(rate * gradients[leaf], leaf.dtype)
        yield


def descended(J, variables, steps):
    """The cost and the variables after these steps, which are then taken back."""
    values = [leaf.value for leaf in variables]
    for _ in steps:
        pass
    after = bl.forward(J, on_nonfinite="ignore"), {leaf.name: leaf.value for leaf in variables}
    for leaf, value in zip(variables, values):
        leaf.value = value
    return after


def size(array) -> float:
    return float(np.max(np.abs(as_floats(array)), initial=0))


def finite(result) -> bool:
    value, gradients = result
    return all(size(array) < 1e4 for array in (value, *gradients.values()))


def differences(way, right, result, close) -> Iterator[str]:
    for name, a, b in [
        ("value", right[0], result[0]),
        *((n, a, result[1].get(n)) for n, a in right[1].items()),
    ]:
        if b is None or np.shape(a) != np.shape(b):
            yield f"{way}: {name} is {b}, not {a}"
        elif not np.all(abs(as_floats(a) - as_floats(b)) <= close * (1 + size(a))):
            yield f"{way}: {name} is {as_floats(b).tolist()}, not {as_floats(a).tolist()}"


def operations(graph: Graph) -> set:
    return {node.rule.function for node in topological_order(graph.J) if node.rule is not None}


def never_drawn(seen: set) -> set[str]:
    """The names of the operations in the table that are not among these."""
    return {rule.name for rule in RULES.values() if isinstance(rule, Rule) and rule.function not in seen}


def main(count: int, first: int = 0) -> int:
    faults, skipped, seen = 0, 0, set()
    for number in range(first, first + count):
        try:
            graph = Graph(number)
            seen.update(operations(graph))
            found = disagreements(graph)
        except Exception as error:
            found = [f"{type(error).__name__}: {str(error)[:300]}"]
        skipped += found is None
        if found:
            faults += 1
            print(f"{number}: " + "\n    ".join(found), flush=True)
    never = never_drawn(seen) or "none"
    print(f"{count} graphs: {faults} with a disagreement, {skipped} not finite; never drawn: {never}")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
