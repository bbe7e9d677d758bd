"""The workloads of ``handwritten.py`` as graphs of the package, and a deep network of any length."""

from __future__ import annotations

import numpy as np

import backprop_lab as bl
from benchmarks.handwritten import PENALTY, Workload


def network(workload: Workload):
    """(cost, [W1, b1, W2, b2, W3, b3]); the data are the constants X and y."""
    X, y = (bl.constant(name, value) for name, value in zip("Xy", workload.data()))
    names = ("W1", "b1", "W2", "b2", "W3", "b3")
    leaves = [bl.variable(name, value) for name, value in zip(names, workload.parameters())]
    W1, b1, W2, b2, W3, b3 = leaves
    a1 = X @ W1 + b1
    h1 = bl.relu(a1)
    a2 = h1 @ W2 + b2
    h2 = bl.relu(a2)
    z = h2 @ W3 + b3
    loss = np.mean(bl.relu(1 - y * z)) if workload.loss == "hinge" else bl.cross_entropy(z, y)
    J = loss + PENALTY * bl.l2(W1, W2, W3)
    return J, leaves


def residual_network(nodes: int):
    """A cost with about so many nodes: blocks x + relu(norm(x) W + b) V, each of 17 nodes."""
    random = np.random.default_rng(1)
    X, y = bl.constant("X", random.normal(size=(16, 8))), bl.constant("y", random.integers(0, 8, 16))
    x, weights = X, []
    for i in range(round(nodes / 17)):
        W, V = (bl.variable(f"{name}{i}", random.normal(size=(8, 8)) / 4) for name in "WV")
        b, scale = bl.variable(f"b{i}", np.zeros(8)), bl.variable(f"scale{i}", np.ones(8))
        centred = x - np.mean(x, axis=1, keepdims=True)
        spread = np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-5)
        x = x + bl.relu(scale * (centred / spread) @ W + b) @ V
        weights += [W, V]
    return bl.cross_entropy(x, y) + PENALTY * bl.l2(*weights)
