"""The fixed parts of the training lab's page: its choices, the positions of its sliders, its colours.

They travel once, when the widget is made. What must hold: each given setting is a position of its slider.
"""

from __future__ import annotations

from backprop_lab.pictures.blocks import tone_palette
from backprop_lab.training_lab.settings import (
    ACTIVATIONS,
    DATA,
    MOST_LAYERS,
    MOST_UNITS,
    OWN,
    Settings,
)

PIXELS = 100  # of the plane's side
A_DECADE = 20  # positions of a slider between two powers of ten
RATES = (-3, 1)  # powers of ten between which the learning rate moves
PENALTIES = (-5, 0)  # and λ, which can be 0 as well
BATCHES = (None, 1, 2, 5, 10, 20, 50, 100)


def page_spec(settings: Settings, steps: int) -> dict:
    """The data from which the page is built. ``steps``: how many are taken at once, at most."""
    return {
        "title": "Training lab",
        "steps": steps,
        "pixels": PIXELS,
        "data": [*DATA, OWN],
        "own": OWN,
        "activations": list(ACTIVATIONS),
        "rates": _places(RATES, settings.learning_rate),
        "penalties": _places(PENALTIES, settings.penalty, 0.0),
        "batches": list(dict.fromkeys([*BATCHES, settings.batch_size])),
        "most": {"layers": MOST_LAYERS, "units": MOST_UNITS},
        "tones": list(tone_palette()),
    }


def _places(decades: tuple[int, int], *needed: float) -> list[float]:
    """The positions of a slider: powers of ten with evenly spaced exponents, and the needed ones."""
    low, high = decades
    powers = (float(f"{10 ** (low + k / A_DECADE):.3g}") for k in range((high - low) * A_DECADE + 1))
    apart = 10 ** (0.5 / A_DECADE)  # a power close to a needed number gives way to it
    return sorted({*needed, *(p for p in powers if not any(p / apart < v < p * apart for v in needed))})
