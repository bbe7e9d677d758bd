"""Colab: a first cell that installs only where the lab is missing, and widgets that Colab is told to show.

Colab itself cannot be had here; its module is stood in for.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from importlib.metadata import requires
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
from packaging.requirements import Requirement

import backprop_lab as bl

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
BOOKS = [nbformat.read(path, as_version=4) for path in NOTEBOOKS]
VIEW = "application/vnd.jupyter.widget-view+json"


def test_every_notebook_has_the_same_cell_that_installs_folded_below_its_title():
    for book in BOOKS:
        cell = book.cells[1]
        assert cell.source == BOOKS[0].cells[1].source and cell.outputs == []
        assert cell.metadata.jupyter.source_hidden and cell.metadata.cellView == "form"
        assert sum("install" in c.metadata.get("tags", ()) for c in book.cells) == 1


@pytest.fixture
def installed(monkeypatch):
    """What the cell asks pip for."""
    asked = []
    shell = SimpleNamespace(run_line_magic=lambda magic, line: asked.append((magic, line)))
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    return asked


@pytest.fixture
def missing(monkeypatch):
    """As if the lab were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "backprop_lab" else find(n))


@pytest.fixture
def colab(monkeypatch):
    """Colab's module, which says where its manager of widgets is once it has been asked for it."""
    google, package, output = (ModuleType(n) for n in ("google", "google.colab", "google.colab.output"))
    output._widgets = SimpleNamespace(_installed_url=None)

    def enable_custom_widget_manager():
        output._widgets._installed_url = "https://example.org/manager.js"

    output.enable_custom_widget_manager = enable_custom_widget_manager
    for module in (google, package, output):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return output


def run_the_cell():
    exec(BOOKS[0].cells[1].source, {})


def test_where_the_lab_is_installed_nothing_happens(installed):
    run_the_cell()
    assert installed == []


def test_where_it_is_missing_it_is_installed_with_all_that_it_needs(installed, missing):
    run_the_cell()
    assert installed == [("pip", "install -q backprop-lab")]


def test_in_colab_only_what_colab_has_not_is_installed(installed, missing, colab):
    run_the_cell()
    ((_, line),) = installed
    few = line.split()[line.split().index("--no-deps") + 1 :]
    assert few[0] == "backprop-lab"
    in_colab = {"numpy", "matplotlib", "ipywidgets", "tqdm", "typing-extensions", "jupyterlab"}
    all_of_both = [Requirement(r) for name in ("backprop-lab", "anywidget") for r in requires(name)]
    needed = {r.name for r in all_of_both if r.marker is None or r.marker.evaluate({"extra": ""})}
    assert needed - in_colab == {*few[1:]}


def test_in_colab_every_widget_says_where_the_manager_of_widgets_is(colab):
    from anywidget import _util

    _util.enable_custom_widget_manager_once.cache_clear()
    x = bl.variable("x", 3.0)
    shown = [
        bl.step_through(x * x),
        bl.question("06-fork"),
        bl.which_function(x * x),
        bl.explore.paths(x * x, x),
        bl.explore.training("moons"),
    ]
    for widget in shown:
        data, metadata = widget._repr_mimebundle_()
        assert VIEW in data
        assert metadata[VIEW]["colab"]["custom_widget_manager"]["url"] == "https://example.org/manager.js"
    _util.enable_custom_widget_manager_once.cache_clear()
