"""Numbers that a reader gives as settings: checks for whole and for finite ones, with errors in words.

What must hold: NumPy's numbers count as Python's do, and True is no number.
"""

from __future__ import annotations

import math

import numpy as np


def is_whole(value: object) -> bool:
    """Whether ``value`` is an integer, Python's or NumPy's."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether ``value`` is a real number, Python's or NumPy's; it may be infinite, or NaN."""
    return is_whole(value) or isinstance(value, (float, np.floating))


def whole_number(what: str, value, least: int, most: int | None = None) -> int:
    """``value`` as a whole number between the bounds, or a ValueError that says what ``what`` is.

    >>> whole_number("steps", 3, 1, most=10)
    3
    """
    if not is_whole(value) or value < least or (most is not None and value > most):
        bounds = f"from {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{what} is a whole number {bounds}, not {value!r}")
    return int(value)


def number_within(what: str, value, bounds: str, below: float = math.inf) -> float:
    """``value`` as a number from 0 to ``below``, or a ValueError that says what ``what`` is, and its bounds.

    >>> number_within("momentum", 0.9, "from 0 to below 1", 1)
    0.9
    """
    single = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if not is_number(single) or not 0 <= single < below:
        raise ValueError(f"{what} is a number, {bounds}, not {value!r}")
    return float(single)


def finite_number(what: str, value) -> float:
    """Anything that ``float`` reads as a finite number, or a ValueError that says what ``what`` is."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} is a number, not {value!r}")
    return number
