"""The browser's part of a widget: its modules joined to one, its style sheets joined to one.

The modules in ``static`` are plain ESM and import each other by name; joined, those imports go away. No
bundler, and the same text serves the widget in a notebook and the saved page.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def script(*names: str) -> str:
    """The modules ``names`` of ``static``, in this order, as one module."""
    texts = ((files("backprop_lab.widgets") / "static" / name).read_text("utf-8") for name in names)
    return "\n".join(re.sub(r'^import .* from "\./.*";\n', "", text, flags=re.M) for text in texts)


@cache
def styles() -> str:
    """The style of the picture and of the widgets around it."""
    from backprop_lab.pictures.svg import style

    return style() + "\n" + (files("backprop_lab.widgets") / "static" / "step_through.css").read_text("utf-8")
