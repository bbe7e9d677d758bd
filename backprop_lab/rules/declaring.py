"""How an operation is declared: one call for each line of the tables of derivatives.

A derivative is written once, in NumPy. Fed arrays it computes numbers; fed nodes it builds the gradient's own
graph, from which the formulas shown to the learner are written. Throughout the tables z is the operation's
value, x and y its arguments, g = ∂J/∂z.

A new operation takes a line in the module of its family, one in ``writing.py`` unless it is written as a
call, and a call of it in ``tests/rule_cases.py``, by which all of it is tested.

What must hold: a derivative uses NumPy's functions and those of this room only, so that it works on arrays
and on nodes. Broadcasting is no concern of a declaration (``vector_jacobian.py``), nor is how the operation
is written (``writing.py``).
"""

from __future__ import annotations

from collections.abc import Callable

from backprop_lab.graph.node import RULES
from backprop_lab.graph.operation import Rule, operation
from backprop_lab.rules.shapes import broadcast_shape, reduced_shape


def rule_of(compute, kind, shape, *derivatives, name=None, home="np", parameters=None, **how) -> Rule:
    """The rule of an operation: how it is computed, and its derivatives as :class:`Rule` reads them."""
    return Rule(name or compute.__name__, home, compute, shape, kind, derivatives, parameters or {}, **how)


def enter(function, kind, shape, *derivatives, **how):
    """Enter an operation into the table: NumPy's ``function`` makes a node from now on."""
    RULES[function] = rule_of(function, kind, shape, *derivatives, function=function, **how)


def elementwise(function, *partials, **how):
    """Enter an operation that works entry by entry; ``partials``: ∂z/∂x, ∂z/∂y as d(z, x, y)."""
    enter(function, "elementwise", broadcast_shape, *partials, **how)


def comparison(function):
    """Enter a comparison: it has a value, True or False, and sends no gradient."""
    elementwise(function, None, None, gives="booleans")


def reduction(function, kind, back, **how):
    """Enter an operation that takes the entries along axes together; ``back``: d(g, z, x, axis, keepdims)."""
    enter(function, kind, reduced_shape, back, parameters={"axis": None, "keepdims": False}, **how)


def rearrangement(function, shape, back, /, **parameters):
    """Enter an operation under which entries only move about; ``back`` moves those of g back."""
    enter(function, "linear", shape, back, parameters=parameters, gives="the same")


def declare(kind, shape, *derivatives, home="bl", **how) -> Callable:
    """Make an operation that NumPy has no name for, of arrays and nodes alike: the decorated body."""
    return lambda compute: operation(rule_of(compute, kind, shape, *derivatives, home=home, **how))
