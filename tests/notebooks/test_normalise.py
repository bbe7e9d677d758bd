"""Notebooks as they are committed: put in order without a run, and the same after a second one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import backprop_lab as bl
from tools import refresh
from tools.normalise import VIEW, main, normalise, text_of

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_in_order(path):
    before = path.read_text("utf-8")
    book = nbformat.reads(before, as_version=4)
    normalise(book, path.name)
    assert text_of(book) == before


@pytest.fixture
def edited(tmp_path):
    """A notebook as an editor saves it after a run in between."""
    shown = new_output("display_data", {"text/plain": "<widget>", VIEW: {"model_id": "7f"}})
    result = new_output("execute_result", {"text/plain": "2"}, execution_count=9)
    cells = [
        new_markdown_cell("# One", metadata={"editable": True}),
        new_code_cell("w", execution_count=3, outputs=[shown], metadata={"execution": {"busy": "now"}}),
        new_code_cell("1 + 1", execution_count=9, outputs=[result], metadata={"tags": ["reveal"]}),
        new_code_cell(""),
    ]
    path = tmp_path / "42-a-test.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"widgets": {"state": {}}}), path)
    return path


def test_what_an_editor_leaves_is_taken_out_and_a_second_time_nothing_is_left_to_do(edited, capsys):
    assert main([str(edited)]) == 1 and "look at it" in capsys.readouterr().out
    after = edited.read_text("utf-8")
    book = nbformat.reads(after, as_version=4)
    assert [cell.id for cell in book.cells] == ["42-00", "42-01", "42-02", "42-03"]
    assert [cell.get("execution_count") for cell in book.cells] == [None, 1, 2, None]
    assert book.cells[2].outputs[0].execution_count == 2
    folded = {"tags": ["reveal"], "jupyter": {"outputs_hidden": True}, "collapsed": True}
    assert book.cells[2].metadata == {**folded, "slideshow": {"slide_type": "fragment"}}
    assert VIEW not in after and "widgets" not in book.metadata and "editable" not in after
    assert main([str(edited)]) == 0 and edited.read_text("utf-8") == after


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda cell: cell.update(execution_count=None), "from top to bottom"),
        (lambda cell: cell.update(execution_count=99), "from top to bottom"),
        (
            lambda cell: cell.outputs.append(new_output("error", ename="E", evalue="", traceback=[])),
            "error is saved",
        ),
    ],
)
def test_what_was_not_run_well_is_not_made_to_look_so(spoil, said, edited, capsys):
    book = nbformat.read(edited, as_version=4)
    spoil(book.cells[1])
    nbformat.write(book, edited)
    before = edited.read_text("utf-8")
    assert main([str(edited)]) == 1
    told = capsys.readouterr().out
    assert said in told and "python -m tools.refresh 42" in told
    assert edited.read_text("utf-8") == before


@pytest.mark.notebook
def test_a_notebook_refreshed_twice_changes_nothing(tmp_path):
    path = tmp_path / "42-a-test.ipynb"
    sources = [
        "import backprop_lab as bl",
        "x = bl.variable('x', 3.0)\nbl.step_through(x * x)",
        "print(1)\nprint(2)",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    assert refresh.refresh(path)
    once = path.read_text("utf-8")
    assert not refresh.refresh(path) and path.read_text("utf-8") == once


def test_the_hooks_before_a_commit_check_what_is_checked_later_too():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    by_name = {hook["id"]: hook for hook in hooks}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = [r for r in project["optional-dependencies"]["test"] if r.startswith("codespell")]
    assert by_name["codespell"]["additional_dependencies"] == pinned
    pattern = by_name["notebooks"]["files"]
    assert all(re.match(pattern, f"notebooks/{path.name}") for path in NOTEBOOKS)


def test_the_citation_names_the_present_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == bl.__version__ and citation["license"] == "BSD-3-Clause"
