"""Likely wrong answers at a step of the backward pass, and what each of them would mean.

Predict mode, the self-checks and the paper exercise all explain mistakes with this file. A confusion is
computed from the same numbers as the right answer, so it works for any graph and any values.

What must hold: a confusion never equals the right answer, and no two confusions of a step are equal, so that
an answer means at most one thing; an explanation leaves the right number to be found; operations are
recognised by their function, never by a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backprop_lab.passes.records import Step
from backprop_lab.rules.networks import relu
from backprop_lab.words import notation
from backprop_lab.words.arrays import frozen

if TYPE_CHECKING:
    import numpy.typing as npt

ROUNDING = 1e-13  # of a number that should be zero


class Confusion(NamedTuple):
    """A likely wrong ``value``, and its ``meaning``: the mistake that leads to it."""

    value: np.ndarray
    meaning: str


def likely_confusions(step: Step) -> tuple[Confusion, ...]:
    """The confusions of a backward step about the receiver's gradient after it; none for other steps."""
    if step.argument is None or step.so_far is None:
        return ()
    confusions: list[Confusion] = []
    for value, meaning in _mistakes(step):
        value = frozen(value)
        if not any(same(value, other) for other in (step.so_far.sum, *(c.value for c in confusions))):
            confusions.append(Confusion(value, meaning))
    return tuple(confusions)


def same(a: npt.ArrayLike, b: npt.ArrayLike, tolerance: float = 0.01) -> bool:
    """Whether two answers agree: equal shapes, entries within 1 % (near zero, 1 % of the largest entry)."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    with np.errstate(invalid="ignore"):  # infinities subtract to nan, which agrees with nothing
        size = np.maximum(np.abs(b), 0.01 * np.abs(b).max(initial=0))
        return bool(np.all(np.abs(a - b) <= tolerance * size + ROUNDING))


def _mistakes(step) -> Iterator[Confusion]:
    """Every mistake one can make here, the most telling first; some may give the right answer."""
    if step.so_far.arrived > 1:
        yield from _not_added(step)
    if step.node.rule.function in OF_AN_OPERATION:
        yield from OF_AN_OPERATION[step.node.rule.function](step)
    if step.node.rule.kind == "elementwise":
        yield from _passed_on_unchanged(step)
        yield from _not_summed(step)
    yield from _of_any_operation(step)


def _sum_with(step, contribution) -> np.ndarray:
    """The receiver's sum if this contribution had arrived instead of the right one."""
    return step.before + contribution if step.so_far.arrived > 1 else contribution


# ------------------------------------------------------------------------------- at any operation


def _not_added(step):
    yield Confusion(
        step.contribution,
        "That is the last contribution alone: it replaced what had arrived before. At a fork "
        f"the contributions add, and {notation.array(step.before)} was there already.",
    )
    yield Confusion(
        step.before,
        "That is only what had arrived before. This arrow's contribution is to be added.",
    )
    yield Confusion(
        step.before * step.contribution,
        "You multiplied the contributions of different paths. Factors multiply along a path; paths add.",
    )


def _passed_on_unchanged(step):
    if step.upstream.shape == step.receiver.shape:
        yield Confusion(
            _sum_with(step, step.upstream),
            f"You passed {step.gradient_name(step.node)} on unchanged. It must be multiplied by the local "
            f"derivative of {notation.expression(step.node)}.",
        )


def _not_summed(step):
    if step.upstream.shape != step.receiver.shape and step.upstream.size > 1:
        yield Confusion(
            step.upstream,
            f"A gradient has the shape of its variable. {step.mention(step.receiver)} was broadcast, so its "
            f"contributions add up: sum them to shape {notation.dimensions(step.receiver.shape)}.",
        )


def _of_any_operation(step):
    yield Confusion(
        _sum_with(step, step.flow(np.ones_like(step.upstream))),
        "That is the local derivative alone. Multiply it by the upstream gradient "
        f"{step.gradient_name(step.node)} = {notation.array(step.upstream)}.",
    )
    yield Confusion(-step.so_far.sum, f"The sign is turned round: check each sign in {step.formula}.")
    name, gradient = step.mention(step.receiver), step.gradient_name(step.receiver)
    yield Confusion(step.inputs[step.argument], f"That is the value of {name}, not {gradient}.")


# --------------------------------------------------------------------------- at certain operations


def _of_the_gate(step):
    name = step.mention(step.receiver)
    yield Confusion(
        _sum_with(step, step.upstream),
        f"You passed {step.gradient_name(step.node)} on everywhere. The gate is closed where {name} ≤ 0: "
        "nothing flows back there.",
    )
    yield Confusion(
        _sum_with(step, step.upstream * (step.inputs[step.argument] <= 0)),
        f"The gate is the other way round: it lets the gradient through where {name} > 0.",
    )


def _not_swapped(step):
    name = step.mention(step.receiver)
    with np.errstate(all="ignore"):
        by_itself = np.asarray(step.upstream * step.inputs[step.argument])
    if by_itself.shape == step.receiver.shape:
        yield Confusion(
            _sum_with(step, by_itself),
            f"You multiplied by {name} itself. A product swaps: the slope with respect to one "
            "factor is the other factor.",
        )


def _of_a_matrix_product(step):
    """The product of two vectors is a number, and nothing is transposed."""
    return _not_transposed(step) if step.node.ndim else _not_swapped(step)


def _not_transposed(step):
    x, y = step.operands
    g = step.upstream
    if step.argument == 0 and y.ndim == g.ndim == 1:
        yield Confusion(
            _sum_with(step, np.outer(y, g).reshape(step.receiver.shape)),
            f"Rows and columns are exchanged: row i of {step.gradient_name(step.receiver)} is what arrives "
            f"at entry i of {step.mention(step.node)}, times {step.factor(step.node.inputs[1])}.",
        )
        return
    try:
        wrong = x @ g if step.argument == 1 else g @ y
    except ValueError:
        return  # the shapes refuse, as they do whenever n ≠ m
    if wrong.shape == step.receiver.shape:
        yield Confusion(
            _sum_with(step, wrong),
            "The transpose is missing: the way back through a matrix is the matrix transposed.",
        )


def _of_a_square(step):
    yield from _exponent_lost(step, 2)


def _of_a_power(step):
    exponent = step.operands[1]
    if step.place == 0 and np.ndim(exponent) == 0 and exponent != 0:
        yield from _exponent_lost(step, exponent)


def _exponent_lost(step, exponent):
    text = notation.number(exponent)
    yield Confusion(
        _sum_with(step, step.contribution / exponent),
        "The exponent in front is lost: the derivative of "
        f"{notation.power(step.factor(step.receiver), text)} has the factor {text}.",
    )


def _of_a_mean(step):
    count = step.receiver.size // max(step.node.size, 1)
    yield Confusion(
        _sum_with(step, step.contribution * count),
        f"The 1/{count} of the mean is lost: each entry moves the mean only by 1/{count} of its own move.",
    )


def _sent_to_both(taken):
    """At ``np.maximum`` and ``np.minimum``; ``taken`` names the entry that the gradient goes to."""

    def confusions(step):
        if step.upstream.shape == step.receiver.shape:
            yield Confusion(
                _sum_with(step, step.upstream), f"The gradient goes only to the {taken}, not to both."
            )

    return confusions


OF_AN_OPERATION: dict[Callable, Callable[[Step], Iterator[Confusion]]] = {
    relu: _of_the_gate,
    np.multiply: _not_swapped,
    np.matmul: _of_a_matrix_product,
    np.square: _of_a_square,
    np.power: _of_a_power,
    np.mean: _of_a_mean,
    np.maximum: _sent_to_both("max"),
    np.minimum: _sent_to_both("min"),
}
"""{the function of an operation: the confusions at it}."""
