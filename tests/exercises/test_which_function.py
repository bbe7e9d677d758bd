"""Which function? Formulas that are typed: how they are read, compared, and answered."""

from __future__ import annotations

import html
import re
import sys
import time
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop_lab as bl
from backprop_lab.exercises.equivalence import points
from backprop_lab.exercises.formulas import FormulaError, names_of, parse
from backprop_lab.exercises.levels import LEVELS
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import evaluate
from backprop_lab.words import notation
from tools import graphs

VALUES = {
    "x": np.array([2.0, -3.0, 0.5]),
    "v": np.array([1.5, -0.5, 4.0]),
    "y": np.array(-1.25),
    "w": np.array([5.0, 2.0]),
    "W": np.array([[1.0, 2.0, -1.0], [-1.0, 1.0, 3.0]]),
    "theta": np.array([1.0, 2.0, -1.0, -1.0, 1.0, 3.0]),
    "y_hat": np.array(14.0),
    "lam": np.array(2.0),
}


def leaves(**values):
    return {name: bl.variable(name, value) for name, value in (values or VALUES).items()}


def value_of(text):
    return bl.forward(parse(text, leaves()), on_nonfinite="ignore")


def as_numpy(text):
    """What Python itself makes of a formula: the oracle."""
    with np.errstate(all="ignore"):
        return eval(text, {"np": np, "bl": bl, **VALUES})


# ------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "text",
    [
        "x*y", "np.sin(x)**2", "W @ x", "bl.relu(W @ x)", "w @ bl.relu(W@x) - y_hat", "-x**2", "2**-y",
        "x - v - y", "x / v / y", "x - -v", "W.T @ w", "x[0] * x[1:]", "W[0, -1]", "W[:, ::2]", "x[-1]",
        "np.reshape(theta, (2, 3)) @ x", "np.sum(W, axis=0)", "np.mean(W, axis=1, keepdims=True)",
        "np.where(x > 0, x, 0.1 * x)", "np.stack([x, v])", "np.concatenate([x, w])", "np.maximum(x, 0)",
        "np.linalg.norm(x)", "bl.softmax(W)", "bl.l2(w, W)", "x % 2", "x // 2", "np.clip(x, -1, 1)",
        "2 + 3", "1e-3 * x", ".5 * x", "x @ [1, 2, 3]", "np.outer(x, w)", "(x * v).T", "x**y", "+x",
        "bl.leaky_relu(x, slope=0.2)", "np.transpose(W)", "np.exp(2) * y", "lam * np.sum(w**2)", "x",
    ],
)  # fmt: skip
def test_numpys_notation_means_what_it_means_in_python(text):
    np.testing.assert_allclose(value_of(text), as_numpy(text))


@pytest.mark.parametrize(
    ("plain", "python"),
    [
        ("x²", "x**2"),
        ("x⁻¹", "x**-1"),
        ("-x²", "-(x**2)"),
        ("y^2", "y**2"),
        ("x·v", "x @ v"),
        ("x · y", "x * y"),
        ("x ⊙ v", "x * v"),
        ("x × v ÷ y", "x * v / y"),
        ("W x", "W @ x"),
        ("2x", "2 * x"),
        ("2x²", "2 * x**2"),
        ("(x + v) y", "(x + v) * y"),
        ("w·relu(W x)", "w @ bl.relu(W @ x)"),
        ("relu(W@x)·w", "bl.relu(W @ x) @ w"),
        ("(w·relu(reshape(θ, (2, 3)) x) − ŷ)² + λ Σ(w²)",
         "(w @ bl.relu(np.reshape(theta, (2, 3)) @ x) - y_hat)**2 + lam * np.sum(w**2)"),
        ("σ(x) + ln(2)", "bl.sigmoid(x) + np.log(2)"),
        ("√(x²)", "np.sqrt(x**2)"),
        ("abs(x)", "np.abs(x)"),
        ("Wᵀ w", "W.T @ w"),
        ("tanh(W tanh(Wᵀ w))", "np.tanh(W @ np.tanh(W.T @ w))"),
        ("J = x·y", "x * y"),
        ("π y", "np.pi * y"),
        ("where(x ≥ 0, x, 0)", "np.where(x >= 0, x, 0)"),
    ],
)  # fmt: skip
def test_plain_notation_is_read_as_it_is_meant(plain, python):
    np.testing.assert_allclose(value_of(plain), as_numpy(python))


def numpy_texts():
    """Random formulas in NumPy's notation, with and without brackets."""
    atoms = st.sampled_from(["x", "v", "y", "2", "0.5", "x[1]", "W[0]"])

    def grown(inner):
        binary = st.sampled_from(["+", "-", "*", "/", "@"])
        return st.one_of(
            st.tuples(inner, binary, inner).map(" ".join),
            inner.map("({})".format),
            inner.map("-{}".format),
            inner.map("np.tanh({})".format),
            inner.map("({})**2".format),
        )

    return st.recursive(atoms, grown, max_leaves=8)


@settings(deadline=None)
@given(numpy_texts())
def test_any_formula_is_read_with_pythons_precedence(text):
    try:
        right = as_numpy(text)
    except (ValueError, TypeError):  # a dot product of a single number
        with pytest.raises(FormulaError):
            parse(text, leaves())
    else:
        np.testing.assert_allclose(value_of(text), right, rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("", "Type a formula", ""),
        ("x * q", "q is not a name here. This graph has x, v, y", "q"),
        ("xv + y", "For a product write x * v", "xv"),
        ("sine(x)", "sine is not a function here. The nearest: sin", "sine"),
        ("y(x + 1)", "y is not a function; for a product write y * (…)", "y"),
        ("sin x", "sin is a function: write sin(…)", "sin"),
        ("(x + y", "never closed", "("),
        ("x + y)", "closes nothing", ")"),
        ("x + [1, 2)", "closes nothing", ")"),
        ("x *", "ends too early", ""),
        ("x * / y", "something is missing, or too much", "/"),
        ("x 2", "A sign is missing between x and 2", "x 2"),
        ("sin²(x)", "behind its base", "²("),
        ("x.dtype", "only .T", ".dtype"),
        ("y + |x|", "write abs(x)", "|"),
        ("W @ w", "W has shape (2, 3), w has shape (2,): 3 does not match 2", "W @ w"),
        ("y + W @ w", "3 does not match 2", "W @ w"),
        ("x[7]", "out of bounds", "x[7]"),
        ("x[y]", "not a node", "x[y]"),
        ("2[0]", "has entries", "2[0]"),
        ("(x, y)", "not several", "(x, y)"),
        ("sum()", "missing here", "sum()"),
        ("sum(*x)", "not read", "*x"),
        ("0 < x < 1", "not read", "0 < x < 1"),
        ("y + x**65", "up to 64", "x**65"),
        ("cross_entropy(x, y)", "labels are integers", "cross_entropy(x, y)"),
        ("\N{CYRILLIC SMALL LETTER HA} * y", "cyrillic small letter ha", "\N{CYRILLIC SMALL LETTER HA}"),
        ("x \N{ZERO WIDTH SPACE}* y", "The character zero width space", "\N{ZERO WIDTH SPACE}"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_and_pointed_at(text, said, place):
    with pytest.raises(FormulaError, match=re.escape(said)) as caught:
        parse(text, leaves())
    assert text[caught.value.start : caught.value.end] == place


# ------------------------------------------------------------------------------------------- hostile

PATIENCE_SECONDS = 0.05
# Text is made a syntax tree; a node looks for the name it is being assigned to, and copies its parameters.
EXPECTED = {"compile", "sys._getframe", "object.__getattr__", "builtins.id"}
AROUND = [
    "{}",
    "{} + x",
    "x * ({})",
    "sin({})",
    "W @ {}",
    "({})[0]",
    "relu({}) ** 2",
    "[{}, x]",
    "J = {}",
    " {} ",
]


def hostile(rng: Random) -> str:
    """A string that a careless reader would run, hang on, or take for something else."""
    name = "q" + "".join(rng.choices("abcdefgxyz_", k=rng.randint(1, 8)))
    number = rng.choice([rng.randint(65, 999), rng.randint(10**6, 10**15)])
    deep = rng.randint(26, 190)
    letter = rng.choice("ахеосрѕіѡ𝐱𝕨ｘｙℓ𝓮ﬁ\u200b\u202e\u2060")
    return rng.choice([
        f"__import__('os').system('{name}')", f"import {name}", f"from {name} import *", f"exec({name})",
        f"eval({name})", f"open({name})", f"lambda {name}: x", f"[{name} for {name} in x]", f"({name} := x)",
        f"yield {name}", f"await {name}", f"f'{{{name}}}'", f"'{name}'", f"b'{name}'", "globals()",
        "breakpoint()",
        f"print({name})", f"x if {name} else y", f"not {name}", f"x and {name}", f"x; {name}", f"x\n{name}",
        f"x.__class__.__{name}__", "().__class__.__bases__[0].__subclasses__()", f"__{name}__", f"x.{name}",
        f"x._{name}()", f"getattr(x, {name})", f"np.load({name})", f"np.{name}__.os", f"bl.__{name}__",
        f"np.lib.{name}(x)", f"x.value.{name}", f"x.tofile({name})", "np.__builtins__",
        f"x**{number}", f"{number}**{number}", "9**9**9**9", f"x^{number}", "x" + "⁹" * rng.randint(3, 300),
        f"power(x, {number})", f"2**(8*{number})", f"x**-{number}", f"1e{300 + number}",
        "9" * rng.randint(16, 300),
        "(" * deep + "x" + ")" * deep, "sin(" * deep + "x" + ")" * deep, "x" + "[0" * deep + "]" * deep,
        "[" * deep + "x" + "]" * deep, "(" * rng.randint(1, 399), ")" * rng.randint(1, 399),
        "-" * rng.randint(120, 390) + "x", "√" * rng.randint(2, 200), "x" + "**x" * rng.randint(101, 130),
        "x+" * rng.randint(200, 5000) + "x", "x" * rng.randint(2, 100_000), "(" * 100_000,
        f"tile(x, {10**5 + number})", f"broadcast_to(x, ({number}00, {number}00))", f"repeat(x, {number}00)",
        "outer(outer(outer(W, W), outer(W, W)), outer(W, W))", f"expand_dims(x, {tuple(range(70))})",
        f"reshape(x, (-1, {number}))", f"x[{number}]", f"x[::{name}]", "einsum(W, W)", "split(x, 3)",
        letter + name, f"ｅｖａｌ({name})", f"{name}{letter}(x)", f"x {letter} y", "x.ｄｔｙｐｅ", "x\0",
        "x\\y",
        f"#{name}", f"x # {name}", f"@{name}", f"x -> {name}", f"`{name}`", f"${name}", f"x ? {name} : y",
        f"{name}=x, y", f"sum(x, **{name})", f"sum(*{name})", "...", "x[...]", f"{number}j", "0x1F",
        "1_000_000",
    ])  # fmt: skip


def refused(text, names):
    """Why ``text`` is not read (None: it is), and this process's seconds: others may have the machine."""
    start = time.process_time()
    try:
        parse(text, names)
    except FormulaError as error:
        return error.reason, time.process_time() - start
    return None, time.process_time() - start


@pytest.mark.slow
def test_ten_thousand_hostile_strings_are_refused_in_words_quickly_and_nothing_is_run():
    rng, names = Random(1), leaves()
    watching, happened = [], []

    def watch(event, args):
        made = event == "object.__setattr__" and args[1:] == ("__class__", bl.Node)  # a node is finished
        if watching and event not in EXPECTED and not made:
            happened.append((event, args))

    sys.addaudithook(watch)
    slowest = 0.0
    for i in range(10_000):
        text = AROUND[i % len(AROUND)].format(hostile(rng)) if i % 3 else hostile(rng)
        watching.append(True)
        reason, took = refused(text, names)
        if took >= PATIENCE_SECONDS:  # once may be the garbage of other tests
            took = min(refused(text, names)[1] for _ in range(3))
        watching.clear()
        slowest = max(slowest, took)
        assert reason and re.search(r"[a-z]{3}", reason) and len(reason) < 400, text[:200]
    assert not happened
    assert slowest < PATIENCE_SECONDS


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_whatever_makes_the_check_fail(text):
    assert bl.which_function(level=2).check(text).text


# ----------------------------------------------------------------------------------------- comparing


def forms():
    """Two texts of one value: an expression, and the same rewritten by the laws of arithmetic."""
    atoms = st.sampled_from(["x", "y", "2", "3"]).map(lambda a: (a, a))
    laws = [
        lambda a, b: (f"({a[0]} + {b[0]})", f"({b[1]} + {a[1]})"),
        lambda a, b: (f"({a[0]} * {b[0]})", f"{b[1]}·{a[1]}"),
        lambda a, b: (f"({a[0]} - {b[0]})", f"-({b[1]} − {a[1]})"),
        lambda a, b: (f"({a[0]} + {b[0]})**2", f"({a[1]}·({a[1]}) + 2·{a[1]}·({b[1]}) + ({b[1]})²)"),
        lambda a, b: (f"sin({a[0]} + {b[0]})", f"(sin({a[1]})·cos({b[1]}) + cos({a[1]})·sin({b[1]}))"),
        lambda a, b: (f"({a[0]} * ({b[0]} + x))", f"(({a[1]})·({b[1]}) + x·({a[1]}))"),
        lambda a, b: (f"maximum({a[0]}, {b[0]})", f"({b[1]} + relu({a[1]} − ({b[1]})))"),
    ]

    def grown(inner):
        return st.builds(lambda law, a, b: law(wrapped(a), wrapped(b)), st.sampled_from(laws), inner, inner)

    return st.recursive(atoms, grown, max_leaves=4)


def wrapped(pair):
    return tuple(f"({text})" for text in pair)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(forms())
def test_an_equivalent_form_is_right_and_one_that_is_a_little_off_is_not(pair):
    first, second = pair
    x, y = bl.variable("x", shape=()), bl.variable("y", shape=())
    J = parse(f"{first} + x*y", {"x": x, "y": y})
    quiz = bl.which_function(J)
    assert quiz.check(f"{second} + y·x").ok
    assert not quiz.check(f"{second} + y·x + sin(x)/100").ok


ANSWERS = [
    ["x*y", "y x", "x / (1/y)", "J = x·y"],
    ["x²", "x*x", "np.square(x)", "abs(x)^2"],
    ["x/(x+y)", "1/(1 + y/x)", "1 - y/(y+x)"],
    ["(x+y)*y", "x y + y²"],
    ["sin(x**2)", "np.sin(x*x)", "cos(x² - π/2)"],
    ["(x+y)² + x + y", "(x + y)(x + y + 1)"],
    ["σ(w x + b)", "1/(1 + exp(-(w*x + b)))", "0.5 + 0.5*tanh((w*x + b)/2)"],
    ["relu(reshape(θ, (2, 3)) @ x)", "maximum(stack([θ[:3]·x, θ[3:]·x]), 0)"],
    ["(w·relu(reshape(θ,(2,3))@x) − y)² + λ Σ(w²)",
     "squared_error(w @ relu(reshape(theta, (2, -1)) @ x), y) + lambda * l2(w)"],
    ["tanh(W @ tanh(W @ x))", "tanh(W tanh(W x))", "tanh(tanh(x @ W.T) @ W.T)"],
]  # fmt: skip
each_level = pytest.mark.parametrize("level", range(1, len(LEVELS) + 1))


@each_level
def test_every_level_is_solved_in_any_form(level):
    quiz = bl.which_function(level=level)
    for answer in ANSWERS[level - 1]:
        verdict = quiz.check(answer)
        assert verdict.ok, f"{answer}: {verdict}"


@each_level
def test_the_typical_wrong_answers_of_a_level_are_explained_where_the_drawn_ones_are(level):
    quiz, chosen = bl.which_function(level=level), LEVELS[level - 1]
    for lines, why in chosen.wrong.items():
        *definitions, last = lines.split("; ")
        for line in definitions[::-1]:
            name, _, formula = line.partition(" = ")
            last = re.sub(rf"\b{name}\b", f"({formula})", last)
        verdict = quiz.check(last)
        assert not verdict.ok
        if "V" not in lines:  # a second matrix cannot be typed: the graph has one
            assert verdict.text.endswith(why) and re.search(
                r"At .* the graph has .*, yours has ", verdict.text
            )


@each_level
def test_one_graph_of_a_level_is_right_and_each_other_one_says_why_not(level):
    spec = bl.which_function(level=level, pick=True).spec
    right = [choice for choice in spec["choices"] if choice["right"]]
    wrong = [choice for choice in spec["choices"] if not choice["right"]]
    assert len(right) == 1 and len(wrong) == 2
    whys = [choice["why"] for choice in wrong]
    assert len(set(whys)) == 2 and all("the formula has" in why and "this graph has" in why for why in whys)
    said = re.match(r"Level \d+ of 10\. Which graph is (.*)\? □", spec["question"])[1]
    assert said in right[0]["why"] and not any(f"It is {said}. " in why for why in whys)


def test_the_right_graph_does_not_always_stand_at_the_same_place():
    specs = (bl.which_function(level=i + 1, pick=True).spec for i in range(len(LEVELS)))
    assert {[c["right"] for c in spec["choices"]].index(True) for spec in specs} == {0, 1, 2}


@pytest.mark.parametrize("level", [8, 9])
def test_an_open_and_a_closed_relu_both_occur(level):
    J = LEVELS[level - 1].graph(LEVELS[level - 1].leaves())
    (relu,) = (node for node in topological_order(J) if node.rule is not None and node.rule.name == "relu")
    gates = np.array([evaluate(relu, point.given) > 0 for point in points(J, names_of(J))])
    assert (gates.any(axis=0) & (~gates).any(axis=0)).all()
    assert (gates.any(axis=1) & (~gates).any(axis=1)).any()  # one open, one closed at one point


def test_points_have_distinct_values_of_both_signs_and_are_always_the_same():
    x, y, v = bl.variable("x", shape=()), bl.variable("y", shape=()), bl.variable("v", shape=(3,))
    J = x * y * np.sum(v)
    at = points(J, names_of(J))
    signs = {tuple(np.sign([p.given[x], p.given[y]]).tolist()) for p in at}
    assert len(signs) == 4
    for point in at[:10]:
        assert len(set(np.hstack([*point.given.values()]))) == 5
    for point, other in zip(at, points(J, names_of(J))):
        assert point.value == other.value


# ----------------------------------------------------------------------------------- any graph at all


def scalars(*names):
    return (bl.variable(name, shape=()) for name in names)


def test_points_lie_where_the_graph_is_finite():
    x, y, z = scalars("x", "y", "z")
    quiz = bl.which_function(np.log(x) * y + np.sqrt(z - 10))
    assert quiz.check("y*ln(x) + (z - 10)**0.5").ok
    verdict = bl.which_function(np.log(x) + np.log(y)).check("log(x*y) + 1")
    assert "Only a constant is wrong: yours is 1 more." in verdict.text


def test_a_form_that_is_defined_in_fewer_places_is_told_where_it_has_no_value():
    x, y = scalars("x", "y")
    verdict = bl.which_function(np.log(x * y)).check("log(x) + log(y)")
    assert not verdict.ok and "yours has nan" in verdict.text


def test_a_form_that_overflows_at_a_few_points_is_right():
    x = bl.variable("x", shape=(3,))
    assert bl.which_function(bl.logsumexp(40 * x)).check("log(sum(exp(40*x)))").ok


def test_labels_stay_labels_and_integers_stay_integers():
    W, X, labels = (
        bl.variable("W", shape=(2, 3)),
        bl.constant("X", [[1, 2], [3, 4]]),
        bl.constant("labels", [2, 0]),
    )
    quiz = bl.which_function(bl.cross_entropy(X @ W, labels))
    assert quiz.check("cross_entropy(X @ W, labels)").ok
    mean = "mean(logsumexp(X @ W) - stack([(X@W)[0, labels[0]], 0]))"
    assert not quiz.check(mean).ok
    assert not quiz.check("cross_entropy(X @ W, labels - 1)").ok


def test_single_precision_is_compared_as_such():
    x = bl.variable("x", np.ones(3, np.float32))
    assert bl.which_function(np.sum(x / 3)).check("mean(x)").ok
    assert not bl.which_function(np.sum(x / 3)).check("1.01 * mean(x)").ok


def test_unnamed_constants_are_a_part_of_the_formula():
    x = bl.variable("x", [1.0, 2.0])
    quiz = bl.which_function(np.array([3.0, -1.0]) @ x)
    assert quiz.check("[3, -1] @ x").ok and quiz.check("3*x[0] - x[1]").ok
    assert not quiz.check("[3, 1] @ x").ok
    assert "3" in re.sub(r"<[^>]*>", " ", quiz.spec["picture"])


def test_leaves_of_one_name_and_names_that_cannot_be_typed_get_names_that_can():
    a, b, c = bl.variable("W", shape=()), bl.variable("W", shape=()), bl.variable("dotted line", shape=())
    quiz = bl.which_function(a - b * c)
    assert "W, W₂, dotted_line" in quiz.spec["names"]
    assert quiz.check("W - W_2 * dotted_line").ok and quiz.check("W - W₂ · dotted_line").ok


def test_the_learners_own_operations_can_be_typed():
    swish = bl.rule("swish", lambda x: x * bl.sigmoid(x), lambda z, x: z + (1 - z) * bl.sigmoid(x))
    x = bl.variable("x", shape=())
    quiz = bl.which_function(swish(x) + 1)
    assert quiz.check("1 + swish(x)").ok and quiz.check("x σ(x) + 1").ok


def lectures_own(penalty):
    """The learner's graph of level 9, over leaves of the learner's own, with this penalty on w."""
    theta, w = bl.variable("theta", [1, 2, -1, -1, 1, 3]), bl.variable("w", [5, 2])
    x, y, lam = bl.constant("x", [2, -3, 4]), bl.constant("y", 17), bl.constant("λ", 2)
    return (w @ bl.relu(np.reshape(theta, (2, 3)) @ x) - y) ** 2 + lam * penalty(w)


def test_a_graph_of_the_learners_is_checked_against_the_drawn_one():
    quiz = bl.which_function(level=9)
    own = lectures_own(bl.l2)
    assert quiz.check(own).ok and own.value is None
    verdict = quiz.check(lectures_own(lambda w: np.sum(w) ** 2))
    assert not verdict.ok and verdict.text.endswith(
        "λ Σw² squares each entry and then adds; λ (Σw)² adds first."
    )


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("x", (3,), "Your x has 3 numbers, the graph's one number."),
        ("z", (), "Your graph has a leaf z; this one has x, y."),
    ],
)
def test_a_graph_over_other_leaves_is_refused_in_words(name, shape, said):
    verdict = bl.which_function(level=1).check(bl.variable(name, shape=shape) * 2)
    assert not verdict.ok and verdict.text == said


def test_large_arrays_are_answered_soon():
    x, W = bl.constant("x", np.ones((50, 784))), bl.variable("W", shape=(784, 256))
    start = time.perf_counter()
    assert bl.which_function(np.mean(bl.relu(x @ W))).check("mean(relu(x W))").ok
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda x: bl.which_function(), TypeError, "a graph of your own, or level"),
        (lambda x: bl.which_function(x * x, level=1), TypeError, "a graph of your own, or level"),
        (lambda x: bl.which_function(level=11), ValueError, "the levels are 1 to 10, not 11"),
        (lambda x: bl.which_function(level="1"), ValueError, "the levels are 1 to 10, not '1'"),
        (lambda x: bl.which_function("x * x"), TypeError, "expected a node"),
        (lambda x: bl.which_function(x), ValueError, "x is a leaf"),
        (lambda x: bl.which_function(sum([x] * 80, x)), ValueError, "81 nodes"),
        (lambda x: bl.which_function(np.log(-x * x)), ValueError, "no point was found"),
        (lambda x: bl.which_function(x * x, pick=True), ValueError, r"pick=\[K, L\]"),
        (lambda x: bl.which_function(x * x, pick=[x**2]), ValueError, "x² computes the same as J = x · x"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(ask, error, said):
    with pytest.raises(error, match=said):
        ask(bl.variable("x", shape=()))


def test_a_learners_own_graphs_can_be_picked_from():
    x, y = scalars("x", "y")
    other = bl.variable("x", shape=())
    spec = bl.which_function(x * y, pick=[x + y, other - y]).spec
    right, wrong = sorted(spec["choices"], key=lambda c: -c["right"])[0], spec["choices"]
    assert "J = x · y" in right["why"]
    whys = " ".join(choice["why"] for choice in wrong)
    assert "J = x + y. At x = −3, y = 1 the formula has −3, this graph has −2." in whys
    assert "J = x − y. At x = −3, y = 1 the formula has −3, this graph has −4." in whys


@pytest.mark.parametrize(
    ("formula", "typed", "said"),
    [
        ("x * y", "-x*y", "Only the sign"),
        ("x * y", "3*x*y", "yours is 3 times as large"),
        ("x * y", "x*y - 2", "yours is −2 more"),
        ("x / y", "y / x", "upside down"),
        ("W @ x", "W.T @ x", "one of them is transposed"),
        ("W * x", "(W * x).T", "It is transposed"),
        ("relu(W @ x)", "W @ x", "only as far as the card □ @ □"),
        ("sum(relu(W @ x))", "sum(W @ x)", "relu(□) is missing"),
        ("sin(x)**2", "sin(x**2)", "sin(□) comes first, then □²"),
        ("sum(x**2) + y", "sum(x)**2 + y", "□² comes first, then sum(□)"),
        ("(x - y) * y", "(y - x) * y", "Only the sign"),
        ("sin(x - y) + y", "sin(y - x) + y", "the two inputs are exchanged"),
        ("sin(x + y) + y", "sin(x * y) + y", "stands where the graph has □ + □"),
        ("sin(x + y) + y", "sin(x + y) + x", "one of yours comes from x"),
        ("W @ x", "x[0]", "Yours has one number, the graph 2 numbers"),
    ],
)  # fmt: skip
def test_a_near_miss_is_recognised(formula, typed, said):
    shapes = {"x": (2,) if "W" in formula or "sum" in formula else (), "y": (), "W": (2, 2)}
    nodes = {name: bl.variable(name, shape=shape) for name, shape in shapes.items()}
    verdict = bl.which_function(parse(formula, nodes)).check(typed)
    assert not verdict.ok and said in verdict.text, verdict


def test_the_graph_of_the_lecture_is_recognised_and_stays_as_it_was():
    J = graphs.lecture(penalty=True)
    assert bl.which_function(J).check("(w·relu(reshape(θ, (2,3)) @ x) − y)² + 2 Σ(w²)").ok
    assert J.value is None


# --------------------------------------------------------------------------------------- what is shown


@each_level
def test_the_picture_gives_no_formula_away(level):
    quiz = bl.which_function(level=level)
    J = LEVELS[level - 1].graph(LEVELS[level - 1].leaves())
    bundle, _ = quiz._repr_mimebundle_()
    before, after = bundle["text/html"].split("<details><summary>Answer</summary>")
    assert quiz.spec["hint"] in html.unescape(before)
    shown = [
        quiz.spec["picture"],
        quiz.spec["words"],
        repr(quiz),
        bundle["text/plain"],
        html.unescape(before),
    ]
    formulas = {notation.expression(node) for node in topological_order(J) if node.rule is not None}
    for formula in formulas:
        assert not any(formula in text for text in shown), formula
    assert notation.expression(J) in after and notation.expression(J) in quiz.spec["shown"]
    inner = {node.name for node in topological_order(J)[:-1] if node.rule is not None and node.name}
    assert not inner & set(re.findall(r">([^<>]+)<", quiz.spec["picture"]))


def test_a_graph_of_ones_own_has_a_hint_and_an_answer_too():
    x = bl.variable("x", shape=())
    quiz = bl.which_function(np.sin(x) * x)
    assert "Begin at the last card" in quiz.spec["hint"] and "sin(x) · x" in quiz.spec["shown"]


@pytest.mark.parametrize(
    "function", [np.matmul, np.subtract, np.outer, np.linalg.norm, np.transpose, np.cumsum]
)
def test_the_sign_of_an_operation_has_a_place_for_each_input(function):
    W = bl.variable("W", shape=(2, 2))
    node = function(W, W) if function in (np.matmul, np.subtract, np.outer) else function(W)
    sign = notation.sign(node)
    assert sign.count("□") == len(node.inputs) and "W" not in sign and "np" not in sign and "□ □" not in sign


def test_the_words_tell_the_whole_graph_card_by_card():
    x, y = scalars("x", "y")
    u = x + y
    assert "card 1: □ + □ of x, y" in bl.which_function(u * u + u).spec["words"]
    assert "card 3, J: □ + □ of card 2, card 1" in bl.which_function(u * u + u).spec["words"]


def test_hostile_names_stay_text():
    a, b = bl.variable(graphs.HOSTILE[0], shape=()), bl.variable(graphs.HOSTILE[1], shape=())
    for quiz in (bl.which_function(a * b), bl.which_function(a * b, pick=[a + b])):
        bundle, _ = quiz._repr_mimebundle_()
        for text in (bundle["text/html"], str(quiz.spec)):
            assert "<img src=x" not in text and "<script" not in text


def test_the_same_quiz_is_the_same_to_the_byte():
    for pick in (False, True):
        first, second = (bl.which_function(level=9, pick=pick) for _ in range(2))
        assert first.spec == second.spec
        assert first._repr_mimebundle_()[0]["text/html"] == second._repr_mimebundle_()[0]["text/html"]


def test_on_paper_the_graphs_to_pick_from_are_pictures_and_the_answers_are_folded():
    bundle, _ = bl.which_function(level=3, pick=True)._repr_mimebundle_()
    before, after = bundle["text/html"].split("<details>")
    assert before.count("<img ") == 3 and "upside down" in after and "upside down" not in before
    assert bundle["text/plain"].count("( )") == 3 and "✓" not in bundle["text/plain"]


def test_what_the_browser_types_is_answered_through_the_trait():
    quiz = bl.which_function(level=1)
    quiz.typed = {"text": "x*y", "count": 1}
    assert quiz.verdict["right"] and quiz.verdict["count"] == 1 and quiz.verdict["place"] is None
    quiz.typed = {"text": "x*q", "count": 2}
    assert not quiz.verdict["right"] and quiz.verdict["place"] == [2, 3] and quiz.verdict["count"] == 2


def test_a_verdict_prints_with_the_place_pointed_at():
    assert repr(bl.which_function(level=1).check("x*q")).splitlines()[1:] == ["    x*q", "      ^"]


@pytest.mark.parametrize("typed", ["1/0", "y/0"])
def test_an_infinity_is_not_taken_for_two_inputs_exchanged(typed):
    x, y = bl.variable("x", shape=()), bl.variable("y", shape=())
    assert "exchanged" not in str(bl.which_function(x * y).check(typed))


def test_a_readers_own_log_does_not_take_numpys_place():
    x = bl.variable("x", [1.5, 4.0])
    log = bl.rule("log", lambda x: 3 * x, lambda z, x: 3)
    quiz = bl.which_function(np.sum(log(x)) + np.sum(np.log(x)))
    assert quiz.check("sum(log(x)) + sum(np.log(x))").ok
    assert quiz.check("3 * sum(x) + sum(np.log(x))").ok
    assert not quiz.check("sum(np.log(x)) + sum(np.log(x))").ok
