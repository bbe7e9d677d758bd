"""The fast program as a person reads it: a NumPy function, one line for each thing worth a name.

What must hold: the text runs by itself and does the same operations in the same order as the program;
the reader's names stand in it, made safe and unique.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import chain, count

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.words import notation

WIDTH = 88  # of a line; longer expressions are given a line of their own
INLINE = 16  # entries of an unnamed constant that are still written out

SCATTER = '''
def scatter(g, shape, key):
    """Zeros with g added at the entries that key chooses."""
    g = np.asarray(g)
    out = np.zeros(shape, g.dtype)
    if hasattr(out, "at"):  # arrays that cannot be changed, such as JAX's
        return out.at[key].add(g)
    np.add.at(out, key, g)
    return out

'''


class Namer:
    """Gives every node an identifier of its own: the reader's name where that is one."""

    def __init__(self):
        self.taken = {"np", "bl", "program", "scatter", *dir(builtins)}

    def __call__(self, wanted: str) -> str:
        """``wanted`` if it can stand in a program and is free, else something near it."""
        name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", wanted)).strip("_")[:30]
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"v_{name}" if f"v_{name}".isidentifier() else "v"
        unique = self.first_free(chain([name], (f"{name}_{i}" for i in count(2))))
        self.taken.add(unique)
        return unique

    def numbered(self, letter: str) -> str:
        """The next free of t1, t2, …"""
        return self(self.first_free(f"{letter}{i}" for i in count(1)))

    def first_free(self, names: Iterable[str]) -> str:
        return next(name for name in names if name not in self.taken)


def written(roots: list[Node], leaves: list[Node], library: str = "numpy") -> tuple[str, dict]:
    """(source text, {parameter: its leaf}) of a function that computes the roots from the leaves.

    ``leaves`` are its parameters in their order; large constants without a name follow.
    """
    order = topological_order(*roots)
    namer, wanted, uses = Namer(), set(roots), Counter(roots)
    namer.taken.update(node.rule.name for node in order if node.rule is not None and node.rule.home is None)
    parameters = {namer(leaf.name): leaf for leaf in leaves}
    names = {leaf: name for name, leaf in parameters.items()}
    for node in order:
        uses.update(node.inputs)
        if node.name and node not in names:
            names[node] = namer(node.name)
    texts: dict[Node, str | notation.Part] = dict(names)
    lines = []

    def give_line(node, text):
        texts[node] = names.get(node) or namer.numbered("t")
        lines.append(f"    {texts[node]} = {text}")

    for node in order:
        if node.rule is None:
            if node not in texts:
                texts[node] = constant_text(node) or namer.numbered("constant")
                if texts[node].isidentifier():
                    parameters[texts[node]] = node
            continue
        text, binds = notation.written_out(node, texts.get, code=True, depth=0)
        inner = [a for a in dict.fromkeys(node.inputs) if isinstance(texts[a], notation.Part)]
        inner.sort(key=lambda a: len(texts[a].text))
        while inner and len(text) > WIDTH:
            longest = inner.pop()
            give_line(longest, texts[longest].text)
            text, binds = notation.written_out(node, texts.get, code=True, depth=0)
        if node in names or node in wanted or uses[node] > 1:
            give_line(node, text)
        else:
            texts[node] = notation.Part(text, binds)
    body = "\n".join([*lines, f"    return {', '.join(texts[root] for root in roots)}"])
    helper = SCATTER if "scatter(" in body else "\n"
    return f"import {library} as np\n\n{helper}def program({', '.join(parameters)}):\n{body}\n", parameters


def constant_text(node: Node) -> str | None:
    """An unnamed constant as code, or None if it is too large to be written out."""
    value = node.value
    if value.ndim == 0:
        return notation.literal(value[()])
    if value.size == 0:
        return f"np.zeros({value.shape})"
    if value.dtype == np.float64 and (value == value.flat[0]).all():
        return {1.0: f"np.ones({value.shape})", 0.0: f"np.zeros({value.shape})"}.get(
            value.flat[0], f"np.full({value.shape}, {notation.literal(value.flat[0])})"
        )
    if value.ndim == 1 and value.dtype.kind == "i" and np.array_equal(value, np.arange(value.size)):
        return f"np.arange({value.size})"
    if value.size > INLINE:
        return None
    kind = "" if value.dtype in (np.float64, np.int64, bool) else f", np.{value.dtype}"
    return f"np.array({_listed(value)}{kind})"


def _listed(value) -> str:
    """An array as nested lists, in code."""
    return notation.literal(value[()]) if value.ndim == 0 else f"[{', '.join(map(_listed, value))}]"
