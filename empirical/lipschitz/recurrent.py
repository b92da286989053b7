"""Certificates of torch's recurrent layers: the map from a sequence of fixed length to the sequence of outputs."""

from __future__ import annotations

from fractions import Fraction

from torch import nn

from empirical.lipschitz.norms import norm_bound, spectral_bound
from empirical.lipschitz.weights import array
from theory.errors import BadInput
from theory.lipschitz.certificate import Certificate
from theory.lipschitz.rounding import sqrt_up
from theory.lipschitz.rules import scale
from theory.lipschitz.sequences import LstmNorms, lstm, rnn

__all__ = ["lstm_layer", "rnn_layer"]


def _check(layer: nn.RNN | nn.LSTM) -> None:
    kind = type(layer).__name__
    if layer.num_layers != 1 or layer.bidirectional:
        raise BadInput(f"no certificate for {kind} with several layers or two directions; stack single layers")
    if layer.proj_size:
        raise BadInput(f"no certificate for {kind} with a projection (proj_size)")


def _length_and_batch(layer: nn.RNN | nn.LSTM, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the length of the sequence and how many run side by side.

    Raises:
        BadInput: If the shape is neither a sequence nor a batch of sequences.
    """
    if len(shape) == 2:
        return shape[0], 1
    if len(shape) != 3:
        raise BadInput(f"{type(layer).__name__} takes (length, features) or a batch of it, not the shape {shape}")
    return (shape[1], shape[0]) if layer.batch_first else (shape[0], shape[1])


def rnn_layer(layer: nn.RNN, shape: tuple[int, ...]) -> Certificate:
    """Return the certificate of an RNN's outputs, initial state 0.

    Sequences side by side do not mix: their moduli are one modulus, and their bounds add in squares.
    """
    _check(layer)
    length, batch = _length_and_batch(layer, shape)
    bias = Fraction(0)
    if layer.bias:
        bias = norm_bound(array(layer.get_parameter("bias_ih_l0"))) + norm_bound(
            array(layer.get_parameter("bias_hh_l0"))
        )
    one = rnn(
        spectral_bound(array(layer.get_parameter("weight_ih_l0"))),
        spectral_bound(array(layer.get_parameter("weight_hh_l0"))),
        bias,
        length,
        layer.hidden_size,
        bounded=layer.nonlinearity == "tanh",
    )
    return _side_by_side(one, batch)


def lstm_layer(layer: nn.LSTM, shape: tuple[int, ...]) -> Certificate:
    """Return the certificate of an LSTM's outputs, initial states 0; the bias does not matter."""
    _check(layer)
    length, batch = _length_and_batch(layer, shape)
    width = layer.hidden_size
    inputs, states = array(layer.get_parameter("weight_ih_l0")), array(layer.get_parameter("weight_hh_l0"))
    blocks = [slice(i * width, (i + 1) * width) for i in range(4)]  # torch's order: input, forget, cell, output
    norms = LstmNorms(
        inputs=tuple(spectral_bound(inputs[b]) for b in blocks),  # type: ignore[arg-type]
        states=tuple(spectral_bound(states[b]) for b in blocks),  # type: ignore[arg-type]
    )
    return _side_by_side(lstm(norms, length, width), batch)


def _side_by_side(one: Certificate, batch: int) -> Certificate:
    if batch == 1:
        return one
    spread = scale(one, sqrt_up(batch))
    return Certificate(one.modulus, one.exponent, spread.at_zero, spread.known_growth)
