"""``bl.draw``: the picture of a graph as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from os import PathLike
from pathlib import Path

from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import checked_node
from backprop_lab.pictures import timeline
from backprop_lab.pictures.folding import LEVELS
from backprop_lab.pictures.pen import px
from backprop_lab.pictures.raster import png, width_of
from backprop_lab.pictures.svg import LEAST_SCALE, Picture, readable
from backprop_lab.words import notation

MOST_NODES = 1000  # a step-through of so many takes two seconds to make, and 3 MB


class Drawing:
    """A still picture: the last line of a cell shows it, ``.svg`` is its text, ``.save`` writes it."""

    def __init__(self, picture: Picture, position: int = 0, palette: str = "green"):
        self.svg = picture.still(position, palette)
        self.description = picture.describe(position)
        folded = f" in {notation.counted(len(picture), 'card')}" if len(picture) < len(picture.nodes) else ""
        nodes = notation.counted(len(picture.nodes), "node")
        self._title = f"graph of {notation.mention(picture.line.cost)}, {nodes}{folded}"

    def _repr_html_(self) -> str:
        return as_image(self.svg, self.description)

    def __repr__(self):
        return f"<{self._title}>"

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture to ``path`` (.svg, .png or .html) and return the path.

        A .png is drawn by resvg: ``pip install resvg-py``.

        >>> import backprop_lab as bl, tempfile, os
        >>> x = bl.variable("x", 3.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     bl.draw(x * x).save(os.path.join(folder, "square.svg")).name
        'square.svg'
        """
        kinds: dict[str, Callable[[], str | bytes]] = {
            ".svg": lambda: self.svg,
            ".png": lambda: png(self.svg),
            ".html": lambda: page(self._title, self.svg),
        }
        return write(path, kinds)


def draw(J: Node, fold: str | None = None, palette: str = "green") -> Drawing:
    """The graph of everything ``J`` depends on, in its present state: unknown, green, red.

    A large graph is folded until it can be read, at most about 30 cards; ``fold`` says how far: ``"all"``
    shows every node, ``"blocks"`` those with a name, ``"outline"`` about twelve cards (where the graph
    has no such level, the nearest). ``palette="blue"`` has blue in place of green. Raises ValueError for
    another palette or fold, and for graphs of more than 1000 nodes.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> bl.draw(x * x)
    <graph of x · x, 2 nodes>
    """
    if fold is not None and fold not in LEVELS:
        raise ValueError(f"draw: fold is {', '.join(map(repr, LEVELS))} or None, not {fold!r}")
    readable_graph(J, "draw")
    return Drawing(readable(timeline.of_state(J), fold), palette=palette)


def readable_graph(J: Node, what: str) -> None:
    """Refuse what is not a node, and graphs of more nodes than anyone could follow."""
    count = len(topological_order(checked_node(J, what)))
    if count > MOST_NODES:
        raise ValueError(
            f"{what}: this graph has {count} nodes, and no picture of more than {MOST_NODES} tells much; "
            "take one of its inner nodes"
        )


_ADDRESS_SAFE = str.maketrans({"%": "%25", "#": "%23", "<": "%3C", ">": "%3E", "&": "%26", '"': "'"})


def as_image(svg: str, description: str) -> str:
    """An SVG as an HTML image: its style stays its own, and it survives pages that strip inline SVG.

    A wide one shrinks with the page as long as it can be read, and scrolls sideways from there on. On paper
    it is whole.
    """
    data, least = svg.translate(_ADDRESS_SAFE), px(width_of(svg) * LEAST_SCALE)
    return (
        f'<div style="overflow-x:auto"><img src="data:image/svg+xml;charset=utf-8,{data}" '
        f'alt="{escape(description)}" style="max-width:100%;min-width:{least}px">'
        "<style>@media print{img{min-width:0!important;max-height:95vh}}</style></div>"
    )


def write(path: str | PathLike[str], kinds: Mapping[str, Callable[[], str | bytes]]) -> Path:
    """Write what ``kinds`` makes for the ending of ``path``, text or bytes; return the path."""
    path = Path(path)
    if path.suffix not in kinds:
        given = repr(path.suffix) if path.suffix else f"{path.name!r}, which has no ending"
        raise ValueError(f"save: this is written as {' or '.join(kinds)}, not {given}")
    content = kinds[path.suffix]()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def page(title: str, body: str) -> str:
    """A whole HTML page around ``body``, which makes no request to anywhere."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        "<style>:root{color-scheme:light dark}body{margin:1rem;font-family:system-ui,sans-serif}"
        f"svg{{max-width:100%;height:auto}}</style></head><body>{body}</body></html>\n"
    )
