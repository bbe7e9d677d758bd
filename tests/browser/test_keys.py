"""Keys that are pressed inside a widget are the widget's: the notebook around it stays as it is."""

from __future__ import annotations

import time

import nbformat
import pytest

from backprop_lab.browser.widget import LabWidget
from tools import lab

SETUP = "import numpy as np, backprop_lab as bl\nx = bl.variable('x', 3.0)\nJ = np.tanh(x) + x"
WIDGETS = [
    "bl.step_through(J)",
    "bl.step_through(J, predict=True)",
    "bl.question('06-fork')",
    "bl.question('Order', answer=['a', 'b'], why='As in the alphabet.', wrong={('b', 'a'): 'a is first.'})",
    "bl.which_function(level=3)",
    "bl.which_function(level=3, pick=True)",
    "bl.explore.chain_rule(np.sin, np.square)",
    "bl.explore.paths(J, x)",
    "bl.explore.training(hidden=(3,), n=10, steps=5)",
]
KEYS = ["m", "d", "d", "a", "b", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter"]
MOST_PARTS = 50  # of a widget; one that makes parts anew while it is used would have no end of them

# Where the next part of widget number n is, as far as it can be seen, that was not tried yet: whatever takes
# the focus, pictures, titles.
NEXT = """n => {
  const parts = "a[href], button, input, select, textarea, summary, [tabindex], svg, strong, legend";
  const roots = document.querySelectorAll(".jp-OutputArea-output :is(.bl-step, .bl-question, .bl-explore)");
  const root = [...roots].filter(one => !one.parentElement.closest(".bl-explore"))[n].parentElement;
  const can = part => !part.disabled && part.checkVisibility() && part.getBoundingClientRect().width;
  const next = [...root.querySelectorAll(parts)].find(part => !part.dataset.tried && can(part));
  if (!next) return null;
  next.dataset.tried = "true";
  next.scrollIntoView({ block: "center" });
  const part = next.getBoundingClientRect(), all = root.getBoundingClientRect();
  const middle = (start, end) => (Math.max(part[start], all[start]) + Math.min(part[end], all[end])) / 2;
  return { what: next.outerHTML.slice(0, 80), x: middle("left", "right"), y: middle("top", "bottom") };
}"""
CELLS = """() => [...document.querySelectorAll(".jp-Notebook .jp-Cell")]
  .map(cell => cell.className.match(/jp-\\w+Cell/)[0]).join()"""


def test_every_kind_of_widget_is_tried_here():
    def below(kind):
        return {kind.__name__, *(name for sub in kind.__subclasses__() for name in below(sub))}

    names = {}
    exec(SETUP, names)
    tried = {type(eval(widget, names)).__name__ for widget in WIDGETS}
    assert tried == below(LabWidget) - {"LabWidget"}


@pytest.fixture(params=["lab/tree", "notebooks"], ids=["jupyterlab", "notebook-7"])
def notebook(request, browser, jupyterlab):
    """A page with all widgets, so high that the notebook shows all of its cells; and the notebook's file."""
    path = jupyterlab.folder / f"keys-{request.param[:3]}.ipynb"
    lab.write_notebook(path, [SETUP, *WIDGETS])
    with lab.new_page(browser, 1280, 6500) as page:
        lab.open_notebook(page, jupyterlab, path.name, request.param)
        lab.run_all(page)
        page.wait_for_function(
            "n => document.querySelectorAll('.bl-step, .bl-question, .bl-explore').length >= n",
            arg=len(WIDGETS),
        )
        yield page, path


def test_keys_pressed_in_any_part_of_any_widget_change_nothing_in_the_notebook(notebook):
    page, _ = notebook
    before = page.evaluate(CELLS)
    for number, widget in enumerate(WIDGETS):
        tried = 0
        while tried < MOST_PARTS and (part := page.evaluate(NEXT, number)):
            tried += 1
            page.mouse.click(part["x"], part["y"])
            for key in KEYS:
                page.keyboard.press(key)
            page.keyboard.press("Escape")  # the list of a select
            assert page.evaluate(CELLS) == before, f"{widget}: {part['what']}"
        assert tried >= 4, f"{widget}: its parts were not found"


def test_the_notebook_is_saved_from_inside_a_widget(notebook):
    page, path = notebook
    page.locator(".bl-step summary").last.click()
    page.keyboard.press("Control+s")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not nbformat.read(path, 4).cells[-1].outputs:
        page.wait_for_timeout(100)
    assert nbformat.read(path, 4).cells[-1].outputs
