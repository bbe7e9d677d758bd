"""The forward and the backward pass, and the record of every single thing that happens in them.

Both passes are loops over one topological order. :func:`steps` yields what they do as frozen
records, :class:`Step`; pictures, widgets, tables and tests read these and compute nothing of their
own.

What must hold: a pass computes everything first and then changes the nodes, so that an interrupted
or failed pass leaves the graph as it was; ``steps`` never changes the graph; records never change.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from backprop_lab import notation
from backprop_lab.confusions import Confusion, likely_confusions
from backprop_lab.graph import (
    MissingValueError,
    Node,
    NotAnArrayError,
    ShapeError,
    constant,
    frozen,
    in_package,
    topological_order,
)
from backprop_lab.rules import vector_jacobian

LARGEST_LOCAL = 36  # entries of a local Jacobian that are still worth looking at


class NonFiniteWarning(RuntimeWarning):
    """A NaN or an infinity appeared; the message names the first node that made it."""


class NonFiniteError(ValueError):
    """The same, when the pass was asked to stop there."""


class SoFar(NamedTuple):
    """The running sum of a gradient: its value, how many arrows have arrived, and of how many."""

    sum: np.ndarray
    arrived: int
    of: int

    def __str__(self):
        return f"{self.arrived} of {self.of}"


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One thing that happens in a pass. Arrays are read-only; records compare by identity.

    A forward record says that ``node`` got its ``value`` from the values of its ``inputs``. The
    backward pass opens with the seed's record (``receiver`` is the cost itself, ``upstream`` None);
    then each record is one arrow: from ``node``, whose gradient ``upstream`` is complete, the
    ``contribution`` = ``local``ᵀ · upstream flows into ``receiver``, which stands at place
    ``argument`` among the node's inputs. ``before`` and ``so_far`` are the receiver's running sum
    without and with it (before the first arrow it is None), ``complete`` says whether this was its
    last arrow. ``alarm`` stands at the first step that made a NaN or an infinity, and says how.
    """

    phase: str
    index: int
    cost: Node
    node: Node
    inputs: tuple[np.ndarray, ...]
    value: np.ndarray
    receiver: Node | None = None
    argument: int | None = None
    upstream: np.ndarray | None = None
    contribution: np.ndarray | None = None
    before: np.ndarray | None = None
    so_far: SoFar | None = None
    complete: bool = True
    alarm: str | None = None

    @property
    def is_seed(self) -> bool:
        """Whether this is the record that opens the backward pass."""
        return self.phase == "backward" and self.argument is None

    @cached_property
    def operands(self) -> tuple:
        """The node's arguments as numbers: its inputs' values, and literals in their places."""
        return _operands(self.node, iter(self.inputs))

    @cached_property
    def local(self) -> np.ndarray | str | None:
        """The local Jacobian ∂node/∂receiver, n outputs × m inputs, both counted row by row.

        At most 36 entries; a larger one is named by its kind. None for forward records and the
        seed.
        """
        if self.argument is None:
            return None
        n, m = self.node.size, self.receiver.size
        if n * m > LARGEST_LOCAL:
            rule = self.node.rule
            kinds = {"elementwise": "diagonal", "linear": f"transpose of {rule.name}"}
            return kinds.get(rule.kind, rule.kind)
        rows = [
            self.flow(basis.reshape(self.node.shape)).reshape(m) for basis in np.eye(n, dtype=self.node.dtype)
        ]
        return frozen(np.array(rows).reshape(n, m) + 0)  # + 0: no negative zeros to puzzle over

    @property
    def place(self) -> int:
        """Where the receiver stands among the node's arguments, literals counted."""
        return places(self.node)[self.argument]

    def flow(self, upstream) -> np.ndarray:
        """What would flow into the receiver from any other ``upstream``, given these values."""
        with np.errstate(all="ignore"):
            flow = vector_jacobian(self.node, self.place, upstream, self.value, self.operands)
        return np.asarray(flow)

    @cached_property
    def formula(self) -> str:
        """What happens, in symbols: ``a = W x``, ``∂J/∂w = ∂J/∂ŷ · h``."""
        if self.phase == "forward":
            written = notation.expression(self.node)
            return f"{notation.symbol(self.node.name)} = {written}" if self.node.name else written
        if self.is_seed:
            return f"{self.gradient_name(self.cost)} = {notation.array(self.contribution)}"
        sign = "=" if self.so_far.of == 1 else "+="
        return f"{self.gradient_name(self.receiver)} {sign} {self._written_flow(values=False)}"

    @cached_property
    def numbers(self) -> str:
        """The same with values put in: ``−6 · (0, 7) = (0, −42)``."""
        if self.is_seed:
            return notation.array(self.contribution)
        if self.phase == "forward":
            values = dict(zip(self.node.inputs, self.inputs, strict=True))
            written = notation.expression(
                self.node,
                lambda operand: _number_or(values[operand], notation.part(operand)),
                depth=0,
            )
            return f"{written} = {notation.array(self.value)}"
        written, result = self._written_flow(values=True), notation.array(self.contribution)
        return result if written == result else f"{written} = {result}"

    @cached_property
    def sum_numbers(self) -> str | None:
        """The sum where several arrows meet: ``(0, −42) + (20, 8) = (20, −34)``; else None."""
        if self.so_far is None or self.so_far.of == 1:
            return None
        if self.before is None:
            return notation.array(self.so_far.sum)
        before = notation.array(self.before)
        now = notation.array(self.contribution)
        now = f"({now})" if now.startswith(notation.MINUS) else now
        return f"{before} + {now} = {notation.array(self.so_far.sum)}"

    @cached_property
    def confusions(self) -> tuple[Confusion, ...]:
        """Wrong answers that are likely at this step, each with what it would mean."""
        return likely_confusions(self)

    def gradient_name(self, node: Node) -> str:
        """``∂J/∂w`` for a node of this graph."""
        return f"∂{self.mention(self.cost)}/∂{self.factor(node)}"

    def mention(self, node: Node) -> str:
        """What a node is called in a sentence; a cost without a name is called J."""
        return "J" if node is self.cost and node.name is None else notation.mention(node)

    def factor(self, node: Node) -> str:
        """The same as a factor of a formula, in brackets where it needs them."""
        return "J" if node is self.cost and node.name is None else notation.factor(node)

    def _written_flow(self, values: bool) -> str:
        """The gradient's own small graph, from the rule, written with symbols or with values."""
        texts = {}

        def stand_in(node, value, text):
            leaf = constant("·", shape=node.shape)
            texts[leaf] = _number_or(value, text) if values else text
            return leaf

        given = iter(self.inputs)
        operands = [
            stand_in(a, next(given), notation.part(a)) if isinstance(a, Node) else a
            for a in self.node.arguments
        ]
        result = stand_in(self.node, self.value, notation.part(self.node))
        upstream = stand_in(self.node, self.upstream, (self.gradient_name(self.node), notation.ATOM))
        flow = vector_jacobian(self.node, self.place, upstream, result, operands)
        if flow.rule is None:
            return texts[flow][0]
        return notation.expression(flow, texts.get)

    def __repr__(self):
        return f"<Step {str(self).strip()}>"

    def __str__(self):
        if self.phase == "forward":
            parts = [self.formula, self.numbers]
        elif self.is_seed:
            parts = [self.formula, "the seed"]
        else:
            parts = [self.formula, self.numbers]
            if self.so_far.of > 1:
                parts.append(f"{self.sum_numbers}, {self.so_far} arrived")
        return f"{self.index + 1:3}  {self.phase:8}  " + "   ".join(parts)


def _number_or(value, part):
    """A small array as its numbers; a large one as the part of the formula that it is."""
    return (notation.array(value), notation.ATOM) if value.size <= 12 else part


# ----------------------------------------------------------------------------------------- forward


def forward(J: Node, on_nonfinite: str = "warn") -> np.ndarray:
    """The value of ``J``, after computing every node it depends on that is not known yet.

    Any shape. ``on_nonfinite``: what to do at the first NaN or infinity, ``"warn"``
    (:class:`NonFiniteWarning`), ``"raise"`` (:class:`NonFiniteError`) or ``"ignore"``.
    Raises :class:`MissingValueError` if a leaf has no value; the graph is then as it was.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> y = x * x
    >>> bl.forward(y)
    array(9.)
    """
    order = topological_order(checked_node(J, "forward"))
    values = _complete(order, _Report(on_nonfinite))
    for node in order:
        node._value = values[node]
    return J.value


def _complete(order, report) -> dict[Node, np.ndarray]:
    """The value of every node of ``order``: those that are known, and the missing ones computed."""
    values = {node: node._value for node in order if node._value is not None}
    for node, value in _computed(order, values, report):
        values[node] = value
    return values


def _computed(order, values, report) -> Iterator[tuple[Node, np.ndarray]]:
    """Each node that ``values`` lacks, with its value; the caller keeps them in ``values``."""
    missing = [node for node in order if node.rule is None and node not in values]
    if missing:
        names = ", ".join(f"{notation.mention(n, code=True)} (shape {n.shape})" for n in missing)
        raise MissingValueError(
            f"{names} {'stands' if len(missing) == 1 else 'stand'} without a value; "
            f"give it one first: {missing[0].name}.value = …"
        )
    for node in order:
        if node in values:
            if node.rule is None:
                report.given(node, values[node])
            continue
        operands = _operands(node, (values[operand] for operand in node.inputs))
        with np.errstate(all="ignore"):  # the report below names the node, NumPy's warning does not
            result = node.rule.compute(*operands, **node.parameters)
        value = frozen(np.asarray(result, dtype=node.dtype))
        report.made(node, value, operands)
        yield node, value


def _operands(node, values) -> tuple:
    """The node's arguments as numbers; integers are read as floats where the result is one."""
    operands = []
    for argument in node.arguments:
        if isinstance(argument, Node):
            argument = next(values)
            if node.rule.gives_floats and argument.dtype.kind != "f":
                argument = frozen(argument.astype(node.dtype))
        operands.append(argument)
    return tuple(operands)


# ---------------------------------------------------------------------------------------- backward


def backward(J: Node, seed=1, on_nonfinite: str = "warn") -> dict[Node, np.ndarray]:
    """The gradient of the cost ``J`` with respect to every variable it depends on.

    ``J`` is a single number, or ``seed`` is an array of J's shape: ∂(cost)/∂J from outside. Runs
    the forward pass where values are missing. Returns ``{variable: gradient}``, each gradient with
    its variable's shape, and leaves ``.grad`` on every node reached. Called twice, it gives the
    same again: nothing is accumulated between passes.

    Reverse accumulation: Griewank & Walther, Evaluating Derivatives (2008), section 3.2.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> J = x * x
    >>> bl.backward(J)[x], x.grad
    (array(6.), array(6.))
    """
    order = topological_order(checked_node(J, "backward"))
    checked_seed(seed, J)
    report = _Report(on_nonfinite)
    values = _complete(order, report)
    gradients = {}
    for arrow in _arrows(J, order, values, seed, report):
        gradients[arrow.receiver] = arrow.so_far.sum
    variables = [node for node in order if node.leaf_kind == "variable"]
    for node in variables:  # reached only through comparisons, whose derivative is zero
        gradients.setdefault(node, frozen(np.zeros(node.shape, node.dtype)))
    for node in order:
        node._value, node._grad = values[node], gradients.get(node)
    return Gradients({node: gradients[node] for node in variables})


class Gradients(dict):
    """{variable: gradient}; asked for anything else, it says why there is none."""

    def __missing__(self, node):
        if not isinstance(node, Node):
            raise KeyError(f"{node!r} is not a node; ask for the variable itself: gradients[w]")
        name = notation.mention(node, code=True)
        if node.leaf_kind == "constant":
            raise KeyError(f"{name} is a constant: nobody asked for its gradient; make it a variable to ask")
        if node.leaf_kind == "variable":
            raise KeyError(f"the cost does not depend on {name}")
        raise KeyError(f"{name} is not a variable; its gradient is {name}.grad")


class _Arrow(NamedTuple):
    node: Node
    argument: int | None
    receiver: Node
    upstream: np.ndarray | None
    contribution: np.ndarray
    before: np.ndarray | None
    so_far: SoFar


def _arrows(J, order, values, seed, report) -> Iterator[_Arrow]:
    """The seed, then every arrow; a node passes on what it got once its last arrow has arrived.

    So nodes are taken in a reverse topological order; of several that are ready, the one that the
    formula names first goes first, all the way down.
    """
    total = arrow_counts(J, order)
    sums = {J: SoFar(checked_seed(seed, J), 1, 1)}
    yield _Arrow(J, None, J, None, sums[J].sum, None, sums[J])
    ready = [J]
    while ready:
        node = ready.pop()
        upstream = sums[node].sum
        operands = _operands(node, (values[operand] for operand in node.inputs))
        finished = []
        for argument, place in enumerate(places(node)):
            if not carries(node, place):
                continue
            receiver = node.inputs[argument]
            with np.errstate(all="ignore"):
                flow = vector_jacobian(node, place, upstream, values[node], operands)
            # + 0: no negative zeros for the learner to puzzle over
            contribution = frozen(np.asarray(flow, dtype=receiver.dtype) + 0)
            report.sent(node, receiver, upstream, contribution, values[receiver])
            before, arrived, of = sums.get(receiver, (None, 0, total[receiver]))
            now = contribution if before is None else frozen(before + contribution)
            sums[receiver] = so_far = SoFar(now, arrived + 1, of)
            if so_far.arrived == of:
                finished.append(receiver)
            yield _Arrow(node, argument, receiver, upstream, contribution, before, so_far)
        ready.extend(reversed(finished))


def arrow_counts(J, order) -> dict[Node, int]:
    """{node that a gradient reaches: how many arrows bring it}."""
    total = {J: 1}
    for node in reversed(order):
        if node in total and node.rule is not None:
            for argument, place in enumerate(places(node)):
                if carries(node, place):
                    receiver = node.inputs[argument]
                    total[receiver] = total.get(receiver, 0) + 1
    return total


def places(node) -> list[int]:
    """For each input of a node, its place among all arguments (numbers stand between them)."""
    return [place for place, argument in enumerate(node.arguments) if isinstance(argument, Node)]


def carries(node, place) -> bool:
    return node.arguments[place].needs_gradient and node.rule.derivatives[place] is not None


def checked_seed(seed, J) -> np.ndarray:
    array = np.asarray(seed)
    if array.dtype.kind not in "fiub":
        raise NotAnArrayError(f"backward(…, seed=…): expected real numbers, was given {seed!r}")
    if array.shape != J.shape:
        name = notation.mention(J, code=True)
        raise ShapeError(
            f"backward: {name} has shape {J.shape} and the seed has shape {array.shape}; a cost is "
            f"a single number: take np.sum or np.mean of {name}, or give a seed of shape {J.shape}"
        )
    return frozen(array.astype(J.dtype))


def checked_node(J, what) -> Node:
    if not isinstance(J, Node):
        raise NotAnArrayError(
            f"{what}: expected a node of a graph, was given {type(J).__name__}; build the "
            "expression from bl.variable(name, value) first"
        )
    return J


def pull_back(y: Node, x: Node, v) -> np.ndarray:
    """(∂y/∂x)ᵀ v by one backward pass that leaves the graph as it is; ``v`` has y's shape."""
    order = topological_order(checked_node(y, "backward"))
    quiet = _Report("ignore")
    values = _complete(order, quiet)
    result = np.zeros(x.shape, x.dtype)
    for arrow in _arrows(y, order, values, v, quiet):
        if arrow.receiver is x:
            result = arrow.so_far.sum
    return frozen(result)


def evaluate(J: Node, given: dict[Node, np.ndarray]) -> np.ndarray:
    """J's value if the leaves of ``given`` had these values instead; the graph stays as it is."""
    order = topological_order(checked_node(J, "evaluate"))
    values = {node: node._value for node in order if node.rule is None and node._value is not None}
    values |= {leaf: frozen(np.asarray(value, leaf.dtype)) for leaf, value in given.items()}
    for node, value in _computed(order, values, _Report("ignore")):
        values[node] = value
    return values[J]


# ----------------------------------------------------------------------------------------- records


def steps(J: Node, seed=1) -> list[Step]:
    """Every step of both passes over ``J``'s graph, in order; the graph itself stays as it is.

    One record per computed node, then the seed's, then one per arrow that carries a gradient. ``J``
    and ``seed`` as for :func:`backward`.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> J = x * x
    >>> for step in bl.steps(J):
    ...     print(step)
      1  forward   J = x · x   3 · 3 = 9
      2  backward  ∂J/∂J = 1   the seed
      3  backward  ∂J/∂x += ∂J/∂J · x   1 · 3 = 3   3, 1 of 2 arrived
      4  backward  ∂J/∂x += ∂J/∂J · x   1 · 3 = 3   3 + 3 = 6, 2 of 2 arrived
    """
    order = topological_order(checked_node(J, "steps"))
    values = {node: node._value for node in order if node.rule is None and node._value is not None}
    checked_seed(seed, J)
    report = _Report("note")
    records = []
    for node, value in _computed(order, values, report):
        values[node] = value
        inputs = tuple(values[operand] for operand in node.inputs)
        record = Step("forward", len(records), J, node, inputs, value, alarm=report.noted())
        records.append(record)
    for arrow in _arrows(J, order, values, seed, report):
        record = Step(
            "backward",
            len(records),
            J,
            inputs=tuple(values[operand] for operand in arrow.node.inputs),
            value=values[arrow.node],
            complete=arrow.so_far.arrived == arrow.so_far.of,
            alarm=report.noted(),
            **arrow._asdict(),
        )
        records.append(record)
    return records


# ----------------------------------------------------------------------------------- NaN, infinity


_REMEDIES = {
    "log": "keep its argument positive, also in a branch that np.where does not take: "
    "np.log(np.where(x > 0, x, 1))",
    "divide": "keep the divisor away from 0, also in a branch that np.where does not take",
    "sqrt": "keep its argument positive, also in a branch that np.where does not take",
}


class _Report:
    """Speaks up once in a pass, at the first node that makes a NaN or an infinity."""

    def __init__(self, mode: str):
        if mode not in ("warn", "raise", "ignore", "note"):
            raise ValueError(f'on_nonfinite is "warn", "raise" or "ignore", not {mode!r}')
        self.mode = mode
        self._note = None

    def noted(self) -> str | None:
        """What there was to say since this was last asked."""
        note, self._note = self._note, None
        return note

    def _say(self, message, node):
        remedy = _REMEDIES.get(node.rule.name) if node.rule is not None else None
        if remedy:
            message += f"; {remedy}"
        if self.mode == "raise":
            raise NonFiniteError(message)
        if self.mode == "note":
            self._note, self.mode = message, "ignore"
            return
        level, frame = 1, sys._getframe()
        while in_package(frame) and frame.f_back is not None:
            level, frame = level + 1, frame.f_back  # the warning points at the learner's own line
        warnings.warn(message, NonFiniteWarning, stacklevel=level)
        self.mode = "ignore"

    def given(self, node, value):
        if self.mode != "ignore" and value.dtype.kind == "f" and not _finite(value):
            self._say(f"{notation.mention(node, code=True)} was given {_odd_entry(value)}", node)

    def made(self, node, value, operands):
        if self.mode == "ignore" or _finite(value) or not all(_finite(o) for o in operands):
            return
        inputs = ", ".join(
            f"{notation.mention(a)} = {notation.array(o)}"
            for a, o in zip(node.arguments, operands, strict=True)
            if isinstance(a, Node)
        )
        name = notation.mention(node, code=True)
        self._say(f"{name} became {_odd_entry(value)} from {inputs}", node)

    def sent(self, node, receiver, upstream, contribution, value):
        if self.mode == "ignore" or _finite(contribution) or not _finite(upstream):
            return
        name, target = notation.mention(node, code=True), notation.mention(receiver)
        flow = f"the gradient that {name} sends to {target} is {_odd_entry(contribution)}"
        self._say(f"{flow}, at {target} = {notation.array(value)}", node)


def _finite(value) -> bool:
    return bool(np.isfinite(value).all())


def _odd_entry(value) -> str:
    """The first entry that is not finite, and where it stands."""
    where = np.argwhere(~np.isfinite(value))[0]
    text = notation.number(value[tuple(where)])
    return f"{text} at entry {[int(i) for i in where]}" if len(where) else text
