"""Functions of one number, as the explorers need them: built once as a graph, then evaluated many times.

What must hold: values and slopes come from the package's own passes; a function that does not take one number
to one number is refused in words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from backprop_lab.graph.leaves import variable
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.passes import Pass, evaluate
from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt


class RealFunction:
    """``f`` takes one number, called ``letter``, to one number; errors call the function ``role``.

    >>> import numpy as np
    >>> square = RealFunction(np.square, "x", "f", "an example")
    >>> square.formula, square(3), square.value_and_slope(3)
    ('x²', 9.0, (9.0, 6.0))
    """

    def __init__(self, f: Callable[[Node], Node], letter: str, role: str, what: str):
        checked_function(f, role, what, "one number, such as np.sin")
        self.input = variable(letter, shape=())
        self.output = f(self.input)
        checked_output(self.output, f"{role}({letter})", letter, what)
        if self.output.shape != ():
            raise ShapeError(
                f"{what}: {role}({letter}) has shape {self.output.shape}, but it is to be one number, as "
                f"{letter} is one; take np.sum or one entry of it"
            )
        self.formula = formula_in_leaves(self.output)
        leaves = [node for node in topological_order(self.output) if node.rule is None]
        self._others = [leaf for leaf in leaves if leaf is not self.input]

    def parameters(self) -> list[np.ndarray | None]:
        """The values of all leaves but the input: the same arrays as long as nobody has changed them."""
        return [leaf._current_value() for leaf in self._others]

    def __call__(self, x: float) -> float:
        """The value at ``x``; nan or infinite where there is none."""
        return float(evaluate(self.output, {self.input: np.asarray(x)}))

    def at(self, places: npt.ArrayLike) -> np.ndarray:
        """The values at many numbers, one by one."""
        return np.array([self(x) for x in np.ravel(places).tolist()])

    def value_and_slope(self, x: float, on_nonfinite: str = "raise") -> tuple[float, float]:
        """Value and derivative at ``x``. Raises NonFiniteError where one of them is not finite."""
        run = Pass(self.output, "explore")
        run.start_from({self.input: np.asarray(x)})
        slopes = run.both_ways(1, on_nonfinite)
        value = run.values[-1]
        assert value is not None  # after both passes
        return float(value), float(slopes[self.input])


def checked_function(f, role: str, what: str, of_what: str):
    """Refuse what cannot be called. ``of_what`` says what the function should take."""
    if not callable(f) or isinstance(f, Node):
        raise NotAnArrayError(
            f"{what}: {role} is a function of {of_what}, not {type(f).__name__}; without a name: lambda x: …"
        )


def checked_output(y, called: str, letter: str, what: str):
    """Refuse a result that is not a node, or that does not depend on the input."""
    if not isinstance(y, Node):
        raise NotAnArrayError(
            f"{what}: {called} gave {type(y).__name__}, in which {letter} cannot be followed; write it with "
            f"NumPy's functions and {letter} itself"
        )
    if not y.needs_gradient:
        raise ValueError(f"{what}: {called} = {notation.expression(y)} does not depend on {letter}")


def formula_in_leaves(y: Node, longest: int = 60) -> str:
    """The expression of ``y`` in terms of its leaves, whatever names the nodes in between have."""
    if y.rule is None:
        return notation.mention(y)
    text = notation.expression(
        y, lambda node: notation.written_name(node, code=False) if node.rule is None else None, depth=8
    )
    return notation.shorten(text, longest)


def stretch_of_values(values, called: str, what: str) -> tuple[float, float]:
    """A range (low, high) that shows all finite values, except for a few far away."""
    finite = np.ravel(values)[np.isfinite(np.ravel(values))]
    if not finite.size:
        raise ValueError(
            f"{what}: {called} is not a finite number anywhere in the range; choose another range"
        )
    low, high = finite.min(), finite.max()
    inner = np.percentile(finite, (4, 96))
    if high - low > 8 * (inner[1] - inner[0]) > 0:  # as of 1 / x around 0
        low, high = inner
    margin = 0.06 * (high - low) or 0.5 * abs(low) or 1.0
    return float(low - margin), float(high + margin)
