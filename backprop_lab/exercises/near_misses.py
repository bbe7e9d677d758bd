"""What is wrong with a formula that is nearly right: the graph is tried with one change at a time.

What must hold: a mistake is named only if it explains the values at every point.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from backprop_lab.exercises.equivalence import REFUSALS, Point, close, reapplied, rebuilt
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import evaluate
from backprop_lab.words import notation

MOST_NODES = 24  # of a graph that is tried with every change
FIRST_POINTS = 6  # where a changed graph is tried before all other points
CONFUSED = (np.add, np.subtract, np.multiply, np.divide, np.matmul)


def meaning(J: Node, found: list[np.ndarray], at: list[Point]) -> str | None:
    """What was confused, if the values ``found`` at the points ``at`` show it, else None."""
    if len(found) < len(at):
        return None
    if relation := _relation(found, [point.value for point in at]):
        return relation
    if len(topological_order(J)) <= MOST_NODES:
        for changed, mistake in _changed(J):
            if _computes(changed, found[:FIRST_POINTS], at) and _computes(changed, found, at):
                return mistake
    return None


def _computes(node, values, at) -> bool:
    """Whether the node has these values at the points ``at``, as far as there are values."""
    try:
        return all(close(evaluate(node, point.given), value) for value, point in zip(values, at))
    except REFUSALS:
        return False


def _relation(found, right) -> str | None:
    """The mistake that the values alone show."""
    if found[0].ndim > 1 and all(close(a.T, b) for a, b in zip(found, right)):
        return "It is transposed: write .T behind it."
    if found[0].shape != right[0].shape:
        return None
    a, b = (np.concatenate([np.ravel(value) for value in values]).astype(float) for values in (found, right))
    return _relation_of_entries(a, b) if len(a) > 1 else None


def _relation_of_entries(a, b) -> str | None:
    with np.errstate(all="ignore"):
        largest = int(np.argmax(np.abs(b)))
        factor, apart = a[largest] / b[largest], a - b
        if close(a, -b):
            return "Only the sign is turned round."
        if factor and np.isfinite(factor) and close(a, factor * b):
            return f"Only a factor is wrong: yours is {notation.number(factor)} times as large."
        if np.ptp(apart) <= 1e-8 * max(1, np.abs(b).max()):
            return f"Only a constant is wrong: yours is {notation.number(apart[0])} more."
        if np.all(np.abs(b) > 0) and close(a * b, np.ones_like(a)):
            return "It is upside down: one over the right one."
    return None


# ---------------------------------------------------------------------- the graph with one mistake


def _changed(J) -> Iterator[tuple[Node, str]]:
    """(the graph with one mistake, what it means), the most telling first."""
    order = topological_order(J)
    leaves = [node for node in order if node.rule is None]
    inner = [node for node in order if node.rule is not None]
    for node in reversed(inner[:-1]):
        yield node, f"That is only as far as the card {notation.sign(node)}; the graph goes on from there."
    for change, mistake in chain(_wrong_operations(inner), _wrong_operands(inner, leaves)):
        try:
            yield rebuilt(order, {leaf: leaf for leaf in leaves}, change), mistake
        except REFUSALS:
            continue


def _wrong_operations(inner):
    """(the change, what it means) for mistakes about a node's own operation."""
    for node in inner:
        if len(node.inputs) == 1:
            yield from _of_one_input(node)
        if len(node.inputs) == 2 == len(node.arguments):
            yield from _of_two_inputs(node)


def _of_one_input(node):
    sign = notation.sign(node)
    yield _instead(node, lambda arguments: arguments[0]), f"{sign} is missing."
    before = node.inputs[0]
    if before.rule is not None and len(before.inputs) == 1:
        yield (
            _exchanged(before, node),
            f"{notation.sign(before)} comes first, then {sign}; yours has them the other way round.",
        )


def _of_two_inputs(node):
    sign = notation.sign(node)
    transposed = ", or one of them is transposed" if node.rule.function is np.matmul else ""
    yield (
        _instead(node, lambda arguments: reapplied(node, arguments[::-1])),
        f"At {sign} the two inputs are exchanged{transposed}: the upper arrow is the first.",
    )
    for function in CONFUSED:
        try:
            other = notation.sign(function(*node.inputs))
        except REFUSALS:
            continue
        yield (
            _instead(node, lambda arguments, function=function: function(*arguments)),
            f"{other} stands where the graph has {sign}.",
        )


def _wrong_operands(inner, leaves):
    """(the change, what it means) for arrows that begin at another node of the same shape."""
    for i, node in enumerate(inner):
        for place, operand in enumerate(node.arguments):
            for other in [*leaves, *inner[:i]] if isinstance(operand, Node) else ():
                if other is not operand and other.shape == operand.shape:
                    source = other.name and notation.symbol(other.name) if other.rule is None else None
                    yield (
                        _from(node, place, other),
                        f"Look where the arrows into {notation.sign(node)} begin: one of yours comes from "
                        f"{source or notation.sign(other)}.",
                    )


def _instead(changed, make):
    """The change that replaces the node ``changed`` by ``make(arguments)``."""
    return lambda node, made, arguments: make(arguments) if node is changed else reapplied(node, arguments)


def _from(changed, place, source):
    """The change that lets one arrow into ``changed`` begin at ``source``."""

    def change(node, made, arguments):
        if node is changed:
            arguments = [*arguments[:place], made[source], *arguments[place + 1 :]]
        return reapplied(node, arguments)

    return change


def _exchanged(first, second):
    """The change that swaps two operations that follow each other."""

    def change(node, made, arguments):
        if node is first or node is second:
            (operand,) = (a for a in arguments if isinstance(a, Node))
            node = second if node is first else first
            arguments = [operand if isinstance(a, Node) else a for a in node.arguments]
        return reapplied(node, arguments)

    return change
