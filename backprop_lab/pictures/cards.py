"""What stands on a card, and how large the card is.

From top to bottom: the value (→), name and shape, how it is computed, how many nodes are folded into it,
the gradient (←) with how much of it has arrived. A card has room for the largest of all that it will show.
"""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from backprop_lab import notation
from backprop_lab.pictures.blocks import ROW, Block, block, text_width
from backprop_lab.pictures.folding import Group
from backprop_lab.pictures.pen import SIGN
from backprop_lab.pictures.timeline import Span, Timeline

PAD = 7.0
LINE = 15.0
LINE_LENGTH = 15  # of an expression; a longer one takes a second line
LONGEST = 28  # characters of a name or an expression on a card


class Drawn(NamedTuple):
    """What is seen for a while: where in the run, and how it is drawn."""

    span: Span
    drawn: Block


class Card:
    """The card of a group of nodes: what its output is, and what of it is known when."""

    def __init__(self, group: Group, line: Timeline):
        self.nodes, self.node = group.nodes, group.output
        node = self.node
        called = node.name or ("J" if node is line.cost and node.rule is not None else None)
        self.named = called is not None
        written = notation.fitting(node, LONGEST) if node.rule is not None else node.leaf_kind
        lines = wrap(written, LINE_LENGTH) if len(written) > LINE_LENGTH else [written]
        self.name = notation.shorten(notation.symbol(called), LONGEST) if self.named else lines.pop(0)
        self.how = lines
        self.folded = len(self.nodes) > 1
        self.inside = f"{len(self.nodes)} nodes" if self.folded else ""
        values = line.known.get(node, ())
        shapes = {span.what.shape for span in values} or {node.shape}  # another batch may be of another size
        self.shape = notation.dimensions(*shapes) if len(shapes) == 1 and shapes != {()} else ""
        whole = notation.expression(node) if node.rule is not None else node.leaf_kind
        self.title = " = ".join(filter(None, (node.name, whole))) + f", shape {node.shape}"
        if self.folded:
            self.title += f", {self.inside} inside"
        self.values = [Drawn(span, block(span.what)) for span in values]
        self.gradients = [Drawn(span, block(span.what.sum)) for span in line.arrived.get(node, ())]
        self.value_height = max((v.drawn.height for v in self.values), default=ROW)
        self.gradient_height = max((g.drawn.height for g in self.gradients), default=0)
        forked = any(span.what.of > 1 for span, _ in self.gradients)
        name_line = text_width(self.name, 15 if self.named else 12, bold=self.named)
        if self.shape:
            name_line += 6 + text_width(self.shape, 11)
        self.width = 2 * PAD + max(
            name_line,
            *(text_width(line_of_it, 12) for line_of_it in self.how),
            text_width(self.inside, 11),
            *(shown.drawn.width + SIGN for shown in (*self.values, *self.gradients)),
            text_width("1 of 2 arrived", 11) if forked else 40.0,
        )
        texts = 16 + LINE * (len(self.how) + self.folded) + 7
        below = 4 + self.gradient_height + (14 if forked else 0) if self.gradients else 0
        self.height = 2 * PAD + self.value_height + 4 + texts + below
