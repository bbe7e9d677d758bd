"""Which steps are worth a prediction, and what is asked about them.

Committing to an answer before it is shown helps if the step is surprising and the feedback explains it
(Hundhausen, Douglas & Stasko 2002; Brod 2021), so nothing is asked about trivial steps. Each kind of surprise
is asked about once, where it first occurs. The explanations of wrong answers come from ``confusions.py``.

What must hold: operations are recognised by their function, never by a name.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backprop_lab.exercises.confusions import likely_confusions
from backprop_lab.graph.node import Node
from backprop_lab.passes.records import Step
from backprop_lab.rules.networks import relu
from backprop_lab.words import notation

TOLERANCE = 0.01
MOST_NUMBERS = 6  # more than that is typing, not thinking

_COUNTS = {2: "Two arrows", 3: "Three arrows", 4: "Four arrows"}
_WHY = {
    "fork": "Arrows that come together add up.",
    "product": "A product swaps: the slope with respect to one factor is the other factor.",
    "gate": "relu lets the gradient through where its input is positive, and nothing elsewhere.",
    "max": "The gradient goes to the one that was taken; ties share equally.",
    "matrix": "The way back through a matrix is its transpose.",
    "weights": "A weight gets what arrives at its row, times the entry that it multiplies.",
    "shape": "What was broadcast forwards is summed backwards.",
    "mean": "Each entry of a mean of n moves it by 1/n.",
    "power": "The derivative of uᵏ is k · uᵏ⁻¹; multiply it by the upstream gradient.",
}


def _of_relu(step):
    return "gate" if (step.inputs[0] <= 0).any() else None


def _of_multiply(step):
    two_nodes = len(step.inputs) == len(step.operands)  # nothing surprises where one factor is a number
    return "product" if two_nodes else None


def _of_matmul(step):
    if step.node.ndim == 0:
        return "product"
    return "weights" if step.receiver.ndim > step.node.ndim else "matrix"


_OF_AN_OPERATION: dict[Callable, Callable[[Step], str | None]] = {
    relu: _of_relu,
    np.maximum: lambda step: "max",
    np.minimum: lambda step: "max",
    np.matmul: _of_matmul,
    np.multiply: _of_multiply,
    np.power: lambda step: "power",
    np.square: lambda step: "power",
    np.mean: lambda step: "mean",
}
"""{the function of an operation: the kind of surprise in a backward step through it}."""


def surprise(step: Step) -> str | None:
    """The kind of surprise in a step, or None."""
    if step.argument is None:
        return None
    assert step.receiver is not None and step.so_far is not None  # true of every arrow
    if step.so_far.of > 1:  # asked about once the sum is complete
        return "fork" if step.complete else None
    rule = step.node.rule
    if rule.kind == "elementwise" and step.receiver.shape != step.node.shape:
        return "shape"
    return _OF_AN_OPERATION[rule.function](step) if rule.function in _OF_AN_OPERATION else None


def questions(steps: list[Step]) -> dict[int, dict]:
    """{index of a step: what to ask before it}, ready to travel to the browser."""
    asked, kinds = {}, set()
    for step in steps:
        kind = surprise(step)
        if kind is None or kind in kinds:
            continue
        question = _question(step, kind)
        if question and question["wrong"]:  # nobody can go wrong where all is zero
            kinds.add(kind)
            asked[step.index] = question
    return asked


def _question(step: Step, kind: str) -> dict | None:
    """What to ask before a step; None if the answer is long or not finite."""
    assert step.receiver is not None and step.so_far is not None  # true of every arrow
    if step.receiver.size > MOST_NUMBERS or not np.isfinite(step.so_far.sum).all():
        return None
    name, count = step.gradient_name(step.receiver), step.receiver.size
    source = f"from {step.mention(step.node)} to {step.mention(step.receiver)}"
    if kind == "fork":
        assert step.before is not None  # other arrows have brought something
        arrows = _COUNTS.get(step.so_far.of, f"{step.so_far.of} arrows")
        text = (
            f"{arrows} leave {step.mention(step.receiver)}; so far {notation.array(step.before)} has come "
            f"back. With the last one, {name} = ?"
        )
    else:
        text = f"One arrow back, {source}: {name} = ?"
    explained = f"{step.formula}: {step.sum_numbers or step.numbers}. {_WHY[kind]}"
    form = "one number" if count == 1 else f"{count} numbers, with spaces between"
    return {
        "question": text,
        "form": f"({form}; within 1 %; an empty answer shows it)",
        "answer": step.so_far.sum.ravel().tolist(),
        "shown": notation.array(step.so_far.sum),
        "tolerance": TOLERANCE,
        "why": explained,
        "hint": _hint(step, step.receiver),
        "wrong": [
            {"value": wrong.value.ravel().tolist(), "why": wrong.meaning}
            for wrong in likely_confusions(step)
            if np.isfinite(wrong.value).all()
        ],
    }


def _hint(step: Step, receiver: Node) -> str:
    """What to do, for a wrong number that matches no known confusion."""
    assert step.upstream is not None  # true of every arrow
    hint = (
        f"Not that. Upstream {step.gradient_name(step.node)} is {notation.array(step.upstream)}; multiply it "
        f"by the local derivative of {step.mention(step.node)} with respect to {step.mention(receiver)}"
    )
    return hint + ("." if step.before is None else f", and add {notation.array(step.before)}.")
