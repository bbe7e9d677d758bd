"""What the README says can be done: its commands, its links, its table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backprop_lab import cli

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE-texts.md", "benchmarks/README.md"]
PAGES += ["docs/teaching.md"]
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
    rows = re.findall(r"^\| \[(\d\d) ([^\]]+)\]\([^)]*\) \|.*\| (\d+) \|$", readme(), re.M)
    cli.main(["--list"])
    listed = capsys.readouterr().out.splitlines()
    assert len(rows) == len(listed)
    for (number, title, minutes), line in zip(rows, listed, strict=True):
        assert line.startswith(f"{number}  {title}") and f"({minutes} minutes)" in line


def test_every_folder_and_module_that_the_guide_names_exists():
    for name in re.findall(r"^\| `([\w/.]+)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M):
        assert (ROOT / name).exists(), name


def readme():
    return (ROOT / "README.md").read_text("utf-8")
