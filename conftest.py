"""How every test run is set up: how strictly notebooks are compared, and which skips are allowed.

Saved outputs are compared byte for byte only where all pinned distributions have their pinned
versions; elsewhere the notebooks must merely run. Under CI a test may be skipped only for a reason
that stands in tests/allowed_skips.txt, so that nothing stops being tested unnoticed. A test is marked
"browser" or "notebook" by what it starts.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from fnmatch import fnmatchcase
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager
from nbval.plugin import IPyNbCell
from packaging.requirements import Requirement

ROOT = Path(__file__).parent
# What the outputs hang on most; a run without one of these cannot claim to be the pinned one.
NEEDED = {"numpy", "matplotlib", "ipywidgets", "anywidget", "ipykernel", "ipython"}


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    differences = differences_from_pins((ROOT / "binder" / "requirements.txt").read_text())
    if option.nbval or option.nbval_lax:
        config.stash[HEADER] = "notebooks: as asked for on the command line"
    else:
        # nbval looks at these two when it collects a notebook, so here is early enough.
        option.nbval, option.nbval_lax = not differences, bool(differences)
        config.stash[HEADER] = (
            f"notebooks: lax, they must run; outputs are not compared, as {summary(differences)}"
            if differences
            else "notebooks: strict, outputs must be the saved ones; all pinned versions are here"
        )
    option.nbval_current_env = not option.nbval_kernel_name
    option.nbval_cell_timeout = min(option.nbval_cell_timeout, 60)
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(ROOT / "tests" / "nbval_sanitize.cfg")
    if sys.platform == "linux":  # a free port that is found for a kernel may be taken before it is there
        sockets = TemporaryDirectory()
        config.add_cleanup(sockets.cleanup)
        files = {"transport": "ipc", "ip": f"{sockets.name}/kernel"}
        nbval.kernel.KernelManager = partial(KernelManager, **files)
    # Of xdist's processes, the main one sees the reports of all.
    if os.environ.get("CI", "").lower() in ("true", "1") and not hasattr(config, "workerinput"):
        allowed = (ROOT / "tests" / "allowed_skips.txt").read_text(encoding="utf-8")
        config.pluginmanager.register(SkipWatch(allowed_skips(allowed)))


HEADER = pytest.StashKey[str]()
# The fixtures that start something which takes long.
STARTS = {"browser": pytest.mark.browser, "jupyterlab": pytest.mark.browser, "kernel": pytest.mark.notebook}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker(pytest.mark.notebook)
        for fixture in STARTS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(STARTS[fixture])
    if "PYTEST_XDIST_WORKER" in os.environ:  # long files first: no process waits for the other at the end
        seconds = Counter()
        for item in items:
            seconds[item.path] += sum(
                mark.kwargs.get("seconds", SECONDS.get(mark.name, 0)) for mark in item.iter_markers()
            )
        items.sort(key=lambda item: -seconds[item.path])


SECONDS = {"browser": 4, "slow": 2, "notebook": 0.3}  # about so long takes a test with this mark


def pytest_report_header(config: pytest.Config) -> str:
    return config.stash[HEADER]


def differences_from_pins(pins: str) -> list[str]:
    """Say where this environment differs from the pins; pins of absent packages do not count."""
    found = []
    for line in pins.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        pin = Requirement(line)
        if pin.marker and not pin.marker.evaluate():
            continue
        try:
            installed = version(pin.name)
        except PackageNotFoundError:
            if pin.name in NEEDED:
                found.append(f"{pin.name} is missing")
            continue
        if installed not in pin.specifier:
            found.append(f"{pin.name} is {installed}, pinned {pin.specifier}")
    return found


def summary(differences: list[str]) -> str:
    more = len(differences) - 3
    return "; ".join(differences[:3]) + (f"; and {more} more differ" if more > 0 else "")


class SkipWatch:
    """Fails the run, naming the test, when one is skipped that is not on the list."""

    def __init__(self, allowed: list[str]):
        self.allowed = allowed
        self.surprises: list[str] = []

    def _see(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # An expected failure is reported as skipped, too, but it did run.
        if report.skipped and not hasattr(report, "wasxfail"):
            name = report.nodeid
            # A test's parameters stand in [], which a pattern would take for a set of letters.
            if not any(name == entry or fnmatchcase(name, entry) for entry in self.allowed):
                reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
                self.surprises.append(f"{name} ({reason.removeprefix('Skipped: ')})")

    pytest_runtest_logreport = _see
    pytest_collectreport = _see

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.surprises and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for surprise in self.surprises:
            terminalreporter.write_line(
                f"Skipped but not listed in tests/allowed_skips.txt: {surprise}", red=True
            )


def allowed_skips(text: str) -> list[str]:
    """Read the list: "node id or pattern  # reason" per line; lines of comment and empty ones."""
    entries = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            entry, _, reason = line.partition(" # ")
            if not reason.strip():
                raise pytest.UsageError(f"tests/allowed_skips.txt: no reason given for {line!r}")
            entries.append(entry.strip())
    return entries
