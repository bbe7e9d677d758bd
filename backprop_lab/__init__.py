"""backprop_lab: write NumPy, get a graph; step it green forwards and red backwards.

Importing it brings in NumPy and the engine only. Pictures and widgets (matplotlib, ipywidgets,
anywidget) load on first use.
"""

from __future__ import annotations

from backprop_lab.graph import MissingValueError, Node, NotAnArrayError, ShapeError, constant, variable
from backprop_lab.passes import NonFiniteError, NonFiniteWarning, Step, backward, forward, steps
from backprop_lab.rules import relu, sigmoid

__version__ = "0.1.0"
