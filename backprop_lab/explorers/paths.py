"""``bl.explore.paths``: the derivative as a sum over all paths, one path after the other.

The multivariate chain rule: ∂J/∂x is the sum, over all paths from x to J, of the products of the local
derivatives along the path. Paths may be more than can ever be walked, so they are counted on the way
through the graph, and only the first few of them are shown.

What must hold: every number comes from the records of the passes; nothing that is counted is listed first;
nothing recurses over the graph.
"""

from __future__ import annotations

from itertools import islice
from math import log10
from typing import NamedTuple

import numpy as np

from backprop_lab.explorers.explorer import Control, Explorer, Scene
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import checked_asked
from backprop_lab.passes.passes import steps
from backprop_lab.passes.records import Step
from backprop_lab.pictures import timeline
from backprop_lab.pictures.drawing import readable_graph
from backprop_lab.pictures.folding import LEAST_CARDS, READABLE_CARDS, Group, all_but, foldings, shown_first
from backprop_lab.pictures.svg import Picture
from backprop_lab.pictures.timeline import Span, Timeline
from backprop_lab.words import notation
from backprop_lab.words.errors import ShapeError

MOST = 64  # paths that can be lit one by one
LISTED = 8  # paths that stand below the picture, the present one among them
PICTURES = 3  # of paths, where no kernel runs
LONGEST = 8  # nodes of a path, factors of a product or terms of a sum that are written out
ENTRIES = 12  # of an array that is written out
SYMBOLS = 60  # characters of a product in symbols; a longer one is left out
NAME = 20  # characters of a node's name or expression
ROOM = 10.0  # pixels at both ends of an arrow, beside the rings around the cards on a path
DIGITS = 24  # of a count that is written out


def paths(J: Node, x: Node) -> Paths:
    """The paths from ``x`` to ``J``, lit one by one in the graph, with the products that add up to ∂J/∂x.

    ``J`` is a single number, ``x`` any node that it is computed from and that wants a gradient. An arrow's
    factor is its local derivative: a number, or for arrays the local Jacobian, which is transposed in the
    product, since the gradient is (∂y/∂x)ᵀ ∂J/∂y. An array that is read twice by a node has two arrows to
    it. The position after the last path shows all of them, and their sum. Of many paths the first 64 can be
    lit; their number is exact. The graph stays as it is, and later changes of its values are not followed.

    What is returned has ``.count``, the number of paths, ``.multiplications``, one for each arrow of each
    path, and ``.arrows``, how many there are in all: the multiplications of the backward pass.

    Raises ValueError where there is no path, and for graphs of more than 1000 nodes; ShapeError if ``J`` is
    not a single number; MissingValueError if a leaf has no value.

    Bauer, Computational graphs and rounding error, SIAM Journal on Numerical Analysis 11 (1974).

    >>> import backprop_lab as bl
    >>> x1, x2 = bl.variable("x1", 3.0), bl.variable("x2", 2.0)
    >>> y1 = x1 + x2
    >>> y2 = x1 * x2
    >>> z = y1 * y2
    >>> both = bl.explore.paths(z, x1)
    >>> both.count, both.multiplications, both.arrows
    (2, 4, 4)
    >>> both.values = {"path": 2}  # what the slider does
    >>> both.scene["words"].split("; ")[1:3]
    ['path 2 of 2: x₁ → y₂ → z', 'product: ∂y₂/∂x₁ · ∂z/∂y₂ = 2 · 5 = 10']
    """
    readable_graph(J, "explore.paths")
    checked_asked(x)
    if J.shape != ():
        name = notation.mention(J, code=True)
        raise ShapeError(
            f"explore.paths: paths lead to a single number, and {name} has shape {J.shape}; take np.sum or "
            f"np.mean of it, or one of its entries"
        )
    if x is J:
        name = notation.mention(J, code=True)
        raise ValueError(
            f"explore.paths: the paths lead from {name} to itself, and there is none; take a node that "
            f"{name} is computed from"
        )
    records = steps(J)
    ways = Ways(records, x)
    if not ways.count:
        raise ValueError(
            f"explore.paths: no path leads from {notation.mention(x, code=True)} to "
            f"{notation.mention(J, code=True)} along which a derivative flows; take a node that it is "
            "computed from"
        )
    return Paths(J, x, records, ways)


# ------------------------------------------------------------------------------------------ the paths


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


# ------------------------------------------------------------------------------------------ in words


def _short(step: Step, node: Node) -> str:
    """What a node is called on a path."""
    if node.name is None and node is not step.cost:
        return notation.fitting(node, NAME)
    return notation.shorten(step.mention(node), NAME)


def _way(path: Path) -> str:
    """``x₁ → y₁ → z``"""
    first = path.arrows[0]
    return " → ".join(_cut([_short(first, first.receiver), *(_short(a, a.node) for a in path.arrows)]))


def _product(path: Path, symbols: str = "") -> str:
    """``1 · 6 = 6``: the factors in the order of the path, and what they bring."""
    factors = _cut([_factor(arrow.local, arrow, i > 0) for i, arrow in enumerate(path.arrows)])
    written = [symbols, " · ".join(factors), notation.array(path.contribution)]
    return " = ".join(dict.fromkeys(filter(None, written)))


def _factor(local, arrow: Step, later: bool) -> str:
    """A number, a transposed matrix, or for a large one its size: ``[3 × 20]ᵀ``."""
    if isinstance(local, str) or local.size > ENTRIES:
        return f"[{arrow.node.size} × {arrow.receiver.size}]ᵀ"
    return _bracketed(_plain(local), later) if local.size == 1 else f"{notation.array(local)}ᵀ"


def _symbols(path: Path) -> str:
    """``∂y₁/∂x₁ · ∂z/∂y₁``: the same product in symbols.

    Empty where it is too long to be read, where names are missing or not told apart, and where such a
    symbol would mean more than one arrow.
    """
    first, factors = path.arrows[0], []
    names = [first.receiver.name, *(arrow.node.name for arrow in path.arrows)]
    if None in names[:-1] or len(set(names)) < len(names) or len(names) > LONGEST:
        return ""
    for arrow in path.arrows:
        others = [n for place, n in enumerate(arrow.node.inputs) if place != arrow.argument]
        if arrow.receiver in set(topological_order(*others)):
            return ""
        text = f"∂{arrow.factor(arrow.node)}/∂{arrow.factor(arrow.receiver)}"
        factors.append(text if arrow.node.size == arrow.receiver.size == 1 else f"({text})ᵀ")
    written = " · ".join(factors)
    return written if len(written) <= SYMBOLS else ""


def _sum(found: list[Path]) -> str:
    """``6 + 10 = 16``"""
    total = notation.array(_together(found))
    if len(found) == 1 or found[0].contribution.size > ENTRIES:
        return total
    terms = [_bracketed(notation.array(path.contribution), i > 0) for i, path in enumerate(found)]
    return f"{' + '.join(_cut(terms))} = {total}"


def _together(found: list[Path]) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is a NaN here as well
        return sum(path.contribution for path in found)


def _plain(local: np.ndarray) -> str:
    return notation.number(local.ravel()[0])


def _bracketed(text: str, later: bool) -> str:
    return notation.bracket_minus(text) if later else text


def _cut(parts: list[str]) -> list[str]:
    """``parts``, of a long list the first and the last few."""
    if len(parts) <= LONGEST:
        return parts
    return [*parts[: LONGEST // 2], "…", *parts[1 - LONGEST // 2 :]]


def _counted(number: int, what: str) -> str:
    """``1 path``, ``1,048,576 paths``"""
    return f"{_written(number)} {what}{'' if number == 1 else 's'}"


def _written(number: int) -> str:
    """A whole number; of one that fills a line, the size."""
    if number < 10**DIGITS:
        return f"{number:,}"
    return "about " + notation.power("10", str(int((number.bit_length() - 1) * log10(2))))


# ---------------------------------------------------------------------------------------- the pictures


class _Lit(NamedTuple):
    """The picture with one path lit, or with all of them."""

    picture: Picture
    position: int
    title: str

    def svg(self, words: str = "", palette: str | None = None) -> str:
        return self.picture.still(self.position, palette) if palette else self.picture.frame(self.position)


def _picture(J: Node, records: list[Step], ways: Ways, found: list[Path]) -> Picture:
    """At position k the k-th path of ``found`` is lit, after the last one all arrows of ``ways``.

    Of a large graph, what these paths have in common is folded.
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
            key = arrow.node, arrow.argument
            number = None if isinstance(arrow.local, str) or arrow.node not in alone else _seen(arrow.local)
            line.carried.setdefault(key, []).append(Span(position, position + 1, number))
            line.active.setdefault(key, []).append(position)
        for node in dict.fromkeys(n for arrow in arrows for n in (arrow.receiver, arrow.node)):
            line.active.setdefault(node, []).append(position)
    return Picture(line, groups, level, room=ROOM)


def _seen(local: np.ndarray) -> np.ndarray:
    """A local Jacobian of one entry is a number."""
    return local.reshape(()) if local.size == 1 else local


def _apart(found: list[Path]) -> set[Node]:
    """The ends of all arrows that are on some of the paths, but not on all of them; and x."""
    every = set.intersection(*(set(path.arrows) for path in found))
    apart = {arrow for path in found for arrow in path.arrows} - every
    return {found[0].arrows[0].receiver, *(node for a in apart for node in (a.node, a.receiver))}


# ------------------------------------------------------------------------------------------ the widget


class Paths(Explorer):
    """What :func:`paths` returns: ``count``, ``multiplications`` and ``arrows``.

    The control ``path`` counts from 1; one more than the last path means all of them.
    """

    def __init__(self, J: Node, x: Node, records: list[Step], ways: Ways):
        self.count, self.multiplications, self.arrows = ways.count, ways.multiplications, len(ways.arrows)
        self._found = list(islice(ways, MOST))
        self._gradient = ways.gradient
        self._picture = _picture(J, records, ways, self._found)
        seed = ways.seed
        self._slope, self._x, self._J = seed.gradient_name(x), _short(seed, x), _short(seed, J)
        self._all = len(self._found) + 1
        super().__init__(
            f"The paths from {self._x} to {self._J}",
            [Control("path", "path", 1, self._all, 1, 1)],
            self._scene,
        )

    def _scene(self, values) -> Scene:
        position = round(values["path"])
        before = self._before(position)
        if position == self._all:
            now, written = [self._sum()], f"all {_written(self.count)}"
        else:
            path, written = self._found[position - 1], f"{position} of {_written(self.count)}"
            now = [f"path {written}: {_way(path)}", f"product: {_product(path, _symbols(path))}"]
        lit = _Lit(self._picture, position, self._title(position))
        lines = [*before, *now, *self._counts()]
        return Scene(lit, lines, {"path": written}, before=len(before))

    def _before(self, position) -> list[str]:
        """The last few paths before this one."""
        if position > MOST and self.count > MOST:  # the sum is of more than these
            return []
        first = position - LISTED + 1
        if first <= 2:  # in place of a single path nothing is saved
            first = 1
        lines = [self._line(number) for number in range(first, position)]
        if first > 1:
            together = notation.array(_together(self._found[: first - 1]))
            lines.insert(0, f"paths 1 to {first - 1} together: {together}")
        return lines

    def _title(self, position):
        if position == self._all:
            return f"Graph of {self._J}, all paths from {self._x} lit"
        return f"Graph of {self._J}, path {position} of {_written(self.count)} lit"

    def _line(self, number):
        path = self._found[number - 1]
        return f"path {number}, {_way(path)}: {_product(path)}"

    def _sum(self):
        backward = f"backward pass: {self._slope} = {notation.array(self._gradient)}"
        if self.count > len(self._found):
            return f"sum over all paths, of which the first {MOST} can be lit here; {backward}"
        return f"sum over all paths: {_sum(self._found)}; {backward}"

    def _counts(self) -> list[str]:
        paths, multiplications = (
            _counted(self.count, "path"),
            _counted(self.multiplications, "multiplication"),
        )
        arrows = _counted(self.arrows, "arrow")
        lines = [f"path by path: {paths}, {multiplications}; node by node: {arrows}, each once"]
        cards, nodes = len(self._picture), len(self._picture.nodes)
        if cards < nodes:
            lines.append(
                f"the picture is folded: {nodes} nodes in {cards} cards; numbers inside are left out"
            )
        return lines

    def _scenes(self):
        few = range(1, self._all if self.count <= PICTURES else 2)
        stills = [Scene(_Lit(self._picture, k, self._title(k)), [self._line(k)], {}) for k in few]
        lines = [self._line(k) for k in range(1, self._all)[:LISTED]]
        if self.count > LISTED:
            lines.append(f"and {_counted(self.count - LISTED, 'further path')}")
        together = _Lit(self._picture, self._all, self._title(self._all))
        return [*stills, Scene(together, [*lines, self._sum(), *self._counts()], {})]
