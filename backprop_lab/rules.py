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

import math
import operator
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from backprop_lab import notation
from backprop_lab.errors import ShapeError
from backprop_lab.graph import RULES, Node
from backprop_lab.local_derivatives import (
    centred,
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
from backprop_lab.operation import Rule, apply, operation
from backprop_lab.shapes import (
    as_numpy,
    axes_of,
    broadcast_shape,
    broadcast_to_shape,
    concatenated_shape,
    cumulated_shape,
    diagonal_shape,
    indexed_shape,
    matmul_shape,
    outer_shape,
    permutation,
    reduced_shape,
    repeated_shape,
    reshaped_shape,
    stacked_shape,
    tiled_shape,
    traced_shape,
    transposed_shape,
)
from backprop_lab.writing import (
    indexed,
    indexed_in_code,
    matrix_product,
    multiplied,
    repeated,
    reshaped,
    scattered_in_code,
    summed_to_in_code,
    transposed,
    with_parameters,
)

# -------------------------------------------------------------------------------------- the makers


def _enter(rule, *functions):
    for function in functions:
        RULES[function] = rule
    return rule


def elementwise(function, *partials, math=None, code=None, binds=notation.ATOM, slots=()):
    """Enter an operation that works entry by entry; ``partials``: ∂z/∂x, ∂z/∂y as d(z, x, y)."""
    name = function.__name__
    call = f"{name}({', '.join(f'{{{i}}}' for i in range(len(partials)))})"
    rule = Rule(
        name, function, broadcast_shape, "elementwise", partials, code or f"np.{call}",
        math or call, binds, slots, arity=len(partials),
    )  # fmt: skip
    return _enter(rule, function)


def function(kind, shape, *derivatives, math=None, code=None, parameters=None, gives="floats"):
    """Make an operation that NumPy has no name for; the decorated body computes it.

    It takes arrays and nodes alike. ``derivatives`` as :class:`Rule` reads them for its ``kind``.
    """

    def make(compute):
        name, places = compute.__name__.strip("_"), range(len(derivatives))
        call = f"{name}({', '.join(f'{{{i}}}' for i in places)})"
        rule = Rule(
            name, compute, shape, kind, derivatives, code or f"bl.{call}", math or call,
            parameters=parameters or {}, arity=len(derivatives), gives=gives,
        )  # fmt: skip
        return operation(rule)

    return make


def comparison(function, sign, math=None):
    """Enter a comparison: it has a value, True or False, and sends no gradient."""
    rule = Rule(
        function.__name__, function, broadcast_shape, "elementwise", (None, None),
        f"({{0}} {sign} {{1}})", f"[{{0}} {math or sign} {{1}}]", slots=(1, 1), arity=2,
        gives="booleans",
    )  # fmt: skip
    return _enter(rule, function)


def custom(function, shape, *products, code, math, parameters=None, **how):
    """Enter an operation by its vector-Jacobian products; ``products``: d(g, z, x, y)."""
    rule = Rule(
        function.__name__, function, shape, "custom", products, code, math,
        parameters=parameters or {}, arity=len(products), **how,
    )  # fmt: skip
    return _enter(rule, function)


def linear(function, shape, *transposes, code, math, parameters=None, name=None, **how):
    """Enter an operation that is linear in each argument; ``transposes``: d(g, z, x, y)."""
    rule = Rule(
        name or function.__name__, function, shape, "linear", transposes, code, math,
        parameters=parameters or {}, arity=len(transposes), **how,
    )  # fmt: skip
    return _enter(rule, function)


# ------------------------------------------------------------- elementwise: the partial derivatives

# fmt: off
elementwise(np.add,      lambda z, x, y: 1,  lambda z, x, y: 1,
            code="{0} + {1}", math="{0} + {1}", binds=1, slots=(1, 1))
elementwise(np.subtract, lambda z, x, y: 1,  lambda z, x, y: -1,
            code="{0} - {1}", math="{0} − {1}", binds=1, slots=(1, 2))
elementwise(np.multiply, lambda z, x, y: y,  lambda z, x, y: x,
            code="{0} * {1}", math=multiplied, binds=2, slots=(2, 2))
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

elementwise(np.floor_divide, lambda z, x, y: 0 * z, lambda z, x, y: 0 * z,
            code="{0} // {1}", math="⌊{0} / {1}⌋", binds=2, slots=(2, 3))  # fmt: skip
elementwise(np.remainder, lambda z, x, y: 1, lambda z, x, y: -(x // y),
            code="{0} % {1}", math="{0} mod {1}", binds=2, slots=(2, 3))  # fmt: skip

comparison(np.greater, ">")
comparison(np.greater_equal, ">=", "≥")
comparison(np.less, "<")
comparison(np.less_equal, "<=", "≤")
comparison(np.equal, "==", "=")
comparison(np.not_equal, "!=", "≠")


# --------------------------------------------------------------------------- linear: the transposes

# fmt: off
linear(np.matmul, matmul_shape, matmul_first, matmul_second,
       code="{0} @ {1}", math=matrix_product, binds=2, slots=(2, 3))
linear(np.outer, outer_shape,
       lambda g, z, x, y: shaped(g @ shaped(y, (np.size(y),)), np.shape(x)),
       lambda g, z, x, y: shaped(shaped(x, (np.size(x),)) @ g, np.shape(y)),
       code="np.outer({0}, {1})", math="{0} {1}ᵀ", binds=2, slots=(3, 5))
linear(np.sum, reduced_shape,
       lambda g, z, x, axis, keepdims: spread(g, x, axis, keepdims),
       parameters={"axis": None, "keepdims": False},
       code=with_parameters("np.sum"), math=with_parameters("sum"))
linear(np.mean, reduced_shape,
       lambda g, z, x, axis, keepdims: spread(g / (max(x.size // max(z.size, 1), 1)), x, axis, keepdims),
       parameters={"axis": None, "keepdims": False},
       code=with_parameters("np.mean"), math=with_parameters("mean"))
for _extreme in (np.max, np.min):
    custom(_extreme, reduced_shape, shared_extreme,
           parameters={"axis": None, "keepdims": False},
           code=with_parameters(f"np.{_extreme.__name__}"), math=with_parameters(_extreme.__name__))
RULES[np.amax], RULES[np.amin] = RULES[np.max], RULES[np.min]  # NumPy's older names, other objects
custom(np.prod, reduced_shape, others_multiplied,
       parameters={"axis": None, "keepdims": False},
       code=with_parameters("np.prod"), math=with_parameters("prod"))
custom(np.var, reduced_shape,
       lambda g, z, x, axis, keepdims:
           spread(g, x, axis, keepdims) * centred(x, axis) * (2 / (max(x.size // max(z.size, 1), 1))),
       parameters={"axis": None, "keepdims": False},
       code=with_parameters("np.var"), math=with_parameters("var"))
custom(np.std, reduced_shape,
       lambda g, z, x, axis, keepdims:
           spread(g * inverse_or_zero(z), x, axis, keepdims) * centred(x, axis)
           * (1 / (max(x.size // max(z.size, 1), 1))),
       parameters={"axis": None, "keepdims": False},
       code=with_parameters("np.std"), math=with_parameters("std"))
linear(np.cumsum, cumulated_shape,
       lambda g, z, x, axis: summed_from_behind(g, x, axis), parameters={"axis": None},
       code=with_parameters("np.cumsum"), math=with_parameters("cumsum"))
linear(np.flip, as_numpy(np.flip),
       lambda g, z, x, axis: np.flip(g, axis), parameters={"axis": None},
       code=with_parameters("np.flip"), math=with_parameters("flip"), gives="the same")
linear(np.ravel, lambda x: (math.prod(x),),
       lambda g, z, x: np.reshape(g, np.shape(x)),
       code="np.ravel({0})", math=reshaped, binds=1, slots=(2,), gives="the same")
linear(np.expand_dims, as_numpy(np.expand_dims),
       lambda g, z, x, axis: np.reshape(g, np.shape(x)), parameters={"axis": None},
       code=with_parameters("np.expand_dims"), math=reshaped, binds=1, slots=(2,), gives="the same")
linear(np.squeeze, as_numpy(np.squeeze),
       lambda g, z, x, axis: np.reshape(g, np.shape(x)), parameters={"axis": None},
       code=with_parameters("np.squeeze"), math=reshaped, binds=1, slots=(2,), gives="the same")
linear(np.moveaxis, as_numpy(np.moveaxis),
       lambda g, z, x, source, destination: np.moveaxis(g, destination, source),
       parameters={"source": None, "destination": None},
       code="np.moveaxis({0}, {source}, {destination})", math="{0}ᵀ", slots=(5,), gives="the same")
linear(np.trace, traced_shape,
       lambda g, z, x: g * np.eye(*np.shape(x), dtype=np.result_type(x)),
       code="np.trace({0})", math="trace({0})")
linear(np.diag, diagonal_shape,
       lambda g, z, x: np.diag(g) if np.ndim(x) == 1 else on_diagonal(g, x),
       code="np.diag({0})", math="diag({0})", gives="the same")
linear(np.tile, tiled_shape,
       lambda g, z, x, reps: summed_copies(g, x, reps), parameters={"reps": None},
       code="np.tile({0}, {reps})", math="{0} tiled {reps}", binds=1, slots=(2,), gives="the same")
linear(np.repeat, repeated_shape,
       lambda g, z, x, repeats, axis: summed_repeats(g, x, repeats, axis),
       parameters={"repeats": None, "axis": None},
       code="np.repeat({0}, {repeats}, axis={axis})", math="{0} repeated {repeats} times",
       binds=1, slots=(2,), gives="the same")
custom(np.linalg.norm, reduced_shape,
       lambda g, z, x, axis, keepdims:
           spread(g * inverse_or_zero(z), x, axis, keepdims) * x,
       parameters={"axis": None, "keepdims": False},
       code=with_parameters("np.linalg.norm"), math="‖{0}‖")
linear(np.transpose, transposed_shape,
       lambda g, z, x, axes: np.transpose(g, inverse(permutation(axes, np.ndim(x)))),
       parameters={"axes": None}, slots=(5,), code=transposed, math="{0}ᵀ", gives="the same")
linear(np.swapaxes, as_numpy(np.swapaxes),
       lambda g, z, x, axis1, axis2: np.swapaxes(g, axis1, axis2),
       parameters={"axis1": None, "axis2": None}, slots=(5,),
       code="np.swapaxes({0}, {axis1}, {axis2})", math="{0}ᵀ", gives="the same")
linear(np.broadcast_to, broadcast_to_shape, lambda g, z, x, shape: g,
       parameters={"shape": None}, binds=1, slots=(2,),
       code="np.broadcast_to({0}, {shape})", math=repeated, gives="the same")
# fmt: on


def index(x, key):
    return x[key]


def reshape_to(x, shape):  # NumPy 2.0 calls the second argument newshape, later ones shape
    return np.reshape(x, shape)


RULES[np.reshape] = linear(
    reshape_to, reshaped_shape, lambda g, z, x, shape: np.reshape(g, np.shape(x)), name="reshape",
    parameters={"shape": None}, math=reshaped, binds=1, slots=(2,),
    code="np.reshape({0}, {shape})", gives="the same")  # fmt: skip
RULES[operator.getitem] = linear(
    index, indexed_shape, lambda g, z, x, key: scatter(g, shape=np.shape(x), key=key),
    parameters={"key": None}, slots=(notation.ATOM,), code=indexed_in_code, math=indexed,
    gives="the same")  # fmt: skip
RULES[np.where] = Rule(
    "where", np.where, broadcast_shape, "linear",
    (None, lambda g, z, c, x, y: np.where(c, g, 0), lambda g, z, c, x, y: np.where(c, 0, g)),
    "np.where({0}, {1}, {2})", "({1} if {0}, else {2})", arity=3)  # fmt: skip


# ------------------------------------------------------------------------- any number of arrays


@lru_cache
def joining(name: str, count: int) -> Rule:
    """The rule that stacks or concatenates ``count`` arrays: each gets its own slice of g back."""
    join, shape, cut = {
        "stack": (np.stack, stacked_shape, taken_layer),
        "concatenate": (np.concatenate, concatenated_shape, taken_slice),
    }[name]

    def listed(opening):
        return lambda node, *texts: f"{opening}([{', '.join(texts)}]{axis_text(node)})"

    return Rule(
        name,
        lambda *arrays, axis: join(arrays, axis=axis),
        shape,
        "linear",
        tuple(partial(cut, place) for place in range(count)),
        listed(f"np.{name}"),
        listed(name),
        slots=(1,) * count,
        parameters={"axis": 0},
        arity=count,
        gives="the same",
    )


def axis_text(node):
    return f", axis={node.parameters['axis']}" if node.parameters["axis"] else ""


def taken_layer(place, g, z, *arrays, axis):
    return g[(slice(None),) * (axis % np.ndim(g)) + (place,)]


def taken_slice(place, g, z, *arrays, axis):
    axis = axis % np.ndim(g)
    start = sum(np.shape(a)[axis] for a in arrays[:place])
    return g[(slice(None),) * axis + (slice(start, start + np.shape(arrays[place])[axis]),)]


def _join(name, arrays, axis=0):
    arrays = tuple(arrays)
    return apply(joining(name, len(arrays)), *arrays, axis=axis)


def _split(x, indices_or_sections, axis=0):
    """np.split: a list of slices, each a node of its own."""
    (axis,) = axes_of(axis, np.ndim(x))
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


def _clip(x, low=None, high=None):
    """np.clip with a node: a bound that is None is left out."""
    if low is None or high is None:
        if low is high:
            raise TypeError("np.clip of a node needs a lower or an upper bound")
        return np.minimum(x, high) if low is None else np.maximum(x, low)
    return CLIP(x, low, high)


CLIP = Rule(
    "clip", np.clip, broadcast_shape, "elementwise",
    (lambda z, x, low, high: (x >= low) * (x <= high), lambda z, x, low, high: x < low,
     lambda z, x, low, high: x > high),
    "np.clip({0}, {1}, {2})", "clip({0}, {1}, {2})", arity=3)  # fmt: skip
RULES[np.clip] = _clip
RULES[np.dot] = _dot
RULES[np.stack] = partial(_join, "stack")
RULES[np.concatenate] = partial(_join, "concatenate")


# ---------------------------------------------------- three primitives of the engine's own


def _scattered(g, shape, key):
    out = np.zeros(shape, np.asarray(g).dtype)
    np.add.at(out, key, g)
    return out


def _summed_to(g, shape):
    new = g.ndim - len(shape)
    if new:
        g = g.sum(axis=0 if new == 1 else tuple(range(new)))
    if g.shape == shape:
        return g
    ones = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
    return g.sum(axis=ones, keepdims=True)


def _converted(x, dtype):
    return x.astype(dtype)


scatter = operation(linear(
    _scattered, lambda g, shape, key: shape, lambda g, z, x, shape, key: g[key], name="scatter",
    parameters={"shape": None, "key": None}, code=scattered_in_code,
    math=lambda node, g: f"{g} put back at {indexed(node, '')}, 0 elsewhere", binds=1))  # fmt: skip
sum_to = operation(linear(
    _summed_to, lambda g, shape: shape, lambda g, z, x, shape: np.broadcast_to(g, np.shape(x)),
    name="sum_to", parameters={"shape": None}, code=summed_to_in_code,
    math=lambda node, g: f"{g} summed to {notation.extent(node.shape)}", binds=1))  # fmt: skip
converted = operation(linear(  # a gradient has the precision of its variable
    _converted, lambda x, dtype: x, lambda g, z, x, dtype: g, name="converted", parameters={"dtype": None},
    code="np.asarray({0}, np.{dtype})", math="{0}"))  # fmt: skip


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
        return result if result.shape == shape else _summed_to(result, shape)
    result = result if result.shape == shape else sum_to(result, shape=shape)
    dtype = operands[place].dtype
    return result if result.dtype == dtype else converted(result, dtype=dtype)
