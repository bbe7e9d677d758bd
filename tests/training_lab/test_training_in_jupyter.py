"""The training lab in JupyterLab, with a real kernel: what a learner drags, clicks and types."""

from __future__ import annotations

import json

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from backprop_lab.training_lab.classifier import Classifier
from backprop_lab.training_lab.points import own_points, points_of, window_of
from backprop_lab.training_lab.settings import OWN, Settings
from tools import lab

GIVEN = Settings(hidden=(6, 5), n=30, learning_rate=0.5, batch_size=20)
STEPS = 60
CELLS = [
    "import json, backprop_lab as bl",
    f"lab = bl.explore.training(hidden=(6, 5), n=30, learning_rate=0.5, batch_size=20, steps={STEPS})\nlab",
]


@pytest.fixture(scope="module", autouse=True)
def notebook(jupyterlab):
    for name in ("training", "training without a kernel"):
        lab.write_notebook(jupyterlab.folder / f"{name}.ipynb", CELLS)


@pytest.fixture
def view(opened):
    """The lab, as it is when its cell has just been run."""
    return view_in(opened("training.ipynb"))


def view_in(page):
    page.set_viewport_size({"width": 1280, "height": 1100})
    view = page.locator(".bl-explore.bl-training")
    view.wait_for()
    return view


def slider(view, name):
    return view.locator("label", has_text=name).locator("input[type=range]")


def button(view, name):
    return view.get_by_role("button", name=name, exact=True)


def settled(view, runs=0):
    """Until at least so many pictures have come and nothing more is awaited; how many there are."""
    view.page.wait_for_function(
        """least => {
          const root = document.querySelector('.bl-explore.bl-training');
          return Number(root.dataset.runs) >= least && root.getAttribute('aria-busy') !== 'true';
        }""",
        arg=runs,
    )
    return int(view.get_attribute("data-runs"))


def move_to(view, name, place):
    """Put a slider at a place at once, as a key would."""
    before = settled(view)
    slider(view, name).evaluate(
        "(e, place) => { e.value = place; e.dispatchEvent(new Event('input', {bubbles: true})) }", str(place)
    )
    settled(view, before + 1)


def pixels_unlike(view, grid):
    """How many pixels of the canvas are not painted as these bytes say."""
    return view.locator("canvas").first.evaluate(
        """(canvas, bytes) => {
          const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return bytes.filter((byte, i) => {
            const lean = byte / 127.5 - 1, opaque = Math.round(150 * Math.abs(lean));
            const [red, , blue, alpha] = seen.slice(4 * i, 4 * i + 4);
            return alpha !== opaque || (alpha > 20 && red > blue !== lean > 0);
          }).length;
        }""",
        grid.ravel().tolist(),
    )


def trained(settings=GIVEN, steps=STEPS, points=None):
    """A model of one's own, and the plane that it gives."""
    model = Classifier(settings, points)
    model.retrain(steps)
    return model, model.grid(100, window_of(points_of(GIVEN)))


def python(view, expression):
    """The value of a Python expression in the notebook's kernel."""
    page = view.page
    word = f"told {page.locator('.jp-Cell').count()}:"  # another one for every cell
    page.locator(".jp-Notebook .jp-Cell").last.click(position={"x": 5, "y": 5})
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(f"print({word!r}, json.dumps({expression}))")
    page.keyboard.press("Control+Enter")
    told = page.locator(".jp-OutputArea-output", has_text=word)
    told.wait_for()
    return json.loads(told.inner_text().strip().removeprefix(word))


def with_setting(**more):
    return Settings(**{**{f: getattr(GIVEN, f) for f in GIVEN.__dataclass_fields__}, **more})


def test_at_first_the_picture_is_that_of_the_trained_network(view):
    model, grid = trained()
    assert pixels_unlike(view, grid) == 0
    assert pixels_unlike(view, np.flipud(grid)) > 1000
    assert f"step {STEPS}, epoch {model.epoch}" in view.inner_text()


@pytest.mark.parametrize("name, setting", [("penalty", "penalty"), ("learning rate", "learning_rate")])
def test_a_drag_ends_with_the_picture_of_the_last_value(view, name, setting):
    before = settled(view)
    handle = slider(view, name)
    box = handle.bounding_box()
    y = box["y"] + box["height"] / 2
    start = float(handle.input_value()) / float(handle.get_attribute("max"))
    at = lambda share: box["x"] + 8 + share * (box["width"] - 16)  # noqa: E731
    page = view.page
    page.mouse.move(at(start), y)
    page.mouse.down()
    places = []
    for share in np.linspace(start, 0.55, 40):
        page.mouse.move(at(share), y)
        places.append(handle.input_value())
    page.mouse.up()
    runs = settled(view, before + 1) - before
    value = float(handle.get_attribute("aria-valuetext").replace("−", "-"))
    assert len(set(places)) > 5 and 1 <= runs <= len(set(places)), "changes are merged, never queued"
    model, grid = trained(with_setting(**{setting: value}))
    assert pixels_unlike(view, grid) == 0
    assert pixels_unlike(view, trained()[1]) > 100
    assert model.step == STEPS and f"step {STEPS}" in view.inner_text()


def test_while_the_picture_is_made_the_newest_wish_leaves_and_no_other(view, tmp_path):
    page, before = view.page, settled(view)
    trained_door, shown_door = doors = [tmp_path / name for name in ("trained", "shown")]
    lab.run_in_new_cell(
        page,
        f"""import pathlib, time
retrain, grid = lab.model.retrain, lab.model.grid
def behind(door, act, *given):
    while not pathlib.Path(door).exists(): time.sleep(0.01)
    return act(*given)
lab.model.retrain = lambda steps: behind({str(doors[0])!r}, retrain, steps)
lab.model.grid = lambda *given: behind({str(doors[1])!r}, grid, *given)
print("held", "up")""",
    )
    page.get_by_text("held up", exact=True).wait_for()
    page.evaluate(
        """() => {
          const send = WebSocket.prototype.send;
          window.sent = [];
          WebSocket.prototype.send = function (data) {
            const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
            const found = /"penalty": ?([^,}]+)/.exec(text);
            if (found) sent.push(Number(found[1]));
            return send.call(this, data);
          };
        }"""
    )

    def drag(*places):
        slider(view, "penalty").evaluate(
            """(e, places) => places.forEach(place => {
              e.value = String(place);
              e.dispatchEvent(new Event('input', {bubbles: true}));
            })""",
            places,
        )
        return float(slider(view, "penalty").get_attribute("aria-valuetext"))

    wanted = [drag(60), drag(61, 62)]
    assert page.evaluate("sent") == wanted[:1], "the kernel trains"
    trained_door.touch()
    page.wait_for_function("() => sent.length === 2")
    wanted.append(drag(63, 64))
    assert page.evaluate("sent") == wanted[:2], "one is on its way"
    assert int(view.get_attribute("data-runs")) == before
    shown_door.touch()
    assert settled(view, before + 1) == before + 3, "busy until the last picture is painted"
    assert page.evaluate("sent") == wanted
    assert pixels_unlike(view, trained(with_setting(penalty=wanted[-1]))[1]) == 0


def test_play_step_epoch_and_restart_do_what_they_say(view):
    def shown():
        return int(view.locator(".bl-bar > .bl-counter").inner_text().removeprefix("step "))

    button(view, "Restart").click()
    settled(view, 2)
    assert shown() == 0 and pixels_unlike(view, trained(steps=0)[1]) == 0
    for name, step in [("Step", 1), ("Epoch", 2), ("Step", 3), ("Epoch", 4)]:  # of 20 and 10 points
        before = settled(view)
        button(view, name).click()
        settled(view, before + 1)
        assert shown() == step
    view.get_by_label("Steps between two pictures").select_option("20")
    view.get_by_role("button", name="Play").click()
    view.page.wait_for_function(
        "() => !/step ([0-9]|[0-9][0-9])$/.test(document.querySelector('.bl-bar > .bl-counter').textContent)"
    )
    view.get_by_role("button", name="Pause").click()
    settled(view)
    step = shown()
    assert step >= 100 and step % 20 == 4
    assert pixels_unlike(view, trained(steps=step)[1]) == 0
    view.page.wait_for_timeout(300)
    assert shown() == step, "paused is paused"


def test_clicks_that_come_faster_than_the_kernel_are_all_taken(view):
    button(view, "Restart").click()
    settled(view, 2)
    view.evaluate(
        "root => { const b = [...root.querySelectorAll('button')].find(b => b.textContent === 'Step');"
        " for (let i = 0; i < 25; i += 1) b.click(); }"
    )
    settled(view, 3)
    assert "step 25, epoch 12" in view.inner_text()


def places_of(view):
    """Where on the screen a point of the plane lies, as a function of x and y."""
    plane, before = view.locator(".bl-plane"), None
    while (box := plane.bounding_box()) != before:  # a cell that was just run may still scroll the page
        plane.scroll_into_view_if_needed()
        view.page.wait_for_timeout(300)
        before = box
    left, right, low, high = window_of(points_of(GIVEN))
    inside = box["width"] - 2  # without its border
    return lambda x, y: (
        box["x"] + 1 + inside * (x - left) / (right - left),
        box["y"] + 1 + inside * (high - y) / (high - low),
    )


def as_own(rows):
    return own_points([r[:2] for r in rows], [r[2] for r in rows], validation=[r[3] for r in rows])


def test_a_point_is_added_moved_and_removed_by_mouse_and_learned_from(view):
    page, first = view.page, points_of(GIVEN).rows()
    view.get_by_role("radio", name="square").check()
    before = settled(view)
    page.mouse.click(*places_of(view)(-1.0, 1.5))
    settled(view, before + 1)
    rows = python(view, "lab.points")
    assert rows[:-1] == first and rows[-1][2:] == [1, 0]
    np.testing.assert_allclose(rows[-1][:2], [-1.0, 1.5], atol=0.02)
    settings = with_setting(data=OWN)
    assert pixels_unlike(view, trained(settings, points=as_own(rows))[1]) == 0

    place = places_of(view)
    page.mouse.move(*place(*rows[-1][:2]))
    page.mouse.down()
    for x in np.linspace(-1, 1.5, 15):
        page.mouse.move(*place(x, 1.5))
    page.mouse.up()
    settled(view)
    moved = python(view, "lab.points")
    assert moved[:-1] == first and moved[-1][2:] == [1, 0]
    np.testing.assert_allclose(moved[-1][:2], [1.5, 1.5], atol=0.02)
    assert pixels_unlike(view, trained(settings, points=as_own(moved))[1]) == 0

    view.get_by_role("radio", name="remove").check()
    before = settled(view)
    page.mouse.click(*places_of(view)(*moved[-1][:2]))
    settled(view, before + 1)
    assert python(view, "lab.points") == first
    assert view.get_by_label("Data").input_value() == OWN


def test_a_point_is_added_moved_and_removed_by_keyboard_alone(view):
    page, first = view.page, len(points_of(GIVEN).rows())
    view.get_by_role("button", name="Remove all").focus()
    page.keyboard.press("Enter")
    settled(view, 2)
    assert "no points yet" in view.inner_text()
    plane = view.locator(".bl-plane")
    for class_name, keys in [("circle", ["ArrowLeft"] * 5), ("square", ["ArrowRight"] * 12)]:
        view.get_by_role("radio", name=class_name).focus()
        page.keyboard.press(" ")
        plane.focus()
        for key in [*keys, "Enter"]:
            page.keyboard.press(key)
    settled(view)
    rows = python(view, "lab.points")
    left, right, _, _ = window_of(points_of(GIVEN))
    unit, middle = (right - left) / 100, (left + right) / 2
    np.testing.assert_allclose([r[0] for r in rows], [middle - 10 * unit, middle + 14 * unit], atol=2e-3)
    assert [r[2] for r in rows] == [0, 1] and first > 2
    plane.focus()
    for key in ["g", *["ArrowUp"] * 4, "g", "ArrowUp"]:
        page.keyboard.press(key)
    settled(view)
    moved = python(view, "lab.points")
    assert moved[0] == rows[0]
    np.testing.assert_allclose(moved[1][1] - rows[1][1], 8 * unit, atol=2e-3)
    assert pixels_unlike(view, trained(with_setting(data=OWN), points=as_own(moved))[1]) == 0
    plane.focus()
    page.keyboard.press("Delete")
    settled(view)
    assert python(view, "lab.points") == [rows[0]]


def test_a_divergence_is_said_and_a_smaller_rate_goes_on(view):
    view.get_by_label("Activation").select_option("relu")
    settled(view, 2)
    move_to(view, "penalty", 101)
    move_to(view, "learning rate", 80)
    alarm = view.locator(".bl-alarm")
    model, _ = trained(with_setting(activation="relu", penalty=1.0, learning_rate=10.0))
    assert model.diverged and f"Diverged at step {model.step}: {model.diverged}" in alarm.inner_text()
    view.get_by_role("button", name="Step through this step").click()
    view.locator(".bl-inside .bl-step").wait_for()
    button(view, "Close").click()
    move_to(view, "penalty", 0)
    move_to(view, "learning rate", 40)
    calm = with_setting(activation="relu", learning_rate=0.1)
    assert alarm.inner_text() == "" and pixels_unlike(view, trained(calm)[1]) == 0
    assert python(view, "lab.model.diverged") == ""


def test_the_next_step_is_stepped_through_by_keyboard_and_not_taken(view):
    model, _ = trained()
    view.get_by_role("button", name="Step through this step").focus()
    view.page.keyboard.press("Enter")
    frame = view.locator(".bl-inside .bl-step")
    frame.wait_for()
    assert f"Step {STEPS} of epoch {model.epoch}, not taken yet" in view.inner_text()
    for key in ["ArrowRight"] * 3:
        view.page.keyboard.press(key)
    assert frame.locator(".bl-counter").inner_text().startswith("3 /")
    view.page.keyboard.press("End")
    assert "η" in frame.locator(".bl-panel").inner_text()
    button(view, "Close").click()
    assert frame.count() == 0 and python(view, "lab.model.step") == STEPS
    button(view, "Step").click()
    settled(view, 3)
    assert pixels_unlike(view, trained(steps=STEPS + 1)[1]) == 0


def test_hidden_layers_are_added_and_what_cannot_be_is_not_sent(view):
    view.get_by_role("button", name="One hidden layer more").click()
    settled(view, 2)
    assert python(view, "lab.settings['hidden']") == [6, 5, 5]
    view.get_by_label("Units of hidden layer 2").fill("900")
    view.get_by_label("Units of hidden layer 2").fill("3")
    settled(view, 3)
    assert python(view, "lab.settings['hidden']") == [6, 3, 5]
    assert pixels_unlike(view, trained(with_setting(hidden=(6, 3, 5)))[1]) == 0


def test_what_python_changes_is_seen_on_the_page(view):
    python(view, "lab.change(penalty=0.02, seed=3)")
    settled(view, 2)
    model = Classifier(with_setting(penalty=0.02, seed=3))
    model.retrain(STEPS)
    assert pixels_unlike(view, model.grid(100, window_of(model.points))) == 0
    assert view.locator("label", has_text="seed").locator("input").input_value() == "3"
    assert slider(view, "penalty").get_attribute("aria-valuetext") == "0.02"


def test_axe_finds_nothing_serious_in_the_lab(view):
    view.get_by_role("button", name="Step through this step").click()
    view.locator(".bl-inside .bl-step").wait_for()
    found = Axe().run(view.page, context=".bl-explore.bl-training").response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_without_a_kernel_the_page_says_that_nobody_answers(page, jupyterlab):
    lab.open_notebook(page, jupyterlab, "training without a kernel.ipynb")
    lab.run_all(page)
    view = view_in(page)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Shut Down Kernel", exact=True).click()
    page.wait_for_function("() => /No Kernel|Unknown|Disconnected/.test(document.body.innerText)")
    view.get_by_role("button", name="Play").click()
    view.get_by_text("if it is gone, run the cell again").wait_for(timeout=10_000)
    assert view.get_by_role("button", name="Play").is_visible()


def test_of_two_views_of_a_lab_one_plays_at_a_time(view):
    lab.run_in_new_cell(view.page, "lab")
    view.nth(1).wait_for()
    first, second = (view.nth(n).locator(".bl-bar button").first for n in (0, 1))
    first.click()
    second.click()
    assert [first.text_content(), second.text_content()] == ["▶ Play", "❚❚ Pause"]
    first.click()
    assert [first.text_content(), second.text_content()] == ["❚❚ Pause", "▶ Play"]
