"""Laying notebooks out never costs a learner anything.

The laws are tried with any sequence of edits, deletions, upgrades and broken records; the sentences
say what a learner sees in the usual cases.
"""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_lab.command import handout
from backprop_lab.command.handout import RECORD, lay_out

NAME = "06-the-backward-pass.ipynb"


@pytest.fixture
def source(tmp_path):
    return release(tmp_path / "source", "first")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "folder"


def release(source, content):
    source.mkdir(exist_ok=True)
    (source / NAME).write_text(content)
    return source


def contents(folder):
    return {path.name: path.read_bytes().decode() for path in folder.glob("*.ipynb")}


def test_a_missing_notebook_is_laid(source, folder):
    result = lay_out(source, folder, "0.1.0")
    assert contents(folder) == {NAME: "first"}
    assert result.news == ["1 notebook laid out"]
    assert result.ours == [folder / NAME]


def test_laying_out_again_changes_nothing_and_says_nothing(source, folder):
    lay_out(source, folder, "0.1.0")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert lay_out(source, folder, "0.1.0").news == []
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_notebook_that_was_only_looked_at_is_brought_up_to_date(source, folder):
    book = {
        "cells": [{"cell_type": "code", "source": "1 + 1"}],
        "metadata": {"language_info": {}},
        "nbformat": 4,
    }
    release(source, json.dumps(book))
    lay_out(source, folder, "0.1.0")
    book["metadata"] = {"language_info": {"version": "3.11.7"}, "kernelspec": {"name": "python3"}}
    (folder / NAME).write_text(json.dumps(book, indent=1))  # as JupyterLab saves it
    assert lay_out(source, folder, "0.1.0").news == []
    release(source, "second")
    assert lay_out(source, folder, "0.2.0").news == ["1 notebook updated"]
    assert contents(folder) == {NAME: "second"}


def test_a_notebook_with_one_other_word_stays(source, folder):
    book = {"cells": [{"cell_type": "code", "source": "1 + 1"}], "metadata": {}, "nbformat": 4}
    release(source, json.dumps(book))
    lay_out(source, folder, "0.1.0")
    book["cells"][0]["source"] = "1 + 2"
    (folder / NAME).write_text(json.dumps(book))
    release(source, "second")
    assert "stays as you have it" in lay_out(source, folder, "0.2.0").news[0]
    assert json.loads(contents(folder)[NAME]) == book


def test_a_notebook_left_as_it_was_is_brought_up_to_date(source, folder):
    lay_out(source, folder, "0.1.0")
    release(source, "second")
    assert lay_out(source, folder, "0.2.0").news == ["1 notebook updated"]
    assert contents(folder) == {NAME: "second"}


def test_a_changed_notebook_stays_and_the_newer_one_lies_beside_it(source, folder):
    lay_out(source, folder, "0.1.0")
    (folder / NAME).write_text("mine")
    assert lay_out(source, folder, "0.1.0").news == []
    release(source, "second")
    beside = "06-the-backward-pass (0.2.0).ipynb"
    result = lay_out(source, folder, "0.2.0")
    assert result.news == [f"{NAME} stays as you have it; 0.2.0 is beside it as {beside}"]
    assert result.ours == [folder / beside]
    assert contents(folder) == {NAME: "mine", beside: "second"}
    assert lay_out(source, folder, "0.2.0").news == []


def test_the_one_beside_is_not_overwritten_once_it_is_changed(source, folder):
    lay_out(source, folder, "0.1.0")
    (folder / NAME).write_text("mine")
    lay_out(release(source, "second"), folder, "0.2.0")
    (folder / "06-the-backward-pass (0.2.0).ipynb").write_text("mine, too")
    lay_out(release(source, "second, mended"), folder, "0.2.0")
    assert contents(folder) == {
        NAME: "mine",
        "06-the-backward-pass (0.2.0).ipynb": "mine, too",
        "06-the-backward-pass (0.2.0, 2).ipynb": "second, mended",
    }


def test_the_one_beside_does_not_come_back_once_it_is_thrown_away(source, folder):
    lay_out(source, folder, "0.1.0")
    (folder / NAME).write_text("mine")
    lay_out(release(source, "second"), folder, "0.2.0")
    (folder / "06-the-backward-pass (0.2.0).ipynb").unlink()
    assert lay_out(source, folder, "0.2.0").news == []
    assert contents(folder) == {NAME: "mine"}


def test_a_notebook_thrown_away_comes_back_fresh(source, folder):
    lay_out(source, folder, "0.1.0")
    (folder / NAME).unlink()
    assert lay_out(source, folder, "0.1.0").news == ["1 notebook laid out"]


def test_a_file_of_the_learners_that_was_there_before_stays(source, folder):
    folder.mkdir()
    (folder / NAME).write_text("mine")
    lay_out(source, folder, "0.1.0")
    assert contents(folder)[NAME] == "mine"


def test_a_folder_or_a_broken_link_in_the_way_stays(source, folder):
    (folder / NAME).mkdir(parents=True)
    os.symlink("nowhere", folder / "06-the-backward-pass (0.1.0).ipynb")
    lay_out(source, folder, "0.1.0")
    assert (folder / NAME).is_dir()
    assert (folder / "06-the-backward-pass (0.1.0).ipynb").is_symlink()
    assert (folder / "06-the-backward-pass (0.1.0, 2).ipynb").read_text() == "first"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(source, folder, monkeypatch):
    lay_out(source, folder, "0.1.0")
    before = sorted(os.listdir(folder))
    release(source, "second")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handout.os, "replace", fail)
    with pytest.raises(OSError):
        lay_out(source, folder, "0.2.0")
    assert contents(folder) == {NAME: "first"}
    assert sorted(os.listdir(folder)) == before


BROKEN_RECORDS = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["laid", "offered", NAME, "../up"]), inner, max_size=3)
        ),
    ).map(lambda stored: json.dumps(stored).encode()),
)

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("learner writes"), st.integers(0, 3), st.text(max_size=4)),
        st.tuples(st.just("learner deletes"), st.integers(0, 3), st.none()),
        st.tuples(st.just("record breaks"), st.none(), BROKEN_RECORDS),
        st.tuples(st.just("release"), st.sampled_from(["1", "2", "3"]), st.integers(0, 4)),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(EVENTS)
def test_no_sequence_of_events_loses_a_byte_of_the_learners(events):
    with tempfile.TemporaryDirectory() as place:
        source, folder = release(Path(place) / "source", "content 0"), Path(place) / "folder"
        lay_out(source, folder, "0")
        learners = {}  # what the learner has written and not deleted since
        given_before = {"content 0"}
        for event, which, what in events:
            if event == "record breaks":
                (folder / RECORD).write_bytes(what)
            elif event == "release":
                lay_out(release(source, f"content {what}"), folder, which)
                if f"content {what}" not in given_before:  # then it must be there now
                    assert f"content {what}" in contents(folder).values()
                    given_before.add(f"content {what}")
            else:
                there = sorted(folder.glob("*.ipynb"))
                if which < len(there):
                    learners.pop(there[which], None)
                    if event == "learner deletes":
                        there[which].unlink()
                    else:
                        there[which].write_bytes(f"mine {what}".encode())
                        learners[there[which]] = f"mine {what}"
            for path, written in learners.items():
                assert path.read_bytes().decode() == written
        lay_out(source, folder, "last")
        assert lay_out(source, folder, "last").news == []
