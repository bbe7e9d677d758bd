"""NaN and infinity: reported once in a pass, at the first node that made one.

What must hold: the pass goes on, as NumPy does, unless it was asked to stop; a warning points at the
learner's own line.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.words import notation
from backprop_lab.words.arrays import finite
from backprop_lab.words.naming import in_package


class NonFiniteWarning(RuntimeWarning):
    """A NaN or an infinity appeared; the message names the first node that made it."""


class NonFiniteError(ValueError):
    """A NaN or an infinity appeared in a pass that was asked to stop there."""


_REMEDIES = {
    np.log: "keep its argument positive, also in a branch that np.where does not take: "
    "np.log(np.where(x > 0, x, 1))",
    np.divide: "keep the divisor away from 0, also in a branch that np.where does not take",
    np.sqrt: "keep its argument positive, also in a branch that np.where does not take",
}
"""{function that makes an operation: how the learner keeps a NaN or an infinity away}."""


class Report:
    """Reports once in a pass, as ``mode`` asks, the first node that makes a NaN or an infinity."""

    def __init__(self, mode: str, send: Callable[[str], None] | None = None):
        if mode not in ("warn", "raise", "ignore"):
            raise ValueError(f'on_nonfinite is "warn", "raise" or "ignore", not {mode!r}')
        self.mode = mode
        self.suspicious = False
        self._send = send or (_raise if mode == "raise" else _warn)

    def watching(self) -> np.errstate:
        """A context in which the processor's own flags make the report suspicious, which costs no time.

        NumPy's warnings are silenced: they do not know the node.
        """
        if self.mode == "ignore":
            return np.errstate(all="ignore")
        return np.errstate(over="call", divide="call", invalid="call", under="ignore", call=self._flagged)

    def _flagged(self, kind: str, flag: int) -> None:
        self.suspicious = True

    def _report(self, message: str, node: Node) -> None:
        if node.rule is not None and node.rule.function in _REMEDIES:
            message += f"; {_REMEDIES[node.rule.function]}"
        self.mode = "ignore"
        self._send(message)

    def given(self, node: Node, value: np.ndarray) -> None:
        """Report a leaf that was given a NaN or an infinity."""
        if self.mode != "ignore" and value.dtype.kind == "f" and not finite(value):
            self._report(f"{notation.mention(node, code=True)} was given {first_nonfinite(value)}", node)

    def made(self, node: Node, value: np.ndarray, operands: Iterable[np.ndarray]) -> None:
        """Report a node whose value has one although its operands have none."""
        if self.mode == "ignore" or finite(value) or not all(np.isfinite(o).all() for o in operands):
            return
        inputs = ", ".join(
            f"{notation.mention(a)} = {notation.array(o)}"
            for a, o in zip(node.arguments, operands, strict=True)
            if isinstance(a, Node)
        )
        name = notation.mention(node, code=True)
        self._report(f"{name} became {first_nonfinite(value)} from {inputs}", node)

    def sent(self, node: Node, receiver: Node, upstream, contribution, value) -> None:
        """Report an arrow that carries one although the gradient of its node has none."""
        if self.mode == "ignore" or contribution is upstream or finite(contribution) or not finite(upstream):
            return
        name, target = notation.mention(node, code=True), notation.mention(receiver)
        flow = f"the gradient that {name} sends to {target} is {first_nonfinite(contribution)}"
        self._report(f"{flow}, at {target} = {notation.array(value)}", node)


def _raise(message: str) -> None:
    raise NonFiniteError(message)


def _warn(message: str) -> None:
    level, frame = 1, sys._getframe()
    while in_package(frame) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back  # the warning points at the learner's own line
    warnings.warn(message, NonFiniteWarning, stacklevel=level)


def first_nonfinite(value: np.ndarray) -> str:
    """The first entry that is not finite, and its place."""
    where = np.argwhere(~np.isfinite(value))[0]
    text = notation.number(value[tuple(where)])
    return f"{text} at entry {[int(i) for i in where]}" if len(where) else text
