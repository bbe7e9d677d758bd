"""Products of arrays: of matrices and vectors, inner and outer, and by subscripts.

x and y are the arguments, z the value, g = ∂J/∂z. What flows back from a matrix product is the lecture's g yᵀ
and xᵀ g. Products by subscripts get their derivatives from ``contractions.py``. Formulas: Petersen &
Pedersen, The Matrix Cookbook (2012), sections 2.4 and 2.5.

What must hold: each is right for vectors, matrices and stacks of them, wherever NumPy takes these.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from backprop_lab.graph.node import RULES
from backprop_lab.rules.contractions import along, contracted_shape, einsum, flow_back, tensordot_subscripts
from backprop_lab.rules.declaring import enter
from backprop_lab.rules.shapes import matmul_shape, outer_shape


def product(function, subscripts, **parameters):
    """Enter a product of two arrays whose subscripts follow from the number of axes of each."""

    def shape(x, y, **how):
        return contracted_shape(x, y, subscripts=subscripts(len(x), len(y), **how))

    def back(place, g, z, x, y, **how):
        return flow_back(place, g, z, x, y, subscripts=subscripts(np.ndim(x), np.ndim(y), **how))

    enter(function, "linear", shape, partial(back, 0), partial(back, 1), parameters=parameters)


# fmt: off
enter(np.matmul, "linear", matmul_shape,
      lambda g, z, x, y: times_transposed(g, x, y),   # g yᵀ
      lambda g, z, x, y: transposed_times(g, x, y))   # xᵀ g
enter(np.outer, "linear", outer_shape,
      lambda g, z, x, y: shaped(g @ shaped(y, (np.size(y),)), np.shape(x)),
      lambda g, z, x, y: shaped(shaped(x, (np.size(x),)) @ g, np.shape(y)))

product(np.vdot,      lambda x, y: along(None, None, x, y))
product(np.inner,     lambda x, y: along(-1, -1, x, y) if x and y else along((), (), x, y))
product(np.tensordot, tensordot_subscripts, axes=2)
# fmt: on


def _dot(x, y):
    """np.dot of up to two axes: @, or * where one is a single number."""
    if np.ndim(x) > 2 or np.ndim(y) > 2:
        raise TypeError("np.dot of a node takes at most two axes; for stacks of matrices write x @ y")
    return np.matmul(x, y) if np.ndim(x) and np.ndim(y) else np.multiply(x, y)


RULES[np.dot] = _dot
RULES[np.einsum] = einsum


# -------------------------------------------------------------------------------------- longer derivatives


def shaped(x, shape):
    """x in this shape; x itself if it has it already."""
    return x if np.shape(x) == shape else np.reshape(x, shape)


def swapped(x):
    """The transpose of a matrix, or of each matrix in a stack."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def times_transposed(g, x, y):
    """g yᵀ, what flows to x from x @ y, in all of NumPy's forms."""
    if y.ndim == 1:
        if x.ndim == 1:
            return g * y
        return np.outer(g, y) if x.ndim == 2 else g[..., None] * y
    if x.ndim == 1:
        return y @ g if y.ndim == 2 else (y @ g[..., None])[..., 0]
    return g @ swapped(y)


def transposed_times(g, x, y):
    """xᵀ g, what flows to y from x @ y, in all of NumPy's forms."""
    if x.ndim == 1:
        if y.ndim == 1:
            return g * x
        return np.outer(x, g) if y.ndim == 2 else x[:, None] * g[..., None, :]
    if y.ndim == 1:
        return swapped(x) @ g if x.ndim == 2 else (swapped(x) @ g[..., None])[..., 0]
    return swapped(x) @ g
