"""The browser's part of a widget: its modules joined to one, its style sheets joined to one.

The modules are plain ESM: those of one widget stand beside its Python, shared ones in this room. They
import each other by name; joined, those imports go away. No bundler, and the same text serves the widget in a
notebook and the saved page.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def script(*names: str) -> str:
    """The modules ``names``, such as "browser/dom.js", in this order, as one module."""
    texts = ((files("backprop_lab") / name).read_text("utf-8") for name in names)
    return "\n".join(re.sub(r'^import .* from "\.\.?/.*";\n', "", text, flags=re.M) for text in texts)


# Where the page is dark: JupyterLab and Notebook 7, VS Code, Colab, a saved page.
DARK_PAGES = ('body[data-jp-theme-light="false"]', "body.vscode-dark", "html[theme=dark]", "html.bl-dark")


@cache
def styles() -> str:
    """The style of the picture and of the widgets around it, in the colours of the page's theme.

    A class on a widget's root chooses another palette than the green one: ``bl-blue``.
    """
    from backprop_lab.pictures.palette import PALETTES, colours
    from backprop_lab.pictures.svg import style

    rules = []
    for name, palette in PALETTES.items():
        widgets = ":is(.bl-step, .bl-question, .bl-explore)" + ("" if name == "green" else f".bl-{name}")
        dark = ", ".join(f"{page} {widgets}" for page in DARK_PAGES)
        rules += [f"{widgets} {{ {colours(palette.light)} }}", f"{dark} {{ {colours(palette.dark)} }}"]
    names = "stepping/step_through.css", "exercises/which_function.css", "training_lab/training.css"
    own = [(files("backprop_lab") / name).read_text("utf-8") for name in names]
    return "\n".join([*rules, style(), style("plot.css"), *own])
