"""The program's simplifications: each gives an equal graph, and takes out what it is there for."""

from __future__ import annotations

import operator
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from oracles import law
from samples import programs
from ways import agree_in_every_way

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.derivatives import adjoints
from backprop_lab.program import one_vector, simplify
from backprop_lab.words import notation


def text(node):
    """The whole expression of a node as code."""
    return notation.expression(node, lambda a: a.name, code=True, depth=9)


def only(simplification, node):
    (simplified,) = simplification([node])
    assert (simplified.shape, simplified.dtype) == (node.shape, node.dtype)
    np.testing.assert_allclose(bl.forward(simplified), bl.forward(node), rtol=1e-12, atol=1e-14)
    return simplified


def count(root):
    return len([n for n in topological_order(root) if n.rule is not None])


x = bl.variable("x", [0.5, -2.0, 3.0])
y = bl.variable("y", [1.5, 0.2, -1.0])
c = bl.constant("c", [1.0, 2.0, 3.0])
s = bl.variable("s", 2.0)


@pytest.mark.slow
@law
@given(programs(most=6))
def test_every_simplification_keeps_the_values(program):
    J = program.graph()
    roots = [J, *adjoints(J).values()]
    values = [bl.forward(root) for root in roots]
    for simplification in simplify.SIMPLIFICATIONS:
        for before, value, after in zip(roots, values, simplification(roots), strict=True):
            assert (before.shape, before.dtype) == (after.shape, after.dtype)
            np.testing.assert_allclose(
                bl.forward(after), value, rtol=1e-9, atol=1e-10, err_msg=simplification.__name__
            )


@pytest.mark.slow
@law
@given(programs(most=6))
def test_the_graph_that_is_given_stays_as_it_is(program):
    J = program.graph()
    before = [(n, n.arguments, n.name) for n in topological_order(J)]
    for simplification in simplify.SIMPLIFICATIONS:
        simplification([J])
    for node, (same, arguments, name) in zip(topological_order(J), before, strict=True):
        assert node is same and name in (None, node.name)
        assert all(a is b for a, b in zip(node.arguments, arguments, strict=True))


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (lambda: bl.relu(x), "np.maximum(x, 0)"),
        (lambda: bl.l2(x, y), "np.vdot(x, x) + np.vdot(y, y)"),
        (lambda: bl.squared_error(x, y), "np.mean((x - y)**2)"),
    ],
    ids=["relu", "l2", "squared error"],
)
def test_opened_writes_functions_out_in_numpys(made, written):
    assert written in text(only(simplify.opened, made()))


def test_opened_goes_on_inside_what_it_opened():
    z = bl.variable("z", np.arange(6.0).reshape(2, 3))
    opened = only(simplify.opened, bl.cross_entropy(z, [0, 2]))
    assert {n.rule.name for n in topological_order(opened) if n.rule} <= {
        "sum", "multiply", "negative", "divide", "subtract", "max", "exp", "log", "rows_of", "equal", "where",
    }  # fmt: skip


def test_opened_leaves_alone_what_cannot_read_nodes():
    own = bl.rule(
        "doubled", lambda x: np.array([2 * float(v) for v in x]), lambda g, z, x: 2 * g, kind="linear"
    )
    node = own(x)
    assert simplify.opened([node]) == [node]


def test_folded_computes_what_no_named_leaf_decides():
    node = x * (bl.constant(None, [1.0, 2.0, 3.0]) * 2 + 1)
    assert text(only(simplify.folded, node)) == "x * (3, 5, 7)"


@pytest.mark.parametrize(
    "made",
    [
        lambda: x * 1,
        lambda: 1 * x,
        lambda: x + 0,
        lambda: 0 + x,
        lambda: x - 0,
        lambda: x / 1,
        lambda: x**1,
        lambda: np.reshape(x, (3,)),
        lambda: np.broadcast_to(x, (3,)),
        lambda: np.ravel(x),
    ],
)
def test_folded_leaves_out_what_changes_nothing(made):
    assert simplify.folded([made()]) == [x]


def test_folded_keeps_what_looks_neutral_but_changes_shape_or_type():
    flag = x > 0
    for node in (s * np.ones(3), flag * 1.0, s + np.zeros((2, 3))):
        assert only(simplify.folded, node) is not node.arguments[0]


def test_shared_does_equal_things_once():
    node = np.tanh(x * y) + np.tanh(x * y) * np.sum(x, axis=0) + np.sum(x, axis=0)
    assert count(node) - count(only(simplify.shared, node)) == 3


def test_shared_tells_parameters_and_types_apart():
    A = bl.variable("A", np.arange(6.0).reshape(2, 3))
    node = (
        np.sum(A, axis=0) @ x
        + np.sum(A, axis=1) @ np.array([1.0, 2.0])
        + A[0, 1]
        + A[1, 0]
        + np.sum(A[:, 1:])
    )
    assert count(only(simplify.shared, node)) == count(node)
    several = x[np.array([0, 1])] + x[np.array([1, 0])]
    assert count(only(simplify.shared, several)) == count(several)


def test_unbroadcast_lets_the_operation_repeat_its_small_argument():
    node = np.broadcast_to(s, (3,)) * x
    assert text(only(simplify.unbroadcast, node)) == "s * x"
    both = np.broadcast_to(s, (3,)) * np.broadcast_to(s, (3,))
    assert text(only(simplify.unbroadcast, both)) == "np.broadcast_to(s * s, (3,))"


def test_gates_are_read_from_the_output_of_a_relu():
    a = x + y
    h = np.maximum(a, 0)
    node = h * (a > 0)
    assert text(only(simplify.gates_from_outputs, node)) == "h * (h > 0)"


def test_numbers_that_follow_each_other_become_one_and_nothing_else_moves():
    node = 2 * (x * (s * 3)) / 4 * -1
    assert text(only(simplify.numbers_gathered, node)) == "-0.5 * (x * (3 * s))"
    assert text(only(simplify.numbers_gathered, -(2 * -(x / 4)))) == "0.5 * x"
    assert text(only(simplify.numbers_gathered, 2 * (x * c))) == "2 * (x * c)"
    (same,) = simplify.numbers_gathered([-x * -1])
    assert same is x


def test_the_inverse_of_a_factor_becomes_its_divisor():
    assert text(only(simplify.numbers_gathered, x * (1 / s))) == "x / s"
    assert text(only(simplify.numbers_gathered, np.divide(1, y) * (x * 2))) == "2 * x / y"


def test_flags_are_multiplied_with_after_numbers_that_cannot_overflow():
    assert text(only(simplify.numbers_gathered, (s > 0) * -0.5 * y)) == "-0.5 * y * (s > 0)"
    assert text(only(simplify.numbers_gathered, (s > 0) * 2 * y)) == "2.0 * (s > 0) * y"


def test_numbers_are_gathered_across_nobodys_name_but_the_compilers():
    inner = 3 * x
    assert text(only(simplify.numbers_gathered, 2 * inner * y)) == "2 * inner * y"


def test_a_minus_is_not_put_before_a_comparison_which_numpy_cannot_negate():
    node = only(simplify.numbers_gathered, np.exp(-(s > 0)) * x)
    assert text(node) == "np.exp(-1.0 * (s > 0)) * x"


def test_division_by_zero_is_left_to_numpy():
    with np.errstate(all="ignore"):
        (node,) = simplify.numbers_gathered([2 * (x / 0)])
    np.testing.assert_array_equal(bl.forward(node, on_nonfinite="ignore"), [np.inf, -np.inf, np.inf])


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (lambda: np.sum(x * y), "np.vdot(x, y)"),
        (lambda: np.sum(np.square(x)), "np.vdot(x, x)"),
        (lambda: np.sum(x**2), "np.vdot(x, x)"),
        (lambda: np.sum(s * x), "np.sum(s * x)"),
        (lambda: np.sum(x**3), "np.sum(x**3)"),
    ],
)
def test_sums_of_products_become_products(made, written):
    assert text(only(simplify.sums_of_products, made())) == written


def test_all_variables_become_views_of_one_vector_with_the_penalised_ones_together():
    b, V = bl.variable("b", 1.0), bl.variable("V", np.arange(4.0).reshape(2, 2))
    J = np.sum(np.tanh(x + b)) + np.sum(np.sin(V)) + 0.1 * (np.sum(x**2) + np.sum(V**2))
    flows = adjoints(J)
    roots = [J, *(flows[v] for v in (b, x, V))]
    for simplification in simplify.SIMPLIFICATIONS:
        roots = simplification(roots)
    cost, gradient, theta, slices = one_vector.in_one_vector(roots[0], roots[1:], [b, x, V])
    assert theta.name == "theta" and theta.shape == (8,)
    assert slices == {x: slice(0, 3), V: slice(3, 7), b: slice(7, 8)}
    theta.value = np.concatenate([x.value, V.value.ravel(), [b.value]])
    np.testing.assert_allclose(bl.forward(cost), bl.forward(J))
    expected = bl.backward(J)
    np.testing.assert_allclose(
        bl.forward(gradient), np.concatenate([expected[v].ravel() for v in (x, V, b)]), rtol=1e-12
    )
    squares = [n for n in topological_order(cost) if n.rule and n.rule.name == "matmul"]
    assert [n.inputs[0].shape for n in squares] == [(7,)]


def test_a_long_product_of_numbers_is_taken_apart_once_and_not_at_each_of_its_factors(monkeypatch):
    seen = []

    def counted(operand, number_in=simplify.number_in):
        seen.append(operand)
        return number_in(operand)

    monkeypatch.setattr(simplify, "number_in", counted)
    (gathered,) = simplify.numbers_gathered([reduce(operator.mul, [1.01] * 200, x)])
    assert count(gathered) == 1 and len(seen) <= 6 * 200


@pytest.mark.parametrize("size", [1e25, 1e-25])
@pytest.mark.parametrize(
    "function",
    [
        lambda w, s, x, k: np.log(w / s * x),
        lambda w, s, x, k: np.log(w * (x / s)),
        lambda w, s, x, k: np.log((w * k) * (x * k)) + np.log(s),
        lambda w, s, x, k: np.log(w * (x * k) * k) + np.log(s),
        lambda w, s, x, k: k * (w / s * x),
        lambda w, s, x, k: np.sum((w - x) * s * (x / w)) + np.sum(w) / np.sum(s),
        lambda w, s, x, k: np.log(np.sum(w * k) * (np.sum(x) * k) * (1 / np.sum(s * k))),
        lambda w, s, x, k: np.log(-w / s * -x) + np.log(np.exp(np.log(w) - np.log(s)) * x),
        lambda w, s, x, k: w / s * w * (x / s) * k,
        lambda w, s, x, k: np.sqrt(w) * np.sqrt(s) / x + np.power(w / s, 3) * np.square(x / s),
    ],
)
def test_a_program_neither_overflows_nor_loses_what_the_written_order_keeps(function, size):
    number = 1e20 if size < 1 else 1e-20
    for learned in ("w", "s", "x", "wsx"):
        w, s, x = (
            (bl.variable if name in learned else bl.constant)(name, np.full(2, size, np.float32))
            for name in "wsx"
        )
        value, gradients = agree_in_every_way(np.sum(function(w, s, x, number)), precision=1e-5)
        assert np.isfinite(value) and all(np.isfinite(g).all() for g in gradients.values())


def test_penalties_of_half_precision_are_not_added_before_they_are_made_small():
    W, U = (bl.variable(name, np.full(10, 60, np.float16)) for name in "WU")
    assert bl.forward(np.float16(0.001) * bl.l2(W, U), on_nonfinite="ignore") == np.inf  # written so
    J = np.float16(0.001) * bl.l2(W) + np.float16(0.001) * bl.l2(U)
    assert bl.compile(J)()[0] == bl.forward(J) == 72


def test_what_a_weight_gets_from_many_places_is_added_in_the_order_of_the_pass():
    w = bl.variable("w", np.array([1e8, -1e8], np.float32))
    J = (
        np.sum(w * np.float32(1))
        + np.float32(0.5) * np.sum(w**2)
        - np.sum(w * np.array([1e8, -1e8], np.float32))
    )
    agree_in_every_way(J, precision=1e-6)


def test_a_node_on_other_operands_of_the_same_kind_is_the_same_operation():
    y, z = bl.constant("y", [1.0, 2.0, 3.0]), bl.variable("z", [1.0, 2.0, 3.0])
    total = np.sum(x * y, axis=0, keepdims=True)
    for other in (y, z, bl.constant("f", np.ones(3, np.float32)), bl.constant("row", np.ones((2, 3)))):
        (found,) = simplify.rewritten([total], lambda node, uses: None, {x: other})
        expected = np.sum(other * y, axis=0, keepdims=True)
        for attribute in ("shape", "dtype", "needs_gradient", "parameters", "rule"):
            assert getattr(found, attribute) == getattr(expected, attribute)
        np.testing.assert_array_equal(bl.forward(found), bl.forward(expected))
        if other.leaf_kind == "variable":
            other.value = 2 * other.value
            assert found.value is None  # its operands know of it
