"""Operations that only move entries about: other shapes and orders, copies, parts, arrays joined.

x is the argument, z the value, g = ∂J/∂z. What flows back is g, its entries moved back to where they came
from; where an entry was copied, the gradients of its copies are summed.

What must hold: integers and booleans stay what they are, so that a part of the labels is labels.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from backprop_lab.graph.node import RULES
from backprop_lab.graph.operation import Rule, apply
from backprop_lab.rules.declaring import rearrangement, rule_of
from backprop_lab.rules.primitives import scatter
from backprop_lab.rules.shapes import (
    axes_of,
    broadcast_to_shape,
    indexed_shape,
    inverse,
    permutation,
    repeated_shape,
    reshaped_shape,
    tiled_shape,
    transposed_shape,
    tried,
)
from backprop_lab.words.errors import ShapeError

# fmt: off
rearrangement(np.ravel, tried(np.ravel),
              lambda g, z, x: np.reshape(g, np.shape(x)))
rearrangement(np.expand_dims, tried(np.expand_dims),
              lambda g, z, x, axis: np.reshape(g, np.shape(x)),
              axis=None)
rearrangement(np.squeeze, tried(np.squeeze),
              lambda g, z, x, axis: np.reshape(g, np.shape(x)),
              axis=None)

rearrangement(np.transpose, transposed_shape,
              lambda g, z, x, axes: np.transpose(g, inverse(permutation(axes, np.ndim(x)))),
              axes=None)
rearrangement(np.swapaxes, tried(np.swapaxes),
              lambda g, z, x, axis1, axis2: np.swapaxes(g, axis1, axis2),
              axis1=None, axis2=None)
rearrangement(np.moveaxis, tried(np.moveaxis),
              lambda g, z, x, source, destination: np.moveaxis(g, destination, source),
              source=None, destination=None)
rearrangement(np.flip, tried(np.flip),
              lambda g, z, x, axis: np.flip(g, axis),
              axis=None)

rearrangement(np.diag, tried(np.diag),
              lambda g, z, x: np.diag(g) if np.ndim(x) == 1 else on_diagonal(g, x))
rearrangement(np.tile, tiled_shape,
              lambda g, z, x, reps: summed_copies(g, x, reps),
              reps=None)
rearrangement(np.repeat, repeated_shape,
              lambda g, z, x, repeats, axis: summed_repeats(g, x, repeats, axis),
              repeats=None, axis=None)
rearrangement(np.broadcast_to, broadcast_to_shape,
              lambda g, z, x, shape: g,  # summed to the shape of x, as after all broadcasting
              shape=None)


def index(x, key):
    return x[key]


def reshape(x, shape):  # NumPy 2.0 calls the second argument newshape, later ones shape
    return np.reshape(x, shape)


RULES[operator.getitem] = rule_of(
    index, "linear", indexed_shape,
    lambda g, z, x, key: scatter(g, shape=np.shape(x), key=key),
    parameters={"key": None}, gives="the same", function=operator.getitem)
RULES[np.reshape] = rule_of(
    reshape, "linear", reshaped_shape,
    lambda g, z, x, shape: np.reshape(g, np.shape(x)),
    parameters={"shape": None}, gives="the same", function=np.reshape)
# fmt: on


# ------------------------------------------------------------------------- arrays joined, an array cut up


def taken_layer(place, g, z, *arrays, axis):
    return g[(slice(None),) * (axis % np.ndim(g)) + (place,)]


def taken_slice(place, g, z, *arrays, axis):
    axis = axis % np.ndim(g)
    start = sum(np.shape(a)[axis] for a in arrays[:place])
    return g[(slice(None),) * axis + (slice(start, start + np.shape(arrays[place])[axis]),)]


@lru_cache
def joining(join: Callable, cut: Callable, count: int) -> Rule:
    """The rule that stacks or concatenates ``count`` arrays: each gets its own part of g back."""

    def joined(*arrays, axis):
        return join(arrays, axis=axis)

    backs = (partial(cut, place) for place in range(count))
    return rule_of(
        joined, "linear", tried(joined), *backs, name=join.__name__, parameters={"axis": 0},
        gives="the same", function=join)  # fmt: skip


def _join(join, cut, arrays, axis=0):
    arrays = tuple(arrays)
    if join is np.concatenate and axis is None:
        arrays, axis = tuple(map(np.ravel, arrays)), 0
    if join is np.concatenate and not all(map(np.ndim, arrays)):
        raise ShapeError("np.concatenate: single numbers cannot be concatenated; use np.stack")
    return apply(joining(join, cut, len(arrays)), *arrays, axis=axis)


def _split(x, indices_or_sections, axis=0):
    """np.split: a list of slices, each a node of its own."""
    (axis,) = axes_of(axis, np.ndim(x))
    length = np.shape(x)[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        count = int(indices_or_sections)
        if count < 1 or length % count:
            raise ShapeError(f"np.split: {length} entries cannot be split into {count} equal parts")
        ends = [length // count * i for i in range(count + 1)]
    else:
        ends = [0, *indices_or_sections, length]
    before = (slice(None),) * axis
    return [x[(*before, slice(a, b))] for a, b in pairwise(ends)]


RULES[np.stack] = partial(_join, np.stack, taken_layer)
RULES[np.concatenate] = partial(_join, np.concatenate, taken_slice)
RULES[np.split] = _split


# -------------------------------------------------------------------------------------- longer derivatives


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
