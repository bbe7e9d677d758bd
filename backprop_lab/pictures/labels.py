"""Where the numbers that travel on arrows stand: each on its own arrow, in the gap before the card that
sends them.

What must hold: no label covers another one or a card; it covers other arrows only where all places do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backprop_lab.pictures.layout import MARGIN, Arrow, Layout, port_y

ACROSS, DOWN = 3, 9  # places that are tried for a label: across the gap, along its arrow
BETWEEN = 3.0  # between labels
CLEARANCE = 4.0  # an arrow so near to a label counts as covered: its gradient comes back beside it
STEP = 8.0  # by which a label moves off its arrow where there is no room on it
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


def place_labels(
    layout: Layout, sizes: dict[tuple[int, int], tuple[float, float]]
) -> dict[tuple[int, int], Label]:
    """{(target, port): :class:`Label`} for labels of ``sizes`` (width, height) on these arrows."""
    ways = {(arrow.target, arrow.port): way(layout, arrow) for arrow in layout.arrows}
    gaps: dict[int, list] = {}
    for arrow in layout.arrows:
        points, layer = ways[arrow.target, arrow.port], layout.boxes[arrow.source].layer
        for i in range(1, len(points) - 1, 2):
            layer += 1
            gaps.setdefault(layer, []).append((arrow, points[i], points[i + 1]))
    placed: dict[tuple[int, int], Label] = {}
    for layer in sorted(gaps):
        pieces = gaps[layer]
        ending = [layout.boxes[arrow.target].layer == layer for arrow, _, _ in pieces]
        labelled = [(arrow.target, arrow.port) in sizes for arrow, _, _ in pieces]
        placed |= _in_gap(pieces, [i for i, both in enumerate(zip(ending, labelled)) if all(both)], sizes)
    _make_room(layout, list(placed.values()))
    return placed


def _in_gap(pieces, wanted, sizes) -> dict:
    """The labels of the pieces ``wanted``, in one gap, from top to bottom."""
    gap = _Gap(pieces)
    taken = np.empty((0, 4))  # middle, half width and half height of the labels that stand
    placed = {}
    for i in sorted(wanted, key=lambda i: gap.ends[i] + gap.starts[i]):
        arrow = pieces[i][0]
        half = np.array(sizes[arrow.target, arrow.port]) / 2
        along = gap.places_along(i, half)
        places = _free_places(along, half, taken)
        away = np.abs(places - along.mean(axis=0)).sum(axis=1)
        x, y = places[np.argmin(np.round(gap.covered(i, places, half) + away / 1000, 6))]
        taken = np.vstack([taken, [x, y, *half]])
        placed[arrow.target, arrow.port] = Label(float(x), float(y), *(2 * half).tolist())
    return placed


class _Gap:
    """The pieces of arrows in the gap between two columns: where they start and end, whose they are."""

    def __init__(self, pieces):
        (self.left, _), (self.right, _) = pieces[0][1:]  # the gap's edges, common to all of them
        self.starts = np.array([start[1] for _, start, _ in pieces])
        self.ends = np.array([end[1] for _, _, end in pieces])
        self.sources = np.array([arrow.source for arrow, _, _ in pieces])

    def heights(self, x) -> np.ndarray:
        """The heights of all arrows at each x."""
        fallen = _fallen((x[:, None] - self.left) / (self.right - self.left))
        return self.starts + (self.ends - self.starts) * fallen

    def places_along(self, i, half) -> np.ndarray:
        """Places (x, y) for a label of this half size on arrow ``i``."""
        x = np.linspace(self.left + half[0] + 2, self.right - half[0] - 2, ACROSS)
        y = np.linspace(self.heights(x - half[0])[:, i], self.heights(x + half[0])[:, i], DOWN)
        return np.stack([np.broadcast_to(x, y.shape), y], axis=-1).reshape(-1, 2)

    def covered(self, i, places, half) -> np.ndarray:
        """The cost, at each place, of the other arrows that arrow ``i``'s label covers there."""
        one, other = self.heights(places[:, 0] - half[0]), self.heights(places[:, 0] + half[0])
        top, bottom = places[:, 1:] - half[1] - CLEARANCE, places[:, 1:] + half[1] + CLEARANCE
        weights = np.where(self.sources == self.sources[i], SIBLING, OTHER)
        weights[i] = 0.0
        return ((np.maximum(one, other) > top) & (np.minimum(one, other) < bottom)) @ weights


def _free_places(places, half, taken) -> np.ndarray:
    """Those of ``places`` that cover no label; if all do, the nearest above and below that cover none."""
    tried, away = places, 0.0
    while not (free := _free(tried, half, taken)).any():
        away += STEP
        shift = np.array([0.0, away])
        tried = np.concatenate([places - shift, places + shift])
    return tried[free]


def _free(places, half, taken):
    """Which of ``places`` cover none of the labels ``taken``."""
    apart = np.abs(places[:, None] - taken[:, :2]) >= half + taken[:, 2:] + BETWEEN
    return apart.any(axis=2).all(axis=1)


def _make_room(layout, labels):
    """Make the picture higher where a label sticks out at the top or at the bottom."""
    top = min((label.y - label.height / 2 for label in labels), default=MARGIN) - MARGIN
    for thing in (box for box in (*layout.boxes, *layout.waypoints(), *labels) if top < 0):
        thing.y -= top
    bottom = max((label.y + label.height / 2 for label in labels), default=0.0) + MARGIN
    layout.height = max(layout.height - min(top, 0.0), bottom)


_SHARES = np.linspace(0.0, 1.0, 65)
_WIDTHS = 1.5 * _SHARES * (1 - _SHARES) + _SHARES**3


def _fallen(across):
    """How far down a curve of ``pen.path`` is, as a share of its height, at a share of its width: it is a
    cubic whose handles lie halfway."""
    t = np.interp(across, _WIDTHS, _SHARES)
    return 3 * t**2 - 2 * t**3
