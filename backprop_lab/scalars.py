"""A graph of single numbers, bound to Python's own floats: NumPy takes ten times as long for one number.

What must hold: the same answers as with NumPy. Where Python refuses (1 / 0, log of a negative number) the
caller's other way of running is taken, which gives NumPy's infinities and NaNs.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from backprop_lab.buffers import define
from backprop_lab.graph import Node, topological_order
from backprop_lab.notation import literal

_PYTHONS = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
    "negative": "-{}", "positive": "{}", "square": "{0} * {0}", "reciprocal": "1 / {}",
    "power": "pow({}, {})", "absolute": "abs({})", "arctan": "atan({})", "where": "{1} if {0} else {2}",
    "maximum": "{0} if {0} > {1} or {0} != {0} else {1}",  # a NaN stays one
    "minimum": "{0} if {0} < {1} or {0} != {0} else {1}",
    "greater": "{} > {}", "greater_equal": "{} >= {}", "less": "{} < {}", "less_equal": "{} <= {}",
    "equal": "{} == {}", "not_equal": "{} != {}",
    **{name: name + "({})" for name in ("exp", "log", "log1p", "expm1", "sqrt")},
    **{name: name + "({})" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}  # fmt: skip


def bind_numbers(
    J: Node, gradient: Node, leaves: dict[Node, np.ndarray], otherwise
) -> SimpleNamespace | None:
    """As :func:`backprop_lab.buffers.bind` for a graph of single numbers; None for any other.

    ``otherwise`` is what that function gave for the same graph.
    """
    (theta,) = (leaf for leaf in leaves if leaf.leaf_kind == "variable")
    pieces = _pieces(gradient)
    order = topological_order(J, *pieces)
    names = {theta: "theta"} | {leaf: f"x{i}" for i, leaf in enumerate(leaves) if leaf is not theta}
    lines = ["theta = vector.tolist()"]
    for node in order:
        if node is theta:
            continue
        if node.shape != () or node.dtype not in (np.float64, bool):
            return None
        if node.rule is None:
            names.setdefault(node, literal(node.value[()]) if node.name is None else "")
        elif node.rule.known_as == "index" and node.inputs[0] is theta:
            names[node] = f"theta[{node.parameters['key']}]"
        elif node.rule.known_as in _PYTHONS:
            texts = (names[a] if isinstance(a, Node) else literal(a) for a in node.arguments)
            text = _PYTHONS[node.rule.known_as].format(*(f"({t})" if t.startswith("-") else t for t in texts))
            names[node] = f"n{len(names)}"
            lines.append(f"{names[node]} = {text}")
        else:
            return None
    lines += [f"gradient[{i}] = {names[piece]}" for i, piece in enumerate(pieces)]
    lines.append(f"return {names[J]}")
    data = [leaf for leaf in leaves if leaf is not theta]
    prepare = [f"global {names[leaf]}; {names[leaf]} = {names[leaf]}_.item()" for leaf in data]
    scope = {"vector": leaves[theta], "gradient": otherwise.gradient, **vars(math), "np": np}
    scope |= {f"{names[leaf]}_": leaves[leaf] for leaf in data}
    define(scope, prepare=prepare, quick=lines)
    quick, slow = scope["quick"], otherwise.run

    def run():
        try:
            return quick()
        except (ArithmeticError, ValueError):
            return slow()

    def prepare_both():
        scope["prepare"]()
        otherwise.prepare()

    return SimpleNamespace(run=run, prepare=prepare_both, gradient=otherwise.gradient)


def _pieces(gradient: Node) -> list[Node]:
    """The single numbers that a gradient is put together from."""
    joined = (
        gradient.inputs
        if gradient.rule is not None and gradient.rule.known_as == "concatenate"
        else (gradient,)
    )
    return [a.inputs[0] if a.rule is not None and a.rule.known_as == "ravel" else a for a in joined]
