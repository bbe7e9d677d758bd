"""What a learner does with a saved step-through, in a real Chromium.

What is checked is the text that can be seen, against the records.
"""

from __future__ import annotations

from html import escape

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import backprop_lab as bl
from backprop_lab.words import notation
from tools import graphs, lab

HERE = "() => document.activeElement.className"
CARDS = ".bl-stage > div:not([hidden]) g[data-node]"  # of the level of folding that is seen


def saved(J, folder, **options):
    """The step-through of J, saved as a page; its address and the widget."""
    film = bl.step_through(J, **options)
    return film.save(folder / "film.html").as_uri(), film


def formula(page):
    """The formula that can be seen under the picture."""
    return page.locator(".bl-formula").first.text_content()


def position(page):
    return int(page.locator(".bl-counter").first.text_content().split("/")[0])


# ------------------------------------------------------------------------------------- the saved page


def test_every_step_shows_its_record_forwards_and_backwards(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    assert "Known from the start" in page.locator(".bl-panel").inner_text()
    for step in film.steps:
        page.keyboard.press("ArrowRight")
        assert position(page) == step.index + 1
        assert formula(page) == step.formula
        assert step.is_seed or step.numbers in page.locator(".bl-panel").inner_text()
        if step.sum_numbers:
            assert f"{step.sum_numbers}, {step.so_far} arrived" in page.locator(".bl-panel").inner_text()
    for step in reversed(film.steps[:-1]):
        page.keyboard.press("ArrowLeft")
        assert formula(page) == step.formula


def test_keys_step_a_page_that_was_only_opened(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path)
    page.goto(address)
    page.keyboard.press("ArrowRight")
    assert position(page) == 1 and formula(page) == film.steps[0].formula


def test_every_step_is_announced_as_it_is_written(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    for step in film.steps:
        page.keyboard.press("ArrowRight")
        spoken = page.locator(".bl-live[aria-live=polite]").text_content()
        assert step.formula in spoken and (step.is_seed or step.numbers in spoken)


def test_the_states_of_the_cards_follow_the_position(page, tmp_path):
    J = graphs.lecture(penalty=True)
    address, film = saved(J, tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    line = film.recording.picture.line
    for p in range(len(film.steps) + 1):
        states = page.eval_on_selector_all(CARDS, "all => all.map(g => g.dataset.state)")
        assert states == [line.state(node, p) for node in line.nodes]
        rings = page.eval_on_selector_all(f"{CARDS}.bl-active", "all => all.map(g => +g.dataset.node)")
        assert rings == [film.recording.picture.number[n] for n in line.nodes if p in line.active.get(n, ())]
        page.keyboard.press("ArrowRight")


def test_what_is_seen_at_a_position_is_what_the_still_picture_of_it_shows(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path)
    texts = "all => all.filter(t => t.getBoundingClientRect().width > 0).map(t => t.textContent)"
    for p in (0, 3, 13, 16, len(film.steps)):
        page.goto(address)
        page.locator(".bl-bar input[type=range]").fill(str(p))
        live = page.eval_on_selector_all(".bl-stage text", texts)
        film.position = p
        page.goto(film.save(tmp_path / "still.svg").as_uri())
        assert page.eval_on_selector_all("text", texts) == live


def test_home_end_and_the_buttons_reach_both_ends(page, tmp_path):
    address, film = saved(graphs.order(), tmp_path)
    last = len(film.steps)
    page.goto(address)
    page.focus(".bl-step")
    for act, expected in [
        (lambda: page.keyboard.press("End"), last),
        (lambda: page.keyboard.press("ArrowRight"), last),
        (lambda: page.keyboard.press("Home"), 0),
        (lambda: page.keyboard.press("ArrowLeft"), 0),
        (lambda: page.get_by_role("button", name="Last step").click(), last),
        (lambda: page.get_by_role("button", name="Back").click(), last - 1),
        (lambda: page.get_by_role("button", name="Next").click(), last),
        (lambda: page.get_by_role("button", name="First step").click(), 0),
    ]:
        act()
        assert position(page) == expected


def test_the_focus_is_never_lost_when_a_button_turns_itself_off(page, tmp_path):
    address, _ = saved(graphs.product(), tmp_path)
    page.goto(address)
    page.get_by_role("button", name="Last step").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    assert page.evaluate("() => document.querySelector('.bl-step').contains(document.activeElement)")
    page.get_by_role("button", name="First step").click()
    assert page.evaluate("() => document.querySelector('.bl-step').contains(document.activeElement)")


def test_play_goes_on_by_itself_and_stops_at_the_end(page, tmp_path):
    address, film = saved(graphs.product(), tmp_path)
    page.clock.install()
    page.goto(address)
    page.focus(".bl-step")
    page.keyboard.press(" ")
    page.clock.run_for(2500)
    assert position(page) == 2
    page.clock.run_for(60_000)
    assert position(page) == len(film.steps)
    assert page.get_by_role("button", name="Play").inner_text() == "Play"


def test_a_click_on_a_card_goes_to_its_next_moment(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path)
    page.goto(address)
    line = film.recording.picture.line
    y_hat = next(n for n in line.nodes if n.name == "y_hat")
    for expected in [*line.active[y_hat], line.active[y_hat][0]]:
        page.locator(f'{CARDS}[data-node="{film.recording.picture.number[y_hat]}"] .bl-card').click(
            position={"x": 5, "y": 5}
        )
        assert position(page) == expected


def test_predict_mode_asks_explains_and_goes_on(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path, predict=True)
    page.goto(address)
    page.focus(".bl-step")
    fork = next(s for s in film.steps if s.complete and s.so_far and s.so_far.of > 1)
    page.locator(".bl-bar input[type=range]").fill(str(fork.index))
    page.focus(".bl-step")
    page.keyboard.press("ArrowRight")
    assert "With the last one, ∂J̃/∂w = ?" in page.locator(".bl-ask").inner_text()
    for typed, said in [
        ("20 8", "replaced what had arrived before"),
        ("(10, −38)", "exponent in front is lost"),
        ("1 2 3", "3 given, 2 numbers expected"),
        ("twelve", "Type 2 numbers"),
        ("7 7", "Not that."),
    ]:
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        verdict = page.locator(".bl-answer").inner_text()
        assert verdict.startswith("✗") and said in verdict
        assert position(page) == fork.index
    page.keyboard.press("Control+a")
    page.keyboard.type("20, -34")
    page.keyboard.press("Enter")
    assert page.locator(".bl-answer").inner_text().startswith("✓")
    assert position(page) == fork.index + 1
    assert "bl-step" in page.evaluate(HERE)


def test_a_question_right_after_another_is_asked_too(page, tmp_path):
    address, film = saved(graphs.order(), tmp_path, predict=True)
    asks = [i for i, entry in enumerate(film.film["steps"]) if "ask" in entry]
    first = next(i for i in asks if i + 1 in asks)
    page.goto(address)
    page.locator(".bl-bar input[type=range]").fill(str(first - 1))
    page.focus(".bl-step")
    for asked in (first, first + 1):
        page.keyboard.press("ArrowRight")
        ask = film.film["steps"][asked]["ask"]
        assert ask["question"] in page.locator(".bl-ask").inner_text()
        rings = page.locator(f"{CARDS}.bl-asked").evaluate_all("all => all.length")
        assert rings == 1, "the node asked about is marked"
        page.keyboard.type(" ".join(map(str, ask["answer"])))
        page.keyboard.press("Enter")
        assert position(page) == asked
    assert "Right at once: 2 of 2" in page.locator(".bl-ask").inner_text()


def test_the_page_does_not_move_while_stepping(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    heights = set()
    for _ in film.steps:
        page.keyboard.press("ArrowRight")
        heights.add(round(page.locator(".bl-step").bounding_box()["height"]))
    assert len(heights) == 1


def test_predict_mode_never_blocks(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path, predict=True)
    page.goto(address)
    page.focus(".bl-step")
    presses = 0
    while position(page) < len(film.steps):
        page.keyboard.press("ArrowRight")
        if page.locator(".bl-ask form").count():
            page.keyboard.press("Enter")  # an empty answer shows it
            assert "∂J/∂" in page.locator(".bl-answer").inner_text()
        presses += 1
        assert presses < 100


def test_show_me_tells_the_answer_and_does_not_praise_it(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path, predict=True)
    page.goto(address)
    fork = next(s for s in film.steps if s.complete and s.so_far and s.so_far.of > 1)
    page.locator(".bl-bar input[type=range]").fill(str(fork.index))
    page.focus(".bl-step")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Show me").click()
    told = page.locator(".bl-answer").inner_text()
    assert "(20, −34)" in told and "✓" not in told and "✗" not in told
    assert position(page) == fork.index + 1


def test_predict_mode_can_be_switched_off(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path, predict=True)
    page.goto(address)
    page.locator(".bl-predict input").uncheck()
    page.focus(".bl-step")
    for step in film.steps:
        page.keyboard.press("ArrowRight")
        assert formula(page) == step.formula


def test_hostile_names_come_out_as_text(page, tmp_path):
    address, film = saved(graphs.hostile_names(), tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    for _ in film.steps:
        page.keyboard.press("ArrowRight")
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".bl-step img").count() == 0
    assert "<img src=x" in page.locator(".bl-stage").text_content()
    assert "😀 emoji" in page.locator(".bl-stage").text_content()


def test_a_narrow_window_scrolls_the_picture_and_nothing_else(browser, tmp_path):
    address, _ = saved(graphs.lecture(penalty=True), tmp_path)
    with lab.new_page(browser, width=400, height=800) as page:
        page.goto(address)
        page.focus(".bl-step")
        for _ in range(40):
            page.keyboard.press("ArrowRight")
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            ring = page.locator(f"{CARDS}.bl-active .bl-ring")
            box = ring.bounding_box()
            assert box["x"] >= -6 and box["x"] + box["width"] <= 406, "the active card is out of sight"


# ----------------------------------------------------------------------------- four views, one record


def opened(page, address, step=0):
    """The page at a step, with all that folds away unfolded."""
    page.goto(f"{address}#step={step}")
    page.evaluate("() => document.querySelectorAll('.bl-step details').forEach(d => { d.open = true })")
    page.focus(".bl-step")


def current_lines(page):
    return page.locator(".bl-code code[aria-current]").all_text_contents()


@pytest.mark.parametrize("name", ["lecture with penalty", "regression", "classifier", "stacks"])
def test_formula_numpy_line_and_jacobian_tell_of_the_same_step(page, tmp_path, name):
    address, film = saved(graphs.ALL[name](), tmp_path)
    opened(page, address)
    lines = iter(film.film["code"])
    for step in film.steps:
        page.keyboard.press("ArrowRight")
        assert formula(page) == step.formula
        assert current_lines(page) == [next(lines)]
        jacobian = page.locator(".bl-jacobians").inner_text()
        if step.argument is None:
            assert jacobian == "There is one at every step back along an arrow."
        else:
            assert f"∂{step.factor(step.node)}/∂{step.factor(step.receiver)}" in jacobian
            if not isinstance(step.local, str) and step.local.size > 1:
                numbers = page.locator(".bl-jacobian").first.locator("td").all_text_contents()
                assert numbers == [notation.number(v) for v in step.local.T.ravel()]


def test_the_line_of_the_step_is_in_sight_in_a_long_program(page, tmp_path):
    address, film = saved(graphs.ALL["200 nodes"](), tmp_path)
    for p in (1, 100, len(film.steps)):
        opened(page, address, step=p)
        page.reload()
        opened(page, address, step=p)
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
        line, box = (page.locator(x).bounding_box() for x in (".bl-code code[aria-current]", ".bl-code"))
        assert box["y"] - 1 <= line["y"] and line["y"] + line["height"] <= box["y"] + box["height"] + 1


def test_only_picture_and_formula_are_open_at_first(page, tmp_path):
    address, _ = saved(graphs.lecture(), tmp_path)
    page.goto(address)
    assert page.locator(".bl-step details").count() == 2
    assert page.locator(".bl-step details[open]").count() == 0
    assert page.locator("summary", has_text="Change the inputs").count() == 0, "there is no kernel to ask"


def test_what_was_unfolded_stays_so_and_keeps_the_focus(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path)
    page.goto(address)
    summary = page.locator("summary", has_text="Jacobian")
    summary.focus()
    page.keyboard.press("Enter")
    for _ in film.steps:
        page.keyboard.press("ArrowRight")
        assert page.locator(".bl-fold").nth(1).get_attribute("open") is not None
    assert page.evaluate("() => document.querySelector('.bl-step').contains(document.activeElement)")


# ----------------------------------------------------------------------------- play, loop, share, fold


def test_play_is_twice_as_fast_at_twice_the_speed(page, tmp_path):
    address, _ = saved(graphs.lecture(), tmp_path)
    page.clock.install()
    page.goto(address)
    page.get_by_label("Speed of play").select_option("2")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2500)
    assert position(page) == 4
    page.get_by_label("Speed of play").select_option("0.5")
    page.clock.run_for(2500)
    assert position(page) == 5


def test_a_loop_starts_again_at_the_end(page, tmp_path):
    address, film = saved(graphs.product(), tmp_path)
    page.clock.install()
    page.goto(address)
    page.get_by_role("button", name="Loop").click()
    page.get_by_role("button", name="Play").click()
    seen = []
    for _ in range(2 * len(film.steps) + 2):
        page.clock.run_for(1200)
        seen.append(position(page))
    once = [*range(1, len(film.steps) + 1), 0]
    assert seen == once + once
    page.get_by_role("button", name="Loop").click()
    page.clock.run_for(60_000)
    assert position(page) == len(film.steps)


def test_the_address_holds_the_position_and_leads_back_to_it(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    assert page.url.endswith("#step=9")
    shared = page.url
    page.goto("about:blank")
    page.goto(shared)
    assert position(page) == 9 and formula(page) == film.steps[8].formula
    page.evaluate("() => { location.hash = '#step=3' }")
    page.wait_for_function("() => document.querySelector('.bl-counter').textContent.startsWith('3 /')")
    assert formula(page) == film.steps[2].formula


def test_every_level_of_folding_shows_the_same_position(page, tmp_path):
    address, film = saved(graphs.ALL["40 layers"](), tmp_path)
    page.goto(f"{address}#step=60")
    names = [entry["name"] for entry in film.film["pictures"]]
    assert len(names) > 1
    counts = []
    for i, _ in enumerate(names):
        page.get_by_label("Detail").select_option(str(i))
        line, picture = film.recording.picture.line, film.recording.levels[i][1]
        states = page.eval_on_selector_all(CARDS, "all => all.map(g => [+g.dataset.node, g.dataset.state])")
        outputs = {number: state for number, state in states}
        assert {picture.number[node] for node in line.nodes} == set(outputs)
        assert all(state == line.state(line.nodes[number], 60) for number, state in states)
        assert page.locator(f"{CARDS}.bl-active").count() == 1
        counts.append(len(states))
    assert counts == sorted(counts, reverse=True)


# ------------------------------------------------------------------------------ learning, bugs, answers


def test_learning_is_a_film_of_batches_passes_and_updates(page, tmp_path):
    J = graphs.regression()
    data = {"X": [1, 2, 3, 4, 5, 6], "y": [2, 4, 6, 8, 10, 12]}
    address, film = saved(J, tmp_path, learning_rate=0.01, iterations=2, data=data, batch_size=3)
    opened(page, address)
    for round, number in zip(film.recording.rounds, (1, 2), strict=True):
        for step in round.steps:
            page.keyboard.press("ArrowRight")
            assert formula(page) == step.formula
        page.keyboard.press("ArrowRight")
        text = page.locator(".bl-panel").inner_text()
        assert text.lstrip("↻ ").startswith(f"Update {number} of 2:")
        for update in round.updates:
            assert update.formula in text and update.numbers in text
        assert ("The next batch stands at X, y." in text) == (number == 1)
        assert [line.strip()[:4] for line in current_lines(page)] == ["b = ", "w = "]
    assert position(page) == film.recording.last


def test_a_bug_shows_its_wrong_numbers_and_the_right_ones_beside_them(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path, bug="overwrite")
    opened(page, address)
    assert "= instead of +=" in page.locator(".bl-panel").inner_text()
    for step in film.steps:
        page.keyboard.press("ArrowRight")
        text = page.locator(".bl-panel").inner_text()
        assert step.formula in text and ("✗ wrong; right is" in text) == step.differs
    assert "(20, 8) replaces (0, −42)" in text
    assert "sum (0, −42) + (20, 8) = (20, −34)" in text
    assert current_lines(page) == ["grad_w = grad_t3 * (2 * w)"]


def test_a_teacher_can_let_the_questions_stand_with_their_answers(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path, predict="answered")
    page.goto(address)
    page.focus(".bl-step")
    told = 0
    for entry in film.film["steps"][1:]:
        page.keyboard.press("ArrowRight")
        assert page.locator(".bl-ask form").count() == 0
        if "ask" in entry:
            told += 1
            said = page.locator(".bl-ask").inner_text()
            assert entry["ask"]["question"] in said and entry["ask"]["shown"] in said
    assert told >= 3


# ---------------------------------------------------------------------------------------- for everybody


def faults(page):
    """What axe-core finds that is serious or critical."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["lecture with penalty", "classifier"])
@pytest.mark.parametrize("palette", ["green", "blue"])
def test_axe_finds_nothing_serious(browser, tmp_path, name, palette, dark):
    address, film = saved(graphs.ALL[name](), tmp_path, predict=True, palette=palette)
    with lab.new_page(browser, dark=dark) as page:
        opened(page, address)
        assert faults(page) == []
        page.keyboard.press("End")
        assert faults(page) == []
        page.locator(".bl-bar input[type=range]").fill(
            str(next(i for i, entry in enumerate(film.film["steps"]) if "ask" in entry) - 1)
        )
        page.focus(".bl-step")
        page.keyboard.press("ArrowRight")
        assert page.locator(".bl-ask form").count() == 1 and faults(page) == []


def test_at_200_percent_picture_and_formula_fit_on_the_screen_together(browser, tmp_path):
    address, _ = saved(graphs.lecture(penalty=True), tmp_path)
    with lab.new_page(browser, width=640, height=400) as page:  # what 1280 × 800 has at 200 %
        page.goto(f"{address}#step=16")
        page.focus(".bl-step")
        page.keyboard.press("ArrowRight")
        page.locator(".bl-stage").scroll_into_view_if_needed()
        ring, said = page.locator(f"{CARDS}.bl-active .bl-ring"), page.locator(".bl-formula")
        page.evaluate("() => document.querySelector('.bl-formula').scrollIntoView({block: 'end'})")
        for box in (ring.bounding_box(), said.bounding_box()):
            assert box["y"] >= -6 and box["y"] + box["height"] <= 406
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_nothing_moves_by_itself_for_those_who_want_less_motion(browser, tmp_path):
    address, _ = saved(graphs.lecture(), tmp_path)
    with lab.new_page(browser) as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto(address)
        page.focus(".bl-step")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("() => document.getAnimations().length") == 0


def test_after_500_random_keys_the_page_still_shows_what_the_records_say(page, tmp_path):
    address, film = saved(graphs.lecture(penalty=True), tmp_path)
    opened(page, address)
    random, last, expected = np.random.default_rng(0), len(film.steps), 0
    moves = {
        "ArrowRight": lambda p: min(p + 1, last),
        "ArrowLeft": lambda p: max(p - 1, 0),
        "Home": lambda p: 0,
        "End": lambda p: last,
        "Tab": lambda p: p,
        "Shift+ArrowRight": lambda p: p,
    }
    line = film.recording.picture.line
    for key in random.choice(list(moves), size=500, p=[0.4, 0.3, 0.04, 0.04, 0.12, 0.1]):
        inside = page.evaluate(
            "() => { const now = document.activeElement;"
            " return now.closest('.bl-step') && !now.matches('select') ? true : false }"
        )
        if not inside:
            page.focus(".bl-step")
        page.keyboard.press(key)
        expected = moves[key](expected)
        seen, states = page.evaluate(
            "cards => [document.querySelector('.bl-panel').innerText,"
            " [...document.querySelectorAll(cards)].map(g => g.dataset.state)]",
            CARDS,
        )
        assert position(page) == expected
        assert states == [line.state(node, expected) for node in line.nodes]
        if expected:
            step = film.steps[expected - 1]
            assert step.formula in seen and (step.is_seed or step.numbers in seen)
        else:
            assert "Known from the start" in seen


# ------------------------------------------------------------------------------------------- answers


def test_a_small_number_must_be_right_within_one_percent_too(page, tmp_path):
    x = bl.variable("x", -0.002)
    address, film = saved(x * x, tmp_path, predict=True)
    asked = next(i for i, entry in enumerate(film.film["steps"]) if "ask" in entry)
    page.goto(f"{address}#step={asked - 1}")
    page.focus(".bl-step")
    page.keyboard.press("ArrowRight")
    for wrong in ("0.004", "0", "-0.01", "-0.0041"):
        page.locator(".bl-ask input").fill(wrong)
        page.keyboard.press("Enter")
        assert page.locator(".bl-answer").inner_text().startswith("✗"), wrong
    page.locator(".bl-ask input").fill("-0.00402")
    page.keyboard.press("Enter")
    assert page.locator(".bl-answer").inner_text().startswith("✓")


def test_a_question_does_not_outlive_its_position(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path, predict=True)
    asked = next(i for i, entry in enumerate(film.film["steps"]) if "ask" in entry)
    page.goto(f"{address}#step={asked - 1}")
    page.focus(".bl-step")
    page.keyboard.press("ArrowRight")
    assert page.locator(".bl-ask form").count() == 1
    page.evaluate("() => { location.hash = '#step=2' }")
    page.wait_for_function("() => document.querySelector('.bl-counter').textContent.startsWith('2 /')")
    assert page.locator(".bl-ask form").count() == 0


def test_an_answered_question_stands_there_at_once(page, tmp_path):
    address, film = saved(graphs.lecture(), tmp_path, predict="answered")
    asked = next(i for i, entry in enumerate(film.film["steps"]) if "ask" in entry)
    page.goto(f"{address}#step={asked}")
    assert film.film["steps"][asked]["ask"]["shown"] in page.locator(".bl-ask").inner_text()


def test_as_a_frame_of_another_page_it_works_without_an_address(browser, tmp_path):
    saved_page = bl.step_through(graphs.lecture()).save(tmp_path / "film.html").read_text("utf-8")
    with lab.new_page(browser) as page:
        page.set_content(f'<iframe srcdoc="{escape(saved_page)}"></iframe>')
        step = page.frame_locator("iframe").locator(".bl-step")
        before = step.locator(".bl-panel").inner_text()
        step.press("ArrowRight")
        assert step.locator(".bl-panel").inner_text() != before
        assert page.errors == []
