"""Token embeddings that begin as functions of the numbers tokens stand for, so that near numbers begin as near vectors.

A vocabulary of thousands of unrelated vectors has to learn from examples that N234 lies between N233 and N235; here the
first vectors say so: sines and cosines of the number at wavelengths from twice its range down to a few steps of the
grid. They are where training starts, nothing more: every one of them is learned from there. Sinusoids of a coordinate
are how transformers are told positions (Vaswani et al., arXiv 1706.03762, section 3.5); here it is the number.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from empirical.encodings.encoding import Encoding
from empirical.encodings.meaning import meaning

__all__ = ["numeric_embedding"]

#: Longest and shortest wavelength. Mantissas are taken as shares of 1000 (digits of 10), exponents as they are.
_MANTISSA, _EXPONENT = (4.0, 1 / 64), (200.0, 4.0)
#: Of a whole number x (FP15): for x itself, in the units of entries, and for its signed logarithm, in decades.
_VALUE, _LOGARITHM = (40.0, 1 / 8), (20.0, 1 / 20)
#: Where the signed logarithm goes over into x/_SMALL.
_SMALL = 0.01


def numeric_embedding(encoding: Encoding, dimension: int, generator: torch.Generator) -> Tensor:
    """Return first vectors for an encoding's tokens, rows of expected squared norm 1 like those of N(0, 1/dimension).

    Signs and special tokens get random vectors; exponents get half a random one, so that no two are alike.

    Args:
        encoding: Whose tokens.
        dimension: Length of the vectors, even.
        generator: Of the random vectors, on the CPU.

    Returns:
        float32, shape (vocabulary, dimension).
    """
    said = meaning(encoding)
    vectors = torch.randn(len(said.mantissas), dimension, generator=generator, dtype=torch.float64) / dimension**0.5
    has_mantissa, has_exponent = ~said.mantissas.isnan(), ~said.exponents.isnan()
    both, alone, raised = has_mantissa & has_exponent, has_mantissa & ~has_exponent, has_exponent & ~has_mantissa
    if bool(alone.any()):
        largest = 10.0 ** len(str(int(said.mantissas[alone].max())))
        vectors[alone] = _waves(said.mantissas[alone] / largest, dimension, _MANTISSA)
    if bool(raised.any()):
        vectors[raised] = (vectors[raised] + _waves(said.exponents[raised], dimension, _EXPONENT)) * 0.5**0.5
    if bool(both.any()):
        values = said.mantissas[both] * 10.0 ** said.exponents[both]
        logarithms = values.sign() * torch.log10(1 + values.abs() / _SMALL)
        half = dimension // 4 * 2
        parts = [_waves(values, half, _VALUE), _waves(logarithms, dimension - half, _LOGARITHM)]
        vectors[both] = torch.cat(parts, 1) * 0.5**0.5
    return vectors.float()


def _waves(x: Tensor, count: int, wavelengths: tuple[float, float]) -> Tensor:
    """Sines and cosines of x (m,) at ``count``/2 wavelengths in geometric progression: (m, count), rows of norm 1."""
    longest, shortest = (math.log10(1 / wavelength) for wavelength in wavelengths)
    angles = 2 * math.pi * x[:, None] * torch.logspace(longest, shortest, count // 2, dtype=torch.float64)
    return torch.cat([angles.sin(), angles.cos()], 1) * (count // 2) ** -0.5
