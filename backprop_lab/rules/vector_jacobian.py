"""What flows back through one arrow of the graph, for every rule alike.

What must hold: the result has the shape of the argument, and its precision where it is a node.
"""

from __future__ import annotations

from collections.abc import Sequence

from backprop_lab.graph.node import Node
from backprop_lab.rules.primitives import converted, sum_to, summed_to


def vector_jacobian(node: Node, place: int, upstream, value, operands: Sequence):
    """What flows into argument ``place`` of ``node``: (local Jacobian)ᵀ · upstream, in its shape.

    ``upstream`` is ∂J/∂node, ``value`` and ``operands`` are the node's value and its arguments: all
    arrays, or all nodes (then the result is a node of the gradient's graph). Broadcasting on the way forward
    is a sum on the way back; that sum is taken here, once for all rules.
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
