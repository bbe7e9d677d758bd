"""``bl.explore.landscape``: the contours of a cost of two parameters, and the path of SGD over them.

Two arrows point downhill from the current point: one for all examples, one for the minibatch that SGD uses.
With a penalty λ‖θ‖² the picture also shows what the penalty does to the solution (``shrinkage.py``).

What must hold: the path is that of ``bl.sgd`` with the same arguments; contours are found once, and a drag
computes the path and the arrows; a unit is as long across as up, so that a gradient is at right angles to
its contour; the learner's variables keep their values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from backprop_lab.explorers.explorer import Control, Explorer, Scene, stretch_of
from backprop_lab.explorers.plane_cost import WHAT, PlaneCost, low_point
from backprop_lab.explorers.sgd_walk import DOWNHILL, Walk
from backprop_lab.explorers.shrinkage import Shrinkage
from backprop_lab.graph.node import Node
from backprop_lab.learning.descent import checked_rate
from backprop_lab.pictures.contours import contours
from backprop_lab.pictures.plane import Plane
from backprop_lab.pictures.plot import Plot, round_step
from backprop_lab.words import notation
from backprop_lab.words.numbers import finite_number, whole_number

STEPS, MOST_STEPS = 20, 1000  # of SGD: by default, and at most
LEFT, SIDE, WIDTH = 56.0, 384.0, 462.0  # of the plane, and the width of the picture, in pixels
ROW = 20.0  # of the legend


def landscape(
    J: Node,
    data: Mapping | None = None,
    learning_rate: float = 0.1,
    batch_size: int | None = None,
    steps: int | None = None,
    penalty: float | bool | None = None,
    start: Sequence[float] | np.ndarray | None = None,
    window: Sequence[tuple[float, float]] | None = None,
    seed: int = 0,
) -> Explorer:
    """Contours of a cost of two parameters, and on them the path of SGD: drag its start.

    ``J``: a single number that depends on two parameters, either two variables of one number each or one
    variable of two. ``data``, ``learning_rate`` η, ``batch_size``, ``seed``: as :func:`bl.sgd` takes them;
    the path is that of ``bl.sgd``, and the contours are those over all of ``data``, or of the leaves as they
    are. ``steps``: how many SGD takes, 20 by default, at most 1000. ``start``: the point (θ₁, θ₂) to start
    at, by default the values of the variables, which never change. ``window``: ((low, high), (low, high)) of
    both parameters, widened until units are equal; by default it shows the start and a low point.

    ``penalty``: λ, or True for λ = 1. Then the cost is J + λ(θ₁² + θ₂²), J must be quadratic with a single
    minimum θ*, and the picture shows how the solution (H + 2λI)⁻¹Hθ* shrinks from θ* towards 0: along an
    eigenvector of the Hessian H with eigenvalue κ, to the fraction κ/(κ + 2λ). With a penalty ``steps`` is 0
    by default, which leaves SGD out.

    ``.values`` has ``"start_1"`` and ``"start_2"``, ``"log10_learning_rate"``, ``"step"``, and ``"penalty"``.
    Raises ValueError for another number of parameters, where the cost is not finite at the start, and if a
    cost with a penalty is not such a quadratic one; and whatever ``bl.sgd`` and ``bl.compile`` raise.

    SGD: Robbins & Monro (1951). The penalty: Goodfellow, Bengio & Courville, Deep Learning (2016), section
    7.1.1, whose α is 2λ.

    >>> import numpy as np, backprop_lab as bl
    >>> w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    >>> x, y = bl.constant("x", [1.0, 2.0, 4.0]), bl.constant("y", [1.0, 4.0, 6.0])
    >>> J = np.mean((w * x + b - y) ** 2)
    >>> data = {"x": x.value, "y": y.value}
    >>> print(*bl.explore.landscape(J, data, 0.02, batch_size=1, steps=6).lines, sep="\\n")
    step 0 of 6, epoch 0: (w, b) = (2, 1), full cost J = 4.667
    full batch: ∇J = (10.67, 4)
    minibatch, 1 of 3 examples: ∇J = (24, 6), 6.5° away
    the next step, by η = 0.02 and the minibatch, lowers the full cost from 4.667 to 0.9627
    over all 6 steps the full cost falls from 4.667 to 0.5231
    """
    factor = None if penalty is None or penalty is False else _factor(penalty)
    steps = _count(steps, STEPS, 1) if factor is None else _count(steps, 0, 0)
    rate = checked_rate(learning_rate)
    if not rate:
        raise ValueError(f"{WHAT}: learning_rate is a number above 0, not {learning_rate!r}")
    cost = PlaneCost(J, data)
    first = cost.point(start)
    shrinkage = None if factor is None else Shrinkage(cost, first, WHAT)
    batches = cost.batches(steps + 1, batch_size, seed)
    walk = Walk(cost, batches, rate) if steps else None
    cost_symbol = cost.symbol if shrinkage is None else cost.symbol + "\u0303"  # with its penalty: J̃
    legend = [] if walk is None else walk.legend(cost_symbol)
    legend += [] if shrinkage is None else shrinkage.legend(cost.symbol)
    place = LEFT, 14 + ROW * -(-len(legend) // 2), SIDE
    plane = _window(window, _points_shown(cost, first, shrinkage, walk, window), cost.names, place)
    if walk is not None:
        _refuse_start_outside(cost.names, first, plane)
    picture = _Picture(cost, plane, walk, shrinkage, cost_symbol, legend)
    controls = [] if walk is None else walk.controls(first, plane)
    if shrinkage is not None:
        controls.append(_penalty_control(factor, shrinkage))
    return Explorer(f"Cost landscape of {cost.symbol} = {cost.formula}", controls, picture)


def _points_shown(cost, first, shrinkage, walk, window) -> np.ndarray:
    """The points that a window found by itself must hold."""
    if shrinkage is not None:
        return np.array([np.zeros(2), shrinkage.best] + ([] if walk is None else [first]))
    return np.array([first] if window is not None else [first, low_point(cost, first)])


def _refuse_start_outside(names, first, plane: Plane):
    for name, value, axis in zip(names, first, plane, strict=True):
        if not axis.low <= value <= axis.high:
            raise ValueError(
                f"{WHAT}: the start, {name} = {notation.number(value)}, is outside of the window"
            )


def _count(steps, usual: int, least: int) -> int:
    return usual if steps is None else whole_number(f"{WHAT}: steps", steps, least, MOST_STEPS)


def _factor(penalty) -> float:
    factor = finite_number(f"{WHAT}: penalty", penalty)
    if factor < 0:
        raise ValueError(f"{WHAT}: penalty is λ, a number that is not negative, not {penalty!r}")
    return factor


def _penalty_control(factor, shrinkage) -> Control:
    """λ, up to where even the steepest direction has shrunk to a fifth."""
    high = max(2 * shrinkage.curvatures[0], 2 * factor)
    step = round_step(high / 200)
    if factor:  # so that the slider can stand at the λ of the start
        step = factor / math.ceil(factor / step)
    return Control("penalty", "λ", 0.0, step * round(high / step), step, factor)


def _window(window, shown, names, place) -> Plane:
    """The plane of the given window, or the one around the points ``shown``."""
    if window is None:
        low, high = shown.min(axis=0), shown.max(axis=0)
        if np.hypot(*(high - low)) < 1e-3:
            low, high = low - 1, high + 1
        across, up = zip(low.tolist(), high.tolist(), strict=True)
        return Plane.around(across, up, 0.3, place)
    if isinstance(window, (str, Mapping)) or np.shape(window) != (2, 2):
        raise ValueError(
            f"{WHAT}: window is ((low, high), (low, high)), one pair for each parameter, not {window!r}"
        )
    across, up = (
        stretch_of(f"the window of {name}", pair, WHAT) for name, pair in zip(names, window, strict=True)
    )
    return Plane.around(across, up, 0.0, place)


class _Picture:
    """The fixed parts of the picture, drawn once, and the scene at any values."""

    def __init__(
        self, cost: PlaneCost, plane: Plane, walk: Walk | None, shrinkage: Shrinkage | None, symbol, legend
    ):
        self.cost, self.plane, self.walk, self.shrinkage, self.cost_symbol = (
            cost,
            plane,
            walk,
            shrinkage,
            symbol,
        )
        self.height = plane.edges[3] + 44
        plot = Plot(WIDTH, self.height, "")
        contours(plot, plane, cost)
        plane.frame(plot)
        plane.name_axes(plot, cost.names)
        _legend(plot, legend)
        self.still = plot.parts

    def scene(self, values: dict) -> Scene:
        factor = values.get("penalty", 0.0)
        plot = Plot(
            WIDTH,
            self.height,
            f"Contours of {self.cost.symbol} over the plane of {', '.join(self.cost.names)}",
        )
        plot.parts += self.still
        lines, written = [], {}
        if self.shrinkage is not None:
            self.shrinkage.draw(plot, self.plane, factor)
            lines += self.shrinkage.lines(self.cost.names, self.cost.symbol, factor)
            written["penalty"] = notation.number(factor)
        if self.walk is not None:
            here = self.walk.at(values, factor)
            self.walk.draw(plot, self.plane, here)
            lines += self.walk.lines(here, self.cost_symbol, factor, self.plane)
            written |= self.walk.written(values, here)
            left, _, top, _ = self.plane.edges
            drags = (axis.drag(f"start_{i}") for i, axis in zip("12", self.plane, strict=True))
            plot.area("handle", left, top, self.plane.side, self.plane.side, *drags)
        return Scene(plot, lines, written)


def _legend(plot: Plot, entries):
    """Write what each kind of line means, in two columns above the plane."""
    for i, (kind, text) in enumerate(entries):
        x, y = LEFT + (i % 2) * SIDE / 2, 8 + ROW * (i // 2)
        if kind in (*DOWNHILL, "eigenvector"):
            plot.arrow(kind, x, y, x + 32, y)
        else:
            plot.line(kind, (x, x + 32), (y, y))
        plot.text("legend", x + 40, y + 5, text)
