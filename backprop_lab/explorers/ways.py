"""All paths from one node to the cost, found in the records of one run of both passes.

What must hold: paths are counted without being listed, since there may be more than could ever be walked;
nothing recurses over the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.passes.records import Step


def receiver_of(arrow: Step) -> Node:
    """The node that an arrow of the backward pass leads to."""
    assert arrow.receiver is not None  # only the records of the forward pass have none
    return arrow.receiver


class Path(NamedTuple):
    """The records of the arrows from x to J, and what they bring to x."""

    arrows: tuple[Step, ...]
    contribution: np.ndarray


class Ways:
    """All paths from ``x`` to the cost, in the records of one run of both passes.

    ``arrows`` are the records of all arrows that lie on a path, ``count`` is the number of paths, and
    ``multiplications`` how many multiplications all of them take together.
    """

    def __init__(self, records: list[Step], x: Node):
        self.x = x
        self.seed = next(r for r in records if r.is_seed)
        count, length = {x: 1}, {x: 0}  # of the paths from x to each node
        self.arrows: list[Step] = []
        for record in reversed([r for r in records if r.argument is not None]):  # x's side first
            node, receiver = record.node, receiver_of(record)
            if receiver in count:
                self.arrows.append(record)
                count[node] = count.get(node, 0) + count[receiver]
                length[node] = length.get(node, 0) + length[receiver] + count[receiver]
        self.count = count.get(self.seed.node, 0)
        self.multiplications = length.get(self.seed.node, 0)

    @property
    def gradient(self) -> np.ndarray:
        """∂J/∂x of the backward pass."""
        # the arrows are in the reverse order of the pass: the first one to x arrived last
        so_far = next(arrow for arrow in self.arrows if arrow.receiver is self.x).so_far
        assert so_far is not None  # true of every record of the backward pass
        return so_far.sum

    def __iter__(self) -> Iterator[Path]:
        """Each path in turn; those that share their last arrows come together, in the order in which the
        formula names them."""
        into: dict[Node, list[Step]] = {}  # {node: its arrows, the last argument first}
        for record in self.arrows:
            into.setdefault(record.node, []).append(record)
        for records in into.values():
            records.sort(key=lambda record: -record.place)
        if not self.count:
            return
        seed = self.seed.contribution
        assert seed is not None  # no bug has stopped this pass
        waiting: list[tuple[Node, _Trail | None, np.ndarray]] = [(self.seed.node, None, seed)]
        while waiting:
            node, trail, flow = waiting.pop()
            if node is self.x:
                yield Path(_arrows_of(trail), flow)
                continue
            for arrow in into[node]:
                waiting.append((receiver_of(arrow), _Trail(arrow, trail), arrow.flow(flow)))


class _Trail(NamedTuple):
    """The way from the cost down to a node: the last arrow, and the trail before it."""

    arrow: Step
    before: _Trail | None


def _arrows_of(trail: _Trail | None) -> tuple[Step, ...]:
    """The arrows of a trail, the last one first."""
    arrows = []
    while trail:
        arrows.append(trail.arrow)
        trail = trail.before
    return tuple(arrows)
