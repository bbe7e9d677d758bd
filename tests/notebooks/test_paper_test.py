"""The paper test of docs/: its numbers come out by another way too, and its graphs are new to the reader."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.exercises.confusions import same
from tools import graphs, paper_test

ROOT = Path(__file__).parents[2]
NUMBERED = [f"{form}{i}" for form in paper_test.FORMS for i in range(1, 6)]

# Each graph once more in plain NumPy: its variables, what else is given, and the values on the way to J.
BY_HAND = {
    "A1": (dict(a=3, b=-2, c=5), {}, dict(u="a * a", p="u * b", J="p + c")),
    "A2": (dict(w=2, b=-1), dict(x=5), dict(p="w * x", q="w - b", J="p * q")),
    "A3": (
        dict(W=[[1, -2], [3, 1]], x=[2, 3]),
        dict(v=[4, -1]),
        dict(a="W @ x", h="np.where(a > 0, a, 0)", J="v @ h"),
    ),
    "A4": (dict(w=3, b=1), dict(x=[2, -1, 0, 1]), dict(ŷ="w * x + b", J="sum(ŷ * ŷ) / 4")),
    "B1": (dict(a=5, b=-1, c=18), {}, dict(p="a * b", u="p * p", J="u - c")),
    "B2": (dict(w=3, b=-5), {}, dict(p="w * w", q="w + b", J="p * q")),
    "B3": (
        dict(W=[[1, 4], [-2, 3]], x=[-3, 2]),
        dict(v=[2, -1]),
        dict(h="np.where(x > 0, x, 0)", a="W @ h", J="v @ a"),
    ),
    "B4": (dict(k=-1, m=2), dict(t=[2, -1, 0, 3]), dict(s="k + m * t", J="sum(s * s) / 4")),
}


def item(name):
    return paper_test.FORMS[name[0]][int(name[1]) - 1]()


def values(name, nudged=None, by=0.0):
    """All values of a graph by hand; ``by`` is added to the node ``nudged`` before the rest follows."""
    variables, given, formulas = BY_HAND[name]
    known = {n: np.asarray(v, float) for n, v in (variables | given).items()}
    if nudged in known:
        known[nudged] = known[nudged] + by
    for n, formula in formulas.items():
        known[n] = eval(formula, {"np": np}, known) + (by if n == nudged else 0)
    return known


def by_nudging(name, node, h=1e-6):
    """∂J/∂node: each entry of the node moved a little to both sides."""
    shape = np.shape(values(name)[node])
    slopes = np.zeros(shape)
    for i in np.ndindex(shape):
        move = np.zeros(shape)
        move[i] = h
        slopes[i] = (values(name, node, move)["J"] - values(name, node, -move)["J"]) / (2 * h)
    return slopes


@pytest.mark.parametrize("name", BY_HAND)
def test_the_right_numbers_come_out_by_hand_and_by_nudging_too(name):
    for box in item(name).boxes:
        node = box.label.removeprefix("∂J/∂")
        oracle = by_nudging(name, node) if node != box.label else values(name)[node]
        assert np.allclose(box.right, oracle, atol=1e-6), box.label


def test_the_jacobian_of_item_5_is_used_transposed():
    for name, rows, upstream in [("A5", [[1, 2], [3, -1]], [2, -1]), ("B5", [[2, -1], [4, 3]], [3, 1])]:
        (box,) = item(name).boxes
        column_by_column = [sum(row[i] * u for row, u in zip(rows, upstream)) for i in (0, 1)]
        assert box.right.tolist() == column_by_column
        assert str(rows).replace("-", "−") in item(name).text


@pytest.mark.parametrize("name", NUMBERED)
def test_every_wrong_number_means_one_slip_and_is_never_right(name):
    for box in item(name).boxes:
        numbers = [box.right, *(number for _, number in box.slips)]
        for i, number in enumerate(numbers):
            assert not any(same(number, other) for other in numbers[:i]), (box.label, number)
        assert all(said for said, _ in box.slips)


def test_a_gradient_of_every_item_has_a_wrong_number_that_tells_something():
    for name in NUMBERED:
        assert any(box.slips for box in item(name).boxes if box.label.startswith("∂"))


def test_both_forms_have_the_same_points_item_by_item():
    a, b = (paper_test.items(form) for form in "AB")
    assert [i.points for i in a] == [i.points for i in b] and [i.title for i in a] == [i.title for i in b]
    assert [sum(true for true, _ in i.ticks.values()) for i in a] == [
        sum(true for true, _ in i.ticks.values()) for i in b
    ]


def test_the_pages_and_pictures_are_as_the_tool_writes_them():
    for name, text in paper_test.pages().items():
        assert (ROOT / "docs" / name).read_text("utf-8") == text, f"{name}: run python -m tools.paper_test"


@pytest.mark.parametrize("form", "AB")
def test_a_form_shows_neither_a_value_on_the_way_nor_a_gradient(form):
    page = (ROOT / "docs" / f"paper-test-{form.lower()}.md").read_text("utf-8")
    assert page.count("![") == 4 and "gradient " not in "".join(re.findall(r"!\[.*?\]", page))
    for i in range(1, 5):
        svg = (ROOT / "docs" / f"paper-test-{form.lower()}{i}.svg").read_text("utf-8")
        assert svg.count(">?</text>") >= 3 and "←" not in svg and "prefers-color-scheme" not in svg
        assert len(svg) < 20_000


def test_the_notebooks_do_not_show_a_graph_of_the_test():
    books = [nbformat.read(path, as_version=4) for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
    shown = "".join(c.source + str(c.get("outputs", "")) for book in books for c in book.cells)

    def occurs(J):
        return all(step.numbers in shown for step in bl.steps(J))

    assert occurs(graphs.lecture())
    assert not any(occurs(item(name).J) for name in BY_HAND)


def test_the_key_says_how_many_points_there_are():
    key = (ROOT / "docs" / "paper-test.md").read_text("utf-8")
    total = sum(i.points for i in paper_test.items("A"))
    assert f"of {total} points" in key
