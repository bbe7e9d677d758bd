"""The base class of all widgets: how a widget is shown, with a kernel and without, and how it is saved.

What must hold: the same widget gives the same bytes, with no address and no time in them; where no kernel
runs, its twin says what the widget would.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import anywidget

from backprop_lab.pictures.drawing import page, write


class LabWidget(anywidget.AnyWidget):
    """A widget with a twin: HTML that replaces it where no kernel runs.

    A subclass names its script and its style sheet, ``_esm = script("…")`` and ``_css = style("…")``, and
    defines ``_summary`` and ``_twin``.
    """

    def _summary(self) -> str:
        """One line that says what this is."""
        raise NotImplementedError

    def _twin(self) -> str:
        """The HTML that replaces the widget where no kernel runs; it needs no script."""
        raise NotImplementedError

    def _text(self) -> str:
        """The text that replaces the widget where HTML cannot be shown either."""
        return repr(self)

    def _kinds(self) -> dict[str, Callable[[], str | bytes]]:
        """{file extension: the function that makes the file's content}."""
        return {".html": lambda: page(self._summary(), self._twin())}

    def __repr__(self):
        return f"<{self._summary()}>"

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/plain": self._text(), "text/html": self._twin()}, metadata

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the widget to ``path``, in the format of its extension, and return the path.

        ``.html`` is a page that works on its own. A step-through can also be saved as an animation of all
        steps (``.gif``) or as a picture of its current position (``.svg``, ``.png``); ``.gif`` and ``.png``
        are drawn by resvg: ``pip install resvg-py``.
        """
        return write(path, self._kinds())
