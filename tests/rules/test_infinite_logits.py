"""Softmax and its relatives where logits are infinite: a masked entry has the probability 0."""

from __future__ import annotations

import numpy as np
import pytest
from ways import agree_in_every_way

import backprop_lab as bl

pytestmark = pytest.mark.filterwarnings("ignore::backprop_lab.NonFiniteWarning")
INF = np.inf


def slope(function, z):
    """(value, gradient) of a function of the variable z, the same in every way."""
    value, gradients = agree_in_every_way(function(bl.variable("z", z)))
    return value, gradients["z"]


@pytest.mark.parametrize(
    ("z", "label", "cost", "gradient"),
    [
        ([-INF, 0], 1, 0, [0, 0]),
        ([-INF, 0], 0, INF, [-1, 1]),
        ([INF, 0], 0, 0, [0, 0]),
        ([INF, 0], 1, INF, [1, -1]),
        ([INF, -INF], 0, 0, [0, 0]),
        ([-INF, 0, -INF, 0], 3, np.log(2), [0, 0.5, 0, -0.5]),
    ],
)
def test_cross_entropy_of_infinite_logits_is_its_limit(z, label, cost, gradient):
    rows = np.eye(len(z))[label]
    for labels in (label, rows):
        found = slope(lambda z, y=labels: bl.cross_entropy(z, y), np.array(z, float))
        np.testing.assert_allclose(found[0], cost, atol=1e-15)
        np.testing.assert_allclose(found[1], gradient, atol=1e-15)


def test_a_batch_may_mask_other_classes_in_each_row():
    z = np.array([[-INF, 1.0, 2.0], [0.5, -INF, -INF], [3.0, 1.0, -INF]])
    labels = np.array([2, 0, 1])
    cost, gradient = slope(lambda z: bl.cross_entropy(z, bl.constant("y", labels)), z)
    far = np.where(np.isinf(z), -1e3, z)
    np.testing.assert_allclose(cost, bl.cross_entropy(far, labels))
    np.testing.assert_allclose(gradient, slope(lambda z: bl.cross_entropy(z, labels), far)[1], atol=1e-15)


@pytest.mark.parametrize(
    ("z", "value", "gradient"),
    [
        ([-INF, -INF], -INF, [np.nan, np.nan]),  # no limit
        ([INF, 0], INF, [1, 0]),
        ([0, -INF], 0, [1, 0]),
        ([-INF, INF], INF, [0, 1]),
    ],
)
def test_logsumexp_of_infinite_numbers_is_the_one_of_numpys_logaddexp(z, value, gradient):
    functions = [bl.logsumexp, lambda z: bl.logsumexp(z, axis=0, keepdims=True)[0]]
    for function in [*functions, lambda z: np.logaddexp(z[0], z[1])]:
        found = slope(function, np.array(z, float))
        assert found[0] == value == np.logaddexp(*map(float, z))
        np.testing.assert_array_equal(found[1], gradient)


def test_the_softmax_and_its_logarithm_have_their_limits():
    weights = np.array([1.0, 2.0, 3.0])
    for z, p in [([-INF, 0, -INF], [0, 1, 0]), ([INF, 0, -INF], [1, 0, 0]), ([-INF, 0, 0], [0, 0.5, 0.5])]:
        z = np.array(z, float)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(bl.softmax(z), p)
            np.testing.assert_array_equal(bl.log_softmax(z), np.log(p))
        _, gradient = slope(lambda z: np.sum(bl.softmax(z) * weights), z)
        np.testing.assert_allclose(gradient, p * (weights - weights @ p))
        _, gradient = slope(lambda z, p=p: np.sum(bl.log_softmax(z)[np.argmax(p)]), z)
        np.testing.assert_allclose(gradient, np.eye(3)[np.argmax(p)] - p)


def test_a_nan_among_the_logits_is_not_hidden():
    z = np.array([np.nan, 0.0])
    for function in (bl.logsumexp, lambda z: bl.cross_entropy(z, 1), lambda z: bl.softmax(z)[1]):
        value, gradient = slope(function, z)
        assert np.isnan(value) and np.isnan(gradient).all()
