"""Notebooks as they are committed: ``python -m tools.normalise FILE …``, without executing anything.

Cells get fixed ids, and execution counts from 1; widget views are taken out (without their model they show an
error), and whatever an editor leaves in the metadata. pre-commit runs it on every notebook that changes.

What must hold: a notebook that was not executed from top to bottom is not made to look as if it were; what
changed is written back and reported, so that it is looked at before a commit; doing it twice changes nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat

VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def prepare(book, name: str) -> None:
    """Fix what does not depend on a run: ids, tags, what stays folded, the cut into slides, the kernel."""
    for number, cell in enumerate(book.cells):
        cell.id = f"{name[:2]}-{number:02}"
        cell.metadata = {key: cell.metadata[key] for key in ("tags", "nbgrader") if cell.metadata.get(key)}
        tags = cell.metadata.get("tags", ())
        if "reveal" in tags:  # what a learner is to predict stays folded until the cell is run
            # Both: where the second is missing JupyterLab adds it, and the file counts as changed.
            cell.metadata |= {"jupyter": {"outputs_hidden": True}, "collapsed": True}
        if "install" in tags:
            cell.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}  # Colab's word for it
        cell.metadata["slideshow"] = {"slide_type": slide_type(cell, tags)}
    shown = [
        cell.metadata["slideshow"] for cell in book.cells if "install" not in cell.metadata.get("tags", ())
    ]
    if shown[1]["slide_type"] == "-":
        shown[1]["slide_type"] = "subslide"  # a slide that is there from the start never scrolls: title alone
    book.metadata = dict(METADATA)
    book.nbformat_minor = 5


def slide_type(cell, tags) -> str:
    """A cell's place among slides: a heading opens one to the right; a text, or a picture, one below it."""
    if "install" in tags:
        return "skip"
    if cell.cell_type == "markdown":
        return "slide" if cell.source.startswith("#") else "subslide"
    if "reveal" in tags:
        return "fragment"  # comes with the next click
    pictured = any("text/html" in output.get("data", ()) for output in cell.outputs)
    return "subslide" if pictured else "-"


def normalise(book, name: str) -> None:
    """Prepare a notebook that was run, and fix what the run has left.

    Raises ValueError unless every cell was executed, in order, and without an error.
    """
    prepare(book, name)
    code = [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in code]
    if None in counts or counts != sorted(set(counts)):
        raise ValueError("its cells were not executed from top to bottom")
    for count, cell in enumerate(code, 1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                raise ValueError(f"an error is saved after {cell.source.splitlines()[0]!r}")
            if "execution_count" in output:
                output.execution_count = count
            if "data" in output:
                output.data.pop(VIEW, None)
                output.metadata.pop(VIEW, None)
    nbformat.validate(book)


def text_of(book) -> str:
    """The notebook as it stands in its file."""
    return nbformat.writes(book, ensure_ascii=False) + "\n"


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.normalise", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="notebooks of the series")
    status = 0
    for path in parser.parse_args(arguments).files:
        before = path.read_text("utf-8")
        book = nbformat.reads(before, as_version=4)
        try:
            normalise(book, path.name)
        except ValueError as error:
            print(f"{path}: {error}; run python -m tools.refresh {path.name[:2]}")
            status = 1
            continue
        after = text_of(book)
        if after != before:
            path.write_text(after, "utf-8")
            print(f"{path}: put in order; look at it, and add it again")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
