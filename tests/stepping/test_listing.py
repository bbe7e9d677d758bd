"""The NumPy line of every step: run one after the other, they give the numbers of the records."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracles import law
from samples import programs

import backprop_lab as bl
from backprop_lab.learning.rounds import Round, learning_rounds
from backprop_lab.program.source import SCATTER
from backprop_lab.stepping.listing import Listing
from tools import graphs


def run(listing, start=None):
    """The names that stand after the lines were run, in a scope of NumPy, the package and the leaves."""
    scope = {"np": np, "bl": bl} | {name: leaf.value for name, leaf in listing.leaves.items()} | (start or {})
    exec(SCATTER, scope)
    for line in listing.lines:
        exec(line, scope)
        yield line.split(" =")[0], scope


def agrees(J):
    steps = bl.steps(J)
    listing = Listing(J, [Round(steps)])
    with np.errstate(all="ignore"):
        for step, (name, scope) in zip(steps, run(listing), strict=True):
            expected = step.value if step.phase == "forward" else step.so_far.sum
            assert np.shape(scope[name]) == expected.shape
            np.testing.assert_allclose(scope[name], expected, rtol=1e-5 if J.dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("name", graphs.ALL)
def test_the_lines_give_the_numbers_of_the_records(name):
    agrees(graphs.ALL[name]())


@pytest.mark.slow
@settings(law, max_examples=60)
@given(programs())
def test_the_lines_of_any_graph_give_its_numbers(program):
    agrees(program.graph())


def test_a_line_is_what_a_person_would_write():
    J = graphs.lecture(penalty=True)
    lines = Listing(J, [Round(bl.steps(J))]).lines
    assert lines[:4] == ["W = np.reshape(theta, (2, 3))", "a = W @ x", "h = bl.relu(a)", "y_hat = w @ h"]
    assert "grad_w = grad_y_hat * h" in lines and lines[-1] == "grad_w = grad_w + grad_t3 * (2 * w)"


def test_names_that_cannot_stand_in_a_program_are_made_safe_and_stay_apart():
    x, other = bl.variable("grad_J", 2.0), bl.variable("class", 3.0)
    J = (x * other).named("J")
    agrees(J)
    assert set(Listing(J, [Round(bl.steps(J))]).leaves) == {"grad_J", "v_class"}


def test_learning_is_a_loop_of_the_same_lines():
    J = graphs.regression()
    data = {"X": np.arange(6), "y": np.arange(6) * 2}
    first, second = learning_rounds(J, 2, 0.1, data, batch_size=3, seed=1)
    listing = Listing(J, [first, second])
    assert listing.lines[0] == "for X, y in batches:"
    assert listing.between_rounds(1) == [len(listing.lines) - 2, len(listing.lines)]
    scope = {"np": np, "bl": bl, "w": J_value(J, "w"), "b": J_value(J, "b")}
    scope["batches"] = [tuple(r.batch[leaf] for leaf in first.batch) for r in (first, second)]
    exec("\n".join(listing.lines), scope)
    for update in second.updates:
        np.testing.assert_allclose(scope[update.variable.name], update.after)


def J_value(J, name):
    return next(a.value for s in bl.steps(J) for a in s.node.inputs if a.name == name)
