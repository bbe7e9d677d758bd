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

from backprop_lab import notation
from backprop_lab.pictures.blocks import DIGIT, ROW, Block, block, text_width
from backprop_lab.pictures.layout import Box, lay_out, port_y, spread_out
from backprop_lab.pictures.timeline import Timeline

PAD = 9.0
SIGN = 17.0  # room for → or ← before the numbers
APART = 4.0  # half the distance between an arrow and the gradient that comes back along it
LEAST_SCALE = 0.8  # below it numbers cannot be read; a narrow page scrolls sideways instead
LONGEST = 24  # characters of a name or an expression on a card


@cache
def style() -> str:
    """The picture's style sheet, without comments and line breaks."""
    text = (files("backprop_lab.pictures") / "picture.css").read_text("utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()


DARK = (
    "@media (prefers-color-scheme: dark) { .bl-graph { --ink: #f2f2f2; --paper: #1c1c1c; --faint: #a8a8a8; "
    "--known: #1fc299; --gradient: #ff8a3d; --tint: #10241e; --tint-gradient: #2b1a0f; } }"
)


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
        widths = [46.0] * (max(layer_of) + 1)
        for (node, _), label in self.labels.items():
            layer = layer_of[self.number[node]]
            widths[layer] = max(widths[layer], label.width + 34)
        return widths

    def film(self) -> str:
        """The SVG of all positions at once, for a page that switches between them."""
        return self._svg(None)

    def still(self, position: int = 0) -> str:
        """The SVG at one position: a file that stands on its own."""
        return self._svg(position)

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

    def _svg(self, position) -> str:
        out = _Writer(position, self.line.length)
        width, height = _f(self.layout.width), _f(self.layout.height)
        still = position is not None
        least = "" if still else f' style="--bl-least:{_f(self.layout.width * LEAST_SCALE)}px"'
        title = f"Graph of {notation.mention(self.line.cost)}"
        out.raw(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bl-graph" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}"{least}>'
        )
        if still:
            out.raw(f"<style>{style()} {DARK}</style>")
            out.raw(f"<title>{escape(title)}</title><desc>{escape(self.describe(position))}</desc>")
        for arrow in self.layout.arrows:
            self._arrow(out, arrow)
        for card, box in zip(self.cards, self.layout.boxes, strict=True):
            self._card(out, card, box)
        self._labels(out)
        out.raw("</svg>")
        return "".join(out.parts)

    def _card(self, out, card, box):
        line, node = self.line, card.node
        left, top = box.x - card.width / 2, box.y - card.height / 2
        number = self.number[node]
        attributes = out.states(line.state_changes(node)) + out.activity(line.active.get(node, []))
        out.raw(f'<g id="{out.prefix}n{number}" data-node="{number}"{attributes}><title>{escape(card.title)}</title>')
        out.rect("bl-ring", left - 5, top - 5, card.width + 10, card.height + 10, 10)
        out.rect("bl-card", left, top, card.width, card.height, 6)
        out.rect("bl-inner", left + 3, top + 3, card.width - 6, card.height - 6, 4)
        start, value = line.known.get(node, (None, None))
        y = top + PAD
        if start != 0:
            with out.group("bl-value", out.show(0, start)):
                out.text("bl-sign", box.x, y + card.value_height / 2 + 5, "?", "middle")
        if start is not None:
            with out.group("bl-value", out.show(start)):
                _numbers(out, card.value, "→", box.x, y + (card.value_height - card.value.height) / 2)
        y += card.value_height + 4
        out.rule(left + 6, y, left + card.width - 6)
        y += 16
        out.title(box.x, y, card)
        if card.how:
            y += 16
            out.text("bl-how", box.x, y, card.how, "middle")
        y += 7
        if card.gradients:
            out.rule(left + 6, y, left + card.width - 6)
            y += 4
            starts = [start for start, _, _ in card.gradients]
            for (start, so_far, drawn), end in zip(card.gradients, [*starts[1:], None], strict=True):
                with out.group("bl-grad", out.show(start, end)):
                    _numbers(out, drawn, "←", box.x, y + (card.gradient_height - drawn.height) / 2)
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
        reads = out.activity([p for p in self.line.active.get(target, []) if self._is_forward(target, p)], "bl-reads")
        x, y = points[-1]
        out.raw(f'<path{out.classes("bl-forward", reads)} d="{_path(points, -shift)}H{_f(x - 7)}"/>')
        out.raw(f'<path class="bl-head" d="M{_f(x)} {_f(y - shift)}l-9 -4v8z"/>')
        out.raw("</g>")
        if carried is None:
            return
        start, _ = carried
        shown = out.show(start)
        if shown is None:
            return
        active = out.activity(self.line.active.get((target, arrow.port), []))
        out.raw(f"<g{shown}{active}>")
        out.raw(f'<path class="bl-back" d="{_path(points, shift)}"/>')
        x, y = points[0]
        out.raw(f'<path class="bl-back-head" d="M{_f(x)} {_f(y + shift)}l9 -4v8z"/></g>')

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
                placed.append((Box(label.width + 8, label.height + 4, layer, x=(x0 + x1) / 2, y=(y0 + y1) / 2), key))
            placed.sort(key=lambda entry: entry[0].y)
            boxes = [box for box, _ in placed]
            spread_out(boxes, [box.y for box in boxes], between=4)
            for box, key in placed:
                start, _ = self.line.carried[key]
                receiver = key[0].inputs[key[1]]
                lasting = self.line.arrived[receiver][-1][1].of > 1
                with out.group("bl-label", out.show(start, None if lasting else start + 1)):
                    out.rect("bl-plate", box.x - box.width / 2, box.y - box.height / 2, box.width, box.height, 4)
                    _numbers(out, self.labels[key], "", box.x, box.y - self.labels[key].height / 2)


class _Card:
    """What stands on a node's card, and how large it is."""

    def __init__(self, node, line: Timeline):
        self.node = node
        self.named = node.name is not None
        written = notation.expression(node) if node.rule is not None else node.leaf_kind
        name = notation.symbol(node.name) if self.named else written
        self.name = notation.shorten(name, LONGEST)
        self.how = notation.shorten(written, LONGEST) if self.named else ""
        self.shape = notation.dimensions(node.shape) if node.shape else ""
        self.title = " = ".join(dict.fromkeys(filter(None, (node.name, written)))) + f", shape {node.shape}"
        value = line.known.get(node)
        self.value = block(value[1]) if value else Block(("?",), DIGIT, ROW)
        self.gradients = [(start, s, block(s.sum)) for start, s in line.arrived.get(node, ())]
        self.value_height = self.value.height
        self.gradient_height = max((g.height for _, _, g in self.gradients), default=0)
        forked = any(s.of > 1 for _, s, _ in self.gradients)
        name_line = text_width(self.name, 14 if self.named else 12, bold=self.named)
        if self.shape:
            name_line += 6 + text_width(self.shape, 11)
        self.width = 2 * PAD + max(
            name_line,
            text_width(self.how, 12),
            self.value.width + SIGN,
            *(g.width + SIGN for _, _, g in self.gradients),
            text_width("1 of 2 arrived", 11) if forked else 40.0,
        )
        texts = 16 + (16 if self.how else 0) + 7
        below = 4 + self.gradient_height + (14 if forked else 0) if self.gradients else 0
        ports = 18 * (len(node.inputs) + 1)
        self.height = max(2 * PAD + self.value_height + 4 + texts + below, ports)


class _Writer:
    """Collects SVG text; knows whether one position is drawn or all of them."""

    def __init__(self, position, length):
        self.position = position
        self.length = length
        self.parts: list[str] = []
        self.prefix = "bl-"

    def raw(self, text):
        self.parts.append(text)

    def show(self, start, end=None) -> str | None:
        """Attributes of what is seen from ``start`` up to ``end``; None if that is never."""
        end = self.length if end is None else end
        if self.position is not None:
            return "" if start <= self.position < end else None
        return "" if start == 0 and end == self.length else f' data-show="{start} {end}"'

    def states(self, changes) -> str:
        if self.position is None:
            listed = " ".join(f"{start}:{state}" for start, state in changes)
            return f' data-state="{changes[0][1]}" data-states="{listed}"'
        return f' data-state="{[state for start, state in changes if start <= self.position][-1]}"'

    def activity(self, positions, name="bl-active") -> str:
        if self.position is not None:
            return f' class="{name}"' if self.position in positions else ""
        return f' data-{name[3:]}="{" ".join(map(str, positions))}"' if positions else ""

    def classes(self, name, attributes) -> str:
        """``name`` as a class, joined with the one that ``attributes`` may bring."""
        if attributes.startswith(" class="):
            return f' class="{name} {attributes[8:]}'
        return f' class="{name}"{attributes}'

    def group(self, name, shown):
        return _Group(self, name, shown)

    def rect(self, name, x, y, width, height, radius):
        self.raw(
            f'<rect class="{name}" x="{_f(x)}" y="{_f(y)}" width="{_f(width)}" height="{_f(height)}" '
            f'rx="{radius}"/>'
        )

    def rule(self, x0, y, x1):
        self.raw(f'<path class="bl-rule" d="M{_f(x0)} {_f(y)}H{_f(x1)}"/>')

    def title(self, x, y, card):
        """A card's name, and its shape in small letters beside it."""
        shape = f'<tspan class="bl-shape" dx="6">{escape(card.shape)}</tspan>' if card.shape else ""
        self.raw(
            f'<text x="{_f(x)}" y="{_f(y)}" text-anchor="middle">'
            f'<tspan class="{"bl-name" if card.named else "bl-how"}">{escape(card.name)}</tspan>{shape}</text>'
        )

    def text(self, name, x, y, text, anchor="start", length=None):
        anchor = "" if anchor == "start" else f' text-anchor="{anchor}"'
        length = f' textLength="{_f(length)}"' if length else ""
        self.raw(f'<text class="{name}" x="{_f(x)}" y="{_f(y)}"{anchor}{length}>{escape(text)}</text>')


class _Group:
    """A group that is left out, with all that is drawn into it, where it is not seen."""

    def __init__(self, out, name, shown):
        self.out, self.name, self.shown = out, name, shown

    def __enter__(self):
        self.start = len(self.out.parts)
        self.out.raw(f'<g class="{self.name}"{self.shown or ""}>')

    def __exit__(self, *_):
        self.out.raw("</g>")
        if self.shown is None:
            del self.out.parts[self.start :]


def _numbers(out, drawn: Block, sign, middle, top):
    """A block of numbers or a heat map, with → or ← before it, its middle at ``middle``."""
    room = SIGN if sign else 0
    left = middle - (drawn.width + room) / 2 + room
    height = len(drawn.rows) * ROW
    if sign:
        out.text("bl-sign", left - room, top + height / 2 + 5, sign)
    for i, row in enumerate(drawn.rows):
        x, y = left + (6 if drawn.brackets else 0), top + ROW * i + 12
        out.text("bl-numbers", x, y, row, length=len(row) * DIGIT)
    if drawn.brackets:
        right = left + drawn.width
        edge, down = _f(top + 1), _f(height - 2)
        out.raw(
            f'<path class="bl-bracket" d="M{_f(left + 4)} {edge}h-3v{down}h3'
            f'M{_f(right - 4)} {edge}h3v{down}h-3"/>'
        )
    if drawn.image:
        width, tall = drawn.image_size
        out.raw(
            f'<image x="{_f(left + (drawn.width - width) / 2)}" y="{_f(top + height + 2)}" width="{_f(width)}" height="{_f(tall)}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="{drawn.image}"/>'
        )


def _path(points, shift) -> str:
    """Straight inside columns, a soft curve in each gap."""
    (x, y), *rest = points
    parts = [f"M{_f(x)} {_f(y + shift)}"]
    for i, (x1, y1) in enumerate(rest):
        if i % 2 == 0:
            parts.append(f"H{_f(x1)}")
        else:
            bend = (x + x1) / 2
            parts.append(f"C{_f(bend)} {_f(y + shift)} {_f(bend)} {_f(y1 + shift)} {_f(x1)} {_f(y1 + shift)}")
        x, y = x1, y1
    return "".join(parts)


def _f(number) -> str:
    """A coordinate: one decimal at most, so that the same run gives the same bytes everywhere."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text
