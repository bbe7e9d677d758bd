"""The committed notebooks are complete and small, so that comparing their outputs means something.

nbval never compares a cell that was not executed, and says nothing about a saved error or a saved
widget that no reader can see. Here every rule is a function that says what breaks it; the rules are
also shown a broken notebook each, so that none of them can fall asleep.
"""

import copy
import json
import re
from pathlib import Path
from statistics import median

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST_FILE = 300 * 1024
LONGEST_CODE_CELL = 8
LONGEST_TYPICAL_TEXT = 50
FEWEST_CELLS, MOST_CELLS = 10, 45
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def test_the_series_is_there():
    assert NOTEBOOKS, f"no notebooks in {FOLDER}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_sound(path):
    text = path.read_text(encoding="utf-8")
    assert faults(json.loads(text)) == []
    assert len(text.encode()) <= LARGEST_FILE


def faults(notebook):
    """Every rule that the notebook breaks, in words."""
    return [fault for rule in RULES for fault in rule(notebook)]


# The rules ----------------------------------------------------------------------------------------


def follows_the_format(notebook):
    try:
        nbformat.validate(copy.deepcopy(notebook))
    except nbformat.ValidationError as error:
        yield f"not a notebook as the format wants it: {error.message}"


def executed_once_in_order(notebook):
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not executed from top to bottom in one go: {counts}"


def no_errors_saved(notebook):
    for cell, output in outputs(notebook):
        expected = "raises-exception" in cell["metadata"].get("tags", [])
        if output["output_type"] == "error" and not expected:
            yield f"a saved error: {output['ename']} after {source(cell)[:60]!r}"


def no_widgets_saved(notebook):
    if "widgets" in notebook["metadata"]:
        yield "widget state saved in the metadata"
    for cell, output in outputs(notebook):
        if WIDGET_VIEW in output.get("data", {}):
            yield f"a saved widget view after {source(cell)[:60]!r}"


def every_cell_has_a_name(notebook):
    names = [cell.get("id") for cell in notebook["cells"]]
    if not all(names) or len(set(names)) < len(names):
        yield "cells without an id, or with the same one"


def code_cells_are_short(notebook):
    for cell in code_cells(notebook):
        lines = [line for line in source(cell).splitlines() if line.strip()]
        if len(lines) > LONGEST_CODE_CELL:
            yield f"a code cell of {len(lines)} lines: {lines[0]!r}"


def texts_are_short(notebook):
    words = [
        sum(bool(re.search(r"\w", word)) for word in source(cell).split())
        for cell in notebook["cells"]
        if cell["cell_type"] == "markdown"
    ]
    if words and median(words) > LONGEST_TYPICAL_TEXT:
        yield f"the typical text has {median(words)} words"


def neither_a_scrap_nor_a_book(notebook):
    count = sum("install" not in cell["metadata"].get("tags", ()) for cell in notebook["cells"])
    if not FEWEST_CELLS <= count <= MOST_CELLS:
        yield f"{count} cells"


RULES = [
    follows_the_format,
    executed_once_in_order,
    no_errors_saved,
    no_widgets_saved,
    every_cell_has_a_name,
    code_cells_are_short,
    texts_are_short,
    neither_a_scrap_nor_a_book,
]


def source(cell):
    return "".join(cell["source"])


def code_cells(notebook):
    """The cells of code that hold anything."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and source(cell).strip()]


def outputs(notebook):
    return [(cell, output) for cell in code_cells(notebook) for output in cell["outputs"]]


# The rules are awake ------------------------------------------------------------------------------


@pytest.fixture
def notebook():
    v4 = nbformat.v4
    cells = []
    for number in range(1, 7):
        shown = v4.new_output("execute_result", {"text/plain": "2", "image/png": "iVBORw0KGgo="})
        shown["execution_count"] = number
        cells.append(v4.new_markdown_cell("What is 1 + 1?"))
        cells.append(v4.new_code_cell("1 + 1", execution_count=number, outputs=[shown]))
    return json.loads(nbformat.writes(v4.new_notebook(cells=cells)))


def test_a_sound_notebook_breaks_no_rule(notebook):
    assert faults(notebook) == []


def test_an_empty_code_cell_need_not_be_executed(notebook):
    empty = {"cell_type": "code", "id": "end", "metadata": {}, "source": [], "outputs": []}
    notebook["cells"].append({**empty, "execution_count": None})
    assert faults(notebook) == []


def test_an_error_may_be_saved_where_the_cell_says_so(notebook):
    save_error(notebook)
    notebook["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    assert faults(notebook) == []


def save_error(notebook):
    error = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}
    notebook["cells"][1]["outputs"] = [error]


def save_widget_view(notebook):
    notebook["cells"][1]["outputs"][0]["data"][WIDGET_VIEW] = {"model_id": "1"}


BREAKAGES = {
    "not a notebook": lambda notebook: notebook["cells"][0].update(cell_type="poem"),
    "one cell was never executed": lambda notebook: notebook["cells"][3].update(execution_count=None),
    "cells were executed out of order": lambda notebook: notebook["cells"].reverse(),
    "an error is saved": save_error,
    "a widget view is saved": save_widget_view,
    "widget state is saved": lambda notebook: notebook["metadata"].update(widgets={}),
    "a cell has no id": lambda notebook: notebook["cells"][0].pop("id"),
    "two cells have one id": lambda notebook: notebook["cells"][0].update(id=notebook["cells"][1]["id"]),
    "a code cell is long": lambda notebook: notebook["cells"][1].update(source="x = 1\n\n" * 9),
    "the texts are long": lambda notebook: [
        cell.update(source="word " * 51) for cell in notebook["cells"][::2]
    ],
    "there are too few cells": lambda notebook: notebook.update(cells=notebook["cells"][:4]),
    "there are too many cells": lambda notebook: notebook["cells"].extend(
        {"cell_type": "markdown", "id": f"more-{n}", "metadata": {}, "source": ""} for n in range(40)
    ),
}


@pytest.mark.filterwarnings("ignore")  # nbformat mends some of these while it complains
@pytest.mark.parametrize("breakage", BREAKAGES.values(), ids=BREAKAGES.keys())
def test_a_rule_complains_when(breakage, notebook):
    breakage(notebook)
    assert faults(notebook)
