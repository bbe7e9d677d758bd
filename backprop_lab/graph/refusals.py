"""What a node refuses, in words: what Python or NumPy may ask of it that a graph cannot give.

What must hold: each message names the node and says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from backprop_lab.graph.instead import IN_PLACE, INSTEAD, MOVE_ENTRIES, WITHOUT_GRADIENT
from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError


def _refusal(words: str) -> Callable:
    """A method of a node that refuses what Python or NumPy ask of it."""

    def refuse(self, *arguments, **keywords):
        raise NotAnArrayError(notation.mention(self, code=True) + words)

    return refuse


def _format(self, spec: str) -> str:
    if spec:
        name = notation.mention(self, code=True)
        raise NotAnArrayError(f"{name} is a node; to write its number with {spec!r}, format its .value")
    return str(self)


_NEEDS_A_VALUE = (
    " is a node and may have no value yet, so it cannot {}; use .value after bl.forward, or np.where / "
    "np.maximum inside the graph"
)
METHODS = {  # of a node, without the underscores around their names
    "bool": _refusal(_NEEDS_A_VALUE.format("decide an if, a while, an and, or a comparison chain")),
    "float": _refusal(_NEEDS_A_VALUE.format("become a float")),
    "int": _refusal(_NEEDS_A_VALUE.format("become an int")),
    "index": _refusal(_NEEDS_A_VALUE.format("be an index or a count")),
    "complex": _refusal(_NEEDS_A_VALUE.format("become a complex number")),
    "format": _format,
    "array": _refusal(
        " is a node, not an array: np.array, np.asarray and lists of nodes cannot hold it; use "
        "np.stack([a, b]) to put nodes together, and .value for numbers"
    ),
    "setitem": _refusal(
        "[…] = …: a node's entries cannot be assigned; build a new node with np.where or np.stack, "
        "or set .value of a leaf"
    ),
    "reduce_ex": _refusal(
        ": a node cannot be pickled or copied, because it stands in a graph; keep the values of "
        "the variables ({v.name: v.value}) and build the graph again"
    ),
}


def method_of_a_ufunc(ufunc: np.ufunc, method: str) -> NotAnArrayError:
    """The error for ``np.add.reduce`` and the like."""
    return NotAnArrayError(f"np.{ufunc.__name__}.{method} of a node is not supported")


def writing_into_an_array(ufunc: np.ufunc) -> NotAnArrayError:
    """The error for ``out=`` and for an array's ``+=`` with a node."""
    return NotAnArrayError(
        f"np.{ufunc.__name__}(…, out=…) and in-place operators would write into an array, "
        "and a node has no numbers to write yet; write y = a + b instead of a += b or out=a"
    )


def no_rule(function: Callable, known: Iterable[Callable]) -> TypeError:
    """The error for a NumPy function without a rule: what to write instead, or which rule to add."""
    import difflib

    name = function.__name__
    called = f"{notation.home_of(function) or 'np'}.{name}"
    if name in WITHOUT_GRADIENT:
        return TypeError(
            f"np.{name} of a node: no gradient flows through it, so it is no operation of a graph; take it "
            "of numbers, such as the node's .value after bl.forward"
        )
    names = sorted({f.__name__ for f in known if getattr(np, f.__name__, None) is f})
    near = ", ".join(f"np.{n}" for n in difflib.get_close_matches(name, names, n=3, cutoff=0.6))
    hint = f"the nearest known: {near}" if near else f"none of the {len(names)} known is near"
    message = f"{called} has no rule for nodes yet; {hint}"
    if called in INSTEAD:
        message += f"; write {_in_one_line(INSTEAD[called])}"
    if called not in INSTEAD or isinstance(function, np.ufunc):
        message += f"; to add it, give its derivative: {_rule_to_add(name, called, function)}"
    return TypeError(message)


def _in_one_line(code: str | tuple[str, str]) -> str:
    return code if isinstance(code, str) else f"{code[0]} for vectors, {code[1]} for matrices"


def _rule_to_add(name: str, called: str, function: Callable) -> str:
    """The call of ``bl.rule`` that fits a function: elementwise, linear or custom."""
    if isinstance(function, np.ufunc) and function.signature is None:
        return f'bl.rule("{name}", {called}, lambda z, {", ".join("xyuvw"[: function.nin])}: …)'
    kind = "linear" if name in MOVE_ENTRIES else "custom"
    places = ", ".join("xyuvw"[: getattr(function, "nin", 1)])
    return f'bl.rule("{name}", {called}, lambda g, z, {places}: …, kind="{kind}")'


def no_attribute(node, name: str, known: Iterable[Callable]) -> AttributeError:
    """The error for what a node does not have; of what an array has, with what to write instead."""
    if name.startswith("_") or name in type(node).__slots__ or not hasattr(np.ndarray, name):
        return AttributeError(f"a node has no attribute {name!r}", name=name, obj=node)
    mentioned, function = notation.mention(node, code=True), getattr(np, name, None)
    if name in IN_PLACE:
        words = (
            f"it would change an array, and a node stays what it is; take a copy, {mentioned}.value.copy()"
        )
    elif function is not None:
        words = str(no_rule(function, known))
    else:
        words = f"a node may have no numbers yet; after bl.forward write {mentioned}.value.{name}"
    return AttributeError(f"{mentioned}.{name}: {words}", name=name, obj=node)
