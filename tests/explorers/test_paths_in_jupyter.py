"""The paths of a graph, lit one by one in JupyterLab with a real kernel and a real Chromium."""

from __future__ import annotations

import re
from html import unescape

import pytest
from axe_playwright_python.sync_playwright import Axe

import backprop_lab as bl
from tools import graphs, lab

GRAPHS = [
    "import numpy as np, backprop_lab as bl",
    "from tools import graphs\nz = graphs.two_ways()\nbl.explore.paths(z, next(n for n in bl.backward(z)))",
    "ladder = graphs.fork_ladder(4)\nbl.explore.paths(ladder, next(n for n in bl.backward(ladder)))",
    "network = graphs.lecture(penalty=True)\n"
    "bl.explore.paths(network, next(n for n in bl.backward(network) if n.name == 'w'))",
    "square = graphs.same_input_twice()\nbl.explore.paths(square, square.inputs[0])",
    "long = graphs.fork_ladder(20)\nbl.explore.paths(long, next(n for n in bl.backward(long)))",
]


@pytest.fixture(scope="module")
def server(jupyterlab):
    lab.write_notebook(jupyterlab.folder / "paths.ipynb", GRAPHS)
    return jupyterlab


def opened(page, server):
    """The notebook, run; every explorer stands on the page."""
    lab.open_notebook(page, server, "paths.ipynb")
    lab.run_all(page)
    page.locator(".bl-explore").nth(len(GRAPHS) - 2).wait_for()


def shown(explorer):
    """(the lines below the picture, how many arrows are lit, the number of the path)"""
    texts = explorer.locator(".bl-lines p").all_inner_texts()
    return texts, explorer.locator(".bl-active > .bl-back").count(), explorer.locator("output").inner_text()


def expected(python, position):
    """The same from Python."""
    python.values = {"path": position}
    lines = [unescape(line) for line in re.findall("<p[^>]*>(.*?)</p>", python.scene["panel"])]
    arrows = python.scene["svg"].count('<g class="bl-active"><path class="bl-back"')
    return lines, arrows, python.scene["written"]["path"]


def wait_for(explorer, position, python):
    """Until the page shows what Python has at this position."""
    told = expected(python, position)
    explorer.locator("output", has_text=re.compile(f"^{re.escape(told[2])}$")).wait_for()
    assert shown(explorer) == told


def in_python():
    """The explorers of the notebook."""
    z, ladder, network = graphs.two_ways(), graphs.fork_ladder(4), graphs.lecture(penalty=True)
    w = next(node for node in bl.backward(network) if node.name == "w")
    square = graphs.same_input_twice()
    return [
        bl.explore.paths(z, next(iter(bl.backward(z)))),
        bl.explore.paths(ladder, next(iter(bl.backward(ladder)))),
        bl.explore.paths(network, w),
        bl.explore.paths(square, square.inputs[0]),
    ]


def test_all_paths_are_gone_through_by_keyboard_and_shown_as_python_has_them(page, server):
    opened(page, server)
    for place, python in enumerate(in_python()):
        explorer = page.locator(".bl-explore").nth(place)
        explorer.locator("input").focus()
        last = python.count + 1
        wait_for(explorer, 1, python)
        for position in range(2, last + 1):
            page.keyboard.press("ArrowRight")
            wait_for(explorer, position, python)
        page.keyboard.press("ArrowRight")  # nothing comes after the sum
        wait_for(explorer, last, python)
        page.keyboard.press("ArrowLeft")
        wait_for(explorer, last - 1, python)
        page.keyboard.press("Home")
        wait_for(explorer, 1, python)


def test_buttons_go_on_and_back_by_mouse_and_by_keyboard(page, server):
    opened(page, server)
    explorer, python = page.locator(".bl-explore").first, in_python()[0]
    onward = explorer.get_by_role("button", name="path: next")
    onward.click()
    wait_for(explorer, 2, python)
    page.keyboard.press("ArrowRight")
    wait_for(explorer, 3, python)
    page.keyboard.press("ArrowLeft")
    wait_for(explorer, 2, python)
    explorer.get_by_role("button", name="path: back").focus()
    page.keyboard.press("Enter")
    wait_for(explorer, 1, python)


def test_axe_finds_nothing_serious(page, server):
    opened(page, server)
    found = Axe().run(page, context=".bl-explore").response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
