"""All paths from one node to the cost, as they stand in the records of one run of both passes.

What must hold: paths are counted without being listed, since they may be more than can ever be walked;
nothing recurses over the graph.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.passes.records import Step


class Path(NamedTuple):
    """The records of the arrows from x to J, and what they bring to x."""

    arrows: tuple[Step, ...]
    contribution: np.ndarray


class Ways:
    """All paths to ``x`` in the records of one run of both passes.

    ``arrows``: the records of the arrows on any of them. ``count`` of them; ``multiplications`` of all.
    """

    def __init__(self, records: list[Step], x: Node):
        self.x = x
        self.seed = next(r for r in records if r.is_seed)
        count, length = {x: 1}, {x: 0}  # of the paths from x to each node
        self.arrows = []
        for record in reversed([r for r in records if r.argument is not None]):  # x's side first
            node, receiver = record.node, record.receiver
            if receiver in count:
                self.arrows.append(record)
                count[node] = count.get(node, 0) + count[receiver]
                length[node] = length.get(node, 0) + length[receiver] + count[receiver]
        self.count = count.get(self.seed.node, 0)
        self.multiplications = length.get(self.seed.node, 0)

    @property
    def gradient(self) -> np.ndarray:
        """∂J/∂x of the backward pass."""
        # the arrows stand in the reverse order of the pass: the first one to x arrived last
        return next(arrow for arrow in self.arrows if arrow.receiver is self.x).so_far.sum

    def __iter__(self):
        """Each path in turn; those that share their last arrows follow each other, in the order in which
        the formula names them."""
        into = {}  # {node: its arrows, the last argument first}
        for record in self.arrows:
            into.setdefault(record.node, []).append(record)
        for records in into.values():
            records.sort(key=lambda record: -record.argument)
        waiting = [(self.seed.node, None, self.seed.contribution)] if self.count else []
        while waiting:
            node, behind, flow = waiting.pop()
            if node is self.x:
                arrows = []
                while behind:
                    arrow, behind = behind
                    arrows.append(arrow)
                yield Path(tuple(arrows), flow)
                continue
            for arrow in into[node]:
                waiting.append((arrow.receiver, (arrow, behind), arrow.flow(flow)))
