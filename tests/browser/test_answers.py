"""``answers.js``: how a typed answer is read, and when it is right."""

from __future__ import annotations

import pytest

from backprop_lab.browser import assets


@pytest.fixture
def answers(page):
    """Call a function of the module by its name."""
    page.add_script_tag(content=assets.script("browser/answers.js").replace("export function", "function"))
    return lambda name, *given: page.evaluate("([name, given]) => window[name](...given)", [name, given])


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("0.5", [0.5]),
        ("0,5", [0.5]),
        ("−6", [-6]),
        ("1/4", [0.25]),
        ("4.5 1.7", [4.5, 1.7]),
        ("4,5 1,7", [4.5, 1.7]),
        ("4,5, 1,7", [4.5, 1.7]),
        ("4,5; 1,7", [4.5, 1.7]),
        ("(4,5 1,7)", [4.5, 1.7]),
        ("3,5 3", [3.5, 3]),
        ("-1,5 −,5", [-1.5, -0.5]),
        ("(0,−42)", [0, -42]),
        ("0, -42", [0, -42]),
        ("1,2", [1, 2]),
        ("1,2,3 4", [1, 2, 3, 4]),
        ("[[1,2],[3,4]]", [1, 2, 3, 4]),
        ("[1, 2; 3, 4]", [1, 2, 3, 4]),
        ("1,2 3,4", [1, 2, 3, 4]),
        ("1 2,5 3 4", [1, 2.5, 3, 4]),
    ],
)
def test_a_comma_is_a_decimal_point_only_where_the_count_of_numbers_says_so(answers, typed, numbers):
    assert answers("readNumbers", typed, len(numbers)) == numbers


def test_what_is_no_number_is_not_read(answers):
    for typed in ("", "x", "1 x", "1//2", "1.2.3"):
        assert answers("readNumbers", typed, 1) is None


@pytest.mark.parametrize(("typed", "right"), [("2.084", True), ("2.08", False), ("2.1", False), ("2", False)])
def test_an_answer_near_a_known_number_has_to_be_as_near_as_the_question_says(answers, typed, right):
    ask = dict(answer=[2.084], tolerance=1e-3, why="So it is.", hint="Not that.", wrong=[])
    assert answers("judge", typed, ask)["right"] is right
