"""Graphs that several tests share: the lecture's network, the lecture's forks, and random ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st
from oracles import OURS

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from tools import graphs


def lecture_network(penalty=False):
    """The lecture's network, its nodes by name; with the penalty 2 Σw² if asked for."""
    return by_name(graphs.lecture(penalty).named("J"))


def fork():
    """u = x², v = u + 3, J = u·v at x = 3: two arrows leave u, and v stands before it."""
    return by_name(graphs.order())


def by_name(J):
    """The named nodes of a graph."""
    return SimpleNamespace(**{node.name: node for node in topological_order(J) if node.name})


def step_to(J, receiver, **wanted):
    """The last backward record that flows into ``receiver``, of those with the wanted fields."""
    found = [
        step
        for step in bl.steps(J)
        if step.receiver is receiver and all(getattr(step, key) is value for key, value in wanted.items())
    ]
    return found[-1]


# ------------------------------------------------------------------------------- random expressions

SHAPES = [(), (2,), (3,), (1, 3), (2, 1), (2, 3), (3, 2), (3, 3), (2, 2, 3)]
LARGEST = 12  # entries of a node in a random graph


def _any(*shapes):
    return True


def _axis(*shapes):
    return all(len(shape) > 0 for shape in shapes)


def _axes(x):
    return len(x) > 1


def _vectors(x, y):
    return len(x) == len(y) == 1


def _alike(x, y):
    return x == y


def _broadcast(*shapes):
    try:
        return np.prod(np.broadcast_shapes(*shapes)) <= LARGEST
    except ValueError:
        return False


def _product(function, most=9):
    """Whether a product of arrays of two shapes exists, and is not too large."""

    def fits(x, y):
        try:
            return len(x) <= most and len(y) <= most and function(np.zeros(x), np.zeros(y)).size <= LARGEST
        except (ValueError, IndexError):
            return False

    return fits


def _labels(x):
    return np.arange(np.prod(x[:-1], dtype=int)).reshape(x[:-1]) % x[-1]


def _ramp(lib, x):
    """x with something added that keeps its entries apart, so that it has one maximum and some spread."""
    return x + lib.np.asarray(np.linspace(1, 2, int(np.prod(x.shape))).reshape(x.shape))


# name: (where it fits, how it is written); bounded, so that no random graph overflows
OPERATIONS = {
    "tanh": (_any, lambda lib, x: lib.np.tanh(x)),
    "sin": (_any, lambda lib, x: lib.np.sin(x)),
    "cos, negative": (_any, lambda lib, x: -lib.np.cos(x)),
    "absolute": (_any, lambda lib, x: lib.np.absolute(x)),
    "square": (_any, lambda lib, x: lib.np.square(lib.np.sin(x))),
    "sqrt": (_any, lambda lib, x: lib.np.sqrt(x * x + 1)),
    "exp": (_any, lambda lib, x: lib.np.exp(lib.np.sin(x))),
    "log": (_any, lambda lib, x: lib.np.log(2 + lib.np.cos(x))),
    "log1p": (_any, lambda lib, x: lib.np.log1p(x * x)),
    "expm1": (_any, lambda lib, x: lib.np.expm1(lib.np.sin(x))),
    "tan": (_any, lambda lib, x: lib.np.tan(lib.np.sin(x))),
    "sinh": (_any, lambda lib, x: lib.np.sinh(lib.np.sin(x))),
    "cosh": (_any, lambda lib, x: lib.np.cosh(lib.np.tanh(x))),
    "arctan": (_any, lambda lib, x: lib.np.arctan(x)),
    "reciprocal": (_any, lambda lib, x: lib.np.reciprocal(2 + lib.np.sin(x))),
    "relu": (_any, lambda lib, x: lib.relu(x)),
    "leaky_relu": (_any, lambda lib, x: lib.leaky_relu(x)),
    "sigmoid": (_any, lambda lib, x: lib.sigmoid(x)),
    "softplus": (_any, lambda lib, x: lib.softplus(lib.np.sin(x))),
    "literals": (_any, lambda lib, x: 0.5 * x - 1),
    "power, integer": (_any, lambda lib, x: lib.np.sin(x) ** 3),
    "power, fraction": (_any, lambda lib, x: (2 + lib.np.sin(x)) ** 0.5),
    "divide a literal": (_any, lambda lib, x: 1 / (2 + lib.np.sin(x))),
    "literal to the power": (_any, lambda lib, x: 2.0 ** lib.np.sin(x)),
    "clip": (_any, lambda lib, x: lib.np.clip(x, -0.61, 0.37)),
    "remainder": (_any, lambda lib, x: (x + 0.35) % 0.7),
    "sum": (_any, lambda lib, x: lib.np.sum(x)),
    "mean": (_any, lambda lib, x: lib.np.mean(x)),
    "ravel": (_any, lambda lib, x: lib.np.ravel(x)),
    "reshape": (_any, lambda lib, x: lib.np.reshape(x, (-1,))),
    "expand_dims": (_any, lambda lib, x: lib.np.expand_dims(x, 0)),
    "sum over an axis": (_axis, lambda lib, x: lib.np.sum(x, axis=0)),
    "mean, axis kept": (_axis, lambda lib, x: lib.np.mean(x, axis=-1, keepdims=True)),
    "prod": (_axis, lambda lib, x: lib.np.prod(1 + 0.5 * lib.np.sin(x), axis=0)),
    "max": (_axis, lambda lib, x: lib.np.max(_ramp(lib, x), axis=-1)),
    "min": (_axis, lambda lib, x: lib.np.min(_ramp(lib, x), axis=0)),
    "var": (_axis, lambda lib, x: lib.np.var(x, axis=0)),
    "std": (_axes, lambda lib, x: lib.np.std(_ramp(lib, lib.np.tanh(0.1 * x)))),
    "cumsum": (_axis, lambda lib, x: lib.np.cumsum(x, axis=0)),
    "norm": (_axis, lambda lib, x: lib.np.linalg.norm(2 + lib.np.sin(x), axis=0)),
    "softmax": (_axis, lambda lib, x: lib.softmax(lib.np.sin(x))),
    "log_softmax": (_axis, lambda lib, x: lib.log_softmax(lib.np.sin(x))),
    "logsumexp": (_axis, lambda lib, x: lib.logsumexp(lib.np.sin(x))),
    "cross_entropy": (_axis, lambda lib, x: lib.cross_entropy(lib.np.sin(x), _labels(x.shape))),
    "index": (_axis, lambda lib, x: x[0]),
    "index with repeats": (_axis, lambda lib, x: x[..., [0, -1, 0]]),
    "index with a new axis": (_axes, lambda lib, x: x[:, None, 0]),
    "flip": (_axis, lambda lib, x: lib.np.flip(x, 0)),
    "repeat": (_axis, lambda lib, x: lib.np.repeat(x, 2, axis=0)),
    "tile": (_axis, lambda lib, x: lib.np.tile(x, 2)),
    "split": (_axis, lambda lib, x: lib.np.split(x, x.shape[0], axis=0)[-1]),
    "squeeze": (lambda x: x[:1] == (1,), lambda lib, x: lib.np.squeeze(x, axis=0)),
    "broadcast_to": (_any, lambda lib, x: lib.np.broadcast_to(x, (2, *x.shape))),
    "sum over two axes": (_axes, lambda lib, x: lib.np.sum(x, axis=(0, 1))),
    "swapaxes": (_axes, lambda lib, x: lib.np.swapaxes(x, -1, -2)),
    "moveaxis": (_axes, lambda lib, x: lib.np.moveaxis(x, 0, -1)),
    "transpose": (lambda x: len(x) == 2, lambda lib, x: lib.np.transpose(x, (1, 0))),
    "trace": (lambda x: len(x) == 2, lambda lib, x: lib.np.trace(x)),
    "diag": (lambda x: len(x) in (1, 2) and x[:1] == x[-1:], lambda lib, x: lib.np.diag(x)),
    "add": (_broadcast, lambda lib, x, y: x + y),
    "subtract": (_broadcast, lambda lib, x, y: x - y),
    "multiply": (_broadcast, lambda lib, x, y: x * lib.np.tanh(y)),
    "divide": (_broadcast, lambda lib, x, y: x / (2 + lib.np.sin(y))),
    "power": (_broadcast, lambda lib, x, y: (2 + lib.np.sin(x)) ** lib.np.tanh(y)),
    "maximum": (_broadcast, lambda lib, x, y: lib.np.maximum(x, y)),
    "minimum": (_broadcast, lambda lib, x, y: lib.np.minimum(x, y)),
    "logaddexp": (_broadcast, lambda lib, x, y: lib.np.logaddexp(lib.np.sin(x), lib.np.sin(y))),
    "squared_error": (_broadcast, lambda lib, x, y: lib.squared_error(x, lib.np.tanh(y))),
    "where": (_alike, lambda lib, x, y: lib.np.where(x > y, x, -y)),
    "vdot": (_alike, lambda lib, x, y: lib.np.vdot(x, lib.np.sin(y))),
    "stack": (_alike, lambda lib, x, y: lib.np.stack([x, y])),
    "concatenate": (lambda x, y: _alike(x, y) and x, lambda lib, x, y: lib.np.concatenate([x, y])),
    "l2": (_any, lambda lib, x, y: lib.l2(lib.np.sin(x), y)),
    "matmul": (_product(np.matmul), lambda lib, x, y: lib.np.tanh(x) @ lib.np.sin(y)),
    "dot": (_product(np.dot, most=1), lambda lib, x, y: lib.np.dot(x, lib.np.sin(y))),
    "inner": (_product(np.inner, most=2), lambda lib, x, y: lib.np.inner(x, lib.np.sin(y))),
    "outer": (_vectors, lambda lib, x, y: lib.np.outer(x, lib.np.tanh(y))),
    "tensordot": (
        _product(lambda x, y: np.tensordot(x, y, axes=1)),
        lambda lib, x, y: lib.np.tensordot(x, lib.np.tanh(y), axes=1),
    ),
    "einsum": (
        lambda x, y: len(x) == len(y) == 2 and x[1] == y[1],
        lambda lib, x, y: lib.np.einsum("ij,kj->ik", x, lib.np.sin(y)),
    ),
}
_CALLS = list(OPERATIONS.values())


@dataclass(frozen=True)
class Program:
    """A random expression: leaves, and operations on what stands before each of them."""

    arrays: list[np.ndarray]
    calls: list[tuple[int, tuple[int, ...]]]

    def __call__(self, lib, *leaves):
        """The cost: whatever nothing else reads, summed."""
        nodes, read = list(leaves), set()
        for operation, operands in self.calls:
            nodes.append(_CALLS[operation][1](lib, *(nodes[i] for i in operands)))
            read.update(operands)
        cost = 0
        for i, node in enumerate(nodes):
            if i not in read:
                cost = cost + lib.np.sum(lib.np.sin(node))
        return cost

    def graph(self):
        """The cost as a node."""
        leaves = [bl.variable(f"x{i}", array) for i, array in enumerate(self.arrays)]
        return self(OURS, *leaves)

    def __repr__(self):
        return f"Program({[a.tolist() for a in self.arrays]}, {self.calls})"


@st.composite
def programs(draw, most=10):
    """Random expressions of up to three leaves and ``most`` operations."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = draw(st.integers(3, most))
    return _grown(shapes, random, count, lambda among: draw(st.sampled_from(among)))


def random_programs(count, seed):
    """``count`` random expressions, the same for the same seed; all operations occur about equally often."""
    random = np.random.default_rng(seed)
    used = [0] * len(_CALLS)

    def choose(among):
        if among is _NUMBERS:  # one of the operations that were used least so far
            rare = sorted(among, key=lambda i: used[i] + 4 * random.random())
            return rare[int(random.integers(8))]
        return among[int(random.integers(len(among)))]

    for _ in range(count):
        shapes = [SHAPES[i] for i in random.integers(len(SHAPES), size=random.integers(1, 4))]
        program = _grown(shapes, random, int(random.integers(3, 11)), choose)
        for operation, _ in program.calls:
            used[operation] += 1
        yield program


_NUMBERS = range(len(_CALLS))


def _grown(shapes, random, count, choose):
    arrays = [np.round(random.normal(size=shape), 3) for shape in shapes]
    values, calls = list(arrays), []
    for _ in range(count):
        operation = choose(_NUMBERS)
        fits, write = _CALLS[operation]
        possible = [
            operands
            for operands in product(range(len(values)), repeat=write.__code__.co_argcount - 1)
            if fits(*(np.shape(values[i]) for i in operands))
        ]
        if possible:
            operands = choose(possible)
            result = write(OURS, *(np.asarray(values[i]) for i in operands))
            if np.size(result) <= LARGEST:
                values.append(result)
                calls.append((operation, operands))
    return Program(arrays, calls)


def state(J):
    """Everything that a pass may change in J's graph, to the last bit: names, values, gradients."""

    def bits(array):
        return array if array is None else (array.dtype.str, array.shape, array.tobytes())

    return [(repr(n), n.name, bits(n.value), bits(n.grad)) for n in topological_order(J)]
