"""The network of the training lab: its outputs, its cost, its start, and what it makes of the plane.

What must hold: it is written once. Called with nodes it gives the graph that learns; with arrays, the costs
and the picture of the plane.
"""

from __future__ import annotations

import math

import numpy as np

from backprop_lab.graph.leaves import constant
from backprop_lab.graph.node import Node
from backprop_lab.rules.networks import cross_entropy, l2, sigmoid, softplus
from backprop_lab.training_lab.settings import ACTIVATIONS, Settings

LARGE = 1e6  # parameters above it need double precision for the picture
STRIPS = 8  # of the plane: each fits into the processor's cache, which is twice as fast


def scores(X, layers: list, activation: str):
    """The network's outputs z, shape (n, outputs), from nodes or arrays. ``layers``: [(W, b), …]."""
    h, activate = X, ACTIVATIONS[activation]
    for k, (W, b) in enumerate(layers[:-1], 1):
        a = _named(h @ W + b, f"a{k}")
        h = _named(activate(a), f"h{k}") if activation != "none" else a
    W, b = layers[-1]
    return _named(h @ W + b, "z")


def mean_cost(z, y):
    """One output: log(1 + exp(−yz)), y = ±1 of shape (n, 1). Two: cross-entropy with labels of shape (n,)."""
    return np.mean(softplus(-y * z)) if z.shape[1] == 1 else cross_entropy(z, y)


def _named(value, name):
    return value.named(name) if isinstance(value, Node) else value


def start_of(settings: Settings) -> dict[str, np.ndarray]:
    """The parameters {W1, b1, W2, …} at the start of a run: W normal with variance 1 / inputs, b zero.

    With relu the variance is 2 / inputs (He et al., 2015), because half of the signal is cut off.
    """
    random, values = np.random.default_rng(settings.seed), {}
    gain = 2 if settings.activation == "relu" else 1
    for k, (inputs, outputs) in enumerate(zip(settings.sizes, settings.sizes[1:]), 1):
        W = random.standard_normal((inputs, outputs)) * math.sqrt(gain / inputs)
        values[f"W{k}"] = W.astype(settings.dtype)
        values[f"b{k}"] = np.zeros(outputs, settings.dtype)
    return values


def cost_graph(parameters: dict[str, Node], X, y, activation: str, factor: Node | None) -> Node:
    """The graph of the cost J, with a penalty if there is a ``factor`` λ."""
    layers = layers_of(parameters)
    z = scores(constant("X", X), layers, activation)
    J = mean_cost(z, constant("y", y))
    if factor is not None:
        J = J.named("E") + factor * l2(*(W for W, _ in layers))
    return J.named("J")


def layers_of(parameters: dict) -> list:
    """[(W1, b1), (W2, b2), …] of {W1, b1, W2, …}."""
    values = list(parameters.values())
    return list(zip(values[::2], values[1::2]))


def log_odds(z: np.ndarray) -> np.ndarray:
    """The logarithm of the odds of class 1 for each row of scores."""
    return z[:, 0] if z.shape[1] == 1 else z[:, 1] - z[:, 0]


def probability(X, layers: list, activation: str) -> np.ndarray:
    """The probability of class 1 for each row of X."""
    with np.errstate(all="ignore"):
        return sigmoid(log_odds(scores(X, layers, activation)))


def probability_grid(layers: list, activation: str, n: int, window) -> np.ndarray:
    """The probability of class 1 in the middle of each of n × n pixels, 0 to 255, the upper row first."""
    large = any(np.abs(part).max() > LARGE for layer in layers for part in layer)
    dtype = np.float64 if large else np.float32
    left, right, low, high = window
    middles = (np.arange(n) + 0.5) / n
    x, y = left + (right - left) * middles, high - (high - low) * middles
    plane = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(dtype)
    layers = [(W.astype(dtype), b.astype(dtype)) for W, b in layers]
    p = np.concatenate([probability(strip, layers, activation) for strip in np.array_split(plane, STRIPS)])
    return np.rint(255 * np.nan_to_num(p, nan=0.5)).astype(np.uint8).reshape(n, n)
