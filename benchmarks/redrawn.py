"""What the widgets are compared with: pictures that matplotlib draws anew in the kernel at every change."""

from __future__ import annotations

import io
from dataclasses import replace

import ipywidgets
from matplotlib.figure import Figure

from backprop_lab.passes.passes import steps
from backprop_lab.pictures import timeline
from backprop_lab.pictures.svg import Picture
from backprop_lab.training_lab.classifier import Classifier
from backprop_lab.training_lab.points import window_of
from backprop_lab.words import notation
from tools import graphs


def redrawn(name: str = "residual") -> ipywidgets.Widget:
    """A slider over the steps, and a picture of boxes, names, values and arrows that follows it."""
    J = graphs.ALL[name]()
    line = timeline.of_steps(J, steps(J))
    picture = Picture(line)
    image = ipywidgets.Image(format="png")
    slider = ipywidgets.IntSlider(1, 0, line.length - 1)

    def draw(change=None):
        figure = Figure(figsize=(10, 4))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for node, box in zip(line.nodes, picture.layout.boxes, strict=True):
            value = timeline.at(line.known.get(node, ()), slider.value)
            text = f"{notation.shorten(notation.mention(node), 12)}\n"
            text += "?" if value is None else notation.array(value, most=4)
            state = line.state(node, slider.value)
            colour = {"unknown": "gray", "known": "green"}.get(state, "orangered")
            axes.text(
                box.x, -box.y, text, ha="center", va="center", fontsize=6, bbox={"fc": "w", "ec": colour}
            )
            for operand in node.inputs:
                source = picture.layout.boxes[picture.number[operand]]
                axes.plot([source.x, box.x], [-source.y, -box.y], color="gray", lw=0.6, zorder=0)
        image.value = as_png(figure)

    slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([slider, image])


def retrained(settings, steps: int = 300) -> ipywidgets.Widget:
    """A slider for λ; at every change the network is trained again, and the plane drawn with its points."""
    model = Classifier(settings)
    window = window_of(model.points)
    image = ipywidgets.Image(format="png")
    slider = ipywidgets.IntSlider(1, 0, 100)

    def draw(change=None):
        model.change(replace(settings, penalty=slider.value / 1000))
        model.retrain(steps)
        figure = Figure(figsize=(4.2, 4.2))
        axes = figure.add_axes((0, 0, 1, 1))
        probability = model.grid(100, window) / 255
        x, y = window[:2], window[2:]
        axes.imshow(probability, extent=window, cmap="PuOr_r", alpha=0.6)
        axes.contour(probability[::-1], levels=[0.5], extent=(*x, *y), colors="k")
        axes.scatter(*model.points.X.T, c=model.points.y, s=18, edgecolors="w")
        image.value = as_png(figure)

    slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([slider, image])


def as_png(figure: Figure) -> bytes:
    """The figure as it travels to the browser."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
