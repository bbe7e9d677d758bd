"""The table of operations: how each is computed, its shape, its derivative, how it is written.

A derivative is declared once, in NumPy. Fed arrays it computes numbers; fed nodes it builds the
gradient's own graph, from which the formulas shown to the learner are written. z is the operation's
value, x and y its arguments, g = ∂J/∂z. Un-broadcasting is done by the engine
(:func:`vector_jacobian`), for all rules at once. Formulas: Petersen & Pedersen, The Matrix Cookbook
(2012), sections 2.4 and 2.5, and Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.5.

What must hold: a rule reads like a line in a table of derivatives; every rule is checked against
finite differences.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from backprop_lab.graph.node import RULES, Node
from backprop_lab.graph.operation import Rule, apply, operation
from backprop_lab.rules import shapes, writing
from backprop_lab.rules.local_derivatives import (
    centred,
    each,
    inverse,
    inverse_or_zero,
    log_of_base,
    lowered,
    matmul_first,
    matmul_second,
    on_diagonal,
    others_multiplied,
    shaped,
    share,
    shared_extreme,
    spread,
    summed_copies,
    summed_from_behind,
    summed_repeats,
)
from backprop_lab.words import notation
from backprop_lab.words.errors import ShapeError

# -------------------------------------------------------------------------------------- the makers


def declared(compute, kind, shape, *derivatives, name=None, home="np", code=None, math=None, **how) -> Rule:
    """An operation: how it is computed, and its derivatives as :class:`Rule` reads them for its ``kind``.

    Where nothing else is said it is written as a call of a function of ``home``.
    """
    name, defaults = name or compute.__name__.strip("_"), how.get("parameters", {})
    called = f"{home}.{name}" if home else name
    code, math = code or writing.call(called, defaults), math or writing.call(name, defaults)
    return Rule(name, home, compute, shape, kind, derivatives, code, math, **how)


def enter(function, *declaration, **how):
    """Enter an operation into the table: NumPy's ``function`` makes a node from now on."""
    RULES[function] = declared(function, *declaration, function=function, **how)


def elementwise(function, *partials, **how):
    """Enter an operation that works entry by entry; ``partials``: ∂z/∂x, ∂z/∂y as d(z, x, y)."""
    enter(function, "elementwise", shapes.broadcast_shape, *partials, **how)


def comparison(function, sign, math=None):
    """Enter a comparison: it has a value, True or False, and sends no gradient."""
    code, math = f"({{0}} {sign} {{1}})", f"[{{0}} {math or sign} {{1}}]"
    elementwise(function, None, None, code=code, math=math, slots=(1, 1), gives="booleans")


def reduction(function, kind, back, **how):
    """Enter an operation that takes the entries along axes together; ``back``: d(g, z, x, axis, keepdims)."""
    enter(function, kind, shapes.reduced_shape, back, parameters={"axis": None, "keepdims": False}, **how)


def moving(function, shape, back, **how):
    """Enter an operation under which entries only move about; ``back`` moves those of g back."""
    enter(function, "linear", shape, back, gives="the same", **how)


def function(*declaration, **how):
    """Make an operation that NumPy has no name for; the decorated body computes it.

    It takes arrays and nodes alike.
    """
    return lambda compute: operation(declared(compute, *declaration, **{"home": "bl"} | how))


# ------------------------------------------------------------- elementwise: the partial derivatives

# fmt: off
elementwise(np.add,      lambda z, x, y: 1,  lambda z, x, y: 1,
            code="{0} + {1}", math="{0} + {1}", binds=1, slots=(1, 1))
elementwise(np.subtract, lambda z, x, y: 1,  lambda z, x, y: -1,
            code="{0} - {1}", math="{0} − {1}", binds=1, slots=(1, 2))
elementwise(np.multiply, lambda z, x, y: y,  lambda z, x, y: x,
            code="{0} * {1}", math=writing.multiplied, binds=2, slots=(2, 2))
elementwise(np.divide,   lambda z, x, y: np.divide(1, y),  lambda z, x, y: -z / y,
            code="{0} / {1}", math="{0} / {1}", binds=2, slots=(2, 3))
elementwise(np.power,    lambda z, x, y: y * lowered(x, y),  lambda z, x, y: z * log_of_base(x),
            code="{0}**{1}", math=lambda node, x, y: notation.power(x, y), binds=4, slots=(5, 4))
elementwise(np.negative, lambda z, x: -1,    code="-{0}", math="−{0}", binds=1, slots=(2,))
elementwise(np.positive, lambda z, x: 1,     code="+{0}", math="{0}", binds=1, slots=(2,))
elementwise(np.square,   lambda z, x: 2 * x, math="{0}²", binds=4, slots=(5,))
elementwise(np.sqrt,     lambda z, x: 1 / (2 * z), math="√{0}", slots=(5,))
elementwise(np.exp,      lambda z, x: z)
elementwise(np.log,      lambda z, x: 1 / x)
elementwise(np.log1p,    lambda z, x: 1 / (1 + x))
elementwise(np.expm1,    lambda z, x: z + 1)
elementwise(np.reciprocal, lambda z, x: -z**2, math="1 / {0}", binds=2, slots=(3,))
elementwise(np.sin,      lambda z, x: np.cos(x))
elementwise(np.cos,      lambda z, x: -np.sin(x))
elementwise(np.tan,      lambda z, x: 1 + z**2)
elementwise(np.sinh,     lambda z, x: np.cosh(x))
elementwise(np.cosh,     lambda z, x: np.sinh(x))
elementwise(np.tanh,     lambda z, x: 1 - z**2)
elementwise(np.arctan,   lambda z, x: 1 / (1 + x**2))
elementwise(np.logaddexp, lambda z, x, y: np.exp(x - z), lambda z, x, y: np.exp(y - z))
elementwise(np.absolute, lambda z, x: np.sign(x), math="|{0}|")
elementwise(np.sign,     lambda z, x: 0 * x)
elementwise(np.maximum,  lambda z, x, y: share(x, y),  lambda z, x, y: share(y, x))
elementwise(np.minimum,  lambda z, x, y: share(y, x),  lambda z, x, y: share(x, y))
# fmt: on

BELOW_MINUS = 1.5  # as a product, but −(a % b) is not (−a) % b, where −(a · b) is (−a) · b
elementwise(np.floor_divide, lambda z, x, y: 0 * z, lambda z, x, y: 0 * z,
            code="{0} // {1}", math="⌊{0} / {1}⌋", binds=BELOW_MINUS, slots=(2, 3))  # fmt: skip
elementwise(np.remainder, lambda z, x, y: 1, lambda z, x, y: -(x // y),
            code="{0} % {1}", math="{0} mod {1}", binds=BELOW_MINUS, slots=(2, 3))  # fmt: skip

comparison(np.greater, ">")
comparison(np.greater_equal, ">=", "≥")
comparison(np.less, "<")
comparison(np.less_equal, "<=", "≤")
comparison(np.equal, "==", "=")
comparison(np.not_equal, "!=", "≠")


# --------------------------------------------------------------------------- products, and sums over axes

# fmt: off
enter(np.matmul, "linear", shapes.matmul_shape, matmul_first, matmul_second,
      code="{0} @ {1}", math=writing.matrix_product, binds=2, slots=(2, 3))
enter(np.outer, "linear", shapes.outer_shape,
      lambda g, z, x, y: shaped(g @ shaped(y, (np.size(y),)), np.shape(x)),
      lambda g, z, x, y: shaped(shaped(x, (np.size(x),)) @ g, np.shape(y)),
      math="{0} {1}ᵀ", binds=2, slots=(3, 5))

reduction(np.sum,  "linear", lambda g, z, x, axis, keepdims: spread(g, x, axis, keepdims))
reduction(np.mean, "linear", lambda g, z, x, axis, keepdims: spread(g / each(z, x), x, axis, keepdims))
reduction(np.max,  "custom", shared_extreme)
reduction(np.min,  "custom", shared_extreme)
reduction(np.prod, "custom", others_multiplied)
reduction(np.var,  "custom", lambda g, z, x, axis, keepdims:
          spread(g, x, axis, keepdims) * centred(x, axis) * (2 / each(z, x)))
reduction(np.std,  "custom", lambda g, z, x, axis, keepdims:
          spread(g * inverse_or_zero(z), x, axis, keepdims) * centred(x, axis) * (1 / each(z, x)))
reduction(np.linalg.norm, "custom", lambda g, z, x, axis, keepdims:
          spread(g * inverse_or_zero(z), x, axis, keepdims) * x, home="np.linalg", math="‖{0}‖")
RULES[np.amax], RULES[np.amin] = RULES[np.max], RULES[np.min]  # NumPy's older names, other objects
enter(np.cumsum, "linear", shapes.cumulated_shape,
      lambda g, z, x, axis: summed_from_behind(g, x, axis), parameters={"axis": None})
enter(np.trace, "linear", shapes.traced_shape,
      lambda g, z, x: g * np.eye(*np.shape(x), dtype=np.result_type(x)))


# --------------------------------------------------------------------------- entries moved about

def in_its_shape(g, z, x, **_):
    return np.reshape(g, np.shape(x))


moving(np.ravel, shapes.tried(np.ravel), in_its_shape, math=writing.reshaped, binds=1, slots=(2,))
moving(np.expand_dims, shapes.tried(np.expand_dims), in_its_shape,
       parameters={"axis": None}, math=writing.reshaped, binds=1, slots=(2,))
moving(np.squeeze, shapes.tried(np.squeeze), in_its_shape,
       parameters={"axis": None}, math=writing.reshaped, binds=1, slots=(2,))
moving(np.flip, shapes.tried(np.flip),
       lambda g, z, x, axis: np.flip(g, axis), parameters={"axis": None})
moving(np.transpose, shapes.transposed_shape,
       lambda g, z, x, axes: np.transpose(g, inverse(shapes.permutation(axes, np.ndim(x)))),
       parameters={"axes": None}, slots=(5,), code=writing.transposed, math="{0}ᵀ")
moving(np.swapaxes, shapes.tried(np.swapaxes),
       lambda g, z, x, axis1, axis2: np.swapaxes(g, axis1, axis2),
       parameters={"axis1": None, "axis2": None}, slots=(5,),
       code="np.swapaxes({0}, {axis1}, {axis2})", math="{0}ᵀ")
moving(np.moveaxis, shapes.tried(np.moveaxis),
       lambda g, z, x, source, destination: np.moveaxis(g, destination, source),
       parameters={"source": None, "destination": None}, slots=(5,),
       code="np.moveaxis({0}, {source}, {destination})", math="{0}ᵀ")
moving(np.diag, shapes.tried(np.diag),
       lambda g, z, x: np.diag(g) if np.ndim(x) == 1 else on_diagonal(g, x))
moving(np.tile, shapes.tiled_shape,
       lambda g, z, x, reps: summed_copies(g, x, reps), parameters={"reps": None},
       code="np.tile({0}, {reps})", math="{0} tiled {reps}", binds=1, slots=(2,))
moving(np.repeat, shapes.repeated_shape,
       lambda g, z, x, repeats, axis: summed_repeats(g, x, repeats, axis),
       parameters={"repeats": None, "axis": None}, binds=1, slots=(2,),
       code="np.repeat({0}, {repeats}, axis={axis})", math="{0} repeated {repeats} times")
moving(np.broadcast_to, shapes.broadcast_to_shape, lambda g, z, x, shape: g,
       parameters={"shape": None}, binds=1, slots=(2,),
       code="np.broadcast_to({0}, {shape})", math=writing.repeated)
# fmt: on


def index(x, key):
    return x[key]


def reshape(x, shape):  # NumPy 2.0 calls the second argument newshape, later ones shape
    return np.reshape(x, shape)


RULES[np.reshape] = declared(
    reshape, "linear", shapes.reshaped_shape, in_its_shape, code="np.reshape({0}, {shape})",
    parameters={"shape": None}, math=writing.reshaped, binds=1, slots=(2,), gives="the same",
    function=np.reshape)  # fmt: skip
RULES[operator.getitem] = declared(
    index, "linear", shapes.indexed_shape, lambda g, z, x, key: scatter(g, shape=np.shape(x), key=key),
    parameters={"key": None}, slots=(notation.ATOM,), code=writing.indexed_in_code, math=writing.indexed,
    gives="the same", function=operator.getitem)  # fmt: skip
enter(np.where, "linear", shapes.broadcast_shape,
      None, lambda g, z, c, x, y: np.where(c, g, 0), lambda g, z, c, x, y: np.where(c, 0, g),
      math="({1} if {0}, else {2})")  # fmt: skip


# ------------------------------------------------------------------------- any number of arrays


@lru_cache
def joining(join: Callable, cut: Callable, count: int) -> Rule:
    """The rule that stacks or concatenates ``count`` arrays: each gets its own slice of g back."""

    def joined(*arrays, axis):
        return join(arrays, axis=axis)

    def listed(opening):
        return lambda node, *texts: f"{opening}([{', '.join(texts)}]{axis_text(node)})"

    backs = (partial(cut, place) for place in range(count))
    return declared(
        joined, "linear", shapes.tried(joined), *backs, name=join.__name__, parameters={"axis": 0},
        code=listed(f"np.{join.__name__}"), math=listed(join.__name__), slots=(1,) * count, gives="the same",
        function=join,
    )  # fmt: skip


def axis_text(node):
    return f", axis={node.parameters['axis']}" if node.parameters["axis"] else ""


def taken_layer(place, g, z, *arrays, axis):
    return g[(slice(None),) * (axis % np.ndim(g)) + (place,)]


def taken_slice(place, g, z, *arrays, axis):
    axis = axis % np.ndim(g)
    start = sum(np.shape(a)[axis] for a in arrays[:place])
    return g[(slice(None),) * axis + (slice(start, start + np.shape(arrays[place])[axis]),)]


def _join(join, cut, arrays, axis=0):
    arrays = tuple(arrays)
    if join is np.concatenate and axis is None:
        arrays, axis = tuple(map(np.ravel, arrays)), 0
    if join is np.concatenate and not all(map(np.ndim, arrays)):
        raise ShapeError("np.concatenate: single numbers cannot be concatenated; use np.stack")
    return apply(joining(join, cut, len(arrays)), *arrays, axis=axis)


def _split(x, indices_or_sections, axis=0):
    """np.split: a list of slices, each a node of its own."""
    (axis,) = shapes.axes_of(axis, np.ndim(x))
    length = np.shape(x)[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        count = int(indices_or_sections)
        if count < 1 or length % count:
            raise ShapeError(f"np.split: {length} entries cannot be split into {count} equal parts")
        ends = [length // count * i for i in range(count + 1)]
    else:
        ends = [0, *indices_or_sections, length]
    before = (slice(None),) * axis
    return [x[(*before, slice(a, b))] for a, b in pairwise(ends)]


RULES[np.split] = _split


def _dot(x, y):
    """np.dot of up to two axes: @, or * where one is a single number."""
    if np.ndim(x) > 2 or np.ndim(y) > 2:
        raise TypeError("np.dot of a node takes at most two axes; for stacks of matrices write x @ y")
    return np.matmul(x, y) if np.ndim(x) and np.ndim(y) else np.multiply(x, y)


def _clip(x, a_min=None, a_max=None, *, min=None, max=None):
    """np.clip with a node: a bound that is None is left out."""
    low, high = a_min if min is None else min, a_max if max is None else max
    if low is None or high is None:
        if low is high:
            raise TypeError("np.clip of a node needs a lower or an upper bound")
        return np.minimum(x, high) if low is None else np.maximum(x, low)
    return CLIP(x, low, high)


CLIP = declared(
    np.clip, "elementwise", shapes.broadcast_shape, lambda z, x, low, high: (x >= low) * (x <= high),
    lambda z, x, low, high: (x < low) * (low <= high),
    lambda z, x, low, high: np.maximum(x, low) > high, function=np.clip)  # fmt: skip
RULES[np.clip] = _clip
RULES[np.dot] = _dot
RULES[np.stack] = partial(_join, np.stack, taken_layer)
RULES[np.concatenate] = partial(_join, np.concatenate, taken_slice)


# ---------------------------------------------------- three primitives of the engine's own


@function(
    "linear", lambda g, shape, key: shape, lambda g, z, x, shape, key: g[key], binds=1,
    parameters={"shape": None, "key": None}, code=writing.scattered_in_code,
    math=lambda node, g: f"{g} put back at {writing.indexed(node, '')}, 0 elsewhere")  # fmt: skip
def scatter(g, shape, key):
    out = np.zeros(shape, g.dtype)
    np.add.at(out, key, g)
    return out


def summed_to(g, shape):
    new = g.ndim - len(shape)
    if new:
        g = g.sum(axis=0 if new == 1 else tuple(range(new)))
    if g.shape == shape:
        return g
    ones = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
    return g.sum(axis=ones, keepdims=True)


sum_to = function(
    "linear", lambda g, shape: shape, lambda g, z, x, shape: np.broadcast_to(g, np.shape(x)), binds=1,
    name="sum_to", parameters={"shape": None}, code=writing.summed_to_in_code,
    math=lambda node, g: f"{g} summed to {notation.extent(node.shape)}")(summed_to)  # fmt: skip


@function(
    "linear", lambda x, dtype: x, lambda g, z, x, dtype: g,
    parameters={"dtype": None}, code="np.asarray({0}, np.{dtype})", math="{0}")  # fmt: skip
def converted(x, dtype):  # a gradient has the precision of its variable
    return x.astype(dtype)


# ------------------------------------------------------------------------ vector-Jacobian product


def vector_jacobian(node, place, upstream, value, operands):
    """What flows into argument ``place`` of ``node``: (local Jacobian)ᵀ · upstream, in its shape.

    ``upstream`` is ∂J/∂node, ``value`` and ``operands`` are the node's value and its arguments: all
    arrays, or all nodes (then the result is a node of the gradient's graph). Broadcasting forward
    is a sum backward; that sum is taken here, once for every rule.
    """
    derivative = node.rule.derivatives[place]
    if node.rule.kind == "elementwise":
        partial = derivative(value, *operands, **node.parameters)
        if type(partial) is int and partial in (1, -1):
            result = upstream if partial == 1 else -upstream
        else:
            result = upstream * partial
    else:
        result = derivative(upstream, value, *operands, **node.parameters)
    shape = operands[place].shape
    if not isinstance(result, Node):
        return result if result.shape == shape else summed_to(result, shape)
    result = result if result.shape == shape else sum_to(result, shape=shape)
    dtype = operands[place].dtype
    return result if result.dtype == dtype else converted(result, dtype=dtype)
