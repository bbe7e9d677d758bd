"""Operations that work entry by entry: the partial derivative ∂z/∂x, ∂z/∂y for each argument.

z is the operation's value, x and y its arguments. A comparison has a value and sends no gradient; two entries
that tie at a maximum share the gradient equally.

What must hold: each line reads like one in a table of derivatives, and is checked against finite differences.
"""

from __future__ import annotations

import numpy as np

from backprop_lab.graph.node import RULES
from backprop_lab.rules.declaring import condition, elementwise, enter, rule_of
from backprop_lab.rules.networks import sigmoid
from backprop_lab.rules.shapes import broadcast_shape

# fmt: off
elementwise(np.add,          lambda z, x, y: 1,                 lambda z, x, y: 1)
elementwise(np.subtract,     lambda z, x, y: 1,                 lambda z, x, y: -1)
elementwise(np.multiply,     lambda z, x, y: y,                 lambda z, x, y: x)
elementwise(np.divide,       lambda z, x, y: np.divide(1, y),   lambda z, x, y: -z / y)
elementwise(np.power,        lambda z, x, y: y * lowered(x, y), lambda z, x, y: z * log_of_base(x))
elementwise(np.floor_divide, lambda z, x, y: 0 * z,             lambda z, x, y: 0 * z)
elementwise(np.remainder,    lambda z, x, y: 1,                 lambda z, x, y: -(x // y))
elementwise(np.logaddexp,    lambda z, x, y: sigmoid(x - y),    lambda z, x, y: sigmoid(y - x))
elementwise(np.maximum,      lambda z, x, y: share(x, y),       lambda z, x, y: share(y, x))
elementwise(np.minimum,      lambda z, x, y: share(y, x),       lambda z, x, y: share(x, y))

elementwise(np.negative,     lambda z, x: -1)
elementwise(np.positive,     lambda z, x: 1)
elementwise(np.reciprocal,   lambda z, x: -z**2)
elementwise(np.square,       lambda z, x: 2 * x)
elementwise(np.sqrt,         lambda z, x: 1 / (2 * z))
elementwise(np.exp,          lambda z, x: z)
elementwise(np.expm1,        lambda z, x: z + 1)
elementwise(np.log,          lambda z, x: 1 / x)
elementwise(np.log1p,        lambda z, x: 1 / (1 + x))
elementwise(np.sin,          lambda z, x: np.cos(x))
elementwise(np.cos,          lambda z, x: -np.sin(x))
elementwise(np.tan,          lambda z, x: 1 + z**2)
elementwise(np.arctan,       lambda z, x: 1 / (1 + x**2))
elementwise(np.sinh,         lambda z, x: np.cosh(x))
elementwise(np.cosh,         lambda z, x: np.sinh(x))
elementwise(np.tanh,         lambda z, x: 1 - z**2)
elementwise(np.absolute,     lambda z, x: np.sign(x),           squared=RULES[np.square])
elementwise(np.sign,         lambda z, x: 0 * x)

condition(np.greater)
condition(np.greater_equal)
condition(np.less)
condition(np.less_equal)
condition(np.equal)
condition(np.not_equal)
condition(np.logical_and)
condition(np.logical_or)
condition(np.logical_xor)
condition(np.logical_not)
condition(np.bitwise_and, takes="booleans")
condition(np.bitwise_or, takes="booleans")
condition(np.bitwise_xor, takes="booleans")
condition(np.invert, takes="booleans")

enter(np.where, "linear", broadcast_shape,
      None,
      lambda g, z, c, x, y: np.where(c, g, 0),
      lambda g, z, c, x, y: np.where(c, 0, g))

CLIP = rule_of(np.clip, "elementwise", broadcast_shape,
               lambda z, x, low, high: (x >= low) * (x <= high),
               lambda z, x, low, high: (x < low) * (low <= high),
               lambda z, x, low, high: np.maximum(x, low) > high,
               function=np.clip)
# fmt: on


def _clip(x, a_min=None, a_max=None, *, min=None, max=None):
    """np.clip with a node: a bound that is None is left out."""
    low, high = a_min if min is None else min, a_max if max is None else max
    if low is None or high is None:
        if low is high:
            raise TypeError("np.clip of a node needs a lower or an upper bound")
        return np.minimum(x, high) if low is None else np.maximum(x, low)
    return CLIP(x, low, high)


RULES[np.clip] = _clip


# -------------------------------------------------------------------------------------- longer derivatives


def lowered(x, y):
    """x to the power y − 1; finite at x = 0 even if y = 0, so that x⁰ has the slope 0 there."""
    if isinstance(y, (int, float)):
        if y in (0, 1):
            return 1
        return x if y == 2 else x ** (y - 1)
    return x ** np.where(y == 0, 1, y - 1)


def log_of_base(x):
    """log x; 0 where x = 0, because there xʸ stays 0 as y > 0 changes."""
    return np.log(np.where(x == 0, 1, x))


def share(x, y):
    """The part of the gradient that goes to x at the maximum of x and y: all where x > y, half at a tie."""
    half = np.result_type(x, y, np.float16).type(0.5)  # in the precision of x and y
    return (x > y) + (x == y) * half
