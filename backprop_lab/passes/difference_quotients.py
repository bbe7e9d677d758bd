"""Difference quotients of a cost along a line, and whether the slope that a gradient claims agrees with them.

What must hold: nothing here changes the graph; what rounding hides is told from what is wrong.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from backprop_lab.passes.passes import Pass, evaluate
from backprop_lab.words import notation

FARTHEST, STEPS = 0.01, 20  # of the largest entry; powers of ten, where the usual steps do not decide
ROUNDINGS = 100_000  # of the largest slope on the way: a slope may be off by this many
PRECISION = float(np.finfo(float).eps)  # of the difference quotients
TOLERANCES = {2: 5e-2, 4: 1e-3, 8: 1e-5}  # relative, of a gradient whose numbers take that many bytes


class Rounding(NamedTuple):
    """How far rounding may move the cost and a slope, in units of a precision; the size of its numbers."""

    of_cost: float
    of_slope: float
    itemsize: int


def rounding_of(J, at) -> Rounding:
    run, flows = Pass(J, "check_gradient"), [0.0]
    with np.errstate(all="ignore"):
        run.start_from(at)
        run.compute()
        run.seed(np.ones(J.shape))
        run.send(lambda i, argument, k, contribution, *_: flows.append(size_of(contribution)))
        sent = zip(run.values, run.gradients)
        of_cost = max(size_of(value * g) for value, g in sent if g is not None)
        narrowest = min(node.dtype.itemsize for node in run.order if node.dtype.kind == "f")
        return Rounding(of_cost, min(of_cost, max(flows)), narrowest)


def size_of(array) -> float:
    return float(np.max(np.abs(array), initial=0, where=np.isfinite(array)))


class _Line:
    """J on a line through the value of x, along ``direction``, and its difference quotients there.

    ``at``: {leaf: array}, values in place of the leaves' own.
    """

    def __init__(self, J, x, direction, at):
        self.J, self.x, self.direction, self.at = J, x, direction, at
        self.start = np.asarray(at.get(x, x.value), x.dtype)
        self.moved = direction != 0  # 0 · ∞ is not a number
        self._one_sided: dict[float, tuple[float, float]] = {}

    def slope(self, gradient) -> float:
        """The slope along the line if this is x's gradient."""
        return float(np.sum(gradient[self.moved] * self.direction[self.moved]))

    def one_sided(self, h) -> tuple[float, float]:
        """The slopes of J on both sides of x, by steps of size ``h``."""
        if h not in self._one_sided:
            low, high = self._cost(-h), self._cost(h)
            self._one_sided[h] = (self._here - low) / h, (high - self._here) / h
        return self._one_sided[h]

    def central(self, h) -> float:
        """The central difference: the mean of the slopes on both sides."""
        return sum(self.one_sided(h)) / 2

    def tells_apart(self, h) -> bool:
        """Whether a step of size ``h`` changes every entry that moves."""
        there = self.start + np.asarray(h * self.direction, self.x.dtype)
        return bool(np.all(there[self.moved] != self.start[self.moved]))

    def _cost(self, t) -> float:
        return float(evaluate(self.J, {**self.at, self.x: self.start + t * self.direction}))

    @cached_property
    def _here(self) -> float:
        return self._cost(0.0)


class Comparison:
    """The slope along a line that a gradient claims, ``by_rule``, and how closely a quotient should agree.

    ``steps`` are the usual ones, the largest first; ``rounding`` is how far rounding may move the cost.
    """

    def __init__(self, J, x, gradient, direction, rounding: Rounding, at):
        self.line = _Line(J, x, direction, at)
        self.by_rule = self.line.slope(gradient)
        self.tolerance = TOLERANCES[rounding.itemsize]
        self.rounding = PRECISION * rounding.of_cost
        own = float(np.finfo(f"f{rounding.itemsize}").eps)
        rounded = min(ROUNDINGS * own, self.tolerance) * rounding.of_slope
        self.always_allowed = max(self.tolerance * min(1.0, size_of(gradient)), rounded)
        self.scale = max(1.0, float(np.abs(self.line.start).max(initial=0)))
        # The step at which rounding and curvature hurt equally: the cube root of the precision.
        step = PRECISION ** (1 / 3) * self.scale
        self.steps = (step, step / 10, step / 100)

    def allowed(self, quotient) -> float:
        """How far apart the two slopes may be, as far as the precision alone is concerned."""
        return max(self.always_allowed, self.tolerance * abs(self.by_rule), self.tolerance * abs(quotient))

    def agrees(self, quotient, allowed) -> bool:
        """Whether the two slopes are at most ``allowed`` apart."""
        return abs(self.by_rule - quotient) <= allowed < math.inf

    @cached_property
    def best(self) -> tuple[float, float]:
        """The central difference that changes least with its step, and how far off it may be.

        Large costs need large steps, entries of very different sizes small ones: many powers of ten are
        tried.
        """
        steps = filter(self.line.tells_apart, (FARTHEST * self.scale / 10.0**k for k in range(STEPS)))
        quotients = [(h, self.line.central(h)) for h in steps]
        errors = [(abs(a - b) + self.rounding / h, b) for (_, a), (h, b) in pairwise(quotients)]
        error, best = min((e for e in errors if math.isfinite(e[0])), default=(math.nan, math.nan))
        return best, error


# ------------------------------------------------------------------------------------ the verdicts
#
# Each is (difference quotient, verdict, note), or None where it does not apply; the first that applies holds.


def judgement(comparison):
    for judge in (_agrees_at_a_usual_step, _agrees_at_the_best_step, _hidden_by_rounding, _kink, _vertical):
        if (found := judge(comparison)) is not None:
            return found
    best, _ = comparison.best
    return best if math.isfinite(best) else comparison.line.central(comparison.steps[0]), "wrong", ""


def _agrees_at_a_usual_step(comparison):
    for h in comparison.steps:
        quotient = comparison.line.central(h)
        allowed = comparison.allowed(quotient)
        if comparison.rounding / h <= allowed and comparison.agrees(quotient, allowed):
            return quotient, "ok", ""
    return None


def _agrees_at_the_best_step(comparison):
    """As closely as the quotient can be computed."""
    best, error = comparison.best
    largest = max(abs(comparison.by_rule), abs(best))
    uncertain = min(2 * error, max(comparison.tolerance, largest / 10))
    allowed = max(comparison.allowed(best), uncertain)
    return (best, "ok", "") if comparison.agrees(best, allowed) else None


def _hidden_by_rounding(comparison):
    """Where the quotient is too coarse to decide."""
    best, error = comparison.best
    note = "rounding hides the slope; take numbers of smaller size"
    return (best, "unclear", note) if comparison.agrees(best, 2 * error) else None


def _kink(comparison):
    """Where the slopes on both sides stay apart, however small the step."""
    first, *_, last = comparison.steps
    quotient = comparison.line.central(first)
    gaps = [abs(right - left) for left, right in map(comparison.line.one_sided, (first, last))]
    visible = max(100 * TOLERANCES[8] * max(1.0, abs(quotient)), 10 * comparison.rounding / last)
    if not (gaps[1] > visible and gaps[1] > gaps[0] / 3):
        return None
    left, right = map(notation.number, comparison.line.one_sided(last))
    return quotient, "kink", f"slope {left} on one side and {right} on the other"


def _vertical(comparison):
    """Where the slope is infinite, and quotients grow as the step shrinks."""
    first, *_, last = map(comparison.line.central, comparison.steps)
    if not (math.isinf(comparison.by_rule) and abs(last) > 1.5 * abs(first)):
        return None
    return first, "kink", "vertical: the smaller the step, the larger the quotient"
