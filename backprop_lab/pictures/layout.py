"""Where the cards of a graph stand and how its arrows run: a layered layout, left to right.

The classic method (Sugiyama, Tagawa & Toda 1981): every card in a layer, as late as its readers allow, so
that parameters stand near their use; invisible waypoints where an arrow crosses a layer, shared by all
arrows from one card; sweeps that order each layer by the mean of its neighbours, keeping the best; then
heights, in which the longest way through the graph pulls hardest and becomes a straight spine.

What must hold: arrows run freely only in the gaps between columns and cross a column at a waypoint of
their own, so that no arrow passes through a card; the same graph gives the same numbers.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 16
BETWEEN = 26  # vertical distance between neighbours in a column
MARGIN = 14.0  # around the picture
WAYPOINT = 18  # the height that an arrow takes where it crosses a column
SPINE, TRUNK, BRANCH, LEAF = 60.0, 4.0, 1.0, 0.5  # how hard an arrow pulls its ends to one height
"""On the longest way through the graph; between waypoints; elsewhere; from a parameter."""


@dataclass(eq=False)
class Box:
    """A card (``key`` is its number) or a waypoint of an arrow; ``y`` is its middle."""

    width: float
    height: float
    layer: int
    key: int | None = None
    x: float = 0.0
    y: float = 0.0
    before: list[End] = field(default_factory=list)
    after: list[End] = field(default_factory=list)


class End(NamedTuple):
    """The other end of a piece of an arrow: at which shares of the left and the right box's height the piece
    starts and ends, and how hard it pulls."""

    box: Box
    left: float
    right: float
    pull: float


@dataclass
class Arrow:
    """An arrow from card ``source`` to port ``port`` of card ``target``, at ``share`` of its height."""

    source: int
    target: int
    port: int
    share: float
    through: list[Box] = field(default_factory=list)


@dataclass
class Layout:
    """Where everything stands: the cards' boxes in order, arrows, columns (left, right), the size."""

    boxes: list[Box]
    arrows: list[Arrow]
    columns: list[tuple[float, float]]
    width: float
    height: float

    def waypoints(self) -> set[Box]:
        """Those of all arrows, which may share them."""
        return {box for arrow in self.arrows for box in arrow.through}


def lay_out(
    sizes: Sequence[tuple[float, float]],
    inputs: Sequence[Sequence[int]],
    gap_widths: Callable[[list[int]], Sequence[float]],
) -> Layout:
    """Place cards of ``sizes[i]`` = (width, height), where ``inputs[i]`` lists the cards that i reads.

    Cards come in topological order. ``gap_widths(layer_of)``, given the cards' layers, says how wide the
    gap to the left of each layer must be.
    """
    layer_of = _layers(inputs)
    layers: list[list[Box]] = [[] for _ in range(max(layer_of) + 1)]
    boxes = [Box(w, h, layer, i) for i, ((w, h), layer) in enumerate(zip(sizes, layer_of, strict=True))]
    for box in boxes:
        layers[box.layer].append(box)
    arrows = _connect(boxes, layers, inputs)
    _order(layers)
    _straighten(layers)
    columns, x = [], MARGIN
    gaps = gap_widths(layer_of)
    for index, layer in enumerate(layers):
        x += gaps[index] if index else 0
        width = max((box.width for box in layer), default=0)
        for box in layer:
            box.x = x + width / 2
        columns.append((x, x + width))
        x += width
    top = min(box.y - box.height / 2 for layer in layers for box in layer)
    for layer in layers:
        for box in layer:
            box.y += MARGIN - top
    bottom = max(box.y + box.height / 2 for layer in layers for box in layer)
    return Layout(boxes, arrows, columns, x + MARGIN, bottom + MARGIN)


def _layers(inputs) -> list[int]:
    """Each card's layer: as far right as the cards that read it allow."""
    distance = [0] * len(inputs)
    for target in reversed(range(len(inputs))):
        for source in inputs[target]:
            distance[source] = max(distance[source], distance[target] + 1)
    return [max(distance) - d for d in distance]


def _connect(boxes, layers, inputs) -> list[Arrow]:
    """The arrows, with a waypoint in every layer that they pass."""
    depth: list[int] = []
    for sources in inputs:
        depth.append(1 + max((depth[s] for s in sources), default=-1))
    trunks: list[list[Box]] = [[box] for box in boxes]  # each card and the waypoints of its arrows
    arrows = []
    for target, sources in enumerate(inputs):
        spine = _spine([depth[s] for s in sources])
        for port, (source, share) in enumerate(zip(sources, _shares(len(sources), spine), strict=True)):
            trunk = trunks[source]
            passed = boxes[target].layer - boxes[source].layer
            while len(trunk) < passed:
                waypoint = Box(0, WAYPOINT, trunk[-1].layer + 1)
                layers[waypoint.layer].append(waypoint)
                _join(trunk[-1], waypoint, 0.5, TRUNK if len(trunk) > 1 else LEAF)
                trunk.append(waypoint)
            if port == spine and passed == 1 and depth[source] == boxes[source].layer:
                pull = SPINE
            elif inputs[source]:
                pull = TRUNK if port == spine else BRANCH
            else:
                pull = LEAF
            _join(trunk[passed - 1], boxes[target], share, pull)
            arrows.append(Arrow(source, target, port, share, trunk[1:passed]))
    return arrows


def _spine(depths) -> int | None:
    """The port at which the longest way comes in, if there is one."""
    longest = [port for port, depth in enumerate(depths) if depth == max(depths)]
    return longest[0] if len(longest) == 1 else None


def _shares(count, spine) -> list[float]:
    """At which shares of a card's height its arrows come in: in their order, the spine in the middle."""
    if spine is None:
        return [(port + 1) / (count + 1) for port in range(count)]
    above = [0.5 * (port + 1) / (spine + 1) for port in range(spine)]
    below = count - spine - 1
    return [*above, 0.5, *(0.5 + 0.5 * (port + 1) / (below + 1) for port in range(below))]


def _join(left, right, share, pull):
    left.after.append(End(right, 0.5, share, pull))
    right.before.append(End(left, 0.5, share, pull))


def port_y(box: Box, share: float) -> float:
    """The height at which an arrow enters a card."""
    return box.y + box.height * (share - 0.5)


# ------------------------------------------------------------------------------------ order in a layer


def _order(layers):
    """Sort the layers in place so that few arrows cross; the best order seen is kept."""
    rank = {box: i for layer in layers for i, box in enumerate(layer)}
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forwards = sweep % 2 == 0
        for layer in layers if forwards else reversed(layers):
            means = {}
            for box in layer:
                ends = box.before if forwards else box.after
                places = [rank[end.box] + (end.left if forwards else end.right) for end in ends]
                means[box] = sum(places) / len(places) if places else rank[box] + 0.5
            layer.sort(key=means.get)
            rank |= {box: i for i, box in enumerate(layer)}
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, order in zip(layers, best, strict=True):
        layer[:] = order


def _crossings(layers) -> int:
    """How many pairs of arrows cross: inversions, counted while their right ends are sorted in."""
    total = 0
    for layer, following in pairwise(layers):
        rank = {box: i for i, box in enumerate(following)}
        seen: list[float] = []
        for box in layer:
            ends = [rank[end.box] + end.right for end in box.after]
            total += sum(len(seen) - bisect(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


# ------------------------------------------------------------------------------------------ straightening


def _straighten(layers):
    """Heights: every box near where its arrows pull it, in order, at least BETWEEN apart.

    Sweeps to the right look to the left only, and the other way round, so that one sweep reaches the other
    end; the last ones look both ways.
    """
    for layer in layers:
        spread_out(layer, [0.0] * len(layer))
    for sweep in range(SWEEPS):
        forwards, both = sweep % 2 == 0, sweep >= SWEEPS - 4
        for layer in layers if forwards else reversed(layers):
            wanted, pulls = [], []
            for box in layer:
                pull = total = 0.0
                for end in box.before if forwards or both else ():
                    total += end.pull * (end.box.y - box.height * (end.right - 0.5))
                    pull += end.pull
                for end in box.after if not forwards or both else ():
                    total += end.pull * (end.box.y + end.box.height * (end.right - 0.5))
                    pull += end.pull
                wanted.append(total / pull if pull else box.y)
                pulls.append(pull or LEAF)
            spread_out(layer, wanted, pulls=pulls)


def spread_out(
    boxes: Sequence[Box],
    wanted: Sequence[float],
    between: float = BETWEEN,
    pulls: Sequence[float] | None = None,
):
    """Move ``boxes`` (in order, top to bottom) as near to ``wanted`` as their heights allow; larger ``pulls``
    bring a box nearer.

    Least squares under an order: the pool-adjacent-violators method (Barlow et al. 1972).
    """
    offsets, y = [], 0.0
    for i, box in enumerate(boxes):
        y += (boxes[i - 1].height + box.height) / 2 + between if i else 0
        offsets.append(y)
    pools: list[tuple[float, float, int]] = []  # (mean of wanted − offset, their pull, how many boxes)
    for want, offset, pull in zip(wanted, offsets, pulls or [1.0] * len(boxes), strict=True):
        pool = (want - offset, pull, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, pull, count = pools.pop()
            both = pull + pool[1]
            pool = ((mean * pull + pool[0] * pool[1]) / both, both, count + pool[2])
        pools.append(pool)
    shifts = [mean for mean, _, count in pools for _ in range(count)]
    for box, shift, offset in zip(boxes, shifts, offsets, strict=True):
        box.y = shift + offset
