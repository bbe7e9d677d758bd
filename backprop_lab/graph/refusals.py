"""What a node refuses, in words: what Python or NumPy may ask of it that a graph cannot give.

What must hold: each message names the node and says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError


def _refusal(words: str) -> Callable:
    """A method of a node that refuses what Python or NumPy ask of it."""

    def refuse(self, *arguments, **keywords):
        raise NotAnArrayError(notation.mention(self, code=True) + words)

    return refuse


def _format(self, spec: str) -> str:
    if spec:
        name = notation.mention(self, code=True)
        raise NotAnArrayError(f"{name} is a node; to write its number with {spec!r}, format its .value")
    return str(self)


_NEEDS_A_VALUE = (
    " is a node and may have no value yet, so it cannot {}; use .value after bl.forward, or np.where / "
    "np.maximum inside the graph"
)
METHODS = {  # of a node, without the underscores around their names
    "bool": _refusal(_NEEDS_A_VALUE.format("decide an if, a while, an and, or a comparison chain")),
    "float": _refusal(_NEEDS_A_VALUE.format("become a float")),
    "int": _refusal(_NEEDS_A_VALUE.format("become an int")),
    "index": _refusal(_NEEDS_A_VALUE.format("be an index or a count")),
    "complex": _refusal(_NEEDS_A_VALUE.format("become a complex number")),
    "format": _format,
    "array": _refusal(
        " is a node, not an array: np.array, np.asarray and lists of nodes cannot hold it; use "
        "np.stack([a, b]) to put nodes together, and .value for numbers"
    ),
    "setitem": _refusal(
        "[…] = …: a node's entries cannot be assigned; build a new node with np.where or np.stack, "
        "or set .value of a leaf"
    ),
    "reduce_ex": _refusal(
        ": a node cannot be pickled or copied, because it stands in a graph; keep the values of "
        "the variables ({v.name: v.value}) and build the graph again"
    ),
}

_INSTEAD = {  # of setting an attribute of a node
    "shape": "make another node of it: {name}.reshape(…)",
    "dtype": 'make a leaf of numbers of that type: bl.variable("{name}", np.float32(…))',
    "T": "make another node of it: {name}.T",
    "name": '{name}.named("…") gives another name',
    "grad": "a backward pass computes it, and begins each time from nothing, so it need not be reset either",
    "needs_gradient": "bl.variable makes a leaf whose gradient is wanted, bl.constant one whose is not",
}


def setting(node, attribute: str) -> AttributeError:
    """The error for ``w.shape = …`` and the like."""
    name = notation.mention(node, code=True)
    known = "a node stays as it was made: write the expression anew"
    instead = _INSTEAD.get(attribute, known if hasattr(node, attribute) else "a node has no such attribute")
    return AttributeError(f"{name}.{attribute} = …: cannot be set; {instead.format(name=name)}")


def writing_into_an_array(ufunc: np.ufunc) -> NotAnArrayError:
    """The error for ``out=`` and for an array's ``+=`` with a node."""
    return NotAnArrayError(
        f"np.{ufunc.__name__}(…, out=…) and in-place operators would write into an array, "
        "and a node has no numbers to write yet; write y = a + b instead of a += b or out=a"
    )
