"""Writing SVG: elements that are seen at some positions of a run and not at others.

A :class:`Pen` either writes all positions at once, with the times in ``data-*`` attributes that the browser
switches by, or one position, with the switches set and what is not seen left out.

What must hold: text is escaped; coordinates have one decimal, so that the same run gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from backprop_lab.pictures.blocks import DIGIT, ROW, Block
from backprop_lab.pictures.timeline import Span

SIGN = 17.0  # room for → or ← before the numbers
PILE = 5.0  # how far the sheets under a folded card stick out


class Pen:
    """Collects SVG text, for one position of a run or for all of them (``position`` is then None)."""

    def __init__(self, position: int | None, length: int):
        self.position = position
        self.length = length
        self.parts: list[str] = []

    def raw(self, text: str):
        self.parts.append(text)

    def show(self, span: Span) -> str | None:
        """The attributes of what is seen during ``span``; None if it is not seen at all."""
        start, end, _ = span
        if self.position is not None:
            return "" if start <= self.position < end else None
        return "" if start == 0 and end == self.length else f' data-show="{start} {end}"'

    def states(self, changes: list[tuple[int, str]]) -> str:
        if self.position is None:
            listed = " ".join(f"{start}:{state}" for start, state in changes)
            return f' data-state="{changes[0][1]}" data-states="{listed}"'
        return f' data-state="{[state for start, state in changes if start <= self.position][-1]}"'

    def activity(self, positions: list[int], name: str = "bl-active") -> str:
        if self.position is not None:
            return f' class="{name}"' if self.position in positions else ""
        return f' data-{name[3:]}="{" ".join(map(str, positions))}"' if positions else ""

    def classes(self, name: str, attributes: str) -> str:
        """``name`` as a class, together with the one that ``attributes`` may hold."""
        if attributes.startswith(" class="):
            return f' class="{name} {attributes[8:]}'
        return f' class="{name}"{attributes}'

    def group(self, name: str, shown: str | None) -> Group:
        return Group(self, name, shown)

    def rect(self, name: str, x: float, y: float, width: float, height: float, radius: float):
        self.raw(
            f'<rect class="{name}" x="{px(x)}" y="{px(y)}" width="{px(width)}" height="{px(height)}" '
            f'rx="{radius}"/>'
        )

    def rule(self, x0: float, y: float, x1: float):
        self.raw(f'<path class="bl-rule" d="M{px(x0)} {px(y)}H{px(x1)}"/>')

    def title(self, x: float, y: float, name: str, shape: str):
        """A card's name, and its shape in small letters beside it."""
        shape = f'<tspan class="bl-shape" dx="6">{escape(shape)}</tspan>' if shape else ""
        name = f'<tspan class="bl-name">{escape(name)}</tspan>'
        self.raw(f'<text x="{px(x)}" y="{px(y)}" text-anchor="middle">{name}{shape}</text>')

    def text(
        self, name: str, x: float, y: float, text: str, anchor: str = "start", length: float | None = None
    ):
        how = "" if anchor == "start" else f' text-anchor="{anchor}"'
        how += f' textLength="{px(length)}"' if length else ""
        self.raw(f'<text class="{name}" x="{px(x)}" y="{px(y)}"{how}>{escape(text)}</text>')


class Group:
    """A group; where it is not seen, it is left out with all that is drawn into it."""

    def __init__(self, out: Pen, name: str, shown: str | None):
        self.out, self.name, self.shown = out, name, shown

    def __enter__(self):
        self.start = len(self.out.parts)
        self.out.raw(f'<g class="{self.name}"{self.shown or ""}>')

    def __exit__(self, *_):
        self.out.raw("</g>")
        if self.shown is None:
            del self.out.parts[self.start :]


def numbers(out: Pen, drawn: Block, sign: str, middle: float, top: float):
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
        edge, down = px(top + 1), px(height - 2)
        out.raw(
            f'<path class="bl-bracket" d="M{px(left + 4)} {edge}h-3v{down}h3'
            f'M{px(right - 4)} {edge}h3v{down}h-3"/>'
        )
    if drawn.image:
        width, tall = drawn.image_size
        out.raw(
            f'<image x="{px(left + (drawn.width - width) / 2)}" y="{px(top + height + 2)}" '
            f'width="{px(width)}" height="{px(tall)}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="{drawn.image}"/>'
        )


def pile(left: float, top: float, width: float, height: float) -> str:
    """The edges of two more sheets under a card, at its right and its bottom."""
    return "".join(
        f"M{px(left + width + d)} {px(top + d + 5)}V{px(top + height + d - 5)}q0 5 -5 5H{px(left + d + 5)}"
        for d in (PILE / 2, PILE)
    )


def path(points: Sequence[tuple[float, float]], shift: float) -> str:
    """Straight inside columns, a soft curve in each gap."""
    (x, y), *rest = points
    parts = [f"M{px(x)} {px(y + shift)}"]
    for i, (x1, y1) in enumerate(rest):
        if i % 2 == 0:
            parts.append(f"H{px(x1)}")
        else:
            bend = (x + x1) / 2
            ends = (bend, y + shift, bend, y1 + shift, x1, y1 + shift)
            parts.append("C" + " ".join(map(px, ends)))
        x, y = x1, y1
    return "".join(parts)


def px(number: float, decimals: int = 1) -> str:
    """A coordinate in pixels with few decimals, so that the same run gives the same bytes everywhere.

    Halves and quarters are frequent, and processors differ in the last bit: a small shift keeps such numbers
    away from where that bit would decide the rounding.
    """
    text = f"{number + 1e-5:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
