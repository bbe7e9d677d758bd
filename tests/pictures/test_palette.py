"""The colours: contrast computed as WCAG defines it, in both palettes, on light and dark pages."""

import io
import re

import numpy as np
import pytest

import backprop_lab as bl
from backprop_lab.browser import assets
from backprop_lab.pictures.palette import PALETTES
from backprop_lab.pictures.svg import style
from tools import graphs

GROUNDS = ("paper", "tint", "tint-gradient", "soft")
SCHEMES = [(name, page) for name in PALETTES for page in ("light", "dark")]
each_scheme = pytest.mark.parametrize(("name", "page"), SCHEMES)


def luminance(colour):
    """Relative luminance, from 0 (black) to 1 (white): WCAG 2.2, definitions."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a, b):
    darker, lighter = sorted(map(luminance, (a, b)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@each_scheme
def test_text_can_be_read_on_every_ground(name, page):
    scheme = getattr(PALETTES[name], page)
    for text in ("ink", "faint"):
        for ground in GROUNDS:
            assert contrast(scheme[text], scheme[ground]) >= 4.5, (text, ground)


@each_scheme
def test_borders_and_signs_stand_out_from_both_sides(name, page):
    scheme = getattr(PALETTES[name], page)
    for border in ("known", "gradient", "faint"):
        for ground in GROUNDS:
            assert contrast(scheme[border], scheme[ground]) >= 3, (border, ground)


def test_every_text_is_in_the_inks_colour_or_the_faint_one_but_for_the_signs():
    """So that the contrasts above are those of all text."""
    for selector, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", style()):
        fill = re.search(r"fill: var\(--bl-([\w-]+)\)", rules)
        is_text = re.search(r"bl-(graph|name|how|shape|count|numbers|sign)\b", selector)
        if fill and is_text and "bl-sign" not in selector:
            assert fill[1] in ("ink", "faint"), selector


def test_all_palettes_name_the_same_colours_on_light_and_dark_pages():
    named = [frozenset(colours) for palette in PALETTES.values() for colours in (palette.light, palette.dark)]
    assert len(named) == 4 and len(set(named)) == 1


def test_blue_is_okabe_and_itos_and_only_green_changes():
    green, blue = PALETTES["green"], PALETTES["blue"]
    assert blue.light["known"] == "#0072b2"
    for one, other in zip(green, blue, strict=True):
        assert {key for key in one if one[key] != other[key]} == {"known", "tint"}


def test_a_drawing_is_blue_on_request_and_says_which_palettes_there_are():
    J = graphs.lecture()
    svg = bl.draw(J, palette="blue").svg
    assert "#0072b2" in svg and "#56b4e9" in svg and "#009e73" not in svg
    assert "#009e73" in bl.draw(J).svg and "#0072b2" not in bl.draw(J).svg
    with pytest.raises(ValueError, match="palette='pink' does not exist; there is 'green' and 'blue'"):
        bl.draw(J, palette="pink")


def test_a_class_on_a_widgets_root_makes_it_blue_on_light_and_dark_pages():
    rules = re.findall(r"^(.*\.bl-blue) \{ (.*) \}$", assets.style("stepping/step_through.css"), re.M)
    assert len(rules) == 2
    (light, light_colours), (dark, dark_colours) = rules
    assert "--bl-known: #0072b2" in light_colours and "--bl-known: #56b4e9" in dark_colours
    assert light == ":is(.bl-step, .bl-question, .bl-explore).bl-blue"
    assert dark == ", ".join(f"{page} {light}" for page in assets.DARK_PAGES)


@pytest.mark.parametrize("palette", PALETTES)
def test_in_grey_the_states_still_look_different(palette):
    """Without any colour the cards of an unknown, a known and a red node differ: in signs and borders."""
    Image = pytest.importorskip("PIL.Image")
    pytest.importorskip("resvg_py")
    from backprop_lab.pictures import raster

    x = bl.variable("x", 1.0)
    J = x * 1

    def in_grey():
        grey = Image.open(io.BytesIO(raster.png(bl.draw(J, palette=palette).svg))).convert("L")
        return np.asarray(grey).astype(int)

    unknown = in_grey()
    bl.forward(J)
    known = in_grey()
    assert unknown.shape == known.shape
    assert (np.abs(unknown - known) > 60).sum() > 300
    bl.backward(J)
    red = in_grey()
    assert (red < 200).sum() > (known < 200).sum() + 300
