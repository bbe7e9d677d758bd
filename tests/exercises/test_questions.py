"""Self-checks and paper boxes: their answers are recomputed, and every wrong answer is explained."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.exercises.confusions import same
from backprop_lab.exercises.questions import bank
from backprop_lab.graph.order import topological_order
from tools import graphs

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))


def node(J, name):
    return next(n for s in bl.steps(J) for n in (*s.node.inputs, s.node) if n.name == name)


def line_gradient(name, x):
    """∂J/∂name for notebook 00's graph at the given x."""
    w, b = bl.variable("w", 2), bl.variable("b", -1)
    y_hat = w * bl.constant("x", x) + b
    return bl.backward((y_hat - 1) ** 2)[{"w": w, "b": b}[name]]


def order_gradient():
    x = bl.variable("x", 3.0)
    u = x**2
    return bl.backward(u * (2 * u + 3))[x]


def batch():
    """Notebook 07's regression: ŷ, w, b, after the backward pass."""
    x, y = bl.constant("x", [1, 2, 4]), bl.constant("y", [1, 4, 6])
    w, b = bl.variable("w", 2), bl.variable("b", 1)
    y_hat = w * x + b
    bl.backward(np.mean((y_hat - y) ** 2))
    return y_hat, w, b


def slope(f, x):
    """The slope at x of a function of one number, by the backward pass."""
    x = bl.variable("x", float(x))
    return bl.backward(f(x))[x]


def polar():
    """Notebook 03's map at its point: the outputs and the two inputs."""
    p = bl.variable("p", [2, np.pi / 6])
    return np.stack([p[0] * np.cos(p[1]), p[0] * np.sin(p[1])]), p


def blank():
    """∇ₓz for z = y₁² + 3 y₂ behind the polar map."""
    y, p = polar()
    return bl.backward(y[0] ** 2 + 3 * y[1])[p]


def three_of_two():
    q = bl.variable("q", [2, 3])
    return bl.jacobian(np.stack([q[0] * q[1], q[0] + q[1] ** 2, q[0]]), q).ravel()


def max_gradient(u, v, upstream):
    u, v = bl.variable("u", u), bl.variable("v", v)
    z = np.maximum(u, v)
    return [bl.vjp(z, leaf, upstream) for leaf in (u, v)]


def gradient_after_a_hasty_update():
    """∂J/∂h of the lecture's network, had w been updated in the middle of the pass."""
    J = graphs.lecture()
    bl.backward(J)
    w, y_hat = node(J, "w"), node(J, "y_hat")
    return y_hat.grad * (w.value - 0.1 * w.grad)


def arrows_from(leaf, J):
    return sum(operand is leaf for node in topological_order(J) for operand in node.inputs)


def stepped(cost, w, rate, steps=1):
    """A variable after some steps of gradient descent."""
    w = bl.variable("w", float(w))
    list(bl.sgd(cost(w), learning_rate=rate, epochs=steps))
    return w.value


def mean_of(n):
    """A cost, and n examples for it."""
    x = bl.constant("x", np.arange(float(n)))
    return np.mean((bl.variable("w", 0.0) - x) ** 2), {"x": x.value}


def penalised_gradient(w, of_data, factor):
    """The gradient of a cost with this gradient of the data, and a penalty."""
    w = bl.variable("w", w)
    return bl.backward(np.array(of_data) @ w + factor * bl.l2(w))[w]


def kept_along_curvatures():
    """What is left of the minimum at (1, 1) of a cost with curvatures 4 and ½, with λ = 1."""
    w = bl.variable("w", [0.0, 0.0])
    J = np.sum(np.array([4, 0.5]) * (w - 1) ** 2) / 2 + bl.l2(w)
    list(bl.sgd(J, learning_rate=0.1, epochs=1000))
    return w.value


def second_slope_of_w():
    J = graphs.lecture()
    return bl.backward(J)[node(J, "w")][1]


def parameters_of_digits():
    h = bl.relu(np.zeros((1, 64)) @ bl.variable("W", np.zeros((64, 8))) + bl.variable("b", np.zeros(8)))
    z = h @ bl.variable("V", np.zeros((8, 10))) + bl.variable("c", np.zeros(10))
    return sum(gradient.size for gradient in bl.backward(np.sum(z)).values())


def most_values_in_memory(layers=100, every=10):
    """Walk back over pieces that are computed again, and count what is there at any time."""
    kept, most = list(range(0, layers, every)), 0
    for start in reversed(kept):
        piece = list(range(start, start + every))
        most = max(most, len(kept) + len(piece))
    return most


COMPUTED = {
    "00-bias": lambda: line_gradient("b", 4),
    "01-slope": lambda: slope(lambda x: np.sin(x**2), 1.5),
    "01-cube": lambda: slope(lambda x: (2 * x + 1) ** 3, 2),
    "02-first": lambda: slope(lambda x1: (x1 + 2) * (x1 * 2), 3),
    "02-check": lambda: slope(lambda x: (2 * x) * (5 * x), 3),
    "02-three": lambda: slope(lambda x: sum(n + n for n in [x + 0, x + 0, x + 0]), 1),  # all slopes 1
    "03-blank": blank,
    "03-passes": lambda: len(
        bl.jacobian(np.ones((2, 1000)) @ (x := bl.variable("x", np.zeros(1000))), x)  # a pass for each row
    ),
    "03-by-hand": three_of_two,
    "03-back": lambda: three_of_two().reshape(3, 2).T @ [1, -1, 2],
    "03-transpose": lambda: bl.vjp(np.array([[1, 3], [2, 0]]) @ (x := bl.variable("x", [0, 0])), x, [1, 2]),
    "03-product": lambda: bl.vjp(bl.relu(a := bl.variable("a", [4, -5, 6])), a, [1, 2, 3]),
    "04-arrows": lambda: arrows_from(x := bl.variable("x", 1), x * x + x),
    "04-composition": lambda: bl.forward(2 * (bl.variable("x", 3) + 1)),
    "04-dot": lambda: np.dot([1, 2, -1], [2, -3, 4]),
    "04-rows": lambda: np.reshape([1, 2, -1, -1, 1, 3], (2, 3))[:, 0],
    "04-shared": lambda: arrows_from(
        W := bl.variable("W", shape=(2, 2)), np.tanh(W @ np.tanh(W @ bl.constant("x", [1, 2])))
    ),
    "04-theta": lambda: sum(v.size for v in bl.backward(node(graphs.lecture(), "h").sum())),
    "05-columns": lambda: np.reshape([1, 2, -1, -1, 1, 3], (2, 3), order="F") @ [2, -3, 4],
    "06-product": lambda: bl.vjp((w := bl.variable("w", [3, -1])) @ np.array([2, 4]), w, 5),
    "06-gate": lambda: bl.vjp(bl.relu(a := bl.variable("a", [2, -3])), a, [4, -7]),
    "06-max": lambda: max_gradient(2, 5, 3),
    "06-transposed": lambda: bl.vjp(np.array([[1, 2], [0, 3]]) @ (x := bl.variable("x", [0, 0])), x, [4, -1]),
    "06-weights": lambda: bl.vjp(
        (W := bl.variable("W", np.zeros((2, 2)))) @ np.array([2, 3]), W, [4, -1]
    ).ravel(),
    "06-fork": lambda: np.add([6, -1], [-2, 5]),
    "06-order": order_gradient,
    "07-mean": lambda: batch()[0].grad,
    "07-bias": lambda: batch()[2].grad,
    "07-weight": lambda: batch()[1].grad,
    "07-logits": lambda: np.round(bl.vjp(bl.cross_entropy(z := bl.variable("z", [1, 2, 0]), 2), z, 1), 3),
    "07-update-midway": gradient_after_a_hasty_update,
    "07-reset": lambda: 4 * bl.vjp(3 * (w := bl.variable("w", 1)), w, 1),
    "08-sign": lambda: stepped(lambda w: -42 * w, 2, 0.002),
    "08-epoch": lambda: len([*bl.sgd(*mean_of(1000), batch_size=50)]),
    "08-check-step": lambda: stepped(lambda w: (3 * w - 6) ** 2, 1, 0.05),
    "09-meet": lambda: penalised_gradient([3, -1], [-4, 6], 2),
    "09-half": lambda: slope(lambda w: 0.01 * bl.l2(w), 1),  # of a weight of 1: PyTorch adds weight_decay · w
    "09-shrink": lambda: stepped(lambda w: 0 * w + 1.5 * bl.l2(w), 4, 0.1, 3),
    "09-flat": kept_along_curvatures,
    "10-transpose": lambda: bl.vjp((q := bl.variable("q", [1, 5, 6]))[1:] - q[:-1], q, [1, 2]),
    "10-second": lambda: bl.hessian((x := bl.variable("x", 4.0)) ** 3, x),
    "11-zero-grad": lambda: 2 * second_slope_of_w(),
    "11-detach": lambda: slope(lambda v: v * bl.stop_gradient(v), 3),
    "11-parameters": parameters_of_digits,
    "11-checkpoint": most_values_in_memory,
    "11-skip": lambda: slope(lambda h: h + np.tanh(h * 0.0), 0.7),
    "06-passes": lambda: sum(s.is_seed for s in bl.steps(graphs.lecture())),
}


@pytest.mark.parametrize("name", bank())
def test_the_answer_of_a_typed_question_is_what_the_package_computes(name):
    answer = bank()[name]["answer"]
    if isinstance(answer, str | dict) or isinstance(answer[0] if isinstance(answer, list) else 0, str):
        assert name not in COMPUTED
    else:
        assert same(np.asarray(answer, float), COMPUTED[name]())


def test_the_answer_of_a_choice_that_is_a_number_is_computed_too():
    w, b = bl.variable("w", 2), bl.variable("b", -1)
    bl.backward((w * 3 + b - 1) ** 2)
    assert bank()["00-does-w-move"]["answer"] == f"{w.value:g}"


@pytest.mark.parametrize("name", bank())
def test_every_question_of_the_series_can_be_asked_and_explains_each_answer(name):
    spec = bl.question(name).spec
    whys = [c["why"] for c in spec.get("choices", ())] or [spec["why"], *(w["why"] for w in spec["wrong"])]
    assert len(whys) >= 3 and len(set(whys)) == len(whys)
    assert all(re.search(r"\w.*[.!]$", why) for why in whys)


def test_every_question_of_the_series_is_asked_and_every_one_asked_exists():
    asked = []
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            asked += re.findall(r'bl\.question\("([\w-]+)"\)', cell.source)
    assert sorted(asked) == sorted(bank())


def test_the_right_choice_does_not_always_stand_at_the_same_place():
    places = {
        [c["right"] for c in bl.question(name).spec["choices"]].index(True)
        for name in bank()
        if "choices" in bl.question(name).spec
    }
    assert len(places) > 1


def test_a_question_shows_its_answers_folded_where_no_kernel_runs():
    data, _ = bl.question("06-gate")._repr_mimebundle_()
    assert "<details>" in data["text/html"]
    before, after = data["text/html"].split("<details>")
    assert "The first gate is open" in after and "first gate" not in before
    assert "first gate" not in data["text/plain"]


def test_what_a_teacher_writes_is_escaped_in_the_paper_version():
    data, _ = bl.question("<b>?</b>", answer="<i>", why="<u>", wrong={"<s>": "<q>"})._repr_mimebundle_()
    for tag in ("<b>?", "<i>", "<u>", "<s>", "<q>"):
        assert tag not in data["text/html"].replace("<p><b>", "").replace("✓ <b>", "").replace("✗ <b>", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(text="06-gat"), "06-gate"),
        (dict(text="x", answer=1, wrong={2: "no"}), "why"),
        (dict(text="x", answer=1, why="yes"), "explanation for each"),
        (dict(text="x", answer=1, why="yes", wrong={2: ""}), "explanation for each"),
        (dict(text="x", answer=1, why="yes", wrong={1.001: "no"}), "agrees with the answer"),
        (dict(text="x", answer="a", why="yes", wrong={"a": "no"}), "as right and as wrong"),
        (dict(text="x", wrong={"a": "no"}), "give an answer"),
        (dict(text="x", answer={"a": ""}, wrong={"b": "no"}), "explanation for each"),
        (dict(text="x", answer={"a": "yes"}, wrong={"a": "no"}), "as right and as wrong"),
        (dict(text="x", answer=["a", "b"], why="yes", wrong={("a", "b"): "no"}), "the answer has it"),
        (dict(text="x", answer=["a", "b"], why="yes", wrong={("b", "c"): "no"}), "two of the steps"),
        (dict(text="x", answer=["a", "a"], why="yes", wrong={("a", "a"): "no"}), "the same text"),
    ],
)
def test_an_incomplete_question_is_refused_in_words(given, said):
    with pytest.raises(ValueError, match=said):
        bl.question(**given)


ALL_OF = dict(
    text="Which of these does a backward pass need?",
    answer={"the values of the forward pass": "Local derivatives are taken there.", "a seed": "∂J/∂J = 1."},
    wrong={"the learning rate": "Only an update needs it.", "random numbers": "Nothing is drawn by chance."},
)
IN_ORDER = dict(
    text="Put in order",
    answer=["batch", "forward", "backward", "update"],
    why="Each needs the one before.",
    wrong={
        ("backward", "forward"): "The way back needs the values.",
        ("update", "backward"): "Without a gradient there is no direction.",
        ("forward", "batch"): "There is nothing to compute from.",
    },
)


@pytest.mark.parametrize("given", [ALL_OF, IN_ORDER], ids=["choose all", "order"])
def test_the_paper_version_of_every_form_folds_its_answers_away(given):
    data, _ = bl.question(**given)._repr_mimebundle_()
    before, after = data["text/html"].split("<details>")
    for why in given["wrong"].values():
        assert why in after and why not in before and why not in data["text/plain"]
    assert all(text in data["text/plain"] for text in given["answer"])


def test_what_is_to_be_ordered_does_not_stand_in_order_at_first():
    spec = bl.question(**IN_ORDER).spec
    assert sorted(spec["order"]) == sorted(IN_ORDER["answer"])
    stands = [spec["order"].index(w["first"]) < spec["order"].index(w["then"]) for w in spec["wrong"]]
    assert any(stands)


# ------------------------------------------------------------------------------------------- fill_in


@pytest.fixture
def unseen():
    """The graph at the end of notebook 06."""
    x, w, b = bl.constant("x", 2), bl.variable("w", 3), bl.variable("b", -10)
    p = w * x
    s = 2 * p + b
    q = s * p
    J = (q - 10) ** 2 + bl.relu(b)
    return J


RIGHT = dict(values=dict(p=6, s=2, q=12, J=4), gradients=dict(q=4, s=24, p=56, b=24, w=112))


def test_right_boxes_are_right_and_the_graph_stays_as_it_was(unseen):
    report = bl.fill_in(unseen, **RIGHT)
    assert report.ok and "9 of 9 boxes filled, 9 right" in str(report)
    assert unseen.value is None


def test_a_box_is_named_by_its_node_as_well(unseen):
    nodes = {node.name: node for node in topological_order(unseen) if node.name}
    by_node = {what: {nodes[name]: n for name, n in boxes.items()} for what, boxes in RIGHT.items()}
    assert str(bl.fill_in(unseen, **by_node)) == str(bl.fill_in(unseen, **RIGHT))


def test_empty_boxes_are_left_alone(unseen):
    report = bl.fill_in(unseen, values={"p": None}, gradients={"w": None})
    assert not report.ok and "0 of 2 boxes filled" in str(report)


@pytest.mark.parametrize(
    ("values", "gradients", "said"),
    [
        ({}, {"q": 2}, "exponent in front is lost"),
        ({}, {"p": 48}, "what comes back from q is missing: 8."),
        ({}, {"p": 8}, "what comes back from 2 · p is missing: 48."),
        ({}, {"p": 384}, "multiplied the contributions"),
        ({}, {"b": 25}, "gate is closed"),
        ({}, {"s": 8}, "A product swaps"),
        ({}, {"q": 2, "s": 12}, "right for your own ∂J/∂q"),
        ({}, {"p": 24, "w": 48}, "right for your own ∂J/∂p"),
        ({}, {"w": 3}, "That is the value of w"),
        ({}, {"w": -112}, "sign is turned round"),
        ({}, {"w": 1234}, "∂J/∂p · x"),
        ({}, {"w": [64, 64]}, "one number expected"),
        ({}, {"w": "many"}, "is not a number"),
        ({"p": 5, "s": 0}, {}, "right for your own p"),
        ({"p": 5, "s": 1, "q": 5, "J": 25}, {}, "right for your own q"),
        ({"q": 5}, {"q": -10}, "right for your own q"),
        ({"s": 3, "q": 12}, {"p": 60}, "right for your own s"),
        ({"p": 5}, {}, "compute p = w · x once more"),
    ],
)
def test_each_wrong_number_is_diagnosed(unseen, values, gradients, said):
    report = bl.fill_in(unseen, values, gradients)
    assert said in report.lines[-1][2]
    assert report.lines[-1][0] == "✗"


def test_a_number_is_put_down_to_the_wrong_boxes_that_it_comes_from_and_no_others():
    x, w, b = bl.constant("x", 4.0), bl.variable("w", 2.0), bl.variable("b", -1.0)
    y_hat = w * x + b
    J = (y_hat - 1) ** 2
    lines = bl.fill_in(J, {"y_hat": 9, "J": 65}, {"y_hat": 16, "b": 17, "w": 64}).lines
    told = {label: text for _, label, text in lines}
    assert "right for your own ŷ;" in told["∂J/∂ŷ"]  # the square reads ŷ, not J
    assert "right for your own ∂J/∂ŷ;" in told["∂J/∂w"]  # the product reads x, and knows nothing of b
    assert "own" not in told["J"] and "own" not in told["∂J/∂b"]
    u, v = bl.variable("u", 3.0), bl.variable("v", 5.0)
    p = 2 * u
    q = 3 * v
    r = p * q
    lines = bl.fill_in(r, {"p": 5, "q": 16, "r": 80}).lines
    assert "right for your own p and q;" in lines[-1][2]


def test_a_small_gradient_is_not_taken_for_none():
    x = bl.variable("x", 3.0)
    s = bl.constant("t", 1e-5) * x
    J = s * s
    assert "✗" in str(bl.fill_in(J, gradients={"x": 0}))
    assert "✗" not in str(bl.fill_in(J, gradients={"x": 6e-10}))


def test_boxes_are_given_by_name():
    x = bl.variable("x", 3.0)
    with pytest.raises(TypeError, match="boxes are given by name"):
        bl.fill_in(x * x, values=[1])


def test_a_question_is_text():
    with pytest.raises(TypeError, match="what is asked, or the name of one of the series' questions, not 3"):
        bl.question(3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(), "no box is named"),
        (dict(values={"z": 1}), "not in this graph"),
        (dict(values={"x": 2}), "given, not computed"),
        (dict(gradients={"x": 2}), "no gradient flows to x"),
    ],
)
def test_a_box_that_the_graph_does_not_have_is_refused(unseen, given, said):
    with pytest.raises(ValueError, match=said):
        bl.fill_in(unseen, **given)
