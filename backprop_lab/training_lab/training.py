"""``bl.explore.training``: a small network that learns to tell two classes of points apart while you watch.

This file reads the arguments; ``lab.py`` is the widget, ``classifier.py`` the run without one.

What must hold: what cannot be trained is refused in words, before anything is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backprop_lab.graph.node import Node
from backprop_lab.training_lab.lab import TrainingLab
from backprop_lab.training_lab.points import own_points
from backprop_lab.training_lab.settings import DATA, OWN, Settings
from backprop_lab.words.numbers import whole_number

if TYPE_CHECKING:
    import numpy.typing as npt


def training(
    data: str | tuple[npt.ArrayLike, npt.ArrayLike] = "moons",
    hidden: Sequence[int] = (16, 16),
    activation: str = "tanh",
    learning_rate: float = 0.3,
    batch_size: int | None = None,
    penalty: float = 0.0,
    noise: float = 0.2,
    seed: int = 0,
    *,
    n: int = 100,
    outputs: int = 1,
    dtype: str = "float64",
    steps: int = 300,
) -> TrainingLab:
    """A network that learns to tell two classes of points in the plane apart: play with all its settings.

    ``data``: ``"moons"``, ``"circles"``, ``"spirals"`` or ``"blobs"`` with ``n`` points for training, ``n``
    more for validation and ``noise`` on each coordinate; or (X, y), your own points of shape (m, 2) and
    labels 0 or 1, of which a quarter is kept for validation. ``hidden``: the units of each hidden layer;
    ``activation``: ``"tanh"``, ``"relu"``, ``"sigmoid"`` or ``"none"``. ``outputs``: 1, with the cost
    mean(log(1 + exp(−yz))), y = ±1, or 2, with ``bl.cross_entropy``. ``penalty``: λ of λ · ΣW²; biases are
    not penalised. ``batch_size``: all points by default. The ``seed`` decides the points, the weights at the
    start and the batches. ``steps``: how many are taken when a slider moves. Raises ValueError for settings
    that are impossible.

    Goodfellow, Bengio & Courville (2016), sections 6.2.2 and 7.1.

    >>> import backprop_lab as bl
    >>> lab = bl.explore.training("circles", hidden=(8,), noise=0.1)
    >>> lab
    <training lab: circles, network 2-8-1, tanh>
    >>> lab.change(penalty=0.01)
    >>> lab.settings["penalty"], lab.model.step
    (0.01, 300)
    """
    points = None
    if not isinstance(data, str):
        if isinstance(data, Node) or not isinstance(data, (tuple, list)) or len(data) != 2:
            raise ValueError(
                f"training: data is one of {', '.join(map(repr, DATA))}, or your own points (X, y), not "
                f"{type(data).__name__}"
            )
        X, y = data
        points, data = own_points(X, y, seed=seed), OWN
    elif data == OWN:
        raise ValueError("training: for points of your own give them: data=(X, y)")
    settings = Settings(
        data=data,
        n=n,
        noise=noise,
        seed=seed,
        hidden=hidden,
        activation=activation,
        outputs=outputs,
        dtype=dtype,
        learning_rate=learning_rate,
        batch_size=batch_size,
        penalty=penalty,
    )
    return TrainingLab(settings, points, whole_number("training: steps", steps, 0))
