"""The pictures of the training lab that Python draws: the curve of the costs, and the still plane.

On the page the plane is a canvas (``plane.js``); the still picture is for where no kernel runs.

What must hold: classes, training and validation differ in shape, fill and dashes too, not in colour alone;
the same run gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from backprop_lab.pictures.blocks import png_address
from backprop_lab.pictures.pen import px
from backprop_lab.pictures.plot import Axis, Plot
from backprop_lab.training_lab.points import Points
from backprop_lab.words import notation

CLASSES = ("#0072b2", "#c27c00")  # blue circles and ochre squares: green and red mean value and gradient here
WIDTH, HEIGHT = 380, 230  # of the curve
LEFT, RIGHT, TOP, BOTTOM = 52, 366, 30, 186
SIDE, MARGIN = 340, 26  # of the still plane; the margin has room for its numbers
RADIUS = 4.0
TINT = 0.6  # strength of a colour where its class is certain
LEAST_COST, MOST_COST = 1e-6, 1e6  # beyond them a curve is cut off


def curve(costs: list[tuple[int, float | None, float | None]], log: bool) -> Plot:
    """Training and validation cost over the steps; ``costs``: (step, training, validation), None for none."""
    plot = Plot(WIDTH, HEIGHT, "Training cost, solid, and validation cost, dashed, over the steps")
    steps = np.array([step for step, _, _ in costs], float)
    rows = [np.array([np.nan if c is None else c for c in row], float) for row in list(zip(*costs))[1:]]
    rows = [np.where(row <= MOST_COST, row, np.nan) for row in rows]
    across = Axis(0, max(1.0, steps[-1]), LEFT, RIGHT, whole=True)
    up = _up(np.concatenate(rows), log)
    for pixel, _ in up.ticks():
        plot.line("grid", (LEFT, RIGHT), (pixel, pixel))
    plot.axis_below(across, BOTTOM)
    plot.axis_left(up, LEFT)
    for kind, place, row in zip(("training", "validation"), (LEFT + 6, LEFT + 130), rows):
        line = f"{kind}-cost"
        plot.line(line, (place, place + 30), (14, 14))
        plot.text("legend", place + 36, 19, kind)
        heights = np.clip(up(row), TOP, BOTTOM)
        plot.line(line, across(steps), heights)
        plot.dot(line, across(steps[-1]), float(heights[-1]), 4)
    plot.text("legend", RIGHT, HEIGHT - 8, "step", "end")
    plot.text("legend", LEFT, HEIGHT - 8, "cost without the penalty")
    return plot


def _up(values, log) -> Axis:
    """The axis of the costs: linear from 0, or logarithmic."""
    values = values[np.isfinite(values)]
    if log:
        values = np.log10(np.maximum(values, LEAST_COST))
        low = math.floor(values.min()) if values.size else -1
        high = math.ceil(values.max()) if values.size else 0
        return Axis(low, max(high, low + 1), BOTTOM, TOP, log=True)
    return Axis(0, 1.05 * float(values.max()) if values.size and values.max() > 0 else 1.0, BOTTOM, TOP)


@cache
def _tints() -> bytes:
    """The colours of the plane for 0 to 255: white where both classes are equally probable."""
    certain = np.abs(np.arange(256) / 127.5 - 1)[:, None] * TINT
    blue, ochre = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASSES)
    colours = np.where(np.arange(256)[:, None] < 128, blue, ochre)
    return np.rint(255 + (colours - 255) * certain).astype(np.uint8).tobytes()


def plane(grid: np.ndarray, points: Points, window: Sequence[float]) -> Plot:
    """The plane as a still picture, tinted by the probability of class 1, with all points.

    Circles are class 0, squares class 1; filled ones are for training, empty ones for validation.
    """
    plot = Plot(SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, "The plane, tinted by the more probable class")
    left, right, low, high = window
    across = Axis(left, right, MARGIN, MARGIN + SIDE)
    up = Axis(low, high, MARGIN + SIDE, MARGIN)
    plot.parts.append(
        f'<image x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" preserveAspectRatio="none" '
        f'href="{png_address(grid, _tints())}"/>'
    )
    for (x, y), label, validation in zip(points.X.tolist(), points.y.tolist(), points.validation.tolist()):
        plot.parts.append(_mark(across(x), up(y), label, validation))
    plot.axis_below(across, MARGIN + SIDE)
    plot.axis_left(up, MARGIN)
    return plot


def _mark(x, y, label, validation) -> str:
    colour = CLASSES[label]
    look = f'fill="#fff" stroke="{colour}" stroke-width="1.6"'
    if not validation:
        look = f'fill="{colour}" stroke="#fff" stroke-width="0.8"'
    r = RADIUS - validation
    if label:
        return f'<rect x="{px(x - r)}" y="{px(y - r)}" width="{px(2 * r)}" height="{px(2 * r)}" {look}/>'
    return f'<circle cx="{px(x)}" cy="{px(y)}" r="{px(r)}" {look}/>'


def in_words(costs, right, step: int, epoch: int) -> list[str]:
    """The step and the costs in words, one line each."""
    lines = [f"step {step}, epoch {epoch}"]
    for name, cost, (good, of) in zip(("training", "validation"), costs, right):
        if cost is None:
            lines.append(f"{name}: no points yet" if name == "training" else "validation: no points")
        else:
            lines.append(f"{name} cost {notation.number(cost, 3)}, {good} of {of} points on the right side")
    return lines
