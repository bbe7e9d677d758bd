"""Forward and backward: the lecture's numbers, and what a pass leaves behind, even in failing."""

import inspect
import warnings

import numpy as np
import pytest
from hypothesis import given
from oracles import agree_with_others, law, our_gradients
from samples import fork, lecture_network, programs, state

import backprop_lab as bl
from backprop_lab.graph.node import RULES
from backprop_lab.graph.order import topological_order

# ---------------------------------------------------------------------------- the lecture's numbers


def test_the_lectures_network_has_the_lectures_values():
    network = lecture_network()
    assert bl.forward(network.J) == 9
    np.testing.assert_array_equal(network.W.value, [[1, 2, -1], [-1, 1, 3]])
    np.testing.assert_array_equal(network.a.value, [-8, 7])
    np.testing.assert_array_equal(network.h.value, [0, 7])
    assert network.y_hat.value == 14


def test_the_lectures_network_has_the_lectures_gradients():
    network = lecture_network()
    gradients = bl.backward(network.J)
    assert set(gradients) == {network.theta, network.w}
    np.testing.assert_array_equal(gradients[network.theta], [0, 0, 0, -24, 36, -48])
    np.testing.assert_array_equal(gradients[network.w], [0, -42])
    assert network.y_hat.grad == -6
    np.testing.assert_array_equal(network.h.grad, [-30, -12])
    np.testing.assert_array_equal(network.a.grad, [0, -12])
    np.testing.assert_array_equal(network.W.grad, [[0, 0, 0], [-24, 36, -48]])


def test_the_penalty_adds_its_own_branch():
    network = lecture_network(penalty=True)
    gradients = bl.backward(network.J)
    assert network.J.value == 67
    np.testing.assert_array_equal(gradients[network.w], [20, -34])
    np.testing.assert_array_equal(gradients[network.theta], [0, 0, 0, -24, 36, -48])


def test_the_input_can_be_asked_about_too():
    x = bl.variable("x", [2, -3, 4])
    W, w = bl.constant("W", [[1, 2, -1], [-1, 1, 3]]), bl.constant("w", [5, 2])
    J = (w @ bl.relu(W @ x) - 17) ** 2
    np.testing.assert_array_equal(bl.backward(J)[x], [12, -12, -36])


@pytest.mark.parametrize(("rate", "cost"), [(0.002, 0.925), (0.005, 5.36), (0.01, 69.9)])
def test_one_step_against_the_gradient_changes_the_cost_as_in_the_lecture(rate, cost):
    network = lecture_network()
    for variable, gradient in bl.backward(network.J).items():
        variable.value = variable.value - rate * gradient
    np.testing.assert_allclose(bl.forward(network.J), cost, rtol=1e-3)


def test_a_fork_adds_its_contributions():
    nodes = fork()
    gradients = bl.backward(nodes.J)
    assert nodes.J.value == 108
    assert (nodes.v.grad, nodes.u.grad, gradients[nodes.x]) == (9, 21, 126)


def test_the_first_example_has_its_numbers():
    w, x = bl.variable("w", 2), bl.constant("x", 3)
    b, y = bl.variable("b", -1), bl.constant("y", 1)
    y_hat = w * x + b
    J = (y_hat - y) ** 2
    gradients = bl.backward(J)
    assert (y_hat.value, J.value, y_hat.grad, gradients[b], gradients[w]) == (5, 16, 8, 8, 24)
    assert w.value == 2


def test_a_mean_over_a_batch_has_the_lectures_numbers():
    w, b = bl.variable("w", 2), bl.variable("b", 1)
    x, y = bl.constant("x", [1, 2, 4]), bl.constant("y", [1, 4, 6])
    y_hat = w * x + b
    J = np.mean((y_hat - y) ** 2)
    gradients = bl.backward(J)
    np.testing.assert_allclose(J.value, 14 / 3)
    np.testing.assert_allclose(y_hat.grad, [4 / 3, 2 / 3, 2])
    np.testing.assert_allclose([gradients[b], gradients[w]], [4, 32 / 3])


def test_other_libraries_find_the_same_for_the_lectures_network():
    def cost(lib, theta, w):
        W = lib.np.reshape(theta, (2, 3))
        x = w.new_tensor([2.0, -3.0, 4.0]) if hasattr(w, "new_tensor") else np.array([2, -3, 4.0])
        return (w @ lib.relu(W @ x) - 17) ** 2 + 2 * lib.np.sum(w**2)

    agree_with_others(cost, np.array([1, 2, -1, -1, 1, 3.0]), np.array([5, 2.0]))


# ------------------------------------------------------------------------------------- what is left


def test_forward_gives_the_value_and_keeps_it_in_every_node():
    x = bl.variable("x", [1.0, 2.0])
    y = np.sum(x * 3)
    assert bl.forward(y) == y.value == 9
    np.testing.assert_array_equal(y.inputs[0].value, [3, 6])


def test_forward_computes_only_what_is_unknown():
    x = bl.variable("x", 1.0)
    y = np.exp(x)
    z = y * 2
    bl.forward(y)
    known = y.value
    bl.forward(z)
    assert y.value is known


def test_backward_runs_the_forward_pass_where_values_are_missing():
    x = bl.variable("x", 3.0)
    J = x * x
    assert (bl.backward(J)[x], J.value) == (6, 9)


def test_gradients_have_the_shape_and_type_of_their_variables():
    W, b = bl.variable("W", np.ones((2, 3), np.float32)), bl.variable("b", 1)
    gradients = bl.backward(np.sum(W * b))
    assert [(g.shape, g.dtype) for g in gradients.values()] == [((2, 3), "f4"), ((), "f8")]


def test_a_second_backward_gives_the_same_again():
    network = lecture_network(penalty=True)
    first = bl.backward(network.J)
    second = bl.backward(network.J)
    for variable, gradient in first.items():
        np.testing.assert_array_equal(second[variable], gradient)
        np.testing.assert_array_equal(variable.grad, gradient)


def test_a_gradient_belongs_to_the_last_backward_pass():
    x = bl.variable("x", 3.0)
    square, cube = x**2, x**3
    bl.backward(square)
    bl.backward(cube)
    assert x.grad == 27
    bl.backward(square)
    assert x.grad == 6


def test_the_pass_runs_with_the_new_value_of_a_leaf():
    nodes = fork()
    bl.backward(nodes.J)
    nodes.x.value = 1.0
    assert (nodes.J.value, nodes.J.grad) == (None, None)
    assert (bl.backward(nodes.J)[nodes.x], nodes.J.value) == (10, 4)


def test_nodes_that_need_no_gradient_get_none():
    network = lecture_network()
    bl.backward(network.J)
    assert (network.x.grad, network.y.grad) == (None, None)


def test_a_variable_that_is_reached_only_through_a_comparison_gets_zeros():
    x, c = bl.variable("x", [1.0, -1.0]), bl.variable("c", [[2.0], [0.0]])
    gradients = bl.backward(np.sum(x * (c > 1)))
    np.testing.assert_array_equal(gradients[x], [1, 1])
    np.testing.assert_array_equal(gradients[c], [[0], [0]])
    np.testing.assert_array_equal(c.grad, [[0], [0]])


def test_a_graph_of_constants_has_no_gradients():
    c = bl.constant("c", 2.0)
    assert bl.backward(c * c) == {}


def test_a_variable_is_its_own_gradient():
    x = bl.variable("x", 3.0)
    assert bl.backward(x) == {x: 1}


def test_two_graphs_share_a_leaf_without_disturbing_each_other():
    x = bl.variable("x", 2.0)
    y, z = x * 3, x * 5
    bl.backward(y)
    bl.backward(z)
    assert (y.value, z.value, x.grad) == (6, 10, 5)


# -------------------------------------------------------------------------------------------- seeds


def test_a_seed_weighs_the_outputs():
    x = bl.variable("x", [1.0, 2.0])
    y = x**2
    np.testing.assert_array_equal(bl.backward(y, seed=[10.0, 1.0])[x], [20, 4])
    np.testing.assert_array_equal(y.grad, [10, 1])


@law
@given(programs())
def test_a_gradient_is_linear_in_its_seed(program):
    J = program.graph()
    once, thrice = bl.backward(J), bl.backward(J, seed=-3)
    for variable, gradient in once.items():
        np.testing.assert_allclose(thrice[variable], -3 * gradient, rtol=1e-12, atol=1e-12)


def test_the_learners_seed_is_neither_kept_nor_changed():
    x, seed = bl.variable("x", [1.0, 2.0]), np.ones(2)
    y = x * 2
    bl.backward(y, seed=seed)
    seed[:] = 5
    np.testing.assert_array_equal(y.grad, [1, 1])


def test_integer_seeds_do_not_cut_gradients():
    x = bl.variable("x", [1.0, 2.0])
    np.testing.assert_array_equal(bl.backward(x / 2, seed=[1, 1])[x], [0.5, 0.5])


# ----------------------------------------------------------------------------------- failing passes


@pytest.mark.parametrize("passing", [bl.forward, bl.backward, bl.steps])
def test_a_missing_value_leaves_the_graph_as_it_was(passing):
    x, w = bl.variable("x", 2.0), bl.variable("w", shape=())
    J = np.exp(x) * w
    before = state(J)
    with pytest.raises(bl.MissingValueError, match=r"w \(shape \(\)\) stands without a value"):
        passing(J)
    assert state(J) == before


def test_all_missing_values_are_named_at_once():
    x, w = bl.variable("x", shape=(2, 3)), bl.variable("w", shape=3)
    with pytest.raises(bl.MissingValueError, match=r"x \(shape \(2, 3\)\), w .* stand without"):
        bl.forward(x @ w)


@pytest.mark.parametrize("passing", [bl.forward, bl.backward])
def test_a_pass_that_stops_at_an_infinity_leaves_the_graph_as_it_was(passing):
    x = bl.variable("x", [0.0, 1.0])
    J = np.sum(np.log(x) * 2)
    before = state(J)
    with pytest.raises(bl.NonFiniteError):
        passing(J, on_nonfinite="raise")
    assert state(J) == before


def test_a_backward_pass_that_stops_on_the_way_back_leaves_the_graph_as_it_was():
    x = bl.variable("x", 0.0)
    J = np.sqrt(x) * 3
    before = state(J)
    with pytest.raises(bl.NonFiniteError):
        bl.backward(J, on_nonfinite="raise")
    assert state(J) == before


def test_an_earlier_result_survives_a_failing_pass():
    x = bl.variable("x", 4.0)
    J = np.sqrt(x)
    bl.backward(J)
    x.value = 0.0
    with pytest.raises(bl.NonFiniteError):
        bl.backward(J, on_nonfinite="raise")
    assert x.grad == 0.25


# --------------------------------------------------------------------------------- NaN and infinity


def said_by(action):
    """The messages of the warnings that ``action`` gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    assert {w.category for w in caught} <= {bl.NonFiniteWarning}
    return [str(w.message) for w in caught]


def test_an_infinity_is_reported_once_at_the_node_that_made_it():
    x = bl.variable("x", [1.0, 0.0])
    y = np.log(x)
    J = np.sum(np.exp(y * y))
    (message,) = said_by(lambda: bl.backward(J))
    assert message.startswith("y became −∞ at entry [1] from x = (1, 0)")
    assert "np.log(np.where(x > 0, x, 1))" in message
    assert J.value == np.inf


def test_a_nan_names_its_entry_and_the_values_it_came_from():
    x, y = bl.variable("x", [[1.0, 2.0], [3.0, 0.0]]), bl.variable("y", [1.0, 0.0])
    (message,) = said_by(lambda: bl.forward(np.sum(x / y, axis=0)))
    assert message.startswith("x / y became ∞ at entry [0, 1] from x = [[1, 2], [3, 0]], y = (1, 0)")


def test_the_first_of_several_is_the_one_reported():
    x = bl.variable("x", -1.0)
    first = np.sqrt(x)
    second = np.log(x)
    (message,) = said_by(lambda: bl.forward(first + second))
    assert message.startswith("first became nan from x = −1")


def test_a_leaf_that_was_given_an_infinity_is_the_one_reported():
    x = bl.variable("x", [1.0, np.inf])
    (message,) = said_by(lambda: bl.forward(np.exp(-x) + 1))
    assert message == "x was given ∞ at entry [1]"


def test_a_gradient_that_becomes_infinite_is_reported_where_it_does():
    x = bl.variable("x", 0.0)
    root = np.sqrt(x)
    (message,) = said_by(lambda: bl.backward(root * 2))
    assert message.startswith("the gradient that root sends to x is ∞, at x = 0")
    assert x.grad == np.inf


def test_a_nan_made_inside_the_branch_not_taken_is_reported_with_the_remedy():
    x = bl.variable("x", [-1.0, 1.0])
    y = np.where(x > 0, np.log(x), 0)
    (message,) = said_by(lambda: bl.backward(y, seed=[1.0, 1.0]))
    assert "np.log(x) became nan at entry [0]" in message
    assert "np.log(np.where(x > 0, x, 1))" in message
    np.testing.assert_array_equal(x.grad, [0, 1])


REMEDIES = {np.log: "positive", np.sqrt: "positive", np.divide: "keep the divisor away from 0"}


@pytest.mark.parametrize("name", ["log", "sqrt", "divide"])
def test_an_own_operation_has_no_remedy_of_numpys_whatever_its_name(name):
    own = bl.rule(name, lambda x: 1 / x, lambda z, x: -z * z)
    (message,) = said_by(lambda: bl.backward(own(bl.variable("x", 0.0))))
    assert message == f"{name}(x) became ∞ from x = 0"


@pytest.mark.parametrize("function", REMEDIES)
def test_a_function_of_numpys_has_its_remedy_also_when_declared_anew(function, monkeypatch):
    monkeypatch.setitem(RULES, function, RULES[function])  # which puts it back afterwards
    bl.rule("anything", function, *[lambda z, *operands: z] * function.nin)
    operands = [bl.constant("a", -1.0), bl.constant("b", 0.0)][: function.nin]
    (message,) = said_by(lambda: bl.forward(function(*operands)))
    assert REMEDIES[function] in message


def test_finite_numbers_are_not_reported():
    assert said_by(lambda: bl.backward(lecture_network().J)) == []


def test_numpy_itself_stays_silent():
    x = bl.variable("x", [0.0, 1000.0])
    assert len(said_by(lambda: bl.backward(np.sum(1 / x + np.exp(x)), on_nonfinite="warn"))) == 1


def test_ignoring_says_nothing_and_goes_on():
    x = bl.variable("x", 0.0)
    J = np.log(x)
    assert said_by(lambda: bl.backward(J, on_nonfinite="ignore")) == []
    assert (J.value, x.grad) == (-np.inf, np.inf)


def test_raising_says_the_same():
    x = bl.variable("x", 0.0)
    J = np.log(x)
    (message,) = said_by(lambda: bl.forward(J))
    with pytest.raises(bl.NonFiniteError) as raised:
        bl.forward(np.log(x).named("J"), on_nonfinite="raise")
    assert str(raised.value) == message


def test_a_warning_points_at_the_line_that_called():
    x = bl.variable("x", 0.0)
    for passing in (bl.forward, bl.backward):
        J = np.log(x)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            line = inspect.currentframe().f_lineno + 1
            passing(J)
        assert [(w.filename, w.lineno) for w in caught] == [(__file__, line)]


def test_an_unknown_way_to_treat_infinities_is_refused():
    x = bl.variable("x", 1.0)
    with pytest.raises(ValueError, match='"warn", "raise" or "ignore"'):
        bl.forward(x, on_nonfinite="stop")


# --------------------------------------------------------------------------------------------- laws


@law
@given(programs())
def test_backward_leaves_values_that_forward_would_compute(program):
    J, again = program.graph(), program.graph()
    bl.backward(J)
    bl.forward(again)
    for node, twin in zip(topological_order(J), topological_order(again), strict=True):
        np.testing.assert_array_equal(node.value, twin.value)


@law
@given(programs())
def test_every_node_that_a_gradient_reaches_has_one_of_its_own_shape(program):
    J = program.graph()
    bl.backward(J)
    for node in topological_order(J):
        assert node.grad is None or (node.grad.shape, node.grad.dtype) == (node.shape, node.dtype)


@law
@given(programs())
def test_a_factor_on_the_cost_is_a_factor_on_every_gradient(program):
    _, once = our_gradients(program, *program.arrays)
    _, twice = our_gradients(lambda lib, *leaves: 2 * program(lib, *leaves), *program.arrays)
    for one, two in zip(once, twice, strict=True):
        np.testing.assert_allclose(two, 2 * one, rtol=1e-12)
