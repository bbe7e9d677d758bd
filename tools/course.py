"""The exercises as a course for nbgrader, with their points: ``python -m tools.course FOLDER``.

``pip install ".[course]"`` brings nbgrader. Each notebook with exercises becomes an assignment in which a
locked cell follows each exercise and counts its points; ``exercises.toml`` says how. docs/teaching.md has the
commands that hand out, collect and grade.

What must hold: learners get the cells of the series as they are, with the hints and without the solutions;
what is done counts in full, and a cell left as it was counts nothing.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
SOLUTION = re.compile(r"\n*<details><summary>Solution</summary>\s*(.*?)\s*</details>", re.S)
LINK = re.compile(r"\]\((\d\d-[\w-]+)\.ipynb\)")
SETTINGS = """\
# Made by tools/course.py. What is set here is explained by: nbgrader --help-all
c = get_config()
c.CourseDirectory.course_id = "backprop_lab"
c.ClearSolutions.enabled = False  # the exercises stand as learners get them; nothing is to be cut out
c.Execute.timeout = 120  # seconds for a cell
"""


def exercises() -> dict[str, dict]:
    """{grade_id: how it is graded}: ``points`` at most, and ``test``, the body of what counts them."""
    listed = tomllib.loads((ROOT / "tools" / "exercises.toml").read_text("utf-8"))["exercise"]
    return {exercise["id"]: exercise for exercise in listed}


def build(folder: Path):
    """Write the course into ``folder``, which must be empty or not there yet."""
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty; give another folder, or empty it")
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        place = folder / "source" / path.stem
        place.mkdir(parents=True)
        nbformat.write(assignment(path), place / path.name)
    (folder / "nbgrader_config.py").write_text(SETTINGS, "utf-8")


def assignment(path: Path):
    """A notebook with a cell after each exercise that counts its points, and without the solutions."""
    book, graded = nbformat.read(path, as_version=4), exercises()
    cells = []
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"](../\1/\1.ipynb)", SOLUTION.sub("", cell.source)).strip()
        if cell.source:
            cells.append(cell)
        if name := cell.metadata.get("nbgrader", {}).get("grade_id"):
            cells.append(counting(graded[name]))
    book.cells = cells
    return book


def counting(exercise: dict):
    """The cell that counts the points of an exercise: nbgrader takes its number as the grade."""
    points = exercise["points"]
    source = (
        f"# {points} points at the most. Run this cell to see how many you have.\n"
        f"def _points():\n{textwrap.indent(exercise['test'].strip(), '    ')}\n\n\n_points()"
    )
    name = f"{exercise['id']}-points"
    kind = {"grade": True, "grade_id": name, "locked": True, "points": points}
    metadata = {"nbgrader": {**kind, "schema_version": 3, "solution": False, "task": False}}
    return nbformat.v4.new_code_cell(source, id=name, metadata=metadata)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.course", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an empty folder for the course")
    folder = parser.parse_args(arguments).folder
    build(folder)
    print(f"{folder}: {len(exercises())} exercises. Next, there: nbgrader generate_assignment 00-start-here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
