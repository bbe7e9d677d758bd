"""``bl.compile``: a cost and its gradient as a NumPy program, or as a function in another library.

What must hold: the function in another library is pure, takes the leaves by name and does the operations of
``program.source``; any module with NumPy's names will do. It never looks at the numbers in its arrays, as a
library may only trace them.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from backprop_lab.graph.node import Node
from backprop_lab.program.by_shapes import ByShapes
from backprop_lab.program.inputs import checked_value
from backprop_lab.program.program import Program
from backprop_lab.program.program_graph import Parameters, ProgramGraph

if TYPE_CHECKING:
    import numpy.typing as npt


@overload
def compile(J: Node, wrt: Node | Iterable[Node] | None = None, xp: None = None) -> Program: ...
@overload
def compile(J: Node, wrt: Node | Iterable[Node] | None, xp: ModuleType) -> Functional: ...
@overload
def compile(J: Node, wrt: Node | Iterable[Node] | None = None, *, xp: ModuleType) -> Functional: ...
def compile(
    J: Node, wrt: Node | Iterable[Node] | None = None, xp: ModuleType | None = None
) -> Program | Functional:
    """A program for the cost ``J`` and its gradient: call it to get ``(value, {variable: gradient})``.

    ``J`` is a single number. ``wrt`` are the variables whose gradients are wanted, all of them by default.
    ``program(x=…, y=…)`` takes other values for leaves, by name, for this call only; their first axis may
    be longer or shorter than in the graph. Leaves not named keep their values from the graph.
    ``program.source`` is the program as a NumPy function that runs alone; an operation of your own is one of
    its arguments (see :func:`bl.rule`).

    ``xp``: a module with NumPy's names, such as ``jax.numpy``. Then the result is a pure function of the
    leaves by name that gives ``(value, {name: gradient})``, computed with that module.

    Raises TypeError for what is not a cost or not a variable of it, ValueError for two leaves of one name.

    >>> import numpy as np, backprop_lab as bl
    >>> w, x = bl.variable("w", [2.0, -1.0]), bl.constant("x", [3.0, 1.0])
    >>> program = bl.compile(np.sum(w * x) ** 2, wrt=[w])
    >>> value, gradients = program()
    >>> float(value), gradients[w]
    (25.0, array([30., 10.]))
    >>> float(program(x=[1.0, 1.0])[0])
    1.0
    """
    program = Program(J, wrt)
    return program if xp is None else Functional(program, xp)


class Functional:
    """A pure function of the leaves by name, computed with another module that has NumPy's names.

    ``f(**leaves)`` gives ``(value, {name: gradient})``; leaves not named keep the values of the graph.
    ``f.source`` is the text of what is computed, with all variables in one vector θ.
    """

    def __init__(self, program: Program, xp: ModuleType):
        self._program, self._xp = program, xp
        self._functions = ByShapes(self._function, program.constants)

    def __call__(self, /, **leaves: npt.ArrayLike) -> tuple[Any, dict[str | None, Any]]:
        program, xp = self._program, self._xp
        named = {program.leaf_called(name): value for name, value in leaves.items()}
        given = {
            leaf: xp.asarray(named[leaf] if leaf in named else checked_value(leaf, leaf.value))
            for leaf in program.leaves.values()
        }
        for leaf, array in given.items():
            program.check_shape(leaf, array)
        graph, function, parameters = self._functions.made_for(given)
        for leaf, array in given.items():
            dtype = graph.leaves[leaf].dtype
            if dtype.kind == "f" and np.dtype(array.dtype).kind in "iub":
                given[leaf] = array * 1.0
            given[leaf] = _no_wider(given[leaf], dtype)
        value, gradient = function(**graph.arguments(xp, parameters, given))
        gradients = {}
        for leaf in program.variables:
            own = None if leaf.dtype == program.cost.dtype else leaf.dtype
            gradients[leaf.name] = xp.array(xp.reshape(gradient[graph.slices[leaf]], leaf.shape), own)
        return value, gradients

    @property
    def source(self) -> str:
        """The function as text, for the shapes of the graph."""
        return self._program.graph_for({}).source(self._xp.__name__)[0]

    def _function(self, shapes: dict[Node, tuple[int, ...]]) -> tuple[ProgramGraph, Callable, Parameters]:
        """(graph, its text as a function, that function's parameters) for these shapes of leaves."""
        graph = self._program.graph_for(shapes)
        text, parameters = graph.source(self._xp.__name__)
        scope: dict[str, Any] = {"np": self._xp}
        exec(builtins.compile(text.partition("\n")[2], "<program of a graph>", "exec"), scope)
        return graph, scope["program"], parameters


def _no_wider(array, dtype: np.dtype):
    """An array of another library in this precision; float64, which not every library has, is left to it."""
    return array.astype(dtype) if dtype in (np.float16, np.float32) else array
