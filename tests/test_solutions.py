"""The solutions folded below the exercises are right: boxes are filled in with them, their code is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

import backprop_lab as bl

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9]*.ipynb"))
SOLUTION = re.compile(r"<summary>Solution</summary>(.*?)</details>", re.S)
NUMBER = r"[-−]?\d+(?:\.\d+)?"


def code_cells_before(path, number):
    cells = nbformat.read(path, as_version=4).cells[:number]
    return [cell.source for cell in cells if cell.cell_type == "code"]


def solutions(holds):
    """(notebook, number of the cell, text) of every solution of which ``holds(cell before, text)``."""
    for path in NOTEBOOKS:
        before = ""
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type == "code":
                before = cell.source
            elif (found := SOLUTION.search(cell.source)) and holds(before, found[1]):
                yield pytest.param(path, number, found[1], id=f"{path.stem}-{number}")


def on_paper(before, text):
    return "bl.fill_in(" in before


def in_code(before, text):
    return "```python" in text


def run(sources):
    """Run cells in one namespace, as a kernel does; what the last one shows, and the namespace."""
    names, shown = {}, None
    for source in sources:
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<cell>", "exec"), names)
        shown = last and eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return shown, names


def boxes(text):
    """{box: number} that a solution names, such as ∂z/∂v = −0.25 · 3 = −0.75."""
    values, gradients = {}, {}
    for clause in re.split(r"[,;:]\s+|\.\s+|\.$", text):
        if found := re.fullmatch(rf"\s*(∂\w+/∂)?(\w+) =(?:.* )?({NUMBER})\s*", clause):
            slope, name, number = found.groups()
            (gradients if slope else values)[name] = float(number.replace("−", "-"))
    return values, gradients


@pytest.mark.parametrize(("path", "number", "text"), solutions(on_paper))
def test_the_numbers_of_a_solution_on_paper_fill_its_boxes(path, number, text, monkeypatch):
    asked = []
    monkeypatch.setattr(bl, "fill_in", lambda J, **given: asked.append((J, given)), raising=False)
    run(code_cells_before(path, number))
    monkeypatch.undo()
    J, given = asked[-1]
    values, gradients = boxes(text)
    assert given["values"].keys() <= values.keys() and given["gradients"].keys() <= gradients.keys()
    report = bl.fill_in(J, values=values, gradients=gradients)
    assert report.ok, report


@pytest.mark.parametrize(("path", "number", "text"), solutions(in_code))
def test_the_code_of_a_solution_runs_and_passes_its_check(path, number, text):
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    report, _ = run([*code_cells_before(path, number), code])
    assert getattr(report, "ok", True), report


def test_boxes_are_read_from_a_solution():
    text = "p = 6, s = 2. Backwards: ∂J/∂p = 8 + 24 = 32, ∂J/∂w = −0.5. The rest is 0."
    assert boxes(text) == ({"p": 6, "s": 2}, {"p": 32, "w": -0.5})


def test_a_wrong_solution_is_noticed():
    report, _ = run(
        [
            "import backprop_lab as bl",
            "x = bl.variable('x', 3.0)\nJ = x * x",
            "bl.fill_in(J, gradients={'x': 9})",
        ]
    )
    assert not report.ok
