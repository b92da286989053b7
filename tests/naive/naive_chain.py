"""A chain of Linear and ReLU layers in exact rational arithmetic, neuron by neuron."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from empirical.certify.chain import ReluChain


def exact_layers(chain: ReluChain, point: np.ndarray) -> list[list[Fraction]]:
    """Pre-activations of every layer, in exact rational arithmetic."""
    values, layers = [Fraction(float(x)) for x in point], []
    for index, (weight, bias) in enumerate(zip(chain.weights, chain.biases, strict=True)):
        values = [max(value, Fraction(0)) for value in values] if index else values
        values = [
            sum((Fraction(float(w)) * x for w, x in zip(row, values, strict=True)), Fraction(float(shift)))
            for row, shift in zip(weight, bias, strict=True)
        ]
        layers.append(values)
    return layers
