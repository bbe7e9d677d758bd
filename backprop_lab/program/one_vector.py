"""All variables of a cost in one vector θ, of which every matrix is a view.

So the penalty on all weights, what it adds to the gradient, and the update of a step take five calls in all,
however many variables there are.

What must hold: values stay the same up to rounding, and no sum is taken in another order; variables that
share a penalty lie side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import chain, count
from operator import add

import numpy as np

from backprop_lab.graph.leaves import leaf_of
from backprop_lab.graph.node import Node
from backprop_lab.graph.order import topological_order
from backprop_lab.program.simplify import (
    ADD,
    BROADCAST,
    CONCATENATE,
    MULTIPLY,
    RAVEL,
    Suggestion,
    folded,
    has_name,
    number_in,
    rewritten,
    shared,
)
from backprop_lab.rules.primitives import converted


def in_one_vector(
    J: Node, gradients: Sequence[Node], variables: Sequence[Node]
) -> tuple[Node, Node, Node, dict[Node, slice]]:
    """All variables as parts of one vector θ: ``(J, ∂J/∂θ, θ, {variable: its slice of θ})``.

    Variables that share a penalty lie side by side, so that the penalty is one product θ · θ, and what it
    adds to the gradient one product and one sum.
    """
    groups: dict = {}
    for leaf, gradient in zip(variables, gradients):
        found = decay_of(gradient, leaf) if leaf.ndim else None
        key, rest, numbers = found or (None, gradient, [])
        if rest.shape != leaf.shape:  # a term that is still to be broadcast
            rest = BROADCAST(rest, leaf.shape)
        groups.setdefault(key, (numbers, {}))[1][leaf] = rest
    alone = len(variables) == 1 and variables[0].ndim == 1 and variables[0].dtype == J.dtype  # it is θ itself
    name = variables[0].name if alone else _free_name(J)
    theta = leaf_of(name, (sum(v.size for v in variables),), J.dtype, needs_gradient=True)
    slices, views, pieces, penalised, start = {}, {}, [], [], 0
    for key in sorted(groups, key=lambda key: key is None):
        (numbers, members), first = groups[key], start
        for leaf in members:
            slices[leaf] = slice(start, start + leaf.size)
            views[leaf] = _view(theta, slices[leaf], leaf)
            start += leaf.size
        parts = [RAVEL(rest) for rest in members.values()]
        if key is not None:
            span = theta[first:start].named(Suggestion("penalised"))
            together = CONCATENATE(parts).named(Suggestion("without_penalty"))
            parts = [together + reduce(lambda product, number: number * product, numbers, span)]
            penalised.append((set(members), span))
        pieces += parts
    total = CONCATENATE(pieces) if len(pieces) > 1 else pieces[0]
    J, total = penalties_together([J, total], penalised)
    J, total = shared(folded(rewritten([J, total], lambda node, uses: None, views)))
    return J, total, theta, slices


def _free_name(J):
    taken = {node.name for node in topological_order(J)}
    names = chain(("theta", "parameters"), (f"theta_{i}" for i in count(2)))
    return next(name for name in names if name not in taken)


def _view(theta, place, variable):
    if variable.shape == ():
        part = theta[place.start]
    else:
        part = theta[place] if place.stop - place.start < theta.size else theta
        part = part if variable.ndim == 1 else part.reshape(variable.shape)
    if variable.dtype != theta.dtype:  # θ has that of the cost, which may be wider
        part = converted(part, dtype=variable.dtype)
    return part if part is theta else part.named(variable.name)


def decay_of(gradient: Node, variable: Node):
    """If ``gradient`` ends in a multiple of ``variable`` by single numbers: (a key, the rest, these numbers).

    That is what a penalty on a variable adds to its gradient. The same numbers have the same key. A sum of
    two may begin with it as well; in a longer one, all others would be added in another order.
    """
    terms = terms_of(gradient)
    for i in (0, 1) if len(terms) == 2 else [len(terms) - 1]:
        numbers = _multiples_of(variable, terms[i])
        rest = terms[:i] + terms[i + 1 :]
        if numbers and rest:
            key = tuple(id(n) if number_in(n) is None else number_in(n) for n in numbers)
            return key, reduce(add, rest), numbers
    return None


def _multiples_of(variable: Node, term: Node) -> list[Node | float] | None:
    """The single numbers by which a variable was multiplied, one after the other; None for another term."""
    numbers: list[Node | float] = []
    while term is not variable:
        if term.rule is not MULTIPLY:
            return None
        number, term = sorted(term.arguments, key=np.ndim)
        if np.ndim(number) or not isinstance(term, Node):
            return None
        numbers.insert(0, number)
    return numbers


def penalties_together(roots: Sequence[Node], penalised) -> list[Node]:
    """A sum of x · x over neighbours in θ becomes one product of their part of θ with itself."""

    def rewrite(node, uses):
        if node.rule is ADD:
            for members, span in penalised:
                if _are_squared(members, node):
                    return span @ span
        return None

    return rewritten(roots, rewrite)


def _are_squared(members: set[Node], node: Node) -> bool:
    """Whether a node is the sum of x · x over these variables, each once.

    A long sum is left at its last term, so that to ask it at each of its parts takes no time.
    """
    missing, waiting = set(members), [node]
    while waiting:
        part = waiting.pop()
        if part.rule is ADD and len(part.inputs) == 2 and (part is node or not has_name(part)):
            waiting += part.arguments
        elif (squared := _squared(part)) in missing:
            missing.remove(squared)
        else:
            return False
    return not missing


def _squared(node):
    """The variable x of a term x · x; None for any other."""
    if node.rule is None or node.rule.function is not np.vdot or len(node.inputs) < 2:
        return None
    first, second = node.inputs
    return first if first is second and first.leaf_kind == "variable" else None


def terms_of(node: Node) -> list[Node]:
    """A sum taken apart: what is added, one after the other."""
    later, first = [], node
    while first.rule is ADD and len(first.inputs) == 2 and (first is node or not has_name(first)):
        first, term = first.arguments
        later.append(term)
    return [first, *reversed(later)]
