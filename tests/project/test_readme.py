"""What the README says can be done: its commands, its links, its table."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import backprop_lab as bl
from backprop_lab.command import cli

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE-texts.md", "benchmarks/README.md"]
PAGES += ["docs/teaching.md", "docs/answer-key.md"]
PAGES += [f"docs/paper-test{form}.md" for form in ("", "-a", "-b")]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_within_the_repository_leads_somewhere(name):
    page = ROOT / name
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{name} links to {target}"


def test_the_lines_of_the_readme_stand_alone_in_blocks():
    assert re.findall(r"^```\n([^`\n]+)\n```$", readme(), re.M) == [
        "pip install . && backprop-lab",
        'pip install ".[lite]" && python -m tools.lite site',
        'pip install -e ".[test]" && pytest',
    ]


def test_the_table_lists_every_notebook_with_its_title_and_its_minutes(capsys):
    rows = re.findall(r"^\| \[(\d\d) ([^\]]+)\]\([^)]*\) \|.*\| (\d+) \|(?: .* \|)?$", readme(), re.M)
    cli.main(["--list"])
    listed = capsys.readouterr().out.splitlines()
    assert len(rows) == len(listed)
    for (number, title, minutes), line in zip(rows, listed, strict=True):
        assert line.startswith(f"{number}  {title}") and f"({minutes} minutes)" in line


def test_the_numbers_beside_others_are_the_measured_ones():
    measured = table((ROOT / "benchmarks" / "README.md").read_text("utf-8"), "| | W2 | W3 | W4 |")
    shown = table(readme(), "| | 2-16-16-1 | 784-256-128-10 | the backward pass |")
    assert len(shown) == 6
    for name, (small, large, _) in shown.items():
        w2, _, w4 = measured[name]
        assert [small, large] == [w2.split(";")[0], w4.split(";")[0]], name


def table(text, head):
    """{first cell: the others} of the table with this head."""
    rows = text.partition(f"{head}\n")[2].partition("\n\n")[0].splitlines()[1:]
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    return {name: others for name, *others in cells}


def test_the_site_is_as_large_as_said():
    assert "a static site of 24 MB" in readme()
    if site := os.environ.get("BACKPROP_LAB_SITE"):
        size = sum(path.stat().st_size for path in Path(site).rglob("*") if path.is_file())
        assert 22e6 < size < 26e6


def test_every_public_name_that_the_readme_uses_is_there():
    for name in re.findall(r"\bbl\.([a-z][a-z0-9_]*(?:\.[a-z_]+)?)", readme()):
        home = bl
        for part in name.split("."):
            home = getattr(home, part)


def test_every_folder_and_module_that_the_guide_names_exists():
    for name in re.findall(r"^\|.*\| `([\w/.]+)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M):
        assert (ROOT / name).exists(), name


def readme():
    return (ROOT / "README.md").read_text("utf-8")
