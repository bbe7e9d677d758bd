"""The notebooks' text: every number in it stands in a cell nearby, every link leads somewhere."""

from __future__ import annotations

import html
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
NEARBY = 6  # cells before and after that a number may come from
# No cell may show the solutions of exercises on paper; test_solutions.py computes them.
HINTS = r"<details>.*?</details>"
NUMBER = r"[-−]?\d+(?:\.\d+)?"


def cells(path):
    """The cells that a learner reads: without the folded one that installs."""
    book = nbformat.read(path, as_version=4)
    return [cell for cell in book.cells if "install" not in cell.metadata.get("tags", ())]


def numbers_in_prose(text, on_paper=False):
    """The numbers a sentence claims: no code, exponents, indices; no numbers of notebooks, minutes, books.

    ``on_paper``: without the hints and the solution of boxes to be filled in.
    """
    if on_paper:
        text = re.sub(HINTS, " ", text, flags=re.S)
    text = re.sub(r"```.*?```|`[^`]*`|\[\d\d[^]]*\]\([^)]*\)|\]\([^)]*\)", " ", text, flags=re.S)
    text = re.sub(r"(?<=[(,] )(?:19|20)\d\d(?=[;)])|(?<=\()(?:19|20)\d\d(?=\))", " ", text)
    text = re.sub(r"(?:section|chapter)s? [\d.]+(?: and \d+)?", " ", text)
    text = re.sub(
        r"^#.*$|\*Time:\* \d+|(?<![\d.])0\d\b(?!\.\d)|notebooks? \d+|class of \d+", " ", text, flags=re.M
    )
    text = re.sub(r"[\^_]\{?-?\d+\}?|\bL2\b", " ", text)
    return [float(n.replace("−", "-")) for n in re.findall(rf"(?<![\w.]){NUMBER}", text)]


def numbers_shown(cell):
    """The numbers of a code cell: in its source and in what it put out, as text."""
    texts = [cell.source]
    for output in cell.get("outputs", ()):
        texts.append(output.get("text", ""))
        data = output.get("data", {})
        texts.append(data.get("text/plain", ""))
        texts.append(html.unescape(re.sub(r"<[^>]*>|data:image[^\"]*", " ", data.get("text/html", ""))))
        texts += re.findall(r'alt="([^"]*)"', data.get("text/html", ""))
    text = " ".join(texts)
    return {abs(float(n.replace("−", "-"))) for n in re.findall(NUMBER, text)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_number_in_the_text_is_computed_nearby(path):
    all_cells = cells(path)
    for i, cell in enumerate(all_cells):
        if cell.cell_type != "markdown":
            continue
        near = all_cells[max(0, i - NEARBY) : i + NEARBY + 1]
        shown = set().union(*(numbers_shown(c) for c in near if c.cell_type == "code"))
        on_paper = i > 0 and "bl.fill_in(" in all_cells[i - 1].source
        for number in numbers_in_prose(cell.source, on_paper):
            assert any(abs(abs(number) - s) < 1e-9 for s in shown), (
                f"{path.name}, cell {i}: nothing nearby shows {number:g}\n\n{cell.source}"
            )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_link_leads_to_a_file_of_the_series(path):
    for cell in cells(path):
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#]+)", cell.source):
                assert (path.parent / target).is_file(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_picture_is_described_in_words(path):
    for cell in cells(path):
        for output in cell.get("outputs", ()):
            page = output.get("data", {}).get("text/html", "")
            assert page.count("<img") == len(re.findall(r'<img [^>]*alt="[^"]{20,}"', page))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_first_interaction_is_reached_by_the_third_code_cell(path):
    code = [c.source for c in cells(path) if c.cell_type == "code"]
    interactive = [
        i
        for i, source in enumerate(code)
        if re.search(r"bl\.(step_through|question|explore|which_function)", source)
    ]
    assert interactive and interactive[0] <= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_each_notebook_opens_with_its_question_and_ends_with_five_lines_to_keep(path):
    text = [c.source for c in cells(path) if c.cell_type == "markdown"]
    assert re.match(r"# \d\d ", text[0])
    assert "**The question.**" in text[0] and "*You need*" in text[0] and "*Time:*" in text[0]
    summary = text[-1]
    assert "## Five lines to keep" in summary and summary.count("\n- ") == 5
