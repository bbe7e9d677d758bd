"""All variables of a cost in one vector θ, of which every matrix is a view.

So the penalty on all weights, what it adds to the gradient, and the update of a step take five calls in all,
however many variables there are.

What must hold: values stay the same up to rounding; variables that share a penalty lie side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from itertools import chain, count
from operator import add, mul

import numpy as np

from backprop_lab.graph.node import Node, constant, variable
from backprop_lab.graph.order import topological_order
from backprop_lab.program.simplify import (
    ADD,
    BROADCAST,
    CONCATENATE,
    PRODUCTS,
    RAVEL,
    Suggestion,
    can_stand,
    factors_of,
    folded,
    has_name,
    rewritten,
    shared,
    uses_in,
)


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
        key, rest, factor = found or (None, gradient, None)
        if rest.shape != leaf.shape:  # a term that is still to be broadcast
            rest = BROADCAST(rest, leaf.shape)
        groups.setdefault(key, (factor, {}))[1][leaf] = rest
    alone = len(variables) == 1 and variables[0].ndim == 1  # it is θ itself
    name = variables[0].name if alone else _free_name(J)
    theta = leaf_of(name, (sum(v.size for v in variables),), J.dtype)
    slices, views, pieces, penalised, start = {}, {}, [], [], 0
    for key in sorted(groups, key=lambda key: key is None):
        (factor, members), first = groups[key], start
        for leaf in members:
            slices[leaf] = slice(start, start + leaf.size)
            views[leaf] = _view(theta, slices[leaf], leaf)
            start += leaf.size
        parts = [RAVEL(rest) for rest in members.values()]
        if key is not None:
            span = theta[first:start].named(Suggestion("penalised"))
            together = CONCATENATE(parts).named(Suggestion("without_penalty"))
            parts = [together + factor * span]
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
        return theta[place.start].named(variable.name)
    part = theta[place] if place.stop - place.start < theta.size else theta
    part = part if variable.ndim == 1 else part.reshape(variable.shape)
    return part if part is theta else part.named(variable.name)


def decay_of(gradient: Node, variable: Node):
    """If ``gradient`` is rest + factor · variable with a single number as factor: (key, rest, factor).

    That is what a penalty on a variable adds to its gradient. Equal factors have equal keys.
    """
    terms = terms_of(gradient)
    for i, term in enumerate(terms):
        if _without_numbers(term) is not variable:
            continue
        number, factors, divisors = factors_of(term, Counter())
        scalars = [f for f in factors if f is not variable]
        alone = len(factors) == len(scalars) + 1 and not divisors and can_stand(number, variable.dtype)
        rest = terms[:i] + terms[i + 1 :]
        if alone and rest and all(s.shape == () for s in scalars):
            return (number, *sorted(map(id, scalars))), reduce(add, rest), reduce(mul, [number, *scalars])
    return None


def _without_numbers(term: Node) -> Node:
    """The array in a product of single numbers and one array."""
    arrays = [term]
    while len(arrays) == 1 and arrays[0].rule in PRODUCTS:
        (term,) = arrays
        arrays = [a for a in term.inputs if a.shape != ()]
    return arrays[0] if len(arrays) == 1 else term


def penalties_together(roots: Sequence[Node], penalised) -> list[Node]:
    """A sum of x · x over neighbours in θ becomes one product of their part of θ with itself.

    Only whole sums are taken apart, not the sums inside them: a long one has too many of those.
    """
    sums = [node for node in topological_order(*roots) if node.rule is ADD] if penalised else []
    within = Counter([a for node in sums for a in node.inputs if a.rule is ADD and not has_name(a)])
    uses_before = uses_in(roots)
    inner = {a for a, count in within.items() if count == uses_before[a]}

    def rewrite(node, uses):
        if node.rule is not ADD or not penalised:
            return None
        whole = terms = terms_of(node)
        for members, span in penalised:
            squares: dict[float, list] = {}
            for term in terms:
                number, factors, divisors = factors_of(term, Counter())
                tame = not divisors and can_stand(number, node.dtype)
                if tame and len(factors) == 1 and _squared(factors[0]) is not None:
                    squares.setdefault(number, []).append((_squared(factors[0]), term))
            for number, found in squares.items():
                once = dict(found)
                if 1 < len(members) == len(found) and set(once) == members:
                    kept = [t for t in terms if all(t is not other for other in once.values())]
                    penalty = span @ span
                    terms = [*kept, penalty if number == 1 else number * penalty]
        return None if terms is whole else reduce(add, terms)

    return rewritten(roots, rewrite, spared=inner)


def _squared(node):
    """The variable x of a term x · x; None for any other."""
    if node.rule is None or node.rule.function is not np.vdot or len(node.inputs) < 2:
        return None
    first, second = node.inputs
    return first if first is second and first.leaf_kind == "variable" else None


def terms_of(node: Node) -> list[Node]:
    """A sum taken apart: what is added."""
    terms, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        if part.rule is ADD and len(part.inputs) == 2 and (part is node or not has_name(part)):
            waiting += reversed(part.arguments)
        else:
            terms.append(part)
    return terms


def leaf_of(name, shape, dtype, moves=True) -> Node:
    """A leaf without a value: only its name, shape and dtype matter to a program."""
    leaf = (variable if moves else constant)(name, shape=shape)
    leaf.dtype = np.dtype(dtype)
    return leaf
