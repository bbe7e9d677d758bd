"""The fast program: the same answers as the backward pass, and a text that runs by itself."""

from __future__ import annotations

import math
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from oracles import law
from rule_cases import CASES, nodes, numbers
from samples import programs

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from backprop_lab.program.program import MOST_BOUND_NODES
from benchmarks.handwritten import WORKLOADS, plain
from benchmarks.networks import network
from tools import graphs


def variables(J):
    return [n for n in topological_order(J) if n.leaf_kind == "variable"]


def text_run(program):
    """(value, gradient by θ) of the program's source, run by itself."""
    scope = {}
    exec(program.source, scope)
    with np.errstate(all="ignore"):
        return scope["program"](**program.inputs)


def in_theta(program):
    return sorted(program.variables, key=lambda v: program.parameters.slices[v].start)


def agrees_with_the_passes(J, rtol=1e-10, atol=1e-12):
    """Assert that program, source and backward pass give the same numbers; returns the program."""
    program = bl.compile(J)
    value, gradients = program()
    slow = bl.backward(J, on_nonfinite="ignore")
    np.testing.assert_allclose(value, J.value, rtol=rtol, atol=atol)
    assert list(gradients) == program.variables
    for variable, gradient in gradients.items():
        assert (gradient.shape, gradient.dtype) == (variable.shape, variable.dtype)
        np.testing.assert_allclose(gradient, slow[variable], rtol=rtol, atol=atol)
    text_value, theta_gradient = text_run(program)
    np.testing.assert_allclose(text_value, value, rtol=rtol, atol=atol)
    flat = np.concatenate([np.ravel(gradients[v]) for v in in_theta(program)])
    np.testing.assert_allclose(theta_gradient, flat, rtol=rtol, atol=atol)
    return program


# --------------------------------------------------------------------------------- the same answers


@pytest.mark.parametrize("name", graphs.ALL)
def test_a_program_gives_what_the_passes_give(name):
    agrees_with_the_passes(graphs.ALL[name]())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_operation_stands_in_a_program(case):
    function, *arrays = case
    z = function(*nodes(arrays))
    weights = bl.constant("weights", numbers(*z.shape))
    agrees_with_the_passes(np.sum(weights * z) + 0.5 * np.sum(np.sin(z) * weights))


@pytest.mark.slow
@settings(law, max_examples=150)
@given(programs())
def test_random_graphs_give_the_same_in_a_program(program):
    agrees_with_the_passes(program.graph(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_networks_of_the_measurements_agree_with_the_hand_written_ones(name):
    workload = WORKLOADS[name]
    J, leaves = network(workload)
    program = bl.compile(J, wrt=leaves)
    value, gradients = program()
    cost, by_hand = plain(workload)(workload.parameters(), *workload.data())
    np.testing.assert_allclose(value, cost, rtol=1e-12)
    for leaf, gradient in zip(leaves, by_hand, strict=True):
        np.testing.assert_allclose(gradients[leaf], gradient, atol=1e-12)


def test_float32_stays_float32():
    w = bl.variable("w", np.array([0.5, -2.0, 3.0], np.float32))
    x = bl.constant("x", np.array([1.0, 2.0, 3.0], np.float32))
    J = np.mean(bl.relu(1 - x * w)) + 0.01 * bl.l2(w) + np.sum(np.maximum(w, 0)) / 3
    program = agrees_with_the_passes(J, rtol=1e-5, atol=1e-6)
    value, gradients = program()
    assert value.dtype == gradients[w].dtype == np.float32
    assert {array.dtype for array in text_run(program)} == {np.dtype(np.float32)}


def test_variables_of_two_precisions_run_by_the_plain_passes():
    w = bl.variable("w", np.array([1.0, 2.0], np.float32))
    b = bl.variable("b", [3.0, 4.0])
    J = np.sum(w * b)
    _, gradients = bl.compile(J)()
    assert [g.dtype for g in gradients.values()] == [np.float32, np.float64]
    np.testing.assert_allclose(gradients[w], [3, 4])


def test_integers_as_data_are_calculated_with_as_floats():
    x, w = bl.constant("x", [[1, 2], [3, 4]]), bl.variable("w", [1.0, -1.0])
    agrees_with_the_passes(np.sum((x @ w) ** 2 / x[0, 0]))


@pytest.mark.slow
def test_a_graph_too_long_to_bind_runs_by_the_plain_passes():
    x = bl.variable("x", 0.5)
    y = x
    for _ in range(MOST_BOUND_NODES + 1):
        y = np.sin(y) + x * 0.001
    value, gradients = bl.compile(y)()
    slow = bl.backward(y)
    assert value == y.value and gradients[x] == slow[x]
    assert x.grad is not None


def test_a_gradient_that_nobody_wants_is_not_computed():
    X, W = bl.constant("X", numbers(4, 3)), bl.variable("W", numbers(3, 2))
    V = bl.variable("V", numbers(2, 5))
    J = np.sum(np.tanh(X @ W) @ V)
    program = bl.compile(J, wrt=[W])
    _, gradients = program()
    assert list(gradients) == [W]
    np.testing.assert_allclose(gradients[W], bl.backward(J)[W])
    assert "dV" not in program.source and "dX" not in program.source


def test_a_variable_that_the_cost_does_not_depend_on_gets_zeros():
    w, far = bl.variable("w", [1.0, 2.0]), bl.variable("far", [3.0])
    _, gradients = bl.compile(np.sum(w**2), wrt=[w, far])()
    assert gradients[far].tolist() == [0.0] and gradients[w].tolist() == [2.0, 4.0]


# ------------------------------------------------------------------------------------------- its inputs


def regression():
    x, y = bl.constant("x", [1.0, 2.0, 4.0]), bl.constant("y", [2.0, 4.0, 6.0])
    w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    return np.mean((w * x + b - y) ** 2), w, b


def test_leaves_are_given_by_name_for_one_call():
    J, w, _ = regression()
    program = bl.compile(J)
    before = program()
    value, gradients = program(x=[1.0, 1.0, 1.0], w=0.0)
    assert value == np.mean([1.0, 9.0, 25.0]) and gradients[w] == np.mean([-2.0, -6.0, -10.0])
    after = program()
    assert before[0] == after[0] and before[1][w] == after[1][w]
    assert w.value == 2.0 and J.value is None and w.grad is None


def test_another_batch_is_bound_again_silently():
    J, w, b = regression()
    program = bl.compile(J, wrt=[w, b])
    for n in (1, 2, 5, 3):
        x, y = np.arange(1.0, n + 1), np.full(n, 3.0)
        value, gradients = program(x=x, y=y)
        residual = 2 * x + 1 - y
        np.testing.assert_allclose(value, np.mean(residual**2))
        np.testing.assert_allclose(gradients[w], 2 * np.mean(residual * x))
        np.testing.assert_allclose(gradients[b], 2 * np.mean(residual))


def test_a_program_does_not_keep_buffers_for_every_shape_it_has_seen():
    J, w, b = regression()
    program = bl.compile(J, wrt=[w, b])
    for n in range(1, 41):
        value, _ = program(x=np.ones(n), y=np.zeros(n))
        np.testing.assert_allclose(value, 9.0)
    assert len(program._bound) <= 16


def test_another_batch_of_labels_is_bound_again():
    X, y = bl.constant("X", numbers(4, 3)), bl.constant("y", [0, 1, 1, 0])
    W = bl.variable("W", numbers(3, 2))
    program = bl.compile(bl.cross_entropy(X @ W, y))
    more, labels = numbers(6, 3), np.array([1, 0, 1, 1, 0, 0])
    value, gradients = program(X=more, y=labels)
    p = bl.softmax(more @ W.value)
    np.testing.assert_allclose(value, bl.cross_entropy(more @ W.value, labels))
    np.testing.assert_allclose(gradients[W], more.T @ (p - np.eye(2)[labels]) / 6)


def test_new_values_of_leaves_are_taken_up():
    J, w, _ = regression()
    program = bl.compile(J)
    program()
    w.value = 0.0
    np.testing.assert_allclose(program()[0], np.mean([1.0, 9.0, 25.0]))
    x = next(n for n in topological_order(J) if n.name == "x")
    x.value = [0.0, 0.0, 0.0]
    np.testing.assert_allclose(program()[0], np.mean([1.0, 9.0, 25.0]))
    w.value = 3.0
    np.testing.assert_allclose(program()[0], np.mean([1.0, 9.0, 25.0]))


def test_results_are_fresh_and_stay_as_they_are():
    J, w, _ = regression()
    program = bl.compile(J)
    gradients = program()[1]
    kept = gradients[w].copy()
    gradients[w][...] = 99.0
    again = program()
    assert again[1][w] == kept and again[1][w] is not gradients[w]
    program(x=[5.0, 5.0, 5.0])
    assert again[1][w] == kept


def test_what_was_given_is_neither_kept_nor_changed():
    J, _, _ = regression()
    program = bl.compile(J)
    x = np.array([1.0, 1.0, 1.0])
    first = program(x=x)[0]
    x[:] = 7.0
    assert program(x=x)[0] != first and x.tolist() == [7.0, 7.0, 7.0]


# ------------------------------------------------------------------------------------------- mistakes


def test_mistakes_are_named():
    J, w, _ = regression()
    x = bl.constant("x", [1.0, 2.0])
    program = bl.compile(J)
    for mistake, error, said in [
        (lambda: bl.compile(w * x), ValueError, r"shape \(2,\).*np\.sum"),
        (lambda: bl.compile(3.0), TypeError, "expected a node"),
        (lambda: bl.compile(np.sum(w * x), wrt=[x]), TypeError, "wrt takes variables, and x is none"),
        (lambda: bl.compile(np.sum(x)), ValueError, "depends on no variable"),
        (lambda: bl.compile(np.sum(w * x) + bl.variable("x", 1.0)), ValueError, "two leaves are called 'x'"),
        (lambda: program(z=1.0), TypeError, "no leaf 'z'; its leaves are w, x, b, y"),
        (lambda: program(w=[1.0, 2.0]), ValueError, r"variable w has shape \(\), was given \(2,\)"),
        (lambda: program(x="abc"), TypeError, "expected real numbers, was given text"),
        (lambda: program(x=[1.0, 2.0]), ValueError, "2 does not match 3|3 does not match 2"),
    ]:
        with pytest.raises(error, match=said):
            mistake()


def test_a_leaf_without_a_value_is_named_when_the_program_runs():
    x, w = bl.constant("x", shape=(3,)), bl.variable("w", 2.0)
    program = bl.compile(np.sum(w * x))
    with pytest.raises(bl.MissingValueError, match=r"x \(shape \(3,\)\) stands without a value"):
        program()
    assert program(x=[1.0, 2.0, 3.0])[0] == 12.0


@pytest.mark.parametrize("shape", [(), (3,), (20,)])
def test_a_constant_without_name_and_value_is_refused_in_words(shape):
    J = np.sum(bl.variable("w", 2.0) * bl.constant(None, shape=shape))
    with pytest.raises(bl.MissingValueError, match="stands without a value"):
        bl.compile(J)


def test_labels_must_exist_and_be_integers():
    y, z = bl.constant("y", [0, 2]), bl.variable("z", numbers(2, 3))
    program = bl.compile(bl.cross_entropy(z, y))
    with pytest.raises(ValueError, match="label 3 does not exist"):
        program(y=[0, 3])
    with pytest.raises(TypeError, match="holds int"):
        program(y=[0.5, 1.0])


def test_a_nan_is_reported_at_the_node_that_made_it():
    x, w = bl.constant("x", [1.0, -1.0]), bl.variable("w", [1.0, 1.0])
    s = w * x
    J = np.sum(np.log(s))
    program = bl.compile(J)
    with pytest.warns(bl.NonFiniteWarning, match=r"np\.log\(s\) became nan at entry \[1\]"):
        value, _ = program()
    assert math.isnan(value)
    assert np.isfinite(program(x=[1.0, 2.0])[0])


@pytest.mark.parametrize(
    ("function", "start"),
    [
        (lambda x: 1 / x, 0.0),
        (lambda x: np.log(x), -1.0),
        (lambda x: np.exp(x), 1000.0),
        (lambda x: x**0.5, -2.0),
        (lambda x: np.sqrt(x), 0.0),
        (lambda x: np.maximum(x, 1.0) + np.minimum(x, 1.0), math.nan),
    ],
    ids=["division by 0", "log of a negative", "overflow", "root of a negative", "slope of a root", "nan"],
)
def test_single_numbers_give_numpys_infinities_where_python_refuses(function, start):
    x = bl.variable("x", start)
    J = function(x) * 1.0
    with pytest.warns(bl.NonFiniteWarning):
        value, gradients = bl.compile(J)()
    slow = bl.backward(J, on_nonfinite="ignore")
    np.testing.assert_array_equal(value, J.value)
    np.testing.assert_array_equal(gradients[x], slow[x])


def test_threads_that_run_programs_of_one_graph_do_not_meet():
    J, leaves = network(WORKLOADS["W2"])
    shared = bl.compile(J)
    expected = shared()
    wrong = []

    def run(program, scale):
        for _ in range(60):
            value, gradients = program(X=scale * WORKLOADS["W2"].data()[0])
            if value != answers[scale][0] or any(
                (gradients[v] != answers[scale][1][v]).any() for v in leaves
            ):
                wrong.append(scale)

    answers = {s: shared(X=s * WORKLOADS["W2"].data()[0]) for s in (1.0, 2.0, 3.0, 4.0)}
    jobs = [(shared, 1.0), (shared, 2.0), (bl.compile(J), 3.0), (bl.compile(J), 4.0)]
    threads = [threading.Thread(target=run, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and shared()[0] == expected[0]


# ------------------------------------------------------------------------------------------- the text


def test_the_text_of_a_network_is_short_and_speaks_the_readers_names():
    J, leaves = network(WORKLOADS["W2"])
    lines = bl.compile(J, wrt=leaves).source.splitlines()
    assert len(lines) <= 40
    for line in [
        "def program(theta, y, X):",
        "    W1 = np.reshape(theta[0:32], (2, 16))",
        "    a1 = X @ W1 + b1",
        "    h1 = np.maximum(a1, 0)",
        "    dh1 = da2 @ W2.T",
        "    da1 = dh1 * (h1 > 0)",
        "    db1 = np.sum(da1, axis=0)",
    ]:
        assert line in lines, "\n".join(lines)
    assert max(map(len, lines)) <= 110


def test_the_text_of_single_numbers_reads_like_the_lecture():
    x, w = bl.constant("x", 3.0), bl.variable("w", 2.0)
    b, y = bl.variable("b", -1.0), bl.constant("y", 1.0)
    y_hat = w * x + b
    J = (y_hat - y) ** 2
    assert bl.compile(J).source.splitlines()[2:] == [
        "",
        "def program(theta, x, y):",
        "    w = theta[0]",
        "    b = theta[1]",
        "    y_hat = w * x + b",
        "    t1 = y_hat - y",
        "    J = t1**2",
        "    dy_hat = 2 * t1",
        "    dw = dy_hat * x",
        "    gradient = np.concatenate([np.ravel(dw), np.ravel(dy_hat)])",
        "    return J, gradient",
    ]


def test_hostile_names_become_safe_and_unique():
    program = agrees_with_the_passes(graphs.hostile_names())
    assert "<" not in program.source and "script" not in program.source.split("def ")[0]
    x, y = bl.variable("lambda", 2.0), bl.variable("x y", 3.0)
    z, theta = bl.variable("x_y", 5.0), bl.variable("theta", 1.0)
    agrees_with_the_passes(x * y * z * theta * bl.variable("np", 1.0) * bl.variable("program", 2.0))


def test_large_arrays_without_a_name_become_parameters_of_the_text():
    w = bl.variable("w", numbers(20))
    small = np.array([1.0, 2.0, 3.0])
    program = agrees_with_the_passes(np.sum(np.tanh(w * numbers(20))) + np.sum(w[[1, 1, 3]] ** 2 * small))
    assert "def program(w, constant1):" in program.source
    assert "np.array([1.0, 2.0, 3.0])" in program.source


def test_the_same_graph_gives_the_same_text():
    texts = {bl.compile(network(WORKLOADS["W3"])[0]).source for _ in range(3)}
    assert len(texts) == 1


# ------------------------------------------------------------------------------------ other libraries

JAX = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
os.environ["JAX_PLATFORMS"] = "cpu"
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
jax.config.update("jax_enable_x64", True)
import backprop_lab as bl
from benchmarks.handwritten import WORKLOADS
from benchmarks.networks import network

J, leaves = network(WORKLOADS["W3"])
expected = bl.compile(J, wrt=leaves)()
f = bl.compile(J, wrt=leaves, xp=jnp)
assert "import jax.numpy as np" in f.source
data = {"X": WORKLOADS["W3"].data()[0], "y": WORKLOADS["W3"].data()[1]}
jitted = jax.jit(lambda data, parameters: f(**data, **parameters))
parameters = {leaf.name: jnp.asarray(leaf.value) for leaf in leaves}
mesh = Mesh(np.array(jax.devices()), ("batch",))
assert mesh.size == 4
spread = {k: jax.device_put(v, NamedSharding(mesh, PartitionSpec("batch"))) for k, v in data.items()}
for given in (data, spread):
    value, gradients = jitted(given, parameters)
    np.testing.assert_allclose(value, expected[0], rtol=1e-10)
    for leaf in leaves:
        np.testing.assert_allclose(gradients[leaf.name], expected[1][leaf], atol=1e-10)
half = {k: v[:64] for k, v in data.items()}
value, gradients = jitted(half, parameters)
np.testing.assert_allclose(value, bl.compile(J, wrt=leaves)(**half)[0], rtol=1e-10)
x = bl.variable("x", np.arange(5.0))
g = bl.compile(np.sum(x[[0, 2, 2]] ** 2), xp=jnp)
np.testing.assert_allclose(jax.jit(lambda x: g(x=x))(jnp.arange(5.0))[1]["x"], [0, 0, 8, 0, 0])
print("agreed")
"""


def test_jax_runs_the_program_spread_over_four_devices():
    pytest.importorskip("jax")
    run = subprocess.run([sys.executable, "-c", JAX], capture_output=True, text=True)
    assert run.stdout.strip().endswith("agreed"), run.stderr


def test_any_module_with_numpys_names_will_do():
    J, w, b = regression()
    f = bl.compile(J, wrt=[w, b], xp=np)
    value, gradients = f(x=np.array([1.0, 2.0]), y=np.array([2.0, 4.0]))
    np.testing.assert_allclose(value, 0.5 * (1 + 1))
    assert set(gradients) == {"w", "b"}
    with pytest.raises(TypeError, match="no leaf 'z'"):
        f(z=1.0)


def test_an_operation_in_place_does_not_read_what_it_has_overwritten():
    A, B = bl.variable("A", numbers(5, 2)), bl.variable("B", numbers(5, 2))
    z = np.tanh(A) * B
    agrees_with_the_passes(np.sum(np.sin((z - z[:, 0:1]) / (2 + z[:, 1:2] ** 2))))
    agrees_with_the_passes(np.sum(np.exp(z) * z.T[0][:, None] + z[::-1]))
    y = np.sin(A)
    agrees_with_the_passes(np.sum((y * y[::-1]) ** 2) + np.sum(np.maximum(y, y[:, ::-1])))


def test_penalties_of_two_strengths_in_a_long_sum_change_no_number():
    random = np.random.default_rng(3)
    leaves = [bl.variable(name, random.normal(size=(2, 3))) for name in "ABCD"]
    A, B, C, D = leaves
    x = bl.constant("x", random.normal(size=3))
    J = 0.1 * bl.l2(A, B) + np.sum(np.tanh(A @ x)) + 0.3 * (bl.l2(C) + bl.l2(D))
    for i in range(5):
        J = J + np.sum(np.tanh(B @ x + i) * (C @ x)) + 0.5 * np.mean(D)
    program = bl.compile(J)
    value, gradients = program()
    np.testing.assert_allclose(value, bl.forward(J), rtol=1e-13)
    expected = bl.backward(J)
    for leaf in leaves:
        np.testing.assert_allclose(gradients[leaf], expected[leaf], rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("labels", [np.array([0, 2, 1, 0]), np.array([2, 0, 1, 1], np.uint8)])
def test_class_labels_become_rows_in_the_precision_of_the_network(kind, labels):
    X = bl.constant("X", np.arange(8, dtype=kind).reshape(4, 2))
    W = bl.variable("W", np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]], kind))
    J = bl.cross_entropy(X @ W, bl.constant("y", labels))
    program = bl.compile(J)
    cost, gradient = text_run(program)
    assert cost.dtype == gradient.dtype == kind
    expected = bl.forward(J), bl.backward(J)[W]
    for found in ((cost, gradient.reshape(2, 3)), (program()[0], program()[1][W])):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-6 if kind == np.float32 else 1e-13)


@pytest.mark.parametrize("classes", [3, 40])  # more classes than examples, too
def test_a_label_without_a_class_is_refused_by_a_program_however_many_classes_there_are(classes):
    z = bl.variable("z", np.zeros((4, classes)))
    program = bl.compile(bl.cross_entropy(z, bl.constant("y", np.array([0, 1, 2, 0], np.int8))))
    assert float(program()[0]) == pytest.approx(np.log(classes))
    assert float(program(y=[classes - 1] * 4)[0]) == pytest.approx(np.log(classes))
    for wrong in (classes, -1, -classes):
        with pytest.raises(ValueError, match=f"label {wrong} does not exist among {classes} classes"):
            program(y=[0, 1, wrong, 2])
    assert float(program()[0]) == pytest.approx(np.log(classes))
