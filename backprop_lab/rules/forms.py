"""What the table in ``writing.py`` is made of: forms for kinds of operations, and for single nodes.

A form holds the text with places for the arguments, how strongly the whole binds, and how strongly each
argument must bind (``words/notation.py``). The functions here that take a node return its form.

What must hold: nothing is computed; a form in code can be run, one in math is for reading.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.words import notation
from backprop_lab.words.notation import ANYTHING, ATOM, POWER, PRODUCT, SUM, Form, Written

# -------------------------------------------------------------------------------------- kinds of operations

ITSELF = Form("{0}", binds=None)  # an operation that a reader need not see


def infix(code: str, math: str | Form | Callable, binds: int, *slots: int) -> Written:
    """An operation with a sign of its own in code as well.

    Python takes x * y @ z from the left, so that in code a later argument needs brackets where it binds no
    more strongly than the whole.
    """
    first, *later = slots
    in_code = (first, *(slot + 1 if slot == binds else slot for slot in later))
    return Written(Form(code, binds, in_code), Form(math, binds, slots) if isinstance(math, str) else math)


def comparison(code: str, math: str) -> Written:
    """A comparison: in brackets for Python, in those of a truth value in a formula."""
    return Written(Form(f"({{0}} {code} {{1}})", ATOM, (SUM,)), Form(f"[{{0}} {math} {{1}}]", ATOM, (SUM,)))


def formula(math: str, binds: int = ATOM, *slots: int, code: str | None = None) -> Written:
    """An operation that is a call in code and has a sign of its own in math."""
    return Written(Form(code) if code else None, Form(math, binds, slots or (ANYTHING,)))


# ---------------------------------------------------------------------------- products, shapes, parts, sums


_WITH_A_NUMBER, _OF_ARRAYS = (Form(f"{{0}} {sign} {{1}}", PRODUCT, (PRODUCT,)) for sign in "·⊙")


def product(node) -> Form:
    """``w · x``; the sign ⊙ where two arrays meet entry by entry."""
    x, y = node.arguments
    return _OF_ARRAYS if np.ndim(x) and np.ndim(y) else _WITH_A_NUMBER


_OF_MATRICES, _OF_VECTORS = (Form(f"{{0}}{sign}{{1}}", PRODUCT, (PRODUCT, POWER)) for sign in (" ", " · "))


def matrix_product(node) -> Form:
    """``W x``; the dot · where two vectors meet."""
    x, y = node.arguments
    return _OF_VECTORS if np.ndim(x) == np.ndim(y) == 1 else _OF_MATRICES


def squared_norms(node) -> Form:
    """``‖W₁‖² + ‖W₂‖²``"""
    several = len(node.arguments) > 1
    return Form(lambda *texts: " + ".join(f"‖{x}‖²" for x in texts), SUM if several else POWER)


def transposed(node) -> Form:
    """``W.T``, or a call where the axes are given."""
    text = "{0}.T" if node.parameters["axes"] is None else "np.transpose({0}, {axes})"
    return Form(text, ATOM, (ATOM,))


def reshaped(node) -> Form:
    """``x as 2 × 3``"""
    return Form(f"{{0}} as {notation.extent(node.shape)}", SUM, (PRODUCT,))


def repeated(node) -> Form:
    """``x repeated to 2 × 3``"""
    return Form(f"{{0}} repeated to {notation.extent(node.shape)}", SUM, (PRODUCT,))


def summed(node) -> Form:
    """``g summed to 3 numbers``"""
    return Form(f"{{0}} summed to {notation.extent(node.shape)}", SUM)


def summed_in_code(node) -> Form:
    """``np.sum`` over the axes along which the smaller array was repeated."""
    (operand,), shape = node.inputs, node.shape
    new = operand.ndim - len(shape)
    repeated_axes = [i + new for i, n in enumerate(shape) if n != operand.shape[i + new]]
    axes = (*range(new), *repeated_axes)
    total = f"np.sum({{0}}, axis={axes[0] if len(axes) == 1 else axes})"
    return Form(f"np.reshape({total}, {shape})" if repeated_axes and shape != () else total)


def joined(name: str) -> Callable:
    """``np.stack([x, y], axis=1)``"""

    def form(node) -> Form:
        axis = f", axis={node.parameters['axis']}" if node.parameters["axis"] else ""
        return Form(lambda *texts: f"{name}([{', '.join(texts)}]{axis})", ATOM, (SUM,))

    return form


def einsum_in_code(node) -> Form:
    return Form(lambda *texts: f"np.einsum({node.parameters['subscripts']!r}, {', '.join(texts)})")


def einsum(node) -> Form:
    return Form(lambda *texts: f"einsum({node.parameters['subscripts']}: {', '.join(texts)})")


def rows_in_code(node) -> Form:
    """``np.eye(3)[y]``"""
    dtype = "" if node.dtype == np.float64 else f", dtype=np.{node.dtype}"
    return Form(f"np.eye({{classes}}{dtype})[{{0}}]")


# ------------------------------------------------------------------------------------------------- indices


def indexed(node) -> Form:
    """``x[0]``; a long list of indices is shortened: for looking, not for running."""
    key = _key_text(node.parameters["key"], 16)
    return Form(lambda x: f"{x}[{key}]", ATOM, (ATOM,))


def indexed_in_code(node) -> Form:
    key = _key_text(node.parameters["key"])
    return Form(lambda x: f"{x}[{key}]", ATOM, (ATOM,))


def scattered(node) -> Form:
    key = _key_text(node.parameters["key"], 16)
    return Form(lambda g: f"{g} put back at [{key}], 0 elsewhere", SUM)


def scattered_in_code(node) -> Form:
    key = _key_text(node.parameters["key"])
    return Form(lambda g: f"scatter({g}, {node.parameters['shape']}, np.s_[{key}])")


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
