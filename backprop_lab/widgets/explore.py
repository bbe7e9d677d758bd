"""``bl.explore``: pictures that follow a slider or a drag, one for each idea."""

from backprop_lab.widgets.paths import paths

__all__ = ["paths"]
