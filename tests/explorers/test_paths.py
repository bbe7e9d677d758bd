"""The derivative as a sum over all paths: how many there are, what each brings, and what is shown of them."""

from __future__ import annotations

import re
import time
from functools import partial
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import OURS, law, numerical_jacobian
from samples import by_name, lecture_network, random_programs

import backprop_lab as bl
from backprop_lab.explorers.paths import MOST
from backprop_lab.explorers.ways import Ways
from backprop_lab.graph.order import topological_order
from backprop_lab.pictures.folding import all_but
from tools import graphs


def two_ways():
    """z = y₁ · y₂ at (3, 2), the storyboard's example: z and its x₁."""
    z = graphs.two_ways()
    return z, by_name(z).x1


def ladder(rungs):
    """A ladder of forks and its x: each rung goes straight, or through tanh."""
    J = graphs.fork_ladder(rungs)
    return J, topological_order(J)[0]


def walked(J, x):
    """All paths from x to J, each a tuple of arguments seen from J, by walking every one of them."""
    if J is x:
        return [()]
    return [(a, *rest) for a, node in enumerate(J.inputs) for rest in walked(node, x)]


def lines(explorer, position):
    """What stands below the picture at a position."""
    explorer.values = {"path": position}
    return [unescape(line) for line in re.findall("<p[^>]*>(.*?)</p>", explorer.scene["panel"])]


def lit(explorer, position):
    """(titles of the cards that are lit, how many arrows are, the numbers on them) at a position."""
    explorer.values = {"path": position}
    svg = explorer.scene["svg"]
    cards = re.findall(r'<g id="[^"]*"[^>]* class="bl-active"><title>(.*?)</title>', svg)
    arrows = re.findall(r'<g class="bl-active"><path class="bl-back"', svg)
    assert len(arrows) == svg.count('class="bl-back"')  # no arrow is seen that is not lit
    labels = re.findall(r'<g class="bl-label">.*?</g>', svg)
    return cards, len(arrows), [re.sub("<[^>]*>", "", label) for label in labels]


# --------------------------------------------------------------------------------------------- counting


@law
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans()), min_size=1, max_size=7))
def test_paths_are_as_many_as_walking_every_one_of_them_finds(calls):
    nodes = [bl.variable("x", 0.5), bl.variable("y", -0.5)]
    for first, second, adds in calls:
        a, b = nodes[first % len(nodes)], nodes[second % len(nodes)]
        nodes.append(a + b if adds else a * b)
    J = nodes[-1]
    for x in nodes[:-1]:
        expected = walked(J, x)
        ways = Ways(bl.steps(J), x)
        assert ways.count == len(expected)
        assert ways.multiplications == sum(map(len, expected))
        assert [tuple(arrow.argument for arrow in reversed(path.arrows)) for path in ways] == expected
        assert set(ways.arrows) == {arrow for path in ways for arrow in path.arrows}


def test_an_array_that_is_read_twice_has_two_arrows_and_two_paths():
    J = graphs.same_input_twice()
    square = bl.explore.paths(J, J.inputs[0])
    assert (square.count, square.arrows) == (2, 2)
    assert lines(square, 3)[:3] == [
        "path 1, x → J: 3",
        "path 2, x → J: 3",
        "sum over all paths: 3 + 3 = 6; backward pass: ∂J/∂x = 6",
    ]


@pytest.mark.parametrize("rungs", [1, 5, 20, 60])
def test_a_ladder_of_n_forks_has_two_to_the_n_paths_and_three_arrows_a_fork(rungs):
    start = time.perf_counter()
    shown = bl.explore.paths(*ladder(rungs))
    assert time.perf_counter() - start < 5
    assert shown.count == 2**rungs
    assert shown.multiplications == 3 * rungs * 2 ** (rungs - 1)  # half of the rungs of all paths are longer
    assert shown.arrows == 3 * rungs


@pytest.mark.slow
def test_a_chain_of_hundreds_of_forks_is_counted_exactly_and_written_by_its_size():
    J = x = bl.variable("x", 1.0)
    for _ in range(400):
        J = J * J
    shown = bl.explore.paths(J, x)
    assert shown.count == 2**400
    assert lines(shown, 1)[0].startswith("path 1 of about 10¹²⁰: ")


# ------------------------------------------------------------------------------------- what they bring


@pytest.mark.slow
def test_contributions_add_up_to_the_gradient_of_the_backward_pass_and_of_differences():
    compared = 0
    for program in random_programs(150, seed=3):
        J = program.graph()
        gradients = bl.backward(J)
        records = bl.steps(J)
        for place, x in enumerate(sorted(gradients, key=lambda leaf: leaf.name)):
            ways = Ways(records, x)
            if 1 < ways.count <= 200 and x.size:
                total = sum(path.contribution for path in ways)
                assert total.shape == x.shape
                np.testing.assert_allclose(total, gradients[x], rtol=1e-9, atol=1e-9)
                place = int(x.name[1:])
                slopes = numerical_jacobian(partial(program, OURS), *program.arrays, place=place)
                np.testing.assert_allclose(total.ravel(), slopes.ravel(), rtol=1e-4, atol=1e-5)
                compared += 1
    assert compared > 60


def test_each_contribution_is_the_transposed_product_of_the_local_jacobians():
    J = graphs.lecture(penalty=True)
    nodes = by_name(J)
    for x in (nodes.w, nodes.theta, nodes.W, nodes.h):
        for path in Ways(bl.steps(J), x):
            product = np.eye(1)
            for arrow in reversed(path.arrows):
                product = product @ arrow.local
            np.testing.assert_allclose(product.ravel(), path.contribution.ravel(), rtol=1e-12)


def test_the_graph_stays_as_it_is():
    z, x1 = two_ways()
    bl.explore.paths(z, x1)
    assert z.value is None and x1.grad is None


# ------------------------------------------------------------------------------------------ what is shown


def test_each_path_is_lit_with_its_product_and_then_all_with_the_sum():
    shown = bl.explore.paths(*two_ways())
    counts = "path by path: 2 paths, 4 multiplications; node by node: 4 arrows, each once"
    first = "path 1, x₁ → y₁ → z: 1 · 6 = 6"
    assert lines(shown, 1) == [
        "path 1 of 2: x₁ → y₁ → z",
        "product: ∂y₁/∂x₁ · ∂z/∂y₁ = 1 · 6 = 6",
        counts,
    ]
    assert lines(shown, 2) == [
        first,
        "path 2 of 2: x₁ → y₂ → z",
        "product: ∂y₂/∂x₁ · ∂z/∂y₂ = 2 · 5 = 10",
        counts,
    ]
    assert lines(shown, 3) == [
        first,
        "path 2, x₁ → y₂ → z: 2 · 5 = 10",
        "sum over all paths: 6 + 10 = 16; backward pass: ∂z/∂x₁ = 16",
        counts,
    ]
    assert shown.scene["panel"].count("bl-dim") == 2
    x, y1, y2, z = (
        "x1 = variable, shape ()",
        "y1 = x₁ + x₂, shape ()",
        "y2 = x₁ · x₂, shape ()",
        "z = y₁ · y₂, shape ()",
    )
    assert lit(shown, 1) == ([x, y1, z], 2, ["1", "6"])
    assert lit(shown, 2) == ([x, y2, z], 2, ["2", "5"])
    cards, arrows, labels = lit(shown, 3)
    assert (set(cards), arrows, sorted(labels)) == ({x, y1, y2, z}, 4, ["1", "2", "5", "6"])


@pytest.mark.parametrize("name", ["lecture with penalty", "diamond", "order", "regression", "classifier"])
def test_the_lit_arrows_are_those_of_the_path(name):
    J = graphs.ALL[name]()
    x = next(iter(bl.backward(J)))
    shown, ways = bl.explore.paths(J, x), Ways(bl.steps(J), x)
    for position, path in enumerate(ways, 1):
        cards, arrows, _ = lit(shown, position)
        assert arrows == len(path.arrows) == len(cards) - 1
    assert lit(shown, position + 1)[1] == len(ways.arrows) == shown.arrows


def test_factors_of_arrays_are_transposed_jacobians_and_negative_ones_stand_in_brackets():
    J = graphs.lecture(penalty=True)
    shown = bl.explore.paths(J, by_name(J).w)
    assert lines(shown, 3)[:3] == [
        "path 1, w → ŷ → ŷ − y → (ŷ − y)² → J̃: [[0, 7]]ᵀ · 1 · (−6) · 1 = (0, −42)",
        "path 2, w → w² → sum(w²) → 2 · sum(w²) → J̃: [[10, 0], [0, 4]]ᵀ · [[1, 1]]ᵀ · 2 · 1 = (20, 8)",
        "sum over all paths: (0, −42) + (20, 8) = (20, −34); backward pass: ∂J̃/∂w = (20, −34)",
    ]


def test_a_large_jacobian_is_written_by_its_size_and_a_large_gradient_by_its_range():
    x = bl.variable("x", np.arange(20.0))
    y = x**2
    J = np.sum(y)
    assert lines(bl.explore.paths(J, x), 1)[:2] == [
        "path 1 of 1: x → y → J",
        "product: (∂y/∂x)ᵀ · (∂J/∂y)ᵀ = [20 × 20]ᵀ · [1 × 20]ᵀ = 20 numbers from 0 to 38",
    ]


def test_no_symbol_is_written_where_it_would_mean_more_than_the_arrow():
    nodes = lecture_network()
    x = bl.variable("x", 3.0)
    u = x**2
    v = u + 3
    J = u * v
    assert lines(bl.explore.paths(J, x), 1)[1] == "product: 6 · 12 = 72"  # ∂J/∂u is 21, not 12
    assert lines(bl.explore.paths(J, v), 1)[1] == "product: ∂J/∂v = 9"
    assert "∂" not in lines(bl.explore.paths(nodes.J, nodes.w), 1)[1]  # ŷ − y has no name


def test_of_many_paths_the_first_can_be_lit_and_the_sum_is_that_of_the_backward_pass():
    J, x = ladder(20)
    shown = bl.explore.paths(J, x)
    assert shown.spec["controls"][0]["high"] == MOST + 1
    assert lines(shown, MOST)[-4].startswith("path 64 of 1,048,576: ")
    assert lines(shown, MOST + 1)[:2] == [
        f"sum over all paths, of which the first 64 can be lit here; backward pass: ∂x/∂x = "
        f"{float(bl.backward(J)[x]):.4g}",
        "path by path: 1,048,576 paths, 31,457,280 multiplications; node by node: 60 arrows, each once",
    ]


@pytest.mark.slow
def test_a_large_graph_is_folded_where_the_lit_paths_do_not_differ_and_says_so():
    for rungs in (20, 60):
        shown = bl.explore.paths(*ladder(rungs))
        folded = f"the picture is folded: {2 * rungs + 1} nodes in 14 cards; numbers inside are left out"
        assert lines(shown, 1)[-1] == folded
    pictures = set()
    for position in range(1, MOST + 1):
        shown.values = {"path": position}
        pictures.add(shown.scene["svg"])
    assert len(pictures) == MOST


def test_folding_all_but_some_nodes_leaves_each_of_them_alone():
    J = graphs.fork_ladder(6)
    nodes = topological_order(J)
    kept = set(nodes[:5])
    groups = all_but(nodes, kept)
    assert [group.nodes for group in groups if set(group.nodes) & kept] == [(node,) for node in nodes[:5]]
    assert len(groups) == 6 and set(groups[-1].nodes) == set(nodes[5:])


def test_only_the_last_few_paths_are_listed_and_the_earlier_ones_are_summed():
    shown = bl.explore.paths(*ladder(4))
    listed = lines(shown, 12)
    assert listed[0] == "paths 1 to 4 together: 1.578"  # 1 + 0.42 + 0.1114 + 0.0468
    assert [line.split(",")[0] for line in listed[1:8]] == [f"path {k}" for k in range(5, 12)]


def test_a_single_earlier_path_is_listed_as_it_is():
    listed = lines(bl.explore.paths(*ladder(3)), 9)
    assert [line.split(",")[0] for line in listed[:8]] == [f"path {k}" for k in range(1, 9)]


def test_what_is_not_finite_is_shown_as_such():
    x = bl.variable("x", 0.0)
    y = np.sqrt(x)
    J = y - y
    shown = bl.explore.paths(J, x)
    assert lines(shown, 3)[:3] == [
        "path 1, x → y → J: ∞ · 1 = ∞",
        "path 2, x → y → J: ∞ · (−1) = −∞",
        "sum over all paths: ∞ + (−∞) = nan; backward pass: ∂J/∂x = nan",
    ]


# -------------------------------------------------------------------------------- where no kernel runs


def twin(explorer):
    """(text, HTML) of the output that is saved with a notebook."""
    data = explorer._repr_mimebundle_()[0]
    return data["text/plain"], data["text/html"]


def test_without_a_kernel_each_of_a_few_paths_is_a_picture_with_its_words():
    text, html = twin(bl.explore.paths(*two_ways()))
    alternatives = [unescape(alt) for alt in re.findall('alt="([^"]*)"', html)]
    assert [alt.split(".")[0] for alt in alternatives] == [
        "Graph of z, path 1 of 2 lit",
        "Graph of z, path 2 of 2 lit",
        "Graph of z, all paths from x₁ lit",
    ]
    assert "path 2, x₁ → y₂ → z: 2 · 5 = 10" in alternatives[1]
    assert "6 + 10 = 16; backward pass: ∂z/∂x₁ = 16" in alternatives[2]
    assert text.startswith("<The paths from x₁ to z>\npath 1, x₁ → y₁ → z: 1 · 6 = 6\n")
    assert text.endswith("4 arrows, each once")


def test_without_a_kernel_many_paths_are_a_few_pictures_and_lines():
    text, html = twin(bl.explore.paths(*ladder(20)))
    assert html.count("<img") == 2 and len(html) < 60_000
    assert "and 1,048,568 further paths" in text


def test_the_same_graph_gives_the_same_bytes():
    first, second = (bl.explore.paths(*two_ways()) for _ in range(2))
    assert twin(first) == twin(second) and first.scene == second.scene


def test_hostile_names_stay_text():
    x, y = bl.variable(graphs.HOSTILE[0], 2.0), bl.variable(graphs.HOSTILE[1], 3.0)
    shown = bl.explore.paths(x * y, x)
    for text in (shown.scene["panel"], shown.scene["svg"], twin(shown)[1]):
        assert "<img src=x" not in text and "<script" not in text


# ----------------------------------------------------------------------------------------------- refusals


def test_what_has_no_paths_is_refused_in_words():
    z, x1 = two_ways()
    other = bl.variable("other", 1.0)
    y = bl.variable("y", [1.0, 2.0]) * x1
    mask = np.where(other > 0, x1, 2.0)
    for J, x, error, said in [
        (z, other, ValueError, "no path leads from other to z"),
        (x1, z, ValueError, "no path leads from z to x1"),
        (z, z, ValueError, "from z to itself"),
        (y, x1, bl.ShapeError, r"y has shape \(2,\); take np.sum or np.mean"),
        (mask, other, ValueError, "along which a derivative flows"),
        (z * bl.constant("c", 1.0), bl.constant("c", 1.0), bl.NotAnArrayError, "c is a constant"),
        (z, 3.0, bl.NotAnArrayError, "was given float"),
        (3.0, x1, bl.NotAnArrayError, "explore.paths: expected a node"),
        (z * bl.variable("v", shape=()), x1, bl.MissingValueError, "v .* stands without a value"),
        (graphs.chain(1200), x1, ValueError, "this graph has 1201 nodes"),
    ]:
        with pytest.raises(error, match=said):
            bl.explore.paths(J, x)


def test_values_that_are_not_there_are_refused_and_others_kept_in_range():
    shown = bl.explore.paths(*two_ways())
    with pytest.raises(ValueError, match="the controls are path; there is no 'way'"):
        shown.values = {"way": 1}
    shown.values = {"path": 99}
    assert shown.scene["written"] == {"path": "all 2"}
