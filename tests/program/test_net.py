"""Random graphs over all operations: every way to run one gives the same (see ``tests/net.py``)."""

from __future__ import annotations

from functools import cache

import pytest
from net import Graph, disagreements, never_drawn, operations

CHUNKS, SIZE = 10, 50


@cache
def drawn(chunk):
    return [Graph(number) for number in range(chunk * SIZE, (chunk + 1) * SIZE)]


@pytest.mark.parametrize("chunk", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, CHUNKS))])
def test_all_ways_to_run_a_random_graph_agree(chunk):
    found = {graph.number: disagreements(graph) for graph in drawn(chunk)}
    not_finite = [number for number, differences in found.items() if differences is None]
    assert {number: differences for number, differences in found.items() if differences} == {}
    assert len(not_finite) <= SIZE / 10


@pytest.mark.slow
def test_every_operation_of_the_table_is_drawn():
    graphs = [graph for chunk in range(CHUNKS) for graph in drawn(chunk)]
    assert never_drawn(set().union(*map(operations, graphs))) == set()


def test_a_number_is_always_the_same_graph():
    first, again = (Graph(3), Graph(3))
    assert repr(first.J) == repr(again.J) != repr(Graph(4).J)
