"""Laws that hold for every shape, axis and type: values are NumPy's, derivatives those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes_of
from oracles import law, numerical_jacobian
from rule_cases import numbers

import backprop_lab as bl

few = settings(law, max_examples=60)
some_shapes = shapes_of.array_shapes(min_dims=1, max_dims=3, max_side=3)


@st.composite
def shapes_and_axes(draw):
    shape = draw(some_shapes)
    one = st.integers(-len(shape), len(shape) - 1)
    several = st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1).map(tuple)
    return shape, draw(st.one_of(st.none(), one, several)), draw(st.booleans())


def agrees(function, *arrays, rtol=1e-5):
    """Assert that value and gradients of a function on nodes are NumPy's and those of differences."""
    leaves = [bl.variable(f"x{i}", a) for i, a in enumerate(arrays)]
    z = function(*leaves)
    expected = function(*arrays)
    np.testing.assert_allclose(bl.forward(z), expected, rtol=1e-12)
    assert z.shape == np.shape(expected)
    upstream = numbers(*z.shape)
    gradients = bl.backward(z, seed=upstream)
    for place, leaf in enumerate(leaves):
        slopes = numerical_jacobian(function, *arrays, place=place).T @ upstream.reshape(-1)
        np.testing.assert_allclose(gradients[leaf].reshape(-1), slopes, rtol=rtol, atol=1e-6)


REDUCTIONS = [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std, bl.logsumexp]


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
@few
@given(shapes_and_axes())
def test_reductions_over_any_axes(function, chosen):
    shape, axis, keepdims = chosen
    x = numbers(*shape)
    if function is np.std and np.any(np.std(x, axis=axis) < 1e-6):
        return  # the deviation of a single number has a kink
    agrees(lambda x: function(x, axis=axis, keepdims=keepdims), x)


@few
@given(shape=some_shapes, data=st.data())
def test_norms_and_running_sums_along_any_axis(shape, data):
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    x = numbers(*shape)
    agrees(lambda x: np.cumsum(x, axis=axis), x)
    if axis is not None or len(shape) < 3:
        agrees(lambda x: np.linalg.norm(x, axis=axis), x)


@few
@given(shape=some_shapes, data=st.data())
def test_axes_in_any_order(shape, data):
    order = tuple(data.draw(st.permutations(range(len(shape)))))
    signed = tuple(a - len(shape) if data.draw(st.booleans()) else a for a in order)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    other = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(*shape)
    for function in (
        lambda x: np.transpose(x, signed),
        lambda x: np.moveaxis(x, axis, other),
        lambda x: np.swapaxes(x, axis, other),
        lambda x: np.expand_dims(x, axis),
        lambda x: np.flip(x, axis),
        lambda x: np.repeat(x, 2, axis=axis),
        lambda x: np.tile(x, (2, *order)) if 0 not in order else np.tile(x, 2),
        lambda x: np.stack([x, 2 * x], axis=axis),
        lambda x: np.concatenate([x, x * x], axis=axis),
        lambda x: bl.softmax(x, axis=axis),
        lambda x: bl.log_softmax(x, axis=axis),
    ):
        agrees(function, x)


@settings(law, max_examples=150)
@given(data=st.data(), shape=some_shapes)
def test_any_basic_index(data, shape):
    key = data.draw(shapes_of.basic_indices(shape, allow_newaxis=True))
    agrees(lambda x: x[key], numbers(*shape))


@settings(law, max_examples=80)
@given(data=st.data(), shape=some_shapes)
def test_any_index_by_arrays(data, shape):
    key = data.draw(
        shapes_of.integer_array_indices(shape, result_shape=shapes_of.array_shapes(max_dims=2, max_side=3))
    )
    agrees(lambda x: x[key], numbers(*shape))


@few
@given(
    shapes_of.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=1, max_side=3),
)
def test_matrix_products_of_any_stacks(found):
    agrees(lambda A, B: A @ B, *(numbers(*shape) for shape in found.input_shapes))


DTYPES = [np.float32, np.float64, np.int64, np.bool_]


@settings(law, max_examples=80)
@given(
    function=st.sampled_from([np.add, np.multiply, np.subtract, np.divide, np.maximum]),
    types=st.tuples(st.sampled_from(DTYPES), st.sampled_from(DTYPES)),
    shapes=shapes_of.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
    learned=st.tuples(st.booleans(), st.booleans()),
)
def test_floats_decide_the_precision_and_gradients_have_that_of_their_variable(
    function, types, shapes, learned
):
    leaves = []
    for i, (kind, shape, wanted) in enumerate(zip(types, shapes.input_shapes, learned, strict=True)):
        make = bl.variable if wanted else bl.constant
        leaves.append(make(f"x{i}", (np.abs(numbers(*shape)) * 3 + 1).astype(kind)))
    z = function(*leaves)
    floats = [leaf.dtype for leaf in leaves if leaf.dtype.kind == "f"]
    expected = np.result_type(*floats) if floats else np.float64
    assert z.dtype == bl.forward(z).dtype == expected
    exact = function(*(leaf.value.astype(float) for leaf in leaves))
    np.testing.assert_allclose(z.value, exact, rtol=1e-5)
    wanted = [leaf for leaf in leaves if leaf.needs_gradient]
    gradients = bl.backward(z, seed=np.ones(z.shape))
    assert list(gradients) == wanted
    for leaf, flow in zip(wanted, bl.gradient(z, wanted, seed=np.ones(z.shape)), strict=True):
        assert gradients[leaf].dtype == flow.dtype == bl.forward(flow).dtype == leaf.dtype
        np.testing.assert_allclose(bl.forward(flow), gradients[leaf], rtol=1e-5)
