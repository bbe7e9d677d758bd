"""The path of SGD in the plane of a cost's two parameters, drawn and described step by step.

What must hold: the path is that of ``bl.sgd`` with the same batches and learning rate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from backprop_lab.explorers.explorer import Control, slider_step
from backprop_lab.explorers.plane_cost import PlaneCost
from backprop_lab.pictures.plane import Plane
from backprop_lab.pictures.plot import Plot
from backprop_lab.words import notation

DOTTED = 40  # steps whose points are drawn one by one
DOWNHILL = ("downhill", "backwards")  # the kinds of the two arrows: one thick and solid, one dashed
ARROW, SHORTEST = 92.0, 26.0  # pixels of the longer arrow; of a short one, so that no dot hides it
RATES = (-2.0, 1.5)  # powers of ten below and above the learning rate at the start
RATE_STEP = 0.05


class _Position(NamedTuple):
    """Where SGD is: its whole path, how many steps it has taken, and both gradients there."""

    path: np.ndarray
    step: int
    rate: float
    cost: float
    slope: np.ndarray
    batch_slope: np.ndarray


class Walk:
    """The batches of SGD, and its path with them from any start."""

    def __init__(self, cost: PlaneCost, batches, rate: float):
        self._cost, self._batches, self._rate = cost, batches, rate
        self.steps = len(batches) - 1
        sizes = [len(next(iter(batch.values()))) for _, batch in batches if batch]
        self.minibatches = bool(sizes) and min(sizes) < cost.examples
        self.which = "full cost" if self.minibatches else "cost"

    def controls(self, first, plane: Plane) -> list[Control]:
        """Sliders for the start, the learning rate and the step; each can return exactly to its start."""
        for_start = [
            Control(f"start_{i}", f"start {name}", *_steps_through(v, axis.low, axis.high), v)
            for i, name, v, axis in zip("12", self._cost.names, first.tolist(), plane, strict=True)
        ]
        exponent = math.log10(self._rate)
        low, high = (exponent + more for more in RATES)
        rate = Control("log10_learning_rate", "η", low, high, RATE_STEP, exponent)
        return [*for_start, rate, Control("step", "step", 0, self.steps, 1, 0)]

    def path(self, start, rate: float, factor: float) -> np.ndarray:
        """The points of SGD from the start, as long as they are finite: one more than the steps."""
        points = [np.asarray(start, self._cost.dtype)]
        eta = np.array(rate, self._cost.dtype)
        for _, batch in self._batches:
            _, slope = self._cost(points[-1], batch, factor)
            with np.errstate(all="ignore"):
                after = points[-1] - eta * slope
            if not np.isfinite(after).all():
                break
            points.append(after)
        return np.array(points)

    def at(self, values: dict, factor: float) -> _Position:
        """Where SGD is at these values of the controls."""
        exponent = values["log10_learning_rate"]
        rate = float(f"{10.0**exponent:.12g}")  # 0.002 and not 0.0020000000000000005
        path = self.path([values["start_1"], values["start_2"]], rate, factor)
        step = min(round(values["step"]), len(path) - 1)
        value, slope = self._cost(path[step], None, factor)
        _, batch_slope = self._cost(path[step], self._batches[step][1], factor)
        return _Position(path, step, rate, value, slope, batch_slope)

    def written(self, values: dict, here: _Position) -> dict[str, str]:
        """How the numbers of the controls are written."""
        return {
            "start_1": notation.number(values["start_1"]),
            "start_2": notation.number(values["start_2"]),
            "log10_learning_rate": notation.number(here.rate, 3),
            "step": f"{round(values['step'])} of {self.steps}",
        }

    def lines(self, here: _Position, symbol: str, factor: float, plane: Plane) -> list[str]:
        """The picture in words; ``symbol`` is the cost's."""
        epoch, batch = self._batches[here.step]
        during = f", epoch {epoch}" if self.minibatches else ""
        at, value = notation.array(here.path[here.step]), notation.number(here.cost)
        lines = [
            f"step {here.step} of {self.steps}{during}: ({', '.join(self._cost.names)}) = {at}, "
            f"{self.which} {symbol} = {value}"
        ]
        slope = notation.array(here.slope)
        if self.minibatches:
            size = len(next(iter(batch.values())))
            lines += [
                f"full batch: ∇{symbol} = {slope}",
                f"minibatch, {size} of {self._cost.examples} examples: ∇{symbol} = "
                f"{notation.array(here.batch_slope)}{_angle(here.slope, here.batch_slope)}",
            ]
        else:
            lines.append(f"gradient: ∇{symbol} = {slope}")
        if here.step + 1 < len(here.path):
            after = self._cost(here.path[here.step + 1], None, factor)[0]
            by = f"η = {notation.number(here.rate, 3)}" + " and the minibatch" * self.minibatches
            lines.append(f"the next step, by {by}, {_change(self.which, here.cost, after)}")
        return [*lines, self._outlook(here, factor, plane)]

    def _outlook(self, here: _Position, factor, plane) -> str:
        """The cost along the whole path."""
        if len(here.path) <= self.steps:
            return f"step {len(here.path)} has no finite numbers: the learning rate is too large"
        first, last = (self._cost(here.path[i], None, factor)[0] for i in (0, self.steps))
        words = f"over all {self.steps} steps the {self.which} "
        before, after = notation.number(first), notation.number(last)
        if before == after:
            words += f"stays at {before}"
        elif last < first:
            words += f"falls from {before} to {after}"
        else:
            why = (
                "a smaller learning rate keeps it lower"
                if self.minibatches
                else "the learning rate is too large"
            )
            words += f"grows from {before} to {after}: {why}"
        outside = np.isnan(plane.pixels(here.path[: self.steps + 1])).any(axis=-1)
        return words + (
            f"; step {int(np.argmax(outside))} is the first outside of the window" if outside.any() else ""
        )

    def draw(self, plot: Plot, plane: Plane, here: _Position):
        """Draw the path, bold up to the current point, and both arrows downhill from there."""
        path = here.path[: self.steps + 1]
        plane.pieces(plot, "quiet", path[here.step :])
        plane.pieces(plot, "first", path[: here.step + 1])
        pixels = plane.pixels(path)
        for i in range(1, len(path) if self.steps <= DOTTED else 0):
            kind, radius = ("quiet", 2.5) if i > here.step else ("step", 3.5)
            plot.dot(kind, pixels[i, 0], pixels[i, 1], radius)
        plot.dot("second", pixels[0, 0], pixels[0, 1], 6)
        slopes = [here.slope, here.batch_slope] if self.minibatches else [here.slope]
        lengths = [float(np.hypot(*slope)) for slope in slopes]
        longest = max(lengths)
        if 0 < longest < math.inf:
            drawn = [max(ARROW * length / longest, SHORTEST) for length in lengths]
            vectors = [
                -size / length / plane.scale * slope if length > 1e-9 * longest else 0 * slope
                for slope, length, size in zip(slopes, lengths, drawn, strict=True)
            ]
            plane.arrows(plot, DOWNHILL, here.path[here.step], vectors)
        plot.dot("step", pixels[here.step, 0], pixels[here.step, 1], 5.5)

    def legend(self, symbol: str) -> list[tuple[str, str]]:
        """(kind of line, what it is)."""
        whose = (", full batch", ", minibatch") if self.minibatches else ("",)
        arrows = [(kind, f"−∇{symbol}{of}") for kind, of in zip(DOWNHILL, whose, strict=False)]
        path = "path of SGD" if self.minibatches else "path of gradient descent"
        return [("first", path), *arrows]


def _steps_through(value: float, low: float, high: float) -> tuple[float, float, float]:
    """(low, high, step) of a slider that stays within a range and has ``value`` among its positions."""
    step = slider_step(low, high)
    return value - step * math.floor((value - low) / step), high, step


def _angle(a, b) -> str:
    """The angle between two directions; empty if one of them has none."""
    lengths = float(np.hypot(*a)), float(np.hypot(*b))
    if not (min(lengths) > 0 and math.isfinite(sum(lengths))):
        return ""
    (p, q), (r, s) = a / lengths[0], b / lengths[1]
    angle = math.degrees(abs(math.atan2(p * s - q * r, p * r + q * s)))
    return f", {notation.number(round(angle, 9), 2)}° away"


def _change(what: str, before: float, after: float) -> str:
    """The effect of a step on a cost, in words."""
    old, new = notation.number(before), notation.number(after)
    if old == new:
        return f"leaves the {what} at {old}"
    return f"{'lowers' if after < before else 'raises'} the {what} from {old} to {new}"
