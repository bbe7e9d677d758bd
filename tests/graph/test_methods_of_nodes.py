"""A node has the methods of an array; conditions are joined as in NumPy; other libraries are asked."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rule_cases import numbers

import backprop_lab as bl

METHODS = {
    "sum": lambda a: (a.sum(), a.sum(0), a.sum(axis=(0, 1)), a.sum(1, keepdims=True), a.sum(axis=-1)),
    "mean": lambda a: (a.mean(), a.mean(0), a.mean(axis=1, keepdims=True)),
    "prod": lambda a: (a.prod(), a.prod(0), a.prod(axis=1, keepdims=True)),
    "max": lambda a: (a.max(), a.max(0), a.max(axis=1, keepdims=True)),
    "min": lambda a: (a.min(), a.min(0), a.min(axis=1, keepdims=True)),
    "var": lambda a: (a.var(), a.var(0), a.var(axis=1, keepdims=True)),
    "std": lambda a: (a.std(), a.std(0), a.std(axis=1, keepdims=True)),
    "cumsum": lambda a: (a.cumsum(), a.cumsum(0), a.cumsum(axis=1)),
    "clip": lambda a: (a.clip(-0.5, 0.5), a.clip(0), a.clip(max=0.3), a.clip(min=-0.3), a.clip(None, 0.2)),
    "dot": lambda a: (a.dot(a.T), a.dot(np.ones(3)), a[0].dot(a[1]), a.dot(2.0)),
    "trace": lambda a: (a.trace(),),
    "ravel": lambda a: (a.ravel(),),
    "flatten": lambda a: (a.flatten(),),
    "reshape": lambda a: (a.reshape(3, 2), a.reshape((6,)), a.reshape(-1), a.reshape([1, 6])),
    "squeeze": lambda a: (a[:1].squeeze(), a[:1].squeeze(0), a[:1].squeeze(axis=0)),
    "swapaxes": lambda a: (a.swapaxes(0, 1), a.swapaxes(-1, 0)),
    "transpose": lambda a: (a.transpose(), a.transpose(1, 0), a.transpose((1, 0))),
    "repeat": lambda a: (a.repeat(2), a.repeat(2, 0), a.repeat(repeats=3, axis=1)),
    "astype": lambda a: (a.astype(float), a.astype(np.float32), (a > 0).astype(float), a.astype("f8")),
    "T, mT": lambda a: (a.T, a.mT, a[None].mT),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_what_the_arrays_method_gives(name):
    array = numbers(2, 3)
    x = bl.variable("x", array)
    for z, right in zip(METHODS[name](x), METHODS[name](array), strict=True):
        assert (z.shape, z.dtype) == (np.shape(right), right.dtype)
        np.testing.assert_array_equal(bl.forward(z), right)


def test_a_method_gives_its_node_the_readers_name():
    x = bl.variable("x", numbers(2, 3))
    spread = x.std(axis=0)
    assert spread.name == "spread" and spread.rule.function is np.std


def test_what_a_method_does_not_support_is_refused_by_name():
    x = bl.variable("x", numbers(2, 3))
    for mistake, said in [
        (lambda: x.sum(dtype=float), "sum of a node: dtype= is not supported"),
        (lambda: x.std(out=np.zeros(())), "std of a node: out= is not supported"),
        (lambda: x.reshape(3, 2, order="F"), "reshape of a node: order= is not supported"),
        (lambda: x.flatten("F"), "ravel of a node: order= is not supported"),
        (lambda: x.astype(int), "not to int64; write x != 0 for a condition"),
        (lambda: x.astype(bool), "not to bool"),
        (lambda: x.astype(np.longdouble), "astype of a node: to np.float64"),
    ]:
        with pytest.raises(TypeError, match=re.escape(said)):
            mistake()


@pytest.mark.parametrize("name", [name for name in dir(np.ndarray) if not name.startswith("_")])
def test_every_method_of_an_array_is_there_or_says_what_to_write(name):
    x = bl.variable("x", numbers(2, 3))
    if not hasattr(x, name):
        with pytest.raises(AttributeError) as raised:
            getattr(x, name)
        said = str(raised.value)
        assert said.startswith(f"x.{name}: ")
        assert ".value" in said or "; write " in said or "bl.rule(" in said
        assert getattr(x, name, "missing") == "missing"


def test_what_is_no_attribute_of_an_array_either_is_an_attribute_error_as_for_any_object():
    x = bl.variable("x", numbers(2, 3))
    with pytest.raises(AttributeError, match="'Node' object has no attribute 'maen'"):
        _ = x.maen


def test_what_a_node_lists_it_has():
    x = bl.variable("x", numbers(2, 3))
    assert {"std", "flatten", "mT"} < set(dir(x))
    assert all(hasattr(x, name) for name in dir(x))
    assert not hasattr(bl.Node, "argmax")


# --------------------------------------------------------------------------------------- conditions


def test_conditions_are_joined_as_in_numpy_and_choose():
    array = np.array([0.1, 0.5, 0.9])
    x = bl.variable("x", array)
    for condition in (
        lambda x: (x > 0.2) & (x < 0.8),
        lambda x: (x < 0.2) | (x > 0.8),
        lambda x: (x > 0.2) ^ (x > 0.8),
        lambda x: ~(x > 0.2),
        lambda x: True & (x > 0.2),
        lambda x: np.array([True, False, True]) | (x > 0.7),
        lambda x: (x > 0.2) & np.True_,
        lambda x: np.logical_and(x > 0.2, x < 0.8),
        lambda x: np.logical_or(x > 0.2, [True, False, False]),
        lambda x: np.logical_not(x > 0.2) & np.logical_xor(x > 0.2, x < 0.8),
    ):
        node, right = condition(x), condition(array)
        assert node.dtype == bool and not node.needs_gradient
        np.testing.assert_array_equal(bl.forward(node), right)
        for J in (np.sum(np.where(node, x**2, 0)), np.sum(node * x**2)):
            gradient = np.where(right, 2 * array, 0)
            program = bl.compile(J)
            scope: dict = {}
            exec(program.source, scope)
            found = [
                bl.backward(J)[x],
                program()[1][x],
                bl.compile(J, xp=np)()[1]["x"],
                scope["program"](**program.inputs)[1],
                bl.forward(bl.gradient(J, x)),
            ]
            np.testing.assert_allclose(found, [gradient] * 5)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda x: x & (x > 0), "x & (x > 0)) joins conditions, and x is float64"),
        (lambda x: (x > 0) & 1, "joins conditions, and 1 is int64"),
        (lambda x: (x > 0) | bl.constant("c", [1, 0, 1]), "joins conditions, and c is int64"),
        (lambda x: ~x, "~x joins conditions, and x is float64"),
        (lambda x: x > 0.2 & x, "joins conditions, and 0.2 is float64; put each comparison in brackets"),
    ],
)
def test_numbers_are_no_conditions(mistake, said):
    with pytest.raises(bl.NotAnArrayError, match=re.escape(said)):
        mistake(bl.variable("x", [0.1, 0.5, 0.9]))


def test_a_joined_condition_reads_like_one():
    x = bl.variable("x", [0.1, 0.5, 0.9])
    inside = (x > 0.2) & (x < 0.8)
    assert repr(inside).startswith("<inside = [x > 0.2] ∧ [x < 0.8], ")
    assert repr(~(x > 0.2)).startswith("<¬[x > 0.2], ")
    assert repr(np.where((x > 0.2) | (x < 0.1), x, 0)).startswith("<(x if [x > 0.2] ∨ [x < 0.1], else 0), ")


# -------------------------------------------------------------------------------- other libraries


class Refusing:
    """An object that wants no ufuncs and answers operators itself."""

    __array_ufunc__ = None

    def _answer(self, other):
        return "asked"

    __radd__ = __rmul__ = __rmatmul__ = __rand__ = __add__ = __rpow__ = _answer
    __lt__ = __gt__ = __eq__ = _answer
    __hash__ = None


class Knowing:
    """An object of another library with functions of its own."""

    def __array_ufunc__(self, ufunc, method, *operands, **keywords):
        return f"{ufunc.__name__} asked"

    def __array_function__(self, function, types, arguments, keywords):
        return f"{function.__name__} asked"

    def __radd__(self, other):
        return "asked"


def test_an_object_that_refuses_ufuncs_is_asked_as_an_array_would_ask_it():
    x, other = bl.variable("x", [1.0, 2.0]), Refusing()
    for left in (x, x.value):
        assert left + other == left * other == left @ other == left**other == "asked"
        assert (left > other) == (left == other) == (other + left) == "asked"
        with pytest.raises(TypeError):
            np.add(left, other)
        with pytest.raises(TypeError):
            left - other
    assert (x > 0) & other == "asked"


def test_an_object_with_functions_of_its_own_is_asked():
    x, other = bl.variable("x", [1.0, 2.0]), Knowing()
    assert np.add(x, other) == np.add(other, x) == "add asked"
    assert x + other == "asked"
    assert np.concatenate([x, other]) == "concatenate asked"
    assert np.where(x > 0, x, other) == "where asked"


def test_what_is_no_array_and_knows_no_protocol_is_still_refused_in_words():
    x = bl.variable("x", [1.0, 2.0])
    for mistake in (lambda: x + object(), lambda: np.add(object(), x), lambda: x & None):
        with pytest.raises(bl.NotAnArrayError, match="expected real numbers, was given Python objects"):
            mistake()
