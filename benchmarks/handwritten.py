"""Three networks trained by hand in NumPy: what the engine's speed is measured against.

Each is written twice, as an expert writes it: *plain*, one line for each formula, and *in place*, with
every array allocated once. ``W2``: 2-16-16-1, hinge loss, 100 points. ``W3``: 2-64-64-2 and ``W4``:
784-256-128-10, softmax cross-entropy, batch of 128. All have relu and an L2 penalty on the weights.

What must hold: nothing here leans on the package; both ways give the same gradients; they are not
changed to make a ratio look better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PENALTY = 1e-4
LEARNING_RATE = 0.05


@dataclass(frozen=True)
class Workload:
    """Sizes of the layers, the number of examples, and which loss: ``"hinge"`` or ``"softmax"``."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    loss: str

    def data(self):
        """(X, y): inputs, and labels −1 and 1 (hinge) or class numbers."""
        random = np.random.default_rng(1)
        X = random.normal(size=(self.batch, self.sizes[0]))
        if self.loss == "hinge":
            return X, np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)
        return X, random.integers(0, self.sizes[-1], self.batch)

    def parameters(self):
        """W1, b1, W2, b2, W3, b3; the last layer of the hinge loss is a vector and a number."""
        random = np.random.default_rng(2)
        found = []
        for rows, columns in zip(self.sizes, self.sizes[1:]):
            found.append(random.normal(size=(rows, columns)) * np.sqrt(2 / rows))
            found.append(0.1 * random.normal(size=columns))
        if self.loss == "hinge":
            found[-2:] = [found[-2][:, 0], np.array(found[-1][0])]
        return found


WORKLOADS = {
    "W2": Workload("W2", (2, 16, 16, 1), 100, "hinge"),
    "W3": Workload("W3", (2, 64, 64, 2), 128, "softmax"),
    "W4": Workload("W4", (784, 256, 128, 10), 128, "softmax"),
}


# ---------------------------------------------------------------------------------------------- plain


def plain_hinge(parameters, X, y):
    """(cost, gradients) of W2."""
    W1, b1, W2, b2, W3, b3 = parameters
    h1 = np.maximum(X @ W1 + b1, 0)
    h2 = np.maximum(h1 @ W2 + b2, 0)
    margin = 1 - y * (h2 @ W3 + b3)
    penalty = np.sum(W1**2) + np.sum(W2**2) + np.sum(W3**2)
    cost = np.mean(np.maximum(margin, 0)) + PENALTY * penalty

    ds = np.where(margin > 0, -y, 0) / len(y)
    dW3 = h2.T @ ds + 2 * PENALTY * W3
    db3 = ds.sum()
    da2 = np.outer(ds, W3) * (h2 > 0)
    dW2 = h1.T @ da2 + 2 * PENALTY * W2
    db2 = da2.sum(axis=0)
    da1 = (da2 @ W2.T) * (h1 > 0)
    dW1 = X.T @ da1 + 2 * PENALTY * W1
    db1 = da1.sum(axis=0)
    return cost, [dW1, db1, dW2, db2, dW3, db3]


def plain_softmax(parameters, X, y):
    """(cost, gradients) of W3 and W4."""
    W1, b1, W2, b2, W3, b3 = parameters
    h1 = np.maximum(X @ W1 + b1, 0)
    h2 = np.maximum(h1 @ W2 + b2, 0)
    z = h2 @ W3 + b3
    z = z - z.max(axis=1, keepdims=True)
    powers = np.exp(z)
    sums = powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    penalty = np.sum(W1**2) + np.sum(W2**2) + np.sum(W3**2)
    cost = np.mean(np.log(sums[:, 0]) - z[rows, y]) + PENALTY * penalty

    dz = powers / sums
    dz[rows, y] -= 1
    dz /= len(y)
    dW3 = h2.T @ dz + 2 * PENALTY * W3
    db3 = dz.sum(axis=0)
    da2 = (dz @ W3.T) * (h2 > 0)
    dW2 = h1.T @ da2 + 2 * PENALTY * W2
    db2 = da2.sum(axis=0)
    da1 = (da2 @ W2.T) * (h1 > 0)
    dW1 = X.T @ da1 + 2 * PENALTY * W1
    db1 = da1.sum(axis=0)
    return cost, [dW1, db1, dW2, db2, dW3, db3]


def plain(workload):
    """The plain function of a workload: (parameters, X, y) → (cost, gradients)."""
    return plain_hinge if workload.loss == "hinge" else plain_softmax


def plain_step(function, parameters, X, y):
    """One step of gradient descent; the parameters change, the cost before it is returned."""
    cost, gradients = function(parameters, X, y)
    for parameter, gradient in zip(parameters, gradients):
        parameter -= LEARNING_RATE * gradient
    return cost


# ------------------------------------------------------------------------------------------- in place


class InPlace:
    """A network whose arrays are allocated once; ``step`` changes ``parameters`` and gives the cost."""

    def __init__(self, workload, parameters, X, y):
        self.parameters = [p.copy() for p in parameters]
        _, b1, _, b2, W3, _ = self.parameters
        self.X, self.y, n = X, y, len(y)
        self.gradients = [np.empty_like(p) for p in parameters]
        self.h1, self.h2 = np.empty((n, len(b1))), np.empty((n, len(b2)))
        self.d1, self.d2 = np.empty_like(self.h1), np.empty_like(self.h2)
        self.gate1, self.gate2 = np.empty(self.h1.shape, bool), np.empty(self.h2.shape, bool)
        self.decay = [np.empty_like(p) for p in parameters]
        self.rows, self.ones = np.arange(n), np.ones(n)
        if workload.loss == "hinge":
            self.output = self.hinge
            self.s, self.margin, self.gate = np.empty(n), np.empty(n), np.empty(n, bool)
            self.minus_y = -y / n
        else:
            self.output = self.softmax
            self.z, self.sums = np.empty((n, W3.shape[1])), np.empty((n, 1))

    def step(self):
        cost = self.cost_and_gradients()
        for parameter, gradient in zip(self.parameters, self.gradients):
            np.multiply(gradient, LEARNING_RATE, out=gradient)
            np.subtract(parameter, gradient, out=parameter)
        return cost

    def cost_and_gradients(self):
        W1, b1, W2, b2, W3, b3 = self.parameters
        dW1, db1, dW2, db2, dW3, db3 = self.gradients
        np.matmul(self.X, W1, out=self.h1)
        np.add(self.h1, b1, out=self.h1)
        np.maximum(self.h1, 0, out=self.h1)
        np.matmul(self.h1, W2, out=self.h2)
        np.add(self.h2, b2, out=self.h2)
        np.maximum(self.h2, 0, out=self.h2)
        cost = self.output(W3, b3, dW3, db3)
        np.greater(self.h2, 0, out=self.gate2)
        np.multiply(self.d2, self.gate2, out=self.d2)
        np.matmul(self.h1.T, self.d2, out=dW2)
        np.matmul(self.ones, self.d2, out=db2)
        np.matmul(self.d2, W2.T, out=self.d1)
        np.greater(self.h1, 0, out=self.gate1)
        np.multiply(self.d1, self.gate1, out=self.d1)
        np.matmul(self.X.T, self.d1, out=dW1)
        np.matmul(self.ones, self.d1, out=db1)
        for W, dW, decay in zip(self.parameters[::2], self.gradients[::2], self.decay[::2]):
            flat = W.reshape(-1)
            cost += PENALTY * (flat @ flat)
            np.multiply(W, 2 * PENALTY, out=decay)
            np.add(dW, decay, out=dW)
        return cost

    def hinge(self, W3, b3, dW3, db3):
        np.matmul(self.h2, W3, out=self.s)
        np.add(self.s, b3, out=self.s)
        np.multiply(self.s, self.y, out=self.s)
        np.subtract(1, self.s, out=self.margin)
        np.maximum(self.margin, 0, out=self.margin)
        cost = (self.ones @ self.margin) / len(self.ones)
        np.greater(self.margin, 0, out=self.gate)
        np.multiply(self.minus_y, self.gate, out=self.s)
        np.matmul(self.h2.T, self.s, out=dW3)
        db3[()] = self.ones @ self.s
        np.multiply(self.s[:, None], W3, out=self.d2)
        return cost

    def softmax(self, W3, b3, dW3, db3):
        z, n = self.z, len(self.rows)
        np.matmul(self.h2, W3, out=z)
        np.add(z, b3, out=z)
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        right = self.ones @ z[self.rows, self.y]
        np.exp(z, out=z)
        np.sum(z, axis=1, keepdims=True, out=self.sums)
        np.divide(z, self.sums, out=z)
        z[self.rows, self.y] -= 1
        np.divide(z, n, out=z)
        np.log(self.sums, out=self.sums)
        cost = (self.ones @ self.sums[:, 0] - right) / n
        np.matmul(self.h2.T, z, out=dW3)
        np.matmul(self.ones, z, out=db3)
        np.matmul(z, W3.T, out=self.d2)
        return cost
