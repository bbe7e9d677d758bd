"""``bl.explore.fit``: a polynomial through noisy points, its degree and the penalty on its weights.

Beside the curve are the training and validation cost over the degree: underfitting and overfitting.

What must hold: the weights are those at which the gradient of the penalised cost is 0; costs are shown
without the penalty, so that they can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.legendre import legvander

from backprop_lab.explorers.explorer import Control, Explorer, Scene
from backprop_lab.pictures.plot import Axis, Plot
from backprop_lab.words import notation
from backprop_lab.words.numbers import finite_number, whole_number

if TYPE_CHECKING:
    import numpy.typing as npt

WHAT = "fit"
MOST = 20  # the highest degree
NONE, LARGEST, A_DECADE = -7, 1, 20  # log₁₀ λ: at NONE λ is 0; steps between powers of ten
WIDTH, HEIGHT = 440, 330
LEFT, RIGHT, TOP, BOTTOM = 52, 426, 40, 280  # the frame
PLACES = 241  # of the curve
BEYOND = 0.25  # of the points' height: how far above and below them the curve is shown
LEAST_COST, MOST_COST = 1e-4, 1e4  # beyond them the costs are cut off


def fit(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    validation: tuple[npt.ArrayLike, npt.ArrayLike],
    degree: int = 3,
    penalty: float = 0.0,
    most: int = 15,
) -> Explorer:
    """A polynomial through the points (``x``, ``y``), and how it does on points that it has not seen.

    ``x``, ``y``: arrays of shape (n,). ``validation``: (x, y) of other points, shape (m,) each. Two sliders
    move ``degree``, from 0 to ``most`` (at most 20), and ``penalty`` λ. The polynomial is ŷ = Σ wₖ φₖ(x),
    where φₖ are Legendre's polynomials times √(2k + 1), which makes all of them equally large. Its weights
    minimise mean((ŷ − y)²) + λ Σ wₖ², k from 1: w₀ is a bias, and not penalised.

    ``.values`` has ``"degree"`` and ``"log10_penalty"``, from −7, where λ is 0, to 1. Raises ValueError if
    the points are not finite numbers, not as many x as y, or have fewer than two different x.

    Goodfellow, Bengio & Courville, Deep Learning (2016), sections 5.2 and 7.1.

    >>> import backprop_lab as bl
    >>> seen = bl.data.noisy_polynomial(20, noise=0.3, seed=2)
    >>> unseen = bl.data.noisy_polynomial(200, noise=0.3, seed=102)
    >>> print(*bl.explore.fit(*seen, unseen, degree=15).lines, sep="\\n")
    degree 15, λ = 0: 16 weights for 20 points
    training cost 0.00591, validation cost 3.48
    Σw² without the bias: 4.48
    with this λ the validation cost is least at degree 3: 0.106
    """
    points, unseen = _points("x, y", (x, y)), _points("validation", validation)
    for name, value, high in (("most", most, MOST), ("degree", degree, most)):
        whole_number(f"{WHAT}: {name}", value, 0, high)
    factor = finite_number(f"{WHAT}: penalty", penalty)
    if not (factor == 0 or 10.0**NONE < factor <= 10.0**LARGEST):
        raise ValueError(f"{WHAT}: penalty is λ, 0 or a number between 1e−7 and 10, not {penalty!r}")
    start = float(np.log10(factor)) if factor else NONE
    controls = [
        Control("degree", "degree", 0, int(most), 1, int(degree)),
        Control("log10_penalty", "penalty λ", NONE, LARGEST, 1 / A_DECADE, start),
    ]
    return Explorer("A polynomial through noisy points", controls, _Picture(points, unseen, most))


def _points(name, given) -> np.ndarray:
    """The points as two rows, x and y."""
    try:
        points = np.asarray(given, float)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or len(points) != 2 or not np.isfinite(points).all() or np.ptp(points[0]) == 0:
        raise ValueError(
            f"{WHAT}: {name} are two arrays of finite numbers, as many x as y, with two different x at least"
        )
    return points


def basis(x: npt.ArrayLike, degree: int, low: float, high: float) -> np.ndarray:
    """Legendre's polynomials of degree 0 to ``degree``, one per column, each scaled to a mean square of 1."""
    return legvander((2 * np.asarray(x) - low - high) / (high - low), degree) * np.sqrt(
        2 * np.arange(degree + 1) + 1
    )


def solve(columns: np.ndarray, y: np.ndarray, factor: float) -> np.ndarray:
    """The weights w that minimise mean((columns w − y)²) + λ Σ wₖ², k from 1.

    Solved as ordinary least squares with extra rows √λ wₖ = 0: the product columnsᵀ columns would lose half
    of the digits.
    """
    n, size = columns.shape
    rows = np.concatenate([columns / np.sqrt(n), np.sqrt(factor) * np.eye(size)[1:]])
    return np.linalg.lstsq(rows, np.concatenate([y / np.sqrt(n), np.zeros(size - 1)]), rcond=None)[0]


class _Picture:
    """The fixed parts of the picture, and the scene at any degree and λ."""

    def __init__(self, points, unseen, most):
        self.x, self.y = points
        self.unseen, self.most = unseen, most
        everywhere = np.concatenate([points[0], unseen[0]])
        self.stretch = float(everywhere.min()), float(everywhere.max())
        heights = np.concatenate([points[1], unseen[1]])
        margin = BEYOND * float(np.ptp(heights) or 1)
        self.across = Axis(*self.stretch, LEFT, RIGHT)
        self.up = Axis(float(heights.min()) - margin, float(heights.max()) + margin, BOTTOM, TOP)
        self.places = np.linspace(*self.stretch, PLACES)
        self.columns = [basis(x, most, *self.stretch) for x in (self.x, unseen[0], self.places)]
        plot = Plot(WIDTH, HEIGHT, "")
        plot.axis_below(self.across, BOTTOM)
        plot.axis_left(self.up, LEFT)
        plot.text("legend", RIGHT, HEIGHT - 8, "x", "end")
        for kind, radius, place, text in (("first", 5, 0, "training"), ("quiet", 2.5, 130, "validation")):
            plot.dot(kind, LEFT + 10 + place, 15, radius)
            plot.text("legend", LEFT + 22 + place, 20, text)
        for a, b in unseen.T.tolist():
            plot.dot("quiet", self.across(a), self.up(b), 2.5)
        self.still = plot.parts

    def scene(self, values: dict) -> Scene:
        degree, exponent = round(values["degree"]), values["log10_penalty"]
        factor = 10.0**exponent if exponent > NONE else 0.0
        weights = [solve(self.columns[0][:, : k + 1], self.y, factor) for k in range(self.most + 1)]
        costs = np.array([self._costs(w) for w in weights])
        w = weights[degree]
        training, validation = (notation.number(c, 3) for c in costs[degree])
        best, λ = int(np.argmin(costs[:, 1])), notation.number(factor, 3)
        least = notation.number(costs[best, 1], 3)
        lines = [
            f"degree {degree}, λ = {λ}: {degree + 1} weight{'s' * (degree > 0)} for {len(self.x)} points",
            f"training cost {training}, validation cost {validation}",
            f"Σw² without the bias: {notation.number(w[1:] @ w[1:], 3)}",
            f"with this λ the validation cost is least at degree {best}: {least}",
        ]
        written = {"degree": str(degree), "log10_penalty": λ}
        return Scene(self._curve(w), lines, written, beside=(self._over_degrees(costs, degree),))

    def _costs(self, w) -> list[float]:
        """The mean squared errors in training and in validation."""
        pairs = zip(self.columns, (self.y, self.unseen[1]))
        return [float(np.mean((columns[:, : len(w)] @ w - y) ** 2)) for columns, y in pairs]

    def _curve(self, w) -> Plot:
        plot = Plot(WIDTH, HEIGHT, "The polynomial through the points of training")
        plot.parts += self.still
        heights = self.columns[2][:, : len(w)] @ w
        plot.line(
            "forwards",
            self.across(self.places),
            np.where(_within(heights, self.up), self.up(heights), np.nan),
        )
        for a, b in zip(self.x.tolist(), self.y.tolist()):
            plot.dot("first", self.across(a), self.up(b), 5)
        return plot

    def _over_degrees(self, costs, degree) -> Plot:
        """Both costs over all degrees, on a logarithmic axis."""
        plot = Plot(WIDTH, HEIGHT, "Training cost, solid, and validation cost, dashed, over the degree")
        costs = np.clip(costs, LEAST_COST, MOST_COST)
        low, high = np.floor(np.log10(costs.min())), np.ceil(np.log10(costs.max()))
        up = Axis(float(low), float(max(high, low + 1)), BOTTOM, TOP, log=True)
        across = Axis(0, max(1, self.most), LEFT, RIGHT, whole=True)
        plot.line("quiet", (across(degree), across(degree)), (TOP, BOTTOM))
        plot.axis_below(across, BOTTOM)
        plot.axis_left(up, LEFT)
        degrees = np.arange(self.most + 1)
        for name, place, row in zip(("training", "validation"), (10, 150), costs.T):
            kind = f"{name}-cost"
            plot.line(kind, (LEFT + place, LEFT + place + 30), (15, 15))
            plot.text("legend", LEFT + place + 36, 20, f"{name} cost")
            plot.line(kind, across(degrees), up(row))
            plot.dot(kind, across(degree), float(up(row[degree])), 5)
        plot.text("legend", RIGHT, HEIGHT - 8, "degree", "end")
        plot.area("handle", LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, drag_x=across.drag("degree"))
        return plot


def _within(heights, axis: Axis) -> np.ndarray:
    """Which numbers lie on an axis."""
    return (heights >= axis.low) & (heights <= axis.high)
