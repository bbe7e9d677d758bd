"""``bl.explore.chain_rule``: a small piece at x, stretched by dy/dx and then by dz/dy.

Three number lines, one below the other. The values are green; the pieces and the bands between them are
vermillion. A piece is an arrow, so that one sees a negative slope turn it around. Each line has its own
scale, so the length of its piece is written beside it.

What must hold: the length of a piece follows from the slopes alone, not from how f and g bend it; slopes are
those of the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from backprop_lab.explorers.explorer import Control, Explorer, Scene, slider_step, stretch_of
from backprop_lab.explorers.real_functions import RealFunction, stretch_of_values
from backprop_lab.graph.node import Node
from backprop_lab.pictures.plot import Axis, Plot
from backprop_lab.words import notation
from backprop_lab.words.numbers import finite_number

WIDTH, HEIGHT = 490, 338
TEXT, START, END = 8, 202, 478  # where the words begin; where the number lines begin and end
LINES = (28, 144, 260)  # their heights
PIECE = 0.08  # length of the small piece at x, as a fraction of the range
SAMPLES = 201  # of x over its range, to find the ranges of y and z


def chain_rule(
    f: Callable[[Node], Node],
    g: Callable[[Node], Node],
    x: float = 1.5,
    range: tuple[float, float] = (-2.5, 2.5),
) -> Explorer:
    """Three number lines x → y → z for z = f(g(x)): drag x, and see a small piece stretched by each slope.

    ``f``, ``g``: functions of one number written in NumPy, the outer one first as in f(g(x)). ``x``: its
    value at the start; ``range``: (low, high) of x. ``.values["x"]`` can be read and set. Raises TypeError if
    ``f`` or ``g`` is not a function, ValueError if it does not give a single number, or none at ``x``.

    The chain rule: Spivak, Calculus (2008), chapter 10.

    >>> import numpy as np, backprop_lab as bl
    >>> print(*bl.explore.chain_rule(np.sin, np.square).lines, sep="\\n")
    x = 1.5, y = x² = 2.25, z = sin(y) = 0.7781
    dy/dx = 3: the piece at x is stretched 3 times
    dz/dy = −0.6282: then it shrinks to 0.6282 of its length and turns around
    dz/dx = dz/dy · dy/dx = −0.6282 · 3 = −1.885
    """
    what = "chain_rule"
    low, high = stretch_of("range", range, what)
    start = finite_number(f"{what}: x", x)
    if not low <= start <= high:
        raise ValueError(f"{what}: x = {x} lies outside of range = {range}")
    inner, outer = RealFunction(g, "x", "g", what), RealFunction(f, "y", "f", what)
    picture = _Picture(inner, outer, low, high)
    control = Control("x", "x", low, high, slider_step(low, high), start)
    return Explorer(f"chain rule: y = {inner.formula}, z = {outer.formula}", [control], picture)


class _Point(NamedTuple):
    """x, y, z and both slopes at one place."""

    x: float
    y: float
    z: float
    dy_dx: float
    dz_dy: float

    @property
    def dz_dx(self):
        return self.dz_dy * self.dy_dx


class _Picture:
    """The axes, found once, and the scene at any x."""

    def __init__(self, inner: RealFunction, outer: RealFunction, low: float, high: float):
        self.inner, self.outer = inner, outer
        self.piece = PIECE * (high - low)
        points = [self._point(x, "ignore") for x in np.linspace(low, high, SAMPLES).tolist()]
        _, y, z, dy_dx, dz_dy = np.array(points).T
        with np.errstate(all="ignore"):
            y_ends, z_ends = y + dy_dx * self.piece, z + dz_dy * dy_dx * self.piece
        stretches = [
            (low - self.piece / 3, high + 1.2 * self.piece),
            stretch_of_values([y, y_ends], "g(x)", "chain_rule"),
            stretch_of_values([z, z_ends], "f(g(x))", "chain_rule"),
        ]
        self.axes = [Axis(*stretch, START, END) for stretch in stretches]

    def _point(self, x, on_nonfinite="raise"):
        y, dy_dx = self.inner.value_and_slope(x, on_nonfinite)
        z, dz_dy = self.outer.value_and_slope(y, on_nonfinite)
        return _Point(x, y, z, dy_dx, dz_dy)

    def _pieces(self, point: _Point) -> tuple[float, float, float]:
        """The piece on each of the three lines."""
        return self.piece, point.dy_dx * self.piece, point.dz_dx * self.piece

    def scene(self, values: dict) -> Scene:
        point = self._point(values["x"])
        x, y, z, dy_dx, dz_dy, dz_dx = map(notation.number, (*point, point.dz_dx))
        product = f"{dz_dy} · {notation.bracket_minus(dy_dx)} = {dz_dx}"
        lines = [
            f"x = {x}, y = {self.inner.formula} = {y}, z = {self.outer.formula} = {z}",
            f"dy/dx = {dy_dx}: the piece at x {_stretching(point.dy_dx)}",
            f"dz/dy = {dz_dy}: "
            + (f"then it {_stretching(point.dz_dy)}" if point.dy_dx else "a point stays a point"),
            f"dz/dx = dz/dy · dy/dx = {product}",
        ]
        plot = Plot(WIDTH, HEIGHT, "Three number lines, x above y above z, and a small piece carried down")
        self._draw(plot, point)
        fits = [notation.shorten(formula, 18) for formula in (self.inner.formula, self.outer.formula)]
        plot.text("big", TEXT, LINES[0] + 6, f"x = {x}")
        for height, letter, formula, value in zip(LINES[1:], "yz", fits, (y, z), strict=True):
            plot.text("formula", TEXT, height - 6, f"{letter} = {formula}")
            plot.text("big", TEXT, height + 17, f"{letter} = {value}")
        for height, below, length in zip(LINES, (23, 34, 34), self._pieces(point), strict=True):
            plot.text("tick", TEXT, height + below, f"piece: {notation.number(length)}")
        for height, slope in zip(LINES, (f"dy/dx = {dy_dx}", f"dz/dy = {dz_dy}"), strict=False):
            plot.text("slope", TEXT + 14, height + 58, f"↓ {slope}")
        plot.text("slope", TEXT, HEIGHT - 12, f"dz/dx = dz/dy · dy/dx = {product}")
        return Scene(plot, lines, {"x": x})

    def _draw(self, plot: Plot, point: _Point):
        numbers = zip(self.axes, point[:3], self._pieces(point), strict=True)
        ends = [tuple(axis.clip(v) for v in (value, value + step)) for axis, value, step in numbers]
        for i, ((a, b), (c, d)) in enumerate(pairwise(ends)):
            top, bottom = LINES[i], LINES[i + 1]
            plot.shape("band", (a, b, d, c), (top, top, bottom, bottom))
            plot.line("thread", (a, c), (top, bottom))
        for axis, height, value, (a, b) in zip(self.axes, LINES, point, ends, strict=False):
            plot.axis_below(axis, height)
            plot.arrow("piece", a, height, b, height, head=12)
            if axis.low <= value <= axis.high:
                plot.dot("forwards", a, height, 5)
        plot.area("handle", START - 12, LINES[0] - 26, END - START + 24, 56, drag_x=self.axes[0].drag("x"))


def _stretching(slope: float) -> str:
    """The effect of a slope on a small piece: ``is stretched 3 times and turns around``."""
    size = notation.number(abs(slope))
    if slope == 0:
        return "shrinks to a point"
    if size == "1":
        done = "keeps its length"
    else:
        done = f"is stretched {size} times" if abs(slope) > 1 else f"shrinks to {size} of its length"
    return f"{done} and turns around" if slope < 0 else done
