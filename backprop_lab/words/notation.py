"""How names, numbers and expressions are written, as plain text.

Errors, step records, pictures and widgets all write through this file, so that a number looks the same
everywhere. There are two notations: *code* (what the learner typed, used in errors and programs) and *math*
(the lecture's, used in formulas and on cards). How each operation is written stands in ``rules/writing.py``.

What must hold: everything is deterministic, and no recursion goes beyond a fixed depth, however deep the
graph is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from typing import SupportsFloat

    import numpy.typing as npt

MINUS = "\u2212"
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")
_LETTERS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma "
    "tau upsilon phi chi psi omega"
)
_GREEK = dict(zip(_LETTERS.split(), "αβγδεζηθικλμνξοπρστυφχψω", strict=True))
_GREEK |= {"lam": "λ", "lmbda": "λ", "lambda_": "λ"}
_HATS = {"y": "ŷ", "a": "â", "e": "ê", "o": "ô", "s": "ŝ", "z": "ẑ"}

# How strongly an expression binds, and how strongly one must bind to stand somewhere without brackets.
ANYTHING, SUM, PRODUCT, POWER, ATOM = range(5)  # an atom is a name, a number, a call

# ------------------------------------------------------------------------------------ names and numbers


def symbol(name: str) -> str:
    """The lecture's symbol for a Python name: ``y_hat`` is ŷ, ``theta`` is θ, ``x1`` is x₁.

    >>> [symbol(n) for n in ("y_hat", "theta", "x1", "W_2", "dotted line", "J")]
    ['ŷ', 'θ', 'x₁', 'W₂', 'dotted line', 'J']
    """
    if name.endswith("_hat") and len(name) > 4:
        base = symbol(name[:-4])
        return _HATS.get(base, base + "\u0302")
    if name.endswith("_tilde") and len(name) > 6:
        return symbol(name[:-6]) + "\u0303"
    if name in _GREEK:
        return _GREEK[name]
    parts = re.fullmatch(r"([^\W\d_]+)_?(\d{1,3})", name)
    if parts:
        return _GREEK.get(parts[1], parts[1]) + parts[2].translate(_SUBSCRIPTS)
    return name


def shorten(text: str, length: int) -> str:
    """``text``, cut in its middle so that it has at most ``length`` characters.

    >>> shorten("abcdefghij", 6)
    'abc…ij'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return text[: length - 1 - tail] + "…" + text[len(text) - tail :]


def number(value: SupportsFloat, digits: int = 4) -> str:
    """One number, with at most ``digits`` significant digits and a real minus sign.

    >>> [number(v) for v in (-42.0, 0.66666667, -0.0, 1234567.0, 3.48e-7, float("nan"), True)]
    ['−42', '0.6667', '0', '1.235e6', '3.48e−7', 'nan', 'True']
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    value = float(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: MINUS + "∞"}.get(value, "nan")
    if value == 0:
        return "0"  # never "−0": the sign of a zero teaches nothing
    if value.is_integer() and abs(value) < 1e6:
        text = str(int(value))
    else:
        text = f"{value:.{digits}g}"
        if "e" in text:
            mantissa, exponent = text.split("e")
            text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", MINUS)


def opens_with_minus(text: str) -> bool:
    """Whether a text begins with a minus sign, of math or of code."""
    return text.startswith((MINUS, "-"))


def bracket_minus(text: str) -> str:
    """``text`` as it may follow a sign: in brackets if it opens with a minus.

    >>> [bracket_minus(text) for text in ("−3", "3", "(0, −42)")]
    ['(−3)', '3', '(0, −42)']
    """
    return f"({text})" if opens_with_minus(text) else text


def dimensions(shape: tuple[int, ...]) -> str:
    """A shape for reading: ``2 × 3``; a vector of three is ``3``; a single number is ``scalar``."""
    return " × ".join(map(str, shape)) or "scalar"


def extent(shape: tuple[int, ...]) -> str:
    """A shape inside a sentence: ``one number``, ``3 numbers``, ``2 × 3``."""
    if len(shape) > 1:
        return dimensions(shape)
    return f"{shape[0]} numbers" if shape and shape[0] != 1 else "one number"


def array(value: npt.ArrayLike, digits: int = 4, most: int = 12) -> str:
    """An array on one line: vectors as (0, −42), matrices as [[1, 2], [3, 4]].

    An array of more than ``most`` numbers is described by its shape and range.

    >>> array(np.array([[1.0, -2.0], [0.5, 4.0]]))
    '[[1, −2], [0.5, 4]]'
    >>> array(np.zeros((3, 5)))
    '3 × 5 numbers from 0 to 0'
    """
    value = np.asarray(value)
    if value.size > most:
        low, high = value.min(), value.max()
        return f"{dimensions(value.shape)} numbers from {number(low, 3)} to {number(high, 3)}"
    if value.ndim == 0:
        return number(value[()], digits)
    if value.ndim == 1:
        comma = "," if value.size == 1 else ""
        return "(" + ", ".join(number(v, digits) for v in value) + comma + ")"
    rows = [array(row, digits, most) for row in value]
    if value.ndim == 2:
        rows = ["[" + row[1:-1].rstrip(",") + "]" for row in rows]
    return "[" + ", ".join(rows) + "]"


def counted(number: int, what: str, written: str = "") -> str:
    """``1 node``, ``2 nodes``; ``written``: the number, if not by its digits."""
    return f"{written or number} {what}{'' if number == 1 else 's'}"


def literal(value: object, weak: bool = True) -> str:
    """A value as Python code that stands for exactly this value: a number, or a parameter of an operation.

    ``weak``: whether a float64 may be written as a number of Python's, which takes the precision of what it
    meets.

    >>> literal(np.float64(2)), literal(np.float64(2), weak=False), literal(np.float32(0.5)), literal(-3)
    ('2.0', 'np.float64(2.0)', 'np.float32(0.5)', '-3')
    >>> literal((2, np.inf)), literal(np.array([1, 2], np.int8)), literal(np.tanh)
    ('(2, np.inf)', 'np.array([1, 2], np.int8)', 'np.tanh')
    """
    if isinstance(value, np.generic):
        text = literal(value.item())
        plain = isinstance(value, (np.bool_, np.int64)) or (weak and isinstance(value, np.float64))
        return text if plain else f"np.{value.dtype}({text})"
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return _array_in_code(value)
    if isinstance(value, (tuple, list)):
        texts = ", ".join(map(literal, value)) + "," * (isinstance(value, tuple) and len(value) == 1)
        return f"({texts})" if isinstance(value, tuple) else f"[{texts}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, np.dtype):
        return f"np.{value.name}"
    if callable(value):
        home, name = home_of(value), getattr(value, "__name__", repr(value))
        return f"{home}.{name}" if home else name
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "np.inf", -math.inf: "-np.inf"}.get(value, "np.nan")
    return repr(value)


def _array_in_code(value: np.ndarray) -> str:
    entries = value.tolist()
    found = np.array(entries).dtype == value.dtype  # as NumPy reads the entries
    return f"np.array({literal(entries)}{'' if found else f', {literal(value.dtype)}'})"


def can_be_written(value: object) -> bool:
    """Whether :func:`literal` gives code that stands for this value."""
    kind = type(value)  # exactly: a kind of tuple may be more than its entries
    if isinstance(value, (np.generic, np.ndarray)):
        return value.dtype.kind in "fiub" and (kind is np.ndarray or isinstance(value, np.generic))
    if isinstance(value, dict):
        return kind is dict and all(map(can_be_written, (*value.keys(), *value.values())))
    if isinstance(value, (tuple, list)):
        return kind in (tuple, list) and all(map(can_be_written, value))
    plain = kind in (bool, int, float, str, bytes, type(None)) or isinstance(value, np.dtype)
    return plain or (callable(value) and home_of(value) is not None)


def home_of(function: Callable) -> str | None:
    """The module of NumPy's in which a function lives, as code calls it; None for any other function.

    >>> home_of(np.tanh), home_of(np.linalg.inv), home_of(math.sin)
    ('np', 'np.linalg', None)
    """
    name = getattr(function, "__name__", "")
    if getattr(np, name, None) is function:
        return "np"
    _, *path = (getattr(function, "__module__", None) or "").split(".")
    home: Any = np
    for part in path:
        home = getattr(home, part, None)
    return ".".join(["np", *path]) if path and getattr(home, name, None) is function else None


def power(base: str, exponent: str) -> str:
    """``x²`` where the exponent is a number, ``x^k`` where it is a name."""
    plain = exponent.strip("()").replace(MINUS, "-")
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain):
        return base + plain.translate(_SUPERSCRIPTS)
    return f"{base}^{exponent}"


# ---------------------------------------------------------------------------------------- expressions


class Part(NamedTuple):
    """A part of an expression, and how strongly it binds."""

    text: str
    binds: int = ATOM


class Form(NamedTuple):
    """How an operation is written in one of the two notations.

    ``text`` is a template with ``{0}``, ``{1}`` for the arguments and ``{axis}`` for a parameter, or a
    function of the arguments' texts. ``binds`` is how strongly the whole binds (None: as its argument),
    ``slots`` how strongly each argument must bind to stand without brackets; the last slot holds for all
    arguments that follow.
    """

    text: str | Callable[..., str]
    binds: int | None = ATOM
    slots: tuple[int, ...] = (ANYTHING,)


class Written(NamedTuple):
    """How an operation is written: in code and in math, each a form, or a function that gives it for a node.

    None stands for a call, such as ``np.sum(x, axis=0)`` in code and ``sum(x, axis=0)`` in math.
    """

    code: Form | Callable[[Any], Form] | None = None
    math: Form | Callable[[Any], Form] | None = None


CALL = Written()
WRITTEN: dict[Callable, Written] = {}
"""How the operation that a function makes is written, where not as a call; filled by ``rules/writing.py``."""


def form_of(node, code: bool, called: Mapping[Any, str] | None = None) -> Form:
    """How ``node``'s operation is written.

    ``called``: {rule: the name by which code calls it}, or {node: the name of its operation with all its
    parameters}.
    """
    rule = node.rule
    if called and (node in called or rule in called):
        return call(called[node], {}, code) if node in called else call(called[rule], node.parameters, code)
    written = rule.written or WRITTEN.get(rule.function, CALL)
    form = written.code if code else written.math
    if form is None:
        name = f"{rule.home}.{rule.name}" if code and rule.home else rule.name
        return call(name, differing(node.parameters, rule.parameters), code)
    return form if isinstance(form, Form) else form(node)


def differing(parameters: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The parameters that are not at their defaults."""
    return {k: v for k, v in parameters.items() if k not in defaults or v is not defaults[k]}


def call(name: str, keywords: dict[str, Any], code: bool) -> Form:
    """The form of ``np.sum(x, axis=0)``."""
    write = literal if code else lambda v: repr(v.tolist() if hasattr(v, "tolist") else v)
    return _call(name, *(f"{k}={write(v)}" for k, v in keywords.items()))


@cache
def _call(name: str, *keywords: str) -> Form:
    return Form(lambda *texts: f"{name}({', '.join(texts + keywords)})")


Write: TypeAlias = Callable[[Any], str | Part | None]
"""What gives the text of a node inside an expression, or None to write the node out."""


def expression(node, write: Write | None = None, *, code: bool = False, depth: int = 3) -> str:
    """How ``node`` is computed from its inputs: ``W x`` in math, ``W @ x`` in code.

    ``write(input)`` gives the text of an input (or a :class:`Part`, which says how strongly it binds), or
    None to write it out; the default is its name. An input without a text is written out itself, at most
    ``depth`` levels down, then as "…".
    """
    return written_out(node, write, code=code, depth=depth).text


def written_out(
    node,
    write: Write | None = None,
    *,
    code: bool = False,
    depth: int = 3,
    called: Mapping[Any, str] | None = None,
) -> Part:
    """The :func:`expression` of ``node``, and how strongly it binds; ``called`` as for :func:`form_of`."""
    return _written_out(node, write or (lambda operand: written_name(operand, code)), code, depth, called)


def _written_out(node, write: Write, code: bool, depth: int, called) -> Part:
    """A node as its operation on its arguments; a leaf without a name as its numbers."""
    if node.rule is None:
        return Part(array(node.value) if node.value is not None else dimensions(node.shape))
    form = form_of(node, code, called)
    slots = iter(form.slots)
    texts: list[str] = []
    for argument in node.arguments:
        slot = next(slots, form.slots[-1])
        if hasattr(argument, "arguments"):
            text, binds = _operand(argument, write, code, depth, called)
        else:
            text, binds = _number_in_code(argument, node) if code else number(argument), ATOM
        # a minus may open a sum or a product, nothing else
        if binds < slot or (slot > (ANYTHING if texts else PRODUCT) and opens_with_minus(text)):
            text = f"({text})"
        texts.append(text)
    if callable(form.text):
        text = form.text(*texts)
    else:
        parameters = {k: literal(v) for k, v in node.parameters.items()} if code else node.parameters
        text = form.text.format(*texts, **parameters)
    return Part(text, binds if form.binds is None else form.binds)


def _operand(operand, write: Write, code: bool, depth: int, called) -> tuple[str, int]:
    """A node and how strongly it binds: as ``write`` has it, else written out, at no depth "…"."""
    written = write(operand)
    if written is not None:
        return (written, ATOM) if isinstance(written, str) else written
    if depth > 0 or _is_minus_a_name(operand, write):
        return _written_out(operand, write, code, depth - 1, called)
    return "…", ATOM


def _number_in_code(argument, node) -> str:
    """A number that an operation reads: in the type of the arrays where NumPy would not give it that type."""
    function, floats = node.rule.function, [a.dtype for a in node.inputs if a.dtype.kind == "f"]
    if node.rule.home not in (None, "bl") and node.dtype.kind == "f":
        if isinstance(function, np.ufunc) or function is np.where:  # they read Python's numbers like that
            argument = argument.item() if isinstance(argument, np.integer) else argument
        else:
            argument = node.dtype.type(argument)
    return literal(argument, weak=not floats or np.dtype(np.float64) in floats)


def _is_minus_a_name(node, write) -> bool:
    """−x is hardly longer than x and does not count as a level: 1 / (1 + exp(−x)) is written out."""
    negative = node.rule is not None and node.rule.function is np.negative
    return negative and write(node.inputs[0]) is not None


def fitting(node, length: int) -> str:
    """The expression of ``node`` in about ``length`` characters: as deep as fits, with short names.

    Operators stay; what is left out of a long expression is an inner one, as "…".
    """
    for depth, longest in ((3, 24), (2, 12), (1, 12), (0, 12), (0, 6)):
        text = expression(node, partial(_short_name, longest), depth=depth)
        if len(text) <= length:
            return text
    return shorten(text, length)


def _short_name(length: int, operand) -> str | None:
    name = written_name(operand, code=False)
    return None if name is None else shorten(name, length)


def sign(node) -> str:
    """What ``node`` does to its inputs, each of them a □: ``□ · □``, ``relu(□)``, ``□²``.

    Matrices that a formula puts side by side have the sign of code between them: ``□ @ □``.
    """
    text = expression(node, lambda operand: "□")
    if "□ □" in text:
        text = expression(node, lambda operand: "□", code=True)
    return re.sub(r"\b(?:np|bl)\.(?:linalg\.)?", "", text)


def written_name(operand, code: bool) -> str | None:
    """The name of a node as it is written inside an expression, or None if it has none."""
    name = getattr(operand, "name", None)
    if name is None:
        return None
    return name if code else symbol(name)


def part(node) -> Part:
    """A node as a part of a formula: its symbol, or its expression."""
    name = written_name(node, code=False)
    return written_out(node) if name is None else Part(name)


def factor(node) -> str:
    """A node as a factor: its symbol, or its expression, in brackets where it needs them."""
    text, binds = part(node)
    return text if binds == ATOM else f"({text})"


def mention(node, code: bool = False) -> str:
    """What a node is called in a sentence or a formula: its name, else its expression."""
    return written_name(node, code) or expression(node, code=code)
