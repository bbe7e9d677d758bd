"""Gradients as graphs, Jacobians, products with them, and the gradient check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import numerical_jacobian
from rule_cases import CASES, nodes
from samples import programs
from ways import agree_in_every_way

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from tools import graphs

few = settings(deadline=None, derandomize=True, max_examples=60)


def variables(J):
    return [n for n in topological_order(J) if n.leaf_kind == "variable"]


@pytest.mark.parametrize("name", graphs.ALL)
def test_the_gradient_as_a_graph_has_the_values_of_the_backward_pass(name):
    J = graphs.ALL[name]()
    wrt = variables(J)
    nodes, numbers = bl.gradient(J, wrt), bl.backward(J)
    for variable, node in zip(wrt, nodes, strict=True):
        assert node.shape == variable.shape
        np.testing.assert_allclose(bl.forward(node), numbers[variable], rtol=1e-12, atol=1e-14)


@few
@given(programs(most=6))
def test_second_derivatives_agree_with_central_differences(program):
    J = program.graph()
    wrt = variables(J)
    direction = [np.cos(np.arange(v.size)).reshape(v.shape) for v in wrt]
    slope = sum(np.sum(g * d) for g, d in zip(bl.gradient(J, wrt), direction, strict=True))
    report = bl.check_gradient(slope, wrt=[v for v in wrt if v in set(topological_order(slope))] or wrt)
    assert report.ok, report


def test_a_third_derivative_is_as_easy_as_a_first():
    x = bl.variable("x", 0.7)
    y = np.sin(x)
    for expected in (np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t)):
        y = bl.gradient(y, x)
        np.testing.assert_allclose(bl.forward(y), expected(0.7))


def test_the_storyboards_second_derivative():
    x = bl.variable("x", 0.7)
    y = np.tanh(x**2)
    first = bl.gradient(y, x)
    second = bl.gradient(first, x)
    assert [round(float(bl.forward(n)), 4) for n in (y, first, second)] == [0.4542, 1.1112, 0.1742]


def test_what_the_cost_does_not_depend_on_gets_zeros():
    x, y = bl.variable("x", [1.0, 2.0]), bl.variable("y", [3.0])
    assert bl.forward(bl.gradient(np.sum(x), y)).tolist() == [0.0]


def test_an_inner_node_can_be_asked_about():
    x = bl.variable("x", 3.0)
    u = x**2
    J = u * (u + 3)
    assert bl.forward(bl.gradient(J, u)) == 21


def test_a_constant_cannot_be_asked_about():
    x, w = bl.constant("x", 3.0), bl.variable("w", 2.0)
    for ask in (lambda: bl.gradient(w * x, x), lambda: bl.vjp(w * x, x, 1), lambda: bl.jacobian(w * x, x)):
        with pytest.raises(TypeError, match=r"x is a constant.*bl\.variable"):
            ask()


def test_a_seed_of_the_wrong_shape_is_refused():
    x = bl.variable("x", [1.0, 2.0])
    with pytest.raises(ValueError, match="shape"):
        bl.gradient(x * x, x)
    with pytest.raises(ValueError, match="seed"):
        bl.gradient(x * x, x, seed=bl.constant("s", [1.0, 2.0, 3.0]))


def test_asking_for_derivatives_leaves_the_graph_as_it_was():
    J = graphs.lecture()
    w = next(v for v in variables(J) if v.name == "w")
    bl.forward(bl.gradient(J, w)), bl.jacobian(J, w), bl.hessian(J, w), bl.check_gradient(J)
    bl.jvp(J, w, np.ones(2)), bl.vjp(J, w, 1.0)
    assert w.grad is None and all(n.grad is None for n in topological_order(J))


JACOBIANS = {
    "polar": lambda x: np.stack([x[0] * np.cos(x[1]), x[0] * np.sin(x[1])]),
    "matrix": lambda x: np.outer(x, x) + x,
    "constant": lambda x: np.sign(x) + bl.constant("c", [1.0, 2.0]),
    "number": lambda x: np.sum(x**3),
}


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians_agree_with_differences_and_with_products(name):
    start = np.array([2.0, np.pi / 6])
    x = bl.variable("x", start)
    y = JACOBIANS[name](x)

    def value(array):
        return np.asarray(bl.forward(JACOBIANS[name](bl.variable("x", array))))

    J = bl.jacobian(y, x)
    assert J.shape == y.shape + x.shape
    np.testing.assert_allclose(
        J.reshape(y.size, 2), numerical_jacobian(value, start).reshape(y.size, 2), atol=1e-6
    )
    v, u = np.array([0.3, -2.0]), np.cos(np.arange(y.size)).reshape(y.shape)
    np.testing.assert_allclose(bl.jvp(y, x, v), np.tensordot(J, v, 1), atol=1e-12)
    np.testing.assert_allclose(bl.vjp(y, x, u), np.tensordot(u, J, y.ndim), atol=1e-12)


def test_the_storyboards_jacobian():
    x = bl.variable("x", [2.0, np.pi / 6])
    J = bl.jacobian(JACOBIANS["polar"](x), x)
    np.testing.assert_allclose(J, [[0.866, -1], [0.5, 1.732]], atol=5e-4)


@few
@given(programs(most=6))
def test_a_hessian_is_symmetric(program):
    J = program.graph()
    for v in variables(J):
        H = bl.hessian(J, v).reshape(v.size, v.size)
        np.testing.assert_allclose(H, H.T, atol=1e-8 * (1 + np.abs(H).max(initial=0)))


# ------------------------------------------------------------------------------------ the gradient check


scales = st.sampled_from([(1, 0), (1e8, 0), (1e-8, 0), (1e-12, 1e-12), (1, 1e8), (1e5, -1e5)])


@few
@given(programs(), scales)
def test_a_right_gradient_is_never_failed_whatever_the_scale(program, scale):
    factor, more = scale
    report = bl.check_gradient(factor * program.graph() + more)
    assert report.ok, report


@pytest.mark.slow
@few
@given(programs(), scales)
def test_a_gradient_that_is_one_percent_off_is_never_passed_whatever_the_scale(program, scale):
    factor, more = scale
    J = factor * program.graph() + more
    assume(J.shape == ())
    off = {v: 1.01 * g for v, g in bl.backward(J).items() if np.any(g)}
    assume(off)
    report = bl.check_gradient(J, given=off)
    assert not report.ok, report


@pytest.mark.parametrize("name", ["tanh", "multiply", "matmul", "relu", "sum", "power"])
@pytest.mark.parametrize("wrong", [lambda d: 1.01 * d, lambda d: -1.0 * d], ids=["a percent more", "negated"])
def test_a_wrong_rule_is_never_passed(name, wrong):
    from dataclasses import replace

    x, A = bl.variable("x", [0.5, -1.3]), bl.variable("A", [[1.0, 2.0], [0.3, -1.0]])
    J = {
        "tanh": lambda: np.sum(np.tanh(x)),
        "multiply": lambda: np.sum(x * x),
        "matmul": lambda: np.sum((A @ x) ** 2),
        "relu": lambda: np.sum(bl.relu(x)),
        "sum": lambda: np.sum(x),
        "power": lambda: np.sum(x**2),
    }[name]()
    assert bl.check_gradient(J).ok
    for node in topological_order(J):
        if node.rule is not None and node.rule.name == name:
            broken = tuple(lambda *a, d=d, **k: wrong(d(*a, **k)) for d in node.rule.derivatives)
            object.__setattr__(node, "rule", replace(node.rule, derivatives=broken))
    report = bl.check_gradient(J)
    assert not report.ok
    assert any(row.verdict == "wrong" and row.entry.startswith("[") for row in report.rows)


def test_at_a_kink_it_says_so_instead_of_judging():
    x = bl.variable("x", [0.0, 2.0])
    report = bl.check_gradient(np.sum(bl.relu(x)))
    verdicts = {row.entry: row.verdict for row in report.rows}
    assert verdicts["[0]"] == "kink" and verdicts["[1]"] == "ok" and report.ok
    assert "slope 0 on one side and 1 on the other" in str(report)


def test_near_a_kink_a_smaller_step_is_tried():
    assert bl.check_gradient(np.sum(bl.relu(bl.variable("x", [1e-6])))).ok


RIGHT_SLOPES = {
    "entries of very different sizes": lambda x: np.sum(np.log(x([1e5, 1.0, 1e-6]))),
    "a tiny entry": lambda x: np.log(x(1e-7)),
    "a large cost": lambda x: 1e10 + x(3.0) ** 2,
    "large numbers that cancel": lambda x: (1e10 + x(3.0) ** 2) - 1e10,
    "a tiny cost": lambda x: 1e-12 * np.sum(np.exp(x([1.0, 2.0]))),
    "a flat place": lambda x: x(0.0) ** 3,
    "a constant cost": lambda x: np.sum(bl.softmax(1e5 * x([1.0, 1.00001, 0.99999]))) - 1,
    "saturated units": lambda x: np.sum(bl.sigmoid(x([30.0, -30.0, 40.0]))),
    "fast waves": lambda x: np.sin(1e6 * x(1.3)),
    "single precision, tiny": lambda x: np.float32(1e-12) * np.sum(np.exp(x(np.float32([1, 2])))),
}


@pytest.mark.parametrize("cost", RIGHT_SLOPES.values(), ids=RIGHT_SLOPES)
def test_right_slopes_pass_whatever_their_scale(cost):
    report = bl.check_gradient(cost(lambda value: bl.variable("x", value)))
    assert report.ok, report


WRONG_SLOPES = {
    "a large cost": lambda f: 1e10 + f(3.0, 1.15),
    "a large cost, no slope": lambda f: 1e10 + f(3.0, 0.0),
    "a tiny cost": lambda f: 1e-9 * f(3.0, 1.05),
    "a tiny cost, no slope": lambda f: 1e-9 * f(3.0, 0.0),
    "a tiny entry": lambda f: f(1e-7, 1.05),
    "entries of very different sizes": lambda f: np.sum(f([1e5, 1e-3], 1.05)),
    "single precision, tiny": lambda f: np.float32(1e-12) * np.sum(f(np.float32([1, 2]), 1.05)),
}


@pytest.mark.parametrize("cost", WRONG_SLOPES.values(), ids=WRONG_SLOPES)
def test_wrong_slopes_fail_whatever_their_scale(cost):
    def squared(value, factor):
        rule = bl.rule("squared", lambda x: x**2, lambda z, x: 2 * factor * x)
        return rule(bl.variable("x", value))

    report = bl.check_gradient(cost(squared))
    assert not report.ok, report


def test_a_slope_that_rounding_hides_is_called_unclear_and_not_judged():
    x = bl.variable("x", [-0.5, 0.3, 2.0])
    report = bl.check_gradient(np.sum(bl.relu(x)) + 2.0**46)
    assert report.ok and "unclear: rounding hides the slope" in str(report)
    assert bl.check_gradient(np.sum(np.abs(x)) + 1e5).ok


def test_a_single_variable_may_be_named_without_a_list():
    x, w = bl.variable("x", 3.0), bl.variable("w", 2.0)
    assert [row.variable for row in bl.check_gradient(w * x, wrt=x).rows] == ["x"]


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_gradient_is_checked_with_its_own_precision(kind):
    x = bl.variable("x", np.array([0.5, -2.0, 3.0], kind))
    report = bl.check_gradient(np.mean(np.tanh(x) * x))
    assert report.ok and len(report.rows) == 5
    assert all(row.verdict == "ok" for row in report.rows)


@pytest.mark.parametrize("name", CASES)
def test_right_gradients_pass_in_every_precision(name):
    function, *arrays = CASES[name]
    for kind in (np.float16, np.float32):
        z = function(*nodes([np.asarray(array, kind) for array in arrays]))
        report = bl.check_gradient(z * kind(1), second=True)
        assert report.ok, report


@pytest.mark.parametrize(("kind", "factor"), [(np.float16, 1.15), (np.float32, 1.01), (np.float64, 1.0001)])
def test_wrong_gradients_fail_in_every_precision(kind, factor):
    hasty = bl.rule("hasty", lambda x: np.tanh(x), lambda z, x: factor * (1 - z * z))
    for scale in (1, 1000):
        x = bl.variable("x", np.array([0.5, -1.0, 0.25], kind))
        report = bl.check_gradient(scale * np.sum(hasty(x)))
        assert [row.verdict for row in report.rows[:3]] == ["wrong"] * 3, report


def test_an_array_is_checked_through_random_weights():
    x = bl.variable("x", [1.0, 2.0])
    assert bl.check_gradient(x * x, second=True).ok


def test_the_report_is_a_table_that_names_variable_entry_and_both_slopes():
    W = bl.variable("W", [[1.0, 2.0]])
    lines = str(bl.check_gradient(np.sum(W**2))).splitlines()
    assert lines[0].split() == ["variable", "entry", "backward", "pass", "difference", "quotient"]
    assert lines[2].split()[:5] == ["W", "[0,", "1]", "4", "4"]
    assert lines[-1] == "4 compared, 0 wrong"


def test_a_cost_without_variables_has_nothing_to_check():
    with pytest.raises(ValueError, match="depends on no variable"):
        bl.check_gradient(bl.constant("x", 1.0) * 2)


def test_asking_the_gradients_for_a_constant_says_why_there_is_none():
    x, w, far = bl.constant("x", 3.0), bl.variable("w", 2.0), bl.variable("far", 1.0)
    p = w * x
    gradients = bl.backward(p)
    for node, said in [(x, "is a constant"), (far, "does not depend on far"), (p, "p.grad")]:
        with pytest.raises(KeyError, match=said):
            gradients[node]
    with pytest.raises(KeyError, match="not a node"):
        gradients["w"]


def test_a_gradient_of_ones_own_is_checked_entry_by_entry():
    w = bl.variable("w", [1.0, 2.0])
    J = np.sum(w**2)
    assert bl.check_gradient(J, given={w: [2, 4]}).ok
    report = bl.check_gradient(J, given={w: [2, 5]})
    assert [row.verdict for row in report.rows[:2]] == ["ok", "wrong"]
    assert "given gradient" in repr(report)


@pytest.mark.parametrize("missing", [None, 3, [1, 2, 3]])
def test_a_gradient_of_ones_own_without_its_variables_shape_is_wrong(missing):
    w = bl.variable("w", [1.0, 2.0])
    assert not bl.check_gradient(np.sum(w**2), given={w: missing}).ok


def neuron():
    w, b = bl.variable("w", [1.0, -2.0]), bl.variable("b", 0.5)
    return (np.tanh(w @ np.array([0.3, 0.4]) + b) - 1) ** 2, w, b


def right_backward(w, b):
    t = np.tanh(w @ np.array([0.3, 0.4]) + b)
    before = 2 * (t - 1) * (1 - t**2)
    return before * np.array([0.3, 0.4]), before


def test_a_function_that_computes_the_gradient_is_right_here_and_elsewhere():
    J, w, b = neuron()
    report = bl.check_gradient(J, given=right_backward)
    assert report.ok
    elsewhere = [(r.variable, r.verdict) for r in report.rows if r.entry == "elsewhere"]
    assert elsewhere == [("w", "ok"), ("b", "ok")]
    assert bl.check_gradient(J, given=lambda b: right_backward(w.value, b)[1]).ok  # w stays as it is
    assert w.value.tolist() == [1, -2] and b.value == 0.5 and J.value is None


def test_a_function_that_returns_the_numbers_of_the_table_is_wrong():
    J, w, b = neuron()
    numbers = bl.backward(J)
    held = {"w": numbers[w], "b": numbers[b]}
    report = bl.check_gradient(J, given=lambda w, b: (held["w"], held["b"]))
    assert [r.entry for r in report.rows if r.verdict == "wrong"] == ["elsewhere", "elsewhere"]
    assert "right here, not for other values of w and b" in repr(report)
    report = bl.check_gradient(J, given=lambda w, b: (right_backward(w, b)[0], held["b"]))
    assert [r.variable for r in report.rows if r.verdict == "wrong"] == ["b"]


def test_what_a_function_gets_wrong_here_is_said_once():
    J, _, _ = neuron()
    report = bl.check_gradient(J, given=lambda w, b: (2 * right_backward(w, b)[0], right_backward(w, b)[1]))
    assert [r.variable for r in report.rows if r.entry == "elsewhere"] == ["b"]


def test_elsewhere_the_cost_is_a_number_even_if_few_values_allow_it():
    u = bl.variable("u", np.linspace(0.1, 4, 12))
    assert bl.check_gradient(np.sum(np.log(u)), given=lambda u: 1 / u).ok
    here = 1 / u.value
    assert not bl.check_gradient(np.sum(np.log(u)), given=lambda u: here).ok


def test_a_mask_that_was_copied_from_here_is_wrong_elsewhere():
    a = bl.variable("a", [2.0, -1.0, 3.0, -0.5])
    J = np.sum(bl.relu(a) ** 2)
    assert bl.check_gradient(J, given=lambda a: 2 * a * (a > 0)).ok
    assert not bl.check_gradient(J, given=lambda a: 2 * a * [1, 0, 1, 0]).ok


def test_a_function_that_does_not_fit_the_cost_is_refused_in_words():
    J, _, _ = neuron()
    for function, said in [
        (lambda v: v, "takes v, and the cost has no variable of that name.*: w, b"),
        (lambda: 1, "takes no variable; give it w, b"),
        (lambda w, b: w, "should return a gradient for each"),
        (lambda w, b: (w, b, b), "should return a gradient for each"),
        (lambda w, b: (w, "two"), "no array of numbers"),
    ]:
        with pytest.raises(ValueError, match=said):
            bl.check_gradient(J, given=function)
    twins = bl.variable("w", 1.0) * bl.variable("w", 2.0)
    with pytest.raises(ValueError, match="2 variables of that name"):
        bl.check_gradient(twins, given=lambda w: w)


def test_what_is_no_gradient_of_ones_own_is_refused_in_words():
    w, c = bl.variable("w", [1.0, 2.0]), bl.constant("c", 1.0)
    J = np.sum(w**2)
    for cost, arguments, said in [
        (J, {"given": {}}, "empty"),
        (J, {"given": [2, 4]}, "variable: array} or a function"),
        (J, {"given": 2}, "variable: array} or a function"),
        (J, {"given": {"w": 2}}, "where a variable should stand"),
        (J, {"given": {c: 2}}, "where a variable should stand"),
        (J, {"given": {w: "two"}}, "no array of numbers"),
        (J, {"given": {w: [2, 4]}, "second": True}, "leave wrt= and second= out"),
        (w**2, {"given": {w: [2, 4]}}, "one number"),
    ]:
        with pytest.raises(ValueError, match=said):
            bl.check_gradient(cost, **arguments)


def cube_root(slope):
    return bl.rule("root", lambda x: np.cbrt(x), slope)(bl.variable("x", [-8.0, 0.0, 27.0]))


@np.errstate(divide="ignore")
def test_where_the_function_is_vertical_the_check_says_so_and_judges_the_other_entries():
    report = bl.check_gradient(np.sum(cube_root(lambda z, x: 1 / (3 * z**2))))
    verdicts = {row.entry: row.verdict for row in report.rows}
    assert verdicts["[0]"] == verdicts["[2]"] == "ok" and verdicts["[1]"] == "kink" and report.ok
    assert "vertical" in next(row.note for row in report.rows if row.entry == "[1]")


@np.errstate(divide="ignore")
def test_an_infinite_slope_where_the_function_is_not_vertical_is_wrong():
    own = bl.rule("own", lambda x: np.sin(x), lambda z, x: np.cos(x) / np.where(x > 1, 0, 1))
    verdicts = {r.entry: r.verdict for r in bl.check_gradient(np.sum(own(bl.variable("x", [0.5, 2.0])))).rows}
    assert verdicts["[0]"] == "ok" and verdicts["[1]"] == "wrong"


# ---------------------------------------------------------------- squares of what has a kink where it is 0

zeros, ones, some = np.zeros(3), np.full(3, 0.1), np.array([0.0, 1.0, -2.0])
centring = np.eye(3) - 1 / 3
SQUARES = {  # (the square, where, its Hessian there)
    "a norm": (lambda x: np.linalg.norm(x) ** 2, zeros, 2 * np.eye(3)),
    "half a norm": (lambda x: 0.5 * np.linalg.norm(x) ** 2.0, zeros, np.eye(3)),
    "a norm by square": (lambda x: np.square(np.linalg.norm(x)), zeros, 2 * np.eye(3)),
    "a norm times itself": (lambda x: np.linalg.norm(x) * np.linalg.norm(x), zeros, 2 * np.eye(3)),
    "a norm to the power 4": (lambda x: np.linalg.norm(x) ** 4, ones, 0.12 * np.eye(3) + 0.08),
    "a norm to the power 4, at 0": (lambda x: np.linalg.norm(x) ** 4, zeros, np.zeros((3, 3))),
    "norms of rows": (
        lambda x: np.sum(np.linalg.norm(np.reshape(x, (3, 1)), axis=1) ** 2),
        some,
        2 * np.eye(3),
    ),
    "a deviation": (lambda x: np.std(x) ** 2, ones, 2 / 3 * centring),
    "a deviation that is kept": (lambda x: np.sum(np.std(x, keepdims=True) ** 2), some, 2 / 3 * centring),
    "distances": (lambda x: np.sum(abs(x) ** 2), zeros, 2 * np.eye(3)),
    "the penalty of distances": (lambda x: bl.l2(abs(x)), some, 2 * np.eye(3)),
    "distances to the power 4": (lambda x: np.sum(abs(x) ** 4), some, np.diag(12 * some**2)),
}


@pytest.mark.parametrize("name", SQUARES)
def test_second_derivatives_are_right_where_a_square_has_lost_its_kink(name):
    square, at, hessian = SQUARES[name]
    x = bl.variable("x", at)
    np.testing.assert_allclose(bl.hessian(square(x), x), hessian, atol=1e-12)
    agree_in_every_way(square(x))


def test_a_node_under_a_square_can_still_be_asked_for():
    x = bl.variable("x", [3.0, 4.0])
    z = np.linalg.norm(x)
    by_z, by_x = bl.gradient(z**2, [z, x])
    assert bl.forward(by_z) == 10 and bl.forward(by_x).tolist() == [6, 8]
    apart = z**2 + 3 * z
    np.testing.assert_allclose(bl.forward(bl.gradient(apart, x)), [7.8, 10.4])
