"""Reductions: sums, means, extremes and products over axes, and running sums.

z is the value, x the argument, g = ∂J/∂z. A sum sends g to each of its entries; entries that tie at a maximum
share g equally; a standard deviation of 0 has the gradient 0.

What must hold: each is right for every ``axis`` and with ``keepdims``, and is checked against finite
differences.
"""

from __future__ import annotations

import math

import numpy as np

from backprop_lab.graph.node import RULES
from backprop_lab.rules.declaring import enter, reduction
from backprop_lab.rules.shapes import axes_of, cumulated_shape, extreme_shape, inverse, reduced_shape

# fmt: off
reduction(np.sum, "linear",
          lambda g, z, x, axis, keepdims: spread(g, x, axis, keepdims))
reduction(np.mean, "linear",
          lambda g, z, x, axis, keepdims: spread(g / count(z, x), x, axis, keepdims))
reduction(np.max, "custom",
          lambda g, z, x, axis, keepdims: shared_extreme(g, z, x, axis, keepdims),
          extreme_shape)
reduction(np.min, "custom",
          lambda g, z, x, axis, keepdims: shared_extreme(g, z, x, axis, keepdims),
          extreme_shape)
reduction(np.prod, "custom",
          lambda g, z, x, axis, keepdims: spread(g, x, axis, keepdims) * product_of_others(x, axis))
reduction(np.var, "custom",
          lambda g, z, x, axis, keepdims:
          spread(g, x, axis, keepdims) * centred(x, axis) * (2 / count(z, x)))
reduction(np.std, "custom",
          lambda g, z, x, axis, keepdims:
          spread(g * inverse_or_zero(z), x, axis, keepdims) * centred(x, axis) * (1 / count(z, x)),
          squared=RULES[np.var])

enter(np.cumsum, "linear", cumulated_shape,
      lambda g, z, x, axis: summed_from_the_end(g, x, axis),
      parameters={"axis": None})
# fmt: on

RULES[np.amax], RULES[np.amin] = RULES[np.max], RULES[np.min]  # NumPy's older names, other objects


# -------------------------------------------------------------------------------------- longer derivatives


def count(z, x):
    """How many entries of x go into each entry of z."""
    return max(x.size // max(z.size, 1), 1)


def spread(g, x, axis=None, keepdims=False):
    """g given back to every entry that was summed: the transpose of a sum."""
    if axis is not None and not keepdims:
        g = np.reshape(g, reduced_shape(np.shape(x), axis, keepdims=True))
    if not isinstance(g, (np.ndarray, np.generic)):  # a node
        return np.broadcast_to(g, x.shape)
    out = np.empty(x.shape, g.dtype)  # broadcast_to takes five times as long on small arrays
    out[...] = g
    return out


def shared_extreme(g, z, x, axis, keepdims):
    """g to the entries that attain the maximum or minimum z, in equal shares."""
    attains = x == spread(z, x, axis, keepdims)
    return spread(g / np.sum(attains, axis=axis, keepdims=keepdims), x, axis, keepdims) * attains


def product_of_others(x, axis):
    """For each entry the product of the others along ``axis``; right for zeros as well."""
    axes = axes_of(axis, np.ndim(x))
    kept = [a for a in range(np.ndim(x)) if a not in axes]
    rows = math.prod(np.shape(x)[a] for a in kept)
    order = (*kept, *axes)
    table = np.reshape(np.transpose(x, order), (rows, math.prod(np.shape(x)[a] for a in axes)))
    moved = tuple(np.shape(x)[a] for a in order)
    return np.transpose(np.reshape(product_of_others_in_rows(table), moved), inverse(order))


def product_of_others_in_rows(table):
    """For each entry the product of the others in its row: its neighbour times all the other pairs."""
    rows, columns = np.shape(table)
    if columns < 2:
        return np.ones_like(table)
    if columns % 2:
        table = np.concatenate([table, np.ones((rows, 1), table.dtype)], axis=1)
    first, second = table[:, ::2], table[:, 1::2]
    neighbours = np.reshape(np.stack([second, first], axis=-1), np.shape(table))
    if columns > 2:
        neighbours = neighbours * np.repeat(product_of_others_in_rows(first * second), 2, axis=1)
    return neighbours[:, :columns]


def centred(x, axis):
    """x less its mean; twice, because a mean is rounded, and of equal numbers nothing else would be left."""
    rough = x - np.mean(x, axis=axis, keepdims=True)
    return rough - np.mean(rough, axis=axis, keepdims=True)


def inverse_or_zero(z):
    """1/z, and 0 where z = 0: a standard deviation or a norm of 0 gets the gradient 0."""
    return np.where(z == 0, 0, 1 / np.where(z == 0, 1, z))


def summed_from_the_end(g, x, axis):
    """The transpose of a running sum: a running sum from the other end."""
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(x))
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)
