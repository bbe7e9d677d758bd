"""What is known in a graph at every position of a run: the bridge from step records to pictures.

A run has one or more rounds. A round opens with a position at which only the leaves are known: position 0,
and in later rounds the moment when the next batch stands at the leaves and the parameters were updated.
Position k of a round is after its first k records, and record k − 1 is the one being looked at. A picture
of a graph as it stands is a timeline with the single position 0.

What must hold: nothing is computed here; every number comes from a record or from a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.records import SoFar, Step


class Span(NamedTuple):
    """What holds from position ``start`` up to, but not including, position ``end``."""

    start: int
    end: int
    what: Any


@dataclass
class Timeline:
    """``known``: the values of each node. ``arrived``: the running sums of its gradient (:class:`SoFar`).
    ``carried``: the contribution that has come along the arrow (node, argument), None where only the
    arrow is known. Each is a list of spans in order; where there is none, it is unknown. ``active``: the
    positions at which a node or an arrow is being looked at."""

    cost: Node
    nodes: list[Node]
    length: int = 1
    known: dict[Node, list[Span]] = field(default_factory=dict)
    arrived: dict[Node, list[Span]] = field(default_factory=dict)
    carried: dict[tuple[Node, int], list[Span]] = field(default_factory=dict)
    active: dict[object, list[int]] = field(default_factory=dict)

    def state(self, node: Node, position: int) -> str:
        """``unknown``, ``known``, ``partial`` or ``gradient``."""
        so_far = at(self.arrived.get(node, ()), position)
        if so_far is not None:
            return "gradient" if so_far.arrived == so_far.of else "partial"
        return "unknown" if at(self.known.get(node, ()), position) is None else "known"

    def state_changes(self, node: Node) -> list[tuple[int, str]]:
        """(position, new state), from position 0 on."""
        spans = [*self.known.get(node, ()), *self.arrived.get(node, ())]
        changes: list[tuple[int, str]] = []
        for start in sorted({0, *(edge for s in spans for edge in s[:2] if edge < self.length)}):
            state = self.state(node, start)
            if not changes or changes[-1][1] != state:
                changes.append((start, state))
        return changes

    def unknown(self, node: Node) -> list[Span]:
        """The spans without a value."""
        spans = [Span(0, 0, None), *self.known.get(node, ()), Span(self.length, self.length, None)]
        return [Span(a.end, b.start, None) for a, b in pairwise(spans) if a.end < b.start]


def at(spans: Iterable[Span], position: int) -> Any:
    """What holds at ``position``; None where nothing does."""
    return next((what for start, end, what in spans if start <= position < end), None)


def of_steps(J: Node, steps: list[Step]) -> Timeline:
    """The timeline of one run through both passes."""
    return of_rounds(J, [steps])


def of_rounds(J: Node, rounds: list[list[Step]], end: Mapping[Node, np.ndarray] | None = None) -> Timeline:
    """The timeline of several rounds of both passes over the same nodes, as in learning.

    Each round is the records of :func:`bl.steps`, made with that round's values at the
    leaves. It takes ``len(round) + 1`` positions: at the first its leaves get their values, and whatever
    is computed from them is unknown again. ``end``: the values of leaves that the last update changed,
    for one last position.
    """
    length = sum(len(steps) + 1 for steps in rounds) + (end is not None)
    line = Timeline(J, topological_order(J), length)
    first = 0
    for steps in rounds:
        _leaves(line, first, first + len(steps) + 1, _given(steps))
        _round(line, first, first + len(steps) + 1, steps)
        first += len(steps) + 1
    if end is not None:
        _leaves(line, first, length, _given(rounds[-1]) | dict(end))
    return line


def _given(steps) -> dict[Node, np.ndarray]:
    """The values of the leaves that a round starts from."""
    given: dict[Node, np.ndarray] = {}
    for step in steps:
        for node, value in zip(step.node.inputs, step.inputs, strict=True):
            if node.rule is None:
                given.setdefault(node, value)
        if step.node.rule is None:  # a cost that is itself a leaf
            given.setdefault(step.node, step.value)
    return given


def _leaves(line, first, end, given):
    """Give leaves their values: one that stays prolongs its span, one that changes is looked at."""
    for node, value in given.items():
        spans = line.known.setdefault(node, [])
        if spans and _same(spans[-1].what, value):
            spans[-1] = spans[-1]._replace(end=end)
        else:
            if spans:
                line.active.setdefault(node, []).append(first)
            spans.append(Span(first, end, value))


def _same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _round(line, first, end, steps):
    for after, step in enumerate(steps, first + 1):
        if step.phase == "forward":
            line.known.setdefault(step.node, []).append(Span(after, end, step.value))
            line.active.setdefault(step.node, []).append(after)
            continue
        if step.contribution is None:  # refused, in a run with a bug: nothing arrives
            line.active.setdefault(step.receiver, []).append(after)
            continue
        _until(after, line.arrived.setdefault(step.receiver, [])).append(Span(after, end, step.so_far))
        line.active.setdefault(step.receiver, []).append(after)
        if step.argument is not None:
            arrow = step.node, step.argument
            _until(after, line.carried.setdefault(arrow, [])).append(Span(after, end, step.contribution))
            line.active.setdefault(arrow, []).append(after)


def _until(position, spans):
    """``spans``, the last of them cut off at ``position``, where another one begins."""
    if spans and spans[-1].end > position:
        spans[-1] = spans[-1]._replace(end=position)
    return spans


def of_state(J: Node) -> Timeline:
    """The graph as it stands now."""
    line = Timeline(J, topological_order(J))
    for node in line.nodes:
        if node.value is not None:
            line.known[node] = [Span(0, 1, node.value)]
            if node.grad is not None:
                line.arrived[node] = [Span(0, 1, SoFar(node.grad, 1, 1))]
    for node in line.nodes:
        for argument, receiver in enumerate(node.inputs):
            if node in line.arrived and receiver in line.arrived:
                line.carried[node, argument] = [Span(0, 1, None)]
    return line
