"""Plots as SVG: axes, curves, points, arrows and letters, in the colours of the palette.

For explorers whose picture follows a drag: it is written in a millisecond, where matplotlib takes fifty.

What must hold: text is escaped; the same plot gives the same bytes; where a curve is not finite it is broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from backprop_lab.pictures.pen import px
from backprop_lab.pictures.svg import LEAST_SCALE, own_colours, style
from backprop_lab.words import notation

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_SCALE = 1.3  # its letters are large enough to be read from afar
TICKS = 6  # on an axis, roughly


def round_step(least: float) -> float:
    """The next round number: 1, 2, 2.5 or 5 times a power of ten.

    >>> round_step(0.3), round_step(11)
    (0.5, 20.0)
    """
    magnitude = 10.0 ** math.floor(math.log10(least))
    return next(f * magnitude for f in (1, 2, 2.5, 5, 10) if f * magnitude >= least * 0.999)


class Axis(NamedTuple):
    """A stretch of numbers from ``low`` to ``high`` on the pixels from ``start`` to ``end``.

    With ``log`` the numbers are powers of ten: ``low`` and ``high`` are their exponents. With ``whole`` only
    whole numbers get a tick.

    >>> Axis(-1, 1, 0, 200)(0.5)
    150.0
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False

    @overload
    def __call__(self, value: float) -> float: ...
    @overload
    def __call__(self, value: np.ndarray) -> np.ndarray: ...
    def __call__(self, value: float | np.ndarray) -> float | np.ndarray:
        """The pixel of a number, or of an array of them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.log10(value) if self.log else np.asarray(value, float)
        pixels = self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
        return float(pixels) if np.ndim(pixels) == 0 else pixels

    def clip(self, value: float) -> float:
        """The pixel of a number; of one beyond the axis, that of its end."""
        first, last = sorted((self.start, self.end))
        return min(max(self(value), first), last)

    def ticks(self) -> list[tuple[float, str]]:
        """(pixel, label) of round numbers along the axis, about six."""
        step = round_step((self.high - self.low) / TICKS)
        if self.log or self.whole:
            step = max(1, round(step))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        marks = [k * step for k in range(first, last + 1)]
        pixels = [
            self.start + (m - self.low) / (self.high - self.low) * (self.end - self.start) for m in marks
        ]
        labels = [
            (f"1e{m}".replace("-", notation.MINUS) if m else "1") if self.log else notation.number(m, 3)
            for m in marks
        ]
        return list(zip(pixels, labels, strict=True))

    def drag(self, control: str) -> str:
        """The attribute that tells the browser that a drag along this axis moves the control of this name."""
        return " ".join([control, *map(repr, map(float, (self.start, self.end, self.low, self.high)))])


class Plot:
    """A picture that is drawn piece by piece. ``kind`` is a class of ``plot.css``: what a thing is."""

    def __init__(self, width: float, height: float, title: str):
        self.width, self.height, self.title = width, height, title
        self.parts: list[str] = []

    def line(self, kind: str, x: npt.ArrayLike, y: npt.ArrayLike):
        """A line through points, broken where one is not finite."""
        pieces, piece = [], []
        for a, b in zip(np.ravel(x).tolist(), np.ravel(y).tolist(), strict=True):
            if math.isfinite(a) and math.isfinite(b):
                piece.append(f"{px(a)} {px(b)}")
                continue
            pieces.append(piece)
            piece = []
        d = "".join("M" + "L".join(piece) for piece in [*pieces, piece] if len(piece) > 1)
        if d:
            self.parts.append(f'<path class="bl-line bl-{kind}" d="{d}"/>')

    def shape(self, kind: str, x: Iterable[float], y: Iterable[float]):
        """A filled shape with these corners."""
        corners = "L".join(f"{px(a)} {px(b)}" for a, b in zip(x, y, strict=True))
        self.parts.append(f'<path class="bl-{kind}" d="M{corners}z"/>')

    def arrow(self, kind: str, x0: float, y0: float, x1: float, y1: float, head: float = 9):
        """A straight arrow from one point to another; its head is no longer than the arrow."""
        length = math.hypot(x1 - x0, y1 - y0)
        if not length > 1 or not math.isfinite(length):
            return
        a, b = (x1 - x0) / length, (y1 - y0) / length
        half = 0.45 * head
        head = min(head, length)
        left, right = ((x1 - head * a - s * half * b, y1 - head * b + s * half * a) for s in (1, -1))
        self.line(kind, (x0, x1 - head * a), (y0, y1 - head * b))
        corners = "L".join(f"{px(u)} {px(v)}" for u, v in ((x1, y1), left, right))
        self.parts.append(f'<path class="bl-tip bl-{kind}" d="M{corners}z"/>')

    def dot(self, kind: str, x: float, y: float, radius: float = 5):
        """A point."""
        if math.isfinite(x) and math.isfinite(y):
            self.parts.append(
                f'<circle class="bl-dot bl-{kind}" cx="{px(x)}" cy="{px(y)}" r="{px(radius)}"/>'
            )

    def text(self, kind: str, x: float, y: float, text: str, anchor: str = "start"):
        """Letters, their baseline at ``y``; ``anchor``: start, middle or end."""
        self.parts.append(
            f'<text class="bl-letters bl-{kind}" x="{px(x)}" y="{px(y)}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def area(
        self, kind: str, x: float, y: float, width: float, height: float, drag_x: str = "", drag_y: str = ""
    ):
        """A rectangle. ``drag_x``, ``drag_y``: from :meth:`Axis.drag`, for one that can be dragged over."""
        drags = "".join(f' data-{name}="{escape(d)}"' for name, d in (("x", drag_x), ("y", drag_y)) if d)
        self.parts.append(
            f'<rect class="bl-area bl-{kind}" x="{px(x)}" y="{px(y)}" width="{px(width)}" '
            f'height="{px(height)}"{drags}/>'
        )

    def axis_below(self, axis: Axis, y: float, name: str = ""):
        """A horizontal axis at the height ``y``: its line, ticks, numbers below, its name at the end."""
        self.line("axis", (axis.start, axis.end), (y, y))
        for pixel, label in axis.ticks():
            self.line("axis", (pixel, pixel), (y, y + 5))
            self.text("tick", pixel, y + 18, label, "middle")
        if name:
            self.text("name", axis.end + 8, y + 5, name)

    def axis_left(self, axis: Axis, x: float, name: str = ""):
        """A vertical axis at ``x``: its line, its ticks and numbers at the left, its name on top."""
        self.line("axis", (x, x), (axis.start, axis.end))
        for pixel, label in axis.ticks():
            self.line("axis", (x - 5, x), (pixel, pixel))
            self.text("tick", x - 8, pixel + 4, label, "end")
        if name:
            self.text("name", x, min(axis.start, axis.end) - 8, name, "middle")

    def svg(self, words: str = "", palette: str | None = None) -> str:
        """The whole picture, described by ``words``; with a ``palette`` it stands on its own."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bl-graph bl-plot" viewBox="0 0 {px(self.width)} '
            f'{px(self.height)}" width="{px(self.width)}" height="{px(self.height)}" role="img" '
            f'aria-label="{escape(self.title)}" style="--bl-least:{px(LEAST_SCALE * self.width)}px;'
            f'--bl-usual:{px(self.width)}px;--bl-most:{px(MOST_SCALE * self.width)}px">'
        )
        alone = ""
        if palette:
            styles = f"{own_colours(palette)} {style()} {style('plot.css')}"
            alone = f"<style>{styles}</style><title>{escape(self.title)}</title>"
            alone += f"<desc>{escape(words)}</desc>"
        return head + alone + "".join(self.parts) + "</svg>"
