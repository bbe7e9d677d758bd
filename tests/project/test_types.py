"""Type hints: ``mypy`` checks the package in ``.ci/run``, with the settings of pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import backprop_lab

PACKAGE = Path(backprop_lab.__file__).parent
IGNORED = 0  # errors that the checker is told to ignore; this number may only fall


def test_the_package_says_that_it_has_hints():
    assert (PACKAGE / "py.typed").exists()


def test_no_more_errors_are_ignored_than_are_written_down():
    texts = (path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    assert sum(len(re.findall(r"# type: ignore", text)) for text in texts) == IGNORED
