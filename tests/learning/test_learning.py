"""Stochastic gradient descent: every step's numbers, batches, momentum, and what may go wrong."""

from __future__ import annotations

import math
import signal
import sys
import warnings
from contextlib import suppress
from itertools import islice, repeat

import numpy as np
import pytest
from interrupts import interrupted_after, of_the_lab

import backprop_lab as bl
from backprop_lab.learning.batches import OneByOne
from backprop_lab.program.program import Program
from benchmarks.handwritten import LEARNING_RATE, WORKLOADS, plain, plain_step
from benchmarks.networks import network


def line():
    """The mean squared error of w·x + b on three points, and its leaves."""
    x, y = bl.constant("x", [1.0, 2.0, 4.0]), bl.constant("y", [2.0, 4.0, 6.0])
    w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    return np.mean((w * x + b - y) ** 2), w, b


def slopes(w, b, x, y):
    residual = w * np.asarray(x) + b - y
    return 2 * np.mean(residual * x), 2 * np.mean(residual)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKLOADS)
def test_steps_are_those_of_the_loop_written_by_hand(name):
    workload = WORKLOADS[name]
    J, leaves = network(workload)
    parameters = [p.copy() for p in workload.parameters()]
    for step in bl.sgd(J, learning_rate=LEARNING_RATE, epochs=5):
        cost = plain_step(plain(workload), parameters, *workload.data())
        np.testing.assert_allclose(step.cost, cost, rtol=1e-10)
        for leaf, parameter in zip(leaves, parameters, strict=True):
            np.testing.assert_allclose(leaf.value, parameter, atol=1e-10)


def test_the_lectures_step_lands_where_the_storyboard_says():
    for rate, expected in [(0.002, 0.925), (0.005, 5.36), (0.01, 69.9)]:
        x, y = bl.constant("x", [2, -3, 4]), bl.constant("y", 17)
        theta, w = bl.variable("theta", [1, 2, -1, -1, 1, 3]), bl.variable("w", [5, 2])
        J = (w @ bl.relu(np.reshape(theta, (2, 3)) @ x) - y) ** 2
        (step,) = bl.sgd(J, learning_rate=rate)
        assert step.cost == 9.0
        np.testing.assert_allclose(bl.forward(J), expected, rtol=1e-3)


def test_a_step_knows_its_epoch_index_cost_and_learning_rate():
    J, _, _ = line()
    data = {"x": [1.0, 2.0, 4.0, 3.0, 0.0], "y": [2.0, 4.0, 6.0, 5.0, 1.0]}
    steps = list(bl.sgd(J, data, learning_rate=0.01, batch_size=2, epochs=2))
    assert [s.epoch for s in steps] == [0, 0, 0, 1, 1, 1]
    assert [s.index for s in steps] == [0, 1, 2, 3, 4, 5]
    assert {s.learning_rate for s in steps} == {0.01}
    assert str(steps[0]).startswith("epoch 0, step 0: cost ")


def test_every_example_is_used_once_in_an_epoch_in_an_order_of_its_own():
    x, w = bl.constant("x", np.zeros(3)), bl.variable("w", 0.0)
    seen = []
    data = {"x": np.arange(10.0)}
    run = bl.sgd(np.sum(w * x), data, learning_rate=1.0, batch_size=3, epochs=2, seed=4)
    before = 0.0
    for _ in run:
        seen.append(before - float(w.value))  # the gradient is the sum of the batch
        before = float(w.value)
    assert sum(seen[:4]) == sum(seen[4:]) == 45.0 and seen[:4] != seen[4:]


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    def costs(seed):
        J, _, _ = line()
        data = {"x": np.arange(8.0), "y": np.arange(8.0) ** 2}
        return [s.cost for s in bl.sgd(J, data, learning_rate=0.01, batch_size=2, epochs=3, seed=seed)]

    assert costs(1) == costs(1) != costs(2)


def test_momentum_carries_the_velocity_on():
    J, w, b = line()
    at, velocity = np.array([2.0, 1.0]), np.zeros(2)
    for _ in bl.sgd(J, learning_rate=0.02, epochs=4, momentum=0.9):
        velocity = 0.9 * velocity + slopes(*at, [1.0, 2.0, 4.0], [2.0, 4.0, 6.0])
        at = at - 0.02 * velocity
        np.testing.assert_allclose([w.value, b.value], at)


def test_the_learning_rate_may_be_a_function_of_the_step():
    J, w, _ = line()
    rates = [s.learning_rate for s in bl.sgd(J, learning_rate=lambda i: 0.1 / (i + 1), epochs=3)]
    assert rates == [0.1, 0.05, 0.1 / 3]
    run = bl.sgd(J, learning_rate=0.01, epochs=2)
    next(run)
    run.learning_rate = 0.0
    before = w.value
    assert next(run).learning_rate == 0.0 and w.value == before


def test_a_loop_that_was_left_goes_on_where_it_stopped():
    def values(stops):
        J, w, b = line()
        run = bl.sgd(J, {"x": np.arange(9.0), "y": np.arange(9.0)}, 0.01, batch_size=2, epochs=3)
        for step in run:
            if step.index in stops:
                break
        for _ in run:
            pass
        return float(w.value), float(b.value)

    assert values({4}) == values({0}) == values(set())


def test_batches_of_the_readers_own_are_taken_as_they_come():
    J, w, b = line()
    at = np.array([2.0, 1.0])
    batches = [{"x": [1.0], "y": [3.0]}, {"x": [2.0, 5.0, 1.0], "y": [3.0, 1.0, 0.0]}]
    for step in bl.sgd(J, batches, learning_rate=0.01, epochs=2):
        batch = batches[step.index % 2]
        at = at - 0.01 * np.array(slopes(*at, batch["x"], batch["y"]))
        np.testing.assert_allclose([w.value, b.value], at)
    assert step.index == 3


def test_a_leaf_changed_during_the_loop_is_taken_up():
    J, w, b = line()
    run = bl.sgd(J, learning_rate=0.01, epochs=3)
    next(run)
    kept = float(b.value)
    w.value = 0.0
    next(run)
    expected = slopes(0.0, kept, [1.0, 2.0, 4.0], [2.0, 4.0, 6.0])
    np.testing.assert_allclose([w.value, b.value], [-0.01 * expected[0], kept - 0.01 * expected[1]])


def test_what_was_computed_from_the_variables_is_unknown_after_a_step():
    J, w, b = line()
    bl.backward(J)
    run = bl.sgd(J, learning_rate=0.01, epochs=3)
    next(run)
    assert J.value is None
    np.testing.assert_allclose(bl.forward(J), np.mean((w.value * [1, 2, 4] + b.value - [2, 4, 6]) ** 2))
    next(run)
    assert J.value is None
    assert bl.backward(J)[w].shape == ()


def test_values_are_snapshots():
    J, w, _ = line()
    run = bl.sgd(J, learning_rate=0.01, epochs=3)
    next(run)
    first = w.value
    kept = float(first)
    next(run)
    assert float(first) == kept != float(w.value)
    with pytest.raises(ValueError, match="read-only"):
        first[...] = 1.0


def test_two_runs_over_the_same_variables_take_turns():
    J, w, b = line()
    first, second = bl.sgd(J, learning_rate=0.01, epochs=9), bl.sgd(J, learning_rate=0.02, epochs=9)
    at = np.array([2.0, 1.0])
    for run, rate in [(first, 0.01), (second, 0.02), (first, 0.01), (first, 0.01), (second, 0.02)]:
        next(run)
        at = at - rate * np.array(slopes(*at, [1.0, 2.0, 4.0], [2.0, 4.0, 6.0]))
        np.testing.assert_allclose([w.value, b.value], at)


def test_two_costs_may_share_variables_in_turns():
    x, w = bl.constant("x", 3.0), bl.variable("w", 2.0)
    fit, shrink = (w * x - 3.0) ** 2, w**2
    one, other = bl.sgd(fit, learning_rate=0.01, epochs=2), bl.sgd(shrink, learning_rate=0.1, epochs=2)
    next(one), next(other), next(one)
    expected = 2.0
    for change in (lambda w: 0.01 * 2 * 3 * (3 * w - 3), lambda w: 0.1 * 2 * w, lambda w: 0.06 * (3 * w - 3)):
        expected -= change(expected)
    np.testing.assert_allclose(w.value, expected)


def test_only_the_wanted_variables_learn():
    J, w, b = line()
    list(bl.sgd(J, learning_rate=0.01, epochs=3, wrt=[w]))
    assert b.value == 1.0 and w.value != 2.0


def test_float32_learns_in_float32():
    w = bl.variable("w", np.array([1.0, 2.0], np.float32))
    list(bl.sgd(np.sum(w**2), learning_rate=0.1, epochs=2, momentum=0.5))
    assert w.value.dtype == np.float32
    np.testing.assert_allclose(w.value, np.array([1.0, 2.0]) * (0.8 - 0.1 * (0.5 * 2 + 2 * 0.8)), rtol=1e-6)


def test_a_cost_that_runs_away_is_reported_once():
    w = bl.variable("w", 3.0)
    with pytest.warns(bl.NonFiniteWarning) as caught:
        costs = [s.cost for s in bl.sgd(w**4, learning_rate=10.0, epochs=12)]
    assert not math.isfinite(costs[-1]) and len(caught) == 1


@pytest.mark.parametrize("momentum", [0, 0.5])
def test_an_interrupted_loop_goes_on_with_the_step_that_was_interrupted(momentum, monkeypatch):
    data = {"x": np.arange(6.0), "y": 2 * np.arange(6.0)}
    how = {"learning_rate": 0.01, "batch_size": 2, "epochs": 4, "momentum": momentum}
    J, w, b = line()
    undisturbed = [(str(step), float(w.value), float(b.value)) for step in bl.sgd(J, data, **how)]
    J, w, b = line()
    run, seen = bl.sgd(J, data, **how), []

    def interrupted(*_):
        raise KeyboardInterrupt

    for step in run:
        seen.append((str(step), float(w.value), float(b.value)))
        if step.index == 4:
            break
    monkeypatch.setattr(Program, "bound_for", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            next(run)
    monkeypatch.undo()
    seen += [(str(step), float(w.value), float(b.value)) for step in run]
    assert seen == undisturbed
    assert list(run) == []


EXAMPLES = {"x": np.arange(8.0) / 8, "y": np.arange(8.0)}
HALVES = [{name: array[i::2] for name, array in EXAMPLES.items()} for i in range(2)]
LOOPS = {
    "leaves": {},
    "full batch": {"data": EXAMPLES},
    "minibatches": {"data": EXAMPLES, "batch_size": 3},
    "list of batches": {"data": HALVES},
    "momentum": {"data": EXAMPLES, "batch_size": 3, "momentum": 0.5},
}


def loop(kind, epochs):
    J, *_ = line()
    program = bl.compile(J)
    return program, bl.sgd(program, learning_rate=0.001, epochs=epochs, **LOOPS[kind])


def learned(program):
    return [float(variable.value) for variable in program.variables]


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOOPS)
def test_a_loop_interrupted_at_any_moment_takes_every_step_once(kind):
    undisturbed, steps = loop(kind, 150)
    for _ in steps:
        pass
    program, run = loop(kind, 150)
    for _ in islice(run, 6):  # what is compiled on the way takes many moments
        pass
    for _ in range(3):  # steps, with the end of an epoch among them
        moments, taken = 0, False
        while not taken:
            try:
                with interrupted_after(moments):
                    next(run)
                taken = True
            except KeyboardInterrupt:
                moments += 1
            np.testing.assert_array_equal(learned(program), program.parameters.theta)
        assert moments > 20
    for _ in run:
        pass
    assert list(run) == []
    assert learned(program) == learned(undisturbed)


@pytest.mark.slow
def test_values_looked_at_while_interrupts_come_are_those_of_the_last_step():
    program, run = loop("minibatches", 9)
    undisturbed, steps = loop("minibatches", 9)
    for _ in zip(run, steps):
        moments, ended = 0, False
        while not ended:
            try:
                with interrupted_after(moments):
                    learned(program)
                ended = True
            except KeyboardInterrupt:
                moments += 1
        assert moments > 5 and learned(program) == learned(undisturbed)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt")
@pytest.mark.parametrize("kind", LOOPS)
def test_a_timer_interrupts_a_loop_and_no_step_is_lost_or_taken_twice(kind):
    def interrupt(number, frame):
        if frame is not None and of_the_lab(frame):
            raise KeyboardInterrupt

    program, run = loop(kind, epochs=10**9)
    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        for i in range(40):
            every = 0.0004 * (1 + i % 20)  # seconds; sometimes there is time for many steps
            signal.setitimer(signal.ITIMER_REAL, every, every)
            with pytest.raises(KeyboardInterrupt):
                for _ in run:
                    pass
            signal.setitimer(signal.ITIMER_REAL, 0)
            np.testing.assert_array_equal(learned(program), program.parameters.theta)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    undisturbed, steps = loop(kind, epochs=10**9)
    for _ in islice(steps, run.batches.taken):
        pass
    assert learned(program) == learned(undisturbed)


def test_two_moons_are_learned():
    X, y = bl.data.moons(200, seed=3)
    xs, ys = bl.constant("X", X), bl.constant("y", y)
    random = np.random.default_rng(0)
    W1, b1 = bl.variable("W1", random.normal(size=(2, 16))), bl.variable("b1", np.zeros(16))
    W2, b2 = bl.variable("W2", random.normal(size=(16, 2)) / 4), bl.variable("b2", np.zeros(2))
    logits = bl.relu(xs @ W1 + b1) @ W2 + b2
    J = bl.cross_entropy(logits, ys)
    for _ in bl.sgd(J, {"X": X, "y": y}, learning_rate=0.5, batch_size=20, epochs=30, momentum=0.5):
        pass
    assert np.mean(np.argmax(bl.forward(logits), axis=1) == y) > 0.97


def test_mistakes_are_named():
    J, w, _ = line()
    x, y = np.arange(4.0), np.arange(4.0)
    for mistake, error, said in [
        (
            lambda: bl.sgd(J, learning_rate=-1.0),
            ValueError,
            "learning_rate is a number, not negative, not -1.0",
        ),
        (lambda: bl.sgd(J, learning_rate="fast"), ValueError, "learning_rate is a number"),
        (lambda: bl.sgd(J, momentum=1.0), ValueError, "momentum is a number, from 0 to below 1, not 1.0"),
        (lambda: bl.sgd(J, epochs=1.5), ValueError, "epochs is a whole number from 0, not 1.5"),
        (
            lambda: bl.sgd(J, {"x": x, "y": y}, batch_size=0),
            ValueError,
            "batch_size is a whole number from 1",
        ),
        (lambda: bl.sgd(J, {"x": x, "z": y}), TypeError, "no leaf 'z'"),
        (lambda: bl.sgd(J, {"x": x, "y": y[:3]}), ValueError, "x has 4, y has 3"),
        (lambda: bl.sgd(J, {"x": x, "w": 2.0}), TypeError, "w is a variable that learns"),
        (lambda: next(bl.sgd(J, [x])), TypeError, "a batch is a mapping"),
        (lambda: bl.sgd(J, [{"x": x, "y": y}], batch_size=2), TypeError, "an iterable gives its own batches"),
        (lambda: bl.sgd(J, iter([]), epochs=2), TypeError, "gone through only once"),
        (lambda: bl.sgd(w * bl.constant("x", [1.0, 2.0])), ValueError, "a cost is a single number"),
    ]:
        with pytest.raises(error, match=said):
            mistake()


def test_progress_needs_tqdm_and_says_so(monkeypatch):
    J, _, _ = line()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="pip install tqdm"):
        bl.sgd(J, progress=True)


def test_progress_shows_a_bar(capsys):
    pytest.importorskip("tqdm")
    J, _, _ = line()
    steps = list(bl.sgd(J, learning_rate=0.01, epochs=7, progress=True))
    shown = capsys.readouterr().err
    assert len(steps) == 7 and "7/7" in shown and "cost" in shown


def test_the_bar_of_batches_of_unknown_number_counts_steps(capsys):
    pytest.importorskip("tqdm")
    list(bl.sgd(line()[0], HALVES, learning_rate=0.01, epochs=2, progress=True))
    assert "4step" in capsys.readouterr().err


def test_the_bar_of_an_interrupted_loop_goes_on_from_the_steps_taken(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    run = bl.sgd(line()[0], learning_rate=0.01, epochs=7, progress=True)
    for _ in islice(run, 3):
        pass

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Program, "bound_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(run)
    monkeypatch.undo()
    assert "3/7" in capsys.readouterr().err
    assert len(list(run)) == 4 and "7/7" in capsys.readouterr().err


# ------------------------------------------------------------- a compiled program, and stopping in time


def test_a_compiled_program_learns_as_its_cost_does_again_and_again():
    J, w, b = line()
    program, start = bl.compile(J), (w.value, b.value)
    runs = []
    for cost in (J, program, program):
        w.value, b.value = start
        data = {"x": [1.0, 2.0, 4.0, 3.0, 0.0], "y": [2.0, 4.0, 6.0, 5.0, 1.0]}
        run = bl.sgd(cost, data, learning_rate=0.01, batch_size=2, epochs=3, seed=1)
        runs.append(([s.cost for s in run], float(w.value), float(b.value)))
    assert runs[0] == runs[1] == runs[2]


def test_a_run_that_was_left_does_not_disturb_the_next_one_on_the_same_program():
    J, w, b = line()
    program, start = bl.compile(J), (w.value, b.value)
    left = bl.sgd(program, learning_rate=0.01, epochs=9)
    next(left)
    left = None
    w.value, b.value = start
    first = next(bl.sgd(program, learning_rate=0.01))
    assert first.cost == pytest.approx(np.mean((2.0 * np.array([1, 2, 4]) + 1 - [2, 4, 6]) ** 2))


def test_a_program_has_its_variables_already():
    J, w, _ = line()
    with pytest.raises(TypeError, match="a program has its variables already"):
        bl.sgd(bl.compile(J), wrt=[w])


@pytest.mark.parametrize("cost", [lambda w: w**4, lambda w: np.sqrt(w - 2)], ids=["cost", "gradient"])
def test_when_asked_to_stop_the_variables_stay_those_before_the_step(cost):
    w = bl.variable("w", 2.0)
    J = cost(w)
    seen = []
    with pytest.raises(bl.NonFiniteError, match=r"w ?\*\* ?4|sqrt|gradient"):
        for _ in bl.sgd(J, learning_rate=1e6, epochs=20, on_nonfinite="raise"):
            seen.append(float(w.value))
    assert math.isfinite(w.value) and float(w.value) == (seen or [2.0])[-1]


def test_how_to_meet_an_infinity_is_one_of_two():
    with pytest.raises(ValueError, match='on_nonfinite is "warn" or "raise", not \'stop\''):
        bl.sgd(line()[0], on_nonfinite="stop")


def test_the_next_batch_can_be_looked_at_and_still_comes():
    J, _, _ = line()
    data = {"x": [1.0, 2.0, 4.0, 3.0, 0.0], "y": [2.0, 4.0, 6.0, 5.0, 1.0]}
    plain = [s.cost for s in bl.sgd(J, data, learning_rate=0.0, batch_size=2, epochs=2)]
    run = bl.sgd(J, data, learning_rate=0.0, batch_size=2, epochs=2)
    costs = []
    for _ in range(6):
        _, batch = run.batches.peek()
        x, y = (next(a for leaf, a in batch.items() if leaf.name == name) for name in "xy")
        costs.append(next(run).cost)
        np.testing.assert_allclose(costs[-1], np.mean((2.0 * x + 1 - y) ** 2))
    assert costs == plain
    assert run.batches.peek() is None


# ---------------------------------------------------------------------- the program, called in between


def test_a_call_of_the_program_between_two_steps_leaves_their_data_alone():
    X, Y = np.array([1.0, 2, 3]), np.array([2.0, 4, 6])
    w, x, y = bl.variable("w", 0.0), bl.constant("x", X), bl.constant("y", Y)
    program = bl.compile(np.mean((w * x - y) ** 2))
    for _ in bl.sgd(program, {"x": X, "y": Y}, learning_rate=0.05, epochs=50):
        validation, _ = program(x=X, y=-Y)
        assert validation == pytest.approx(np.mean((w.value * X + Y) ** 2))
    assert w.value == pytest.approx(2)


def test_weights_given_for_one_call_do_not_cost_what_was_learned():
    def learned(between):
        w = bl.variable("w", 1.0)
        program, seen = bl.compile((w - 3) ** 2), []
        for _ in bl.sgd(program, learning_rate=0.1, epochs=5):
            between(program)
            seen.append(float(w.value))
        return seen

    assert learned(lambda program: program(w=0.0)) == learned(lambda program: None)


@pytest.mark.parametrize("size", [None, 2], ids=["all examples", "minibatches"])
def test_data_that_change_while_a_loop_runs_do_not_matter_to_it(size):
    def costs(between):
        X, Y = np.arange(4.0), np.arange(4.0)
        run = bl.sgd(line()[0], {"x": X, "y": Y}, learning_rate=0.01, batch_size=size, epochs=3)
        return [(step.cost, between(X)) for step in run]

    assert costs(lambda X: None) == costs(lambda X: X.fill(100.0))


def test_a_batch_may_come_in_the_same_array_again():
    J, *_ = line()
    x, y = np.zeros(2), np.ones(2)

    def batches():
        for k in (1.0, 2.0, 3.0):
            x.fill(k)
            yield {"x": x, "y": y}

    costs = [step.cost for step in bl.sgd(J, batches(), learning_rate=0.0)]
    assert costs == [(2 * k + 1 - 1) ** 2 for k in (1.0, 2.0, 3.0)]


def test_two_loops_on_one_program_have_each_its_own_data():
    J, *_ = line()
    program = bl.compile(J)
    loops = [bl.sgd(program, {"x": [k, k], "y": [0.0, 0.0]}, 0.0, epochs=3) for k in (1.0, 2.0)]
    for one, other in zip(*loops):
        assert (one.cost, other.cost) == (9.0, 25.0)


def test_a_loop_that_is_moved_on_by_anothers_learning_rate_hands_over_what_it_learned():
    w = bl.variable("w", 1.0)
    inner = bl.sgd(w * 1.0, learning_rate=1.0, epochs=9)

    def rate(index):
        next(inner)
        return 10.0

    outer = bl.sgd(w * 1.0, learning_rate=rate, epochs=9)
    next(outer)
    learned = float(w.value)
    next(inner)
    assert w.value == learned - 1


# ----------------------------------------------------------------- data of another shape than in the graph


def regression():
    w = bl.variable("w", np.zeros(3))
    x, y = bl.constant("x", np.eye(6, 3)), bl.constant("y", np.arange(6.0))
    return np.mean((x @ w - y) ** 2)


OTHER_SHAPES = {
    "a column for a vector": {"x": np.eye(6, 3), "y": np.arange(6.0)[:, None]},
    "a row for a vector": {"x": np.eye(6, 3), "y": np.arange(6.0)[None]},
    "another width": {"x": np.eye(6, 4), "y": np.arange(6.0)},
    "a vector for a matrix": {"x": np.ones(6), "y": np.arange(6.0)},
    "a number for a vector": {"x": np.eye(6, 3), "y": 1.0},
}


@pytest.mark.parametrize("data", OTHER_SHAPES.values(), ids=OTHER_SHAPES.keys())
def test_data_may_differ_from_the_graph_in_the_number_of_examples_only(data):
    J = regression()
    program = bl.compile(J)
    name = next(
        n for n in data if np.shape(data[n])[1:] != program.leaves[n].shape[1:] or not np.ndim(data[n])
    )
    words = rf"{name} has shape .* in the graph, was given .*; only the first axis"
    for take in (
        lambda: program(**data),
        lambda: program(**{name: data[name]}),
        lambda: next(bl.sgd(J, data)),
        lambda: next(bl.sgd(program, [data])),
        lambda: bl.step_through(J, learning_rate=0.1, data=data),
    ):
        with pytest.raises(bl.ShapeError, match=words):
            take()


def test_a_single_number_of_the_graph_stays_one():
    w, n = bl.variable("w", 3.0), bl.constant("n", 2.0)
    with pytest.raises(bl.ShapeError, match=r"n has shape \(\) in the graph, was given \(2,\)"):
        bl.compile(np.sum(w * n))(n=[1.0, 2.0])


@pytest.mark.parametrize("size", [None, 2])
def test_data_without_an_example_are_refused(size):
    J = regression()
    nothing = {"x": np.zeros((0, 3)), "y": np.zeros(0)}
    for take in (lambda: bl.compile(J)(**nothing), lambda: next(bl.sgd(J, nothing, batch_size=size))):
        with pytest.raises(bl.ShapeError, match="holds no example"):
            take()


def test_a_momentum_of_zero_between_others_forgets_the_velocity():
    w = bl.variable("w", 0.0)
    run = bl.sgd((w - 1.0) ** 2, learning_rate=0.1, epochs=6)
    theta, velocity = 0.0, 0.0
    for mu in (0.9, 0.9, 0.0, 0.9, 0.0, 0.5):
        run.momentum = mu
        next(run)
        velocity = mu * velocity + 2 * (theta - 1)
        theta -= 0.1 * velocity
        np.testing.assert_allclose(w.value, theta, rtol=1e-14)


def test_a_batch_that_is_interrupted_while_it_is_made_comes_all_the_same():
    w, x = bl.variable("w", 0.0), bl.constant("x", [0.0])
    interrupts = iter([False, True, False, True, True, False, False, False])

    class Batches:
        def __init__(self):
            self.next = 0

        def __iter__(self):
            return self

        def __next__(self):
            if next(interrupts):
                raise KeyboardInterrupt
            self.next += 1
            if self.next > 4:
                raise StopIteration
            return {"x": np.array([float(self.next)])}

    run, costs = bl.sgd(np.sum(x) + 0 * w, Batches()), []
    for _ in range(8):
        with suppress(KeyboardInterrupt):
            for step in run:
                costs.append(step.cost)
    assert costs == [1.0, 2.0, 3.0, 4.0]


def test_an_interrupt_while_an_order_is_drawn_gives_no_epoch_the_order_of_another():
    drawn = iter([[0, 1, 2], KeyboardInterrupt, [2, 1, 0], [1, 0, 2]])

    def draw(_):
        order = next(drawn)
        if order is KeyboardInterrupt:
            raise KeyboardInterrupt
        return order

    orders = OneByOne(map(draw, repeat(3)))
    assert orders.at(0) == [0, 1, 2]
    with pytest.raises(KeyboardInterrupt):
        orders.at(1)
    assert orders.at(1) == orders.at(1) == [2, 1, 0] and orders.at(2) == [1, 0, 2]


# ------------------------------------------------------------------------------- batches are read quickly


def feeding():
    """A cost with two arrays of data, the labels among them, and a third leaf; and its data in batches."""
    random = np.random.default_rng(5)
    X, y = bl.constant("X", random.normal(size=(4, 2))), bl.constant("y", [0, 2, 1, 0])
    W, scale = bl.variable("W", random.normal(size=(2, 3))), bl.constant("scale", 2.0)
    J = bl.cross_entropy(scale * (X @ W), y)
    batches = [{"X": random.normal(size=(4, 2)), "y": random.integers(0, 3, 4)} for _ in range(3)]
    return J, scale, batches


def costs_of(J, batches, **leaves):
    program = bl.compile(J)
    return [float(program(**batch, **leaves)[0]) for batch in batches]


def test_every_batch_of_a_list_is_read_whatever_kind_of_array_it_holds():
    J, _, batches = feeding()
    expected = costs_of(J, batches)
    others = [
        batches,
        [{name: array.tolist() for name, array in batch.items()} for batch in batches],
        [{"y": batch["y"].astype(np.int8), "X": np.asfortranarray(batch["X"])} for batch in batches],
        [
            {**batches[0]},
            {n: a.tolist() for n, a in batches[1].items()},
            {n: a[::1] for n, a in batches[2].items()},
        ],
    ]
    for given in others:
        costs = [step.cost for step in bl.sgd(J, given, learning_rate=0.0, epochs=2)]
        np.testing.assert_allclose(costs, expected * 2, rtol=1e-13)


def test_batches_of_other_lengths_and_with_other_leaves_come_in_turns():
    J, _, (first, second, third) = feeding()
    short = {name: array[:2] for name, array in second.items()}
    given = [first, short, {"X": third["X"]}, first, {**third, "scale": np.array(3.0)}, second]
    expected = costs_of(J, given)
    costs = [step.cost for step in bl.sgd(J, given, learning_rate=0.0, epochs=2)]
    np.testing.assert_allclose(costs, expected * 2, rtol=1e-13)


@pytest.mark.parametrize("size", [None, 2])
def test_a_leaf_that_no_batch_names_is_followed(size):
    J, scale, batches = feeding()
    data, how = (batches, {}) if size is None else (batches[0], {"batch_size": size})
    run = bl.sgd(J, data, learning_rate=0.0, epochs=9, **how)
    for value in (2.0, 3.0, 3.0, 0.0):
        scale.value = value
        _, batch = run.batches.peek()
        (expected,) = costs_of(J, [{leaf.name: array for leaf, array in batch.items()}])
        assert next(run).cost == pytest.approx(expected, rel=1e-13)


WRONG = {
    "another width": (
        lambda X: {"X": np.ones((4, 3))},
        r"X has shape \(4, 2\) in the graph, was given \(4, 3\)",
    ),
    "a row for a matrix": (lambda X: {"X": np.ones(2)}, "X has shape"),
    "an unknown name": (lambda X: {"X": X, "Z": X}, "no leaf 'Z'"),
    "a variable": (lambda X: {"X": X, "W": np.ones((2, 3))}, "W is a variable that learns"),
    "text": (lambda X: {"X": np.full((4, 2), "a")}, "expected real numbers, was given text"),
    "complex numbers": (lambda X: {"X": X * 1j}, "expected real numbers, was given complex numbers"),
    "a masked array": (lambda X: {"X": np.ma.array(X, mask=X > 0)}, "a masked array"),
    "a matrix": (lambda X: {"X": X.view(np.matrix)}, r"an np\.matrix"),
    "labels with a fraction": (lambda X: {"y": np.array([0.5, 1, 2, 0])}, "nothing is rounded"),
    "a label too large": (lambda X: {"y": np.array([0, 1, 2, 3])}, "label 3 does not exist"),
    "a negative label": (lambda X: {"y": np.array([0, 1, -1, 2])}, "label -1 does not exist"),
    "no example": (lambda X: {"X": X[:0], "y": np.zeros(0, int)}, "holds no example"),
    "no mapping": (lambda X: X, "a batch is a mapping"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_batch_is_refused_after_right_ones_and_the_variables_stay(wrong, said):
    J, _, batches = feeding()
    program = bl.compile(J)
    run = bl.sgd(program, [*batches, wrong(batches[0]["X"])])
    for _ in batches:
        next(run)
    before = program.variables[0].value
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=said):
            next(run)
    np.testing.assert_array_equal(program.variables[0].value, before)


def test_a_label_that_does_not_exist_is_refused_when_its_batch_comes():
    J, _, batches = feeding()
    data = {"X": batches[0]["X"], "y": np.array([0, 1, 5, 2])}
    with pytest.raises(ValueError, match="label 5 does not exist among 3 classes"):
        list(bl.sgd(J, data, batch_size=2))


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8, np.float32, bool])
def test_batches_are_cut_from_data_of_any_type(kind):
    w, x = bl.variable("w", 2.0), bl.constant("x", np.zeros(2, kind))
    X = np.arange(6).astype(kind)
    run = bl.sgd(np.sum(w * x), {"x": X}, learning_rate=0.0, batch_size=2, epochs=2, seed=3)
    order = np.random.default_rng(3)
    for _ in range(2):
        for rows in np.split(order.permutation(6), 3):
            assert next(run).cost == 2 * X[rows].astype(float).sum()


def test_a_batch_read_by_a_loop_is_not_taken_for_the_leaves_own_values():
    J, _, batches = feeding()
    program = bl.compile(J)
    own = float(program()[0])
    for data, how in [(batches, {}), (batches[0], {"batch_size": 2}), (batches[0], {"batch_size": 4})]:
        run = bl.sgd(program, data, learning_rate=0.0, epochs=4, **how)
        costs = []
        for _ in range(4):
            costs.append(next(run).cost)
            assert float(program()[0]) == own
        assert own not in costs


def test_a_variable_that_diverged_is_reported_where_it_is_used_until_it_has_sound_values_again():
    w, v = bl.variable("w", [1e200, 1.0]), bl.variable("v", [1.0, 2.0])
    with pytest.warns(bl.NonFiniteWarning):
        list(bl.sgd(1e200 * np.sum(w**2) + np.sum(v), learning_rate=0.1))
    elsewhere = np.sum(np.where(w > 0, 1.0, 0.0) * v)
    with pytest.warns(bl.NonFiniteWarning, match="w was given −∞"):
        bl.forward(elsewhere)
    w.value = [1.0, 1.0]
    list(bl.sgd(np.sum(w**2) + np.sum(v), learning_rate=0.1))
    with warnings.catch_warnings(action="error"):
        bl.forward(elsewhere)
