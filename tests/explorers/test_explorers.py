"""The explorers: what they compute against closed forms and differences, and what they say and draw."""

from __future__ import annotations

import re
import xml.dom.minidom

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.explorers import real_functions
from backprop_lab.training_lab import explore


def polar(r, t):
    return r * np.cos(t), r * np.sin(t)


def line_and_data():
    w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    x, y = bl.constant("x", [1.0, 2.0, 4.0, 5.0]), bl.constant("y", [1.0, 4.0, 6.0, 7.0])
    return np.mean((w * x + b - y) ** 2), {"x": x.value, "y": y.value}


SEEN = bl.data.noisy_polynomial(20, noise=0.3, seed=2)
UNSEEN = bl.data.noisy_polynomial(200, noise=0.3, seed=102)
ALL = {
    "chain_rule": lambda: bl.explore.chain_rule(np.sin, np.square),
    "finite_difference": lambda: bl.explore.finite_difference(lambda x: x * x * x, 2),
    "fit": lambda: bl.explore.fit(*SEEN, UNSEEN, degree=9, penalty=0.01),
    "jacobian_map": lambda: bl.explore.jacobian_map(polar, outputs=("x", "y")),
    "landscape": lambda: bl.explore.landscape(*line_and_data(), 0.1, 2, penalty=0.25, steps=6),
}
NOT_DRAGGED = {
    "radius",
    "log10_learning_rate",
    "step",
    "penalty",
    "log10_penalty",
}  # these have a slider only
each = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def number(text):
    """A number as it is written in words."""
    return float(text.replace("−", "-").replace("∞", "inf"))


def said(explorer, pattern):
    """The numbers that a pattern finds in an explorer's lines; N stands for a number."""
    pattern = re.escape(pattern).replace("N", r"([−\d.e]+|nan)")
    return [number(n) for n in re.search(pattern, "\n".join(explorer.lines)).groups()]


def paths(explorer, kind):
    """The corners of all lines and shapes of a kind in the pictures, each an array of (x, y) pixels."""
    drawn = re.findall(rf'class="[^"]*\bbl-{kind}" d="([^"]+)"', explorer.scene["svg"])
    return [np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", d), float) for d in drawn]


# ------------------------------------------------------------------------------------------ all of them


@each
def test_the_same_run_gives_the_same_bytes(make):
    one, other = make(), make()
    assert one.scene == other.scene
    assert one._repr_mimebundle_()[0]["text/html"] == other._repr_mimebundle_()[0]["text/html"]
    assert repr(one) == repr(other) and "0x" not in repr(one)


@each
def test_every_picture_is_sound_svg_and_all_its_numbers_are_finite(make):
    explorer = make()
    for control in explorer.controls.values():
        for value in (control.low, control.high):
            explorer.values = {control.name: value}
            xml.dom.minidom.parseString(f"<all>{explorer.scene['svg']}</all>")
            assert not re.search(r"\b(nan|inf)\b", explorer.scene["svg"])
            assert explorer.complaint == ""


@each
def test_without_a_kernel_the_picture_and_all_its_words_are_left(make):
    explorer = make()
    data = explorer._repr_mimebundle_()[0]
    assert data["text/plain"].splitlines() == [repr(explorer), *explorer.lines]
    first = re.search(r'alt="([^"]*)"', data["text/html"])[1]
    assert all(line in first for line in explorer.lines)
    assert data["text/html"].count("<img") == explorer.scene["svg"].count("<svg")
    assert "<script" not in data["text/html"]


@each
def test_a_value_beyond_a_control_is_kept_within_and_an_unknown_name_refused(make):
    explorer = make()
    name, control = next(iter(explorer.controls.items()))
    explorer.values = {name: 1e9}
    assert explorer.values[name] == control.high
    with pytest.raises(ValueError, match="there is no 'q'"):
        explorer.values = {"q": 1}
    with pytest.raises(ValueError, match="is a number from"):
        explorer.values = {name: float("nan")}


@each
def test_each_control_has_its_number_written(make):
    explorer = make()
    assert set(explorer.scene["written"]) == set(explorer.controls)


@each
def test_something_can_be_dragged_in_the_picture(make):
    explorer = make()
    drags = re.findall(r'data-[xy]="(\w+) ', explorer.scene["svg"])
    assert set(drags) == set(explorer.controls) - NOT_DRAGGED


def test_the_namespace_lists_what_it_has():
    assert set(ALL) <= set(bl.explore.__all__)
    assert all(callable(getattr(explore, name)) for name in explore.__all__)


def test_names_of_the_learner_stay_text():
    factor = bl.constant("<b>k</b>", 2.0)
    explorer = bl.explore.chain_rule(np.sin, lambda x: factor * x)
    twin = explorer._repr_mimebundle_()[0]["text/html"]
    assert "<b>k" not in explorer.scene["svg"] + explorer.scene["panel"] + twin.replace("<div><p><b>", "")
    assert "&lt;b&gt;k" in explorer.scene["svg"]


def test_the_twin_follows_a_leaf_that_is_changed_between_two_showings():
    factor = bl.variable("k", 2.0)
    explorer = bl.explore.chain_rule(lambda y: y, lambda x: factor * x)
    assert "dy/dx = 2" in explorer._repr_mimebundle_()[0]["text/html"]
    factor.value = 3.0
    bundle = explorer._repr_mimebundle_()[0]
    assert "dy/dx = 3" in bundle["text/plain"] and "dy/dx = 3" in bundle["text/html"]


# ------------------------------------------------------------------------------------------- chain rule

PAIRS = {
    "sin of square": (np.sin, np.square),
    "exp of sin": (np.exp, np.sin),
    "sigmoid of a line": (bl.sigmoid, lambda x: 3 * x - 1),
    "relu of a cube": (bl.relu, lambda x: x**3 - 0.001),
    "itself": (lambda y: y, lambda x: x),
}


FOLLOWING = {  # explorers of a function in which the learner's leaf w stands
    "chain_rule": lambda w: bl.explore.chain_rule(lambda x: w * x, np.square, x=1.0),
    "finite_difference": lambda w: bl.explore.finite_difference(lambda x: np.sin(w * x), 1.0),
    "jacobian_map": lambda w: bl.explore.jacobian_map(lambda r, t: (w * r * np.cos(t), r * np.sin(t))),
}


@pytest.mark.parametrize("make", FOLLOWING.values(), ids=FOLLOWING.keys())
def test_a_twin_is_that_of_the_graph_as_it_is_now(make):
    w = bl.constant("w", 2.0)
    explorer = make(w)
    w.value = 3.0
    now = explorer._text()
    assert now == make(w)._text()
    w.value = 2.0
    assert explorer._text() == make(w)._text() != now


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("make", FOLLOWING.values(), ids=FOLLOWING.keys())
def test_a_start_that_has_no_scene_any_more_leaves_the_last_one_and_says_why(make, bad):
    w = bl.constant("w", 2.0)
    explorer = make(w)
    w.value = 3.0
    lines = explorer._text()
    for _ in range(2):
        w.value = bad
        assert explorer._text().startswith(lines)
        assert "w was given" in explorer._text() and "stays at the last numbers" in explorer._twin()
    w.value = 3.0
    assert explorer._text() == lines


@pytest.mark.parametrize("f, g", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("x", [-2.31, -0.4, 0.77, 1.5, 2.5])
def test_slopes_are_those_of_difference_quotients_and_their_product_is_the_chains(f, g, x):
    explorer = bl.explore.chain_rule(f, g)
    explorer.values = {"x": x}
    h = 1e-6
    y = g(x)
    inner, outer = (g(x + h) - g(x - h)) / (2 * h), (f(y + h) - f(y - h)) / (2 * h)
    whole = (f(g(x + h)) - f(g(x - h))) / (2 * h)
    (dy_dx,), (dz_dy,) = said(explorer, "dy/dx = N:"), said(explorer, "dz/dy = N:")
    product = number(explorer.lines[-1].rsplit(" = ", 1)[1])
    assert [dy_dx, dz_dy, product] == pytest.approx([inner, outer, whole], rel=1e-3, abs=1e-4)


def test_the_numbers_of_the_lectures_example():
    assert bl.explore.chain_rule(np.sin, np.square, x=1.5).lines == [
        "x = 1.5, y = x² = 2.25, z = sin(y) = 0.7781",
        "dy/dx = 3: the piece at x is stretched 3 times",
        "dz/dy = −0.6282: then it shrinks to 0.6282 of its length and turns around",
        "dz/dx = dz/dy · dy/dx = −0.6282 · 3 = −1.885",
    ]


@pytest.mark.parametrize("x", [-1.2, 0.5, 1.5])
def test_the_piece_is_as_long_as_the_slopes_say_and_turns_around_with_a_negative_one(x):
    explorer = bl.explore.chain_rule(np.sin, np.square, x=x)
    tips = paths(explorer, "piece")[1::2]
    dots = np.array(
        re.findall(r'bl-dot bl-forwards" cx="([\d.]+)" cy="([\d.]+)"', explorer.scene["svg"]), float
    )
    lengths = [tip[0, 0] - dot[0] for tip, dot in zip(tips, dots, strict=True)]
    picture = explorer.picture
    units = [
        length / (a.end - a.start) * (a.high - a.low) for length, a in zip(lengths, picture.axes, strict=True)
    ]
    dx, dy, dz = units
    assert dy / dx == pytest.approx(2 * x, abs=0.05)
    assert dz / dy == pytest.approx(np.cos(x**2), abs=0.05)


@pytest.mark.parametrize("x", [-1.2, 0.5, 1.5])
def test_the_length_of_the_piece_is_written_since_each_line_has_its_own_scale(x):
    explorer = bl.explore.chain_rule(np.sin, np.square, x=x)
    lengths = [number(text) for text in re.findall(r">piece: ([^<]+)<", explorer.scene["svg"])]
    dx = lengths[0]
    assert lengths == pytest.approx([dx, dx * 2 * x, dx * 2 * x * np.cos(x**2)], rel=1e-3)


def test_a_point_stays_a_point():
    assert bl.explore.chain_rule(np.sin, np.square, x=0).lines[1:3] == [
        "dy/dx = 0: the piece at x shrinks to a point",
        "dz/dy = 1: a point stays a point",
    ]


def test_a_negative_factor_stands_in_brackets():
    explorer = bl.explore.chain_rule(np.exp, lambda x: -2 * x, x=0)
    assert explorer.lines[-1] == "dz/dx = dz/dy · dy/dx = 1 · (−2) = −2"


def test_where_a_function_has_no_value_it_says_so_and_the_picture_stays():
    explorer = bl.explore.chain_rule(np.exp, np.log, x=1)
    before = explorer.scene
    explorer.values = {"x": -1.0}
    assert explorer.complaint.startswith("np.log(x) became nan from x = −1")
    assert explorer.scene["svg"] == before["svg"] and explorer.scene["written"] == {"x": "−1"}
    assert explorer.lines[0].startswith("x = 1, ")
    explorer.values = {"x": 2.0}
    assert explorer.complaint == "" and "x = 2, " in explorer.lines[0]
    explorer.values = {"x": 0.0}
    assert "became" in explorer.complaint


def test_an_infinite_slope_is_a_complaint_too():
    explorer = bl.explore.chain_rule(np.sin, np.sqrt, x=1, range=(0, 4))
    explorer.values = {"x": 0.0}
    assert "the gradient that np.sqrt(x) sends to x is ∞" in explorer.complaint


def test_a_pole_does_not_squeeze_everything_else_together():
    explorer = bl.explore.chain_rule(np.tanh, lambda x: 1 / x, x=1)
    axis = explorer.picture.axes[1]
    assert axis.high - axis.low < 40  # of values up to 1 / 0.025 on both sides
    explorer.values = {"x": 0.01}
    assert "nan" not in explorer.scene["svg"] and "y = 1 / x = 100" in explorer.lines[0]


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        ((3, np.square), TypeError, "chain_rule: f is a function of one number, such as np.sin, not int"),
        ((np.sin, "x²"), TypeError, "chain_rule: g is a function"),
        ((np.sin, lambda x: np.stack([x, x])), ValueError, r"g\(x\) has shape \(2,\), but it is to be one"),
        ((np.sin, lambda x: 3.0), TypeError, r"g\(x\) gave float, in which x cannot be followed"),
        ((np.sin, lambda x: bl.constant("c", 1.0) * 2), ValueError, r"g\(x\) = c · 2 does not depend on x"),
        ((np.sin, np.square, 9), ValueError, r"x = 9 lies outside of range = \(-2.5, 2.5\)"),
        ((np.sin, np.square, 1, (2, -2)), ValueError, "range goes from the smaller to the larger"),
        ((np.sin, np.square, 1, 2), ValueError, r"range is a range \(low, high\), not 2"),
        ((np.sin, np.square, "a"), ValueError, "x is a number, not 'a'"),
        ((np.sin, np.log, -1), ValueError, "became nan from x = −1"),
        ((np.sin, np.log, -1, (-2, -1)), ValueError, "not a finite number anywhere in the range"),
    ],
)
def test_what_no_chain_can_be_made_of_is_refused_in_words(arguments, kind, message):
    with pytest.raises(kind, match=message):
        bl.explore.chain_rule(*arguments)


# ---------------------------------------------------------------------------------------- finite differences


def at_exponent(explorer, exponent):
    explorer.values = {"exponent": exponent}
    return explorer


def test_with_a_large_step_the_errors_are_those_of_taylor():
    explorer = bl.explore.finite_difference(np.exp, 1)
    for exponent in (-2, -3):
        h = 10.0**exponent
        at_exponent(explorer, exponent)
        (one,), (two,) = said(explorer, "one-sided: N, error")[:1], said(explorer, "central: N, error")[:1]
        assert one - np.e == pytest.approx(np.e * h / 2, rel=0.01)
        assert two - np.e == pytest.approx(np.e * h**2 / 6, rel=0.01)
        assert explorer.lines[2].endswith("truncation dominates") and explorer.lines[3].endswith(
            "truncation dominates"
        )


def test_with_a_small_step_rounding_dominates():
    explorer = at_exponent(bl.explore.finite_difference(np.exp, 1), -14)
    assert explorer.lines[2].endswith("rounding dominates") and explorer.lines[3].endswith(
        "rounding dominates"
    )
    at_exponent(explorer, -6.5)
    assert explorer.lines[2].endswith("truncation dominates") and explorer.lines[3].endswith(
        "rounding dominates"
    )


@pytest.mark.parametrize("f, x", [(np.exp, 1), (np.sin, 0.8), (lambda x: x * x * x, 2), (np.log, 3)])
def test_the_bottoms_lie_where_the_textbook_has_them(f, x):
    explorer = bl.explore.finite_difference(f, x)
    one, two = said(explorer, "one-sided near h = N, central near h = N")
    epsilon = np.finfo(float).eps
    assert abs(np.log10(one / epsilon ** (1 / 2))) < 1.2
    assert abs(np.log10(two / epsilon ** (1 / 3))) < 1.2


def test_a_parabola_has_no_truncation_in_its_central_difference():
    explorer = at_exponent(bl.explore.finite_difference(lambda x: 3 * x**2, 1.5), -3)
    assert explorer.lines[2].endswith("truncation dominates") and explorer.lines[3].endswith(
        "rounding dominates"
    )


def test_the_derivative_is_that_of_the_backward_pass():
    x = bl.variable("x", 1.5)
    slope = bl.backward(np.sin(x**2))[x]
    (shown,) = said(bl.explore.finite_difference(lambda x: np.sin(x**2)), "by the backward pass: N")
    assert shown == pytest.approx(float(slope), rel=1e-9)


def test_a_cost_of_data_with_one_weight_will_do():
    data, labels = np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 6.0])
    explorer = bl.explore.finite_difference(lambda w: np.mean((w * data - labels) ** 2), 2)
    (shown,) = said(explorer, "by the backward pass: N")
    assert shown == pytest.approx(np.mean(2 * (2 * data - labels) * data))


def test_a_drag_computes_nothing_anew(monkeypatch):
    explorer = bl.explore.finite_difference(np.sin)
    monkeypatch.setattr(real_functions, "evaluate", lambda *_: pytest.fail("f was computed again"))
    at_exponent(explorer, -7)
    assert explorer.lines[1] == "h = 1e−7"


def test_steps_that_leave_the_domain_are_said_and_left_out():
    explorer = at_exponent(bl.explore.finite_difference(np.log, 0.05), -1)
    assert explorer.lines[3] == "central: not a finite number at this h"
    assert explorer.lines[2].startswith("one-sided: ")


@pytest.mark.parametrize("f, x", [(lambda x: 0 * x, 1), (lambda x: x, 0), (bl.relu, 0), (np.abs, 0)])
def test_flat_and_kinked_functions_have_a_picture(f, x):
    explorer = bl.explore.finite_difference(f, x)
    assert "nan" not in explorer.scene["svg"]
    assert len(explorer.lines) == 5


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        ((None,), TypeError, "finite_difference: f is a function of one number"),
        ((np.log, -1), ValueError, "became nan"),
        ((np.sqrt, 0), ValueError, "sends to x is ∞"),
        ((lambda x: np.stack([x, x]),), ValueError, r"f\(x\) has shape \(2,\)"),
        ((np.sin, [1, 2]), ValueError, r"x is a number, not \[1, 2\]"),
    ],
)
def test_what_has_no_derivative_is_refused_in_words(arguments, kind, message):
    with pytest.raises(kind, match=message):
        bl.explore.finite_difference(*arguments)


# --------------------------------------------------------------------------------------------- Jacobian map

W = np.array([[1.0, 2.0], [-1.0, 0.5]])
MAPS = {
    "polar": polar,
    "vector": lambda x: np.tanh(W @ x),
    "stacked": lambda a, b: np.stack([a * b, a - b**2]),
    "list": lambda a, b: [np.exp(a) * b, np.sin(a + b)],
}


def differences(g, point, h=1e-6):
    """The Jacobian of a map by central differences; a map of two numbers or of a vector."""
    as_vector = g is MAPS["vector"]

    def value(p):
        return np.array(g(p) if as_vector else g(*p), float)

    return np.stack([(value(point + h * e) - value(point - h * e)) / (2 * h) for e in np.eye(2)], axis=-1)


@pytest.mark.parametrize("g", MAPS.values(), ids=MAPS)
@pytest.mark.parametrize("point", [(2.0, 0.5), (1.3, -0.7), (0.4, 0.9)])
def test_the_jacobian_is_that_of_difference_quotients_and_the_lines_read_it_both_ways(g, point):
    explorer = bl.explore.jacobian_map(g, at=point)
    expected = differences(g, np.array(point))
    rows, columns = numbers_in_brackets(explorer.lines[1]), numbers_in_brackets(explorer.lines[2])
    assert np.array(rows) == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert np.array(columns) == pytest.approx(expected.T, rel=1e-3, abs=1e-4)


def numbers_in_brackets(line):
    """All pairs of numbers (a, b) in a line."""
    return [[number(a), number(b)] for a, b in re.findall(r"\(([−\d.e]+), ([−\d.e]+)\)", line)]


def in_units(explorer, pixels, which):
    """Points of the plane ``which``, 0 at the left, from their pixels."""
    axes = explorer.picture.planes[which]
    return np.stack(
        [
            a.low + (p - a.start) / (a.end - a.start) * (a.high - a.low)
            for a, p in zip(axes, pixels.T, strict=True)
        ],
        axis=-1,
    )


@pytest.mark.parametrize("g", MAPS.values(), ids=MAPS)
def test_the_drawn_ellipse_is_the_jacobians_and_the_drawn_image_the_maps(g):
    point, pixel = np.array([1.0, 0.4]), 0.05  # of a pixel, times the units in one
    explorer = bl.explore.jacobian_map(g, at=point)
    circle, image = (p for p in paths(explorer, "forwards") if len(p) > 10)
    (ellipse,) = (p for p in paths(explorer, "backwards") if len(p) > 10)
    radius = explorer.values["radius"]
    tolerance = 2 * pixel * max(a.high - a.low for plane in explorer.picture.planes for a in plane) / 280
    inside = in_units(explorer, circle, 0) - point
    assert np.hypot(*inside.T) == pytest.approx(radius, abs=tolerance)
    true = np.array([g(p) if g is MAPS["vector"] else g(*p) for p in inside + point], float)
    slack = tolerance * (1 + np.abs(differences(g, point)).sum())
    assert in_units(explorer, image, 1) == pytest.approx(true, abs=2 * slack)
    middle = np.array(g(point) if g is MAPS["vector"] else g(*point), float)
    linear = middle + inside @ differences(g, point).T
    assert in_units(explorer, ellipse, 1) == pytest.approx(linear, abs=slack)


def test_the_arrows_are_the_columns_from_the_point():
    explorer = bl.explore.jacobian_map(polar, at=(2, np.pi / 6))
    radius = explorer.values["radius"]
    tips = [p[0] for kind in ("response", "backwards") for p in paths(explorer, kind) if len(p) == 3]
    right = np.array([tips[1], tips[4]])  # of each kind: left plane, right plane, the matrix
    expected = np.array([[np.sqrt(3) / 2, 0.5], [-1, np.sqrt(3)]]) * radius + [np.sqrt(3), 1]
    assert in_units(explorer, right, 1) == pytest.approx(expected, abs=0.005)


def test_the_storyboards_numbers_stand_in_rows_columns_and_determinant():
    explorer = bl.explore.jacobian_map(polar, (2, np.pi / 6), outputs=("x", "y"))
    assert explorer.lines[1:] == [
        "rows: (∇x)ᵀ = (0.866, −1), (∇y)ᵀ = (0.5, 1.732)",
        "columns: r alone moves (x, y) by (0.866, 0.5), t alone by (−1, 1.732)",
        "determinant 2: small areas grow 2 times",
    ]


@pytest.mark.parametrize(
    "g, said",
    [
        (lambda a, b: (b, a), "determinant −1: small areas keep their size and are turned over"),
        (lambda a, b: (a + b, a + b), "determinant 0: the ellipse is flat, areas vanish"),
        (lambda a, b: (a / 2, b / 2), "determinant 0.25: small areas shrink to 0.25 of their size"),
        (
            lambda a, b: (0.1 * a + 0.3 * b, 0.2 * a + 0.6 * b),
            "determinant 0: the ellipse is flat, areas vanish",
        ),
    ],
)
def test_the_determinant_is_the_factor_of_area(g, said):
    assert bl.explore.jacobian_map(g).lines[-1] == said


def test_names_are_the_functions_own_unless_others_are_given():
    explorer = bl.explore.jacobian_map(polar)
    assert (
        explorer.lines[0]
        == "(r, t) = (2, 0.5) → (y₁, y₂) = (1.755, 0.9589), by y₁ = r · cos(t), y₂ = r · sin(t)"
    )
    explorer = bl.explore.jacobian_map(polar, inputs=("rho", "theta"), outputs=("x", "y"))
    assert explorer.lines[0].startswith("(rho, θ) = (2, 0.5) → (x, y)".replace("rho", "ρ"))
    assert set(explorer.values) == {"rho", "theta", "radius"}
    explorer = bl.explore.jacobian_map(lambda *two: (two[0] * two[1], two[1]))
    assert explorer.lines[0].endswith("by y₁ = x₁ · x₂, y₂ = x₂")
    explorer = bl.explore.jacobian_map(lambda y: np.sin(y))
    assert explorer.lines[0].startswith("(y₁, y₂) = (2, 0.5) → (z₁, z₂) = (0.9093, 0.4794)")
    explorer = bl.explore.jacobian_map(MAPS["stacked"])
    assert explorer.lines[0].endswith("by y₁ = a · b, y₂ = a − b²")


def test_an_own_operation_called_stack_is_not_taken_apart():
    stack = bl.rule("stack", lambda x: 2 * x, lambda z, x: 2)
    assert bl.explore.jacobian_map(lambda v: stack(v)).lines[-1].startswith("determinant 4")


def test_where_the_map_has_no_value_it_says_so_and_the_rest_is_drawn():
    explorer = bl.explore.jacobian_map(lambda a, b: (a * b, np.log(a - b)), (1, 0.2), ((-1, 3), (-1, 2)))
    before = explorer.scene["svg"]
    assert "nan" not in before and "inf" not in before
    explorer.values = {"a": 0.0, "b": 1.0}
    assert "became nan from a − b = −1" in explorer.complaint and explorer.scene["svg"] == before
    explorer.values = {"a": 2.0}
    assert explorer.complaint == "" and explorer.scene["svg"] != before


def test_a_unit_is_as_long_across_as_up_whatever_the_ranges():
    explorer = bl.explore.jacobian_map(polar, (2, 0.5), ((0.5, 3), (-3.14, 3.14)))
    for across, up in explorer.picture.planes:
        assert (across.end - across.start) / (across.high - across.low) == pytest.approx(
            (up.start - up.end) / (up.high - up.low)
        )


@pytest.mark.parametrize(
    "arguments, kind, message",
    [
        ((3,), TypeError, "jacobian_map: g is a function of two numbers"),
        ((lambda a, b: a,), ValueError, r"g\(a, b\) has shape \(\), but it is to be two numbers"),
        ((lambda a, b: (a, b, a),), ValueError, r"g\(a, b\) is to be two numbers, a pair"),
        ((lambda a, b: (a, 3.0),), TypeError, r"g\(a, b\)\[1\] gave float, in which a, b cannot be followed"),
        ((lambda a, b: (a, np.stack([b, b])),), ValueError, r"g\(a, b\)\[1\] has shape \(2,\)"),
        ((polar, 3), ValueError, "at is a point of two numbers, not 3"),
        ((polar, (1, "t")), ValueError, "at is a number, not 't'"),
        ((polar, (1, 9), ((0, 2), (0, 2))), ValueError, "t = 9.0 lies outside of its range from 0.0 to 2.0"),
        ((polar, (1, 1), (0, 2)), ValueError, "one pair for each input"),
        ((polar, (1, 1), ((2, 0), (0, 2))), ValueError, "the range of r goes from the smaller"),
        ((polar, (1, 1), None, "rt"), ValueError, "inputs are two different names"),
        ((polar, (1, 1), None, None, ("x", "x")), ValueError, "outputs are two different names"),
        ((lambda a, b: (np.log(a), b), (0, 0)), ValueError, "became −∞ from a = 0"),
        (
            (lambda a, b: (np.log(a), b), (-2, 0)),
            ValueError,
            "g is not a finite number anywhere in the range",
        ),
    ],
)
def test_what_is_no_map_of_the_plane_is_refused_in_words(arguments, kind, message):
    with pytest.raises(kind, match=message):
        bl.explore.jacobian_map(*arguments)


def test_where_there_is_no_slope_no_valley_is_promised():
    said = "\n".join(bl.explore.finite_difference(bl.relu, 0.0).lines)
    assert "no h finds this slope" in said and "dominates" not in said
    assert "bottom of the valley: one-sided none, central none" in said


@pytest.mark.parametrize("f", [np.square, lambda x: x**3, np.cos, lambda x: 1e-30 * x**2, lambda x: 0 * x])
def test_a_slope_of_zero_is_found_by_difference_quotients_too(f):
    assert "none" not in bl.explore.finite_difference(f, 0.0).lines[-1]


@pytest.mark.parametrize("value", [None, "a", True, float("nan")])
def test_a_control_is_set_to_a_number(value):
    explorer = bl.explore.finite_difference(np.sin, 1.0)
    with pytest.raises(ValueError, match="values: exponent is a number from"):
        explorer.values = {"exponent": value}
