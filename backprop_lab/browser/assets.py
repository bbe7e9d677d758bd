"""The browser's part of a widget: its script and its style sheet, each joined into one text.

Scripts are plain ESM, style sheets plain CSS. Those of a single widget lie beside its Python file, shared
ones in this room, and every file imports what it needs. Joining drops these import lines and the comments:
there is no bundler and no request, and one text serves both the widget in a notebook and the saved page.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from importlib.resources import files

from backprop_lab.pictures.palette import FORCED, PALETTES, colours

_IMPORT = re.compile(r'^(?:import \{.*\} from|@import) "(\..*)";\n', re.M)
_COMMENT = re.compile(r"^[ ]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/)\n", re.M | re.S)  # alone on its lines

# Where the page is dark: JupyterLab and Notebook 7, VS Code, Colab, a saved page.
DARK_PAGES = ('body[data-jp-theme-light="false"]', "body.vscode-dark", "html[theme=dark]", "html.bl-dark")
ROOTS = ":is(.bl-step, .bl-question, .bl-explore)"


@cache
def script(name: str) -> str:
    """The module ``name``, such as "exercises/question.js", joined with everything it imports."""
    return "\n".join(_with_imports(name).values())


@cache
def style(name: str) -> str:
    """The style sheet ``name`` with everything it imports, in the colours of the page's theme.

    The class ``bl-blue`` on a widget's root chooses the blue palette instead of the green one.
    """
    rules = []
    for palette, tones in PALETTES.items():
        roots = ROOTS if palette == "green" else f"{ROOTS}.bl-{palette}"
        dark = ", ".join(f"{page} {roots}" for page in DARK_PAGES)
        rules += [f"{roots} {{ {colours(tones.light)} }}", f"{dark} {{ {colours(tones.dark)} }}"]
    forced = colours({name: f"{colour} !important" for name, colour in FORCED.items()})
    rules.append(f"@media (forced-colors: active) {{ {ROOTS} {{ {forced} }} }}")
    return "\n".join([*rules, *_with_imports(name).values()])


def _with_imports(name: str) -> dict[str, str]:
    """{file: its text without imports and comments}, each file once and before those that import it."""
    text = (files("backprop_lab") / name).read_text("utf-8")
    found: dict[str, str] = {}
    for needed in _IMPORT.findall(text):
        found |= _with_imports(posixpath.normpath(posixpath.join(posixpath.dirname(name), needed)))
    return {**found, name: _COMMENT.sub("", _IMPORT.sub("", text))}
