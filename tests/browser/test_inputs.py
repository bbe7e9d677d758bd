"""``inputs.js``: the fields of the leaves, while a learner types and the kernel answers."""

from __future__ import annotations

import pytest

from backprop_lab.browser import assets

# A leaf "labels" of one whole number, which is 1; `typed`, `answer` and so on are what happens to its field.
_OPENED = """async text => {
  const module = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const leaf = values => [{ name: "labels", label: "labels", shape: [], whole: true, values }];
  const model = {}, place = document.body;
  window.asked = [];
  const fields = module.inputs(place, {
    get: name => model[name],
    set: (name, value) => { model[name] = value; asked.push(value.labels ?? "as in the graph"); },
  });
  fields.load(leaf([1]));
  const input = place.querySelector("input");
  window.typed = text => { input.value = text; input.dispatchEvent(new Event("input")); };
  window.answer = (number, refusal = "") => { fields.load(leaf([number])); fields.answered(refusal); };
  window.seen = () => [input.value, place.querySelector(".bl-note").textContent];
}"""
UNFINISHED = [("0.5", "labels holds whole numbers"), ("", "labels: type a number")]


@pytest.fixture
def opened(page):
    page.evaluate(_OPENED, assets.script("browser/inputs.js"))
    return page


def seen(page):
    return tuple(page.evaluate("seen()"))


@pytest.mark.parametrize("text, complaint", UNFINISHED)
def test_an_answer_that_comes_while_something_is_typed_leaves_it_and_what_is_said_about_it(
    opened, text, complaint
):
    opened.evaluate("typed('0')")
    opened.evaluate("text => typed(text)", text)
    opened.evaluate("answer(0)")
    field, note = seen(opened)
    assert field == text and note.startswith(complaint)
    opened.evaluate("answer(0, 'label 0 does not exist')")
    assert seen(opened) == (field, note)


@pytest.mark.parametrize("text, complaint", UNFINISHED)
def test_once_it_is_a_number_the_kernel_is_asked_and_its_answer_shown(opened, text, complaint):
    opened.evaluate("text => typed(text)", text)
    opened.evaluate("typed('3')")
    opened.evaluate("answer(2)")
    assert opened.evaluate("asked") == [[3]]
    assert seen(opened) == ("2", "")


@pytest.mark.parametrize("text, complaint", UNFINISHED)
def test_as_in_the_graph_takes_back_what_is_being_typed(opened, text, complaint):
    opened.evaluate("typed('0')")
    opened.evaluate("answer(0)")
    opened.evaluate("text => typed(text)", text)
    opened.get_by_role("button", name="As in the graph").click()
    opened.evaluate("answer(1)")
    assert opened.evaluate("asked") == [[0], "as in the graph"]
    assert seen(opened) == ("1", "")


def test_what_the_kernel_refuses_is_said_and_stays_in_the_field(opened):
    opened.evaluate("typed('7')")
    opened.evaluate("answer(1, 'label 7 does not exist')")
    assert seen(opened) == ("7", "label 7 does not exist")
