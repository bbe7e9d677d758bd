"""The forward and the backward pass, and the record of every single thing that happens in them.

Both passes are loops over one topological order. :func:`steps` gives what they do as records
(:class:`Step`), the same for pictures, widgets, tables and tests.

What must hold: a pass computes everything first and then changes the nodes, so that an interrupted
or failed pass leaves the graph as it was; ``steps`` never changes the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from backprop_lab import notation
from backprop_lab.errors import MissingValueError, NotAnArrayError, ShapeError
from backprop_lab.graph import Node, frozen, topological_order
from backprop_lab.nonfinite import Report
from backprop_lab.records import SoFar, Step, operands_of, places
from backprop_lab.rules import vector_jacobian

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
    values = _complete(order, Report(on_nonfinite))
    for node in order:
        node._value = values[node]
    return J.value


def _complete(order, report) -> dict[Node, np.ndarray]:
    """The value of every node of ``order``: those that are known, and the missing ones computed."""
    values = {node: node.value for node in order if node.value is not None}
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
        operands = operands_of(node, (values[operand] for operand in node.inputs))
        with np.errstate(all="ignore"):  # the report below names the node, NumPy's warning does not
            result = node.rule.compute(*operands, **node.parameters)
        value = frozen(np.asarray(result, dtype=node.dtype))
        report.made(node, value, operands)
        yield node, value


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
    report = Report(on_nonfinite)
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
        operands = operands_of(node, (values[operand] for operand in node.inputs))
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
    quiet = Report("ignore")
    values = _complete(order, quiet)
    result = np.zeros(x.shape, x.dtype)
    for arrow in _arrows(y, order, values, v, quiet):
        if arrow.receiver is x:
            result = arrow.so_far.sum
    return frozen(result)


def evaluate(J: Node, given: dict[Node, np.ndarray]) -> np.ndarray:
    """J's value if the leaves of ``given`` had these values instead; the graph stays as it is."""
    order = topological_order(checked_node(J, "evaluate"))
    values = {node: node.value for node in order if node.rule is None and node.value is not None}
    values |= {leaf: frozen(np.asarray(value, leaf.dtype)) for leaf, value in given.items()}
    for node, value in _computed(order, values, Report("ignore")):
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
    values = {node: node.value for node in order if node.rule is None and node.value is not None}
    checked_seed(seed, J)
    report = Report.noting()
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
