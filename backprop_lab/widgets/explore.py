"""``bl.explore``: pictures that follow a drag. Each is a widget of its own module; here are their names."""

from backprop_lab.widgets.training import training

__all__ = ["training"]
