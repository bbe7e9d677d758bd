"""Programs of graphs that are written in every way a reader may write them: each once gave a wrong answer."""

from __future__ import annotations

import math
import warnings
from itertools import islice

import numpy as np
import pytest
from rule_cases import numbers
from test_program import agrees_with_the_passes, text_run

import backprop_lab as bl
from backprop_lab.graph.node import RULES, Node
from backprop_lab.rules.declaring import declare
from backprop_lab.rules.shapes import broadcast_shape


def test_a_gradient_that_no_variable_moves_is_there_in_every_step():
    w, x = bl.variable("w", [1.0, 2.0]), bl.constant("x", [3.0, 4.0])
    for i, _ in enumerate(bl.sgd(np.sum(w * x) * 2, learning_rate=0.01, epochs=4)):
        np.testing.assert_allclose(w.value, [1 - 0.06 * (i + 1), 2 - 0.08 * (i + 1)])
    program = bl.compile(np.sum(w * x))
    assert [program()[1][w].tolist() for _ in range(3)] == [[3.0, 4.0]] * 3


def network():
    W, U = bl.variable("W", numbers(2, 2)), bl.variable("U", numbers(2, 2))
    b, x = bl.variable("b", numbers(2)), bl.constant("x", numbers(3, 2))
    return W, U, b, np.mean(np.tanh(x @ W + b) @ U)


PENALTIES = {
    "twice the same": lambda W, U, b: bl.l2(W, W, U),
    "terms, one twice": lambda W, U, b: np.sum(W**2) + np.sum(W**2) + np.sum(U**2),
    "with a factor, one twice": lambda W, U, b: 0.1 * (np.sum(W**2) + np.sum(W**2) + np.sum(U**2)),
    "one behind": lambda W, U, b: np.sum(W**2) + np.sum(U**2) + np.sum(W**2),
    "two factors": lambda W, U, b: 0.1 * np.sum(W**2) + 0.2 * np.sum(U**2) + 0.1 * bl.l2(b),
    "a leaf as factor": lambda W, U, b: bl.constant("lam", 0.3) * bl.l2(W, U, b),
    "halved": lambda W, U, b: bl.l2(W, U) / 2 + np.vdot(b, b) / 3,
    "products": lambda W, U, b: 0.1 * np.sum(W * W) + 0.1 * np.sum(np.square(U)) + 0.1 * b @ b,
    "of a product": lambda W, U, b: np.sum((W @ U) ** 2) + bl.l2(W, U),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_in_every_way_of_writing_them(name):
    W, U, b, loss = network()
    penalty = PENALTIES[name](W, U, b)
    agrees_with_the_passes(loss + penalty)
    agrees_with_the_passes(penalty + loss)


def test_a_penalty_beside_a_gradient_that_is_the_same_for_all_entries():
    W, b = bl.variable("W", numbers(3, 2)), bl.variable("b", numbers(2))
    agrees_with_the_passes(np.sum(np.sin(np.sum(W, axis=0))) + 0.1 * np.sum(W**2))
    agrees_with_the_passes(np.mean(np.cumsum(np.sum(W, axis=1))) + 0.1 * np.sum(W**2))
    agrees_with_the_passes(np.sum(W) ** 2 + 0.1 * bl.l2(W, b) + np.sum(b) ** 2)


def cubed(x):
    y = np.empty_like(x)
    y[...] = x**3
    return y


def test_an_operation_of_the_readers_own_leaves_arrays_as_they_are():
    own = bl.rule("own", cubed, lambda z, x: 3 * x**2)
    given = np.array([1.0, 2.0])
    own(given)
    given[0] = 5.0
    w, x = bl.variable("w", [1.0, 2.0]), bl.constant("x", [1.0, 3.0])
    for J in (np.sum(own(np.sin(w))), np.sum(own(w)), np.sum(own(x) * w)):
        program = bl.compile(J)
        first = program()[0]
        assert program()[0] == first and program(w=[0.0, 0.0])[0] != first
        w.value = [1.0, 2.0]
        np.testing.assert_allclose(program()[1][w], bl.backward(J)[w])
    assert len(list(bl.sgd(np.sum(own(w)), learning_rate=0.01, epochs=3))) == 3


def test_leaves_that_are_no_data_are_followed_in_a_run_over_all_examples():
    w, lam, x = bl.variable("w", 1.0), bl.constant("lam", 1.0), bl.constant("x", [1.0, 2.0])
    costs = []
    for step in bl.sgd(np.mean((w * x) ** 2) * lam, {"x": [1.0, 2.0]}, learning_rate=0, epochs=3):
        costs.append(step.cost)
        lam.value = 10 * float(lam.value)
    assert costs == [2.5, 25.0, 250.0]


def test_two_runs_on_different_variables_of_one_cost_follow_each_other():
    def ends(data):
        u, w, x = bl.variable("u", 1.0), bl.variable("w", 1.0), bl.constant("x", [1.0, 2.0])
        J = np.mean((u * w * x) ** 2)
        runs = [bl.sgd(J, data, learning_rate=0.05, epochs=3, wrt=[v]) for v in (u, w)]
        for _ in zip(*runs, strict=True):
            pass
        return float(u.value), float(w.value)

    assert ends({"x": [1.0, 2.0]}) == ends(None)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_infinities_and_numbers_of_numpys_types_stand_in_programs(kind):
    w, m = bl.variable("w", np.array([1.0, 2.0], kind)), bl.constant("m", [True, False])
    a, v = bl.variable("a", kind(1)), bl.variable("v", kind(2))
    for J in (
        np.sum(bl.softmax(np.where(m, w, -np.inf)) * w),
        np.maximum(a, 0) * 2 + a / 3,
        np.minimum(v, np.inf) ** 2,
        v ** np.int32(2) * np.int32(3),
        np.sum(np.clip(w, 0, np.inf) ** 2),
        np.sum(np.where(m, np.float32(0.5), w)) + np.maximum(a, np.float32(0.5)),
        np.sum(np.exp(w + np.array([0.0, -np.inf], kind))),
    ):
        agrees_with_the_passes(J, rtol=1e-5)


def test_an_operation_is_known_by_what_it_is_not_by_its_name():
    w = bl.variable("w", [1e-5, 2.0])
    for name in ("log", "exp", "square", "add", "max", "sum", "index", "power", "matmul", "vdot", "ravel"):
        own = bl.rule(
            name, lambda x: np.array([math.log(t) if t > 1e-3 else -7.0 for t in x]), lambda z, x: 1 / x
        )
        J = np.sum(own(w) * 2)
        value, gradients = bl.compile(J)()
        np.testing.assert_allclose(value, bl.forward(J))
        np.testing.assert_allclose(gradients[w], bl.backward(J)[w])
        np.testing.assert_allclose(bl.compile(J, xp=np)()[0], value)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool, np.float32])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_counts_and_flags_are_calculated_with_as_floats_everywhere(kind, precision):
    x, y = (
        bl.constant("x", np.array([1, 200, 3]).astype(kind)),
        bl.constant("y", np.array([3, 1, 4]).astype(kind)),
    )
    w = bl.variable("w", np.array([1.0, 2.0, 3.0], precision))
    for J in (
        np.sum(x**2 * w),
        np.sum((x - y) * w),
        np.sum(np.reciprocal(x + 1.0) * w) if kind is bool else np.sum(np.reciprocal(y) * w),
        np.sum(-x * w) + np.sum(w * np.sin(y)),
        np.sum(x * y * w) + np.sum(-(x > y) * w),
        bl.cross_entropy(w, np.array([0, 1, 0]) if kind is not bool else np.array([False, True, False])),
    ):
        program = agrees_with_the_passes(J, rtol=1e-5, atol=1e-5)
        found, slopes = bl.compile(J, xp=np)()
        np.testing.assert_allclose(found, program()[0], rtol=1e-5)
        np.testing.assert_allclose(slopes["w"], program()[1][w], rtol=1e-5)
        if J.dtype == w.dtype and (x.dtype == w.dtype or x.dtype.kind != "f"):
            assert {a.dtype for a in text_run(program)} == {slopes["w"].dtype} == {w.dtype}


def test_variables_given_as_whole_numbers_are_floats():
    w = bl.variable("w", [1.0, 2.0])
    f = bl.compile(np.sum(w**-2.0), xp=np)
    np.testing.assert_allclose(f(w=[1, 2])[0], 1.25)
    with pytest.raises(ValueError, match=r"variable w has shape \(2,\), was given \(3,\)"):
        f(w=[1, 2, 3])


def test_stopped_gradients_stand_in_programs():
    w, u = bl.variable("w", [1.0, 2.0]), bl.variable("u", [1.0, 2.0])
    agrees_with_the_passes(np.sum(w * bl.stop_gradient(u * 2)))


def test_parameters_of_the_readers_own_operations_are_written():
    own = bl.rule(
        "own",
        lambda x, k=2.0: np.array([k * t for t in x.tolist()]),
        lambda z, x, k: k + 0 * x,
        parameters={"k": 2.0},
    )
    w = bl.variable("own", [1.0, 2.0])
    J = np.sum(own(w, k=5.0))
    assert bl.compile(J)()[0] == bl.compile(J, xp=np)()[0] == 15.0
    other = bl.rule("own", lambda x: np.array([t for t in x.tolist()]), lambda z, x: 1)
    program = agrees_with_the_passes(np.sum(own(w) * other(w)))  # two operations of one name
    assert bl.compile(program.cost, xp=np)()[0] == program()[0] == 10.0


def test_a_division_by_zero_that_is_written_down_gives_numpys_infinity():
    w = bl.variable("w", 1.0)
    J = np.arctan(w / 0.0)
    with pytest.warns(bl.NonFiniteWarning):
        assert bl.compile(J)()[0] == bl.forward(J) == np.pi / 2


def test_results_in_another_library_are_fresh():
    w, x = bl.variable("w", np.ones(3)), bl.constant("x", np.ones(3))
    f = bl.compile(np.sum(w * x), xp=np)
    given = np.zeros(3)
    f(x=given)[1]["w"][:] = 7
    f()[1]["w"][:] = 7
    assert not given.any() and x.value.all()


def test_no_warning_of_numpys_comes_from_data_either():
    w, x = bl.variable("w", np.ones(2)), bl.constant("x", [0.0, 1.0])
    J = np.sum(np.where(x > 0, np.log(x), 0) * w)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", bl.NonFiniteWarning)
        assert bl.compile(J)()[0] == 0.0


def test_all_names_for_the_vector_of_parameters_may_be_taken():
    a, b, c = bl.variable("theta", [1.0]), bl.variable("parameters", 2.0), bl.variable("theta_2", 3.0)
    agrees_with_the_passes(np.sum(a * b) * c)


def test_an_unnamed_constant_that_changes_is_taken_up():
    c, w = bl.constant(None, 2.0), bl.variable("w", [1.0])
    J = np.sum(w * w) * c
    program = bl.compile(J)
    assert program()[0] == 2.0
    c.value = 4.0
    assert program()[0] == 4.0


def test_an_unnamed_constant_that_changes_is_taken_up_by_a_loop_under_way():
    c, w, x = bl.constant(None, 1.0), bl.variable("w", 0.0), bl.constant("x", [1.0])
    for step in bl.sgd(np.sum((w * x - 1) ** 2) * c, {"x": [1.0]}, learning_rate=0.0, epochs=4):
        assert step.cost == 2**step.index
        c.value = 2 * c.value


def test_an_unnamed_constant_that_changes_is_read_by_a_function_of_another_library():
    for size in (1, 40):  # written out in the text, and a parameter of it
        c, w = bl.constant(None, np.full(size, 2.0)), bl.variable("w", [1.0])
        f = bl.compile(np.sum(c * w * w), xp=np)
        assert f()[0] == 2.0 * size
        c.value = np.full(size, 4.0)
        assert f()[0] == 4.0 * size


def squared_distance(c, **data):
    """A loop that does not move, on a program whose cost is c · (w·x − 1)² at w = 0, so its factor c."""
    w, x = bl.variable("w", 0.0), bl.constant("x", [1.0])
    program = bl.compile(np.sum((w * x - 1) ** 2) * c)
    return program, lambda: bl.sgd(program, data or None, learning_rate=0.0, epochs=9)


@pytest.mark.parametrize("data", [{}, {"x": [1.0]}], ids=["leaves", "data"])
def test_an_unnamed_constant_changes_for_a_loop_and_for_calls_in_between(data):
    c = bl.constant(None, 1.0)
    program, loop = squared_distance(c, **data)
    for step in islice(loop(), 4):
        assert step.cost == 2**step.index
        c.value = 2 * c.value
        assert program()[0] == c.value


@pytest.mark.parametrize("data", [{}, {"x": [1.0]}], ids=["leaves", "data"])
def test_an_unnamed_constant_changes_for_two_loops_in_turns(data):
    c = bl.constant(None, 1.0)
    _, loop = squared_distance(c, **data)
    first, second = loop(), loop()
    for cost in (1.0, 2.0, 3.0):
        c.value = cost
        assert next(first).cost == next(second).cost == cost
        c.value = 10 * cost
        assert next(second if cost == 2.0 else first).cost == 10 * cost


def test_an_unnamed_constant_changes_for_every_shape_of_the_data():
    c, w, x = bl.constant(None, 1.0), bl.variable("w", 1.0), bl.constant("x", [1.0])
    program = bl.compile(np.sum(w * x) * c)
    sizes = [1, 2, 3]
    for value in (1.0, 5.0):
        c.value = value
        assert [float(program(x=np.ones(n))[0]) for n in sizes] == [value * n for n in sizes]


def test_an_operation_of_the_readers_own_may_look_at_numbers():
    def positive(x):
        out = np.zeros_like(x)
        out[x > 0] = x[x > 0] ** 2
        return out

    def careful(x):
        assert np.all(x.astype(int) == x), "whole numbers"
        return 3 * x

    w = bl.variable("w", [1.0, -2.0, 3.0])
    masked = bl.rule("masked", positive, lambda z, x: 2 * np.maximum(x, 0))
    strict = bl.rule("strict", careful, lambda z, x: 3)
    has_the_gradient_of_the_passes(np.sum(masked(w) * strict(w)), w)


def test_a_derivative_of_the_readers_own_may_be_one_for_arrays_only():
    def back(g, z, x):
        return g[np.argsort(np.argsort(x))]

    ordered = bl.rule("ordered", lambda x: np.sort(x), back, kind="linear", shape=lambda x: x)
    w = bl.variable("w", [3.0, -2.0, 1.0])
    has_the_gradient_of_the_passes(np.sum(ordered(w) * [1.0, 2.0, 3.0]), w)


def has_the_gradient_of_the_passes(J, w):
    cost, gradients = bl.compile(J)()
    np.testing.assert_array_equal(gradients[w], bl.backward(J)[w])
    np.testing.assert_array_equal(cost, J.value)


@pytest.mark.parametrize("key", [(), [], np.array([], int)], ids=["()", "[]", "array"])
def test_an_index_that_is_empty_is_written_so_that_it_runs(key):
    x = bl.variable("x", numbers(3))
    part = x[key]
    np.testing.assert_array_equal(bl.forward(part), x.value[key])
    agrees_with_the_passes(np.sum(part**2) + np.sum(x))


def test_empty_arrays_stand_in_programs():
    w, u = bl.variable("w", numbers(3)), bl.variable("u", numbers(3))
    agrees_with_the_passes(np.sum(w * np.zeros((0, 3))) + np.sum(u**2))


def test_numbers_that_would_underflow_are_not_merged():
    w = bl.variable("w", [1e300, 1.0])
    J = np.sum((w * 1e-200) * (w * 1e-200))
    np.testing.assert_allclose(bl.compile(J)()[1][w], bl.backward(J)[w], rtol=1e-12)


def test_smaller_mistakes_are_named():
    w, x = bl.variable("self", 2.0), bl.constant("x", [1.0])
    J = np.sum(w * x)
    assert bl.compile(J)(**{"self": 4.0})[0] == 4.0
    for mistake, error, said in [
        (lambda: bl.sgd(J, {}), ValueError, "data is empty"),
        (lambda: bl.sgd(J, 5), TypeError, "data is a mapping .* not int"),
        (lambda: bl.sgd(J, batch_size=3), TypeError, "batch_size= cuts data"),
        (lambda: bl.sgd(J, wrt=[]), ValueError, "wrt is empty"),
        (lambda: bl.compile(w > 3), TypeError, "holds bool; a cost is a real number"),
    ]:
        with pytest.raises(error, match=said):
            mistake()
    assert next(bl.sgd(J, learning_rate=np.array(0.5))).learning_rate == 0.5


def test_no_two_results_share_memory_while_one_is_still_read():
    random = np.random.default_rng(0)
    x1, x0, x2 = (bl.variable(n, random.normal(size=s)) for n, s in (("x1", ()), ("x0", 3), ("x2", (2, 3))))
    turned = np.transpose(x2, (1, 0))
    parts = [
        np.sin(x1),
        np.sin(np.concatenate([x0, x0])),
        np.sin((2 + np.sin(bl.log_softmax(np.sin(x0)))) ** 0.5),
        np.sin(bl.cross_entropy(np.sin(turned[0]), 0)),
        np.sin(np.swapaxes(turned, -1, -2)),
    ]
    J = sum(np.sum(part) for part in parts)
    gradients = bl.compile(J)()[1]
    for leaf, expected in bl.backward(J).items():
        np.testing.assert_allclose(gradients[leaf], expected, rtol=1e-12)


@pytest.mark.slow
def test_a_product_at_the_end_of_a_long_chain_is_taken_apart_without_recursion():
    w = bl.variable("w", 0.5)
    y = w
    for _ in range(1500):
        y = y + 1
    agrees_with_the_passes(2 * (y * (y + 1) * 3))


def test_a_number_that_data_are_compared_with_keeps_its_fraction():
    y, w = bl.constant("y", [0, 1, 2]), bl.variable("w", [1.0, 10.0, 100.0])
    v = bl.variable("v", np.array([0.1, 0.2], np.float32))
    for J in (
        np.sum(np.where(y < 0.5, w, 0)),
        np.sum((y == 0.5) * w) + np.sum((y > np.float32(0.5)) * w),
        np.sum((v > np.float64(0.1)) * v + (v > 0.1) * v),
        np.sum(np.float64(0.1) * v),
    ):
        assert bl.compile(J)()[0] == bl.forward(J)


def branches():
    """Costs in which a single number is chosen, and may be one that was typed as a whole number."""
    x, a, c = bl.variable("x", [1.0, 2.0]), bl.variable("a", -1.0), bl.variable("c", 1.0)
    return {
        "where of entries": np.where(x[0] > 0, x[0], 0.1 * x[0]),
        "leaky_relu of an entry": bl.leaky_relu(x[0]),
        "a sum of them": sum(bl.leaky_relu(entry) for entry in x),
        "an entry where": np.where(a > 0, x[0], x[1]),
        "a whole number to the power -3": np.sum(x) * 10 ** np.where(c > 0, -3, 1),
        "a division by a chosen 0": np.sum(x) / np.maximum(a, 0),
        "a power beyond whole numbers": np.sum(x) * c * np.where(c > 0, 10**6, 2) ** 4,
        "a truth value": np.exp(np.where(a > 0, True, False)) * c,
        "float32": bl.leaky_relu(bl.variable("f", np.float32(2))),
    }


@pytest.mark.parametrize("name", branches())
@pytest.mark.filterwarnings("ignore")
def test_a_single_number_that_is_chosen_goes_on_as_in_the_passes(name):
    J = branches()[name]
    value, gradients = bl.compile(J)()
    np.testing.assert_allclose(value, bl.forward(J), rtol=1e-12)
    for variable, wanted in bl.backward(J).items():
        np.testing.assert_allclose(gradients[variable], wanted, rtol=1e-12)


@pytest.mark.parametrize("operation", [np.remainder, np.floor_divide])
def test_the_text_of_a_minus_before_a_remainder_gives_its_numbers(operation):
    a, b = bl.variable("a", [7.0, 8.5]), bl.variable("b", [2.0, 3.0])
    agrees_with_the_passes(np.sum(-operation(a, b) * a))


def readers_own(w):
    """A cost with an operation of the reader's own that asks for arrays, in both directions."""
    halved = bl.rule(
        "halved", lambda x: np.array([t / 2 for t in x.tolist()]), lambda z, x: np.full(x.shape, 0.5)
    )
    return np.sum(halved(w))


def broken(mistake, compute=False):
    """An operation of the package's own that cannot read nodes, though it should; arrays it can."""

    def broken_for_nodes(x, like):
        if isinstance(x, Node):
            raise mistake
        return like

    return declare(
        "elementwise",
        broadcast_shape,
        (lambda z, x: 1) if compute else (lambda z, x: broken_for_nodes(x, 1)),
        name="broken",
    )(lambda x: broken_for_nodes(x, x) if compute else x)


@pytest.mark.parametrize("compute", [True, False], ids=["value", "derivative"])
@pytest.mark.parametrize(
    "mistake", [AttributeError("ours"), TypeError("ours")], ids=lambda m: type(m).__name__
)
@pytest.mark.parametrize("beside", [readers_own, np.sum], ids=["beside a reader's own", "alone"])
def test_a_mistake_of_the_packages_own_comes_out(mistake, compute, beside):
    w = bl.variable("w", [1.0, 2.0])
    J = np.sum(broken(mistake, compute)(w)) + beside(w)
    assert bl.backward(J)[w].shape == (2,)
    with pytest.raises(type(mistake), match="ours"):
        bl.compile(J)


def test_a_derivative_of_the_readers_own_may_be_an_array_that_is_always_the_same():
    w = bl.variable("w", [1.0, -2.0, 3.0])
    shifted = bl.rule("shifted", lambda x: x + 1, lambda g, z, x: np.ones(3), kind="custom")
    J = np.sum(shifted(w))
    has_the_gradient_of_the_passes(J, w)
    assert bl.forward(bl.gradient(J, w)).tolist() == [1.0, 1.0, 1.0]


def test_a_parameter_of_the_readers_own_may_be_anything():
    w = bl.variable("w", [1.0, 2.0])
    scaled = bl.rule(
        "scaled", lambda x, how: how["by"] * x, lambda z, x, how: how["by"], parameters={"how": {"by": 1.0}}
    )
    has_the_gradient_of_the_passes(np.sum(scaled(w, how={"by": 3.0})) + np.sum(scaled(w)), w)


def test_an_unnamed_truth_value_is_written_as_one():
    w = bl.variable("w", 2.0)
    program = agrees_with_the_passes(np.where(np.array(True), w, 0) * w)
    assert "def program(theta):" in program.source


@pytest.mark.parametrize("compute", [np.ascontiguousarray, np.asarray, np.cbrt], ids=lambda f: f.__name__)
def test_a_readers_rule_around_a_function_of_numpys_can_be_compiled(compute):
    slope = (lambda g, z, x: g / (3 * z**2)) if compute is np.cbrt else (lambda g, z, x: g)
    kept = dict(RULES)
    try:
        own = bl.rule("own", compute, slope, kind="custom")
        x = bl.variable("x", [1.0, 8.0, 27.0])
        J = np.sum(own(x) ** 2)
        value, gradients = bl.compile(J)()
        np.testing.assert_allclose(value, bl.forward(J))
        np.testing.assert_allclose(gradients[x], bl.backward(J)[x])
    finally:
        RULES.clear()
        RULES.update(kept)


def test_an_unnamed_constant_without_a_value_is_said_to_have_none():
    w = bl.variable("w", [1.0, 2.0])
    with pytest.raises(bl.MissingValueError, match="without a value"):
        bl.compile(np.sum(w * bl.constant(None, shape=(2,))))
