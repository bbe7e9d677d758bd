"""The record of one step of a pass: what happened, written in symbols and in numbers.

Pictures, widgets, tables and tests read these records and compute nothing of their own.

What must hold: a record never changes; its formula is written from the rule itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backprop_lab.graph.leaves import constant
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import places, topological_order
from backprop_lab.rules.vector_jacobian import vector_jacobian
from backprop_lab.words import notation
from backprop_lab.words.arrays import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

DEEPEST = 50  # operations that a rule nests, at most
LARGEST_LOCAL = 36  # entries of a local Jacobian that are still worth looking at


class SoFar(NamedTuple):
    """The running sum of a gradient: its value, how many arrows have arrived, and of how many."""

    sum: np.ndarray
    arrived: int
    of: int

    def __str__(self):
        return f"{self.arrived} of {self.of}"


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One thing that happens in a pass. Arrays are read-only; records compare by identity.

    A forward record says that ``node`` got its ``value`` from the values of its ``inputs``. The
    backward pass opens with the seed's record (``receiver`` is the cost itself, ``upstream`` None);
    then each record is one arrow: from ``node``, whose gradient ``upstream`` is complete, the
    ``contribution`` = ``local``ᵀ · upstream flows into ``receiver``, which stands at place
    ``argument`` among the node's inputs. ``before`` and ``so_far`` are the receiver's running sum
    without and with it (before the first arrow it is None), ``complete`` says whether this was its
    last arrow. The first step that made a NaN or an infinity has an ``alarm``, which says how.
    """

    phase: str
    index: int
    cost: Node
    node: Node
    inputs: tuple[np.ndarray, ...]
    value: np.ndarray
    receiver: Node | None = None
    argument: int | None = None
    upstream: np.ndarray | None = None
    contribution: np.ndarray | None = None
    before: np.ndarray | None = None
    so_far: SoFar | None = None
    complete: bool = True
    alarm: str | None = None

    @property
    def is_seed(self) -> bool:
        """Whether this is the record that opens the backward pass."""
        return self.phase == "backward" and self.argument is None

    @cached_property
    def operands(self) -> tuple:
        """The node's arguments as numbers: its inputs' values, and literals in their places."""
        return tuple(operands_of(self.node, self.inputs))

    @cached_property
    def local(self) -> np.ndarray | str | None:
        """The local Jacobian ∂node/∂receiver, n outputs × m inputs, both counted row by row.

        At most 36 entries; a larger one is named by its kind. None for forward records and the
        seed.
        """
        if self.argument is None or self.receiver is None:
            return None
        n, m = self.node.size, self.receiver.size
        if n * m > LARGEST_LOCAL:
            rule = self.node.rule
            kinds = {"elementwise": "diagonal", "linear": f"transpose of {rule.name}"}
            return kinds.get(rule.kind, rule.kind)
        if self.node.rule.kind == "elementwise" and self.node.shape == self.receiver.shape:
            return frozen(np.diag(self.flow(np.ones(self.node.shape, self.node.dtype)).ravel() + 0))
        rows = [
            self.flow(basis.reshape(self.node.shape)).reshape(m) for basis in np.eye(n, dtype=self.node.dtype)
        ]
        return frozen(np.array(rows).reshape(n, m) + 0)  # + 0: no negative zeros

    @property
    def place(self) -> int:
        """Where the receiver stands among the node's arguments, literals counted."""
        assert self.argument is not None  # asked of the record of an arrow
        return places(self.node)[self.argument]

    def flow(self, upstream: npt.ArrayLike) -> np.ndarray:
        """What would flow into the receiver if ``upstream`` flowed into the node, with these values."""
        with np.errstate(all="ignore"):
            return np.asarray(self._sent(upstream, self.value, self.operands))

    def _sent(self, upstream, value, operands):
        """What flows into the receiver: an array from arrays, or a node from nodes, to write it from."""
        return vector_jacobian(self.node, self.place, upstream, value, operands)

    @cached_property
    def formula(self) -> str:
        """What happens, in symbols: ``a = W x``, ``∂J/∂w = ∂J/∂ŷ · h``."""
        if self.phase == "forward":
            written = notation.expression(self.node)
            return f"{notation.symbol(self.node.name)} = {written}" if self.node.name else written
        if self.is_seed:
            return f"{self.gradient_name(self.cost)} = {notation.array(self._arriving)}"
        assert self.receiver is not None  # this is the record of an arrow
        return f"{self.gradient_name(self.receiver)} {self.sign} {self.written_flow(self._symbols)}"

    @property
    def _arriving(self) -> np.ndarray:
        """The contribution of a backward record; one that NumPy refused has none, and no numbers to write."""
        assert self.contribution is not None
        return self.contribution

    @property
    def sign(self) -> str:
        """``+=`` where several contributions meet, else ``=``."""
        return "=" if self.so_far is None or self._is_alone(self.so_far) else "+="

    def _is_alone(self, so_far: SoFar) -> bool:
        """Whether nothing else flows into the receiver."""
        return so_far.of == 1 and self.before is None

    @cached_property
    def numbers(self) -> str:
        """The formula with values put in: ``−6 · (0, 7) = (0, −42)``."""
        if self.phase == "forward":
            values = dict(zip(self.node.inputs, self.inputs, strict=True))
            written = notation.expression(
                self.node,
                lambda operand: self._values(operand, values[operand]),
                depth=0,
            )
            return f"{written} = {notation.array(self.value)}"
        result = notation.array(self._arriving)
        if self.is_seed:
            return result
        written = self.written_flow(self._values)
        return result if written == result else f"{written} = {result}"

    @cached_property
    def sum_numbers(self) -> str | None:
        """The sum where several arrows meet: ``(0, −42) + (20, 8) = (20, −34)``; else None."""
        if self.so_far is None or self._is_alone(self.so_far):
            return None
        if self.before is None:
            return notation.array(self.so_far.sum)
        before = notation.array(self.before)
        now = notation.bracket_minus(notation.array(self._arriving))
        return f"{before} + {now} = {notation.array(self.so_far.sum)}"

    def gradient_name(self, node: Node) -> str:
        """``∂J/∂w`` for a node of this graph."""
        return f"∂{self.mention(self.cost)}/∂{self.factor(node)}"

    def mention(self, node: Node) -> str:
        """What a node is called in a sentence; a cost without a name is called J."""
        return "J" if node is self.cost and node.name is None else notation.mention(node)

    def factor(self, node: Node) -> str:
        """A node as a factor of a formula, in brackets where it needs them."""
        return "J" if node is self.cost and node.name is None else notation.factor(node)

    def written_flow(
        self, write: Callable[[Node | None, np.ndarray], notation.Part], code: bool = False
    ) -> str:
        """The gradient's own small graph, from the rule, as text.

        ``write(node, value)`` gives the text of an argument, of the node itself, of a constant in the rule,
        and for ``(None, upstream)`` that of the node's gradient, each with how strongly it binds. A formula
        leaves out what is nested deep; ``code`` is complete.
        """
        texts: dict[Node, notation.Part] = {}

        def stand_in(node, value, like: Node) -> Node:
            leaf = constant("·", shape=like.shape)
            texts[leaf] = write(node, value)
            return leaf

        given = iter(self.inputs)
        operands = [stand_in(a, next(given), a) if isinstance(a, Node) else a for a in self.node.arguments]
        result = stand_in(self.node, self.value, self.node)
        upstream = stand_in(None, self.upstream, self.node)
        flow = self._sent(upstream, result, operands)
        if flow.rule is None:
            return texts[flow].text
        for node in topological_order(flow):
            if node.rule is None and node not in texts:
                assert node.value is not None  # a constant of the rule's own
                texts[node] = write(node, node.value)
        return notation.expression(flow, texts.get, code=code, depth=DEEPEST if code else 3)

    def _symbols(self, node: Node | None, value: np.ndarray) -> notation.Part:
        """A node, or the gradient that flows in, as a part of a formula."""
        if node is not None:
            return notation.part(node)
        # a fraction such as ∂J/∂z needs brackets under a transpose or a power only
        return notation.Part(self.gradient_name(self.node), notation.POWER)

    def _values(self, node: Node | None, value: np.ndarray) -> notation.Part:
        """A small array as its numbers; a large one as in the formula."""
        return notation.Part(notation.array(value)) if value.size <= 12 else self._symbols(node, value)

    def __repr__(self):
        return f"<Step {str(self).strip()}>"

    def __str__(self):
        if self.phase == "forward":
            parts = [self.formula, self.numbers]
        elif self.is_seed:
            parts = [self.formula, "the seed"]
        else:
            parts = [self.formula, self.numbers]
            if self.sum_numbers:
                parts.append(f"{self.sum_numbers}, {self.so_far} arrived")
        return f"{self.index + 1:3}  {self.phase:8}  " + "   ".join(parts)


def operands_of(node: Node, values: Iterable[np.ndarray]) -> list:
    """The node's arguments as numbers, given the values of its inputs.

    Integers are read as floats where the result is one.
    """
    given = iter(values)
    return [
        argument if not isinstance(argument, Node) else _as_read(next(given), node.dtype)
        for argument in node.arguments
    ]


def _as_read(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return frozen(value.astype(dtype)) if dtype.kind == "f" and value.dtype.kind != "f" else value
