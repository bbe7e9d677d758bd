"""Solutions of exercises on paper, folded below the boxes, are right: the boxes are filled in with them."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

import backprop_lab as bl

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
SOLUTION = re.compile(r"<summary>Solution</summary>(.*?)</details>", re.S)
NUMBER = r"[-−]?\d+(?:\.\d+)?"


def on_paper():
    """(the code of all cells so far, the solution) for every cell of boxes whose solution is in words."""
    for path in NOTEBOOKS:
        code = []
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                code.append(cell.source)
            elif (
                (found := SOLUTION.search(cell.source))
                and "bl.fill_in(" in code[-1]
                and "```" not in found[1]
            ):
                yield pytest.param("\n".join(code), found[1], id=f"{path.stem}-{len(code)}")


def boxes(text):
    """{box: number} that a solution names, such as ∂z/∂v = −0.25 · 3 = −0.75: values, and gradients."""
    values, gradients = {}, {}
    for clause in re.split(r"[,;:]\s+|\.\s+|\.$", text):
        if found := re.fullmatch(rf"\s*(∂\w+/∂)?(\w+) =(?:.* )?({NUMBER})\s*", clause):
            slope, name, number = found.groups()
            (gradients if slope else values)[name] = float(number.replace("−", "-"))
    return values, gradients


@pytest.mark.parametrize(("code", "text"), list(on_paper()))
def test_the_numbers_of_a_solution_on_paper_fill_its_boxes(code, text, monkeypatch):
    asked = []

    def fill_in(J, values=(), gradients=()):
        asked.append((J, values, gradients))

    monkeypatch.setattr(bl, "fill_in", fill_in, raising=False)
    exec(compile(code, "<notebook>", "exec"), {})
    monkeypatch.undo()
    J, *empty = asked[-1]
    filled = boxes(text)
    assert all(set(few) <= numbers.keys() for few, numbers in zip(empty, filled, strict=True))
    report = bl.fill_in(J, *filled)
    assert report.ok, report


def test_boxes_are_read_from_a_solution():
    text = "p = 6, s = 2. Backwards: ∂J/∂p = 8 + 24 = 32, ∂J/∂w = −0.5. The rest is 0."
    assert boxes(text) == ({"p": 6, "s": 2}, {"p": 32, "w": -0.5})
