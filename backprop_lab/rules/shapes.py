"""The shape of every operation's result, from the shapes of its arguments.

What must hold: what does not fit raises :class:`ShapeError` with the numbers that differ; the engine puts
the names of the nodes before it.
"""

from __future__ import annotations

import math
import operator
from itertools import zip_longest

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.words.arrays import hollow
from backprop_lab.words.errors import ShapeError


def broadcast_shape(*shapes, **_):
    """NumPy's broadcasting, with the two lengths that differ named."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        for lengths in zip_longest(*(reversed(s) for s in shapes), fillvalue=1):
            if len(set(lengths) - {1}) > 1:
                first, second = [n for n in dict.fromkeys(lengths) if n != 1][:2]
                raise ShapeError(f"{first} does not match {second}") from None
        raise


def matmul_shape(x, y):
    if not x or not y:
        raise ShapeError("@ multiplies matrices and vectors; for a single number write *")
    inner = y[-2] if len(y) > 1 else y[0]
    if x[-1] != inner:
        raise ShapeError(f"{x[-1]} does not match {inner}")
    rows, columns = x[-2:-1], y[-1:] if len(y) > 1 else ()
    return (*broadcast_shape(x[:-2], y[:-2]), *rows, *columns)


def axes_of(axis, ndim):
    """``axis`` as a tuple of non-negative axes, each once; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, (tuple, list, range)) else (axis,)
    for a in axes:
        if not isinstance(a, (int, np.integer)):
            raise ShapeError(f"axis is an integer, or a tuple of integers, not {axis!r}")
        if not -ndim <= a < ndim:
            raise ShapeError(f"axis {a} does not exist among {ndim}")
    axes = tuple(int(a) % ndim for a in axes)
    if len(set(axes)) < len(axes):
        raise ShapeError(f"axis={axis} names an axis twice")
    return axes


def reduced_shape(x, axis=None, keepdims=False):
    if isinstance(axis, list):  # NumPy takes one elsewhere, but not here
        raise ShapeError(f"axis is an integer, or a tuple of integers, not {axis!r}")
    axes = axes_of(axis, len(x))
    return tuple(1 if i in axes else n for i, n in enumerate(x) if keepdims or i not in axes)


def extreme_shape(x, axis=None, keepdims=False):
    """The shape of a reduction that needs an entry, such as a maximum."""
    shape = reduced_shape(x, axis, keepdims)
    if 0 in x and 0 not in shape:
        raise ShapeError("of no entries none is the largest, and none the smallest")
    return shape


def reshaped_shape(x, shape):
    lengths = (shape,) if isinstance(shape, (int, np.integer)) else shape
    wanted = tuple(map(operator.index, lengths))
    size, known = math.prod(x), math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known and size % known == 0:
        wanted = tuple(size // known if n == -1 else n for n in wanted)
    if math.prod(wanted) != size or min(wanted, default=0) < 0:
        raise ShapeError(f"{size} numbers do not fill shape {wanted}")
    return wanted


def broadcast_to_shape(x, shape):
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if broadcast_shape(x, shape) != shape:
        raise ShapeError(f"{x} does not broadcast to {shape}")
    return shape


def permutation(axes, ndim):
    return tuple(range(ndim))[::-1] if axes is None else axes_of(axes, ndim)


def inverse(order):
    """The order of axes that undoes a transposition to ``order``."""
    return tuple(int(axis) for axis in np.argsort(order))


def transposed_shape(x, axes=None):
    order = permutation(axes, len(x))
    if len(order) != len(x):
        raise ShapeError(f"axes={axes} are not all of the {len(x)} axes")
    return tuple(x[a] for a in order)


def indexed_shape(x, key):
    keys = key if isinstance(key, tuple) else (key,)
    for k in keys:
        kind = (k if isinstance(k, Node) else np.asarray(k)).dtype.kind
        if kind == "b":
            raise ShapeError("a boolean mask gives a shape that depends on data; use np.where")
        if isinstance(k, Node):
            raise ShapeError("an index is integers, slices or arrays of integers, not a node")
        if kind == "f" and not (isinstance(k, list) and not k):
            raise ShapeError(f"an index is integers, not {k!r}")
    try:
        return hollow(x)[key].shape
    except IndexError as error:
        raise ShapeError(str(error)) from None


def tried(function):
    """The shape that a function gives that only moves entries about, found by trying it on hollow arrays."""

    def shape(*shapes, **parameters):
        try:
            return np.shape(function(*map(hollow, shapes), **parameters))
        except (ValueError, TypeError) as error:
            raise ShapeError(str(error)) from None

    return shape


def outer_shape(x, y):
    return math.prod(x), math.prod(y)


def cumulated_shape(x, axis=None):
    if axis is None:
        return (math.prod(x),)
    axes_of(axis, len(x))
    return x


def traced_shape(x):
    if len(x) != 2:
        raise ShapeError("the trace here is that of one matrix")
    return ()


def tiled_shape(x, reps):
    reps = (reps,) if isinstance(reps, (int, np.integer)) else tuple(map(operator.index, reps))
    axes = max(len(x), len(reps))
    lengths, times = ((1,) * (axes - len(part)) + part for part in (x, reps))
    return _possible(tuple(map(operator.mul, lengths, times)))


def repeated_shape(x, repeats, axis=None):
    if not isinstance(repeats, (int, np.integer)):
        raise ShapeError("np.repeat of a node repeats every entry equally often: give one number")
    if axis is None:
        return _possible((math.prod(x) * repeats,))
    (axis,) = axes_of(operator.index(axis), len(x))
    return _possible((*x[:axis], x[axis] * repeats, *x[axis + 1 :]))


_possible = tried(np.asarray)  # a shape that was computed: NumPy refuses what no array can have
