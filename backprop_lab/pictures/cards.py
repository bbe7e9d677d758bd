"""What stands on a card, and how large the card is.

From top to bottom: the value (→), name and shape, how it is computed, how many nodes are folded into it,
the gradient (←) with how much of it has arrived. A card has room for the largest thing it will ever show.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import NamedTuple

from backprop_lab.graph.node import Node
from backprop_lab.pictures.blocks import ROW, Block, block, gradient_block, text_width
from backprop_lab.pictures.folding import Group
from backprop_lab.pictures.pen import SIGN
from backprop_lab.pictures.timeline import Span, Timeline
from backprop_lab.words import notation

PAD = 7.0
LINE = 15.0
LINE_LENGTH = 15  # of an expression; a longer one takes a second line
EXPRESSION_LENGTH = 28  # characters of an expression on a card
NAME_LENGTH = 20  # the whole name stands in the card's title


class Drawn(NamedTuple):
    """What is seen for a while: when in the run, and how it is drawn."""

    span: Span
    drawn: Block


class Card:
    """The card of a group of nodes: what its output is, and what of it is known when."""

    def __init__(self, group: Group, line: Timeline):
        self.nodes, self.node = group.nodes, group.output
        node = self.node
        self.folded = len(self.nodes) > 1
        self.inside = f"{len(self.nodes)} nodes" if self.folded else ""
        self.values = [Drawn(span, block(span.what)) for span in line.known.get(node, ())]
        self.gradients = [Drawn(span, gradient_block(span.what.sum)) for span in line.arrived.get(node, ())]
        self._write(line)
        self._measure()

    def _write(self, line):
        """The texts: ``name`` with ``shape`` beside it, if it has one, ``how`` it is computed, a ``note``.

        Not seen on the card: its ``title``, what it is ``called``, the ``words`` for those who do not see it.
        """
        node = self.node
        called = node.name or ("J" if node is line.cost and node.rule is not None else None)
        self.name = called and notation.shorten(notation.symbol(called), NAME_LENGTH)
        written = node.leaf_kind or notation.fitting(node, EXPRESSION_LENGTH)
        self.how = wrap(written, LINE_LENGTH) if len(written) > LINE_LENGTH else [written]
        # Batches may differ in size.
        shapes = {drawn.span.what.shape for drawn in self.values} or {node.shape}
        shape = notation.dimensions(*shapes) if len(shapes) == 1 and shapes != {()} else ""
        self.shape = shape if self.name else ""
        note = (f"shape {shape}" if shape and not self.name else "", self.inside)
        self.note = ", ".join(filter(None, note))
        whole = node.leaf_kind or notation.expression(node)
        self.title = " = ".join(filter(None, (node.name, whole))) + f", shape {node.shape}"
        self.called = self.words = notation.mention(node)
        if node.name and node.rule is not None:
            self.words += f" = {notation.expression(node)}"
        if self.folded:
            self.title += f", {self.inside} inside"
            self.words += f", {self.inside} inside"

    def _measure(self):
        self.value_height = max((v.drawn.height for v in self.values), default=ROW)
        self.gradient_height = max((g.drawn.height for g in self.gradients), default=0)
        arrows = max((span.what.of for span, _ in self.gradients), default=1)
        forked = arrows > 1
        widths = [40.0, text_width(self.note, 11), *(text_width(text, 12) for text in self.how)]
        if self.name:
            shape = 6 + text_width(self.shape, 11) if self.shape else 0
            widths.append(text_width(self.name, 15, bold=True) + shape)
        if forked:
            widths.append(text_width(f"{arrows} of {arrows} arrived", 11))
        widths += [shown.drawn.width + SIGN for shown in (*self.values, *self.gradients)]
        self.width = 2 * PAD + max(widths)
        texts = LINE * (bool(self.name) + len(self.how) + bool(self.note)) + 8
        below = 4 + self.gradient_height + (14 if forked else 0) if self.gradients else 0
        self.height = 2 * PAD + self.value_height + 4 + texts + below


class Riddle(Card):
    """A card of a graph whose formula is to be found: it shows its own operation and no other.

    ``names``: {leaf: the name to use for it}. The inputs are □, in the order of the arrows from above.
    """

    def __init__(self, group: Group, line: Timeline, names: Mapping[Node, str]):
        self.names = names
        super().__init__(group, line)

    def _write(self, line):
        node = self.node
        computed = [n for n in line.nodes if n.rule is not None]
        numbers = {n: f"card {i}" for i, n in enumerate(computed, start=1)}
        leaf = node.rule is None
        name = self.names.get(node) if leaf else (node.name or "J") if node is line.cost else None
        self.name = name and notation.shorten(notation.symbol(name), NAME_LENGTH)
        self.how = wrap(node.leaf_kind or notation.sign(node), LINE_LENGTH)
        shape = notation.dimensions(node.shape) if node.shape else ""
        self.shape = shape if name else ""
        self.note = f"shape {shape}" if shape and not name else ""
        self.title = f"{name or self.how[0]}, shape {node.shape}"
        self.called = self.name or numbers.get(node) or notation.mention(node)
        self.words = self.called
        if not leaf:
            symbols = {n: notation.symbol(name) for n, name in self.names.items()}
            sources = (symbols.get(n) or numbers.get(n) or notation.mention(n) for n in node.inputs)
            operation = f"{notation.sign(node)} of {', '.join(sources)}"
            self.words = f"{numbers[node]}{f', {self.name}' if name else ''}: {operation}"
