"""Formulas that a learner types, read into graphs: ``x*y``, ``np.sin(x)**2``, ``relu(W @ x) · w``, ``x²``.

The text is first cut into words; mathematical notation (``W x``, ``·``, ``²``, ``ᵀ``, ``√``) becomes Python,
and every name becomes a placeholder. Only then does Python's parser see it, to find out what binds how
strongly, and only the kinds of syntax listed in ``_Reader`` are read. A name means a leaf or one of the
table's operations, and nothing else.

What must hold: nothing that was typed is ever run; length, depth, powers and sizes are bounded before
anything is computed; what cannot be read is refused in words that point to the place.
"""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from backprop_lab.graph.leaves import constant
from backprop_lab.graph.node import RULES, Node
from backprop_lab.graph.operation import operation
from backprop_lab.graph.order import topological_order
from backprop_lab.program.source import Namer
from backprop_lab.rules import networks
from backprop_lab.words import notation
from backprop_lab.words.arrays import READABLE

MOST_CHARACTERS = 400
MOST_NESTED = 100  # operations inside each other
MOST_BRACKETS = 25  # inside each other
MOST_DIGITS = 15  # characters of a number
MOST_ENTRIES = 10_000  # of an intermediate result, unless a leaf is larger
LARGEST_POWER = 64
MOST_LISTED = 12  # names that an error lists


class FormulaError(ValueError):
    """A formula that cannot be read: the ``reason`` in words, and the place, from ``start`` to ``end``."""

    def __init__(self, reason: str, text: str, start: int, end: int):
        self.reason, self.start, self.end = reason, start, end
        marks = " " * start + "^" * max(1, min(end, len(text)) - start)
        short = len(text) <= MOST_CHARACTERS and "\n" not in text
        super().__init__(f"{reason}\n    {text}\n    {marks}" if short else reason)


def parse(text: str, names: Mapping[str, Node], own: Mapping[str, Callable] | None = None) -> Node:
    """The graph of the formula ``text`` over the nodes of ``names``.

    ``own``: more functions by name, besides NumPy's and the package's. A beginning such as ``J =`` is
    ignored. Raises :class:`FormulaError`.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", [3.0, -1.0])
    >>> parse("Σ(x²) - 1", {"x": x})
    <sum(x²) − 1, shape (), no value yet>
    >>> parse("x.dtype", {"x": x})
    Traceback (most recent call last):
    ...
    backprop_lab.exercises.formulas.FormulaError: Of the words after a dot, only .T is read here.
        x.dtype
         ^^^^^^
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(
            f"A formula has at most {MOST_CHARACTERS} characters; this one has {len(text)}.", text, 0, 0
        )
    words = _without_beginning(_words(text))
    if not words:
        raise FormulaError("Type a formula.", text, 0, 0)
    return _Reader(text, words, names, own or {}).whole()


def names_of(J: Node) -> dict[str, Node]:
    """{name in a formula: leaf} of ``J``'s graph: each leaf's own name, or one like it that can be typed.

    An unnamed constant of a few numbers has no name: it is written out.
    """
    name = Namer()
    leaves = [node for node in topological_order(J) if node.rule is None]
    return {name(leaf.name or "c"): leaf for leaf in leaves if leaf.name or leaf.size > READABLE}


def functions_of(J: Node) -> dict[str, Callable]:
    """{name: function} of the reader's own operations in ``J``'s graph."""
    rules = {node.rule for node in topological_order(J) if node.rule is not None}
    return {rule.name: operation(rule) for rule in rules if rule.home is None}


def known_functions() -> dict[str, Callable]:
    """{name: function}: those of NumPy that have a rule, the package's own, and other names for them."""
    found = {f.__name__: f for f in RULES if getattr(np, f.__name__, None) is f}
    for several in ("split", "einsum"):  # they return lists, or take text
        found.pop(several, None)
    found |= {name: getattr(networks, name) for name in _OURS}
    found["norm"] = np.linalg.norm
    others = {"abs": "absolute", "ln": "log", "σ": "sigmoid", "Σ": "sum", "pow": "power", "√": "sqrt"}
    return found | {other: found[name] for other, name in others.items()}


_OURS = (
    *("relu", "sigmoid", "leaky_relu", "softplus", "softmax", "log_softmax", "logsumexp", "cross_entropy"),
    *("squared_error", "l2", "stop_gradient"),
)
_NUMBERS = {"pi": math.pi, "π": math.pi, "True": True, "False": False, "None": None}


# ------------------------------------------------------------------------------------------- words


class _Word(NamedTuple):
    """``kind``: name, number, power, transpose, or the sign itself; ``text`` as typed, and its place."""

    kind: str
    text: str
    start: int
    end: int


_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_PLAIN_DIGITS = str.maketrans(_RAISED, "0123456789-")
_SIGNS = {"−": "-", "–": "-", "^": "**", "·": "·", "⋅": "·", "∙": "·", "×": "*", "⊙": "*", "∗": "*", "÷": "/"}
_SIGNS |= {"≤": "<=", "≥": ">=", "≠": "!="}
_LETTER = rf"(?![{_RAISED}ᵀ])[\w\u0302\u0303]"
_PATTERN = re.compile(
    rf"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>(?:(?:np|numpy|bl)\.(?:linalg\.)?)?(?!\d)(?:{_LETTER})+|√|Σ)
    |(?P<transpose>ᵀ|\.T\b)
    |(?P<power>[{_RAISED}]+)
    |(?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%@<>=(),:\[\]]|[{"".join(_SIGNS)}])
    |(?P<end>$))""",
    re.X,
)
_ENDS_A_PART = {"name", "number", "power", "transpose", ")", "]"}
_BEGINS_A_PART = {"name", "number", "("}


def _words(text: str) -> list[_Word]:
    words, place = [], 0
    while place < len(text):
        found = _PATTERN.match(text, place)
        if found is None:
            raise _unreadable(text, place + len(text[place:]) - len(text[place:].lstrip()))
        kind = found.lastgroup
        assert kind is not None  # every alternative of the pattern has a name
        if kind == "end":
            break
        start, place = found.span(kind)
        word = found[kind]
        words.append(_Word(_SIGNS.get(word, word) if kind == "sign" else kind, word, start, place))
    _check_brackets(text, words)
    return _with_products(text, words)


def _unreadable(text, place) -> FormulaError:
    sign = text[place]
    if sign == "." and (word := re.compile(r"\.\w*").match(text, place)):
        return FormulaError("Of the words after a dot, only .T is read here.", text, place, word.end())
    hint = {"|": "; write abs(x)", "‖": "; write norm(x)", "∑": "; write sum(x)"}.get(sign, "")
    return FormulaError(f"{_called(sign)} is not read in a formula{hint}.", text, place, place + 1)


def _called(sign: str) -> str:
    """The name of a character that may look like another one, or like nothing."""
    name = unicodedata.name(sign, f"number {ord(sign)}").lower()
    return f"{sign} ({name})" if sign.isprintable() else f"The character {name}"


def _check_brackets(text, words):
    open_ = []
    for word in words:
        if word.kind in ("(", "["):
            open_.append(word)
            if len(open_) > MOST_BRACKETS:
                reason = f"More than {MOST_BRACKETS} brackets inside each other are not read."
                raise FormulaError(reason, text, word.start, word.end)
        elif word.kind in (")", "]"):
            if not open_ or open_[-1].kind + word.kind not in ("()", "[]"):
                raise FormulaError(f"This {word.kind} closes nothing.", text, word.start, word.end)
            open_.pop()
    if open_:
        raise FormulaError(f"This {open_[-1].kind} is never closed.", text, open_[-1].start, open_[-1].end)


def _with_products(text, words):
    """The words with a · in products that are written without one: ``2x``, ``W x``, ``λ Σ(w²)``."""
    written = words[:1]
    for before, word in pairwise(words):
        called = before.kind == "name" and word.kind == "("
        if before.kind == "power" and word.kind in ("(", "**", "power", "[", "transpose"):
            reason = "A power is read behind its base only: sin(x)², (x²)³."
            raise FormulaError(reason, text, before.start, word.end)
        if before.kind in _ENDS_A_PART and word.kind in _BEGINS_A_PART and not called:
            if word.kind == "number":
                reason = f"A sign is missing between {before.text} and {word.text}, such as *."
                raise FormulaError(reason, text, before.start, word.end)
            written.append(_Word("·", "", word.start, word.start))
        written.append(word)
    return written


def _without_beginning(words):
    """The words without ``J =``."""
    named = [word.kind for word in words[:2]] == ["name", "="]
    return words[2:] if named else words


# ------------------------------------------------------------------------------------------ reading

_OPERATORS = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.MatMult: np.matmul,
    ast.Pow: np.power, ast.FloorDiv: np.floor_divide, ast.Mod: np.remainder, ast.USub: np.negative,
    ast.UAdd: np.positive, ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater,
    ast.GtE: np.greater_equal, ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_TRANSPOSED = "T"  # in [T]; all other names are v0, v1, …
_MISTAKES = (TypeError, ValueError, ArithmeticError, LookupError)


class _Reader:
    """Reads Python's syntax tree of the words into a graph; ``_read`` lists what a formula may contain."""

    def __init__(self, text, words, names, own):
        self.text, self.words, self.names = text, words, names
        self.known_at_home = known_functions()
        self.known = {**self.known_at_home, **own}
        self.symbols = {_composed(notation.symbol(name)): node for name, node in names.items()}
        self.most_entries = max([MOST_ENTRIES, *(node.size for node in names.values())])
        self.origins: list[tuple[int, int]] = []  # for each character of ``python``, its place in ``text``
        self.dots: set[int] = set()
        parts = []
        for i, word in enumerate(words):
            if word.kind == "·":
                self.dots.add(len(self.origins))
            part = self._in_python(i, word) + " "
            parts.append(part)
            self.origins += [(word.start, word.end)] * len(part)
        self.python = "".join(parts)

    def _in_python(self, i, word) -> str:
        match word.kind:
            case "name":
                return f"v{i}"
            case "number":
                return self._number(word)
            case "power":
                digits = word.text.translate(_PLAIN_DIGITS)
                if not re.fullmatch(r"-?\d{1,3}", digits):
                    raise self._refused("This power cannot be read.", word.start, word.end)
                return f"**({int(digits)})"
            case "transpose":
                return f"[{_TRANSPOSED}]"
            case "·":
                return "*"
        return word.kind

    def _number(self, word) -> str:
        if len(word.text) <= MOST_DIGITS:
            number = int(word.text) if re.fullmatch(r"[0-9]+", word.text) else float(word.text)
            if math.isfinite(number):
                return repr(number)
        reason = f"A number has at most {MOST_DIGITS} characters, and is not larger than 1e300."
        raise self._refused(reason, word.start, word.end)

    def whole(self) -> Node:
        tree = self._tree()
        value = self._read(tree)
        if isinstance(value, (tuple, list)):
            raise self._at(tree, "One formula is expected here, not several.")
        return value if isinstance(value, Node) else self._checked(tree, lambda: constant(None, value))

    def _tree(self):
        last = len(self.text)
        try:
            tree = ast.parse(self.python.strip(), mode="eval").body
        except SyntaxError as error:
            if not error.offset or error.offset > len(self.origins):
                raise self._refused("The formula ends too early.", last, last) from None
            start, end = self.origins[error.offset - 1]
            raise self._refused("Here something is missing, or too much.", start, end) from None
        except (MemoryError, RecursionError):
            raise self._refused("This is nested too deeply to be read.", 0, last) from None
        waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
        while waiting:
            node, depth = waiting.pop()
            if depth > MOST_NESTED:
                raise self._refused(f"More than {MOST_NESTED} operations inside each other.", 0, last)
            waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
        return tree

    def _refused(self, reason, start, end) -> FormulaError:
        return FormulaError(reason, self.text, start, end)

    def _at(self, tree, reason) -> FormulaError:
        """The error that points to the place of ``tree``."""
        start = self.origins[tree.col_offset][0]
        return self._refused(reason, start, self.origins[tree.end_col_offset - 1][1])

    # -- what a formula may contain

    def _read(self, tree):
        """A node, a number, or a list or tuple of them (for indices, axes and shapes)."""
        match tree:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.Name():
                return self._leaf(tree)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                return self._call(tree, _OPERATORS[type(sign)], self._read(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._binary(tree, left, op, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return self._call(tree, _OPERATORS[type(op)], self._read(left), self._read(right))
            case ast.Call(func=ast.Name() as name, args=arguments, keywords=keywords) if all(
                k.arg for k in keywords
            ):
                operands = [self._read(argument) for argument in arguments]
                named = {self._word(k.arg).text: self._read(k.value) for k in keywords}
                return self._call(tree, self._function(name), *operands, **named)
            case ast.Subscript(value=value, slice=ast.Name(id="T")):
                return self._call(tree, np.transpose, self._read(value))
            case ast.Subscript(value=value, slice=key):
                return self._indexed(tree, self._read(value), self._read(key))
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if part is None else self._read(part) for part in (lower, upper, step)))
            case ast.Tuple(elts=elements):
                return tuple(map(self._read, elements))
            case ast.List(elts=elements):
                return list(map(self._read, elements))
        raise self._at(tree, "This is not read in a formula.")

    def _word(self, placeholder) -> _Word:
        return self.words[int(placeholder[1:])]

    def _leaf(self, tree):
        word = self._word(tree.id)
        name = word.text.rpartition(".")[2] if word.text not in self.names else word.text
        if name in self.names:
            return self.names[name]
        if (symbol := _composed(notation.symbol(name))) in self.symbols:
            return self.symbols[symbol]
        if name in _NUMBERS:
            return _NUMBERS[name]
        if name in self.known:
            raise self._at(tree, f"{name} is a function: write {name}(…).")
        raise self._at(tree, _unknown_name(name, self.names))

    def _function(self, tree):
        home, _, name = self._word(tree.id).text.rpartition(".")
        known = self.known_at_home if home else self.known  # np.log is NumPy's, log may be the reader's own
        if name in known:
            return known[name]
        if name in self.names or _composed(notation.symbol(name)) in self.symbols:
            raise self._at(tree, f"{name} is not a function; for a product write {name} * (…).")
        raise self._at(tree, _unknown_function(name, known))

    def _binary(self, tree, left, op, right):
        between = range(left.end_col_offset, right.col_offset)
        x, y = self._read(left), self._read(right)
        function = _OPERATORS[type(op)]
        if self.dots.intersection(between) and np.ndim(_filled(x)) and np.ndim(_filled(y)):
            function = np.matmul
        return self._call(tree, function, x, y)

    def _indexed(self, tree, value, key):
        if not isinstance(value, Node):
            raise self._at(tree, "Only what has a name or is computed from one has entries.")
        return self._checked(tree, lambda: value[key])

    def _call(self, tree, function, *operands, **named):
        """The node of a function's call; a number if all operands are numbers."""
        exponents = [o for o in operands[1:] if isinstance(o, (int, float))] if function is np.power else []
        if exponents and abs(exponents[0]) > LARGEST_POWER:
            raise self._at(tree, f"Powers are read up to {LARGEST_POWER}.")
        if not any(isinstance(o, Node) for operand in operands for o in _listed(operand)):
            if not operands or isinstance(operands[0], (tuple, slice)):
                raise self._at(tree, "A name or a number is missing here.")
            if not named and all(isinstance(operand, (int, float)) for operand in operands):
                with np.errstate(all="ignore"):
                    return self._checked(tree, lambda: float(function(*map(float, operands))))
            operands = (self._checked(tree, lambda: constant(None, operands[0])), *operands[1:])
        return self._checked(tree, lambda: function(*operands, **named))

    def _checked(self, tree, make):
        """The node that ``make`` returns, if it is not too large; errors point to ``tree``."""
        try:
            made = make()
        except _MISTAKES as error:
            raise self._at(tree, f"{str(error).strip().rstrip('.')}.") from None
        if isinstance(made, Node) and made.size > self.most_entries:
            raise self._at(tree, f"This has {made.size} entries; up to {self.most_entries} are computed.")
        if not isinstance(made, (Node, float)):
            raise self._at(tree, "This is not one value.")
        return made


def _listed(operand):
    return operand if isinstance(operand, list) else (operand,)


def _filled(operand):
    """Something with as many axes as the operand has."""
    return operand if isinstance(operand, (Node, int, float)) else np.empty(len(operand))


def _composed(name):
    return unicodedata.normalize("NFC", name)


def _unknown_name(name, known) -> str:
    """The error for an unknown name, with the known ones."""
    if len(known) <= MOST_LISTED:
        hint = f" This graph has {', '.join(known)}."
    else:
        hint = f" The nearest: {', '.join(_near(name, known) or list(known)[:MOST_LISTED])}."
    first = next((n for n in known if name.startswith(n) and name[len(n) :] in known), None)
    if first is not None:
        hint += f" For a product write {first} * {name[len(first) :]}."
    return f"{notation.shorten(name, 30)} is not a name here.{_letters(name)}{hint}"


def _unknown_function(name, known) -> str:
    """The error for an unknown function, with those of similar names."""
    near = _near(name, known)
    hint = f" The nearest: {', '.join(near)}." if near else ""
    return f"{notation.shorten(name, 30)} is not a function here.{_letters(name)}{hint}"


def _near(name, known) -> list[str]:
    return get_close_matches(name.lower(), known, n=3, cutoff=0.6)


def _letters(name) -> str:
    """A remark on a letter that may look like another one, if there is one."""
    foreign = next((letter for letter in name if not letter.isascii()), None)
    return f" It has the letter {_called(foreign)}." if foreign else ""
