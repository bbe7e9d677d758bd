"""The text of each position: what happens in words, the formula with its numbers, the local Jacobian.

It is HTML made from the records; all text is escaped here.

What must hold: all views of a step are written from one record, so that no two can disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from backprop_lab.exercises.bugs import Bug, WrongStep
from backprop_lab.graph.node import Node
from backprop_lab.learning.rounds import Update
from backprop_lab.passes.records import Step
from backprop_lab.words import notation

MOST_UPDATES = 4  # variables whose update is written out
LONGEST_COLUMN = 12  # numbers of a vector that are written out beside a local Jacobian


def opening(leaves: list[Node], forward: int, count: int, rounds: int) -> dict[str, str]:
    """The text of position 0: what is known before anything is computed. ``rounds``: of learning, or 0."""
    names = ", ".join(notation.mention(leaf) for leaf in leaves)
    often = "once" if rounds == 1 else f"{rounds} times"
    text = (
        f"Known from the start, and green: {names}. "
        f"{notation.counted(forward, 'step')} forward, then {count - forward} back"
        f"{f', then an update: {often}' if rounds else ''}. Press → to begin."
    )
    return {"panel": f"<p>{escape(text)}</p>", "jacobian": ""}


def forgotten(bug: Bug, harmless: bool) -> dict[str, str]:
    """The text of position 0 in a run with a bug."""
    parts = [
        f'<p><span class="bl-phase bl-phase-wrong">Bug:</span> {escape(bug.title)}</p>',
        f'<p class="bl-numbers-line">✗ {escape(bug.wrong_line)}<br>✓ {escape(bug.right_line)}</p>',
    ]
    if harmless:
        parts.append(f"<p>{escape(bug.no_harm)}</p>")
    return {"panel": "".join(parts), "jacobian": ""}


def updated(updates: Sequence[Update], batch: Iterable[Node], number: int, rounds: int) -> dict[str, str]:
    """The text after the updates of round ``number`` of ``rounds``, before the next round."""
    head, text = f"Update {number} of {rounds}:", "every variable takes a step against its gradient"
    shown = updates[:MOST_UPDATES]
    parts = [f'<p><span class="bl-phase bl-phase-update">{head}</span> {text}</p>']
    for update in shown:
        parts.append(f'<p class="bl-formula">{escape(update.formula)}</p>')
        parts.append(f'<p class="bl-numbers-line">= {escape(update.numbers)}</p>')
    left = len(updates) - len(shown)
    then = f"{notation.counted(left, 'more variable')} likewise. " if left else ""
    if batch:
        names = ", ".join(map(notation.mention, batch))
        then += f"The next batch stands at {names}. "
    if number < rounds:
        then += "What depends on them is unknown again."
    return {"panel": "".join([*parts, f"<p>{escape(then)}</p>" if then else ""]), "jacobian": ""}


def panel(step: Step, forward: int, count: int) -> dict[str, str]:
    """The text of the position right after ``step``.

    ``forward`` of the ``count`` steps belong to the forward pass.
    """
    if step.phase == "forward":
        place = f"Forward {step.index + 1} of {forward}"
    else:
        place = f"Backward {step.index - forward + 1} of {count - forward}"
    what, then = _in_words(step)
    parts = [
        f'<p><span class="bl-phase bl-phase-{step.phase}">{place}:</span> {escape(what)}</p>',
        f'<p class="bl-formula">{escape(step.formula)}</p>',
    ]
    if not step.is_seed:
        parts.append(f'<p class="bl-numbers-line">= {escape(step.numbers)}</p>')
    if step.sum_numbers:
        parts.append(f'<p class="bl-numbers-line">sum: {escape(step.sum_numbers)}, {step.so_far} arrived</p>')
    right = _right(step)
    if right:
        parts.append(f'<p class="bl-numbers-line bl-right">✗ wrong; right is: {escape(right)}</p>')
    if then:
        parts.append(f"<p>{escape(then)}</p>")
    if step.alarm:
        parts.append(f'<p class="bl-alarm"><b>⚠</b> {escape(step.alarm)}</p>')
    return {"panel": "".join(parts), "jacobian": _jacobian(step)}


def _right(step: Step) -> str:
    """The right formula and numbers for a step that a bug makes wrong; else nothing."""
    if not isinstance(step, WrongStep) or not step.differs:
        return ""
    right = step.right
    return ", sum ".join(filter(None, (f"{right.formula} = {right.numbers}", right.sum_numbers)))


def _in_words(step: Step) -> tuple[str, str]:
    """(what happens at this step, what follows from it) in words; the second may be empty."""
    node = step.mention(step.node)
    if step.phase == "forward":
        if step.node is step.cost:
            return f"{node} is computed", f"All nodes are green: the forward pass ends with {node}."
        return f"{node} is computed, since all its inputs are green", ""
    if step.is_seed:
        return (
            "the seed",
            f"A change of {node} changes {node} by just as much: every way back starts here.",
        )
    assert step.receiver is not None and step.so_far is not None  # true of every arrow
    receiver = step.mention(step.receiver)
    what = f"back from {node} to {receiver}"
    if step.contribution is None:  # only in a run with a bug
        return what, "NumPy refuses: the program stops here."
    left = step.so_far.of - step.so_far.arrived
    if left:
        more = "one more contribution" if left == 1 else f"{left} more contributions"
        return what, f"{receiver} is not red yet: it waits for {more}."
    if step.so_far.of > 1:
        every = "Both contributions" if step.so_far.of == 2 else f"All {step.so_far.of} contributions"
        return what, f"{every} have arrived: {receiver} is red."
    return what, ""


def _jacobian(step: Step) -> str:
    """(Local Jacobian)ᵀ · upstream = contribution, in numbers; empty for a step that follows no arrow back.

    In a run with a bug it is what it should be.
    """
    if step.argument is None:
        return ""
    if isinstance(step, WrongStep):
        return "<p>As it ought to be:</p>" + _jacobian(step.right)
    assert step.receiver is not None and step.upstream is not None  # true of every arrow of a right pass
    assert step.local is not None and step.contribution is not None
    name = f"∂{step.factor(step.node)}/∂{step.factor(step.receiver)}"
    upstream, arrives = step.gradient_name(step.node), f"what arrives at {step.mention(step.receiver)}"
    if isinstance(step.local, str):
        return (
            f"<p>{escape(name)}: {step.node.size} × {step.receiver.size}, {escape(step.local)}: too large to "
            f"show, and never built. Its transpose times {escape(upstream)} is {escape(arrives)}.</p>"
        )
    if step.local.size == 1:
        local, flow = (notation.number(a.ravel()[0]) for a in (step.local, step.contribution))
        upstream_number = notation.number(step.upstream.ravel()[0])
        return (
            f"<p>({escape(name)}) · {escape(upstream)} = {escape(arrives)}:<br>"
            f"{notation.bracket_minus(local)} · {notation.bracket_minus(upstream_number)} = {flow}</p>"
        )
    rows = "row by row, " if max(step.node.ndim, step.receiver.ndim) > 1 else ""
    return (
        f"<p>({escape(name)})ᵀ · {escape(upstream)} = {escape(arrives)}; {rows}"
        f"{step.local.shape[0]} × {step.local.shape[1]} before it is transposed:</p>"
        f'<div class="bl-product">{_table(step.local.T)} · '
        f"{_column(step.upstream, upstream)} = {_column(step.contribution, arrives)}</div>"
    )


def _column(array, name) -> str:
    if array.size > LONGEST_COLUMN:
        return escape(name)
    return _table(np.reshape(array, (-1, 1)))


def _table(matrix) -> str:
    rows = "".join("<tr>" + "".join(f"<td>{notation.number(v)}" for v in row) for row in matrix)
    return f'<table class="bl-jacobian">{rows}</table>'
