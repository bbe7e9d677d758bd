"""Leaves: the nodes that are given and not computed, variables and constants."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.graph.node import Node, Unfinished, checked_name
from backprop_lab.words.arrays import checked_array
from backprop_lab.words.errors import ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt


def variable(name: str, value: npt.ArrayLike | None = None, *, shape: tuple[int, ...] | None = None) -> Node:
    """A leaf whose gradient is wanted: a parameter, or any input asked about.

    ``value``: numbers of any shape (kept as a copy; integers become float64, float32 stays), or
    ``shape`` for a leaf that gets its value later. Raises TypeError for what is not real numbers.

    >>> import backprop_lab as bl
    >>> bl.variable("w", [5, 2])
    <variable w, shape (2,), value (5, 2)>
    >>> bl.variable("W", shape=(2, 3)).value is None
    True
    """
    return _leaf("variable", checked_name(name), value, shape)


def constant(
    name: str | None, value: npt.ArrayLike | None = None, *, shape: tuple[int, ...] | None = None
) -> Node:
    """A leaf that is known and wants no gradient: data, targets, labels.

    Integers and booleans stay as they are; arithmetic reads them in the other operand's float type.

    >>> import backprop_lab as bl
    >>> bl.constant("x", [2, -3, 4])
    <constant x, shape (3,), value (2, −3, 4)>
    """
    return _leaf("constant", None if name is None else checked_name(name), value, shape)


def _leaf(kind, name, value, shape):
    context = f"{kind}({name!r}, …)"
    if (value is None) == (shape is None):
        given = "neither" if value is None else "both"
        raise TypeError(f"{context}: give either a value or shape=…, not {given}")
    if shape is not None:
        lengths = tuple(operator.index(n) for n in (shape if np.ndim(shape) else (shape,)))
        if any(n < 0 for n in lengths):
            raise ShapeError(f"{context}: shape={lengths} has a negative length")
        return leaf_of(name, lengths, np.float64, kind == "variable")
    array = checked_array(value, context)
    if kind == "variable" and array.dtype.kind != "f":
        array = array.astype(np.float64)
    leaf = leaf_of(name, array.shape, array.dtype, kind == "variable")
    leaf._set(array)
    return leaf


def leaf_of(name: str | None, shape: tuple[int, ...], dtype: npt.DTypeLike, needs_gradient: bool) -> Node:
    """A leaf without a value."""
    leaf = Unfinished()
    leaf._begin(name, None, (), {})
    leaf.shape, leaf.dtype, leaf.needs_gradient = shape, np.dtype(dtype), needs_gradient
    return leaf._finished()
