"""What an interrupt from the keyboard must not split.

CPython looks for one after a call, at the start of a function and at a jump back; never inside a function
written in C that runs no Python, and never between operators and assignments that follow one another. So
whatever must happen as a whole is either one call into C, as here, or a few such lines in a row. This lives
beside the nodes because they, and all floors above, rely on it.

What must hold: no helper here can be interrupted with half of its work done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threading import Lock, RLock

Result = TypeVar("Result")


def assign_together(*assignments: Iterable) -> None:
    """Run through ``assignments``, maps of functions written in C that store something: all of them, or none.

    Closes the gap between two assignments of a loop. Such functions are the setter of a slot
    (``Node._value.__set__``), ``setattr`` on an ordinary object, and a dictionary's ``update``. The
    values to be stored are computed beforehand.
    """
    deque(chain(*assignments), maxlen=0)


def while_holding(lock: Lock | RLock, function: Callable[..., Result], *arguments: object) -> Result:
    """``function(*arguments)``, with the lock taken before and released after.

    Closes the gap between taking a lock and noting that it has to be released: ``with lock:`` can be
    interrupted (in Python 3.14) after the lock is taken and before its block begins, and then nobody releases
    it. Extending a list by a map takes the lock and notes it in one instruction.
    """
    taken: list[bool] = []
    try:
        taken += map(lock.acquire, (True,))
        result = function(*arguments)  # kept inside the block, so that this call does not end it
    finally:
        if taken:
            lock.release()
    return result


def fetch_next(items: Iterator, into: list) -> None:
    """Put the next item into the list, in place of what it holds; after the last item the list is empty.

    Closes the gap between ``next(items)`` and the assignment of its result, in which an item would be lost.
    The iterator had better be written in C (``map``, ``zip``, ``chain``): an interrupt ends a generator. In a
    ``zip``, that which may be interrupted comes first: what was drawn before it would be lost.
    """
    into[:] = islice(items, 1)
