"""Likely wrong answers: the classic mistakes are recognised, each by its own explanation."""

import re

import numpy as np
import pytest
from hypothesis import given
from oracles import law
from samples import fork, lecture_network, programs, step_to

import backprop_lab as bl
from backprop_lab.exercises.confusions import likely_confusions, same
from backprop_lab.words import notation
from tools import graphs


def meanings(step, answer):
    """The explanations that a learner with this answer would read."""
    return [c.meaning for c in likely_confusions(step) if same(answer, c.value)]


def test_a_right_answer_is_recognised_as_right():
    network = lecture_network()
    step = step_to(network.J, network.w)
    assert same([0, -42], step.so_far.sum)
    assert same([0.001, -42.3], step.so_far.sum)
    assert not same([0, -44], step.so_far.sum)
    assert not same([0.015, -42], step.so_far.sum)
    assert not same(-42, step.so_far.sum)
    assert not same([np.nan, -42], step.so_far.sum)
    assert meanings(step, [0, -42]) == []


# Each mistake of the lecture's network has a number of its own, and its own explanation there.


@pytest.mark.parametrize(
    ("receiver", "wrong", "explanation"),
    [
        ("w", (-30, -12), "A product swaps"),
        ("h", (0, -42), "A product swaps"),
        ("a", (-30, -12), "The gate is closed where a ≤ 0"),
        ("a", (-30, 0), "The gate is the other way round"),
        ("w", (0, 42), "The sign is turned round"),
        ("w", (0, 7), "That is the local derivative alone"),
        ("w", (5, 2), "That is the value of w, not ∂J/∂w"),
    ],
)
def test_a_classic_mistake_is_recognised(receiver, wrong, explanation):
    network = lecture_network()
    (meaning,) = meanings(step_to(network.J, getattr(network, receiver)), wrong)
    assert explanation in meaning


def test_the_lost_factor_of_the_square_is_recognised():
    network = lecture_network()
    difference = network.J.inputs[0]
    step = step_to(network.J, difference)
    (meaning,) = meanings(step, -3)
    assert "The exponent in front is lost: the derivative of (ŷ − y)² has the factor 2" in meaning
    # Carried on to w, the mistake gives the lecture's wrong number (0, −21).
    flows = step_to(network.J, network.w)
    np.testing.assert_array_equal(flows.flow(np.array(-3.0)), [0, -21])


def test_the_ignored_gate_leads_to_the_lectures_wrong_row():
    network = lecture_network()
    gate = step_to(network.J, network.a)
    (wrong,) = (c.value for c in likely_confusions(gate) if "The gate is closed" in c.meaning)
    flow = step_to(network.J, network.W).flow(wrong)
    np.testing.assert_array_equal(flow[0], [-60, 90, -120])


@pytest.mark.parametrize(
    ("wrong", "explanation"),
    [
        ((20, 8), "it replaced what had arrived before. At a fork the contributions add"),
        ((0, -42), "only what had arrived before"),
        ((0, -336), "Factors multiply along a path; paths add"),
        ((10, -38), "has the factor 2"),
    ],
)
def test_a_classic_mistake_at_the_penaltys_fork_is_recognised(wrong, explanation):
    network = lecture_network(penalty=True)
    step = step_to(network.J, network.w)
    assert step.complete
    (meaning,) = meanings(step, wrong)
    assert explanation in meaning


def test_the_explanation_at_a_fork_shows_what_was_there_and_not_the_sum():
    network = lecture_network(penalty=True)
    (meaning,) = meanings(step_to(network.J, network.w), (20, 8))
    assert meaning.endswith("the contributions add, and (0, −42) was there already.")
    assert "(20, −34)" not in meaning


@pytest.mark.parametrize("name", graphs.ALL)
def test_no_explanation_gives_the_right_number_away(name):
    for step in bl.steps(graphs.ALL[name]()):
        if step.argument is None:
            continue
        right = notation.array(step.so_far.sum)
        stated = [a for a in (step.upstream, step.before, *step.inputs) if a is not None]
        if len(right) < 2 or right in step.formula or right in map(notation.array, stated):
            continue  # such a number stands beside the question anyway
        for confusion in likely_confusions(step):
            assert not re.search(rf"(?<![\w.−]){re.escape(right)}(?![\w.])", confusion.meaning)


def test_overwriting_at_a_fork_of_single_numbers_is_recognised():
    nodes = fork()
    step = step_to(nodes.J, nodes.u)
    assert "replaced" in meanings(step, 9)[0]
    assert "only what had arrived" in meanings(step, 12)[0]
    assert "paths add" in meanings(step, 108)[0]


def explained(node, receiver, wrong, seed=None):
    """The one explanation of a wrong answer about what flows from ``node`` into ``receiver``."""
    seed = np.ones(node.shape) if seed is None else seed
    step = next(s for s in bl.steps(node, seed) if s.receiver is receiver and s.node is node)
    (meaning,) = meanings(step, wrong)
    return meaning


def test_a_missing_transpose_is_recognised_in_both_factors():
    A, B = bl.variable("A", [[1.0, 2.0], [3.0, 4.0]]), bl.variable("B", [[5.0, 6.0], [7.0, 8.0]])
    g = np.array([[1.0, 3.0], [-2.0, 4.0]])
    assert "The transpose is missing" in explained(A @ B, A, g @ B.value, seed=g)
    assert "The transpose is missing" in explained(A @ B, B, A.value @ g, seed=g)


def test_a_missing_transpose_is_recognised_at_a_vector():
    W, x = bl.variable("W", [[1.0, 2.0], [3.0, 4.0]]), bl.variable("x", [5.0, 6.0])
    g = np.array([1.0, 3.0])
    assert "The transpose is missing" in explained(W @ x, x, W.value @ g, seed=g)
    assert "The transpose is missing" in explained(x @ W, x, g @ W.value, seed=g)


def test_exchanged_rows_and_columns_of_a_matrix_of_weights_are_recognised():
    network = lecture_network()
    step = step_to(network.J, network.W)
    (meaning,) = meanings(step, np.outer([2, -3, 4], [0, -12]).reshape(2, 3))
    assert "row i of ∂J/∂W is what arrives at entry i of a, times x" in meaning
    W, x = bl.variable("W", [[1.0, 2.0], [3.0, 4.0]]), bl.constant("x", [5.0, 6.0])
    assert "Rows and columns are exchanged" in explained(W @ x, W, [[5, 15], [6, 18]], seed=[1.0, 3.0])


def test_a_missing_transpose_is_no_answer_where_the_shapes_refuse_it():
    network = lecture_network()
    step = step_to(network.J, network.W)
    assert not any("transpose" in c.meaning for c in likely_confusions(step))


def test_a_lost_number_of_examples_is_recognised():
    x = bl.variable("x", [1.0, 2.0, 4.0])
    assert "The 1/3 of the mean is lost" in explained(np.mean(x), x, [5, 5, 5], seed=5)


def test_a_gradient_that_was_not_summed_is_recognised():
    b, x = bl.variable("b", 1.0), bl.variable("x", [1.0, 2.0, 4.0])
    g = [4 / 3, 2 / 3, 2]
    assert "A gradient has the shape of its variable" in explained(x + b, b, g, seed=g)


def test_a_forgotten_derivative_of_an_activation_is_recognised():
    x = bl.variable("x", [1.0, -1.0])
    assert "passed ∂z/∂z on unchanged" in explained(np.tanh(x).named("z"), x, [3, 5], seed=[3, 5])


def test_a_maximum_that_sends_to_both_is_recognised():
    x, y = bl.variable("x", [1.0, 2.0]), bl.variable("y", [2.0, 1.0])
    assert "only to the max, not to both" in explained(np.maximum(x, y), x, [3, 5], seed=[3, 5])
    assert "only to the min, not to both" in explained(np.minimum(x, y), y, [3, 5], seed=[3, 5])


def test_the_exponent_is_not_called_lost_where_it_is_the_variable():
    x = bl.variable("x", 3.0)
    step = step_to(2**x, x)
    assert not any("exponent in front" in c.meaning for c in likely_confusions(step))


def test_a_forward_record_and_the_seed_have_no_confusions():
    steps = bl.steps(fork().J)
    assert all(likely_confusions(s) == () for s in steps if s.phase == "forward" or s.is_seed)


# --------------------------------------------------------------------------------------------- laws


def asked(program):
    return (step for step in bl.steps(program.graph()) if step.argument is not None)


@pytest.mark.slow
@law
@given(programs())
def test_a_confusion_is_never_the_right_answer(program):
    for step in asked(program):
        for confusion in likely_confusions(step):
            assert not same(confusion.value, step.so_far.sum)


@pytest.mark.slow
@law
@given(programs())
def test_no_two_confusions_of_a_step_are_the_same_answer(program):
    for step in asked(program):
        for i, confusion in enumerate(likely_confusions(step)):
            for other in likely_confusions(step)[:i]:
                assert not same(confusion.value, other.value)
                assert confusion.meaning != other.meaning


@pytest.mark.slow
@law
@given(programs())
def test_an_explanation_is_a_sentence(program):
    for step in asked(program):
        for confusion in likely_confusions(step):
            assert confusion.meaning[0].isupper() and confusion.meaning.endswith(".")
            assert "\n" not in confusion.meaning and len(confusion.meaning) < 1000


@pytest.mark.slow
@law
@given(programs())
def test_overwriting_is_always_among_the_confusions_of_a_fork(program):
    for step in asked(program):
        overwritten = step.so_far.arrived > 1 and not same(step.contribution, step.so_far.sum)
        assert overwritten == any("replaced" in c.meaning for c in likely_confusions(step))
