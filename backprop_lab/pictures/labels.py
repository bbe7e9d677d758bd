"""Where the numbers stand that travel on arrows: each on its own arrow, in the gap before the card that
sends them.

What must hold: no label covers another one or a card; it covers other arrows only where all places do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from backprop_lab.pictures.layout import MARGIN, Arrow, Layout, port_y

ACROSS, DOWN = 3, 9  # places that are tried for a label: across the gap, along its arrow
BETWEEN = 3.0  # between labels
CLEARANCE = 4.0  # an arrow so near to a label counts as covered: its gradient comes back beside it
STEP = 8.0  # by which a label leaves its arrow where there is no room on it
SIBLING, OTHER = 0.4, 1.0  # the cost of covering another arrow; siblings leave the same card


@dataclass
class Label:
    """A label's middle and size."""

    x: float
    y: float
    width: float
    height: float


def way(layout: Layout, arrow: Arrow) -> list[tuple[float, float]]:
    """An arrow's way: (x, y) pairs between which it runs straight and curves, in turn."""
    boxes, columns = layout.boxes, layout.columns
    source, target = boxes[arrow.source], boxes[arrow.target]
    points = [(source.x + source.width / 2, source.y), (columns[source.layer][1], source.y)]
    for waypoint in arrow.through:
        left, right = columns[waypoint.layer]
        points += [(left, waypoint.y), (right, waypoint.y)]
    y = port_y(target, arrow.share)
    return [*points, (columns[target.layer][0], y), (target.x - target.width / 2, y)]


def place_labels(layout: Layout, sizes: dict[tuple[int, int], tuple[float, float]]) -> dict:
    """{(target, port): :class:`Label`} for labels of ``sizes`` (width, height) on these arrows."""
    ways = {(arrow.target, arrow.port): way(layout, arrow) for arrow in layout.arrows}
    gaps: dict[int, list] = {}
    for arrow in layout.arrows:
        points, layer = ways[arrow.target, arrow.port], layout.boxes[arrow.source].layer
        for i in range(1, len(points) - 1, 2):
            layer += 1
            gaps.setdefault(layer, []).append((arrow, points[i], points[i + 1]))
    placed = {}
    for layer in sorted(gaps):
        pieces = gaps[layer]
        ending = [layout.boxes[arrow.target].layer == layer for arrow, _, _ in pieces]
        labelled = [(arrow.target, arrow.port) in sizes for arrow, _, _ in pieces]
        placed |= _in_gap(pieces, [i for i, both in enumerate(zip(ending, labelled)) if all(both)], sizes)
    _make_room(layout, list(placed.values()))
    return placed


def _in_gap(pieces, wanted, sizes) -> dict:
    """The labels of the pieces ``wanted``, in one gap, from top to bottom."""
    (left, _), (right, _) = pieces[0][1:]  # the same for all of them: the gap's edges
    starts = np.array([start[1] for _, start, _ in pieces])
    ends = np.array([end[1] for _, _, end in pieces])
    sources = np.array([arrow.source for arrow, _, _ in pieces])

    def heights(x):
        """The heights of all arrows at each x."""
        return starts + (ends - starts) * _fallen((x[:, None] - left) / (right - left))

    taken = np.empty((0, 4))  # middle, half width and half height of the labels that stand
    placed = {}
    for i in sorted(wanted, key=lambda i: ends[i] + starts[i]):
        arrow = pieces[i][0]
        half = np.array(sizes[arrow.target, arrow.port]) / 2
        x = np.linspace(left + half[0] + 2, right - half[0] - 2, ACROSS)
        y = np.linspace(heights(x - half[0])[:, i], heights(x + half[0])[:, i], DOWN)
        places = np.stack([np.broadcast_to(x, y.shape), y], axis=-1).reshape(-1, 2)
        tried, free = places, _free(places, half, taken)
        for away in count(STEP, STEP):
            if free.any():
                break
            shift = np.array([0.0, away])
            tried = np.concatenate([places - shift, places + shift])
            free = _free(tried, half, taken)
        tried = tried[free]
        one, other = heights(tried[:, 0] - half[0]), heights(tried[:, 0] + half[0])
        reach = tried[:, 1:] + half[1] * np.array([-1.0, 1.0])
        covered = (np.maximum(one, other) > reach[:, :1] - CLEARANCE) & (
            np.minimum(one, other) < reach[:, 1:] + CLEARANCE
        )
        weights = np.where(sources == sources[i], SIBLING, OTHER)
        weights[i] = 0.0
        far = np.abs(tried - places.mean(axis=0)).sum(axis=1)
        x, y = tried[np.argmin(np.round(covered @ weights + far / 1000, 6))]
        taken = np.vstack([taken, [x, y, *half]])
        placed[arrow.target, arrow.port] = Label(float(x), float(y), *(2 * half).tolist())
    return placed


def _free(places, half, taken):
    """Which of ``places`` cover none of the labels ``taken``."""
    apart = np.abs(places[:, None] - taken[:, :2]) >= half + taken[:, 2:] + BETWEEN
    return apart.any(axis=2).all(axis=1)


def _make_room(layout, labels):
    """A label that sticks out at the top or at the bottom makes the picture higher."""
    top = min((label.y - label.height / 2 for label in labels), default=MARGIN) - MARGIN
    for thing in (box for box in (*layout.boxes, *layout.waypoints(), *labels) if top < 0):
        thing.y -= top
    bottom = max((label.y + label.height / 2 for label in labels), default=0.0) + MARGIN
    layout.height = max(layout.height - min(top, 0.0), bottom)


_SHARES = np.linspace(0.0, 1.0, 65)
_WIDTHS = 1.5 * _SHARES * (1 - _SHARES) + _SHARES**3


def _fallen(across):
    """Which share of its height a curve of ``pen.path`` has behind it at a share of its width: it is a cubic
    one with its handles in the middle."""
    t = np.interp(across, _WIDTHS, _SHARES)
    return 3 * t**2 - 2 * t**3
