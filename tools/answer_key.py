"""Make ``docs/answer-key.md`` anew: ``python -m tools.answer_key``.

For teachers: every self-check with what each of its answers shows, and every exercise with its solution and
its points, in the order of the notebooks.

What must hold: nothing is written here that is not in a notebook, in the questions' file or in
``exercises.toml``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

import backprop_lab as bl
from backprop_lab.exercises.levels import level_numbered
from tools.course import SOLUTION, exercises

ROOT = Path(__file__).parent.parent
KEY = ROOT / "docs" / "answer-key.md"
LEVEL = re.compile(r"\blevel=(\d+)")
ASKED = re.compile(r'bl\.question\("(\d\d-[\w-]+)"\)')
HEADING = re.compile(r"^## (.*)$", re.M)
OPENING = """# Answer key

Made by `python -m tools.answer_key` from the notebooks. ✓ is right, ✗ is wrong and says what was confused;
learners read the same once they have answered. The number in brackets is the points of an exercise.
"""


def key() -> str:
    """The whole page."""
    paths = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    return "\n".join([OPENING, *(line for path in paths for line in chapter(path))])


def chapter(path: Path) -> Iterator[str]:
    """The lines of one notebook."""
    heading, task, code, graded, levels = "", "", [], exercises(), set()
    waiting = None  # the grade_id of an exercise whose solution comes
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if number == 0:
            yield f"## [{cell.source.splitlines()[0].lstrip('# ')}](../notebooks/{path.name})\n"
        if cell.cell_type == "code":
            for name in ASKED.findall(cell.source):
                yield from answers(name)
            for level in LEVEL.findall(cell.source):
                if level not in levels:
                    yield from functions(int(level))
                levels.add(level)
            waiting = cell.metadata.get("nbgrader", {}).get("grade_id", waiting)
            if not ASKED.search(cell.source):
                code.append(cell.source)
            continue
        if found := SOLUTION.search(cell.source):
            points = f" ({graded[waiting]['points']})" if waiting else ""
            yield f"### {heading}{points}\n\n{task}\n"
            yield "```python\n" + "\n\n".join(code) + "\n```\n"
            yield f"**Solution**\n\n{found[1]}\n"
            waiting = None
        if headings := HEADING.findall(cell.source):
            heading = headings[-1]
            code = []
            task = cell.source.rpartition(f"## {heading}\n")[2].strip()


def answers(name: str) -> Iterator[str]:
    """The lines of one self-check."""
    spec = bl.question(name).spec
    yield f"**{plain(spec['question'])}**\n"
    for choice in sorted(spec.get("choices", ()), key=lambda choice: not choice["right"]):
        yield line(choice["right"], choice["text"], choice["why"])
    if "order" in spec:
        yield line(True, ", ".join(spec["right"]), spec["why"])
        for slip in spec["wrong"]:
            yield line(False, f"{slip['first']} before {slip['then']}", slip["why"])
    elif "answer" in spec:
        yield line(True, spec["shown"], spec["why"])
        for slip in spec["wrong"]:
            yield line(False, slip["shown"], slip["why"])
    yield ""


def functions(number: int) -> Iterator[str]:
    """The lines of one level of “Which function?”."""
    level = level_numbered(number)
    yield f"**Which function? Level {number}**\n"
    yield f"- ✓ `{level.lines}`"
    for lines, why in level.wrong.items():
        yield f"- ✗ `{lines}` — {plain(why)}"
    yield ""


def line(right: bool, answer: str, why: str) -> str:
    return f"- {'✓' if right else '✗'} {plain(answer)} — {plain(why)}"


def plain(text: str) -> str:
    """The text with Markdown's marks escaped."""
    return re.sub(r"([*_`\[\]])", r"\\\1", text.replace("<", "&lt;"))


def main() -> int:
    KEY.write_text(key(), "utf-8")
    print(KEY.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
