"""A run as the browser gets it: pictures, texts and questions for every position, made once.

What must hold: every number comes from a record; what the learner wrote is escaped; the same run gives the
same bytes.
"""

from __future__ import annotations

from html import escape

import numpy as np

from backprop_lab.exercises.bugs import Bug, changes_nothing
from backprop_lab.exercises.predict import questions
from backprop_lab.graph.node import Node
from backprop_lab.learning.rounds import Round, Update
from backprop_lab.passes.records import Step
from backprop_lab.pictures import timeline
from backprop_lab.pictures.drawing import as_image
from backprop_lab.pictures.folding import shown_first
from backprop_lab.pictures.svg import Picture, levels
from backprop_lab.stepping.listing import Listing
from backprop_lab.stepping.panel import forgotten, opening, panel, updated
from backprop_lab.words import notation

MOST_ENTRIES = 12  # of a leaf whose numbers can be changed on the page


class Film:
    """All positions of a run: of both passes, or of some iterations of learning.

    Each round has a position before its first step; learning has one more at the end, after the last
    update. ``like``: the film of another run of the same graph, whose layout is kept.
    """

    def __init__(
        self,
        J: Node,
        rounds: list[Round],
        bug: Bug | None = None,
        palette: str = "green",
        like: Film | None = None,
    ):
        self.cost, self.rounds, self.bug, self.palette = J, rounds, bug, palette
        self.learns = bool(rounds[0].updates)
        self.forward = sum(step.phase == "forward" for step in rounds[0].steps)
        end = {update.variable: update.after for update in rounds[-1].updates}
        line = timeline.of_rounds(J, [r.steps for r in rounds], end if self.learns else None)
        self.levels: list[tuple[str, Picture]] = levels(line, like.levels if like else [])
        self.listing: Listing = like.listing if like else Listing(J, rounds)
        self.shown = [name for name, _ in self.levels].index(shown_first(self.levels))
        of = f"a wrong pass ({bug.name}) over " if bug else "learning with " if self.learns else ""
        self.title = f"Step-through of {of}{notation.mention(J)}"

    @property
    def picture(self) -> Picture:
        """The picture at the level of folding that is shown first."""
        return self.levels[self.shown][1]

    @property
    def last(self) -> int:
        """The last position; the first is 0."""
        return self.picture.line.length - 1

    def data(self, answered: bool = False) -> dict:
        """Everything the page needs. ``answered``: whether the questions come with their answers."""
        entries = []
        for number, round in enumerate(self.rounds):
            entries.append(self._opening(number) | {"lines": self.listing.between_rounds(number)})
            counts = self.forward, len(round.steps)
            for step, line in zip(round.steps, self.listing.of_steps, strict=True):
                entries.append(panel(step, *counts) | {"lines": [line, line + 1]})
        if self.learns:
            entries.append(self._opening(len(self.rounds)) | {"lines": self.listing.between_rounds(1)})
        asked = {} if self.bug else questions(self.rounds[0].steps)
        for index, question in asked.items():
            entries[index + 1]["ask"] = question | {"answered": answered}
        return {
            "title": self.title,
            "palette": self.palette,
            "pictures": [{"name": name, "svg": picture.film()} for name, picture in self.levels],
            "shown": self.shown,
            "code": self.listing.lines,
            "leaves": [self._field(name, leaf) for name, leaf in self.listing.leaves.items()],
            "steps": entries,
        }

    def _opening(self, number: int) -> dict:
        if self.bug:
            return forgotten(self.bug, changes_nothing(self.rounds[0].steps))
        if number == 0:
            leaves = [node for node in self.picture.nodes if node.rule is None]
            return opening(
                leaves, self.forward, len(self.rounds[0].steps), len(self.rounds) if self.learns else 0
            )
        batch = self.rounds[number].batch if number < len(self.rounds) else ()
        return updated(self.rounds[number - 1].updates, batch, number, len(self.rounds))

    def _field(self, name: str, leaf: Node) -> dict:
        """A leaf as the page shows it; with ``values`` if they can be changed there."""
        value = timeline.at(self.picture.line.known[leaf], 0)
        label = notation.symbol(leaf.name) if leaf.name else name
        field = {"name": name, "label": label, "shape": list(leaf.shape), "whole": leaf.dtype.kind != "f"}
        few = value.size <= MOST_ENTRIES and value.dtype.kind in "fiu" and np.isfinite(value).all()
        if few and leaf.name and leaf not in self.rounds[0].batch:
            field["values"] = value.ravel().tolist()
        return field

    # -- where no kernel runs

    def still(self, position: int) -> str:
        """The picture at a position, as SVG."""
        return self.picture.still(position, self.palette)

    def table(self, hidden: bool = False) -> str:
        """All steps as text, one line each; if ``hidden``, without those that are to be predicted."""
        events = [str(event) for round in self.rounds for event in (*round.steps, *round.updates)]
        if hidden:
            steps = notation.counted(len(events) - self.forward, "step")
            events[self.forward :] = [f"… and {steps} back, to be predicted"]
        return "\n".join(events)

    def twin(self, hidden: bool) -> str:
        """Pictures and the table of steps, as HTML that needs no script.

        ``hidden``: whether what is to be predicted is folded away.
        """
        both = len(self.rounds[0].steps)
        captions = {
            0: "Before: only what is given is known.",
            self.forward: "After the forward pass: all green.",
            both: "After the backward pass: red, back to the variables.",
        }
        if self.learns:
            updates = notation.counted(len(self.rounds), "update")
            captions[self.last] = f"After {updates}: the variables have moved."
        pictures = ""
        for p, caption in captions.items():
            image = as_image(self.still(p), self.picture.describe(p))
            if hidden and p > self.forward:  # a learner who is asked to predict must not see it here
                pictures += f"<details><summary>{caption}</summary>{image}</details>"
            else:
                pictures += f"<p>{caption}<br>{image}</p>"
        rows = "".join(row for r in self.rounds for row in (*map(_row, r.steps), *map(_row, r.updates)))
        steps = notation.counted(rows.count("<tr>"), "step")
        return (
            f"<div><p><b>{escape(self.title)}</b>, as pictures. Run this cell to step through it with "
            f"← and →.</p>{pictures}<details><summary>All {steps} as a table</summary>"
            "<table><thead><tr><th>step</th><th>formula</th><th>numbers</th><th>sum so far</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></details></div>"
        )


def _row(event: Step | Update) -> str:
    number, numbers, sums = "", event.numbers, ""
    if isinstance(event, Step):
        number = str(event.index + 1)
        numbers = "seed" if event.is_seed else numbers
        sums = f"{event.sum_numbers}, {event.so_far}" if event.sum_numbers else ""
    return (
        f"<tr><td>{number}</td><td>{escape(event.formula)}</td><td>{escape(numbers)}</td>"
        f"<td>{escape(sums)}</td></tr>"
    )
