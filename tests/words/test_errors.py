"""Mistakes: each has its own message, at the line that made it, and nothing is left half done."""
# ruff: noqa: RUF005 (a list added to a node is no concatenation)

import copy
import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law
from samples import lecture_network

import backprop_lab as bl
from backprop_lab.exercises.confusions import likely_confusions
from backprop_lab.graph.order import topological_order
from backprop_lab.words import notation

x = bl.variable("x", [1.0, 2.0, 3.0])
W = bl.variable("W", np.ones((3, 2)))
labels = bl.constant("labels", [0, 1])


def message_of(kind, mistake: Callable) -> str:
    """What the mistake's error says; the error must be of this kind."""
    with pytest.raises(kind) as raised:
        mistake()
    return str(raised.value)


def test_our_errors_are_value_errors_and_type_errors():
    assert issubclass(bl.ShapeError, ValueError)
    assert issubclass(bl.MissingValueError, ValueError)
    assert issubclass(bl.NonFiniteError, ValueError)
    assert issubclass(bl.NotAnArrayError, TypeError)


# ------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            lambda: W @ x,
            "W @ x: W has shape (3, 2), x has shape (3,): 2 does not match 3",
        ),
        (
            lambda: x + W,
            "x + W: x has shape (3,), W has shape (3, 2): 3 does not match 2",
        ),
        (
            lambda: np.ones(2) @ W,
            "(1, 1) @ W: (1, 1) has shape (2,), W has shape (3, 2): 2 does not match 3",
        ),
        (
            lambda: (x - 1) * np.ones(2),
            "(x - 1) * (1, 1): x - 1 has shape (3,), (1, 1) has shape (2,): 3 does not match 2",
        ),
        (lambda: x @ 2, "x @ 2: x has shape (3,): @ multiplies matrices and vectors"),
        (lambda: np.reshape(x, (2, 2)), "np.reshape(x, (2, 2)): x has shape (3,): 3 numbers do not"),
        (lambda: x.reshape(2, -1), "3 numbers do not fill shape (2, -1)"),
        (lambda: np.sum(x, axis=1), "np.sum(x, axis=1): x has shape (3,): axis 1 does not exist"),
        (lambda: W.mean(axis=(0, -2)), "axis=(0, -2) names an axis twice"),
        (lambda: np.transpose(W, (0, 2)), "axis 2 does not exist among 2"),
        (lambda: np.transpose(W, (0, 0)), "axis=(0, 0) names an axis twice"),
        (lambda: np.transpose(W, (1,)), "axes=(1,) are not all of the 2 axes"),
        (
            lambda: np.swapaxes(W, 0, 5),
            "np.swapaxes(W, 0, 5): W has shape (3, 2): axis2: axis 5 is out of bounds",
        ),
        (lambda: np.broadcast_to(W, (4, 2)), "3 does not match 4"),
        (lambda: np.broadcast_to(W, (2,)), "(3, 2)"),
        (lambda: np.where(x > 0, x, W), "3 does not match 2"),
        (lambda: np.where(x[0] > 0, x, W), "3 does not match 2"),
        (lambda: x[3], "x[3]: x has shape (3,): index 3 is out of bounds"),
        (lambda: x[0, 0], "too many indices"),
        (lambda: bl.variable("w", shape=(2, -1)), "shape=(2, -1) has a negative length"),
    ],
)
def test_shapes_that_do_not_fit_are_named_at_once(mistake, message):
    assert message in message_of(bl.ShapeError, mistake)


def test_a_refused_expression_leaves_no_trace():
    w = bl.variable("w", [1.0, 2.0])
    with pytest.raises(bl.ShapeError) as raised:
        w + x
    assert raised.value.__suppress_context__
    assert not w._consumers


def test_a_value_of_the_wrong_shape_is_refused():
    message = message_of(bl.ShapeError, lambda: setattr(x, "value", [1.0, 2.0]))
    assert "x has shape (3,), the new value has shape (2,); a leaf keeps its shape" in message
    np.testing.assert_array_equal(x.value, [1, 2, 3])


def test_a_cost_that_is_not_a_single_number_is_refused():
    for passing in (bl.backward, bl.steps):
        y = x * 2
        message = message_of(bl.ShapeError, lambda passing=passing, y=y: passing(y))
        assert "y has shape (3,) and the seed has shape ()" in message
        assert "take np.sum or np.mean of y, or give a seed of shape (3,)" in message
        assert y.value is None


def test_a_seed_of_the_wrong_shape_or_kind_is_refused():
    assert "seed has shape (2,)" in message_of(bl.ShapeError, lambda: bl.backward(x * 2, seed=[1, 1]))
    assert "expected real numbers" in message_of(
        bl.NotAnArrayError, lambda: bl.backward(np.sum(x), seed="one")
    )


# --------------------------------------------------------------------- where only an array would do


@pytest.mark.parametrize(
    ("mistake", "use"),
    [
        (lambda: 1 if x > 0 else 2, "decide an if"),
        (lambda: 0 < x < 1, "decide an if, a while, an and, or a comparison chain"),
        (lambda: x > 0 and x < 1, "decide an if, a while, an and"),
        (lambda: not x, "decide an if"),
        (lambda: x in [x + 1], "decide an if"),
        (lambda: sorted([x[0], x[1]]), "decide an if"),
        (lambda: max(x[0], x[1]), "decide an if"),
        (lambda: float(x[0]), "become a float"),
        (lambda: math.sqrt(x[0]), "become a float"),
        (lambda: int(x[0]), "become an int"),
        (lambda: complex(x[0]), "become a complex number"),
        (lambda: range(x[0]), "be an index or a count"),
        (lambda: [1, 2, 3][x[0]], "be an index or a count"),
    ],
)
def test_a_node_decides_nothing_and_becomes_no_number(mistake, use):
    message = message_of(bl.NotAnArrayError, mistake)
    assert f"is a node and may have no value yet, so it cannot {use}" in message
    assert "use .value after bl.forward, or np.where / np.maximum inside the graph" in message


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: np.array([x, x]),
        lambda: np.array(x),
        lambda: np.asarray(x[0]),
        lambda: np.sum([x, x]),
        lambda: np.mean([x[0], 1.0]),
        lambda: np.ones(3) * [x, x, x],
        lambda: np.ones(1) * [x[0]],
        lambda: np.ones(3) + [x],
        lambda: x + [x],
        lambda: [x[0], 2.0, 3.0] * x,
        lambda: np.tanh([x]),
        lambda: bl.variable("v", [x, x]),
        lambda: bl.relu([x]),
        lambda: np.zeros(3)[x[0]],
    ],
)
def test_lists_of_nodes_are_no_arrays(mistake):
    message = message_of(bl.NotAnArrayError, mistake)
    assert "is a node, not an array" in message
    assert "use np.stack([a, b])" in message


def test_a_list_of_numbers_is_an_operand_like_an_array():
    for y in (x + [1, 2, 3], [1, 2, 3] + x, x * (1, 2, 3)):
        assert y.shape == (3,)
    np.testing.assert_array_equal(bl.forward([1, 2, 3] + x), [2, 4, 6])


def assign(target, key, value):
    target[key] = value


def add_in_place(target, value):
    target += value


def test_the_entries_of_a_node_cannot_be_assigned():
    message = message_of(bl.NotAnArrayError, lambda: assign(x, 0, 5.0))
    assert "x[…] = …: a node's entries cannot be assigned" in message
    assert "np.where or np.stack, or set .value" in message


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: np.add(x, 1, out=np.zeros(3)),
        lambda: np.add(np.ones(3), 1, out=x),
        lambda: add_in_place(np.ones(3), x),
        lambda: np.multiply(x, x, np.zeros(3)),
    ],
)
def test_a_node_is_never_written_into_an_array(mistake):
    message = message_of(bl.NotAnArrayError, mistake)
    assert "a node has no numbers to write yet; write y = a + b instead of a += b" in message


def test_a_node_cannot_be_stored_in_an_arrays_entry():
    for node in (x, x[0]):
        with pytest.raises((TypeError, ValueError)) as raised:
            assign(np.zeros(3), 0, node)
        reasons = f"{raised.value} {raised.value.__cause__}"
        assert "is a node" in reasons


def test_a_computed_value_cannot_be_set():
    y = x * 2
    message = message_of(bl.NotAnArrayError, lambda: setattr(y, "value", np.ones(3)))
    assert message == "y is computed, so its value cannot be set; give its leaves new values instead"


@pytest.mark.parametrize(
    ("attribute", "new", "instead"),
    [
        ("shape", (3, 1), r"make another node of it: x\.reshape\(…\)"),
        (
            "dtype",
            np.float32,
            r"make a leaf of numbers of that type: bl\.variable\(\"x\", np\.float32\(…\)\)",
        ),
        ("name", "X", r"x\.named\(\"…\"\) gives another name"),
        ("grad", np.ones(3), "a backward pass computes it, and begins each time from nothing"),
        ("needs_gradient", False, "bl.constant one whose is not"),
        ("inputs", (), "a node stays as it was made: write the expression anew"),
        ("rule", None, "a node stays as it was made"),
        ("T", None, r"make another node of it: x\.T"),
        ("units", "cm", "a node has no such attribute"),
    ],
)
def test_what_a_node_is_cannot_be_set(attribute, new, instead):
    for node in (x, (x * 2).named("x"), bl.constant("x", [1, 2])):
        with pytest.raises(AttributeError, match=rf"^x\.{attribute} = …: cannot be set; .*{instead}"):
            setattr(node, attribute, new)
    assert x.shape == (3,) and x.dtype == float


def test_the_value_of_a_leaf_can_be_set():
    w = bl.variable("w", [1.0, 2.0])
    w.value = [3.0, 4.0]
    assert w.value.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("key", [[True, False, True], np.array([True] * 3), True, (True, 0), x > 0])
def test_a_boolean_mask_is_refused(key):
    message = message_of(bl.ShapeError, lambda: x[key])
    assert message.startswith("x[")
    assert "a boolean mask gives a shape that depends on data; use np.where" in message


def test_an_index_that_is_no_integer_is_refused():
    assert "an index is integers, not 1.5" in message_of(bl.ShapeError, lambda: x[1.5])
    assert "integers" in message_of(bl.ShapeError, lambda: x["first"])
    for node in (labels, x, x[0]):
        assert "not a node" in message_of(bl.ShapeError, lambda node=node: W[node])


# -------------------------------------------------------------------------------- unknown functions


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: np.log2(x), "np.log2 has no rule for nodes yet; the nearest known: np.log"),
        (
            lambda: np.arctanh(x),
            "np.arctanh has no rule for nodes yet; the nearest known: np.arctan, np.tanh",
        ),
        (lambda: np.resize(x, (6,)), "np.resize has no rule for nodes yet; the nearest known: np.re"),
        (lambda: np.cumprod(x), "np.cumprod has no rule for nodes yet; the nearest known: np.prod"),
        (lambda: np.sinc(x), "np.sinc has no rule for nodes yet; the nearest known: np.sin"),
        (lambda: np.linalg.inv(W), "np.linalg.inv has no rule for nodes yet"),
        (lambda: np.fft.fft(x), "np.fft.fft has no rule for nodes yet; none of the"),
    ],
)
def test_a_function_without_a_rule_names_the_nearest_that_have_one(mistake, message):
    assert message in message_of(TypeError, mistake)


def test_an_unknown_function_can_be_added_as_the_error_says():
    message = message_of(TypeError, lambda: np.hypot(x, x))
    assert 'add it, give its derivative: bl.rule("hypot", np.hypot, lambda z, x, y: …)' in message


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            lambda: np.sum(x, dtype=float),
            "sum of a node: dtype= is not supported; it takes 1 operand(s) and axis=, keepdims=",
        ),
        (lambda: np.reshape(x, (3, 1), order="F"), "reshape of a node: order= is not supported"),
        (lambda: np.add(x, x, where=[True] * 3), "add of a node: where= is not supported"),
        (
            lambda: np.where(x > 0),
            "where of a node: 1 arguments were given; it takes 3 operand(s) and no keywords",
        ),
        (lambda: np.add.reduce(x), "np.add.reduce of a node is not supported"),
        (lambda: np.add.outer(x, x), "np.add.outer of a node is not supported"),
        (lambda: np.add.at(np.ones(3), 0, x), "np.add.at of a node is not supported"),
    ],
)
def test_what_a_rule_does_not_support_is_said(mistake, message):
    assert message in message_of(TypeError, mistake)


# --------------------------------------------------------------------------------- what leaves take


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("abc", "expected real numbers, was given text ('abc')"),
        (["a", "b"], "was given text"),
        (1 + 2j, "was given complex numbers"),
        (np.array([1j]), "was given complex numbers"),
        ({"a": 1}, "was given Python objects ({'a': 1})"),
        ([None, 1.0], "was given Python objects"),
        (np.array(["2020-01-01"], "M8"), "was given datetime64"),
    ],
)
def test_what_is_not_real_numbers_is_refused(value, message):
    for place, mistake in [
        ("variable('v', …): ", lambda: bl.variable("v", value)),
        ("constant('v', …): ", lambda: bl.constant("v", value)),
        ("x.value = …: ", lambda: setattr(x, "value", value)),
        ("multiply of a node: ", lambda: x * value),
    ]:
        found = message_of(bl.NotAnArrayError, mistake)
        assert found.startswith(place) and message in found


def test_a_ragged_list_is_refused():
    for mistake in (lambda: bl.variable("v", [[1], [2, 3]]), lambda: x + [[1], [2, 3]]):
        assert "the rows have different lengths" in message_of(bl.ShapeError, mistake)


def test_nothing_is_no_operand():
    for mistake in (lambda: x == None, lambda: x + None):  # noqa: E711
        assert "was given Python objects (None)" in message_of(bl.NotAnArrayError, mistake)


def test_a_leaf_takes_a_value_or_a_shape():
    assert "not neither" in message_of(TypeError, lambda: bl.variable("v"))
    assert "not both" in message_of(TypeError, lambda: bl.variable("v", 1.0, shape=()))
    for shape in (2.5, (2, 2.5), "ab"):
        with pytest.raises(TypeError):
            bl.variable("v", shape=shape)


def test_a_node_is_no_value_of_a_leaf():
    for mistake in (lambda: bl.variable("v", x), lambda: setattr(x, "value", W)):
        message = message_of(bl.NotAnArrayError, mistake)
        assert "is a node already; give numbers (its .value)" in message


@pytest.mark.parametrize(
    ("held", "new"),
    [
        ([1, 2], [0.5, 1.0]),
        ([True, False], [2, 0]),
        ([True, False], [1.0, 0.0]),
        (np.array([1, 2], np.int8), [300, 0]),
        (np.array([1, 2], np.uint8), [-1, 0]),
    ],
)
def test_integers_are_never_rounded_or_cut(held, new):
    c = bl.constant("c", held)
    message = message_of(bl.NotAnArrayError, lambda: setattr(c, "value", new))
    assert "nothing is rounded or cut here" in message
    np.testing.assert_array_equal(c.value, held)


def test_a_name_comes_first_and_is_text():
    for mistake in (
        lambda: bl.variable([1.0, 2.0], "w"),
        lambda: bl.variable("", 1.0),
        lambda: bl.constant(3, 1.0),
        lambda: (x + 1).named(None),
    ):
        assert "a node's name is a non-empty string" in message_of(TypeError, mistake)


def test_nodes_are_not_made_by_their_class():
    assert "make leaves with bl.variable" in message_of(TypeError, lambda: bl.Node("x"))


@pytest.mark.parametrize("passing", [bl.forward, bl.backward, bl.steps])
def test_a_pass_over_no_node_is_refused(passing):
    for wrong in (3.0, np.ones(2), "J", None):
        message = message_of(bl.NotAnArrayError, lambda wrong=wrong: passing(wrong))
        assert f"expected a node of a graph, was given {type(wrong).__name__}" in message


def test_a_missing_value_says_how_to_give_it():
    v = bl.variable("v", shape=(2,))
    message = message_of(bl.MissingValueError, lambda: bl.forward(v * 2))
    assert message == "v (shape (2,)) stands without a value; give it one first: v.value = …"


# ---------------------------------------------------------------------------------- copies, pickles


@pytest.mark.parametrize(
    "copying", [copy.copy, copy.deepcopy, pickle.dumps, lambda node: copy.deepcopy({"key": [node]})]
)
def test_a_node_is_neither_copied_nor_pickled(copying):
    for node in (x, x + 1):
        message = message_of(bl.NotAnArrayError, lambda node=node: copying(node))
        assert "a node cannot be pickled or copied, because it stands in a graph" in message


# ------------------------------------------------------------------------------------ hostile names

HOSTILE = [
    '<img src=x onerror="alert(1)">',
    "</script><script>alert(1)</script>",
    "{0} {name} {",
    "%s %d %",
    "a\nb",
    "θ_hat",
    "λ",
    "🙂🙃",
    "x" * 200,
    "\\frac{1}{2}",
    "class",
    "x y",
    "‮evil",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_passes_through_as_text(name):
    v = bl.variable(name, [1.0, 2.0])
    J = np.sum(v * 2).named(name)
    assert (v.name, J.name) == (name, name)
    assert repr(v)
    assert list(bl.backward(J)) == [v]
    text = "\n".join(map(str, bl.steps(J)))
    assert notation.symbol(name) in text
    assert name in message_of(bl.ShapeError, lambda: v + np.ones(3))
    assert name in message_of(bl.NotAnArrayError, lambda: float(v))
    assert name in message_of(bl.ShapeError, lambda: bl.backward(v))


@law
@given(st.text(min_size=1))
def test_no_name_breaks_a_pass_or_a_record(name):
    v = bl.variable(name, [1.0, -2.0])
    J = np.sum(bl.relu(v) * v).named(name)
    assert all(str(step) and likely_confusions(step) is not None for step in bl.steps(J))
    assert all(len(repr(node)) < 300 for node in topological_order(J))


def test_two_nodes_may_have_one_name():
    first, second = bl.variable("w", 1.0), bl.variable("w", 2.0)
    assert bl.backward(first * second) == {first: 2, second: 1}


# ---------------------------------------------------------------------------------------- the graph


def test_an_error_in_an_expression_leaves_earlier_nodes_usable():
    network = lecture_network()
    with pytest.raises(bl.ShapeError):
        network.W @ network.h
    assert bl.forward(network.J) == 9


# ---------------------------------------------------------------------------------- rules of one's own


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            lambda: bl.rule("cube", lambda x: x**3, lambda x: 3 * x**2),
            "derivative 1 is called with z and then",
        ),
        (
            lambda: bl.rule("cube", lambda x: x**3, lambda z, x: x, lambda z, x: x),
            "2 derivatives given.*compute",
        ),
        (lambda: bl.rule("exp2", np.exp2, lambda z, x: z, lambda z, x: z), "2 derivatives given.*compute"),
        (
            lambda: bl.rule("mul", lambda x, y: x * y, lambda z, x, y: y, lambda z, x: x),
            "derivative 2.*3 in all",
        ),
        (lambda: bl.rule("same", lambda x: x, lambda z, x: 1, kind="linear"), "called with g, z and then"),
    ],
)
def test_a_rule_whose_functions_take_other_arguments_is_refused_when_it_is_declared(declared, said):
    with pytest.raises(TypeError, match=rf"^rule\('\w+', …\): .*{said}"):
        declared()


@pytest.mark.parametrize(
    ("derivative", "kind", "said"),
    [
        (lambda z, x: None, "elementwise", "gave None; is a return missing"),
        (lambda z, x: np.ones(2), "elementwise", r"has shape \(2,\), and the value \(3,\)"),
        (lambda z, x: np.diag(2 * x), "elementwise", 'a slope for each entry.*kind="custom"'),
        (lambda g, z, x: None, "custom", "gave None"),
        (lambda g, z, x: np.ones(2), "custom", r"has shape \(2,\), and the argument \(3,\)"),
    ],
)
def test_a_derivative_that_does_not_fit_is_named(derivative, kind, said):
    own = bl.rule("own", lambda x: x**2, derivative, kind=kind)
    with pytest.raises((TypeError, ValueError), match=f"^own: the derivative for its argument 1 .*{said}"):
        bl.backward(np.sum(own(bl.variable("x", [1.0, 2.0, 3.0]))))


def test_a_slope_that_is_one_number_serves_all_entries():
    doubled = bl.rule("doubled", lambda x: 2 * x, lambda z, x: 2)
    assert bl.check_gradient(np.sum(doubled(bl.variable("x", [1.0, 2.0])) ** 2)).ok


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda W: np.linalg.norm(W, 1), "ord= is not supported"),
        (lambda W: np.sum(W, 0, float), "dtype= is not supported"),
    ],
)
def test_what_stands_behind_the_operands_is_what_numpy_takes_it_for(call, named):
    with pytest.raises(TypeError, match=named):
        call(bl.variable("W", [[1.0, -2.0], [3.0, 4.0]]))


@pytest.mark.parametrize(
    ("mistake", "error", "said"),
    [
        (lambda: np.einsum("ij,k->l", W, x), ValueError, "'l', which no argument has"),
        (lambda: np.einsum("ij->ii", W), ValueError, "names an axis twice"),
        (lambda: np.sum(W, axis=[0]), ValueError, r"axis is an integer, or a tuple of integers, not \[0\]"),
        (lambda: f"{np.sum(x):.3f}", TypeError, r"to write its number with '\.3f', format its \.value"),
        (lambda: bl.gradient(3, x), TypeError, "expected a node of a graph, was given int"),
        (lambda: bl.gradient(np.sum(x), 3), TypeError, "expected a node to differentiate by, was given int"),
        (lambda: bl.jvp(x * x, x, [1.0, 2.0]), ValueError, r"a change of x, of shape \(3,\); was given"),
        (lambda: bl.jacobian(3, x), TypeError, "expected a node of a graph, was given int"),
        (lambda: bl.leaky_relu(x, slope=W), TypeError, "slope= stays as it is given, and W is a node"),
        (lambda: np.argmax(x), TypeError, r"no gradient flows through it.*\.value"),
        (lambda: np.isnan(x), TypeError, r"no gradient flows through it.*\.value"),
        (lambda: bl.variable(None, 1.0), TypeError, "a node's name is a non-empty string, not None"),
    ],
)
def test_what_would_fail_later_or_in_pythons_words_is_said_at_once(mistake, error, said):
    with pytest.raises(error, match=said):
        mistake()


def test_a_node_is_formatted_as_text():
    assert f"{x}" == str(x)


@pytest.mark.parametrize(
    "function",
    [np.max, np.min, bl.softmax, bl.log_softmax, bl.logsumexp, lambda z: bl.cross_entropy(z, [0, 0])],
)
def test_the_largest_of_no_entries_is_refused_where_it_is_written(function):
    z = bl.variable("z", np.zeros((2, 0)))
    message = message_of(bl.ShapeError, lambda: function(z))
    assert "z has shape (2, 0)" in message
    assert message.endswith(": of no entries none is the largest, and none the smallest")
