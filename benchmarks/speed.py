"""How fast the engine is beside NumPy written by hand and other libraries: ``python -m benchmarks speed``.

Several processes run after each other, each on one core with one thread for every library. In each, every
round runs all contestants, one after the other, starting with another one each time; a ratio is taken within
its round, and the process reports the median ratio. The table gives the median of the processes, and the
lowest and the highest of them. Times are those of the processor: on one core that is all there is to wait
for, except for other people's work. Before anything is timed, all gradients are compared with the
hand-written ones.

What must hold: all do the same work: the cost, all gradients and, where the name has it, the step.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from backprop_lab.learning.batches import Whole
from benchmarks.handwritten import LEARNING_RATE, PENALTY, WORKLOADS, InPlace, plain, plain_step
from benchmarks.networks import network, residual_network

RUNS = 5  # processes
STEP, GRADIENTS = "plain NumPy, one step (µs)", "plain NumPy, cost and gradients (µs)"
SGD = "bl.sgd: one step"
BATCHES = f"{SGD}, batch_size=", f"{SGD}, a list of batches"
exact = time.get_clock_info("process_time").resolution < 1e-6
now = time.process_time if exact else time.perf_counter
ROUNDS, REPEATS = 31, {"W2": 60, "W3": 30, "W4": 3}


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
    yield SGD, run.__next__, None
    yield from on_batches(workload)
    K, leaves = network(workload)
    values = [leaf.value for leaf in leaves]

    def forgotten():
        for leaf, value in zip(leaves, values):
            leaf.value = value  # so that nothing is known beforehand

    def explained():
        return bl.backward(K)

    explained.before = forgotten
    yield "bl.backward: the explaining pass", explained, lambda: [explained()[leaf] for leaf in leaves]


def on_batches(workload, batches=8):
    """Steps on data that differ from step to step: cut from a data set, and from a list of mappings."""
    size = workload.batch
    rows = np.random.default_rng(3).integers(0, size, batches * size)
    data = {name: array[rows] for name, array in zip("Xy", workload.data())}
    cut = [
        {name: array[i : i + size].copy() for name, array in data.items()} for i in range(0, len(rows), size)
    ]
    for name, given, how in zip(BATCHES, (data, cut), ({"batch_size": size}, {})):
        J, leaves = network(workload)
        run = bl.sgd(J, given, learning_rate=LEARNING_RATE, epochs=10**9, **how)
        by_hand = [p.copy() for p in workload.parameters()]
        for _ in range(3):
            _, batch = run.batches.peek()
            X, y = (next(a for leaf, a in batch.items() if leaf.name == called) for called in "Xy")
            plain_step(plain(workload), by_hand, X, y)
            next(run)
        for leaf, parameter in zip(leaves, by_hand):
            np.testing.assert_allclose(leaf.value, parameter, atol=1e-10)
        yield name, run.__next__, None


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

    def step():  # an optimizer takes up to 1.4 times as long
        gradients = torch.autograd.grad(cost(), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-LEARNING_RATE)

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


# ---------------------------------------------------------------------------------- what one process measures


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
            print(f"(left out: {error})", file=sys.stderr)
    return found


def measured(runs, repeats):
    """{name: seconds of each round}."""
    times = {name: [] for name in runs}
    names = list(runs)
    for round in range(ROUNDS):
        first = round % len(names)  # whoever runs before may leave the caches full
        for name in names[first:] + names[:first]:
            slow = "micrograd" in name
            if not slow or len(times[name]) < 3:
                times[name].append(_seconds(runs[name], 1 if slow else repeats))
    return times


def _seconds(run, repeats):
    """Seconds of one run; preparations before each are not counted."""
    before, total = getattr(run, "before", None), 0.0
    for _ in range(1 if before is None else repeats):
        if before is not None:
            before()
        start = now()
        for _ in range(repeats if before is None else 1):
            run()
        total += now() - start
    return total / repeats


def _ratio(times, name, base):
    return statistics.median(a / b for a, b in zip(times[name], times[base]))


def networks():
    """Ratios to plain NumPy by hand: to its step; after a semicolon to its cost and gradients alone."""
    found = {}
    for workload in WORKLOADS.values():
        times = measured(contestants(workload), REPEATS[workload.name])
        for name, seconds in times.items():
            if name in (STEP, GRADIENTS):
                cell = [statistics.median(seconds) * 1e6]
            else:
                bases = (STEP,) if "one step" in name else (STEP, GRADIENTS)
                cell = [_ratio(times, name, base) for base in bases]
            found.setdefault(name, {})[workload.name] = cell
        for name in BATCHES:
            row = found.setdefault(f"{name} ÷ data that stay", {})
            row[workload.name] = [_ratio(times, name, SGD)]
    return found


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

    run, bound = bl.sgd(J, learning_rate=0.0, epochs=10**9), program.bound_for(Whole(0, {}), None)
    base = "the same program on NumPy scalars"
    runs = {
        base: lambda: scope["program"](**inputs),
        "by hand on NumPy scalars": by_hand,
        "compiled: bound to Python floats": partial(bound.calls, False),
        "program(), with fresh arrays": program,
        "one step of bl.sgd": run.__next__,
    }
    value, gradients = program()
    assert math.isclose(value, by_hand()[0])
    np.testing.assert_allclose([gradients[v] for v in (w1, w2, b)], by_hand()[1:])
    times = measured(runs, 500)
    return {
        name: {"µs": [statistics.median(found) * 1e6], "÷ NumPy scalars": [_ratio(times, name, base)]}
        for name, found in times.items()
    }


def compiling():
    """``bl.compile`` of a residual network, the quickest of five."""
    found = {}
    for nodes in (100, 400, 1300):
        J = residual_network(nodes)
        count, times = len(topological_order(J)), []
        for _ in range(5):
            start = now()
            bl.compile(J)
            times.append(now() - start)
        least = min(times)
        found[f"{count:,}"] = {"ms": [least * 1e3], "ms a node": [least / count * 1e3]}
    return found


def chains():
    """Both passes over chains of nodes, and the memory that the graph and its numbers take."""
    found = {}
    for length in (10, 100, 1000, 10_000, 100_000):
        repeats = max(1, 20_000 // length)
        build, passes = [], []
        for _ in range(min(repeats, 50)):
            start = now()
            J = _chain(length)
            middle = now()
            bl.backward(J)
            passes.append(now() - middle)
            build.append(middle - start)
        tracemalloc.start()
        J = _chain(length)
        bl.backward(J)
        memory = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        micro = [statistics.median(t) / length * 1e6 for t in (build, passes)]
        columns = ("build, µs a node", "both passes, µs a node", "memory, bytes a node")
        found[f"{length:,}"] = dict(zip(columns, ([m] for m in (*micro, memory / length))))
        del J
    return found


def _chain(length):
    x = bl.variable("x", 0.5)
    for _ in range(length // 2):
        x = np.sin(x) * 0.9
    return x


# The other libraries come last: what they leave in memory slows down Python's search for garbage.
TABLES = {"a neuron of ten nodes": scalars, "nodes compiled": compiling, "nodes": chains, "": networks}


# ------------------------------------------------------------------------------ several processes, the tables


def main():
    """Run the processes, and print the tables."""
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
    command = [sys.executable, "-m", "benchmarks.speed"]
    runs = []
    for i in range(RUNS):
        run = subprocess.run(
            [*command, str(i)],
            stdout=subprocess.PIPE,
            check=True,
            cwd=Path(__file__).parent.parent,
            env=os.environ | one_thread | flags,
        )
        runs.append(json.loads(run.stdout))
    for head, table in TABLES.items():
        print(f"\n{table.__doc__}\n")
        found = [run[head] for run in runs]
        columns = list(dict.fromkeys(column for row in found[0].values() for column in row))
        print("| " + " | ".join([head, *columns]).lstrip() + " |\n|" + "---|" * (1 + len(columns)))
        for name in found[0]:
            cells = [_cell([run[name].get(column) for run in found]) for column in columns]
            print(f"| {name} | " + " | ".join(cells) + " |")


def _cell(runs) -> str:
    """What all runs found: the median of each number, from the lowest to the highest."""
    return "–" if runs[0] is None else "; ".join(map(_spread, zip(*runs, strict=True)))


def _spread(numbers) -> str:
    median = statistics.median(numbers)
    digits = 0 if median >= 30 else 1 if median >= 3 else 2
    return f"{median:,.{digits}f} ({min(numbers):,.{digits}f}–{max(numbers):,.{digits}f})"


def one_run(i: int):
    """All tables measured in this process, on one core, as JSON."""
    if hasattr(os, "sched_setaffinity"):  # a library that finds more cores waits for its threads on them
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[i % len(cores)]})
    print(json.dumps({head: table() for head, table in TABLES.items()}))


if __name__ == "__main__":
    one_run(int(sys.argv[1])) if sys.argv[1:] else main()
