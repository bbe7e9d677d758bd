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

import numpy as np

from backprop_lab import notation

DIGIT = 7.3  # width of a character of the number font, in pixels
ROW = 16.0  # height of a row of numbers
MOST_COLUMNS = MOST_ROWS = 4
LONGEST_VECTOR = 8
FINEST = 32  # rows and columns of a heat map; larger arrays are averaged down to it


@dataclass(frozen=True)
class Block:
    """Rows of numbers to be drawn in brackets, or a heat map under its caption."""

    rows: tuple[str, ...]
    width: float
    height: float
    brackets: bool = False
    image: str | None = None
    image_size: tuple[float, float] = (0.0, 0.0)


def block(value: np.ndarray) -> Block:
    """How an array is drawn."""
    value = np.asarray(value)
    if value.ndim == 0:
        return _rows([notation.number(value[()])], brackets=False)
    if value.ndim == 1 and 0 < value.size <= LONGEST_VECTOR:
        return _rows(_aligned(value[:, None]), brackets=True)
    if value.ndim == 2 and value.size > 0 and value.shape[0] <= MOST_ROWS and value.shape[1] <= MOST_COLUMNS:
        return _rows(_aligned(value), brackets=True)
    return _heat_map(value)


def _rows(rows, brackets) -> Block:
    return Block(
        tuple(rows),
        max(map(len, rows)) * DIGIT + (12 if brackets else 0),
        len(rows) * ROW,
        brackets,
    )


def _aligned(matrix) -> list[str]:
    """Rows of text, with every column as wide as its longest number."""
    texts = [[notation.number(v) for v in row] for row in matrix]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return [" ".join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in texts]


def _heat_map(value) -> Block:
    shape = notation.dimensions(value.shape)
    if value.size == 0:
        return _rows([f"{shape}, empty"], brackets=False)
    low, high = (notation.number(v, 2) for v in (value.min(), value.max()))
    caption = (shape, f"{low} … {high}")
    cells = _at_most(np.atleast_2d(value.reshape(value.shape[0], -1) if value.ndim > 1 else value), FINEST)
    rows, columns = cells.shape
    side = max(3.0, min(12.0, 96 / max(rows, columns)))
    size = (columns * side, rows * side)
    width = max(size[0], max(map(len, caption)) * DIGIT)
    return Block(caption, width, 2 * ROW + size[1] + 4, image=_png(_colours(cells)), image_size=size)


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


def _colours(matrix) -> np.ndarray:
    """0 … 254 for −max … +max, 127 for zero: negative purple, positive ochre, and 255 for NaN."""
    finite = np.isfinite(matrix)
    largest = np.abs(np.where(finite, matrix, 0)).max()
    scaled = np.where(finite, matrix, 0) / (largest or 1.0)
    return np.where(finite, np.rint(127 + 127 * scaled), 255).astype(np.uint8)


def _palette() -> bytes:
    """Neither green nor red, which mean value and gradient here; darkness tells size in grey as well."""
    negative, zero, positive = (
        np.array([94, 60, 153]),
        np.array([250, 250, 248]),
        np.array([122, 82, 0]),
    )
    shares = np.linspace(0, 1, 128)[:, None]
    down = zero + (negative - zero) * shares
    up = zero + (positive - zero) * shares
    table = np.vstack([down[:0:-1], up[:128]])
    return np.vstack([np.rint(table), [[0, 0, 0]]]).astype(np.uint8).tobytes()


def _png(indices) -> str:
    """A PNG as a data address. Stored, not compressed: compressors differ between machines."""
    rows, columns = indices.shape
    raw = b"".join(b"\0" + row.tobytes() for row in indices)
    stored = b"\x78\x01" + b"\1" + struct.pack("<HH", len(raw), len(raw) ^ 0xFFFF) + raw
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0),
        b"PLTE": _palette(),
        b"IDAT": stored + struct.pack(">I", zlib.adler32(raw)),
        b"IEND": b"",
    }
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def text_width(text: str, size: float, bold: bool = False) -> float:
    """A careful upper estimate of the width of ``text`` in a sans-serif font of ``size`` pixels."""
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
