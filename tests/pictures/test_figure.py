"""``bl.figure``: matplotlib's figures, described in words and the same in every run."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

import backprop_lab as bl

WORDS = "A parabola <and> its tangent"


def parabola():
    figure, axes = bl.figure(WORDS)
    x = np.linspace(-1, 1, 20)
    axes.plot(x, x**2, label="parabola")
    axes.plot(x, 2 * x - 1, label="tangent")
    axes.legend()
    return figure


def test_a_figure_says_in_words_what_it_shows():
    page = parabola()._repr_html_()
    assert 'alt="A parabola &lt;and&gt; its tangent"' in page
    assert repr(parabola()) == f"<figure: {WORDS}>"


def test_the_same_figure_gives_the_same_bytes():
    assert parabola()._repr_html_() == parabola()._repr_html_()


def test_a_figure_keeps_its_letters_and_names_no_date():
    svg = unquote(parabola()._repr_html_())
    assert re.search(r"<text [^>]*>tangent</text>", svg)
    assert "<metadata" not in svg and "http://www.w3.org" in svg


def test_on_a_dark_page_a_figure_is_dark(browser):
    page = parabola()._repr_html_()
    shades = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 700, "height": 400})
        tab = context.new_page()
        tab.set_content(page)
        tab.wait_for_function("document.images[0].complete && document.images[0].naturalWidth > 0")
        image = Image.open(io.BytesIO(tab.locator("img").screenshot())).convert("L")
        shades[scheme] = image.getpixel((5, 5))
        context.close()
    assert shades["light"] > 240 and shades["dark"] < 40


def test_lines_are_told_by_their_dashes_and_none_is_green_or_red():
    _, axes = bl.figure("four lines")
    lines = [axes.plot([0, k])[0] for k in range(4)]
    assert len({str(line.get_linestyle()) + str(line._unscaled_dash_pattern) for line in lines}) == 4
    assert not {line.get_color().lower() for line in lines} & {"#009e73", "#d55e00", "green", "red"}


def test_several_axes_stand_side_by_side():
    _, axes = bl.figure("two pictures", columns=2)
    assert axes.shape == (2,)


@pytest.mark.parametrize("words", ["", "  ", None, 3])
def test_a_figure_without_words_is_refused(words):
    with pytest.raises(ValueError, match="say in words"):
        bl.figure(words)


@pytest.mark.slow
def test_pyplot_and_the_settings_of_the_whole_program_are_left_alone():
    code = (
        "import matplotlib, sys, backprop_lab as bl\n"
        "from backprop_lab.pictures.figure import LOOK, WRITTEN\n"
        "settings = lambda: [matplotlib.rcParams[name] for name in (*LOOK, *WRITTEN)]\n"
        "before = settings()\n"
        "figure, axes = bl.figure('a line'); axes.plot([1, 2]); figure._repr_html_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules and settings() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
