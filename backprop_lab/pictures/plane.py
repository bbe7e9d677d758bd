"""A square plane in a plot: points, lines and arrows of two coordinates.

What must hold: a unit is as long across as up, so that a circle looks like one and a right angle is one;
nothing is drawn beyond the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backprop_lab.pictures.plot import Axis, Plot


class Plane(NamedTuple):
    """Two axes of equal length and of equal units.

    >>> plane = Plane.around((-1, 1), (0, 1), 0, place=(0, 0, 100))
    >>> plane.pixels(np.array([0.0, 0.5]))
    array([50., 50.])
    """

    across: Axis
    up: Axis

    @classmethod
    def around(
        cls,
        horizontal: tuple[float, float],
        vertical: tuple[float, float],
        more: float,
        place: tuple[float, float, float],
    ) -> Plane:
        """The square around two intervals (low, high), widened on every side by the share ``more`` of its
        length. ``place``: the pixels of its left and upper edge, and its length."""
        half = (0.5 + more) * max(high - low for low, high in (horizontal, vertical))
        middles = [(low + high) / 2 for low, high in (horizontal, vertical)]
        left, top, side = place
        pixels = ((left, left + side), (top + side, top))
        return cls(*(Axis(m - half, m + half, *ends) for m, ends in zip(middles, pixels, strict=True)))

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """The pixels of the left, right, upper and lower edge."""
        return self.across.start, self.across.end, self.up.end, self.up.start

    @property
    def side(self) -> float:
        """The length of an edge, in pixels."""
        return self.across.end - self.across.start

    @property
    def scale(self) -> float:
        """Pixels of a unit."""
        return self.side / (self.across.high - self.across.low)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """The pixels of points, an array of shape (…, 2); nan for those outside."""
        x, y = self.across(points[..., 0]), self.up(points[..., 1])
        left, right, top, bottom = self.edges
        with np.errstate(invalid="ignore"):
            inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        return np.where(np.expand_dims(inside, -1), np.stack([x, y], axis=-1), np.nan)

    def line(self, plot: Plot, kind: str, points: np.ndarray):
        """A line through points that lie close together, as far as it lies in the plane."""
        plot.line(kind, *self.pixels(points).T)

    def pieces(self, plot: Plot, kind: str, points: np.ndarray):
        """Straight pieces from point to point, each cut off at the frame."""
        x, y = self.across(points[:, 0]), self.up(points[:, 1])
        corners = []
        for i in range(len(points) - 1):
            a, b = x[i + 1] - x[i], y[i + 1] - y[i]
            first, last = self._part_inside(x[i], y[i], a, b)
            if first < last:
                corners += [(x[i] + t * a, y[i] + t * b) for t in (first, last)] + [(np.nan, np.nan)]
        plot.line(kind, *np.reshape(corners, (-1, 2)).T)

    def arrows(
        self,
        plot: Plot,
        kinds: Sequence[str],
        start: np.ndarray,
        vectors: Sequence[np.ndarray] | np.ndarray,
        names: Sequence[str] = ("", ""),
    ):
        """An arrow from ``start`` along each of one or two vectors, with their names at the tips."""
        x, y = self.pixels(start)
        left, right, top, bottom = self.edges
        places: list[np.ndarray] = []
        for kind, vector, name in zip(kinds, vectors, names, strict=False):
            a, b = self.scale * vector[0], -self.scale * vector[1]
            length = float(np.hypot(a, b))
            if not np.isfinite(x + length) or length < 2:
                continue
            fits = max(0.0, self._part_inside(x, y, a, b)[1])
            plot.arrow(kind, x, y, x + fits * a, y + fits * b, head=10)
            if not name:
                continue
            away = (fits * length + 12) / length
            place = np.array([x + away * a, y + away * b + 5])
            if any(np.hypot(*(place - other)) < 14 for other in places):
                place += 15 * np.array([b, -a]) / length
            places.append(place)
            room = 4 + 4 * len(name)  # half of the letters' width
            corners = (left + room, top + 14), (right - room, bottom - 6)
            kept = np.clip(place, *corners)
            if np.hypot(*(kept - place)) > 4:  # it was pushed back onto the arrow: put it beside
                aside = 16 * np.array([b, -a]) / length
                kept = np.clip(kept + (aside if aside[1] < 0 else -aside), *corners)
            plot.text("tag", kept[0], kept[1], name, "middle")

    def _part_inside(self, x, y, a, b) -> tuple[float, float]:
        """Between which shares of its length the way (a, b) from a pixel is inside; the second is less than
        the first where it never is. Liang & Barsky, ACM Transactions on Graphics 3 (1984)."""
        first, last = 0.0, 1.0
        left, right, top, bottom = self.edges
        for at, step, low, high in ((x, a, left, right), (y, b, top, bottom)):
            if not np.isfinite(at + step) or (step == 0 and not low <= at <= high):
                return 0.0, -1.0
            if step:
                ends = sorted(((low - at) / step, (high - at) / step))
                first, last = max(first, ends[0]), min(last, ends[1])
        return first, last

    def frame(self, plot: Plot):
        """The frame and the axes."""
        left, _, top, bottom = self.edges
        plot.area("frame", left, top, self.side, self.side)
        plot.axis_below(self.across, bottom)
        plot.axis_left(self.up, left)

    def name_axes(self, plot: Plot, names: Sequence[str]):
        """The names of both axes."""
        left, right, top, bottom = self.edges
        plot.text("formula", (left + right) / 2, bottom + 37, names[0], "middle")
        plot.text("formula", 14, (top + bottom) / 2, names[1], "middle")
