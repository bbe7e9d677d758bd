"""The colours, light and dark, under the names that the style sheets use (``--bl-ink`` and so on).

Green and vermillion are the lecture's colours in the tones of Okabe & Ito (2008), which readers with a
red-green deficiency can tell apart; numbers are always in the ink's colour.
"""

from __future__ import annotations

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


def colours(palette: dict[str, str]) -> str:
    """A palette as CSS declarations."""
    return " ".join(f"--bl-{name}: {colour};" for name, colour in palette.items())
