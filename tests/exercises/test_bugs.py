"""The bug museum: each wrong pass gives the numbers of a hand-written wrong pass, and a check catches it."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings
from oracles import law
from samples import by_name, lecture_network, programs, state

import backprop_lab as bl
from backprop_lab.exercises.bugs import BUGS, Bug, bug_named, check, gradients, wrong_steps
from backprop_lab.passes.records import Step
from backprop_lab.pictures import timeline
from backprop_lab.pictures.svg import Picture
from backprop_lab.stepping.panel import panel
from tools import graphs

RIGHT = replace(BUGS["overwrite"], name="right", adds=True)  # the museum's pass with nothing exchanged
some = settings(law, max_examples=25)
each_bug = pytest.mark.parametrize("bug", BUGS)
LARGE = {"neurons", "200 nodes", "chain of 200", "40 layers"}
each_graph = pytest.mark.parametrize(
    "graph", [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in graphs.ALL]
)

x0, y0 = np.array([2.0, -3.0, 4.0]), 17.0
theta0, w0 = np.array([1.0, 2.0, -1.0, -1.0, 1.0, 3.0]), np.array([5.0, 2.0])


def lecture_by_hand(bug=None, penalty=False):
    """(w.grad, θ.grad) of the lecture's network, as one writes it in NumPy, with a bug if asked for."""
    w_grad, theta_grad = np.zeros(2), np.zeros(6)
    for _ in range(2 if bug == "not_reset" else 1):
        W = theta0.reshape(2, 3)
        a = W @ x0
        h = np.maximum(a, 0)
        y_hat = w0 @ h
        d_y_hat = 2 * (y_hat - y0)
        d_h = d_y_hat * w0
        d_a = d_h if bug == "no_activation_derivative" else d_h * (a > 0)
        d_W = np.outer(x0, d_a) if bug == "not_transposed" else np.outer(d_a, x0)
        w_grad = w_grad + d_y_hat * h
        if penalty and bug == "overwrite":
            w_grad = 2 * 2 * w0
        elif penalty:
            w_grad = w_grad + 2 * 2 * w0
        theta_grad = theta_grad + d_W.reshape(6)
    return w_grad, theta_grad


def regression(N=3):
    """ŷ = X W + b on a batch of N, and a cost: W and b are broadcast or shared over the batch."""
    random = np.random.default_rng(0)
    X = bl.constant("X", random.normal(size=(N, 2)))
    W, b = bl.variable("W", random.normal(size=(2, 4))), bl.variable("b", random.normal(size=4))
    J = np.mean((X @ W + b) ** 2)
    return J


def deep(n=3, m=3):
    """A vector that goes through a matrix of m rows and n columns."""
    random = np.random.default_rng(1)
    V, x = bl.variable("V", random.normal(size=(m, n))), bl.variable("x", random.normal(size=n))
    J = np.sum(np.sin(V @ np.sin(x)))
    return J


SHOWS = {
    "overwrite": lambda: graphs.lecture(penalty=True),
    "too_early": graphs.order,
    "not_reset": graphs.lecture,
    "not_unbroadcast": regression,
    "no_activation_derivative": graphs.lecture,
    "not_transposed": deep,
}
HARMLESS = {
    "overwrite": graphs.lecture,
    "too_early": lambda: graphs.lecture(penalty=True),
    "not_reset": lambda: 0 * bl.variable("x", 3.0),
    "not_unbroadcast": graphs.lecture,
    "no_activation_derivative": graphs.order,
    "not_transposed": graphs.product,
}


# --------------------------------------------------------------------------- with nothing exchanged


@pytest.mark.slow
@law
@given(programs())
def test_the_museums_pass_without_a_bug_gives_the_engines_numbers(program):
    J = program.graph()
    right = gradients(J, RIGHT)
    assert not any(step.differs for step in wrong_steps(J, RIGHT))
    assert check(J, RIGHT).ok
    for variable, gradient in bl.backward(J).items():
        np.testing.assert_array_equal(right[variable], gradient)
        assert right[variable].dtype == gradient.dtype


@each_graph
def test_the_museums_pass_without_a_bug_says_what_the_engines_records_say(graph):
    J = graphs.ALL[graph]()
    assert list(map(str, wrong_steps(J, RIGHT))) == list(map(str, bl.steps(J)))


def test_a_variable_that_no_gradient_reaches_has_the_gradient_zero():
    x, y = bl.variable("x", 1.0), bl.variable("y", 2.0)
    J = np.where(x > 0, y, 0)
    assert gradients(J, RIGHT)[x] == 0 == bl.backward(J)[x]


# ------------------------------------------------------------------------------ the wrong numbers


@pytest.mark.parametrize("penalty", [False, True])
@each_bug
def test_the_lectures_network_gets_the_numbers_of_a_wrong_pass_written_by_hand(bug, penalty):
    network = lecture_network(penalty)
    found = gradients(network.J, bug)
    w_grad, theta_grad = lecture_by_hand(bug, penalty)
    np.testing.assert_allclose(found[network.w], w_grad)
    np.testing.assert_allclose(found[network.theta], theta_grad)


def test_the_storyboards_wrong_numbers_come_out():
    network = lecture_network()
    penalised = lecture_network(penalty=True)
    ignored = gradients(network.J, "no_activation_derivative")[network.theta]
    assert ignored.tolist() == [-60, 90, -120, -24, 36, -48]
    assert gradients(penalised.J, "overwrite")[penalised.w].tolist() == [20, 8]
    for bug, wrong in {"too_early": 72, "overwrite": 54}.items():
        J = graphs.order()
        assert gradients(J, bug)[by_name(J).x] == wrong


def test_a_sum_left_out_leaves_the_batchs_shape():
    J = graphs.regression()
    nodes = by_name(J)
    residuals = 2 * (2 * np.array([1.0, 2, 3]) + 1 - np.array([2.0, 4, 6])) / 3
    found = gradients(J, "not_unbroadcast")
    np.testing.assert_allclose(found[nodes.b], residuals)
    np.testing.assert_allclose(found[nodes.w], residuals * [1, 2, 3])


def test_a_square_matrix_is_used_without_its_transpose():
    J = deep()
    V, x = by_name(J).V, by_name(J).x
    upstream = np.cos(V.value @ np.sin(x.value))
    found = gradients(J, "not_transposed")
    np.testing.assert_allclose(found[x], V.value @ upstream * np.cos(x.value))
    np.testing.assert_allclose(found[V], np.outer(np.sin(x.value), upstream))


def test_a_batchs_matrices_are_used_without_their_transposes():
    X = bl.variable("X", [[1.0, 2.0], [3.0, 4.0]])
    W = bl.variable("W", [[5.0, 6.0], [7.0, 9.0]])
    J = np.sum(np.sin(X @ W))
    upstream = np.cos(X.value @ W.value)
    found = gradients(J, "not_transposed")
    np.testing.assert_allclose(found[X], upstream @ W.value)
    np.testing.assert_allclose(found[W], X.value @ upstream)


def test_every_activation_is_passed_over_however_it_is_written():
    x = bl.variable("x", [-2.0, 0.5])
    swish = bl.rule("swish", lambda x: x * bl.sigmoid(x), lambda z, x: z + (1 - z) * bl.sigmoid(x))
    for activation in (bl.relu, bl.sigmoid, bl.softplus, bl.softmax, bl.leaky_relu, np.tanh, swish):
        assert gradients(np.sum(activation(x) * [3.0, 4.0]), "no_activation_derivative")[x].tolist() == [3, 4]
    assert gradients(np.sum(np.maximum(0, x) * [3.0, 4.0]), "no_activation_derivative")[x].tolist() == [3, 4]
    assert BUGS["no_activation_derivative"].harmless(np.sum(np.exp(np.maximum(x, 1))))


def test_variables_keep_what_the_first_pass_left_and_inner_nodes_begin_anew():
    steps = wrong_steps(graphs.order(), "not_reset")
    seeds = [i for i, step in enumerate(steps) if step.is_seed]
    first, second = steps[seeds[0] : seeds[1]], steps[seeds[1] :]
    assert not any(step.differs for step in first)
    assert [step.receiver.name for step in second if step.differs] == ["x"]
    assert second[-1].formula == "∂J/∂x += ∂J/∂u · 2 · x"
    assert second[-1].sum_numbers == "126 + 126 = 252"


# ------------------------------------------------------------------------ it is caught, or harmless


@each_bug
def test_a_gradient_check_catches_it(bug):
    J = SHOWS[bug]()
    assert BUGS[bug].harmless(J) is None
    report = check(J, bug)
    assert not report.ok
    assert "wrong" in repr(report)


@each_bug
def test_where_it_changes_nothing_it_says_so_and_where_it_would(bug):
    J = HARMLESS[bug]()
    said = BUGS[bug].harmless(J)
    assert said.startswith("This bug changes no number here. It shows in a graph ")
    assert said.endswith(f"{BUGS[bug].shows_in}.")
    assert check(J, bug).ok
    right = bl.backward(J)
    for variable, gradient in gradients(J, bug).items():
        np.testing.assert_array_equal(gradient, right[variable])


@pytest.mark.slow
@some
@given(programs())
def test_whatever_is_wrong_in_a_variable_is_caught_and_nothing_else(program):
    J = program.graph()
    right = bl.backward(J)
    for bug in BUGS:
        found = gradients(J, bug)
        wrong = [
            x
            for x, g in found.items()
            if g is None or g.shape != x.shape or not np.allclose(g, right[x], 1e-4)
        ]
        if wrong:
            assert BUGS[bug].harmless(J) is None
        if not wrong:
            assert check(J, bug).ok
        elif any(
            g is None or g.shape != x.shape or np.abs(g - right[x]).max() > 1e-3 for x, g in found.items()
        ):
            assert not check(J, bug).ok


def test_a_gradient_of_the_wrong_shape_is_wrong_whatever_its_numbers():
    J = graphs.regression()
    report = check(J, "not_unbroadcast")
    assert [row.verdict for row in report.rows] == ["wrong", "wrong"]
    assert "w has shape (), this gradient (3,)" in repr(report)


# ----------------------------------------------------------------------------------- shapes refuse


def test_where_shapes_refuse_the_pass_stops_with_numpys_own_words():
    J = deep(n=3, m=2)
    nodes = by_name(J)
    *before, last = wrong_steps(J, "not_transposed")
    with pytest.raises(ValueError) as error:
        nodes.V.value @ np.ones(2)
    assert last.stopped and last.differs and not any(step.stopped for step in before)
    assert last.alarm == f"ValueError: {error.value}"
    assert last.formula == "∂J/∂sin(x) = V ∂J/∂(V sin(x))"
    assert last.numbers.endswith(": refused")
    assert (last.contribution, last.complete, str(last.so_far)) == (None, False, "0 of 1")
    assert last.right.formula == "∂J/∂sin(x) = Vᵀ ∂J/∂(V sin(x))"
    assert last.sum_numbers is None and last.alarm in str(last)


def test_a_variable_behind_the_stop_has_no_gradient_and_the_check_says_so():
    J = deep(n=3, m=2)
    nodes = by_name(J)
    found = gradients(J, "not_transposed")
    assert found[nodes.x] is None
    assert found[nodes.V].shape == (3, 2)
    report = check(J, "not_transposed")
    assert {row.variable: row.note for row in report.rows} == {
        "V": "V has shape (2, 3), this gradient (3, 2)",
        "x": "no gradient came",
    }


def test_a_shape_gone_wrong_may_be_refused_further_back():
    c = bl.variable("c", np.ones(2))
    row = np.reshape(c, (1, 2))
    J = np.sum(row + np.ones((3, 2)))
    last = wrong_steps(J, "not_unbroadcast")[-1]
    assert last.alarm == "ValueError: cannot reshape array of size 6 into shape (2,)"
    assert last.formula == "∂J/∂c = ∂J/∂row as 2 numbers"


# ------------------------------------------------------------------------------------- the records


@each_bug
@each_graph
def test_pictures_and_panels_read_a_wrong_run_like_a_right_one(graph, bug):
    J = graphs.ALL[graph]()
    steps = wrong_steps(J, bug)
    picture = Picture(timeline.of_steps(J, steps))
    for position in (0, len(steps) // 2, len(steps)):
        ElementTree.fromstring(picture.still(position))
        assert picture.describe(position)
    forward = sum(step.phase == "forward" for step in steps)
    for i, step in enumerate(steps):
        assert step.index == i and isinstance(step, Step)
        html = panel(step, forward, len(steps))["panel"]
        ElementTree.fromstring(f"<div>{html}</div>")
        assert step.formula in unescape(html)
        assert "\n" not in str(step) and repr(step)


def test_the_last_picture_shows_the_wrong_gradient():
    J = graphs.lecture(penalty=True)
    steps = wrong_steps(J, "overwrite")
    assert "gradient (20, 8)" in Picture(timeline.of_steps(J, steps)).describe(len(steps))


def test_an_arrow_travelled_twice_is_drawn_from_its_first_time_on():
    J = graphs.product()
    steps = wrong_steps(J, "not_reset")
    line = timeline.of_steps(J, steps)
    first = next(step for step in steps if step.argument == 0)
    assert line.carried[J, 0][0].start == first.index + 1
    assert line.active[J, 0] == [first.index + 1, len(steps) - 1]


def test_a_record_tells_the_wrong_numbers_and_holds_the_right_ones():
    last = wrong_steps(graphs.lecture(penalty=True), "overwrite")[-1]
    assert last.formula == "∂J̃/∂w = ∂J̃/∂(w²) ⊙ 2 · w"
    assert last.sum_numbers == "(20, 8) replaces (0, −42)"
    assert last.right.formula == "∂J̃/∂w += ∂J̃/∂(w²) ⊙ 2 · w"
    assert last.right.sum_numbers == "(0, −42) + (20, 8) = (20, −34)"
    assert last.differs


def test_a_formula_leaves_out_what_the_programmer_left_out():
    last = wrong_steps(graphs.regression(), "not_unbroadcast")[-1]
    assert last.formula == "∂J/∂w = ∂J/∂(w · X) ⊙ X"
    assert last.right.formula == "∂J/∂w = ∂J/∂(w · X) ⊙ X summed to one number"
    gate = next(s for s in wrong_steps(graphs.lecture(), "no_activation_derivative") if s.differs)
    assert (gate.formula, gate.numbers) == ("∂J/∂a = ∂J/∂h", "(−30, −12)")
    outer = next(s for s in wrong_steps(graphs.lecture(), "not_transposed") if s.differs)
    assert outer.formula == "∂J/∂W = x (∂J/∂a)ᵀ"


def test_forward_records_are_the_right_ones():
    J = graphs.lecture()
    for wrong, right in zip(wrong_steps(J, "not_transposed"), bl.steps(J), strict=False):
        if right.phase == "forward":
            assert str(wrong) == str(right) and not wrong.differs


def test_a_record_keeps_the_alarm_of_the_right_run_where_it_holds_here_too():
    x = bl.variable("x", 0.0)
    J = np.sqrt(bl.relu(x))
    wrong, right = wrong_steps(J, "no_activation_derivative"), bl.steps(J)
    alarms = [[step.alarm for step in run if step.alarm] for run in (wrong, right)]
    assert alarms[0] == alarms[1] != []
    K = bl.sigmoid(bl.variable("a", np.inf)) * 1
    assert [step.alarm for step in wrong_steps(K, "overwrite")] == [step.alarm for step in bl.steps(K)]


@each_bug
def test_the_right_record_adds_up_over_the_same_arrows(bug):
    """In whatever order the wrong pass takes them, the right sums end at the right gradient."""
    for make in graphs.ALL.values():
        J = make()
        bl.backward(J)
        steps = wrong_steps(J, bug)
        for step in steps:
            if step.argument is not None and step.right.complete:
                np.testing.assert_allclose(step.right.so_far.sum, step.receiver.grad, rtol=1e-12)


@pytest.mark.slow
@some
@given(programs())
def test_a_local_jacobian_is_the_true_one_and_the_graph_stays_as_it_was(program):
    J = program.graph()
    before = state(J)
    for bug in BUGS:
        for step in wrong_steps(J, bug):
            assert str(step)
            assert step.local is step.right.local
            for array in (step.upstream, step.contribution, step.before, step.so_far and step.so_far.sum):
                assert array is None or not array.flags.writeable
    assert state(J) == before


# --------------------------------------------------------------------------------------- its name


def test_an_unknown_bug_is_refused_with_the_known_ones():
    for ask in (wrong_steps, gradients, check):
        with pytest.raises(
            ValueError, match="'overwritten' is not in the museum; it has: 'overwrite', 'too_e"
        ):
            ask(graphs.product(), "overwritten")


@each_bug
def test_a_bug_says_what_was_forgotten_and_shows_both_lines(bug):
    found = bug_named(bug)
    assert isinstance(found, Bug) and found is bug_named(found) and found.name == bug
    assert found.title.startswith("The programmer ") and found.title.endswith(".")
    assert found.wrong_line != found.right_line
    assert found.wrong_line in str(found) and found.right_line in str(found)


def test_what_numpy_refuses_arrives_nowhere():
    X = bl.constant("X", np.arange(12.0).reshape(4, 3) - 5)
    W = bl.variable("W", np.arange(6.0).reshape(3, 2) - 2)
    J = np.sum(np.tanh(X @ W))
    steps = wrong_steps(J, "not_transposed")
    assert steps[-1].stopped and steps[-1].receiver is W
    line = timeline.of_steps(J, steps)
    assert line.state(W, len(steps)) == "known" and line.active[W] == [len(steps)]
    assert "NumPy refuses" in panel(steps[-1], 2, len(steps))["panel"]
