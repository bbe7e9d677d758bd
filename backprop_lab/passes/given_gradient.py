"""A reader's own gradient, as numbers or as a function, read for :func:`bl.check_gradient`.

What must hold: what does not fit is refused in words; a function is asked at other values as well, so that
numbers copied from the answer are found out.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.difference_quotients import size_of
from backprop_lab.passes.gradient_report import Row
from backprop_lab.passes.passes import evaluate
from backprop_lab.words import notation
from backprop_lab.words.naming import folded


def refuse_other_requests(J, wrt, second):
    if wrt is not None or second:
        raise ValueError("check_gradient: given= says what to check; leave wrt= and second= out")
    if J.shape:
        raise ValueError(
            f"check_gradient: {notation.mention(J)} has shape {J.shape}; given= needs a cost, one number"
        )


def checked_given(given) -> dict:
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


def variables_of(function, J) -> dict[str, Node]:
    """{parameter of the reader's function: the variable of that name}."""
    known: dict[str, list[Node]] = {}
    for node in topological_order(J):
        if node.leaf_kind == "variable":
            known.setdefault(folded(node.name or ""), []).append(node)
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


def returned(function, variables, at) -> dict:
    """{variable: what the reader's function returns for it} when the variables have the values ``at``."""
    found = function(**{name: at[x] for name, x in variables.items()})
    if len(variables) == 1:
        found = (found,)
    if not isinstance(found, tuple | list) or len(found) != len(variables):
        raise ValueError(
            f"check_gradient: your function takes {', '.join(variables)}; it should return a gradient "
            f"for each, in this order, and returned {found!r}"
        )
    return checked_given(dict(zip(variables.values(), found)))


def elsewhere(J, variables, random) -> dict:
    """Other values of the variables: of both signs, or near their own where the cost is no number there."""
    far = {x: random.normal(size=x.shape) * max(1.0, size_of(x.value)) for x in variables}
    if np.isfinite(evaluate(J, far)):
        return far
    return {x: x.value * random.uniform(1.05, 1.2, size=x.shape) for x in variables}


def verdicts_elsewhere(here, there, variables) -> list[Row]:
    """One row for each variable that is right here: whether it is right elsewhere, too."""
    wrong_here, wrong_there = ({r.variable for r in rows if r.verdict == "wrong"} for rows in (here, there))
    names = " and ".join(map(notation.mention, variables))
    note = f"right here, not for other values of {names}"
    return [
        Row(name, "elsewhere", None, None, *(("wrong", note) if name in wrong_there else ("ok", "")))
        for name in map(notation.mention, variables)
        if name not in wrong_here
    ]
