"""The forward and the backward pass, and the record of every single thing that happens in them.

Both passes are loops over one topological order. :func:`steps` gives what they do as records
(:class:`Step`), the same for pictures, widgets, tables and tests.

What must hold: a pass computes everything first and then changes the nodes, so that an interrupted
or failed pass leaves the graph as it was; ``steps`` never changes the graph.
"""

from __future__ import annotations

import numpy as np

from backprop_lab import notation
from backprop_lab.arrays import finite, frozen, presentable
from backprop_lab.errors import MissingValueError, NotAnArrayError, ShapeError
from backprop_lab.graph import Node, numbers_for, set_gradient, set_together, set_value
from backprop_lab.nonfinite import Report
from backprop_lab.plan import plan_of
from backprop_lab.records import SoFar, Step, operands_of
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
    order, plan = plan_of(checked_node(J, "forward"))
    report = Report(on_nonfinite)
    values = _values(order)
    with report.watching():
        computed = _compute(order, plan, values)
        _examine(order, plan, values, computed, report)
    set_together(map(set_value, order, values))
    return J.value


def _compute(order, plan, values, record=None) -> dict[int, list]:
    """Fill in what is None in ``values``; returns {position of such a node: its operands}, in order.

    ``record(i)`` is called after each.
    """
    missing = [node for node, value in zip(order, values) if value is None and node.rule is None]
    if missing:
        names = ", ".join(f"{notation.mention(n, code=True)} (shape {n.shape})" for n in missing)
        raise MissingValueError(
            f"{names} {'stands' if len(missing) == 1 else 'stand'} without a value; "
            f"give it one first: {missing[0].name}.value = …"
        )
    computed = {}
    inputs, plain = plan.inputs, plan.plain
    for i, node in enumerate(order):
        if values[i] is None:
            operands = [values[k] for k in inputs[i]]
            computed[i] = operands = operands if plain[i] else operands_of(node, operands)
            values[i] = np.asarray(node.rule.compute(*operands, **node.parameters), node.dtype)
            if record:
                record(i)
    return computed


def _examine(order, plan, values, computed, report):
    """Only where a NaN or an infinity may be are all values looked through, for its origin."""
    odd = any([node._odd for node in order])
    if report.mode != "ignore" and (report.suspicious or odd or not finite(values[-1])):
        with Report("ignore").watching():
            for i, node in enumerate(order):
                if node.rule is None:
                    report.given(node, values[i])
            for i, operands in computed.items():
                report.made(order[i], values[i], operands)


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
    order, plan = plan_of(checked_node(J, "backward"))
    report = Report(on_nonfinite)
    values, gradients = _values(order), _start(order, seed)
    with report.watching():
        computed = _compute(order, plan, values)
        _send(order, plan, values, computed, gradients)
        _examine(order, plan, values, computed, report)
        sound = all(finite(gradients[i]) for i in plan.variables if gradients[i] is not None)
    found = Gradients()
    for i in plan.variables:
        if gradients[i] is None:  # reached only through comparisons, whose derivative is zero
            gradients[i] = np.zeros(order[i].shape, order[i].dtype)
        found[order[i]] = gradients[i] = presentable(gradients[i])
    if report.mode != "ignore" and (report.suspicious or not sound):
        again = _start(order, seed)

        def sent(i, argument, k, contribution, before, arrived, of):
            report.sent(order[i], order[k], again[i], contribution, values[k])

        with Report("ignore").watching():
            _send(order, plan, values, computed, again, sent)
    set_together(map(set_value, order, values), map(set_gradient, order, gradients))
    return found


def _start(order, seed) -> list[np.ndarray | None]:
    """∂J/∂node for each node, as far as it is known at first: the seed."""
    return [None] * (len(order) - 1) + [checked_seed(seed, order[-1])]


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


def _send(order, plan, values, computed, gradients, record=None):
    """Send the gradient along every arrow of the plan and add it up in ``gradients``.

    ``computed``: the operands that the forward pass has put together already.

    ``record(sender, argument, receiver, contribution, sum before, arrived, of)`` is called after each.
    """
    sender = None
    for i, argument, place, k, arrived, of in plan.arrows:
        if i != sender:  # all arrows of a node come one after the other
            sender, node, upstream, value = i, order[i], gradients[i], values[i]
            operands = computed.get(i) or operands_of(node, [values[n] for n in plan.inputs[i]])
        contribution = np.asarray(vector_jacobian(node, place, upstream, value, operands), order[k].dtype)
        if record:
            contribution = presentable(contribution)
        before = gradients[k] if arrived > 1 else None
        gradients[k] = contribution if before is None else np.asarray(before + contribution)
        if record:
            record(i, argument, k, contribution, before, arrived, of)


def checked_seed(seed, J) -> np.ndarray:
    if type(seed) is int and seed == 1 and J.shape == ():
        return np.ones((), J.dtype)
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
    order, plan = plan_of(checked_node(y, "backward"))
    values, gradients = _values(order), _start(order, v)
    with Report("ignore").watching():
        computed = _compute(order, plan, values)
        _send(order, plan, values, computed, gradients)
    found = [gradient for node, gradient in zip(order, gradients) if node is x and gradient is not None]
    return presentable(found[0] if found else np.zeros(x.shape, x.dtype))


def evaluate(J: Node, given: dict[Node, np.ndarray]) -> np.ndarray:
    """J's value if the leaves of ``given`` had these values instead; the graph stays as it is."""
    order, plan = plan_of(checked_node(J, "evaluate"))
    values = _leaf_values(order, given)
    with Report("ignore").watching():
        _compute(order, plan, values)
    return frozen(values[-1])


def _values(order):
    return [node._value if node._holder is None else node._held_value() for node in order]


def _leaf_values(order, given=()):
    """The leaves' values, those of ``given`` in place of their own; None for what is computed."""
    return [_read(node, given) if node.rule is None else None for node in order]


def _read(leaf, given):
    if leaf not in given:
        return leaf.value
    array = np.array(numbers_for(leaf, given[leaf], f"the value given for {leaf.name}"))
    if array.shape != leaf.shape:
        raise ShapeError(f"{leaf.name} has shape {leaf.shape}, the value given for it {array.shape}")
    return frozen(array)


# ----------------------------------------------------------------------------------------- records


def steps(J: Node, seed=1, given: dict[Node, np.ndarray] | None = None) -> list[Step]:
    """Every step of both passes over ``J``'s graph, in order; the graph itself stays as it is.

    One record per computed node, then the seed's, then one per arrow that carries a gradient. ``J``
    and ``seed`` as for :func:`backward`. ``given``: ``{leaf: array}``, values that count instead of the
    leaves' own.

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
    order, plan = plan_of(checked_node(J, "steps"))
    strangers = [leaf for leaf in given or () if leaf not in {n for n in order if n.rule is None}]
    if strangers:
        raise ValueError(f"steps(…, given=…): {strangers[0]!r} is not a leaf of the graph")
    values, gradients = _leaf_values(order, given or {}), _start(order, seed)
    report = Report.noting()
    records = []

    def record(phase, i, **how):
        node = order[i]
        inputs = tuple(frozen(values[k]) for k in plan.inputs[i])
        step = Step(phase, len(records), J, node, inputs, frozen(values[i]), alarm=report.noted(), **how)
        records.append(step)

    def computed(i):
        for k in plan.inputs[i]:
            if order[k].rule is None:
                report.given(order[k], values[k])
        report.made(order[i], values[i], operands_of(order[i], [values[k] for k in plan.inputs[i]]))
        record("forward", i)

    def sent(i, argument, k, contribution, before, arrived, of):
        upstream, so_far = frozen(gradients[i]), SoFar(frozen(gradients[k]), arrived, of)
        report.sent(order[i], order[k], upstream, contribution, values[k])
        record(
            "backward", i, receiver=order[k], argument=argument, upstream=upstream, contribution=contribution,
            before=before, so_far=so_far, complete=arrived == of,
        )  # fmt: skip

    with Report("ignore").watching():
        done = _compute(order, plan, values, computed)
        seed = frozen(gradients[-1])
        record("backward", len(order) - 1, receiver=J, contribution=seed, so_far=SoFar(seed, 1, 1))
        _send(order, plan, values, done, gradients, sent)
    return records
