"""NumPy's own numbers as axes, counts, shapes and indices mean what Python's mean."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_lab as bl

CALLS = {
    "an axis of a sum": lambda x, n: np.sum(x, axis=n(0)),
    "an axis of a maximum": lambda x, n: np.max(x, axis=n(-1), keepdims=np.True_),
    "several axes": lambda x, n: np.mean(x, axis=(n(0), n(1))),
    "an axis of softmax": lambda x, n: bl.softmax(x, axis=n(1)),
    "an axis to stack along": lambda x, n: np.stack([x, 2 * x], axis=n(1)),
    "an axis to join along": lambda x, n: np.concatenate([x, 2 * x], axis=n(0)),
    "two axes to swap": lambda x, n: np.swapaxes(x, n(0), n(1)),
    "an axis to drop": lambda x, n: np.squeeze(x[:, :1], axis=n(1)),
    "parts to split into": lambda x, n: np.split(x, n(3), axis=n(1))[2],
    "a count of repeats": lambda x, n: np.repeat(x, n(2), axis=n(1)),
    "a shape": lambda x, n: np.reshape(x, (n(3), n(2))),
    "a shape to repeat to": lambda x, n: np.broadcast_to(x, (n(2), n(2), n(3))),
    "an index": lambda x, n: x[n(1)],
    "the ends of a slice": lambda x, n: x[n(0) : n(2), n(1)],
}


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint16], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("call", CALLS)
def test_numpys_integers_are_integers(call, kind):
    x = bl.variable("x", [[1.0, -2.0, 3.0], [4.0, 0.5, -6.0]])
    wanted, J = (np.sum(CALLS[call](x, n) ** 2) for n in (int, lambda k: kind(k) if k >= 0 else np.int64(k)))
    assert repr(J) == repr(wanted) and all(type(n) is int for node in J.inputs for n in node.shape)
    right = bl.backward(wanted)[x]
    program = bl.compile(J)
    value, gradients = program()
    text: dict = {}
    exec(program.source, text)
    for found in (bl.forward(J), value, text["program"](**program.inputs)[0]):
        np.testing.assert_allclose(found, bl.forward(wanted))
    np.testing.assert_allclose(gradients[x], right)
    np.testing.assert_allclose(bl.backward(J)[x], right)
