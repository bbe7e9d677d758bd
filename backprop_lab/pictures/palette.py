"""The colours, light and dark, under the names that the style sheets use (``--bl-ink`` and so on).

Green and vermillion are the lecture's colours in the tones of Okabe & Ito (2008), which readers with a
red-green deficiency can tell apart; a second palette has their blue in place of green. Numbers are always in
the ink's colour.

What must hold: text has a contrast of at least 4.5 with every ground it stands on, borders and signs of at
least 3 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from typing import NamedTuple


class Palette(NamedTuple):
    """The colours on a light page and on a dark one."""

    light: dict[str, str]
    dark: dict[str, str]


LIGHT = {
    "ink": "#1b1b1b",
    "paper": "#ffffff",
    "faint": "#5f5f5f",
    "known": "#009e73",
    "gradient": "#d55e00",
    "tint": "#eef8f5",
    "tint-gradient": "#fdf1e8",
    "soft": "#f3f3f1",
}
DARK = {
    "ink": "#f2f2f2",
    "paper": "#1c1c1c",
    "faint": "#a8a8a8",
    "known": "#1fc299",
    "gradient": "#ff8a3d",
    "tint": "#10241e",
    "tint-gradient": "#2b1a0f",
    "soft": "#2a2a2a",
}

# Where the reader has a few colours of their own for everything; states differ by their borders as well.
FORCED = dict.fromkeys(("ink", "faint", "known", "gradient"), "CanvasText") | dict.fromkeys(
    ("paper", "tint", "tint-gradient", "soft"), "Canvas"
)

PALETTES = {
    "green": Palette(LIGHT, DARK),
    "blue": Palette(
        LIGHT | {"known": "#0072b2", "tint": "#edf4fb"},
        DARK | {"known": "#56b4e9", "tint": "#0f2030"},
    ),
}


def palette_named(name: str) -> Palette:
    """The palette of this name. Raises ValueError for another."""
    if name not in PALETTES:
        raise ValueError(f"palette={name!r} does not exist; there is {' and '.join(map(repr, PALETTES))}")
    return PALETTES[name]


def colours(scheme: dict[str, str]) -> str:
    """The colours of one scheme as CSS declarations."""
    return " ".join(f"--bl-{name}: {colour};" for name, colour in scheme.items())
