"""``bl.check_gradient``: the backward pass against central differences, entry by entry.

In the manner of autograd's ``check_grads`` and PyTorch's ``gradcheck``: single entries and random
directions of every variable. Difference quotients are taken in float64, whatever the precision of the graph,
and gradients judged by their own. At a kink of the function no difference quotient gives the slope, and the
report says so instead of judging.

What must hold: a wrong rule never passes, a right one never fails; the graph stays as it is.
"""

from __future__ import annotations

import inspect
import math
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backprop_lab.graph.node import Node, constant
from backprop_lab.graph.operation import apply
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import gradient
from backprop_lab.passes.passes import Pass, checked_node, evaluate, pull_back
from backprop_lab.words import notation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

ENTRIES = 8  # single entries checked of each variable; of a larger one, a random choice
DIRECTIONS = 2
FARTHEST, STEPS = 0.01, 20  # of the largest entry; powers of ten, where the usual steps do not decide
ROUNDINGS = 100_000  # of the largest slope on the way: a slope may be off by this many
PRECISION = float(np.finfo(float).eps)  # of the difference quotients
TOLERANCES = {2: 5e-2, 4: 1e-3, 8: 1e-5}  # relative, of a gradient whose numbers take that many bytes


class Row(NamedTuple):
    """One comparison: where, both slopes (if there are any), and the verdict.

    It is ``"ok"``, ``"wrong"``, ``"kink"`` (no slope there) or ``"unclear"`` (hidden by rounding).
    """

    variable: str
    entry: str
    by_rule: float | None
    by_difference: float | None
    verdict: str
    note: str = ""


class GradientReport:
    """What :func:`check_gradient` found, ``.rows`` and ``.ok``; prints as a table."""

    def __init__(self, rows: list[Row], source: str = "backward pass"):
        self.rows = rows
        self.source = source

    @property
    def ok(self) -> bool:
        """Whether no comparison came out wrong; kinks and unclear ones do not count."""
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
        for verdict, words in (("kink", "at a kink"), ("unclear", "unclear")):
            count = sum(row.verdict == verdict for row in self.rows)
            ending += f", {count} {words}" * bool(count)
        return "\n".join([*lines, ending])


def _slope_text(slope):
    return "—" if slope is None else notation.number(slope, 6)


def check_gradient(
    J: Node,
    wrt: Node | Iterable[Node] | None = None,
    second: bool = False,
    seed: int = 0,
    *,
    given: Mapping[Node, npt.ArrayLike | None] | Callable | None = None,
) -> GradientReport:
    """Compare the backward pass with central differences of the forward pass.

    ``J`` of any shape (an array is first summed with random weights); ``wrt`` the variables to check, all of
    J's by default; ``second`` checks the gradient's own gradient as well; ``seed`` of the random choices.
    ``given``: a gradient of your own, to be checked instead of the backward pass's. Either {variable: array}
    (None for one that never came); one that does not have its variable's shape is wrong. Or a function whose
    parameters are variables, by name, and that returns a gradient for each, in the same order: it is called
    with their values, and then with others ("elsewhere"), where numbers that only fit here are wrong.

    Slopes agree within 1e-5 (float32: 1e-3, float16: 5e-2) of the larger one, or of the largest of their
    variable up to 1; or as closely as the difference quotient can be computed. Raises ValueError if there is
    nothing to check, or what is given does not fit the cost.

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
    >>> bl.check_gradient(np.sum(bl.relu(x) ** 2), given=lambda x: [1, 0])  # the numbers of the table above
    variable  entry        given gradient  difference quotient
    x         [0]          1               1                    ok
    x         [1]          0               0                    ok
    x         direction 1  0.689414        0.689414             ok
    x         direction 2  0.986849        0.986849             ok
    x         elsewhere    —               —                    wrong: right here, not for other values of x
    5 compared, 1 wrong
    """
    random = np.random.default_rng(seed)
    checked_node(J, "check_gradient")

    def compared(J, slopes, label="", at=MappingProxyType({})):
        exact = _in_doubles(J)
        how = random, label, _rounding(J, at), {exact.get(x, x): value for x, value in at.items()}
        return [row for x, g in slopes.items() for row in _compare(exact[J], exact.get(x, x), g, *how)]

    if given is not None:
        _refuse_other_requests(J, wrt, second)
        if not callable(given):
            return GradientReport(compared(J, _checked_given(given)), "given gradient")
        named = _variables_of(given, J)
        here = compared(J, _returned(given, named, {x: x.value for x in named.values()}))
        at = _elsewhere(J, named.values(), random)
        there = compared(J, _returned(given, named, at), at=at)
        return GradientReport(here + _verdicts_elsewhere(here, there, named.values()), "given gradient")
    if J.shape:
        J = (J * random.normal(size=J.shape).astype(J.dtype)).sum()
    all_of_them = [n for n in topological_order(J) if n.leaf_kind == "variable"]
    variables = all_of_them if wrt is None else [wrt] if isinstance(wrt, Node) else list(wrt)
    if not variables:
        raise ValueError("check_gradient: the cost depends on no variable, so there is nothing to check")
    rows = compared(J, {x: _slope(J, x) for x in variables})
    if second:
        slopes = gradient(J, variables)
        first, *others = (
            (g * random.normal(size=x.shape).astype(x.dtype)).sum() for g, x in zip(slopes, variables)
        )
        mixed = sum(others, first)
        depends = set(topological_order(mixed))
        rows += compared(mixed, {x: _slope(mixed, x) for x in variables if x in depends}, "second, ")
    return GradientReport(rows)


def _refuse_other_requests(J, wrt, second):
    if wrt is not None or second:
        raise ValueError("check_gradient: given= says what to check; leave wrt= and second= out")
    if J.shape:
        raise ValueError(
            f"check_gradient: {notation.mention(J)} has shape {J.shape}; given= needs a cost, one number"
        )


def _checked_given(given) -> dict:
    if not isinstance(given, Mapping):
        raise ValueError(f"check_gradient: given= is {{variable: array}} or a function, not {given!r}")
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


def _variables_of(function, J) -> dict[str, Node]:
    """{parameter of the reader's function: the variable of that name}."""
    known: dict[str, list[Node]] = {}
    for node in topological_order(J):
        if node.leaf_kind == "variable":  # Python folds the names of parameters in the same way
            known.setdefault(unicodedata.normalize("NFKC", node.name or ""), []).append(node)
    wanted = list(inspect.signature(function).parameters)
    for name in wanted:
        if len(known.get(name, ())) != 1:
            problem = "no variable" if name not in known else f"{len(known[name])} variables"
            raise ValueError(
                f"check_gradient: your function takes {name}, and the cost has {problem} of that name; "
                f"name the parameters after its variables: {', '.join(known)}"
            )
    if not wanted:
        raise ValueError(f"check_gradient: your function takes no variable; give it {', '.join(known)}")
    return {name: known[name][0] for name in wanted}


def _returned(function, variables, at) -> dict:
    """{variable: what the reader's function returns for it} when the variables have the values ``at``."""
    found = function(**{name: at[x] for name, x in variables.items()})
    if len(variables) == 1:
        found = (found,)
    if not isinstance(found, tuple | list) or len(found) != len(variables):
        raise ValueError(
            f"check_gradient: your function takes {', '.join(variables)}; it should return a gradient "
            f"for each, in this order, and returned {found!r}"
        )
    return _checked_given(dict(zip(variables.values(), found)))


def _elsewhere(J, variables, random) -> dict:
    """Other values of the variables: of both signs, or near their own where the cost is no number there."""
    far = {x: random.normal(size=x.shape) * max(1.0, _size(x.value)) for x in variables}
    if np.isfinite(evaluate(J, far)):
        return far
    return {x: x.value * random.uniform(1.05, 1.2, size=x.shape) for x in variables}


def _verdicts_elsewhere(here, there, variables) -> list[Row]:
    """One row for each variable that is right here: whether it is right elsewhere, too."""
    wrong_here, wrong_there = ({r.variable for r in rows if r.verdict == "wrong"} for rows in (here, there))
    names = " and ".join(map(notation.mention, variables))
    note = f"right here, not for other values of {names}"
    return [
        Row(name, "elsewhere", None, None, *(("wrong", note) if name in wrong_there else ("ok", "")))
        for name in map(notation.mention, variables)
        if name not in wrong_here
    ]


def _slope(J, x):
    return pull_back(J, x, np.ones(J.shape))


def _in_doubles(J) -> dict[Node, Node]:
    """{node: the same in float64} for J's graph."""
    order, double = topological_order(J), np.dtype(float)
    if all(node.dtype == double for node in order if node.dtype.kind == "f"):
        return dict(zip(order, order))
    exact: dict[Node, Node] = {}
    for node in order:
        if node.rule is None:
            value = node.value if node.dtype.kind != "f" else np.asarray(node.value, double)
            exact[node] = constant(node.name, value)
        else:
            arguments = (exact[a] if isinstance(a, Node) else a for a in node.arguments)
            how = {k: double if _is_float_type(v) else v for k, v in node.parameters.items()}
            exact[node] = apply(node.rule, *arguments, **how)
    return exact


def _is_float_type(value) -> bool:
    return isinstance(value, np.dtype) and value.kind == "f"


class _Rounding(NamedTuple):
    """How far rounding may move the cost and a slope, in units of a precision; the size of its numbers."""

    of_cost: float
    of_slope: float
    itemsize: int


def _rounding(J, at) -> _Rounding:
    run, flows = Pass(J, "check_gradient"), [0.0]
    with np.errstate(all="ignore"):
        run.start_from(at)
        run.compute()
        run.seed(np.ones(J.shape))
        run.send(lambda i, argument, k, contribution, *_: flows.append(_size(contribution)))
        sent = zip(run.values, run.gradients)
        of_cost = max(_size(value * g) for value, g in sent if g is not None)
        narrowest = min(node.dtype.itemsize for node in run.order if node.dtype.kind == "f")
        return _Rounding(of_cost, min(of_cost, max(flows)), narrowest)


def _size(array) -> float:
    return float(np.max(np.abs(array), initial=0, where=np.isfinite(array)))


def _compare(J, x, claimed, random, label, rounding, at):
    """The rows of one variable, whose gradient is ``claimed`` (None: it never came)."""
    name = notation.mention(x)
    if claimed is None or claimed.shape != x.shape:
        shapes = f"{name} has shape {x.shape}, this gradient {np.shape(claimed)}"
        note = "no gradient came" if claimed is None else shapes
        yield Row(name, f"{label}all", None, None, "wrong", note)
        return
    for entry, direction in _directions(x, random):
        comparison = _Comparison(J, x, claimed, direction, rounding, at)
        yield Row(name, label + entry, comparison.by_rule, *_judgement(comparison))


def _directions(x, random):
    """(name, array of x's shape) of each direction in which x is moved."""
    chosen = np.arange(x.size)
    if x.size > ENTRIES:
        chosen = np.sort(random.choice(x.size, ENTRIES, replace=False))
    for i in chosen:
        direction = np.zeros(x.size)
        direction[i] = 1
        place = [int(k) for k in np.unravel_index(i, x.shape)]
        yield str(place) if place else "the number", direction.reshape(x.shape)
    for k in range(DIRECTIONS if x.size > 1 else 0):
        direction = random.normal(size=x.shape)
        yield f"direction {k + 1}", direction / np.linalg.norm(direction)


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


class _Comparison:
    """The slope along a line that a gradient claims, ``by_rule``, and how closely a quotient should agree.

    ``steps`` are the usual ones, the largest first; ``rounding`` is how far rounding may move the cost.
    """

    def __init__(self, J, x, gradient, direction, rounding: _Rounding, at):
        self.line = _Line(J, x, direction, at)
        self.by_rule = self.line.slope(gradient)
        self.tolerance = TOLERANCES[rounding.itemsize]
        self.rounding = PRECISION * rounding.of_cost
        own = float(np.finfo(f"f{rounding.itemsize}").eps)
        rounded = min(ROUNDINGS * own, self.tolerance) * rounding.of_slope
        self.always_allowed = max(self.tolerance * min(1.0, _size(gradient)), rounded)
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


def _judgement(comparison):
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
