"""The ten levels of "Which function?": their graphs, and typical wrong answers.

A level is written in lines of formulas, from which its graph is built, and so are its wrong answers.

What must hold: no wrong answer computes the function of its level, and each says what was confused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from backprop_lab.exercises.formulas import parse
from backprop_lab.graph.leaves import constant, variable
from backprop_lab.graph.node import Node

_DATA = {"x", "y", "lam"}


class Level(NamedTuple):
    """``shapes`` of the leaves; ``lines`` such as ``"u = x + y; u * u + u"``; ``wrong``: {lines: why}.

    ``hint``: where to begin, without a part of the formula.
    """

    shapes: Mapping[str, tuple[int, ...]]
    lines: str
    wrong: Mapping[str, str]
    hint: str

    def leaves(self) -> dict[str, Node]:
        """New leaves without values: variables, or constants for data if there are parameters as well."""
        data = _DATA if self.shapes.keys() - _DATA else ()
        return {
            name: (constant if name in data else variable)(name, shape=shape)
            for name, shape in self.shapes.items()
        }

    def graph(self, leaves: Mapping[str, Node], lines: str | None = None) -> Node:
        """The graph of the level's lines, or of other ``lines``, over these leaves."""
        nodes = dict(leaves)
        *definitions, last = (lines or self.lines).split("; ")
        for line in definitions:
            name, _, formula = line.partition(" = ")
            nodes[name] = parse(formula, nodes).named(name)
        return parse(last, nodes).named("J")


def level_numbered(number: int) -> Level:
    """Level 1 to 10. Raises ValueError for another number."""
    if number not in range(1, len(LEVELS) + 1):
        raise ValueError(f"which_function: the levels are 1 to {len(LEVELS)}, not {number!r}")
    return LEVELS[number - 1]


_XY = {"x": (), "y": ()}

LEVELS = (
    Level(_XY, "x * y", {
        "x + y": "x + y adds where x · y multiplies.",
        "x / y": "x / y divides where x · y multiplies.",
    }, "The card J has two boxes and a sign between them. Put in what the two arrows bring."),
    Level({"x": ()}, "x * x", {
        "2 * x": "x · x has two arrows from one node and is x²; 2 · x is x + x.",
        "x * x * x": "Two arrows leave x in x · x; here are three, and it is x³.",
    }, "Both boxes of J are filled from the same node."),
    Level(_XY, "x / (x + y)", {
        "(x + y) / x": "That is x / (x + y) upside down: the upper arrow is the numerator.",
        "x / x + y": "The sum is computed first: it needs brackets, x / (x + y).",
    }, "The upper arrow into J is what is divided. What comes first in time needs brackets."),
    Level(_XY, "(x + y) * y", {
        "x + y**2": "The sum is computed first: (x + y) · y is x · y + y².",
        "(x + y) * x": "The second arrow into the product of (x + y) · y comes from y.",
    }, "Write down what card 1 computes, in brackets; J multiplies it. By what?"),
    Level({"x": ()}, "sin(x**2)", {
        "sin(x)**2": "sin(x²) squares first and then takes the sine; sin²(x) is the other way round.",
        "sin(x) * x": "sin(x²) is a composition, sin(x) · x a product.",
    }, "Only one arrow ends at J: what it brings goes into the brackets of J's function."),
    Level(_XY, "u = x + y; u * u + u", {
        "u = x + y; u * u + x": "All three arrows of u · u + u come from u = x + y; the last one is no x.",
        "u = x + y; u * (u + u)": "u · u is computed first, and then u is added.",
    }, "Call the card that is read three times u. Write J in u, and then put in what u is."),
    Level({"w": (), "x": (), "b": ()}, "sigmoid(w * x + b)", {
        "w * sigmoid(x) + b": "In σ(w · x + b) the sigmoid comes last; here it comes first.",
        "sigmoid(w * (x + b))": "The product is computed first, and then b is added.",
    }, "The last card is the outermost function; follow its one arrow back."),
    Level({"theta": (6,), "x": (3,)}, "W = reshape(theta, (2, 3)); relu(W @ x)", {
        "W = reshape(theta, (3, 2)).T; relu(W @ x)":
            "Here θ fills W column by column. A reshape fills it row by row: the first three entries of θ "
            "are the first row.",
        "W = reshape(theta, (2, 3)); relu(W) @ x":
            "relu(W x) comes after the product; here it is applied to W.",
    }, "Inside out: the reshape of θ first, then its product with x, and what J does to that comes last."),
    Level(
        {"theta": (6,), "x": (3,), "w": (2,), "y": (), "lam": ()},
        "W = reshape(theta, (2, 3)); h = relu(W @ x); (w @ h - y)**2 + lam * sum(w**2)",
        {
            "W = reshape(theta, (2, 3)); h = relu(W @ x); (w @ h - y)**2 + lam * sum(w)**2":
                "λ Σw² squares each entry and then adds; λ (Σw)² adds first.",
            "W = reshape(theta, (2, 3)); h = W @ x; (w @ h - y)**2 + lam * sum(w**2)":
                "The relu between the two products is missing: the network is linear without it.",
        },
        "J adds two things. The upper one is a square: of what? The lower one is λ times a sum: of what?",
    ),
    Level({"W": (2, 2), "V": (2, 2), "x": (2,)}, "tanh(W @ tanh(W @ x))", {
        "tanh(V @ tanh(W @ x))":
            "tanh(W tanh(W x)) has one matrix W, from which two arrows leave; here are two.",
        "tanh(W @ (W @ x))": "The inner tanh is missing.",
    }, "Two of the four cards are products. Which node do both of them read? Begin at x."),
)  # fmt: skip
