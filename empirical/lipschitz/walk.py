"""``certificate_of(module)``: chains are walked directly, everything else through the graph that torch.fx traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from empirical.lipschitz.attention import attention_layer, encoder_layer
from empirical.lipschitz.layers import Shape, layer_certificate, refuse_hooks
from theory.errors import BadInput
from theory.lipschitz.certificate import Certificate
from theory.lipschitz.rules import compose

__all__ = ["Traced", "certificate_of", "through_layer"]


@dataclass(frozen=True)
class Traced:
    """A value inside a model: its certificate as a map of the model's input, and the value itself at input 0.

    Attributes:
        certificate: Of the map from the model's input to this value.
        example: The value at input 0; its shape is the shape of every value here.
        first_of: Whether this is the first item of a layer's tuple of results (attention, RNN, LSTM).
    """

    certificate: Certificate
    example: torch.Tensor
    first_of: bool = False


def certificate_of(module: nn.Module, input_shape: Shape | None = None) -> Certificate:
    """Return the certificate of x ↦ module(x) on tensors of one shape, in Euclidean norms of flattened tensors.

    Attention is certified as self-attention; attention, RNN and LSTM by their first result, initial states 0.

    Args:
        module: A module made of the known layers, nested in ``Sequential`` or joined by code that torch.fx can trace
            (residual paths, concatenations, products). It is certified as it stands, in exact arithmetic: weights enter
            as rational upper bounds of their norms. A layer or operation without a certificate is refused by name.
        input_shape: The exact shape of the input, batches included; for chains that start with a dense layer or a
            layer norm it may be left out, and is then one vector.
    """
    shape = tuple(input_shape) if input_shape is not None else _first_shape(module)
    floating = [p for p in module.parameters() if p.is_floating_point()]
    like = floating[0] if floating else torch.zeros((), dtype=torch.float64)
    start = Traced(Certificate.identity(), torch.zeros(shape, dtype=like.dtype, device=like.device))
    with torch.no_grad():
        return through_layer(module, "", start).certificate


def _first_shape(module: nn.Module) -> Shape:
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            return (layer.in_features,)
        if isinstance(layer, nn.LayerNorm):
            return tuple(layer.normalized_shape)
        if not isinstance(layer, (nn.Sequential, nn.ReLU, nn.Identity)) and not list(layer.children()):
            break
    raise BadInput(f"the input's shape does not follow from {type(module).__name__}: give input_shape")


def through_layer(module: nn.Module, name: str, value: Traced) -> Traced:
    """Return the value after a module; what has no certificate is refused by name."""
    kind, shape = type(module), tuple(value.example.shape)
    if kind is nn.Sequential:
        return _through_all(module, name, list(module.named_children()), value)
    if kind is nn.TransformerEncoder and isinstance(module, nn.TransformerEncoder):
        stages = [(f"layers.{i}", layer) for i, layer in enumerate(module.layers)]
        return _through_all(module, name, stages + ([] if module.norm is None else [("norm", module.norm)]), value)
    if kind is nn.MultiheadAttention and isinstance(module, nn.MultiheadAttention):
        return attend(module, (value, value, value))
    if kind is nn.TransformerEncoderLayer and isinstance(module, nn.TransformerEncoderLayer):
        return _step(module, name, value, encoder_layer(module, shape))
    if kind.__module__.startswith("torch.nn."):
        return _step(module, name, value, layer_certificate(module, shape, name))
    from empirical.lipschitz.graph import through_graph

    refuse_hooks(module, f" at {name!r}")
    return through_graph(module, name, value)


def _through_all(module: nn.Module, name: str, stages: list[tuple[str, nn.Module]], value: Traced) -> Traced:
    refuse_hooks(module, f" at {name!r}")
    for position, (child_name, child) in enumerate(stages):
        if value.first_of:
            raise BadInput(f"{name or 'the chain'} hands on a tuple of results after stage {position - 1}")
        value = through_layer(child, f"{name}.{child_name}".lstrip("."), value)
    return value


def _step(module: nn.Module, name: str, value: Traced, certificate: Certificate) -> Traced:
    output = run_at_zero(lambda: module(value.example), name or type(module).__name__)
    first = isinstance(output, tuple)
    return Traced(compose(certificate, value.certificate), output[0] if first else output, first)


def attend(layer: nn.MultiheadAttention, values: tuple[Traced, Traced, Traced]) -> Traced:
    """Return the first result of an attention layer on a query, a key and a value."""
    parts = (values[0].certificate, values[1].certificate, values[2].certificate)
    shapes = tuple(tuple(value.example.shape) for value in values)
    output = run_at_zero(lambda: layer(*(value.example for value in values))[0], "MultiheadAttention")
    return Traced(attention_layer(layer, parts, (shapes[0], shapes[1], shapes[2])), output, True)


def run_at_zero(function: Callable[[], torch.Tensor], name: str) -> torch.Tensor:
    """Return what torch computes, its refusal as one line.

    Raises:
        BadInput: If torch refuses, as it does for a shape that does not fit.
    """
    try:
        return function()
    except (RuntimeError, ValueError, IndexError, AssertionError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"{name} does not take the shape that reaches it: {first}") from None
