"""Learning as records: the same batches, costs and values as ``bl.sgd``, and the graph left as it was."""

from __future__ import annotations

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.learning.rounds import learning_rounds

random = np.random.default_rng(0)
DATA = {"X": random.normal(size=(6, 3)), "y": random.normal(size=6)}


def network():
    X, y = bl.constant("X", DATA["X"][:2]), bl.constant("y", DATA["y"][:2])
    w, b = bl.variable("w", [1.0, 2.0, 3.0]), bl.variable("b", 0.5)
    J = np.mean((np.tanh(X @ w) + b - y) ** 2)
    return J, {"w": w, "b": b}


@pytest.mark.parametrize("rate", [0.1, lambda index: 0.2 / (index + 1)])
def test_costs_and_values_are_those_of_sgd(rate):
    J, _ = network()
    rounds = learning_rounds(J, 5, rate, DATA, batch_size=2, seed=3)
    twin, variables = network()
    for round, step in zip(rounds, bl.sgd(twin, DATA, rate, 2, epochs=2, seed=3), strict=False):
        cost = next(s.value for s in round.steps if s.node is J and s.phase == "forward")
        assert float(cost) == pytest.approx(step.cost, rel=1e-12)
        for update in round.updates:
            assert update.learning_rate == step.learning_rate
            np.testing.assert_allclose(update.after, variables[update.variable.name].value, rtol=1e-12)


def test_the_graph_stays_as_it_is():
    J, variables = network()
    learning_rounds(J, 3, 0.1, DATA, batch_size=2)
    assert J.value is None and variables["w"].value.tolist() == [1.0, 2.0, 3.0]


def test_without_data_every_round_uses_the_leaves_as_they_are():
    J, _ = network()
    rounds = learning_rounds(J, 2, 0.1)
    assert [dict(r.batch) for r in rounds] == [{}, {}]
    first, second = (next(s.value for s in r.steps if s.node is J) for r in rounds)
    assert second < first


def test_learning_may_start_from_other_values():
    J, variables = network()
    (round,) = learning_rounds(J, 1, 0.1, given={variables["b"]: np.array(2.0)})
    update = next(u for u in round.updates if u.variable is variables["b"])
    assert float(update.before) == 2.0


def test_an_update_is_written_in_symbols_and_in_numbers():
    w = bl.variable("w", [5.0, -2.0])
    J = np.sum(w**2)
    ((update,),) = (r.updates for r in learning_rounds(J, 1, 0.25))
    assert update.formula == "w ← w − η · ∂J/∂w"
    assert update.numbers == "(5, −2) − 0.25 · (10, −4) = (2.5, −1)"


@pytest.mark.parametrize("iterations", [0, -1, 1.5, True, "3"])
def test_a_number_of_iterations_that_is_none_is_refused(iterations):
    with pytest.raises(ValueError, match="iterations is a whole number from 1"):
        learning_rounds(network()[0], iterations, 0.1)


def test_a_batch_that_does_not_fit_into_the_picture_is_refused():
    with pytest.raises(ValueError, match=r"X has shape \(2, 3\) in the graph and \(4, 3\) in a batch"):
        learning_rounds(network()[0], 2, 0.1, DATA, batch_size=4)
