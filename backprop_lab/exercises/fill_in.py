"""``bl.fill_in``: a graph on paper, checked box by box, with a diagnosis of each wrong number.

The learner writes numbers into a cell; no widget is involved. Each number is compared with the record. A
wrong one is explained by the record's confusions, or recognised as right given the learner's earlier numbers.
For that this file runs a pass of its own over the learner's numbers; only the bug museum has another one.
"""

from __future__ import annotations

import numpy as np

from backprop_lab.exercises.confusions import likely_confusions, same
from backprop_lab.graph.node import Node
from backprop_lab.passes.passes import steps
from backprop_lab.passes.records import Step, operands_of
from backprop_lab.rules.vector_jacobian import vector_jacobian
from backprop_lab.words import notation
from backprop_lab.words.naming import folded


class Report:
    """The verdict on every box; prints as text. ``ok`` is True once all boxes are right."""

    def __init__(self, lines: list[tuple[str, str, str]]):
        self.lines = lines

    @property
    def ok(self) -> bool:
        """Whether every box holds the right number."""
        return self.right == len(self.lines)

    @property
    def right(self) -> int:
        """How many boxes hold the right number."""
        return sum(mark == "✓" for mark, _, _ in self.lines)

    def __str__(self):
        width = max(len(box) for _, box, _ in self.lines)
        text = "\n".join(f"{mark} {box.ljust(width)}  {words}".rstrip() for mark, box, words in self.lines)
        filled = sum(mark != "·" for mark, _, _ in self.lines)
        return f"{text}\n{filled} of {len(self.lines)} boxes filled, {self.right} right"

    __repr__ = __str__


def fill_in(J: Node, values: dict | None = None, gradients: dict | None = None) -> Report:
    """Check numbers that were worked out by hand for the graph of ``J``.

    ``values`` and ``gradients`` map nodes, or their names, to numbers (or lists of them); None leaves a box
    empty. Raises ValueError if the graph has no node of that name, or more than one.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> u = x * x
    >>> J = u + x
    >>> bl.fill_in(J, values={"u": 9, "J": None}, gradients={"x": 6})
    ✓ u      9
    · J
    ✗ ∂J/∂x  6: what comes back from J is missing: 1.
    2 of 3 boxes filled, 1 right
    """
    values, gradients = _named(values), _named(gradients)
    if not values and not gradients:
        raise ValueError('fill_in: no box is named; write values={"u": None} or gradients={"w": None}')
    records = steps(J)
    nodes = _by_name(records)
    given = {("value", _find(nodes, name)): box for name, box in values.items()}
    given |= {("gradient", _find(nodes, name)): box for name, box in gradients.items()}
    run = _OwnRun(records, given)
    forward = {step.node: step for step in records if step.phase == "forward"}
    lines = []
    for name, box in values.items():
        step = forward.get(_find(nodes, name))
        if step is None:
            raise ValueError(f"fill_in: {name} is given, not computed; ask for its gradient instead")
        advice = f"compute {step.formula} once more."
        lines.append(_line(notation.symbol(name), box, "value", step.node, step.value, run, [], advice))
    for name, box in gradients.items():
        node = _find(nodes, name)
        arrows = _arrows_to(records, node)
        if not arrows:
            raise ValueError(f"fill_in: no gradient flows to {name}; it is a constant")
        right, label = _sum_after(arrows), arrows[0].gradient_name(node)
        brought = " and ".join(step.formula.split("= ", 1)[1] for step in arrows)
        slips = [*_missing_arrows(arrows), *_known_slips(arrows, records, depth=3)]
        lines.append(_line(label, box, "gradient", node, right, run, slips, f"what comes back is {brought}."))
    return Report(lines)


def _named(boxes: dict | None) -> dict:
    """{name: box}; a node may stand for its name."""
    if not isinstance(boxes or {}, dict):
        raise TypeError(f'fill_in: boxes are given by name, such as values={{"u": 3}}, not {boxes!r}')
    return {getattr(key, "name", key): box for key, box in (boxes or {}).items()}


class _OwnRun:
    """Both passes, continued at every filled box with the learner's own number.

    ``expected[kind, node]`` is what follows from the boxes before; ``because[kind, node]`` names the nearest
    wrong boxes that this depends on.
    """

    def __init__(self, records: list[Step], boxes: dict):
        self.expected: dict[tuple[str, Node], np.ndarray] = {}
        self.because: dict[tuple[str, Node], list[str]] = {}
        self._boxes = boxes
        self._values: dict[Node, np.ndarray] = {}
        self._slopes: dict[Node, np.ndarray] = {}
        self._blame: dict[tuple[str, Node], list[str]] = {}  # the wrong boxes that a number comes from
        with np.errstate(all="ignore"):
            for step in records:
                if step.phase == "forward":
                    self._compute(step)
                else:
                    self._send(step)

    def _compute(self, step):
        value = np.asarray(step.node.rule.compute(*self._operands(step), **step.node.parameters))
        self._blame["value", step.node] = self._blamed(step.node.inputs)
        self._values[step.node] = self._own("value", step.node, value, step.value, step.mention(step.node))

    def _send(self, step):
        receiver, flow = step.receiver, step.contribution
        if not step.is_seed:
            value, upstream = self._values.get(step.node, step.value), self._slopes[step.node]
            flow = vector_jacobian(step.node, step.place, upstream, value, self._operands(step))
            reasons = self._blame.setdefault(("gradient", receiver), [])
            reasons += self._blame["gradient", step.node]
            reasons += self._blamed(self._read(step, flow, upstream))
        slope = self._slopes.get(receiver, 0) + np.asarray(flow)
        if step.complete:
            slope = self._own("gradient", receiver, slope, step.so_far.sum, step.gradient_name(receiver))
        self._slopes[receiver] = slope

    def _operands(self, step) -> list:
        """The node's arguments with the learner's own numbers."""
        inputs = zip(step.node.inputs, step.inputs, strict=True)
        return operands_of(step.node, [self._values.get(node, value) for node, value in inputs])

    def _own(self, kind, node, follows, right, label):
        """The number to continue with; what follows from the boxes before is kept."""
        self.expected[kind, node] = follows
        self.because[kind, node] = reasons = list(dict.fromkeys(self._blame.get((kind, node), ())))
        box = _number(self._boxes.get((kind, node)))
        if box is None or box.shape != right.shape:
            self._blame[kind, node] = reasons
            return follows
        self._blame[kind, node] = [] if same(box, right) else [label]
        return box

    def _blamed(self, nodes) -> list[str]:
        return [label for node in nodes for label in self._blame.get(("value", node), ())]

    def _read(self, step, flow, upstream):
        """The nodes whose values this arrow depends on: with the right value it brings something else."""
        nodes = [*step.node.inputs, step.node]
        right: dict[Node, np.ndarray] = dict(zip(nodes, [*step.inputs, step.value], strict=True))
        for node in nodes:
            numbers = {n: right[n] if n is node else self._values.get(n, right[n]) for n in nodes}
            operands = operands_of(step.node, [numbers[n] for n in step.node.inputs])
            if not same(vector_jacobian(step.node, step.place, upstream, numbers[step.node], operands), flow):
                yield node


def _number(box) -> np.ndarray | None:
    """The content of a box as an array, or None."""
    try:
        return None if box is None else np.asarray(box, float)
    except (TypeError, ValueError):
        return None


def _by_name(records: list[Step]) -> dict[str, list[Node]]:
    nodes: dict[str, list[Node]] = {}
    for node in dict.fromkeys(n for step in records for n in (*step.node.inputs, step.node)):
        if node.name:
            nodes.setdefault(folded(node.name), []).append(node)
    return nodes


def _find(nodes, name) -> Node:
    found = nodes.get(folded(name), [])
    if len(found) != 1:
        problem = "is not in this graph" if not found else f"is the name of {len(found)} nodes"
        raise ValueError(f"fill_in: {name!r} {problem}; its names: {', '.join(nodes)}")
    return found[0]


def _line(label, box, kind, node, right, run, slips, otherwise) -> tuple[str, str, str]:
    """(mark, label, comment) for one box."""
    if box is None:
        return "·", label, ""
    answer = _number(box)
    if answer is None:
        return "✗", label, f"{box!r} is not a number or a list of numbers"
    written = notation.array(answer)
    if same(answer, right):
        return "✓", label, written
    if answer.shape != right.shape:
        owner = "a gradient has the shape of its variable" if kind == "gradient" else "look at the shapes"
        return "✗", label, f"{written}: {notation.extent(right.shape)} expected; {owner}"
    before = " and ".join(run.because[kind, node])
    if before and same(answer, run.expected[kind, node]):
        return "✗", label, f"{written}: right for your own {before}; look there first."
    meanings = (meaning for value, meaning in slips if same(answer, value))
    return "✗", label, f"{written}: {next(meanings, otherwise)}"


def _sum_after(arrows: list[Step]) -> np.ndarray:
    """The gradient once all these arrows have arrived."""
    so_far = arrows[-1].so_far
    assert so_far is not None  # true of every record of the backward pass
    return so_far.sum


def _missing_arrows(arrows):
    """(wrong sum, what is missing) for a node that several arrows lead to."""
    for step in arrows if len(arrows) > 1 else ():
        brings = notation.array(step.contribution)
        missing = f"what comes back from {step.mention(step.node)} is missing: {brings}."
        yield _sum_after(arrows) - step.contribution, missing


def _arrows_to(records, node) -> list[Step]:
    return [step for step in records if step.receiver is node]


def _known_slips(arrows, records, depth):
    """(wrong sum, what was confused): at these arrows, or above them where no box lies in between."""
    for step in reversed(arrows):
        yield from likely_confusions(step)
    if depth == 0:
        return
    for step in arrows:
        if step.is_seed or step.node.name:
            continue
        for value, meaning in _known_slips(_arrows_to(records, step.node), records, depth - 1):
            if np.shape(value) == step.node.shape:
                yield _sum_after(arrows) - step.contribution + step.flow(value), meaning
