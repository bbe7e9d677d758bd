"""Products that sum over shared axes: einsum, and inner, vdot and tensordot as cases of it.

In Einstein's notation the transpose is written by swapping subscripts: what flows to an argument is the
einsum of g with the other arguments, with that argument's own subscripts as the result. (Laue, Mitterreiter
& Giesen, Computing Higher Order Derivatives of Matrix and Tensor Expressions, 2018.)

What must hold: an argument's subscripts are all different (a diagonal is np.diag's or np.trace's work).
"""

from __future__ import annotations

from functools import lru_cache, partial
from string import ascii_letters

import numpy as np

from backprop_lab.errors import ShapeError
from backprop_lab.graph import RULES
from backprop_lab.operation import Rule, apply
from backprop_lab.rules import declared
from backprop_lab.shapes import axes_of


def _along_axes(x, y, subscripts):
    return np.tensordot(x, y, axes=_shared_axes(subscripts))


def _shared_axes(subscripts):
    (first, second), _ = parts(subscripts)
    shared = sorted(set(first) & set(second))  # letters were given out in the order of the axes
    return [[letters.index(c) for c in shared] for letters in (first, second)]


_COMPUTED = {  # by NumPy's own function, so that values are NumPy's to the last digit
    "einsum": lambda *arrays, subscripts: np.einsum(subscripts, *arrays),
    "inner": lambda x, y, subscripts: np.inner(x, y),
    "vdot": lambda x, y, subscripts: np.vdot(x, y),
    "tensordot": _along_axes,
}


@lru_cache
def contraction(name: str, count: int) -> Rule:
    """The rule of a product of ``count`` arrays whose subscripts are its parameter."""

    def code(node, *texts):
        if name == "einsum":
            return f"np.einsum({node.parameters['subscripts']!r}, {', '.join(texts)})"
        axes = f", axes={_shared_axes(node.parameters['subscripts'])}" if name == "tensordot" else ""
        return f"np.{name}({', '.join(texts)}{axes})"

    def math(node, *texts):
        subscripts = f"{node.parameters['subscripts']}: " if name == "einsum" else ""
        return f"{name}({subscripts}{', '.join(texts)})"

    backs = (partial(flow_back, place) for place in range(count))
    return declared(
        _COMPUTED[name], "linear", contracted_shape, *backs, name=name, code=code, math=math,
        parameters={"subscripts": None})  # fmt: skip


def contracted_shape(*shapes, subscripts):
    inputs, output = parts(subscripts)
    lengths: dict[str, int] = {}
    for letters, shape in zip(inputs, shapes, strict=True):
        if len(letters) != len(shape):
            raise ShapeError(f"{letters!r} names {len(letters)} axes of an array that has {len(shape)}")
        for letter, length in zip(letters, shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise ShapeError(f"{lengths[letter]} does not match {length}")
    return tuple(lengths[letter] for letter in output)


def parts(subscripts: str) -> tuple[list[str], str]:
    """``"ij,jk->ik"`` as (["ij", "jk"], "ik")."""
    inputs, output = subscripts.split("->")
    return inputs.split(","), output


def flow_back(place, g, z, *arrays, subscripts):
    """g and the other arguments, contracted to the subscripts of the argument at ``place``."""
    inputs, output = parts(subscripts)
    mine = inputs[place]
    others = [(letters, a) for i, (letters, a) in enumerate(zip(inputs, arrays, strict=True)) if i != place]
    if not output and len(others) == 1 and others[0][0] == mine:  # the inner product of two arrays
        return g * others[0][1]
    there = set(output).union(*(letters for letters, _ in others))
    kept = "".join(letter for letter in mine if letter in there)
    terms = ",".join([output, *(letters for letters, _ in others)])
    flow = np.einsum(f"{terms}->{kept}", g, *(a for _, a in others))
    # an axis that was summed alone gets the same back at each of its entries
    shape = np.shape(arrays[place])
    opened = tuple(n if letter in there else 1 for letter, n in zip(mine, shape, strict=True))
    return flow if kept == mine else np.broadcast_to(np.reshape(flow, opened), shape)


def _einsum(subscripts, *operands, optimize=None):
    if not isinstance(subscripts, str):
        raise TypeError('np.einsum of nodes takes its subscripts as text, such as "ij,j->i"')
    return apply(
        contraction("einsum", len(operands)),
        *operands,
        subscripts=explicit(subscripts, [np.ndim(a) for a in operands]),
    )


def explicit(subscripts: str, ndims: list[int]) -> str:
    """Subscripts with a result and without "...": what NumPy leaves to be understood, written out."""
    text = subscripts.replace(" ", "")
    inputs = text.split("->")[0].split(",")
    if len(inputs) != len(ndims):
        raise ShapeError(f"np.einsum: {subscripts!r} is about {len(inputs)} arrays, {len(ndims)} were given")
    free = iter(c for c in ascii_letters if c not in text)
    most = max((n - len(i) + 3 for i, n in zip(inputs, ndims, strict=True) if "..." in i), default=0)
    dots = "".join(next(free) for _ in range(most))
    written = [
        i.replace("...", dots[most - (n - len(i) + 3) :]) if "..." in i else i
        for i, n in zip(inputs, ndims, strict=True)
    ]
    for letters in written:
        if len(set(letters)) < len(letters):
            raise ShapeError(
                f"np.einsum: {letters!r} names an axis twice; take np.diag or np.trace for a diagonal"
            )
    if "->" in text:
        output = text.split("->")[1].replace("...", dots)
    else:
        joined = "".join(written)
        output = dots + "".join(sorted(c for c in set(joined) - set(dots) if joined.count(c) == 1))
    return f"{','.join(written)}->{output}"


def _inner(x, y):
    if not np.ndim(x) or not np.ndim(y):
        return np.multiply(x, y)
    return _along("inner", x, y, (-1,), (-1,))


def _vdot(x, y):
    if np.shape(x) != np.shape(y):
        raise ShapeError(f"np.vdot: {np.shape(x)} does not match {np.shape(y)}; both need one shape")
    return _along("vdot", x, y, None, None)


def _tensordot(x, y, axes=2):
    if isinstance(axes, (int, np.integer)):
        axes = range(np.ndim(x) - axes, np.ndim(x)), range(axes)
    return _along("tensordot", x, y, *axes)


def _along(name, x, y, of_x, of_y):
    """x and y multiplied, and summed along these axes of theirs."""
    of_x, of_y = axes_of(of_x, np.ndim(x)), axes_of(of_y, np.ndim(y))
    if len(of_x) != len(of_y):
        raise ShapeError(f"np.{name}: {len(of_x)} axes cannot be summed against {len(of_y)}")
    count = np.ndim(x) + np.ndim(y) - 2 * len(of_x)
    free, shared = ascii_letters[:count], ascii_letters[count:]
    of_x, of_y = (dict(zip(axes, shared)) for axes in (of_x, of_y))
    letters = iter(free)
    first = "".join(of_x[i] if i in of_x else next(letters) for i in range(np.ndim(x)))
    second = "".join(of_y[i] if i in of_y else next(letters) for i in range(np.ndim(y)))
    return apply(contraction(name, 2), x, y, subscripts=f"{first},{second}->{free}")


RULES[np.einsum] = _einsum
RULES[np.inner] = _inner
RULES[np.vdot] = _vdot
RULES[np.tensordot] = _tensordot
