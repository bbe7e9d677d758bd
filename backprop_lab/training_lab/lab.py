"""The widget of the training lab: a run that a page or Python asks for, and how it is shown.

The browser asks for a run in one message: other settings, whether to start anew, how many steps to take. The
kernel answers with one frame: the plane as one byte per pixel, the weights as one byte each, and words. While
the kernel trains, the browser merges what is wanted next into one request, so that no drag is ever queued; it
sends the request when the kernel says that it has trained, so that it arrives by the time the frame is made.

What must hold: a frame belongs to the settings that it travels with; a request that is impossible is refused
in words and changes nothing; a run that diverges stops before that step, and can continue from there.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, fields, replace
from html import escape
from threading import RLock

import numpy as np
import traitlets

from backprop_lab.browser.widget import LabWidget
from backprop_lab.explorers.explorer import side_by_side
from backprop_lab.graph.interrupts import while_holding
from backprop_lab.learning.rounds import learning_rounds
from backprop_lab.passes.nonfinite import NonFiniteWarning
from backprop_lab.pictures.blocks import range_of, tones
from backprop_lab.pictures.drawing import as_image
from backprop_lab.stepping.film import Film
from backprop_lab.stepping.step_through import StepThrough, step_through
from backprop_lab.training_lab.classifier import Classifier, Costs
from backprop_lab.training_lab.page_spec import PIXELS, page_spec
from backprop_lab.training_lab.points import Points, own_points, window_of
from backprop_lab.training_lab.settings import OWN, Settings
from backprop_lab.training_lab.training_picture import curve, in_words, plane
from backprop_lab.words import notation
from backprop_lab.words.numbers import whole_number

STILL_PIXELS = 50  # of the plane's side, where no kernel runs
GROWN = 1.5  # times the cost at the start: above it the rate is too large
TRAVELS = [field.name for field in fields(Settings)]


class TrainingLab(LabWidget):
    """The widget that :func:`training` returns.

    ``model`` is the network with its run: ``model.costs``, ``model.step``, ``model.leaves``. ``settings`` can
    be read; :meth:`change` sets them.
    """

    _files = "training_lab/training.js", "training_lab/training.css"
    spec = traitlets.Dict().tag(sync=True)  # what never changes: positions of the sliders, colours
    settings = traitlets.Dict().tag(sync=True)
    points: traitlets.List[list[float]] = traitlets.List().tag(sync=True)
    window: traitlets.List[float] = traitlets.List().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)  # the plane, then the weights
    shown = traitlets.Dict().tag(sync=True)  # the words and the curve that belong to the frame
    film = traitlets.Dict().tag(sync=True)
    complaint = traitlets.Unicode("").tag(sync=True)
    runs = traitlets.Int(0).tag(sync=True)  # how often the kernel has answered

    def __init__(self, settings: Settings, points: Points | None = None, steps: int = 300):
        self.model = Classifier(settings, points)
        self.steps = steps
        self._goal, self._log = steps, False
        self._lock = RLock()  # while a cell is running, a page is answered in another thread
        super().__init__(spec=page_spec(settings, steps))
        self._look_around()
        self.model.retrain(steps)
        self._show()

    # -- from Python

    def change(self, **settings):
        """Train anew from the start with other settings, named as in :func:`training`.

        It takes as many steps as before, but at most ``steps``. Raises ValueError for impossible settings.
        """
        if unknown := settings.keys() - set(TRAVELS):
            raise TypeError(f"training: no setting {sorted(unknown)[0]!r}; there are {', '.join(TRAVELS)}")
        self._do_and_show({"settings": settings, "begin": "retrain"})

    def train(self, steps: int):
        """Take ``steps`` more steps. If interrupted, it keeps those that were taken."""
        self._do_and_show({"steps": steps})

    def restart(self):
        """Back to the start: step 0."""
        self._do_and_show({"begin": "restart"})

    def step_through(self) -> StepThrough:
        """The next step, with its batch, both passes and update, to step through; it is not taken."""
        return step_through(
            self.model.next_step(), learning_rate=self.model.settings.learning_rate, iterations=1
        )

    # -- from the page

    def answer(self, wish: dict):
        """Do what a page asks for, and send the frame; say what is impossible. ``wish``: see ``_do``."""
        self._do_and_show(wish, self._do_or_complain)

    def _do_or_complain(self, wish: dict):
        self.complaint = ""
        try:
            self._do(wish)
            self.send("trained")
            if wish.get("film"):
                self.film = self._film()
        except (ValueError, TypeError) as error:
            self.complaint = str(error)

    def _do_and_show(self, wish: dict, do=None):
        """One thing at a time; however it ends, the frame is sent, in one message with the rest."""
        while_holding(self._lock, self._and_show, do or self._do, wish)

    def _and_show(self, do, wish):
        with self.hold_sync():
            try:
                do(wish)
            finally:
                self._show()

    def _do(self, wish: dict):
        """Do what ``wish`` asks for. ``settings``: those that change; ``points``: their rows, if they were
        edited; ``begin``: "restart", or "retrain" with as many steps as before; then ``steps`` more, then
        ``epochs`` more."""
        model, begin = self.model, wish.get("begin")
        steps, epochs = (
            whole_number(f"training: {name}", wish.get(name, 0), 0) for name in ("steps", "epochs")
        )
        settings, points = replace(model.settings, **wish.get("settings", {})), None
        if wish.get("points") is not None:
            points = _read(wish["points"])
            settings = replace(settings, data=OWN)
        goes_on = model.change(settings, points)
        if points is None and not goes_on:
            self._look_around()
        if begin == "restart" or (begin is None and not goes_on):
            self._goal = 0
        if begin is not None:
            self._goal = min(self._goal, self.steps)
            model.retrain(self._goal)
        self._log = wish.get("log", self._log)
        for _ in range(epochs):
            steps += model.steps_in_epoch - (model.step + steps) % model.steps_in_epoch
        self._goal += steps
        model.advance(steps)

    def _look_around(self):
        """Set the window of the plane; it stays while points are edited."""
        self.window = list(window_of(self.model.points))

    # -- what is shown

    def _show(self):
        """Send what there is to see now. If the run has diverged, the picture is that before the step."""
        model = self.model
        weights = {name: W for name, W in model.parameters().items() if name.startswith("W")}
        plane, now = model.grid(PIXELS, self.window), model.now()
        lines = in_words(now[1:], model.right(), model.step, model.epoch)
        alarms = self._alarms(now[1])
        self._lines = lines + alarms
        with self.hold_sync():
            self.settings = {**asdict(model.settings), "hidden": list(model.settings.hidden)}
            self.points = model.points.rows()
            self.frame = b"".join([plane.tobytes(), *(tones(W).tobytes() for W in weights.values())])
            self.shown = {
                "step": model.step,
                "epoch": model.epoch,
                "lines": lines,
                "warnings": alarms,
                "diverged": bool(model.diverged),
                "curve": curve(self._costs(now), self._log).svg(),
                "weights": [
                    {"name": notation.symbol(name), "shape": list(W.shape), "range": range_of(W)}
                    for name, W in weights.items()
                ],
            }
            self.runs += 1

    def _costs(self, now: Costs) -> list[Costs]:
        """The costs kept along the way, and those of this moment."""
        costs = self.model.costs
        return costs if costs[-1][0] == self.model.step else [*costs, now]

    def _alarms(self, cost: float | None) -> list[str]:
        model = self.model
        if model.diverged:
            return [
                f"Diverged at step {model.step}: {model.diverged}. The picture is that before this step. "
                "Make the learning rate or λ smaller, or look at this step."
            ]
        start = model.costs[0][1]
        if cost is not None and start is not None and not cost <= GROWN * start:
            grown = f"{notation.number(cost, 3)}, above {notation.number(start, 3)} at the start"
            return [f"The training cost is {grown}: the steps are too large."]
        return []

    def _film(self) -> dict:
        """The film of the next step, as it travels to the page."""
        J = self.model.next_step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NonFiniteWarning)  # the page says it already
            return Film(J, learning_rounds(J, 1, self.model.settings.learning_rate)).data()

    # -- what stands where no kernel runs

    def _summary(self) -> str:
        s = self.model.settings
        layers = "-".join(map(str, s.sizes))
        return f"training lab: {s.data}, network {layers}, {s.activation}"

    def _text(self) -> str:
        return "\n".join([repr(self), *self._lines])

    def _twin(self) -> str:
        model, words = self.model, "; ".join(self._lines) + "."
        costs = self._costs(model.now())
        pictures = [
            (plane(model.grid(STILL_PIXELS, self.window), model.points, self.window), words),
            (curve(costs, self._log), words),
        ]
        images = (as_image(plot.svg(text, "green"), f"{plot.title}. {text}") for plot, text in pictures)
        lines = "<br>".join(map(escape, self._lines))
        return (
            f"<div><p><b>{escape(self._summary())}</b>, as a picture. Run this cell to train it.</p>"
            f"{side_by_side(images)}"
            f"<p>{lines}<br>Circles and squares are the two classes; filled ones are learned from, "
            "empty ones are for validation.</p></div>"
        )


def _read(rows) -> Points:
    """Points as they come from a page."""
    X, y, validation = [row[:2] for row in rows], [row[2] for row in rows], [row[3] for row in rows]
    return own_points(X, np.array(y, int), validation=validation)
