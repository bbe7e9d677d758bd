"""Two thousand random graphs, their gradients compared with those that HIPS autograd and PyTorch find."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest
from oracles import agree_with_others, hips_gradients, torch, torch_gradients
from samples import OPERATIONS, random_programs

CHUNKS, SIZE = 20, 110
AT_LEAST = 20


@cache
def chunk(number):
    return list(random_programs(SIZE, seed=number))


@pytest.mark.parametrize(
    "number", [0, 1, *(pytest.param(i, marks=pytest.mark.slow) for i in range(2, CHUNKS))]
)
@pytest.mark.filterwarnings("ignore:Output seems independent of input")
def test_random_graphs_have_the_gradients_that_hips_autograd_finds(number):
    for program in chunk(number):
        agree_with_others(program, *program.arrays, others=(hips_gradients,))


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("number", range(4))
def test_random_graphs_have_the_gradients_that_pytorch_finds(number):
    for program in chunk(CHUNKS + number):
        agree_with_others(program, *program.arrays, others=(torch_gradients,))


@pytest.mark.slow
def test_the_random_graphs_hold_every_operation_often_with_forks_and_broadcasting():
    names, seen, forks, broadcasts, count = list(OPERATIONS), Counter(), 0, 0, 0
    for number in range(CHUNKS):
        for program in chunk(number):
            count += 1
            seen.update(names[operation] for operation, _ in program.calls)
            reads = Counter(place for _, operands in program.calls for place in operands)
            forks += any(n > 1 for n in reads.values())
            broadcasts += any(len({n.shape for n in node.inputs}) > 1 for node in nodes_of(program))
    histogram = "\n".join(f"{n:5d}  {name}" for name, n in seen.most_common())
    print(f"{count} graphs, {forks} with forks, {broadcasts} with broadcasting\n{histogram}")
    assert count >= 2000 and forks >= 500 and broadcasts >= 400
    assert {name: seen[name] for name in names if seen[name] < AT_LEAST} == {}


def nodes_of(program):
    """The computed nodes of a program that work entry by entry."""
    from backprop_lab.graph.order import topological_order

    return [
        n for n in topological_order(program.graph()) if n.rule is not None and n.rule.kind == "elementwise"
    ]


def test_the_same_seed_gives_the_same_graphs():
    first, second = (list(map(repr, programs)) for programs in (chunk(0), random_programs(SIZE, seed=0)))
    assert first == second != list(map(repr, chunk(1)))
    assert len({tuple(np.ravel(p.arrays[0])) for p in chunk(0)}) > SIZE // 2
