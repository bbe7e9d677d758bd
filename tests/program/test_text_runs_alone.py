"""The text of every program, run with NumPy alone, gives the numbers and the precision of the passes."""

from __future__ import annotations

import keyword
import subprocess
import sys
import unicodedata
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from rule_cases import CASES, nodes, numbers
from samples import random_programs

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from tools import graphs

CLOSE = {np.float64: 1e-9, np.float32: 1e-3, np.float16: 5e-2}


def alone(program):
    """(value, gradient by θ) of the program's text in an empty namespace."""
    scope: dict = {}
    exec(program.source, scope)
    assert set(scope) - {"__builtins__"} <= {"np", "program", "scatter"}
    with np.errstate(all="ignore"):
        return scope["program"](**program.inputs)


def runs_alone(J):
    """Assert that the program and its text agree with the passes, in their precision; the program."""
    with np.errstate(all="ignore"):
        program = bl.compile(J)
        value, gradient = alone(program)
        slow = bl.backward(J, on_nonfinite="ignore")
        found = program()
    flat = program.parameters.parts(gradient)
    close = max(CLOSE[node.dtype.type] for node in topological_order(J) if node.dtype.kind == "f")
    assert (np.shape(value), np.asarray(value).dtype) == ((), J.dtype)
    np.testing.assert_allclose([value, found[0]], [J.value] * 2, rtol=close, atol=close)
    for leaf, right in slow.items():
        assert flat[leaf].dtype == leaf.dtype or leaf.dtype != J.dtype
        np.testing.assert_allclose(flat[leaf], right, rtol=close, atol=close)
        np.testing.assert_allclose(found[1][leaf], right, rtol=close, atol=close)
    return program


def cost_of(z, leaves):
    """A single number that hangs on every entry of z, and on a leaf where z is flags."""
    return np.sum(np.sin(z)) if z.dtype.kind == "f" else np.sum(np.where(z, leaves[0], 2 * leaves[0]))


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_every_operation_runs_alone_in_every_precision(name):
    function, *arrays = CASES[name]
    for kind in CLOSE:
        leaves = nodes([np.asarray(array, kind) for array in arrays])
        runs_alone(cost_of(function(*leaves), leaves))


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_every_gradients_gradient_runs_alone(name):
    function, *arrays = CASES[name]
    leaves = nodes(arrays)
    slopes = bl.gradient(cost_of(function(*leaves), leaves), leaves)
    first, *others = (np.sum(np.sin(slope) * leaf) for slope, leaf in zip(slopes, leaves, strict=True))
    runs_alone(sum(others, first))


@pytest.mark.parametrize("seed", range(3))
def test_the_text_of_random_graphs_runs_alone(seed):
    for program in random_programs(12, seed):
        runs_alone(program.graph())


@pytest.mark.parametrize("name", graphs.ALL)
def test_the_text_of_the_graphs_that_strain_a_picture_runs_alone(name):
    runs_alone(graphs.ALL[name]())


def test_the_text_runs_in_a_fresh_python_without_the_package():
    w = bl.variable("w", [1.0, -2.0, 3.0])
    J = bl.cross_entropy(w[[0, 1, 1, 2]], 2) + bl.l2(w)
    program = bl.compile(J)
    given = "\n".join(f"{k} = np.array({v.tolist()})" for k, v in program.inputs.items())
    run = f"{given}\nprint(*program({', '.join(f'{k}={k}' for k in program.inputs)})[1])"
    text = f"import sys\nsys.modules['backprop_lab'] = None\n{program.source}\n{run}"
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(np.array(said.stdout.split(), float), bl.backward(J)[w])


# ----------------------------------------------------------------------------- constants and parameters


@pytest.mark.parametrize("kind_of_constant", [">f8", "<f4", ">f4", "f2", "i8", ">i4", "u1", "i1", "?"])
def test_constants_of_every_type_are_written_as_they_are(kind_of_constant):
    for kind, entries in product(CLOSE, ([0, 1, 1], [1, 1, 1], [0, 1, 2])):
        w = bl.variable("w", np.array([1.0, 2.0, 3.0], kind))
        array = np.array(entries).astype(kind_of_constant)
        for c in (array, bl.constant("c", array), array[1], np.array(array[1])):
            runs_alone(np.sum(w * c) + np.sum(-(c * w)) + np.sum(np.where(w > c, w, c) ** 2))


def test_a_constant_in_the_other_byte_order_is_that_number():
    c = bl.constant("c", np.array([1, 256], ">f8"))
    assert c.dtype == np.float64 and c.dtype.isnative
    assert bl.forward(c * 1).tolist() == [1.0, 256.0]
    c.value = np.array([2, 512], ">f4")
    assert c.value.tolist() == [2.0, 512.0] and c.value.dtype.isnative


@pytest.mark.filterwarnings("ignore::backprop_lab.NonFiniteWarning")
def test_infinities_zeros_with_a_sign_and_empty_arrays_are_written_as_they_are():
    w = bl.variable("w", [1.0, 2.0])
    for c in ([np.inf, 1.0], [-np.inf, -np.inf], [-0.0, -0.0], [0.0, -0.0], [np.nan, 1.0]):
        program = bl.compile(np.sum(np.arctan(w / np.array(c))))
        np.testing.assert_array_equal(alone(program)[0], program()[0])
    for kind in CLOSE:
        u = bl.variable("u", np.array([1.0, 2.0], kind))
        runs_alone(np.sum(np.concatenate([u, np.zeros(0, kind)]) ** 2))


def test_numbers_in_narrow_graphs_are_written_in_the_precision_they_have():
    for kind in (np.float16, np.float32):
        w = bl.variable("w", np.array([1.0, 2.0], kind))
        for J in (
            np.sum(w * np.float64(0.1)),
            np.sum(w * np.array(0.1)),
            np.sum(w * 0.1),
            np.sum(w * kind(0.1)),
            np.sum(np.stack([w[0], 0.1, 2])),
            np.sum(np.outer(w, 0.1)) + np.dot(0.5, w[0]),
            np.sum(np.einsum("i,->i", w, 0.1)),
        ):
            runs_alone(J)


@pytest.mark.parametrize("kind", CLOSE, ids=lambda kind: kind.__name__)
def test_a_network_keeps_its_precision_whatever_its_data_and_targets_are(kind):
    X, y = numbers(4, 2), np.array([2, 0, 1, 1])
    rows = np.eye(3)[y]

    def costs(logits, y, rows):
        flags, whole = bl.constant("flags", rows > 0), bl.constant("whole", (9 * rows).astype(np.uint8))
        named = bl.constant("rows", rows)
        yield bl.cross_entropy(logits, y)
        yield bl.cross_entropy(logits, bl.constant("y", y))
        yield from (bl.cross_entropy(logits, given) for given in (rows, named, flags))
        yield from (bl.squared_error(logits, given) for given in (rows, named, flags, whole))
        yield from (bl.squared_error(given, logits) for given in (rows, named, flags, whole))
        yield bl.cross_entropy(logits, rows) + 0.1 * bl.l2(logits, rows) + np.mean(bl.softplus(logits))

    W = bl.variable("W", numbers(2, 3).astype(kind))
    for data in (X.astype(kind), bl.constant("X", X.astype(kind)), bl.constant("X", (9 * X).astype(int))):
        for J in costs(data @ W / 10, y, rows):
            runs_alone(J)
            value, slopes = bl.compile(J, xp=np)()
            assert {J.dtype, value.dtype, slopes["W"].dtype, bl.gradient(J, W).dtype} == {np.dtype(kind)}
            np.testing.assert_allclose(value, bl.forward(J), rtol=CLOSE[kind])


def test_variables_of_several_precisions_keep_theirs_in_the_text():
    u, v, h = (bl.variable(n, numbers(3).astype(kind)) for n, kind in zip("uvh", CLOSE, strict=True))
    s = bl.variable("s", np.float16(0.1))
    for J in (
        np.sum(u * v) + np.sum(np.sin(v) * h) * s,
        np.sum(h) * np.float64(0.1),
        np.sum(v**2) * 1e-3 + s,
    ):
        program = runs_alone(J)
        slopes = bl.compile(J, xp=np)()[1]
        assert {slopes[leaf.name].dtype == leaf.dtype for leaf in program.variables} == {True}
    assert "np.asarray(theta" in bl.compile(u[0] * h[0]).source


def test_targets_and_arrays_alone_are_read_as_numpy_reads_them():
    z, rows = numbers(4, 3).astype(np.float32), np.eye(3)[[2, 0, 1, 1]]
    assert bl.squared_error(z, rows).dtype == np.mean((z - rows) ** 2).dtype == np.float64
    assert bl.cross_entropy(z, rows).dtype == np.float32


def test_parameters_that_are_arrays_are_written_so_that_they_run():
    x = bl.variable("x", numbers(2, 3))
    for z in (
        np.tile(x, np.array([2, 1])),
        np.tile(x, [2, 1]),
        np.reshape(x, np.array([3, 2])),
        np.broadcast_to(x, np.array([2, 2, 3])),
        np.moveaxis(x, np.array([0, 1]), np.array([1, 0])),
        x[np.array([1, 0])],
        np.where(np.array(True), x, 0),
        np.clip(x, -np.inf, np.float32(0.5)),
    ):
        runs_alone(np.sum(z**2))


def test_a_minus_before_a_product_of_flags_or_of_unsigned_numbers_has_brackets():
    x, M = bl.variable("x", [1.0, 2.0, -3.0]), bl.constant("M", np.eye(3))
    small = np.array([1, 2, 200], np.uint8)
    for z in (-((x > 0) @ M), +((x > 0) @ M), -((x > 0) * x), -((x > 0) / x), -(small * x), -(small / x)):
        runs_alone(np.sum(z * x))


# ------------------------------------------------------------------------------------------- names

HOSTILE = [
    *("program", "np", "scatter", "bl", "inputs", "theta", "gradient", "t1", "constant1", "v", "xp", "self"),
    *keyword.kwlist,
    *keyword.softkwlist,
    *("abs", "hasattr", "int", "list", "print", "sum", "type"),  # builtins
    *(
        "__builtins__",
        "__name__",
        "_",
        "__",
        "\u00b5",
        "\u03bc",
        "\uff4e\uff50",
        "\U0001d431",
        "\u212f",
        "\ufb01",
    ),
    *(
        "x\ny",
        "x\0",
        "\x1b[31m",
        "x\u202ey",
        "import os\n",
        "a'b",
        'a"b',
        "1x",
        "x\u00b2",
        "\u0661",
        " ",
        "\ud800",
    ),
]


def test_leaves_of_any_name_stand_in_texts():
    for name in HOSTILE:
        w, c = bl.variable(name, [1.0, -2.0, 3.0]), bl.constant(name + "_2", [2.0, 0.5, 1.0])
        runs_alone(np.sum((w[[0, 2, 0]] * c).named(name) ** 2).named(name) + bl.l2(w))


def test_leaves_of_all_these_names_stand_in_one_text():
    names = {unicodedata.normalize("NFKC", name): name for name in HOSTILE}.values()
    runs_alone(sum(bl.variable(name, float(i)) ** 2 for i, name in enumerate(names)))


def test_operations_of_the_readers_own_of_any_name_stand_in_texts():
    def compute(x, k=1.0):
        return np.array([k * t * t for t in x.tolist()])

    for name in filter(lambda name: name.isidentifier() and not keyword.iskeyword(name), HOSTILE):
        own = bl.rule(name, compute, lambda z, x, k: 2 * k * x, parameters={"k": 1.0})
        other = bl.rule(name, lambda x: np.array([t**3 for t in x.tolist()]), lambda z, x: 3 * x * x)
        w = bl.variable(name, [1.0, -2.0, 3.0])
        program = runs_alone(np.sum(own(w[[0, 2, 0]], k=2.0) * other(w)))
        assert bl.compile(program.cost, xp=np)()[0] == program()[0]


def test_an_operation_of_the_readers_own_is_an_argument_of_the_text():
    halved = bl.rule("halved", lambda x: np.array([t / 2 for t in x.tolist()]), lambda z, x: 0.5)
    w = bl.variable("w", [1.0, 2.0])
    program = runs_alone(np.sum(halved(w)))
    assert "def program(w, halved):" in program.source
    assert program.inputs["halved"](np.array([3.0])) == [1.5]


def test_an_operation_with_parameters_that_no_code_stands_for_is_an_argument_with_them():
    def compute(x, how):
        return np.array([how["by"](t) for t in x.tolist()])

    own = bl.rule("own", compute, lambda z, x, how: how["slope"](x), parameters={"how": {}})
    held = bl.rule("held", lambda x, by: x * by.size, lambda z, x, by: by.size, parameters={"by": None})
    w = bl.variable("w", [1.0, 2.0])
    doubled = own(w, how={"by": lambda t: 2 * t, "slope": lambda x: 2 + 0 * x})
    waves = own(w, how={"by": np.sin, "slope": np.cos})
    for odd in (SimpleNamespace(size=2), np.array(["a", "b"]), np.array([1.0, None])):
        runs_alone(np.sum(held(w, by=odd) ** 2))
    program = runs_alone(np.sum(doubled * waves))
    assert "def program(w, own, own_2):" in program.source
    assert "own_2(w, how={'by': np.sin, 'slope': np.cos})" in program.source


@pytest.mark.parametrize("letter", ["\u00b5", "\u212f", "\U0001d431"], ids=ascii)
def test_leaves_are_known_by_their_names_as_python_reads_them(letter):
    w, c = bl.variable(letter, 2.0), bl.constant("c", 3.0)
    J = w * w * c
    scope = {"program": bl.compile(J), "elsewhere": bl.compile(J, xp=np)}
    exec(f"first, second = program({letter}=5.0)[0], elsewhere({letter}=5.0)", scope)
    assert scope["first"] == scope["second"][0] == 75
    assert scope["second"][1][letter] == 30
    assert bl.compile(J)(**{letter: 5.0})[0] == 75


def test_data_and_boxes_are_known_by_their_names_as_python_reads_them():
    w, x = bl.variable("w", 1.0), bl.constant("\u00b5", [1.0, 2.0])
    J = np.mean((w * x - 1) ** 2)
    for letter in ("\u00b5", "\u03bc"):
        costs = [step.cost for step in bl.sgd(J, {letter: [3.0, 3.0]}, learning_rate=0, epochs=2)]
        assert costs == [4.0, 4.0]
        assert str(bl.fill_in((w * w).named("\u00b5"), values={letter: 1})).startswith("\u2713")


def test_two_leaves_whose_names_python_reads_alike_are_refused():
    with pytest.raises(ValueError, match="two leaves are called '\u03bc'"):
        bl.compile(bl.variable("\u00b5", 1.0) * bl.variable("\u03bc", 2.0))
