"""A cost and its gradient in every way that there is: all of them give the same, or all refuse."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

import backprop_lab as bl


def ways_of(J) -> dict[str, Callable]:
    """{way: a function that gives (value, {name: gradient})}, the passes first.

    The functions may be called again after leaves have changed; the program is asked twice, as it keeps its
    memory.
    """
    program, another_library = bl.compile(J), bl.compile(J, xp=np)
    variables = program.variables
    flows = bl.gradient(J, variables)
    return {
        "passes": lambda: (bl.forward(J, "ignore"), by_name(bl.backward(J, on_nonfinite="ignore"))),
        "gradient as a graph": lambda: (
            bl.forward(J, "ignore"),
            {v.name: bl.forward(flow, "ignore") for v, flow in zip(variables, flows)},
        ),
        "program": lambda: _run(program),
        "program, again": lambda: _run(program),
        "text": lambda: _text(program),
        "another library": another_library,
    }


def by_name(gradients):
    return {variable.name: gradient for variable, gradient in gradients.items()}


def _run(program):
    value, gradients = program()
    return value, by_name(gradients)


def _text(program):
    scope = {}
    exec(program.source, scope)
    value, gradient = scope["program"](**program.inputs)
    places = program.graph_for({leaf: leaf.shape for leaf in program.leaves.values()}).slices
    return value, {v.name: np.reshape(gradient[place], v.shape) for v, place in places.items()}


def agree_in_every_way(J, precision=1e-10):
    """Assert that all ways give the numbers of the passes; returns these."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", bl.NonFiniteWarning)
        found = {name: way() for name, way in ways_of(J).items()}
    value, gradients = found["passes"]
    for way, (other_value, other_gradients) in found.items():
        _is_close(other_value, value, precision, f"value, {way}")
        for name, gradient in gradients.items():
            assert np.shape(other_gradients[name]) == gradient.shape
            _is_close(other_gradients[name], gradient, precision, f"gradient by {name}, {way}")
    return value, gradients


def _is_close(found, right, precision, what):
    """Within ``precision`` of the entry, or of the largest one."""
    right = np.asarray(right, float)
    largest = np.max(np.abs(right), initial=1, where=np.isfinite(right))
    np.testing.assert_allclose(
        np.asarray(found, float), right, rtol=precision, atol=precision * largest, err_msg=what
    )
