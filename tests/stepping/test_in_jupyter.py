"""What a learner does in JupyterLab and in Notebook 7, with a real kernel and a real Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import backprop_lab as bl
from tools import graphs, lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

STRANGE = [
    "import backprop_lab as bl\n"
    f"x = bl.variable({graphs.HOSTILE[0]!r}, 3.0)\n"
    f"J = x * bl.variable({graphs.HOSTILE[1]!r}, 2.0)",
    "J",
    "bl.step_through(J)",
    "bl.question('What is 2 + 2?', answer='4', why='Count.', wrong={'5': '<b>One</b> too many.'})",
    "bl.question('What is −2 · 3?', answer=-6, why='Yes.', wrong={6: 'The sign is lost.'})",
    "bl.question('Which are even?', answer={'2': 'Twice 1.', '4': 'Twice 2.'}, wrong={'3': 'It is odd.'})",
    "bl.question('Order', answer=['a', 'b', 'c'], why='As in the alphabet.',"
    " wrong={('b', 'a'): 'a is first.', ('c', 'b'): 'c is last.'})",
]
HOSTILE = [  # widgets that show a reader's own names, here such as would do something if read as HTML
    STRANGE[0] + "\nx",
    "bl.step_through(J, predict=True)",
    "bl.step_through(J**2, learning_rate=0.001)",
    "bl.step_through(J + x, bug='overwrite')",
    "bl.draw(J)",
    "bl.which_function(J)",
    "bl.explore.paths(J + x, x)",
    "bl.explore.landscape(J**2 / 100)",
    f"bl.question({graphs.HOSTILE[0]!r}, answer={graphs.HOSTILE[0]!r}, why='Yes.',"
    f" wrong={{{graphs.HOSTILE[1]!r}: {graphs.HOSTILE[0]!r}}})",
    f"bl.figure({graphs.HOSTILE[0]!r})[0]",
]


LIVE = [
    "import numpy as np, backprop_lab as bl",
    "x, w = bl.constant('x', [2, -3]), bl.variable('w', [5.0, 2.0])\n"
    "labels = bl.constant('labels', 1)\n"
    "J = bl.cross_entropy(bl.relu(w * x), labels) + np.sum(w**2)\n"
    "film = bl.step_through(J)\n"
    "film",
    "other = bl.step_through(J, step=3)\nother",
]

QUIZ = [
    "import backprop_lab as bl",
    "quiz = bl.which_function(level=4)\nquiz",
    "bl.which_function(level=3, pick=True)",
]


@pytest.fixture(scope="module")
def server(jupyterlab):
    """JupyterLab over a folder with the notebooks, started by ``backprop-lab`` itself."""
    lab.write_notebook(jupyterlab.folder / "strange.ipynb", STRANGE)
    lab.write_notebook(jupyterlab.folder / "hostile.ipynb", HOSTILE)
    for name in ("live", "live without a kernel"):
        lab.write_notebook(jupyterlab.folder / f"{name}.ipynb", LIVE)
    for name in ("quiz", "quiz without a kernel"):
        lab.write_notebook(jupyterlab.folder / f"{name}.ipynb", QUIZ)
    shutil.copy(NOTEBOOKS / "05-the-forward-pass.ipynb", jupyterlab.folder / "untrusted.ipynb")
    return jupyterlab


def formula(page, which=0):
    """The formula that can be seen under the picture."""
    return page.locator(".bl-step").nth(which).locator(".bl-formula").text_content()


def said(page, which=0):
    return page.locator(".bl-step").nth(which).locator(".bl-panel").inner_text()


def test_notebook_06_is_stepped_by_keyboard_alone_in_jupyterlab(server, opened):
    film = bl.step_through(graphs.lecture(), step=6)
    page = opened("06-the-backward-pass.ipynb")
    frame = page.locator(".bl-step").first
    frame.locator(".bl-predict input").uncheck()
    frame.focus()
    page.keyboard.press("Home")
    assert "Known from the start" in frame.inner_text()
    for step in film.steps:
        page.keyboard.press("ArrowRight")
        assert formula(page) == step.formula
    for step in reversed(film.steps[:-1]):
        page.keyboard.press("ArrowLeft")
        assert formula(page) == step.formula


def test_the_position_reaches_python_and_python_moves_the_page(server, opened):
    page = opened("06-the-backward-pass.ipynb")
    second = page.locator(".bl-step").nth(1)  # the cell that keeps its widget as `film`
    assert second.locator(".bl-counter").text_content().startswith("16 /")
    lab.run_in_new_cell(page, "film.position = 3; print('moved to', film.position)")
    page.get_by_text("moved to 3").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.bl-counter')[1].textContent.startsWith('3 /')")
    second.focus()
    page.keyboard.press("ArrowRight")
    lab.run_in_new_cell(page, "print('python sees', film.position)")
    page.get_by_text("python sees 4").wait_for()


def test_it_goes_on_when_the_kernel_is_gone(page, server):
    lab.open_notebook(page, server, "00-start-here.ipynb")
    lab.run_all(page)
    lab.shut_down_kernel(page)
    page.locator(".bl-step").first.focus()
    page.keyboard.press("End")
    assert formula(page) == "∂J/∂w = ∂J/∂(w · x) · x"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert formula(page) == "w · x"


def test_the_widget_follows_the_theme_of_jupyterlab(page, server):
    lab.open_notebook(page, server, "00-start-here.ipynb")
    lab.run_all(page)
    paper = "() => getComputedStyle(document.querySelector('.bl-step')).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_text("JupyterLab Dark", exact=True).click()
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    assert page.evaluate(paper) == "rgb(28, 28, 28)"


def test_arrow_keys_step_in_notebook_7_too(page, server):
    lab.open_notebook(page, server, "00-start-here.ipynb", application="notebooks")
    lab.run_all(page)
    page.errors.clear()  # Notebook 7 makes errors of its own while it loads its settings
    page.locator(".bl-step").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert formula(page) == "ŷ = w · x + b"


def test_before_running_an_untrusted_notebook_shows_its_pictures(page, server):
    lab.open_notebook(page, server, "untrusted.ipynb")
    page.wait_for_function("() => document.querySelectorAll('img[src^=\"data:image/svg\"]').length >= 4")
    shown = "all => all.map(i => i.naturalWidth > 50 && i.alt.length > 20)"
    found = page.eval_on_selector_all("img[src^='data:image/svg']", shown)
    assert len(found) >= 4 and all(found)


def test_questions_explain_every_answer_and_hostile_names_stay_text_in_jupyterlab(server, opened):
    page = opened("strange.ipynb")
    choice, number = page.locator(".bl-question").nth(0), page.locator(".bl-question").nth(1)
    choice.get_by_label("5").check()
    assert choice.locator(".bl-answer").inner_text() == "✗ <b>One</b> too many."
    choice.get_by_label("4").check()
    assert choice.locator(".bl-answer").inner_text() == "✓ Count."
    box = number.locator("input")
    for typed, said in [("6", "✗ The sign is lost."), ("-12/2", "✓ Yes."), ("x", "✗ Type one number")]:
        box.fill(typed)
        box.press("Enter")
        assert number.locator(".bl-answer").inner_text().startswith(said)
    assert page.evaluate("() => window.hacked") is None


def test_no_widget_takes_a_name_or_an_answer_for_html(page, server):
    lab.open_notebook(page, server, "hostile.ipynb")
    lab.run_all(page)
    page.locator(".bl-step").nth(2).wait_for()
    page.locator(".bl-question").nth(1).wait_for()
    page.locator(".bl-explore").nth(1).wait_for()
    for frame in page.locator(".bl-step").all():
        frame.focus()
        for key in ("ArrowRight", "End", "ArrowLeft"):
            page.keyboard.press(key)
        for folded in frame.locator("summary").all():
            folded.click()
    formula, choice = page.locator(".bl-question").nth(0), page.locator(".bl-question").nth(1)
    formula.get_by_role("textbox").fill(graphs.HOSTILE[0])
    formula.get_by_role("textbox").press("Enter")
    page.wait_for_function("() => /✗/.test(document.querySelectorAll('.bl-question')[0].innerText)")
    for answer in choice.locator("input").all():
        answer.check()
    assert "onerror" in choice.inner_text() and "onerror" in page.locator(".bl-explore").first.inner_text()
    made = "img[src='x'], [onerror], .jp-OutputArea-output script"
    assert page.locator(made).count() == 0 and page.evaluate("() => window.hacked") is None


# --------------------------------------------------------------------------------------- which function?


@pytest.fixture
def quiz(server, opened):
    """A notebook that asks for a formula first, and for a graph then."""
    page = opened("quiz.ipynb")
    page.locator(".bl-question").nth(1).wait_for()
    return page


def formula_field(page):
    return page.locator(".bl-question").first.get_by_role("textbox")


def test_whoever_is_stuck_at_a_formula_is_given_a_hint_and_then_the_answer(quiz):
    page = quiz
    question, spec = page.locator(".bl-question").first, bl.which_function(level=4).spec
    assert spec["shown"] not in question.inner_text()
    for button, said in (("Hint", "hint"), ("Show me", "shown")):
        question.get_by_role("button", name=button).click()
        assert question.get_by_role("status").inner_text() == spec[said]


def test_a_formula_is_typed_answered_by_the_kernel_and_pointed_at(quiz):
    page, field = quiz, formula_field(quiz)
    status = page.locator(".bl-question").first.get_by_role("status")
    for typed in ("x + y²", "(x + y) * q", "y·(x + y)"):
        field.fill(typed)
        field.press("Enter")
        verdict = bl.which_function(level=4).check(typed)
        page.locator(".bl-question").first.get_by_text(verdict.text).wait_for()
        assert status.inner_text() == f"{'✓' if verdict.ok else '✗'} {verdict.text}"
        if verdict.place:
            selected = (
                "() => { const f = document.activeElement; return [f.selectionStart, f.selectionEnd]; }"
            )
            assert page.evaluate(selected) == list(verdict.place)
    lab.run_in_new_cell(page, "print('python saw', quiz.typed['text'], quiz.verdict['right'])")
    page.get_by_text("python saw y·(x + y) True").wait_for()


def test_a_formula_that_nobody_answers_is_said_to_be_so(page, server):
    lab.open_notebook(page, server, "quiz without a kernel.ipynb")
    lab.run_all(page)
    field = formula_field(page)
    lab.shut_down_kernel(page)
    field.fill("x*y")
    field.press("Enter")
    page.get_by_text("if it is gone, run the cell again").wait_for(timeout=10_000)


def test_a_graph_is_picked_with_the_keyboard_or_a_click_on_its_picture(quiz):
    page = quiz
    spec = bl.which_function(level=3, pick=True).spec
    pick = page.locator(".bl-question").nth(1)
    pick.get_by_role("radio").first.focus()
    for choice in spec["choices"]:
        page.keyboard.press("Space")
        assert pick.get_by_role("status").inner_text() == f"{'✓' if choice['right'] else '✗'} {choice['why']}"
        page.keyboard.press("ArrowDown")
    pick.locator("svg").nth(1).click()
    assert pick.get_by_role("radio").nth(1).is_checked()


def test_axe_finds_nothing_serious_in_the_quiz(quiz):
    page = quiz
    for width in (700, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page, context=".bl-question").response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


# ------------------------------------------------------------------------------------------ live inputs


@pytest.fixture
def live(server, opened):
    """A notebook with two step-throughs of one graph; the first is at its end, its fields unfolded."""
    page = opened("live.ipynb")
    unfold_inputs(page)
    page.locator(".bl-step").first.focus()
    page.keyboard.press("End")
    return page


def unfold_inputs(page):
    page.locator(".bl-step").nth(1).wait_for()
    page.locator("summary", has_text="Change the inputs").first.click()


def records(**given):
    """What the graph of that notebook has at these values."""
    x, w = bl.constant("x", given.get("x", [2, -3])), bl.variable("w", given.get("w", [5.0, 2.0]))
    labels = bl.constant("labels", given.get("labels", 1))
    J = bl.cross_entropy(bl.relu(w * x), labels) + np.sum(w**2)
    return bl.steps(J)


def wait_until_shown(page, steps):
    """Until the first step-through shows the last of these records."""
    page.wait_for_function(
        "text => document.querySelector('.bl-step .bl-panel').innerText.includes(text)", arg=steps[-1].numbers
    )


def test_a_typed_input_runs_the_graph_again_and_the_other_view_stays(live):
    page = live
    before = formula(page, 1)
    page.get_by_label("w[1]").first.fill("-7.5")
    again = records(w=[5.0, -7.5])
    wait_until_shown(page, again)
    assert formula(page) == again[-1].formula
    for step in reversed(again):
        assert step.formula == formula(page)
        assert step.is_seed or step.numbers in said(page)
        page.get_by_role("button", name="Back").first.click()
    assert formula(page, 1) == before
    assert page.evaluate("() => document.activeElement.closest('.bl-step') !== null")
    lab.run_in_new_cell(page, "print('graph', w.value, 'film', film.given['w'], film.steps[-1].numbers)")
    page.get_by_text(f"graph [5. 2.] film [5, -7.5] {again[-1].numbers}").wait_for()


def test_inputs_are_live_in_notebook_7_too(page, server):
    lab.open_notebook(page, server, "live.ipynb", application="notebooks")
    lab.run_all(page)
    page.errors.clear()  # Notebook 7 makes errors of its own while it loads its settings
    page.locator("summary", has_text="Change the inputs").first.click()
    page.locator(".bl-step").first.focus()
    page.keyboard.press("End")
    page.get_by_label("w[1]").first.fill("0.5")
    wait_until_shown(page, records(w=[5.0, 0.5]))


def test_an_input_is_dragged_and_the_last_number_counts(live):
    page = live
    field = page.get_by_label("w[0]").first
    box = field.bounding_box()
    x, y = box["x"] + 15, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 61):
        page.mouse.move(x + 2 * i, y)
    page.mouse.up()
    assert field.input_value() == "8"  # 120 pixels, 4 for each tenth
    wait_until_shown(page, records(w=[8.0, 2.0]))
    page.get_by_role("button", name="As in the graph").first.click()
    wait_until_shown(page, records())
    assert field.input_value() == "5"


def test_an_input_that_cannot_be_is_refused_in_words_and_the_numbers_stay(live):
    page = live
    label = page.locator("input[aria-label='labels']").first
    label.fill("7")
    page.get_by_text("label 7 does not exist among 2 classes").wait_for()
    assert records()[-1].numbers in said(page)
    label.fill("1")
    page.wait_for_function("() => !document.querySelector('.bl-note').textContent")
    label.fill("7")
    page.get_by_text("label 7 does not exist among 2 classes").wait_for()
    page.get_by_role("button", name="As in the graph").first.click()
    page.wait_for_function("() => document.querySelector('input[aria-label=labels]').value === '1'")
    label.fill("0")
    wait_until_shown(page, records(labels=0))
    label.fill("0.5")
    page.get_by_text("labels holds whole numbers: type one such as").wait_for()
    assert records(labels=0)[-1].numbers in said(page)
    page.get_by_label("w[0]").first.fill("")
    page.get_by_text("w: type a number").wait_for()


def test_inputs_are_answered_while_a_cell_is_running(live):
    page = live
    lab.run_in_new_cell(page, "import time; time.sleep(6); print('slept')")
    page.get_by_label("w[0]").first.fill("6")
    wait_until_shown(page, records(w=[6.0, 2.0]))
    page.get_by_text("slept", exact=True).wait_for()


def test_of_a_kernel_that_is_busy_the_page_says_so_and_shows_the_answer_when_it_comes(live):
    page = live
    # The second pause keeps the interpreter's lock: no other thread can answer meanwhile.
    pauses = "time.sleep(1); ctypes.PyDLL(None).sleep(14)"
    lab.run_in_new_cell(page, f"import ctypes, time; print('now', 'busy', flush=True); {pauses}")
    page.get_by_text("now busy", exact=True).wait_for()
    page.wait_for_timeout(2000)
    page.get_by_label("w[0]").first.fill("6")
    page.get_by_text("the answer comes when it is free").wait_for(timeout=10_000)
    wait_until_shown(page, records(w=[6.0, 2.0]))
    page.wait_for_function("() => !document.querySelector('.bl-note').textContent")


def test_of_two_views_of_a_run_one_plays_at_a_time(live):
    page = live
    lab.run_in_new_cell(page, "film")
    page.locator(".bl-step").nth(2).wait_for()
    one, other, same = (page.locator(".bl-step").nth(n).locator(".bl-bar button").nth(2) for n in range(3))

    def written():
        return [play.text_content() for play in (one, other, same)]

    for play in (one, other, same):
        play.click()
    assert written() == ["Play", "Pause", "Pause"]
    one.click()
    assert written() == ["Pause", "Pause", "Play"]


def test_without_a_kernel_the_page_says_that_nobody_answers_and_goes_on_stepping(page, server):
    lab.open_notebook(page, server, "live without a kernel.ipynb")
    lab.run_all(page)
    unfold_inputs(page)
    page.locator(".bl-step").first.focus()
    page.keyboard.press("End")
    lab.shut_down_kernel(page)
    page.get_by_label("w[0]").first.fill("6")
    page.get_by_text("if it is gone, run the cell again").wait_for(timeout=10_000)
    page.get_by_role("button", name="Back").first.click()
    assert formula(page) == records()[-2].formula


def test_axe_finds_nothing_serious_in_the_widget(live):
    page = live
    page.evaluate("() => document.querySelectorAll('.bl-step details').forEach(d => { d.open = true })")
    found = Axe().run(page, context=".bl-step").response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_a_theme_switched_while_it_is_open_keeps_position_and_focus(live):
    page = live
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    before = formula(page)
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'false' }")
    paper = "() => getComputedStyle(document.querySelector('.bl-step')).backgroundColor"
    assert page.evaluate(paper) == "rgb(28, 28, 28)"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert formula(page) == before
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'true' }")


# ----------------------------------------------------------------------------------------- self-checks


def test_all_that_are_right_are_chosen_by_keyboard_and_each_mistake_is_explained(server, opened):
    page = opened("strange.ipynb")
    form = page.locator(".bl-question").nth(2)
    verdict = form.locator(".bl-answer")

    def choose(*texts):
        for text in texts:
            form.get_by_label(text).focus()
            page.keyboard.press(" ")
        form.get_by_role("button", name="Check").focus()
        page.keyboard.press("Enter")

    choose("2", "3")
    assert verdict.inner_text() == "✗ “3” does not belong to them. It is odd."
    choose("3")
    assert verdict.inner_text() == "✗ “4” belongs to them. Twice 2."
    choose("4")
    assert verdict.inner_text().startswith("✓")


def test_steps_are_put_in_order_by_keyboard_and_the_focus_goes_with_them(server, opened):
    page = opened("strange.ipynb")
    form = page.locator(".bl-question").nth(3)
    verdict, check = form.locator(".bl-answer"), form.get_by_role("button", name="Check")
    check.click()
    assert verdict.inner_text() == "✗ “b” cannot come before “a”. a is first."
    form.get_by_role("button", name="a: one place up").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert form.locator("li").all_inner_texts()[0].endswith("a")
    check.click()
    assert verdict.inner_text() == "✗ “c” cannot come before “b”. c is last."
    form.get_by_role("button", name="c: one place down").click()
    check.click()
    assert verdict.inner_text() == "✓ As in the alphabet."
