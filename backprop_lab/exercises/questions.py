"""``bl.question``: a self-check in which every answer, right or wrong, is explained.

The questions of the series are in ``questions.toml`` and are asked by name, so that a notebook does not show
its answers; teachers write their own questions in full. Where no kernel runs, a question looks as on paper,
with its answers folded away.

What must hold: every wrong answer has its own explanation; nothing is marked by colour alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from html import escape
from importlib.resources import files
from zlib import crc32

import numpy as np
import traitlets

from backprop_lab.browser.widget import LabWidget
from backprop_lab.exercises.confusions import same
from backprop_lab.exercises.predict import TOLERANCE
from backprop_lab.words import notation


class Question(LabWidget):
    """The widget that :func:`question` returns."""

    _files = "exercises/question.js", "exercises/question.css"
    spec = traitlets.Dict().tag(sync=True)

    def _summary(self) -> str:
        return f"question: {self.spec['question']}"

    def _text(self) -> str:
        spec = self.spec
        box = "[ ]" if spec.get("several") else "( )"
        lines = [f"  {box} {choice['text']}" for choice in spec.get("choices", ())]
        lines += [f"  __ {text}" for text in spec.get("order", ())]
        return "\n".join([spec["question"], *(lines or ["  ____"])])

    def _listed(self) -> str:
        """What to choose from or put in order, as on paper."""
        listed = [c["text"] for c in self.spec.get("choices", ())] or self.spec.get("order", ())
        return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in listed)}</ul>" if listed else ""

    def _twin(self) -> str:
        spec = self.spec
        body = self._listed()
        if "choices" in spec:
            answers = [(c["text"], c["right"], c["why"]) for c in spec["choices"]]
        elif "order" in spec:
            answers = [(", ".join(spec["right"]), True, spec["why"])]
            answers += [(f"{w['first']} before {w['then']}", False, w["why"]) for w in spec["wrong"]]
        else:
            answers = [(spec["shown"], True, spec["why"])]
            answers += [(w["shown"], False, w["why"]) for w in spec["wrong"]]
        answers.sort(key=lambda answer: not answer[1])
        rows = "".join(
            f"<p>{'✓' if right else '✗'} <b>{escape(text)}</b>: {escape(why)}</p>"
            for text, right, why in answers
        )
        return (
            f"<div><p><b>{escape(self.spec['question'])}</b></p>{body}"
            f"<details><summary>Answers</summary>{rows}</details></div>"
        )


def question(
    text: str,
    answer: str | dict[str, str] | list[str] | float | tuple[float, ...] | None = None,
    why: str | None = None,
    wrong: Mapping | None = None,
    hint: str | None = None,
) -> Question:
    """A self-check, shown as the last line of a cell.

    Either ``text`` alone, the name of one of the questions of the series; or a question of your own, with the
    right ``answer``, ``why`` it is right, and ``wrong``: {wrong answer: what was confused}. The answer
    decides the form:

    - a text: choose one among all answers;
    - ``{right answer: why it is right}``: choose all that are right (no ``why``);
    - a list of texts: put them in order. ``wrong``: {(a, b): why a before b is wrong}; every order without
      such a pair is right;
    - a number or a tuple of numbers: typed in, accepted within 1 %; ``hint`` is shown for wrong numbers
      that are not listed.

    Raises ValueError for an unknown name, a missing explanation, or a wrong answer that equals the right one.

    >>> import backprop_lab as bl
    >>> bl.question(
    ...     "x = 3 and J = x². What is ∂J/∂x?",
    ...     answer=6,
    ...     why="2x at x = 3.",
    ...     wrong={9: "That is J itself.", 3: "The factor 2 is lost."},
    ... )
    <question: x = 3 and J = x². What is ∂J/∂x?>
    """
    if not isinstance(text, str):
        raise TypeError(f"question: what is asked, or the name of one of the series' questions, not {text!r}")
    if answer is None:
        if why or wrong:
            raise ValueError("question: give an answer too, or only the name of one of the series' questions")
        return Question(spec=_spec(**_named(text)))
    return Question(spec=_spec(text, answer, why, wrong, hint))


def _spec(question, answer, why=None, wrong=None, hint=None, tolerance=TOLERANCE) -> dict:
    """The question as it travels to the browser."""
    wrong = dict(wrong or {})
    if not wrong or not all(wrong.values()):
        raise ValueError("question: wrong={answer: what was confused} needs an explanation for each")
    if isinstance(answer, dict):
        return {"question": question, "several": True, "choices": _choices(answer, wrong)}
    if not why:
        raise ValueError("question: say why the right answer is right (why=…)")
    if isinstance(answer, str):
        return {"question": question, "choices": _choices({answer: why}, wrong)}
    if isinstance(answer, list) and answer and all(isinstance(text, str) for text in answer):
        return {"question": question, "why": why, **_order(answer, wrong)}
    return {"question": question, "why": why, **_typed(answer, wrong, hint, tolerance)}


def _choices(right, wrong) -> list[dict]:
    """All answers, in a fixed order that has nothing to do with which are right."""
    if not all(right.values()):
        raise ValueError("question: answer={right answer: why it is right} needs an explanation for each")
    both = [text for text in right if text in wrong]
    if both:
        raise ValueError(f"question: {both[0]!r} is given as right and as wrong")
    choices = [{"text": text, "right": True, "why": reason} for text, reason in right.items()]
    choices += [{"text": text, "right": False, "why": reason} for text, reason in wrong.items()]
    return sorted(choices, key=_by_chance)


def _by_chance(choice) -> int:
    return crc32(choice["text"].encode())


def _order(answer, wrong) -> dict:
    """Steps to be put in order; the order at the start is wrong."""
    place = {text: i for i, text in enumerate(answer)}
    mistakes = []
    for pair, reason in wrong.items():
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(text in place for text in pair)):
            raise ValueError(f"question: wrong={{(a, b): why not}} with two of the steps, not {pair!r}")
        first, then = pair
        if place[first] < place[then]:
            raise ValueError(f"question: {first!r} before {then!r} is given as wrong, but the answer has it")
        mistakes.append({"first": first, "then": then, "why": reason})
    if len(place) < len(answer):
        raise ValueError("question: two steps to be ordered have the same text")
    return {"order": answer[::-1], "right": answer, "wrong": mistakes}


def _typed(answer, wrong, hint, tolerance) -> dict:
    """Numbers to be typed in."""
    right = np.asarray(answer, float)
    mistakes = []
    for given, reason in wrong.items():
        value = np.asarray(given, float)
        if same(value, right, tolerance):
            raise ValueError(f"question: {given!r} is given as wrong, but agrees with the answer {answer!r}")
        mistakes.append({"value": value.ravel().tolist(), "shown": notation.array(value), "why": reason})
    count = right.size
    form = "one number" if count == 1 else f"{count} numbers, with spaces between"
    return {
        "answer": right.ravel().tolist(),
        "shown": notation.array(right),
        "tolerance": tolerance,
        "form": f"({form}; fractions such as 1/3 are fine; within {100 * tolerance:g} %)",
        "hint": f"Not that. {hint}" if hint else "Not that. Try the next smaller step on paper.",
        "wrong": mistakes,
    }


def _named(name: str) -> dict:
    """The question of the series that has this name."""
    known = bank()
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.4) or list(known)[:5]
        raise ValueError(
            f"question: the series has no question {name!r} (near: {', '.join(near)}); for one of your own "
            "give answer=, why= and wrong= as well"
        )
    return known[name]


@cache
def bank() -> dict[str, dict]:
    """{name: question} for the whole series, from ``questions.toml``."""
    text = (files("backprop_lab.exercises") / "questions.toml").read_text("utf-8")
    entries = tomllib.loads(text)
    for entry in entries.values():
        wrong = entry["wrong"]
        entry["wrong"] = {tuple(a) if isinstance(a, list) else a: reason for a, reason in wrong}
    return entries
