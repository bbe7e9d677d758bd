"""The cost landscape: its path against ``bl.sgd``, its numbers against closed forms of least squares, ridge
regression and differences, and what it says and draws."""

from __future__ import annotations

import re

import numpy as np
import pytest
from contourpy import contour_generator
from test_explorers import number, numbers_in_brackets, paths, said

import backprop_lab as bl
from backprop_lab.explorers import landscape as module
from backprop_lab.program.program import Program

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(1, 1, 12)
Y = 1.5 * X - 0.5 + RANDOM.normal(0, 0.7, 12)
DATA = {"x": X, "y": Y}
A = np.stack([X, np.ones(12)], axis=-1)  # of w and b
HESSIAN = 2 * A.T @ A / 12
BEST = np.linalg.lstsq(A, Y, rcond=None)[0]


def line(dtype=float):
    """The mean squared error of a line through the data, by two variables."""
    w, b = (bl.variable(name, np.array(value, dtype)) for name, value in (("w", -1.0), ("b", 2.5)))
    x, y = (bl.constant(name, values.astype(dtype)) for name, values in DATA.items())
    return np.mean((w * x + b - y) ** 2).named("J")


def vector():
    """The same by one variable of two entries."""
    theta = bl.variable("theta", [-1.0, 2.5])
    x, y = (bl.constant(name, values) for name, values in DATA.items())
    return np.mean((theta[0] * x + theta[1] - y) ** 2).named("J")


def bowl(curvatures=(4.0, 0.5), best=(1.0, 2.0), along=(0.8, 0.6)):
    """A quadratic cost with these eigenvalues of its Hessian, the first one along a direction."""
    theta = bl.variable("theta", [0.0, 0.0])
    u = along[0] * (theta[0] - best[0]) + along[1] * (theta[1] - best[1])
    v = -along[1] * (theta[0] - best[0]) + along[0] * (theta[1] - best[1])
    return (0.5 * (curvatures[0] * u**2 + curvatures[1] * v**2)).named("J")


def error(points):
    return np.mean((points @ A.T - Y) ** 2, axis=-1)


def walk(explorer, factor=0.0):
    """The path that an explorer shows at its values."""
    picture, values = explorer.picture, explorer.values
    return picture.walk.at(values, factor).path


def walked(J, data, rate, size, steps, seed=0):
    """The path of ``bl.sgd``."""
    program = bl.compile(J)
    loop, variables = bl.sgd(program, data, rate, size, epochs=steps, seed=seed), program.variables
    points = [np.concatenate([np.ravel(v.value) for v in variables])]
    for _, _step in zip(range(steps), loop, strict=False):
        points.append(np.concatenate([np.ravel(v.value) for v in variables]))
    return np.array(points)


def units(explorer, pixels):
    """Points of the plane from their pixels."""
    plane = explorer.picture.plane
    return np.stack(
        [
            a.low + (p - a.start) / (a.end - a.start) * (a.high - a.low)
            for a, p in zip(plane, pixels.T, strict=True)
        ],
        axis=-1,
    )


# ---------------------------------------------------------------------------------------------- the path


@pytest.mark.parametrize("size", [None, 1, 2, 5, 12, 40])
@pytest.mark.parametrize("make", [line, vector, lambda: line(np.float32)], ids=["two", "vector", "float32"])
@pytest.mark.parametrize("rate, seed", [(0.1, 0), (0.037, 3)])
def test_the_path_is_that_of_sgd_to_the_last_bit(make, size, rate, seed):
    J = make()
    explorer = bl.explore.landscape(J, DATA, rate, size, steps=15, seed=seed)
    path = walk(explorer)[:16]
    expected = walked(J, DATA, rate, size, 15, seed)
    assert path.dtype == expected.dtype
    np.testing.assert_array_equal(path, expected)


def test_without_data_every_step_uses_the_leaves_as_they_are():
    J = line()
    explorer = bl.explore.landscape(J, learning_rate=0.2, steps=5)
    np.testing.assert_array_equal(walk(explorer)[:6], walked(J, None, 0.2, None, 5))
    assert "minibatch" not in explorer.scene["words"] and "full" not in explorer.scene["words"]


def test_the_path_follows_start_and_learning_rate_as_sgd_would():
    explorer = bl.explore.landscape(line(), DATA, 0.1, 3, steps=8)
    explorer.values = {"start_1": 0.75, "start_2": -0.5, "log10_learning_rate": -2.0}
    J = line()
    w, b = bl.compile(J).variables
    w.value, b.value = 0.75, -0.5
    np.testing.assert_array_equal(walk(explorer)[:9], walked(J, DATA, 0.01, 3, 8))


def test_the_variables_keep_their_values_and_later_changes_are_not_followed():
    J = line()
    leaves = {leaf.name: leaf for leaf in bl.compile(J).leaves.values()}
    explorer = bl.explore.landscape(J, steps=6)
    explorer.values = {"step": 6}
    assert float(leaves["w"].value) == -1.0 and float(leaves["b"].value) == 2.5
    before = explorer.scene
    leaves["y"].value = Y + 5
    leaves["w"].value = 9.0
    explorer.values = {"step": 5}
    explorer.values = {"step": 6}
    assert explorer.scene == before


def test_data_may_stand_in_for_constants_without_a_value():
    w, b = bl.variable("w", 0.0), bl.variable("b", 0.0)
    x, y = bl.constant("x", shape=(4,)), bl.constant("y", shape=(4,))
    J = np.mean((w * x + b - y) ** 2)
    assert said(bl.explore.landscape(J, DATA, batch_size=4), "full cost J = N")[0] == pytest.approx(
        error(np.zeros(2)), rel=1e-3
    )


def test_the_drawn_path_is_the_path():
    explorer = bl.explore.landscape(line(), DATA, 0.1, 3, steps=8)
    explorer.values = {"step": 5}
    drawn = re.findall(r'bl-dot bl-(?:step|quiet)" cx="([\d.]+)" cy="([\d.]+)"', explorer.scene["svg"])
    expected = walk(explorer)
    np.testing.assert_allclose(
        units(explorer, np.array(drawn, float))[:8], expected[1:9], atol=0.06 / pixels_of_a_unit(explorer)
    )


def pixels_of_a_unit(explorer):
    return explorer.picture.plane.scale


def test_a_path_that_leaves_the_window_is_drawn_up_to_its_frame():
    explorer = bl.explore.landscape(line(), learning_rate=1.2, steps=6)
    plane = explorer.picture.plane
    left, right, top, bottom = plane.edges
    explorer.values = {"step": 6}
    corners = np.concatenate(paths(explorer, "first")[1:])
    assert ((corners >= (left - 0.1, top - 0.1)) & (corners <= (right + 0.1, bottom + 0.1))).all()
    assert (np.abs(corners - [left, top]) < 0.1).any() or (np.abs(corners - [right, bottom]) < 0.1).any()


# ------------------------------------------------------------------------------------------- its numbers


@pytest.mark.parametrize("step", [0, 3, 7])
def test_cost_and_gradients_are_those_of_least_squares(step):
    explorer = bl.explore.landscape(line(), DATA, 0.1, 3, steps=7)
    explorer.values = {"step": step}
    point = walk(explorer)[step]
    order = np.random.default_rng(0)
    chosen = np.concatenate([order.permutation(12) for _ in range(3)]).reshape(-1, 3)[step]
    full = 2 * A.T @ (A @ point - Y) / 12
    part = 2 * A[chosen].T @ (A[chosen] @ point - Y[chosen]) / 3
    assert said(explorer, "full cost J = N")[0] == pytest.approx(error(point), rel=1e-3)
    shown = [numbers_in_brackets(text)[-1] for text in explorer.lines[1:3]]
    assert np.array(shown) == pytest.approx(np.array([full, part]), rel=1e-3)
    cosine = full @ part / np.linalg.norm(full) / np.linalg.norm(part)
    assert said(explorer, ", N° away")[0] == pytest.approx(np.degrees(np.arccos(cosine)), rel=0.06)
    epoch = said(explorer, "epoch N:")[0]
    assert epoch == step * 3 // 12


def test_a_minibatch_step_that_raises_the_full_cost_is_said_with_its_numbers():
    explorer = bl.explore.landscape(line(), DATA, 0.3, 1, steps=30)
    path = walk(explorer)
    rises = [i for i in range(30) if error(path[i + 1]) > 1.01 * error(path[i])]
    falls = [i for i in range(30) if error(path[i + 1]) < 0.99 * error(path[i])]
    assert rises and falls
    for steps, word in ((rises, "raises"), (falls, "lowers")):
        explorer.values = {"step": steps[0]}
        before, after = said(
            explorer, f"the next step, by η = 0.3 and the minibatch, {word} the full cost from N to N"
        )
        assert [before, after] == pytest.approx([error(path[steps[0]]), error(path[steps[0] + 1])], rel=1e-3)


@pytest.mark.parametrize("part, grows", [(0.9, False), (1.1, True)])
def test_beyond_two_over_the_largest_eigenvalue_the_learning_rate_is_too_large(part, grows):
    rate = part * 2 / np.linalg.eigvalsh(HESSIAN)[-1]
    explorer = bl.explore.landscape(line(), learning_rate=rate, steps=40)
    assert explorer.lines[-1].startswith(f"over all 40 steps the cost {'grows' if grows else 'falls'} from")
    assert ("the learning rate is too large" in explorer.lines[-1]) == grows


def test_it_says_which_step_is_the_first_outside_of_the_window():
    explorer = bl.explore.landscape(line(), learning_rate=0.75, steps=40)
    plane = explorer.picture.plane
    inside = [all(a.low <= v <= a.high for v, a in zip(p, plane, strict=True)) for p in walk(explorer)[:41]]
    assert explorer.lines[-1].endswith(f"; step {inside.index(False)} is the first outside of the window")


def test_a_path_without_finite_numbers_ends_there_and_nobody_is_warned(recwarn):
    theta = bl.variable("theta", [1.0, 1.0])
    explorer = bl.explore.landscape(np.sum(theta**4), learning_rate=3.0, steps=20)
    length = len(walk(explorer))
    assert length < 21
    assert explorer.lines[-1] == f"step {length} has no finite numbers: the learning rate is too large"
    explorer.values = {"step": 20}
    assert explorer.lines[0].startswith(f"step {length - 1} of 20: ")
    assert not re.search(r"\b(nan|inf)\b", explorer.scene["svg"])
    assert not recwarn.list


def test_a_cost_that_has_no_numbers_in_a_part_of_the_window_is_drawn_in_the_other(recwarn):
    a, b = bl.variable("a", 1.0), bl.variable("b", 1.0)
    J = a - np.log(a) + b**2
    explorer = bl.explore.landscape(J, window=((-2, 4), (-3, 3)))
    contours = np.concatenate([units(explorer, c) for c in paths(explorer, "contour")])
    assert len(contours) > 100 and contours[:, 0].min() > 0
    explorer.values = {"start_1": -1.0}
    assert "nan" not in explorer.scene["svg"] and not recwarn.list


# ------------------------------------------------------------------------------------------- the picture


def valley(point):
    return (1 - point[..., 0]) ** 2 + 10 * (point[..., 1] - point[..., 0] ** 2) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("which", ["line", "valley"])
def test_the_contours_are_those_of_a_much_finer_grid(which):
    if which == "line":
        explorer, cost = bl.explore.landscape(line()), error
    else:
        theta = bl.variable("theta", [-1.0, 1.0])
        explorer = bl.explore.landscape(
            (1 - theta[0]) ** 2 + 10 * (theta[1] - theta[0] ** 2) ** 2, learning_rate=0.01
        )
        cost = valley
    plane = explorer.picture.plane
    places = [np.linspace(axis.low, axis.high, 1000) for axis in plane]
    fine = contour_generator(*places, cost(np.stack(np.meshgrid(*places), axis=-1)))
    contours = paths(explorer, "contour")
    assert len(contours) >= 8
    for pixels in contours:
        points = units(explorer, pixels)
        true = np.concatenate(fine.lines(np.median(cost(points))))
        away = np.hypot(*(points[:, None] - true).T).min(axis=0) * plane.scale
        assert np.median(away) < 0.3 and away.max() < 2  # pixels


def test_a_labelled_contour_has_the_value_of_its_label():
    explorer = bl.explore.landscape(line())
    left, right, top, bottom = explorer.picture.plane.edges
    labels = re.findall(r'bl-tick" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)<', explorer.scene["svg"])
    inside = [
        (float(x), float(y) - 4, number(v))
        for x, y, v in labels
        if left < float(x) < right and top < float(y) < bottom
    ]
    assert len(inside) >= 3
    for x, y, value in inside:
        assert error(units(explorer, np.array([[x, y]]))[0]) == pytest.approx(value, rel=0.05, abs=0.02)


def test_the_arrow_points_downhill_at_right_angles_to_the_contour():
    explorer = bl.explore.landscape(line(), DATA, 0.1, 3)
    for step in (0, 4):
        explorer.values = {"step": step}
        point = walk(explorer)[step]
        start, end = paths(explorer, "downhill")[-2]
        arrow = (end - start) * (1, -1)  # pixels count downwards
        h = 1e-6
        slope = np.array([(error(point + h * e) - error(point - h * e)) / (2 * h) for e in np.eye(2)])
        cosine = arrow @ slope / np.linalg.norm(arrow) / np.linalg.norm(slope)
        assert cosine == pytest.approx(-1, abs=1e-3)


def test_a_short_arrow_is_seen_beside_its_dot_and_none_is_drawn_for_no_slope():
    def lengths(start):
        explorer = bl.explore.landscape(line(), DATA, 0.1, 1, start=start)
        drawn = [paths(explorer, kind) for kind in ("downhill", "backwards")]
        return [np.hypot(*(arrow[-2][-1] - arrow[-2][0])) if len(arrow) > 2 else 0 for arrow in drawn]

    full, minibatch = lengths(BEST + np.array([0.01, 0]))
    assert 15 < full < minibatch  # the dot's radius is 5.5, and the arrow has a tip
    assert lengths(BEST)[0] == 0


def test_the_legend_speaks_of_sgd_only_where_examples_are_drawn():
    assert "path of SGD" in bl.explore.landscape(line(), DATA, 0.1, 3).scene["svg"]
    for explorer in (bl.explore.landscape(line()), bl.explore.landscape(line(), DATA)):
        assert "path of gradient descent" in explorer.scene["svg"] and "SGD" not in explorer.scene["svg"]


def test_a_unit_is_as_long_across_as_up_whatever_the_window():
    explorer = bl.explore.landscape(line(), window=((-2, 3), (-1, 8)))
    across, up = explorer.picture.plane
    assert across.high - across.low == pytest.approx(up.high - up.low)
    assert across.low <= -2 and across.high >= 3 and (up.low, up.high) == (-1, 8)


def test_the_window_shows_the_start_and_the_minimum():
    across, up = bl.explore.landscape(line(), learning_rate=1e-4).picture.plane
    for point in (BEST, (-1.0, 2.5)):
        assert across.low < point[0] < across.high and up.low < point[1] < up.high


def test_a_drag_finds_no_contours_anew(monkeypatch):
    explorer = bl.explore.landscape(line(), DATA, 0.1, 3)
    monkeypatch.setattr(module, "contours", lambda *_: pytest.fail("contours were found again"))
    calls = []
    run = Program.run
    monkeypatch.setattr(Program, "run", lambda *a: calls.append(1) or run(*a))
    explorer.values = {"start_1": 0.3}
    assert "(0.3, 2.5)" in explorer.lines[0]
    assert len(calls) <= module.STEPS + 6


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_flat_cost_and_a_start_at_the_minimum_have_a_picture(level):
    theta = bl.variable("theta", [0.0, 0.0])
    explorer = bl.explore.landscape(0 * np.sum(theta) + level)
    assert explorer.lines[-1] == f"over all 20 steps the cost stays at {level:g}"
    explorer = bl.explore.landscape(np.sum(theta**2) + level)
    assert len(paths(explorer, "downhill")) == 2  # line and tip of the legend's


def test_a_cost_without_a_minimum_has_a_window_too():
    theta = bl.variable("theta", [0.0, 0.0])
    across = bl.explore.landscape(theta[0] - 2 * theta[1]).picture.plane.across
    assert across.low < 0 < across.high and across.high - across.low < 100


def test_a_cost_whose_minimum_is_at_infinity_does_not_stretch_the_window():
    w, b, x = bl.variable("w", 0.3), bl.variable("b", -2.0), np.linspace(-2, 2, 20)
    z = w * bl.constant("x", x) + b
    J = np.mean(bl.softplus(z) - bl.constant("y", (x > 0.3) * 1.0) * z)  # separable: the larger w, the lower
    across = bl.explore.landscape(J).picture.plane.across
    assert across.high - across.low < 20


# ------------------------------------------------------------------------------------------- the penalty


def test_the_fractions_of_the_lectures_example():
    explorer = bl.explore.landscape(bowl(), penalty=True)
    assert explorer.lines[2:] == [
        "along (0.8, 0.6), κ = 4: 0.667 of its unpenalised value, κ/(κ + 2λ)",
        "along (−0.6, 0.8), κ = 0.5: 0.2 of its unpenalised value, κ/(κ + 2λ)",
    ]
    assert list(explorer.values) == ["penalty"] and explorer.values["penalty"] == 1


@pytest.mark.parametrize("λ", [0.0, 0.25, 1.0, 3.0])
def test_the_solution_is_that_of_ridge_regression(λ):
    explorer = bl.explore.landscape(line(), DATA, penalty=True)
    explorer.values = {"penalty": λ}
    solution = np.linalg.solve(A.T @ A / 12 + λ * np.eye(2), A.T @ Y / 12)
    shown = numbers_in_brackets(explorer.lines[0])
    assert np.array(shown) == pytest.approx(np.array([solution, BEST]), rel=1e-3)
    cost, _, size, _ = said(explorer, "there J = N instead of N, and w² + b² = N instead of N")
    assert [cost, size] == pytest.approx([error(solution), solution @ solution], rel=1e-3)
    curvatures = np.linalg.eigvalsh(HESSIAN)[::-1]
    for text, κ in zip(explorer.lines[2:], curvatures, strict=True):
        κ_shown, kept = map(number, re.search(r"κ = (\S+): (\S+) of", text).groups())
        assert [κ_shown, kept] == pytest.approx([κ, κ / (κ + 2 * λ)], rel=2e-3)


def test_the_lines_name_the_eigenvectors():
    explorer = bl.explore.landscape(line(), penalty=True)
    for text, κ in zip(explorer.lines[2:], np.linalg.eigvalsh(HESSIAN)[::-1], strict=True):
        direction = np.array(numbers_in_brackets(text)[0])
        assert HESSIAN @ direction == pytest.approx(κ * direction, abs=5e-3)


@pytest.mark.parametrize("best", [(1.0, 2.0), (-2.0, 0.5), (0.3, -1.0)])
def test_along_the_named_direction_the_solution_shrinks_towards_0(best):
    explorer = bl.explore.landscape(bowl(best=best), penalty=True)
    here, unpenalised = map(np.array, numbers_in_brackets(explorer.lines[0]))
    for text, kept in zip(explorer.lines[2:], (2 / 3, 0.2), strict=True):
        direction = np.array(numbers_in_brackets(text)[0])
        assert direction @ unpenalised > 0
        assert direction @ here == pytest.approx(kept * (direction @ unpenalised), rel=2e-3)


def test_the_contour_and_the_circle_touch_at_the_solution():
    explorer = bl.explore.landscape(bowl(), penalty=0.5, window=((-3, 3), (-3, 3)))
    here = np.array(numbers_in_brackets(explorer.lines[0])[0])
    circle = units(explorer, paths(explorer, "second")[-1])
    assert np.hypot(*circle.T) == pytest.approx(np.hypot(*here), abs=0.01)
    u, v = np.array([[0.8, 0.6], [-0.6, 0.8]]) @ (circle - (1, 2)).T
    assert (0.5 * (4 * u**2 + 0.5 * v**2)).min() == pytest.approx(
        said(explorer, "there J = N")[0], abs=0.01
    )  # nowhere on the circle is J lower
    contour = np.concatenate([units(explorer, piece) for piece in paths(explorer, "thread")[1:]])
    u, v = np.array([[0.8, 0.6], [-0.6, 0.8]]) @ (contour - (1, 2)).T
    assert 0.5 * (4 * u**2 + 0.5 * v**2) == pytest.approx(said(explorer, "there J = N")[0], abs=0.02)


def test_the_drawn_path_ends_at_the_present_solution_and_starts_at_the_unpenalised_one():
    explorer = bl.explore.landscape(bowl(), penalty=True)
    path = units(explorer, paths(explorer, "forwards")[-1])
    assert path[0] == pytest.approx([1, 2], abs=0.01)
    solution = np.linalg.solve(hessian_of_bowl() + 2 * np.eye(2), hessian_of_bowl() @ [1, 2])
    assert path[-1] == pytest.approx(solution, abs=0.01)


def hessian_of_bowl():
    Q = np.array([[0.8, -0.6], [0.6, 0.8]])
    return Q @ np.diag([4, 0.5]) @ Q.T


def test_with_steps_sgd_walks_on_the_penalised_cost():
    explorer = bl.explore.landscape(line(), DATA, 0.1, 3, steps=10, penalty=0.3)
    w, b = bl.variable("w", -1.0), bl.variable("b", 2.5)
    x, y = (bl.constant(name, values) for name, values in DATA.items())
    penalised = np.mean((w * x + b - y) ** 2) + 0.3 * bl.l2(w, b)
    np.testing.assert_allclose(walk(explorer, 0.3)[:11], walked(penalised, DATA, 0.1, 3, 10), rtol=1e-12)
    cost = said(explorer, "full cost J̃ = N")[0]
    assert cost == pytest.approx(error(np.array([-1, 2.5])) + 0.3 * 7.25, rel=1e-3)
    assert list(explorer.values) == ["start_1", "start_2", "log10_learning_rate", "step", "penalty"]


def test_sgd_of_all_examples_ends_at_the_solution():
    explorer = bl.explore.landscape(bowl(), penalty=1, steps=200, learning_rate=0.2)
    assert walk(explorer, 1.0)[-1] == pytest.approx(numbers_in_brackets(explorer.lines[0])[0], abs=1e-3)


def test_equal_curvatures_shrink_alike():
    theta = bl.variable("theta", [0.0, 0.0])
    explorer = bl.explore.landscape(np.sum((theta - [1.0, 2.0]) ** 2), penalty=2)
    assert [re.search(r"κ = .*", text)[0] for text in explorer.lines[2:]] == [
        "κ = 2: 0.333 of its unpenalised value, κ/(κ + 2λ)"
    ] * 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_counts_as_quadratic_too(dtype):
    explorer = bl.explore.landscape(line(dtype), penalty=True)
    assert said(explorer, "κ = N:")[0] == pytest.approx(np.linalg.eigvalsh(HESSIAN)[-1], rel=1e-3)


# --------------------------------------------------------------------------------------------- refusals


def of(*values, cost=lambda *v: sum(np.sum(x**2) for x in v)):
    leaves = [bl.variable(f"v{i}", value) for i, value in enumerate(values)]
    return cost(*leaves)


@pytest.mark.parametrize(
    "make, options, kind, message",
    [
        (lambda: of(1.0), {}, ValueError, r"a plane has two parameters, and this cost has others: v0 \(one"),
        (lambda: of(1.0, [1.0, 2.0]), {}, ValueError, r"v0 \(one number\), v1 \(2 numbers\)"),
        (lambda: of([[1.0, 2.0], [3.0, 4.0]]), {}, ValueError, r"v0 \(2 × 2\); make those"),
        (
            lambda: of([1.0, 2.0], cost=lambda v: v * 2),
            {},
            ValueError,
            r"has shape \(2,\); a cost is a single",
        ),
        (line, {"data": [DATA]}, TypeError, r"data is a mapping \{leaf name: array\}, not list"),
        (line, {"data": {"z": X}}, TypeError, "no leaf 'z'"),
        (line, {"data": {"x": X, "y": Y[:3]}}, ValueError, "as many examples"),
        (line, {"batch_size": 3}, TypeError, "batch_size= cuts data into batches; give them"),
        (line, {"data": DATA, "batch_size": 0}, ValueError, "batch_size is a whole number from 1"),
        (line, {"learning_rate": 0}, ValueError, "learning_rate is a number above 0, not 0"),
        (line, {"learning_rate": "a"}, ValueError, "learning_rate is a number"),
        (line, {"steps": 0}, ValueError, "steps is a whole number from 1 to 1000, not 0"),
        (line, {"steps": 2000}, ValueError, "steps is a whole number from 1 to 1000"),
        (line, {"steps": 2.5}, ValueError, "steps is a whole number"),
        (line, {"start": 3}, ValueError, "start is a point of two numbers, not 3"),
        (line, {"start": (1, "a")}, ValueError, "start of b is a number"),
        (line, {"window": (0, 1)}, ValueError, r"window is \(\(low, high\), \(low, high\)\)"),
        (line, {"window": ((0, 1), (1, 0))}, ValueError, "the window of b goes from the smaller"),
        (line, {"window": ((0, 1), (0, 1))}, ValueError, "the start, w = −1, is outside of the window"),
        (lambda: of(-1.0, 1.0, cost=lambda a, b: np.log(a) * b), {}, ValueError, "not finite at the start"),
        (lambda: 3, {}, TypeError, "landscape: expected a node of a graph, was given int"),
        (line, {"penalty": -1}, ValueError, "penalty is λ, a number that is not negative, not -1"),
        (line, {"penalty": "a"}, ValueError, "penalty is a number, not 'a'"),
        (
            lambda: of(1.0, 1.0, cost=lambda a, b: a**4 + b**2),
            {"penalty": 1},
            ValueError,
            "must be quadratic",
        ),
        (
            lambda: of(1.0, 1.0, cost=lambda a, b: bl.relu(a) ** 2 + b**2),
            {"penalty": 1},
            ValueError,
            "must be q",
        ),
        (
            lambda: of(1.0, 1.0, cost=lambda a, b: (a + b) ** 2),
            {"penalty": 1},
            ValueError,
            "Hessian are 0 and 4",
        ),
        (lambda: of(1.0, 1.0, cost=lambda a, b: a**2 - b**2), {"penalty": 1}, ValueError, "single minimum"),
    ],
)
def test_what_no_landscape_can_be_made_of_is_refused_in_words(make, options, kind, message):
    with pytest.raises(kind, match=message):
        bl.explore.landscape(make(), **options)


def test_a_variable_without_a_value_needs_a_start():
    w = bl.variable("w", shape=(2,))
    with pytest.raises(ValueError, match=r"w .*without a value"):
        bl.explore.landscape(np.sum(w**2))
    assert "(1, 2)" in bl.explore.landscape(np.sum(w**2), start=(1, 2)).lines[0]


def test_gradients_that_point_the_same_way_are_no_degrees_apart():
    w = bl.variable("w", [1.0, 2.0])
    x, y = bl.constant("x", [1.0, 2.0]), bl.constant("y", [3.0, 4.0])
    data = {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0]}
    shown = bl.explore.landscape(np.mean((w[0] * x + w[1] - y) ** 2), data, 0.05, 2, 5)
    assert not any("e−" in line and "° away" in line for line in shown.lines)
