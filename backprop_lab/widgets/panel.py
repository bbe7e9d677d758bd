"""What stands under the picture at each position: formula, numbers, local Jacobian, running sum.

HTML made from the records, all text escaped here, and the same as one spoken line.
"""

from __future__ import annotations

from html import escape

import numpy as np

from backprop_lab import notation
from backprop_lab.records import Step

SMALL_JACOBIAN = 16  # entries that are shown at once; a larger one folds away


def opening(leaves: list, forward: int, count: int) -> tuple[str, str]:
    """(HTML, spoken line) of position 0: what is known before anything is computed."""
    names = ", ".join(notation.mention(leaf) for leaf in leaves)
    text = (
        f"Known from the start, and green: {names}. "
        f"{forward} steps forward, then {count - forward} back. Press → to begin."
    )
    return f"<p>{escape(text)}</p>", text


def panel(step: Step, forward: int, count: int) -> tuple[str, str]:
    """(HTML, spoken line) of the position at which ``step`` has just been taken.

    ``forward`` of the ``count`` steps are the forward pass's.
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
    if step.argument is not None:
        parts.append(_jacobian(step))
    if then:
        parts.append(f"<p>{escape(then)}</p>")
    if step.alarm:
        parts.append(f'<p class="bl-alarm"><b>⚠</b> {escape(step.alarm)}</p>')
        then += f" Attention: {step.alarm}"
    spoken = [f"{place}: {what}", step.formula, "" if step.is_seed else step.numbers]
    if step.sum_numbers:
        spoken.append(f"sum {step.sum_numbers}, {step.so_far} arrived")
    return "".join(parts), ". ".join(filter(None, [*spoken, then.rstrip(".")])) + "."


def _in_words(step: Step) -> tuple[str, str]:
    """What happens, and what follows from it."""
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
    receiver = step.mention(step.receiver)
    what = f"along the arrow from {node} to {receiver}"
    left = step.so_far.of - step.so_far.arrived
    if left:
        arrows = "one more arrow" if left == 1 else f"{left} more arrows"
        return what, f"{receiver} is not red yet: it waits for {arrows}."
    if step.so_far.of > 1:
        arrows = "Both arrows" if step.so_far.of == 2 else f"All {step.so_far.of} arrows"
        return what, f"{arrows} have arrived: {receiver} is red."
    return what, ""


def _jacobian(step: Step) -> str:
    label = f"∂{step.factor(step.node)}/∂{step.factor(step.receiver)}"
    flow = f"{label} transposed, times {step.gradient_name(step.node)}, is what flows."
    if isinstance(step.local, str):
        return (
            f"<details><summary>Local Jacobian {escape(label)}</summary><p>{step.node.size} × "
            f"{step.receiver.size}, {escape(step.local)}: too large to show, and never built. "
            f"{escape(flow)}</p></details>"
        )
    if step.local.size == 1:
        return f"<p>Local derivative {escape(label)} = {notation.number(step.local[0, 0])}</p>"
    rows = "".join(
        "<tr>" + "".join(f"<td>{notation.number(v)}</td>" for v in row) + "</tr>"
        for row in np.atleast_2d(step.local)
    )
    table = f'<table class="bl-jacobian"><tbody>{rows}</tbody></table>'
    if step.local.size <= SMALL_JACOBIAN:
        return f"<div>Local Jacobian {escape(label)} = {table}</div>"
    return (
        f"<details><summary>Local Jacobian {escape(label)}, {step.local.shape[0]} × {step.local.shape[1]}"
        f"</summary>{table}<p>{escape(flow)}</p></details>"
    )
