"""Screenshots of the graphs of ``tools/graphs.py``, to look at: ``python -m tools.looks FOLDER``.

Every level of folding after the last step, light and dark, one picture a file; and all of them side by side
on sheets: light, dark and in grey.
"""

from __future__ import annotations

import argparse
import base64
from html import escape
from pathlib import Path

import backprop_lab as bl
from backprop_lab.pictures import timeline
from backprop_lab.pictures.svg import levels
from tools import graphs, lab

WIDEST = 8000  # pixels of a screenshot; a wider picture is shrunk


def looks(browser, folder: Path, names: list[str]) -> list[Path]:
    """Write the screenshots of the graphs called ``names`` into ``folder``; return their paths.

    ``browser``: a running one, such as :func:`tools.lab.chromium` gives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, dict[str, str]] = {}
    for name in names:
        J = graphs.ALL[name]()
        for level, picture in levels(timeline.of_steps(J, bl.steps(J))):
            drawn.setdefault(level, {})[name] = picture.still(picture.line.length - 1)
    written = []
    for look in ("light", "dark", "grey"):
        with lab.new_page(browser, width=WIDEST, dark=look == "dark") as page:
            for level, pictures in drawn.items():
                for name, svg in pictures.items() if look != "grey" else ():
                    page.set_content(f"<style>body{{margin:0}}svg{{max-width:{WIDEST}px}}</style>{svg}")
                    written.append(folder / f"{name.replace(' ', '-')}.{level}.{look}.png")
                    page.locator("svg").screenshot(path=written[-1])
                page.set_content(_sheet(pictures, look))
                written.append(folder / f"sheet.{level}.{look}.png")
                page.locator("main").screenshot(path=written[-1])
    return written


def _sheet(pictures, look) -> str:
    figures = "".join(
        f'<figure><img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, svg in pictures.items()
    )
    grey = "filter:grayscale(1);" if look == "grey" else ""
    return (
        "<style>:root{color-scheme:light dark}"
        f"main{{width:2000px;display:flex;flex-wrap:wrap;gap:24px;{grey}}}"
        "figure{margin:0;border:1px solid #8885;padding:8px}img{display:block;max-width:960px;"
        f"max-height:480px}}figcaption{{font:14px sans-serif}}</style><main>{figures}</main>"
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(graphs.ALL), metavar="name")
    given = parser.parse_args()
    with lab.chromium() as browser:
        written = looks(browser, given.folder, given.names)
    print(f"{len(written)} pictures in {given.folder}")


if __name__ == "__main__":
    main()
