"""backprop_lab: write NumPy, get a graph; step it green forwards and red backwards.

Importing it brings in NumPy and the engine only. Pictures and widgets (matplotlib, ipywidgets,
anywidget) load on first use.
"""

from __future__ import annotations

import backprop_lab.rules.table  # noqa: F401  (fills the table of operations)
from backprop_lab.graph.node import Node, constant, variable
from backprop_lab.passes.nonfinite import NonFiniteError, NonFiniteWarning
from backprop_lab.passes.passes import backward, forward, steps
from backprop_lab.passes.records import Step
from backprop_lab.rules.networks import (
    cross_entropy,
    l2,
    leaky_relu,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
    softplus,
    squared_error,
    stop_gradient,
)
from backprop_lab.words.errors import MissingValueError, NotAnArrayError, ShapeError

__version__ = "0.1.0"

__all__ = [
    "MissingValueError",
    "Node",
    "NonFiniteError",
    "NonFiniteWarning",
    "NotAnArrayError",
    "ShapeError",
    "Step",
    "backward",
    "check_gradient",
    "compile",
    "constant",
    "cross_entropy",
    "data",
    "draw",
    "explore",
    "figure",
    "fill_in",
    "forward",
    "gradient",
    "hessian",
    "jacobian",
    "jvp",
    "l2",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "question",
    "relu",
    "rule",
    "sgd",
    "sigmoid",
    "softmax",
    "softplus",
    "squared_error",
    "step_through",
    "steps",
    "stop_gradient",
    "variable",
    "vjp",
    "which_function",
]

_LATER = {  # what loads on first use, so that the engine alone stays quick to import
    "check_gradient": "backprop_lab.passes.gradient_check",
    "compile": "backprop_lab.program.compiling",
    "data": "backprop_lab.learning.data",
    **dict.fromkeys(("gradient", "hessian", "jacobian", "jvp", "vjp"), "backprop_lab.passes.derivatives"),
    "draw": "backprop_lab.pictures.drawing",
    "explore": "backprop_lab.training_lab.explore",
    "figure": "backprop_lab.pictures.figure",
    "fill_in": "backprop_lab.exercises.fill_in",
    "rule": "backprop_lab.rules.extending",
    "sgd": "backprop_lab.learning.descent",
    "question": "backprop_lab.exercises.questions",
    "step_through": "backprop_lab.stepping.step_through",
    "which_function": "backprop_lab.exercises.which_function",
}


def __getattr__(name):
    if name in _LATER:
        from importlib import import_module

        module = import_module(_LATER[name])
        return getattr(module, name, module)
    raise AttributeError(f"backprop_lab has no {name!r}; its public names: {', '.join(__all__)}")


def __dir__():
    return __all__


def _picture_of_node(node):
    """A node on a cell's last line shows its graph, unless that is too large to read."""
    from backprop_lab.graph.order import topological_order
    from backprop_lab.pictures.drawing import MOST_NODES, draw

    return draw(node)._repr_html_() if len(topological_order(node)) <= MOST_NODES else None


Node._repr_html_ = _picture_of_node
