"""The training lab without a browser: the model, its runs, what is refused, and what a page may ask for."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.training_lab.classifier import Classifier
from backprop_lab.training_lab.points import own_points, points_of, window_of
from backprop_lab.training_lab.settings import OWN, Settings

SMALL = Settings(hidden=(5, 4), n=30, learning_rate=0.4, penalty=0.01)
EXPLODING = {"activation": "relu", "learning_rate": 10.0, "penalty": 0.2}


def parameters(model):
    return {name: leaf.value.copy() for name, leaf in model.leaves.items()}


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


def by_hand(settings, steps):
    """The same network in plain NumPy with derivatives by hand: tanh, one output, full batches."""
    model = Classifier(settings)
    values = parameters(model)
    X, labels = model.points.part(False)
    y = 2.0 * labels[:, None] - 1
    depth = len(values) // 2
    for _ in range(steps):
        h = [X]
        for k in range(1, depth + 1):
            a = h[-1] @ values[f"W{k}"] + values[f"b{k}"]
            h.append(np.tanh(a) if k < depth else a)
        flow = -y / (1 + np.exp(y * h[-1])) / len(y)
        for k in range(depth, 0, -1):
            W = values[f"W{k}"].copy()
            gradient = h[k - 1].T @ flow + 2 * settings.penalty * W
            values[f"W{k}"] = W - settings.learning_rate * gradient
            values[f"b{k}"] = values[f"b{k}"] - settings.learning_rate * flow.sum(axis=0)
            flow = (flow @ W.T) * (1 - h[k - 1] ** 2)
    return values, h[-1], y


# ------------------------------------------------------------------------------------------------ runs


def test_training_is_the_gradient_descent_that_is_written_by_hand():
    model = Classifier(SMALL)
    model.retrain(25)
    values, _, _ = by_hand(SMALL, 25)
    for name, value in parameters(model).items():
        np.testing.assert_allclose(value, values[name], rtol=1e-9, atol=1e-12)


def test_the_costs_are_those_of_the_definition_and_hold_no_penalty():
    model = Classifier(SMALL)
    model.retrain(25)
    _, z, y = by_hand(SMALL, 26)  # the scores of its last forward pass are those after 25 updates
    step, training, _ = model.now()
    assert step == 25
    np.testing.assert_allclose(training, np.mean(np.log(1 + np.exp(-y * z))), rtol=1e-9)


@pytest.mark.parametrize("settings", [SMALL, replace(SMALL, batch_size=7, outputs=2, dtype="float32")])
def test_a_run_in_one_go_and_a_run_in_pieces_are_the_same(settings):
    whole, pieces = Classifier(settings), Classifier(settings)
    whole.retrain(60)
    for steps in (1, 2, 40, 17):
        pieces.advance(steps)
    assert same(parameters(whole), parameters(pieces))
    assert whole.costs == pieces.costs and whole.step == pieces.step == 60


def test_another_rate_and_back_again_gives_the_same_numbers():
    model = Classifier(SMALL)
    model.retrain(40)
    first = parameters(model)
    for other in (replace(SMALL, learning_rate=2.0), replace(SMALL, penalty=0.3)):
        assert model.change(other)
        model.retrain(40)
        assert not same(first, parameters(model))
    model.change(SMALL)
    model.retrain(40)
    assert same(first, parameters(model))


@pytest.mark.parametrize(
    "change",
    [
        {"penalty": 0.2, "learning_rate": 0.1},
        {"seed": 3},
        {"noise": 0.5},
        {"n": 20},
        {"hidden": (3,)},
        {"hidden": ()},
        {"activation": "relu"},
        {"activation": "none"},
        {"outputs": 2},
        {"batch_size": 8},
        {"dtype": "float32"},
        {"data": "spirals"},
    ],
    ids=str,
)
def test_changed_settings_give_what_they_give_from_the_beginning(change):
    changed, fresh = Classifier(SMALL), Classifier(replace(SMALL, **change))
    changed.retrain(7)
    changed.change(replace(SMALL, **change))
    for model in (changed, fresh):
        model.retrain(20)
    assert same(parameters(changed), parameters(fresh))
    assert np.array_equal(changed.points.X, fresh.points.X)
    assert changed.costs == fresh.costs


def test_moving_the_rate_or_the_penalty_compiles_nothing_again():
    model = Classifier(SMALL)
    program = model.program
    for rate, penalty in [(0.1, 0.0), (1.0, 0.5)]:
        model.change(replace(SMALL, learning_rate=rate, penalty=penalty))
        model.retrain(5)
    assert model.program is program and len(program._bound) == 1


@pytest.mark.parametrize("data", ["moons", "circles", "spirals", "blobs"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_learning_lowers_the_cost_on_all_data(data, outputs):
    model = Classifier(Settings(data=data, outputs=outputs))
    model.retrain(300)
    start, end = model.costs[0], model.costs[-1]
    assert end[1] < start[1] and end[2] < start[2]
    assert model.right()[1][0] > 60


def test_without_a_hidden_layer_or_with_no_activation_the_boundary_is_straight():
    for settings in (Settings(hidden=()), Settings(hidden=(8, 8), activation="none", learning_rate=0.05)):
        model = Classifier(settings)
        model.retrain(100)
        p = model.probability(np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]))
        odds = np.log(p / (1 - p))
        np.testing.assert_allclose(odds[1] - odds[0], odds[2] - odds[1], rtol=1e-8)


def test_costs_are_kept_along_the_way_but_only_a_few_dozen_of_them():
    model = Classifier(replace(SMALL, hidden=(2,)))
    model.retrain(5000)
    steps = [step for step, _, _ in model.costs]
    assert steps[:11] == list(range(11)) and steps == sorted(set(steps)) and len(steps) <= 64
    assert 5000 - steps[-1] < model.every


def test_an_interrupted_run_keeps_its_last_step_and_goes_on(monkeypatch):
    whole, broken = Classifier(SMALL), Classifier(SMALL)
    whole.retrain(50)

    def interrupted():
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(broken, "now", interrupted)  # when the costs of the first step are computed
        broken.advance(50)
    assert broken.step == 1
    after_one = Classifier(SMALL)
    after_one.retrain(1)
    assert same(parameters(broken), parameters(after_one))
    broken.retrain(50)
    assert same(parameters(broken), parameters(whole))


# ------------------------------------------------------------------------------------------- divergence


def test_a_run_that_diverges_stops_before_that_step_and_names_the_node():
    model = Classifier(Settings(**EXPLODING))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.retrain(300)
    assert model.step == 12
    assert model.diverged.startswith("h1 @ W2 became −∞")
    assert all(np.isfinite(value).all() for value in parameters(model).values())
    model.advance(10)
    assert model.step == 12, "there is nothing to go on from"


def test_the_step_that_diverges_can_be_looked_at():
    model = Classifier(Settings(**EXPLODING, batch_size=30))
    model.retrain(300)
    J = model.next_step()
    with pytest.warns(bl.NonFiniteWarning, match=re.escape(model.diverged.split(" from ")[0])):
        bl.backward(J)


def test_a_smaller_rate_goes_on_after_a_divergence():
    model = Classifier(Settings(**EXPLODING))
    model.retrain(300)
    calm = replace(model.settings, learning_rate=0.1, penalty=0.0)
    model.change(calm)
    model.retrain(50)
    fresh = Classifier(calm)
    fresh.retrain(50)
    assert not model.diverged and same(parameters(model), parameters(fresh))


# ------------------------------------------------------------------------------------ the very next step


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_film_of_the_next_step_ends_where_the_next_step_ends(batch_size, outputs):
    model = Classifier(replace(SMALL, batch_size=batch_size, outputs=outputs))
    model.retrain(11)  # in batches: the last step of an epoch, with fewer points
    film = bl.step_through(model.next_step(), learning_rate=SMALL.learning_rate, iterations=1)
    moved = {u.variable.name: u.after for round in film.recording.rounds for u in round.updates}
    model.advance(1)
    for name, value in parameters(model).items():
        np.testing.assert_allclose(moved[name], value, rtol=1e-12, atol=1e-15)


def test_looking_at_a_step_does_not_take_it():
    looked, other = Classifier(replace(SMALL, batch_size=8)), Classifier(replace(SMALL, batch_size=8))
    for _ in range(9):
        looked.next_step()
        looked.advance(1)
    other.advance(9)
    assert same(parameters(looked), parameters(other))


def test_without_a_penalty_its_branch_is_not_in_the_film():
    leaves = {step.node.name for step in bl.steps(Classifier(replace(SMALL, penalty=0.0)).next_step())}
    assert "J" in leaves and "E" not in leaves


# --------------------------------------------------------------------------------------------- the plane


def test_the_plane_shows_the_probability_in_the_middle_of_each_pixel():
    model = Classifier(SMALL)
    model.retrain(100)
    grid = model.grid(20, (-1.0, 3.0, -2.0, 2.0))
    layers = [(model.leaves[f"W{k}"].value, model.leaves[f"b{k}"].value) for k in (1, 2, 3)]
    for row, column in [(0, 0), (3, 17), (19, 5)]:
        h = np.array([-1 + 4 * (column + 0.5) / 20, 2 - 4 * (row + 0.5) / 20])
        for W, b in layers[:-1]:
            h = np.tanh(h @ W + b)
        z = (h @ layers[-1][0] + layers[-1][1])[0]
        assert abs(int(grid[row, column]) - 255 / (1 + np.exp(-z))) <= 0.51


def test_two_outputs_show_the_softmax_of_class_1():
    model = Classifier(replace(SMALL, outputs=2))
    model.retrain(30)
    X, _ = model.points.part(False)
    h = np.tanh(X @ model.leaves["W1"].value + model.leaves["b1"].value)
    h = np.tanh(h @ model.leaves["W2"].value + model.leaves["b2"].value)
    p = bl.softmax(h @ model.leaves["W3"].value + model.leaves["b3"].value)[:, 1]
    np.testing.assert_allclose(model.probability(X), p, rtol=1e-9)


def test_the_window_holds_all_points_and_is_a_square():
    for data in ("moons", "circles", "spirals", "blobs"):
        points = points_of(Settings(data=data, noise=0.5))
        left, right, low, high = window_of(points)
        x, y = points.X.T
        assert left < x.min() and x.max() < right and low < y.min() and y.max() < high
        assert abs((right - left) - (high - low)) < 0.05


# ------------------------------------------------------------------------------------------------ points


def test_training_and_validation_points_are_split_by_the_seed():
    points = points_of(SMALL)
    assert points.validation.sum() == 30 and len(points.y) == 60
    again, other = points_of(SMALL), points_of(replace(SMALL, seed=1))
    assert np.array_equal(points.X, again.X) and not np.array_equal(points.X, other.X)
    X, y = bl.data.moons(40, seed=5)
    first, second = own_points(X, y, seed=0), own_points(X, y, seed=1)
    assert first.validation.sum() == second.validation.sum() == 10
    assert not np.array_equal(first.validation, second.validation)


def test_an_edited_point_is_learned_from():
    points = points_of(SMALL)
    X = points.X.copy()
    X[0] += 1
    edited = points._replace(X=X)
    model, fresh = Classifier(SMALL), Classifier(replace(SMALL, data=OWN), edited)
    assert not model.change(replace(SMALL, data=OWN), edited)
    for m in (model, fresh):
        m.retrain(10)
    assert same(parameters(model), parameters(fresh))
    assert np.array_equal(model.program.leaves["X"].value, edited.part(False)[0])


def test_without_points_nothing_is_learned_and_nothing_fails():
    lab = bl.explore.training(hidden=(3,), n=10)
    lab.answer({"points": [], "begin": "retrain"})
    assert lab.complaint == "" and lab.model.step == 0
    assert "training: no points yet" in lab.shown["lines"]
    lab.answer({"film": True})
    assert "no training point" in lab.complaint
    lab.answer({"points": [[0.0, 0.0, 0, 0], [1.0, 1.0, 1, 0]], "begin": "retrain"})
    assert lab.complaint == "" and lab.model.step == 300
    assert lab.model.right()[0] == (2, 2)


@pytest.mark.parametrize(
    "X, y, said",
    [
        ([[0, 1, 2]], [0], "shape (n, 2)"),
        ([[0, np.nan]], [0], "finite"),
        ([["a", "b"]], [0], "finite numbers"),
        ([[0, 1]], [2], "labels 0 or 1"),
        ([[0, 1]], [0, 1], "one for each of the 1 points"),
    ],
)
def test_points_that_cannot_be_are_refused_in_words(X, y, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        bl.explore.training((X, y))


# ---------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "given, said",
    [
        ({"data": "stars"}, "data is one of 'moons'"),
        ({"data": OWN}, "give them: data=(X, y)"),
        ({"data": np.zeros((3, 2))}, "your own points (X, y)"),
        ({"activation": "swish"}, "activation is one of 'tanh'"),
        ({"hidden": 16}, "units of each hidden layer"),
        ({"hidden": (1, 2, 3, 4, 5)}, "at most 4 layers"),
        ({"hidden": (0,)}, "each of hidden is a whole number from 1 to 64, not 0"),
        ({"hidden": (True,)}, "not True"),
        ({"learning_rate": -1}, "learning_rate is a finite number from 0"),
        ({"learning_rate": float("nan")}, "learning_rate is a finite number"),
        ({"penalty": "much"}, "penalty is a number, not 'much'"),
        ({"batch_size": 0}, "batch_size is a whole number from 1"),
        ({"seed": -1}, "seed is a whole number from 0"),
        ({"n": 5000}, "n is a whole number from 1 to 1000"),
        ({"outputs": 3}, "outputs is one of 1, 2"),
        ({"dtype": "int64"}, "dtype is one of"),
        ({"steps": -3}, "steps is a whole number from 0"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(given, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        bl.explore.training(**given)


def test_a_page_that_asks_for_what_cannot_be_is_told_and_nothing_changes():
    lab = bl.explore.training(hidden=(3,), n=10)
    before, runs = parameters(lab.model), lab.runs
    lab.answer({"settings": {"noise": -1.0}, "begin": "retrain"})
    assert "noise is a finite number from 0" in lab.complaint and lab.runs == runs + 1
    assert same(before, parameters(lab.model)) and lab.settings["noise"] == 0.2
    lab.answer({"settings": {"shoes": 2}})
    assert "shoes" in lab.complaint
    with pytest.raises(TypeError, match="no setting 'shoes'"):
        lab.change(shoes=2)


# ------------------------------------------------------------------------------------- what a page asks


def lab_of(**more):
    return bl.explore.training(hidden=(4,), n=20, steps=50, **more)


def test_a_page_is_told_that_it_was_trained_before_the_picture_is_made(monkeypatch):
    lab, told = lab_of(), []
    monkeypatch.setattr(lab, "send", lambda word: told.append((word, lab.model.step, lab.shown["step"])))
    lab.answer({"steps": 7})
    assert told == [("trained", 57, 50)] and lab.shown["step"] == 57


def test_a_moved_slider_trains_from_the_same_start_as_many_steps_as_before():
    lab = lab_of()
    assert lab.model.step == 50
    lab.answer({"settings": {"penalty": 0.1}, "begin": "retrain"})
    assert lab.model.step == 50
    assert same(parameters(lab.model), parameters(lab_of(penalty=0.1).model))
    lab.answer({"begin": "restart"})
    lab.answer({"settings": {"penalty": 0.2}, "begin": "retrain"})
    assert lab.model.step == 0
    lab.answer({"steps": 7})
    lab.answer({"settings": {"penalty": 0.3}, "begin": "retrain"})
    assert lab.model.step == 7
    lab.train(500)
    lab.change(penalty=0.4)
    assert lab.model.step == 50


def test_while_it_plays_a_moved_slider_changes_the_run_as_it_goes():
    lab = lab_of()
    lab.answer({"settings": {"learning_rate": 0.05}, "steps": 5})
    by_hand = Classifier(replace(lab.model.settings, learning_rate=0.3))
    by_hand.retrain(50)
    by_hand.change(lab.model.settings)
    by_hand.advance(5)
    assert lab.model.step == 55 and same(parameters(lab.model), parameters(by_hand))


def test_an_epoch_ends_where_every_point_was_used_once():
    lab = lab_of(batch_size=6)  # 20 points: steps of 6, 6, 6, 2
    lab.restart()
    for wish, step, epoch in [({"epochs": 1}, 4, 1), ({"steps": 1}, 5, 1), ({"epochs": 2}, 12, 3)]:
        lab.answer(wish)
        assert (lab.model.step, lab.model.epoch) == (step, epoch)


def test_one_frame_holds_the_plane_and_the_weights_of_the_same_moment():
    lab = lab_of()
    lab.answer({"settings": {"seed": 4}, "begin": "retrain"})
    model = Classifier(replace(lab.model.settings))
    model.retrain(50)
    assert lab.frame[:10000] == model.grid(100, lab.window).tobytes()
    sizes = [np.prod(weight["shape"]) for weight in lab.shown["weights"]]
    assert sizes == [8, 4] and len(lab.frame) == 10000 + 12
    assert lab.shown["lines"][0] == "step 50, epoch 50"


def test_a_divergence_is_said_on_the_page_and_a_smaller_rate_takes_it_away():
    lab = bl.explore.training(**EXPLODING)
    assert lab.shown["diverged"]
    assert lab.shown["warnings"][0].startswith("Diverged at step 12: h1 @ W2 became −∞")
    lab.answer({"film": True})
    assert lab.complaint == "" and len(lab.film["steps"]) > 10
    lab.answer({"settings": {"learning_rate": 0.1, "penalty": 0.0}, "begin": "retrain"})
    assert not lab.shown["diverged"] and lab.shown["warnings"] == [] and lab.model.step == 300


def test_a_cost_that_grows_is_said_before_anything_becomes_infinite():
    lab = bl.explore.training(learning_rate=30.0)
    assert not lab.shown["diverged"] and "the steps are too large" in lab.shown["warnings"][0]


def test_the_film_that_travels_is_that_of_step_through():
    lab = lab_of(batch_size=5)
    lab.answer({"film": True})
    assert lab.film == lab.step_through().film


# ------------------------------------------------------------------------------- where no kernel runs


def test_the_output_without_a_kernel_is_a_picture_with_words_and_the_same_every_time():
    first, second = (lab_of()._repr_mimebundle_()[0] for _ in range(2))
    assert first["text/plain"] == second["text/plain"] and first["text/html"] == second["text/html"]
    assert first["text/plain"].startswith("<training lab: moons, network 2-4-1, tanh>\nstep 50, epoch 50\n")
    html = first["text/html"]
    assert html.count("<img ") == 2 and "data:image/png;base64" in html
    assert re.search(r"validation cost 0\.\d{1,4}, \d+ of 20 points on the right side", html)
    assert len(html) < 60_000


@pytest.mark.parametrize("steps", [-5, 2.5, True, "a"])
def test_steps_that_cannot_be_are_refused_and_the_lab_goes_on(steps):
    lab = bl.explore.training(hidden=(3,), steps=10, n=20)
    with pytest.raises(ValueError, match="steps is a whole number from 0, not"):
        lab.train(steps)
    lab.train(2)
    assert lab.model.step == 12
