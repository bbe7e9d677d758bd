"""The settings of a run in the training lab; impossible ones are refused in words.

The data sets are those of ``learning``. What must hold: settings that exist can be trained.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backprop_lab.learning import data as toys
from backprop_lab.rules.networks import relu, sigmoid
from backprop_lab.words.numbers import is_number, whole_number

OWN = "own points"
DATA: dict[str, Callable] = {
    "moons": toys.moons,
    "circles": toys.circles,
    "spirals": lambda n, noise, seed: toys.spirals(n, 2, noise, seed),
    "blobs": lambda n, noise, seed: toys.blobs(n, 2, noise, seed),
}
ACTIVATIONS: dict[str, Callable] = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "none": lambda a: a}
MOST_LAYERS, MOST_UNITS, MOST_POINTS = 4, 64, 1000


@dataclass(frozen=True)
class Settings:
    """The settings of a run: with the points they decide all of it. Raises ValueError for impossible ones."""

    data: str = "moons"
    n: int = 100
    noise: float = 0.2
    seed: int = 0
    hidden: Sequence[int] = (16, 16)
    activation: str = "tanh"
    outputs: int = 1
    dtype: str = "float64"
    learning_rate: float = 0.3
    batch_size: int | None = None
    penalty: float = 0.0

    def __post_init__(self):
        _one_of("data", self.data, [*DATA, OWN])
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("outputs", self.outputs, (1, 2))
        _one_of("dtype", self.dtype, ("float32", "float64"))
        whole_number("training: n", self.n, 1, MOST_POINTS)
        whole_number("training: seed", self.seed, 0)
        if self.batch_size is not None:
            whole_number("training: batch_size", self.batch_size, 1)
        if not isinstance(self.hidden, (tuple, list)) or len(self.hidden) > MOST_LAYERS:
            raise ValueError(
                f"training: hidden are the units of each hidden layer, at most {MOST_LAYERS} layers, such as "
                f"(16, 16), not {self.hidden!r}"
            )
        for units in self.hidden:
            whole_number("training: each of hidden", units, 1, MOST_UNITS)
        for name in ("noise", "learning_rate", "penalty"):
            value = getattr(self, name)
            if not is_number(value):
                raise ValueError(f"training: {name} is a number, not {value!r}")
            if not 0 <= value < math.inf:
                raise ValueError(f"training: {name} is a finite number from 0, not {value!r}")
            object.__setattr__(self, name, float(value))
        object.__setattr__(self, "hidden", tuple(map(int, self.hidden)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The width of each layer, from the two inputs to the outputs."""
        return (2, *self.hidden, self.outputs)


def _one_of(name, value, known):
    if not isinstance(value, (str, int)) or value not in known:
        raise ValueError(f"training: {name} is one of {', '.join(map(repr, known))}, not {value!r}")
