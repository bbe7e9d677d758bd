"""The text of every program, run with nothing but NumPy, gives the numbers of the passes in their precision."""

from __future__ import annotations

import builtins
import keyword
import math
import subprocess
import sys

import numpy as np
import pytest
from rule_cases import CASES, nodes, numbers
from samples import random_programs

import backprop_lab as bl
from backprop_lab.graph.node import RULES
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
    """Assert that the text, and the function in another library, agree with the passes; the program."""
    program, close = bl.compile(J), CLOSE[J.dtype.type]
    assert "bl." not in program.source
    value, gradient = alone(program)
    elsewhere, slopes = bl.compile(J, xp=np)()
    slow = bl.backward(J, on_nonfinite="ignore")
    flat = program.parameters.parts(gradient)
    for found in (value, elsewhere):
        assert (np.shape(found), np.asarray(found).dtype) == ((), J.dtype)
        np.testing.assert_allclose(found, J.value, rtol=close, atol=close)
    for leaf, right in slow.items():
        for found in (flat[leaf], slopes[leaf.name]):
            assert found.dtype == leaf.dtype or leaf.dtype != J.dtype
            np.testing.assert_allclose(found, right, rtol=close, atol=close)
    return program


def cost_of(z, leaves):
    """A single number that hangs on every entry of z, and on a leaf where z is flags."""
    return np.sum(np.sin(z)) if z.dtype.kind == "f" else np.sum(np.where(z, leaves[0], 2 * leaves[0]))


@pytest.mark.parametrize("kind", CLOSE, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CASES)
def test_the_text_of_every_operation_runs_alone(name, kind):
    function, *arrays = CASES[name]
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
    for program in random_programs(25, seed):
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
    said = subprocess.run([sys.executable, "-S", "-c", ""], capture_output=True, text=True, check=True)
    assert said.stdout == ""
    text = f"import sys\nsys.modules['backprop_lab'] = None\n{program.source}\n{run}"
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(np.array(said.stdout.split(), float), bl.backward(J)[w])
