"""Do two graphs over the same leaves compute the same function? Their values at many points decide.

The points are drawn with a fixed seed from where the graph is finite: first whole numbers of both signs, then
smaller ones, positive ones where a logarithm or a root needs them, and numbers near the leaves' own values.
Integers stay integers, and labels stay labels.

What must hold: an equivalent form is never refused because of rounding; the point that is named is the
simplest at which the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.operation import apply
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import evaluate
from backprop_lab.words import notation
from backprop_lab.words.arrays import READABLE, finite

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_POINTS, FEWEST_POINTS = 40, 4
MOST_ENTRIES = 100_000  # in all points together
TRIES = 600  # to find points; the graph may refuse some
PLAIN_TRIES = 60  # the first tries, all with numbers of both signs
SMALL = [n for n in range(-4, 5) if n != 0]  # values of an integer
REFUSALS = (TypeError, ValueError, ArithmeticError, LookupError)


class Point(NamedTuple):
    """Values of the leaves, and the value of the graph there."""

    given: dict[Node, np.ndarray]
    value: np.ndarray


class Difference(NamedTuple):
    """The first point where two graphs differ; ``point`` is None if their shapes differ already."""

    point: Point | None
    found: np.ndarray | None
    values: list[np.ndarray]
    """The values of the second graph at all points, up to the first where it has none."""


def points(J: Node, leaves: Mapping[str, Node]) -> list[Point]:
    """Points of distinct values at which ``J`` is finite, the simplest first; the same at every call.

    Raises ValueError if there is none.
    """
    rng = np.random.default_rng(5)
    size = sum(leaf.size for leaf in leaves.values())
    wanted = min(max(MOST_ENTRIES // max(size, 1), FEWEST_POINTS), MOST_POINTS) if leaves else 1
    found: list[Point] = []
    for i in range(TRIES):
        given = _drawn(rng, leaves.values(), whole=2 * len(found) < wanted, free=i >= PLAIN_TRIES)
        try:
            value = evaluate(J, given)
        except REFUSALS:
            continue
        with np.errstate(over="ignore"):
            if finite(value):
                found.append(Point(given, value))
        if len(found) == wanted:
            break
    if not found:
        raise ValueError("no point was found at which this graph is finite; give its leaves such values")
    return found


class _Style(NamedTuple):
    """How a leaf's values are drawn: ``near_own``, near the leaf's own value if it has one; ``positive``,
    without a sign; ``scale``, their size; ``labels``, integers from 0 to the largest in the leaf."""

    near_own: bool = False
    positive: bool = False
    scale: float = 1.0
    labels: bool = False


_BOTH_SIGNS = _Style()
_STYLES = (
    _BOTH_SIGNS,
    _Style(positive=True, labels=True),
    _Style(near_own=True),
    _Style(positive=True, labels=True, scale=0.1),
    _Style(positive=True, scale=10),
)


def _drawn(rng, leaves, whole, free) -> dict[Node, np.ndarray]:
    """Values for all leaves; if ``free``, not all of them need both signs."""
    numbers = _Numbers(rng, sum(leaf.size for leaf in leaves) if whole else 0)

    def value(leaf):
        style = _STYLES[rng.integers(len(_STYLES))] if free else _BOTH_SIGNS
        if leaf.dtype.kind == "b":
            return rng.integers(0, 2, leaf.shape).astype(bool)
        if leaf.dtype.kind == "f":
            return _floats(rng, leaf, numbers, style)
        return _integers(rng, leaf, style)

    return {leaf: value(leaf) for leaf in leaves}


class _Numbers:
    """Numbers of both signs: first ``whole`` whole ones, all distinct if they are few, then smaller ones."""

    def __init__(self, rng, whole):
        most = max(whole // 2 + 2, 4) if whole <= READABLE else 0
        self.rng = rng
        self.left = rng.permutation([n for n in range(-most, most + 1) if n != 0]).astype(float)

    def take(self, count):
        if count <= len(self.left):
            taken, self.left = self.left[:count], self.left[count:]
            return taken
        sizes = self.rng.uniform(0.1, 3, count).round(2)
        return np.where(self.rng.integers(0, 2, count), sizes, -sizes)


def _floats(rng, leaf, numbers, style) -> np.ndarray:
    if style.near_own and leaf.value is not None:
        return leaf.value * rng.uniform(0.8, 1.2, leaf.shape)
    drawn = numbers.take(leaf.size).reshape(leaf.shape)
    return np.abs(drawn) * style.scale if style.positive else drawn


def _integers(rng, leaf, style) -> np.ndarray:
    own = leaf.value
    if style.near_own and own is not None:
        return rng.permutation(own.ravel()).reshape(leaf.shape)
    if style.labels or leaf.dtype.kind == "u":
        largest = 2 if own is None or not own.size else max(int(own.max()), 1)
        return rng.integers(0, largest + 1, leaf.shape).astype(leaf.dtype)
    return rng.choice(SMALL, leaf.shape).astype(leaf.dtype)


def difference(J: Node, other: Node, at: list[Point]) -> Difference | None:
    """Where ``other`` differs from ``J`` among the points ``at``; None if they agree at all of them.

    A point where only ``other`` overflows (∞) says nothing, unless it does so at most points.
    """
    if other.shape != J.shape:
        return Difference(None, None, _values(other, at))
    found = _values(other, at)
    if len(found) < len(at):  # it refuses a point at which J has a value
        return Difference(at[len(found)], None, [])
    outside = sum(bool(np.isinf(value).any()) for value in found)
    for point, value in zip(at, found):
        overflown = np.isinf(value).any() and not np.isnan(value).any() and 2 * outside < len(at)
        if not overflown and not close(value, point.value):
            return Difference(point, value, found)
    return None


def _values(node, at) -> list[np.ndarray]:
    """The node's values, up to the first point that it refuses."""
    values = []
    for point in at:
        try:
            values.append(evaluate(node, point.given))
        except REFUSALS:
            break
    return values


def close(a: npt.ArrayLike, b: npt.ArrayLike) -> bool:
    """Whether two values agree up to rounding."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    kinds = [x.dtype for x in (a, b) if x.dtype.kind == "f"]
    precision = max((np.finfo(kind).eps for kind in kinds), default=0.0)
    with np.errstate(all="ignore"):
        allowed = np.sqrt(precision) * max(1.0, float(np.max(np.abs(b), initial=0.0)))
        return bool(allowed < np.inf and np.all(np.abs(a.astype(float) - b.astype(float)) <= allowed))


def reapplied(node: Node, arguments: list) -> Node:
    """The node's operation, applied to other arguments."""
    return apply(node.rule, *arguments, **node.parameters)


def rebuilt(order: list[Node], leaves: Mapping[Node, Node], change: Callable) -> Node:
    """The graph rebuilt over other leaves; ``change(node, made, its new arguments)`` makes each node."""
    made = dict(leaves)
    for node in order:
        if node.rule is not None:
            arguments = [made[a] if isinstance(a, Node) else a for a in node.arguments]
            made[node] = change(node, made, arguments)
    return made[order[-1]]


def with_leaves(J: Node, leaves: Mapping[str, Node]) -> Node:
    """A copy of ``J``'s graph in which each leaf is replaced by the one of its name; unnamed ones stay.

    Raises ValueError for a leaf whose name is not there or has another shape.
    """
    order = topological_order(J)
    known = {notation.symbol(name): leaf for name, leaf in leaves.items()}
    made = {leaf: _namesake(leaf, known) if leaf.name else leaf for leaf in order if leaf.rule is None}
    return rebuilt(order, made, lambda node, made, arguments: reapplied(node, arguments))


def _namesake(leaf, known) -> Node:
    """The known leaf with the name and shape of this one."""
    name = notation.symbol(leaf.name)
    if name not in known:
        raise ValueError(f"Your graph has a leaf {name}; this one has {', '.join(known)}.")
    mine = known[name]
    if mine.shape != leaf.shape:
        yours, ours = notation.extent(leaf.shape), notation.extent(mine.shape)
        raise ValueError(f"Your {name} has {yours}, the graph's {ours}.")
    return mine


def point_text(point: Point, leaves: Mapping[str, Node]) -> str:
    """``x = 2, y = −3``: the values of the named leaves at a point."""
    return ", ".join(
        f"{notation.symbol(name)} = {notation.array(point.given[leaf])}" for name, leaf in leaves.items()
    )
