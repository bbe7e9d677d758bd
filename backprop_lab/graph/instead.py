"""What to write for functions and methods of NumPy's that a node does not know: loaded for an error only.

In :data:`INSTEAD`, x and y are vectors, A and B matrices. A function that gets a rule loses its line there.

What must hold: each line gives what the function would.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import numpy as np

from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError

INSTEAD: dict[str, str | tuple[str, str]] = {
    # entry by entry
    "np.arccos": "np.pi / 2 - np.arctan(x / np.sqrt(1 - x**2))",
    "np.arccosh": "np.log(x + np.sqrt(x**2 - 1))",
    "np.arcsin": "np.arctan(x / np.sqrt(1 - x**2))",
    "np.arcsinh": "np.log(x + np.sqrt(x**2 + 1))",
    "np.arctan2": "2 * np.arctan(x / (np.sqrt(x**2 + y**2) + y))  # for x other than 0, or y > 0",
    "np.arctanh": "np.log((1 + x) / (1 - x)) / 2",
    "np.cbrt": "np.sign(x) * np.abs(x) ** (1 / 3)",
    "np.conjugate": "x  # a node holds real numbers",
    "np.copysign": "np.abs(x) * np.where(y < 0, -1, 1)",
    "np.deg2rad": "x * (np.pi / 180)",
    "np.degrees": "x * (180 / np.pi)",
    "np.fabs": "np.abs(x)",
    "np.float_power": "x**y",
    "np.fmax": "np.maximum(x, y)",
    "np.fmin": "np.minimum(x, y)",
    "np.fmod": "np.sign(x) * (np.abs(x) % np.abs(y))",
    "np.heaviside": "np.where(x == 0, y, x > 0)",
    "np.hypot": "np.sqrt(x**2 + y**2)",
    "np.log10": "np.log(x) / np.log(10)",
    "np.log2": "np.log(x) / np.log(2)",
    "np.logaddexp2": "np.logaddexp(x * np.log(2), y * np.log(2)) / np.log(2)",
    "np.nan_to_num": "np.where(x == x, x, 0)",
    "np.rad2deg": "x * (180 / np.pi)",
    "np.radians": "x * (np.pi / 180)",
    "np.select": "np.where(x > 0, x, np.where(y > 0, y, 0))",
    "np.sinc": "np.sin(np.pi * x) / (np.pi * x)  # for x other than 0",
    # reductions, running sums, differences
    "np.average": "np.sum(x * y) / np.sum(y)",
    "np.cumprod": "np.exp(np.cumsum(np.log(x)))  # for x > 0",
    "np.cumulative_sum": "np.cumsum(x)",
    "np.diff": "x[1:] - x[:-1]",
    "np.nanmean": "np.sum(np.where(x == x, x, 0)) / np.sum(x == x)",
    "np.nansum": "np.sum(np.where(x == x, x, 0))",
    "np.ptp": "np.max(x) - np.min(x)",
    "np.trapezoid": "np.sum((x[1:] + x[:-1]) / 2)",
    "np.add.reduce": "np.sum(x, axis=0)",
    "np.add.accumulate": "np.cumsum(x, axis=0)",
    "np.multiply.reduce": "np.prod(x, axis=0)",
    "np.maximum.reduce": "np.max(x, axis=0)",
    "np.minimum.reduce": "np.min(x, axis=0)",
    "np.logaddexp.reduce": "bl.logsumexp(x, axis=0)",
    # products
    "np.cross": "x[[1, 2, 0]] * y[[2, 0, 1]] - x[[2, 0, 1]] * y[[1, 2, 0]]",
    "np.kron": "np.outer(x, y).reshape(-1)  # of vectors",
    "np.matvec": "A @ x",
    "np.vecdot": "np.sum(x * y, axis=-1)",
    "np.vecmat": "x @ A",
    # arrays joined, cut up, turned
    "np.append": "np.concatenate([x, y], axis=None)",
    "np.array_split": "[x[:2], x[2:]]",
    "np.atleast_2d": "x[None, :]",
    "np.block": "np.concatenate([x, y])",
    "np.column_stack": ("np.stack([x, y], axis=1)", "np.concatenate([A, B], axis=1)"),
    "np.copy": "x  # a node never changes",
    "np.diagonal": "np.diag(A)",
    "np.dstack": "np.stack([A, B], axis=-1)",
    "np.fliplr": "np.flip(A, axis=1)",
    "np.flipud": "np.flip(A, axis=0)",
    "np.full_like": "2 * np.ones_like(x)",
    "np.hsplit": "np.split(A, 3, axis=1)",
    "np.hstack": ("np.concatenate([x, y])", "np.concatenate([A, B], axis=1)"),
    "np.matrix_transpose": "np.swapaxes(A, -1, -2)",
    "np.pad": "np.concatenate([np.zeros(1), x, np.zeros(1)])",
    "np.real": "x  # a node holds real numbers",
    "np.roll": "np.concatenate([x[-1:], x[:-1]])",
    "np.rot90": "np.flip(A.T, axis=0)",
    "np.take": "x[[0, 2]]",
    "np.tril": "A * np.tri(*A.shape)",
    "np.triu": "A * (1 - np.tri(*A.shape, -1))",
    "np.unstack": "list(A)",
    "np.vsplit": "np.split(A, 3)",
    "np.vstack": ("np.stack([x, y])", "np.concatenate([A, B])"),
    # linear algebra
    "np.linalg.cross": "x[[1, 2, 0]] * y[[2, 0, 1]] - x[[2, 0, 1]] * y[[1, 2, 0]]",
    "np.linalg.det": (
        'bl.rule("det", np.linalg.det, lambda g, z, x: g * z * np.linalg.inv(x).T, kind="custom")'
    ),
    "np.linalg.diagonal": "np.diag(A)",
    "np.linalg.inv": 'bl.rule("inv", np.linalg.inv, lambda g, z, x: -z.T @ g @ z.T, kind="custom")',
    "np.linalg.matmul": "A @ B",
    "np.linalg.matrix_norm": "np.linalg.norm(A)",
    "np.linalg.matrix_power": "A @ A @ A",
    "np.linalg.matrix_transpose": "np.swapaxes(A, -1, -2)",
    "np.linalg.multi_dot": "A @ B @ x",
    "np.linalg.outer": "np.outer(x, y)",
    "np.linalg.tensordot": "np.tensordot(A, B)",
    "np.linalg.trace": "np.trace(A)",
    "np.linalg.vecdot": "np.sum(x * y, axis=-1)",
    "np.linalg.vector_norm": "np.linalg.norm(x)",
}
"""What to write for each, as code; two lines where vectors and matrices differ."""

WITHOUT_GRADIENT = {
    *("argmax", "argmin", "argpartition", "argsort", "argwhere", "nonzero", "searchsorted", "unique"),
    *("count_nonzero", "any", "all", "allclose", "isclose", "array_equal", "floor", "ceil", "rint", "trunc"),
    *("round", "around", "fix", "isnan", "isinf", "isfinite"),
}
"""Functions through which no gradient flows."""

MOVE_ENTRIES = {"delete", "insert", "pad", "resize", "take_along_axis"}
"""Functions whose derivative is a transpose, so that a rule for them is a linear one."""

IN_PLACE = {"byteswap", "fill", "partition", "put", "resize", "setfield", "setflags", "sort"}
"""Methods that change an array."""


def no_rule(function: Callable, known: Iterable[Callable]) -> TypeError:
    """The error for a NumPy function without a rule: what to write instead, or which rule to add."""
    name = function.__name__
    called = f"{notation.home_of(function) or 'np'}.{name}"
    if name in WITHOUT_GRADIENT:
        return TypeError(
            f"np.{name} of a node: no gradient flows through it, so it is no operation of a graph; take it "
            "of numbers, such as the node's .value after bl.forward"
        )
    names = sorted({f.__name__ for f in known if getattr(np, f.__name__, None) is f})
    near = ", ".join(f"np.{n}" for n in difflib.get_close_matches(name, names, n=3, cutoff=0.6))
    hint = f"the nearest known: {near}" if near else f"none of the {len(names)} known is near"
    message = f"{called} has no rule for nodes yet; {hint}"
    if called in INSTEAD:
        message += f"; write {_in_one_line(INSTEAD[called])}"
    if called not in INSTEAD or isinstance(function, np.ufunc):
        message += f"; to add it, give its derivative: {_rule_to_add(name, called, function)}"
    return TypeError(message)


def method_of_a_ufunc(ufunc: np.ufunc, method: str) -> NotAnArrayError:
    """The error for ``np.add.reduce`` and the like."""
    name = f"np.{ufunc.__name__}"
    outer = f"{name}(x[:, None], y)" if method == "outer" else None
    instead = INSTEAD.get(f"{name}.{method}", outer)
    return NotAnArrayError(
        f"{name}.{method} of a node is not supported" + (f"; write {instead}" if instead else "")
    )


def _in_one_line(code: str | tuple[str, str]) -> str:
    if isinstance(code, tuple):
        return f"{code[0]} for vectors, {code[1]} for matrices"
    line, _, remark = code.partition("  # ")
    return f"{line} ({remark})" if remark else line


def _rule_to_add(name: str, called: str, function: Callable) -> str:
    """The call of ``bl.rule`` that fits a function: elementwise, linear or custom."""
    if isinstance(function, np.ufunc) and function.signature is None:
        return f'bl.rule("{name}", {called}, lambda z, {", ".join("xyuvw"[: function.nin])}: …)'
    kind = "linear" if name in MOVE_ENTRIES else "custom"
    places = ", ".join("xyuvw"[: getattr(function, "nin", 1)])
    return f'bl.rule("{name}", {called}, lambda g, z, {places}: …, kind="{kind}")'


def no_attribute(node, name: str, known: Iterable[Callable]) -> AttributeError:
    """The error for what an array has and a node (None: the class of all nodes) has not."""
    mentioned = "Node" if node is None else notation.mention(node, code=True)
    function = getattr(np, name, None)
    if name in IN_PLACE:
        words = f"changes an array, and a node stays what it is; change a copy, {mentioned}.value.copy()"
    elif function is not None:
        words = str(no_rule(function, known))
    else:
        words = f"a node may have no numbers yet; after bl.forward write {mentioned}.value.{name}"
    return AttributeError(f"{mentioned}.{name}: {words}", name=name, obj=node)
