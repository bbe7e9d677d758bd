"""Graphs that several tests share: the lecture's network, the lecture's forks, and random ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st
from oracles import OURS

import backprop_lab as bl
from backprop_lab.graph import topological_order
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


def _always(*shapes):
    return True


def _broadcast(*shapes):
    try:
        return np.prod(np.broadcast_shapes(*shapes)) <= LARGEST
    except ValueError:
        return False


def _matrix_product(x, y):
    try:
        return (np.zeros(x) @ np.zeros(y)).size <= LARGEST
    except ValueError:
        return False


# (where it fits, how it is written); bounded, so that no random graph overflows
OPERATIONS = [
    (_always, lambda lib, x: lib.np.tanh(x)),
    (_always, lambda lib, x: lib.np.sin(x)),
    (_always, lambda lib, x: -lib.np.cos(x)),
    (_always, lambda lib, x: lib.np.absolute(x)),
    (_always, lambda lib, x: lib.np.square(lib.np.sin(x))),
    (_always, lambda lib, x: lib.np.sqrt(x * x + 1)),
    (_always, lambda lib, x: lib.np.exp(lib.np.sin(x))),
    (_always, lambda lib, x: lib.np.log(2 + lib.np.cos(x))),
    (_always, lambda lib, x: lib.relu(x)),
    (_always, lambda lib, x: lib.sigmoid(x)),
    (_always, lambda lib, x: 0.5 * x - 1),
    (_always, lambda lib, x: lib.np.sin(x) ** 3),
    (_always, lambda lib, x: 1 / (2 + lib.np.sin(x))),
    (_always, lambda lib, x: 2.0 ** lib.np.sin(x)),
    (_always, lambda lib, x: lib.np.sum(x)),
    (_always, lambda lib, x: lib.np.mean(x)),
    (_always, lambda lib, x: lib.np.reshape(x, (-1,))),
    (lambda x: len(x) > 0, lambda lib, x: lib.np.sum(x, axis=0)),
    (lambda x: len(x) > 0, lambda lib, x: lib.np.mean(x, axis=-1, keepdims=True)),
    (lambda x: len(x) > 1, lambda lib, x: lib.np.sum(x, axis=(0, 1))),
    (lambda x: len(x) > 0, lambda lib, x: x[0]),
    (lambda x: len(x) > 0, lambda lib, x: x[..., [0, -1, 0]]),
    (lambda x: len(x) > 1, lambda lib, x: x[:, None, 0]),
    (lambda x: len(x) > 1, lambda lib, x: lib.np.swapaxes(x, -1, -2)),
    (lambda x: len(x) == 2, lambda lib, x: x.T),
    (_broadcast, lambda lib, x, y: x + y),
    (_broadcast, lambda lib, x, y: x - y),
    (_broadcast, lambda lib, x, y: x * lib.np.tanh(y)),
    (_broadcast, lambda lib, x, y: x / (2 + lib.np.sin(y))),
    (_broadcast, lambda lib, x, y: (2 + lib.np.sin(x)) ** lib.np.tanh(y)),
    (_broadcast, lambda lib, x, y: lib.np.maximum(x, y)),
    (_broadcast, lambda lib, x, y: lib.np.minimum(x, y)),
    (lambda x, y: x == y, lambda lib, x, y: lib.np.where(x > y, x, -y)),
    (_matrix_product, lambda lib, x, y: lib.np.tanh(x) @ lib.np.sin(y)),
    (lambda x, y: len(x) == len(y) == 1, lambda lib, x, y: lib.np.outer(x, lib.np.tanh(y))),
]


@dataclass(frozen=True)
class Program:
    """A random expression: leaves, and operations on what stands before each of them."""

    arrays: list[np.ndarray]
    calls: list[tuple[int, tuple[int, ...]]]

    def __call__(self, lib, *leaves):
        """The cost: whatever nothing else reads, summed."""
        nodes, read = list(leaves), set()
        for operation, operands in self.calls:
            nodes.append(OPERATIONS[operation][1](lib, *(nodes[i] for i in operands)))
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
    arrays = [np.round(random.normal(size=shape), 3) for shape in shapes]
    values, calls = list(arrays), []
    for _ in range(draw(st.integers(3, most))):
        operation = draw(st.integers(0, len(OPERATIONS) - 1))
        fits, write = OPERATIONS[operation]
        places = range(len(values))
        possible = [
            operands
            for operands in product(places, repeat=write.__code__.co_argcount - 1)
            if fits(*(np.shape(values[i]) for i in operands))
        ]
        if possible:
            operands = draw(st.sampled_from(possible))
            result = write(OURS, *(np.asarray(values[i]) for i in operands))
            if np.size(result) <= LARGEST:
                values.append(result)
                calls.append((operation, operands))
    return Program(arrays, calls)
