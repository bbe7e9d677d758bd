"""How operations are written where a template is not enough: the table of rules names these.

Each takes the node and the texts of its arguments, and gives the text of the whole.
"""

from __future__ import annotations

import numpy as np

from backprop_lab import notation
from backprop_lab.graph import Node


def multiplied(node, x, y):
    """``w · x``; the sign ⊙ where two arrays meet entry by entry."""
    arrays = all(np.ndim(a) > 0 for a in node.arguments)
    return f"{x} {'⊙' if arrays else '·'} {y}"


def matrix_product(node, x, y):
    """``W x``; the dot · where two vectors meet."""
    vectors = all(np.ndim(a) == 1 for a in node.arguments)
    return f"{x} · {y}" if vectors else f"{x} {y}"


def with_parameters(name):
    """``np.sum(x, axis=0)``: the parameters that differ from their defaults, by name."""

    def write(node, x):
        said = (f"{k}={v!r}" for k, v in node.parameters.items() if v is not node.rule.parameters[k])
        return f"{name}({', '.join([x, *said])})"

    return write


def transposed(node, x):
    return with_parameters("np.transpose")(node, x) if node.parameters["axes"] else f"{x}.T"


def reshaped(node, x):
    return f"{x} as {notation.extent(node.shape)}"


def repeated(node, x):
    return f"{x} repeated to {notation.extent(node.shape)}"


def indexed(node, x):
    key = node.parameters["key"]
    return f"{x}[{', '.join(map(_key_text, key if isinstance(key, tuple) else (key,)))}]"


def _key_text(key):
    if isinstance(key, slice):
        start, stop, step = ("" if k is None else k for k in (key.start, key.stop, key.step))
        return f"{start}:{stop}" + (f":{step}" if key.step is not None else "")
    if key is Ellipsis:
        return "..."
    if isinstance(key, Node):
        return notation.mention(key, code=True)
    return notation.shorten(str(np.asarray(key).tolist()), 16)
