"""Execute the notebooks and write them back as they are committed: ``python -m tools.refresh [NUMBER …]``.

Without a number the README's film, the lecture's network step by step, is made anew as well. ``normalise.py``
says what a committed notebook looks like. Running it twice changes nothing.

Notebook 11 shows PyTorch's and JAX's numbers where they are installed: commit it from where both are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import backprop_lab as bl
from tools import graphs
from tools.normalise import normalise, prepare, text_of

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
FILM = Path(__file__).parent.parent / "docs" / "lecture.gif"


def refresh(path: Path) -> bool:
    """Execute one notebook and write it back; return whether its file changed."""
    before = path.read_text("utf-8")
    book = nbformat.reads(before, as_version=4)
    prepare(book, path.name)
    NotebookClient(
        book,
        timeout=60,
        kernel_name="python3",
        coalesce_streams=True,  # else what is printed is cut where the machine happened to be slow
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    normalise(book, path.name)
    after = text_of(book)
    path.write_text(after, "utf-8")
    return after != before


def refresh_film() -> bool:
    """Make the film of the README; return whether its file changed."""
    before = FILM.read_bytes() if FILM.exists() else b""
    bl.step_through(graphs.lecture()).save(FILM)
    return FILM.read_bytes() != before


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.refresh", description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", help="two-digit numbers of notebooks; all by default")
    numbers = parser.parse_args(arguments).numbers
    for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")):
        if not numbers or path.name[:2] in numbers:
            changed = refresh(path)
            _report(path, changed)
    if not numbers:
        _report(FILM, refresh_film())
    return 0


def _report(path, changed):
    print(f"{path.name}: {'changed' if changed else 'unchanged'}, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    sys.exit(main())
