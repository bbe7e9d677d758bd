"""The effect of a penalty λ‖θ‖² on the solution of a quadratic cost of two parameters.

J(θ) = J* + ½ (θ − θ*)ᵀ H (θ − θ*). With the penalty the solution is (H + 2λI)⁻¹Hθ*: along an eigenvector of H
with eigenvalue κ it keeps κ/(κ + 2λ) of θ*. So directions in which the cost is flat shrink first.

What must hold: H is found from gradients, and gradients at other points must agree with it.

Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 7.1.1; their α is 2λ.
"""

from __future__ import annotations

import math

import numpy as np

from backprop_lab.pictures.plane import Plane
from backprop_lab.pictures.plot import Plot
from backprop_lab.words import notation

TESTED = 12  # points where the gradient is compared with that of the quadratic cost
ROUND = np.linspace(0, 2 * np.pi, 181)
CIRCLE = np.stack([np.cos(ROUND), np.sin(ROUND)], axis=-1)
FRACTIONS = np.linspace(0, 1, 101)  # of the way from λ = 0 to infinity
EIGENVECTOR = 64.0  # pixels


class Shrinkage:
    """A quadratic cost: its minimum ``best``, its ``curvatures`` κ, larger first, and their ``directions``.

    ``cost(point)`` gives value and gradient. Raises ValueError unless the cost is quadratic with one minimum.
    """

    def __init__(self, cost, point, what: str):
        scale = max(1.0, float(np.hypot(*point)))
        slope = cost(point)[1].astype(float)
        columns = [(cost(point + scale * way)[1] - slope) / scale for way in np.eye(2)]
        hessian = np.stack(columns, axis=-1).astype(float)
        exact = np.finfo(cost.dtype).eps
        turns = 2.4 * np.arange(1, TESTED + 1)  # a spiral: points in all directions, near and far
        ways = np.stack([np.cos(turns), np.sin(turns)], axis=-1) * (turns * scale / 10)[:, None]
        found = np.array([cost(point + way)[1] for way in ways])
        off = np.abs(found - slope - ways @ hessian.T).max()
        if not off <= math.sqrt(exact) * max(np.abs(found).max(), np.abs(hessian).max() * scale):
            raise ValueError(
                f"{what}: with a penalty the cost must be quadratic in its two parameters, and this one is "
                "not; leave penalty out, and add λ · bl.l2(…) to the cost itself"
            )
        curvatures, directions = np.linalg.eigh((hessian + hessian.T) / 2)
        eigenvalues = " and ".join(notation.number(κ, 3) for κ in curvatures)
        if not curvatures[0] > 1e3 * exact * abs(curvatures[1]):
            raise ValueError(
                f"{what}: with a penalty the cost must have a single minimum, and this one has none: the "
                f"eigenvalues of its Hessian are {eigenvalues}"
            )
        self.curvatures = curvatures[::-1].tolist()
        self.best = point - np.linalg.solve(hessian, slope)
        self.directions = np.array([_towards(self.best, direction) for direction in directions.T[::-1]])
        least = cost(self.best)[0]
        self.least = least if abs(least) > 1e3 * exact * self.above(point) else 0.0  # of rounding

    def kept(self, factor: float) -> np.ndarray:
        """The fraction of θ* that remains along each eigenvector: κ/(κ + 2λ)."""
        curvatures = np.array(self.curvatures)
        return curvatures / (curvatures + 2 * factor)

    def solution(self, factor: float) -> np.ndarray:
        """(H + 2λI)⁻¹Hθ*; without a penalty θ* itself, without rounding."""
        if not factor:
            return self.best
        return (self.kept(factor) * (self.directions @ self.best)) @ self.directions

    def above(self, point) -> float:
        """How far J is above its minimum."""
        return float(0.5 * np.dot(self.curvatures, (self.directions @ (point - self.best)) ** 2))

    def legend(self, symbol: str) -> list[tuple[str, str]]:
        """(kind of line, what it is)."""
        return [
            ("forwards", "path of the solution"),
            ("eigenvector", "eigenvectors of H"),
            ("second", "circle: equal penalty"),
            ("thread", f"contour: equal {symbol}"),
        ]

    def draw(self, plot: Plot, plane: Plane, factor: float):
        """Draw the circle and contour that touch at the solution, its path, and the eigenvectors at θ*."""
        here = self.solution(factor)
        radius = float(np.hypot(*here))
        reach = float(np.hypot(*self.best))
        for part in (0.25, 0.5, 0.75, 1):
            plane.line(plot, "quiet", part * reach * CIRCLE)
        plane.line(plot, "second", radius * CIRCLE)
        axes = np.sqrt(2 * self.above(here) / np.array(self.curvatures))
        plane.line(plot, "thread", self.best + (axes * CIRCLE) @ self.directions)
        vectors = EIGENVECTOR / plane.scale * self.directions
        names = [f"κ = {notation.number(κ, 3)}" for κ in self.curvatures]
        plane.arrows(plot, ["eigenvector"] * 2, self.best, vectors, names)
        # √(κ₁κ₂) / 2 is about the λ at which half of the way is done
        middle = 0.5 * math.sqrt(self.curvatures[0] * self.curvatures[1])
        way = np.array([self.solution(middle * s / (1 - s)) for s in FRACTIONS[:-1]] + [np.zeros(2)])
        done = factor / (factor + middle) > FRACTIONS
        plane.line(plot, "quiet", way)
        plane.line(plot, "forwards", np.concatenate([way[done], [here]]))
        for kind, point, radius in (
            ("quiet", np.zeros(2), 4),
            ("second", self.best, 5),
            ("forwards", here, 6),
        ):
            x, y = plane.pixels(point)
            plot.dot(kind, x, y, radius)

    def lines(self, names, symbol: str, factor: float) -> list[str]:
        """The solution, and how much of θ* it keeps, in words."""
        here = self.solution(factor)
        size = " + ".join(f"{name}²" for name in names)
        lines = [
            f"λ = {notation.number(factor)}: the solution is ({', '.join(names)}) = {notation.array(here)}; "
            f"without a penalty {notation.array(self.best)}",
            f"there {symbol} = {notation.number(self.least + self.above(here))} instead of "
            f"{notation.number(self.least)}, and {size} = {notation.number(here @ here)} instead of "
            f"{notation.number(self.best @ self.best)}",
        ]
        for direction, κ, kept in zip(self.directions, self.curvatures, self.kept(factor), strict=True):
            along, part = notation.array(direction, 3), notation.number(kept, 3)
            lines.append(
                f"along {along}, κ = {notation.number(κ)}: {part} of its unpenalised value, κ/(κ + 2λ)"
            )
        return lines


def _towards(point, direction) -> np.ndarray:
    """The eigenvector ``direction`` or its opposite: the one that points towards ``point``, so that the
    solution shrinks against it. If neither does, the one whose larger entry is positive."""
    along = float(direction @ point)
    if abs(along) < 1e-9 * np.hypot(*point) or along == 0:
        along = direction[0] if abs(direction[0]) > abs(direction[1]) - 1e-9 else direction[1]
    return direction * np.sign(along)
