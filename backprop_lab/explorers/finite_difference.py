"""``bl.explore.finite_difference``: the error of a difference quotient, over its step h.

With a large h the quotient is wrong because f bends (truncation); with a small h, because the computer keeps
16 digits, and few of them are left in a difference (rounding). Between the two lies a valley.

What must hold: a drag only reads values, which are computed again only after a leaf has changed; errors are
measured against the derivative of the backward pass.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backprop_lab.explorers.explorer import Control, Explorer, Scene
from backprop_lab.explorers.real_functions import RealFunction
from backprop_lab.graph.node import Node
from backprop_lab.pictures.plot import Axis, Plot
from backprop_lab.words import notation
from backprop_lab.words.numbers import finite_number

SMALLEST, LARGEST = -16, 0  # exponents of h
A_DECADE = 25  # steps of h
START = -2
NO_VALLEY = 0.01  # of the slope: an error that stays above it for every h has another cause
ALIKE = A_DECADE // 4  # steps around the bottom of a valley where neither cause dominates
WIDTH, HEIGHT = 490, 370
LEFT, RIGHT, TOP, BOTTOM = 62, 476, 66, 316  # the frame


def finite_difference(f: Callable[[Node], Node], x: float = 1.5) -> Explorer:
    """The errors of the one-sided and the central difference quotient of ``f`` at ``x``, over h: drag h.

    ``f``: a function of one number written in NumPy. Both axes are powers of ten; ``.values["exponent"]`` is
    log₁₀ h, from −16 to 0. The quotients (f(x + h) − f(x)) / h and (f(x + h) − f(x − h)) / 2h are compared
    with the derivative of the backward pass. Raises TypeError if ``f`` is not a function, ValueError if it
    does not give a single number or has no derivative at ``x``.

    The valley and its depth: Nocedal & Wright, Numerical Optimization (2006), section 8.1.

    >>> import numpy as np, backprop_lab as bl
    >>> print(*bl.explore.finite_difference(lambda x: x * x * x, 2).lines, sep="\\n")
    f(x) = x · x · x at x = 2; its derivative, by the backward pass: 12
    h = 0.01
    one-sided: 12.0601, error 0.06: truncation dominates
    central: 12.0001, error 0.0001: truncation dominates
    bottom of the valley: one-sided near h = 1e−8, central near h = 5e−6
    """
    what = "finite_difference"
    place = finite_number(f"{what}: x", x)
    function = RealFunction(f, "x", "f", what)
    control = Control("exponent", "h", SMALLEST, LARGEST, 1 / A_DECADE, START)
    title = f"difference quotients of {function.formula} at x = {notation.number(place)}"
    return Explorer(title, [control], _Picture(function, place))


class _Valley(NamedTuple):
    """One kind of quotient: its values, their errors at every h, and where the error is least."""

    name: str
    written: str
    kind: str
    quotients: np.ndarray
    errors: np.ndarray
    bottom: int
    slopeless: bool

    def in_words(self, i: int) -> str:
        """The quotient at the ``i``-th step, its error, and what causes it."""
        if not np.isfinite(self.quotients[i]):
            return f"{self.name}: not a finite number at this h"
        error = self.errors[i]
        words = f"{self.name}: {notation.number(self.quotients[i], 10)}, error {notation.number(error, 2)}"
        if error == 0:
            return f"{words}, exact by chance or because f is so simple"
        if self.slopeless:
            return f"{words}: no h finds this slope; f has a kink or a jump here, or h is lost beside x"
        if abs(i - self.bottom) <= ALIKE:
            return f"{words}: rounding and truncation weigh alike"
        return f"{words}: {'rounding' if i < self.bottom else 'truncation'} dominates"


def _valley(name, written, kind, quotients, slope) -> _Valley:
    errors = np.abs(quotients - slope)
    window = A_DECADE // 4 * 2 + 1  # some errors are small by chance, so take medians over half a decade
    padded = np.pad(np.where(np.isfinite(errors), errors, np.inf), window // 2, mode="reflect")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=-1)
    bottom = int(np.argmin(medians))
    steepness = max(abs(slope), abs(quotients[bottom]), abs(quotients[-1]))  # the last shows how f goes on
    slopeless = bool(medians[bottom] > NO_VALLEY * steepness)
    return _Valley(name, written, kind, quotients, errors, bottom, slopeless)


class _Picture:
    """The fixed parts of the picture, and the scene at any h."""

    def __init__(self, f: RealFunction, x: float):
        self.f, self.x = f, x
        exponents = np.linspace(SMALLEST, LARGEST, (LARGEST - SMALLEST) * A_DECADE + 1).tolist()
        self.h = np.array([10.0**e for e in exponents])  # the last digits of np.power depend on the machine
        self._measure()

    def _measure(self):
        """All that does not depend on which h is looked at."""
        f, x, h = self.f, self.x, self.h
        parameters = f.parameters()
        value, self.slope = f.value_and_slope(x)
        after, before = f.at(x + h), f.at(x - h)
        with np.errstate(all="ignore"):
            self.valleys = [
                _valley("one-sided", "(f(x + h) − f(x)) / h", "first", (after - value) / h, self.slope),
                _valley(
                    "central", "(f(x + h) − f(x − h)) / 2h", "second", (after - before) / (2 * h), self.slope
                ),
            ]
        self.across = Axis(SMALLEST, LARGEST, LEFT, RIGHT, log=True)
        self.up = Axis(*self._exponents(), BOTTOM, TOP, log=True)
        self.still = self._still()
        self.parameters = parameters

    def _exponents(self) -> tuple[int, int]:
        """The powers of ten between which the errors lie."""
        errors = np.concatenate([valley.errors for valley in self.valleys])
        shown = np.log10(errors[np.isfinite(errors) & (errors > 0)])
        if not shown.size:
            return -16, 0
        return math.floor(np.percentile(shown, 1)) - 1, math.ceil(np.percentile(shown, 99.5)) + 1

    def _heights(self, errors) -> np.ndarray:
        """The pixels of errors; an exact quotient lies at the bottom."""
        return np.clip(self.up(errors), TOP, BOTTOM)

    def _still(self) -> list[str]:
        plot = Plot(WIDTH, HEIGHT, "")
        for row, valley in zip((18, 40), self.valleys, strict=True):
            plot.line(valley.kind, (LEFT, LEFT + 36), (row - 5, row - 5))
            plot.text("legend", LEFT + 46, row, f"{valley.name}: {valley.written}")
            heights = self._heights(valley.errors)
            plot.line(valley.kind, self.across(self.h), heights)
            bottom = self.across(self.h[valley.bottom])
            plot.line("quiet", (bottom, bottom), (heights[valley.bottom] + 14, BOTTOM))
        plot.axis_below(self.across, BOTTOM)
        plot.axis_left(self.up, LEFT)
        plot.text("legend", (LEFT + RIGHT) / 2, HEIGHT - 12, "step h", "middle")
        plot.text("legend", LEFT, HEIGHT - 12, "← rounding")
        plot.text("legend", RIGHT, HEIGHT - 12, "truncation →", "end")
        plot.text("legend", LEFT - 8, TOP - 8, "error", "end")
        return plot.parts

    def _where(self, valley) -> str:
        """Where the bottom of a valley lies, in words."""
        return "none" if valley.slopeless else f"near h = {notation.number(self.h[valley.bottom], 1)}"

    def scene(self, values: dict) -> Scene:
        if not all(map(operator.is_, self.parameters, self.f.parameters())):
            self._measure()
        i = round((values["exponent"] - SMALLEST) * A_DECADE)
        h = notation.number(self.h[i], 2)
        plot = Plot(WIDTH, HEIGHT, "The errors of both difference quotients over h, two valleys")
        pixel = self.across(self.h[i])
        plot.line("quiet", (pixel, pixel), (TOP, BOTTOM))
        plot.parts += self.still
        for valley in self.valleys:
            plot.dot(valley.kind, pixel, float(self._heights(valley.errors[i])), 6)
        shift, anchor = (8, "start") if pixel < RIGHT - 90 else (-8, "end")
        plot.text("tag", pixel + shift, TOP + 12, f"h = {h}", anchor)
        plot.area("handle", LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, drag_x=self.across.drag("exponent"))
        x, slope = notation.number(self.x), notation.number(self.slope, 10)
        lines = [
            f"f(x) = {self.f.formula} at x = {x}; its derivative, by the backward pass: {slope}",
            f"h = {h}",
            *(valley.in_words(i) for valley in self.valleys),
            "bottom of the valley: " + ", ".join(f"{v.name} {self._where(v)}" for v in self.valleys),
        ]
        return Scene(plot, lines, {"exponent": h})
