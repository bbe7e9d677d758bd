"""Every operation: its value is NumPy's, its derivative the one that others find.

The table of cases in ``rule_cases.py`` is complete: a rule that none of them exercises makes a test fail.
"""

from inspect import getclosurevars, isfunction

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import agree_with_others, law, numerical_jacobian
from rule_cases import CASES, A, nodes, numbers, positive
from ways import agree_in_every_way

import backprop_lab as bl
from backprop_lab.graph.node import RULES
from backprop_lab.graph.operation import Rule
from backprop_lab.rules import elementwise, networks, primitives
from backprop_lab.rules.primitives import converted, sum_to
from backprop_lab.rules.vector_jacobian import vector_jacobian
from backprop_lab.words.notation import WRITTEN

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
SLOPES = {name: case for name, case in CASES.items() if case[0](*nodes(case[1:])).dtype != bool}
cases_with_a_slope = pytest.mark.parametrize("case", SLOPES.values(), ids=SLOPES.keys())


def all_rules():
    """Every rule of the table, with those of the functions that NumPy has no name for."""
    made = [value for module in (elementwise, networks, primitives) for value in vars(module).values()]
    closures = [getclosurevars(f).nonlocals.get("rule") for f in made if isfunction(f) and f.__closure__]
    return {rule for rule in [*RULES.values(), *made, *closures] if isinstance(rule, Rule)}


def test_every_rule_has_a_case():
    tried = {function(*nodes(arrays)).rule for function, *arrays in CASES.values()}
    # the first and last send nothing back; these have tests of their own below
    assert {rule.name for rule in all_rules() - tried} == {
        "rows_of",
        "converted",
        "stop_gradient",
    }


def test_an_operation_is_recognised_by_the_function_that_a_learner_calls():
    of_one = [bl.relu, bl.sigmoid, bl.softplus, bl.leaky_relu, bl.softmax, bl.log_softmax, bl.logsumexp]
    of_one += [bl.l2, bl.stop_gradient, np.tanh, np.sum, np.reshape, np.ravel, np.linalg.norm]
    x = bl.variable("x", numbers(3))
    for function in of_one:
        node = function(x, (3, 1)) if function is np.reshape else function(x)
        assert node.rule.function is function
    assert bl.cross_entropy(x, 1).rule.function is bl.cross_entropy
    assert bl.squared_error(x, 1.0).rule.function is bl.squared_error
    assert np.einsum("i,i->i", x, x).rule.function is np.einsum
    assert np.stack([x, x]).rule.function is np.stack


def test_only_operations_that_exist_have_a_line_in_the_table_of_writing():
    known = {rule.function for rule in all_rules()} | {np.stack, np.concatenate, np.einsum, bl.l2}
    assert known >= WRITTEN.keys()


@cases
def test_a_value_is_the_one_that_numpy_gives(case):
    function, *arrays = case
    z = function(*nodes(arrays))
    value = bl.forward(z)
    np.testing.assert_array_equal(value, function(*arrays))
    assert (z.shape, z.dtype) == (value.shape, value.dtype)


@cases
def test_a_gradient_is_the_one_of_finite_differences(case):
    function, *arrays = case
    leaves = nodes(arrays)
    z = function(*leaves)
    upstream = numbers(*z.shape)
    gradients = bl.backward(z, seed=upstream)
    for place, leaf in enumerate(leaves):
        jacobian = numerical_jacobian(function, *arrays, place=place)
        expected = (jacobian.T @ upstream.reshape(-1)).reshape(leaf.shape)
        np.testing.assert_allclose(gradients[leaf], expected, rtol=1e-6, atol=1e-7)


@cases_with_a_slope
def test_the_local_jacobian_is_the_one_of_finite_differences(case):
    function, *arrays = case
    z = function(*nodes(arrays))
    steps = bl.steps(z, seed=np.ones(z.shape))
    arrows = [step for step in steps if step.node is z and step.argument is not None]
    assert arrows
    for step in arrows:

        def moved(array, step=step):
            operands = list(step.operands)
            operands[step.place] = array
            return z.rule.compute(*operands, **z.parameters)

        expected = numerical_jacobian(moved, step.operands[step.place])
        if expected.size <= 36:
            np.testing.assert_allclose(step.local, expected, rtol=1e-6, atol=1e-7)
        else:
            assert step.local in ("diagonal", f"transpose of {z.rule.name}", "custom")


@cases
def test_a_rule_fed_nodes_builds_the_gradient_that_it_computes_when_fed_arrays(case):
    function, *arrays = case
    z = function(*nodes(arrays))
    value = bl.forward(z)
    upstream = numbers(*z.shape)
    g = bl.constant("g", upstream)
    for place, argument in enumerate(z.arguments):
        sends = z.rule.derivatives[place] is not None
        if sends and isinstance(argument, bl.Node) and argument.needs_gradient:
            flow = vector_jacobian(z, place, g, z, z.arguments)
            operands = [a.value if isinstance(a, bl.Node) else a for a in z.arguments]
            expected = vector_jacobian(z, place, upstream, value, operands)
            assert flow.shape == argument.shape
            np.testing.assert_allclose(bl.forward(flow), expected, rtol=1e-12)


@cases
def test_float32_stays_float32_in_values_and_gradients(case):
    function, *arrays = case
    small = nodes([np.asarray(array, np.float32) for array in arrays])
    z = function(*small)
    assert z.dtype in (np.float32, bool)
    assert bl.forward(z).dtype == z.dtype
    gradients = bl.backward(z, seed=np.ones(z.shape))
    assert {gradient.dtype for gradient in gradients.values()} == {np.dtype(np.float32)}
    assert {flow.dtype for flow in bl.gradient(z, small, seed=np.ones(z.shape))} == {np.dtype(np.float32)}
    exact = bl.backward(function(*nodes(arrays)), seed=np.ones(z.shape))
    for found, expected in zip(gradients.values(), exact.values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@cases_with_a_slope
def test_second_derivatives_are_those_of_finite_differences(case):
    function, *arrays = case
    leaves = nodes(arrays)
    z = function(*leaves)
    report = bl.check_gradient(np.sum(np.sin(z) * numbers(*z.shape)), wrt=leaves, second=True)
    assert report.ok, report


# ---------------------------------------------------------------------------------- matrix products

PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((2, 2, 3), (3,)),
    ((3,), (2, 3, 2)),
    ((2, 2, 3), (3, 2)),
    ((2, 3), (2, 3, 2)),
    ((2, 2, 3), (2, 3, 2)),
    ((1, 2, 3), (2, 3, 1)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((2, 1, 2, 3), (3,)),
    ((3,), (2, 1, 3, 2)),
]


@pytest.mark.parametrize(("first", "second"), PRODUCTS)
def test_a_matrix_product_has_the_right_gradients_in_every_form(first, second):
    arrays = [numbers(*first), numbers(*second)]
    agree_with_others(lambda lib, A, B: lib.np.sum(lib.np.sin(A @ B)), *arrays)


@pytest.mark.parametrize(("first", "second"), PRODUCTS)
def test_a_matrix_product_fed_nodes_gives_the_same_gradients_in_every_form(first, second):
    A, B = nodes([numbers(*first), numbers(*second)])
    z = A @ B
    upstream = numbers(*z.shape)
    gradients = bl.backward(z, seed=upstream)
    for place, leaf in enumerate((A, B)):
        flow = vector_jacobian(z, place, bl.constant("g", upstream), z, z.arguments)
        np.testing.assert_allclose(bl.forward(flow), gradients[leaf], rtol=1e-12)


def test_the_gradients_of_a_matrix_product_are_the_lectures():
    W, x = nodes([A, numbers(3)])
    upstream = numbers(2)
    gradients = bl.backward(W @ x, seed=upstream)
    np.testing.assert_allclose(gradients[W], np.outer(upstream, x.value))
    np.testing.assert_allclose(gradients[x], W.value.T @ upstream)


# ------------------------------------------------------------------------------------- broadcasting

BINARY = [np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum]


@st.composite
def broadcast_shapes(draw, count=2):
    """Shapes that NumPy broadcasts together: axes dropped in front, lengths replaced by 1."""
    full = draw(st.lists(st.integers(1, 3), max_size=3))
    shapes = []
    for _ in range(count):
        kept = full[draw(st.integers(0, len(full))) :]
        shapes.append(tuple(draw(st.sampled_from([1, n])) for n in kept))
    return shapes


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
@settings(law, max_examples=40)
@given(shapes=broadcast_shapes())
def test_broadcasting_forward_is_a_sum_backward(function, shapes):
    name = function.__name__
    arrays = [positive(*shapes[0]), numbers(*shapes[1])]
    agree_with_others(lambda lib, x, y: lib.np.sum(getattr(lib.np, name)(x, y)), *arrays)


@settings(law, max_examples=60)
@given(shapes=broadcast_shapes(count=3))
def test_where_sums_its_gradient_to_the_shape_of_each_branch(shapes):
    condition = numbers(*shapes[0]) > 0
    arrays = [numbers(*shapes[1]), numbers(*shapes[2])]

    def function(x, y):
        return np.where(condition, x, y)

    leaves = nodes(arrays)
    z = function(*leaves)
    gradients = bl.backward(z, seed=np.ones(z.shape))
    for place, leaf in enumerate(leaves):
        expected = numerical_jacobian(function, *arrays, place=place).sum(axis=0)
        np.testing.assert_allclose(gradients[leaf].reshape(-1), expected, atol=1e-8)


@settings(law, max_examples=60)
@given(shapes=broadcast_shapes())
def test_sum_to_undoes_a_broadcast(shapes):
    small, large = shapes[0], np.broadcast_shapes(*shapes)
    g = numbers(*large)
    found = sum_to(g, shape=small)
    # The transpose of broadcasting: <broadcast(v), g> = <v, sum_to(g)> for every v.
    v = numbers(*small)
    assert found.shape == small
    np.testing.assert_allclose(np.sum(np.broadcast_to(v, large) * g), np.sum(v * found))


@pytest.mark.parametrize("reps", [2, 0, (), (3,), (2, 1), (1, 2, 3), np.array([2, 2]), (2, 0, 1, 1)], ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3)])
def test_the_shape_of_copies_is_the_one_that_numpy_gives(shape, reps):
    x, array = bl.variable("x", shape=shape), np.zeros(shape)
    assert np.tile(x, reps).shape == np.tile(array, reps).shape
    for axis in (None, *range(-len(shape), len(shape))):
        assert np.repeat(x, 2, axis=axis).shape == np.repeat(array, 2, axis=axis).shape


def test_the_shape_of_copies_is_known_without_making_them():
    x = bl.variable("x", shape=(3,))
    assert np.tile(x, 10**15).shape == np.repeat(x, 10**15).shape == (3 * 10**15,)


@pytest.mark.parametrize("times", [-1, 10**30])
def test_copies_that_no_array_can_hold_are_refused(times):
    x = bl.variable("x", shape=(3,))
    for copies in (np.tile, np.repeat):
        with pytest.raises(ValueError, match=rf"np.{copies.__name__}\(x, .*: x has shape \(3,\): "):
            copies(x, times)


def test_a_repeated_index_sends_back_the_sum():
    x = bl.variable("x", [1.0, 2.0, 3.0])
    gradients = bl.backward(x[[0, 2, 0]], seed=[1.0, 10.0, 100.0])
    np.testing.assert_array_equal(gradients[x], [101, 0, 10])


# ------------------------------------------------------------------------------- kinks, ties, edges


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (bl.relu, 0),
        (abs, 0),
        (lambda x: np.maximum(x, 0), 0.5),
        (lambda x: np.minimum(0, x), 0.5),
        (lambda x: np.maximum(x, x), 1),
        (np.sign, 0),
    ],
    ids=["relu", "absolute", "maximum", "minimum", "maximum with itself", "sign"],
)
def test_the_derivative_at_the_kink_is_the_documented_one(function, slope):
    x = bl.variable("x", 0.0)
    assert bl.backward(function(x))[x] == slope


@pytest.mark.parametrize("function", [np.maximum, np.minimum])
def test_ties_share_equally(function):
    x, y = bl.variable("x", [1.0, 2.0, 3.0]), bl.variable("y", [3.0, 2.0, 1.0])
    gradients = bl.backward(function(x, y), seed=[8.0, 8.0, 8.0])
    assert gradients[x][1] == gradients[y][1] == 4
    np.testing.assert_array_equal(gradients[x] + gradients[y], [8, 8, 8])


@pytest.mark.parametrize(
    ("base", "exponent", "slope"),
    [(0.0, 0, 0), (0.0, 1, 1), (0.0, 2, 0), (-2.0, 3, 12), (-2.0, -1, -0.25), (-2.0, 2.0, -4)],
)
def test_a_power_of_zero_or_of_a_negative_number_has_its_slope(base, exponent, slope):
    for given_as in (int(exponent), float(exponent), np.array(exponent)):
        x = bl.variable("x", base)
        assert bl.backward(x**given_as, on_nonfinite="raise")[x] == slope


def test_zero_to_a_variable_power_sends_nothing_to_the_exponent():
    def powers(lib, x, y):
        return lib.np.sum(x**y)

    agree_with_others(powers, np.array([0.0, 0.0, 2.0]), np.array([2.0, 3.0, 2.0]))


def test_where_sends_exact_zeros_to_the_branch_not_taken():
    x = bl.variable("x", [-1.0, 4.0])
    y = np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0)
    gradients = bl.backward(y, seed=[1.0, 1.0], on_nonfinite="raise")
    np.testing.assert_array_equal(gradients[x], [0, 0.25])


def test_where_sends_nothing_to_its_condition():
    x, c = bl.variable("x", [1.0, 2.0]), bl.variable("c", [0.5, -0.5])
    gradients = bl.backward(np.sum(np.where(c > 0, x, -x)))
    np.testing.assert_array_equal(gradients[x], [1, -1])
    np.testing.assert_array_equal(gradients[c], [0, 0])


def test_the_sigmoid_is_exact_far_out():
    x = bl.variable("x", [-1000.0, -40.0, 0.0, 40.0, 1000.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = bl.sigmoid(x.value)
    np.testing.assert_allclose(value, [0, np.exp(-40), 0.5, 1, 1], rtol=1e-15)
    gradient = bl.backward(bl.sigmoid(x), seed=np.ones(5))[x]
    np.testing.assert_allclose(gradient, [0, np.exp(-40), 0.25, 0, 0], rtol=1e-15, atol=1e-300)


def test_functions_of_the_package_give_arrays_for_arrays():
    np.testing.assert_array_equal(bl.relu([-1.0, 2.0]), [0, 2])
    assert isinstance(bl.sigmoid(np.zeros(2)), np.ndarray)
    assert not isinstance(bl.relu(3.0), bl.Node)


def test_functions_of_the_package_make_one_node_that_carries_their_name():
    x = bl.variable("x", [1.0])
    z = bl.sigmoid(x)
    assert (z.rule.name, z.inputs, z.name) == ("sigmoid", (x,), "z")


def test_a_gradient_graph_has_the_precision_of_its_variable():
    x = bl.variable("x", np.array([0.5, -1.0], np.float32))
    flow = converted(bl.constant("g", [1.0, 2.0]) * x.value.astype(float), dtype=x.dtype)
    assert flow.dtype == bl.forward(flow).dtype == np.float32
    again = bl.gradient(np.sum(converted(x, dtype=np.dtype(np.float64)) ** 2), x)
    assert again.dtype == np.float32 and bl.forward(again).tolist() == [1.0, -2.0]


def test_nothing_flows_back_through_stop_gradient():
    w = bl.variable("w", [3.0, -1.0])
    stopped = bl.stop_gradient(w)
    assert bl.forward(stopped).tolist() == [3.0, -1.0]
    assert bl.backward(np.sum(w * stopped))[w].tolist() == [3.0, -1.0]
    assert bl.backward(np.sum(stopped))[w].tolist() == [0.0, 0.0]


def test_class_labels_and_rows_of_probabilities_give_the_same_cross_entropy():
    z = numbers(4, 3)
    labels = np.array([0, 2, 1, 2])
    rows = np.eye(3)[labels]
    np.testing.assert_allclose(bl.cross_entropy(z, labels), bl.cross_entropy(z, rows))
    np.testing.assert_allclose(networks.one_hot(labels, z), rows)
    expected = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(4), labels].mean()
    np.testing.assert_allclose(bl.cross_entropy(z, labels), expected)


def test_the_gradient_of_cross_entropy_is_p_minus_y_over_the_batch():
    z = bl.variable("z", numbers(4, 3))
    labels = np.array([0, 2, 1, 2])
    gradient = bl.backward(bl.cross_entropy(z, bl.constant("labels", labels)))[z]
    np.testing.assert_allclose(gradient, (bl.softmax(z.value) - np.eye(3)[labels]) / 4)


def test_labels_that_do_not_fit_are_refused_in_words():
    z = bl.variable("z", numbers(2, 3))
    with pytest.raises(TypeError, match="class labels are integers"):
        bl.cross_entropy(z, [0.0, 1.0])
    with pytest.raises(ValueError, match="shape"):
        bl.cross_entropy(z, [0, 1, 2])
    with pytest.raises(ValueError, match="label 3 does not exist among 3 classes"):
        bl.forward(bl.cross_entropy(z, [0, 3]))
    with pytest.raises(ValueError, match="label -1 does not exist"):
        bl.forward(bl.cross_entropy(z, [-1, 0]))


def test_no_exponential_overflows():
    far = np.array([-1000.0, 0.0, 1000.0])
    with np.errstate(all="raise", under="ignore"):
        assert bl.softmax(far).tolist() == [0.0, 0.0, 1.0]
        assert bl.log_softmax(far).tolist() == [-2000.0, -1000.0, 0.0]
        assert bl.logsumexp(far) == 1000.0
        assert bl.softplus(far).tolist() == [0.0, np.log(2), 1000.0]
        assert bl.sigmoid(far).tolist() == [0.0, 0.5, 1.0]


def test_the_conventions_at_edges():
    constant = bl.variable("c", [2.0, 2.0, 2.0])
    assert bl.backward(np.std(constant))[constant].tolist() == [0.0, 0.0, 0.0]
    zeros = bl.variable("z", [0.0, 0.0, 3.0])
    assert bl.backward(np.prod(zeros))[zeros].tolist() == [0.0, 0.0, 0.0]
    tied = bl.variable("t", [1.0, 4.0, 4.0])
    assert bl.backward(np.max(tied))[tied].tolist() == [0.0, 0.5, 0.5]
    edge = bl.variable("e", [-1.0, 0.0, 1.0])
    assert bl.backward(np.sum(np.clip(edge, -1, 1)))[edge].tolist() == [1.0, 1.0, 1.0]
    assert bl.backward(np.sum(bl.leaky_relu(edge)))[edge].tolist() == [0.01, 0.01, 1.0]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 3, 7, 10, 49])
@pytest.mark.parametrize("entry", [0.1, 0.3, 100.1])
def test_the_deviation_of_equal_numbers_sends_nothing_back_however_their_mean_is_rounded(kind, n, entry):
    x = bl.variable("x", np.full((2, n), entry, kind))
    for J in (np.std(x), np.sum(np.std(x, axis=1)), np.sum(np.std(x, axis=(0, 1), keepdims=True))):
        _, gradients = agree_in_every_way(J, precision=1e-6)
        np.testing.assert_allclose(gradients["x"], 0, atol=1e-9)


@pytest.mark.parametrize("function", [np.std, np.var])
@pytest.mark.parametrize("far", [0.0, 1e8, -1e12])
def test_what_a_deviation_sends_back_sums_to_zero(function, far):
    x = bl.variable("x", far + numbers(3, 4))
    gradient = bl.backward(np.sum(function(x, axis=1)))[x]
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)


BYTES = np.array([1, 2, 200], np.uint8)


@pytest.mark.parametrize(
    "function",
    [bl.relu, bl.sigmoid, bl.softplus, bl.softmax, bl.log_softmax, bl.logsumexp, bl.l2, bl.stop_gradient],
)
def test_functions_of_the_package_read_bytes_as_the_numbers_they_are(function):
    np.testing.assert_array_equal(function(BYTES), function(BYTES.astype(float)))
    np.testing.assert_array_equal(function(BYTES), bl.forward(function(bl.constant("x", BYTES))))


def test_costs_of_arrays_read_bytes_as_the_numbers_they_are():
    labels = np.array([1], np.uint8)
    assert bl.cross_entropy(BYTES[None], labels) == bl.cross_entropy(BYTES[None].astype(float), labels)
    assert bl.squared_error(np.uint8([3]), np.uint8([5])) == 4


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2), -1])
@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_the_slopes_of_a_product_are_those_of_hips_autograd_and_right_at_zeros(axis, zeros):
    x = numbers(3, 4, 5)
    x.reshape(-1)[:zeros] = 0
    X = bl.variable("X", x)
    J = np.sum(np.prod(X, axis=axis) ** 2)
    if not zeros:
        right = autograd.grad(lambda x: anp.sum(anp.prod(x, axis=axis) ** 2))(x)
        np.testing.assert_allclose(bl.backward(J)[X], right, rtol=1e-10)
    assert bl.check_gradient(J, second=axis is not None).ok


@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0,)])
def test_products_over_nothing_are_one_and_send_nothing_back(shape):
    X = bl.variable("X", np.ones(shape))
    assert bl.backward(np.sum(np.prod(X, axis=-1)))[X].shape == shape


def test_the_slopes_of_a_long_product_take_little_memory():
    X = bl.variable("X", np.ones(100_000))  # all pairs of entries would take 80 GB
    np.testing.assert_array_equal(bl.backward(np.prod(X))[X], 1)


def test_arrays_joined_without_an_axis_are_laid_flat():
    A, B = bl.variable("A", numbers(2, 3)), bl.variable("B", numbers(4))
    joined = np.concatenate([A, B], axis=None)
    np.testing.assert_array_equal(bl.forward(joined), np.concatenate([A.value, B.value], axis=None))
    assert bl.check_gradient(np.sum(joined**3)).ok


def test_clip_between_bounds_that_crossed_sends_all_to_the_upper_one():
    x, low, high = (bl.variable(n, v) for n, v in [("x", [0.0, 0.5, 3.0]), ("low", 2.0), ("high", 1.0)])
    J = np.sum(np.clip(x, low, high) ** 2)
    assert bl.check_gradient(J).ok and bl.backward(J)[high] == 6


def test_bounds_of_clip_are_called_as_in_numpy():
    x = bl.variable("x", [-1.0, 0.5, 3.0])
    np.testing.assert_array_equal(bl.forward(np.clip(x, a_min=0, a_max=1)), [0, 0.5, 1])
