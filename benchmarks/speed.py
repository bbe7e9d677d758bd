"""How fast the engine is beside NumPy written by hand and other libraries: ``python -m benchmarks speed``.

Every round runs all contestants, one after the other, on one thread; a ratio is taken within its round, and
the table gives the median ratio and the range of 90 of 100 rounds. Before anything is timed, all gradients
are compared with the hand-written ones.

What must hold: all do the same work: the cost, all gradients and, where the name has it, the step.
"""

from __future__ import annotations

import math
import statistics
import time
import tracemalloc
from functools import partial

import numpy as np

import backprop_lab as bl
from benchmarks.handwritten import LEARNING_RATE, PENALTY, WORKLOADS, InPlace, plain, plain_step
from benchmarks.networks import network

STEP, GRADIENTS = "plain NumPy, one step", "plain NumPy, cost and gradients"
ROUNDS, REPEATS = 41, {"W2": 60, "W3": 30, "W4": 3}


# ---------------------------------------------------------------------------------------- contestants


def hand_written(workload):
    function, (X, y) = plain(workload), workload.data()
    parameters = [p.copy() for p in workload.parameters()]
    still = workload.parameters()
    yield STEP, lambda: plain_step(function, parameters, X, y), None
    yield GRADIENTS, lambda: function(still, X, y), lambda: function(still, X, y)[1]
    placed = InPlace(workload, workload.parameters(), X, y)
    check = InPlace(workload, workload.parameters(), X, y)

    def gradients():
        check.cost_and_gradients()
        return check.gradients

    yield "NumPy in place, one step", placed.step, gradients


def ours(workload):
    J, leaves = network(workload)
    program = bl.compile(J, wrt=leaves)
    yield "bl.compile: program()", program, lambda: [program()[1][leaf] for leaf in leaves]
    K, moving = network(workload)
    run = bl.sgd(K, learning_rate=LEARNING_RATE, epochs=10**9)
    by_hand = [p.copy() for p in workload.parameters()]
    plain_step(plain(workload), by_hand, *workload.data())
    next(run)
    for leaf, parameter in zip(moving, by_hand):
        np.testing.assert_allclose(leaf.value, parameter, atol=1e-10)
    yield "bl.sgd: one step", run.__next__, None
    K, leaves = network(workload)
    values = [leaf.value for leaf in leaves]

    def forgotten():
        for leaf, value in zip(leaves, values):
            leaf.value = value  # so that nothing is known beforehand

    def explained():
        return bl.backward(K)

    explained.before = forgotten
    yield "bl.backward: the explaining pass", explained, lambda: [explained()[leaf] for leaf in leaves]


def autograd_library(workload):
    import autograd
    import autograd.numpy as anp

    X, y = workload.data()
    parameters = workload.parameters()
    cost = autograd.value_and_grad(lambda p: _cost(anp, p, X, y, workload.loss))
    yield "HIPS autograd, cost and gradients", lambda: cost(parameters), lambda: cost(parameters)[1]


def pytorch(workload):
    import torch

    torch.set_num_threads(1)
    X, y = (torch.tensor(a) for a in workload.data())
    parameters = [torch.tensor(p, requires_grad=True) for p in workload.parameters()]

    def cost():
        W1, b1, W2, b2, W3, b3 = parameters
        h2 = torch.relu(torch.relu(X @ W1 + b1) @ W2 + b2)
        z = h2 @ W3 + b3
        loss = (
            torch.relu(1 - y * z).mean()
            if workload.loss == "hinge"
            else torch.nn.functional.cross_entropy(z, y)
        )
        return loss + PENALTY * (W1.square().sum() + W2.square().sum() + W3.square().sum())

    first = [g.numpy() for g in torch.autograd.grad(cost(), parameters)]
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE)

    def step():
        optimizer.zero_grad()
        cost().backward()
        optimizer.step()

    yield "PyTorch eager, one step", step, lambda: first


def jax_library(workload):
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    X, y = (jnp.asarray(a) for a in workload.data())
    cost = jax.value_and_grad(lambda p: _cost(jnp, p, X, y, workload.loss))

    @jax.jit
    def one_step(parameters):
        value, gradients = cost(parameters)
        return [p - LEARNING_RATE * g for p, g in zip(parameters, gradients)], value

    state = [[jnp.asarray(p) for p in workload.parameters()]]

    def step():
        state[0], value = one_step(state[0])
        return value.block_until_ready()

    gradients = [np.asarray(g) for g in jax.jit(cost)(state[0])[1]]
    yield "JAX, jitted, one step", step, lambda: gradients


def _cost(lib, parameters, X, y, loss):
    """The cost in a library with NumPy's names."""
    W1, b1, W2, b2, W3, b3 = parameters
    h1 = lib.maximum(lib.dot(X, W1) + b1, 0)
    z = lib.dot(lib.maximum(lib.dot(h1, W2) + b2, 0), W3) + b3
    penalty = PENALTY * (lib.sum(W1**2) + lib.sum(W2**2) + lib.sum(W3**2))
    if loss == "hinge":
        return lib.mean(lib.maximum(1 - y * z, 0)) + penalty
    z = z - lib.max(z, axis=1, keepdims=True)
    return lib.mean(lib.log(lib.sum(lib.exp(z), axis=1)) - z[np.arange(len(y)), y]) + penalty


def micrograd_library(workload):
    from micrograd.engine import Value

    if workload.loss != "hinge":
        return
    X, y = workload.data()

    def cost_and_gradients():
        W1, b1, W2, b2, W3, b3 = parameters = [
            np.vectorize(Value, otypes=[object])(p) for p in workload.parameters()
        ]
        relu = np.vectorize(lambda v: v.relu(), otypes=[object])
        h2 = relu(relu(X @ W1 + b1) @ W2 + b2)
        losses = [(1 + -label * (row @ W3 + b3.item())).relu() for row, label in zip(h2, y)]
        weights = [w for W in (W1, W2, W3) for w in W.flat]
        J = sum(losses) * (1 / len(losses)) + PENALTY * sum(w * w for w in weights)
        J.backward()
        return [np.vectorize(lambda v: v.grad, otypes=[float])(p) for p in parameters]

    yield "micrograd, cost and gradients", cost_and_gradients, cost_and_gradients


LIBRARIES = (hand_written, ours, autograd_library, pytorch, jax_library, micrograd_library)


# ------------------------------------------------------------------------------------------- the table


def contestants(workload):
    """{name: what to time}, each checked first."""
    found = {}
    expected = plain(workload)(workload.parameters(), *workload.data())[1]
    for library in LIBRARIES:
        try:
            for name, run, gradients in library(workload):
                for mine, theirs in zip(gradients() if gradients else (), expected):
                    np.testing.assert_allclose(mine, theirs, atol=1e-10, err_msg=f"{name}, {workload.name}")
                found[name] = run
        except ImportError as error:
            print(f"(left out: {error})")
    return found


def measured(workload):
    """{name: seconds of each round}."""
    runs = contestants(workload)
    times = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            slow = "micrograd" in name
            if not slow or len(times[name]) < 3:
                times[name].append(_seconds(run, 1 if slow else REPEATS[workload.name]))
    return times


def _seconds(run, repeats):
    """Seconds of one run; preparations before each are not counted."""
    before, total = getattr(run, "before", None), 0.0
    for _ in range(1 if before is None else repeats):
        if before is not None:
            before()
        start = time.perf_counter()
        for _ in range(repeats if before is None else 1):
            run()
        total += time.perf_counter() - start
    return total / repeats


def networks():
    """Ratios to plain NumPy written by hand, median (range): to its step, and to its cost and gradients."""
    rows = {}
    for workload in WORKLOADS.values():
        times = measured(workload)
        for name, seconds in times.items():
            cells = rows.setdefault(name, [])
            if name in (STEP, GRADIENTS):
                cells.append(f"{statistics.median(seconds) * 1e6:.0f} µs")
                continue
            to_step, to_gradients = (
                [s / b for s, b in zip(seconds, times[base])] for base in (STEP, GRADIENTS)
            )
            cells.append(_ratio(to_step) + ("" if name.endswith("step") else f"; {_ratio(to_gradients)}"))
    print("| | W2 | W3 | W4 |\n|---|---|---|---|")
    for name, cells in rows.items():
        print(f"| {name} | " + " | ".join(cells + ["–"] * (3 - len(cells))) + " |")


def _ratio(ratios):
    median = statistics.median(ratios)
    digits = 0 if median >= 100 else 1 if median >= 3 else 2
    low, high = np.percentile(ratios, [5, 95])
    return f"{median:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def chains():
    """Both passes over chains of nodes, and the memory that the graph and its numbers take."""
    print("| nodes | build, µs a node | both passes, µs a node | memory, bytes a node |\n|---|---|---|---|")
    for length in (10, 100, 1000, 10_000, 100_000):
        repeats = max(1, 20_000 // length)
        build, passes = [], []
        for _ in range(min(repeats, 50)):
            start = time.perf_counter()
            J = _chain(length)
            middle = time.perf_counter()
            bl.backward(J)
            passes.append(time.perf_counter() - middle)
            build.append(middle - start)
        tracemalloc.start()
        J = _chain(length)
        bl.backward(J)
        memory = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        micro = [statistics.median(t) / length * 1e6 for t in (build, passes)]
        print(f"| {length:,} | {micro[0]:.1f} | {micro[1]:.1f} | {memory / length:,.0f} |")
        del J


def _chain(length):
    x = bl.variable("x", 0.5)
    for _ in range(length // 2):
        x = np.sin(x) * 0.9
    return x


def scalars():
    """A neuron of ten nodes, compiled, against the same program on NumPy scalars, and by hand."""
    x1, x2 = bl.constant("x1", 2.0), bl.constant("x2", 0.5)
    w1, w2, b = bl.variable("w1", -3.0), bl.variable("w2", 1.0), bl.variable("b", 6.7)
    J = np.tanh(x1 * w1 + x2 * w2 + b)
    program = bl.compile(J)
    scope = {}
    exec(program.source, scope)
    inputs = {k: v if v.ndim else v[()] for k, v in program.inputs.items()}
    values = [leaf.value[()] for leaf in (x1, x2, w1, w2, b)]

    def by_hand():
        a, c, v, w, bias = values
        y = np.tanh(a * v + c * w + bias)
        slope = 1 - y * y
        return y, slope * a, slope * c, slope

    run = bl.sgd(J, learning_rate=0.0, epochs=10**9)
    runs = {
        "the same program on NumPy scalars": lambda: scope["program"](**inputs),
        "by hand on NumPy scalars": by_hand,
        "compiled: bound to Python floats": partial(program._bound.made_for({}).calls, False),
        "program(), with fresh arrays": program,
        "one step of bl.sgd": run.__next__,
    }
    value, gradients = program()
    assert math.isclose(value, by_hand()[0])
    np.testing.assert_allclose([gradients[v] for v in (w1, w2, b)], by_hand()[1:])
    times = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, call in runs.items():
            start = time.perf_counter()
            for _ in range(500):
                call()
            times[name].append((time.perf_counter() - start) / 500 * 1e6)
    base = times["the same program on NumPy scalars"]
    print("| a neuron of ten nodes | µs | ÷ NumPy scalars |\n|---|---|---|")
    for name, found in times.items():
        ratio = statistics.median(t / b for t, b in zip(found, base))
        print(f"| {name} | {statistics.median(found):.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    for table in (networks, scalars, chains):
        print(f"\n{table.__doc__}\n")
        table()
