"""The reference as a site: every public name, and the notebooks: ``python -m tools.reference FOLDER``.

``pip install ".[reference]"`` brings what it needs. The names come from their docstrings, the notebooks are
run anew, and a step-through in them is the page that it saves: it works without a kernel.

What must hold: a warning of Sphinx is an error; no other server is asked for anything; the repository stays
as it is.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import nbformat
from nbclient import NotebookClient

import backprop_lab as bl
from tools.normalise import VIEW

ROOT = Path(__file__).parent.parent
# Run before a notebook: a step-through shows itself as its saved page.
LIVE = """
from html import escape
from backprop_lab.stepping.step_through import StepThrough
def _as_page(self, **how):
    fit = (  # as high as its content, also when something in it is unfolded
        "const frame = this, body = frame.contentDocument.body;"
        "new ResizeObserver(() => frame.style.height = body.offsetHeight + 40 + 'px').observe(body)"
    )
    page = escape(self._page())
    frame = f'<iframe class="step-through" title="{escape(repr(self))}" onload="{fit}" srcdoc="{page}">'
    return {"text/plain": repr(self), "text/html": frame + "</iframe>"}
StepThrough._repr_mimebundle_ = _as_page
"""


def build(site: Path):
    """Write the site into ``site``."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        (source / "names.rst").write_text(names(), "utf-8")
        notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
        for path in notebooks:
            nbformat.write(live(path), source / path.name)
        (source / "index.md").write_text(index([path.stem for path in notebooks]), "utf-8")
        sphinx = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
        subprocess.run([*sphinx, "-c", ROOT / "docs", place, site], check=True)
    shutil.rmtree(site / ".doctrees", ignore_errors=True)


def names() -> str:
    """The page of all public names, for autodoc."""
    parts = ["Reference", "=========", "", "``import numpy as np, backprop_lab as bl``", ""]
    for title, homes in bl.PUBLIC.items():
        parts += [title, "-" * len(title), ""]
        for name in (name for names in homes.values() for name in names):
            parts += entries(name)
    return "\n".join(parts)


def entries(name: str) -> list[str]:
    """The lines for autodoc of one public name: a function, a class, or all functions of a module."""
    public = getattr(bl, name)
    if isinstance(public, ModuleType):
        inside = (member for member in public.__all__ if callable(getattr(public, member)))
        return [line for member in inside for line in (f".. autofunction:: backprop_lab.{name}.{member}", "")]
    if isinstance(public, type):
        return [f".. autoclass:: backprop_lab.{name}", "   :members:", ""]
    return [f".. autofunction:: backprop_lab.{name}", ""]


def index(notebooks: list[str]) -> str:
    """The first page, with the tables of contents."""
    listed = "\n".join(notebooks)
    return (
        "# backprop_lab\n\nWrite NumPy, get a graph: step it green forwards, step it red backwards.\n\n"
        f"```{{toctree}}\n:caption: Notebooks\n\n{listed}\n```\n\n"
        "```{toctree}\n:caption: Names\n\nnames\n```\n"
    )


def live(path: Path):
    """A notebook, run anew, in which step-throughs work without a kernel."""
    book = nbformat.read(path, as_version=4)
    book.cells = [cell for cell in book.cells if "install" not in cell.metadata.get("tags", ())]
    book.cells.insert(0, nbformat.v4.new_code_cell(LIVE))
    NotebookClient(book, timeout=120, kernel_name="python3", coalesce_streams=True).execute()
    del book.cells[0]
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(VIEW, None)
        if cell.cell_type == "markdown":  # another server would draw the diagrams: show their words
            cell.source = re.sub(r"```mermaid.*?accDescr: (.*?)\n.*?```", r"*\1*", cell.source, flags=re.S)
    return book


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.reference", description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="a folder for the site")
    build(parser.parse_args(arguments).site)
    return 0


if __name__ == "__main__":
    sys.exit(main())
