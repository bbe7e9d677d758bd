"""A JupyterLab server and a Chromium of their own, for the browser tests and the measurements.

The server listens on a free port of 127.0.0.1, keeps all its settings in a folder of its own, and is ended
with everything it started. The browser reaches loopback only; every other request is recorded and refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_SECONDS = 20  # then a Run All counts as lost; not sooner: another replaces the widgets
HOW_TO_GET_ONE = "no Chromium or Chrome was found; install one, on Debian or Ubuntu: apt-get install chromium"


def find_browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Server(NamedTuple):
    """A running JupyterLab: its address, the token that opens it, and the folder that it shows."""

    address: str
    token: str
    folder: Path


@contextlib.contextmanager
def jupyter(root: Path, settings: Path, plain: bool = False):
    """JupyterLab over the folder ``root``, started as a learner starts it: by ``backprop-lab``.

    ``plain``: by ``jupyter lab`` itself, with what lies in ``settings`` as its own settings. The environment
    variable BACKPROP_LAB_PYTHON names the Python of another environment, with another JupyterLab in it.
    """
    environment = dict(os.environ)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        environment[name] = str(settings / name.lower())
    ours = ["backprop_lab", "--no-browser", "--dir", str(root)]
    theirs = ["jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--ServerApp.root_dir={root}"]
    command = [os.environ.get("BACKPROP_LAB_PYTHON", sys.executable), "-m", *(theirs if plain else ours)]
    log = settings / "server.log"
    with TemporaryDirectory() as runtime:  # a short path: the name of a socket has at most 100 characters
        environment["JUPYTER_RUNTIME_DIR"] = runtime
        _speak_through_files(settings / "jupyter_config_dir")
        with log.open("wb") as output:
            server = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield Server(*_address_and_token(server, log), root)
        finally:
            _end(server)


def _speak_through_files(settings: Path):
    """Let the server reach its kernels without ports, which others may take before the kernel is there."""
    if sys.platform == "linux":
        settings.mkdir(exist_ok=True)
        file = settings / "jupyter_server_config.json"
        file.write_text(json.dumps({"KernelManager": {"transport": "ipc"}}), "utf-8")


def _address_and_token(server, log, seconds=60) -> tuple[str, ...]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"(http://127\.0\.0\.1:\d+)/\S*token=(\w+)", log.read_text("utf-8"))
        if found:
            return found.groups()
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf-8')[-2000:]}")


def _end(server):
    """End the server and its kernels: its whole process group."""
    for stop in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, stop)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


@contextlib.contextmanager
def chromium():
    """A headless browser, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def new_page(browser, width=1280, height=800, dark=False):
    """A page that reaches loopback only; ``page.strangers`` lists every other request, ``page.errors`` the
    errors of scripts."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.strangers, page.errors = [], []

    def guard(route):
        address = urlsplit(route.request.url)
        if address.scheme in ("http", "https") and address.hostname not in ("127.0.0.1", "localhost"):
            page.strangers.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    context.route("**/*", guard)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    try:
        yield page
    finally:
        context.close()


def write_notebook(path: Path, cells: list[str]):
    """A notebook of these cells of code, not run yet."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def open_notebook(page, server: Server, name: str, application="lab/tree"):
    """Open a notebook in JupyterLab, or in Notebook 7 (``"notebooks"``); wait for its cells."""
    page.goto(f"{server.address}/{application}/{name}?reset&token={server.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)


def run_all(page, seconds=90):
    """Run all cells and wait until the last one has run and a widget stands on the page.

    A Run All that comes before the kernel is attached is lost (or asks for a kernel), so this waits for the
    kernel, and then repeats Run All until a cell starts.
    """
    page.wait_for_function(_ATTACHED, timeout=seconds * 1000)
    started = page.evaluate(_STARTED)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not started:
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()
        started = _within(page, _STARTED, PATIENCE_SECONDS)
    page.wait_for_function(_DONE, timeout=seconds * 1000)
    _within(page, _SETTLED, PATIENCE_SECONDS)


def run_again(page, seconds=90):
    """Run the cells that show a widget once more, from the first, and wait for their new widgets."""
    for number in page.evaluate(_MARKED):
        page.evaluate("document.activeElement.blur()")
        page.locator(_CELL.format(number)).click(position={"x": 5, "y": 5})
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Enter")
    page.wait_for_function(f"!document.querySelector('[data-before]') && {_DONE}", timeout=seconds * 1000)


def run_in_new_cell(page, source: str):
    """Type ``source`` into a new last cell and run it."""
    page.locator(".jp-Notebook .jp-Cell").last.click(position={"x": 5, "y": 5})
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")


def shut_down_kernel(page):
    """End the kernel of the notebook, and wait until the page knows."""
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu").get_by_text("Shut Down Kernel", exact=True).click()
    page.wait_for_function("() => /No Kernel|Unknown|Disconnected/.test(document.body.innerText)")


def _within(page, condition, seconds) -> bool:
    """Whether a condition comes true within this time."""
    from playwright.sync_api import TimeoutError

    try:
        page.wait_for_function(condition, timeout=seconds * 1000)
    except TimeoutError:
        return False
    return True


_ATTACHED = """() => {
  const name = document.querySelector('.jp-KernelName, .jp-Toolbar-kernelName');
  const light = document.querySelector('.jp-Notebook-ExecutionIndicator');
  return name && !/No Kernel/.test(name.textContent) && light?.dataset.status === 'idle';
}"""
_WAITING = "[...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"
_WIDGET = "document.querySelector('.bl-step, .bl-question, .bl-explore') !== null"
# The numbers of the cells that show a widget, which is marked.
_MARKED = """() => {
  const widgets = document.querySelectorAll('.bl-step, .bl-question, .bl-explore');
  widgets.forEach(widget => { widget.dataset.before = ''; });
  const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell:has([data-before])')];
  return cells.map(cell => cell.dataset.windowedListIndex);
}"""
_CELL = ".jp-Notebook .jp-Cell[data-windowed-list-index='{}']"  # those far out of sight are not in the page
_STARTED = f"{_WAITING} || {_WIDGET}"
_IDLE = "document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"
_DONE = f"!({_WAITING}) && {_WIDGET} && {_IDLE}"
# Jupyter ends a Run All by moving the focus to the last cell, on a busy machine seconds after the kernel is
# idle; keys that were meant for a widget would then be lost.
_SETTLED = """() => {
  const active = document.querySelector('.jp-Notebook .jp-Cell.jp-mod-active');
  const last = [...document.querySelectorAll('.jp-Notebook .jp-Cell')].at(-1);
  return active && active === last && active.contains(document.activeElement);
}"""
