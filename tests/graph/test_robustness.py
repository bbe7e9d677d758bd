"""What a session in a notebook does to a graph: interrupts, threads, shared parts, and arrays that change."""

from __future__ import annotations

import copy
import pickle
import signal
import threading

import numpy as np
import pytest
from interrupts import interrupted_after
from samples import state

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from benchmarks.handwritten import WORKLOADS
from benchmarks.networks import network


@pytest.mark.parametrize("phase", ["forward", "backward"])
def test_an_interrupt_in_the_middle_of_a_pass_leaves_the_graph_as_it_was(phase):
    armed = []

    def interrupted(name, result):
        if armed and armed[0] == name:
            raise KeyboardInterrupt
        return result

    own = bl.rule(
        "own",
        lambda x: interrupted("forward", 2 * x),
        lambda z, x: interrupted("backward", 2),
    )
    x = bl.variable("x", [1.0, 2.0])
    J = np.sum(own(x * x) * x)
    bl.backward(J)
    x.value = [3.0, 4.0]
    before = state(J)
    armed.append(phase)
    with pytest.raises(KeyboardInterrupt):
        bl.backward(J)
    assert state(J) == before
    armed.clear()
    np.testing.assert_allclose(bl.backward(J)[x], 6 * x.value**2)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt")
def test_an_interrupt_at_any_moment_leaves_values_and_gradients_old_or_new():
    J, leaves = network(WORKLOADS["W2"])
    W1, start = leaves[0], leaves[0].value
    program = bl.compile(J, wrt=leaves)
    expected = {}
    for scale in (1.0, 2.0):
        W1.value = scale * start
        bl.backward(J)
        expected[scale] = [leaf.grad.copy() for leaf in leaves]

    armed = []

    def interrupt(number, frame):
        if armed:
            armed.clear()
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for i in range(150):
            W1.value = (1.0 if i % 2 else 2.0) * start
            try:
                armed.append(True)
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + i * 8e-6)
                bl.backward(J)
                program()
                armed.clear()
            except KeyboardInterrupt:
                interrupted += 1
            kept = [leaf.grad for leaf in leaves]
            assert any(all(map(np.array_equal, kept, full)) for full in expected.values())
            known = {n for n in topological_order(J) if n.value is not None}
            assert all(set(n.inputs) <= known for n in known)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert interrupted > 20
    W1.value = start
    _, gradients = program()
    for leaf, gradient in zip(leaves, expected[1.0], strict=True):
        np.testing.assert_allclose(gradients[leaf], gradient, atol=1e-12)


def answered(program, seconds):
    """The value that a program gives within this time, in a list: a lock left closed would let it wait."""
    values = []
    call = threading.Thread(target=lambda: values.append(program()[0]), daemon=True)
    call.start()
    call.join(seconds)
    return values


def test_a_program_interrupted_at_any_moment_answers_the_next_call():
    J, leaves = network(WORKLOADS["W2"])
    program = bl.compile(J, wrt=leaves)
    right, moments, ended = program()[0], 0, False
    while not ended:
        try:
            with interrupted_after(moments):
                program()
            ended = True
        except KeyboardInterrupt:
            moments += 1
        assert answered(program, 60) == [right]
    assert moments > 10


def test_two_costs_may_share_a_graph():
    x = bl.variable("x", 3.0)
    u = x**2
    J, K = u + 1, np.sin(u)
    first = bl.backward(J)[x]
    second = bl.backward(K)[x]
    assert first == 6.0 and x.grad == second == 6 * np.cos(9.0)
    assert bl.backward(J)[x] == 6.0 and x.grad == 6.0
    x.value = 1.0
    assert J.value is None and K.value is None
    assert bl.backward(J)[x] == 2.0


def test_threads_may_run_passes_over_graphs_that_share_nothing():
    wrong = []

    def run(scale):
        x = bl.variable("x", [scale, 2 * scale])
        J = np.sum(np.tanh(x) ** 2)
        expected = 2 * np.tanh(x.value) * (1 - np.tanh(x.value) ** 2)
        for _ in range(100):
            x.value = x.value
            if not np.allclose(bl.backward(J)[x], expected):
                wrong.append(scale)

    threads = [threading.Thread(target=run, args=(0.1 * i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_arrays_that_change_afterwards_change_nothing_in_the_graph():
    given, index, seed = np.array([1.0, 2.0, 3.0]), np.array([0, 2]), np.array([1.0, 1.0])
    x = bl.variable("x", given)
    c = bl.constant("c", given)
    y = x[index] * c[index] * given[index]
    given[:] = 99.0
    index[:] = 1
    assert bl.forward(y).tolist() == [1.0, 27.0]
    assert bl.backward(y, seed=seed)[x].tolist() == [1.0, 0.0, 9.0]
    seed[:] = 5.0
    assert x.grad.tolist() == [1.0, 0.0, 9.0]
    fresh = np.array([4.0, 5.0, 6.0])
    x.value = fresh
    fresh[:] = 0.0
    assert x.value.tolist() == [4.0, 5.0, 6.0]


def test_what_comes_out_cannot_be_written_to():
    x = bl.variable("x", [1.0, -2.0])
    J = np.sum(np.tanh(x))
    found = bl.backward(J)
    arrays = [x.value, x.grad, J.value, J.grad, found[x], J.inputs[0].value, J.inputs[0].grad]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_a_derivative_of_the_readers_own_cannot_change_what_it_reads():
    def spoils(g, z, x):
        g *= 2
        return g

    own = bl.rule("own", lambda x: x + 0, spoils, kind="linear")
    x = bl.variable("x", [1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        bl.backward(np.sum(own(x) * x))


def test_an_operation_of_the_readers_own_cannot_change_what_it_reads():
    def careless(x):
        x -= 1
        return x

    own = bl.rule("careless", careless, lambda z, x: 1)
    x = bl.variable("x", [1.0, 2.0])
    y = own(x * 2)
    with pytest.raises(ValueError, match="read-only"):
        bl.forward(y)
    assert bl.forward(x * 2).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_nodes_are_not_copied(way):
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        way(bl.variable("x", 1.0))
