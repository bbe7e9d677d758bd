"""The records of a pass: what each says, that they add up, and that making them changes nothing."""

import copy
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given
from oracles import law
from samples import fork, lecture_network, programs, state, step_to

import backprop_lab as bl
from backprop_lab.graph.order import topological_order


def backward_steps(J, **how):
    return [step for step in bl.steps(J, **how) if step.phase == "backward"]


# ------------------------------------------------------------------------------------ order, phases


def test_forward_records_come_first_one_for_each_computed_node():
    network = lecture_network()
    forward = [step for step in bl.steps(network.J) if step.phase == "forward"]
    computed = [node for node in topological_order(network.J) if node.rule is not None]
    assert [step.node for step in forward] == computed
    assert [step.index for step in bl.steps(network.J)] == list(range(len(bl.steps(network.J))))


def test_the_backward_pass_opens_with_the_seed():
    network = lecture_network()
    seed = backward_steps(network.J)[0]
    assert seed.is_seed
    assert (seed.receiver, seed.argument, seed.upstream, seed.contribution) == (
        network.J,
        None,
        None,
        1,
    )
    assert [step.is_seed for step in bl.steps(network.J)].count(True) == 1


def test_a_node_passes_on_only_what_is_complete():
    nodes = fork()
    arrows = [(step.node.name, step.receiver.name) for step in backward_steps(nodes.J)[1:]]
    # v comes before u, although J reads u first: u waits for its second arrow.
    assert arrows == [("J", "u"), ("J", "v"), ("v", "u"), ("u", "x")]


def test_two_arrows_between_the_same_nodes_are_two_records():
    x = bl.variable("x", 3.0)
    J = x * x
    first, second = backward_steps(J)[1:]
    assert [(s.argument, s.receiver) for s in (first, second)] == [(0, x), (1, x)]
    assert [str(s.so_far) for s in (first, second)] == ["1 of 2", "2 of 2"]
    assert [s.so_far.sum for s in (first, second)] == [3, 6]
    assert [s.complete for s in (first, second)] == [False, True]


def test_constants_and_conditions_receive_nothing():
    x, c = bl.variable("x", [1.0, -1.0]), bl.constant("c", 2.0)
    J = np.sum(np.where(x > 0, c * x, x))
    receivers = {step.receiver for step in backward_steps(J)}
    assert c not in receivers
    assert not any(node.dtype == bool for node in receivers)


def test_literals_are_no_arguments_but_keep_their_places():
    x = bl.variable("x", 3.0)
    step = step_to(2**x, x)
    assert (step.argument, step.place, step.operands) == (0, 1, (2, 3))


def test_a_seed_of_ones_own_opens_the_pass():
    x = bl.variable("x", [1.0, 2.0])
    seed, arrow = backward_steps(x * 3, seed=[10.0, 20.0])
    np.testing.assert_array_equal(seed.contribution, [10, 20])
    np.testing.assert_array_equal(arrow.contribution, [30, 60])


# --------------------------------------------------------------------------------------------- laws


@law
@given(programs())
def test_a_contribution_is_the_transposed_local_jacobian_times_the_upstream_gradient(program):
    for step in backward_steps(program.graph())[1:]:
        if not isinstance(step.local, str):
            assert step.local.shape == (step.node.size, step.receiver.size)
            product = step.local.T @ step.upstream.reshape(-1)
            np.testing.assert_allclose(product, step.contribution.reshape(-1), rtol=1e-9, atol=1e-12)


@law
@given(programs())
def test_a_local_jacobian_is_shown_while_it_has_at_most_36_entries(program):
    for step in bl.steps(program.graph()):
        if step.argument is None:
            assert step.local is None
        else:
            entries = step.node.size * step.receiver.size
            assert isinstance(step.local, np.ndarray) == (entries <= 36)


def test_a_large_local_jacobian_is_named_by_its_kind():
    x = bl.variable("x", np.ones((3, 3)))
    assert step_to(np.sum(np.tanh(x)), x).local == "diagonal"
    assert step_to(np.sum(x.T), x).local == "transpose of transpose"
    assert step_to(np.sum(x @ x), x).local == "transpose of matmul"


@law
@given(programs())
def test_running_sums_add_up(program):
    sums, arrived = {}, {}
    for step in backward_steps(program.graph()):
        node = step.receiver
        before = sums.get(node)
        assert (step.before is None) == (before is None)
        if before is not None:
            np.testing.assert_array_equal(step.before, before)
        sums[node] = step.contribution if before is None else before + step.contribution
        arrived[node] = arrived.get(node, 0) + 1
        np.testing.assert_array_equal(step.so_far.sum, sums[node])
        assert step.so_far.arrived == arrived[node]


@law
@given(programs())
def test_a_record_is_complete_exactly_at_the_last_arrival(program):
    steps = backward_steps(program.graph())
    for i, step in enumerate(steps):
        more = any(later.receiver is step.receiver for later in steps[i + 1 :])
        assert step.complete == (not more)
        assert step.complete == (step.so_far.arrived == step.so_far.of)


@law
@given(programs())
def test_an_upstream_gradient_is_the_final_sum_at_its_node(program):
    final = {}
    for step in backward_steps(program.graph()):
        if step.argument is not None:
            np.testing.assert_array_equal(step.upstream, final[step.node])
        if step.complete:
            final[step.receiver] = step.so_far.sum


@law
@given(programs())
def test_final_sums_are_the_gradients_of_the_backward_pass(program):
    J = program.graph()
    steps = bl.steps(J)
    gradients = bl.backward(J)
    final = {step.receiver: step.so_far.sum for step in steps if step.phase == "backward"}
    for node in topological_order(J):
        if node in final:
            np.testing.assert_array_equal(final[node], node.grad)
    for variable, gradient in gradients.items():
        np.testing.assert_array_equal(final.get(variable, np.zeros(variable.shape)), gradient)


@law
@given(programs())
def test_forward_records_hold_the_values_of_the_forward_pass(program):
    J = program.graph()
    steps = bl.steps(J)
    bl.forward(J)
    for step in steps:
        np.testing.assert_array_equal(step.value, step.node.value)
        for operand, value in zip(step.node.inputs, step.inputs, strict=True):
            np.testing.assert_array_equal(value, operand.value)


@law
@given(programs())
def test_a_contribution_fits_its_receiver(program):
    for step in backward_steps(program.graph()):
        for array in (step.contribution, step.so_far.sum):
            assert (array.shape, array.dtype) == (step.receiver.shape, step.receiver.dtype)


# ------------------------------------------------------------------------------- nothing is changed


@pytest.mark.slow
@law
@given(programs())
def test_making_records_leaves_the_graph_as_it_was(program):
    J = program.graph()
    before = state(J)
    for step in bl.steps(J):
        assert str(step)
    assert state(J) == before


def test_records_of_a_known_graph_show_every_step_again():
    network = lecture_network()
    fresh = list(map(str, bl.steps(network.J)))
    bl.backward(network.J)
    value, gradient = network.J.value, network.w.grad
    assert list(map(str, bl.steps(network.J))) == fresh
    assert network.J.value is value and network.w.grad is gradient


def test_records_stay_when_the_graph_moves_on():
    network = lecture_network()
    steps = bl.steps(network.J)
    before = list(map(str, steps))
    network.w.value = [0, 0]
    bl.backward(network.J)
    assert list(map(str, steps)) == before


def test_records_are_frozen():
    step = bl.steps(lecture_network().J)[-1]
    for field in fields(step):
        with pytest.raises(FrozenInstanceError):
            setattr(step, field.name, None)


def test_records_are_compared_by_identity():
    J = lecture_network().J
    first, second = bl.steps(J)[-1], bl.steps(J)[-1]
    assert first == first and first != second
    assert len({first, second}) == 2


def test_every_array_of_a_record_is_read_only():
    x, c = bl.variable("x", [[1.0, 2.0], [3.0, 4.0]]), bl.constant("c", [1, 2])
    J = np.sum(np.tanh(x * c) @ x + bl.relu(x) ** 2)
    for step in bl.steps(J):
        arrays = [*step.inputs, step.value, *step.operands, step.upstream, step.contribution]
        arrays += [step.before, step.so_far and step.so_far.sum, step.local]
        for array in arrays:
            assert not isinstance(array, np.ndarray) or not array.flags.writeable


def test_a_record_refers_to_the_graph_and_so_is_not_copied():
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        copy.deepcopy(bl.steps(fork().J)[0])


# ------------------------------------------------------------------------------------ what they say

NETWORK = """\
  1  forward   W = θ as 2 × 3   (1, 2, −1, −1, 1, 3) as 2 × 3 = [[1, 2, −1], [−1, 1, 3]]
  2  forward   a = W x   [[1, 2, −1], [−1, 1, 3]] (2, −3, 4) = (−8, 7)
  3  forward   h = relu(a)   relu((−8, 7)) = (0, 7)
  4  forward   ŷ = w · h   (5, 2) · (0, 7) = 14
  5  forward   ŷ − y   14 − 17 = −3
  6  forward   J = (ŷ − y)²   (−3)² = 9
  7  backward  ∂J/∂J = 1   the seed
  8  backward  ∂J/∂(ŷ − y) = ∂J/∂J · 2 · (ŷ − y)   1 · 2 · (−3) = −6
  9  backward  ∂J/∂ŷ = ∂J/∂(ŷ − y)   −6
 10  backward  ∂J/∂w = ∂J/∂ŷ · h   −6 · (0, 7) = (0, −42)
 11  backward  ∂J/∂h = ∂J/∂ŷ · w   −6 · (5, 2) = (−30, −12)
 12  backward  ∂J/∂a = ∂J/∂h ⊙ [a > 0]   (−30, −12) ⊙ [(−8, 7) > 0] = (0, −12)
 13  backward  ∂J/∂W = ∂J/∂a xᵀ   (0, −12) (2, −3, 4)ᵀ = [[0, 0, 0], [−24, 36, −48]]
 14  backward  ∂J/∂θ = ∂J/∂W as 6 numbers   [[0, 0, 0], [−24, 36, −48]] as 6 numbers = \
(0, 0, 0, −24, 36, −48)"""


def test_the_lectures_network_reads_as_in_the_lecture():
    assert "\n".join(map(str, bl.steps(lecture_network().J))) == NETWORK


def test_a_fork_shows_its_running_sum():
    network = lecture_network(penalty=True)
    first, last = (s for s in bl.steps(network.J) if s.receiver is network.w)
    assert first.formula == "∂J/∂w += ∂J/∂ŷ · h"
    assert first.sum_numbers == "(0, −42)"
    assert last.formula == "∂J/∂w += ∂J/∂(w²) ⊙ 2 · w"
    assert last.numbers == "(2, 2) ⊙ 2 · (5, 2) = (20, 8)"
    assert last.sum_numbers == "(0, −42) + (20, 8) = (20, −34)"
    assert str(last).endswith("(0, −42) + (20, 8) = (20, −34), 2 of 2 arrived")


def test_a_negative_contribution_is_added_in_brackets():
    x = bl.variable("x", 3.0)
    assert step_to(x * 4 - x, x).sum_numbers == "−1 + 4 = 3"
    assert step_to(4 * x + -x * 1, x).sum_numbers == "4 + (−1) = 3"


def test_a_record_that_meets_no_other_arrow_has_no_running_sum():
    network = lecture_network()
    assert step_to(network.J, network.w).sum_numbers is None
    assert bl.steps(network.J)[0].sum_numbers is None


x2, W2 = bl.variable("x", [2.0, 3.0]), bl.variable("W", [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("node", "receiver", "formula", "numbers"),
    [
        (x2 + 1, x2, "∂J/∂x = ∂J/∂z", "(1, 1)"),
        (1 - x2, x2, "∂J/∂x = −∂J/∂z", "−(1, 1) = (−1, −1)"),
        (x2 * 3, x2, "∂J/∂x = ∂J/∂z · 3", "(1, 1) · 3 = (3, 3)"),
        (x2**3, x2, "∂J/∂x = ∂J/∂z ⊙ 3 · x²", "(1, 1) ⊙ 3 · (2, 3)² = (12, 27)"),
        (np.exp(x2), x2, "∂J/∂x = ∂J/∂z ⊙ z", "(1, 1) ⊙ (7.389, 20.09) = (7.389, 20.09)"),
        (np.log(x2), x2, "∂J/∂x = ∂J/∂z ⊙ 1 / x", "(1, 1) ⊙ 1 / (2, 3) = (0.5, 0.3333)"),
        (
            np.tanh(x2),
            x2,
            "∂J/∂x = ∂J/∂z ⊙ (1 − z²)",
            "(1, 1) ⊙ (1 − (0.964, 0.9951)²) = (0.07065, 0.009866)",
        ),
        (
            bl.sigmoid(x2),
            x2,
            "∂J/∂x = ∂J/∂z ⊙ z ⊙ (1 − z)",
            "(1, 1) ⊙ (0.8808, 0.9526) ⊙ (1 − (0.8808, 0.9526)) = (0.105, 0.04518)",
        ),
        (
            W2 @ x2,
            x2,
            "∂J/∂x = Wᵀ ∂J/∂z",
            "[[1, 2], [3, 4]]ᵀ (1, 1) = (4, 6)",
        ),
        (W2 @ x2, W2, "∂J/∂W = ∂J/∂z xᵀ", "(1, 1) (2, 3)ᵀ = [[2, 3], [2, 3]]"),
        (np.sum(x2), x2, "∂J/∂x = ∂J/∂z repeated to 2 numbers", "1 repeated to 2 numbers = (1, 1)"),
        (
            np.mean(x2),
            x2,
            "∂J/∂x = ∂J/∂z / 2 repeated to 2 numbers",
            "1 / 2 repeated to 2 numbers = (0.5, 0.5)",
        ),
        (
            x2[0],
            x2,
            "∂J/∂x = ∂J/∂z put back at [0], 0 elsewhere",
            "1 put back at [0], 0 elsewhere = (1, 0)",
        ),
        (W2.T, W2, "∂J/∂W = (∂J/∂z)ᵀ", "[[1, 1], [1, 1]]ᵀ = [[1, 1], [1, 1]]"),
        (
            x2 + W2,
            x2,
            "∂J/∂x = ∂J/∂z summed to 2 numbers",
            "[[1, 1], [1, 1]] summed to 2 numbers = (2, 2)",
        ),
    ],
)
def test_a_typical_step_reads_like_a_line_on_paper(node, receiver, formula, numbers):
    J = np.sum(node.named("z"))
    step = step_to(J, receiver, node=node)
    assert (step.formula, step.numbers) == (formula, numbers)


def test_a_large_array_is_named_rather_than_written_out():
    x = bl.variable("x", np.ones((4, 4)))
    y = np.tanh(x)
    forward = bl.steps(y, seed=np.ones((4, 4)))[0]
    assert forward.numbers == "tanh(x) = 4 × 4 numbers from 0.762 to 0.762"


def test_an_unnamed_cost_is_called_j():
    x = bl.variable("x", 3.0)
    assert bl.steps(np.square(x))[-1].formula == "∂J/∂x = ∂J/∂J · 2 · x"


def test_a_record_shows_itself_by_what_it_says():
    seed = backward_steps(fork().J)[0]
    assert repr(seed) == "<Step 4  backward  ∂J/∂J = 1   the seed>"


@pytest.mark.slow
@law
@given(programs())
def test_every_record_prints_on_one_line(program):
    for step in bl.steps(program.graph()):
        assert "\n" not in str(step)
        assert str(step).startswith(f"{step.index + 1:3}  {step.phase}")
        assert len(str(step)) < 3000
