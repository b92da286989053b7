"""Certificates of torch's attention and transformer layers, built from their parts by the rules."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import nn
from torch.nn import functional

from empirical.lipschitz.layers import Shape, activation, dense_norms, layer_certificate, layer_norm, refuse_hooks
from empirical.lipschitz.norms import norm_bound, spectral_bound
from empirical.lipschitz.weights import array
from theory.errors import BadInput
from theory.lipschitz import leaves
from theory.lipschitz.certificate import Certificate
from theory.lipschitz.rules import compose
from theory.lipschitz.sequences import attention, transformer_layer

__all__ = ["attention_layer", "encoder_layer"]


def attention_layer(
    layer: nn.MultiheadAttention,
    parts: tuple[Certificate, Certificate, Certificate],
    shapes: tuple[Shape, Shape, Shape],
) -> Certificate:
    """Return the certificate of x ↦ layer(q(x), k(x), v(x))[0]; batches do not mix, so one modulus serves them all.

    Args:
        layer: The attention layer.
        parts: Certificates of q, k and v as maps of the model's input x.
        shapes: Their shapes.

    Raises:
        BadInput: If the layer has extra key biases, an added zero key, or drops weights in training mode.
    """
    refuse_hooks(layer, "")
    if layer.bias_k is not None or layer.bias_v is not None or layer.add_zero_attn:
        raise BadInput("no certificate for MultiheadAttention with add_bias_kv or add_zero_attn")
    if layer.training and layer.dropout > 0:
        raise BadInput("no certificate for MultiheadAttention with dropout in training mode: call .eval() first")
    width = layer.embed_dim
    if layer._qkv_same_embed_dim:
        weights = [layer.in_proj_weight[i * width : (i + 1) * width] for i in range(3)]
    else:
        weights = [layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight]
    offset = layer.in_proj_bias
    biases = [None if offset is None else offset[i * width : (i + 1) * width] for i in range(3)]
    projected = [
        compose(_dense(weight, bias, shape), part)
        for weight, bias, shape, part in zip(weights, biases, shapes, parts, strict=True)
    ]
    length = _length(layer, shapes[0])
    heads = attention(projected[0], projected[1], projected[2], length, width // layer.num_heads)
    return compose(leaves.affine(*dense_norms(layer.out_proj), _places(shapes[0])), heads)


def _dense(weight: torch.Tensor, bias: torch.Tensor | None, shape: Shape) -> Certificate:
    bias_norm = Fraction(0) if bias is None else norm_bound(array(bias))
    return leaves.affine(spectral_bound(array(weight)), bias_norm, _places(shape))


def _places(shape: Shape) -> int:
    """Return how many vectors a (batched) sequence holds."""
    places = 1
    for extent in shape[:-1]:
        places *= extent
    return places


def _length(layer: nn.MultiheadAttention, shape: Shape) -> int:
    if len(shape) == 2:
        return shape[0]
    if len(shape) != 3:
        raise BadInput(f"MultiheadAttention takes (length, features) or a batch of it, not the shape {shape}")
    return shape[1] if layer.batch_first else shape[0]


def encoder_layer(layer: nn.TransformerEncoderLayer, shape: Shape) -> Certificate:
    """Return the certificate of a transformer encoder layer without a mask.

    Raises:
        BadInput: If it drops in training mode, or its activation has no certificate.
    """
    refuse_hooks(layer, "")
    drops = (layer.dropout, layer.dropout1, layer.dropout2)
    if layer.training and any(drop.p > 0 for drop in drops):
        raise BadInput("no certificate for TransformerEncoderLayer with dropout in training mode: call .eval() first")
    identity = Certificate.identity()
    attend = attention_layer(layer.self_attn, (identity, identity, identity), (shape, shape, shape))
    inner: Shape = (*shape[:-1], layer.linear1.out_features)
    return transformer_layer(
        attend,
        [layer_norm(layer.norm1, shape), layer_norm(layer.norm2, shape)],
        dense_norms(layer.linear1),
        _activation(layer.activation, inner),
        dense_norms(layer.linear2),
        _places(shape),
        norm_first=layer.norm_first,
    )


def _activation(function: object, shape: Shape) -> Certificate:
    if isinstance(function, nn.Module):
        return layer_certificate(function, shape, "activation")
    if function in (functional.relu, torch.relu, functional.gelu, torch.tanh, torch.sigmoid):
        certificate = activation(str(getattr(function, "__name__", "")), shape)
        if certificate is not None:
            return certificate
    name = getattr(function, "__name__", repr(function))
    raise BadInput(f"no certificate for TransformerEncoderLayer with the activation {name}")
