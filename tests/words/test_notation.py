"""How names, numbers and expressions are written."""

import ast
import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law
from samples import lecture_network, programs

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from backprop_lab.rules.primitives import converted
from backprop_lab.words import notation
from backprop_lab.words.notation import MINUS, array, expression, factor, number, shorten, symbol

x, y, z = (bl.variable(name, [1.0, 2.0]) for name in "xyz")
A, B = bl.variable("A", np.eye(2)), bl.variable("B", np.eye(2))
c = bl.variable("c", 1.0)
SINGLE = np.dtype(np.float32)


# -------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("x", "x"),
        ("y_hat", "ŷ"),
        ("p_hat", "p̂"),
        ("theta", "θ"),
        ("theta_hat", "θ̂"),
        ("lam", "λ"),
        ("lambda_", "λ"),
        ("x1", "x₁"),
        ("x_12", "x₁₂"),
        ("theta2", "θ₂"),
        ("W_2_hat", "W₂̂"),
        ("J_tilde", "J\u0303"),
        ("theta_tilde", "θ\u0303"),
        ("_tilde", "_tilde"),
        ("x1234", "x1234"),
        ("hidden_layer", "hidden_layer"),
        ("_hat", "_hat"),
        ("θ", "θ"),
        ("größe", "größe"),
        ("dotted line", "dotted line"),
        ("🙂", "🙂"),
        ("<b>", "<b>"),
    ],
)
def test_a_name_becomes_the_lectures_symbol(name, written):
    assert symbol(name) == written


@law
@given(st.text())
def test_any_text_has_a_symbol(name):
    assert isinstance(symbol(name), str)


@law
@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_keeps_its_ends(text, length):
    short = shorten(text, length)
    assert len(short) <= length
    assert (short == text) == (len(text) <= length)
    if len(text) > length >= 3:
        assert (short[0], short[-1]) == (text[0], text[-1])


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3, "3"),
        (-42.0, "−42"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (2 / 3, "0.6667"),
        (-1 / 3, "−0.3333"),
        (14.0000001, "14"),
        (999999.0, "999999"),
        (1000000.0, "1e6"),
        (-1234567.0, "−1.235e6"),
        (3.48e-7, "3.48e−7"),
        (0.00012345, "0.0001234"),
        (12345.678, "1.235e4"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
        (True, "True"),
        (np.bool_(False), "False"),
        (np.float32(0.1), "0.1"),
        (np.int8(-5), "−5"),
    ],
)
def test_a_number_is_written_with_four_digits_and_a_real_minus(value, written):
    assert number(value) == written


@law
@given(st.floats(min_value=-1e300, max_value=1e300))
def test_a_written_number_is_close_to_the_number(value):
    text = number(value)
    assert "-" not in text and len(text) <= 12
    assert math.isclose(float(text.replace(MINUS, "-")), value, rel_tol=5.01e-4, abs_tol=5e-324)


@law
@given(st.floats(allow_nan=False))
def test_a_number_and_its_negative_differ_by_the_minus_only(value):
    if value != 0:
        assert number(-abs(value)) == MINUS + number(abs(value))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.array(3.0), "3"),
        (np.array([0, -42.0]), "(0, −42)"),
        (np.array([1.5]), "(1.5,)"),
        (np.array([]), "()"),
        (np.array([[1, -2], [0.5, 4]]), "[[1, −2], [0.5, 4]]"),
        (np.array([[1.0], [2.0]]), "[[1], [2]]"),
        (np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), "[[[1, 2]], [[3, 4]]]"),
        (np.array([True, False]), "(True, False)"),
        (np.arange(12.0), "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)"),
        (np.arange(13.0), "13 numbers from 0 to 12"),
        (np.linspace(-1, 1, 20).reshape(4, 5), "4 × 5 numbers from −1 to 1"),
        (np.full((5, 5), np.nan), "5 × 5 numbers from nan to nan"),
    ],
)
def test_an_array_is_written_on_one_line(value, written):
    assert array(value) == written


def test_shapes_are_written_for_reading():
    shapes = [(), (1,), (3,), (2, 3), (2, 1, 3)]
    assert [notation.dimensions(s) for s in shapes] == ["scalar", "1", "3", "2 × 3", "2 × 1 × 3"]
    assert [notation.extent(s) for s in shapes[:4]] == [
        "one number",
        "one number",
        "3 numbers",
        "2 × 3",
    ]


# -------------------------------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("node", "math", "code"),
    [
        (x + y, "x + y", "x + y"),
        (x - (y - z), "x − (y − z)", "x - (y - z)"),
        ((x - y) - z, "x − y − z", "x - y - z"),
        (x - y * z, "x − y ⊙ z", "x - y * z"),
        (x + (y + z), "x + y + z", "x + (y + z)"),
        (x * (A @ y), "x ⊙ A y", "x * (A @ y)"),
        (x * c, "x · c", "x * c"),
        (x * y, "x ⊙ y", "x * y"),
        ((x + y) * z, "(x + y) ⊙ z", "(x + y) * z"),
        (x / (y * z), "x / (y ⊙ z)", "x / (y * z)"),
        (x / y / z, "x / y / z", "x / y / z"),
        (-x, "−x", "-x"),
        (-(x + y), "−(x + y)", "-(x + y)"),
        (x * -y, "x ⊙ (−y)", "x * (-y)"),
        (x + -2, "x + (−2)", "x + (-2)"),
        (-2 * x, "−2 · x", "-2 * x"),
        (x**2, "x²", "x**2"),
        ((x + y) ** 2, "(x + y)²", "(x + y)**2"),
        ((-x) ** 2, "(−x)²", "(-x)**2"),
        (-(x**2), "−x²", "-x**2"),
        (x**-1, "x⁻¹", "x**(-1)"),
        (x**0.5, "x⁰·⁵", "x**0.5"),
        (x**y, "x^y", "x**y"),
        (x ** (y + 1), "x^(y + 1)", "x**(y + 1)"),
        ((x**y) ** z, "(x^y)^z", "(x**y)**z"),
        (2**x, "2^x", "2**x"),
        (np.square(x), "x²", "np.square(x)"),
        (np.sqrt(x), "√x", "np.sqrt(x)"),
        (np.tanh(x), "tanh(x)", "np.tanh(x)"),
        (abs(x), "|x|", "np.absolute(x)"),
        (np.maximum(x, 0), "maximum(x, 0)", "np.maximum(x, 0)"),
        (x % y, "x mod y", "x % y"),
        (-(x % y), "−(x mod y)", "-(x % y)"),
        ((x // y) * z, "(⌊x / y⌋) ⊙ z", "(x // y) * z"),
        (bl.squared_error(x, y - z), "mean((x − (y − z))²)", "bl.squared_error(x, y - z)"),
        (bl.squared_error(x - y, z), "mean((x − y − z)²)", "bl.squared_error(x - y, z)"),
        (bl.l2(A) * 2, "‖A‖² · 2", "bl.l2(A) * 2"),
        (bl.l2(A, x) * 2, "(‖A‖² + ‖x‖²) · 2", "bl.l2(A, x) * 2"),
        (np.stack([x, -y]), "stack([x, (−y)])", "np.stack([x, (-y)])"),
        (converted(x + y, dtype=SINGLE) * c, "(x + y) · c", "np.asarray(x + y, np.float32) * c"),
        (bl.relu(x - 1), "relu(x − 1)", "bl.relu(x - 1)"),
        (bl.sigmoid(x), "σ(x)", "bl.sigmoid(x)"),
        (A @ x, "A x", "A @ x"),
        (x @ y, "x · y", "x @ y"),
        (A @ B @ x, "A B x", "A @ B @ x"),
        (A @ (B @ x), "A (B x)", "A @ (B @ x)"),
        (A @ (x + y), "A (x + y)", "A @ (x + y)"),
        (A.T, "Aᵀ", "A.T"),
        ((A @ B).T, "(A B)ᵀ", "(A @ B).T"),
        (np.outer(x, y), "x yᵀ", "np.outer(x, y)"),
        (np.sum(A), "sum(A)", "np.sum(A)"),
        (A.sum(axis=0), "sum(A, axis=0)", "np.sum(A, axis=0)"),
        (
            A.mean(1, keepdims=True),
            "mean(A, axis=1, keepdims=True)",
            "np.mean(A, axis=1, keepdims=True)",
        ),
        (np.reshape(A, (4,)), "A as 4 numbers", "np.reshape(A, (4,))"),
        (x[0], "x[0]", "x[0]"),
        ((x + y)[0], "(x + y)[0]", "(x + y)[0]"),
        (A[1:, None, ..., -1], "A[1:, None, ..., -1]", "A[1:, None, ..., -1]"),
        (x > 0, "[x > 0]", "(x > 0)"),
        (np.where(x >= y, x, 1), "(x if [x ≥ y], else 1)", "np.where((x >= y), x, 1)"),
        (np.broadcast_to(c, (3,)), "c repeated to 3 numbers", "np.broadcast_to(c, (3,))"),
    ],
)
def test_an_expression_has_the_brackets_it_needs_and_no_others(node, math, code):
    assert (expression(node), expression(node, code=True)) == (math, code)


def test_a_name_stands_for_what_it_names():
    network = lecture_network()
    assert expression(network.y_hat) == "w · h"
    assert expression(network.J) == "(ŷ − y)²"
    assert expression(network.J, code=True) == "(y_hat - y)**2"


def test_a_factor_is_bracketed_unless_it_is_one_symbol_or_call():
    assert [factor(node) for node in (x, x + y, np.tanh(x), x**2)] == [
        "x",
        "(x + y)",
        "tanh(x)",
        "(x²)",
    ]


def test_an_unnamed_array_is_written_as_its_numbers():
    node = np.array([1.0, -2.0]) * x
    assert expression(node) == "(1, −2) ⊙ x"


def test_an_input_is_bracketed_by_how_strongly_its_text_binds():
    node, texts = x * c, {x: "x", c: notation.Part("a + b", notation.SUM)}
    assert expression(node, texts.get) == "x · (a + b)"
    assert expression(node, {x: "x", c: "a"}.get) == "x · a"


@pytest.mark.parametrize(
    ("text", "behind"),
    [("−3", "(−3)"), ("-x", "(-x)"), ("3", "3"), ("(−3, 1)", "(−3, 1)"), ("x − 3", "x − 3")],
)
def test_behind_a_sign_a_minus_stands_in_brackets(text, behind):
    assert notation.bracket_minus(text) == behind


def test_a_deep_expression_is_cut():
    deep = reduce(lambda node, _: np.tanh(node + 1), range(10), x).named("deep")
    assert expression(deep) == "tanh(tanh(… + 1) + 1)"
    assert expression(deep, depth=0) == "tanh(…)"


def test_a_literal_keeps_its_digits_in_code():
    node = x * 0.123456789
    assert expression(node, code=True) == "x * 0.123456789"
    assert expression(node) == "x · 0.1235"


@law
@given(programs())
def test_code_computes_what_the_graph_computes(program):
    """Read back as Python, every node's code gives the node's value."""
    J = program.graph()
    bl.forward(J)
    order = topological_order(J)
    names = {node: f"v{i}" for i, node in enumerate(order)}
    scope = {name: node.value for node, name in names.items()} | {"np": np, "bl": bl}
    for node in order:
        if node.rule is not None:
            code = expression(node, names.get, code=True)
            ast.parse(code, mode="eval")
            np.testing.assert_array_equal(eval(code, scope), node.value)


@law
@given(programs(most=5))
def test_code_written_out_in_full_computes_the_same_in_the_same_order(program):
    J = program.graph()
    leaves = {node.name: node for node in topological_order(J) if node.rule is None}

    def leaf_only(node):
        return node.name if node.rule is None else None

    code = expression(J, leaf_only, code=True, depth=100)
    scope = {name: leaf.value for name, leaf in leaves.items()} | {"np": np, "bl": bl}
    np.testing.assert_array_equal(eval(code, scope), bl.forward(J))


def test_a_minus_is_no_level_of_its_own():
    x = bl.variable("x", 1.0)
    assert expression(3 * (1 / (1 + np.exp(-x)))) == "3 · 1 / (1 + exp(−x))"
    assert expression(3 * (1 / (1 + np.exp(np.tanh(x))))) == "3 · 1 / (1 + exp(…))"


def test_a_squared_norm_that_is_squared_again_stands_in_brackets():
    a = bl.variable("a", [1.0, 2.0])
    assert bl.steps(bl.l2(a) ** 2)[1].formula.endswith("(‖a‖²)²")
