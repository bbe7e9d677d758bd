"""``bl.figure``: a matplotlib figure that a cell can end with, and that says in words what it shows.

For curves over steps, rates or depths; graphs are drawn by ``svg.py``.

What must hold: pyplot and its global state are left alone; the same figure gives the same
bytes; lines differ by their dashes too, and none is green or red, which mean value and gradient here.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Literal, overload

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

from backprop_lab.pictures.drawing import as_image
from backprop_lab.pictures.pen import px

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

INK, BLUE, OCHRE, PURPLE = "#222222", "#0072b2", "#a86b00", "#8a4f9e"
LINES = cycler(color=[INK, BLUE, OCHRE, PURPLE], linestyle=["-", "--", "-.", ":"], linewidth=[2.2] * 4)
LOOK: dict[RcKeyType, object] = {
    "axes.edgecolor": "#666666",
    "axes.labelcolor": INK,
    "axes.prop_cycle": LINES,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}
# On a dark page light and dark change places, and hues stay.
DARK = "<style>@media (prefers-color-scheme: dark) { svg { filter: invert(.93) hue-rotate(180deg) } }</style>"
WRITTEN: dict[RcKeyType, object] = {"svg.fonttype": "none"}  # letters stay letters
OMITTED = dict.fromkeys(("Creator", "Date", "Format", "Type"))


class DescribedFigure(Figure):
    """The figure that :func:`figure` makes: matplotlib's, with ``words``."""

    words = ""

    def __repr__(self):
        return f"<figure: {self.words}>"

    def _repr_html_(self) -> str:
        return as_image(self._svg(), self.words)

    def _svg(self) -> str:
        file = io.StringIO()
        with matplotlib.rc_context(WRITTEN):
            self.savefig(file, format="svg", metadata=OMITTED)
        svg = file.getvalue().replace("'", "&apos;")  # as an image it stands in single quotes
        svg = settled(re.sub(r"\s+", " ", svg[svg.index("<svg") :]).replace("> <", "><"))
        # Points of 1/72 inch are meant, and a page's pixel is 1/96.
        width = f'width="{self.get_figwidth() * 96:g}"'
        return re.sub(r'(<svg [^>]*?)width="[\d.]+pt"([^>]*>)', rf"\1{width}\2{DARK}", svg, count=1)


def settled(svg: str) -> str:
    """The picture without what differs from processor to processor, which is too small to be seen.

    Coordinates are rounded to 1/100 of a point; parts that others refer to, which matplotlib names by a hash
    of their coordinates, are counted.
    """
    names = {name: f"part{i}" for i, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)), 1)}
    svg = re.sub(r'(\bid="|#)([^"()#]+)(?=[")])', lambda found: found[1] + names.get(found[2], found[2]), svg)
    return re.sub(r"<[^>]+>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _rounded, tag[0]), svg)


def _rounded(found) -> str:
    return px(float(found[0]), 2)


@overload
def figure(
    words: str, columns: Literal[1] = 1, width: float = 6.0, height: float = 3.2
) -> tuple[DescribedFigure, Axes]: ...
@overload
def figure(
    words: str, columns: int, width: float = 6.0, height: float = 3.2
) -> tuple[DescribedFigure, Axes | np.ndarray]: ...
def figure(
    words: str, columns: int = 1, width: float = 6.0, height: float = 3.2
) -> tuple[DescribedFigure, Axes | np.ndarray]:
    """An empty matplotlib figure in the look of this series, and its axes: ``(figure, axes)``.

    ``words``: what it will show, for those who do not see it; plain text shows them in its place.
    ``columns`` axes side by side (an array of them if there are several), in all ``width`` × ``height``
    inches. As the last line of a cell the figure shows itself. Raises ValueError without words.

    >>> import backprop_lab as bl
    >>> figure, axes = bl.figure("The cost over three steps, falling from 9 to 1")
    >>> line = axes.plot([9, 3, 1])
    >>> figure
    <figure: The cost over three steps, falling from 9 to 1>
    """
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"figure: say in words what it shows, for those who do not see it; not {words!r}")
    with matplotlib.rc_context(LOOK):
        made = DescribedFigure(figsize=(width, height), layout="constrained", facecolor="white")
        axes = made.subplots(1, columns)
    made.words = words
    for one in np.ravel(axes):
        one.grid(color="#dddddd", linewidth=0.8)
        one.set_axisbelow(True)
    return made, axes
