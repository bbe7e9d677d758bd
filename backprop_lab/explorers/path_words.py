"""A path, and a sum over paths, in words and numbers: ``x₁ → y₁ → z``, ``1 · 6 = 6``, ``6 + 10 = 16``.

What must hold: every number comes from the records; whatever would fill a line is shortened.
"""

from __future__ import annotations

from math import log10

import numpy as np

from backprop_lab.explorers.ways import Path, receiver_of
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.records import Step
from backprop_lab.words import notation

LONGEST = 8  # nodes of a path, factors of a product, terms of a sum that are written out
ENTRIES = 12  # of an array that is written out
SYMBOLS = 60  # characters of a product in symbols; a longer one is left out
NAME = 20  # characters of a node's name or expression
DIGITS = 24  # of a count that is written out


def short(step: Step, node: Node) -> str:
    """The name of a node on a path."""
    if node.name is None and node is not step.cost:
        return notation.fitting(node, NAME)
    return notation.shorten(step.mention(node), NAME)


def way(path: Path) -> str:
    """``x₁ → y₁ → z``"""
    first = path.arrows[0]
    return " → ".join(_cut([short(first, receiver_of(first)), *(short(a, a.node) for a in path.arrows)]))


def product(path: Path, in_symbols: str = "") -> str:
    """``1 · 6 = 6``: the factors in the order of the path, and what they bring."""
    factors = _cut([_factor(arrow, i > 0) for i, arrow in enumerate(path.arrows)])
    parts = [in_symbols, " · ".join(factors), notation.array(path.contribution)]
    return " = ".join(dict.fromkeys(filter(None, parts)))


def _factor(arrow: Step, later: bool) -> str:
    """A number, a transposed matrix, or the size of a large one: ``[3 × 20]ᵀ``."""
    local = arrow.local
    assert local is not None  # every arrow has a local Jacobian
    if isinstance(local, str) or local.size > ENTRIES:
        return f"[{arrow.node.size} × {receiver_of(arrow).size}]ᵀ"
    return _bracketed(_plain(local), later) if local.size == 1 else f"{notation.array(local)}ᵀ"


def symbols(path: Path) -> str:
    """``∂y₁/∂x₁ · ∂z/∂y₁``: the product in symbols.

    Empty where it is too long to read, where names are missing or stand for several nodes, and where one of
    the symbols would mean more than one arrow.
    """
    first, factors = path.arrows[0], []
    names = [receiver_of(first).name, *(arrow.node.name for arrow in path.arrows)]
    if None in names[:-1] or len(set(names)) < len(names) or len(names) > LONGEST:
        return ""
    for arrow in path.arrows:
        node, receiver = arrow.node, receiver_of(arrow)
        others = [n for place, n in enumerate(node.inputs) if place != arrow.argument]
        if receiver in set(topological_order(*others)):
            return ""
        text = f"∂{arrow.factor(node)}/∂{arrow.factor(receiver)}"
        factors.append(text if node.size == receiver.size == 1 else f"({text})ᵀ")
    text = " · ".join(factors)
    return text if len(text) <= SYMBOLS else ""


def sum_of(found: list[Path]) -> str:
    """``6 + 10 = 16``"""
    total = notation.array(together(found))
    if len(found) == 1 or found[0].contribution.size > ENTRIES:
        return total
    terms = [_bracketed(notation.array(path.contribution), i > 0) for i, path in enumerate(found)]
    return f"{' + '.join(_cut(terms))} = {total}"


def together(found: list[Path]) -> np.ndarray:
    """The sum of what these paths bring."""
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is a NaN here as well
        return np.asarray(sum(path.contribution for path in found))


def _plain(local: np.ndarray) -> str:
    return notation.number(local.ravel()[0])


def _bracketed(text: str, later: bool) -> str:
    return notation.bracket_minus(text) if later else text


def _cut(parts: list[str]) -> list[str]:
    """``parts``; if they are many, the first and the last few."""
    if len(parts) <= LONGEST:
        return parts
    return [*parts[: LONGEST // 2], "…", *parts[1 - LONGEST // 2 :]]


def counted(number: int, what: str) -> str:
    """``1 path``, ``1,048,576 paths``"""
    return notation.counted(number, what, written(number))


def written(number: int) -> str:
    """A whole number; for one that would fill a line, its size."""
    if number < 10**DIGITS:
        return f"{number:,}"
    return "about " + notation.power("10", str(int((number.bit_length() - 1) * log10(2))))
