"""Words are spelt as the dictionary of codespell has them: pages, notebooks, self-checks, code and comments.

Its settings, and the words that are right here, stand in pyproject.toml.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
WHERE = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs",
    "backprop_lab",
    "tools",
    "benchmarks",
    "tests",
]


def complaints(*places):
    command = [sys.executable, "-m", "codespell_lib", *map(str, places)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_pages_and_code_are_spelt_right():
    assert complaints(*WHERE) == []


def test_notebooks_are_spelt_right(tmp_path):
    # Their sources alone: what is put out holds pictures as letters and numbers.
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        text = "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        (tmp_path / f"{path.stem}.txt").write_text(text, "utf-8")
    assert complaints(tmp_path) == []


def test_a_word_that_is_spelt_wrong_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("The gradient is " + "recieved" + " here.")  # codespell:ignore
    assert len(complaints(page)) == 1
