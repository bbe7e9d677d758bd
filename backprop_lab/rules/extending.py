"""``bl.rule``: the reader's own operations, declared as the package's are.

What must hold: an operation added here is checked, drawn, stepped through, differentiated again and compiled
like any other; an error names the mistake in a declaration.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import wraps
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop_lab.graph.node import RULES, Node
from backprop_lab.graph.operation import operation
from backprop_lab.rules.declaring import rule_of
from backprop_lab.rules.shapes import broadcast_shape
from backprop_lab.words import notation
from backprop_lab.words.arrays import frozen
from backprop_lab.words.errors import NotAnArrayError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from backprop_lab.graph.operation import Operation

_KINDS = {"elementwise": "z, x", "linear": "g, z, x", "custom": "g, z, x"}


def rule(
    name: str,
    compute: Callable,
    *derivatives: Callable | None,
    kind: str = "elementwise",
    shape: Callable | None = None,
    parameters: dict[str, Any] | None = None,
) -> Operation:
    """Add an operation: how it is computed, and one derivative for each of its arguments.

    ``compute(x, y, …)`` gives the value z for arrays. The derivatives are written with NumPy's functions, so
    that they work on arrays and on nodes; None where no gradient flows. ``kind`` says what they are:

    - ``"elementwise"``: the partial derivative ∂z/∂x, as ``d(z, x, y, …)``;
    - ``"linear"``: the transpose applied to g = ∂J/∂z, as ``d(g, z, x, y, …)``;
    - ``"custom"``: the vector-Jacobian product (∂z/∂x)ᵀ g, as ``d(g, z, x, y, …)``.

    ``shape(x, y, …)`` gives the shape of z from the shapes of the arguments; by default they broadcast
    (elementwise), or ``compute`` is tried on arrays of these shapes: regular matrices, then ones, then zeros,
    until it takes them. ``parameters`` are keywords with their defaults, which all these functions take as
    well. Returns the operation, for arrays and nodes alike. If ``compute`` is a function of NumPy's, that
    function works on nodes from now on.

    Raises TypeError or ValueError for a declaration that cannot be one.

    >>> import numpy as np, backprop_lab as bl
    >>> x = bl.variable("x", [0.0, 2.0])
    >>> swish = bl.rule("swish", lambda x: x * bl.sigmoid(x), lambda z, x: z + (1 - z) * bl.sigmoid(x))
    >>> bl.check_gradient(np.sum(swish(x))).ok
    True
    >>> hasty = bl.rule("hasty", lambda x: x * bl.sigmoid(x), lambda z, x: bl.sigmoid(x))
    >>> bl.check_gradient(np.sum(hasty(x))).ok
    False
    """
    parameters = parameters or {}
    _check(name, compute, derivatives, kind, parameters)
    home = notation.home_of(compute)
    if shape is None:
        shape = broadcast_shape if kind == "elementwise" else _tried(compute, derivatives)
    made = rule_of(
        compute if isinstance(compute, np.ufunc) else _checked_value(name, compute, shape),
        kind,
        shape,
        *(d if d is None else _checked_derivative(name, i, d, kind) for i, d in enumerate(derivatives)),
        name=compute.__name__ if home else name,
        home=home,
        parameters=parameters,
        function=compute if home else None,
        written=notation.Written(
            code=lambda node: notation.call(
                f"{home}.{compute.__name__}" if home else name, node.parameters, True
            ),
            math=lambda node: notation.call(name, notation.differing(node.parameters, parameters), False),
        ),
    )
    if home:
        RULES[compute] = made
    return operation(made)


def _tried(compute, derivatives):
    """The shape of what ``compute`` gives, found by trying it; it may refuse some values, but not all."""

    def shape(*shapes, **parameters):
        mistakes = []
        for like in (_regular, np.ones, np.zeros):
            arrays = [like(s) if d else like(s).astype(int) for s, d in zip(shapes, derivatives)]
            try:
                with np.errstate(all="ignore"):
                    return np.shape(compute(*arrays, **parameters))
            except Exception as mistake:
                mistakes.append(mistake)
        if isinstance(mistakes[0], ValueError):
            raise ShapeError(
                f"{mistakes[0]} (tried on arrays of these shapes; if they are right, give the rule shape=…)"
            ) from None
        raise mistakes[0]

    return shape


def _regular(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers between 0 and 2, no two rows alike; square matrices are symmetric and positive definite."""
    if len(shape) < 2:
        return np.linspace(0.25, 0.75, math.prod(shape)).reshape(shape)
    rows, columns = np.indices(shape[-2:])
    return np.broadcast_to((rows == columns) + 1 / (1.0 + rows + columns), shape).copy()


def _check(name, compute, derivatives, kind, parameters) -> None:
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise TypeError(f'rule: the name comes first, an identifier such as "softplus"; was given {name!r}')
    if not callable(compute):
        raise TypeError(f"rule({name!r}, …): compute is a function of arrays, was given {compute!r}")
    if kind not in _KINDS:
        raise ValueError(f"rule({name!r}, …): kind is one of {', '.join(_KINDS)}, not {kind!r}")
    if not derivatives or not all(d is None or callable(d) for d in derivatives):
        raise TypeError(
            f"rule({name!r}, …): give one derivative for each argument, as lambda {_KINDS[kind]}: …, or None "
            "where no gradient flows"
        )
    count, more = len(derivatives), "s" * (len(derivatives) > 1)
    if not _takes(compute, count, parameters):
        raise TypeError(
            f"rule({name!r}, …): {count} derivative{more} given, one for each argument, and compute does not "
            f"take {count} argument{more}"
        )
    known = _KINDS[kind].split(", ")[:-1]
    for place, derivative in enumerate(derivatives, 1):
        if derivative is not None and not _takes(derivative, len(known) + count, parameters):
            raise TypeError(
                f"rule({name!r}, …): derivative {place} is called with {', '.join(known)} and then the "
                f"arguments, {len(known) + count} in all: lambda {_KINDS[kind]}{', y' * (count > 1)}: …"
            )


def _takes(function: Callable, count: int, parameters: dict[str, Any]) -> bool:
    """Whether a function can be called with this many arguments and these keywords."""
    if getattr(function, "nin", count) != count:  # a ufunc takes more, such as out=
        return False
    try:
        inspect.signature(function).bind(*range(count), **parameters)
    except TypeError:
        return False
    except ValueError:
        return True  # one written in C may have no signature
    return True


def _checked_value(name, compute, shape):
    """``compute`` on read-only arrays, its result compared with the declared shape."""

    @wraps(compute)
    def checked(*operands, **parameters):
        if any(isinstance(o, Node) for o in operands):
            return compute(*operands, **parameters)
        value = np.asarray(compute(*map(_read_only, operands), **parameters))
        declared = tuple(shape(*(np.shape(o) for o in operands), **parameters))
        if value.shape != declared:
            raise ShapeError(
                f"{name}: computed a value of shape {value.shape} where its rule says {declared}; "
                "give the rule shape=…, the shape of the result from those of the arguments"
            )
        return value

    return checked


def _read_only(operand: npt.ArrayLike) -> np.ndarray:
    """A read-only view of an operand; the operand itself stays writable if it was."""
    return frozen(np.asarray(operand).view())


def _checked_derivative(name, place, derivative, kind):
    """``derivative`` on read-only arrays, its result compared with the shape that it should have."""

    @wraps(derivative)
    def checked(*given, **parameters):
        made = derivative(*(g if isinstance(g, Node) else _read_only(g) for g in given), **parameters)
        context = f"{name}: the derivative for its argument {place + 1}"
        if made is None:
            raise NotAnArrayError(f"{context} gave None; is a return missing?")
        value, found = np.shape(given[0] if kind == "elementwise" else given[2 + place]), np.shape(made)
        try:
            both = np.broadcast_shapes(value, found)
        except ValueError:
            both = None
        if kind == "elementwise" and both != value:
            raise ShapeError(
                f"{context} has shape {found}, and the value {value}; an elementwise rule gives a slope for "
                'each entry (another Jacobian: kind="custom")'
            )
        if kind != "elementwise" and both != found:
            raise ShapeError(
                f"{context} has shape {found}, and the argument {value}; a gradient has the shape of what it "
                "is a gradient of"
            )
        return made

    return checked
