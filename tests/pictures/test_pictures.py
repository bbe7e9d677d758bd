"""Pictures: the same bytes every time, every name as text, every number from a record."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zlib
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import backprop_lab as bl
from backprop_lab.graph.order import topological_order
from backprop_lab.pictures import svg, timeline
from backprop_lab.pictures.blocks import block, block_on_arrow, gradient_block
from backprop_lab.pictures.drawing import as_image
from backprop_lab.pictures.folding import LEVELS, OUTLINE_CARDS, READABLE_CARDS, foldings, shown_first
from backprop_lab.pictures.labels import place_labels, way
from backprop_lab.pictures.layout import Box, lay_out, spread_out
from backprop_lab.pictures.paper import as_png
from backprop_lab.pictures.svg import Picture
from backprop_lab.pictures.timeline import at
from backprop_lab.words import notation
from tools import graphs

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawn):
    return [t.text or "".join(t.itertext()) for t in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


def picture(J):
    return Picture(timeline.of_steps(J, bl.steps(J)))


@pytest.mark.parametrize("name", graphs.ALL)
def test_the_same_graph_gives_the_same_bytes(name):
    first, second = picture(graphs.ALL[name]()), picture(graphs.ALL[name]())
    assert first.film() == second.film()
    assert first.still(2) == second.still(2)


@pytest.mark.slow
def test_another_process_gives_the_same_bytes():
    program = (
        "import zlib, backprop_lab as bl; from tools import graphs;"
        "print([zlib.crc32(str(bl.step_through(make()).film).encode()) for make in graphs.ALL.values()])"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=env)
        for env in ({"PYTHONHASHSEED": "1", **paths()}, {"PYTHONHASHSEED": "2", **paths()})
    ]
    one, other = (run.communicate()[0] for run in runs)
    assert one == other != b""


def paths():
    import os

    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


@pytest.mark.parametrize("name", graphs.ALL)
def test_a_picture_is_well_formed_and_holds_no_script(name):
    made = picture(graphs.ALL[name]())
    for drawn in (made.film(), made.still(0), made.still(made.line.length - 1)):
        root = ElementTree.fromstring(drawn)
        assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
            "svg", "style", "title", "desc", "g", "rect", "path", "text", "tspan", "image",
        }  # fmt: skip
        assert not any(a.startswith("on") for e in root.iter() for a in e.attrib)


def test_a_name_comes_out_as_text_and_whole_in_the_title():
    J = graphs.hostile_names()
    root = ElementTree.fromstring(bl.draw(J).svg)
    titles = " ".join(t.text for t in root.iter(f"{SVG}title"))
    for name in graphs.HOSTILE:
        assert name in titles
    assert any("…" in t and t.startswith("nnn") for t in texts(bl.draw(J).svg))


def test_state_is_told_by_sign_and_border_as_well_as_by_colour():
    J = graphs.lecture(penalty=True)
    made = picture(J)
    w = next(n for n in made.nodes if n.name == "w")
    at = {position: state for position, state in made.line.state_changes(w)}
    assert list(at.values()) == ["known", "partial", "gradient"]
    style = made.still(0)
    for state, border in {
        "known": "stroke-dasharray: none",
        "partial": "stroke-dasharray: 7 4",
        "gradient": "> .bl-inner",
    }.items():
        assert border in style[style.index(f'[data-state="{state}"]') :]
    unknown = ElementTree.fromstring(made.still(0))
    J_card = unknown.findall(f".//{SVG}g[@data-node='{made.number[J]}']")[0]
    assert "?" in [t.text for t in J_card.iter(f"{SVG}text")]


def test_a_fork_says_how_many_arrows_have_arrived():
    made = picture(graphs.lecture(penalty=True))
    first = next(s for s in bl.steps(made.line.cost) if s.so_far and s.so_far.of == 2)
    assert "1 of 2 arrived" in texts(made.still(first.index + 1))
    assert "2 of 2 arrived" in texts(made.still(made.line.length - 1))


def test_draw_shows_the_graph_as_it_stands():
    x = bl.variable("x", 3.0)
    J = x * x + 1
    states = lambda: re.findall(r'data-state="(\w+)"', bl.draw(J).svg.split("</style>")[1])  # noqa: E731
    assert states() == ["known", "unknown", "unknown"]
    bl.forward(J)
    assert states() == ["known"] * 3
    bl.backward(J)
    assert states() == ["gradient"] * 3
    x.value = 4.0
    assert states()[1:] == ["unknown", "unknown"]


def test_the_description_tells_every_node_its_value_and_its_gradient():
    J = graphs.lecture()
    bl.backward(J)
    words = bl.draw(J).description
    for part in ("θ: value (1, 2, −1, −1, 1, 3)", "a = W x: value (−8, 7), gradient (0, −12)", "x: value"):
        assert part in words


def test_a_node_on_the_last_line_of_a_cell_is_its_picture():
    J = graphs.lecture()
    assert '<img src="data:image/svg+xml' in J._repr_html_()
    assert re.search(r'alt="[^"]*ŷ', J._repr_html_())


def test_a_graph_too_large_to_read_is_not_drawn():
    J = graphs.chain(1000)
    assert J._repr_html_() is None
    with pytest.raises(ValueError, match="1001 nodes"):
        bl.draw(J)
    with pytest.raises(ValueError, match="1001 nodes"):
        bl.step_through(J)


@pytest.mark.parametrize("name", ["x.svg", "x.html"])
def test_a_picture_is_saved_as_a_file_that_stands_alone(tmp_path, name):
    path = bl.draw(graphs.lecture()).save(tmp_path / name)
    text = path.read_text("utf-8")
    assert "<svg" in text and not re.search(r'(href|src)="http', text)


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.svg or \.png or \.html, not '.docx'"):
        bl.draw(graphs.lecture()).save(tmp_path / "x.docx")


def test_draw_refuses_what_is_not_a_node():
    with pytest.raises(TypeError, match="expected a node of a graph, was given float"):
        bl.draw(3.0)


# ----------------------------------------------------------------------------------------- the timeline


@pytest.mark.parametrize("name", graphs.ALL)
def test_before_anything_only_leaves_are_known_and_at_the_end_all_is(name):
    made = picture(graphs.ALL[name]())
    line = made.line
    for node in line.nodes:
        assert (line.state(node, 0) == "known") == (node.rule is None)
        wanted = "gradient" if node.needs_gradient else "known"
        assert line.state(node, line.length - 1) == wanted


@pytest.mark.parametrize("name", graphs.ALL)
def test_at_every_position_exactly_one_thing_is_looked_at(name):
    line = picture(graphs.ALL[name]()).line
    for position in range(1, line.length):
        nodes = [k for k, at in line.active.items() if position in at and not isinstance(k, tuple)]
        assert len(nodes) == 1


def learning_by_hand(J, count, batches=None, learning_rate=0.1):
    """The records of ``count`` rounds of gradient descent, and the variables' values at the end."""
    rounds = []
    for i in range(count):
        for leaf, value in (batches[i] if batches else {}).items():
            leaf.value = value
        rounds.append(bl.steps(J))
        gradients = bl.backward(J)
        for w in gradients:
            w.value = w.value - learning_rate * gradients[w]
    return rounds, {w: w.value for w in gradients}


def test_a_run_of_several_rounds_is_in_each_what_that_round_alone_is():
    J = graphs.lecture(penalty=True)
    rounds, _ = learning_by_hand(J, 3)
    line, first = timeline.of_rounds(J, rounds), 0
    for steps in rounds:
        alone = timeline.of_steps(J, steps)
        for p in range(alone.length):
            for node in line.nodes:
                assert line.state(node, first + p) == alone.state(node, p)
                for one, all_rounds in ((alone.known, line.known), (alone.arrived, line.arrived)):
                    wanted, found = at(one.get(node, ()), p), at(all_rounds.get(node, ()), first + p)
                    wanted, found = (getattr(v, "sum", v) for v in (wanted, found))
                    assert (wanted is None) == (found is None)
                    assert wanted is None or np.array_equal(wanted, found)
            for arrow in alone.carried:
                assert at(alone.carried[arrow], p) is at(line.carried[arrow], first + p)
        first += alone.length
    assert line.length == first


def test_where_a_round_begins_the_leaves_that_changed_are_looked_at():
    J = graphs.regression()
    X, y = (n for n in topological_order(J) if n.leaf_kind == "constant")
    rounds, after = learning_by_hand(J, 2, [{X: [1, 2, 3]}, {X: [4, 5, 6]}])
    line = timeline.of_rounds(J, rounds, after)
    second = len(rounds[0]) + 1
    looked_at = lambda p: {n.name for n in line.nodes if p in line.active.get(n, ())}  # noqa: E731
    assert looked_at(0) == set() and looked_at(second) == {"X", "w", "b"}
    assert looked_at(line.length - 1) == {"w", "b"}
    assert [list(span.what) for span in line.known[X]] == [[1, 2, 3], [4, 5, 6]]
    assert line.known[y] == [(0, line.length, line.known[y][0].what)]
    assert [line.state(n, second) for n in line.nodes] == [line.state(n, 0) for n in line.nodes]
    assert line.length == second + len(rounds[1]) + 2


def test_a_card_has_room_for_the_values_of_every_round():
    J = graphs.regression()
    X = next(n for n in topological_order(J) if n.name == "X")
    rounds, _ = learning_by_hand(J, 2, [{X: [1, 2, 3]}, {X: [-123456, 7, 3]}])
    wide = Picture(timeline.of_steps(J, rounds[1]))
    made = Picture(timeline.of_rounds(J, rounds))
    for both, alone in zip(made.cards, wide.cards, strict=True):
        assert both.width >= alone.width and both.height >= alone.height
    first, second = (texts(made.still(p)) for p in (0, len(rounds[0]) + 1))
    assert {"1", "2", "3"} <= {t.strip() for t in first}
    assert {"−123456", "7"} <= {t.strip() for t in second}
    assert second.count("?") == first.count("?")


# ------------------------------------------------------------------------------------------ the blocks


def test_vectors_are_columns_and_matrices_are_rows_of_numbers():
    column, matrix = block(np.array([0.0, -42.0])), block(np.array([[0, 0, 0], [-24, 36, -48]]))
    assert column.rows == ("  0", "−42")
    assert matrix.rows == ("  0  0   0", "−24 36 −48")
    assert block(np.array(-6.0)).rows == ("−6",)


def test_larger_arrays_are_heat_maps_with_shape_and_range():
    drawn = block(np.arange(20.0).reshape(4, 5))
    assert drawn.rows == ("4 × 5", "0 … 19") and drawn.image.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("entries", "caption"),
    [
        ([-1.0, 3.0, np.nan], "−1 … 3 + nan"),
        ([-1.0, np.inf, -np.inf], "all −1 + ∞ + −∞"),
        ([np.nan], "nan"),
        ([True, False], "False … True"),
        ([2, 7], "2 … 7"),
        ([1.001, 1.002], "1.001 … 1.002"),
        ([0.25], "all 0.25"),
    ],
)
def test_the_range_is_that_of_the_finite_entries_and_names_the_others(entries, caption):
    drawn = block(np.resize(entries, (5, 6)))
    assert drawn.rows == ("5 × 6", caption)
    assert (drawn.image is None) == caption.startswith("all 0"), "what is all the same needs no image"


def test_a_gradient_does_not_repeat_the_shape_and_a_wide_matrix_on_an_arrow_is_a_heat_map():
    assert gradient_block(np.ones((5, 6))).rows == ("all 1",)
    wide = np.arange(8.0).reshape(2, 4) / 3
    assert block(wide).image is None and block_on_arrow(wide).image
    assert block_on_arrow(wide[:, :2]).image is None


def test_an_infinity_is_as_dark_as_the_largest_number_and_a_nan_is_black():
    pixels = decoded(block(np.array([[np.inf, -np.inf, 5.0, -5.0, np.nan]])))
    assert np.array_equal(pixels[0, 0], pixels[0, 2]) and np.array_equal(pixels[0, 1], pixels[0, 3])
    assert pixels[0, 4, :3].max() == 0 and pixels[0, :4, :3].max() > 0.2


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    hnp.arrays(
        float,
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=40),
        elements=st.floats(allow_nan=True, allow_infinity=True),
    )
)
def test_any_array_can_be_drawn(value):
    drawn = block(value)
    assert drawn.rows and drawn.width > 0 and drawn.height > 0


def decoded(drawn):
    """The pixels of a heat map, as another program reads them."""
    import base64
    import io

    import matplotlib.image

    return matplotlib.image.imread(io.BytesIO(base64.b64decode(drawn.image.split(",")[1])))


def test_a_heat_map_is_a_png_that_others_can_read():
    value = np.array([[-1.0, 0.0, 1.0, np.nan, 0.5]])
    pixels = decoded(block(value))
    assert pixels.shape[:2] == value.shape
    negative, zero, positive, missing = (pixels[0, i, :3] for i in range(4))
    assert negative[2] > negative[0] > negative[1]  # purple
    assert positive[0] > positive[1] > positive[2]  # ochre
    assert zero.min() > 0.95 and missing.max() == 0


def test_a_heat_map_tells_size_in_grey_as_well():
    greys = decoded(block(np.linspace(-1, 1, 31)[None]))[0, :, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(greys[:16]) > 0).all() and (np.diff(greys[15:]) < 0).all()


def test_a_large_array_travels_as_a_small_image():
    assert len(block(np.random.default_rng(0).normal(size=(784, 256))).image) < 4000


# ------------------------------------------------------------------------------------------- folding


def levels_of(J):
    return foldings(topological_order(J))


@pytest.mark.parametrize("name", graphs.ALL)
def test_at_every_level_each_node_stands_in_one_group_that_only_its_output_leaves(name):
    nodes = topological_order(graphs.ALL[name]())
    for _, groups in foldings(nodes):
        group_of = {node: i for i, group in enumerate(groups) for node in group.nodes}
        assert len(group_of) == sum(len(group.nodes) for group in groups) == len(nodes)
        for i, group in enumerate(groups):
            for operand in (operand for node in group.nodes for operand in node.inputs):
                k = group_of[operand]
                assert k == i or (k < i and groups[k].output is operand)


@pytest.mark.parametrize("name", graphs.ALL)
def test_levels_grow_coarser_and_the_first_shown_can_be_read(name):
    levels = levels_of(graphs.ALL[name]())
    counts = [len(groups) for _, groups in levels]
    assert [n for n, _ in levels] == [n for n in LEVELS if n in dict(levels)] and levels[0][0] == "all"
    assert all(4 * coarse <= 3 * fine or coarse == OUTLINE_CARDS for fine, coarse in pairwise(counts))
    assert counts[-1] < 16 or len(levels) == 1
    assert len(dict(levels)[shown_first(levels)]) <= READABLE_CARDS
    assert len(levels) == 1 or counts[0] > OUTLINE_CARDS


def test_blocks_fold_what_has_no_name_into_what_it_feeds():
    blocks = dict(levels_of(graphs.heat_maps()))["blocks"]
    assert [g.output.name for g in blocks] == ["X", "W1", "b1", "H", "W2", "J"]
    assert [len(g.nodes) for g in blocks] == [1, 1, 1, 3, 1, 11]


def test_the_lectures_network_needs_no_folding():
    assert [name for name, _ in levels_of(graphs.lecture(penalty=True))] == ["all"]


def test_of_a_large_graph_blocks_fold_parameters_and_overwritten_names_too():
    outputs = [g.output.name for g in dict(levels_of(graphs.deep_network(40)))["blocks"]]
    assert outputs == ["x", *(f"h{k}" for k in range(1, 41)), "J"]
    totals = [g for g in dict(levels_of(graphs.network_of_neurons()))["blocks"] if g.output.name == "total"]
    assert [len(g.nodes) for g in totals] == [10] * 4 + [13] * 5


def test_a_chain_is_folded_into_equal_parts():
    outline = dict(levels_of(graphs.chain(199)))["outline"]
    sizes = [len(group.nodes) for group in outline]
    assert len(sizes) == OUTLINE_CARDS and sum(sizes) == 200 and max(sizes) <= 2 * min(sizes)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=12, max_size=60))
def test_any_graph_can_be_folded_to_an_outline(wishes):
    nodes = [bl.variable("x", 1.0)]
    for i, j in wishes:
        nodes.append((nodes[i % len(nodes)] + nodes[j % len(nodes)]).named(f"n{len(nodes)}"))
    used = {operand for n in nodes for operand in n.inputs}
    levels = levels_of(np.sum(np.stack([n for n in nodes if n not in used])))
    assert len(levels[-1][1]) < 16


def test_a_folded_card_says_what_is_inside_and_shows_its_output():
    J = graphs.deep_network(40)
    bl.backward(J)
    drawing = bl.draw(J, fold="blocks")
    h40 = next(n for n in topological_order(J) if n.name == "h40")
    assert "h₄₀ = tanh(W₄₀ h₃₉ + b₄₀), 5 nodes inside" in drawing.description
    assert f"5 nodes inside: value {notation.array(h40.value)}" in drawing.description
    assert texts(drawing.svg).count("5 nodes") == 40
    assert repr(bl.draw(J)) == "<graph of J, 203 nodes in 12 cards>"


def test_a_folded_card_is_looked_at_while_anything_inside_is():
    J = graphs.heat_maps()
    line = timeline.of_steps(J, bl.steps(J))
    made = dict(svg.levels(line))["blocks"]
    for position in range(1, line.length):
        (looked_at,) = (n for n in line.nodes if position in line.active.get(n, ()))
        root = ElementTree.fromstring(made.still(position))
        rings = [g.get("data-node") for g in root.iter(f"{SVG}g") if g.get("class") == "bl-active"]
        assert [r for r in rings if r] == [str(made.number[looked_at])]


def test_one_arrow_between_two_cards_shows_each_number_while_it_flows():
    w = bl.variable("w", 2.0)
    h = w
    for i in range(14):
        h = (h * w * w).named(f"h{i}")
    line = timeline.of_steps(h, bl.steps(h))
    made = dict(svg.levels(line))["blocks"]
    last = len(made) - 1
    assert [source.name for source, _ in made.flows[last]] == ["h12", "w"]
    _, inner = made.flows[last][1]
    flowing = [line.active[arrow] for arrow in inner]
    assert len(inner) == 2
    assert [[span.start] for span, _ in made.labels[last, 1]] == flowing
    assert all(span.end == span.start + 1 for span, _ in made.labels[last, 1])


def test_draw_takes_the_level_that_is_asked_for_or_the_nearest():
    J = graphs.lecture()
    assert bl.draw(J, fold="outline").svg == bl.draw(J).svg
    J = graphs.network_of_neurons()
    sizes = [bl.draw(J, fold=fold).svg.count("data-node") for fold in (None, *LEVELS)]
    assert sizes[0] == sizes[2] < sizes[1] and sizes[3] <= OUTLINE_CARDS
    with pytest.raises(ValueError, match="'all', 'blocks', 'outline' or None, not 'some'"):
        bl.draw(J, fold="some")


# ------------------------------------------------------------------------------------------ the layout


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.lists(st.integers(0, 100), max_size=3), min_size=2, max_size=25), st.data())
def test_cards_stand_apart_and_every_arrow_runs_to_the_right(wishes, data):
    inputs = [sorted({w % i for w in wish}) if i else [] for i, wish in enumerate(wishes)]
    used = {s for sources in inputs for s in sources}
    inputs[-1] = sorted({*inputs[-1], *(i for i in range(len(inputs) - 1) if i not in used)})
    sizes = [(40 + 7 * (i % 5), 50 + 11 * (i % 4)) for i in range(len(inputs))]
    result = lay_out(sizes, inputs, lambda layers: [50.0] * (max(layers) + 1))
    for target, sources in enumerate(inputs):
        for source in sources:
            assert result.boxes[source].layer < result.boxes[target].layer
    for i, a in enumerate(result.boxes):
        assert a.x - a.width / 2 >= 0 and a.x + a.width / 2 <= result.width
        assert a.y - a.height / 2 >= 0 and a.y + a.height / 2 <= result.height + 1e-6
        for b in result.boxes[i + 1 :]:
            apart_x = abs(a.x - b.x) >= (a.width + b.width) / 2 - 1e-6
            apart_y = abs(a.y - b.y) >= (a.height + b.height) / 2 - 1e-6
            assert apart_x or apart_y


def test_a_parameter_stands_in_the_column_before_its_use():
    made = picture(graphs.lecture())
    layer = {n.name: b.layer for n, b in zip(made.nodes, made.layout.boxes, strict=True)}
    assert layer["w"] == layer["h"] == layer["y_hat"] - 1
    assert layer["x"] == layer["W"] == layer["a"] - 1


def test_the_lecture_network_has_no_crossing_arrows():
    layout = picture(graphs.lecture()).layout
    assert not any(arrow.through for arrow in layout.arrows)  # each leads into the next layer
    ends = [(layout.boxes[arrow.source], layout.boxes[arrow.target]) for arrow in layout.arrows]
    for (a, b), (c, d) in combinations(ends, 2):
        assert a.layer != c.layer or (a.y - c.y) * (b.y - d.y) >= 0


def test_the_longest_way_through_the_lectures_network_is_a_straight_line():
    made = picture(graphs.lecture(penalty=True))
    height = {n.name: b.y for n, b in zip(made.nodes, made.layout.boxes, strict=True)}
    for before, after in pairwise(["theta", "W", "a", "h", "y_hat"]):
        assert abs(height[before] - height[after]) < 6
    assert max(abs(height["theta"] - y) for y in height.values()) > 60


def test_all_arrows_from_a_card_share_one_way_as_far_as_they_can():
    made = picture(graphs.recurrent())
    W = next(n for n in made.nodes if n.name == "W")
    ways = [a.through for a in made.layout.arrows if made.nodes[a.source] is W]
    longest = max(ways, key=len)
    assert len(ways) == 5 and len(longest) > 10
    assert all(way == longest[: len(way)] for way in ways)


def points_of(layout, arrow):
    """Points on an arrow: straight pieces and cubic curves in turn."""
    found = []
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(way(layout, arrow))):
        t = np.linspace(0, 1, 300)
        bend = [(x0 + x1) / 2] * 2 if i % 2 else [x0 + (x1 - x0) / 3, x0 + 2 * (x1 - x0) / 3]
        x = (1 - t) ** 3 * x0 + 3 * (1 - t) ** 2 * t * bend[0] + 3 * (1 - t) * t**2 * bend[1] + t**3 * x1
        y = (1 - t) ** 3 * y0 + 3 * (1 - t) ** 2 * t * y0 + 3 * (1 - t) * t**2 * y1 + t**3 * y1
        found.append(np.stack([x, y], axis=1))
    return np.concatenate(found)


def covers(label, points):
    return (np.abs(points - (label.x, label.y)) < (label.width / 2, label.height / 2)).all(axis=1).any()


@pytest.mark.parametrize("name", graphs.ALL)
def test_the_number_on_an_arrow_stands_on_that_arrow(name):
    made = picture(graphs.ALL[name]())
    arrows = {(a.target, a.port): a for a in made.layout.arrows}
    for key, label in made.places.items():
        assert covers(label, points_of(made.layout, arrows[key]))


def test_a_number_gives_way_to_other_arrows_where_it_can():
    sizes, inputs = [(40.0, 60.0)] * 6, [[], [], [0, 1], [0, 1], [2, 3], [2, 3, 4]]
    layout = lay_out(sizes, inputs, lambda layers: [160.0] * (max(layers) + 1))
    labels = place_labels(layout, {(a.target, a.port): (30.0, 14.0) for a in layout.arrows})
    ways = {(a.target, a.port): (a.source, points_of(layout, a)) for a in layout.arrows}
    assert len(labels) == 9
    for key, label in labels.items():
        assert not any(covers(label, points) for source, points in ways.values() if source != ways[key][0])


@pytest.mark.parametrize(
    ("name", "seconds", "kilobytes"), [("200 nodes", 0.5, 2000), ("residual", 0.05, 100)]
)
def test_a_large_picture_is_made_fast_and_a_small_one_faster(name, seconds, kilobytes):
    J = graphs.ALL[name]()
    steps = bl.steps(J)
    taken = []
    for _ in range(5):
        start = time.process_time()
        films = [made.film() for _, made in svg.levels(timeline.of_steps(J, steps))]
        taken.append(time.process_time() - start)
    assert min(taken) < 3 * seconds, "three times what it may take on a quiet machine"
    assert sum(map(len, films)) < 1000 * kilobytes


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=12))
def test_pushing_apart_keeps_the_order_and_moves_as_little_as_it_can(wanted):
    boxes = [Box(10, 20, 0) for _ in wanted]
    spread_out(boxes, wanted, between=4)
    ys = [box.y for box in boxes]
    assert all(b - a >= 24 - 1e-6 for a, b in pairwise(ys))
    cost = sum((y - w) ** 2 for y, w in zip(ys, wanted, strict=True))
    for i, y in enumerate(ys):  # no small move of one box is allowed and better
        for step in (-0.01, 0.01):
            moved = [*ys[:i], y + step, *ys[i + 1 :]]
            allowed = all(b - a >= 24 for a, b in pairwise(moved))
            better = sum((m - w) ** 2 for m, w in zip(moved, wanted, strict=True)) < cost - 1e-9
            assert not (allowed and better)


def test_numbers_on_cards_are_written_by_notation():
    x = bl.variable("x", 1 / 3)
    J = x * -1000000.0
    bl.forward(J)
    shown = texts(bl.draw(J).svg)
    assert notation.number(1 / 3) in shown and notation.number(J.value) in shown


def test_the_checksum_of_a_stored_image_is_right():
    import base64

    data = base64.b64decode(block(np.eye(5)).image.split(",")[1])
    body = data[data.index(b"IDAT") + 4 : data.index(b"IEND") - 8]
    assert len(zlib.decompress(body)) == 5 * 6


# ------------------------------------------------------------------------------- grounds, and paper


def on(page, html, **look):
    """A page with this in it, in the reader's colour scheme but on a dark ground, as a picture of numbers."""
    from PIL import Image

    page.emulate_media(**look)
    page.set_content(f"<body style='color-scheme: light dark; margin: 0; background: rgb(17, 17, 17)'>{html}")
    page.wait_for_function("() => [...document.images].every(image => image.complete)")
    return np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("L"), int)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_brings_its_own_ground_to_a_page_of_any_colour(page, scheme):
    kinds = (bl.draw(graphs.lecture()), bl.figure("A curve")[0])
    plot = bl.explore.chain_rule(np.sin, np.square).picture.scene({"x": 1.0}).plot
    for html in (*(kind._repr_html_() for kind in kinds), as_image(plot.svg(palette="green"), "A plot")):
        seen = on(page, html, color_scheme=scheme)
        box = page.locator("img").bounding_box()
        ground = int(seen[3, 3])
        assert ground > 240 if scheme == "light" else ground < 45
        inside = seen[: int(box["height"]), : int(box["width"])]
        assert np.ptp(inside) > 120, "its ink differs from its ground"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_colours_are_forced_a_step_through_keeps_to_two_of_them(page, tmp_path, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(bl.step_through(graphs.lecture(), step=9).save(tmp_path / "film.html").as_uri())
    look = "element => { const look = getComputedStyle(element); return [look.fill, look.stroke]; }"
    fill, stroke = page.locator(".bl-card").first.evaluate(look)
    letters, _ = page.locator(".bl-stage text").first.evaluate(look)
    assert {fill, stroke} == {"rgb(255, 255, 255)", "rgb(0, 0, 0)"}
    assert letters == stroke


def test_a_wide_picture_is_whole_on_paper_and_scrolls_on_a_narrow_screen(page):
    drawing = bl.draw(graphs.lecture(penalty=True))
    A4 = 718  # pixels between its margins
    page.set_viewport_size({"width": A4 // 2, "height": 1000})
    wide = "() => document.querySelector('img').getBoundingClientRect().right > innerWidth"
    on(page, drawing._repr_html_(), media="screen")
    assert page.evaluate(wide)
    on(page, drawing._repr_html_(), media="print")
    assert not page.evaluate(wide)


def test_the_picture_of_a_step_through_is_whole_on_paper(page, tmp_path):
    page.set_viewport_size({"width": 400, "height": 1000})
    page.goto(bl.step_through(graphs.lecture(penalty=True), step=9).save(tmp_path / "film.html").as_uri())
    hidden = "stage => stage.scrollWidth - stage.clientWidth"
    assert page.locator(".bl-stage").evaluate(hidden) > 0
    page.emulate_media(media="print")
    assert page.locator(".bl-stage").evaluate(hidden) == 0
    assert not page.get_by_role("toolbar").is_visible()


def test_on_its_way_to_latex_each_picture_of_a_notebook_becomes_a_png():
    pytest.importorskip("resvg_py")
    from nbformat import v4

    J = graphs.lecture()
    shown = (bl.draw(J), bl.figure("A curve")[0], bl.step_through(J))
    outputs = [
        v4.new_output("display_data", {"text/html": w._repr_html_(), "text/plain": repr(w)})
        for w in shown[:2]
    ]
    outputs.append(v4.new_output("display_data", shown[2]._repr_mimebundle_()[0]))
    cells = [v4.new_code_cell(outputs=[output]) for output in outputs]
    plain = v4.new_code_cell(outputs=[v4.new_output("stream", text="17\n")])
    book, resources = as_png(v4.new_notebook(cells=[*cells, plain]), {"output_files_dir": "files"})
    kinds = [[sorted(output.get("data", output)) for output in cell.outputs] for cell in book.cells]
    assert kinds[:2] == [[["image/png"]], [["image/png"]]], "nothing but the picture"
    assert kinds[2][:3] == [["image/png"]] * 3 and "text/plain" in kinds[2][3]
    assert book.cells[3].outputs == plain.outputs
    drawn = [o for cell in book.cells for o in cell.outputs if "image/png" in o.get("data", ())]
    assert [*resources["outputs"]] == [output.metadata.filenames["image/png"] for output in drawn]
    assert all(name.startswith("files/") for name in resources["outputs"])
    assert all(data.startswith(b"\x89PNG") for data in resources["outputs"].values())
