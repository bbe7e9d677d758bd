"""Where the batches of stochastic gradient descent come from: a small class for each kind of data.

``at(i)`` of a source is batch i, or None after the last one; i stays or goes up by one.

What must hold: an interrupted step can be repeated with the same batch; other numbers come in other arrays,
because programs compare arrays by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain, count, repeat
from math import ceil
from typing import Any, Protocol

import numpy as np

from backprop_lab.graph.interrupts import fetch_next
from backprop_lab.graph.node import Node
from backprop_lab.program.inputs import Inputs
from backprop_lab.words.errors import ShapeError

Checked = Callable[[Any], dict[Node, np.ndarray]]
"""What reads {leaf name: array} as {leaf: array}, or refuses it in words."""


class Whole:
    """A batch of arrays that stay the same in all steps of a loop, or of none: the leaves as they are."""

    __slots__ = ("epoch", "given")

    def __init__(self, epoch: int, given: dict[Node, np.ndarray]):
        self.epoch, self.given = epoch, given

    def into(self, inputs: Inputs) -> bool:
        """Copy what changed since the step before."""
        inputs.fill(self.given)
        return True


class Rows:
    """A batch of some rows of arrays."""

    __slots__ = ("_arrays", "_rows", "epoch")

    def __init__(self, epoch: int, arrays: dict[Node, np.ndarray], rows: np.ndarray):
        self.epoch, self._arrays, self._rows = epoch, arrays, rows

    @property
    def given(self) -> dict[Node, np.ndarray]:
        """{leaf: array}."""
        return {leaf: array.take(self._rows, 0) for leaf, array in self._arrays.items()}

    def into(self, inputs: Inputs) -> bool:
        """Take the rows straight to where the program reads them; whether it expects as many."""
        return inputs.take(self._arrays, self._rows)


class Unchecked:
    """A batch as an iterable gave it."""

    __slots__ = ("_checked", "_data", "epoch")

    def __init__(self, epoch: int, data: object, checked: Checked):
        self.epoch, self._data, self._checked = epoch, data, checked

    @property
    def given(self) -> dict[Node, np.ndarray]:
        """{leaf: array}, or an error in words."""
        return self._checked(self._data)

    def into(self, inputs: Inputs) -> bool:
        """Copy the arrays if they are just as the program expects them; all else has to be checked."""
        return type(self._data) is dict and inputs.read(self._data)


Batch = Whole | Rows | Unchecked


class Source(Protocol):
    """Batches by their numbers; ``steps`` counts them, if that is known."""

    @property
    def steps(self) -> int | None: ...

    def at(self, i: int) -> Batch | None: ...


class LeavesAsTheyAre:
    """No data: every step uses the leaves' own values."""

    def __init__(self, epochs: int):
        self.steps = epochs

    def at(self, i: int) -> Batch | None:
        return Whole(i, {}) if i < self.steps else None


class AllExamples:
    """The whole arrays in every step, one step in an epoch."""

    def __init__(self, arrays: dict[Node, np.ndarray], epochs: int):
        self.steps, self._arrays = epochs, arrays

    def at(self, i: int) -> Batch | None:
        return Whole(i, self._arrays) if i < self.steps else None


class Minibatches:
    """``size`` of the arrays' examples at a time, in an order of its own for each epoch."""

    def __init__(self, arrays: dict[Node, np.ndarray], length: int, size: int, epochs: int, seed: int):
        self._arrays, self._size, self._in_epoch = arrays, size, ceil(length / size)
        self.steps = epochs * self._in_epoch
        random = np.random.default_rng(seed)
        self._orders = OneByOne(map(random.permutation, repeat(length)))

    def at(self, i: int) -> Batch | None:
        if i >= self.steps:
            return None
        epoch, place = divmod(i, self._in_epoch)
        chosen = self._orders.at(epoch)[place * self._size : (place + 1) * self._size]
        return Rows(epoch, self._arrays, chosen)


class GivenBatches:
    """The batches of an iterable as they come, all of them in each epoch."""

    steps = None

    def __init__(self, batches: Iterable, epochs: int, checked: Checked):
        # No generator: an interrupt would end it.
        numbered = chain.from_iterable(map(zip, map(repeat, range(epochs)), repeat(batches)))
        self._batches, self._checked = OneByOne(numbered), checked

    def at(self, i: int) -> Batch | None:
        found = self._batches.at(i)
        return None if found is None else Unchecked(found[0], found[1], self._checked)


class Batches:
    """The batches of a source, one after the other; ``taken`` counts them.

    ``peek()`` gives the next one without taking it, as (epoch, {leaf: array}).
    """

    def __init__(self, source: Source):
        self.taken, self._at = 0, source.at

    def __iter__(self):
        return self

    def __next__(self):
        batch = self.peek()
        if batch is None:
            raise StopIteration
        self.taken += 1
        return batch

    def peek(self) -> tuple[int, dict[Node, np.ndarray]] | None:
        """The next batch, or None where none is left."""
        batch = self.coming()
        return None if batch is None else (batch.epoch, batch.given)

    def coming(self) -> Batch | None:
        """The next batch as its source has it, or None where none is left."""
        return self._at(self.taken)


class OneByOne:
    """Item i of an iterable, or None after the last; only one item is kept."""

    def __init__(self, items: Iterable):
        self._items = zip(items, count())  # the number last: drawing an item may be interrupted
        self._kept: list[tuple[Any, int]] = []

    def at(self, i):
        if not self._kept or self._kept[0][1] < i:
            fetch_next(self._items, self._kept)
        return self._kept[0][0] if self._kept else None


def source_of(
    data: object,
    batch_size: int | None,
    epochs: int,
    seed: int,
    checked: Checked,
) -> Source:
    """The source for data as :func:`bl.sgd` takes them."""
    if data is None:
        if batch_size is not None:
            raise TypeError("sgd: batch_size= cuts data into batches; give them: sgd(J, {name: array}, …)")
        return LeavesAsTheyAre(epochs)
    if isinstance(data, Mapping):
        arrays = {leaf: array.copy() for leaf, array in checked(data).items()}
        if not arrays:
            raise ValueError("sgd: data is empty; leave it out, and every step uses the leaves as they are")
        length = _examples(arrays)
        if batch_size is None or batch_size >= length:
            return AllExamples(arrays, epochs)
        return Minibatches(arrays, length, batch_size, epochs, seed)
    if not isinstance(data, Iterable):
        given = type(data).__name__
        raise TypeError(f"sgd: data is a mapping {{leaf name: array}}, or several, not {given}")
    if batch_size is not None:
        raise TypeError("sgd: batch_size= cuts one mapping into batches; an iterable gives its own batches")
    if iter(data) is data and epochs > 1:
        raise TypeError("sgd: an iterator can be gone through only once; give a list of batches, or epochs=1")
    return GivenBatches(data, epochs, checked)


def _examples(arrays) -> int:
    lengths = {leaf.name: len(array) if array.ndim else 0 for leaf, array in arrays.items()}
    if len(set(lengths.values())) != 1 or not all(array.ndim for array in arrays.values()):
        found = ", ".join(f"{name} has {n or 'no axis'}" for name, n in lengths.items())
        raise ShapeError(f"sgd: data need as many examples each, on their first axis: {found}")
    return next(iter(lengths.values()))
