"""What is wrong with a formula that is nearly right: the graph itself, changed at one place, is tried.

What must hold: nothing is said that is not so at every point.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backprop_lab.exercises.equivalence import REFUSALS, Point, again, close, rebuilt
from backprop_lab.graph.node import RULES, Node, topological_order
from backprop_lab.graph.operation import apply
from backprop_lab.passes.passes import evaluate
from backprop_lab.words import notation

MOST_NODES = 24  # of a graph that is changed at every place
CONFUSED = (np.add, np.subtract, np.multiply, np.divide, np.matmul)
FEW = 6  # points that a changed graph is tried at before all


def meaning(J: Node, found: list[np.ndarray], at: list[Point]) -> str | None:
    """What was confused, if the values ``found`` at the points ``at`` tell; else None."""
    if len(found) < len(at):
        return None
    for said in _relations(found, [point.value for point in at]):
        return said
    if len(topological_order(J)) <= MOST_NODES:
        for changed, said in _changed(J):
            if all(_has(changed, value, point) for value, point in zip(found[:FEW], at)) and all(
                _has(changed, value, point) for value, point in zip(found, at)
            ):
                return said
    return None


def _has(node, value, point) -> bool:
    try:
        return close(evaluate(node, point.given), value)
    except REFUSALS:
        return False


def _relations(found, right) -> Iterator[str]:
    """What the values alone tell."""
    if found[0].ndim > 1 and all(close(a.T, b) for a, b in zip(found, right)):
        yield "It is transposed: write .T behind it."
    if found[0].shape != right[0].shape:
        return
    a, b = (np.concatenate([np.ravel(value) for value in values]).astype(float) for values in (found, right))
    if len(a) < 2:
        return
    with np.errstate(all="ignore"):
        biggest = int(np.argmax(np.abs(b)))
        factor = a[biggest] / b[biggest]
        apart = a - b
        if close(a, -b):
            yield "Only the sign is turned round."
        elif factor and np.isfinite(factor) and close(a, factor * b):
            yield f"Only a factor is wrong: yours is {notation.number(factor)} times as large."
        elif np.ptp(apart) <= 1e-8 * max(1, np.abs(b).max()):
            yield f"Only a constant is wrong: yours is {notation.number(apart[0])} more."
        elif np.all(np.abs(b) > 0) and close(a * b, np.ones_like(a)):
            yield "It is upside down: one over the right one."


def _changed(J) -> Iterator[tuple[Node, str]]:
    """(the graph with one mistake, what it means), the most telling ones first."""
    order = topological_order(J)
    inner = [node for node in order if node.rule is not None]
    for node in reversed(inner[:-1]):
        yield node, f"That is only as far as the card {notation.sign(node)}; the graph goes on from there."
    for change, said in _mistakes(inner, order):
        try:
            yield rebuilt(order, {node: node for node in order if node.rule is None}, change), said
        except REFUSALS:
            continue


def _mistakes(inner, order):
    for node in inner:
        sign = notation.sign(node)
        if len(node.inputs) == 1:
            yield _instead(node, lambda args: args[0]), f"{sign} is missing."
            before = node.inputs[0]
            if before.rule is not None and len(before.inputs) == 1:
                yield (
                    _exchanged(before, node),
                    f"{notation.sign(before)} comes first, then {sign}; yours has them the other way round.",
                )
        if len(node.inputs) == 2 == len(node.arguments):
            transposed = ", or one of them is transposed" if node.rule.function is np.matmul else ""
            yield (
                _instead(node, lambda args, node=node: again(node, args[::-1])),
                f"At {sign} the two inputs are exchanged{transposed}: the upper arrow is the first.",
            )
            for rule in (RULES[function] for function in CONFUSED):
                try:
                    other = notation.sign(apply(rule, *node.inputs))
                except REFUSALS:
                    continue
                yield (
                    _instead(node, lambda args, rule=rule: apply(rule, *args)),
                    f"{other} stands where the graph has {sign}.",
                )
    leaves = [node for node in order if node.rule is None]
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
    """The change that makes ``changed`` by ``make(args)``."""
    return lambda node, made, args: make(args) if node is changed else again(node, args)


def _from(changed, place, source):
    """The change that lets an arrow into ``changed`` begin at ``source``."""

    def change(node, made, args):
        if node is changed:
            args = [*args[:place], made[source], *args[place + 1 :]]
        return again(node, args)

    return change


def _exchanged(first, second):
    """The change that takes two operations, one after the other, in the other order."""

    def change(node, made, args):
        if node is first or node is second:
            (operand,) = (a for a in args if isinstance(a, Node))
            node = second if node is first else first
            args = [operand if isinstance(a, Node) else a for a in node.arguments]
        return again(node, args)

    return change
