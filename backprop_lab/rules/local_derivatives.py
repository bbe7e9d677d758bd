"""Derivatives that take more than a line: the table of rules names them.

z is the operation's value, x and y its arguments, g = ∂J/∂z, as in ``rules.py``.

What must hold: only NumPy's functions, so that each works on arrays and on nodes.
"""

from __future__ import annotations

import math

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.rules.shapes import axes_of, reduced_shape


def lowered(x, y):
    """x to the power y − 1; x⁰ is a constant, so that its slope is 0 at x = 0 as well."""
    if isinstance(y, (int, float)):
        return {0: 1, 1: 1, 2: x}.get(y) if y in (0, 1, 2) else x ** (y - 1)
    return x ** np.where(y == 0, 1, y - 1)


def log_of_base(x):
    """log x; where x = 0 it is 0, as xʸ = 0 does not change there with y > 0."""
    return np.log(np.where(x == 0, 1, x))


def inverse(order):
    """The order of axes that undoes a transposition to ``order``."""
    return tuple(int(axis) for axis in np.argsort(order))


def share(x, y):
    """Who sends the gradient on at a maximum: the larger one; ties share equally."""
    half = np.result_type(x, y, np.float16).type(0.5)  # in the precision of x and y
    return (x > y) + (x == y) * half


def shaped(x, shape):
    """x in this shape: x itself where it has it already."""
    return x if np.shape(x) == shape else np.reshape(x, shape)


def swapped(x):
    """The transpose of a matrix, or of each matrix in a stack."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def each(z, x):
    """How many entries of x each entry of z is made of."""
    return max(x.size // max(z.size, 1), 1)


def spread(g, x, axis=None, keepdims=False):
    """g given back to every entry that was summed: the transpose of a sum."""
    if axis is not None and not keepdims:
        g = np.reshape(g, reduced_shape(np.shape(x), axis, keepdims=True))
    if isinstance(g, Node):
        return np.broadcast_to(g, x.shape)
    out = np.empty(x.shape, g.dtype)  # broadcast_to takes five times as long on small arrays
    out[...] = g
    return out


def shared_extreme(g, z, x, axis=None, keepdims=False):
    """∂/∂x of a maximum or minimum over axes: to the entries that attain it, in equal shares."""
    attains = x == spread(z, x, axis, keepdims)
    return spread(g / np.sum(attains, axis=axis, keepdims=keepdims), x, axis, keepdims) * attains


def others_multiplied(g, z, x, axis=None, keepdims=False):
    """∂/∂x of a product over axes: for each entry the product of the others, zeros included."""
    axes = axes_of(axis, np.ndim(x))
    kept = [a for a in range(np.ndim(x)) if a not in axes]
    rows = math.prod(np.shape(x)[a] for a in kept)
    order = (*kept, *axes)
    table = np.reshape(np.transpose(x, order), (rows, math.prod(np.shape(x)[a] for a in axes)))
    moved = tuple(np.shape(x)[a] for a in order)
    others = np.transpose(np.reshape(products_of_others(table), moved), inverse(order))
    return spread(g, x, axis, keepdims) * others


def products_of_others(table):
    """For each entry the product of its row's others: its neighbour, and the pairs that it is not in."""
    rows, count = np.shape(table)
    if count < 2:
        return np.ones_like(table)
    if count % 2:
        table = np.concatenate([table, np.ones((rows, 1), table.dtype)], axis=1)
    first, second = table[:, ::2], table[:, 1::2]
    neighbours = np.reshape(np.stack([second, first], axis=-1), np.shape(table))
    if count > 2:
        neighbours = neighbours * np.repeat(products_of_others(first * second), 2, axis=1)
    return neighbours[:, :count]


def centred(x, axis):
    return x - np.mean(x, axis=axis, keepdims=True)


def inverse_or_zero(z):
    """1/z, and 0 where z = 0: a standard deviation or a norm of 0 gets the gradient 0."""
    return np.where(z == 0, 0, 1 / np.where(z == 0, 1, z))


def summed_from_behind(g, x, axis):
    """The transpose of a running sum: a running sum from the other end."""
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(x))
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


def on_diagonal(g, x):
    """A vector put back on the diagonal of a matrix in x's shape."""
    rows, columns = np.shape(x)
    count = min(rows, columns)
    return (np.eye(rows, count) * g) @ np.eye(count, columns)


def summed_copies(g, x, reps):
    """The transpose of tiling: the copies of each entry, summed."""
    reps = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    ndim = max(len(reps), np.ndim(x))
    reps = (1,) * (ndim - len(reps)) + reps
    shape = (1,) * (ndim - np.ndim(x)) + np.shape(x)
    pairs = tuple(n for pair in zip(reps, shape, strict=True) for n in pair)
    total = np.sum(np.reshape(g, pairs), axis=tuple(range(0, 2 * ndim, 2)))
    return np.reshape(total, np.shape(x))


def summed_repeats(g, x, repeats, axis):
    """The transpose of repeating: the repetitions of each entry, summed."""
    shape = np.shape(x) if axis is not None else (math.prod(np.shape(x)),)
    axis = 0 if axis is None else axis % len(shape)
    split = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
    return np.reshape(np.sum(np.reshape(g, split), axis=axis + 1), np.shape(x))


def matmul_first(g, z, x, y):
    """∂/∂x of x @ y: g yᵀ, in all of NumPy's forms."""
    if y.ndim == 1:
        if x.ndim == 1:
            return g * y
        return np.outer(g, y) if x.ndim == 2 else g[..., None] * y
    if x.ndim == 1:
        return y @ g if y.ndim == 2 else (y @ g[..., None])[..., 0]
    return g @ swapped(y)


def matmul_second(g, z, x, y):
    """∂/∂y of x @ y: xᵀ g, in all of NumPy's forms."""
    if x.ndim == 1:
        if y.ndim == 1:
            return g * x
        return np.outer(x, g) if y.ndim == 2 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return swapped(x) @ g if x.ndim == 2 else (swapped(x) @ g[..., None])[..., 0]
    return swapped(x) @ g
