"""How an operation is declared: one call for each line of the tables of derivatives.

A derivative is written once, in NumPy. Fed arrays it computes numbers; fed nodes it builds the gradient's own
graph, from which the formulas shown to the learner are written. Throughout the tables z is the operation's
value, x and y its arguments, g = ∂J/∂z.

A new operation takes a line in the module of its family, one in ``writing.py`` unless it is written as a
call, and a call of it in ``tests/rule_cases.py``, by which all of it is tested.

What must hold: a derivative uses NumPy's functions and those of this room only, so that it works on arrays
and on nodes. A declaration need not care about broadcasting (``vector_jacobian.py`` does), nor about how the
operation is written (``writing.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backprop_lab.graph.node import RULES
from backprop_lab.graph.operation import Rule, operation
from backprop_lab.rules.shapes import broadcast_shape, reduced_shape
from backprop_lab.words.notation import home_of

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np

    from backprop_lab.graph.operation import Operation

    # What a signature says of the functions below, which take nodes as well (see Operation); their bodies,
    # which a type checker reads, get arrays.
    ArrayOrNode: TypeAlias = np.ndarray


def rule_of(
    compute: Callable,
    kind: str,
    shape: Callable,
    *derivatives: Callable | None,
    name: str | None = None,
    home: str | None = "np",
    parameters: dict[str, Any] | None = None,
    **how: Any,
) -> Rule:
    """The :class:`Rule` of an operation, with the defaults of a function of NumPy's."""
    return Rule(name or compute.__name__, home, compute, shape, kind, derivatives, parameters or {}, **how)


def enter(function: Callable, kind: str, shape: Callable, *derivatives: Callable | None, **how: Any) -> None:
    """Enter an operation into the table: NumPy's ``function`` makes a node from now on."""
    home = home_of(function)
    RULES[function] = rule_of(function, kind, shape, *derivatives, home=home, function=function, **how)


def elementwise(function: Callable, *partials: Callable | None, **how: Any) -> None:
    """Enter an operation that works entry by entry; ``partials``: ∂z/∂x, ∂z/∂y as d(z, x, y)."""
    enter(function, "elementwise", broadcast_shape, *partials, **how)


def condition(function: np.ufunc, **how: Any) -> None:
    """Enter a comparison or another condition: it has a value, True or False, and sends no gradient."""
    elementwise(function, *[None] * function.nin, gives="booleans", **how)


def reduction(
    function: Callable, kind: str, back: Callable, shape: Callable = reduced_shape, **how: Any
) -> None:
    """Enter an operation that combines the entries along axes; ``back``: d(g, z, x, axis, keepdims)."""
    enter(function, kind, shape, back, parameters={"axis": None, "keepdims": False}, **how)


def rearrangement(function: Callable, shape: Callable, back: Callable, /, **parameters: Any) -> None:
    """Enter an operation that only moves entries about; ``back`` moves those of g back."""
    enter(function, "linear", shape, back, parameters=parameters, gives="the same")


def declare(
    kind: str, shape: Callable, *derivatives: Callable | None, home: str = "bl", **how: Any
) -> Callable[[Callable], Operation]:
    """Make the decorated function, which NumPy has no name for, an operation on arrays and nodes alike."""
    return lambda compute: operation(rule_of(compute, kind, shape, *derivatives, home=home, **how))


def of_arrays_and_nodes(function: Callable) -> Operation:
    """The function itself, which calls an operation and so takes both as well: for type checkers."""
    return function
