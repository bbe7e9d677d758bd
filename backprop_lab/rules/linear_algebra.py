"""Linear algebra: norms and traces. For products of matrices see ``products.py``.

z is the value, x the argument, g = ∂J/∂z. Formulas: Petersen & Pedersen, The Matrix Cookbook (2012), sections
2.4 and 2.5. The gradient of a norm at 0 is 0.
"""

from __future__ import annotations

import numpy as np

from backprop_lab.rules.declaring import enter, reduction, rule_of
from backprop_lab.rules.reductions import inverse_or_zero, spread
from backprop_lab.rules.shapes import reduced_shape, traced_shape


def squared_norm(x, axis, keepdims):
    return np.sum(np.square(x), axis=axis, keepdims=keepdims)


# fmt: off
reduction(np.linalg.norm, "custom",
          lambda g, z, x, axis, keepdims: spread(g * inverse_or_zero(z), x, axis, keepdims) * x,
          squared=rule_of(squared_norm, "custom", reduced_shape,
                          lambda g, z, x, axis, keepdims: spread(2 * g, x, axis, keepdims) * x))

enter(np.trace, "linear", traced_shape,
      lambda g, z, x: g * np.eye(*np.shape(x), dtype=np.result_type(x)))
