"""What an error says to write in place of a function without a rule gives what the function would."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rule_cases import numbers, positive

import backprop_lab as bl
from backprop_lab.graph.instead import INSTEAD, WITHOUT_GRADIENT
from backprop_lab.graph.node import RULES

# how each is called where not as f(x), f(x, y), f(A) or f(A, B): x and y are vectors, A and B matrices
CALLS = {
    "np.average": "np.average(x, weights=y)",
    "np.array_split": "np.array_split(x, 2)",
    "np.block": "np.block([x, y])",
    "np.column_stack": ("np.column_stack([x, y])", "np.column_stack([A, B])"),
    "np.dstack": "np.dstack([A, B])",
    "np.full_like": "np.full_like(x, 2)",
    "np.hsplit": "np.hsplit(A, 3)",
    "np.hstack": ("np.hstack([x, y])", "np.hstack([A, B])"),
    "np.linalg.matrix_power": "np.linalg.matrix_power(A, 3)",
    "np.linalg.multi_dot": "np.linalg.multi_dot([A, B, x])",
    "np.matvec": "np.matvec(A, x)",
    "np.pad": "np.pad(x, 1)",
    "np.roll": "np.roll(x, 1)",
    "np.select": "np.select([x > 0, y > 0], [x, y])",
    "np.take": "np.take(x, [0, 2])",
    "np.vecmat": "np.vecmat(x, A)",
    "np.vsplit": "np.vsplit(A, 3)",
    "np.vstack": ("np.vstack([x, y])", "np.vstack([A, B])"),
}
ABOVE_ONE = {"np.arccosh"}


def as_a_pair(codes):
    return (codes,) if isinstance(codes, str) else codes


def call_of(name, code):
    """The call that a line stands for: with the letters that it reads."""
    letters = sorted(set(re.findall(r"\b[xyAB]\b", code.partition("#")[0])))
    return f"{name}({', '.join(letters)})"


pytestmark = pytest.mark.usefixtures("table_as_it_was")


def exists(name):
    """Whether this NumPy has the function."""
    try:
        return callable(eval(name, {"np": np}))
    except AttributeError:
        return False


@pytest.mark.parametrize("name", [name for name in INSTEAD if exists(name)])
def test_what_to_write_instead_gives_what_the_function_would(name):
    size = 3.0 if name in ABOVE_ONE else 0.3
    arrays = {"x": size * positive(3), "y": 0.3 * positive(3), "A": numbers(3, 3), "B": numbers(3, 3)}
    variables = {letter: bl.variable(letter, array) for letter, array in arrays.items()}
    codes = as_a_pair(INSTEAD[name])
    calls = as_a_pair(CALLS.get(name, call_of(name, codes[0])))
    for code, call in zip(codes, calls, strict=True):
        if code.startswith("bl.rule"):
            continue
        for graph in (
            variables,
            {k: -v if k == "x" and "where" in code else v for k, v in variables.items()},
        ):
            values = {k: bl.forward(v) for k, v in graph.items()}
            expected = eval(call, {"np": np, **values})
            found = eval(code, {"np": np, "bl": bl, **graph})
            found = [bl.forward(z) if isinstance(z, bl.Node) else z for z in as_parts(found)]
            for mine, right in zip(found, as_parts(expected), strict=True):
                np.testing.assert_allclose(mine, right, rtol=1e-10)
        with pytest.raises(TypeError, match=re.escape(code.partition("  #")[0])) as raised:
            eval(call, {"np": np, **variables})
        assert re.match(rf"{re.escape(name)} (has no rule for nodes yet|of a node is not)", str(raised.value))


def test_an_outer_product_of_any_operation_says_what_to_write():
    x, y = bl.variable("x", numbers(3)), bl.variable("y", numbers(2))
    for ufunc in (np.add, np.multiply, np.maximum):
        with pytest.raises(TypeError, match=re.escape(f"; write np.{ufunc.__name__}(x[:, None], y)")):
            ufunc.outer(x, y)
        np.testing.assert_array_equal(bl.forward(ufunc(x[:, None], y)), ufunc.outer(x.value, y.value))


def as_parts(value):
    return value if isinstance(value, (list, tuple)) else [value]


def test_a_rule_that_is_given_in_full_is_right():
    A = bl.variable("A", numbers(3, 3) + 3 * np.eye(3))
    for function in (np.linalg.inv, np.linalg.det):
        with pytest.raises(TypeError, match=r"; write bl\.rule") as raised:
            function(A)
        exec(str(raised.value).partition("write ")[2], {"np": np, "bl": bl})
        report = bl.check_gradient(np.sum(function(A) ** 2), second=True)
        assert report.ok, report


@pytest.mark.parametrize(
    ("mistake", "rule"),
    [
        (lambda x: np.i0(x), 'bl.rule("i0", np.i0, lambda g, z, x: …, kind="custom")'),
        (lambda x: np.sort(x), 'bl.rule("sort", np.sort, lambda g, z, x: …, kind="custom")'),
        (lambda x: np.delete(x, 0), 'bl.rule("delete", np.delete, lambda g, z, x: …, kind="linear")'),
        (lambda x: np.ldexp(x, 2), 'bl.rule("ldexp", np.ldexp, lambda z, x, y: …)'),
        (lambda x: np.linalg.pinv(x), 'bl.rule("pinv", np.linalg.pinv, lambda g, z, x: …, kind="custom")'),
    ],
)
def test_where_nothing_stands_for_a_function_the_error_names_the_kind_of_rule_that_fits(mistake, rule):
    with pytest.raises(TypeError, match=re.escape(f"to add it, give its derivative: {rule}")):
        mistake(bl.variable("x", numbers(3, 3)))


def test_no_function_stands_in_two_tables():
    known = {f"np.{f.__name__}" for f in RULES if getattr(np, f.__name__, None) is f}
    assert not INSTEAD.keys() & (known | {f"np.{name}" for name in WITHOUT_GRADIENT})
