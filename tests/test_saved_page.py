"""What a learner does with a saved step-through, in a real Chromium.

What is checked is the text that can be seen, against the records.
"""

from __future__ import annotations

import backprop_lab as bl
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


def test_the_states_of_the_cards_follow_the_position(page, tmp_path):
    J = graphs.lecture(penalty=True)
    address, film = saved(J, tmp_path)
    page.goto(address)
    page.focus(".bl-step")
    line = film._film.picture.line
    for p in range(len(film.steps) + 1):
        states = page.eval_on_selector_all(CARDS, "all => all.map(g => g.dataset.state)")
        assert states == [line.state(node, p) for node in line.nodes]
        rings = page.eval_on_selector_all(f"{CARDS}.bl-active", "all => all.map(g => +g.dataset.node)")
        assert rings == [film._film.picture.number[n] for n in line.nodes if p in line.active.get(n, ())]
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
    line = film._film.picture.line
    y_hat = next(n for n in line.nodes if n.name == "y_hat")
    for expected in [*line.active[y_hat], line.active[y_hat][0]]:
        page.locator(f'{CARDS}[data-node="{film._film.picture.number[y_hat]}"] .bl-card').click(
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
    assert page.evaluate(HERE) == "bl-step"


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
