"""Small networks trained on the spot, from fixed seeds, in numpy: nothing here needs torch."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from empirical.certify.chain import ReluChain
from empirical.certify.region import Region

#: A symmetric positive definite centre and a general one, and a 3 x 3 centre.
CENTRES = {
    "first": [[2.0, 0.5], [0.5, 1.5]],
    "second": [[1.0, 2.0], [-1.5, 0.5]],
    "three": [[2.0, 0.5, -0.25], [0.5, 1.5, 0.5], [-0.25, 0.25, 1.75]],
}


def quarter_region(name: str, share: Fraction = Fraction(1, 4)) -> Region:
    """The centre with ||A0^-1||_inf n d = share (one quarter unless said otherwise)."""
    centre = np.array(CENTRES[name])
    norm = np.abs(np.linalg.inv(centre)).sum(axis=1).max()
    return Region(centre, share / (len(centre) * Fraction(float(norm))))


@cache
def trained_chain(name: str, widths: tuple[int, ...], steps: int = 3000, seed: int = 0) -> ReluChain:
    """A chain trained with Adam on the inverses of uniform points of ``quarter_region(name)``."""
    region = quarter_region(name)
    low, high = region.outer
    generator = np.random.default_rng(seed)
    sizes = [len(low), *widths, len(low)]
    weights = [generator.normal(0, (2 / a) ** 0.5, (b, a)) for a, b in pairwise(sizes)]
    biases = [np.zeros(b) for b in sizes[1:]]
    parameters = weights + biases
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    for step in range(1, steps + 1):
        # Trained on inputs scaled to [-1, 1]; the scaling is folded into the first layer afterwards.
        scaled = 2 * generator.random((64, len(low))) - 1
        points = region.centre.ravel() + scaled * (high - low) / 2
        target = np.linalg.inv(points.reshape(-1, region.n, region.n)).reshape(points.shape)
        hidden = [scaled]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            hidden.append(np.maximum(hidden[-1] @ weight.T + bias, 0))
        back = 2 * (hidden[-1] @ weights[-1].T + biases[-1] - target) / points.size
        gradients: list[np.ndarray] = []
        for layer in reversed(range(len(weights))):
            gradients = [back.T @ hidden[layer], *gradients, back.sum(axis=0)]
            back = (back @ weights[layer]) * (hidden[layer] > 0)
        count = len(weights)
        ordered = [*gradients[:count], *reversed(gradients[count:])]
        rate = 1e-2 * (1 - step / (steps + 1))
        for p, g, m, v in zip(parameters, ordered, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    weights[0] = weights[0] / ((high - low) / 2)
    biases[0] = biases[0] - weights[0] @ region.centre.ravel()
    return ReluChain(tuple(weights), tuple(biases))


@pytest.fixture(scope="session")
def quarter():
    return quarter_region


@pytest.fixture(scope="session")
def trained():
    return trained_chain
