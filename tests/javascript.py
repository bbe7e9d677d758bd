"""How long the functions of a script are, counted without a parser: only what opens and closes is read.

A body is what stands in braces after ``)`` or ``=>``; braces after ``if (…)`` and its like belong to the
function around them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<skip> \s+ | //[^\n]* | /\*.*?\*/ )
    | (?P<word> [\w$]+ )
    | (?P<text> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    | (?P<mark> => | . )
    """,
    re.X | re.S,
)
_PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")  # a regular expression
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*")  # of a template, up to its end or to ${
_NOT_A_FUNCTION = {"if", "for", "while", "switch", "catch", "with"}
_BEFORE_A_PATTERN = {*"(,=:[!&|?{};+-*%<>~^", "=>", "return", "typeof", "case", ""}


class Token(NamedTuple):
    """A word, a text or a mark, and where it begins."""

    text: str
    start: int


def tokens(source: str) -> list[Token]:
    """The tokens of a script; a template is a text, and what stands in its ``${…}`` is read like the rest."""
    found, place, open_braces = [], 0, []  # of each template that is being read, the braces open inside of it

    def template(place):
        end = _TEMPLATE.match(source, place).end()
        if source[end : end + 1] == "`":
            found.append(Token("`", end))
            return end + 1
        open_braces.append(0)
        return end + 2

    while place < len(source):
        before = found[-1].text if found else ""
        if source[place] == "`":
            place = template(place + 1)
            continue
        pattern = _PATTERN.match(source, place) if before in _BEFORE_A_PATTERN else None
        if pattern and source[place : place + 2] not in ("//", "/*"):
            found.append(Token("/", place))
            place = pattern.end()
            continue
        match = _TOKEN.match(source, place)
        place = match.end()
        if match.lastgroup == "skip":
            continue
        text = match[0]
        if open_braces and text == "}" and open_braces[-1] == 0:
            open_braces.pop()
            place = template(place)
            continue
        if open_braces:
            open_braces[-1] += (text == "{") - (text == "}")
        found.append(Token(text, match.start()))
    return found


def functions(source: str) -> list[tuple[int, int]]:
    """(first line, last line) of every function with a body, an inner one before the one around it."""
    lines, waiting, before_parenthesis = [], [], {}
    found = tokens(source)

    def line(token):
        return source.count("\n", 0, token.start) + 1

    closed = None  # the opening parenthesis of the last ")"
    for i, token in enumerate(found):
        if token.text in ("(", "[", "{"):
            before = found[i - 1] if i else Token("", 0)
            start = None
            if token.text == "{" and before.text == "=>":
                start = closed if found[i - 2].text == ")" else found[i - 2]
            elif (
                token.text == "{" and before.text == ")" and before_parenthesis[closed] not in _NOT_A_FUNCTION
            ):
                start = closed
            elif token.text == "(":
                before_parenthesis[token] = before.text
            waiting.append((token, start))
        elif token.text in (")", "]", "}"):
            opening, start = waiting.pop()
            assert opening.text + token.text in ("()", "[]", "{}"), f"line {line(token)}: {token.text}"
            if token.text == ")":
                closed = opening
            if start is not None:
                lines.append((line(start), line(token)))
    assert not waiting, "something is not closed"
    return lines
