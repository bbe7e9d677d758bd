"""The net holds: a derivative that is a little wrong makes a test of ``test_rules.py`` fail."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from rule_cases import CASES, nodes, numbers
from test_rules import (
    all_rules,
    test_a_gradient_is_the_one_of_finite_differences,
    test_a_rule_fed_nodes_builds_the_gradient_that_it_computes_when_fed_arrays,
)

import backprop_lab as bl


def _transposed(flow):
    return np.transpose(flow) if np.ndim(flow) > 1 else flow


MUTATIONS = {
    "a percent more": lambda flow: 1.01 * flow,
    "negated": lambda flow: -1.0 * flow,
    "transposed": _transposed,
    "one more": lambda flow: flow + 1,
}


@contextmanager
def mutated(rule, place, change):
    """The rule with one derivative changed, everywhere, for a while."""
    right = rule.derivatives
    wrong = right[place]
    changed = [*right]
    changed[place] = lambda *arguments, **parameters: change(wrong(*arguments, **parameters))
    object.__setattr__(rule, "derivatives", tuple(changed))
    try:
        yield
    finally:
        object.__setattr__(rule, "derivatives", right)


def places(case):
    """(the rule that a case exercises, the places of arguments that it sends a gradient to)."""
    function, *arrays = case
    node = function(*nodes(arrays))
    sends = [
        place
        for place, (argument, derivative) in enumerate(
            zip(node.arguments, node.rule.derivatives, strict=True)
        )
        if derivative is not None and getattr(argument, "needs_gradient", False)
    ]
    return node.rule, sends


def matters(case, place, name):
    """Whether a mutation changes anything here: 0 times 1.01 is 0, the transpose of a vector is itself."""
    function, *arrays = case
    z = function(*nodes(arrays))
    bl.forward(z)
    operands = [a.value if isinstance(a, bl.Node) else a for a in z.arguments]
    g = () if z.rule.kind == "elementwise" else (numbers(*z.shape),)
    flow = z.rule.derivatives[place](*g, z.value, *operands, **z.parameters)
    changed = MUTATIONS[name](flow)
    reached = np.size(flow) > 0 and (name != "transposed" or z.rule.kind != "elementwise")
    return reached and not (np.shape(flow) == np.shape(changed) and np.array_equal(flow, changed))


# (name of the case, argument, mutation) wherever the mutation changes a derivative
WRONG = [
    (case, place, name)
    for case in CASES
    for place in places(CASES[case])[1]
    for name in MUTATIONS
    if matters(CASES[case], place, name)
]


@pytest.mark.parametrize(("case", "place", "name"), WRONG)
def test_a_wrong_derivative_makes_the_comparison_with_finite_differences_fail(case, place, name):
    rule, _ = places(CASES[case])
    with mutated(rule, place, MUTATIONS[name]), pytest.raises((AssertionError, ValueError)):
        test_a_gradient_is_the_one_of_finite_differences(CASES[case])


def test_every_rule_that_sends_a_gradient_is_mutated():
    reached = {name: set() for name in MUTATIONS}
    for case, _, name in WRONG:
        reached[name].add(places(CASES[case])[0])
    sending = {rule for rule in all_rules() if any(d is not None for d in rule.derivatives)}
    sending = {rule for rule in sending if rule.name != "converted"}  # has a test of its own
    assert {rule.name for rule in sending - reached["a percent more"]} == {"sign", "floor_divide"}
    assert (
        sending <= reached["one more"] and sending - reached["negated"] == sending - reached["a percent more"]
    )
    assert {"matmul", "transpose", "reshape", "sum", "concatenate", "einsum", "diag", "softmax"} <= {
        rule.name for rule in reached["transposed"]
    }


def test_a_rule_that_is_wrong_only_when_fed_nodes_is_noticed():
    from backprop_lab.graph.node import Node

    case = CASES["matmul"]
    rule, sends = places(case)

    def only_nodes(flow):
        return 1.01 * flow if isinstance(flow, Node) else flow

    for place in sends:
        with mutated(rule, place, only_nodes), pytest.raises(AssertionError):
            test_a_rule_fed_nodes_builds_the_gradient_that_it_computes_when_fed_arrays(case)
