"""The base class of all widgets: how a widget is shown, with a kernel and without, and how it is saved.

What must hold: the same widget gives the same bytes, with no address and no time in them; where no kernel
runs, its twin says what the widget would.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from backprop_lab.browser.assets import script, style
from backprop_lab.pictures.drawing import page, write


class Sources(ipywidgets.Widget):
    """The script and the style sheet of a kind of widget, which travel once for all widgets of the kind."""

    script = traitlets.Unicode().tag(sync=True)
    style = traitlets.Unicode().tag(sync=True)


_SOURCES: dict[tuple[str, str], Sources] = {}


def _sources(names: tuple[str, str]) -> Sources:
    """The open sources with these file names: those of before, unless they were closed."""
    if names not in _SOURCES or _SOURCES[names].comm is None:
        _SOURCES[names] = Sources(script=script(names[0]), style=style(names[1]))
    return _SOURCES[names]


class LabWidget(anywidget.AnyWidget):
    """A widget with a twin: HTML that replaces it where no kernel runs.

    A subclass names its script and its style sheet, ``_files = "….js", "….css"``, and defines ``_summary``
    and ``_twin``; if its script sends messages, ``answer`` as well.
    """

    _esm = script("browser/shared.js")
    _files: tuple[str, str]
    sources = traitlets.Instance(Sources).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, **values):
        super().__init__(**values)
        self.on_msg(LabWidget._hear)

    @traitlets.default("sources")
    def _shared(self):
        return _sources(self._files)

    def _hear(self, message, buffers):
        if message == "sources":  # from a page that cannot find them
            self.send({"script": self.sources.script, "style": self.sources.style})
        else:
            self.answer(message)

    def answer(self, wish):
        """Do what the page asks for by a message."""

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
