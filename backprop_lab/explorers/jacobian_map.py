"""``bl.explore.jacobian_map``: a map of the plane, and its Jacobian, a linear map, at one point.

On the left are the inputs, with a grid and a circle around the point; on the right, where the map takes them.
The Jacobian turns the circle into an ellipse: the smaller the circle, the closer its true image is to it.

What must hold: the true image is computed point by point, the ellipse from the Jacobian alone; a unit is as
long across as up, so that a circle looks like one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.explorers.explorer import Control, Explorer, Scene, slider_step, stretch_of
from backprop_lab.explorers.real_functions import (
    checked_function,
    checked_output,
    formula_in_leaves,
    stretch_of_values,
)
from backprop_lab.graph.leaves import variable
from backprop_lab.graph.node import RULES, Node
from backprop_lab.passes.passes import Pass, evaluate
from backprop_lab.pictures.plane import Plane
from backprop_lab.pictures.plot import Plot, round_step
from backprop_lab.words import notation
from backprop_lab.words.errors import ShapeError
from backprop_lab.words.numbers import finite_number

if TYPE_CHECKING:
    import numpy.typing as npt

WHAT = "jacobian_map"
AROUND = 1.0  # how far the default range goes on both sides of the point
SIDE = 280.0  # of a plane, in pixels
LEFT, TOP = 52.0, 34.0  # of a plane in its picture
PLACE = LEFT, TOP, SIDE
WIDTH, HEIGHT = LEFT + SIDE + 18, TOP + SIDE + 42
SQUARES, ALONG = 8, 41  # squares of the grid along the wider range, and points along each of its lines
ROUND = np.linspace(0, 2 * np.pi, 49)
RESPONSES = ("response", "backwards")  # the kinds of arrow for the two columns: one solid, one dashed
CIRCLE = np.stack([np.cos(ROUND), np.sin(ROUND)], axis=-1)


def jacobian_map(
    g: Callable[..., Node | tuple[Node, Node] | list[Node]],
    at: Sequence[float] | np.ndarray = (2.0, 0.5),
    ranges: Sequence[tuple[float, float]] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Explorer:
    """A map g: ℝ² → ℝ² that bends a grid, and its Jacobian at a point: drag the point.

    ``g``: a function written in NumPy that returns a pair, of two numbers, g(r, t), or of a vector of two
    entries. ``at``: the point at the start. ``ranges``: ((low, high), (low, high)) of both inputs, by default
    one unit around ``at``. ``inputs``, ``outputs``: pairs of names; by default the inputs have g's own.
    ``.values`` has a number for the name of each input, and ``"radius"``, that of the circle.
    Raises TypeError if ``g`` is not a function, ValueError if it does not give two numbers, or not at ``at``.

    The Jacobian: Goodfellow, Bengio & Courville, Deep Learning (2016), section 4.3.1.

    >>> import numpy as np, backprop_lab as bl
    >>> polar = lambda r, t: (r * np.cos(t), r * np.sin(t))
    >>> print(*bl.explore.jacobian_map(polar, (2, np.pi / 6), outputs=("x", "y")).lines, sep="\\n")
    (r, t) = (2, 0.5236) → (x, y) = (1.732, 1), by x = r · cos(t), y = r · sin(t)
    rows: (∇x)ᵀ = (0.866, −1), (∇y)ᵀ = (0.5, 1.732)
    columns: r alone moves (x, y) by (0.866, 0.5), t alone by (−1, 1.732)
    determinant 2: small areas grow 2 times
    """
    plane_map = _Map(g, inputs, outputs)
    if np.shape(at) != (2,):
        raise ValueError(f"{WHAT}: at is a point of two numbers, not {at!r}")
    point = [finite_number(f"{WHAT}: at", v) for v in at]
    if ranges is None:
        ranges = [(v - AROUND, v + AROUND) for v in point]
    if np.shape(ranges) != (2, 2):
        raise ValueError(
            f"{WHAT}: ranges is ((low, high), (low, high)), one pair for each input, not {ranges!r}"
        )
    ranges = [
        stretch_of(f"the range of {name}", r, WHAT) for name, r in zip(plane_map.inputs, ranges, strict=True)
    ]
    for name, v, (low, high) in zip(plane_map.inputs, point, ranges, strict=True):
        if not low <= v <= high:
            raise ValueError(f"{WHAT}: {name} = {v} lies outside of its range from {low} to {high}")
    controls = [
        Control(name, notation.symbol(name), low, high, slider_step(low, high), v)
        for name, v, (low, high) in zip(plane_map.inputs, point, ranges, strict=True)
    ]
    widest = max(high - low for low, high in ranges)
    step = round_step(widest / 200)
    controls.append(Control("radius", "radius", step, 30 * step, step, 24 * step))
    title = ", ".join(f"{y} = {f}" for y, f in zip(plane_map.output_symbols, plane_map.formulas, strict=True))
    return Explorer(f"Jacobian of {title}", controls, _Picture(plane_map, ranges))


class _Map:
    """g as a graph: its value at a point, and its Jacobian there, one backward pass for each row."""

    def __init__(self, g, inputs, outputs):
        checked_function(g, "g", WHAT, "two numbers, g(r, t), or of a vector of two")
        own = _parameters(g)
        as_vector = len(own) == 1
        if inputs is None:
            inputs = [own[0] + i for i in "12"] if as_vector else own if len(own) == 2 else ("x1", "x2")
        if outputs is None:
            outputs = ("y1", "y2") if not {"y", "y1", "y2"} & {*own, *inputs} else ("z1", "z2")
        self.inputs, self.outputs = _names("inputs", inputs), _names("outputs", outputs)
        if as_vector:
            self.leaves = [variable(own[0], shape=(2,))]
        else:
            self.leaves = [variable(name, shape=()) for name in self.inputs]
        pair = _pair(g(*self.leaves), ", ".join(own if as_vector else self.inputs))
        self.formulas = [formula_in_leaves(y, 40) for y in pair]
        self.input_symbols, self.output_symbols = (
            [notation.symbol(name) for name in names] for names in (self.inputs, self.outputs)
        )
        self.output: Node = RULES[np.stack](pair)

    def _given(self, point: np.ndarray) -> dict[Node, np.ndarray]:
        return dict(zip(self.leaves, [point] if len(self.leaves) == 1 else point, strict=True))

    def at(self, points: npt.ArrayLike) -> np.ndarray:
        """The images of points, an array of shape (…, 2); nan or infinite where there is none."""
        points = np.asarray(points, float)
        images = [evaluate(self.output, self._given(point)) for point in points.reshape(-1, 2)]
        return np.array(images).reshape(points.shape)

    def value_and_jacobian(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """g and its Jacobian, 2 × 2. Raises NonFiniteError where one of them is not finite."""
        rows = []
        for seed in np.eye(2):
            run = Pass(self.output, WHAT)
            run.start_from(self._given(point))
            slopes = run.both_ways(seed, "raise")
            rows.append(np.concatenate([np.ravel(slopes.get(leaf, 0.0)) for leaf in self.leaves]))
        value = run.values[-1]
        assert value is not None  # after both passes
        return value, np.array(rows)


def _parameters(g) -> list[str]:
    """The names of g's own parameters; none if it does not tell them."""
    try:
        parameters = inspect.signature(g).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds and p.default is p.empty]


def _names(role, names) -> tuple[str, str]:
    good = not isinstance(names, str) and len(names) == 2 and all(isinstance(n, str) and n for n in names)
    if not good or names[0] == names[1] or "radius" in names:
        raise ValueError(f'{WHAT}: {role} are two different names, such as ("r", "t"), not {names!r}')
    return names[0], names[1]


def _pair(y, letters) -> list[Node]:
    """The two numbers that g returned, as nodes."""
    if isinstance(y, Node) and y.shape != (2,):
        raise ShapeError(
            f"{WHAT}: g({letters}) has shape {y.shape}, but it is to be two numbers: a pair (…, …)"
        )
    if not isinstance(y, Node) and not (isinstance(y, (tuple, list)) and len(y) == 2):
        raise ShapeError(f"{WHAT}: g({letters}) is to be two numbers, a pair (…, …), not {type(y).__name__}")
    if isinstance(y, Node) and y.rule is not None and y.rule.function is np.stack:
        y = y.arguments
    pair = list(y)
    for i, entry in enumerate(pair):
        checked_output(entry, f"g({letters})[{i}]", letters, WHAT)
        if entry.shape != ():
            raise ShapeError(f"{WHAT}: g({letters})[{i}] has shape {entry.shape}, but it is to be one number")
    return pair


# ---------------------------------------------------------------------------------------- the picture


class _Picture:
    """Both planes, found once with their grids, and the scene at any point."""

    def __init__(self, plane_map: _Map, ranges):
        self.map = plane_map
        lines = _grid(ranges)
        images = plane_map.at(lines)
        across, up = ranges
        image_across, image_up = (stretch_of_values(images[..., i], "g", WHAT) for i in (0, 1))
        self.planes = [
            Plane.around(across, up, 0.2, PLACE),  # room for a circle around a corner
            Plane.around(image_across, image_up, 0.1, PLACE),
        ]
        self.grids = []
        for plane, grid in zip(self.planes, (lines[:, [0, -1]], images), strict=True):
            plot = Plot(WIDTH, HEIGHT, "")
            for line in grid:
                plane.line(plot, "grid", line)
            self.grids.append(plot.parts)

    def scene(self, values: dict) -> Scene:
        point = np.array([values[name] for name in self.map.inputs])
        image, jacobian = self.map.value_and_jacobian(point)
        circle = values["radius"] * CIRCLE
        names = self.map.input_symbols, self.map.output_symbols
        ins, outs = (f"({', '.join(pair)})" for pair in names)
        left = Plot(WIDTH, HEIGHT, f"The plane of {ins} with a grid, and a circle around the point")
        right = Plot(
            WIDTH, HEIGHT, f"The plane of {outs} with the bent grid, the circle's image and the ellipse"
        )
        for plot, grid in zip((left, right), self.grids, strict=True):
            plot.parts += grid
        inputs, outputs = self.planes
        _framed(left, inputs, names[0], {"forwards": "circle"})
        inputs.line(left, "forwards", point + circle)
        inputs.arrows(left, RESPONSES, point, values["radius"] * np.eye(2), names[0])
        left.dot("forwards", *inputs.pixels(point))
        drags = (axis.drag(name) for axis, name in zip(inputs, self.map.inputs, strict=True))
        left.area("handle", LEFT, TOP, SIDE, SIDE, *drags)
        _framed(right, outputs, names[1], {"forwards": "its image", "backwards": "the Jacobian’s ellipse"})
        outputs.line(right, "forwards", self.map.at(point + circle))
        outputs.line(right, "backwards", image + circle @ jacobian.T)
        outputs.arrows(right, RESPONSES, image, values["radius"] * jacobian.T, names[0])
        right.dot("forwards", *outputs.pixels(image))
        written = {name: notation.number(values[name]) for name in (*self.map.inputs, "radius")}
        beside = right, _matrix(jacobian, *names)
        return Scene(left, self._lines(point, image, jacobian), written, beside=beside)

    def _lines(self, point, image, jacobian) -> list[str]:
        (a, b), (c, d) = self.map.input_symbols, self.map.output_symbols
        formulas = ", ".join(f"{y} = {f}" for y, f in zip((c, d), self.map.formulas, strict=True))
        rows, columns = (list(map(notation.array, m)) for m in (jacobian, jacobian.T))
        return [
            f"({a}, {b}) = {notation.array(point)} → ({c}, {d}) = {notation.array(image)}, by {formulas}",
            f"rows: (∇{c})ᵀ = {rows[0]}, (∇{d})ᵀ = {rows[1]}",
            f"columns: {a} alone moves ({c}, {d}) by {columns[0]}, {b} alone by {columns[1]}",
            _effect_on_areas(jacobian),
        ]


def _framed(plot: Plot, plane: Plane, names, legend: dict[str, str]):
    """Draw the plane's axes with their names, and above it a legend of the kinds of line."""
    plane.frame(plot)
    for i, (kind, text) in enumerate(legend.items()):
        x = LEFT + 118 * i
        plot.line(kind, (x, x + 26), (TOP - 17, TOP - 17))
        plot.text("legend", x + 33, TOP - 12, text)
    plane.name_axes(plot, names)


def _grid(ranges) -> np.ndarray:
    """The lines of a grid of squares over the ranges, as an array of shape (lines, ALONG, 2)."""
    widest = max(high - low for low, high in ranges)
    lines = []
    for i, (low, high) in enumerate(ranges):
        along = np.linspace(ranges[1 - i][0], ranges[1 - i][1], ALONG)
        for place in np.linspace(low, high, max(2, round(SQUARES * (high - low) / widest) + 1)):
            line = np.stack([np.full(ALONG, place), along], axis=-1)
            lines.append(line if i == 0 else line[:, ::-1])
    return np.array(lines)


def _effect_on_areas(jacobian) -> str:
    determinant = float(jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0])
    size = notation.number(abs(determinant))
    if abs(determinant) < 1e-12 * np.abs(jacobian).max() ** 2 or determinant == 0:
        return "determinant 0: the ellipse is flat, areas vanish"
    done = f"grow {size} times" if abs(determinant) > 1 else f"shrink to {size} of their size"
    if size == "1":
        done = "keep their size"
    turned = " and are turned over" if determinant < 0 else ""
    return f"determinant {notation.number(determinant)}: small areas {done}{turned}"


def _matrix(jacobian, inputs, outputs) -> Plot:
    """The Jacobian as a matrix, with the input above each column and the gradient beside each row."""
    plot = Plot(WIDTH, 132, f"The Jacobian {notation.array(jacobian)}")
    columns, rows = (158, 274), (66, 100)  # room for a number such as −0.001401
    for x, kind, name in zip(columns, RESPONSES, inputs, strict=True):
        plot.arrow(kind, x - 52, 20, x - 22, 20, head=10)
        plot.text("formula", x, 25, f"∂/∂{name}", "middle")
    for y, name, numbers in zip(rows, outputs, jacobian, strict=True):
        plot.text("formula", 18, y, f"(∇{name})ᵀ")
        for x, number in zip(columns, numbers, strict=True):
            plot.text("big", x, y, notation.number(number), "middle")
    for edge, inward in ((94, 7), (338, -7)):
        plot.line("bracket", (edge + inward, edge, edge, edge + inward), (42, 42, 112, 112))
    return plot
