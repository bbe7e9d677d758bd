"""``bl.check_gradient``: the backward pass against central differences, entry by entry.

In the manner of autograd's ``check_grads`` and PyTorch's ``gradcheck``: single entries and random
directions of every variable, with a step chosen for the precision. Where the function has a kink no
difference quotient tells the slope, and the report says so instead of judging.

What must hold: a wrong rule is never passed, a right one never failed; the graph stays as it is.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import gradient
from backprop_lab.passes.passes import Pass, checked_node, evaluate, pull_back
from backprop_lab.words import notation

ENTRIES = 8  # single entries checked of each variable; of a larger one, a random choice
DIRECTIONS = 2
FARTHEST, STEPS = 0.01, 20  # of the largest entry; powers of ten, where the usual steps do not tell
ROUNDINGS = 100_000  # of the largest slope on the way, by which one may be off


class Row(NamedTuple):
    """One comparison: where, both slopes (if there are any), and ``"ok"``, ``"wrong"``, ``"kink"`` (no slope
    there) or ``"unclear"`` (hidden by rounding)."""

    variable: str
    entry: str
    by_rule: float | None
    by_difference: float | None
    verdict: str
    note: str = ""


class GradientReport:
    """What :func:`check_gradient` found: ``.rows``, ``.ok``; prints as a table."""

    def __init__(self, rows: list[Row], source: str = "backward pass"):
        self.rows = rows
        self.source = source

    @property
    def ok(self) -> bool:
        """Whether no comparison came out wrong. Kinks and noise, where none is possible, do not count."""
        return all(row.verdict != "wrong" for row in self.rows)

    def __repr__(self):
        table = [("variable", "entry", self.source, "difference quotient", "")]
        for r in self.rows:
            slopes = map(_slope_text, (r.by_rule, r.by_difference))
            table.append((r.variable, r.entry, *slopes, r.verdict + (r.note and f": {r.note}")))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
        wrong = sum(row.verdict == "wrong" for row in self.rows)
        ending = f"{len(self.rows)} compared, {wrong} wrong"
        for verdict, said in (("kink", "at a kink"), ("unclear", "unclear")):
            count = sum(row.verdict == verdict for row in self.rows)
            ending += f", {count} {said}" * bool(count)
        return "\n".join([*lines, ending])


def _slope_text(slope):
    return "—" if slope is None else notation.number(slope, 6)


def check_gradient(J: Node, wrt=None, second: bool = False, seed: int = 0, *, given=None) -> GradientReport:
    """Compare the backward pass with central differences of the forward pass.

    ``J`` of any shape (an array is first summed with random weights); ``wrt`` the variables to check, all of
    J's by default; ``second`` checks the gradient's own gradient as well; ``seed`` of the random choices.
    ``given``: {variable: array}, a gradient of your own to be checked instead of the backward pass's (None
    for one that never came); one that has not its variable's shape is wrong. Slopes agree within 1e-5
    (float32: 2e-2) of the larger one, or of the largest of their variable up to 1; or as closely as the
    difference quotient can be computed. Raises ValueError if there is nothing to check.

    Central differences and their step: Nocedal & Wright, Numerical Optimization (2006), section 8.1.

    >>> import numpy as np, backprop_lab as bl
    >>> x = bl.variable("x", [0.5, -2.0])
    >>> bl.check_gradient(np.sum(bl.relu(x) ** 2))
    variable  entry        backward pass  difference quotient
    x         [0]          1              1                    ok
    x         [1]          0              0                    ok
    x         direction 1  0.689414       0.689414             ok
    x         direction 2  0.986849       0.986849             ok
    4 compared, 0 wrong
    >>> bl.check_gradient(np.sum(bl.relu(x) ** 2), given={x: 2 * x.value}).ok
    False
    """
    random = np.random.default_rng(seed)
    checked_node(J, "check_gradient")

    def compared(J, slopes, label=""):
        rounding = _sensitivity(J)
        return [row for x, slope in slopes.items() for row in _compare(J, x, slope, random, label, rounding)]

    if given is not None:
        return GradientReport(compared(J, _checked_given(J, given, wrt, second)), "given gradient")
    if J.shape:
        J = np.sum(J * random.normal(size=J.shape).astype(J.dtype))
    learned = [n for n in topological_order(J) if n.leaf_kind == "variable"]
    variables = learned if wrt is None else [wrt] if isinstance(wrt, Node) else list(wrt)
    if not variables:
        raise ValueError("check_gradient: the cost depends on no variable, so there is nothing to check")
    rows = compared(J, {x: _slope(J, x) for x in variables})
    if second:
        slopes = gradient(J, variables)
        mixed = sum(
            np.sum(g * random.normal(size=x.shape).astype(x.dtype))
            for g, x in zip(slopes, variables, strict=True)
        )
        depends = set(topological_order(mixed))
        rows += compared(mixed, {x: _slope(mixed, x) for x in variables if x in depends}, "second, ")
    return GradientReport(rows)


def _checked_given(J, given, wrt, second) -> dict:
    if wrt is not None or second:
        raise ValueError("check_gradient: given= says what to check; leave wrt= and second= out")
    if J.shape:
        raise ValueError(
            f"check_gradient: {notation.mention(J)} has shape {J.shape}; given= needs a cost, one number"
        )
    for x in given:
        if not (isinstance(x, Node) and x.leaf_kind == "variable"):
            raise ValueError(
                f"check_gradient: given={{variable: array}} has {x!r} where a variable should stand"
            )
    if not given:
        raise ValueError("check_gradient: given= is empty; write given={w: your gradient}")
    slopes = {}
    for x, g in given.items():
        try:
            slopes[x] = None if g is None else np.asarray(g, float)
        except (TypeError, ValueError):
            raise ValueError(
                f"check_gradient: given[{notation.mention(x)}] is no array of numbers: {g!r}"
            ) from None
    return slopes


def _slope(J, x):
    return pull_back(J, x, np.ones(J.shape))


def _sensitivity(J) -> tuple[float, float]:
    """How much a rounding on the way changes J, and how much a slope, for each unit of the precision."""
    run, flows = Pass(J, "check_gradient"), [0.0]
    with np.errstate(all="ignore"):
        run.compute()
        run.seed(np.ones(J.shape))
        run.send(lambda i, argument, k, contribution, *_: flows.append(_size(contribution)))
        sent = zip(run.values, run.gradients)
        in_cost = max(_size(value * g) for value, g in sent if g is not None)
        return in_cost, min(in_cost, max(flows))


def _size(array) -> float:
    return float(np.max(np.abs(array), initial=0, where=np.isfinite(array)))


def _compare(J, x, slope, random, label, rounding):
    """The rows of one variable whose gradient is said to be ``slope``."""
    name = notation.mention(x)
    if slope is None or slope.shape != x.shape:
        shapes = f"{name} has shape {x.shape}, this gradient {np.shape(slope)}"
        note = "no gradient came" if slope is None else shapes
        yield Row(name, f"{label}all", None, None, "wrong", note)
        return
    chosen = np.arange(x.size)
    if x.size > ENTRIES:
        chosen = np.sort(random.choice(x.size, ENTRIES, replace=False))
    for i in chosen:
        direction = np.zeros(x.size)
        direction[i] = 1
        where = [int(k) for k in np.unravel_index(i, x.shape)]
        entry = label + (str(where) if where else "the number")
        yield _row(J, x, slope, direction.reshape(x.shape), entry, rounding)
    for k in range(DIRECTIONS if x.size > 1 else 0):
        direction = random.normal(size=x.shape)
        direction /= np.linalg.norm(direction)
        yield _row(J, x, slope, direction, f"{label}direction {k + 1}", rounding)


def _row(J, x, slope, direction, entry, rounding) -> Row:
    name = notation.mention(x)
    moved = direction != 0  # 0 · ∞ is not a number
    by_rule = float(np.sum(slope[moved] * direction[moved]))
    single = x.dtype.itemsize < 8 or J.dtype.itemsize < 8
    tolerance, precision = 2e-2 if single else 1e-5, float(np.finfo(np.float32 if single else float).eps)
    # The step at which rounding and curvature hurt equally: the cube root of the precision.
    scale = max(1.0, float(np.abs(x.value).max(initial=0)))
    step = precision ** (1 / 3) * scale
    in_cost, in_slope = (precision * size for size in rounding)
    least = max(tolerance * min(1.0, _size(slope)), ROUNDINGS * in_slope)
    tried = []
    for h in (step, step / 8) if single else (step, step / 10, step / 100):
        left, right = _one_sided(J, x, direction, h)
        tried.append((left, right))
        both = (left + right) / 2
        allowed = max(least, tolerance * abs(by_rule), tolerance * abs(both))
        if in_cost / h <= allowed and _close(by_rule, both, allowed):
            return Row(name, entry, by_rule, both, "ok")
    both = sum(tried[0]) / 2
    best, error = _best_quotient(J, x, direction, FARTHEST * scale, in_cost)
    largest = max(abs(by_rule), abs(best))
    seen = max(least, tolerance * largest, min(2 * error, max(tolerance, largest / 10)))
    if _close(by_rule, best, seen):
        return Row(name, entry, by_rule, best, "ok")
    if _close(by_rule, best, 2 * error):
        note = "rounding hides the slope; take numbers of smaller size"
        return Row(name, entry, by_rule, best, "unclear", note)
    gaps = [abs(right - left) for left, right in tried]
    least = max(100 * tolerance * max(1.0, abs(both)), 10 * in_cost / h)
    if gaps[-1] > least and gaps[-1] > gaps[0] / 3:
        left, right = (notation.number(v) for v in tried[-1])
        return Row(name, entry, by_rule, both, "kink", f"slope {left} on one side and {right} on the other")
    first, last = (abs(sum(tried[k])) for k in (0, -1))
    if math.isinf(by_rule) and last > 1.5 * first:
        return Row(
            name, entry, by_rule, both, "kink", "vertical: the smaller the step, the larger the quotient"
        )
    return Row(name, entry, by_rule, best if math.isfinite(best) else both, "wrong")


def _best_quotient(J, x, direction, largest, in_cost) -> tuple[float, float]:
    """The central difference that changes least with its step, and how far off it may be.

    Large costs need large steps, entries of very different sizes small ones: many powers of ten are tried.
    """
    moved, found = direction != 0, []
    for h in (largest / 10.0**k for k in range(STEPS)):
        there = (x.value + np.asarray(h * direction, x.dtype))[moved]
        if np.all(there != x.value[moved]):
            found.append((h, sum(_one_sided(J, x, direction, h)) / 2))
    judged = [(abs(a - b) + in_cost / h, b) for (_, a), (h, b) in pairwise(found)]
    error, best = min((j for j in judged if math.isfinite(j[0])), default=(math.nan, math.nan))
    return best, error


def _one_sided(J, x, direction, h) -> tuple[float, float]:
    """The slopes of J to both sides of x along ``direction``."""
    low, middle, high = (float(evaluate(J, {x: x.value + t * direction})) for t in (-h, 0.0, h))
    return (middle - low) / h, (high - middle) / h


def _close(a, b, allowed) -> bool:
    return abs(a - b) <= allowed < math.inf
