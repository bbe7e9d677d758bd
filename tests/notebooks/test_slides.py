"""``jupyter nbconvert --to slides`` makes slides of the notebooks that can be shown.

The slides' own libraries come from a CDN when they are opened. The test in a browser has them from the folder
node_modules that BACKPROP_LAB_SLIDES names, and is skipped without.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
# As wide and as high as letters of any usual font, whatever fonts this machine has.
LARGE_LETTERS = ".reveal * { letter-spacing: .06em !important; line-height: 1.6 !important }"
TALLEST = 4  # screens that the pictures of a step-through take at the most; such a slide scrolls


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The slides, made by the command of docs/teaching.md."""
    folder = tmp_path_factory.mktemp("slides")
    guide = (ROOT / "docs" / "teaching.md").read_text("utf-8").splitlines()
    (line,) = (line for line in guide if line.startswith("jupyter nbconvert --to slides"))
    options = shlex.split(line.removeprefix("jupyter ").partition(" --post serve")[0])
    subprocess.run(
        [sys.executable, "-m", *options, "--output-dir", str(folder), *map(str, NOTEBOOKS)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


class Slides(HTMLParser):
    """The innermost sections of a page: the headings of each."""

    def __init__(self, text):
        super().__init__()
        self.slides, self.depth, self.heading = [], 0, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "section":
            self.depth += 1
            if self.depth == 2:
                self.slides.append([])
        elif self.depth == 2:
            self.heading = tag in ("h1", "h2")
            if self.heading:
                self.slides[-1].append("")

    def handle_endtag(self, tag):
        self.depth -= tag == "section"
        self.heading = self.heading and tag not in ("h1", "h2")

    def handle_data(self, data):
        if self.heading:
            self.slides[-1][-1] += data.strip("¶\n")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_heading_opens_a_slide(path, folder):
    text = (folder / f"{path.stem}.slides.html").read_text("utf-8")
    slides, book = Slides(text).slides, nbformat.read(path, as_version=4)
    cells = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    opening = [cell.splitlines()[0].lstrip("# ") for cell in cells if cell.startswith("#")]
    assert slides[0] == opening[:1] and set(opening) <= {slide[0] for slide in slides if slide}
    assert 15 <= len(slides) <= 60
    assert "get_ipython" not in text  # the cell that installs is none of them


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_slides_can_be_gone_through_by_key_and_none_is_cut_off(path, folder, browser):
    if "BACKPROP_LAB_SLIDES" not in os.environ:
        pytest.skip("no libraries of the slides: set BACKPROP_LAB_SLIDES to a node_modules that has them")
    modules = Path(os.environ["BACKPROP_LAB_SLIDES"])

    def answer(route):
        address = route.request.url
        places = {
            "require.min.js": "requirejs/require.js",
            "jquery.min.js": "jquery/dist/jquery.min.js",
            "/dist/reveal.css": "reveal.js/dist/reveal.css",
            "/dist/reveal.js": "reveal.js/dist/reveal.js",
            "/notes.js": "reveal.js/plugin/notes/notes.js",
            "/theme/": "reveal.js/dist/theme/simple.css",
        }
        if address.startswith(("file:", "data:")):
            route.continue_()
        elif place := next((place for part, place in places.items() if part in address), None):
            route.fulfill(path=modules / place)
        else:
            route.abort()  # fonts, formulas and diagrams, without which slides still show

    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.route("**/*", answer)
    page.add_init_script(
        f"""document.addEventListener("DOMContentLoaded", () => {{
            document.head.append(Object.assign(document.createElement("style"), {{
                textContent: "{LARGE_LETTERS} * {{ transition: none !important; }}" }}));
        }})"""
    )
    page.goto((folder / f"{path.stem}.slides.html").as_uri())
    page.wait_for_selector(".reveal.ready")
    seen = []
    while True:
        slide = page.evaluate(
            """() => {
                const [it] = [...document.querySelectorAll('section.present')].slice(-1);
                return [it.innerText, it.scrollWidth, it.clientWidth, it.scrollHeight, it.clientHeight,
                    getComputedStyle(it).overflowY, document.querySelectorAll('.fragment.visible').length,
                    location.hash];
            }"""
        )
        if seen and slide[-2:] == seen[-1][-2:]:
            break
        seen.append(slide)
        text, width, room, height, screen, overflow, *_ = slide
        assert text.strip() and width <= room
        assert height <= 720 or (overflow == "scroll" and height <= TALLEST * screen), text[:80]
        page.keyboard.press("Space")
    assert len(seen) >= 15 and "Five lines to keep" in seen[-1][0]
    page.close()
