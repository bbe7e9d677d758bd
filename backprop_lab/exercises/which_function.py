"""``bl.which_function``: a graph is drawn, and the learner types its formula; or the other way round.

What is typed is read by ``formulas.py`` and compared by value at many points: any equivalent form is right.
The kernel answers through a trait. Where no kernel runs, a picture and the folded answer remain.

What must hold: nothing on the page gives the formula away before it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from html import escape
from string import ascii_uppercase
from zlib import crc32

import traitlets

from backprop_lab.browser.widget import LabWidget
from backprop_lab.exercises.equivalence import difference, point_text, points, with_leaves
from backprop_lab.exercises.formulas import FormulaError, functions_of, names_of, parse
from backprop_lab.exercises.levels import LEVELS, level_numbered
from backprop_lab.exercises.near_misses import meaning
from backprop_lab.exercises.questions import Question
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import checked_node, evaluate
from backprop_lab.pictures.cards import Riddle
from backprop_lab.pictures.drawing import as_image
from backprop_lab.pictures.svg import Picture
from backprop_lab.pictures.timeline import Span, Timeline
from backprop_lab.program.source import Namer, constant_text
from backprop_lab.words import notation

MOST_NODES = 60  # of a graph that anybody would write as one formula
HELP = (
    "Type it in NumPy's notation or in the plain one: 2*x, x·y, x / y, x**2 or x², W @ x, W.T or Wᵀ, x[0], "
    "sin(x), relu(x), σ(x), Σ(w²) or sum(w**2), reshape(θ, (2, 3)). A dot between two vectors is their dot "
    "product."
)
READING = "□ stands for what the arrows bring, the upper arrow first."


HINT = (
    "Begin at the last card and put in, for each □, what its arrow brings; go on until only names are left."
)


class Verdict:
    """The answer to a formula; prints as text. ``ok``: whether the formula is right; ``place``: where it
    cannot be read, as (start, end) in its text."""

    def __init__(self, ok: bool, text: str, place: tuple[int, int] | None = None, printed: str | None = None):
        self.ok, self.text, self.place = ok, text, place
        self._printed = printed or text

    def __repr__(self):
        return f"{'✓' if self.ok else '✗'} {self._printed}"


class _Riddle:
    """A graph to be recognised: the names of its leaves, its picture, and how it is written."""

    def __init__(self, J: Node):
        self.J, self.names = J, names_of(J)
        self.order = topological_order(J)
        if len(self.order) > MOST_NODES:
            raise ValueError(
                f"which_function: this graph has {len(self.order)} nodes; nobody writes more than "
                f"{MOST_NODES} as a formula: take one of its inner nodes"
            )
        if J.rule is None:
            raise ValueError(f"which_function: {notation.mention(J)} is a leaf, there is no function to find")
        line = Timeline(J, self.order)
        self.leaf_names = {leaf: name for name, leaf in self.names.items()}
        for leaf in self.order:
            if leaf.rule is None and leaf not in self.leaf_names:  # a part of the formula, such as a 2
                line.known[leaf] = [Span(0, 1, leaf.value)]
        self.picture = Picture(line, card=partial(Riddle, names=self.leaf_names))
        self.description = "; ".join(card.words for card in self.picture.cards) + "."

    @property
    def image(self) -> str:
        return as_image(self.picture.still(0), self.description)

    def written(self) -> str:
        """The graph on one line."""
        return "; ".join(self.lines())

    def lines(self, code: bool = False) -> list[str]:
        """The graph as formulas: one for each node that has a name or is used more than once."""
        reads = [operand for node in self.order for operand in node.inputs]
        namer, texts = Namer(), {}
        for leaf in (node for node in self.order if node.rule is None):
            name = self.leaf_names.get(leaf)
            if name is None:
                texts[leaf] = constant_text(leaf) if code else None
                continue
            texts[leaf] = name if code else notation.symbol(name)
            namer.taken.add(name)
        lines = []
        for node in self.order:
            if node.rule is None:
                continue
            many = sum(operand is node for operand in reads) > 1
            if node.name or many or node is self.J:
                name = namer(node.name or ("J" if node is self.J else namer.numbered("u")))
                shown = name if code else notation.symbol(name)
                formula = notation.expression(node, texts.get, code=code, depth=MOST_NODES)
                lines.append(f"{shown} = {formula}")
                texts[node] = shown
        return lines


class WhichFunction(LabWidget):
    """The widget that :func:`which_function` returns: a graph whose formula is to be typed."""

    _files = "exercises/which_function.js", "exercises/question.css"
    spec = traitlets.Dict().tag(sync=True)
    typed = traitlets.Dict().tag(sync=True)
    """``text`` and its number ``count``, from the browser."""
    verdict = traitlets.Dict().tag(sync=True)
    """The verdict on the formula number ``count``."""

    def __init__(self, J: Node, wrong: Iterable[tuple[Node, str]], title: str, hint: str = HINT):
        """``wrong``: likely wrong graphs over the same leaves, and why each is wrong."""
        self._riddle = riddle = _Riddle(J)
        self._functions = functions_of(J)
        self._points = points(J, riddle.names)
        self._wrong = list(wrong)
        names = ", ".join(map(notation.symbol, riddle.names))
        super().__init__(
            spec={
                "title": title,
                "picture": riddle.picture.film(),
                "words": riddle.description,
                "names": f"Names: {names}. {READING}",
                "help": HELP,
                "hint": hint,
                "shown": f"{riddle.written()}.",
            }
        )

    def check(self, answer: str | Node) -> Verdict:
        """Compare a formula with the graph, and say where it differs.

        ``answer``: what would be typed; or a graph of your own, over leaves of the same names and shapes.

        >>> import numpy as np, backprop_lab as bl
        >>> x, y = bl.variable("x", shape=()), bl.variable("y", shape=())
        >>> quiz = bl.which_function(x * y + x)
        >>> quiz.check("x·(y + 1)")
        ✓ The same at all 40 points. The graph is J = x · y + x.
        >>> quiz.check("x*y - x")
        ✗ At x = −3, y = 1 the graph has −6, yours has 0. □ − □ stands where the graph has □ + □.
        >>> quiz.check(np.multiply(x, y + 1))
        ✓ The same at all 40 points. The graph is J = x · y + x.
        >>> quiz.check("x*z")
        ✗ z is not a name here. This graph has x, y.
            x*z
              ^
        """
        riddle, at = self._riddle, self._points
        try:
            if isinstance(answer, Node):
                answer = with_leaves(answer, riddle.names)
            else:
                answer = parse(answer, riddle.names, self._functions)
        except FormulaError as error:
            return Verdict(False, error.reason, (error.start, error.end), str(error))
        except ValueError as error:  # leaves that do not fit
            return Verdict(False, str(error))
        apart = difference(riddle.J, answer, at)
        if apart is None:
            everywhere = f"all {len(at)} points" if len(at) > 1 else "its point"
            return Verdict(True, f"The same at {everywhere}. The graph is {riddle.written()}.")
        where = _where(apart, riddle.names)
        if apart.point is None:
            where = f"Yours has {notation.extent(answer.shape)}, the graph {notation.extent(riddle.J.shape)}."
        why = self._known_mistake(answer) or meaning(riddle.J, apart.values, at)
        return Verdict(False, f"{where} {why}" if why else where)

    def _known_mistake(self, answer) -> str | None:
        """Why the answer is wrong, if it computes the same as one of the likely wrong graphs."""
        for wrong, why in self._wrong:
            if names_of(wrong).keys() <= self._riddle.names.keys():
                at = [point._replace(value=evaluate(wrong, point.given)) for point in self._points]
                if difference(wrong, answer, at) is None:
                    return why
        return None

    @traitlets.observe("typed")
    def _answer(self, change):
        text, count = str(change["new"].get("text", "")), change["new"].get("count", 0)
        verdict = self.check(text)
        place = list(verdict.place) if verdict.place else None
        self.verdict = {"count": count, "right": verdict.ok, "text": verdict.text, "place": place}

    # -- what stands where no kernel runs

    def _summary(self) -> str:
        return f"{self.spec['title']} {notation.counted(len(self._riddle.picture), 'node')}"

    def _text(self) -> str:
        spec = self.spec
        return f"{spec['title']}\n  {spec['words']}\n  {spec['names']}\n  J = ____"

    def _twin(self) -> str:
        spec, riddle = self.spec, self._riddle
        code = escape("\n".join(riddle.lines(code=True)))
        return (
            f"<div><p><b>{escape(spec['title'])}</b></p>{riddle.image}<p>{escape(spec['names'])}</p>"
            f"<details><summary>Hint</summary><p>{escape(spec['hint'])}</p></details>"
            f"<details><summary>Answer</summary><p>{escape(riddle.written())}</p>"
            f"<pre>{code}</pre></details></div>"
        )


class WhichGraph(Question):
    """The question that :func:`which_function` returns with ``pick``: a formula, and graphs to choose."""

    def __init__(self, J: Node, others: Iterable[tuple[Node, str]], level: str):
        right, rivals = _Riddle(J), [(_Riddle(other), why) for other, why in others]
        at, names = _common_points(right, [rival for rival, _ in rivals])
        found = [(right, True, "Each arrow and each sign is in its place.")]
        for rival, why in rivals:
            apart = difference(J, rival.J, at)
            if apart is None:
                raise ValueError(
                    f"which_function: {rival.written()} computes the same as {right.written()}; "
                    "all graphs to pick from but one must compute something else"
                )
            parts = (why, _where(apart, names, "the formula", "this graph"))
            found.append((rival, False, " ".join(filter(None, parts))))
        found.sort(key=lambda choice: crc32(choice[0].written().encode()))  # a fixed order, and not by merit
        self._images = [riddle.image for riddle, _, _ in found]
        choices = [
            {
                "text": f"Graph {letter}",
                "picture": riddle.picture.film(),
                "words": riddle.description,
                "right": ok,
                "why": f"It is {riddle.written()}. {why}",
            }
            for letter, (riddle, ok, why) in zip(ascii_uppercase, found)
        ]
        question = f"{level}Which graph is {right.written()}? {READING}"
        super().__init__(spec={"question": question, "choices": choices})

    def _text(self) -> str:
        listed = [f"  ( ) {choice['text']}: {choice['words']}" for choice in self.spec["choices"]]
        return "\n".join([self.spec["question"], *listed])

    def _listed(self) -> str:
        shown = zip(self.spec["choices"], self._images)
        return "".join(f"<p>{escape(choice['text'])}</p>{image}" for choice, image in shown)


def _common_points(right, others):
    """Points for all graphs together, and all leaves by name; leaves of one name have one value."""
    leaves, same, name = dict(right.names), {}, Namer()
    name.taken |= leaves.keys()
    for other in others:
        for known, leaf in other.names.items():
            mine = leaves.get(known)
            if mine is not None and mine is not leaf and (mine.shape, mine.dtype) == (leaf.shape, leaf.dtype):
                same[leaf] = mine
            elif leaf not in set(leaves.values()):
                leaves[name(known)] = leaf
    at = points(right.J, leaves)
    return [
        p._replace(given=p.given | {leaf: p.given[mine] for leaf, mine in same.items()}) for p in at
    ], leaves


def _where(apart, names, right="the graph", wrong="yours") -> str:
    """``At x = 2, y = −3 the graph has −6, yours has −1.``"""
    if apart.point is None:
        return ""
    where = point_text(apart.point, names)
    value = "has no value" if apart.found is None else f"has {notation.array(apart.found)}"
    opening = f"At {where}" if where else "There"
    return f"{opening} {right} has {notation.array(apart.point.value)}, {wrong} {value}."


def which_function(
    J: Node | None = None, *, level: int | None = None, pick: bool | Iterable[Node] = False
) -> WhichFunction | WhichGraph:
    """A graph is drawn: which function is it? The formula is typed, and any equivalent form is right.

    ``J``: a graph of your own, of at most 60 nodes, with or without values; or ``level``, 1 to 10, of the
    series. ``.check("x * y")`` of the result checks a formula in a cell, and prints the answer.

    With ``pick`` the formula is shown, and the graph is to be found among several: ``level=3, pick=True``, or
    ``J, pick=[K, L]`` with wrong graphs of your own.

    Raises ValueError for an unknown level, a graph that is too large or nowhere finite, and a wrong graph
    that computes the same as ``J``.

    >>> import backprop_lab as bl
    >>> bl.which_function(level=1)
    <Level 1 of 10. Which function is this? 3 nodes>
    >>> bl.which_function(level=1).check("x + y")
    ✗ At x = −3, y = 1 the graph has −3, yours has −2. x + y adds where x · y multiplies.
    """
    if (J is None) == (level is None):
        raise TypeError("which_function: give a graph of your own, or level=1 to 10")
    opening, wrong, hint = "", [], HINT
    if level is not None:
        chosen = level_numbered(level)
        leaves = chosen.leaves()
        J = chosen.graph(leaves)
        wrong = [(chosen.graph(leaves, lines), why) for lines, why in chosen.wrong.items()]
        hint = chosen.hint
        opening = f"Level {level} of {len(LEVELS)}. "
    J = checked_node(J, "which_function")
    if not isinstance(pick, bool):
        wrong = [(checked_node(other, "which_function(…, pick=…)"), "") for other in pick]
    if pick is False:
        return WhichFunction(J, wrong, f"{opening}Which function is this?", hint)
    if not wrong:
        raise ValueError("which_function: give the wrong graphs to pick from, pick=[K, L]")
    return WhichGraph(J, wrong, opening)
