"""Wrong answers that are likely at a step of the backward pass, and what each would mean.

Predict mode, the self-checks and the paper exercise all explain mistakes through this file. A
confusion is computed from the same numbers as the right answer, so it follows any graph and any
values.

What must hold: a confusion never equals the right answer, and no two of one step are equal, so that
an answer means at most one thing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backprop_lab.words import notation
from backprop_lab.words.arrays import frozen

ROUNDING = 1e-13  # of a number that ought to be zero


class Confusion(NamedTuple):
    """A likely wrong ``value``, and ``meaning``: the mistake that leads there."""

    value: np.ndarray
    meaning: str


def likely_confusions(step) -> tuple[Confusion, ...]:
    """The confusions of a backward step about the receiver's gradient as it stands after it."""
    if step.argument is None:
        return ()
    kept = [step.so_far.sum]
    confusions = []
    for value, meaning in _candidates(step):
        value = frozen(value)
        if any(same(value, other) for other in kept):
            continue
        kept.append(value)
        confusions.append(Confusion(value, meaning))
    return tuple(confusions)


def same(a, b, tolerance: float = 0.01) -> bool:
    """Whether two answers agree: equal shapes, entries within 1 % (near zero, of the largest entry's 1 %)."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    with np.errstate(invalid="ignore"):  # infinities subtract to nan, which agrees with nothing
        size = np.maximum(np.abs(b), 0.01 * np.abs(b).max(initial=0))
        return bool(np.all(np.abs(a - b) <= tolerance * size + ROUNDING))


def _candidates(step):
    """(value, meaning) of every mistake one can make here; the most telling ones first."""
    rule, receiver, node = step.node.rule, step.receiver, step.node
    name, gradient = step.mention(receiver), step.gradient_name(receiver)
    upstream, upstream_name = step.upstream, step.gradient_name(node)
    own = step.inputs[step.argument]

    def after(contribution):
        """The receiver's sum, had this contribution arrived instead of the right one."""
        return step.before + contribution if step.so_far.arrived > 1 else contribution

    if step.so_far.arrived > 1:
        yield Confusion(
            step.contribution,
            "That is the last contribution alone: it replaced what had arrived before. At a fork "
            f"the contributions add: {step.sum_numbers}.",
        )
        yield Confusion(
            step.before,
            "That is only what had arrived before. This arrow's contribution is to be added.",
        )
        yield Confusion(
            step.before * step.contribution,
            "You multiplied the contributions of different paths. Factors multiply along a path; paths add.",
        )
    fits = upstream.shape == receiver.shape
    if rule.name == "relu":
        yield Confusion(
            after(upstream),
            f"You passed {upstream_name} on everywhere. The gate is closed where {name} ≤ 0: "
            "nothing flows back there.",
        )
        yield Confusion(
            after(upstream * (own <= 0)),
            f"The gate is the other way round: it lets the gradient through where {name} > 0.",
        )
    if rule.name == "multiply" or (rule.name == "matmul" and node.ndim == 0):
        with np.errstate(all="ignore"):
            swapped = np.asarray(upstream * own)
        if swapped.shape == receiver.shape:
            yield Confusion(
                after(swapped),
                f"You multiplied by {name} itself. A product swaps: the slope with respect to one "
                "factor is the other factor.",
            )
    if rule.name == "square" or (rule.name == "power" and step.place == 0):
        exponent = step.operands[1] if rule.name == "power" else 2
        if np.ndim(exponent) == 0 and exponent != 0:
            text = notation.number(exponent)
            yield Confusion(
                after(step.contribution / exponent),
                "The exponent in front is lost: the derivative of "
                f"{notation.power(step.factor(receiver), text)} has the factor {text}.",
            )
    if rule.name == "matmul" and node.ndim > 0 and len(step.inputs) == 2:
        yield from _transposed(step, after)
    if rule.name == "mean":
        count = receiver.size // max(node.size, 1)
        yield Confusion(
            after(step.contribution * count),
            f"The 1/{count} of the mean is lost: each entry moves the mean only by 1/{count} of "
            "its own move.",
        )
    if rule.name in ("maximum", "minimum") and fits:
        yield Confusion(after(upstream), f"The gradient goes only to the {rule.name[:3]}, not to both.")
    if rule.kind == "elementwise" and fits and rule.name not in ("relu", "add", "positive"):
        yield Confusion(
            after(upstream),
            f"You passed {upstream_name} on unchanged. It must be multiplied by the local "
            f"derivative of {notation.expression(node)}.",
        )
    if not fits and rule.kind == "elementwise" and upstream.size > 1:
        yield Confusion(
            upstream,
            f"A gradient has the shape of its variable. {name} was broadcast, so its contributions "
            f"add up: sum them to shape {notation.dimensions(receiver.shape)}.",
        )
    yield Confusion(
        after(step.flow(np.ones_like(upstream))),
        "That is the local derivative alone. Multiply it by the upstream gradient "
        f"{upstream_name} = {notation.array(upstream)}.",
    )
    yield Confusion(-step.so_far.sum, f"The sign is turned round: check the signs in {step.numbers}.")
    yield Confusion(own, f"That is the value of {name}, not {gradient}.")


def _transposed(step, after):
    """The matrix product's classic: the Jacobian used without its transpose."""
    x, y = step.operands
    g = step.upstream
    try:
        wrong = x @ g if step.argument == 1 else np.outer(y, g) if y.ndim == 1 else g @ y
    except ValueError:
        return  # the shapes refuse, as they do whenever n ≠ m
    if wrong.shape == step.receiver.shape:
        yield Confusion(
            after(wrong),
            "The transpose is missing: the way back through a matrix is the matrix transposed.",
        )
