"""What the engine's numbers are compared with: finite differences, HIPS autograd, PyTorch.

An expression under test is a function of a library and of its leaves, ``f(lib, *leaves)``, so that
the same lines run in every library. PyTorch joins in where it is installed; the others always do.
"""

from __future__ import annotations

from types import SimpleNamespace

import autograd
import autograd.numpy
import numpy as np
from hypothesis import settings

import backprop_lab as bl

try:
    import torch
except ImportError:
    torch = None

# A law is tried on the same examples in every run, and a slow machine does not fail it.
law = settings(deadline=None, derandomize=True, max_examples=100)

OURS = SimpleNamespace(np=np, relu=bl.relu, sigmoid=bl.sigmoid)
HIPS = SimpleNamespace(
    np=autograd.numpy,
    relu=lambda x: x * (x > 0),
    sigmoid=lambda x: 1 / (1 + autograd.numpy.exp(-x)),
)


def our_gradients(f, *arrays):
    """(value, gradients) of the scalar ``f(lib, *leaves)`` at these arrays, by ``backward``."""
    leaves = [bl.variable(f"x{i}", array) for i, array in enumerate(arrays)]
    J = f(OURS, *leaves)
    gradients = bl.backward(J)
    return J.value, [gradients.get(leaf, np.zeros(leaf.shape)) for leaf in leaves]


def hips_gradients(f, *arrays):
    """The same by HIPS autograd."""
    both = autograd.value_and_grad(lambda leaves: f(HIPS, *leaves))
    return both(tuple(np.array(array, float) for array in arrays))


def torch_gradients(f, *arrays):
    """The same by PyTorch, or None where it is not installed."""
    if torch is None:
        return None
    leaves = [torch.tensor(np.array(a, float), requires_grad=True) for a in arrays]
    J = f(SimpleNamespace(np=torch, relu=torch.relu, sigmoid=torch.sigmoid), *leaves)
    return J.item(), [g.numpy() for g in torch.autograd.grad(J, leaves, materialize_grads=True)]


def agree_with_others(f, *arrays):
    """Assert that value and gradients are those of HIPS autograd, and of PyTorch if it is here."""
    value, gradients = our_gradients(f, *arrays)
    for theirs in (hips_gradients(f, *arrays), torch_gradients(f, *arrays)):
        if theirs is not None:
            np.testing.assert_allclose(value, theirs[0], rtol=1e-9, atol=1e-9)
            for mine, other in zip(gradients, theirs[1], strict=True):
                np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-9)


def numerical_jacobian(f, *arrays, place=0, step=1e-5):
    """∂f/∂(array at ``place``) by central differences, outputs by inputs, counted row by row."""
    columns = []
    for i in range(np.size(arrays[place])):
        nudged = []
        for nudge in (step, -step):
            moved = [np.array(array, float) for array in arrays]
            moved[place].flat[i] += nudge
            nudged.append(np.asarray(f(*moved), float))
        columns.append((nudged[0] - nudged[1]).reshape(-1) / (2 * step))
    return np.array(columns).reshape(np.size(arrays[place]), -1).T
