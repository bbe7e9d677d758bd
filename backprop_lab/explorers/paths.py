"""``bl.explore.paths``: the derivative as a sum over all paths, one path after the other.

The multivariate chain rule: ∂J/∂x is the sum, over all paths from x to J, of the product of the local
derivatives along the path. There may be more paths than could ever be walked, so they are counted on the way
through the graph, and only the first few are shown.

What must hold: every number comes from the records of the passes; paths are counted without being listed;
nothing recurses over the graph.
"""

from __future__ import annotations

from itertools import islice

from backprop_lab.explorers.explorer import Control, Explorer, Scene
from backprop_lab.explorers.path_picture import Lit, picture_of
from backprop_lab.explorers.path_words import counted, product, short, sum_of, symbols, together, way, written
from backprop_lab.explorers.ways import Ways
from backprop_lab.graph.node import Node
from backprop_lab.passes.derivatives import checked_asked
from backprop_lab.passes.passes import steps
from backprop_lab.passes.records import Step
from backprop_lab.pictures.drawing import readable_graph
from backprop_lab.words import notation
from backprop_lab.words.errors import ShapeError

MOST = 64  # paths that can be lit one by one
LISTED = 8  # paths written below the picture, the current one among them
PICTURES = 3  # pictures of single paths, at most, where no kernel runs


def paths(J: Node, x: Node) -> Paths:
    """The paths from ``x`` to ``J``, lit one by one in the graph, with the products that add up to ∂J/∂x.

    ``J`` is a single number, and ``x`` any node that it is computed from and that wants a gradient. The
    factor of an arrow is its local derivative: a number, or for arrays the local Jacobian, transposed in the
    product because the gradient is (∂y/∂x)ᵀ ∂J/∂y. If a node reads an array twice, two arrows lead to the
    array. The position after the last path shows all paths and their sum. If there are many, only the first
    64 can be lit; the count is exact all the same. The graph stays as it is, and later changes of its values
    are not followed.

    The explorer has ``.count``, the number of paths, ``.multiplications``, one for each arrow of each path,
    and ``.arrows``, the number of arrows: the multiplications of the backward pass.

    Raises ValueError where there is no path, and for graphs of more than 1000 nodes; ShapeError if ``J`` is
    not a single number; MissingValueError if a leaf has no value.

    Bauer, Computational graphs and rounding error, SIAM Journal on Numerical Analysis 11 (1974).

    >>> import backprop_lab as bl
    >>> x1, x2 = bl.variable("x1", 3.0), bl.variable("x2", 2.0)
    >>> y1 = x1 + x2
    >>> y2 = x1 * x2
    >>> z = y1 * y2
    >>> both = bl.explore.paths(z, x1)
    >>> both.count, both.multiplications, both.arrows
    (2, 4, 4)
    >>> both.values = {"path": 2}  # what the slider does
    >>> both.scene["words"].split("; ")[1:3]
    ['path 2 of 2: x₁ → y₂ → z', 'product: ∂y₂/∂x₁ · ∂z/∂y₂ = 2 · 5 = 10']
    """
    readable_graph(J, "explore.paths")
    checked_asked(x)
    if J.shape != ():
        name = notation.mention(J, code=True)
        raise ShapeError(
            f"explore.paths: paths lead to a single number, and {name} has shape {J.shape}; take np.sum or "
            f"np.mean of it, or one of its entries"
        )
    if x is J:
        name = notation.mention(J, code=True)
        raise ValueError(
            f"explore.paths: the paths lead from {name} to itself, and there is none; take a node that "
            f"{name} is computed from"
        )
    records = steps(J)
    ways = Ways(records, x)
    if not ways.count:
        raise ValueError(
            f"explore.paths: no path leads from {notation.mention(x, code=True)} to "
            f"{notation.mention(J, code=True)} along which a derivative flows; take a node that it is "
            "computed from"
        )
    return Paths(_Scenes(J, x, records, ways))


class Paths(Explorer):
    """The explorer that :func:`paths` returns, with ``count``, ``multiplications`` and ``arrows``.

    The control ``path`` counts from 1; one more than the last path means all of them.
    """

    picture: _Scenes

    def __init__(self, scenes: _Scenes):
        ways = scenes.ways
        self.count, self.multiplications, self.arrows = ways.count, ways.multiplications, len(ways.arrows)
        control = Control("path", "path", 1, scenes.all, 1, 1)
        super().__init__(f"The paths from {scenes.start} to {scenes.end}", [control], scenes)

    def _stills(self) -> list[Scene]:
        return self.picture.stills()


class _Scenes:
    """The scene of each path, and at position ``all`` that of all paths together."""

    def __init__(self, J: Node, x: Node, records: list[Step], ways: Ways):
        self.ways, self.found = ways, list(islice(ways, MOST))
        self.all = len(self.found) + 1
        self.start, self.end = short(ways.seed, x), short(ways.seed, J)
        self._derivative = f"{ways.seed.gradient_name(x)} = {notation.array(ways.gradient)}"
        self._picture = picture_of(J, records, ways, self.found)

    def scene(self, values: dict) -> Scene:
        position, count = round(values["path"]), written(self.ways.count)
        before = self._before(position)
        if position == self.all:
            now, label = [self._sum()], f"all {count}"
        else:
            path, label = self.found[position - 1], f"{position} of {count}"
            now = [f"path {label}: {way(path)}", f"product: {product(path, symbols(path))}"]
        lines = [*before, *now, *self._counts()]
        return Scene(self._lit(position), lines, {"path": label}, before=len(before))

    def stills(self) -> list[Scene]:
        """A few paths, and all of them together: the scenes of the twin."""
        few = range(1, self.all if self.ways.count <= PICTURES else 2)
        lines = [self._line(k) for k in range(1, self.all)[:LISTED]]
        if self.ways.count > LISTED:
            lines.append(f"and {counted(self.ways.count - LISTED, 'further path')}")
        lines += [self._sum(), *self._counts()]
        return [
            *(Scene(self._lit(k), [self._line(k)], {}) for k in few),
            Scene(self._lit(self.all), lines, {}),
        ]

    def _lit(self, position: int) -> Lit:
        of = f"path {position} of {written(self.ways.count)}"
        if position == self.all:
            of = f"all paths from {self.start}"
        return Lit(self._picture, position, f"Graph of {self.end}, {of} lit")

    def _before(self, position: int) -> list[str]:
        """The last few paths before this one."""
        if position > MOST and self.ways.count > MOST:  # the sum is of more than these
            return []
        first = position - LISTED + 1
        if first <= 2:  # to replace a single path by a sum would save nothing
            first = 1
        lines = [self._line(number) for number in range(first, position)]
        if first > 1:
            so_far = notation.array(together(self.found[: first - 1]))
            lines.insert(0, f"paths 1 to {first - 1} together: {so_far}")
        return lines

    def _line(self, number: int) -> str:
        path = self.found[number - 1]
        return f"path {number}, {way(path)}: {product(path)}"

    def _sum(self) -> str:
        if self.ways.count > len(self.found):
            total = f", of which the first {MOST} can be lit here"
        else:
            total = f": {sum_of(self.found)}"
        return f"sum over all paths{total}; backward pass: {self._derivative}"

    def _counts(self) -> list[str]:
        ways, picture = self.ways, self._picture
        each = f"{counted(ways.count, 'path')}, {counted(ways.multiplications, 'multiplication')}"
        arrows = counted(len(ways.arrows), "arrow")
        lines = [f"path by path: {each}; node by node: {arrows}, each once"]
        cards, nodes = len(picture), len(picture.nodes)
        if cards < nodes:
            lines.append(
                f"the picture is folded: {nodes} nodes in {cards} cards; numbers inside are left out"
            )
        return lines
