"""The reference: every public name is in it, and the site itself in a browser.

``python -m tools.reference`` builds the site, in an environment of its own: its tests are skipped unless
BACKPROP_LAB_REFERENCE names that environment's Python.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import backprop_lab as bl
from tools import lab, reference

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if "BACKPROP_LAB_REFERENCE" not in os.environ:
        pytest.skip("no Sphinx: set BACKPROP_LAB_REFERENCE to a Python that has backprop_lab[reference]")
    site = tmp_path_factory.mktemp("reference")
    python = os.environ["BACKPROP_LAB_REFERENCE"]
    subprocess.run([python, "-m", "tools.reference", site], cwd=ROOT, check=True)
    return site


def test_every_public_name_has_its_place():
    page = reference.names()
    for name in dir(bl):
        assert re.search(rf"^\.\. auto(function|class):: backprop_lab\.{name}\b", page, re.M), name


@pytest.mark.slow(seconds=60)
@pytest.mark.parametrize("dark", [False, True])
def test_names_and_notebooks_are_there_in_light_and_in_dark_and_nothing_is_asked_of_others(
    site, browser, dark
):
    with lab.new_page(browser, dark=dark) as page:
        page.goto((site / "names.html").as_uri())
        for name in ("variable", "sgd", "explore.fit", "data.digits"):
            assert page.locator(f"dt[id='backprop_lab.{name}']").count() == 1
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, paper[4:-1].split(","))) < 200) == dark
        for notebook in NOTEBOOKS:
            page.goto((site / f"{notebook.stem}.html").as_uri())
            assert page.locator("h1").first.inner_text().startswith(notebook.name[:2])
        assert page.strangers == [] and page.errors == []


@pytest.mark.slow
def test_a_step_through_works_in_a_notebooks_page(site, browser):
    with lab.new_page(browser) as page:
        page.goto((site / "00-start-here.html").as_uri())
        frame = page.frame_locator("iframe.step-through").first
        step = frame.locator(".bl-step")
        before = frame.locator(".bl-panel").inner_text()
        step.click(position={"x": 5, "y": 5})
        step.press("ArrowRight")
        assert frame.locator(".bl-panel").inner_text() != before
        seen, whole = page.locator("iframe.step-through").first.bounding_box(), step.bounding_box()
        assert seen["height"] >= whole["height"]  # nothing of it is cut off
        assert page.strangers == [] and page.errors == []
