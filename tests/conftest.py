"""For the tests that ask for it by name: a real Chromium, `browser`, a new `page` in it, a `jupyterlab`, a
notebook `opened` there.

A page may speak to loopback only: a request to any other machine fails the test, and so does an error in a
script.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from backprop_lab.graph.node import RULES
from tools import lab


@pytest.fixture(scope="module")  # while Playwright is there, asyncio takes its loop for the running one
def browser():
    if lab.find_browser() is None:
        if os.environ.get("CI", "").lower() in ("true", "1"):
            raise RuntimeError(lab.HOW_TO_GET_ONE)
        pytest.skip(lab.HOW_TO_GET_ONE)
    with lab.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser):
    with lab.new_page(browser) as page:
        yield page
        assert_sound(page)


def assert_sound(page):
    assert page.strangers == [], "a request left the machine"
    assert page.errors == [], "a script failed"


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """One JupyterLab for all tests, each of which writes its notebooks into ``jupyterlab.folder``."""
    with lab.jupyter(tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("settings")) as server:
        yield server


@pytest.fixture(scope="module")
def _pages(browser):
    """By their notebooks, the pages that the tests of a file share."""
    with ExitStack() as open_pages:
        yield {}, lambda: open_pages.enter_context(lab.new_page(browser))


@pytest.fixture
def opened(_pages, jupyterlab):
    """``opened(name)``: a page in which this notebook stands open in JupyterLab, and has just been run.

    To open JupyterLab takes longer than most tests: those of a file share the page and the kernel, and the
    cells of the notebook are run again for each.
    """
    pages, new_page = _pages
    used = []

    def opened(name):
        if name in pages:
            lab.run_again(pages[name])
        else:
            pages[name] = new_page()
            lab.open_notebook(pages[name], jupyterlab, name)
            lab.run_all(pages[name])
        used.append(pages[name])
        return pages[name]

    yield opened
    for page in used:
        assert_sound(page)


@pytest.fixture
def table_as_it_was():
    """The table of rules, to which a test adds, is as before when it is over."""
    kept = dict(RULES)
    yield
    RULES.clear()
    RULES.update(kept)
