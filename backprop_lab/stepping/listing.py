"""A run as the NumPy program that a person would write: a line for each step of both passes and each update.

What must hold: run line by line, the program gives the numbers of the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from keyword import iskeyword

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.learning.rounds import Round
from backprop_lab.program.source import Namer, constant_text
from backprop_lab.words import notation


class Listing:
    """The program of a run: its ``lines``, and ``leaves``: {name in the program: leaf}.

    ``of_steps`` has the line of each step. A gradient has the name of its node with ``grad_`` before it. The
    program of learning is a loop.
    """

    def __init__(self, J: Node, rounds: Sequence[Round]):
        order, round = topological_order(J), rounds[0]
        self._namer = Namer()
        self._called = self._namer.operations(order)
        self._names = {node: self._name(node, J) for node in order}
        self.leaves = {
            name: node
            for node, name in self._names.items()
            if node.rule is None and name.isidentifier() and not iskeyword(name)
        }
        rates = {update.learning_rate for r in rounds for update in r.updates}
        self._rate = notation.literal(float(rates.pop())) if len(rates) == 1 else "learning_rate"
        receivers = dict.fromkeys(step.receiver for step in round.steps if step.receiver is not None)
        self._gradients = {node: self._namer(f"grad_{self._names[node]}") for node in receivers}
        self.lines = [self._step(step) for step in round.steps]
        self.of_steps = range(len(self.lines))
        if round.updates:
            self.lines += map(self._update, round.updates)
            batch = ", ".join(self._names[leaf] for leaf in round.batch)
            head = f"for {batch} in batches:" if batch else "while True:"
            self.lines = [head, *(f"    {line}" for line in self.lines)]
            self.of_steps = range(1, len(round.steps) + 1)

    def between_rounds(self, number: int) -> list[int]:
        """[first, end) of the lines that are run between the rounds ``number`` − 1 and ``number``."""
        return [self.of_steps.stop, len(self.lines)] if number else [0, self.of_steps.start]

    def _name(self, node, J) -> str:
        if node.name:
            return self._namer(node.name)
        if node.rule is None:
            return constant_text(node) or self._namer.numbered("c")
        return self._namer("J") if node is J else self._namer.numbered("t")

    def _step(self, step) -> str:
        names, gradients = self._names, self._gradients
        if step.phase == "forward":
            written = notation.written_out(step.node, names.get, code=True, called=self._called)
            return f"{names[step.node]} = {written.text}"
        gradient = gradients[step.receiver]
        if step.is_seed:
            return f"{gradient} = {notation.literal(step.contribution[()])}"

        def write(node, value):
            if node is None:
                return notation.Part(gradients[step.node])
            return notation.Part(names.get(node) or constant_text(node) or f"np.array({value.tolist()})")

        flow = step.written_flow(write, code=True)
        # not +=, which would change an array that another gradient may share
        added = step.before is not None and step.sign == "+="
        return f"{gradient} = {gradient} + {flow}" if added else f"{gradient} = {flow}"

    def _update(self, update) -> str:
        name = self._names[update.variable]
        return f"{name} = {name} - {self._rate} * {self._gradients[update.variable]}"
