"""Layers on sequences: attention, recurrent cells unrolled over a fixed length, the transformer layer.

A sequence is a matrix, one row a position; norms are Frobenius norms of the whole sequence. All take norm bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.lipschitz.certificate import Certificate
from theory.lipschitz.leaves import affine
from theory.lipschitz.rounding import round_up, sqrt_up
from theory.lipschitz.rules import compose, residual

__all__ = ["LstmNorms", "attention", "lstm", "rnn", "transformer_layer"]


def attention(query: Certificate, key: Certificate, value: Certificate, length: int, head_width: int) -> Certificate:
    """Return the certificate of x ↦ softmax(Q(x)K(x)ᵀ/√head_width)·V(x), any number of heads, masked or not.

    P = √length·P_V + G_V(t)·½·(G_Q(s)·P_K + G_K(t)·P_Q)/√head_width, and ‖g(x)‖ <= √length·G_V(‖x‖): a map that grows
    linearly, with a quadratic P, on sequences of a fixed length. Theorem ``lipschitz.attention``.

    Args:
        query: Certificate of Q, all heads side by side (Lipschitz in the sense c = 1).
        key: Certificate of K.
        value: Certificate of V.
        length: Number of query positions.
        head_width: Width of one head.

    Raises:
        ValueError: If a part has an exponent other than 1.
    """
    if any(part.exponent != 1 for part in (query, key, value)):
        raise ValueError("attention is certified for projections with exponent 1")
    # A row-stochastic matrix with T rows has 2-norm up to √T: all rows may choose the same key.
    weights = sqrt_up(length)
    half = Fraction(1, 2) * sqrt_up(Fraction(1, head_width))
    scores = query.growth * key.modulus + key.growth.swapped() * query.modulus
    modulus = value.modulus * weights + value.growth.swapped() * scores * half
    return Certificate(modulus, Fraction(1), round_up(value.at_zero * weights), value.growth * weights)


def rnn(
    input_norm: Fraction, state_norm: Fraction, bias_norm: Fraction, length: int, width: int, *, bounded: bool
) -> Certificate:
    """Return the certificate of x ↦ (h_1, …, h_T), h_t = σ(W x_t + U h_{t-1} + b), h_0 = 0, σ 1-Lipschitz, σ(0) = 0.

    P = ‖W‖·Σ_{k<T} ‖U‖^k: the shifts by k positions have norm at most 1. Theorem ``lipschitz.rnn``.

    Args:
        input_norm: Upper bound of ‖W‖_2.
        state_norm: Upper bound of ‖U‖_2.
        bias_norm: Upper bound of ‖b‖ (both biases added).
        length: T, the fixed length.
        width: Width of the state.
        bounded: Whether |σ| <= 1 (tanh), which bounds the output by √(T·width).
    """
    powers = [Fraction(1)]
    for _ in range(length - 1):
        powers.append(round_up(powers[-1] * state_norm))
    reach = sum(powers, Fraction(0))
    at_zero, level = Fraction(0), Fraction(0)
    for _ in range(length):
        level = round_up(bias_norm + state_norm * level)
        at_zero += level * level
    at_zero = sqrt_up(at_zero)
    if not bounded:
        return Certificate.lipschitz(round_up(input_norm * reach), at_zero)
    ceiling = sqrt_up(length * width)
    return Certificate.lipschitz(round_up(input_norm * reach), min(at_zero, ceiling), ceiling)


@dataclass(frozen=True)
class LstmNorms:
    """Upper bounds of the 2-norms of an LSTM's four weight blocks, in the order input, forget, cell, output.

    Attributes:
        inputs: Of the blocks applied to x_t.
        states: Of the blocks applied to h_{t-1}.
    """

    inputs: tuple[Fraction, Fraction, Fraction, Fraction]
    states: tuple[Fraction, Fraction, Fraction, Fraction]


def lstm(norms: LstmNorms, length: int, width: int) -> Certificate:
    """Return the certificate of an LSTM's outputs (h_1, …, h_T) on sequences of a fixed length T, h_0 = c_0 = 0.

    |h| <= 1 and |c_t| <= t entrywise; with z the four preactivations,
    ‖Δc_t‖ <= ‖Δc_{t-1}‖ + ¼(t-1)‖Δz_f‖ + ¼‖Δz_i‖ + ‖Δz_g‖ and ‖Δh_t‖ <= ‖Δc_t‖ + ¼‖Δz_o‖; the recursion is run on the
    coefficients of ‖Δx_1‖, …, ‖Δx_T‖ and gives a Lipschitz constant, c = 1. Theorem ``lipschitz.lstm``.
    """
    quarter = Fraction(1, 4)
    state = [Fraction(0)] * length
    hidden = [Fraction(0)] * length
    rows: list[list[Fraction]] = []
    for step in range(length):
        moved = [
            [round_up(u * coefficient + (w if j == step else 0)) for j, coefficient in enumerate(hidden)]
            for w, u in zip(norms.inputs, norms.states, strict=True)
        ]
        gate_in, forget, cell, out = moved
        state = [
            round_up(state[j] + quarter * step * forget[j] + quarter * gate_in[j] + cell[j]) for j in range(length)
        ]
        hidden = [round_up(state[j] + quarter * out[j]) for j in range(length)]
        rows.append(hidden)
    largest_row = max(sum(row, Fraction(0)) for row in rows)
    largest_column = max(sum((row[j] for row in rows), Fraction(0)) for j in range(length))
    ceiling = sqrt_up(length * width)
    return Certificate.lipschitz(sqrt_up(largest_row * largest_column), ceiling, ceiling)


def transformer_layer(
    attend: Certificate,
    norms: Sequence[Certificate],
    first: tuple[Fraction, Fraction],
    activation: Certificate,
    second: tuple[Fraction, Fraction],
    positions: int,
    *,
    norm_first: bool,
) -> Certificate:
    """Return the certificate of a transformer encoder layer: attention, then two dense layers, each beside a residual.

    Theorem ``lipschitz.transformer-layer``.

    Args:
        attend: Certificate of the attention block.
        norms: Certificates of the two layer norms.
        first: Norm bounds of the first dense layer's weight and bias.
        activation: Certificate of the activation between.
        second: Norm bounds of the second dense layer's weight and bias.
        positions: Length of the sequence.
        norm_first: Whether each norm stands before its block (x + f(norm x)) or after it (norm(x + f(x))).

    Raises:
        ValueError: If there are not two layer norms.
    """
    if len(norms) != 2:
        raise ValueError("a transformer layer has two layer norms")
    dense = compose(affine(*second, positions), compose(activation, affine(*first, positions)))
    total = Certificate.identity()
    for block, norm in zip((attend, dense), norms, strict=True):
        stage = residual(compose(block, norm)) if norm_first else compose(norm, residual(block))
        total = compose(stage, total)
    return total
