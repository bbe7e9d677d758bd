"""backprop_lab: write NumPy, get a graph; step it green forwards and red backwards.

Importing it brings in NumPy, nodes and the table of rules. All else loads on first use, and with it
matplotlib, ipywidgets and anywidget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import backprop_lab.rules.table  # noqa: F401  (fills the table of operations)
from backprop_lab.graph.node import Node

__version__ = "0.1.0"

# The public names in the order in which a reader meets them: {part: {where they live: names}}.
PUBLIC: dict[str, dict[str, tuple[str, ...]]] = {
    "Leaves and nodes": {"graph.leaves": ("variable", "constant"), "graph.node": ("Node",)},
    "Functions beside NumPy's": {
        "rules.networks": (
            *("relu", "leaky_relu", "sigmoid", "softplus", "softmax", "log_softmax", "logsumexp"),
            *("cross_entropy", "squared_error", "l2", "stop_gradient"),
        )
    },
    "Passes": {"passes.passes": ("forward", "backward", "steps"), "passes.records": ("Step",)},
    "Derivatives": {
        "passes.derivatives": ("gradient", "jacobian", "hessian", "vjp", "jvp"),
        "passes.gradient_check": ("check_gradient",),
    },
    "Speed and learning": {"program.compiling": ("compile",), "learning.descent": ("sgd",)},
    "Looking": {
        "pictures.drawing": ("draw",),
        "stepping.step_through": ("step_through",),
        "pictures.figure": ("figure",),
    },
    "Practice": {
        "exercises.questions": ("question",),
        "exercises.which_function": ("which_function",),
        "exercises.fill_in": ("fill_in",),
    },
    "Extending": {"rules.extending": ("rule",)},
    "Mistakes": {
        "words.errors": ("ShapeError", "NotAnArrayError", "MissingValueError"),
        "passes.nonfinite": ("NonFiniteError", "NonFiniteWarning"),
    },
    "Explorers": {"training_lab": ("explore",)},
    "Data": {"learning": ("data",)},
}
_HOMES = {name: home for homes in PUBLIC.values() for home, names in homes.items() for name in names}
# from backprop_lab import * must not take Python's own compile away.
__all__ = sorted(name for name in _HOMES if name != "compile")

if TYPE_CHECKING:  # for editors and type checkers, which do not follow a table; a test compares the two
    from backprop_lab.exercises.fill_in import fill_in as fill_in
    from backprop_lab.exercises.questions import question as question
    from backprop_lab.exercises.which_function import which_function as which_function
    from backprop_lab.graph.leaves import constant as constant
    from backprop_lab.graph.leaves import variable as variable
    from backprop_lab.learning import data as data
    from backprop_lab.learning.descent import sgd as sgd
    from backprop_lab.passes.derivatives import gradient as gradient
    from backprop_lab.passes.derivatives import hessian as hessian
    from backprop_lab.passes.derivatives import jacobian as jacobian
    from backprop_lab.passes.derivatives import jvp as jvp
    from backprop_lab.passes.derivatives import vjp as vjp
    from backprop_lab.passes.gradient_check import check_gradient as check_gradient
    from backprop_lab.passes.nonfinite import NonFiniteError as NonFiniteError
    from backprop_lab.passes.nonfinite import NonFiniteWarning as NonFiniteWarning
    from backprop_lab.passes.passes import backward as backward
    from backprop_lab.passes.passes import forward as forward
    from backprop_lab.passes.passes import steps as steps
    from backprop_lab.passes.records import Step as Step
    from backprop_lab.pictures.drawing import draw as draw
    from backprop_lab.pictures.figure import figure as figure
    from backprop_lab.program.compiling import compile as compile
    from backprop_lab.rules.extending import rule as rule
    from backprop_lab.rules.networks import cross_entropy as cross_entropy
    from backprop_lab.rules.networks import l2 as l2
    from backprop_lab.rules.networks import leaky_relu as leaky_relu
    from backprop_lab.rules.networks import log_softmax as log_softmax
    from backprop_lab.rules.networks import logsumexp as logsumexp
    from backprop_lab.rules.networks import relu as relu
    from backprop_lab.rules.networks import sigmoid as sigmoid
    from backprop_lab.rules.networks import softmax as softmax
    from backprop_lab.rules.networks import softplus as softplus
    from backprop_lab.rules.networks import squared_error as squared_error
    from backprop_lab.rules.networks import stop_gradient as stop_gradient
    from backprop_lab.stepping.step_through import step_through as step_through
    from backprop_lab.training_lab import explore as explore
    from backprop_lab.words.errors import MissingValueError as MissingValueError
    from backprop_lab.words.errors import NotAnArrayError as NotAnArrayError
    from backprop_lab.words.errors import ShapeError as ShapeError


def __getattr__(name: str):
    """A public name, fetched from where it lives when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"backprop_lab has no {name!r}; its public names: {', '.join(sorted(_HOMES))}")
    home = __import__(f"backprop_lab.{_HOMES[name]}", fromlist=[name])  # loads it where it is a module
    globals()[name] = found = getattr(home, name)
    return found


def __dir__() -> list[str]:
    return sorted(_HOMES)


def _picture_of_node(node: Node) -> str | None:
    """A node on a cell's last line shows its graph, unless that is too large to read."""
    from backprop_lab.graph.order import topological_order
    from backprop_lab.pictures.drawing import MOST_NODES, draw

    return draw(node)._repr_html_() if len(topological_order(node)) <= MOST_NODES else None


Node._repr_html_ = _picture_of_node
