"""``bl.step_through``: the passes over the learner's own graph, step by step in the browser.

Python computes the records, draws the whole run once and writes every panel; all of it travels to the
browser in one trait. From then on the browser needs no kernel. Beside the widget stands its static twin:
pictures and a table of the same run, for where no kernel runs.

What must hold: nothing is computed here that is not in a record; what the learner wrote is escaped; the
output holds no address and no time.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import anywidget
import traitlets

from backprop_lab import notation
from backprop_lab.graph import Node
from backprop_lab.passes import steps as all_steps
from backprop_lab.pictures import timeline
from backprop_lab.pictures.drawing import as_image, page, readable_graph, write
from backprop_lab.pictures.raster import gif, png
from backprop_lab.pictures.svg import Picture
from backprop_lab.widgets import assets
from backprop_lab.widgets.panel import opening, panel
from backprop_lab.widgets.predict import questions

MODULES = ("answers.js", "step_through.js")


class StepThrough(anywidget.AnyWidget):
    """The widget that :func:`step_through` returns.

    ``position`` runs from 0 (only what is given is known) to ``len(steps)`` (all red); it can be read, set
    and observed. ``steps`` are the records.
    """

    _esm = assets.script(*MODULES)
    _css = assets.styles()
    position = traitlets.Int(0).tag(sync=True)
    predict = traitlets.Bool(False).tag(sync=True)
    film = traitlets.Dict().tag(sync=True)

    def __init__(self, J: Node, step: int = 0, predict: bool = False):
        self.steps = all_steps(J)
        self._forward = sum(step.phase == "forward" for step in self.steps)
        if not 0 <= step <= len(self.steps):
            raise ValueError(f"step_through: this run has positions 0 to {len(self.steps)}, not {step}")
        self._picture = Picture(timeline.of_steps(J, self.steps))
        self._title = f"Step-through of {notation.mention(J)}"
        super().__init__(position=step, predict=bool(predict), film=self._film())

    @traitlets.validate("position")
    def _within_the_run(self, proposal):
        return min(max(proposal["value"], 0), len(self.steps))

    def _film(self) -> dict:
        ask = questions(self.steps)
        leaves = [node for node in self._picture.nodes if node.rule is None]
        counts = self._forward, len(self.steps)
        texts = [opening(leaves, *counts), *(panel(step, *counts) for step in self.steps)]
        entries = [{"panel": html, "say": spoken} for html, spoken in texts]
        for index, question in ask.items():
            entries[index + 1]["ask"] = question
        return {"title": self._title, "svg": self._picture.film(), "steps": entries}

    # -- what stands where no kernel runs

    def __repr__(self):
        return f"<{self._title}: {len(self._picture.nodes)} nodes, {len(self.steps)} steps>"

    def table(self) -> str:
        """All steps as text, one line each."""
        return "\n".join(str(step) for step in self.steps)

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {
            **data,
            "text/plain": f"{self!r}\n{self.table()}",
            "text/html": self._twin(),
        }, metadata

    def _twin(self) -> str:
        """First, middle and last picture and the table of steps, as HTML that needs nothing."""
        middle = self._forward
        captions = {
            0: "Before: only what is given is known.",
            middle: "After the forward pass: all green.",
            len(self.steps): "After the backward pass: red, back to the variables.",
        }
        pictures = ""
        for p, caption in captions.items():
            image = as_image(self._picture.still(p), self._picture.describe(p))
            if self.predict and p > middle:  # whoever is asked to predict must not see it here
                pictures += f"<details><summary>{caption}</summary>{image}</details>"
            else:
                pictures += f"<p>{caption}<br>{image}</p>"
        rows = "".join(
            f"<tr><td>{step.index + 1}</td><td>{escape(step.formula)}</td>"
            f"<td>{'seed' if step.is_seed else escape(step.numbers)}</td>"
            f"<td>{escape(f'{step.sum_numbers}, {step.so_far}') if step.sum_numbers else ''}</td></tr>"
            for step in self.steps
        )
        return (
            f"<div><p><b>{escape(self._title)}</b>, as pictures. Run this cell to step through it with "
            f"← and →.</p>{pictures}<details><summary>All {len(self.steps)} steps as a table</summary>"
            "<table><thead><tr><th>step</th><th>formula</th><th>numbers</th><th>sum so far</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></details></div>"
        )

    def save(self, path) -> Path:
        """Write the step-through to ``path``: a page (.html) that works alone, an animation (.gif) of all
        steps, or a picture (.svg, .png) of the present position. Returns the path.

        .png and .gif are drawn by resvg: ``pip install resvg-py``."""
        still = self._picture.still
        kinds = {
            ".html": self._page,
            ".gif": lambda: gif([still(position) for position in range(len(self.steps) + 1)]),
            ".svg": lambda: still(self.position),
            ".png": lambda: png(still(self.position)),
        }
        return write(path, kinds)

    def _page(self) -> str:
        data = json.dumps(
            {"film": self.film, "position": self.position, "predict": self.predict},
            ensure_ascii=False,
        ).replace("</", "<\\/")  # a script element ends at the first "</script", also inside a string
        return page(
            self._title,
            f'<style>{assets.styles()}</style><div id="step-through"></div>'
            f'<script type="application/json" id="film">{data}</script>'
            f'<script type="module">{assets.script(*MODULES)}{_PAGE_SCRIPT}</script>',
        )


_PAGE_SCRIPT = """
const saved = JSON.parse(document.getElementById("film").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("bl-dark", dark.matches);
dark.addEventListener("change", follow);
follow();
mount(document.getElementById("step-through"), saved.film, {
  get: (name) => saved[name],
  set: (name, value) => { saved[name] = value; },
  listen: () => () => {},
});
"""


def step_through(J: Node, step: int = 0, predict: bool = False) -> StepThrough:
    """Both passes over ``J``'s graph, to be stepped through with buttons, keys or a slider.

    ``J`` is the cost, a single number whose leaves all have values. ``step`` is the position to start
    at, ``predict`` whether surprising steps are asked about first (the learner can switch it).

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> J = x * x
    >>> bl.step_through(J)
    <Step-through of J: 2 nodes, 4 steps>
    """
    readable_graph(J, "step_through")
    return StepThrough(J, step, predict)
