"""A run as the NumPy program that a person would write: one line for each step, both ways.

What must hold: run line after line, it gives the numbers of the records.
"""

from __future__ import annotations

from backprop_lab import notation
from backprop_lab.graph import Node, topological_order
from backprop_lab.records import Step
from backprop_lab.source import Namer, constant_text


def listing(J: Node, steps: list[Step]) -> tuple[list[str], dict[str, Node]]:
    """(a line for each of the records, {name in the program: the leaf that has to stand there first}).

    A gradient is called like its node, with ``grad_`` before it.
    """
    namer, names, leaves = Namer(), {}, {}
    for node in topological_order(J):
        if node.name:
            names[node] = namer(node.name)
        elif node.rule is None:
            names[node] = constant_text(node) or namer.numbered("c")
        else:
            names[node] = namer("J") if node is J else namer.numbered("t")
        if node.rule is None and names[node].isidentifier():
            leaves[names[node]] = node
    gradients = {step.receiver: None for step in steps if step.receiver is not None}
    for node in gradients:
        gradients[node] = namer(f"grad_{names[node]}")
    return [_line(step, names, gradients) for step in steps], leaves


def _line(step, names, gradients):
    if step.phase == "forward":
        return f"{names[step.node]} = {notation.expression(step.node, names.get, code=True)}"
    gradient = gradients[step.receiver]
    if step.is_seed:
        return f"{gradient} = {notation.literal(step.contribution[()])}"

    def write(node, value):
        return (gradients[step.node] if node is None else names[node]), notation.ATOM

    flow = step.written_flow(write, code=True)
    # not +=, which would change an array that another gradient may share
    return f"{gradient} = {flow}" if step.so_far.arrived == 1 else f"{gradient} = {gradient} + {flow}"
