"""What is taken for numbers, and what is refused because it means something else."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_lab as bl

MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
WIDE = np.longdouble


def entries(name="w"):
    return bl.variable(name, [1.0, 2.0, 3.0])


def given(value):
    """All the ways in which numbers come to a graph."""
    w = entries()
    c = bl.constant("c", np.ones(3))
    yield lambda: w + value
    yield lambda: np.multiply(w, value)
    yield lambda: bl.constant("x", value)
    yield lambda: bl.variable("x", value)
    yield lambda: setattr(w, "value", value)
    yield lambda: bl.backward(w, seed=value)
    yield lambda: bl.compile(np.sum(w * c))(c=value)
    yield lambda: next(bl.sgd(np.sum(w * c), {"c": value}))


@pytest.mark.parametrize("way", range(8))
def test_a_masked_array_is_refused_since_its_mask_would_be_lost(way):
    with pytest.raises(bl.NotAnArrayError, match=r"masked array.*filled"):
        list(given(MASKED))[way]()


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("way", range(8))
def test_a_matrix_of_numpys_is_refused_since_its_product_means_another(way):
    with pytest.raises(bl.NotAnArrayError, match=r"np\.matrix.*@"):
        list(given(np.matrix([1.0, 2.0, 3.0])))[way]()
    with pytest.raises(bl.NotAnArrayError, match=r"np\.matrix.*@"):
        np.matrix(np.eye(3)) * entries()


@pytest.mark.skipif(np.dtype(WIDE).itemsize == 8, reason="numbers are not wider here")
@pytest.mark.parametrize("way", range(8))
def test_numbers_wider_than_float64_are_refused(way):
    with pytest.raises(bl.NotAnArrayError, match="wider than float64"):
        list(given(WIDE([1, 2, 3])))[way]()
    for operate in (lambda w: w * WIDE(2), lambda w: WIDE(2) * w, lambda w: w ** WIDE(2)):
        with pytest.raises(bl.NotAnArrayError, match="wider than float64"):
            operate(entries())


def test_arrays_of_other_libraries_that_mean_the_same_are_taken(tmp_path):
    numbers = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=(3,))
    numbers[:] = [1, 2, 3]
    assert bl.forward(np.sum(entries() * numbers)) == 14


@pytest.mark.parametrize("kind", [">f8", ">f4", ">f2", ">i4", ">u2"])
def test_numbers_are_kept_in_the_byte_order_of_the_machine(kind):
    given = np.array([1, 200, 3], kind)
    leaf = bl.constant("c", given)
    assert leaf.dtype.isnative and leaf.value.dtype.isnative and leaf.dtype.itemsize == given.dtype.itemsize
    np.testing.assert_array_equal(leaf.value, given)
    leaf.value = given[::-1]
    np.testing.assert_array_equal(leaf.value, given[::-1])
    assert (bl.variable("w", given) * given).dtype.isnative
