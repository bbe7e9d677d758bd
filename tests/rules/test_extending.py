"""``bl.rule``: functions of NumPy's and of the reader's own become operations like any other."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import numerical_jacobian
from rule_cases import numbers, positive

import backprop_lab as bl

A = numbers(3, 3) + 4 * np.eye(3)
SPREAD = A @ A.T


pytestmark = pytest.mark.usefixtures("table_as_it_was")


# name: (NumPy's function, its derivatives, arrays)
REFUSING = {
    "np.linalg.inv": (np.linalg.inv, [lambda g, z, x: -z.T @ g @ z.T], [A]),
    "np.linalg.det": (np.linalg.det, [lambda g, z, x: g * z * np.linalg.inv(x).T], [A]),
    "np.linalg.solve": (
        np.linalg.solve,
        [
            lambda g, z, x, b: -np.outer(np.linalg.inv(x).T @ g, z),
            lambda g, z, x, b: np.linalg.inv(x).T @ g,
        ],
        [A, numbers(3)],
    ),
}


@pytest.mark.parametrize("name", REFUSING)
def test_a_function_that_refuses_some_values_becomes_an_operation_in_all_ways_of_running(name):
    function, derivatives, arrays = REFUSING[name]
    bl.rule("inv", np.linalg.inv, REFUSING["np.linalg.inv"][1][0], kind="custom")
    bl.rule(function.__name__, function, *derivatives, kind="custom")
    leaves = [bl.variable(f"x{i}", array) for i, array in enumerate(arrays)]
    z = function(*leaves)
    assert z.shape == function(*arrays).shape
    J = np.sum(z**2)
    gradients = bl.backward(J)
    program = bl.compile(J)
    scope: dict = {}
    exec(program.source, scope)
    assert f"{name}(" in program.source
    value, flat = scope["program"](**program.inputs)
    elsewhere, slopes = bl.compile(J, xp=np)()
    np.testing.assert_allclose([value, elsewhere, program()[0]], [np.sum(function(*arrays) ** 2)] * 3)
    for i, leaf in enumerate(leaves):
        right = numerical_jacobian(lambda *a: np.sum(function(*a) ** 2), *arrays, place=i).reshape(leaf.shape)
        in_text = program.parameters.parts(flat)[leaf]
        for found in (gradients[leaf], program()[1][leaf], slopes[leaf.name], in_text):
            np.testing.assert_allclose(found, right, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(bl.forward(bl.gradient(J, leaf)), right, rtol=1e-6, atol=1e-8)


def test_the_shape_of_an_operation_is_found_whatever_values_it_refuses():
    def of_positive(x):
        if not np.all(x > 0):
            raise ValueError("a logarithm of what is not positive")
        return np.sum(np.log(x))

    def of_weights(x):
        if not np.allclose(x.sum(), 0):
            raise ValueError("weights that cancel")
        return x[:-1]

    def of_labels(x, labels):
        return x[np.arange(len(labels)), labels]

    def back(g, z, x, *others):
        return 0 * x

    x, X = bl.variable("x", positive(3)), bl.variable("X", numbers(4, 3))
    assert bl.rule("total", of_positive, back, kind="custom")(x).shape == ()
    assert bl.rule("part", of_weights, back, kind="custom")(x).shape == (2,)
    assert bl.rule("pick", of_labels, back, None, kind="custom")(X, np.array([0, 2, 1, 1])).shape == (4,)
    bl.rule("factor", np.linalg.cholesky, back, kind="custom")
    assert np.linalg.cholesky(bl.variable("S", SPREAD)).shape == (3, 3)
    assert np.linalg.cholesky(bl.variable("S", [SPREAD, SPREAD])).shape == (2, 3, 3)


def test_what_an_operation_refuses_for_all_values_is_a_mistake_at_the_readers_line():
    bl.rule("inv", np.linalg.inv, lambda g, z, x: g, kind="custom")
    with pytest.raises(
        bl.ShapeError, match=r"inv\(W\): W has shape \(2, 3\): .*square.* give the rule shape="
    ):
        np.linalg.inv(bl.variable("W", numbers(2, 3)))
    misspelt = bl.rule("misspelt", lambda x: nunpy.sum(x), lambda g, z, x: g, kind="custom")  # noqa: F821
    with pytest.raises(NameError, match="nunpy"):
        misspelt(bl.variable("x", 1.0))


def test_a_function_is_called_by_the_module_of_numpys_that_it_lives_in():
    windows, none = np.lib.stride_tricks.sliding_window_view, {"window_shape": None}
    bl.rule("windows", windows, lambda g, z, x, window_shape: g, kind="linear", parameters=none)
    x, w = bl.constant("x", numbers(4)), bl.variable("w", numbers(3))
    program = bl.compile(np.sum(windows(x, window_shape=3) @ w))
    assert "np.lib.stride_tricks.sliding_window_view(x, window_shape=3)" in program.source
    scope: dict = {}
    exec(program.source, scope)
    np.testing.assert_allclose(scope["program"](**program.inputs)[0], program()[0])
