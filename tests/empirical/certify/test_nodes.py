"""Batches of nodes: cut and joined without loss."""

from __future__ import annotations

import numpy as np

from empirical.certify.nodes import Nodes


def test_the_root_has_one_node_for_every_functional() -> None:
    nodes = Nodes.root(np.array([0.0, 1.0]), np.array([2.0, 3.0]), 5, 7)
    assert len(nodes) == 5
    assert nodes.functional.tolist() == [0, 1, 2, 3, 4]
    assert np.isinf(nodes.bound).all()
    assert not nodes.decided.any()
    parts = (nodes.low, nodes.high, nodes.functional, nodes.decided, nodes.multiplier, nodes.bound)
    assert nodes.bytes_each == sum(part.nbytes // 5 for part in parts)


def test_cutting_and_joining() -> None:
    nodes = Nodes.root(np.zeros(3), np.ones(3), 6, 2)
    odd, even = nodes[np.arange(6) % 2 == 1], nodes[::2]
    joined = Nodes.joined([even, odd])
    assert joined.functional.tolist() == [0, 2, 4, 1, 3, 5]
    assert joined.multiplier.dtype == np.float32
    assert joined.decided.dtype == np.int8
    assert len(nodes[np.array([], dtype=int)]) == 0
