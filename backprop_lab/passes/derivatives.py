"""Derivatives of derivatives, Jacobians and Hessians.

:func:`gradient` builds the backward pass as a graph of its own, by feeding the rules nodes instead of arrays.
So it can be differentiated again, drawn and stepped through like any other graph. All else here is built on
it or on the passes.

What must hold: the graph's state stays as it is; nothing recurses over the graph.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from backprop_lab.graph.leaves import constant, variable
from backprop_lab.graph.node import RULES, Node
from backprop_lab.graph.operation import apply
from backprop_lab.graph.order import places, plan_of
from backprop_lab.passes.passes import checked_node, checked_seed, pull_back
from backprop_lab.rules.networks import l2
from backprop_lab.rules.vector_jacobian import vector_jacobian
from backprop_lab.words import notation
from backprop_lab.words.errors import NotAnArrayError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from backprop_lab.graph.node import Operand


@overload
def gradient(J: Node, wrt: Node, seed: Operand = 1) -> Node: ...
@overload
def gradient(J: Node, wrt: Sequence[Node], seed: Operand = 1) -> list[Node]: ...
def gradient(J: Node, wrt: Node | Sequence[Node], seed: Operand = 1) -> Node | list[Node]:
    """∂J/∂node for each node of ``wrt``, as nodes of a new graph; one node in, one node out.

    ``J`` is a single number, or ``seed`` is an array or a node of J's shape. ``wrt`` are variables, or nodes
    computed from them. What J does not depend on gets zeros. Each result has the shape of its node, and can
    be used in further expressions and differentiated again.

    Raises TypeError for a constant (nobody asked for its gradient when it was made).

    >>> import numpy as np, backprop_lab as bl
    >>> x = bl.variable("x", 0.7)
    >>> first = bl.gradient(np.tanh(x**2), x)
    >>> second = bl.gradient(first, x)
    >>> round(float(bl.forward(first)), 4), round(float(bl.forward(second)), 4)
    (1.1112, 0.1742)
    """
    checked_node(J, "gradient")
    if isinstance(wrt, Node):
        return gradient(J, [wrt], seed)[0]
    asked = list(wrt) if isinstance(wrt, Iterable) else [wrt]  # what is no node either is refused below
    for node in asked:
        checked_asked(node)
    sums = adjoints(J, seed, asked)
    return [sums[node] for node in asked]


def adjoints(J: Node, seed: Operand = 1, asked: Iterable[Node] = ()) -> dict[Node, Node]:
    """{node: ∂J/∂node, as a node of the gradient's graph} for every node that a gradient reaches.

    The others of ``asked`` get zeros. Where z has a kink and z² has none (a norm, |x|), the gradient of z²
    goes past z, so that second derivatives are right at z = 0 as well.
    """
    order, plan = plan_of(J)
    sums: dict[Node, Node] = {J: seed if isinstance(seed, Node) else constant(None, checked_seed(seed, J))}
    if sums[J].shape != J.shape:
        raise ShapeError(f"gradient: the seed has shape {sums[J].shape}, {notation.mention(J)} has {J.shape}")

    def send(node, place, upstream):
        receiver = node.arguments[place]
        flow = vector_jacobian(node, place, upstream, node, node.arguments)
        if not isinstance(flow, Node):  # a reader's derivative that does not depend on its arguments
            flow = constant(None, flow)
        sums[receiver] = sums[receiver] + flow if receiver in sums else flow

    asked = set(asked)
    with np.errstate(all="ignore"):  # a number such as 1 / 0 gives an infinity, which the passes report
        for i, _, place, k, _, _ in plan.arrows:
            node, base = order[i], order[k]
            if node not in sums:
                continue  # it stands in squares alone, whose gradient went past it
            share = None if base in asked else share_of_square(node, place, sums[node])
            if share is None:
                send(node, place, sums[node])
            else:
                square = apply(base.rule.squared, *base.arguments, **base.parameters)
                for origin in places(square):
                    if square.arguments[origin].needs_gradient:
                        send(square, origin, share)
    zeros = {n: constant(None, np.zeros(n.shape, n.dtype)) for n in asked if n not in sums}
    return sums | zeros


def share_of_square(node: Node, place: int, upstream: Node) -> Node | None:
    """What z², z · z, z⁴ or l2(z) sends to z² along one arrow, if z has a kink and z² has none; else None."""
    z, function = node.arguments[place], node.rule.function
    if z.rule is None or z.rule.squared is None:
        return None
    other = node.arguments[1 - place] if len(node.arguments) == 2 else None
    if function is np.square:
        return upstream
    if function is np.multiply and _same(z, other):
        return upstream / 2  # it has two arrows, one for each factor
    if function is np.power and isinstance(other, (int, float)) and other > 0 and other % 2 == 0:
        return upstream if other == 2 else upstream * (other / 2 * z ** (other - 2))
    return RULES[np.broadcast_to](upstream, z.shape) if function is l2 else None


def _same(x: Node, y: Operand | None) -> bool:
    """Whether two nodes are the same operation on the same arguments."""
    if not isinstance(y, Node) or x.rule is not y.rule:
        return x is y
    return x.parameters == y.parameters and all(map(operator.is_, x.arguments, y.arguments))


def checked_asked(node: object) -> None:
    """Refuse, in words, what no gradient flows to."""
    if not isinstance(node, Node):
        raise NotAnArrayError(f"expected a node to differentiate by, was given {type(node).__name__}")
    if not node.needs_gradient:
        name = notation.mention(node, code=True)
        raise NotAnArrayError(
            f"{name} is a constant, or depends on constants only: no gradient flows to it; "
            f'make it a variable to ask: bl.variable("{node.name or "x"}", …)'
        )


# ------------------------------------------------------------------------------------------- Jacobians


def vjp(y: Node, x: Node, v: npt.ArrayLike) -> np.ndarray:
    """The vector-Jacobian product (∂y/∂x)ᵀ v: an array of x's shape, without building the Jacobian.

    ``v`` has y's shape. One backward pass.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", [1.0, 2.0])
    >>> bl.vjp(x * x, x, [1.0, 10.0])
    array([ 2., 40.])
    """
    checked_asked(x)
    return pull_back(y, x, v)


def jvp(y: Node, x: Node, v: npt.ArrayLike) -> np.ndarray:
    """The Jacobian-vector product (∂y/∂x) v: an array of y's shape, without building the Jacobian.

    ``v`` has x's shape. It is the transpose of a transpose: u ↦ (∂y/∂x)ᵀ u is linear in u, and its own
    vector-Jacobian product is (∂y/∂x) v.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", [1.0, 2.0])
    >>> bl.jvp(x * x, x, [1.0, 10.0])
    array([ 2., 40.])
    """
    checked_node(y, "jvp")
    checked_asked(x)
    if np.shape(v) != x.shape:
        name = notation.mention(x, code=True)
        raise ShapeError(f"jvp: v is a change of {name}, of shape {x.shape}; was given shape {np.shape(v)}")
    u = variable("u", np.zeros(y.shape, y.dtype))
    return pull_back(gradient(y, x, seed=u), u, v)


def jacobian(y: Node, x: Node) -> np.ndarray:
    """∂y/∂x, an array of shape ``y.shape + x.shape``: outputs first, as rows; one backward pass for each.

    >>> import numpy as np, backprop_lab as bl
    >>> W, x = bl.constant("W", [[1.0, 2.0, -1.0], [-1.0, 1.0, 3.0]]), bl.variable("x", np.ones(3))
    >>> bl.jacobian(W @ x, x)
    array([[ 1.,  2., -1.],
           [-1.,  1.,  3.]])
    """
    checked_node(y, "jacobian")
    checked_asked(x)
    basis = np.eye(y.size, dtype=y.dtype).reshape((y.size, *y.shape))
    rows = [pull_back(y, x, v) for v in basis]
    return np.array(rows, x.dtype).reshape(y.shape + x.shape)


def hessian(J: Node, x: Node) -> np.ndarray:
    """∂²J/∂x², the Jacobian of the gradient: an array of shape ``x.shape + x.shape``.

    >>> import numpy as np, backprop_lab as bl
    >>> x = bl.variable("x", [1.0, 2.0])
    >>> bl.hessian(np.sum(x**3), x)
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return jacobian(gradient(J, x), x)
