"""An operation is explained by what it is: the names of the reader's own operations mean nothing to us."""

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.exercises.bugs import BUGS, wrong_steps
from backprop_lab.exercises.confusions import likely_confusions
from backprop_lab.exercises.predict import questions, surprise
from backprop_lab.graph.node import RULES

NAMES = [
    "relu", "leaky_relu", "sigmoid", "softplus", "softmax", "tanh", "add", "positive", "multiply", "matmul",
    "square", "power", "mean", "maximum", "minimum", "log", "divide", "sqrt", "stack",
]  # fmt: skip
NEUTRAL = "neutral"  # a name that no function has

KINDS = {
    "of one argument": lambda name: bl.rule(name, lambda x: x * x, lambda z, x: 2 * x),
    "of two arguments": lambda name: bl.rule(name, lambda x, y: x * y, lambda z, x, y: y, lambda z, x, y: x),
    "custom": lambda name: bl.rule(name, lambda x: 2 * x, lambda g, z, x: 2 * g, kind="custom"),
    "custom, to a number": lambda name: bl.rule(
        name, lambda x: x.sum(), lambda g, z, x: g * np.broadcast_to(1, np.shape(x)), kind="custom"
    ),
}


def graph(kind, name):
    """A graph in which the operation's slopes, signs and shapes all matter."""
    operation = KINDS[kind](name)
    operands = [bl.variable("x", [3.0, -1.0]), bl.variable("y", 2.0)]
    if kind != "of two arguments":
        del operands[1]
    return np.sum(operation(*operands)) * 3


def explanations(J):
    """All that a learner may read about J's steps."""
    steps = bl.steps(J)
    texts = [confusion.meaning for step in steps for confusion in likely_confusions(step)]
    for asked in questions(steps).values():
        texts += [asked["question"], asked["why"], asked["hint"], *(wrong["why"] for wrong in asked["wrong"])]
    return texts + [str(step) for bug in BUGS for step in wrong_steps(J, bug)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_own_operation_is_explained_in_the_same_words_whatever_its_name(kind, name):
    plain = [text.replace(f"{NEUTRAL}(", f"{name}(") for text in explanations(graph(kind, NEUTRAL))]
    assert explanations(graph(kind, name)) == plain


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_own_operation_can_be_stepped_through_whatever_its_name(kind, name):
    assert len(bl.step_through(graph(kind, name), predict=True).steps) > 0


OF_NUMPY = {
    np.square: (
        lambda x: np.square(x),
        "The exponent in front is lost",
        "power",
        {"derivatives": [lambda z, x: 2 * x]},
    ),
    np.power: (
        lambda x: x**3,
        "The exponent in front is lost",
        "power",
        {"derivatives": [lambda z, x, y: y * x ** (y - 1), None]},
    ),
    np.multiply: (
        lambda x: x * bl.variable("y", [4.0, 3.0]),
        "A product swaps",
        "product",
        {"derivatives": [lambda z, x, y: y, lambda z, x, y: x]},
    ),
    np.maximum: (
        lambda x: np.maximum(x, 1),
        "The gradient goes only to the max, not to both",
        "max",
        {"derivatives": [lambda z, x, y: 1.0 * (x > y), lambda z, x, y: 1.0 * (y > x)]},
    ),
    np.minimum: (
        lambda x: np.minimum(x, 1),
        "The gradient goes only to the min, not to both",
        "max",
        {"derivatives": [lambda z, x, y: 1.0 * (x < y), lambda z, x, y: 1.0 * (y < x)]},
    ),
    np.mean: (
        lambda x: np.mean(x),
        "of the mean is lost",
        "mean",
        {"derivatives": [lambda g, z, x: np.broadcast_to(g / np.size(x), np.shape(x))], "kind": "custom"},
    ),
    np.matmul: (
        lambda x: bl.constant("W", [[1.0, 2.0], [5.0, 3.0]]) @ x,
        "The transpose is missing",
        "matrix",
        {"derivatives": [None, lambda g, z, x, y: x.T @ g], "kind": "linear"},
    ),
}


@pytest.mark.parametrize("declared_anew", [False, True])
@pytest.mark.parametrize("function", OF_NUMPY)
def test_a_function_of_numpys_is_explained_as_itself_also_when_declared_anew(
    function, declared_anew, monkeypatch
):
    write, meaning, kind, declaration = OF_NUMPY[function]
    if declared_anew:
        monkeypatch.setitem(RULES, function, RULES[function])  # which puts it back afterwards
        how = dict(declaration)
        bl.rule("anything", function, *how.pop("derivatives"), **how)
    x = bl.variable("x", [5.0, -2.0])
    step = next(s for s in bl.steps(np.sum(write(x)) * 3) if s.receiver is x)
    assert step.node.rule.function is function
    assert any(meaning in confusion.meaning for confusion in likely_confusions(step))
    assert surprise(step) == kind


def test_relu_is_explained_as_a_gate_and_a_product_of_two_vectors_as_a_product():
    x, y = bl.variable("x", [5.0, -2.0]), bl.variable("y", [1.0, 4.0])
    for J, meaning, kind in (
        (np.sum(bl.relu(x)) * 3, "The gate is closed where x ≤ 0", "gate"),
        ((x @ y) * 3, "A product swaps", "product"),
    ):
        step = next(s for s in bl.steps(J) if s.receiver is x)
        assert any(meaning in confusion.meaning for confusion in likely_confusions(step))
        assert surprise(step) == kind
