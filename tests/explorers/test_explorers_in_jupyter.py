"""The explorers in JupyterLab and Notebook 7: drags, keys, themes, and what axe-core finds."""

from __future__ import annotations

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import backprop_lab as bl
from tools import lab

CELLS = [
    "import numpy as np, backprop_lab as bl",
    "chain = bl.explore.chain_rule(np.sin, np.square)\nchain",
    "valley = bl.explore.finite_difference(lambda x: x * x * x, 2)\nvalley",
    "def polar(r, t):\n    return r * np.cos(t), r * np.sin(t)\n"
    "jacobian = bl.explore.jacobian_map(polar, outputs=('x', 'y'))\njacobian",
    "w, b = bl.variable('w', 2.0), bl.variable('b', 1.0)\n"
    "x, y = bl.constant('x', [1.0, 2.0, 4.0, 5.0]), bl.constant('y', [1.0, 4.0, 6.0, 7.0])\n"
    "data = {'x': x.value, 'y': y.value}\n"
    "land = bl.explore.landscape(np.mean((w * x + b - y) ** 2), data, 0.02, 1, steps=8, penalty=0.5)\nland",
    "seen = bl.data.noisy_polynomial(20, noise=0.3, seed=2)\n"
    "unseen = bl.data.noisy_polynomial(200, noise=0.3, seed=102)\n"
    "fit = bl.explore.fit(*seen, unseen)\nfit",
    "logs = bl.explore.chain_rule(np.exp, np.log, x=1)\nlogs",
]
CHAIN, VALLEY, JACOBIAN, LANDSCAPE, FIT, LOGS = range(6)


def land():
    w, b = bl.variable("w", 2.0), bl.variable("b", 1.0)
    x, y = bl.constant("x", [1.0, 2.0, 4.0, 5.0]), bl.constant("y", [1.0, 4.0, 6.0, 7.0])
    data = {"x": x.value, "y": y.value}
    return bl.explore.landscape(np.mean((w * x + b - y) ** 2), data, 0.02, 1, steps=8, penalty=0.5)


def fit():
    seen = bl.data.noisy_polynomial(20, noise=0.3, seed=2)
    return bl.explore.fit(*seen, bl.data.noisy_polynomial(200, noise=0.3, seed=102))


RUN_AGAIN = {
    CHAIN: lambda: bl.explore.chain_rule(np.sin, np.square),
    VALLEY: lambda: bl.explore.finite_difference(lambda x: x * x * x, 2),
    JACOBIAN: lambda: bl.explore.jacobian_map(
        lambda r, t: (r * np.cos(t), r * np.sin(t)), outputs=("x", "y")
    ),
    LANDSCAPE: land,
    FIT: fit,
}


@pytest.fixture(scope="module")
def server(jupyterlab):
    lab.write_notebook(jupyterlab.folder / "explorers.ipynb", CELLS)
    return jupyterlab


@pytest.fixture(scope="module")
def opened(browser, server):
    """The notebook in JupyterLab, run once for all tests; each leaves its explorers where it likes."""
    with lab.new_page(browser, 1280, 1000) as page:
        lab.open_notebook(page, server, "explorers.ipynb")
        lab.run_all(page)
        page.locator(".bl-explore").nth(LOGS).wait_for()
        yield page
        assert page.strangers == [], "a request left the machine"
        assert page.errors == [], "a script failed"


def explorer(page, which):
    frame = page.locator(".bl-explore").nth(which)
    frame.scroll_into_view_if_needed()
    return frame


def shows(page, which, lines):
    """Wait until the explorer says exactly these lines."""
    page.wait_for_function(
        "([which, text]) => [...document.querySelectorAll('.bl-explore')[which]"
        ".querySelectorAll('.bl-lines p')].map(p => p.textContent).join('\\n') === text",
        arg=[which, "\n".join(lines)],
    )


def lines_at(which, **values):
    """What the explorer says at these values, from one of our own."""
    again = RUN_AGAIN[which]()
    again.values = values
    return again.lines


def values_of(frame):
    return [float(box.input_value()) for box in frame.locator("input").all()]


def drag(page, frame, path):
    """Drag over the area of the picture along points in parts of its width and height."""
    area = frame.locator(".bl-area[data-x]")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    points = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in path]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def test_after_many_fast_drags_the_picture_is_that_of_the_last(opened):
    frame = explorer(opened, CHAIN)
    there_and_back = [(0.5 + 0.4 * np.sin(i / 7), 0.5) for i in range(200)]
    drag(opened, frame, there_and_back)
    (x,) = values_of(frame)
    assert x == pytest.approx(-2.5 + 5 * there_and_back[-1][0], abs=0.5)  # the line has room at both ends
    shows(opened, CHAIN, lines_at(CHAIN, x=x))


def test_a_point_is_dragged_both_ways_at_once(opened):
    frame = explorer(opened, JACOBIAN)
    drag(opened, frame, [(0.5, 0.5), (0.6, 0.4), (0.62, 0.3)])
    r, t, radius = values_of(frame)
    assert r > 2.1 and t > 0.7
    shows(opened, JACOBIAN, lines_at(JACOBIAN, r=r, t=t, radius=radius))


def test_the_degree_of_a_fit_is_dragged_over_the_costs_and_pressed_by_its_buttons(opened):
    frame = explorer(opened, FIT)
    drag(opened, frame, [(0.2, 0.5), (0.6, 0.5), (0.8, 0.5)])
    degree, exponent = values_of(frame)
    assert (degree, exponent) == (12, -7)
    shows(opened, FIT, lines_at(FIT, degree=12))
    frame.get_by_role("button").last.click()
    shows(opened, FIT, lines_at(FIT, degree=13))
    penalty = frame.locator("input[type=range]").nth(1)
    penalty.focus()
    penalty.press("End")
    shows(opened, FIT, lines_at(FIT, degree=13, log10_penalty=1))


def test_the_step_is_dragged_in_the_valley(opened):
    frame = explorer(opened, VALLEY)
    drag(opened, frame, [(0.9, 0.5), (0.5, 0.5), (0.25, 0.9)])
    (exponent,) = values_of(frame)
    assert exponent == pytest.approx(-12, abs=0.05)
    shows(opened, VALLEY, lines_at(VALLEY, exponent=exponent))


@pytest.mark.parametrize("which", [CHAIN, VALLEY, JACOBIAN])
def test_every_control_works_by_keyboard_alone(opened, which):
    frame = explorer(opened, which)
    controls = RUN_AGAIN[which]().controls.values()
    frame.locator("input").first.focus()
    for _ in controls:
        opened.keyboard.press("Home")
        opened.keyboard.press("ArrowRight")
        opened.keyboard.press("Tab")
    expected = {control.name: control.low + control.step for control in controls}
    assert values_of(frame) == pytest.approx(list(expected.values()))
    shows(opened, which, lines_at(which, **expected))
    assert (
        frame.locator("svg").first.get_attribute("aria-label").endswith(lines_at(which, **expected)[-1] + ".")
    )


def test_a_value_set_in_python_moves_the_slider(opened):
    lab.run_in_new_cell(opened, "chain.values = {'x': -1.25}")
    shows(opened, CHAIN, lines_at(CHAIN, x=-1.25))
    assert values_of(explorer(opened, CHAIN)) == [-1.25]


def test_outside_the_domain_it_says_why_and_goes_on_afterwards(opened):
    frame = explorer(opened, LOGS)
    slider = frame.locator("input")
    slider.fill("-1")
    frame.get_by_text("np.log(x) became nan from x = −1").wait_for()
    assert frame.locator("output").text_content() == "−1"
    slider.fill("2")
    frame.locator(".bl-lines p", has_text="x = 2, y = log(x)").wait_for()
    assert frame.locator(".bl-note").text_content() == ""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(opened, dark):
    opened.evaluate("light => { document.body.dataset.jpThemeLight = light }", str(not dark).lower())
    for which in (CHAIN, VALLEY, JACOBIAN, LANDSCAPE):
        explorer(opened, which)
    found = Axe().run(opened, context=".bl-explore").response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    opened.evaluate("() => { document.body.dataset.jpThemeLight = 'true' }")


def test_on_a_narrow_page_in_notebook_7_nothing_is_cut_off(browser, server):
    with lab.new_page(browser, 420, 900) as page:
        lab.open_notebook(page, server, "explorers.ipynb", application="notebooks")
        lab.run_all(page)
        page.locator(".bl-explore").nth(LANDSCAPE).wait_for()
        overflow = page.eval_on_selector_all(
            ".bl-explore .bl-stage", "all => all.map(stage => stage.scrollWidth - stage.clientWidth)"
        )
        assert max(overflow) <= 1
        assert page.strangers == []


def test_a_landscape_is_walked_from_where_its_start_is_dragged_to(opened):
    frame = explorer(opened, LANDSCAPE)
    names = list(land().values)
    before = values_of(frame)
    drag(opened, frame, [(0.5, 0.5), (0.3, 0.4), (0.35, 0.3)])
    frame.get_by_label("step: next").click()
    frame.get_by_label("step: next").press("ArrowRight")
    frame.locator("input").nth(names.index("penalty")).press("ArrowRight")
    after = dict(zip(names, values_of(frame), strict=True))
    assert after["step"] == 2 and after["start_1"] != before[0] and after["start_2"] != before[1]
    assert after["log10_learning_rate"] == pytest.approx(np.log10(0.02))
    shows(opened, LANDSCAPE, lines_at(LANDSCAPE, **after))
