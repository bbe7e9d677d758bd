"""What an interrupt must not come between happens as a whole, at whatever moment it comes."""

from __future__ import annotations

from itertools import count
from threading import Lock

import pytest
from interrupts import interrupted_after

from backprop_lab.graph.interrupts import assign_together, fetch_next, while_holding

MOMENTS = range(12)  # more than any of these has


@pytest.mark.parametrize("moment", MOMENTS)
def test_assignments_are_all_made_or_none(moment):
    first, second = {}, {}
    try:
        with interrupted_after(moment):
            assign_together(
                map(first.__setitem__, range(5), range(5)), map(second.__setitem__, range(5), range(5))
            )
    except KeyboardInterrupt:
        pass
    assert len(first) == len(second) and len(first) in (0, 5)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_lock_is_free_after_an_interrupt(moment):
    lock, held = Lock(), []
    try:
        with interrupted_after(moment):
            while_holding(lock, lambda: held.append(lock.locked()))
    except KeyboardInterrupt:
        pass
    assert not lock.locked() and all(held)


def test_a_lock_is_free_after_an_error_and_its_function_answers():
    lock = Lock()
    with pytest.raises(ZeroDivisionError):
        while_holding(lock, lambda: 1 / 0)
    assert not lock.locked() and while_holding(lock, divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_item_is_lost_to_an_interrupt(moment):
    numbers, kept = count(), [-1]
    try:
        with interrupted_after(moment):
            fetch_next(numbers, kept)
    except KeyboardInterrupt:
        pass
    assert next(numbers) == kept[0] + 1


def test_after_the_last_item_nothing_is_kept():
    kept = [1]
    fetch_next(iter(()), kept)
    assert kept == []
