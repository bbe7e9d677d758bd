"""Arrays at the border of the graph: numbers that come in are checked, those that go out made read-only.

What must hold: nothing here changes a number, except that a negative zero may become zero; what is refused is
named, with what to do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

READABLE = 36  # entries of an array that a person may read number by number


def checked_array(value: object, context: str) -> np.ndarray:
    """The numbers in ``value`` as an array in the machine's own byte order (perhaps the same one).

    Or an error in words.
    """
    if hasattr(value, "needs_gradient"):  # a node
        raise NotAnArrayError(
            f"{context}: {notation.mention(value, code=True)} is a node already; give numbers (its "
            ".value), or use the node itself in the expression"
        )
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        _refuse_other_meanings(value, context)
    try:
        array = np.asarray(value)
    except ValueError:
        message = f"{context}: the rows have different lengths; an array needs equal ones"
        raise ShapeError(message) from None
    if array.dtype.kind not in "fiub":
        kinds = {"c": "complex numbers", "U": "text", "S": "text", "O": "Python objects"}
        kind = kinds.get(array.dtype.kind, array.dtype)
        raise NotAnArrayError(
            f"{context}: expected real numbers, was given {kind} ({notation.shorten(repr(value), 40)})"
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise NotAnArrayError(
            f"{context}: {array.dtype} is wider than float64, the widest type that a graph computes in; "
            "convert the numbers first: np.float64(…)"
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _refuse_other_meanings(value, context):
    """Kinds of arrays whose operators mean something else than those of plain ones."""
    if isinstance(value, np.ma.MaskedArray):
        raise NotAnArrayError(
            f"{context}: a masked array, and a graph knows no masks: put numbers there (.filled(0)), or "
            "choose with np.where(mask, 0, x)"
        )
    if isinstance(value, np.matrix):
        raise NotAnArrayError(
            f"{context}: an np.matrix, whose * is a matrix product; give np.asarray(M), and write M @ x"
        )


def numbers_for(leaf, value: object, context: str) -> np.ndarray:
    """``value`` as numbers of the leaf's type (perhaps the same array), or an error in words.

    ``context`` says where they were given, with {} for the leaf's name.
    """
    if type(value) is np.ndarray and value.dtype == leaf.dtype:
        return value
    context = context.format(leaf.name)
    array = checked_array(value, context)
    whole = leaf.dtype.kind != "f"
    if whole and (array.dtype.kind == "f" or not np.array_equal(array.astype(leaf.dtype), array)):
        raise NotAnArrayError(
            f"{context}: {leaf.name} holds {leaf.dtype} and the new value {array.dtype}; nothing is "
            "rounded or cut here: round it yourself, or make the constant with floats"
        )
    return array.astype(leaf.dtype, copy=False)


def finite(value: np.ndarray) -> bool:
    """Whether all entries are finite.

    The sum of their squares tells, unless it overflows; only then are the entries looked at, which takes
    longer. The caller silences NumPy's warning of such an overflow.
    """
    if value.ndim == 0:
        return math.isfinite(value)
    flat = value if value.ndim == 1 else value.reshape(-1)
    return math.isfinite(flat.dot(flat)) or bool(np.isfinite(value).all())


def hollow(shape: tuple[int, ...], dtype: npt.DTypeLike = "V0") -> np.ndarray:
    """An array that stands for its shape only; entries of "V0" take no memory wherever they are moved."""
    return np.ndarray(shape, dtype, np.zeros((), dtype), 0, (0,) * len(shape))


def frozen(array: npt.ArrayLike) -> np.ndarray:
    """``array`` made read-only, as all numbers are that leave the graph."""
    array = np.asarray(array)
    array.setflags(write=False)
    return array


def presentable(gradient: np.ndarray) -> np.ndarray:
    """A gradient made read-only; a small one also without negative zeros, which would puzzle the learner."""
    return frozen(gradient + 0 if gradient.size <= READABLE else gradient)
