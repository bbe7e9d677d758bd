"""Where the cards of a graph stand and how its arrows run: a layered layout, left to right.

The classic method (Sugiyama, Tagawa & Toda 1981): every node in a layer, as late as its consumers allow,
so that parameters stand near their use; invisible waypoints where an arrow crosses a layer; sweeps that
order each layer by the mean of its neighbours, keeping the best; then straightening.

What must hold: arrows run freely only in the gaps between columns and cross a column at a waypoint of
their own, so that no arrow passes through a card; the same graph gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 12
BETWEEN = 26  # vertical distance between neighbours in a column
WAYPOINT = 18  # the height that an arrow takes where it crosses a column


@dataclass(eq=False)
class Box:
    """A card (``key`` is its node's number) or a waypoint of an arrow; ``y`` is its middle."""

    width: float
    height: float
    layer: int
    key: int | None = None
    x: float = 0.0
    y: float = 0.0
    before: list[tuple[Box, float]] = field(default_factory=list)  # (neighbour, its port's share)
    after: list[tuple[Box, float]] = field(default_factory=list)


@dataclass
class Arrow:
    """An arrow from card ``source`` to port ``port`` of ``ports`` of card ``target``."""

    source: int
    target: int
    port: int
    ports: int
    through: list[Box] = field(default_factory=list)


@dataclass
class Layout:
    """The result: boxes of the cards in the nodes' order, arrows, columns (left, right), the size."""

    boxes: list[Box]
    arrows: list[Arrow]
    columns: list[tuple[float, float]]
    width: float
    height: float


def lay_out(sizes, inputs, gap_widths, margin=14.0) -> Layout:
    """Place cards of ``sizes[i]`` = (width, height), where ``inputs[i]`` lists the nodes that i reads.

    Nodes come in topological order. ``gap_widths(layer_of)``, given the nodes' layers, says how wide the
    gap to the left of each layer must be.
    """
    layer_of = _layers(inputs)
    count = max(layer_of) + 1
    boxes = [Box(w, h, layer, i) for i, ((w, h), layer) in enumerate(zip(sizes, layer_of, strict=True))]
    layers: list[list[Box]] = [[] for _ in range(count)]
    for box in boxes:
        layers[box.layer].append(box)
    arrows = [
        _connect(boxes, layers, source, target, port, len(sources))
        for target, sources in enumerate(inputs)
        for port, source in enumerate(sources)
    ]
    _order(layers)
    _straighten(layers)
    columns, x = [], margin
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
            box.y += margin - top
    bottom = max(box.y + box.height / 2 for layer in layers for box in layer)
    return Layout(boxes, arrows, columns, x + margin, bottom + margin)


def _layers(inputs) -> list[int]:
    """Each node's layer: as far right as the nodes that read it allow."""
    distance = [0] * len(inputs)
    for target in reversed(range(len(inputs))):
        for source in inputs[target]:
            distance[source] = max(distance[source], distance[target] + 1)
    return [max(distance) - d for d in distance]


def _connect(boxes, layers, source, target, port, ports) -> Arrow:
    """An arrow, with a waypoint in every layer that it passes."""
    arrow = Arrow(source, target, port, ports)
    last = boxes[source]
    for layer in range(boxes[source].layer + 1, boxes[target].layer):
        waypoint = Box(0, WAYPOINT, layer)
        layers[layer].append(waypoint)
        arrow.through.append(waypoint)
        _join(last, waypoint, 0.5)
        last = waypoint
    _join(last, boxes[target], (port + 1) / (ports + 1))
    return arrow


def _join(left, right, share):
    left.after.append((right, share))
    right.before.append((left, 0.5))


def port_y(box: Box, port: int, ports: int) -> float:
    """Where arrow number ``port`` of ``ports`` enters a card."""
    return box.y + box.height * ((port + 1) / (ports + 1) - 0.5)


# ------------------------------------------------------------------------------------ order in a layer


def _order(layers):
    """Sort the layers in place so that few arrows cross; the best order seen is kept."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for layer in layers if forwards else reversed(layers):
            rank = {id(box): i for row in layers for i, box in enumerate(row)}
            means = {}
            for box in layer:
                neighbours = box.before if forwards else box.after
                places = [rank[id(other)] + share for other, share in neighbours]
                means[id(box)] = sum(places) / len(places) if places else rank[id(box)] + 0.5
            layer.sort(key=lambda box: means[id(box)])
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, order in zip(layers, best, strict=True):
        layer[:] = order


def _crossings(layers) -> int:
    total = 0
    for layer, following in pairwise(layers):
        rank = {id(box): i for i, box in enumerate(following)}
        ends = [
            (i, rank[id(other)] + share)
            for i, box in enumerate(layer)
            for other, share in sorted(box.after, key=lambda end: rank[id(end[0])] + end[1])
        ]
        total += sum(a[0] < b[0] and a[1] > b[1] for k, a in enumerate(ends) for b in ends[k + 1 :])
    return total


# ------------------------------------------------------------------------------------------ straightening


def _straighten(layers):
    """Heights: every box near the mean of the ends of its arrows, in order, at least BETWEEN apart."""
    for layer in layers:
        spread_out(layer, [0.0] * len(layer))
    for sweep in range(2 * SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            wanted = []
            for box in layer:
                ends = [other.y + other.height * (share - 0.5) for other, share in box.after]
                for other, _ in box.before:
                    shares = [share for end, share in other.after if end is box]
                    ends += [other.y - box.height * (s - 0.5) for s in shares[:1]]
                wanted.append(sum(ends) / len(ends) if ends else box.y)
            spread_out(layer, wanted)


def spread_out(boxes, wanted, between=BETWEEN):
    """Move ``boxes`` (in order, top to bottom) as near to ``wanted`` as their heights allow.

    Least squares under an order: the pool-adjacent-violators method (Barlow et al. 1972).
    """
    offsets, y = [], 0.0
    for i, box in enumerate(boxes):
        y += (boxes[i - 1].height + box.height) / 2 + between if i else 0
        offsets.append(y)
    pools: list[list[float]] = []  # [mean of wanted − offset, how many boxes]
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append([want - offset, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            pools[-1] = [
                (pools[-1][0] * pools[-1][1] + mean * count) / (pools[-1][1] + count),
                pools[-1][1] + count,
            ]
    shifts = [mean for mean, count in pools for _ in range(count)]
    for box, shift, offset in zip(boxes, shifts, offsets, strict=True):
        box.y = shift + offset
