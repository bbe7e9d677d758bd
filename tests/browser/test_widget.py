"""What every widget can do: say what it is, stand still where no kernel runs, and be saved as a page."""

from __future__ import annotations

import re

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.browser.widget import LabWidget


def cost():
    x = bl.variable("x", 3.0)
    return np.tanh(x) + x, x


MAKERS = {
    "step_through": lambda: bl.step_through(cost()[0]),
    "question": lambda: bl.question("06-fork"),
    "which_function": lambda: bl.which_function(level=3),
    "which_function_pick": lambda: bl.which_function(level=3, pick=True),
    "chain_rule": lambda: bl.explore.chain_rule(np.sin, np.square),
    "paths": lambda: bl.explore.paths(*cost()),
    "training": lambda: bl.explore.training(hidden=(3,), n=10, steps=5),
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def test_every_kind_of_widget_is_tried_here():
    def below(kind):
        return {kind.__name__, *(name for sub in kind.__subclasses__() for name in below(sub))}

    assert {type(make()).__name__ for make in MAKERS.values()} == below(LabWidget) - {"LabWidget"}


@each
def test_a_widget_is_shown_with_a_kernel_without_one_and_as_text(make):
    data, _ = make()._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= data.keys()
    assert "<script" not in data["text/html"] and data["text/html"].startswith("<div>")


@each
def test_a_widget_made_again_is_written_the_same(make):
    one, other = make(), make()
    assert repr(one) == repr(other) and re.fullmatch(r"<.+>", repr(one))
    kinds = ("text/html", "text/plain")
    assert [one._repr_mimebundle_()[0][k] for k in kinds] == [other._repr_mimebundle_()[0][k] for k in kinds]


@each
def test_a_widget_is_saved_as_a_page_that_asks_for_nothing(make, page, tmp_path):
    widget = make()
    path = widget.save(tmp_path / "saved.html")
    page.goto(path.as_uri())
    assert page.title() == repr(widget)[1:-1] or page.title().startswith("Step-through")
    assert page.locator("body").inner_text().strip()


@each
def test_a_kind_of_file_that_there_is_not_is_refused_with_those_there_are(make, tmp_path):
    with pytest.raises(ValueError, match=r"save: this is written as \.html.*, not '\.docx'"):
        make().save(tmp_path / "saved.docx")
    assert not list(tmp_path.iterdir())
