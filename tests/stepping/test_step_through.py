"""The step-through as Python sees it: what travels, what stands beside it, what it refuses."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import backprop_lab as bl
from tools import graphs


@pytest.mark.parametrize("name", graphs.ALL)
def test_every_record_travels_with_its_formula_and_its_numbers(name):
    import html

    film = bl.step_through(graphs.ALL[name]())
    assert len(film.film["steps"]) == len(film.steps) + 1
    for step, entry in zip(film.steps, film.film["steps"][1:], strict=True):
        panel = html.unescape(entry["panel"])
        assert step.formula in panel
        assert step.is_seed or step.numbers in panel
    json.dumps(film.film, allow_nan=False)  # what the browser can read


def test_an_infinite_gradient_travels_too():
    import numpy as np

    x = bl.variable("x", 0.0)
    film = bl.step_through(np.sqrt(x) * 2)
    json.dumps(film.film, allow_nan=False)
    assert "∞" in film.film["steps"][-1]["panel"]


def test_stepping_leaves_the_learners_graph_as_it_was():
    J = graphs.lecture()
    bl.step_through(J)
    assert J.value is None and J.grad is None


def test_the_position_can_be_set_observed_and_never_leaves_the_run():
    film = bl.step_through(graphs.order(), step=2)
    seen = []
    film.observe(lambda change: seen.append(change["new"]), "position")
    film.position = 4
    film.position = 99
    film.position = -5
    assert seen == [4, len(film.steps), 0]


def test_a_step_outside_the_run_is_refused():
    with pytest.raises(ValueError, match="positions 0 to"):
        bl.step_through(graphs.order(), step=99)


def test_what_is_not_a_node_is_refused_in_words():
    with pytest.raises(TypeError, match="expected a node of a graph, was given int"):
        bl.step_through(3)
    with pytest.raises(ValueError, match="a cost is a single number"):
        bl.step_through(bl.variable("x", [1.0, 2.0]) * 2)
    with pytest.raises(ValueError, match="stands without a value"):
        bl.step_through(bl.variable("x", shape=()) * 2)


def test_the_output_is_one_bundle_of_widget_page_and_table():
    film = bl.step_through(graphs.lecture(penalty=True))
    data, _ = film._repr_mimebundle_()
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(data)
    assert data["text/html"].count("<img") == 3
    for step in film.steps:
        assert str(step) in data["text/plain"]
    assert data["text/html"].count("<tr>") == len(film.steps) + 1
    assert not re.search(r"0x[0-9a-f]{6}", data["text/plain"] + data["text/html"])


def test_what_is_counted_once_is_written_in_the_singular():
    x = bl.variable("x", 3.0)
    learning = bl.step_through(x * x, learning_rate=0.1, iterations=1)
    assert "After 1 update: the variables have moved." in learning._twin()
    assert repr(bl.step_through(x)) == "<Step-through of x: 1 node, 1 step>"
    assert repr(bl.draw(x)) == "<graph of x, 1 node>"


def test_the_static_twin_is_the_same_every_time():
    first, second = (bl.step_through(graphs.lecture())._repr_mimebundle_()[0] for _ in range(2))
    assert first["text/html"] == second["text/html"] and first["text/plain"] == second["text/plain"]


def test_whoever_is_asked_to_predict_does_not_see_the_answers_unfolded():
    film = bl.step_through(graphs.lecture(), predict=True)
    page = film._repr_mimebundle_()[0]["text/html"]
    unfolded = re.sub(r"<details>.*?</details>", "", page, flags=re.S)
    assert unfolded.count("<img") == 2 and "∂J/∂w" not in unfolded


def test_a_saved_page_asks_nobody_for_anything_and_survives_a_closing_tag_in_a_name(tmp_path):
    film = bl.step_through(graphs.hostile_names())
    text = film.save(tmp_path / "film.html").read_text("utf-8")
    assert not re.search(r"""(src|href)=["']?http|@import|import\(""", text)
    data = re.search(r'<script type="application/json" id="film">(.*?)</script>', text, re.S)[1]
    assert json.loads(data)["film"] == film.film


def test_a_saved_page_of_the_lectures_network_is_small(tmp_path):
    path = bl.step_through(graphs.lecture(penalty=True)).save(tmp_path / "film.html")
    assert path.stat().st_size < 300_000


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.html or \.gif or \.svg or \.png, not '.mp4'"):
        bl.step_through(graphs.order()).save(tmp_path / "film.mp4")


# -------------------------------------------------------------------------------------------- predict


def asked(J):
    film = bl.step_through(J)
    return {i - 1: entry["ask"] for i, entry in enumerate(film.film["steps"]) if "ask" in entry}, film.steps


def test_it_asks_at_the_product_the_gate_and_the_fork():
    questions, steps = asked(graphs.lecture(penalty=True))
    rules = [steps[i].node.rule.name for i in questions]
    assert "matmul" in rules and "relu" in rules
    assert any(steps[i].so_far.of == 2 and steps[i].complete for i in questions)


def test_it_never_asks_about_a_trivial_step():
    questions, steps = asked(graphs.lecture(penalty=True))
    for i in questions:
        assert steps[i].node.rule.name not in ("add", "subtract", "reshape") or steps[i].so_far.of > 1
        assert not steps[i].is_seed and steps[i].phase == "backward"


@pytest.mark.parametrize("name", graphs.ALL)
def test_the_right_answer_is_the_sum_after_the_step_and_every_wrong_one_is_explained(name):
    questions, steps = asked(graphs.ALL[name]())
    for i, ask in questions.items():
        assert ask["answer"] == steps[i].so_far.sum.ravel().tolist()
        assert ask["wrong"] and all(w["why"] and w["value"] != ask["answer"] for w in ask["wrong"])


def test_each_kind_of_surprise_is_asked_once():
    questions, _ = asked(graphs.fork_ladder(6))
    assert 1 <= len(questions) <= 2


# -------------------------------------------------------------------------- live inputs, learning, bugs


def test_given_values_make_a_new_film_and_leave_the_graph_alone():
    J = graphs.lecture(penalty=True)
    film = bl.step_through(J, step=5)
    film.given = {"w": [1, 2]}
    w = next(n for n in film.recording.picture.nodes if n.name == "w")
    assert [str(s) for s in film.steps] == [str(s) for s in bl.steps(J, given={w: [1.0, 2.0]})]
    assert w.value.tolist() == [5.0, 2.0] and film.position == 5
    film.given = {}
    assert film.film == bl.step_through(J).film


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"w": [1, "a"]}, "expected real numbers"),
        ({"w": [1, 2, 3]}, "w: 3 numbers were given, and its shape is (2,)"),
    ],
)
def test_values_that_cannot_be_are_a_complaint_and_the_film_stays(given, said):
    film = bl.step_through(graphs.lecture())
    before = film.film
    film.given = given
    assert said in film.complaint and film.film == before
    film.given = {"w": [1, 2]}
    assert film.complaint == "" and film.film != before


def test_a_leaf_that_does_not_exist_cannot_be_given():
    film = bl.step_through(graphs.lecture())
    with pytest.raises(ValueError, match="there is no 'W'"):
        film.given = {"W": [1]}


def test_everything_keeps_its_place_while_inputs_change_and_moves_only_for_wider_numbers():
    film = bl.step_through(graphs.lecture(penalty=True))

    def places(**given):
        film.given = given
        return re.findall(r"<rect class='bl-card' ([^>]*)/>", film.film["pictures"][0]["svg"])

    narrow, wide = places(w=[3, 1]), places(w=[5.125, -2.25])
    assert narrow != wide, "the numbers were chosen to need more room"
    assert places(w=[1, 2]) == wide and places() == wide


def test_the_film_of_learning_counts_a_position_before_each_round_and_one_at_the_end():
    J = graphs.regression()
    film = bl.step_through(J, learning_rate=0.1, iterations=3)
    both = len(bl.steps(J))
    assert len(film.steps) == 3 * both
    assert len(film.film["steps"]) == 3 * (both + 1) + 1
    assert film.table().count("update") == 3 * 2
    film.position = 999
    assert film.position == 3 * (both + 1)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (dict(bug="overwritten"), ValueError, "it has: 'overwrite'"),
        (dict(bug="overwrite", learning_rate=0.1), TypeError, "leave learning_rate= out"),
        (dict(data={"x": [1]}), TypeError, "give a learning_rate="),
        (dict(predict="yes"), ValueError, 'True, False or "answered"'),
        (dict(palette="red"), ValueError, "palette"),
        (dict(learning_rate="fast"), ValueError, "learning_rate"),
    ],
)
def test_wrong_options_are_refused_in_words(options, error, said):
    with pytest.raises(error, match=said):
        bl.step_through(graphs.lecture(), **options)


def test_a_run_with_a_bug_fails_its_check_and_a_right_one_passes():
    assert bl.step_through(graphs.lecture(penalty=True)).check().ok
    assert not bl.step_through(graphs.lecture(penalty=True), bug="overwrite").check().ok
    assert bl.step_through(graphs.lecture(), bug="overwrite").check().ok


def test_a_run_with_a_bug_says_what_was_forgotten_and_whether_it_harms():
    harmful = bl.step_through(graphs.lecture(penalty=True), bug="overwrite").film["steps"][0]["panel"]
    harmless = bl.step_through(graphs.lecture(), bug="overwrite").film["steps"][0]["panel"]
    assert "= instead of +=" in harmful and "changes no number" not in harmful
    assert "This bug changes no number here. It shows in a graph where arrows meet" in harmless


def test_a_bug_that_stops_the_program_does_not_pass_its_check():
    X = bl.constant("X", np.arange(12.0).reshape(4, 3) - 5)
    W = bl.variable("W", np.arange(6.0).reshape(3, 2) - 2)
    assert not bl.step_through(np.sum(bl.relu(X @ W)), bug="not_transposed").check().ok


def test_the_check_of_a_film_of_learning_is_that_of_the_graph():
    data = {"X": [7, 8, 9, 1, 2, 3], "y": [0, 1, 2, 3, 4, 5]}
    film = bl.step_through(graphs.regression(), learning_rate=0.1, iterations=2, data=data, batch_size=3)
    assert film.check().ok


def test_every_run_is_answered_also_one_that_changes_nothing():
    film = bl.step_through(graphs.lecture())
    for given in ({"w": [5, 2]}, {"w": ["a", "b"]}, {"w": [5.0, 2.0]}, {}):
        before = film.runs
        film.given = given
        assert film.runs == before + 1
    assert film.complaint == ""


def test_a_name_that_would_open_a_script_comment_does_not_blank_the_page(tmp_path):
    x = bl.variable("<!--<script>", 2.0)
    text = bl.step_through(x * x).save(tmp_path / "x.html").read_text("utf-8")
    assert text.count("<!--") == 0


def test_a_batch_iterator_lasts_for_a_live_change_and_no_batch_is_refused():
    batches = ({"X": [k, 2, 3], "y": [2, 4, 6]} for k in range(2))
    film = bl.step_through(graphs.regression(), learning_rate=0.1, iterations=2, data=batches)
    film.given = {"b": 2.0}
    assert film.complaint == "" and len(film.recording.rounds) == 2
    with pytest.raises(ValueError, match="no batch"):
        bl.step_through(graphs.regression(), learning_rate=0.1, data=[])


def test_the_text_beside_a_film_with_predictions_does_not_give_them_away():
    film = bl.step_through(graphs.lecture(), predict=True)
    text = film._repr_mimebundle_()[0]["text/plain"]
    assert "8 steps back, to be predicted" in text and "∂J/∂w" not in text
    assert "∂J/∂w" in film.table()


def test_a_learning_rate_that_changes_has_no_number_in_the_program():
    film = bl.step_through(graphs.regression(), learning_rate=lambda k: 0.1 / (k + 1), iterations=2)
    assert film.film["code"][-1] == "    w = w - learning_rate * grad_w"
