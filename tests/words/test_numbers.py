"""Numbers given as settings: NumPy's count as Python's, truth values do not, and bounds are named."""

from __future__ import annotations

import numpy as np
import pytest

from backprop_lab.words.numbers import finite_number, is_number, is_whole, number_within, whole_number


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_of_python_and_of_numpy(value):
    assert is_whole(value) and is_number(value)
    assert type(whole_number("steps", value, 1, 3)) is int


@pytest.mark.parametrize("value", [3.0, np.float32(3), True, np.True_, "3", None, 1j, np.complex128(3)])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ValueError, match="steps is a whole number from 1, not"):
        whole_number("steps", value, 1)


@pytest.mark.parametrize("value", [0, 11, -1])
def test_bounds_of_whole_numbers_are_named(value):
    with pytest.raises(ValueError, match=f"steps is a whole number from 1 to 10, not {value}"):
        whole_number("steps", value, 1, 10)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.array(0.5)])
def test_numbers_within_bounds(value):
    assert number_within("momentum", value, "from 0 to below 1", below=1) == 0.5


@pytest.mark.parametrize("value", [1, -0.1, np.nan, np.inf, True, "0.5", 0.5j, np.array([0.5])])
def test_numbers_beyond_the_bounds_are_refused(value):
    with pytest.raises(ValueError, match="momentum is a number, from 0 to below 1, not"):
        number_within("momentum", value, "from 0 to below 1", below=1)


@pytest.mark.parametrize("value", [np.inf, np.nan, "three", [1, 2], None])
def test_a_finite_number_is_demanded_in_words(value):
    with pytest.raises(ValueError, match="x is a number, not"):
        finite_number("x", value)
