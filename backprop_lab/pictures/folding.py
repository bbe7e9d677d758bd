"""Folding a graph: which nodes share a card, so that a large graph can still be read.

A group is a node, its *output*, together with nodes that are read by nobody outside the group. So a group
has one value and one gradient that the rest of the graph sees, those of its output, and putting a group
into the only one that reads it makes a group again, and never a cycle.

Three levels: ``all``, every node by itself; ``blocks``, what has a name of its own, with unnamed nodes inside
what they feed; ``outline``, as few groups as can be grasped at a glance.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Sized
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from backprop_lab.graph.node import Node

LEVELS = ("all", "blocks", "outline")
UNFOLDED_CARDS = 16  # a picture of so many needs no folding
OUTLINE_CARDS = 12  # so many are grasped at a glance: an outline has no more
LEAST_CARDS = 4  # a picture of fewer says nothing
READABLE_CARDS = 30  # so many can be read one by one: a level with more is not shown first
MOST_CARDS = 250  # so many can be looked through: a level with more is not made
COARSER = 0.75  # a coarser level has at most this share of the finer level's cards, or is not made


@dataclass(frozen=True)
class Group:
    """Nodes in topological order, the last of them the output."""

    nodes: tuple[Node, ...]

    @property
    def output(self) -> Node:
        return self.nodes[-1]


def foldings(nodes: list[Node]) -> list[tuple[str, list[Group]]]:
    """(name, groups in topological order) of each level, finest first.

    A level that would hardly differ from a finer one is left out, and so is one of more than 250 cards. A
    graph of up to 16 nodes has only ``all``; every larger one has a level of at most about 12 cards.
    """
    folded = _Folded(nodes)
    levels = [("all", folded.groups())] if folded.count <= MOST_CARDS else []
    if folded.count <= UNFOLDED_CARDS:
        return levels
    fewest = OUTLINE_CARDS if folded.count > READABLE_CARDS else LEAST_CARDS  # for what is shown first
    for enough, may_fold in (
        (OUTLINE_CARDS, _is_unnamed),
        (OUTLINE_CARDS, _is_used_once),
        (READABLE_CARDS, _is_overwritten),
    ):
        if folded.count > enough:
            further = folded.copy()
            further.fold(may_fold)
            folded = further if further.count >= fewest else folded
    if folded.count <= min(COARSER * len(nodes), MOST_CARDS):
        levels.append(("blocks", folded.groups()))
    if not levels or COARSER * len(levels[-1][1]) >= OUTLINE_CARDS:
        folded.fold(_is_leaf, until=LEAST_CARDS)
        folded.fold(_is_anything, until=OUTLINE_CARDS)
        levels.append(("outline", folded.groups()))
    return levels


def all_but(nodes: list[Node], kept: set[Node]) -> list[Group]:
    """The groups, in topological order, with all folded but ``kept``: each of those nodes stays a card by
    itself."""
    folded = _Folded(nodes)
    folded.fold(lambda node, readers: node not in kept and kept.isdisjoint(readers))
    return folded.groups()


def _is_unnamed(node, readers):
    return node.name is None


def _is_used_once(node, readers):
    return node.leaf_kind == "variable"


def _is_overwritten(node, readers):
    """``total = total + x``: the name has come to mean what is computed from the node."""
    return all(reader.name == node.name for reader in readers)


def _is_leaf(node, readers):
    return node.rule is None


def _is_anything(node, readers):
    return True


def shown_first(levels: Sequence[tuple[str, Sized]], wish: str | None = None) -> str:
    """The name of the level to begin with: the finest of at most 30 cards, or else the last.

    ``levels``: what :func:`foldings` gives, or :func:`backprop_lab.pictures.svg.levels`. ``wish``: a
    level's name; where it is not made, the nearest that is.
    """
    names = [name for name, _ in levels]
    if wish is None:
        return next((name for name, cards in levels if len(cards) <= READABLE_CARDS), names[-1])
    return min(names, key=lambda name: abs(LEVELS.index(name) - LEVELS.index(wish)))


class _Folded:
    """A graph while it is being folded: for each group's output its nodes, its readers, what it reads."""

    def __init__(self, nodes):
        self.order = {node: i for i, node in enumerate(nodes)}
        self.inside = {node: [node] for node in nodes}
        self.reads = {node: set(node.inputs) for node in nodes}
        self.readers: dict[Node, set[Node]] = {node: set() for node in nodes}
        for node in nodes:
            for operand in node.inputs:
                self.readers[operand].add(node)

    def copy(self) -> _Folded:
        copy = _Folded([])
        copy.order = self.order
        copy.inside = {node: list(nodes) for node, nodes in self.inside.items()}
        copy.reads = {node: set(nodes) for node, nodes in self.reads.items()}
        copy.readers = {node: set(nodes) for node, nodes in self.readers.items()}
        return copy

    @property
    def count(self) -> int:
        return len(self.inside)

    def groups(self) -> list[Group]:
        """Sorted by their outputs, and so after every group that they read."""
        place = self.order.__getitem__
        outputs = sorted(self.inside, key=place)
        return [Group(tuple(sorted(self.inside[o], key=place))) for o in outputs]

    def fold(self, may_fold: Callable[[Node, Collection[Node]], bool], until: int = 1):
        """Put groups into their only readers, the smallest first, while there are more than ``until``."""
        queue = [(self._size(node), place, node) for node, place in self.order.items() if node in self.inside]
        heapify(queue)
        while queue and self.count > until:
            size, place, node = heappop(queue)
            readers = self.readers.get(node, ())
            if len(readers) != 1 or not may_fold(node, readers):
                continue
            if size != self._size(node):  # something was put into one of the two since
                heappush(queue, (self._size(node), place, node))
                continue
            (reader,) = self.readers.pop(node)
            self.inside[reader] += self.inside.pop(node)
            self.reads[reader].discard(node)
            for operand in self.reads.pop(node):
                self.reads[reader].add(operand)
                self.readers[operand].discard(node)
                self.readers[operand].add(reader)
                heappush(queue, (self._size(operand), self.order[operand], operand))

    def _size(self, node):
        """How many nodes a group would have together with its largest reader."""
        return len(self.inside[node]) + max((len(self.inside[r]) for r in self.readers[node]), default=0)
