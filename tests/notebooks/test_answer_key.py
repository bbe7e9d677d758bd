"""The answer key is that of the notebooks as they are, and leaves nothing out."""

from __future__ import annotations

import re

from backprop_lab.exercises.questions import bank
from tools import answer_key
from tools.course import exercises


def test_the_key_is_made_from_the_notebooks_as_they_are():
    assert answer_key.KEY.read_text("utf-8") == answer_key.key()


def test_each_self_check_each_level_and_each_exercise_is_in_the_key():
    text = answer_key.key()
    for entry in bank().values():
        assert text.count(f"**{answer_key.plain(entry['question'])}**") == 1
        for why in entry["wrong"].values():
            assert answer_key.plain(why) in text
    assert re.findall(r"Level (\d+)", text) == [str(n) for n in (1, 2, 3, 4, 6, 5, 7, 8, 9, 10)]
    for number, exercise in zip(re.findall(r"^### .*\(\d+\)\n\n(.*)", text, re.M), exercises(), strict=True):
        assert number and not number.startswith("**Solution"), f"{exercise}: what is to be done?"
    points = [int(n) for n in re.findall(r"^### .* \((\d+)\)$", text, re.M)]
    assert points == [exercise["points"] for exercise in exercises().values()]


def test_no_answer_is_read_as_a_mark_of_markdown():
    assert answer_key.plain("w * x < y_hat[0]") == r"w \* x &lt; y\_hat\[0\]"
