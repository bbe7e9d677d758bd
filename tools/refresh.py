"""Execute the notebooks and write them back as they are committed: ``python -m tools.refresh [NUMBER …]``.

Without a number the README's film, the lecture's network step by step, is made anew as well.

Cells get fixed ids and execution counts in order; widget views are taken out (without their model they
show an error), so that the pictures and tables beside them are what a reader sees before running.
Running it twice changes nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import backprop_lab as bl
from tools import graphs

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
FILM = Path(__file__).parent.parent / "docs" / "lecture.gif"
VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def refresh(path: Path) -> bool:
    """Execute one notebook and write it back; whether its file changed."""
    before = path.read_text("utf-8")
    book = nbformat.reads(before, as_version=4)
    for number, cell in enumerate(book.cells):
        cell.id = f"{path.name[:2]}-{number:02}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if "reveal" in tags:  # what a learner is to predict stays folded until the cell is run
            cell.metadata["jupyter"] = {"outputs_hidden": True}
    book.metadata = dict(METADATA)
    NotebookClient(
        book,
        timeout=60,
        kernel_name="python3",
        coalesce_streams=True,  # else what is printed is cut where the machine happened to be slow
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    count = 0
    for cell in book.cells:
        cell.metadata.pop("execution", None)  # the times at which it ran
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "data" in output:
                output.data.pop(VIEW, None)
                output.metadata.pop(VIEW, None)
    book.metadata = dict(METADATA)
    book.nbformat_minor = 5
    nbformat.validate(book)
    after = nbformat.writes(book, ensure_ascii=False) + "\n"
    path.write_text(after, "utf-8")
    return after != before


def refresh_film() -> bool:
    """Make the film of the README; whether its file changed."""
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
            _tell(path, changed)
    if not numbers:
        _tell(FILM, refresh_film())
    return 0


def _tell(path, changed):
    print(f"{path.name}: {'changed' if changed else 'unchanged'}, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    sys.exit(main())
