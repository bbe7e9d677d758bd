"""What the series owes as a whole: every slide of the lecture, and every classic confusion, has its place."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from backprop_lab.exercises.questions import bank

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
START = NOTEBOOKS[0]
NOTE = r"^\*lecture: slide “(.*?)”\*$"


def texts(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]


def slides():
    """(slide, file, section or None) for each place that the table in notebook 00 names."""
    rows = re.findall(r"^\| L(\d+) \| (.*?) \| (.*?) \|$", "\n".join(texts(START)), re.M)
    assert [int(number) for number, _, _ in rows] == list(range(1, 14))
    for _, slide, where in rows:
        section = re.search("“(.*?)”", where)
        names = re.findall(r"\]\((.*?)\)", where) + [START.name] * where.startswith("here")
        for name in names:
            yield slide, name, section and section[1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_says_where_it_shows_each_slide_that_is_its_own(path):
    whole = "\n".join(texts(path))
    sections = {part.partition("\n")[0]: part for part in re.split(r"^#+ ", whole, flags=re.M)}
    for slide, name, section in slides():
        if name == path.name:
            part = sections[section] if section else whole
            assert slide in re.findall(NOTE, part, re.M), f"{path.name} does not show “{slide}” in {section}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_note_in_the_margin_names_a_slide_of_the_lecture(path):
    named = {slide for slide, _, _ in slides()}
    for text in texts(path):
        assert set(re.findall(NOTE, text, re.M)) <= named
        assert text.count("*lecture: ") == len(re.findall(NOTE, text, re.M))


# The confusion, and the wrong answer that shows it: a question and what is given there.
CONFUSIONS = {
    "a composition is a product": ("01-composition", "cos(x) · x² + sin(x) · 2x"),
    "the outer slope is taken at the input": ("01-slope", 0.2122116),
    "the inner factor stands inside the outer function": ("01-composition", "cos(2x)"),
    "the inner factor is lost": ("01-slope", -0.628174),
    "a gradient multiplies paths": ("02-first", 60),
    "one path is enough": ("02-first", 6),
    "the Jacobian has a row for each input": ("03-shape", "3 × 2"),
    "a gradient goes through without the transpose": ("03-blank", (0, 6.9282032)),
    "the seed of two outputs is a 1": ("03-seed", "1"),
    "entry by entry and matrix product are one": ("03-elementwise", "Because tanh multiplies by a matrix"),
    "backpropagation is learning": ("00-learning", "Updating the parameters until the cost is small"),
    "the backward pass moves the parameters": ("00-does-w-move", "−22"),
    "there is a gradient before the backward pass": ("00-grad-before", "0"),
    "a seed is always a single 1": ("06-seed-shape", "A single 1, as always"),
    "the larger factor gets the larger gradient": ("06-bigger", "x, the larger one"),
    "the derivative of the activation is missing": ("06-gate", (4, -7)),
    "max passes to both": ("06-max", (3, 3)),
    "the Jacobian is not transposed": ("06-transposed", (2, -3)),
    "paths multiply": ("06-fork", (-12, -5)),
    "= instead of +=": ("06-fork", (-2, 5)),
    "a product does not swap": ("06-order", 306),
    "a matrix's gradient is transposed": ("06-weights", (8, -2, 12, -3)),
    "everything must be kept for the way back": ("05-kept", "All of them"),
    "a node passes on before its sum is whole": ("06-order", 126),
    "one pass for each parameter": ("06-passes", 8),
    "a second backward pass adds": ("06-twice", "They double"),
    "1/N is forgotten": ("07-mean", (4, 2, 6)),
    "the gradient of a bias is not summed": ("07-bias", (1.3333333333333333, 0.6666666666666666, 2)),
    "the update comes in the middle of the backward pass": ("07-update-midway", (-30, -12)),
    "the update goes with the gradient": ("08-sign", 1.916),
    "a larger learning rate is better in proportion": ("08-too-large", "About 0.2: five times smaller"),
    "what does not settle needs a larger learning rate": ("08-curve", "A larger learning rate"),
    "a minibatch step always lowers the full cost": (
        "08-minibatch",
        "Yes: the minibatch is a part of the data",
    ),
    "a zero gradient is a minimum": ("08-zero-gradient", "Nothing but a minimum"),
    "a small gradient is a small error": ("08-saturated", "The error is small"),
    "a dead unit learns by its bias": ("08-dead", "Its bias"),
    "what overfits has not learned enough": ("09-overfit", "It has not learned long enough"),
    "λ is taken for λ/2": ("09-meet", (2, 4)),
    "PyTorch's weight decay is λ": ("09-half", 0.01),
    "L2's gradient is in proportion to sign(w)": ("09-meet", (-2, 4)),
    "biases are penalised too": ("09-bias", "Yes: they are parameters like any other"),
    "weight decay and the penalty are one with momentum": ("09-momentum", "Yes: the algebra is the same"),
    "steep directions shrink first": ("09-flat", (0.2, 0.6667)),
    "λ is chosen by the training cost": ("09-choose", "The one with the least training cost"),
    "a check proves a rule everywhere": ("10-proves", "The rules are right everywhere"),
    "PyTorch resets its gradients": ("11-zero-grad", -42),
    "gradients of parts of a batch add": ("11-devices", "It is their sum"),
}


@pytest.mark.parametrize("confusion", CONFUSIONS)
def test_a_question_catches_the_confusion_that(confusion):
    name, wrong = CONFUSIONS[confusion]
    assert wrong in bank()[name]["wrong"]
