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
from functools import cache
from html import escape
from importlib.resources import files
from textwrap import wrap

from backprop_lab import notation
from backprop_lab.pictures.blocks import DIGIT, ROW, Block, block, text_width
from backprop_lab.pictures.layout import Box, lay_out, port_y, spread_out
from backprop_lab.pictures.palette import colours, palette_named
from backprop_lab.pictures.pen import SIGN, Pen, numbers, path, px
from backprop_lab.pictures.timeline import Timeline

PAD = 7.0
APART = 4.0  # half the distance between an arrow and the gradient that comes back along it
LEAST_SCALE = 0.73  # below it numbers cannot be read; a narrow page scrolls sideways instead
MOST_SCALE = 1.4  # on a wide screen, a projector's, the picture grows up to this
LINE = 15.0
LINE_LENGTH = 15  # of an expression; a longer one takes a second line
LONGEST = 28  # characters of a name or an expression on a card


@cache
def style() -> str:
    """The picture's style sheet, without comments and line breaks."""
    text = (files("backprop_lab.pictures") / "picture.css").read_text("utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()


def own_colours(palette: str) -> str:
    """The colours of a picture that stands alone: light or dark as the reader's page is."""
    light, dark = map(colours, palette_named(palette))
    return f".bl-graph {{ {light} }} @media (prefers-color-scheme: dark) {{ .bl-graph {{ {dark} }} }}"


class Picture:
    """The drawing of one timeline; :meth:`film` and :meth:`still` write it out.

    Building it measures the cards and lays them out, so that all pictures of a run share one layout.
    """

    def __init__(self, line: Timeline):
        self.line = line
        self.nodes = line.nodes
        self.number = {node: i for i, node in enumerate(self.nodes)}
        self.cards = [_Card(node, line) for node in self.nodes]
        self.labels = {
            key: block(contribution)
            for key, (_, contribution) in line.carried.items()
            if contribution is not None
        }
        self.layout = lay_out(
            [(card.width, card.height) for card in self.cards],
            [[self.number[i] for i in node.inputs] for node in self.nodes],
            self._gap_widths,
        )

    def _gap_widths(self, layer_of):
        widths = [32.0] * (max(layer_of) + 1)
        for (node, _), label in self.labels.items():
            layer = layer_of[self.number[node]]
            widths[layer] = max(widths[layer], label.width + 26)
        return widths

    def film(self) -> str:
        """The SVG of all positions at once, for a page that switches between them."""
        return self._svg(None)

    def still(self, position: int = 0, palette: str = "green") -> str:
        """The SVG at one position: a file that stands on its own."""
        return self._svg(position, palette)

    def describe(self, position: int) -> str:
        """The picture in words, for those who do not see it."""
        parts = []
        for node in self.nodes:
            state = self.line.state(node, position)
            words = notation.mention(node)
            if node.name and node.rule is not None:
                words += f" = {notation.expression(node)}"
            if state == "unknown":
                words += ": unknown"
            else:
                words += f": value {notation.array(self.line.known[node][1])}"
            sums = [s for start, s in self.line.arrived.get(node, ()) if start <= position]
            if sums:
                partly = "" if state == "gradient" else f" so far ({sums[-1]} arrived)"
                words += f", gradient {notation.array(sums[-1].sum)}{partly}"
            parts.append(words)
        return "; ".join(parts) + "."

    # ------------------------------------------------------------------------------------- writing it

    def _svg(self, position, palette=None) -> str:
        out = Pen(position, self.line.length)
        width, height = px(self.layout.width), px(self.layout.height)
        still = position is not None
        least, most = px(self.layout.width * LEAST_SCALE), px(self.layout.width * MOST_SCALE)
        limits = "" if still else f' style="--bl-least:{least}px;--bl-most:{most}px"'
        title = f"Graph of {notation.mention(self.line.cost)}"
        out.raw(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bl-graph" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}"{limits}>'
        )
        if still:
            out.raw(f"<style>{own_colours(palette)} {style()}</style>")
            out.raw(f"<title>{escape(title)}</title><desc>{escape(self.describe(position))}</desc>")
        for card, box in zip(self.cards, self.layout.boxes, strict=True):
            self._card(out, card, box)
        for arrow in self.layout.arrows:  # over the cards' rings, so that their heads are seen
            self._arrow(out, arrow)
        self._labels(out)
        out.raw("</svg>")
        return "".join(out.parts)

    def _card(self, out, card, box):
        line, node = self.line, card.node
        left, top = box.x - card.width / 2, box.y - card.height / 2
        number = self.number[node]
        attributes = out.states(line.state_changes(node)) + out.activity(line.active.get(node, []))
        out.raw(f'<g id="bl-n{number}" data-node="{number}"{attributes}>')
        out.raw(f"<title>{escape(card.title)}</title>")
        out.rect("bl-ring", left - 5, top - 5, card.width + 10, card.height + 10, 10)
        out.rect("bl-card", left, top, card.width, card.height, 6)
        out.rect("bl-inner", left + 3, top + 3, card.width - 6, card.height - 6, 4)
        start, _ = line.known.get(node, (None, None))
        y = top + PAD
        if start != 0:
            with out.group("bl-value", out.show(0, start)):
                out.text("bl-sign", box.x, y + card.value_height / 2 + 5, "?", "middle")
        if start is not None:
            with out.group("bl-value", out.show(start)):
                numbers(out, card.value, "→", box.x, y + (card.value_height - card.value.height) / 2)
        y += card.value_height + 4
        out.rule(left + 6, y, left + card.width - 6)
        y += 16
        out.title(box.x, y, card.name, card.named, card.shape)
        for line_of_it in card.how:
            y += LINE
            out.text("bl-how", box.x, y, line_of_it, "middle")
        y += 7
        if card.gradients:
            out.rule(left + 6, y, left + card.width - 6)
            y += 4
            starts = [start for start, _, _ in card.gradients]
            for (start, so_far, drawn), end in zip(card.gradients, [*starts[1:], None], strict=True):
                with out.group("bl-grad", out.show(start, end)):
                    numbers(out, drawn, "←", box.x, y + (card.gradient_height - drawn.height) / 2)
                    if so_far.of > 1:
                        below = y + card.gradient_height + 11
                        out.text("bl-count", box.x, below, f"{so_far} arrived", "middle")
        out.raw("</g>")

    def _points(self, arrow):
        """The arrow's way: (x, y) pairs between which it curves, then runs straight, in turn."""
        boxes, columns = self.layout.boxes, self.layout.columns
        source, target = boxes[arrow.source], boxes[arrow.target]
        y = source.y
        points = [(source.x + source.width / 2, y), (columns[source.layer][1], y)]
        for waypoint in arrow.through:
            left, right = columns[waypoint.layer]
            points += [(left, waypoint.y), (right, waypoint.y)]
        y = port_y(target, arrow.port, arrow.ports)
        return [*points, (columns[target.layer][0], y), (target.x - target.width / 2, y)]

    def _arrow(self, out, arrow):
        source, target = self.nodes[arrow.source], self.nodes[arrow.target]
        points = self._points(arrow)
        carried = self.line.carried.get((target, arrow.port))
        shift = APART if target.needs_gradient and source.needs_gradient else 0
        out.raw("<g>")
        reads = out.activity(
            [p for p in self.line.active.get(target, []) if self._is_forward(target, p)], "bl-reads"
        )
        x, y = points[-1]
        out.raw(f'<path{out.classes("bl-forward", reads)} d="{path(points, -shift)}H{px(x - 7)}"/>')
        out.raw(f'<path class="bl-head" d="M{px(x)} {px(y - shift)}l-9 -4v8z"/>')
        out.raw("</g>")
        if carried is None:
            return
        start, _ = carried
        shown = out.show(start)
        if shown is None:
            return
        active = out.activity(self.line.active.get((target, arrow.port), []))
        out.raw(f"<g{shown}{active}>")
        out.raw(f'<path class="bl-back" d="{path(points, shift)}"/>')
        x, y = points[0]
        out.raw(f'<path class="bl-back-head" d="M{px(x)} {px(y + shift)}l9 -4v8z"/></g>')

    def _is_forward(self, node, position):
        return self.line.known.get(node, (None,))[0] == position

    def _labels(self, out):
        """The contributions on the arrows, in the gap before the card that sends them, pushed apart."""
        gaps: dict[int, list] = {}
        for arrow in self.layout.arrows:
            key = (self.nodes[arrow.target], arrow.port)
            if key in self.labels:
                gaps.setdefault(self.layout.boxes[arrow.target].layer, []).append((key, arrow))
        for layer, entries in sorted(gaps.items()):
            placed = []
            for key, arrow in entries:
                points = self._points(arrow)
                (x0, y0), (x1, y1) = points[-3], points[-2]
                label = self.labels[key]
                placed.append(
                    (
                        Box(
                            label.width + 8,
                            label.height + 4,
                            layer,
                            x=(x0 + x1) / 2,
                            y=(y0 + y1) / 2,
                        ),
                        key,
                    )
                )
            placed.sort(key=lambda entry: entry[0].y)
            boxes = [box for box, _ in placed]
            spread_out(boxes, [box.y for box in boxes], between=4)
            for box, key in placed:
                start, _ = self.line.carried[key]
                receiver = key[0].inputs[key[1]]
                lasting = self.line.arrived[receiver][-1][1].of > 1
                with out.group("bl-label", out.show(start, None if lasting else start + 1)):
                    out.rect(
                        "bl-plate",
                        box.x - box.width / 2,
                        box.y - box.height / 2,
                        box.width,
                        box.height,
                        4,
                    )
                    numbers(out, self.labels[key], "", box.x, box.y - self.labels[key].height / 2)


class _Card:
    """What stands on a node's card, and how large it is."""

    def __init__(self, node, line: Timeline):
        self.node = node
        called = node.name or ("J" if node is line.cost and node.rule is not None else None)
        self.named = called is not None
        written = notation.fitting(node, LONGEST) if node.rule is not None else node.leaf_kind
        lines = wrap(written, LINE_LENGTH) if len(written) > LINE_LENGTH else [written]
        self.name = notation.shorten(notation.symbol(called), LONGEST) if self.named else lines.pop(0)
        self.how = lines
        self.shape = notation.dimensions(node.shape) if node.shape else ""
        whole = notation.expression(node) if node.rule is not None else node.leaf_kind
        self.title = " = ".join(filter(None, (node.name, whole))) + f", shape {node.shape}"
        value = line.known.get(node)
        self.value = block(value[1]) if value else Block(("?",), DIGIT, ROW)
        self.gradients = [(start, s, block(s.sum)) for start, s in line.arrived.get(node, ())]
        self.value_height = self.value.height
        self.gradient_height = max((g.height for _, _, g in self.gradients), default=0)
        forked = any(s.of > 1 for _, s, _ in self.gradients)
        name_line = text_width(self.name, 15 if self.named else 12, bold=self.named)
        if self.shape:
            name_line += 6 + text_width(self.shape, 11)
        self.width = 2 * PAD + max(
            name_line,
            *(text_width(line_of_it, 12) for line_of_it in self.how),
            self.value.width + SIGN,
            *(g.width + SIGN for _, _, g in self.gradients),
            text_width("1 of 2 arrived", 11) if forked else 40.0,
        )
        texts = 16 + LINE * len(self.how) + 7
        below = 4 + self.gradient_height + (14 if forked else 0) if self.gradients else 0
        ports = 18 * (len(node.inputs) + 1)
        self.height = max(2 * PAD + self.value_height + 4 + texts + below, ports)
