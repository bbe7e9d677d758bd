"""``bl.check_gradient``: the backward pass against central differences, entry by entry.

In the manner of autograd's ``check_grads`` and PyTorch's ``gradcheck``: single entries and random
directions of every variable. Difference quotients are taken in float64, whatever the precision of the graph,
and gradients judged by their own. At a kink of the function no difference quotient gives the slope, and the
report says so instead of judging.

What must hold: a wrong rule never passes, a right one never fails; the graph stays as it is.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.graph.leaves import constant
from backprop_lab.graph.node import Node
from backprop_lab.graph.operation import apply
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import gradient
from backprop_lab.passes.difference_quotients import Comparison, judgement, rounding_of
from backprop_lab.passes.given_gradient import (
    checked_given,
    elsewhere,
    refuse_other_requests,
    returned,
    variables_of,
    verdicts_elsewhere,
)
from backprop_lab.passes.gradient_report import GradientReport, Row
from backprop_lab.passes.passes import checked_node, pull_back
from backprop_lab.words import notation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy.typing as npt

ENTRIES = 8  # single entries checked of each variable; of a larger one, a random choice
DIRECTIONS = 2


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
    if given is not None:
        refuse_other_requests(J, wrt, second)
        return GradientReport(_rows_of_given(J, given, random), "given gradient")
    if J.shape:
        J = (J * random.normal(size=J.shape).astype(J.dtype)).sum()
    all_of_them = [n for n in topological_order(J) if n.leaf_kind == "variable"]
    variables = all_of_them if wrt is None else [wrt] if isinstance(wrt, Node) else list(wrt)
    if not variables:
        raise ValueError("check_gradient: the cost depends on no variable, so there is nothing to check")
    rows = _compared(J, {x: _slope(J, x) for x in variables}, random)
    return GradientReport(rows + (_rows_of_second(J, variables, random) if second else []))


def _rows_of_given(J, given, random) -> list[Row]:
    if not callable(given):
        return _compared(J, checked_given(given), random)
    named = variables_of(given, J)
    here = _compared(J, returned(given, named, {x: x.value for x in named.values()}), random)
    at = elsewhere(J, named.values(), random)
    there = _compared(J, returned(given, named, at), random, at=at)
    return here + verdicts_elsewhere(here, there, named.values())


def _rows_of_second(J, variables, random) -> list[Row]:
    """The gradient of a random mixture of the gradient's entries."""
    slopes = gradient(J, variables)
    first, *others = (
        (g * random.normal(size=x.shape).astype(x.dtype)).sum() for g, x in zip(slopes, variables)
    )
    mixed = sum(others, first)
    depends = set(topological_order(mixed))
    return _compared(mixed, {x: _slope(mixed, x) for x in variables if x in depends}, random, "second, ")


def _compared(J, slopes, random, label="", at=MappingProxyType({})) -> list[Row]:
    """The rows of all variables, ``at`` these values of leaves in place of their own."""
    exact = _in_doubles(J)
    how = random, label, rounding_of(J, at), {exact.get(x, x): value for x, value in at.items()}
    return [row for x, g in slopes.items() for row in _compare(exact[J], exact.get(x, x), g, *how)]


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


def _compare(J, x, claimed, random, label, rounding, at):
    """The rows of one variable, whose gradient is ``claimed`` (None: it never came)."""
    name = notation.mention(x)
    if claimed is None or claimed.shape != x.shape:
        shapes = f"{name} has shape {x.shape}, this gradient {np.shape(claimed)}"
        note = "no gradient came" if claimed is None else shapes
        yield Row(name, f"{label}all", None, None, "wrong", note)
        return
    for entry, direction in _directions(x, random):
        comparison = Comparison(J, x, claimed, direction, rounding, at)
        yield Row(name, label + entry, comparison.by_rule, *judgement(comparison))


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
