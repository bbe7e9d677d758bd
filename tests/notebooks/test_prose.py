"""The notebooks' text: every number in it stands in a cell nearby, every link leads somewhere."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))
NEARBY = 6  # cells before and after that a number may come from
# A number of one digit stands in almost every cell by chance, so it is asked for with the word before it or
# after it, in a cell nearer by; digits.txt lists, with both words, those that no cell shows.
NEARER = 2
LISTED = (Path(__file__).parent / "digits.txt").read_text("utf-8").splitlines()
# No cell may show the solutions of exercises on paper; test_solutions.py computes them.
HINTS = r"<details>.*?</details>"
NUMBER = r"[-−]?\d+(?:\.\d+)?"


def cells(path):
    """The cells that a learner reads: without the folded one that installs."""
    book = nbformat.read(path, as_version=4)
    return [cell for cell in book.cells if "install" not in cell.metadata.get("tags", ())]


def prose(text, on_paper=False):
    """What a sentence claims: no code, exponents, indices; no numbers of notebooks, minutes, books, slides.

    ``on_paper``: without the hints and the solution of boxes to be filled in.
    """
    if on_paper:
        text = re.sub(HINTS, " ", text, flags=re.S)
    text = re.sub(r"```.*?```|`[^`]*`|\[\d\d[^]]*\]\([^)]*\)|\]\([^)]*\)", " ", text, flags=re.S)
    text = re.sub(r"(?<=[(,] )(?:19|20)\d\d(?=[;)])|(?<=\()(?:19|20)\d\d(?=\))", " ", text)
    text = re.sub(r"(?:section|chapter)s? [\d.]+(?: and \d+)?", " ", text)
    text = re.sub(
        r"^#.*$|^\d\. |^\| L\d+|\*Time:\* \d+|(?<![\d.])0\d\b(?!\.\d)|notebooks? \d+|class of \d+",
        " ",
        text,
        flags=re.M,
    )
    return re.sub(r"[\^_]\{?-?\d+\}?|\bL2\b", " ", text)


def numbers_in_prose(text):
    """The numbers of more than one digit."""
    found = re.findall(rf"(?<![\w.]){NUMBER}", text)
    return [float(n.replace("−", "-")) for n in found if len(n.strip("-−")) > 1]


SYMBOLS = {"−": "-", "ŷ": "y_hat", "θ": "theta", "λ": "lambda", "η": "eta", "σ": "sigma"}


def words(text):
    """The words and numbers of a text, a formula's symbols named as in code: 3.0 is 3, ∂J/∂w one word."""
    text = re.sub(r"\\partial\s*", "∂", re.sub(r"\\hat\s*\{?y\}?", "y_hat", text))
    for symbol, name in SYMBOLS.items():
        text = text.replace(symbol, name)
    found = re.findall(r"[0-9]+(?:\.[0-9]+)?|∂?[^\W\d_]+(?:/∂[^\W\d_]+)?(?:_hat)?", text)
    return [f"{float(word):g}" if "0" <= word[0] <= "9" else word for word in found]


def digits(text):
    """(word before, digit, word after) for each number of one digit."""
    found = ["", *words(text), ""]
    return [three for three in zip(found, found[1:], found[2:]) if re.fullmatch("[0-9]", three[1])]


def text_of(cell):
    """A code cell as text: its source and what it put out."""
    texts = [cell.source]
    for output in cell.get("outputs", ()):
        texts.append(output.get("text", ""))
        data = output.get("data", {})
        texts.append(data.get("text/plain", ""))
        texts.append(html.unescape(re.sub(r"<[^>]*>|data:image[^\"]*", " ", data.get("text/html", ""))))
        texts += re.findall(r'alt="([^"]*)"', data.get("text/html", ""))
    return " ".join(texts)


def numbers_shown(cell):
    return {abs(float(n.replace("−", "-"))) for n in re.findall(NUMBER, text_of(cell))}


def pairs_shown(cell):
    """Every two words that stand side by side in a code cell."""
    return set(pairwise(words(text_of(cell))))


def passages(path):
    """(number of the cell, what it claims, the code cells nearby, those nearer by) for each cell of text."""
    every = cells(path)

    def code(i, reach):
        return [c for c in every[max(0, i - reach) : i + reach + 1] if c.cell_type == "code"]

    for i, cell in enumerate(every):
        if cell.cell_type == "markdown":
            on_paper = i > 0 and "bl.fill_in(" in every[i - 1].source
            yield i, prose(cell.source, on_paper), code(i, NEARBY), code(i, NEARER)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_number_in_the_text_is_computed_nearby(path):
    for i, text, near, _ in passages(path):
        shown = set().union(*map(numbers_shown, near))
        for number in numbers_in_prose(text):
            assert any(abs(abs(number) - s) < 1e-9 for s in shown), (
                f"{path.name}, cell {i}: nothing nearby shows {number:g}\n\n{text}"
            )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_digit_in_the_text_stands_nearby_with_the_same_word(path):
    listed = [line for line in LISTED if line.startswith(f"{path.name[:2]} ")]
    used = set()
    for i, text, _, near in passages(path):
        pairs = set().union(*map(pairs_shown, near))
        for before, digit, after in digits(text):
            if (before, digit) not in pairs and (digit, after) not in pairs:
                line = f"{path.name[:2]} {before} {digit} {after}".rstrip()
                assert line in listed, f"{path.name}, cell {i}: not nearby and not in digits.txt\n\n{text}"
                used.add(line)
    assert used == {*listed}, "digits.txt has more than the notebook"


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
