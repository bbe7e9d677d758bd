"""PNG and GIF of a picture: the SVG, drawn by resvg through its Python package ``resvg_py``.

resvg is one wheel without a system library, and draws the same on every machine. It supports neither CSS
variables nor colour schemes, so they are resolved here: a raster picture is always the light one, on white
paper. Its letters are DejaVu's, from the files that come with matplotlib; no font of the system is used.

What must hold: the same picture gives the same bytes, as long as resvg and Pillow stay the same.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

SCALE = 2.0  # pixels of a PNG for a unit of the drawing: sharp on a projector
FRAME_SCALE = 1.5
WIDEST_FRAME = 1600
COLOURS = 64
MOST_FRAMES = 300
MILLISECONDS = 800  # for each frame; the first stays twice as long, the last four times
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono")


def png(svg: str, scale: float = SCALE) -> bytes:
    """A still picture as PNG. Raises ImportError, and says what to install, where resvg_py is missing."""
    try:
        import resvg_py
    except ImportError:
        raise ImportError(".png and .gif are drawn by resvg: pip install resvg-py") from None
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return resvg_py.svg_to_bytes(
        svg_string=plain(svg),
        zoom=scale,
        background="#ffffff",
        font_files=[str(folder / f"{font}.ttf") for font in FONTS],
        skip_system_fonts=True,
    )


def gif(stills: Sequence[str]) -> bytes:
    """An animation of still pictures of one size in a loop, 0.8 seconds each and longer at both ends.

    Raises ValueError for more than 300 pictures, ImportError where resvg_py is missing.
    """
    if len(stills) > MOST_FRAMES:
        raise ValueError(
            f".gif: {len(stills)} pictures are more than {MOST_FRAMES}, and nobody would wait for their end; "
            "save an .html, where the reader steps"
        )
    from PIL import Image

    scale = min(FRAME_SCALE, WIDEST_FRAME / width_of(stills[0]))

    def frame(still):
        return Image.open(io.BytesIO(png(still, scale))).convert("RGB")

    # One palette for all: the first, the middle and the last frame have all colours between them.
    samples = [frame(stills[i]) for i in (0, len(stills) // 2, -1)]
    width, height = samples[0].size
    joined = Image.new("RGB", (width, len(samples) * height))
    for i, sample in enumerate(samples):
        joined.paste(sample, (0, i * height))
    palette = joined.quantize(COLOURS, dither=Image.Dither.NONE)
    first, *others = [frame(still).quantize(palette=palette, dither=Image.Dither.NONE) for still in stills]
    durations = [MILLISECONDS] * len(stills)
    durations[0], durations[-1] = 2 * MILLISECONDS, 4 * MILLISECONDS
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0, optimize=False)
    return file.getvalue()


def plain(svg: str) -> str:
    """A still picture without what resvg cannot read: its light colours are written in by value.

    >>> plain("<style>.bl-graph { --bl-ink: #1b1b1b; } text { fill: var(--bl-ink); }</style>")
    '<style>.bl-graph { } text { fill: #1b1b1b; }</style>'
    """
    svg = re.sub(r'(<svg [^>]*?) height="[\d.]+pt"', r"\1", svg)  # of matplotlib; it follows from the width
    style, end, drawing = svg.partition("</style>")
    style = re.sub(r"@media[^{]*\{[^{}]*\{[^{}]*\}\s*\}", "", style)  # the dark page
    colours = dict(re.findall(r"--bl-([\w-]+): ([^;]+);", style))
    style = re.sub(r"--bl-[\w-]+: [^;]+;\s*", "", style)
    style = re.sub(r"var\(--bl-([\w-]+)\)", lambda name: colours[name[1]], style)
    # resvg ignores white-space: pre, too; without their leading spaces the numbers would be stretched.
    drawing = drawing.replace('<text class="bl-numbers"', '<text xml:space="preserve" class="bl-numbers"')
    return style + end + drawing


def width_of(svg: str) -> float:
    """The width of a picture, in pixels."""
    width = re.search(r'<svg [^>]*? width="([\d.]+)"', svg)
    assert width is not None  # all pictures that are written here say it
    return float(width[1])
