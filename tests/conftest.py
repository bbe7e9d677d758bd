"""A real Chromium for the tests that ask for one by name: ``browser``, or a new ``page`` in it.

A page may speak to loopback only: a request to any other machine fails the test, and so does an error in a
script.
"""

from __future__ import annotations

import os

import pytest

from tools import lab


@pytest.fixture(scope="module")
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
