"""The simplifications of the fast program: each turns a graph into an equal one that takes less time.

Each is a function from the nodes that are wanted (a cost and gradients) to nodes with the same values,
built with NumPy's own functions on nodes, like any other expression. ``program.py`` applies them in the
order of :data:`SIMPLIFICATIONS`.

What must hold: values stay the same up to rounding, shapes and dtypes exactly; the reader's names stay;
the given graph stays as it is, except that nodes without a name may get one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np

from backprop_lab.graph.leaves import constant
from backprop_lab.graph.node import RULES, Node
from backprop_lab.graph.operation import again, apply
from backprop_lab.graph.order import topological_order
from backprop_lab.passes.records import operands_of
from backprop_lab.program.inputs import checked_value
from backprop_lab.rules.networks import rows_of
from backprop_lab.rules.primitives import converted, scatter

ADD, SUBTRACT, MULTIPLY = RULES[np.add], RULES[np.subtract], RULES[np.multiply]
DIVIDE, NEGATIVE, POWER, SQUARE = RULES[np.divide], RULES[np.negative], RULES[np.power], RULES[np.square]
BROADCAST, RESHAPE, RAVEL = RULES[np.broadcast_to], RULES[np.reshape], RULES[np.ravel]
SUM, MAXIMUM, GREATER = RULES[np.sum], RULES[np.maximum], RULES[np.greater]
CONCATENATE = RULES[np.concatenate]
PRODUCTS = (MULTIPLY, DIVIDE, NEGATIVE)
FOR_ARRAYS_ONLY = {converted, scatter, rows_of}  # of the package's own functions


class Suggestion(str):
    """A name that the compiler gives: kept where it fits, given up where nodes merge."""

    __slots__ = ()


# ---------------------------------------------------------------------------------------- rewriting


def rewritten(
    roots: Sequence[Node],
    rewrite: Callable[[Node, Counter[Node]], Node | None],
    given: Mapping[Node, Node] | None = None,
) -> list[Node]:
    """The roots of a graph in which every computed node is replaced by ``rewrite(node, uses)``, or kept.

    Inputs are replaced first, so that ``rewrite`` sees a node whose arguments are new already; ``given``
    are replacements made beforehand. ``uses[node]`` counts the arrows that leave a node. The new node takes
    the name of the old one.
    """
    order = topological_order(*roots)
    old_uses = uses_in(roots, order)
    new: dict[Node, Node] = dict(given or {})
    uses: Counter[Node] = Counter()
    for node in order:
        if node not in new:
            made = node
            if node.rule is not None:
                if any([new[a] is not a for a in node.inputs]):
                    made = with_arguments(node, tuple([new.get(a, a) for a in node.arguments]))
                better = rewrite(made, uses)
                made = made if better is None else better
            new[node] = made
        made = new[node]
        if made is not node:
            _pass_name(node, made)
        uses[made] += old_uses[node]
    return [new[root] for root in roots]


def uses_in(roots: Sequence[Node], order: Sequence[Node] | None = None) -> Counter[Node]:
    """How many arrows leave each node; being a root counts as one more."""
    uses = Counter(roots)
    for node in topological_order(*roots) if order is None else order:
        for a in node.inputs:
            uses[a] += 1
    return uses


def with_arguments(node: Node, arguments: tuple) -> Node:
    """The node's operation on other arguments; the node itself if they are the ones it has."""
    pairs = list(zip(arguments, node.arguments))
    if all([a is b for a, b in pairs]):
        return node
    if all([a is b or _alike(a, b) for a, b in pairs]):
        return again(node, arguments)
    return apply(node.rule, *arguments, **node.parameters)


def _alike(a, b) -> bool:
    return isinstance(a, Node) and isinstance(b, Node) and a.shape == b.shape and a.dtype == b.dtype


def _pass_name(old, new):
    better = old.name is not None and (new.name is None or isinstance(new.name, Suggestion))
    if new.rule is not None and better:
        new.named(old.name)


def number_in(operand: Node | float) -> float | None:
    """The number in a literal or in an unnamed constant of a single number; else None."""
    if not isinstance(operand, Node):
        return float(operand)
    if operand.leaf_kind == "constant" and operand.name is None and operand.shape == ():
        return float(checked_value(operand, operand.value))
    return None


def _is_free(node, uses) -> bool:
    """Whether a node can be merged into the one that reads it: no other reads it, and it has no name."""
    return not has_name(node) and uses[node] <= 1


def has_name(node: Node) -> bool:
    """Whether the reader gave the node a name."""
    return node.name is not None and not isinstance(node.name, Suggestion)


# ------------------------------------------------------------------------------- the simplifications


def opened(roots: Sequence[Node]) -> list[Node]:
    """Functions that NumPy has no name for, written out with NumPy's own: σ(x), softmax, costs, penalties.

    A reader's own operation whose computation cannot read nodes (it loops over entries, or looks at a number)
    stays.
    """

    def rewrite(node, uses):
        if node.rule.home not in ("bl", None) or node.rule.function in FOR_ARRAYS_ONLY:
            return None
        try:
            made = node.rule.compute(*node.arguments, **node.parameters)
        except Exception:
            if node.rule.home is not None:
                raise
            return None
        if not isinstance(made, Node) or made.shape != node.shape or made.rule is node.rule:
            return None
        return made if made.dtype == node.dtype else converted(made, dtype=node.dtype)

    new = rewritten(roots, rewrite)
    done = all(a is b for a, b in zip(new, roots))
    return new if done else opened(new)  # a function may be written with another one


def as_the_passes_read(roots: Sequence[Node]) -> list[Node]:
    """Integers, flags and a cost's targets are converted where NumPy would not calculate in the node's type.

    Where it converts them itself, as in ``(x > 0) * w``, the text is shorter without.
    """

    def rewrite(node, uses):
        if node.dtype.kind != "f" or "dtype" in node.parameters:  # it converts by itself
            return None
        deciding = [a for a, decides in zip(node.arguments, node.rule.decides_precision) if decides]
        of_a_cost = node.rule.gives == "a cost"
        others = {a for a in deciding if isinstance(a, Node) and a.dtype != node.dtype}
        others = {a for a in others if a.dtype.kind != "f" or of_a_cost}
        if not others or (node.rule.home not in ("bl", None) and _numpys_type(deciding) == node.dtype):
            return None
        made = {a: converted(a, dtype=node.dtype) for a in others}
        return with_arguments(node, tuple(made.get(a, a) for a in node.arguments))

    return rewritten(roots, rewrite)


def _numpys_type(operands) -> np.dtype:
    """The type in which a function of NumPy's calculates with these operands."""
    dtypes = [a.dtype for a in operands if isinstance(a, (Node, np.generic))]
    return np.result_type(*dtypes, *(0.0 for a in operands if type(a) is float))


def folded(roots: Sequence[Node]) -> list[Node]:
    """What depends on no leaf with a name is computed now; x · 1, x + 0 and the like become x."""

    def rewrite(node, uses):
        depends = any(isinstance(a, Node) and (a.rule is not None or a.name) for a in node.arguments)
        if not depends and node.rule is not BROADCAST:
            operands = operands_of(node, [checked_value(a, a.value) for a in node.inputs])
            with np.errstate(all="ignore"):
                value = node.rule.compute(*operands, **node.parameters)
            return constant(None, np.asarray(value, node.dtype))
        neutral = {ADD: 0, MULTIPLY: 1, SUBTRACT: 0, DIVIDE: 1, POWER: 1}.get(node.rule)
        if neutral is not None:
            first, second = node.arguments
            if _stands_for(node, first) and number_in(second) == neutral:
                return first
            if node.rule in (ADD, MULTIPLY) and _stands_for(node, second) and number_in(first) == neutral:
                return second
        same_place = node.rule in (RESHAPE, RAVEL, BROADCAST) or (
            node.rule is SUM and node.parameters["axis"] == ()
        )
        return node.arguments[0] if same_place and _stands_for(node, node.arguments[0]) else None

    return rewritten(roots, rewrite)


def _stands_for(node, operand):
    return isinstance(operand, Node) and (operand.shape, operand.dtype) == (node.shape, node.dtype)


def shared(roots: Sequence[Node]) -> list[Node]:
    """Equal operations on equal arguments are done once."""
    made: dict[tuple, Node] = {}

    def identity(operand):
        if isinstance(operand, Node):
            if operand.leaf_kind == "constant" and operand.name is None and operand.size <= 16:
                return operand.shape, operand.dtype.str, checked_value(operand, operand.value).tobytes()
            return id(operand)
        return type(operand), operand

    def rewrite(node, uses):
        parameters = tuple((k, _comparable(v)) for k, v in node.parameters.items())
        return made.setdefault((node.rule, parameters, *map(identity, node.arguments)), node)

    return rewritten(roots, rewrite)


def _comparable(value):
    """A parameter of an operation as something that can be a key."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, slice):
        return slice, value.start, value.stop, value.step
    if isinstance(value, (tuple, list)):
        return type(value), *map(_comparable, value)
    return type(value), value if isinstance(value, Hashable) else id(value)


def unbroadcast(roots: Sequence[Node]) -> list[Node]:
    """An entry-by-entry operation repeats its small arguments itself: no need to write them out large."""

    def rewrite(node, uses):
        if node.rule.kind != "elementwise":
            return None
        made = with_arguments(node, tuple(map(_small, node.arguments)))
        return made if made.shape == node.shape else BROADCAST(made, node.shape)

    return rewritten(roots, rewrite)


def _small(operand):
    return operand.arguments[0] if isinstance(operand, Node) and operand.rule is BROADCAST else operand


def gates_from_outputs(roots: Sequence[Node]) -> list[Node]:
    """Whether a relu's gate is open can be read from its output as well: its input need not be kept."""

    def with_zero(rule):
        pairs = ((node, *node.arguments) for node in topological_order(*roots) if node.rule is rule)
        return {node: x for node, x, y in pairs if isinstance(x, Node) and number_in(y) == 0}

    outputs = {x: relu for relu, x in with_zero(MAXIMUM).items()}
    gates = {gate: outputs[x] > 0 for gate, x in with_zero(GREATER).items() if x in outputs}
    return rewritten(roots, lambda node, uses: None, gates)


def numbers_gathered(roots: Sequence[Node]) -> list[Node]:
    """Numbers that a node is multiplied with or divided by, one after the other, become one number.

    And x · (1 / y) becomes x / y; flags, such as relu's gate, are multiplied with last, if the number is at
    most 1. Nothing else changes its place: in another order, what lies between may overflow, or lose its
    digits, where the written order keeps them.
    """

    def rewrite(node, uses):
        if node.rule not in PRODUCTS:
            return None
        made = merged(node, uses)
        if (made.shape, made.dtype) != (node.shape, node.dtype):
            made = node
        if made.rule not in PRODUCTS:
            return made
        return with_arguments(made, tuple(_without_suggestion(a, uses) for a in made.arguments))

    def merged(node, uses):
        for x, y in (node.arguments, node.arguments[::-1]) if node.rule is MULTIPLY else ():
            if not isinstance(y, Node) or y.rule not in PRODUCTS or not _is_free(y, uses):
                continue
            if y.rule is DIVIDE and number_in(y.arguments[0]) == 1 != number_in(x):
                return x / y.arguments[1]
            number, flag = number_and_rest(y, uses)
            if isinstance(x, Node) and flag.dtype == bool and 0 < abs(number) <= 1:
                return multiple(number, x, node.dtype) * flag
        number, rest = number_and_rest(node, uses)
        return (
            node if rest is node or not can_stand(number, node.dtype) else multiple(number, rest, node.dtype)
        )

    def multiple(number, x, dtype):
        if number == 1 or (number == -1 and x.dtype == dtype):
            return x if number == 1 else -x
        short = int(number) if number.is_integer() and abs(number) < 1e6 else number
        return (short if x.dtype == dtype else dtype.type(short)) * x

    return rewritten(roots, rewrite)


def _without_suggestion(operand, uses):
    """A factor that is a product itself gives up the compiler's name: a product is written in one line."""
    inner = isinstance(operand, Node) and operand.rule in PRODUCTS and _is_free(operand, uses)
    return apply(operand.rule, *operand.arguments) if inner and operand.name is not None else operand


def moving(roots: Sequence[Node]) -> set[Node]:
    """The nodes that change while learning: the variables, and what is computed from them."""
    found: set[Node] = set()
    for node in topological_order(*roots):
        if node.leaf_kind == "variable" or not found.isdisjoint(node.inputs):
            found.add(node)
    return found


def number_and_rest(node: Node, uses: Counter[Node]) -> tuple[float, Node]:
    """A product taken apart: its number and what that multiplies."""
    number, rest = 1.0, node
    while rest is node or _is_free(rest, uses):
        if rest.rule is NEGATIVE:
            number, rest = -number, rest.arguments[0]
            continue
        if rest.rule not in (MULTIPLY, DIVIDE):
            break
        first, second = rest.arguments
        if rest.rule is MULTIPLY and not (isinstance(first, Node) and number_in(first) is None):
            first, second = second, first
        factor = number_in(second)
        if factor is None or not isinstance(first, Node):
            break
        if rest.rule is DIVIDE and factor == 0:  # the pass itself makes the infinity
            break
        number, rest = number * factor if rest.rule is MULTIPLY else number / factor, first
    return number, rest


def can_stand(number: float, dtype: np.dtype) -> bool:
    """Whether a gathered number neither overflowed nor became so tiny that it lost digits."""
    limits = np.finfo(dtype if dtype.kind == "f" else float)
    return bool(limits.tiny <= abs(number) <= limits.max)


def sums_of_products(roots: Sequence[Node]) -> list[Node]:
    """A sum of products of entries becomes a product of vectors: Σ x² = x · x."""

    def rewrite(node, uses):
        inner = node.arguments[0]
        if node.rule is not SUM or node.shape != () or not _is_free(inner, uses):
            return None
        if inner.rule is SQUARE or (inner.rule is POWER and number_in(inner.arguments[1]) == 2):
            pair = inner.arguments[:1] * 2
        elif inner.rule is MULTIPLY:
            pair = inner.arguments
        else:
            return None
        alike = {(np.shape(x), np.result_type(x)) for x in pair}
        return np.vdot(*pair) if alike == {(inner.shape, inner.dtype)} else None

    return rewritten(roots, rewrite)


SIMPLIFICATIONS = (
    opened,
    folded,
    shared,
    gates_from_outputs,
    unbroadcast,
    numbers_gathered,
    folded,
    sums_of_products,
    shared,
)
