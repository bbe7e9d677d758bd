"""Three operations that gradients need and NumPy has no name for.

What must hold: fed arrays, each gives an array; fed a node, a node, so that gradients have gradients.
"""

from __future__ import annotations

import numpy as np

from backprop_lab.graph.node import RULES
from backprop_lab.rules.declaring import declare


@declare(
    "linear", lambda g, shape, key: shape,
    lambda g, z, x, shape, key: g[key],
    parameters={"shape": None, "key": None})  # fmt: skip
def scatter(g, shape, key):
    """Zeros with g added at the entries that an index chooses: the transpose of indexing."""
    out = np.zeros(shape, g.dtype)
    np.add.at(out, key, g)
    return out


def summed_to(g, shape):
    """g summed along the axes that broadcasting from ``shape`` added or repeated; arrays only."""
    new = g.ndim - len(shape)
    if new:
        g = g.sum(axis=0 if new == 1 else tuple(range(new)))
    if g.shape == shape:
        return g
    ones = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
    return g.sum(axis=ones, keepdims=True)


sum_to = declare(
    "linear", lambda g, shape: shape,
    lambda g, z, x, shape: np.broadcast_to(g, np.shape(x)),
    name="sum_to", parameters={"shape": None})(summed_to)  # fmt: skip


@declare(
    "linear", lambda x, dtype: x,
    lambda g, z, x, dtype: g,
    parameters={"dtype": None})  # fmt: skip
def converted(x, dtype):
    """x in another precision: a gradient has that of its variable."""
    return x.astype(dtype)


def _astype(x, dtype):
    """The method ``astype`` of a node; to what is no float, no gradient would flow."""
    wanted = np.dtype(dtype)
    if wanted.kind != "f" or wanted.itemsize > 8:
        raise TypeError(
            f"astype of a node: to np.float64, np.float32 or np.float16, not to {wanted}; write x != 0 for "
            "a condition, and take whole numbers of the node's .value"
        )
    return x if wanted == x.dtype else converted(x, dtype=wanted.newbyteorder("="))


RULES[np.ndarray.astype] = _astype
