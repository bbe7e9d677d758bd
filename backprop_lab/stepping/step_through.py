"""``bl.step_through``: the passes over the learner's own graph, step by step in the browser.

Python makes the whole film of a run (``film.py``), which travels to the browser in one trait. After that the
browser needs a kernel only if the inputs change: then a new film of the same graph travels.

What must hold: the learner's graph stays as it is; the output contains no address and no time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import traitlets

from backprop_lab.browser.assets import script, style
from backprop_lab.browser.widget import LabWidget
from backprop_lab.exercises.bugs import bug_named, check, wrong_steps
from backprop_lab.graph.node import Node
from backprop_lab.learning.rounds import Round, learning_rounds
from backprop_lab.passes.gradient_check import GradientReport, check_gradient
from backprop_lab.passes.passes import steps as all_steps
from backprop_lab.passes.records import Step
from backprop_lab.pictures.drawing import page, readable_graph
from backprop_lab.pictures.palette import palette_named
from backprop_lab.pictures.raster import gif, png
from backprop_lab.stepping.film import Film
from backprop_lab.words import notation
from backprop_lab.words.arrays import checked_array
from backprop_lab.words.numbers import is_whole


class StepThrough(LabWidget):
    """The widget that :func:`step_through` returns.

    ``position`` runs from 0, where only the leaves are known, to the last step; it can be read, set and
    observed, and so can ``predict`` and ``given``: {leaf's name: values} to use instead of the graph's own.
    ``steps`` are the records, and ``recording`` is the :class:`~backprop_lab.stepping.film.Film` of the run,
    whose data travel as ``film``.
    """

    _files = "stepping/step_through_widget.js", "stepping/step_through.css"
    position = traitlets.Int(0).tag(sync=True)
    predict = traitlets.Bool(False).tag(sync=True)
    given = traitlets.Dict().tag(sync=True)
    film = traitlets.Dict().tag(sync=True)
    complaint = traitlets.Unicode("").tag(sync=True)
    runs = traitlets.Int(0).tag(
        sync=True
    )  # how often the kernel has run the passes anew: its answer to ``given``

    def __init__(self, J: Node, run: Callable[[dict], list[Round]], step=0, predict=False, **how):
        self._answered = predict == "answered"
        self._record = lambda given, like=None: Film(J, run(given), like=like, **how)
        self.recording = self._record({})
        if not is_whole(step) or not 0 <= step <= self.recording.last:
            raise ValueError(f"step_through: this run has positions 0 to {self.recording.last}, not {step!r}")
        super().__init__(position=int(step), predict=bool(predict), film=self.recording.data(self._answered))

    @property
    def steps(self) -> list[Step]:
        """The records of all steps, as from :func:`bl.steps`; in learning, those of all rounds."""
        return [step for round in self.recording.rounds for step in round.steps]

    @traitlets.validate("position")
    def _within_the_run(self, proposal):
        return min(max(proposal["value"], 0), self.recording.last)

    @traitlets.validate("given")
    def _with_leaves(self, proposal):
        leaves = self.recording.listing.leaves
        for name in proposal["value"]:
            if name not in leaves:
                raise ValueError(f"given: the leaves are {', '.join(leaves)}; there is no {name!r}")
        return proposal["value"]

    @traitlets.observe("given")
    def _another_run(self, change):
        """Run the passes from other values; if they cannot run, say why and keep the film."""
        complaint = ""
        try:
            self.recording = self._record(self._read(change["new"]), like=self.recording)
        except (ValueError, TypeError, IndexError) as error:
            complaint = str(error)
        with self.hold_sync():
            self.complaint = complaint
            self.film = self.recording.data(self._answered)
            self.runs += 1

    def _read(self, given) -> dict[Node, np.ndarray]:
        values = {}
        for name, numbers in given.items():
            leaf = self.recording.listing.leaves[name]
            array = checked_array(numbers, f"given: {name}")
            if array.size != leaf.size:
                raise ValueError(f"{name}: {array.size} numbers were given, and its shape is {leaf.shape}")
            values[leaf] = array.reshape(leaf.shape)
        return values

    def check(self) -> GradientReport:
        """The gradient check at the graph's own values; in a run with a bug, that of the wrong pass."""
        J, bug = self.recording.cost, self.recording.bug
        return check_gradient(J) if bug is None else check(J, bug)

    # -- what stands where no kernel runs

    def _summary(self) -> str:
        nodes = notation.counted(len(self.recording.picture.line.nodes), "node")
        return f"{self.recording.title}: {nodes}, {notation.counted(len(self.steps), 'step')}"

    def table(self) -> str:
        """All steps as text, one line each."""
        return self.recording.table()

    @property
    def _asks(self) -> bool:
        """Whether the learner is to predict surprising steps, so that they must not be given away."""
        return self.predict and not self._answered

    def _text(self) -> str:
        return f"{self!r}\n{self.recording.table(self._asks)}"

    def _twin(self) -> str:
        return self.recording.twin(self._asks)

    def _kinds(self) -> dict[str, Callable[[], str | bytes]]:
        still = self.recording.still
        return {
            ".html": self._page,
            ".gif": lambda: gif([still(position) for position in range(self.recording.last + 1)]),
            ".svg": lambda: still(self.position),
            ".png": lambda: png(still(self.position)),
        }

    def _page(self) -> str:
        data = json.dumps(
            {"film": self.film, "position": self.position, "predict": self.predict},
            ensure_ascii=False,
        ).replace("<", "\\u003c")  # nothing in it can close the script element around it
        return page(
            self.recording.title,
            f'<style>{style("stepping/step_through.css")}</style><main id="step-through"></main>'
            f'<script type="application/json" id="film">{data}</script>'
            f'<script type="module">{script("stepping/saved_page.js")}</script>',
        )


def step_through(
    J: Node,
    step: int = 0,
    predict: bool | str = False,
    bug: str | None = None,
    palette: str = "green",
    *,
    learning_rate: float | Callable[[int], float] | None = None,
    iterations: int = 3,
    data: Mapping | Iterable[Mapping] | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> StepThrough:
    """Both passes over ``J``'s graph, to be stepped through with buttons, keys or a slider.

    ``J`` is the cost, a single number whose leaves all have values. ``step`` is the position to start at;
    ``predict``, whether to ask about surprising steps first (the learner can switch it); with ``"answered"``
    the questions come with their answers.

    ``bug``: the backward pass goes wrong as hand-written ones do, with the right numbers beside the wrong
    ones. One of ``"overwrite"``, ``"too_early"``, ``"not_reset"``, ``"not_unbroadcast"``,
    ``"no_activation_derivative"``, ``"not_transposed"``. ``.check()`` is then the gradient check that
    catches it.

    ``palette="blue"`` uses blue instead of green.

    With a ``learning_rate`` it is the film of learning: ``iterations`` rounds of a batch, both passes and the
    update, as ``bl.sgd(J, data, learning_rate, batch_size, seed=seed)`` takes them. The variables in the
    graph stay as they are.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> J = x * x
    >>> bl.step_through(J)
    <Step-through of J: 2 nodes, 4 steps>
    >>> bl.step_through(J, learning_rate=0.1, iterations=2)
    <Step-through of learning with J: 2 nodes, 8 steps>
    >>> bl.step_through(J, bug="overwrite").check().ok
    False
    """
    readable_graph(J, "step_through")
    if not (isinstance(predict, bool) or (isinstance(predict, str) and predict == "answered")):
        raise ValueError(f'step_through: predict is True, False or "answered", not {predict!r}')
    palette_named(palette)  # refused at once, not when the picture is drawn
    if bug is not None and learning_rate is not None:
        raise TypeError("step_through: bug= is one pass; leave learning_rate= out")
    wrong = None if bug is None else bug_named(bug)
    if learning_rate is None and (data is not None or batch_size is not None):
        raise TypeError("step_through: data= and batch_size= are for learning; give a learning_rate= too")
    if isinstance(data, Iterable) and not isinstance(data, Mapping):
        data = list(data)  # needed again when inputs change

    def run(given: dict[Node, np.ndarray]) -> list[Round]:
        if wrong is not None:
            return [Round([*wrong_steps(J, wrong, given)])]
        if learning_rate is None:
            return [Round(all_steps(J, given=given))]
        return learning_rounds(J, iterations, learning_rate, data, batch_size, seed, given)

    return StepThrough(J, run, step, predict, bug=wrong, palette=palette)
