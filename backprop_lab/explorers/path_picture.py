"""The picture of a graph in which the paths are lit one after the other, and finally all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backprop_lab.explorers.ways import Path, Ways, receiver_of
from backprop_lab.graph.node import Node
from backprop_lab.passes.records import Step
from backprop_lab.pictures import timeline
from backprop_lab.pictures.folding import LEAST_CARDS, READABLE_CARDS, Group, all_but, foldings, shown_first
from backprop_lab.pictures.svg import Picture
from backprop_lab.pictures.timeline import Span, Timeline

ROOM = 10.0  # pixels at both ends of an arrow, beside the rings around the cards on a path


class Lit(NamedTuple):
    """The picture with one path lit, or with all of them."""

    picture: Picture
    position: int
    title: str

    def svg(self, words: str = "", palette: str | None = None) -> str:
        """The picture at this position; its description is the graph's own, not ``words``."""
        return self.picture.still(self.position, palette) if palette else self.picture.frame(self.position)


def picture_of(J: Node, records: list[Step], ways: Ways, found: list[Path]) -> Picture:
    """A picture that lights the k-th path of ``found`` at position k, and all arrows of ``ways`` at the end.

    In a large graph, what these paths have in common is folded.
    """
    run = timeline.of_steps(J, records)
    length = len(found) + 2
    known = {node: [Span(0, length, spans[-1].what)] for node, spans in run.known.items()}
    line = Timeline(J, run.nodes, length, known)
    lit = [*(path.arrows for path in found), ways.arrows]
    groups = [Group((node,)) for node in line.nodes]
    level = "all"
    if len(groups) > READABLE_CARDS:
        groups, level = all_but(line.nodes, _apart(found)), "blocks"
        if not LEAST_CARDS <= len(groups) <= READABLE_CARDS:
            folded = foldings(line.nodes)
            level = shown_first(folded)
            groups = dict(folded)[level]
    alone = {group.output for group in groups if len(group.nodes) == 1}
    for position, arrows in enumerate(lit, 1):
        for arrow in arrows:
            assert arrow.argument is not None  # as of every arrow
            key, local = (arrow.node, arrow.argument), arrow.local
            number = _seen(local) if isinstance(local, np.ndarray) and arrow.node in alone else None
            line.carried.setdefault(key, []).append(Span(position, position + 1, number))
            line.active.setdefault(key, []).append(position)
        for node in dict.fromkeys(n for arrow in arrows for n in (receiver_of(arrow), arrow.node)):
            line.active.setdefault(node, []).append(position)
    return Picture(line, groups, level, room=ROOM)


def _seen(local: np.ndarray) -> np.ndarray:
    """A local Jacobian of one entry is a number."""
    return local.reshape(()) if local.size == 1 else local


def _apart(found: list[Path]) -> set[Node]:
    """The ends of all arrows that lie on some of the paths but not on all of them; and x."""
    every = set.intersection(*(set(path.arrows) for path in found))
    apart = {arrow for path in found for arrow in path.arrows} - every
    return {receiver_of(found[0].arrows[0]), *(node for a in apart for node in (a.node, receiver_of(a)))}
