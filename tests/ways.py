"""A cost and its gradient in every way that there is: all of them give the same, or all refuse."""

from __future__ import annotations

import warnings

import numpy as np

import backprop_lab as bl
from backprop_lab.program.compiling import Functional


def _passes(J, program):
    gradients = bl.backward(J, on_nonfinite="ignore")
    return J.value, {v.name: gradient for v, gradient in gradients.items()}


def _as_a_graph(J, program):
    variables = list(bl.backward(J, on_nonfinite="ignore"))
    flows = zip(variables, bl.gradient(J, variables), strict=True)
    return J.value, {v.name: bl.forward(flow, on_nonfinite="ignore") for v, flow in flows}


def _program(J, program):
    value, gradients = program()
    return value, {v.name: gradient for v, gradient in gradients.items()}


def _text(J, program):
    scope = {}
    exec(program.source, scope)
    value, gradient = scope["program"](**program.inputs)
    slices = program.parameters.slices
    return value, {v.name: np.reshape(gradient[place], v.shape) for v, place in slices.items()}


def _another_library(J, program):
    return Functional(program, np)()


WAYS = {
    "passes": _passes,
    "gradient as a graph": _as_a_graph,
    "program": _program,
    "text": _text,
    "another library": _another_library,
}


def in_every_way(J):
    """{way: (value, {name: gradient})} of a cost."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", bl.NonFiniteWarning)
        program = bl.compile(J)
        return {name: way(J, program) for name, way in WAYS.items()}


def agree_in_every_way(J, precision=1e-10):
    """Assert that all ways give the numbers of the passes; returns these."""
    found = in_every_way(J)
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
