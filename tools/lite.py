"""The series as a static site that runs in the browser alone: ``python -m tools.lite FOLDER``.

``pip install ".[lite]"`` brings what it needs. The site is JupyterLite with its Python kernel, our wheel and
those of the widgets. Only the runtime itself, Python and NumPy for browsers, is fetched when a page is
opened, from its CDN or from a copy at ``--runtime URL``.

What must hold: the notebooks are those of the series but for their first cell, which installs in another way;
no other server is asked for anything.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from tools import graphs

ROOT = Path(__file__).parent.parent
PINS = ROOT / "binder" / "requirements.txt"
# What the widgets need beside the runtime's own packages, all without compiled parts.
WHEELS = ["anywidget", "comm", "ipywidgets", "jupyterlab_widgets", "psygnal", "tqdm", "typing_extensions"]
INSTALL = f"""# Only in the browser: brings the lab into this page's Python.
%pip install -q matplotlib
%pip install -q --no-deps {" ".join(WHEELS)}
%pip install -q --no-deps backprop-lab"""
FIRST = "00-start-here.ipynb"
PAGE = "step-through.html"
THEME = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}}  # the reader's, light or dark
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


def build(site: Path, runtime: str | None = None):
    """Write the site into the folder ``site``, which must be empty or not there yet."""
    if site.exists() and any(site.iterdir()):
        raise SystemExit(f"{site} is not empty; give another folder, or empty it")
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        _gather_wheels(source / "pypi")
        _gather_contents(source / "files")
        (source / "jupyter-lite.json").write_text(json.dumps(settings(runtime)))
        (source / "overrides.json").write_text(json.dumps(THEME))
        options = ["--no-sourcemaps", "--no-unused-shared-packages", "--apps", "lab", "--apps", "notebooks"]
        places = ["--contents", str(source / "files"), "--output-dir", str(site.absolute())]
        command = ["jupyter", "lite", "build", "--lite-dir", place, *options, *places]
        _run(*command, cwd=place)  # it leaves notes in the current folder
    _open_the_first_notebook(site)


def settings(runtime: str | None) -> dict:
    """JupyterLite's settings: its name, and where the runtime comes from."""
    plugins = {KERNEL: {"pyodideUrl": runtime}} if runtime else {}
    config = {"appName": "backprop_lab", "litePluginSettings": plugins}
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}


def _gather_wheels(folder: Path):
    """Our wheel, and those of the widgets in the versions that the series is pinned to."""
    _run(
        "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)
    )
    portable = "--only-binary=:all: --platform any --implementation py --abi none --python-version 3.13"
    _run("pip", "download", "-q", "--no-deps", *portable.split(), "-d", str(folder), "-c", str(PINS), *WHEELS)


def _gather_contents(folder: Path):
    """The notebooks, with the cell that installs, and a step-through that needs no Python at all."""
    folder.mkdir()
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        book = nbformat.read(path, as_version=4)
        (cell,) = (cell for cell in book.cells if "install" in cell.metadata.get("tags", ()))
        cell.source = INSTALL
        nbformat.write(book, folder / path.name)
    import backprop_lab as bl

    bl.step_through(graphs.lecture()).save(folder / PAGE)


def _open_the_first_notebook(site: Path):
    """Let the site's own address lead to the first notebook; JupyterLite's leads to an empty Lab.

    Only the script is replaced: other pages read their settings from this one.
    """
    page = site / "index.html"
    before, script, after = page.read_text("utf-8").partition("await import('./config-utils.js');")
    if not script:
        raise SystemExit("JupyterLite's index.html is another than was expected: see tools/lite.py")
    page.write_text(f"{before}window.location.replace('lab/index.html?path={FIRST}');{after}", "utf-8")


def _run(*command: str, cwd: str | None = None):
    """Run a command of the environment of this Python."""
    program = shutil.which(command[0], path=str(Path(sys.executable).parent))
    if program is None:
        raise SystemExit(f'{command[0]} is not installed here: pip install ".[lite]"')
    subprocess.run([program, *command[1:]], check=True, cwd=cwd)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.lite", description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="an empty folder for the site")
    parser.add_argument(
        "--runtime", metavar="URL", help="a copy of the runtime: the address of its pyodide.mjs"
    )
    given = parser.parse_args(arguments)
    build(given.site, given.runtime)
    megabytes = sum(path.stat().st_size for path in given.site.rglob("*") if path.is_file()) / 1e6
    print(
        f"{given.site}: {megabytes:.0f} MB. To look at it: python -m http.server -d {given.site} -b 127.0.0.1"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
