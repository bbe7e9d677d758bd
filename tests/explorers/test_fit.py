"""``bl.explore.fit``: its weights against the lab's own gradient and NumPy's fits, and what it says."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backprop_lab as bl
from backprop_lab.explorers.fit import basis, solve

SEEN = bl.data.noisy_polynomial(20, noise=0.3, seed=2)
UNSEEN = bl.data.noisy_polynomial(200, noise=0.3, seed=102)


def fitted(**given):
    return bl.explore.fit(*SEEN, UNSEEN, **given)


def costs(explorer):
    """The training and the validation cost that it tells."""
    found = re.search(r"training cost ([\d.e−]+), validation cost ([\d.e−]+)", "\n".join(explorer.lines))
    return [float(number.replace("−", "-")) for number in found.groups()]


@settings(max_examples=25, deadline=None)
@given(
    degree=st.integers(0, 12), factor=st.sampled_from([0.0, 1e-6, 1e-3, 0.1, 10.0]), seed=st.integers(0, 99)
)
def test_at_its_weights_the_gradient_of_the_penalised_cost_is_zero(degree, factor, seed):
    x, y = bl.data.noisy_polynomial(20, noise=0.3, seed=seed)
    columns = basis(x, degree, -1.0, 1.0)
    w = bl.variable("w", solve(columns, y, factor))
    J = np.mean((columns @ w - y) ** 2)
    if degree:
        J = J + factor * bl.l2(w[1:])
    np.testing.assert_allclose(bl.backward(J)[w], 0, atol=1e-9)


@pytest.mark.parametrize("degree", [0, 1, 3, 7])
def test_without_a_penalty_it_is_the_least_squares_fit_of_numpy(degree):
    x, y = SEEN
    expected = np.polynomial.Polynomial.fit(x, y, degree)
    explorer = fitted(degree=degree)
    by_numpy = [np.mean((expected(a) - b) ** 2) for a, b in (SEEN, UNSEEN)]
    np.testing.assert_allclose(costs(explorer), by_numpy, rtol=5e-3)


@given(a=st.floats(-5, 5), width=st.floats(0.1, 5))
def test_the_polynomials_of_the_basis_are_as_large_as_each_other(a, width):
    x = a + width * (np.polynomial.legendre.leggauss(20)[0] + 1) / 2
    weights = np.polynomial.legendre.leggauss(20)[1] / 2
    columns = basis(x, 8, a, a + width)
    np.testing.assert_allclose(columns.T @ (weights[:, None] * columns), np.eye(9), atol=1e-6)


def test_more_degrees_never_raise_the_training_cost_and_too_many_raise_the_other():
    training, validation = zip(*(costs(fitted(degree=degree)) for degree in range(16)))
    assert np.all(np.diff(training) <= 0)
    assert validation[15] > 10 * min(validation)


def test_a_penalty_raises_the_training_cost_and_can_lower_the_other():
    explorer = fitted(degree=15)
    free = costs(explorer)
    explorer.values = {"log10_penalty": -1}
    held = costs(explorer)
    assert held[0] > free[0] and held[1] < free[1] / 10


def test_at_the_lower_end_of_its_slider_the_penalty_is_none():
    explorer = fitted(degree=9, penalty=0.1)
    assert "λ = 0.1:" in explorer.lines[0]
    explorer.values = {"log10_penalty": -7}
    assert "λ = 0:" in explorer.lines[0] and costs(explorer) == costs(fitted(degree=9))


def test_one_number_of_degrees_is_enough():
    assert fitted(degree=0, most=0).lines[0] == "degree 0, λ = 0: 1 weight for 20 points"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (((1, 2), (1, 2, 3), UNSEEN), "x, y are two arrays"),
        (((1, 1), (1, 2), UNSEEN), "two different x"),
        ((*SEEN, ([0, 1], [0, np.nan])), "validation are two arrays of finite numbers"),
        ((*SEEN, None), "validation are two arrays"),
        ((*SEEN, UNSEEN, 16), "degree is a whole number from 0 to 15"),
        ((*SEEN, UNSEEN, 2.0), "degree is a whole number"),
        ((*SEEN, UNSEEN, 3, -0.1), "penalty is λ"),
        ((*SEEN, UNSEEN, 3, "much"), "penalty is a number"),
        ((*SEEN, UNSEEN, 3, 0.1, 30), "most is a whole number from 0 to 20"),
    ],
)
def test_what_cannot_be_fitted_is_said(arguments, said):
    with pytest.raises(ValueError, match=f"^fit: .*{said}"):
        bl.explore.fit(*arguments)
