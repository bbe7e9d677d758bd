"""The fast program as a person reads it: a NumPy function, one line for each thing worth a name.

What must hold: the text runs by itself and does the same operations in the same order as the program;
the reader's names stand in it, made safe and unique.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable
from itertools import chain, count

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.graph.operation import Rule
from backprop_lab.graph.order import topological_order
from backprop_lab.program.inputs import checked_value
from backprop_lab.program.simplify import uses_in
from backprop_lab.rules.primitives import scatter
from backprop_lab.words import notation

WIDTH = 88  # of a line; parts of longer expressions are given lines of their own
MOST_ENTRIES_WRITTEN = 16  # of an unnamed constant; larger ones become parameters

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
        """``wanted`` if it can stand in a program and is free, else a name like it."""
        name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", wanted)).strip("_")[:30]
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"v_{name}" if f"v_{name}".isidentifier() else "v"
        unique = self.first_free(chain([name], (f"{name}_{i}" for i in count(2))))
        self.taken.add(unique)
        return unique

    def numbered(self, letter: str) -> str:
        """The next free of t1, t2, …"""
        return self(self.first_free(f"{letter}{i}" for i in count(1)))

    def operations(self, nodes: Iterable[Node]) -> dict[Rule | Node, str]:
        """A name for each operation of the reader's own.

        One whose parameters cannot be written has a name for each node, which stands for its parameters too.
        """
        own = {n: n.rule for n in nodes if n.rule is not None and n.rule.home is None}
        keys = {r if notation.can_be_written(n.parameters) else n: r.name for n, r in own.items()}
        return {key: self(name) for key, name in keys.items()}

    def first_free(self, names: Iterable[str]) -> str:
        return next(name for name in names if name not in self.taken)


def written(roots: list[Node], leaves: list[Node], library: str = "numpy") -> tuple[str, dict]:
    """(source text, {parameter: what it stands for}) of a function that computes the roots from the leaves.

    ``leaves`` are its parameters in their order; large constants without a name follow, and the reader's own
    operations (their rules), so that the text runs alone.
    """
    writer = _Writer(roots, leaves)
    for node in writer.order:
        if node.rule is None:
            writer.write_leaf(node)
        else:
            writer.write_operation(node)
    parameters = writer.parameters | {name: operation for operation, name in writer.called.items()}
    body = "\n".join([*writer.lines, f"    return {', '.join(map(writer.reference, roots))}"])
    scatters = any(node.rule is not None and node.rule.function is scatter for node in writer.order)
    helper = SCATTER if scatters else "\n"
    return f"import {library} as np\n\n{helper}def program({', '.join(parameters)}):\n{body}\n", parameters


class _Writer:
    """The lines of a function, node after node.

    ``texts`` has the text of each node so far: its name, or an expression with its binding strength, which
    goes into the line of the one node that reads it.
    """

    def __init__(self, roots, leaves):
        self.order, self.namer = topological_order(*roots), Namer()
        operations = [node for node in self.order if node.rule is not None]
        self.called = self.namer.operations(operations)
        self.weak = not any(node.dtype.kind == "f" and node.dtype != np.float64 for node in self.order)
        self.parameters = {self.namer(leaf.name): leaf for leaf in leaves}
        self.names = {leaf: name for name, leaf in self.parameters.items()}
        for node in self.order:
            if node.name and node not in self.names:
                self.names[node] = self.namer(node.name)
        self.texts: dict[Node, str | notation.Part] = dict(self.names)
        self.lines: list[str] = []
        uses = uses_in(roots)
        self.own_line = {n for n in operations if n in self.names or uses[n] > 1} | set(roots)

    def write_leaf(self, leaf):
        """A leaf without a name is written out, or becomes a parameter."""
        if leaf in self.texts:
            return
        text = constant_text(leaf, self.weak)
        if text is None:
            text = self.namer.numbered("constant")
            self.parameters[text] = leaf
        self.texts[leaf] = text

    def write_operation(self, node):
        """An operation gets a line of its own where it has a name or is read more than once."""
        part = self.expression(node)
        if node in self.own_line:
            self.add_line(node, part.text)
        else:
            self.texts[node] = part

    def expression(self, node) -> notation.Part:
        """A node in code; while that is too long, the longest expression in it gets a line of its own."""
        part = self._expression(node)
        texts = {a: self.texts[a] for a in node.inputs}
        inner = [(len(t.text), a, t.text) for a, t in texts.items() if isinstance(t, notation.Part)]
        for _, a, text in reversed(sorted(inner, key=lambda found: found[0])):
            if len(part.text) <= WIDTH:
                break
            self.add_line(a, text)
            part = self._expression(node)
        return part

    def _expression(self, node) -> notation.Part:
        return notation.written_out(node, self.texts.get, code=True, depth=0, called=self.called)

    def reference(self, node) -> str:
        """How a node is read that is a leaf or has a line of its own."""
        text = self.texts[node]
        assert isinstance(text, str)  # a Part stands in another node's line
        return text

    def add_line(self, node, text):
        self.texts[node] = self.names.get(node) or self.namer.numbered("t")
        self.lines.append(f"    {self.texts[node]} = {text}")


def constant_text(node: Node, weak: bool = True) -> str | None:
    """An unnamed constant as code, or None if it is too large to be written out.

    ``weak``: whether a single float64 may be written as a number of Python's (see :func:`notation.literal`).
    """
    value = checked_value(node, node.value)
    if value.ndim == 0:
        return notation.literal(value[()], weak)
    kind = "" if value.dtype == np.float64 else f", {notation.literal(value.dtype)}"
    if value.size == 0:
        return f"np.zeros({value.shape}{kind})"
    first = value.flat[0]
    if value.dtype.kind == "f" and value.tobytes() == np.full_like(value, first).tobytes():
        function = {"1.0": "ones", "0.0": "zeros"}.get(notation.literal(first.item()))
        return (
            f"np.{function}({value.shape}{kind})"
            if function
            else f"np.full({value.shape}, {notation.literal(first)})"
        )
    if value.ndim == 1 and value.dtype == np.int64 and np.array_equal(value, np.arange(value.size)):
        return f"np.arange({value.size})"
    return notation.literal(value) if value.size <= MOST_ENTRIES_WRITTEN else None
