"""Screenshots of the graphs of ``tools/graphs.py``, to be looked at: ``python -m tools.looks FOLDER``.

Every level of folding after the last step, light and dark, one picture a file; and all of them side by side
on sheets, light, dark and in grey. ``--scale`` is that of a wide screen by default; names given after the
folder restrict it to these graphs.
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


def looks(folder: Path, names: list[str]) -> None:
    """Write the screenshots into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for name in names:
        J = graphs.ALL[name]()
        for level, picture in levels(timeline.of_steps(J, bl.steps(J))):
            pictures.setdefault(level, {})[name] = picture.still(picture.line.length - 1)
    with lab.chromium() as browser:
        for theme in ("light", "dark"):
            with lab.new_page(browser, width=WIDEST, dark=theme == "dark") as page:
                for level, drawn in pictures.items():
                    for name, svg in drawn.items():
                        page.set_content(f"<style>body{{margin:0}}svg{{max-width:{WIDEST}px}}</style>{svg}")
                        file = f"{name.replace(' ', '-')}.{level}.{theme}.png"
                        page.locator("svg").screenshot(path=folder / file)
        for look in ("light", "dark", "grey"):
            with lab.new_page(browser, width=2000, dark=look == "dark") as page:
                for level, drawn in pictures.items():
                    page.set_content(_sheet(drawn, look))
                    page.screenshot(path=folder / f"sheet.{level}.{look}.png", full_page=True)


def _sheet(drawn, look) -> str:
    figures = "".join(
        f'<figure><img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for name, svg in drawn.items()
    )
    grey = "filter:grayscale(1);" if look == "grey" else ""
    return (
        f"<style>:root{{color-scheme:light dark}}body{{display:flex;flex-wrap:wrap;gap:24px;{grey}}}"
        "figure{margin:0;border:1px solid #8885;padding:8px}img{display:block;max-width:960px;"
        f"max-height:480px}}figcaption{{font:14px sans-serif}}</style>{figures}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(graphs.ALL), help="graphs; all by default")
    given = parser.parse_args()
    looks(given.folder, given.names)
    print(f"{len(list(given.folder.glob('*.png')))} pictures in {given.folder}")


if __name__ == "__main__":
    main()
