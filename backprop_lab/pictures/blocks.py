"""Arrays as they stand on a card: numbers in brackets up to 4 × 4, a heat map beyond.

A vector is a column, as in the lecture. A heat map is a small image, scaled up by the page, with the
array's shape and range above it; it is written byte by byte here, so that it is the same on every
machine.
"""

from __future__ import annotations

import base64
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.words import notation

if TYPE_CHECKING:
    import numpy.typing as npt

DIGIT = 7.3  # width of a character of the number font, in pixels
ROW = 16.0  # height of a row of numbers
MOST_COLUMNS = MOST_ROWS = 4
LONGEST_VECTOR = 8  # entries; a longer one is a heat map
DIGITS = 4  # significant
FEWER_DIGITS, MANY_ENTRIES = 3, 6  # for a matrix of more than so many entries
FINEST = 32  # rows and columns of a heat map; larger arrays are averaged down to it
TONES = 31  # of each sign
CELL = 12.0  # the side of a heat map's cell, where there is room
WIDEST, TALLEST, THINNEST = 96.0, 72.0, 14.0  # of a heat map
ON_AN_ARROW = 124.0  # width of the numbers on an arrow; wider ones are a heat map there
ALWAYS_NUMBERS = 4  # so many entries are numbers everywhere


@dataclass(frozen=True)
class Block:
    """Rows of numbers to be drawn in brackets, or a heat map under its caption."""

    rows: tuple[str, ...]
    width: float
    height: float
    brackets: bool = False
    image: str | None = None
    image_size: tuple[float, float] = (0.0, 0.0)


def block(value: npt.ArrayLike) -> Block:
    """How an array is drawn as a node's value."""
    value = np.asarray(value)
    return _numbers(value) or _heat_map(value, notation.dimensions(value.shape))


def gradient_block(value: npt.ArrayLike) -> Block:
    """How an array is drawn as a gradient: without its shape, which is that of the value."""
    value = np.asarray(value)
    return _numbers(value) or _heat_map(value)


def block_on_arrow(value: npt.ArrayLike) -> Block:
    """How an array is drawn on an arrow: as a gradient, and never wide."""
    value = np.asarray(value)
    drawn = _numbers(value)
    if drawn and (drawn.width <= ON_AN_ARROW or value.size <= ALWAYS_NUMBERS):
        return drawn
    return _heat_map(value)


def _numbers(value) -> Block | None:
    """Numbers, if they are few enough: a single one, a column, a matrix."""
    if value.ndim == 0:
        return _rows([notation.number(value[()])], brackets=False)
    if value.ndim == 1 and 0 < value.size <= LONGEST_VECTOR:
        return _rows(_aligned(value[:, None], DIGITS), brackets=True)
    if value.ndim == 2 and value.size > 0 and value.shape[0] <= MOST_ROWS and value.shape[1] <= MOST_COLUMNS:
        return _rows(_aligned(value, DIGITS if value.size <= MANY_ENTRIES else FEWER_DIGITS), brackets=True)
    return None


def _rows(rows, brackets) -> Block:
    return Block(
        tuple(rows),
        max(map(len, rows)) * DIGIT + (12 if brackets else 0),
        len(rows) * ROW,
        brackets,
    )


def _aligned(matrix, digits) -> list[str]:
    """Rows of text, with every column as wide as its longest number."""
    texts = [[notation.number(v, digits) for v in row] for row in matrix]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [" ".join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in texts]


def _heat_map(value, *caption) -> Block:
    """An image under its caption and its range, the last axis across."""
    if value.size == 0:
        return _rows([f"{notation.dimensions(value.shape)}, empty"], brackets=False)
    caption = (*caption, range_of(value))
    if value.min() == value.max():  # the caption says it all
        return _rows(caption, brackets=False)
    cells = _at_most(value.reshape(-1, value.shape[-1]), FINEST)
    rows, columns = cells.shape
    size = (
        min(WIDEST, max(THINNEST, columns * CELL)),
        min(TALLEST, max(THINNEST, rows * CELL)),
    )
    width = max(size[0], max(map(len, caption)) * DIGIT)
    height = len(caption) * ROW + size[1] + 4
    return Block(caption, width, height, image=png_address(tones(cells), tone_palette()), image_size=size)


def range_of(value: np.ndarray) -> str:
    """The range of the finite entries, ``−1 … 3``; after a plus, what else there is."""
    finite = value[np.isfinite(value)]
    parts = []
    if finite.size:
        low, high = finite.min(), finite.max()
        texts = [notation.number(v, 2) for v in (low, high)]
        if texts[0] == texts[1] and low != high:
            texts = [notation.number(v) for v in (low, high)]
        parts.append(" … ".join(texts) if low != high else f"all {texts[0]}")
    for name, there in (("nan", np.isnan), ("∞", np.isposinf), (f"{notation.MINUS}∞", np.isneginf)):
        if there(value).any():
            parts.append(name)
    return " + ".join(parts)


def _at_most(matrix, most):
    """Averaged over equal groups of rows and columns until there are at most ``most`` of each."""
    for axis in (0, 1):
        length = matrix.shape[axis]
        if length > most:
            edges = np.arange(most) * length // most
            counts = np.diff(np.append(edges, length))
            with np.errstate(invalid="ignore"):  # ∞ − ∞ is a NaN, and drawn as one
                sums = np.add.reduceat(np.asarray(matrix, float), edges, axis=axis)
            matrix = sums / (counts[:, None] if axis == 0 else counts)
    return matrix


def tones(matrix: npt.ArrayLike) -> np.ndarray:
    """Places in :func:`tone_palette` for −max … +max: zero in the middle, NaN at the end. An
    infinity is as dark as the largest."""
    matrix = np.asarray(matrix, float)
    finite = np.isfinite(matrix)
    largest = np.abs(np.where(finite, matrix, 0)).max()
    scaled = np.where(finite, matrix, 0) / (largest or 1.0)
    scaled = np.where(np.isinf(matrix), np.sign(matrix), scaled)
    return np.where(np.isnan(matrix), 2 * TONES + 1, np.rint(TONES + TONES * scaled)).astype(np.uint8)


@cache
def tone_palette() -> bytes:
    """Red, green and blue of each tone: negative purple, positive ochre, NaN black. Neither green nor red,
    which mean value and gradient here; darkness tells size in grey as well."""
    negative, zero, positive = (
        np.array([94, 60, 153]),
        np.array([250, 250, 248]),
        np.array([122, 82, 0]),
    )
    shares = np.linspace(0, 1, TONES + 1)[:, None]
    down = zero + (negative - zero) * shares
    up = zero + (positive - zero) * shares
    return np.rint(np.vstack([down[:0:-1], up, [[0, 0, 0]]])).astype(np.uint8).tobytes()


def png_address(indices: np.ndarray, palette: bytes) -> str:
    """A PNG as a data address. ``indices``: of each pixel its place in ``palette``, which has three bytes for
    each colour. Stored, not compressed: compressors differ between machines."""
    rows, columns = indices.shape
    raw = b"".join(b"\0" + row.tobytes() for row in indices)
    stored = b"\x78\x01" + b"\1" + struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF) + raw
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0),
        b"PLTE": palette,
        b"IDAT": stored + struct.pack(">I", zlib.adler32(raw)),
        b"IEND": b"",
    }
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def text_width(text: str, size: float, bold: bool = False) -> float:
    """An upper estimate of the width of ``text`` in a sans-serif font of ``size`` pixels."""
    total = 0.0
    for character in text:
        if unicodedata.combining(character):
            continue
        if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0x1F000:
            total += 1.35
        elif character in "mwMW@%…":
            total += 0.95
        elif character in "iljtfrI.,:;'|![]() ":
            total += 0.42
        else:
            total += 0.67
    return total * size * (1.2 if bold else 1)
