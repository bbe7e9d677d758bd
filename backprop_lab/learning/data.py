"""``bl.data``: toy data sets, large enough to learn from and small enough to look at.

Points in the plane that belong to classes, a noisy curve, and images of digits. Nothing is downloaded: the
digits are drawn in fonts that come with matplotlib, which is imported for them only.

What must hold: the same arguments and seed give the same arrays; numbers are float64, labels are class
numbers from 0; labelled examples are shuffled, and their classes as balanced as n allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from backprop_lab.words.numbers import is_number, is_whole

__all__ = ["FONTS", "blobs", "circles", "digits", "moons", "noisy_polynomial", "spirals"]

# The least value of each argument; an argument is a whole number where its least value is an int.
_LEAST = {"n": 1, "classes": 1, "degree": 0, "noise": 0.0, "spread": 0.0}

# Without Sans Mono: in 8 × 8 pixels its dotted zero is an eight.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSans-BoldOblique"),
    *("DejaVuSerif-Bold", "DejaVuSerif-BoldItalic"),
    *("DejaVuSerif", "STIXGeneral", "STIXGeneralBol", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
_CLEAR = FONTS[:6]  # the hairlines of the others fade


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles of radius 1 that reach into each other: class 0 arches up, class 1 down.

    Returns the points, shape (n, 2), and their labels, shape (n,). ``noise``: the standard deviation of each
    coordinate. Raises TypeError or ValueError unless n is a whole number from 1, and noise a number from 0.

    >>> import backprop_lab as bl
    >>> X, y = bl.data.moons(6)
    >>> X.shape, y
    ((6, 2), array([1, 0, 1, 0, 0, 1]))
    """
    random, y, t = _examples("moons", n, 2, seed, noise=noise)
    arch = _on_circle(t / 2)
    return _noisy(random, np.where(y[:, None] == 0, arch, [1, 0.5] - arch), noise), y


def circles(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two circles around 0: class 0 of radius 1, and inside it class 1, of radius 1/2.

    Returns the points, shape (n, 2), and their labels, shape (n,). ``noise``: the standard deviation of each
    coordinate. Raises TypeError or ValueError unless n is a whole number from 1, and noise a number from 0.

    >>> import numpy as np, backprop_lab as bl
    >>> X, y = bl.data.circles(6, noise=0)
    >>> np.linalg.norm(X, axis=1)[y == 1]
    array([0.5, 0.5, 0.5])
    """
    random, y, t = _examples("circles", n, 2, seed, noise=noise)
    return _noisy(random, _on_circle(t) / (1 + y[:, None]), noise), y


def spirals(
    n: int = 100, classes: int = 2, noise: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Spirals around 0, one for each class: in one turn the radius grows from 1/4 to 2.

    Returns the points, shape (n, 2), and their labels, shape (n,). ``noise``: the standard deviation of each
    coordinate. Raises TypeError or ValueError unless n and classes are whole numbers from 1, and noise a
    number from 0.

    >>> import backprop_lab as bl
    >>> X, y = bl.data.spirals(6, classes=3)
    >>> X.shape, sorted(y.tolist())
    ((6, 2), [0, 0, 1, 1, 2, 2])
    """
    random, y, t = _examples("spirals", n, classes, seed, noise=noise)
    radius = 0.25 + 1.75 * t[:, None]
    return _noisy(random, radius * _on_circle(t + y / classes), noise), y


def blobs(
    n: int = 100, classes: int = 3, spread: float = 0.5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Normally distributed clouds, one for each class, their centres evenly on a circle of radius 2.

    Returns the points, shape (n, 2), and their labels, shape (n,). ``spread``: the standard deviation of each
    coordinate. Raises TypeError or ValueError unless n and classes are whole numbers from 1, and spread a
    number from 0.

    >>> import backprop_lab as bl
    >>> X, y = bl.data.blobs(300)
    >>> [round(float(x)) for x in X[y == 0].mean(axis=0)]
    [2, 0]
    """
    random, y, _ = _examples("blobs", n, classes, seed, spread=spread)
    return _noisy(random, 2 * _on_circle(y / classes), spread), y


def noisy_polynomial(
    n: int = 20, degree: int = 3, noise: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """x evenly from −1 to 1, and y: a polynomial of x plus normal noise. Both of shape (n,).

    The polynomial is the same for every seed, so another seed gives test data: Chebyshev's polynomial of this
    degree, cos(degree · arccos x), which stays within −1…1. Of degree 3 it is 4x³ − 3x. ``noise``: its
    standard deviation. Raises TypeError or ValueError unless n is a whole number from 1, degree one from 0,
    and noise a number from 0.

    >>> import numpy as np, backprop_lab as bl
    >>> x, y = bl.data.noisy_polynomial(noise=0)
    >>> bool(np.allclose(y, 4 * x**3 - 3 * x))
    True
    """
    _check("noisy_polynomial", n=n, degree=degree, noise=noise)
    x = np.linspace(-1, 1, n)
    return x, _noisy(np.random.default_rng(seed), np.cos(degree * np.arccos(x)), noise)


def digits(n: int = 1000, seed: int = 0, fonts: Iterable[str] = _CLEAR) -> tuple[np.ndarray, np.ndarray]:
    """Grey images of the ten digits, shape (n, 64), and their labels, shape (n,).

    An image is 8 × 8 pixels, row by row, from 0 (paper) to 1 (ink). Each is drawn in one of ``fonts``, names
    out of ``bl.data.FONTS``, six clear ones by default, with a size, slant, turn and place of its own, and a
    little noise; another version of matplotlib may draw it a shade differently. Raises TypeError or
    ValueError unless n is a whole number from 1, and fonts are names of such fonts.

    >>> import backprop_lab as bl
    >>> images, labels = bl.data.digits(20)
    >>> for row in images[2].reshape(8, 8):
    ...     print(*("#" if grey > 0.5 else "." for grey in row))
    . . . . . . . .
    . . . # # # . .
    . . # . . . . .
    . . # # # . . .
    . . # . . # . .
    . . # . . # . .
    . . # # # . . .
    . . . . . . . .
    """
    names = [] if isinstance(fonts, str) or not np.iterable(fonts) else [*fonts]
    if not names or not set(names) <= set(FONTS):
        raise ValueError(f"digits: fonts are some of {', '.join(FONTS)}, not {fonts!r}")
    random, labels, _ = _examples("digits", n, 10, seed)
    chosen = random.integers(len(names), size=n)
    images = np.array([_varied(random, _glyphs(names[k])[digit]) for k, digit in zip(chosen, labels)])
    return np.clip(_noisy(random, images, 0.05), 0, 1), labels


@lru_cache
def _glyphs(name):
    """The ten digits in a font, each in the middle of 128 × 128 pixels: shape (10, 128, 128)."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    font, glyphs = FT2Font(f"{get_data_path()}/fonts/ttf/{name}.ttf"), np.zeros((10, 128, 128))
    # At first four times as large: versions of matplotlib differ in how they fit outlines to pixels.
    font.set_size(512, 72)
    for digit, glyph in enumerate(glyphs):
        font.set_text(str(digit))
        font.draw_glyphs_to_bitmap()
        ink = np.array(font.get_image()) / 255
        ink = ink[np.ix_(ink.any(axis=1), ink.any(axis=0))]
        margins = [((512 - length) // 2, (513 - length) // 2) for length in ink.shape]
        glyph[:] = np.pad(ink, margins).reshape(128, 4, 128, 4).mean(axis=(1, 3))
    return glyphs


def _varied(random, glyph):
    """A glyph slightly bent and moved, as 64 pixels: each the mean of 4 × 4 points, the darkest made 1."""
    line = np.arange(32) / 4 - 3.875  # in pixels of the image, from its middle
    points = np.stack(np.meshgrid(line, line, indexing="ij")).reshape(2, -1)
    moved = points - random.uniform(-0.4, 0.4, (2, 1))
    # A matrix close to the identity changes size, slant and turn at once. The glyph is 98 pixels high and
    # has 15 of them for one of the image, across 14: hardly a stroke is cut off.
    bent = np.diag([15, 14]) @ (np.eye(2) + random.uniform(-0.18, 0.18, (2, 2))) @ moved
    row, column = np.clip(64 + bent, 0, 127).astype(int)
    pixels = glyph[row, column].reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel()
    return pixels / pixels.max()


def _examples(asker, n, classes, seed, **deviation):
    """A generator, n shuffled balanced class numbers, and each example's place in its class, inside 0…1."""
    _check(asker, n=n, classes=classes, **deviation)
    random = np.random.default_rng(seed)
    order = random.permutation(n)
    return random, order % classes, (order // classes + 0.5) / math.ceil(n / classes)


def _on_circle(turns):
    """The points of the unit circle after so many turns from (1, 0), anticlockwise: shape (n, 2)."""
    return np.column_stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])


def _noisy(random, values, deviation):
    return values + deviation * random.standard_normal(values.shape)


def _check(asker, **given):
    for name, value in given.items():
        least = _LEAST[name]
        whole = isinstance(least, int)
        right_kind = is_whole(value) if whole else is_number(value)
        if not (right_kind and least <= value < math.inf):
            expected = f"a {'whole' if whole else 'finite'} number from {least:g}"
            raise (ValueError if right_kind else TypeError)(f"{asker}: {name} is {expected}, not {value!r}")
