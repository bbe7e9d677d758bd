"""The kinds of mistake that the engine names; each is a ValueError or a TypeError."""

from __future__ import annotations


class ShapeError(ValueError):
    """Shapes that do not fit; the message names the nodes and the numbers that differ."""


class MissingValueError(ValueError):
    """A pass needs the value of a leaf that has none yet."""


class NotAnArrayError(TypeError):
    """A node was used where only numbers will do (``if``, ``float``, assignment, ``np.array``)."""
