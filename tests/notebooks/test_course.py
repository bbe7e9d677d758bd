"""The exercises as a course: points for what is done, none for what is left, and nbgrader counts them."""

from __future__ import annotations

import ast
import csv
import importlib.util
import itertools
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from kernels import NOTEBOOKS, code
from test_notebooks_run import exercises as solutions_in_code
from test_notebooks_run import solved
from test_solutions import SOLUTION, boxes

from tools import course

MARKED = {
    cell.metadata.nbgrader.grade_id: (path, cell)
    for path in NOTEBOOKS
    for cell in nbformat.read(path, as_version=4).cells
    if "nbgrader" in cell.metadata
}


def done(path):
    """{grade_id: the exercise's cell with its solution}."""
    book, count, found = nbformat.read(path, as_version=4), 0, {}
    in_code = solutions_in_code(path)
    for cell, after in zip(book.cells, [*book.cells[1:], None]):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name and count in in_code:
            found[name] = solved(cell.source, in_code[count])
        elif name:  # worked out on paper
            lines = cell.source.splitlines()
            values, gradients = boxes(SOLUTION.search(after.source)[1])
            found[name] = "\n".join([*lines[:-1], f"{values = }", f"{gradients = }", lines[-1]])
        count += cell.cell_type == "code"
    return found


def test_each_marked_exercise_is_graded_and_no_other():
    assert list(MARKED) == list(course.exercises())
    for name, (path, cell) in MARKED.items():
        assert name.startswith(f"{path.name[:2]}-") and cell.cell_type == "code"
        marks = {"grade": False, "locked": False, "schema_version": 3, "solution": True, "task": False}
        assert cell.metadata.nbgrader == {"grade_id": name, **marks}


def test_each_exercise_with_a_check_is_graded():
    checked = {path: len(solutions_in_code(path)) for path in NOTEBOOKS}
    for path, count in checked.items():
        assert count <= sum(home == path for home, _ in MARKED.values()), path.name


def points(path, kernel, answers):
    """What the counting cells of a notebook's assignment show, its exercises done with these answers."""
    cells = [cell for cell in course.assignment(path).cells if cell.cell_type == "code"]
    names = [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in cells]
    outputs = kernel([answers.get(name, cell.source) for name, cell in zip(names, cells)])
    return {
        name.removesuffix("-points"): number(shown)
        for name, shown in zip(names, outputs)
        if name.endswith("-points")
    }


def number(outputs):
    """What a cell showed last."""
    return ast.literal_eval(outputs[-1]["text/plain"])


def at_most(path):
    """{grade_id: points} of the exercises in a notebook."""
    return {name: ex["points"] for name, ex in course.exercises().items() if MARKED[name][0] == path}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_done_counts_in_full(path, kernel):
    assert points(path, kernel, done(path)) == at_most(path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_left_as_it_stands_counts_nothing_and_in_full_once_it_is_done(path, kernel):
    cells = [cell for cell in course.assignment(path).cells if cell.cell_type == "code"]
    answers, late, counted = done(path), [], []
    for i, (cell, counting) in enumerate(itertools.pairwise(cells), start=1):
        if (name := cell.metadata.get("nbgrader", {}).get("grade_id")) in answers:
            late += [answers[name], counting.source]
            counted.append(i)
    outputs = kernel([*(cell.source for cell in cells), *late])
    assert [number(outputs[i]) for i in counted] == [0] * len(answers)
    assert [number(out) for out in outputs[len(cells) + 1 :: 2]] == list(at_most(path).values())


def test_some_of_the_boxes_count_some_of_the_points(kernel):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith("00"))
    some = 'values, gradients = {"y_hat": 7, "J": 35}, {"b": 12, "w": None}'
    assert points(path, kernel, {"00-another-input": some})["00-another-input"] == 2


@pytest.mark.parametrize("answer", ["[[3], [3], [3]]", "[[3, -5]]", "3", "[3, -5, 0]", "[3, -5]"])
def test_a_gradient_of_another_shape_or_of_copied_numbers_counts_nothing(answer, kernel):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith("03"))
    answers = {"03-three-outputs": f"def gradient(q):\n    return {answer}"}
    assert points(path, kernel, answers)["03-three-outputs"] == 0


def test_numbers_of_a_start_count_in_any_shape(kernel):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith("08"))
    begin = {"08-the-dead-relu": "begin = [[1, 1], [0.5, 1]]"}
    assert points(path, kernel, begin)["08-the-dead-relu"] == 3


@pytest.mark.parametrize(
    ("name", "answer", "count"),
    [
        ("08-the-dead-relu", "begin = [1, 1, 1, 1]", 0),  # two numbers were changed
        ("10-swish", "swish = lambda x: x * bl.sigmoid(x)", 0),  # no rule of its own
        ("00-another-input", "values, gradients = {y_hat: 7, J: 36}, {y_hat: 12, b: 12, w: 48}", 5),
    ],
)
def test_only_what_was_asked_for_counts_however_it_is_written(name, answer, count, kernel):
    assert points(MARKED[name][0], kernel, {name: answer})[name] == count


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_assignment_has_all_cells_of_the_notebook_and_its_hints_but_not_its_solutions(path):
    book = course.assignment(path)
    cells = [cell for cell in book.cells if not cell.id.endswith("-points")]
    assert [c.source for c in cells if c.cell_type == "code"] == code(path)
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    whole = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    assert "Solution</summary>" not in text and text.count("Hint") == whole.count("Hint")
    assert text.count("\n## ") == whole.count("\n## ")
    nbformat.validate(book)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit, match="not empty"):
        course.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# ------------------------------------------------------------------------------------------- nbgrader


def nbgrader(*arguments, course):
    """nbgrader from this environment, or from the one that BACKPROP_LAB_NBGRADER names."""
    program = os.environ.get("BACKPROP_LAB_NBGRADER")
    if not program and importlib.util.find_spec("nbgrader") is None:
        pytest.skip("nbgrader is not installed")
    command = [program] if program else [sys.executable, "-m", "nbgrader"]
    own = {name: str(course.parent / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    path = f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}" if program else os.environ["PATH"]
    ended = subprocess.run(
        [*command, *arguments],
        cwd=course,
        env={**os.environ, **own, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr


def hand_in(course, student, name, answers):
    """A learner's copy of what was handed out, with these answers in its exercises."""
    book = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    for cell in book.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.source = answers.get(grade_id, cell.source)
        if grade_id.endswith("-points") and student == "eve":
            cell.source = "1000"
    place = course / "submitted" / student / name
    place.mkdir(parents=True)
    nbformat.write(book, place / f"{name}.ipynb")


@pytest.mark.slow(seconds=25)
@pytest.mark.notebook
@pytest.mark.parametrize("name", ["00-start-here", "06-the-backward-pass", "10-open-the-lab"])
def test_nbgrader_hands_out_collects_and_grades(name, tmp_path):
    folder = tmp_path / "course"
    course.build(folder)
    nbgrader("generate_assignment", name, course=folder)
    (path,) = (path for path in NOTEBOOKS if path.stem == name)
    answers = done(path)
    hand_in(folder, "ada", name, answers)
    hand_in(folder, "bob", name, {})
    hand_in(folder, "eve", name, {})  # who has rewritten the cells that count
    hand_in(folder, "kim", name, dict(list(answers.items())[:1]))
    nbgrader("autograde", name, course=folder)
    nbgrader("generate_feedback", name, course=folder)
    nbgrader("export", course=folder)
    assert (folder / "feedback" / "ada" / name / f"{name}.html").is_file()
    with open(folder / "grades.csv", encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    at_most = [ex["points"] for ex in course.exercises().values() if ex["id"] in answers]
    assert {student: float(row["score"]) for student, row in rows.items()} == {
        "ada": sum(at_most),
        "bob": 0,
        "eve": 0,
        "kim": at_most[0],
    }
    assert {float(row["max_score"]) for row in rows.values()} == {sum(at_most)}
