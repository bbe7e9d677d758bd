"""The one renderer: a timeline of a graph → SVG text.

A whole run is drawn once, with every number it will ever show; elements say at which positions they are
seen (``data-show``), which state they are in (``data-states``) and when they are looked at
(``data-active``). The browser only switches these. A still picture is the same drawing with the
switches set and what is not seen left out.

What must hold: the same run gives the same bytes; whatever a learner wrote is escaped; every number is
written through ``notation``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import NamedTuple

from backprop_lab.graph.node import Node
from backprop_lab.pictures.blocks import block_on_arrow
from backprop_lab.pictures.cards import LINE, PAD, Card, Drawn
from backprop_lab.pictures.folding import Group, foldings, shown_first
from backprop_lab.pictures.labels import Label, place_labels, way
from backprop_lab.pictures.layout import Layout, lay_out
from backprop_lab.pictures.palette import colours, palette_named
from backprop_lab.pictures.pen import Pen, numbers, path, pile, px
from backprop_lab.pictures.timeline import Span, Timeline, at
from backprop_lab.words import notation

APART = 4.0  # half the distance between an arrow and the gradient that comes back along it
PORT = 18.0  # height that an arrow needs where it enters a card
LEAST_SCALE = 0.73  # below it numbers cannot be read; a narrow page scrolls sideways instead
MOST_SCALE = 1.4  # on a wide screen, a projector's, the picture grows up to this

Sizes = dict[int | tuple[int, int], tuple[float, float]]
"""{card, or (target, port) of a label: (width, height)}."""


@cache
def style(name: str = "picture.css") -> str:
    """A style sheet of this folder, without comments and line breaks."""
    text = (files("backprop_lab.pictures") / name).read_text("utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()


def own_colours(palette: str) -> str:
    """The colours of a picture that stands alone: light or dark as the reader's page says that it is.

    It brings its own ground, since not every dark page says so.
    """
    light, dark = map(colours, palette_named(palette))
    light += " background: var(--bl-paper)"
    return f".bl-graph {{ {light} }} @media (prefers-color-scheme: dark) {{ .bl-graph {{ {dark} }} }}"


def levels(line: Timeline, like: Sequence[tuple[str, Picture]] = ()) -> list[tuple[str, Picture]]:
    """(name, picture) of each level of folding, finest first: see :mod:`backprop_lab.pictures.folding`.

    ``like``: the levels of another run of the same graph, whose places they keep.
    """
    before = dict(like)
    return [(name, Picture(line, groups, name, before.get(name))) for name, groups in foldings(line.nodes)]


def readable(line: Timeline, wish: str | None = None) -> Picture:
    """The picture of the level that is shown first, or of the one named ``wish``."""
    folded = foldings(line.nodes)
    name = shown_first(folded, wish)
    return Picture(line, dict(folded)[name], name)


class Picture:
    """The drawing of one timeline; :meth:`film`, :meth:`frame` and :meth:`still` write it out.

    ``groups``: which nodes share a card, by default none do. ``len`` of a picture is the number of its
    cards. Building it measures the cards and lays them out, so that all pictures of a run share one layout.
    ``like``: a picture of another run of the same graph; everything stays where it stands there, if it fits.
    ``card``: what makes a group's card.
    ``room``: what is added at both ends of every arrow, for pictures of the arrows.
    """

    def __init__(
        self,
        line: Timeline,
        groups: list[Group] | None = None,
        level: str = "all",
        like: Picture | None = None,
        card: Callable[[Group, Timeline], Card] = Card,
        room: float = 0.0,
    ):
        self.line, self.level, self._room = line, level, room
        self.nodes = line.nodes
        groups = groups or [Group((node,)) for node in line.nodes]
        self.cards = [card(group, line) for group in groups]
        self.flows = [_flows(group) for group in groups]
        place = {node: i for i, node in enumerate(line.nodes)}
        self.number = {node: place[group.output] for group in groups for node in group.nodes}
        """The number of each node's card, ``data-node`` in the drawing: its output's place in ``nodes``."""
        self.labels = self._all_labels()
        self._sizes: Sizes = {**self._card_sizes(), **self._label_sizes()}
        if like is not None:
            self._sizes = _no_smaller_than(like._sizes, self._sizes)
        if like is not None and self._sizes == like._sizes:
            self.layout: Layout = like.layout
            self.places: dict[tuple[int, int], Label] = like.places
        else:
            self.layout, self.places = self._laid_out()

    def __len__(self):
        return len(self.cards)

    def film(self) -> str:
        """The SVG of all positions at once, for a page that switches between them.

        With single quotes, since JSON writes a double one as two characters.
        """
        return self._svg(None).replace('"', "'")

    def frame(self, position: int) -> str:
        """The SVG at one position, for a page that has the style."""
        return self._svg(position)

    def still(self, position: int = 0, palette: str = "green") -> str:
        """The SVG at one position: a file that stands on its own."""
        return self._svg(position, palette)

    def describe(self, position: int) -> str:
        """The picture in words, for those who do not see it."""
        parts = []
        for card in self.cards:
            node = card.node
            state = self.line.state(node, position)
            words = card.words
            if state == "unknown":
                words += ": unknown"
            else:
                words += f": value {notation.array(at(self.line.known[node], position))}"
            so_far = at(self.line.arrived.get(node, ()), position)
            if so_far:
                partly = "" if state == "gradient" else f" so far ({so_far} arrived)"
                words += f", gradient {notation.array(so_far.sum)}{partly}"
            parts.append(words)
        return "; ".join(parts) + "."

    # ------------------------------------------------------------------------------------ laying it out

    def _all_labels(self) -> dict[tuple[int, int], list[Drawn]]:
        """{(target, port): the numbers on this arrow}, for the arrows that have any."""
        return {
            (target, port): labels
            for target, flows in enumerate(self.flows)
            for port, flow in enumerate(flows)
            if (labels := self._labels_of(flow.arrows))
        }

    def _labels_of(self, arrows) -> list[Drawn]:
        """The numbers that travel along what is drawn as one arrow, and when they are seen.

        Where several arrows meet at a card, a number stays. Any other disappears at the next step; so do
        numbers that follow each other on one arrow, whose sum no record holds.
        """
        labels = []
        for node, argument in arrows:
            for span in self.line.carried.get((node, argument), ()):
                if span.what is None:
                    continue
                so_far = at(self.line.arrived.get(node.inputs[argument], ()), span.start)
                stays = so_far is not None and so_far.of > 1 and len(arrows) == 1
                seen = span if stays else span._replace(end=span.start + 1)
                labels.append(Drawn(seen, block_on_arrow(span.what)))
        return labels

    def _card_sizes(self) -> Sizes:
        return {
            i: (card.width, max(card.height, PORT * (len(flows) + 1)))
            for i, (card, flows) in enumerate(zip(self.cards, self.flows, strict=True))
        }

    def _label_sizes(self) -> Sizes:
        return {
            arrow: (max(d.width for _, d in drawn) + 8 + 2 * self._room, max(d.height for _, d in drawn) + 4)
            for arrow, drawn in self.labels.items()
        }

    def _laid_out(self) -> tuple[Layout, dict[tuple[int, int], Label]]:
        card_of = {node: i for i, card in enumerate(self.cards) for node in card.nodes}
        layout = lay_out(
            [self._sizes[i] for i in range(len(self.cards))],
            [[card_of[flow.source] for flow in flows] for flows in self.flows],
            self._gap_widths,
        )
        return layout, place_labels(layout, {arrow: self._sizes[arrow] for arrow in self.labels})

    def _gap_widths(self, layer_of):
        widths = [32.0 + 2 * self._room] * (max(layer_of) + 1)
        for target, port in self.labels:
            layer = layer_of[target]
            widths[layer] = max(widths[layer], self._sizes[target, port][0] + 18)
        return widths

    # ------------------------------------------------------------------------------------- writing it

    def _svg(self, position, palette=None) -> str:
        out = Pen(position, self.line.length)
        self._opening(out, alone=palette is not None)
        if palette is not None:
            out.raw(f"<style>{own_colours(palette)} {style()}</style>")
            title, words = escape(self._title()), escape(self.describe(position))
            out.raw(f"<title>{title}</title><desc>{words}</desc>")
        for card, box in zip(self.cards, self.layout.boxes, strict=True):
            self._card(out, card, box)
        for arrow in self.layout.arrows:  # over the cards' rings, so that their heads are seen
            self._arrow(out, arrow)
        self._labels(out)
        out.raw("</svg>")
        return "".join(out.parts)

    def _title(self) -> str:
        folded = f", {len(self.nodes)} nodes in {len(self)} cards" if len(self) < len(self.nodes) else ""
        return f"Graph of {self.cards[-1].called}{folded}"

    def _opening(self, out, alone):
        """The root element; in a page, with the limits between which the picture's width follows it."""
        width, height = px(self.layout.width), px(self.layout.height)
        least, most = px(self.layout.width * LEAST_SCALE), px(self.layout.width * MOST_SCALE)
        aspect = f"{self.layout.width / self.layout.height:.2f}"
        sizes = f"--bl-least:{least}px;--bl-usual:{width}px;--bl-most:{most}px;--bl-aspect:{aspect}"
        limits = "" if alone else f' style="{sizes}"'
        out.raw(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bl-graph" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(self._title())}"{limits}>'
        )

    def _card(self, out, card, box):
        """From top to bottom: the value, what the card is, the gradient."""
        number = self.number[card.node]
        looked_at = sorted({p for node in card.nodes for p in self.line.active.get(node, ())})
        attributes = out.states(self.line.state_changes(card.node)) + out.activity(looked_at)
        level = "" if self.level == "all" else f"{self.level}-"
        out.raw(f'<g id="bl-{level}n{number}" data-node="{number}"{attributes}>')
        out.raw(f"<title>{escape(card.title)}</title>")
        left, right, top = box.x - box.width / 2, box.x + box.width / 2, box.y - box.height / 2
        _frame(out, left, top, box.width, box.height, card.folded)
        y = top + PAD
        _value(out, card, self.line.unknown(card.node), box.x, y)
        y += card.value_height + 4
        out.rule(left + 6, y, right - 6)
        y = _texts(out, card, box.x, y + 1) + 7
        if card.gradients:
            out.rule(left + 6, y, right - 6)
            _gradient(out, card, box.x, y + 4)
        out.raw("</g>")

    def _arrow(self, out, arrow):
        flow, points = self.flows[arrow.target][arrow.port], way(self.layout, arrow)
        shift = APART if flow.source.needs_gradient else 0  # the same for all arrows that share a waypoint
        self._forwards(out, flow, points, -shift)
        self._backwards(out, flow, points, shift)

    def _forwards(self, out, flow, points, shift):
        reads = sorted({p for node, _ in flow.arrows for p in self._computed_at(node)})
        classes = out.classes("bl-forward", out.activity(reads, "bl-reads"))
        x, y = points[-1]
        out.raw(f'<g><path{classes} d="{path(points, shift)}H{px(x - 7)}"/>')
        out.raw(f'<path class="bl-head" d="M{px(x)} {px(y + shift)}l-9 -4v8z"/></g>')

    def _backwards(self, out, flow, points, shift):
        active = out.activity(sorted({p for arrow in flow.arrows for p in self.line.active.get(arrow, ())}))
        x, y = points[0]
        for span in _covering([self.line.carried.get(arrow, ()) for arrow in flow.arrows]):
            shown = out.show(span)
            if shown is not None:
                out.raw(f'<g{shown}{active}><path class="bl-back" d="{path(points, shift)}"/>')
                out.raw(f'<path class="bl-back-head" d="M{px(x)} {px(y + shift)}l9 -4v8z"/></g>')

    def _computed_at(self, node):
        """The positions at which the node's value is being computed."""
        starts = {span.start for span in self.line.known.get(node, ())}
        return starts.intersection(self.line.active.get(node, ()))

    def _labels(self, out):
        for arrow, place in self.places.items():
            for span, drawn in self.labels[arrow]:
                with out.group("bl-label", out.show(span)):
                    width, height = drawn.width + 8, drawn.height + 4
                    out.rect("bl-plate", place.x - width / 2, place.y - height / 2, width, height, 4)
                    numbers(out, drawn, "", place.x, place.y - drawn.height / 2)


def _frame(out, left, top, width, height, folded):
    """A card's ring and borders, over two more sheets if other nodes are folded into it."""
    if folded:
        out.raw(f'<path class="bl-pile" d="{pile(left, top, width, height)}"/>')
    out.rect("bl-ring", left - 5, top - 5, width + 10, height + 10, 10)
    out.rect("bl-card", left, top, width, height, 6)
    out.rect("bl-inner", left + 3, top + 3, width - 6, height - 6, 4)


def _value(out, card, unknown, x, y):
    for span in unknown:
        with out.group("bl-value", out.show(span)):
            out.text("bl-sign", x, y + card.value_height / 2 + 5, "?", "middle")
    for span, drawn in card.values:
        with out.group("bl-value", out.show(span)):
            numbers(out, drawn, "→", x, y + (card.value_height - drawn.height) / 2)


def _texts(out, card, x, y) -> float:
    """The card's name, how it is computed, its note; returns the height of the last line."""
    if card.name:
        y += LINE
        out.title(x, y, card.name, card.shape)
    for text in card.how:
        y += LINE
        out.text("bl-how", x, y, text, "middle")
    if card.note:
        y += LINE
        out.text("bl-count", x, y, card.note, "middle")
    return y


def _gradient(out, card, x, y):
    for span, drawn in card.gradients:
        with out.group("bl-grad", out.show(span)):
            numbers(out, drawn, "←", x, y + (card.gradient_height - drawn.height) / 2)
            if span.what.of > 1:
                below = y + card.gradient_height + 11
                out.text("bl-count", x, below, f"{span.what} arrived", "middle")


class Flow(NamedTuple):
    """What is drawn as one arrow to a card: where it begins, the arrows (node, argument) it stands for."""

    source: Node
    arrows: list[tuple[Node, int]]


def _flows(group) -> list[Flow]:
    """The arrows that are drawn to a group's card, in order.

    A single node has an arrow for each argument, so that x · x has two; a folded card has one for each
    node outside that it reads.
    """
    inside = set(group.nodes)
    arrows = [
        (operand, (node, argument))
        for node in group.nodes
        for argument, operand in enumerate(node.inputs)
        if operand not in inside
    ]
    if len(group.nodes) == 1:
        return [Flow(source, [arrow]) for source, arrow in arrows]
    by_source: dict[Node, list] = {}
    for source, arrow in arrows:
        by_source.setdefault(source, []).append(arrow)
    return [Flow(source, merged) for source, merged in by_source.items()]


def _no_smaller_than(least: Sizes, sizes: Sizes) -> Sizes:
    """``sizes``, none smaller than the one that ``least`` has for the same thing."""
    grown = dict(sizes)
    for key, (width, height) in least.items():
        wide, high = sizes.get(key, (0.0, 0.0))
        grown[key] = max(wide, width), max(high, height)
    return grown


def _covering(several) -> list[Span]:
    """The given spans, with those that end together merged into one from the earliest start."""
    starts: dict[int, int] = {}
    for start, end, _ in (span for spans in several for span in spans):
        starts[end] = min(start, starts.get(end, start))
    return [Span(start, end, None) for end, start in sorted(starts.items())]
