"""The base class of all widgets: how one shows itself, with a kernel and without, and how it is saved.

What must hold: the same widget gives the same bytes, without an address or a time; where no kernel runs, its
twin says what the widget would.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget

from backprop_lab.pictures.drawing import page, write


class LabWidget(anywidget.AnyWidget):
    """A widget, and its twin for where no kernel runs.

    A subclass names its own script and style, ``_esm = script("…")`` and ``_css = style("…")``, and writes
    ``_summary`` and ``_twin``.
    """

    def _summary(self) -> str:
        """One line that says what this is."""
        raise NotImplementedError

    def _twin(self) -> str:
        """The HTML that stands in for the widget where no kernel runs; it needs no script."""
        raise NotImplementedError

    def _text(self) -> str:
        """The text that stands in for it where there is no HTML either."""
        return repr(self)

    def _kinds(self) -> dict[str, Callable[[], str | bytes]]:
        """{ending of a file: the function that makes its content}."""
        return {".html": lambda: page(self._summary(), self._twin())}

    def __repr__(self):
        return f"<{self._summary()}>"

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/plain": self._text(), "text/html": self._twin()}, metadata

    def save(self, path) -> Path:
        """Write it to ``path`` and return the path; the ending decides how.

        ``.html`` is a page that needs nothing but itself. A step-through is also written as an animation
        (``.gif``) of all steps, or as a picture (``.svg``, ``.png``) of its present position; ``.gif`` and
        ``.png`` are drawn by resvg: ``pip install resvg-py``.
        """
        return write(path, self._kinds())
