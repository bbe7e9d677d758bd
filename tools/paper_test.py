"""Make the paper test of ``docs/`` anew: ``python -m tools.paper_test``.

Two forms of five items, A for before the series and B for after it. An item is a graph and the boxes to
fill; a box knows its points and the slips that are typical there. The sheets, the key and the pictures are
written from that, so no number in them can drift: right numbers come from the graph, and wrong ones are
computed as the slip computes them.

What must hold: both forms have the same points, item by item; no slip of a box gives the right number, and
no two give the same; none of the graphs occurs in a notebook.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

import backprop_lab as bl
from backprop_lab.pictures.drawing import Drawing
from backprop_lab.pictures.raster import plain
from backprop_lab.words import notation

DOCS = Path(__file__).parent.parent / "docs"
MINUTES = 25
EMPTY = f" {'&emsp;' * 5}<br><br><br> |"  # a box: of one size for all, as the shape is a part of the answer
NOTEBOOKS = {1: "00, 01", 2: "02, 06", 3: "05, 06", 4: "07", 5: "00, 03"}  # where an item is taught

# What a wrong number shows; each is written once, as a slip occurs at many boxes.
NO_SWAP = "multiplied by the variable itself; a product swaps"
NO_UPSTREAM = "the local derivative alone; it is to be multiplied by what arrives"
NO_TWO = "the factor 2 of the square is lost"
ONE_PATH = "one path alone"
TIMES_PATHS = "paths multiplied; factors multiply along a path, paths add"
NO_INNER = "both paths counted, their local derivatives left out"
OPEN = "the gate is ignored"
REVERSED = "the gate is the wrong way round"
NO_TRANSPOSE = "the Jacobian is not transposed"
NO_MEAN = "the 1/N of the mean is forgotten"
NO_SUM = "one number for each example; what was repeated forwards is summed backwards"
MEAN_TWICE = "the mean taken once more; contributions add"
BY_COLUMNS = "rows and columns of the matrix are exchanged"
NO_SQUARE = "the derivative of the square is left out"
NO_SIGN = "the sign of the minus is lost"


class Box(NamedTuple):
    """A box to fill in; ``slips``: pairs of a slip in words and the wrong number it leads to."""

    label: str
    right: np.ndarray
    slips: tuple = ()
    points: int = 1


class Item(NamedTuple):
    """One task: boxes to fill, and ``ticks``: {sentence: (whether it is true, because)}."""

    title: str
    text: str
    boxes: list[Box]
    J: bl.Node | None = None
    picture: Drawing | None = None
    ticks: Mapping[str, tuple[bool, str]] = MappingProxyType({})

    @property
    def points(self) -> int:
        return sum(box.points for box in self.boxes) + len(self.ticks)


def value(node, *slips, points=1) -> Box:
    """A box of the forward pass."""
    return Box(notation.symbol(node.name), node.value, slips, points)


def slope(node, *slips, points=1) -> Box:
    """A box of the backward pass."""
    return Box(f"∂J/∂{notation.symbol(node.name)}", node.grad, slips, points)


def draw_and_solve(J) -> Drawing:
    """The picture with nothing computed yet; then both passes are run."""
    unsolved = bl.draw(J)
    bl.backward(J)
    return unsolved


# ---------------------------------------------------------------------------------------------- form A


def a1():
    a, b, c = bl.variable("a", 3.0), bl.variable("b", -2.0), bl.variable("c", 5.0)
    u = a**2
    p = u * b
    J = p + c
    picture = draw_and_solve(J)
    boxes = [
        value(u),
        value(p),
        value(J),
        slope(c),
        slope(u, (NO_SWAP, u.value)),
        slope(b, (NO_SWAP, b.value)),
        slope(a, (NO_TWO, b.value * a.value), (NO_UPSTREAM, 2 * a.value), (NO_SQUARE, b.value)),
    ]
    return Item("A product and a square", "u = a², p = u · b, J = p + c", boxes, J, picture)


def a2():
    w, x, b = bl.variable("w", 2.0), bl.constant("x", 5.0), bl.variable("b", -1.0)
    p = w * x
    q = w - b
    J = p * q
    picture = draw_and_solve(J)
    through_p, through_q = q.value * x.value, p.value
    paths = (ONE_PATH, through_p), (ONE_PATH, through_q), (TIMES_PATHS, through_p * through_q)
    swap = NO_SWAP, p.value * x.value + q.value
    boxes = [
        value(J),
        slope(p, (NO_SWAP, p.value)),
        slope(q, (NO_SWAP, q.value)),
        slope(b, (NO_SIGN, p.value), (NO_SWAP, -q.value)),
        slope(w, *paths, (NO_INNER, q.value + p.value), swap, points=2),
    ]
    return Item("A fork", "p = w · x, q = w − b, J = p · q", boxes, J, picture)


def a3():
    W, x = bl.variable("W", [[1, -2], [3, 1]]), bl.variable("x", [2, 3])
    v = bl.constant("v", [4, -1])
    a = W @ x
    h = bl.relu(a)
    J = v @ h
    picture = draw_and_solve(J)
    V, X, shut = v.value, x.value, v.value * (a.value <= 0)
    gates = (OPEN, np.outer(V, X)), (REVERSED, np.outer(shut, X))
    boxes = [
        value(a, (BY_COLUMNS, W.value.T @ X)),
        value(h, (OPEN, a.value)),
        value(J, (OPEN, V @ a.value)),
        slope(a, (OPEN, V), (REVERSED, shut)),
        slope(W, *gates, (BY_COLUMNS, np.outer(X, a.grad)), points=2),
        slope(x, (NO_TRANSPOSE, W.value @ a.grad), (OPEN, W.value.T @ V), points=2),
    ]
    return Item("A matrix and two gates", "a = W x, h = relu(a), J = v · h", boxes, J, picture)


def a4():
    x = bl.constant("x", [2, -1, 0, 1])
    w, b = bl.variable("w", 3.0), bl.variable("b", 1.0)
    y_hat = w * x + b
    J = np.mean(y_hat**2)
    picture = draw_and_solve(J)
    boxes = [
        value(y_hat),
        value(J, (NO_MEAN, J.value * 4)),
        slope(y_hat, (NO_MEAN, y_hat.grad * 4), (NO_TWO, y_hat.grad / 2)),
        slope(b, *_batch(y_hat.grad), points=2),
        slope(w, *_batch(y_hat.grad * x.value), points=2),
    ]
    return Item("A batch", "ŷ = w · x + b for four examples, J = the mean of ŷ²", boxes, J, picture)


def a5():
    ticks = {
        "The backward pass makes the cost smaller.": (False, "only an update does, and that is learning"),
        "One backward pass gives the gradients of all parameters.": (True, "each lies on its way"),
        "The backward pass uses values of the forward pass.": (True, "local derivatives are taken there"),
        "Of two factors, the larger one gets the larger gradient.": (False, "a product swaps"),
    }
    return _jacobian([[1, 2], [3, -1]], [2, -1], ticks)


# ---------------------------------------------------------------------------------------------- form B


def b1():
    a, b, c = bl.variable("a", 5.0), bl.variable("b", -1.0), bl.variable("c", 18.0)
    p = a * b
    u = p**2
    J = u - c
    picture = draw_and_solve(J)
    boxes = [
        value(p),
        value(u),
        value(J),
        slope(c, (NO_SIGN, 1)),
        slope(p, (NO_TWO, p.value), (NO_SQUARE, 1)),
        slope(a, (NO_SWAP, p.grad * a.value), (NO_UPSTREAM, b.value)),
        slope(b, (NO_SWAP, p.grad * b.value), (NO_UPSTREAM, a.value)),
    ]
    return Item("A product and a square", "p = a · b, u = p², J = u − c", boxes, J, picture)


def b2():
    w, b = bl.variable("w", 3.0), bl.variable("b", -5.0)
    p = w**2
    q = w + b
    J = p * q
    picture = draw_and_solve(J)
    through_p, through_q = q.value * 2 * w.value, p.value
    paths = (ONE_PATH, through_p), (ONE_PATH, through_q), (TIMES_PATHS, through_p * through_q)
    swap = NO_SWAP, p.value * 2 * w.value + q.value
    boxes = [
        value(J),
        slope(p, (NO_SWAP, p.value)),
        slope(q, (NO_SWAP, q.value)),
        slope(b, (NO_SWAP, q.value)),
        slope(w, *paths, (NO_INNER, q.value + p.value), swap, points=2),
    ]
    return Item("A fork", "p = w², q = w + b, J = p · q", boxes, J, picture)


def b3():
    W, x = bl.variable("W", [[1, 4], [-2, 3]]), bl.variable("x", [-3, 2])
    v = bl.constant("v", [2, -1])
    h = bl.relu(x)
    a = W @ h
    J = v @ a
    picture = draw_and_solve(J)
    V, H, X = v.value, h.value, x.value
    boxes = [
        value(h, (OPEN, X)),
        value(a, (OPEN, W.value @ X), (BY_COLUMNS, W.value.T @ H)),
        value(J, (OPEN, V @ W.value @ X)),
        slope(W, (OPEN, np.outer(V, X)), (BY_COLUMNS, np.outer(H, V)), points=2),
        slope(h, (NO_TRANSPOSE, W.value @ V), points=2),
        slope(x, (OPEN, h.grad), (REVERSED, h.grad * (X <= 0))),
    ]
    return Item("A matrix and two gates", "h = relu(x), a = W h, J = v · a", boxes, J, picture)


def b4():
    t = bl.constant("t", [2, -1, 0, 3])
    k, m = bl.variable("k", -1.0), bl.variable("m", 2.0)
    s = k + m * t
    J = np.mean(s**2)
    picture = draw_and_solve(J)
    boxes = [
        value(s),
        value(J, (NO_MEAN, J.value * 4)),
        slope(s, (NO_MEAN, s.grad * 4), (NO_TWO, s.grad / 2)),
        slope(k, *_batch(s.grad), points=2),
        slope(m, *_batch(s.grad * t.value), points=2),
    ]
    return Item("A batch", "s = k + m · t for four examples, J = the mean of s²", boxes, J, picture)


def b5():
    ticks = {
        "Backpropagation is another word for learning.": (False, "learning uses what it computes"),
        "A gradient has the shape of its variable.": (True, "it is one slope for each entry"),
        "Ten parameters need ten backward passes.": (False, "one pass reaches all of them"),
        "After a backward pass the parameters are as before.": (True, "only an update moves them"),
    }
    return _jacobian([[2, -1], [4, 3]], [3, 1], ticks)


def _batch(each):
    """The slips at a parameter that all examples share; ``each``: what comes back along each of them."""
    return (NO_SUM, each), (NO_MEAN, each.sum() * each.size), (MEAN_TWICE, each.mean())


def _jacobian(rows, upstream, ticks) -> Item:
    x = bl.variable("x", [0.0, 0.0])  # of a linear map the slope is the same everywhere
    right = bl.vjp(np.array(rows) @ x, x, upstream)
    text = (
        "a) x and y have two entries each. The Jacobian ∂y/∂x, outputs by inputs, is "
        f"{notation.array(rows)}, and ∂J/∂y = {notation.array(upstream)}. What is "
        "∂J/∂x?  \nb) Tick the sentences that are true."
    )
    boxes = [Box("∂J/∂x", right, ((NO_TRANSPOSE, np.array(rows) @ upstream),), points=2)]
    return Item("What it is, and is not", text, boxes, ticks=ticks)


FORMS = {"A": (a1, a2, a3, a4, a5), "B": (b1, b2, b3, b4, b5)}


def items(form: str) -> list[Item]:
    return [make() for make in FORMS[form]]


# ------------------------------------------------------------------------------------ what is written


def light(svg: str) -> str:
    """A picture in light colours on white, whatever colours the reader's page has."""
    return plain(svg).replace("<svg ", '<svg style="background:#ffffff" ', 1)


def sheet(form: str) -> str:
    """The pages for one reader."""
    lines = [
        f"# Paper test, form {form}",
        "",
        f"Name: ____________________  Date: ____________  {MINUTES} minutes; pencil and paper, no computer.",
        "",
        "Each card is a value, each arrow says what it is computed from. Green cards are given. "
        "Work out the boxes: values forwards, then gradients backwards. relu(a) keeps what is positive; the "
        "rest is 0.",
    ]
    for number, item in enumerate(items(form), start=1):
        lines += ["", f"## {form}{number}  {item.title} ({item.points} points)", "", item.text]
        if item.picture is not None:
            lines += ["", f"![{item.picture.description}]({_file(form, number)})"]
        labels, count = " | ".join(box.label for box in item.boxes), len(item.boxes)
        lines += ["", f"| {labels} |", f"|{'---|' * count}", f"|{EMPTY * count}"]
        lines += ["", *(f"- ☐ {sentence}" for sentence in item.ticks)] if item.ticks else []
    return "\n".join(lines) + "\n"


def key() -> str:
    """The page for the teacher."""
    total = sum(item.points for item in items("A"))
    lines = [
        "# Paper test: for teachers",
        "",
        "The series promises that a reader can predict every number of a backward pass on paper, for a "
        "graph never seen before. This test finds out whether that has come true. Give "
        "[form A](paper-test-a.md) before the first notebook and [form B](paper-test-b.md) after the last "
        "one; half of a class may take them the other way round. A form takes "
        f"{MINUTES} minutes and has {total} points. The graphs of one are as difficult as those of the "
        "other, item by item, and none of them occurs in a notebook.",
        "",
        "**Printing.** Open a form on its own and print it; the pictures are light, and the boxes are empty.",
        "",
        "**Marking.** A box has the points that stand beside it, or none. A number that is right for the "
        "reader's own earlier number counts as right: a slip is paid for once. Each sentence of item 5 is "
        "one point, for a tick where it is true or none where it is not.",
        "",
        f"**Reading the result.** From {round(0.8 * total)} of {total} points on, the promise is kept. "
        "Below, the wrong numbers tell what to take up again; where several share one, do it in class.",
        "",
        "| item | taught in notebook |",
        "|---|---|",
        *(f"| {n} {item.title} | {NOTEBOOKS[n]} |" for n, item in enumerate(items("A"), start=1)),
    ]
    for form in FORMS:
        lines += ["", f"## Key to form {form}"]
        for number, item in enumerate(items(form), start=1):
            lines += ["", f"### {form}{number}  {item.title}", ""]
            lines += [
                "| box | right | points | a typical wrong number, and what it tells |",
                "|---|---|---|---|",
            ]
            for box in item.boxes:
                wrong = "; ".join(f"**{notation.array(number)}** {slip}" for slip, number in box.slips)
                lines.append(f"| {box.label} | {notation.array(box.right)} | {box.points} | {wrong} |")
            if item.ticks:
                lines += ["", "| sentence | right | points | because |", "|---|---|---|---|"]
                lines += [
                    f"| {s} | {'true' if t else 'not true'} | 1 | {w} |" for s, (t, w) in item.ticks.items()
                ]
    lines += ["", "This page, the forms and their pictures are written by `python -m tools.paper_test`."]
    return "\n".join(lines) + "\n"


def _file(form, number):
    return f"paper-test-{form.lower()}{number}.svg"


def pages() -> dict[str, str]:
    """{file in docs/: its text}."""
    found = {"paper-test.md": key()}
    for form in FORMS:
        found[f"paper-test-{form.lower()}.md"] = sheet(form)
        for number, item in enumerate(items(form), start=1):
            if item.picture is not None:
                found[_file(form, number)] = light(item.picture.svg)
    return found


def main() -> int:
    for name, text in pages().items():
        path = DOCS / name
        same = path.exists() and path.read_text("utf-8") == text
        path.write_text(text, "utf-8", newline="\n")
        print(f"{name}: {'unchanged' if same else 'changed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
