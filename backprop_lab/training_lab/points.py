"""The points of the training lab: made from its settings, or the learner's own.

What must hold: equal settings make equal points, and the seed decides which are for validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from backprop_lab.training_lab.settings import DATA, MOST_POINTS, Settings

if TYPE_CHECKING:
    import numpy.typing as npt

KEPT_OUT = 4  # one in four of the learner's own points is for validation


class Points(NamedTuple):
    """``X``, shape (n, 2), labels ``y``, 0 or 1, and whether a point is for ``validation``, both (n,)."""

    X: np.ndarray
    y: np.ndarray
    validation: np.ndarray

    def part(self, validation: bool) -> tuple[np.ndarray, np.ndarray]:
        """(X, y) of the validation points, or of the training points."""
        chosen = self.validation == validation
        return self.X[chosen], self.y[chosen]

    def rows(self) -> list[list[float]]:
        """[x₁, x₂, label, whether it is for validation] for each point, as it travels."""
        columns = (self.X[:, 0], self.X[:, 1], self.y.astype(int), self.validation.astype(int))
        return [list(row) for row in zip(*(column.tolist() for column in columns))]


def points_of(settings: Settings) -> Points:
    """The points of the settings' data, noise and seed: n for training, and n more for validation."""
    X, y = DATA[settings.data](2 * settings.n, settings.noise, settings.seed)
    return Points(X, y, np.arange(2 * settings.n) >= settings.n)  # they come shuffled


def own_points(
    X: npt.ArrayLike, y: npt.ArrayLike, seed: int = 0, validation: npt.ArrayLike | None = None
) -> Points:
    """The learner's own points; a quarter of them, chosen by the seed, are for validation.

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
    least, most = points.X.min(axis=0), points.X.max(axis=0)
    half = round(max(0.5, 0.58 * float((most - least).max())), 2)
    middle = ((least + most) / 2).round(2).tolist()
    left, right, low, high = (round(m + side * half, 2) for m in middle for side in (-1, 1))
    return left, right, low, high
