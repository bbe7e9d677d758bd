"""The site that runs in the browser alone: its parts, and the site itself in a browser.

The site is built by ``python -m tools.lite FOLDER`` in an environment of its own, which downloads; so its
tests need BACKPROP_LAB_SITE=FOLDER, and are skipped without. Those that run notebooks in the page need the
runtime as well: from its CDN, where BACKPROP_LAB_RUNTIME is set, or from the folder that BACKPROP_LAB_PYODIDE
names, if NumPy is in it.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import threading
import time
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path
from typing import ClassVar

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import lab, lite

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
IN_THE_RUNTIME = {"numpy", "matplotlib", "ipython", "traitlets"}  # or in its kernel
NOT_IN_A_BROWSER = {"jupyterlab", "widgetsnbextension"}  # servers, and the front end of another one


def needs(name):
    """The packages that an installed one needs everywhere."""
    found = map(Requirement, requires(name) or ())
    return {r.name for r in found if r.marker is None or r.marker.evaluate({"extra": ""})}


def test_every_wheel_that_the_package_needs_in_a_browser_is_brought():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = {canonicalize_name(Requirement(r).name) for r in project["dependencies"]}
    needed = set()
    while waiting := {canonicalize_name(n) for n in waiting} - needed - IN_THE_RUNTIME - NOT_IN_A_BROWSER:
        needed |= waiting
        waiting = set().union(*(needs(name) for name in waiting))
        waiting -= {"colorama"}  # tqdm's, on Windows
    assert needed == {canonicalize_name(name) for name in lite.WHEELS}


def test_a_runtime_of_ones_own_is_a_single_setting():
    assert lite.KERNEL not in json.dumps(lite.settings(None))
    address = "https://example.org/pyodide/pyodide.mjs"
    config = lite.settings(address)["jupyter-config-data"]
    assert config["litePluginSettings"][lite.KERNEL]["pyodideUrl"] == address


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit, match="not empty"):
        lite.build(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


# ------------------------------------------------------------------------------------------ the site


@pytest.fixture(scope="module")
def site():
    if "BACKPROP_LAB_SITE" not in os.environ:
        pytest.skip("no site: python -m tools.lite FOLDER, then BACKPROP_LAB_SITE=FOLDER")
    return Path(os.environ["BACKPROP_LAB_SITE"])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(handler, site):
    """The address of a server of the site, on this machine."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(site))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def address(site):
    with served(Quiet, site) as address:
        yield address


def test_the_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 30e6


def test_the_notebooks_are_those_of_the_series_but_for_the_cell_that_installs(site):
    for path in NOTEBOOKS:
        book = nbformat.read(site / "files" / path.name, as_version=4)
        assert book.cells[1].source == lite.INSTALL
        as_committed = nbformat.read(path, as_version=4).cells
        assert [*book.cells[:1], *book.cells[2:]] == [*as_committed[:1], *as_committed[2:]]


def test_the_wheels_are_in_the_sites_own_index_and_ours_holds_the_package(site):
    (index,) = [json.loads(p.read_text("utf-8")) for p in (site / "pypi").glob("all.json")]
    assert {canonicalize_name(n) for n in index} >= {
        canonicalize_name(n) for n in [*lite.WHEELS, "backprop-lab"]
    }
    (ours,) = (site / "pypi").glob("backprop_lab-*.whl")
    assert "backprop_lab/stepping/step_through.js" in zipfile.ZipFile(ours).namelist()


def test_the_address_of_the_site_opens_the_first_notebook_beside_all_others(browser, address):
    with lab.new_page(browser, 1280, 900) as page:
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.get_by_text(NOTEBOOKS[-1].name).wait_for()
        listed = page.locator(".jp-DirListing-itemText").all_inner_texts()
        assert {path.name for path in NOTEBOOKS} <= set(listed)
        assert "what backpropagation is, and is not" in page.locator(".jp-Notebook h1").first.inner_text()
        page.locator(".jp-Notebook .jp-RenderedHTMLCommon img").first.wait_for()  # pictures before a run
        assert all("/pyodide/" in stranger for stranger in page.strangers), page.strangers


@pytest.mark.parametrize("dark", [False, True])
def test_the_site_is_as_light_or_dark_as_the_readers_system(dark, browser, address):
    with lab.new_page(browser, 1280, 900, dark=dark) as page:
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        theme = f"body[data-jp-theme-light='{'false' if dark else 'true'}']"
        page.wait_for_selector(theme, state="attached")


@contextlib.contextmanager
def with_runtime(site, place, copy=None):
    """The address of the site, with the runtime of the folder ``copy``, and a list of what is asked of it.

    What a cell gave can be read: JupyterLite hands its application out to scripts of the page.
    """
    asked, settings = [], place / "jupyter-lite.json"

    class WithRuntime(Quiet):
        extensions_map: ClassVar = {**Quiet.extensions_map, ".mjs": "text/javascript"}

        def translate_path(self, path):
            asked.append(path := path.partition("?")[0])
            if path.startswith("/runtime/"):
                return os.path.join(copy, path.removeprefix("/runtime/"))
            return str(settings) if path == "/jupyter-lite.json" else super().translate_path(path)

    with served(WithRuntime, site) as address:
        whole = json.loads((site / "jupyter-lite.json").read_text("utf-8"))
        config = whole["jupyter-config-data"]
        config["exposeAppInBrowser"] = True
        if copy:
            own = lite.settings(f"{address}/runtime/pyodide.mjs")["jupyter-config-data"]
            config["litePluginSettings"][lite.KERNEL] |= own["litePluginSettings"][lite.KERNEL]
        settings.write_text(json.dumps(whole), "utf-8")
        yield address, asked


COPY = os.environ.get("BACKPROP_LAB_PYODIDE")


@pytest.mark.skipif(
    not COPY,
    reason="no copy of the runtime: npm install pyodide, then BACKPROP_LAB_PYODIDE=node_modules/pyodide",
)
def test_a_copy_of_the_runtime_serves_in_place_of_the_cdn(browser, site, tmp_path):
    with with_runtime(site, tmp_path, COPY) as (address, asked), lab.new_page(browser, 1280, 900) as page:
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        deadline = time.monotonic() + 60
        # Python is there, and looks for the packages of its distribution.
        while (
            not any(path.startswith("/runtime/micropip-") for path in asked) and time.monotonic() < deadline
        ):
            page.wait_for_timeout(200)
        assert {"/runtime/pyodide.mjs", "/runtime/pyodide.asm.wasm", "/runtime/python_stdlib.zip"} <= set(
            asked
        )
        assert any(path.startswith("/runtime/micropip-") for path in asked)
        assert page.strangers == []


# --------------------------------------------------------------------------------- Python in the page


@pytest.fixture(scope="module")
def running(site, tmp_path_factory):
    """The address of the site where the runtime can be had whole."""
    whole = COPY and any(Path(COPY).glob("numpy-*.whl"))
    if not whole and "BACKPROP_LAB_RUNTIME" not in os.environ:
        pytest.skip("the runtime is fetched from its CDN: set BACKPROP_LAB_RUNTIME where that may be")
    with with_runtime(site, tmp_path_factory.mktemp("settings"), COPY if whole else None) as (address, _):
        yield address


@pytest.fixture
def opened(browser, running):
    """Opens a notebook where nobody was before, runs all of it, and gives its page."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, base_url=running)

    def run(path):
        page.goto(f"/lab/index.html?path={path.name}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        lab.run_all(page, seconds=300)
        return page

    yield run
    page.close()


OUTPUTS = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .filter(cell => cell.cell_type === 'code').map(cell => cell.outputs)"""


def printed(outputs):
    """What a cell printed; bars of progress go to stderr."""
    texts = [o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout"]
    return "".join("".join(text) for text in texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_the_page(path, opened):
    shown = opened(path).evaluate(OUTPUTS)
    assert [o for outputs in shown for o in outputs if o["output_type"] == "error"] == []
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    ours = [n for n, cell in enumerate(cells) if "install" not in cell.metadata.get("tags", ())]
    if not path.name.startswith("11"):  # which says what is installed, and learns from matplotlib's fonts
        assert [printed(shown[n]) for n in ours] == [printed(cells[n].outputs) for n in ours]


def test_widgets_ask_python_in_the_page(opened):
    page = opened(NOTEBOOKS[0])
    view = page.locator(".bl-step").first
    view.focus()
    page.keyboard.press("End")
    before = view.locator(".bl-panel").inner_text()
    view.locator("summary", has_text="Change the inputs").click()
    field = view.get_by_role("group", name="x", exact=True).locator("input:not([type=range])")
    field.first.fill("4")  # the graph is run again by the kernel
    page.wait_for_function(
        "before => document.querySelector('.bl-step .bl-panel').innerText !== before", arg=before
    )
    picture = view.locator("svg").first.text_content()
    assert "36" in picture and "48" in picture  # J = (4 · 2 − 1 − 1)², and ∂J/∂w = 2 · 6 · 4
    assert "16" not in picture and "24" not in picture  # as they were at x = 3


def test_a_step_through_of_the_site_needs_no_python(browser, address):
    with lab.new_page(browser) as page:
        page.goto(f"{address}/files/{lite.PAGE}")
        frame = page.locator(".bl-step")
        frame.focus()
        before = frame.locator(".bl-panel").inner_text()
        page.keyboard.press("ArrowRight")
        assert frame.locator(".bl-panel").inner_text() != before
        assert page.strangers == [] and page.errors == []
