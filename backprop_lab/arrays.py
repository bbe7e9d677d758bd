"""Arrays on their way out of the graph: read-only, and looked through for what is not finite.

What must hold: nothing here changes a number, but that a negative zero may become zero.
"""

from __future__ import annotations

import math

import numpy as np

READABLE = 36  # entries of an array that a person may read number by number


def finite(value) -> bool:
    """Whether all entries are. One product tells, unless it overflows by itself; looking takes longer.

    NumPy may warn of that overflow: the caller sees to it that it does not.
    """
    if value.ndim == 0:
        return math.isfinite(value)
    flat = value if value.ndim == 1 else value.reshape(-1)
    return math.isfinite(flat.dot(flat)) or bool(np.isfinite(value).all())


def hollow(shape, dtype="V0") -> np.ndarray:
    """An array that stands for its shape only; entries of "V0" take no memory wherever they are moved."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def frozen(array) -> np.ndarray:
    """``array`` made read-only, as all numbers are that leave the graph."""
    array = np.asarray(array)
    array.setflags(write=False)
    return array


def presentable(gradient: np.ndarray) -> np.ndarray:
    """A gradient read-only, and small ones without negative zeros for the learner to puzzle over."""
    return frozen(gradient + 0 if gradient.size <= READABLE else gradient)
