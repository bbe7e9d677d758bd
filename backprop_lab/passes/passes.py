"""The forward and the backward pass, and the records of all that happens in them.

Both passes are loops over one topological order. :func:`steps` gives what they do as records
(:class:`Step`), which pictures, widgets, tables and tests read.

What must hold: a pass computes everything first and then changes the nodes, so that an interrupted
or failed pass leaves the graph as it was; ``steps`` never changes the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from backprop_lab.graph.interrupts import assign_together
from backprop_lab.graph.node import Node, set_gradient, set_value
from backprop_lab.graph.order import plan_of
from backprop_lab.passes.nonfinite import Report
from backprop_lab.passes.records import SoFar, Step, operands_of
from backprop_lab.rules.vector_jacobian import vector_jacobian
from backprop_lab.words import notation
from backprop_lab.words.arrays import checked_array, finite, frozen, numbers_for, presentable
from backprop_lab.words.errors import MissingValueError, NotAnArrayError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

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
    run, report = Pass(J, "forward"), Report(on_nonfinite)
    with report.watching():
        run.compute()
        if run.is_suspicious(report):
            run.examine(report)
    assign_together(map(set_value, run.order, run.values))
    return frozen(run.values[-1])


class Pass:
    """The values and gradients of one run over J's graph; the nodes themselves stay as they are.

    ``values`` (at first the nodes' own) and ``gradients`` are in the plan's order, arrays or None for what is
    not known yet; ``operands`` are the arguments, as arrays, of each node that was computed.
    """

    def __init__(self, J: Node, what: str):
        self.order, self.plan = plan_of(checked_node(J, what))
        self.values: list = [n._value if n._learner is None else n._current_value() for n in self.order]
        self.gradients: list = []
        self.operands: dict[int, list] = {}

    def start_from(self, given: Mapping[Node, npt.ArrayLike]) -> None:
        """Only leaves have values, those of ``given`` in place of their own; the rest is to be computed."""
        self.values = [_value_for(node, given) if node.rule is None else None for node in self.order]

    def compute(self, record: Callable[[int], None] | None = None) -> None:
        """Fill in what is None among the values; ``record(i)`` is called after each."""
        values = self.values
        missing = [node for node, value in zip(self.order, values) if value is None and node.rule is None]
        if missing:
            refuse_without_value(missing)
        inputs, plain, arguments = self.plan.inputs, self.plan.plain, self.operands
        for i, node in enumerate(self.order):
            if values[i] is None:
                operands = [values[k] for k in inputs[i]]  # without a call: it would cost 3 % of a pass
                arguments[i] = operands = operands if plain[i] else operands_of(node, operands)
                values[i] = np.asarray(node.rule.compute(*operands, **node.parameters), node.dtype)
                if record:
                    record(i)

    def _operands(self, i: int) -> list:
        """The arguments of node ``i``, whose value was known before this run, as arrays."""
        given = [self.values[k] for k in self.plan.inputs[i]]
        return given if self.plan.plain[i] else operands_of(self.order[i], given)

    def seed(self, seed: npt.ArrayLike) -> None:
        """Begin the backward pass: only J's gradient is known."""
        self.gradients = [None] * (len(self.order) - 1) + [checked_seed(seed, self.order[-1])]

    def send(self, record: Callable[..., None] | None = None) -> None:
        """Send (local Jacobian)ᵀ · upstream along every arrow, and add up in ``gradients`` what arrives.

        ``record(sender, argument, receiver, contribution, sum before, arrived, of)`` is called after each.
        """
        order, values, gradients = self.order, self.values, self.gradients
        for sender, argument, place, receiver, arrived, of in self.plan.arrows:
            operands = self.operands.get(sender) or self._operands(sender)
            flow = vector_jacobian(order[sender], place, gradients[sender], values[sender], operands)
            contribution = np.asarray(flow, order[receiver].dtype)
            if record:
                contribution = presentable(contribution)
            before = gradients[receiver]
            gradients[receiver] = contribution if before is None else np.asarray(before + contribution)
            if record:
                record(sender, argument, receiver, contribution, before, arrived, of)

    def both_ways(self, seed: npt.ArrayLike, on_nonfinite: str) -> Gradients:
        """Run the forward and the backward pass; returns the gradients of the variables."""
        report, order = Report(on_nonfinite), self.order

        def sent(i, argument, k, contribution, *_):
            report.sent(order[i], order[k], self.gradients[i], contribution, self.values[k])

        self.seed(seed)
        with report.watching():
            self.compute()
            self.send()
            found = {i: self.gradients[i] for i in self.plan.variables}
            if self.is_suspicious(report, (g for g in found.values() if g is not None)):
                self.examine(report)
                self.seed(seed)
                self.send(sent)
        for i, gradient in found.items():  # None: reached only through comparisons, whose derivative is zero
            gradient = np.zeros(order[i].shape, order[i].dtype) if gradient is None else gradient
            self.gradients[i] = presentable(gradient)
        return Gradients((order[i], self.gradients[i]) for i in found)

    def is_suspicious(self, report: Report, results: Iterable[np.ndarray] = ()) -> bool:
        """Whether there may be a NaN or an infinity somewhere: only then are all values looked through."""
        if report.mode == "ignore":
            return False
        given = any([node._has_nonfinite for node in self.order])
        return report.suspicious or given or not all(map(finite, (self.values[-1], *results)))

    def examine(self, report: Report) -> None:
        """Look through all values for the first node that made a NaN or an infinity."""
        for node, value in zip(self.order, self.values):
            if node.rule is None:
                report.given(node, value)
        for i, operands in self.operands.items():
            report.made(self.order[i], self.values[i], operands)


# ---------------------------------------------------------------------------------------- backward


def backward(J: Node, seed: npt.ArrayLike = 1, on_nonfinite: str = "warn") -> dict[Node, np.ndarray]:
    """The gradient of the cost ``J`` with respect to every variable it depends on.

    ``J`` is a single number, or ``seed`` is an array of J's shape: ∂(cost)/∂J from outside. Runs
    the forward pass where values are missing. Returns ``{variable: gradient}``, each gradient with
    its variable's shape, and leaves ``.grad`` on every node reached. A second call gives the same result:
    nothing is accumulated between passes.

    Reverse accumulation: Griewank & Walther, Evaluating Derivatives (2008), section 3.2.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> J = x * x
    >>> bl.backward(J)[x], x.grad
    (array(6.), array(6.))
    """
    run = Pass(J, "backward")
    found = run.both_ways(seed, on_nonfinite)
    assign_together(map(set_value, run.order, run.values), map(set_gradient, run.order, run.gradients))
    return found


class Gradients(dict[Node, np.ndarray]):
    """{variable: gradient}; for any other key, its KeyError says why there is none."""

    def __missing__(self, node):
        if not isinstance(node, Node):
            raise KeyError(f"{node!r} is not a node; ask for the variable itself: gradients[w]")
        name = notation.mention(node, code=True)
        if node.leaf_kind == "constant":
            raise KeyError(f"{name} is a constant: nobody asked for its gradient; make it a variable to ask")
        if node.leaf_kind == "variable":
            raise KeyError(f"the cost does not depend on {name}")
        raise KeyError(f"{name} is not a variable; its gradient is {name}.grad")


def checked_seed(seed: npt.ArrayLike, J: Node) -> np.ndarray:
    """A seed as an array of J's shape and precision, or an error in words."""
    array = checked_array(seed, "backward(…, seed=…)")
    if array.shape != J.shape:
        name = notation.mention(J, code=True)
        raise ShapeError(
            f"backward: {name} has shape {J.shape} and the seed has shape {array.shape}; a cost is "
            f"a single number (a scalar): take np.sum or np.mean of {name}, or give a seed of shape {J.shape}"
        )
    return frozen(array.astype(J.dtype))


def checked_node(J: object, what: str) -> Node:
    """``J`` if it is a node, else an error that says what ``what`` expects."""
    if not isinstance(J, Node):
        raise NotAnArrayError(
            f"{what}: expected a node of a graph, was given {type(J).__name__}; build the "
            "expression from bl.variable(name, value) first"
        )
    return J


def refuse_without_value(leaves: list[Node]) -> NoReturn:
    """Raise the error that names leaves without a value."""
    names = ", ".join(f"{notation.mention(leaf, code=True)} (shape {leaf.shape})" for leaf in leaves)
    raise MissingValueError(
        f"{names} {'stands' if len(leaves) == 1 else 'stand'} without a value; "
        f"give it one first: {leaves[0].name or 'the_constant'}.value = …"
    )


def pull_back(y: Node, x: Node, v: npt.ArrayLike) -> np.ndarray:
    """(∂y/∂x)ᵀ v by one backward pass that leaves the graph as it is; ``v`` has y's shape."""
    run = Pass(y, "backward")
    run.both_ways(v, "ignore")
    flow = dict(zip(run.order, run.gradients)).get(x)
    return presentable(np.zeros(x.shape, x.dtype) if flow is None else flow)


def evaluate(J: Node, given: Mapping[Node, npt.ArrayLike]) -> np.ndarray:
    """J's value if the leaves of ``given`` had these values instead; the graph stays as it is."""
    run = Pass(J, "evaluate")
    run.start_from(given)
    with np.errstate(all="ignore"):
        run.compute()
    return frozen(run.values[-1])


def _value_for(leaf: Node, given: Mapping[Node, npt.ArrayLike]) -> np.ndarray | None:
    if leaf not in given:
        return leaf._current_value()
    array = np.array(numbers_for(leaf, given[leaf], "the value given for {}"))
    if array.shape != leaf.shape:
        raise ShapeError(f"{leaf.name} has shape {leaf.shape}, the value given for it {array.shape}")
    return frozen(array)


# ----------------------------------------------------------------------------------------- records


def steps(J: Node, seed: npt.ArrayLike = 1, given: Mapping[Node, npt.ArrayLike] | None = None) -> list[Step]:
    """Every step of both passes over ``J``'s graph, in order; the graph itself stays as it is.

    One record for each computed node, then the seed's, then one for each arrow that carries a gradient. ``J``
    and ``seed`` as for :func:`backward`. ``given``: ``{leaf: array}``, values in place of the leaves' own.

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
    run = Pass(J, "steps")
    leaves = {node for node in run.order if node.rule is None}
    for leaf in given or ():
        if leaf not in leaves:
            raise ValueError(f"steps(…, given=…): {leaf!r} is not a leaf of the graph")
    run.start_from(given or {})
    run.seed(seed)
    recorder = _Recorder(run)
    with np.errstate(all="ignore"):
        run.compute(recorder.computed)
        recorder.seeded()
        run.send(recorder.sent)
    return recorder.records


class _Recorder:
    """Writes down what a pass does: the record of each step, with the alarm at the first NaN or infinity."""

    def __init__(self, run: Pass):
        self.run = run
        self.records: list[Step] = []
        self._alarms: list[str] = []
        self._report = Report("warn", self._alarms.append)

    def computed(self, i):
        order, values = self.run.order, self.run.values
        for k in self.run.plan.inputs[i]:
            if order[k].rule is None:
                self._report.given(order[k], values[k])
        self._report.made(order[i], values[i], self.run.operands[i])
        self._record("forward", i)

    def seeded(self):
        last, seed = len(self.run.order) - 1, frozen(self.run.gradients[-1])
        J = self.run.order[last]
        self._record("backward", last, receiver=J, contribution=seed, so_far=SoFar(seed, 1, 1))

    def sent(self, i, argument, k, contribution, before, arrived, of):
        sender, receiver, gradients = self.run.order[i], self.run.order[k], self.run.gradients
        upstream, so_far = frozen(gradients[i]), SoFar(frozen(gradients[k]), arrived, of)
        self._report.sent(sender, receiver, upstream, contribution, self.run.values[k])
        self._record(
            "backward", i, receiver=receiver, argument=argument, upstream=upstream, contribution=contribution,
            before=before, so_far=so_far, complete=arrived == of,
        )  # fmt: skip

    def _record(self, phase, i, **how):
        order, values = self.run.order, self.run.values
        inputs = tuple(frozen(values[k]) for k in self.run.plan.inputs[i])
        alarm = self._alarms.pop() if self._alarms else None
        self.records.append(
            Step(phase, len(self.records), order[-1], order[i], inputs, frozen(values[i]), alarm=alarm, **how)
        )
