"""``bl.explore.landscape``: the contours of a cost of two parameters, and the path of SGD over them.

At the present point stand two arrows downhill: of all examples, and of the minibatch that SGD goes by. With
a penalty λ‖θ‖² the picture shows what it does to the solution as well (``shrinkage.py``).

What must hold: the path is that of ``bl.sgd`` with the same arguments; contours are found once, a drag
computes the path and the arrows; a unit is as long across as up, so that a gradient is at right angles to
its contour; the learner's variables keep their values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np

from backprop_lab import notation
from backprop_lab.errors import NotAnArrayError, ShapeError
from backprop_lab.graph import Node
from backprop_lab.learning import checked_rate, sgd
from backprop_lab.pictures.plane import Plane
from backprop_lab.pictures.plot import Plot, round_step
from backprop_lab.program import Program, present
from backprop_lab.widgets.explorer import Control, Explorer, Scene, number_of, slider_step, stretch_of
from backprop_lab.widgets.real_functions import formula_in_leaves
from backprop_lab.widgets.shrinkage import Shrinkage

WHAT = "landscape"
STEPS, MOST_STEPS = 20, 1000  # of SGD: where nothing is said, and at most
DOTTED = 40  # steps whose points are drawn one by one
LEFT, SIDE, WIDTH = 56.0, 384.0, 462.0  # of the plane, and the width of the picture, in pixels
ROW = 20.0  # of the legend
GRID = 41  # points across and up at which cost and gradient are computed for the contours
LEVELS = 11
LITTLE = 0.003  # of what a descent has gained: a step that gains less is its last
LABELLED = 3  # every third contour
DOWNHILL = ("downhill", "backwards")  # the kinds of both arrows: one thick and solid, one dashed
ARROW = 92.0  # the longer of both arrows, in pixels
RATES = (-2.0, 1.5)  # powers of ten below and above the learning rate at the start
RATE_STEP = 0.05


def landscape(
    J: Node,
    data: Mapping | None = None,
    learning_rate: float = 0.1,
    batch_size: int | None = None,
    steps: int | None = None,
    penalty: float | bool | None = None,
    start=None,
    window=None,
    seed: int = 0,
) -> Explorer:
    """Contours of a cost of two parameters, and on them the path of SGD: drag its start.

    ``J``: a single number that two parameters enter, two variables of one number each or one variable of
    two. ``data``, ``learning_rate`` η, ``batch_size``, ``seed``: as :func:`bl.sgd` takes them, and the path
    is that of ``bl.sgd``; the contours are those of all of ``data``, or of the leaves as they are.
    ``steps``: how many SGD takes, 20 by default, at most 1000. ``start``: the point (θ₁, θ₂) where it
    starts, else the values of the variables, which they keep. ``window``: ((low, high), (low, high)) of both
    parameters, made wider where units would not be equal; by default it shows the start and a low point.

    ``penalty``: λ, or True for λ = 1. Then the cost is J + λ(θ₁² + θ₂²), J must be quadratic with a single
    minimum θ*, and the picture shows how the solution (H + 2λI)⁻¹Hθ* shrinks from θ* towards 0: along an
    eigenvector of the Hessian H to the fraction κ/(κ + 2λ), κ the eigenvalue. ``steps`` is 0 by default
    then, which leaves SGD out.

    ``.values`` has ``"start_1"`` and ``"start_2"``, ``"log10_learning_rate"``, ``"step"``, and ``"penalty"``.
    Raises ValueError for another number of parameters, for what is not a number at the start, and with a
    penalty for a cost that is not such a quadratic one; what ``bl.sgd`` and ``bl.compile`` refuse, too.

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
    cost = _Cost(J, data)
    first = cost.point(start)
    shrinkage = None if factor is None else Shrinkage(cost, first, WHAT)
    shown = [first] if shrinkage is None else [np.zeros(2), shrinkage.best] + [first] * bool(steps)
    if shrinkage is None and window is None:
        shown.append(_low_point(cost, first))
    loop = sgd(J, data, rate, batch_size, epochs=steps + 1, seed=seed)
    walk = _Walk(cost, list(islice(loop.batches, steps + 1)), rate) if steps else None
    cost_said = cost.said if shrinkage is None else cost.said + "\u0303"  # with its penalty: J̃
    legend = [] if walk is None else walk.legend(cost_said)
    legend += [] if shrinkage is None else shrinkage.legend(cost.said)
    plane = _window(window, np.array(shown), cost.names, (LEFT, 14 + ROW * -(-len(legend) // 2), SIDE))
    for name, value, axis in zip(cost.names, first, plane, strict=True):
        if steps and not axis.low <= value <= axis.high:
            raise ValueError(
                f"{WHAT}: the start, {name} = {notation.number(value)}, is outside of the window"
            )
    picture = _Picture(cost, plane, walk, shrinkage, cost_said, legend)
    controls = [] if walk is None else walk.controls(first, plane)
    if shrinkage is not None:
        controls.append(_penalty_control(factor, shrinkage))
    return Explorer(f"Cost landscape of {cost.said} = {cost.formula}", controls, picture.scene)


def _count(steps, usual: int, least: int) -> int:
    if steps is None:
        return usual
    whole = isinstance(steps, (int, np.integer)) and not isinstance(steps, bool)
    if not whole or not least <= steps <= MOST_STEPS:
        raise ValueError(f"{WHAT}: steps is a whole number from {least} to {MOST_STEPS}, not {steps!r}")
    return int(steps)


def _factor(penalty) -> float:
    factor = number_of("penalty", penalty, WHAT)
    if factor < 0:
        raise ValueError(f"{WHAT}: penalty is λ, a number that is not negative, not {penalty!r}")
    return factor


def _penalty_control(factor, shrinkage) -> Control:
    """λ up to where even the steepest direction has shrunk to a fifth."""
    high = max(2 * shrinkage.curvatures[0], 2 * factor)
    step = round_step(high / 200)
    if factor:  # its steps meet the λ of the start
        step = factor / math.ceil(factor / step)
    return Control("penalty", "λ", 0.0, step * round(high / step), step, factor)


class _Cost:
    """J as a function of a point of the plane and of a batch; where it is not finite, nobody is told."""

    def __init__(self, J: Node, data):
        if data is not None and not isinstance(data, Mapping):
            raise NotAnArrayError(
                f"{WHAT}: data is a mapping {{leaf name: array}}, not {type(data).__name__}"
            )
        self._program = Program(J)
        self._variables = self._program.variables
        if sum(v.size for v in self._variables) != 2:
            found = ", ".join(f"{v.name} ({notation.extent(v.shape)})" for v in self._variables)
            raise ShapeError(
                f"{WHAT}: a plane has two parameters, and this cost has others: {found}; make those that are "
                "to stand still constants"
            )
        self.all = {} if data is None else next(sgd(J, data).batches)[1]
        self.examples = len(next(iter(self.all.values()))) if self.all else None
        self._others = {
            leaf: present(leaf, leaf.value)
            for leaf in self._program.leaves.values()
            if leaf not in self._program.moving and leaf not in self.all
        }
        self.dtype = np.result_type(*(v.dtype for v in self._variables))
        names = [f"{v.name}{i}" if v.size == 2 else v.name for v in self._variables for i in (1, 2)[: v.size]]
        self.names = [notation.symbol(name) for name in names]
        self.said = notation.symbol(J.name) if J.name else "J"
        self.formula = formula_in_leaves(J)

    def __call__(self, point, batch=None, factor: float = 0.0) -> tuple[float, np.ndarray]:
        """Value and gradient, of all examples or of a batch, with a penalty of this factor."""
        given = self._others | (self.all if batch is None else batch) | self._leaves(point)
        value, flat = self._program.run(given)
        parts = self._program.parameters.parts(flat)
        slope = np.concatenate([np.ravel(parts[v]) for v in self._variables])
        if factor:
            with np.errstate(all="ignore"):
                value, slope = value + factor * (point @ point), slope + 2 * factor * point
        return float(value), slope

    def _leaves(self, point) -> dict[Node, np.ndarray]:
        point = np.asarray(point, self.dtype)
        parts = [point] if len(self._variables) == 1 else [point[:1], point[1:]]
        return {v: part.reshape(v.shape) for v, part in zip(self._variables, parts, strict=True)}

    def point(self, start) -> np.ndarray:
        """Where the path starts, by default the values of the variables; J has a number there."""
        if start is None:
            start = np.concatenate([np.ravel(present(v, v.value)) for v in self._variables])
        if isinstance(start, (str, Mapping)) or np.shape(start) != (2,):
            raise ValueError(f"{WHAT}: start is a point of two numbers, not {start!r}")
        point = np.array(
            [number_of(f"start of {n}", v, WHAT) for n, v in zip(self.names, start, strict=True)]
        )
        value, slope = self(point)
        if not (math.isfinite(value) and np.isfinite(slope).all()):
            at = notation.array(point)
            raise ValueError(
                f"{WHAT}: {self.said} or its gradient is not finite at the start {at}; give another"
            )
        return point


def _low_point(cost: _Cost, start) -> np.ndarray:
    """A low point near the start, so that the window shows it: a descent that never climbs, its steps as
    long as the last bend allows. Barzilai & Borwein, IMA Journal of Numerical Analysis 8 (1988)."""
    point, (value, slope) = start, cost(start)
    first = value
    far = 10 * max(1.0, float(np.hypot(*start)))
    length = 0.1 * far / max(1.0, float(np.hypot(*slope)))
    for _ in range(60):
        for _ in range(40):
            there = point - length * slope
            value_there, slope_there = cost(there)
            if value_there < value and np.isfinite(slope_there).all() and np.hypot(*(there - start)) < far:
                break
            length /= 2
        else:
            return point
        moved, turned = there - point, slope_there - slope
        bend = float(moved @ turned)
        length = float(moved @ moved) / bend if bend > 0 else 2 * length
        gained, point, value, slope = value - value_there, there, value_there, slope_there
        if gained < LITTLE * (first - value):
            break
    return point


def _window(window, shown, names, place) -> Plane:
    """The plane of a window that was given, or around points."""
    if window is None:
        low, high = shown.min(axis=0), shown.max(axis=0)
        if np.hypot(*(high - low)) < 1e-3:
            low, high = low - 1, high + 1
        return Plane.around(*zip(low.tolist(), high.tolist(), strict=True), 0.3, place)
    if isinstance(window, (str, Mapping)) or np.shape(window) != (2, 2):
        raise ValueError(
            f"{WHAT}: window is ((low, high), (low, high)), one pair for each parameter, not {window!r}"
        )
    ranges = [
        stretch_of(f"the window of {name}", pair, WHAT) for name, pair in zip(names, window, strict=True)
    ]
    return Plane.around(*ranges, 0.0, place)


# --------------------------------------------------------------------------------------------- the walk


class _Position(NamedTuple):
    """Where SGD stands: its whole path, how far it has come, and both gradients there."""

    path: np.ndarray
    step: int
    rate: float
    cost: float
    slope: np.ndarray
    batch_slope: np.ndarray


class _Walk:
    """SGD's batches, and with them its path from any start."""

    def __init__(self, cost: _Cost, batches, rate: float):
        self._cost, self._batches, self._rate = cost, batches, rate
        self.steps = len(batches) - 1
        sizes = [len(next(iter(batch.values()))) for _, batch, _ in batches if batch]
        self.minibatches = bool(sizes) and min(sizes) < cost.examples
        self.which = "full cost" if self.minibatches else "cost"

    def controls(self, first, plane: Plane) -> list[Control]:
        """What moves the start, the learning rate and the step; sliders' steps meet the values at first."""
        for_start = [
            Control(f"start_{i}", f"start {name}", *_steps_through(v, axis.low, axis.high), v)
            for i, name, v, axis in zip("12", self._cost.names, first.tolist(), plane, strict=True)
        ]
        exponent = math.log10(self._rate)
        low, high = (exponent + more for more in RATES)
        rate = Control("log10_learning_rate", "η", low, high, RATE_STEP, exponent)
        return [*for_start, rate, Control("step", "step", 0, self.steps, 1, 0)]

    def path(self, start, rate: float, factor: float) -> np.ndarray:
        """The points of SGD from the start on, as far as they are finite: one more than the steps."""
        points = [np.asarray(start, self._cost.dtype)]
        eta = np.array(rate, self._cost.dtype)
        for _, batch, _ in self._batches:
            _, slope = self._cost(points[-1], batch, factor)
            with np.errstate(all="ignore"):
                after = points[-1] - eta * slope
            if not np.isfinite(after).all():
                break
            points.append(after)
        return np.array(points)

    def at(self, values: dict, factor: float) -> _Position:
        """Where it stands at these values of the controls."""
        exponent = values["log10_learning_rate"]
        rate = float(f"{10.0**exponent:.12g}")  # 0.002 and not 0.0020000000000000005
        path = self.path([values["start_1"], values["start_2"]], rate, factor)
        step = min(round(values["step"]), len(path) - 1)
        value, slope = self._cost(path[step], None, factor)
        _, batch_slope = self._cost(path[step], self._batches[step][1], factor)
        return _Position(path, step, rate, value, slope, batch_slope)

    def written(self, values: dict, here: _Position) -> dict[str, str]:
        """How the controls' numbers are written."""
        return {
            "start_1": notation.number(values["start_1"]),
            "start_2": notation.number(values["start_2"]),
            "log10_learning_rate": notation.number(here.rate, 3),
            "step": f"{round(values['step'])} of {self.steps}",
        }

    def lines(self, here: _Position, said: str, factor: float, plane: Plane) -> list[str]:
        """What the picture shows, in words; ``said`` is the cost's symbol."""
        epoch, batch, _ = self._batches[here.step]
        during = f", epoch {epoch}" if self.minibatches else ""
        at, value = notation.array(here.path[here.step]), notation.number(here.cost)
        lines = [
            f"step {here.step} of {self.steps}{during}: ({', '.join(self._cost.names)}) = {at}, "
            f"{self.which} {said} = {value}"
        ]
        slope = notation.array(here.slope)
        if self.minibatches:
            size = len(next(iter(batch.values())))
            lines += [
                f"full batch: ∇{said} = {slope}",
                f"minibatch, {size} of {self._cost.examples} examples: ∇{said} = "
                f"{notation.array(here.batch_slope)}{_angle(here.slope, here.batch_slope)}",
            ]
        else:
            lines.append(f"gradient: ∇{said} = {slope}")
        if here.step + 1 < len(here.path):
            after = self._cost(here.path[here.step + 1], None, factor)[0]
            by = f"η = {notation.number(here.rate, 3)}" + " and the minibatch" * self.minibatches
            lines.append(f"the next step, by {by}, {_change(self.which, here.cost, after)}")
        return [*lines, self._outlook(here, factor, plane)]

    def _outlook(self, here: _Position, factor, plane) -> str:
        """What becomes of the whole path."""
        if len(here.path) <= self.steps:
            return f"step {len(here.path)} has no finite numbers: the learning rate is too large"
        first, last = (self._cost(here.path[i], None, factor)[0] for i in (0, self.steps))
        said = f"over all {self.steps} steps the {self.which} "
        before, after = notation.number(first), notation.number(last)
        if before == after:
            said += f"stays at {before}"
        elif last < first:
            said += f"falls from {before} to {after}"
        else:
            why = (
                "a smaller learning rate keeps it lower"
                if self.minibatches
                else "the learning rate is too large"
            )
            said += f"grows from {before} to {after}: {why}"
        outside = np.isnan(plane.pixels(here.path[: self.steps + 1])).any(axis=-1)
        return said + (
            f"; step {int(np.argmax(outside))} is the first outside of the window" if outside.any() else ""
        )

    def draw(self, plot: Plot, plane: Plane, here: _Position):
        """The path, strong as far as it has come, and at its present point both arrows downhill."""
        path = here.path[: self.steps + 1]
        plane.pieces(plot, "quiet", path[here.step :])
        plane.pieces(plot, "first", path[: here.step + 1])
        pixels = plane.pixels(path)
        for i in range(1, len(path) if self.steps <= DOTTED else 0):
            plot.dot("quiet" if i > here.step else "step", *pixels[i], 2.5 if i > here.step else 3.5)
        plot.dot("second", *pixels[0], 6)
        slopes = [here.slope, here.batch_slope] if self.minibatches else [here.slope]
        lengths = [float(np.hypot(*slope)) for slope in slopes]
        longest = max(lengths)
        if 0 < longest < math.inf:
            vectors = [-ARROW / plane.scale / longest * slope for slope in slopes]
            plane.arrows(plot, DOWNHILL, here.path[here.step], vectors)
        plot.dot("step", *plane.pixels(here.path[here.step]), 5.5)

    def legend(self, said: str) -> list[tuple[str, str]]:
        """(kind of line, what it is)."""
        whose = (", full batch", ", minibatch") if self.minibatches else ("",)
        arrows = [(kind, f"−∇{said}{of}") for kind, of in zip(DOWNHILL, whose, strict=False)]
        return [("first", "path of SGD"), *arrows]


def _steps_through(value: float, low: float, high: float) -> tuple[float, float, float]:
    """(low, high, step) of a slider that stays in a stretch and has ``value`` among its steps."""
    step = slider_step(low, high)
    return value - step * math.floor((value - low) / step), high, step


def _angle(a, b) -> str:
    """How far two directions are apart, where both are ones."""
    lengths = float(np.hypot(*a)), float(np.hypot(*b))
    if not (min(lengths) > 0 and math.isfinite(sum(lengths))):
        return ""
    cosine = float(np.clip((a / lengths[0]) @ (b / lengths[1]), -1, 1))
    return f", {notation.number(math.degrees(math.acos(cosine)), 2)}° away"


def _change(what: str, before: float, after: float) -> str:
    """What a step does to a cost."""
    said = [notation.number(before), notation.number(after)]
    if said[0] == said[1]:
        return f"leaves the {what} at {said[0]}"
    return f"{'lowers' if after < before else 'raises'} the {what} from {said[0]} to {said[1]}"


# ------------------------------------------------------------------------------------------ the picture


class _Picture:
    """What stands still, drawn once, and the scene at any values."""

    def __init__(
        self, cost: _Cost, plane: Plane, walk: _Walk | None, shrinkage: Shrinkage | None, said, legend
    ):
        self.cost, self.plane, self.walk, self.shrinkage, self.cost_said = cost, plane, walk, shrinkage, said
        self.height = plane.edges[3] + 44
        plot = Plot(WIDTH, self.height, "")
        _contours(plot, plane, cost)
        plane.frame(plot)
        plane.name_axes(plot, cost.names)
        _legend(plot, legend)
        self.still = plot.parts

    def scene(self, values: dict) -> Scene:
        factor = values.get("penalty", 0.0)
        plot = Plot(
            WIDTH, self.height, f"Contours of {self.cost.said} over the plane of {', '.join(self.cost.names)}"
        )
        plot.parts += self.still
        lines, written = [], {}
        if self.shrinkage is not None:
            self.shrinkage.draw(plot, self.plane, factor)
            lines += self.shrinkage.lines(self.cost.names, self.cost.said, factor)
            written["penalty"] = notation.number(factor)
        if self.walk is not None:
            here = self.walk.at(values, factor)
            self.walk.draw(plot, self.plane, here)
            lines += self.walk.lines(here, self.cost_said, factor, self.plane)
            written |= self.walk.written(values, here)
            left, _, top, _ = self.plane.edges
            drags = (axis.drag(f"start_{i}") for i, axis in zip("12", self.plane, strict=True))
            plot.area("handle", left, top, self.plane.side, self.plane.side, *drags)
        return Scene(plot, lines, written)


def _legend(plot: Plot, entries):
    """What each kind of line is, in two columns above the plane."""
    for i, (kind, said) in enumerate(entries):
        x, y = LEFT + (i % 2) * SIDE / 2, 8 + ROW * (i // 2)
        if kind in (*DOWNHILL, "eigenvector"):
            plot.arrow(kind, x, y, x + 32, y)
        else:
            plot.line(kind, (x, x + 32), (y, y))
        plot.text("legend", x + 40, y + 5, said)


def _contours(plot: Plot, plane: Plane, cost: _Cost):
    """The contours of the cost, some of them with their value."""
    from contourpy import contour_generator  # comes with matplotlib

    places, heights = _heights(plane, cost)
    finite = heights[np.isfinite(heights)]
    pixels = [axis(along) for axis, along in zip(plane, places, strict=True)]
    generator = contour_generator(*pixels, np.ma.masked_invalid(heights))
    lowest = np.unravel_index(np.argmin(np.where(np.isfinite(heights), heights, np.inf)), heights.shape)
    middle = np.array([pixels[0][lowest[1]], pixels[1][lowest[0]]])
    labels = []
    for i, level in enumerate(_levels(finite)):
        lines = generator.lines(level)
        for line in lines:
            plot.line("contour", *line.T)
        if i % LABELLED == 1 and lines:
            labels.append((level, _place_of_label(np.concatenate(lines), middle, plane)))
    for level, (x, y) in labels:
        plot.text("tick", x, y + 4, notation.number(level, 6), "middle")


def _heights(plane: Plane, cost: _Cost) -> tuple[list[np.ndarray], np.ndarray]:
    """Numbers along both axes, and the cost at each pair of them, rows upwards.

    It is computed at every second one, with its gradient; between two, a cubic with both values and both
    slopes lies above their mean by an eighth of their distance times what the slope falls by.
    """
    places = [np.linspace(axis.low, axis.high, 2 * GRID - 1) for axis in plane]
    computed = [[cost(np.array([x, y])) for x in places[0][::2]] for y in places[1][::2]]
    value = np.array([[v for v, _ in row] for row in computed])
    slope = np.array([[g for _, g in row] for row in computed], float)
    eighth = (places[0][2] - places[0][0]) / 8
    heights = np.empty((2 * GRID - 1, 2 * GRID - 1))
    with np.errstate(all="ignore"):
        across = (slope[:, :-1, 0] - slope[:, 1:, 0]) * eighth
        up = (slope[:-1, :, 1] - slope[1:, :, 1]) * eighth
        heights[::2, ::2] = value
        heights[::2, 1::2] = (value[:, :-1] + value[:, 1:]) / 2 + across
        heights[1::2, ::2] = (value[:-1] + value[1:]) / 2 + up
        heights[1::2, 1::2] = (value[:-1, :-1] + value[:-1, 1:] + value[1:, :-1] + value[1:, 1:]) / 4 + (
            across[:-1] + across[1:] + up[:, :-1] + up[:, 1:]
        ) / 2
    return places, heights


def _levels(heights) -> list[float]:
    """Levels that spread: for a round bowl the contours are equally far apart. Round numbers."""
    parts = np.linspace(0, 1, LEVELS + 2)[1:-1] ** 2
    levels = np.quantile(heights, parts)
    lowest = np.concatenate([[heights.min()], levels[:-1]])
    found = {}
    for level, gap in zip(levels.tolist(), (levels - lowest).tolist(), strict=True):
        if gap > 0:
            unit = 10.0 ** math.floor(math.log10(gap))
            found[float(f"{round(level / unit) * unit:.12g}")] = None
    return list(found)


def _place_of_label(points, middle, plane: Plane):
    """The point of a contour that lies best in one direction from the lowest point, towards where there is
    most room, so that labels stand in a row."""
    left, right, top, bottom = plane.edges
    room = np.array(
        [right if middle[0] < (left + right) / 2 else left, top if middle[1] > (top + bottom) / 2 else bottom]
    )
    inside = (np.abs(points - [(left + right) / 2, (top + bottom) / 2]) < plane.side / 2 - 16).all(axis=-1)
    points = points[inside] if inside.any() else points
    way = (room - middle) / np.hypot(*(room - middle))
    ahead = points - middle
    off = np.abs(ahead[:, 0] * way[1] - ahead[:, 1] * way[0]) - 0.2 * (ahead @ way)
    return points[int(np.argmin(np.round(off, 3)))]
