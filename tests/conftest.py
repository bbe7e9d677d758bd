"""For the tests that ask for it by name: a real Chromium, `browser`, a new `page` in it, a `jupyterlab`.

A page may speak to loopback only: a request to any other machine fails the test, and so does an error in a
script.
"""

from __future__ import annotations

import os

import pytest

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
        assert page.strangers == [], "a request left the machine"
        assert page.errors == [], "a script failed"


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """One JupyterLab for all tests, each of which writes its notebooks into ``jupyterlab.folder``."""
    with lab.jupyter(tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("settings")) as server:
        yield server
