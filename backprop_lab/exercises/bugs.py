"""The bug museum: backward passes that go wrong as hand-written ones do.

This file has a backward pass of its own, apart from the engine's, and each bug is this pass with one thing
changed. Its records read like those of :func:`backprop_lab.steps`: each shows what the wrong pass did, and
carries the right record of the arrow beside it.

What must hold: with nothing changed the pass gives the engine's numbers; a formula never contradicts the
numbers beside it, however wrong both are; the graph stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import count

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.gradient_check import GradientReport, check_gradient
from backprop_lab.passes.passes import steps
from backprop_lab.passes.records import SoFar, Step
from backprop_lab.rules.networks import leaky_relu, relu, sigmoid, softmax, softplus
from backprop_lab.rules.vector_jacobian import vector_jacobian
from backprop_lab.words import notation
from backprop_lab.words.arrays import finite, frozen, presentable
from backprop_lab.words.errors import ShapeError

# -------------------------------------------------------------------- what flows back along an arrow
#
# Like vector_jacobian, these functions give numbers for arrays and the formula for nodes.


def _not_summed(node, place, upstream, value, operands):
    """What the rule says, but in whatever shape broadcasting has left it."""
    derivative = node.rule.derivatives[place]
    if node.rule.kind != "elementwise":
        return derivative(upstream, value, *operands, **node.parameters)
    partial = derivative(value, *operands, **node.parameters)
    if type(partial) is int and partial in (1, -1):
        return upstream if partial == 1 else -upstream
    return upstream * partial


def _activation_passed_over(node, place, upstream, value, operands):
    """At an activation, the upstream gradient itself."""
    return upstream if _is_activation(node) else vector_jacobian(node, place, upstream, value, operands)


ACTIVATIONS = {leaky_relu, relu, sigmoid, softmax, softplus, np.tanh}


def _is_activation(node) -> bool:
    """Whether a node is an activation; relu written as ``np.maximum(x, 0)`` and the reader's own functions of
    one argument count as well."""
    rule = node.rule
    if rule.function is np.maximum:
        return any(isinstance(argument, (int, float)) and argument == 0 for argument in node.arguments)
    own = rule.home is None and rule.kind == "elementwise" and len(rule.derivatives) == 1
    return own or rule.function in ACTIVATIONS


def _not_transposed(node, place, upstream, value, operands):
    """At a matrix product, the other matrix is used as it is; shapes that do not fit are refused."""
    if not _is_matrix_product(node):
        return vector_jacobian(node, place, upstream, value, operands)
    other = operands[1 - place]
    pair = (other, upstream) if place == 1 else (upstream, other)
    return np.outer(*reversed(pair)) if np.ndim(other) == 1 else np.matmul(*pair)


def _is_matrix_product(node) -> bool:
    """Whether at least one side is a matrix: two vectors have nothing to transpose."""
    return node.rule.function is np.matmul and max(np.ndim(argument) for argument in node.arguments) > 1


# ------------------------------------------------------------------------------------------- the bugs


@dataclass(frozen=True)
class Bug:
    """One thing that programmers forget in a backward pass written by hand.

    ``name`` is what one asks for it by, ``title`` says in a sentence what went wrong, ``wrong_line`` is the
    line of code and ``right_line`` what it should be, ``shows_in`` the graphs in which it does harm. The rest
    is what changes in the pass: what ``flow`` sends back along an arrow, whether contributions are added up
    (``adds``), whether a node waits for all of them before it sends its own (``waits``), and whether the
    gradients of an earlier pass are reset to zero (``resets``).
    """

    name: str
    title: str
    wrong_line: str
    right_line: str
    shows_in: str
    flow: Callable = vector_jacobian
    adds: bool = True
    waits: bool = True
    resets: bool = True

    def harmless(self, J: Node) -> str | None:
        """Why nothing goes wrong in ``J``'s graph, and what graph would show the bug; None if it does harm.

        >>> import backprop_lab as bl
        >>> x = bl.variable("x", 3.0)
        >>> BUGS["overwrite"].harmless(x * x) is None
        True
        >>> BUGS["overwrite"].harmless(x * 2)
        'This bug changes no number here. It shows in a graph where arrows meet, such as x * x.'
        """
        return self.no_harm if changes_nothing(wrong_steps(J, self)) else None

    @property
    def no_harm(self) -> str:
        """The sentence for a graph in which the bug changes nothing."""
        return f"This bug changes no number here. It shows in a graph {self.shows_in}."

    def __str__(self):
        return f"{self.title}\n  wrong:  {self.wrong_line}\n  right:  {self.right_line}"


BUGS: dict[str, Bug] = {
    bug.name: bug
    for bug in (
        Bug(
            "overwrite",
            "The programmer wrote = instead of +=: a new contribution replaces what had arrived before.",
            "w.grad = y_hat.grad * h",
            "w.grad += y_hat.grad * h",
            "where arrows meet, such as x * x",
            adds=False,
        ),
        Bug(
            "too_early",
            "The programmer visited the nodes depth first: one sends on before all of its gradient is there.",
            "for node in depth_first(J):",
            "for node in reversed(topological_order(J)):",
            "where a node inside gets a short and a long way back, such as u = x**2; J = u * (u + 3)",
            waits=False,
        ),
        Bug(
            "not_reset",
            "The programmer forgot to reset the gradients: the second pass adds to what the first has left.",
            "backward(J)",
            "w.grad = 0; backward(J)",
            "whose gradients are not all zero",
            resets=False,
        ),
        Bug(
            "not_unbroadcast",
            "The programmer forgot that broadcasting is a sum on the way back: a gradient has a wrong shape.",
            "b.grad = z.grad",
            "b.grad = z.grad.sum(axis=0)",
            "where something small was broadcast, such as X @ W + b with a batch X",
            flow=_not_summed,
        ),
        Bug(
            "no_activation_derivative",
            "The programmer forgot the derivative of the activation: the gradient passes it as it comes.",
            "a.grad = h.grad",
            "a.grad = h.grad * (a > 0)",
            "with an activation that is not the identity at its inputs, such as relu of a negative number",
            flow=_activation_passed_over,
        ),
        Bug(
            "not_transposed",
            "The programmer forgot to transpose: the gradient goes back through the matrix as it stands.",
            "x.grad = W @ a.grad",
            "x.grad = W.T @ a.grad",
            "where a gradient flows back through a product with a matrix that is not symmetric",
            flow=_not_transposed,
        ),
    )
}


def bug_named(bug: str | Bug) -> Bug:
    """The bug of this name; a :class:`Bug` is returned as it is. Raises ValueError for an unknown name.

    >>> print(bug_named("not_transposed"))
    The programmer forgot to transpose: the gradient goes back through the matrix as it stands.
      wrong:  x.grad = W @ a.grad
      right:  x.grad = W.T @ a.grad
    """
    if isinstance(bug, Bug):
        return bug
    if not isinstance(bug, str) or bug not in BUGS:
        raise ValueError(f"bug={bug!r} is not in the museum; it has: {', '.join(map(repr, BUGS))}")
    return BUGS[bug]


# ---------------------------------------------------------------------------------------- the records


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class WrongStep(Step):
    """A record of a pass with a bug: what this pass did, and in ``right`` what would have been right.

    ``right`` is the right pass's record of this arrow, with the running sum over the arrows that have arrived
    here. Where NumPy refuses, ``contribution`` is None, ``alarm`` has NumPy's own error, ``so_far`` is
    unchanged, and the record is the last one. ``local`` is the true Jacobian.
    """

    bug: Bug
    right: Step

    @cached_property
    def differs(self) -> bool:
        """Whether this step's numbers are wrong: the contribution, or the sum after it."""
        if self.argument is None:
            return False
        if self.stopped:
            return True
        assert self.so_far is not None and self.right.so_far is not None  # arrows have a running sum
        return not (
            _agree(self.contribution, self.right.contribution)
            and _agree(self.so_far.sum, self.right.so_far.sum)
        )

    @property
    def stopped(self) -> bool:
        """Whether NumPy refused to compute this contribution, so that the pass ends here."""
        return self.argument is not None and self.contribution is None

    @property
    def local(self) -> np.ndarray | str | None:
        """The local Jacobian that should have been used."""
        return self.right.local

    @cached_property
    def numbers(self) -> str:
        """The wrong pass's own numbers."""
        return f"{self.written_flow(self._values)}: refused" if self.stopped else super().numbers

    @cached_property
    def sum_numbers(self) -> str | None:
        """The sum, or what became of it: ``(20, 8) replaces (0, −42)``."""
        if self.contribution is None:
            return None
        if self.before is None or self.bug.adds:
            return super().sum_numbers
        return f"{notation.array(self.contribution)} replaces {notation.array(self.before)}"

    def _sent(self, upstream, value, operands):
        return self.bug.flow(self.node, self.place, upstream, value, operands)

    @property
    def sign(self) -> str:
        """``=`` where contributions replace each other."""
        return super().sign if self.bug.adds else "="

    def written_flow(self, write, code: bool = False) -> str:
        """What this pass sends, as text; even a matrix product whose shapes do not fit."""
        try:
            return super().written_flow(write, code)
        except ShapeError:
            assert self.argument is not None  # only an arrow sends something
            other = 1 - self.argument
            texts = [write(self.node.inputs[other], self.inputs[other])[0], write(None, self.upstream)[0]]
            return (" @ " if code else " ").join(texts if self.argument == 1 else reversed(texts))

    def __str__(self):
        return super().__str__() + (f"   {self.alarm}" if self.stopped else "")


def changes_nothing(records: Sequence[Step]) -> bool:
    """Whether no step of a run with a bug has wrong numbers."""
    return not any(isinstance(step, WrongStep) and step.differs for step in records)


def _agree(a, b) -> bool:
    """Whether two arrays are equal up to rounding, which the order of a sum decides."""
    rounding = np.finfo(np.result_type(a, b)).eps ** 0.5
    largest = np.abs(b[np.isfinite(b)]).max(initial=0)
    return a.shape == b.shape and np.allclose(a, b, rounding, rounding * largest, equal_nan=True)


# ------------------------------------------------------------------------------------------- the pass


def wrong_steps(J: Node, bug: str | Bug, given: dict[Node, np.ndarray] | None = None) -> list[WrongStep]:
    """Every step of a run with ``bug`` over ``J``'s graph: the forward pass is right, the backward pass not.

    ``J`` is the cost, a single number whose leaves all have values; ``given`` as for
    :func:`backprop_lab.steps`; ``bug`` a name of :data:`BUGS`. With ``"not_reset"`` there are two backward
    passes, one after the other. Raises ValueError for an unknown bug.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> J = x * x
    >>> for step in wrong_steps(J, "overwrite"):
    ...     print(step)
      1  forward   J = x · x   3 · 3 = 9
      2  backward  ∂J/∂J = 1   the seed
      3  backward  ∂J/∂x = ∂J/∂J · x   1 · 3 = 3   3, 1 of 2 arrived
      4  backward  ∂J/∂x = ∂J/∂J · x   1 · 3 = 3   3 replaces 3, 2 of 2 arrived
    >>> step.differs, step.right.sum_numbers
    (True, '3 + 3 = 6')
    """
    bug = bug_named(bug)
    right = steps(J, given=given)
    forward = [step for step in right if step.phase == "forward"]
    seed, *arrows = right[len(forward) :]
    records = [_wrong(step, step, bug, step.index) for step in forward]
    left_over: dict[Node, np.ndarray] = {}
    for _ in range(1 if bug.resets else 2):
        records.append(_wrong(seed, seed, bug, len(records)))
        back = _WrongPass(bug, seed, arrows, left_over)
        with np.errstate(all="ignore"):
            records += back.records(len(records))
        if records[-1].stopped:
            break
        left_over = {node: g for node, g in back.gradients.items() if node.leaf_kind == "variable"}
    return records


class _WrongPass:
    """One backward pass with a bug, along the ``arrows`` of the right one.

    ``gradients`` are the sums so far; the variables begin with what is ``left_over`` from an earlier pass.
    ``right_sums`` are the sums of the right contributions along these arrows; ``tried`` counts the arrows to
    each node.
    """

    def __init__(self, bug, seed, arrows, left_over):
        self.bug, self.start = bug, seed.node
        self.leaving: dict[Node, list[Step]] = {}
        for arrow in arrows:
            self.leaving.setdefault(arrow.node, []).append(arrow)
        self.gradients: dict[Node, np.ndarray] = {**left_over, seed.node: seed.contribution}
        self.right_sums: dict[Node, np.ndarray] = {}
        self.tried: Counter[Node] = Counter()

    def records(self, first: int) -> Iterator[WrongStep]:
        """The records of all arrows, counted from ``first``; an arrow that NumPy refuses is the last."""
        index, ready = count(first), [self.start]
        while ready:
            node = ready.pop()
            upstream, reached = self.gradients[node], []
            for arrow in self.leaving.get(node, ()):
                step = self._send(arrow, upstream, next(index))
                yield step
                if step.stopped:
                    return
                assert step.receiver is not None and step.so_far is not None  # true of every arrow
                if self.tried[step.receiver] == (step.so_far.of if self.bug.waits else 1):
                    reached.append(step.receiver)
            ready.extend(reversed(reached))

    def _send(self, arrow, upstream, index) -> WrongStep:
        """Send the gradient along one arrow, and return its record."""
        receiver, of = arrow.receiver, arrow.so_far.of
        self.tried[receiver] += 1
        tried = self.tried[receiver]
        right = self._right(arrow, tried)
        before = self.gradients.get(receiver)
        try:
            contribution = self.bug.flow(arrow.node, arrow.place, upstream, arrow.value, arrow.operands)
            contribution = presentable(np.asarray(contribution, receiver.dtype))
            self.gradients[receiver] = _sum(before if self.bug.adds else None, contribution)
            arrived, alarm = tried, None if finite(contribution) else arrow.alarm
        except (ValueError, IndexError) as error:
            contribution, arrived, alarm = None, tried - 1, f"{type(error).__name__}: {error}"
        now = self.gradients.get(receiver, frozen(np.zeros(receiver.shape, receiver.dtype)))
        return _wrong(
            arrow, right, self.bug, index, upstream=upstream, contribution=contribution,
            before=before, so_far=SoFar(now, arrived, of), complete=arrived == of, alarm=alarm,
        )  # fmt: skip

    def _right(self, arrow, arrived) -> Step:
        """The right record of the arrow, after those that were tried here."""
        receiver, of = arrow.receiver, arrow.so_far.of
        before = self.right_sums.get(receiver)
        now = self.right_sums[receiver] = _sum(before, arrow.contribution)
        return replace(arrow, before=before, so_far=SoFar(now, arrived, of), complete=arrived == of)


def _sum(before, contribution) -> np.ndarray:
    return frozen(contribution if before is None else before + contribution)


def _wrong(step, right, bug, index, **changed) -> WrongStep:
    """The record ``step`` as one of the wrong pass, which ``changed`` some of its fields."""
    taken = {f.name: getattr(step, f.name) for f in fields(Step)} | {"index": index} | changed
    return WrongStep(**taken, bug=bug, right=right)


def gradients(J: Node, bug: str | Bug) -> dict[Node, np.ndarray | None]:
    """{variable: what the pass with ``bug`` takes for its gradient}; None if it stopped before that.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> gradients(x * x, "overwrite")[x], bl.backward(x * x)[x]
    (array(3.), array(6.))
    """
    records = wrong_steps(J, bug)
    reached = {step.receiver for step in steps(J)}
    found = {
        node: None if node in reached else frozen(np.zeros(node.shape, node.dtype))
        for node in topological_order(J)
        if node.leaf_kind == "variable"
    }
    found |= {
        step.receiver: step.so_far.sum
        for step in records
        if step.receiver in found and step.contribution is not None and step.so_far is not None
    }
    return found


def check(J: Node, bug: str | Bug) -> GradientReport:
    """The gradients of the pass with ``bug``, compared with difference quotients of the forward pass.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> check(x * x, "overwrite")
    variable  entry       backward pass  difference quotient
    x         the number  3              6                    wrong
    1 compared, 1 wrong
    """
    return GradientReport(check_gradient(J, given=gradients(J, bug)).rows)
