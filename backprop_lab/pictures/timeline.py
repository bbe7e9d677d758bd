"""What is known in a graph at every position of a run: the bridge from step records to pictures.

Position 0 is before anything has been computed, when only the leaves are known; position k is after the
first k records, and record k − 1 is the one being looked at. A picture of a graph as it stands is a
timeline with the single position 0.

What must hold: nothing is computed here; every number comes from a record or from a node.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from backprop_lab.graph import Node, topological_order
from backprop_lab.records import SoFar, Step


@dataclass
class Timeline:
    """``known``: when a node got which value. ``arrived``: the running sums of its gradient. ``carried``:
    when which contribution came along the arrow (node, argument). ``active``: the positions at which a
    node or an arrow is being looked at."""

    cost: Node
    nodes: list[Node]
    length: int = 1
    known: dict[Node, tuple[int, np.ndarray]] = field(default_factory=dict)
    arrived: dict[Node, list[tuple[int, SoFar]]] = field(default_factory=dict)
    carried: dict[tuple[Node, int], tuple[int, np.ndarray | None]] = field(default_factory=dict)
    active: dict[object, list[int]] = field(default_factory=dict)

    def state(self, node: Node, position: int) -> str:
        """``unknown``, ``known``, ``partial`` or ``gradient``."""
        sums = [so_far for start, so_far in self.arrived.get(node, ()) if start <= position]
        if sums:
            return "gradient" if sums[-1].arrived == sums[-1].of else "partial"
        start = self.known.get(node, (position + 1,))[0]
        return "known" if start <= position else "unknown"

    def state_changes(self, node: Node) -> list[tuple[int, str]]:
        """(position, new state), from position 0 on."""
        starts = sorted({0, self.known.get(node, (0,))[0], *(s for s, _ in self.arrived.get(node, ()))})
        changes = []
        for start in starts:
            state = self.state(node, start)
            if not changes or changes[-1][1] != state:
                changes.append((start, state))
        return changes


def of_steps(J: Node, steps: list[Step]) -> Timeline:
    """The timeline of a whole run."""
    line = Timeline(J, topological_order(J), length=len(steps) + 1)
    for step in steps:
        for node, value in zip(step.node.inputs, step.inputs, strict=True):
            if node.rule is None:
                line.known.setdefault(node, (0, value))
        after = step.index + 1
        if step.phase == "forward":
            line.known[step.node] = (after, step.value)
            line.active.setdefault(step.node, []).append(after)
            continue
        line.known.setdefault(step.node, (0, step.value))  # a cost that is itself a leaf
        line.arrived.setdefault(step.receiver, []).append((after, step.so_far))
        line.active.setdefault(step.receiver, []).append(after)
        if step.argument is not None:
            line.carried.setdefault((step.node, step.argument), (after, step.contribution))
            line.active.setdefault((step.node, step.argument), []).append(after)
    return line


def of_state(J: Node) -> Timeline:
    """The graph as it stands now."""
    line = Timeline(J, topological_order(J))
    for node in line.nodes:
        if node.value is not None:
            line.known[node] = (0, node.value)
            if node.grad is not None:
                line.arrived[node] = [(0, SoFar(node.grad, 1, 1))]
    for node in line.nodes:
        for argument, receiver in enumerate(node.inputs):
            if node in line.arrived and receiver in line.arrived:
                line.carried[node, argument] = (0, None)
    return line
