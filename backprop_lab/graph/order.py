"""The orders in which a graph is walked: every node after its inputs, and the arrows of the backward pass.

The plan of both passes is made once for each cost, because graphs never change.

What must hold: the plan of a cost does not keep that cost alive; nothing recurses over the graph.
"""

from __future__ import annotations

from typing import NamedTuple

from backprop_lab.graph.node import Node
from backprop_lab.words import notation


def topological_order(*roots: Node) -> list[Node]:
    """All nodes that the roots depend on, every node after its inputs, each once.

    Depth first along the inputs in their order, without recursion. A cycle cannot be built through
    the public names; if one was forced, ValueError says so instead of looping for ever.

    >>> import backprop_lab as bl
    >>> x = bl.variable("x", 3.0)
    >>> u = x * x
    >>> v = u + 3
    >>> J = u * v
    >>> [node.name for node in topological_order(J)]
    ['x', 'u', 'v', 'J']
    """
    done: dict[Node, bool] = {}  # False while its inputs are being visited
    stack = list(reversed(roots))
    order = []
    while stack:
        node = stack[-1]
        if node not in done:
            done[node] = False
            for operand in reversed(node.inputs):
                if operand not in done:
                    stack.append(operand)
                elif not done[operand]:
                    raise ValueError(
                        f"a cycle: {notation.mention(node, code=True)} depends on itself through "
                        f"{notation.mention(operand, code=True)}; a graph to differentiate has none"
                    )
        else:
            stack.pop()
            if not done[node]:
                done[node] = True
                order.append(node)
    return order


class Plan(NamedTuple):
    """What the passes over J's graph do. Nodes are given by their positions; J's is the last.

    ``before``: all nodes that J depends on, every node after its inputs. ``inputs[i]``: the positions of
    node i's inputs. ``plain[i]``: whether its arguments are all nodes, read as they are. ``variables``: their
    positions. ``arrows``: (node, argument, place, receiver, arrived, of) in the order of the backward pass;
    each is the ``arrived``-th of ``of`` arrows that reach its receiver, where the seed counts as J's first.
    """

    before: tuple[Node, ...]
    inputs: list[tuple[int, ...]]
    plain: list[bool]
    variables: list[int]
    arrows: list[tuple[int, int, int, int, int, int]]


def plan_of(J: Node) -> tuple[list[Node], Plan]:
    """(all nodes of J's graph in topological order, the plan of its passes)."""
    if J._plan is None:
        order = topological_order(J)
        position = {node: i for i, node in enumerate(order)}
        inputs = [tuple(position[a] for a in node.inputs) for node in order]
        variables = [i for i, node in enumerate(order) if node.leaf_kind == "variable"]
        plain = list(map(_is_plain, order))
        J._plan = Plan(tuple(order[:-1]), inputs, plain, variables, _arrows(order, inputs))
    return [*J._plan.before, J], J._plan


def places(node: Node) -> list[int]:
    """For each input of a node, its place among all arguments, literal numbers counted."""
    return [place for place, argument in enumerate(node.arguments) if isinstance(argument, Node)]


def _is_plain(node: Node) -> bool:
    floats = node.dtype.kind != "f" or all(a.dtype.kind == "f" for a in node.inputs)
    return floats and len(node.inputs) == len(node.arguments)


def _arrows(order: list[Node], inputs: list[tuple[int, ...]]) -> list[tuple[int, int, int, int, int, int]]:
    """Every arrow that carries a gradient; a node passes on its gradient once its last arrow has arrived.

    So nodes are visited in a reverse topological order; of several that are ready, the one that the
    formula names first goes first, all the way down.
    """
    sending = [
        [(argument, place) for argument, place in enumerate(places(node)) if _carries(node, place)]
        for node in order
    ]
    last = len(order) - 1
    total = [0] * last + [1]
    for i in range(last, -1, -1):
        if total[i]:
            for argument, _ in sending[i]:
                total[inputs[i][argument]] += 1
    arrived = [0] * last + [1]
    arrows, ready = [], [last]
    while ready:
        i = ready.pop()
        finished = []
        for argument, place in sending[i]:
            receiver = inputs[i][argument]
            arrived[receiver] += 1
            arrows.append((i, argument, place, receiver, arrived[receiver], total[receiver]))
            if arrived[receiver] == total[receiver]:
                finished.append(receiver)
        ready.extend(reversed(finished))
    return arrows


def _carries(node: Node, place: int) -> bool:
    return node.arguments[place].needs_gradient and node.rule.derivatives[place] is not None
