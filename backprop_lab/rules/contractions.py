"""Products that sum over shared axes, described by subscripts: einsum and its special cases.

In Einstein's notation the transpose is written by swapping subscripts: what flows to an argument is the
einsum of g with the other arguments, with that argument's own subscripts as the result. (Laue, Mitterreiter
& Giesen, Computing Higher Order Derivatives of Matrix and Tensor Expressions, 2018.)

What must hold: an argument's subscripts are all different (diagonals are for np.diag and np.trace).
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import islice

import numpy as np

from backprop_lab.graph.operation import Rule, apply
from backprop_lab.rules.declaring import rule_of
from backprop_lab.rules.shapes import axes_of
from backprop_lab.words.errors import ShapeError

# What NumPy takes as subscripts. Python's module string has it, too, but is slow to import.
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@lru_cache
def einsum_of(count: int) -> Rule:
    """The rule of a product of ``count`` arrays, with its subscripts as a parameter."""
    return rule_of(
        lambda *arrays, subscripts: np.einsum(subscripts, *arrays), "linear", contracted_shape,
        *(partial(flow_back, place) for place in range(count)),
        name="einsum", parameters={"subscripts": None}, function=np.einsum)  # fmt: skip


def contracted_shape(*shapes: tuple[int, ...], subscripts: str) -> tuple[int, ...]:
    """The shape of a product by subscripts."""
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


def flow_back(place: int, g, z, *arrays, subscripts: str):
    """g and the other arguments, contracted to the subscripts of the argument at ``place``."""
    inputs, output = parts(subscripts)
    mine = inputs[place]
    others = [(letters, a) for i, (letters, a) in enumerate(zip(inputs, arrays, strict=True)) if i != place]
    if len(others) == 1 and {output, others[0][0]} == {mine, ""}:  # an inner product, or a multiple
        return g * others[0][1]
    there = set(output).union(*(letters for letters, _ in others))
    kept = "".join(letter for letter in mine if letter in there)
    terms = ",".join([output, *(letters for letters, _ in others)])
    flow = np.einsum(f"{terms}->{kept}", g, *(a for _, a in others))
    # along an axis that only this argument has, each entry gets the same back
    shape = np.shape(arrays[place])
    opened = tuple(n if letter in there else 1 for letter, n in zip(mine, shape, strict=True))
    return flow if kept == mine else np.broadcast_to(np.reshape(flow, opened), shape)


def einsum(subscripts, *operands, optimize=None):
    """np.einsum of nodes."""
    if not isinstance(subscripts, str):
        raise TypeError('np.einsum of nodes takes its subscripts as text, such as "ij,j->i"')
    return apply(
        einsum_of(len(operands)),
        *operands,
        subscripts=explicit(subscripts, [np.ndim(a) for a in operands]),
    )


def explicit(subscripts: str, ndims: list[int]) -> str:
    """Subscripts with a result and without "...": what NumPy leaves implicit, written out."""
    text = subscripts.replace(" ", "")
    inputs = text.split("->")[0].split(",")
    if len(inputs) != len(ndims):
        raise ShapeError(f"np.einsum: {subscripts!r} is about {len(inputs)} arrays, {len(ndims)} were given")
    free = (c for c in LETTERS if c not in text)
    lengths = [n - len(i.replace("...", "")) for i, n in zip(inputs, ndims)]  # of what the dots stand for
    dots = "".join(islice(free, max(0, *lengths)))
    written = [i.replace("...", dots[len(dots) - n :]) for i, n in zip(inputs, lengths)]
    for letters in written:
        if len(set(letters)) < len(letters):
            raise ShapeError(
                f"np.einsum: {letters!r} names an axis twice; take np.diag or np.trace for a diagonal"
            )
    joined = "".join(written)
    if "->" in text:
        output = text.split("->")[1].replace("...", dots)
        unknown = [c for c in output if c not in joined]
        if unknown or len(set(output)) < len(output):
            wrong = f"{unknown[0]!r}, which no argument has" if unknown else "an axis twice"
            raise ShapeError(f"np.einsum: the result {output!r} of {subscripts!r} names {wrong}")
    else:
        output = dots + "".join(sorted(c for c in set(joined) - set(dots) if joined.count(c) == 1))
    return f"{','.join(written)}->{output}"


def along(of_x, of_y, x: int, y: int) -> str:
    """The subscripts of a product of arrays with ``x`` and ``y`` axes, summed along these axes of each."""
    of_x, of_y = axes_of(of_x, x), axes_of(of_y, y)
    if len(of_x) != len(of_y):
        raise ShapeError(f"{len(of_x)} axes cannot be summed against {len(of_y)}")
    first, second = LETTERS[:x], list(LETTERS[x : x + y])
    for i, j in zip(of_x, of_y):
        second[j] = first[i]
    joined = [*first, *second]
    return f"{first},{''.join(second)}->{''.join(c for c in joined if joined.count(c) == 1)}"


def tensordot_subscripts(x: int, y: int, axes=2) -> str:
    """The subscripts of np.tensordot, of arrays of ``x`` and ``y`` axes."""
    of_x, of_y = (range(x - axes, x), range(axes)) if isinstance(axes, (int, np.integer)) else axes
    return along(of_x, of_y, x, y)
