"""Certificates of single torch layers, by exact type: a subclass may compute anything and is not its parent.

Shapes are literal: a layer is certified as the map x ↦ layer(x) on tensors of exactly the given shape, with batches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from empirical.lipschitz.norms import largest_absolute_sum, largest_entry, norm_bound, spectral_bound
from empirical.lipschitz.recurrent import lstm_layer, rnn_layer
from empirical.lipschitz.weights import array
from theory.errors import BadInput
from theory.lipschitz import leaves
from theory.lipschitz.certificate import Certificate
from theory.lipschitz.rounding import sqrt_up

__all__ = ["Shape", "activation", "dense_norms", "layer_certificate", "layer_norm"]

Shape = tuple[int, ...]


def dense_norms(layer: nn.Linear) -> tuple[Fraction, Fraction]:
    """Return upper bounds of the 2-norm of a dense layer's weight and of its bias's norm."""
    return spectral_bound(array(layer.weight)), _bias_norm(layer.bias)


def _bias_norm(bias: torch.Tensor | None) -> Fraction:
    return Fraction(0) if bias is None else norm_bound(array(bias))


def _linear(layer: nn.Linear, shape: Shape) -> Certificate:
    return leaves.affine(*dense_norms(layer), math.prod(shape[:-1]))


def _convolution(layer: nn.Conv1d | nn.Conv2d, shape: Shape) -> Certificate:
    if layer.padding_mode != "zeros":
        kind = type(layer).__name__
        raise BadInput(f"no certificate for {kind} with padding_mode {layer.padding_mode!r}; use 'zeros'")
    kernel = array(layer.weight)
    groups = kernel.reshape(layer.groups, -1, kernel.shape[1], math.prod(kernel.shape[2:]))  # group, output, input, tap
    norm = max(_kernel_bound(group) for group in groups)
    return leaves.affine(norm, _bias_norm(layer.bias), _positions(layer, shape))


def _kernel_bound(kernel: NDArray[np.float64]) -> Fraction:
    """Return an upper bound of the 2-norm of the convolution with a kernel (output, input, tap), for any input size.

    Σ_k ‖K_k‖_2 over the taps, each of which acts through a shift or part of one; and √(‖·‖_1·‖·‖_∞).
    """
    outputs, inputs, taps = kernel.shape
    by_taps = sum((spectral_bound(kernel[:, :, k]) for k in range(taps)), Fraction(0))
    rows = largest_absolute_sum(kernel.reshape(outputs, -1))
    columns = largest_absolute_sum(kernel.transpose(1, 0, 2).reshape(inputs, -1))
    return min(by_taps, sqrt_up(rows * columns))


def _positions(layer: nn.Conv1d | nn.Conv2d, shape: Shape) -> int:
    """Return how many places the bias is added at."""
    with torch.no_grad():
        output = layer(torch.zeros(shape, dtype=layer.weight.dtype, device=layer.weight.device))
    return output.numel() // layer.out_channels


def layer_norm(layer: nn.LayerNorm, shape: Shape) -> Certificate:
    """Return the certificate of a layer norm, with or without scale and shift.

    Raises:
        BadInput: If its ε is zero: it is then not continuous.
    """
    if layer.eps <= 0:
        raise BadInput("no certificate for LayerNorm with eps = 0: it is not continuous at constant vectors")
    features = math.prod(layer.normalized_shape)
    largest = Fraction(1) if layer.weight is None else largest_entry(array(layer.weight))
    positions = math.prod(shape) // features
    return leaves.layer_norm(largest, _bias_norm(layer.bias), Fraction(layer.eps), features, positions)


def _softmax(layer: nn.Softmax, shape: Shape) -> Certificate:
    if layer.dim is None:
        raise BadInput("no certificate for Softmax without a dim; name the dimension")
    return leaves.softmax(shape[layer.dim], math.prod(shape) // shape[layer.dim])


def _dropout(layer: nn.Dropout, shape: Shape) -> Certificate:
    if layer.training and layer.p > 0:
        raise BadInput("no certificate for Dropout in training mode: call .eval() first")
    return Certificate.identity()


def activation(name: str, shape: Shape) -> Certificate | None:
    """Return the certificate of an entrywise function by its torch name, None for one without a leaf."""
    size = math.prod(shape)
    match name:
        case "relu" | "relu_":
            return leaves.relu()
        case "gelu":
            return leaves.gelu()
        case "sigmoid" | "sigmoid_":
            return leaves.sigmoid(size)
        case "tanh" | "tanh_":
            return leaves.tanh(size)
    return None


def _entrywise(layer: nn.Module, shape: Shape) -> Certificate:
    certificate = activation(type(layer).__name__.lower(), shape)
    assert certificate is not None  # the table below lists only such types
    return certificate


def _leaky_relu(layer: nn.LeakyReLU, shape: Shape) -> Certificate:
    return leaves.leaky_relu(Fraction(layer.negative_slope))


def _identity(layer: nn.Module, shape: Shape) -> Certificate:
    return Certificate.identity()


_LAYERS: dict[type[nn.Module], Callable[..., Certificate]] = {
    nn.Linear: _linear,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.ReLU: _entrywise,
    nn.GELU: _entrywise,
    nn.Sigmoid: _entrywise,
    nn.Tanh: _entrywise,
    nn.LeakyReLU: _leaky_relu,
    nn.LayerNorm: layer_norm,
    nn.Softmax: _softmax,
    nn.Dropout: _dropout,
    nn.Identity: _identity,
    nn.Flatten: _identity,
    nn.Unflatten: _identity,
    nn.RNN: rnn_layer,
    nn.LSTM: lstm_layer,
}


def layer_certificate(layer: nn.Module, shape: Shape, name: str) -> Certificate:
    """Return the certificate of a single layer on tensors of this shape.

    Args:
        layer: A layer of one of the types listed above, of exactly that type, without hooks.
        shape: The input's shape.
        name: Where the layer stands in its model, for the message.

    Raises:
        BadInput: If the layer is of a type without a leaf; its type and place are named.
    """
    place = f" at {name!r}" if name else ""
    refuse_hooks(layer, place)
    if type(layer) not in _LAYERS:
        known = ", ".join(known_layers())
        raise BadInput(f"no certificate for the layer {type(layer).__name__}{place}; known are {known}")
    return _LAYERS[type(layer)](layer, shape)


def refuse_hooks(layer: nn.Module, place: str) -> None:
    """Refuse a layer whose forward hooks could change what it computes.

    Raises:
        BadInput: If there is a forward hook or a forward pre-hook.
    """
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise BadInput(f"no certificate for {type(layer).__name__}{place}: it has forward hooks; remove them first")


def known_layers() -> list[str]:
    """Return the names of the layers that have a certificate."""
    extra = ["Sequential", "MultiheadAttention", "TransformerEncoderLayer", "TransformerEncoder"]
    return sorted([layer.__name__ for layer in _LAYERS] + extra)
