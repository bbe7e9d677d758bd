"""``bl.fill_in``: a graph on paper, checked box by box, each wrong number diagnosed.

The learner writes numbers into a cell; no widget is involved. A number is compared with the record; a wrong
one is explained by the record's confusions, or recognised as right for the learner's own earlier numbers.
"""

from __future__ import annotations

import numpy as np

from backprop_lab import notation
from backprop_lab.confusions import same
from backprop_lab.graph import Node
from backprop_lab.passes import Step, steps


class Report:
    """The verdict on every box; prints as text. ``ok`` is True once all boxes are right."""

    def __init__(self, lines: list[tuple[str, str, str]]):
        self.lines = lines

    @property
    def ok(self) -> bool:
        """Whether every box holds the right number."""
        return all(mark == "✓" for mark, _, _ in self.lines)

    def __str__(self):
        width = max(len(box) for _, box, _ in self.lines)
        text = "\n".join(f"{mark} {box.ljust(width)}  {said}".rstrip() for mark, box, said in self.lines)
        filled = sum(mark != "·" for mark, _, _ in self.lines)
        right = sum(mark == "✓" for mark, _, _ in self.lines)
        return f"{text}\n{filled} of {len(self.lines)} boxes filled, {right} right"

    __repr__ = __str__


def fill_in(J: Node, values: dict | None = None, gradients: dict | None = None) -> Report:
    """Check numbers that were worked out by hand for the graph of ``J``.

    ``values`` and ``gradients`` map names of nodes to numbers (or lists of them); None leaves a box empty.
    Raises ValueError for a name that the graph does not have, or has twice.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> u = x * x
    >>> J = u + x
    >>> bl.fill_in(J, values={"u": 9, "J": None}, gradients={"x": 6})
    ✓ u      9
    · J
    ✗ ∂J/∂x  6: the arrow from J is missing: it brings 1.
    2 of 3 boxes filled, 1 right
    """
    values, gradients = values or {}, gradients or {}
    records = steps(J)
    nodes = _by_name(records)
    lines = []
    forward = {step.node: step for step in records if step.phase == "forward"}
    for name, given in values.items():
        step = forward.get(_find(nodes, name))
        if step is None:
            raise ValueError(f"fill_in: {name} is given, not computed; ask for its gradient instead")
        lines.append(
            _line(
                notation.symbol(name),
                given,
                step.value,
                lambda a, s=step: _value_slip(s, a, values),
            )
        )
    for name, given in gradients.items():
        node = _find(nodes, name)
        arrows = _arrows_to(records, node)
        if not arrows:
            raise ValueError(f"fill_in: no gradient flows to {name}; it is a constant")
        lines.append(
            _line(
                arrows[0].gradient_name(node),
                given,
                arrows[-1].so_far.sum,
                lambda answer, node=node: _gradient_slip(
                    _arrows_to(records, node), answer, gradients, records
                ),
            )
        )
    return Report(lines)


def _by_name(records: list[Step]) -> dict[str, list[Node]]:
    nodes: dict[str, list[Node]] = {}
    for node in dict.fromkeys(n for step in records for n in (*step.node.inputs, step.node)):
        if node.name:
            nodes.setdefault(node.name, []).append(node)
    return nodes


def _find(nodes, name) -> Node:
    found = nodes.get(name, [])
    if len(found) != 1:
        problem = "is not in this graph" if not found else f"is the name of {len(found)} nodes"
        raise ValueError(f"fill_in: {name!r} {problem}; its names: {', '.join(nodes)}")
    return found[0]


def _line(box, given, right, diagnose) -> tuple[str, str, str]:
    """(mark, box, what is said) for one box."""
    if given is None:
        return "·", box, ""
    try:
        answer = np.asarray(given, float)
    except (TypeError, ValueError):
        return "✗", box, f"{given!r} is not a number or a list of numbers"
    said = notation.array(answer)
    if same(answer, right):
        return "✓", box, said
    if answer.shape != right.shape:
        expected = notation.extent(right.shape)
        return "✗", box, f"{said}: {expected} expected; a gradient has the shape of its variable"
    return "✗", box, f"{said}: {diagnose(answer)}"


def _value_slip(step: Step, answer, values) -> str:
    """Why a value may be wrong: an earlier slip carried on, or this operation."""
    own = [values.get(node.name) for node in step.node.inputs]
    numbers = [
        right if mine is None else np.asarray(mine, float)
        for mine, right in zip(own, step.inputs, strict=True)
    ]
    operands = iter(numbers)
    arguments = [next(operands) if isinstance(a, Node) else a for a in step.node.arguments]
    with np.errstate(all="ignore"):
        follows = step.node.rule.compute(*arguments, **step.node.parameters)
    if same(answer, follows):
        wrong = [
            notation.mention(node)
            for node, mine, right in zip(step.node.inputs, numbers, step.inputs, strict=True)
            if not same(mine, right)
        ]
        return f"right for your own {', '.join(wrong)}; the slip is there."
    return f"compute {step.formula} once more."


def _arrows_to(records, node) -> list[Step]:
    return [step for step in records if step.receiver is node]


def _gradient_slip(arrows: list[Step], answer, gradients, records) -> str:
    """Why a gradient may be wrong: a slip above carried on, a known confusion, or the formula to use."""
    follows, wrong = 0, []
    for step in arrows:
        mine = gradients.get(step.node.name)
        if step.is_seed or mine is None or same(mine, step.upstream):
            follows = follows + step.contribution
        elif np.shape(mine) == step.node.shape:
            follows = follows + step.flow(np.asarray(mine, float))
            wrong.append(step.gradient_name(step.node))
    if wrong and same(answer, follows):
        return f"right for your own {', '.join(wrong)}; the slip is there."
    for value, meaning in _known_slips(arrows, records, depth=3):
        if same(answer, value):
            return meaning
    for step in arrows:
        if len(arrows) > 1 and same(answer, arrows[-1].so_far.sum - step.contribution):
            missing = notation.array(step.contribution)
            return f"the arrow from {notation.mention(step.node)} is missing: it brings {missing}."
    return "the arrows bring " + " and ".join(step.formula.split("= ", 1)[1] for step in arrows) + "."


def _known_slips(arrows, records, depth):
    """(wrong sum, what was confused): at these arrows, or above them where no box stands between."""
    for step in reversed(arrows):
        yield from step.confusions
    if depth == 0:
        return
    for step in arrows:
        if step.is_seed or step.node.name:
            continue
        for value, meaning in _known_slips(_arrows_to(records, step.node), records, depth - 1):
            if np.shape(value) == step.node.shape:
                yield arrows[-1].so_far.sum - step.contribution + step.flow(value), meaning
