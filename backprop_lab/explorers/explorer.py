"""What all explorers share: controls, a picture that follows them, and a description in words.

The kernel draws a scene from the values of the controls. A control is a slider; some can also be dragged in
the picture. Changes that come faster than the kernel can draw are merged in the browser.

What must hold: every control works by mouse and by keyboard; the picture and the words show the same values;
where no kernel runs, a picture and its words remain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple, Protocol

import numpy as np
import traitlets

from backprop_lab.browser.widget import LabWidget
from backprop_lab.pictures.drawing import as_image
from backprop_lab.pictures.plot import round_step
from backprop_lab.words import notation
from backprop_lab.words.numbers import finite_number, is_number


class Control(NamedTuple):
    """A number that moves from ``low`` to ``high`` in steps of ``step``; its slider shows ``label``."""

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float


class Shown(Protocol):
    """A picture in a scene, such as a :class:`backprop_lab.pictures.plot.Plot`."""

    @property
    def title(self) -> str:
        """What the picture shows."""

    def svg(self, words: str = "", palette: str | None = None) -> str:
        """The picture, ``words`` its description; with a ``palette`` it needs no style sheet of the page."""


class Scene(NamedTuple):
    """An explorer at some values: pictures, lines of words, and how the number of each control is written.

    The first ``before`` lines describe what was shown earlier, and are pale.
    """

    plot: Shown
    lines: list[str]
    written: dict[str, str]
    before: int = 0
    beside: tuple[Shown, ...] = ()

    @property
    def plots(self) -> tuple[Shown, ...]:
        """All pictures."""
        return (self.plot, *self.beside)

    @property
    def words(self) -> str:
        """All lines as one sentence: what the picture shows, for those who cannot see it."""
        return f"{self.plot.title}. " + "; ".join(self.lines) + "."


class Picture(Protocol):
    """The object that draws an explorer's scenes."""

    def scene(self, values: dict) -> Scene:
        """The scene at these values of the controls. Raises ValueError where there is none."""


class Explorer(LabWidget):
    """The widget that every function of ``bl.explore`` returns.

    ``controls`` are {name: :class:`Control`}; ``values``, {name: number}, can be read, set and observed;
    ``lines`` are the words below the picture. ``picture`` draws the scenes.
    """

    _files = "explorers/explorer.js", "explorers/explorer.css"
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    complaint = traitlets.Unicode("").tag(sync=True)
    runs = traitlets.Int(0).tag(sync=True)  # how often the kernel has redrawn: its answer to ``values``

    def __init__(self, title: str, controls: Sequence[Control], picture: Picture):
        self.controls = {control.name: control for control in controls}
        self.picture = picture
        self._start = {control.name: control.start for control in controls}
        self._last = first = picture.scene(self._start)
        self.lines = first.lines
        super().__init__(
            spec={"title": title, "controls": [control._asdict() for control in controls]},
            values=self._start,
            scene=self._data(first),
        )

    @traitlets.validate("values")
    def _within_the_controls(self, proposal):
        given = {**self.values, **proposal["value"]}
        for name, value in given.items():
            if name not in self.controls:
                raise ValueError(f"values: the controls are {', '.join(self.controls)}; there is no {name!r}")
            control = self.controls[name]
            if not is_number(value) or not np.isfinite(value):
                raise ValueError(
                    f"values: {name} is a number from {control.low} to {control.high}, not {value!r}"
                )
            given[name] = min(max(value, control.low), control.high)
        return given

    @traitlets.observe("values")
    def _another_scene(self, change):
        """Draw the new scene; where there is none, say why and keep the picture."""
        if change["old"] is traitlets.Undefined or not change["old"]:
            return
        with self.hold_sync():
            self.complaint = ""
            try:
                self._last = scene = self.picture.scene(change["new"])
                self.lines, self.scene = scene.lines, self._data(scene)
            except ValueError as error:
                self.complaint = _stays(error)
                written = {name: notation.number(value) for name, value in change["new"].items()}
                self.scene = {**self.scene, "written": written}
            self.runs += 1

    @staticmethod
    def _data(scene: Scene) -> dict:
        return {
            "svg": "".join(plot.svg() for plot in scene.plots),
            "words": scene.words,
            "panel": "".join(
                f"<p{' class=bl-dim' if i < scene.before else ''}>{escape(line)}</p>"
                for i, line in enumerate(scene.lines)
            ),
            "written": scene.written,
        }

    # -- what stands where no kernel runs

    def _summary(self) -> str:
        return self.spec["title"]

    def _text(self) -> str:
        return "\n".join([repr(self), *(line for scene in self._stills() for line in scene.lines)])

    def _stills(self) -> list[Scene]:
        """The scenes of the twin: the start, drawn anew, since the learner may have changed the graph.

        Where it has no scene any more, the last one and why.
        """
        try:
            self._last = self.picture.scene(self._start)
        except ValueError as error:
            return [self._last._replace(lines=[*self._last.lines, _stays(error).rstrip(".")])]
        return [self._last]

    def _twin(self) -> str:
        pictures = "".join(map(_still, self._stills()))
        title = escape(self.spec["title"])
        return f"<div><p><b>{title}</b>, as a picture. Run this cell to move it.</p>{pictures}</div>"


def _stays(error: ValueError) -> str:
    """Why a picture has not changed."""
    return f"{error}. The picture stays at the last numbers that have one."


def _still(scene: Scene) -> str:
    """A scene where no kernel runs: its pictures, the first with the full description, and its lines."""
    words = [scene.words, *(plot.title for plot in scene.beside)]
    images = (as_image(plot.svg(text, "green"), text) for plot, text in zip(scene.plots, words, strict=True))
    lines = "<br>".join(map(escape, scene.lines))
    return f"{side_by_side(images)}<p>{lines}</p>"


def side_by_side(images: Iterable[str]) -> str:
    """Pictures in a row, or one below the other where the page is too narrow."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:20px;align-items:center">{"".join(images)}</div>'


def slider_step(low: float, high: float) -> float:
    """The step of a slider: a round number, about 500 of them from ``low`` to ``high``."""
    return round_step((high - low) / 500)


def stretch_of(name: str, value, what: str) -> tuple[float, float]:
    """A range (low, high) of numbers, or an error that says what was expected."""
    if isinstance(value, (Mapping, str)) or np.shape(value) != (2,):
        raise ValueError(f"{what}: {name} is a range (low, high), not {value!r}")
    low, high = (finite_number(f"{what}: {name}", v) for v in value)
    if not low < high:
        raise ValueError(f"{what}: {name} goes from the smaller to the larger number, not {value!r}")
    return low, high
