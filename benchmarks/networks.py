"""The workloads of ``handwritten.py`` as graphs of the package."""

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
