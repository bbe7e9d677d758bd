"""The project's public address: badges that start the notebooks that are there, written by one command."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tools import address

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}


@pytest.fixture
def copy(tmp_path):
    for name in address.FILES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def texts(folder):
    return {name: (folder / name).read_text("utf-8") for name in address.FILES}


def links(folder):
    """The addresses in the README that start something, without those of pictures."""
    return re.findall(r"\)\]\((https://[^)]+)\)", texts(folder)["README.md"])


def test_every_notebook_starts_in_binder_in_colab_and_in_the_browser(copy):
    address.main(["ada/lab"], copy)
    found = {"mybinder.org": set(), "colab.research.google.com": set(), "ada.github.io": set()}
    for link in map(urlsplit, links(copy)):
        if link.hostname in found:
            asked = parse_qs(link.query)
            (path,) = asked.get("labpath") or asked.get("path") or [link.path]
            found[link.hostname].add(path.rpartition("/")[2])
    assert found == dict.fromkeys(found, NOTEBOOKS)
    assert all("ada" in link for link in links(copy))


def test_the_state_of_ci_is_that_of_a_workflow_that_is_there(copy):
    address.main(["ada/lab"], copy)
    (workflow,) = {link.rpartition("/")[2] for link in links(copy) if "/workflows/" in link}
    assert (ROOT / ".github" / "workflows" / workflow).is_file()


def test_the_same_address_again_changes_nothing_and_another_leaves_nothing_of_the_first(copy, capsys):
    address.main(["ada/lab"], copy)
    once = texts(copy)
    assert capsys.readouterr().out.count(": changed") == 3 or once == texts(ROOT)
    address.main(["ada/lab"], copy)
    assert texts(copy) == once and capsys.readouterr().out.count("unchanged") == 3
    address.main(["Bob-1/back.prop_2"], copy)
    assert not re.search(r"\bada\b", "".join(texts(copy).values()))
    address.main(["ada/lab"], copy)
    assert texts(copy) == once


def test_the_files_still_say_what_they_said(copy):
    address.main(["ada/lab"], copy)
    project = tomllib.loads(texts(copy)["pyproject.toml"])["project"]
    before = tomllib.loads(texts(ROOT)["pyproject.toml"])["project"]
    assert project.pop("urls")["Source"] == "https://github.com/ada/lab"
    before.pop("urls", None)
    assert project == before
    cited = yaml.safe_load(texts(copy)["CITATION.cff"])
    assert cited["repository-code"] == "https://github.com/ada/lab" and cited["license"] == "BSD-3-Clause"
    table = re.findall(r"^\|.*\|$", texts(copy)["README.md"].partition("## Where")[0], re.M)
    assert {line.count("|") for line in table} == {5}


@pytest.mark.parametrize("wrong", ["ada", "https://github.com/ada/lab", "ada/lab/x", "a b/c", "ada/"])
def test_what_is_not_a_repository_is_refused(wrong, copy, capsys):
    with pytest.raises(SystemExit):
        address.main([wrong], copy)
    assert "OWNER/NAME" in capsys.readouterr().err and texts(copy) == texts(ROOT)
