"""The network of the training lab, without any widget: points in the plane, a graph, and its training.

A run is a matter of the settings and the points alone: from the same ones it takes the same steps, in one
go or in many. The network is written once, in ``scores`` and ``mean_cost``: on nodes it is the graph that
learns, on arrays it gives the costs and the picture of the plane.

What must hold: the rate and the penalty can be moved without compiling again; a step that would make a NaN or
an infinity is not taken, and the parameters stay those before it; an interrupted run keeps its last step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from backprop_lab.graph.node import Node, constant, variable
from backprop_lab.learning import data as toys
from backprop_lab.learning.descent import sgd
from backprop_lab.passes.nonfinite import NonFiniteError
from backprop_lab.program.compiling import compile
from backprop_lab.rules.networks import cross_entropy, l2, relu, sigmoid, softplus
from backprop_lab.words.numbers import is_number, whole_number

OWN = "own points"
DATA = {
    "moons": toys.moons,
    "circles": toys.circles,
    "spirals": lambda n, noise, seed: toys.spirals(n, 2, noise, seed),
    "blobs": lambda n, noise, seed: toys.blobs(n, 2, noise, seed),
}
ACTIVATIONS = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "none": lambda a: a}
MOST_LAYERS, MOST_UNITS, MOST_POINTS = 4, 64, 1000
KEPT_OUT = 4  # one in so many of the learner's own points is for validation
FIRST_COSTS, EVERY = 10, 20  # costs are kept of each of the first steps, then of every so manyth
MOST_COSTS = 64  # kept at a time
EPOCHS = 10**9  # a run ends when nobody asks for more
LARGE = 1e6  # of a parameter: beyond it single precision would not do for the picture


@dataclass(frozen=True)
class Settings:
    """What a run depends on, beside points of one's own. Raises ValueError in words for what cannot be."""

    data: str = "moons"
    n: int = 100
    noise: float = 0.2
    seed: int = 0
    hidden: tuple[int, ...] = (16, 16)
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


class Points(NamedTuple):
    """``X``, shape (n, 2), labels ``y``, 0 or 1, and which points are only for ``validation``; (n,) both."""

    X: np.ndarray
    y: np.ndarray
    validation: np.ndarray

    def part(self, validation: bool) -> tuple[np.ndarray, np.ndarray]:
        """Those of validation, or those of training."""
        chosen = self.validation == validation
        return self.X[chosen], self.y[chosen]

    def rows(self) -> list[list[float]]:
        """[x₁, x₂, label, whether it is for validation] of each point: how they travel."""
        columns = (self.X[:, 0], self.X[:, 1], self.y.astype(int), self.validation.astype(int))
        return [list(row) for row in zip(*(column.tolist() for column in columns))]


def points_of(settings: Settings) -> Points:
    """The points that the settings' data, noise and seed make: n for training, n more for validation."""
    X, y = DATA[settings.data](2 * settings.n, settings.noise, settings.seed)
    return Points(X, y, np.arange(2 * settings.n) >= settings.n)  # they come shuffled


def own_points(X, y, seed: int = 0, validation=None) -> Points:
    """Points of the learner's own; a quarter of them, chosen by the seed, are for validation.

    >>> own_points([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]).validation.sum()
    np.int64(1)
    """
    X, y = np.asarray(X, float).reshape(-1, 2) if np.size(X) == 0 else np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or X.dtype.kind not in "fiu" or not np.isfinite(X).all():
        raise ValueError(f"training: X are finite numbers of shape (n, 2), not {X.dtype} of shape {X.shape}")
    if y.shape != X.shape[:1] or not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"training: y are the labels 0 or 1, one for each of the {len(X)} points, not {y!r:.80}"
        )
    if len(X) > 2 * MOST_POINTS:
        raise ValueError(f"training: at most {2 * MOST_POINTS} points, not {len(X)}")
    if validation is None:
        validation = np.random.default_rng(seed).permutation(len(X)) < len(X) // KEPT_OUT
    return Points(X.astype(float), y.astype(int), np.asarray(validation, bool))


def window_of(points: Points) -> tuple[float, float, float, float]:
    """A square (x low, x high, y low, y high) around all points, with a margin."""
    if not len(points.X):
        return -2.0, 2.0, -2.0, 2.0
    low, high = points.X.min(axis=0), points.X.max(axis=0)
    half = round(max(0.5, 0.58 * float((high - low).max())), 2)
    middle = ((low + high) / 2).round(2).tolist()
    return tuple(round(m + side * half, 2) for m in middle for side in (-1, 1))


# ------------------------------------------------------------------------------------------ the network


def scores(X, layers: list, activation: str):
    """The network's outputs z, shape (n, outputs), for nodes or for arrays. ``layers``: [(W, b), …]."""
    h, activate = X, ACTIVATIONS[activation]
    for k, (W, b) in enumerate(layers[:-1], 1):
        a = _named(h @ W + b, f"a{k}")
        h = _named(activate(a), f"h{k}") if activation != "none" else a
    W, b = layers[-1]
    return _named(h @ W + b, "z")


def mean_cost(z, y):
    """One output: log(1 + exp(−yz)) with y = ±1, shape (n, 1). Two: cross-entropy with labels, shape (n,)."""
    return np.mean(softplus(-y * z)) if z.shape[1] == 1 else cross_entropy(z, y)


def _named(value, name):
    return value.named(name) if isinstance(value, Node) else value


def start_of(settings: Settings) -> dict[str, np.ndarray]:
    """The parameters {W1, b1, W2, …} from which a run starts: W normal, of variance 1 / inputs, b zero.

    With relu the variance is 2 / inputs (He et al., 2015), as half of the signal is cut off.
    """
    random, values = np.random.default_rng(settings.seed), {}
    gain = 2 if settings.activation == "relu" else 1
    for k, (inputs, outputs) in enumerate(zip(settings.sizes, settings.sizes[1:]), 1):
        W = random.standard_normal((inputs, outputs)) * math.sqrt(gain / inputs)
        values[f"W{k}"] = W.astype(settings.dtype)
        values[f"b{k}"] = np.zeros(outputs, settings.dtype)
    return values


class Classifier:
    """A network and its run: ``step`` steps have been taken since the start.

    ``costs`` are (step, training cost, validation cost) along the way, both without the penalty; None where
    there are no points. ``diverged`` says which node became infinite, if one did. ``cost`` is the graph.

    >>> model = Classifier(Settings(hidden=(4,)))
    >>> model.retrain(20)
    >>> model.step, model.costs[-1][1] < model.costs[0][1]
    (20, True)
    """

    def __init__(self, settings: Settings, points: Points | None = None):
        self.settings, self.points = settings, points if points is not None else points_of(settings)
        self._build()

    def change(self, settings: Settings, points: Points | None = None) -> bool:
        """Take up other settings, and points if given. Whether the run goes on; else it starts again."""
        before, self.settings = self.settings, settings
        moved = replace(before, learning_rate=settings.learning_rate, penalty=settings.penalty)
        if settings == moved and points is None:
            if self._run is not None:
                self._run.learning_rate = settings.learning_rate
            self._factor.value = np.asarray(settings.penalty, settings.dtype)
            return True
        if points is not None:
            self.points = points
        elif settings.data != OWN and _source(settings) != _source(before):
            self.points = points_of(settings)
        same = (settings.sizes, settings.activation, settings.dtype) == (
            before.sizes,
            before.activation,
            before.dtype,
        )
        if same and len(self.points.part(False)[1]) == len(self._training[1]):
            self._take_up_points()
            for name, value in zip("Xy", self._training if self.cost is not None else ()):
                self._program.leaves[name].value = value
            self.restart()
        else:
            self._build()
        return False

    def _build(self):
        """The graph and its program, on variables of their own."""
        settings = self.settings
        self.leaves = {name: variable(name, value) for name, value in start_of(settings).items()}
        self._factor = constant("lam", np.asarray(settings.penalty, settings.dtype))
        self._run = self.cost = self._program = None
        self._take_up_points()
        if len(self._training[1]):
            self.cost = self._graph(self.leaves, *self._training, self._factor)
            self._program = compile(self.cost)
        self.restart()

    def _graph(self, leaves, X, y, factor=None) -> Node:
        layers = _layers(leaves)
        z = scores(constant("X", X), layers, self.settings.activation)
        J = mean_cost(z, constant("y", y))
        if factor is not None:
            J = _named(J, "E") + factor * l2(*(W for W, _ in layers))
        return J.named("J")

    def _take_up_points(self):
        self._training, self._validation = (self._in_form(*self.points.part(v)) for v in (False, True))

    def _in_form(self, X, y):
        """Points as the graph reads them."""
        signs = (2 * y - 1)[:, None].astype(self.settings.dtype)
        return X.astype(self.settings.dtype), signs if self.settings.outputs == 1 else y

    # -- running

    def restart(self):
        """Back to the start: step 0."""
        settings, self._run = self.settings, None  # a run that was left lets go of the variables first
        for name, value in start_of(settings).items():
            self.leaves[name].value = value
        self._factor.value = np.asarray(settings.penalty, settings.dtype)
        self.step, self.every, self.diverged, self.costs = 0, EVERY, "", []
        if self._program is not None:
            self._run = sgd(
                self._program,
                dict(zip("Xy", self._training)),
                learning_rate=settings.learning_rate,
                batch_size=settings.batch_size,
                epochs=EPOCHS,
                seed=settings.seed,
                on_nonfinite="raise",
            )
        self.costs = [self.now()]

    def advance(self, steps: int):
        """Take so many more steps, or as many as there are before one that diverges."""
        if self._run is None or self.diverged:
            return
        try:
            for taken in islice(self._run, steps):
                self.step = taken.index + 1
                if self.step <= FIRST_COSTS or self.step % self.every == 0:
                    self._keep_costs()
        except NonFiniteError as error:
            self.diverged = str(error)

    def retrain(self, steps: int):
        """So many steps from the start."""
        self.restart()
        self.advance(steps)

    @property
    def steps_in_epoch(self) -> int:
        """Batches until every training point was used once."""
        n = len(self._training[1])
        return max(1, math.ceil(n / (self.settings.batch_size or max(n, 1))))

    @property
    def epoch(self) -> int:
        """The epoch to which the next step belongs, counted from 0."""
        return self.step // self.steps_in_epoch

    def next_step(self) -> Node:
        """The cost of the next step as a graph of its own: its batch, and the parameters as they are now.

        Without its branch where the penalty is 0. Raises ValueError where there is nothing to learn from.
        """
        if self._run is None:
            raise ValueError("training: there is no training point yet, so there is no step to look at")
        _, arrays = self._run.batches.peek()
        batch = {leaf.name: array for leaf, array in arrays.items()}
        leaves = {name: variable(name, leaf.value) for name, leaf in self.leaves.items()}
        factor = constant("lam", self._factor.value) if self.settings.penalty else None
        return self._graph(leaves, batch["X"], batch["y"], factor)

    # -- what is shown

    def now(self) -> tuple[int, float | None, float | None]:
        """(step, training cost, validation cost) at this moment."""
        with np.errstate(all="ignore"):
            costs = [float(mean_cost(z, y)) if len(y) else None for z, y in self._answers()]
        return self.step, *costs

    def _answers(self):
        """(scores, y) of the training points and of those for validation, computed at once."""
        (X, y), (others, validation) = self._training, self._validation
        with np.errstate(all="ignore"):
            z = scores(np.concatenate([X, others]), self._values(), self.settings.activation)
        return (z[: len(y)], y), (z[len(y) :], validation)

    def _keep_costs(self):
        """Keep the costs of this step; of a long run every second is let go again and again."""
        self.costs.append(self.now())
        if len(self.costs) > MOST_COSTS:
            self.every *= 2
            self.costs = [c for c in self.costs if c[0] <= FIRST_COSTS or c[0] % self.every == 0]

    def right(self) -> list[tuple[int, int]]:
        """How many points are on the right side of the boundary, of how many: in training, in validation."""
        return [(int(((_towards_1(z) > 0) == (y.reshape(-1) > 0)).sum()), len(y)) for z, y in self._answers()]

    def grid(self, n: int, window) -> np.ndarray:
        """The probability of class 1 over a window of the plane, 0 to 255: n × n pixels, the upper row first.

        ``window``: (x low, x high, y low, y high); the values are those in the middle of the pixels.
        """
        layers = self._values()
        large = any(np.abs(part).max() > LARGE for layer in layers for part in layer)
        dtype = np.float64 if large else np.float32
        left, right, low, high = window
        middles = (np.arange(n) + 0.5) / n
        x, y = left + (right - left) * middles, high - (high - low) * middles
        plane = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(dtype)
        layers = [(W.astype(dtype), b.astype(dtype)) for W, b in layers]
        # In strips that stay in the processor's cache, twice as fast.
        p = np.concatenate([self._probability(part, layers) for part in np.array_split(plane, 8)])
        return np.rint(255 * np.nan_to_num(p, nan=0.5)).astype(np.uint8).reshape(n, n)

    def _probability(self, X, layers) -> np.ndarray:
        """Of class 1, for each row of X."""
        with np.errstate(all="ignore"):
            return sigmoid(_towards_1(scores(X, layers, self.settings.activation)))

    def _values(self) -> list:
        return _layers({name: leaf.value for name, leaf in self.leaves.items()})


def _towards_1(z) -> np.ndarray:
    """The logarithm of the odds of class 1, for each row of scores."""
    return z[:, 0] if z.shape[1] == 1 else z[:, 1] - z[:, 0]


def _layers(parameters: dict) -> list:
    """[(W1, b1), (W2, b2), …] of {W1, b1, W2, …}."""
    values = list(parameters.values())
    return list(zip(values[::2], values[1::2]))


def _source(settings) -> tuple:
    return settings.data, settings.n, settings.noise, settings.seed
