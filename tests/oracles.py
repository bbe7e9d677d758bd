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

OURS = SimpleNamespace(
    np=np,
    relu=bl.relu,
    leaky_relu=bl.leaky_relu,
    sigmoid=bl.sigmoid,
    softplus=bl.softplus,
    softmax=bl.softmax,
    log_softmax=bl.log_softmax,
    logsumexp=bl.logsumexp,
    cross_entropy=bl.cross_entropy,
    squared_error=bl.squared_error,
    l2=bl.l2,
)


def _hips():
    """HIPS autograd under the same names; what it lacks is written out in what it has."""
    lib = SimpleNamespace(**{k: v for k, v in vars(autograd.numpy).items() if not k.startswith("__")})
    lib.vdot = lambda x, y: lib.sum(x * y)
    lib.flip = lambda x, axis: x[(slice(None),) * axis + (slice(None, None, -1),)]
    lib.broadcast_to = lambda x, shape: x + np.zeros(shape)
    lib.tile = lambda x, n: lib.concatenate([x] * n, axis=-1)  # its own gradient of tile is wrong
    return SimpleNamespace(np=lib, **_functions(lib))


def _functions(lib):
    """The package's own functions, written plainly in another library."""

    def logsumexp(x):
        return lib.log(lib.sum(lib.exp(x), axis=-1))

    def log_softmax(x):
        return x - lib.log(lib.sum(lib.exp(x), axis=-1, keepdims=True))

    def cross_entropy(x, labels):
        rows = np.eye(x.shape[-1])[labels]
        return -lib.sum(log_softmax(x) * lib.asarray(rows)) / max(np.size(labels), 1)

    return {
        "relu": lambda x: x * (x > 0),
        "leaky_relu": lambda x: lib.where(x > 0, x, 0.01 * x),
        "sigmoid": lambda x: 1 / (1 + lib.exp(-x)),
        "softplus": lambda x: lib.log(1 + lib.exp(x)),
        "softmax": lambda x: lib.exp(x) / lib.sum(lib.exp(x), axis=-1, keepdims=True),
        "log_softmax": log_softmax,
        "logsumexp": logsumexp,
        "cross_entropy": cross_entropy,
        "squared_error": lambda x, y: lib.mean((x - y) ** 2),
        "l2": lambda x, y: lib.sum(x * x) + lib.sum(y * y),
    }


def _pytorch():
    """PyTorch under NumPy's names."""
    names = ["tanh", "sin", "cos", "sqrt", "exp", "log", "log1p", "expm1", "tan", "sinh", "cosh", "arctan"]
    names += ["reciprocal", "square", "reshape", "swapaxes", "maximum", "minimum", "where", "outer", "inner"]
    names += ["matmul", "einsum", "trace", "ravel", "moveaxis", "diag", "logaddexp", "broadcast_to", "sum"]
    names += ["mean", "remainder", "asarray"]
    lib = SimpleNamespace(**{name: getattr(torch, name, None) for name in names})
    lib.absolute, lib.transpose = torch.abs, lambda x, axes: x.permute(axes)
    lib.power = lambda x, y: x**y
    lib.add, lib.subtract, lib.multiply, lib.divide = torch.add, torch.sub, torch.mul, torch.div
    lib.max = lambda x, axis=None: torch.max(x) if axis is None else torch.amax(x, axis)
    lib.min = lambda x, axis=None: torch.min(x) if axis is None else torch.amin(x, axis)
    lib.prod = lambda x, axis=None: torch.prod(x) if axis is None else torch.prod(x, axis)
    lib.var = lambda x, axis=None: torch.var(x, axis, correction=0)
    lib.std = lambda x, axis=None: torch.std(x, axis, correction=0)
    lib.cumsum = lambda x, axis=None: torch.cumsum(x.ravel() if axis is None else x, axis or 0)
    lib.clip = torch.clamp
    lib.dot = lambda x, y: x @ y if x.ndim and y.ndim else x * y
    lib.vdot = lambda x, y: torch.sum(x * y)
    lib.tensordot = lambda x, y, axes: torch.tensordot(x, y, dims=axes)
    lib.linalg = SimpleNamespace(norm=lambda x, axis=None: torch.linalg.vector_norm(x, dim=axis))
    lib.expand_dims = lambda x, axis: x.unsqueeze(axis)
    lib.squeeze = lambda x, axis: x.squeeze(axis)
    lib.concatenate = lambda parts, axis=0: torch.cat(tuple(parts), axis)
    lib.stack = lambda parts, axis=0: torch.stack(tuple(parts), axis)
    lib.split = lambda x, count, axis=0: torch.tensor_split(x, count, axis)
    lib.repeat = lambda x, n, axis: x.repeat_interleave(n, axis)
    lib.flip = lambda x, axis: torch.flip(x, (axis,))
    lib.tile = lambda x, reps: torch.tile(x, (reps,) if isinstance(reps, int) else reps)
    return SimpleNamespace(np=lib, **_functions(lib))


HIPS = _hips()
PYTORCH = _pytorch() if torch else None


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
    J = f(PYTORCH, *leaves)
    return J.item(), [g.numpy() for g in torch.autograd.grad(J, leaves, materialize_grads=True)]


def agree_with_others(f, *arrays, others=(hips_gradients, torch_gradients)):
    """Assert that value and gradients are those of HIPS autograd, and of PyTorch if it is here."""
    value, gradients = our_gradients(f, *arrays)
    for theirs in (other(f, *arrays) for other in others):
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
