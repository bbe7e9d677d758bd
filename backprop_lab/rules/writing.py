"""How operations are written where a template is not enough: the table of rules names these.

Each takes the node and the texts of its arguments, and gives the text of the whole.
"""

from __future__ import annotations

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.words import notation


def multiplied(node, x, y):
    """``w · x``; the sign ⊙ where two arrays meet entry by entry."""
    arrays = all(np.ndim(a) > 0 for a in node.arguments)
    return f"{x} {'⊙' if arrays else '·'} {y}"


def matrix_product(node, x, y):
    """``W x``; the dot · where two vectors meet."""
    vectors = all(np.ndim(a) == 1 for a in node.arguments)
    return f"{x} · {y}" if vectors else f"{x} {y}"


def call(name, defaults):
    """``np.sum(x, axis=0)``: the arguments, and by name the parameters that differ from these defaults."""

    def write(node, *texts):
        differ = {k: v for k, v in node.parameters.items() if k not in defaults or v is not defaults[k]}
        said = (f"{k}={v.tolist() if hasattr(v, 'tolist') else v!r}" for k, v in differ.items())
        return f"{name}({', '.join([*texts, *said])})"

    write.is_call = True
    return write


def transposed(node, x):
    axes = node.parameters["axes"]
    return f"{x}.T" if axes is None else f"np.transpose({x}, {axes})"


def reshaped(node, x):
    return f"{x} as {notation.extent(node.shape)}"


def repeated(node, x):
    return f"{x} repeated to {notation.extent(node.shape)}"


def indexed(node, x):
    """A long list of indices is shortened: for looking, not for running."""
    return f"{x}[{_key_text(node.parameters['key'], 16)}]"


def indexed_in_code(node, x):
    return f"{x}[{_key_text(node.parameters['key'])}]"


def scattered_in_code(node, g):
    return f"scatter({g}, {node.parameters['shape']}, np.s_[{_key_text(node.parameters['key'])}])"


scattered_in_code.is_call = True


def summed_to_in_code(node, g):
    """``np.sum`` over the axes along which the smaller array was repeated."""
    (operand,), shape = node.inputs, node.shape
    new = operand.ndim - len(shape)
    repeated_axes = [i + new for i, n in enumerate(shape) if n != operand.shape[i + new]]
    axes = (*range(new), *repeated_axes)
    total = f"np.sum({g}, axis={axes[0] if len(axes) == 1 else axes})"
    return f"np.reshape({total}, {shape})" if repeated_axes and shape != () else total


summed_to_in_code.is_call = True


def _key_text(key, longest=None):
    return ", ".join(_place_text(k, longest) for k in (key if isinstance(key, tuple) else (key,))) or "()"


def _place_text(place, longest):
    if isinstance(place, slice):
        start, stop, step = ("" if k is None else k for k in (place.start, place.stop, place.step))
        return f"{start}:{stop}" + (f":{step}" if place.step is not None else "")
    if place is Ellipsis:
        return "..."
    if isinstance(place, Node):  # refused, but the error names it
        return notation.mention(place, code=True)
    text = str(np.asarray(place).tolist())
    if longest:
        return notation.shorten(text, longest)
    return f"np.array({text}{', int' * (not np.size(place))})" if np.ndim(place) else text
