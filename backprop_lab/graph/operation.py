"""What an operation is, and how a call of it becomes a node.

What must hold: mistakes are found here, at the learner's line, and named with the nodes' names and shapes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop_lab.graph.leaves import constant
from backprop_lab.graph.node import Node, Unfinished
from backprop_lab.words import notation
from backprop_lab.words.arrays import checked_array
from backprop_lab.words.errors import NotAnArrayError, ShapeError
from backprop_lab.words.naming import assigned_name

if TYPE_CHECKING:
    from typing import Protocol, overload

    import numpy.typing as npt

    from backprop_lab.graph.node import Operand

    class Operation(Protocol):
        """A function of arrays and nodes alike: arrays in, array out; a node in, a node out."""

        __name__: str

        @overload
        def __call__(self, x: Node, /, *more: Operand, **parameters: object) -> Node: ...
        @overload
        def __call__(self, x: npt.ArrayLike, y: Node, /, *more: Operand, **parameters: object) -> Node: ...
        @overload
        def __call__(self, /, *operands: npt.ArrayLike, **parameters: object) -> np.ndarray: ...


@dataclass(frozen=True, eq=False, repr=False)
class Rule:
    """One operation: how it is computed, its shape, its derivatives.

    ``compute(*arrays, **parameters)`` gives the value; ``shape(*shapes, **parameters)`` the shape,
    raising :class:`ShapeError` with the numbers that differ. ``derivatives`` has one entry for each
    argument (None: no gradient flows there); what it is depends on ``kind``:

    - ``"elementwise"``: the partial derivative ``d(z, *args, **parameters)``, an array like z;
    - ``"linear"`` and ``"custom"``: the vector-Jacobian product ``d(g, z, *args, **parameters)``,
      where g is ∂J/∂z.

    ``parameters`` are the keywords with their defaults. ``gives`` is ``"floats"``, ``"booleans"``,
    ``"the same"`` where entries only move about and integers stay; ``"a cost"`` where the operands that are
    constants, such as targets, take the precision of the others. ``takes`` is ``"numbers"``, or
    ``"booleans"`` of what joins conditions.

    ``function`` is what a learner calls, such as ``np.tanh`` or ``bl.relu``. It, never the name, says which
    operation this is, and how it is written. ``home`` is where it lives, such as ``np``; None for a reader's
    own, which is written with its name alone. ``written`` is how it is written if ``rules/writing.py`` does
    not know the function. ``squared`` is the rule of z² for an operation that has a kink where z = 0, though
    its square has none: second derivatives of z² are taken by it.
    """

    name: str
    home: str | None
    compute: Callable
    shape: Callable
    kind: str
    derivatives: tuple
    parameters: dict[str, Any] = field(default_factory=dict)
    gives: str = "floats"
    takes: str = "numbers"
    function: Callable | None = None
    written: notation.Written | None = None
    squared: Rule | None = None

    def __call__(self, *args, **keywords) -> Node:
        """A node of this operation, called with NumPy's own signature."""
        __tracebackhide__ = True
        arity = len(self.derivatives)
        more = args[arity:]
        values = dict(zip(self._places, more)) | keywords if more else keywords
        unknown = [k for k in values if k not in self.parameters]
        if not arity <= len(args) <= arity + len(self.parameters) or unknown:
            given = f"{len(args)} arguments were given"
            wrong = f"{unknown[0]}= is not supported" if unknown else given
            known = ", ".join(f"{k}=" for k in self.parameters) or "no keywords"
            raise TypeError(f"{self.name} of a node: {wrong}; it takes {arity} operand(s) and {known}")
        return apply(self, *args[:arity], **self.parameters | values)

    @cached_property
    def decides_precision(self) -> list[bool]:
        """For each argument, whether its precision matters: those that a gradient flows to (no condition, no
        labels); all of them, where no gradient flows at all.
        """
        followed = [derivative is not None for derivative in self.derivatives]
        return followed if any(followed) else [True] * len(followed)

    @cached_property
    def _places(self) -> list[str]:
        """The names of what may follow the operands, in NumPy's order where NumPy has these names."""
        own = list(self.parameters)
        with suppress(TypeError, ValueError):  # no signature
            names = list(signature(self.compute).parameters)[len(self.derivatives) :]
            if set(own) <= set(names):
                return names
        return own


def operation(declared: Rule) -> Operation:
    """The function, of arrays and nodes alike, that a rule declares."""

    @wraps(declared.compute)
    def call(*args: Any, **keywords: Any) -> Any:
        if any([isinstance(a, Node) for a in args]):
            return rule(*args, **keywords)
        operands, more = args[: len(rule.derivatives)], args[len(rule.derivatives) :]
        return rule.compute(*_read(rule, [np.asarray(a) for a in operands]), *more, **keywords)

    rule = declared if declared.function else replace(declared, function=call)
    return call


def _read(rule: Rule, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Integers as floats where the result is one, as in a graph: bytes would wrap round."""
    if rule.gives in ("booleans", "the same") or not any([a.dtype.kind in "iub" for a in arrays]):
        return arrays
    floats = [a.dtype for a in arrays if a.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
    return [a.astype(dtype) if a.dtype.kind in "iub" else a for a in arrays]


def apply(rule: Rule, *operands: Operand, **parameters: Any) -> Node:
    """The node ``rule(*operands)``, of nodes, arrays (which become constants) and numbers.

    Raises :class:`ShapeError` at the line of the learner's mistake, with names and shapes.
    """
    __tracebackhide__ = True  # IPython leaves this frame out: the error stands at the learner's line
    operands = tuple(_operand(operand, rule) for operand in operands)
    parameters = {name: _kept(value) for name, value in parameters.items()}
    node = Unfinished()
    node._begin(assigned_name(), rule, operands, parameters)
    node.dtype = np.dtype(parameters["dtype"]) if "dtype" in parameters else _result_dtype(rule, operands)
    try:
        of_operands = [o.shape if isinstance(o, Node) else () for o in operands]
        node.shape = tuple(rule.shape(*of_operands, **parameters))
    except ShapeError as error:
        node._name = None
        named = [o for o in operands if isinstance(o, Node)]
        shapes = ", ".join(
            dict.fromkeys(f"{notation.mention(o, code=True)} has shape {o.shape}" for o in named)
        )
        raise ShapeError(f"{notation.expression(node, code=True)}: {shapes}: {error}") from None
    for name, value in parameters.items():
        if isinstance(value, Node):
            given = notation.mention(value, code=True)
            raise NotAnArrayError(
                f"{rule.name} of a node: {name}= stays as it is given, and {given} is a node; give its .value"
            )
    node.needs_gradient = _wants_gradient(rule, operands)
    made = node._finished()
    if rule.takes == "booleans":
        _refuse_numbers(made)
    for operand in made.inputs:
        operand._remember_consumer(made)
    return made


def _refuse_numbers(node):
    for operand in node.arguments:
        dtype = np.result_type(operand)
        if dtype.kind != "b":
            given = notation.mention(operand, code=True) if isinstance(operand, Node) else repr(operand)
            node._name = None
            raise NotAnArrayError(
                f"{notation.expression(node, code=True)} joins conditions, and {given} is {dtype}; put each "
                "comparison in brackets: (x > 0) & (x < 1)"
            )


def again(node: Node, operands: tuple) -> Node:
    """The operation of a node on other operands of the same shapes and types: all else is known already."""
    new = Unfinished()
    new._begin(None, node.rule, operands, node.parameters)
    new.shape, new.dtype = node.shape, node.dtype
    new.needs_gradient = _wants_gradient(node.rule, operands)
    made = new._finished()
    for operand in made.inputs:
        operand._remember_consumer(made)
    return made


def _wants_gradient(rule: Rule, operands: tuple) -> bool:
    """Whether a gradient flows through an operation on these operands."""
    return any(
        [
            isinstance(operand, Node) and operand.needs_gradient and derivative is not None
            for operand, derivative in zip(operands, rule.derivatives, strict=True)
        ]
    )


_OPERANDS = (Node, bool, int, float, np.float16, np.float32, np.float64)


def _operand(operand, rule: Rule):
    """A node, a literal number, or an array as an unnamed constant.

    Python's numbers are weak, NumPy's floats bring their precision; NumPy's integers count as Python's, so
    that nothing wraps round.
    """
    if isinstance(operand, _OPERANDS):
        return operand
    if isinstance(operand, (np.integer, np.bool_)):
        return operand.item()
    return constant(None, checked_array(operand, f"{rule.name} of a node"))


def _kept(value):
    """A parameter as the node keeps it: NumPy's integers as Python's, and a copy of what may be changed."""
    if isinstance(value, Node):
        return value  # refused once the shape is known: an index has words of its own
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, slice):
        return slice(_kept(value.start), _kept(value.stop), _kept(value.step))
    if type(value) in (tuple, list):
        return type(value)(map(_kept, value))
    return copy.deepcopy(value)


def _result_dtype(rule: Rule, operands: tuple) -> np.dtype:
    """Integers and booleans are read in the other operand's float type; alone, as float64.

    Where entries only move about they stay what they are, so that a part of the labels is labels. The
    constants of a cost, its targets, do not decide its precision.
    """
    if rule.gives == "booleans":
        return np.dtype(bool)
    deciding = [o for o, decides in zip(operands, rule.decides_precision, strict=True) if decides]
    if rule.gives == "a cost":
        deciding = [o for o in deciding if isinstance(o, Node) and o.needs_gradient] or deciding
    floats = [o.dtype for o in deciding if isinstance(o, (Node, np.generic)) and o.dtype.kind == "f"]
    if floats:
        return np.result_type(*floats)
    if rule.gives == "the same":
        dtypes = [o.dtype if isinstance(o, Node) else np.asarray(o).dtype for o in deciding]
        return np.result_type(*(dtype if dtype.kind in "iub" else np.float64 for dtype in dtypes))
    return np.dtype(np.float64)
