"""Nodes, and the graph they make while the learner writes NumPy.

A :class:`Node` answers NumPy's own protocols, so that ``h = np.tanh(W @ x)`` makes two nodes
instead of two arrays. A node knows its shape at once and its value only after a forward pass. What
an operation *is* stands in a :class:`Rule`; the table of rules is empty here and filled by
``rules.py``.

What must hold: no recursion over the graph anywhere (graphs are as deep as memory allows); a node
refers to its inputs strongly and to its consumers weakly, so that graphs nobody uses disappear; a
known node has known inputs; nothing the learner gave is shared with the graph or changed by it.
"""

from __future__ import annotations

import copy
import operator
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from backprop_lab import notation


class ShapeError(ValueError):
    """Shapes that do not fit; the message names the nodes and the numbers that differ."""


class MissingValueError(ValueError):
    """A pass needs the value of a leaf that stands without one."""


class NotAnArrayError(TypeError):
    """A node was used where only numbers will do (``if``, ``float``, assignment, ``np.array``)."""


# ------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True, eq=False, repr=False)
class Rule:
    """One operation: how it is computed, its shape, its derivative, how it is written.

    ``compute(*arrays, **parameters)`` gives the value; ``shape(*shapes, **parameters)`` the shape,
    raising :class:`ShapeError` with the numbers that differ. ``derivatives`` has one entry per
    argument (None: no gradient flows there), read according to ``kind``:

    - ``"elementwise"``: the partial derivative ``d(z, *args, **parameters)``, an array like z;
    - ``"linear"`` and ``"custom"``: the vector-Jacobian product ``d(g, z, *args, **parameters)``,
      where g is ∂J/∂z.

    ``code`` and ``math`` write it with ``{0}``, ``{1}`` for the arguments (or are functions of the
    node and those texts); ``binds`` and ``slots`` say where brackets are needed. ``gives`` is
    ``"floats"``, ``"booleans"``, or ``"the same"`` where entries only move about and integers stay.
    """

    name: str
    compute: Callable
    shape: Callable
    kind: str
    derivatives: tuple
    code: str | Callable
    math: str | Callable
    binds: int = notation.ATOM
    slots: tuple[int, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    arity: int = 1
    gives: str = "floats"

    def needs(self, count: int) -> tuple[int, ...]:
        """The binding strength that lets each of ``count`` arguments go without brackets."""
        return self.slots or (0,) * count

    def __call__(self, *args, **keywords) -> Node:
        """A node of this operation, called with NumPy's own signature."""
        __tracebackhide__ = True
        values = dict(zip(self.parameters, args[self.arity :], strict=False)) | keywords
        unknown = [k for k in values if k not in self.parameters]
        if len(args) < self.arity or len(args) > self.arity + len(self.parameters) or unknown:
            given = f"{len(args)} arguments were given"
            wrong = f"{unknown[0]}= is not supported" if unknown else given
            known = ", ".join(f"{k}=" for k in self.parameters) or "no keywords"
            raise TypeError(f"{self.name} of a node: {wrong}; it takes {self.arity} operand(s) and {known}")
        return apply(self, *args[: self.arity], **self.parameters | values)


RULES: dict[Callable, Callable] = {}
"""NumPy's function → what makes the node; filled by ``rules.py``."""


def operation(rule: Rule) -> Callable:
    """A function for arrays and nodes alike: arrays in, array out; a node in, a node out."""

    @wraps(rule.compute)
    def call(*args, **keywords):
        if any(isinstance(a, Node) for a in args):
            return rule(*args, **keywords)
        return rule.compute(*(np.asarray(a) for a in args), **keywords)

    return call


def apply(rule: Rule, *operands, **parameters) -> Node:
    """The node ``rule(*operands)``: nodes, arrays (which become constants) and numbers.

    Raises :class:`ShapeError` at the line of the learner's mistake, with names and shapes.
    """
    __tracebackhide__ = True  # IPython leaves this frame out: the error stands at the learner's line
    operands = tuple(_operand(operand, rule) for operand in operands)
    node = Node.__new__(Node)
    node._begin(_assigned_name(), rule, operands, parameters)
    try:
        node.shape = tuple(rule.shape(*(np.shape(operand) for operand in operands), **parameters))
    except ShapeError as error:
        node._name = None
        named = [o for o in operands if isinstance(o, Node)]
        shapes = ", ".join(
            dict.fromkeys(f"{notation.mention(o, code=True)} has shape {o.shape}" for o in named)
        )
        raise ShapeError(f"{notation.expression(node, code=True)}: {shapes}: {error}") from None
    node.parameters = copy.deepcopy(parameters)  # an index array stays the learner's own
    node.dtype = _result_dtype(rule, operands)
    node.needs_gradient = any(
        isinstance(operand, Node) and operand.needs_gradient and derivative is not None
        for operand, derivative in zip(operands, rule.derivatives, strict=True)
    )
    for operand in node.inputs:
        operand._remember_consumer(node)
    return node


def _operand(operand, rule: Rule):
    """A node, a weak literal (Python or NumPy number), or an array as an unnamed constant."""
    if isinstance(operand, Node):
        return operand
    if isinstance(operand, (bool, int, float, np.bool_, np.integer, np.floating)):
        return operand
    return constant(None, _checked_array(operand, f"{rule.name} of a node"))


def _result_dtype(rule: Rule, operands) -> np.dtype:
    """Integers and booleans are read in the other operand's float type; alone, as float64.

    Where entries only move about they stay what they are, so that a part of the labels is labels.
    """
    if rule.gives == "booleans":
        return np.dtype(bool)
    dtypes = [o.dtype for o in operands if isinstance(o, (Node, np.generic))]
    floats = [dtype for dtype in dtypes if dtype.kind == "f"]
    if floats:
        return np.result_type(*floats)
    if rule.gives == "the same" and len(dtypes) == len(operands):
        return np.result_type(*dtypes)
    return np.dtype(np.float64)


# ------------------------------------------------------------------------------------------- nodes


class Node:
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

    __slots__ = (
        "__weakref__",
        "_consumers",
        "_grad",
        "_name",
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

    def __init__(self, *args, **keywords):
        raise TypeError("make leaves with bl.variable(name, value) or bl.constant(name, value)")

    def _begin(self, name, rule, arguments, parameters):
        self._name = name
        self.rule = rule
        self.arguments = arguments
        self.parameters = parameters
        self.inputs = tuple(a for a in arguments if isinstance(a, Node))
        self._value = self._grad = self._consumers = None

    # -- what a learner looks at

    @property
    def name(self) -> str | None:
        """The name given to a leaf or by ``.named``, else the target of ``name = expression``."""
        return self._name

    def named(self, name: str) -> Node:
        """This node, renamed; returned so that it can stand inside an expression."""
        self._name = _checked_name(name)
        return self

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def value(self) -> np.ndarray | None:
        """The value, read-only; None while unknown. Assign to a leaf to give it a new one."""
        return self._value

    @value.setter
    def value(self, new):
        if self.rule is not None:
            raise NotAnArrayError(
                f"{notation.mention(self, code=True)} is computed, so its value cannot be set; "
                "give its leaves new values instead"
            )
        new = _checked_array(new, f"{self._name}.value")
        if new.shape != self.shape:
            raise ShapeError(
                f"{self._name}.value = …: {self._name} has shape {self.shape}, the new value has "
                f"shape {new.shape}; a leaf keeps its shape: make a new leaf for another one"
            )
        counts = self.dtype.kind != "f"
        if counts and (new.dtype.kind == "f" or not np.array_equal(new.astype(self.dtype), new)):
            raise NotAnArrayError(
                f"{self._name}.value = …: {self._name} holds {self.dtype} and the new value "
                f"{new.dtype}; nothing is rounded or cut here: round it yourself, or make the "
                "constant with floats"
            )
        self._value = frozen(new.astype(self.dtype))
        self._forget_consumers()

    @property
    def grad(self) -> np.ndarray | None:
        """∂J/∂self of the last backward pass that reached this node, read-only; else None."""
        return self._grad

    def __repr__(self):
        kind = f"{self.leaf_kind} " if self.rule is None else ""
        name = self._name or ("" if self.rule is None else None)
        head = " = ".join(p for p in (name, self.rule and notation.expression(self)) if p)
        value = "no value yet" if self._value is None else "value " + notation.array(self._value)
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
        if method != "__call__":
            raise NotAnArrayError(f"np.{ufunc.__name__}.{method} of a node is not supported")
        if keywords.pop("out", None) is not None:
            raise NotAnArrayError(
                f"np.{ufunc.__name__}(…, out=…) and in-place operators would write into an array, "
                "and a node has no numbers to write yet; write y = a + b instead of a += b or out=a"
            )
        return _rule_for(ufunc)(*args, **keywords)

    def __array_function__(self, function, types, args, keywords):
        __tracebackhide__ = True
        if function in _PLAIN_ANSWERS:
            return _PLAIN_ANSWERS[function](*args, **keywords)
        return _rule_for(function)(*args, **keywords)

    def __array__(self, dtype=None, copy=None):
        raise NotAnArrayError(
            f"{notation.mention(self, code=True)} is a node, not an array: np.array, np.asarray "
            "and lists of nodes cannot hold it; use np.stack([a, b]) to put nodes together, and "
            ".value for numbers"
        )

    def _refuse(self, use):
        raise NotAnArrayError(
            f"{notation.mention(self, code=True)} is a node and may have no value yet, so {use}; "
            "use .value after bl.forward, or np.where / np.maximum inside the graph"
        )

    def __bool__(self):
        self._refuse("it cannot decide an if, a while, an and, or a comparison chain")

    def __float__(self):
        self._refuse("it cannot become a float")

    def __int__(self):
        self._refuse("it cannot become an int")

    def __index__(self):
        self._refuse("it cannot be an index or a count")

    def __complex__(self):
        self._refuse("it cannot become a complex number")

    def __setitem__(self, key, value):
        raise NotAnArrayError(
            f"{notation.mention(self, code=True)}[…] = …: a node's entries cannot be assigned; "
            "build a new node with np.where or np.stack, or set .value of a leaf"
        )

    def __reduce_ex__(self, protocol):
        raise NotAnArrayError(
            f"{notation.mention(self, code=True)}: a node cannot be pickled or copied, because it "
            "stands in a graph; keep the values of the variables ({v.name: v.value}) and build the "
            "graph again"
        )

    __hash__ = object.__hash__

    def __len__(self):
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
        return np.transpose(self)

    def transpose(self, *axes) -> Node:
        """``np.transpose`` of this node."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def max(self, axis=None, keepdims=False) -> Node:
        """``np.max`` of this node."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis=None, keepdims=False) -> Node:
        """``np.min`` of this node."""
        return np.min(self, axis=axis, keepdims=keepdims)

    def sum(self, axis=None, keepdims=False) -> Node:
        """``np.sum`` of this node."""
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False) -> Node:
        """``np.mean`` of this node."""
        return np.mean(self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape) -> Node:
        """``np.reshape`` of this node."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    # -- keeping known nodes true

    def _remember_consumer(self, node):
        """Weakly, so that a cell run again does not keep the graph of its last run alive."""
        if self._consumers is None:
            self._consumers = []
        consumers = self._consumers
        if len(consumers) >= 16 and len(consumers) & (len(consumers) - 1) == 0:
            consumers[:] = [c for c in consumers if c() is not None]
        consumers.append(weakref.ref(node))

    def _forget_consumers(self):
        """Make unknown all that was computed from this node."""
        waiting = [self]
        while waiting:
            for reference in waiting.pop()._consumers or ():
                consumer = reference()
                if consumer is not None and consumer._value is not None:
                    consumer._value = consumer._grad = None
                    waiting.append(consumer)


def _operator(ufunc, reflected=False):
    """A method of Node for an operator: ``x + 1`` or, reflected, ``1 + x``."""

    def method(self, other):
        __tracebackhide__ = True
        return _rule_for(ufunc)(*((other, self) if reflected else (self, other)))

    return method


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide,
    "floordiv": np.floor_divide, "mod": np.remainder, "pow": np.power, "matmul": np.matmul,
}.items():  # fmt: skip
    setattr(Node, f"__{_name}__", _operator(_ufunc))
    setattr(Node, f"__r{_name}__", _operator(_ufunc, reflected=True))
for _name, _ufunc in {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
    "gt": np.greater, "ge": np.greater_equal,
}.items():  # fmt: skip
    setattr(Node, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(Node, f"__{_name}__", lambda self, _ufunc=_ufunc: _rule_for(_ufunc)(self))


def _hollow(node: Node) -> np.ndarray:
    """An array that has the node's shape and dtype, takes no memory and means nothing."""
    return np.broadcast_to(np.zeros((), node.dtype), node.shape)


_PLAIN_ANSWERS = {  # NumPy's questions about an array that need no value
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else np.size(_hollow(a), axis),
    np.zeros_like: lambda a, *how, **more: np.zeros_like(_hollow(a), *how, **more),
    np.ones_like: lambda a, *how, **more: np.ones_like(_hollow(a), *how, **more),
    np.result_type: lambda *a: np.result_type(*(x.dtype if isinstance(x, Node) else x for x in a)),
}


def _rule_for(function) -> Callable:
    """What makes the node for a NumPy function, or an error that names the nearest known ones."""
    try:
        return RULES[function]
    except KeyError:
        pass
    import difflib

    known = sorted({f.__name__ for f in RULES if getattr(np, f.__name__, None) is f})
    near = difflib.get_close_matches(function.__name__, known, n=3, cutoff=0.6)
    hint = ("the nearest known: " if near else "known: ") + ", ".join(f"np.{name}" for name in near or known)
    home = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np")
    raise TypeError(f"{home}.{function.__name__} has no rule for nodes yet; {hint}")


# ------------------------------------------------------------------------------------------ leaves


def variable(name: str, value=None, *, shape: tuple[int, ...] | None = None) -> Node:
    """A leaf whose gradient is wanted: a parameter, or any input asked about.

    ``value``: numbers of any shape (kept as a copy; integers become float64, float32 stays), or
    ``shape`` for a leaf that gets its value later. Raises TypeError for what is not real numbers.

    >>> import backprop_lab as bl
    >>> bl.variable("w", [5, 2])
    <variable w, shape (2,), value (5, 2)>
    >>> bl.variable("W", shape=(2, 3)).value is None
    True
    """
    leaf = _leaf(name, value, shape, f"variable({name!r}, …)")
    if leaf.dtype.kind != "f":
        leaf.dtype = np.dtype(np.float64)
        leaf._value = None if leaf._value is None else frozen(leaf._value.astype(np.float64))
    leaf.needs_gradient = True
    return leaf


def constant(name: str | None, value=None, *, shape: tuple[int, ...] | None = None) -> Node:
    """A leaf that is known and wants no gradient: data, targets, labels.

    Integers and booleans stay as they are; arithmetic reads them in the other operand's float type.

    >>> import backprop_lab as bl
    >>> bl.constant("x", [2, -3, 4])
    <constant x, shape (3,), value (2, −3, 4)>
    """
    return _leaf(name, value, shape, f"constant({name!r}, …)")


def _leaf(name, value, shape, context):
    leaf = Node.__new__(Node)
    leaf._begin(None if name is None else _checked_name(name), None, (), {})
    leaf.needs_gradient = False
    if (value is None) == (shape is None):
        given = "neither" if value is None else "both"
        raise TypeError(f"{context}: give either a value or shape=…, not {given}")
    if shape is not None:
        leaf.shape = tuple(operator.index(n) for n in (shape if np.ndim(shape) else (shape,)))
        if any(n < 0 for n in leaf.shape):
            raise ShapeError(f"{context}: shape={leaf.shape} has a negative length")
        leaf.dtype = np.dtype(np.float64)
    else:
        array = _checked_array(value, context)
        leaf.shape, leaf.dtype, leaf._value = array.shape, array.dtype, frozen(array.copy())
    return leaf


def _checked_name(name) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(
            f'a node\'s name is a non-empty string, not {name!r}; write bl.variable("W", value), name first'
        )
    return name


def _checked_array(value, context) -> np.ndarray:
    """The numbers in ``value`` as an array (perhaps the same one), or an error in words."""
    if isinstance(value, Node):
        raise NotAnArrayError(
            f"{context}: {notation.mention(value, code=True)} is a node already; give numbers (its "
            ".value), or use the node itself in the expression"
        )
    try:
        array = np.asarray(value)
    except ValueError:
        message = f"{context}: the rows have different lengths; an array needs equal ones"
        raise ShapeError(message) from None
    if array.dtype.kind not in "fiub":
        kinds = {"c": "complex numbers", "U": "text", "S": "text", "O": "Python objects"}
        kind = kinds.get(array.dtype.kind, array.dtype)
        raise NotAnArrayError(
            f"{context}: expected real numbers, was given {kind} ({notation.shorten(repr(value), 40)})"
        )
    return array


def frozen(array) -> np.ndarray:
    """``array`` made read-only, as all numbers are that leave the graph."""
    array = np.asarray(array)
    array.flags.writeable = False
    return array


# ------------------------------------------------------------------------------------ whole graphs


def topological_order(*roots: Node) -> list[Node]:
    """All nodes that the roots depend on, every node after its inputs, each once.

    Depth first along the inputs in their order, without recursion. A cycle cannot be built through
    the public names; if one was forced, ValueError says so instead of looping for ever.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> u = x * x
    >>> v = u + 3
    >>> J = u * v
    >>> [node.name for node in topological_order(J)]
    ['x', 'u', 'v', 'J']
    """
    done: dict[Node, bool] = {}  # False while its inputs are being visited
    stack = [(root, False) for root in reversed(roots)]
    order = []
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            done[node] = True
            order.append(node)
        elif node not in done:
            done[node] = False
            stack.append((node, True))
            for operand in reversed(node.inputs):
                if operand not in done:
                    stack.append((operand, False))
                elif not done[operand]:
                    raise ValueError(
                        f"a cycle: {notation.mention(node, code=True)} depends on itself through "
                        f"{notation.mention(operand, code=True)}; a graph to differentiate has none"
                    )
    return order


# ------------------------------------------------------------------------------------------- names


def _assigned_name() -> str | None:
    """The target of the learner's ``name = expression`` statement that is making a node right now.

    Only where the learner's own code made the call: nodes made inside the package have no name, and
    neither have the entries of a node that is iterated over (``rows = list(W)``) and the partial
    sums of a function that adds nodes up (``J = sum(costs)``).
    """
    frame, operator = sys._getframe(1), False
    while frame is not None and frame.f_globals is _HERE:
        if frame.f_code is _ITERATION:
            return None
        operator = operator or frame.f_code is _OPERATOR
        frame = frame.f_back
    if frame is None or in_package(frame):
        return None
    name, call = _stores(frame.f_code).get(frame.f_lasti, (None, False))
    return None if operator and call else name


def in_package(frame) -> bool:
    """Whether the code that a frame runs stands in a file of this package."""
    return frame.f_code.co_filename.startswith(_PACKAGE)


_HERE = globals()
_PACKAGE = os.path.join(os.path.dirname(__file__), "")
_ITERATION, _OPERATOR = Node.__iter__.__code__, Node.__add__.__code__


@lru_cache(maxsize=256)
def _stores(code) -> dict[int, tuple[str, bool]]:
    """{offset of an instruction whose result goes straight into a name: that name, is it a call?}.

    While a Python function runs, its caller's offset stands somewhere inside the call instruction
    and its caches; so every offset from there up to the store counts.
    """
    import dis  # here, because it is only needed once a graph is built

    names = {}
    found = [i for i in dis.get_instructions(code) if i.opname not in ("EXTENDED_ARG", "CACHE")]
    for made, store, after in zip(found, found[1:], found[2:], strict=False):
        if store.opname not in _STORES or made.opname in _HAND_OUT or after.opname in _STORES:
            continue  # not a store, or one of several targets
        # Python 3.13 stores one variable and loads another in one instruction
        target = store.argval if isinstance(store.argval, str) else store.argval[0]
        if target.isidentifier():  # pytest's asserts store under names like @py_assert1
            found_here = target, made.opname.startswith("CALL")
            names |= dict.fromkeys(range(made.offset, store.offset, 2), found_here)
    return names


_STORES = {"STORE_NAME", "STORE_GLOBAL", "STORE_FAST", "STORE_DEREF", "STORE_FAST_LOAD_FAST"}
_HAND_OUT = {"FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX"}
