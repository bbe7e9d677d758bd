"""Nodes, and the graph they make while the learner writes NumPy.

A :class:`Node` answers NumPy's own protocols, so that ``h = np.tanh(W @ x)`` makes two nodes
instead of two arrays. A node knows its shape at once and its value only after a forward pass. What
an operation *is* stands in ``operation.py``, what a node refuses in ``refusals.py``, how leaves are made in
``leaves.py``; the table of rules is empty here and filled in the room ``rules``.

What must hold: no recursion over the graph anywhere (graphs are as deep as memory allows); a node
refers to its inputs strongly and to its consumers weakly, so that graphs nobody uses disappear; a
known node has known inputs; nothing the learner gave is shared with the graph or changed by it.
"""

from __future__ import annotations

import math
import operator
import weakref
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from backprop_lab.graph import refusals
from backprop_lab.graph.interrupts import assign_together
from backprop_lab.words import notation
from backprop_lab.words.arrays import finite, frozen, hollow, numbers_for, presentable
from backprop_lab.words.errors import NotAnArrayError, ShapeError

if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    import numpy.typing as npt

    Operand: TypeAlias = npt.ArrayLike | "Node"

    class Learner(Protocol):
        """What is ahead of a variable's value until it is asked to publish."""

        def publish(self) -> None: ...


RULES: dict[Callable, Callable] = {}
"""NumPy's function → what makes the node."""


def _rule_for(function: Callable) -> Callable:
    """What makes the node for a NumPy function, or an error that names the nearest known ones."""
    if function in RULES:
        return RULES[function]
    from backprop_lab.graph.instead import no_rule  # here, because only a mistake needs it

    raise no_rule(function, RULES)


# --------------------------------------------------------------------------------------- operators


def _operator(ufunc: np.ufunc) -> Callable[[Node, Operand], Node]:
    """The method of Node behind an operator, ``x + 1``."""

    def operator_of_a_node(self: Node, other: Operand) -> Node:
        __tracebackhide__ = True
        return NotImplemented if _is_for_another(other) else _rule_for(ufunc)(self, other)

    return operator_of_a_node


def _reflected(ufunc: np.ufunc) -> Callable[[Node, Operand], Node]:
    """The method of Node behind an operator whose left operand is no node, ``1 + x``."""

    def operator_of_a_node(self: Node, other: Operand) -> Node:
        __tracebackhide__ = True
        return NotImplemented if _is_for_another(other) else _rule_for(ufunc)(other, self)

    return operator_of_a_node


def _sign(ufunc: np.ufunc) -> Callable[[Node], Node]:
    """The method of Node behind an operator of one operand, ``-x``."""
    return lambda self: _rule_for(ufunc)(self)


def _is_for_another(other: object) -> bool:
    """Whether NumPy's protocols ask ``other``: it refuses ufuncs, or knows them and is no array."""
    if type(other) in (Node, np.ndarray, float, int):  # most are one of these
        return False
    theirs = getattr(type(other), "__array_ufunc__", Node.__array_ufunc__)
    return theirs is None or not (theirs is Node.__array_ufunc__ or hasattr(other, "__array__"))


def _method(function: Callable, name: str | None = None) -> Callable[..., Node]:
    """The method of Node that calls a function of NumPy's with the arguments of the array's method."""

    def method_of_a_node(self: Node, *arguments: Any, **keywords: Any) -> Node:
        __tracebackhide__ = True
        return _rule_for(function)(self, *arguments, **keywords)

    method_of_a_node.__name__ = name or function.__name__
    method_of_a_node.__doc__ = f"As an array's ``{method_of_a_node.__name__}``, of this node."
    return method_of_a_node


# ------------------------------------------------------------------------------------------- nodes


class Unfinished:
    """A node while it is being made: its attributes may still be set, at no cost."""

    __slots__ = (
        "__weakref__",
        "_consumers",
        "_grad",
        "_has_nonfinite",
        "_learner",
        "_name",
        "_plan",
        "_value",
        "arguments",
        "dtype",
        "inputs",
        "needs_gradient",
        "parameters",
        "rule",
        "shape",
    )

    shape: tuple[int, ...]
    dtype: np.dtype
    needs_gradient: bool
    arguments: tuple
    inputs: tuple[Node, ...]
    parameters: dict[str, Any]
    _value: np.ndarray | None
    _grad: np.ndarray | None
    _learner: Learner | None
    _consumers: list[weakref.ref[Node]]

    def _begin(self, name, rule, arguments, parameters):
        """Set all but the shape, the type, and whether a gradient is wanted."""
        self._name = name
        self.rule = rule
        self.arguments = arguments
        self.parameters = parameters
        self.inputs = tuple(a for a in arguments if isinstance(a, Node))
        self._consumers = []
        self._value = self._grad = self._learner = self._plan = None
        self._has_nonfinite = False

    def _finished(self) -> Node:
        """This node, whose attributes stay as they are from now on."""
        self.__class__ = Node
        assert isinstance(self, Node)  # for type checkers
        return self


class Node(Unfinished):
    """A value in the graph: a leaf, or the result of one operation on other nodes.

    Nodes are made by :func:`variable`, :func:`constant` and by NumPy's functions and operators on
    nodes. ``==`` is elementwise, as in NumPy; the hash is identity, so that nodes can be keys.

    >>> import numpy as np, backprop_lab as bl
    >>> x = bl.variable("x", [3.0, -1.0])
    >>> y = np.tanh(x) * 2
    >>> y.shape, y.value is None
    ((2,), True)
    >>> y
    <y = tanh(x) · 2, shape (2,), no value yet>
    """

    __slots__ = ()

    _repr_html_: ClassVar[Callable[[Node], str | None]]  # the package sets it: pictures are floors above

    def __init__(self, *args, **keywords):
        raise TypeError("make leaves with bl.variable(name, value) or bl.constant(name, value)")

    # -- what a learner looks at

    @property
    def name(self) -> str | None:
        """The name given to a leaf or by ``.named``, else the target of ``name = expression``."""
        return self._name

    def named(self, name: str) -> Node:
        """This node, renamed; returned so that it can stand inside an expression."""
        self._name = checked_name(name)
        return self

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def value(self) -> np.ndarray | None:
        """The value, read-only; None while unknown. Assign to a leaf to give it a new one."""
        value = self._current_value()
        return None if value is None else frozen(value)

    @value.setter
    def value(self, new: npt.ArrayLike) -> None:
        if self.rule is not None:
            raise NotAnArrayError(
                f"{notation.mention(self, code=True)} is computed, so its value cannot be set; "
                "give its leaves new values instead"
            )
        new = numbers_for(self, new, "{}.value = …")
        if new.shape != self.shape:
            raise ShapeError(
                f"{self._name}.value = …: {self._name} has shape {self.shape}, the new value has "
                f"shape {new.shape}; a leaf keeps its shape: make a new leaf for another one"
            )
        self._current_value()  # so that the other variables that learn with this one have theirs
        self.forget_consumers()  # first: an interrupt in between leaves the old value, and nothing stale
        self._set(new)

    def _set(self, array):
        """Keep a copy of a leaf's new value, and whether a NaN or an infinity is among its entries."""
        with np.errstate(over="ignore"):
            set_nonfinite(self, not finite(array))
        set_value(self, frozen(array.copy()))

    @property
    def grad(self) -> np.ndarray | None:
        """∂J/∂self of the last backward pass that reached this node, read-only; else None."""
        if self._grad is not None and self._grad.flags.writeable:
            self._grad = presentable(self._grad)
        return self._grad

    def __setattr__(self, attribute, new):
        if attribute != "value" and attribute[0] != "_":
            raise refusals.setting(self, attribute)
        object.__setattr__(self, attribute, new)

    def __repr__(self):
        kind = f"{self.leaf_kind} " if self.rule is None else ""
        name = self._name or ("" if self.rule is None else None)
        head = " = ".join(p for p in (name, self.rule and notation.expression(self)) if p)
        value = "no value yet" if self.value is None else "value " + notation.array(self.value)
        return f"<{kind}{notation.shorten(head, 60)}, shape {self.shape}, {value}>"

    @property
    def leaf_kind(self) -> str | None:
        """``"variable"`` or ``"constant"`` for a leaf, None for a computed node."""
        if self.rule is not None:
            return None
        return "variable" if self.needs_gradient else "constant"

    # -- NumPy's protocols

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc, method, *args, **keywords):
        __tracebackhide__ = True
        if any(map(_is_for_another, args)):
            return NotImplemented
        if method != "__call__":
            from backprop_lab.graph.instead import method_of_a_ufunc

            raise method_of_a_ufunc(ufunc, method)
        if keywords.pop("out", None) is not None:
            raise refusals.writing_into_an_array(ufunc)
        return _rule_for(ufunc)(*args, **keywords)

    def __array_function__(self, function, types, args, keywords):
        __tracebackhide__ = True
        if function in _PLAIN_ANSWERS:
            return _PLAIN_ANSWERS[function](*args, **keywords)
        if not all(hasattr(kind, "__array__") for kind in types):
            return NotImplemented
        return _rule_for(function)(*args, **keywords)

    def __len__(self) -> int:
        if not self.shape:
            name = notation.mention(self, code=True)
            raise TypeError(f"{name} is a single number and has no length")
        return self.shape[0]

    def __getitem__(self, key) -> Node:
        return _rule_for(operator.getitem)(self, key)

    def __iter__(self) -> Iterator[Node]:
        for i in range(len(self)):
            yield self[i]

    @property
    def T(self) -> Node:
        """The transpose, all axes reversed."""
        return _rule_for(np.transpose)(self)

    @property
    def mT(self) -> Node:
        """The transpose of a matrix, or of each matrix in a stack."""
        return _rule_for(np.swapaxes)(self, -1, -2)

    def transpose(self, *axes: int | tuple[int, ...] | None) -> Node:
        """``np.transpose`` of this node."""
        return _rule_for(np.transpose)(self, (axes[0] if len(axes) == 1 else axes) or None)

    def reshape(self, *shape: int | tuple[int, ...], **keywords: Any) -> Node:
        """``np.reshape`` of this node."""
        return _rule_for(np.reshape)(self, shape[0] if len(shape) == 1 else shape, **keywords)

    sum, mean, prod = _method(np.sum), _method(np.mean), _method(np.prod)
    max, min = _method(np.max), _method(np.min)
    var, std = _method(np.var), _method(np.std)
    cumsum, trace = _method(np.cumsum), _method(np.trace)
    dot, clip = _method(np.dot), _method(np.clip)
    ravel, flatten = _method(np.ravel), _method(np.ravel, "flatten")
    squeeze, swapaxes, repeat = _method(np.squeeze), _method(np.swapaxes), _method(np.repeat)
    astype = _method(np.ndarray.astype)

    def __dir__(self):
        return sorted(set(super().__dir__()) - _MISSING)

    # -- operators

    __add__, __radd__ = _operator(np.add), _reflected(np.add)
    __sub__, __rsub__ = _operator(np.subtract), _reflected(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply), _reflected(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide), _reflected(np.divide)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide), _reflected(np.floor_divide)
    __mod__, __rmod__ = _operator(np.remainder), _reflected(np.remainder)
    __pow__, __rpow__ = _operator(np.power), _reflected(np.power)
    __matmul__, __rmatmul__ = _operator(np.matmul), _reflected(np.matmul)
    __neg__, __pos__, __abs__ = _sign(np.negative), _sign(np.positive), _sign(np.absolute)
    __and__, __rand__ = _operator(np.bitwise_and), _reflected(np.bitwise_and)
    __or__, __ror__ = _operator(np.bitwise_or), _reflected(np.bitwise_or)
    __xor__, __rxor__ = _operator(np.bitwise_xor), _reflected(np.bitwise_xor)
    __invert__ = _sign(np.invert)
    __lt__, __le__ = _operator(np.less), _operator(np.less_equal)
    __gt__, __ge__ = _operator(np.greater), _operator(np.greater_equal)
    # A type checker wants a bool of every class; these give nodes, too.
    __eq__: Callable[..., Any] = _operator(np.equal)
    __ne__: Callable[..., Any] = _operator(np.not_equal)
    __hash__ = object.__hash__

    # -- keeping known nodes true
    #
    # While a variable learns, its newest value is kept by the parameters of a program, its ``_learner``. When
    # somebody asks for it, they store it here and stop being its learner (``publish``).

    def _current_value(self) -> np.ndarray | None:
        """The value now; the same array as long as nobody changed it."""
        if self._learner is not None:
            self._learner.publish()
        return self._value

    def _remember_consumer(self, node: Node) -> None:
        """Weakly, so that a cell run again does not keep the graph of its last run alive."""
        consumers = self._consumers
        if len(consumers) >= 16 and len(consumers) & (len(consumers) - 1) == 0:
            consumers[:] = [c for c in consumers if c() is not None]
        consumers.append(weakref.ref(node))

    def forget_consumers(self) -> None:
        """Make unknown all that was computed from this node."""
        waiting: list[Node] = [self]
        known: set[Node] = set()
        while waiting:
            for reference in waiting.pop()._consumers:
                consumer = reference()
                if consumer is not None and consumer._value is not None and consumer not in known:
                    known.add(consumer)
                    waiting.append(consumer)
        if known:
            assign_together(map(set_value, known, repeat(None)), map(set_gradient, known, repeat(None)))


class _Missing:
    """Stands for what an array has and a node has not. A ``__getattr__`` would slow down all attributes."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, node: Node, owner: type[Node]):
        from backprop_lab.graph.instead import no_attribute

        raise no_attribute(node, self.name, RULES)


_MISSING = {name for name in dir(np.ndarray) if not (name.startswith("_") or hasattr(Node, name))}
# Set here, where a type checker does not see them: so it refuses float(x) and x.sort() as well.
for _name in _MISSING:
    setattr(Node, _name, _Missing(_name))
for _name, _refuse in refusals.METHODS.items():
    setattr(Node, f"__{_name}__", _refuse)


_PLAIN_ANSWERS: dict[Callable, Callable] = {  # NumPy's questions about an array that need no value
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else np.size(hollow(a.shape), axis),
    np.zeros_like: lambda a, *how, **more: np.zeros_like(hollow(a.shape, a.dtype), *how, **more),
    np.ones_like: lambda a, *how, **more: np.ones_like(hollow(a.shape, a.dtype), *how, **more),
    np.result_type: lambda *a: np.result_type(*(x.dtype if isinstance(x, Node) else x for x in a)),
}


def checked_name(name) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(
            f'a node\'s name is a non-empty string, not {name!r}; write bl.variable("W", value), name first'
        )
    return name


# The setters of these slots are written in C, as ``assign_together`` wants them.
set_value, set_gradient, set_learner, set_nonfinite = (
    vars(Unfinished)[slot].__set__ for slot in ("_value", "_grad", "_learner", "_has_nonfinite")
)
