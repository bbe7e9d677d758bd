"""The contours of a function of two numbers, in a plane of a plot.

What must hold: they are where the function's values and slopes put them, within a pixel or two; what is not
finite is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from backprop_lab.pictures.plane import Plane
from backprop_lab.pictures.plot import Plot
from backprop_lab.words import notation

GRID = 41  # points across and up at which value and gradient are computed
LEVELS = 11
LABELLED = 3  # every third contour
SPECK = 16  # pixels; a contour that reaches less far is left out
STRAIGHT = 0.15  # pixels; a point that lies less off the line between its neighbours is left out


def contours(plot: Plot, plane: Plane, cost: Callable):
    """Draw the contours of ``cost(point)``, which gives value and gradient; some with their value."""
    from contourpy import contour_generator  # comes with matplotlib

    places, heights = _heights(plane, cost)
    finite = heights[np.isfinite(heights)]
    pixels = [axis(along) for axis, along in zip(plane, places, strict=True)]
    generator = contour_generator(pixels[0], pixels[1], np.ma.masked_invalid(heights))
    lowest = np.unravel_index(np.argmin(np.where(np.isfinite(heights), heights, np.inf)), heights.shape)
    middle = np.array([pixels[0][lowest[1]], pixels[1][lowest[0]]])
    labels = []
    for i, level in enumerate(_levels(finite)):
        # Specks lie along the floor of a valley that is narrower than the grid.
        found = map(np.asarray, generator.lines(level))
        lines = [line for line in found if np.ptp(line, axis=0).max() >= SPECK]
        for line in lines:
            plot.line("contour", *_thinned(_thinned(line)).T)
        if i % LABELLED == 1 and lines:
            labels.append((level, _place_of_label(np.concatenate(lines), middle, plane)))
    for level, (x, y) in labels:
        plot.text("tick", x, y + 4, notation.number(level, 6), "middle")


def _heights(plane: Plane, cost: Callable) -> tuple[list[np.ndarray], np.ndarray]:
    """Numbers along both axes, and the cost at each pair of them, rows upwards.

    It is computed, with its gradient, at every second number. Between two of them, a cubic with both values
    and both slopes lies above their mean by an eighth of their distance times what the slope falls by.
    """
    places = [np.linspace(axis.low, axis.high, 2 * GRID - 1) for axis in plane]
    computed = [[cost(np.array([x, y])) for x in places[0][::2]] for y in places[1][::2]]
    value = np.array([[v for v, _ in row] for row in computed])
    slope = np.array([[g for _, g in row] for row in computed], float)
    eighth = (places[0][2] - places[0][0]) / 8
    heights = np.empty((2 * GRID - 1, 2 * GRID - 1))
    with np.errstate(all="ignore"):
        across = (slope[:, :-1, 0] - slope[:, 1:, 0]) * eighth
        up = (slope[:-1, :, 1] - slope[1:, :, 1]) * eighth
        heights[::2, ::2] = value
        heights[::2, 1::2] = (value[:, :-1] + value[:, 1:]) / 2 + across
        heights[1::2, ::2] = (value[:-1] + value[1:]) / 2 + up
        heights[1::2, 1::2] = (value[:-1, :-1] + value[:-1, 1:] + value[1:, :-1] + value[1:, 1:]) / 4 + (
            across[:-1] + across[1:] + up[:, :-1] + up[:, 1:]
        ) / 2
    return places, heights


def _levels(heights) -> list[float]:
    """Levels that spread: for a round bowl the contours are equally far apart. Round numbers."""
    parts = np.linspace(0, 1, LEVELS + 2)[1:-1] ** 2
    levels = np.quantile(heights, parts)
    lowest = np.concatenate([[heights.min()], levels[:-1]])
    found: dict[float, None] = {}
    for level, gap in zip(levels.tolist(), (levels - lowest).tolist(), strict=True):
        if gap > 0:
            unit = 10.0 ** math.floor(math.log10(gap))
            found[float(f"{round(level / unit) * unit:.12g}")] = None
    return list(found)


def _thinned(line) -> np.ndarray:
    """A line without every second point where it is straight: half as much travels to the browser."""
    before, here, after = line[:-2:2], line[1:-1:2], line[2::2]
    along, off = after - before, here - before
    area = np.abs(along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0])
    keep = np.ones(len(line), bool)
    keep[1:-1:2] = area > STRAIGHT * np.hypot(*along.T)
    return line[keep]


def _place_of_label(points, middle, plane: Plane):
    """The point of a contour that lies best in one direction from the lowest point, towards where there is
    most room, so that labels stand in a row."""
    left, right, top, bottom = plane.edges
    room = np.array(
        [right if middle[0] < (left + right) / 2 else left, top if middle[1] > (top + bottom) / 2 else bottom]
    )
    inside = (np.abs(points - [(left + right) / 2, (top + bottom) / 2]) < plane.side / 2 - 16).all(axis=-1)
    points = points[inside] if inside.any() else points
    way = (room - middle) / np.hypot(*(room - middle))
    ahead = points - middle
    off = np.abs(ahead[:, 0] * way[1] - ahead[:, 1] * way[0]) - 0.2 * (ahead @ way)
    return points[int(np.argmin(np.round(off, 3)))]
