"""What tokens say as numbers: the mantissa and the decimal exponent of each, where it has them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from empirical.encodings.encoding import Encoding

__all__ = ["Meaning", "meaning"]

# One pattern for the four: ``N-85e0`` has both parts, ``N234`` and ``7`` a mantissa, ``E-3`` an exponent.
_NUMBER = re.compile(r"N?(?P<mantissa>-?\d+)(e(?P<raised>\d+))?|E(?P<exponent>-?\d+)")


@dataclass(frozen=True)
class Meaning:
    """The numbers in a vocabulary, by token.

    Attributes:
        mantissas: float64, shape (vocabulary,); NaN where a token has none.
        exponents: Likewise; a token with both stands for mantissa·10^exponent.
    """

    mantissas: Tensor
    exponents: Tensor

    def __post_init__(self) -> None:
        if self.mantissas.shape != self.exponents.shape or self.mantissas.ndim != 1:
            raise ValueError("a mantissa and an exponent for every token")


def meaning(encoding: Encoding) -> Meaning:
    """Return what the tokens of an encoding say; signs and special tokens say no number."""
    mantissas = torch.full((len(encoding.vocabulary),), torch.nan, dtype=torch.float64)
    exponents = mantissas.clone()
    for token, name in enumerate(encoding.vocabulary):
        found = _NUMBER.fullmatch(name)
        if found is None:
            continue
        if found["mantissa"] is not None:
            mantissas[token] = int(found["mantissa"])
        if found["raised"] is not None:
            exponents[token] = int(found["raised"]) + encoding.grid.lowest
        if found["exponent"] is not None:
            exponents[token] = int(found["exponent"])
    return Meaning(mantissas, exponents)
