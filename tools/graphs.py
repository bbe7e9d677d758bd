"""Graphs that tests and measurements look at: the lecture's network, and others that strain a picture."""

from __future__ import annotations

import numpy as np

import backprop_lab as bl

HOSTILE = [
    '<img src=x onerror="window.hacked=true">',
    "</script><script>window.hacked=true</script>",
    "θ₁ & «ŷ» 'quoted' \"twice\"",
    "😀 emoji",
    "n" * 200,
]


def lecture(penalty: bool = False) -> bl.Node:
    """The lecture's network, with λ = 2 on w if asked; numbers in the storyboard."""
    x, y = bl.constant("x", [2, -3, 4]), bl.constant("y", 17)
    theta, w = bl.variable("theta", [1, 2, -1, -1, 1, 3]), bl.variable("w", [5, 2])
    W = np.reshape(theta, (2, 3))
    a = W @ x
    h = bl.relu(a)
    y_hat = w @ h
    if penalty:
        J_tilde = (y_hat - y) ** 2 + 2 * np.sum(w**2)
        return J_tilde
    J = (y_hat - y) ** 2
    return J


def product() -> bl.Node:
    x, y = bl.variable("x", 3.0), bl.variable("y", -4.0)
    z = x * y
    return z


def same_input_twice() -> bl.Node:
    x = bl.variable("x", 3.0)
    J = x * x
    return J


def order() -> bl.Node:
    """u = x², v = u + 3, J = u · v at x = 3."""
    x = bl.variable("x", 3.0)
    u = x**2
    v = u + 3
    J = u * v
    return J


def diamond() -> bl.Node:
    x = bl.variable("x", 0.5)
    left, right = np.sin(x), np.cos(x)
    J = left * right + np.exp(left)
    return J


def fork_ladder(rungs: int = 5) -> bl.Node:
    x = bl.variable("x", 1.0)
    for _ in range(rungs):
        x = x + np.tanh(x)
    return x


def chain(length: int = 9) -> bl.Node:
    x = bl.variable("x", 0.5)
    for _ in range(length):
        x = bl.sigmoid(x)
    return x


def wide_sum(terms: int = 8) -> bl.Node:
    total = bl.variable("x0", 1.0) * 2
    for i in range(1, terms):
        total = total + bl.variable(f"x{i}", float(i)) * (i + 2)
    return total


def regression() -> bl.Node:
    X, y = bl.constant("X", [1, 2, 3]), bl.constant("y", [2, 4, 6])
    w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    J = np.mean((w * X + b - y) ** 2)
    return J


def heat_maps() -> bl.Node:
    """A network with a batch, two layers, a penalty on both: large arrays, long arrows, forks."""
    random = np.random.default_rng(0)
    X = bl.constant("X", random.normal(size=(8, 5)))
    W1, b1 = bl.variable("W1", random.normal(size=(5, 7))), bl.variable("b1", np.zeros(7))
    W2 = bl.variable("W2", random.normal(size=(7, 3)))
    H = np.tanh(X @ W1 + b1)
    J = np.mean((H @ W2) ** 2) + 0.01 * np.sum(W1**2) + 0.01 * np.sum(W2**2)
    return J


def hostile_names() -> bl.Node:
    total = bl.variable(HOSTILE[0], 1.0)
    for i, name in enumerate(HOSTILE[1:]):
        total = total * 2 + bl.variable(name, float(i))
    return total


ALL = {
    "lecture": lecture,
    "lecture with penalty": lambda: lecture(penalty=True),
    "product": product,
    "same input twice": same_input_twice,
    "order": order,
    "diamond": diamond,
    "fork ladder": fork_ladder,
    "chain": chain,
    "wide sum": wide_sum,
    "regression": regression,
    "heat maps": heat_maps,
    "hostile names": hostile_names,
}
