"""Script and style of a kind of widget: they travel once, and are found wherever a widget is shown."""

from __future__ import annotations

import json

import ipywidgets
import pytest

import backprop_lab as bl
from tools import lab

MOST_CHARACTERS = 5000  # of what a small question sends beside the sources that it shares


@pytest.fixture(autouse=True)
def others_closed():
    ipywidgets.Widget.close_all()


def test_a_second_widget_of_a_kind_sends_neither_script_nor_style():
    one, other = bl.question("06-fork"), bl.question("05-kept")
    assert one.sources is other.sources
    assert len(one.sources.script) > MOST_CHARACTERS > len(json.dumps(other.get_state(), default=str))


def test_kinds_of_widgets_have_sources_of_their_own():
    question, quiz = bl.question("06-fork"), bl.which_function(level=1)
    assert question.sources.script != quiz.sources.script
    assert question.sources.style == quiz.sources.style


def test_a_widget_made_after_all_were_closed_brings_its_sources_again():
    before = bl.question("06-fork").sources
    ipywidgets.Widget.close_all()
    after = bl.question("06-fork").sources
    assert after.comm is not None and after.script and after is not before


def test_a_page_that_cannot_find_the_sources_is_answered_by_the_widget(monkeypatch):
    widget, sent = bl.explore.training(hidden=(3,), n=10, steps=1), []
    monkeypatch.setattr(type(widget), "send", lambda self, content: sent.append(content))
    runs = widget.runs
    widget._handle_custom_msg("sources", [])
    assert sent == [{"script": widget.sources.script, "style": widget.sources.style}]
    assert widget.runs == runs, "it is not taken for a wish"


SHADOW = """async ([loader, script, style, spec]) => {
  const imported = text => import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const listeners = {};
  const known = { spec, typed: {}, verdict: {}, sources: "IPY_MODEL_none" };
  const model = {
    get: name => known[name], set: (name, value) => { known[name] = value; },
    on: (name, call) => { listeners[name] = call; }, off: () => {},
    send: () => listeners["msg:custom"]({ script, style }),
    save_changes: () => {
      known.verdict = { count: known.typed.count, right: false, text: "No such name.", place: [4, 6] };
      listeners["change:verdict"]();
    },
  };
  const room = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  const el = room.appendChild(document.createElement("div"));
  await (await imported(loader)).default.render({ model, el });
}"""


def test_in_a_shadow_root_a_widget_has_its_style_and_marks_what_is_wrong(page):
    quiz = bl.which_function(level=3)
    sources = quiz.sources
    page.evaluate(SHADOW, [quiz._esm, sources.script, sources.style, quiz.spec])
    border = "form => getComputedStyle(form).borderTopLeftRadius"
    assert page.locator(".bl-question").evaluate(border) == "8px"
    page.get_by_role("textbox").fill("x + qq")
    page.get_by_role("textbox").press("Enter")
    marked = "field => [field.selectionStart, field.selectionEnd]"
    assert page.get_by_role("textbox").evaluate(marked) == [4, 6]


CELLS = [
    "import backprop_lab as bl, ipywidgets",
    "one = bl.question('06-fork')\none",
    "lost = bl.which_function(level=1)\nlost.sources.close()\nlost",
]
SHEETS = (
    "() => [...document.querySelectorAll('style')].filter(s => s.textContent.includes('.bl-order')).length"
)


def test_widgets_share_their_style_and_one_whose_sources_are_gone_asks_for_them(page, jupyterlab):
    lab.write_notebook(jupyterlab.folder / "sources.ipynb", CELLS)
    lab.open_notebook(page, jupyterlab, "sources.ipynb")
    lab.run_all(page)
    page.locator(".bl-question").nth(1).wait_for()
    assert page.evaluate(SHEETS) == 1
    lab.run_in_new_cell(page, "ipywidgets.Widget.close_all(); bl.which_function(level=2)")
    page.get_by_text("Level 2 of 10").wait_for()


def test_widgets_are_there_when_the_page_is_loaded_again_and_after_a_restart_of_the_kernel(page, jupyterlab):
    lab.write_notebook(jupyterlab.folder / "reload.ipynb", CELLS[:2])
    lab.open_notebook(page, jupyterlab, "reload.ipynb")
    lab.run_all(page)
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    lab.open_notebook(page, jupyterlab, "reload.ipynb")
    page.locator(".bl-question").wait_for()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu").get_by_text("Restart Kernel and Run All Cells…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".jp-InputPrompt", has_text="[*]").first.wait_for()
    page.locator(".jp-InputPrompt", has_text="[2]").wait_for()
    page.locator(".bl-question").wait_for()
    page.locator(".bl-question").get_by_role("textbox").fill("4 4")


def run_saved_and_opened_again(page, server, name, kept=False):
    lab.write_notebook(server.folder / name, CELLS[:2])
    lab.open_notebook(page, server, name)
    if kept:
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.get_by_text("Save Widget State Automatically", exact=True).click()
    lab.run_all(page)
    page.keyboard.press("Control+s")
    lab.shut_down_kernel(page)
    page.keyboard.press("Control+s")
    lab.open_notebook(page, server, name)


def test_a_notebook_that_is_opened_again_shows_pictures_in_place_of_its_widgets(page, jupyterlab):
    run_saved_and_opened_again(page, jupyterlab, "again.ipynb")
    page.locator(".jp-OutputArea-output summary", has_text="Answers").wait_for()
    assert not page.get_by_text("model not found").count()


def test_a_notebook_saved_with_the_state_of_its_widgets_shows_them_without_a_kernel(page, jupyterlab):
    run_saved_and_opened_again(page, jupyterlab, "saved_state.ipynb", kept=True)
    question = page.locator(".bl-question")
    question.wait_for()
    question.get_by_role("textbox").fill("4 4")
    question.get_by_role("textbox").press("Enter")
    assert question.get_by_role("status").inner_text().startswith("✓")
