"""Transformer layers: attention over a stretch of tokens at once, or one token at a time from a cache."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Cache", "DecoderLayer", "EncoderLayer"]


class Memory(NamedTuple):
    """Keys and values, each of shape (batch, heads, length, dimension/heads)."""

    keys: Tensor
    values: Tensor


class Cache(NamedTuple):
    """What a decoder layer keeps between steps: room for every target position, and the source's memory."""

    own: Memory
    source: Memory


def _heads(x: Tensor, count: int) -> Tensor:
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def _merge(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


def _attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
    """Return softmax(queries·keysᵀ/√width)·values, each (batch, heads, length, width).

    ``mask`` tells which keys may be looked at, ``causal`` that none after the query may. On a CPU torch's fused
    attention is several times slower in bfloat16 than the three products it fuses, for sequences as short as these.
    """
    if queries.device.type != "cpu" or queries.dtype != torch.bfloat16:
        return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, is_causal=causal)
    scores = (queries * (1 / math.sqrt(queries.shape[-1]))) @ keys.mT
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1, dtype=torch.float32).to(values.dtype) @ values


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class _FeedForward(nn.Module):
    """x + W2 GELU(W1 norm(x))."""

    def __init__(self, dimension: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dimension)
        self.up, self.down = _linear(dimension, inner * dimension), _linear(inner * dimension, dimension)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(functional.gelu(self.up(self.norm(x))))


class _SelfAttention(nn.Module):
    """x + attention of norm(x) to itself."""

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dimension)
        self.project, self.out = _linear(dimension, 3 * dimension), _linear(dimension, dimension)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        q, k, v = (_heads(part, self.heads) for part in self.project(self.norm(x)).chunk(3, -1))
        return x + self.out(_merge(_attend(q, k, v, mask, causal)))

    def step(self, x: Tensor, position: int, past: Memory) -> Tensor:
        """Attend from one new token to itself and the ones before it."""
        q, k, v = (_heads(part, self.heads) for part in self.project(self.norm(x)).chunk(3, -1))
        past.keys[:, :, position : position + 1], past.values[:, :, position : position + 1] = k, v
        keys, values = past.keys[:, :, : position + 1], past.values[:, :, : position + 1]
        return x + self.out(_merge(_attend(q, keys, values)))


class _CrossAttention(nn.Module):
    """x + attention of norm(x) to the encoder's states."""

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dimension)
        self.ask, self.out = _linear(dimension, dimension), _linear(dimension, dimension)
        self.project = _linear(dimension, 2 * dimension)

    def remember(self, states: Tensor) -> Memory:
        """Return the keys and values of the encoder's states."""
        keys, values = self.project(states).chunk(2, -1)
        return Memory(_heads(keys, self.heads), _heads(values, self.heads))

    def forward(self, x: Tensor, memory: Memory, mask: Tensor | None) -> Tensor:
        q = _heads(self.ask(self.norm(x)), self.heads)
        return x + self.out(_merge(_attend(q, memory.keys, memory.values, mask)))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward part, each behind a layer norm and added to its input.

    Args:
        dimension: Width of the residual stream.
        heads: Attention heads.
        inner: Inner width as a multiple of ``dimension``.
    """

    def __init__(self, dimension: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention, self.feed = _SelfAttention(dimension, heads), _FeedForward(dimension, inner)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map (batch, length, dimension) to the same; ``mask`` tells which positions may be looked at."""
        return self.feed(self.attention(x, mask, causal=False))


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the source, and a feed-forward part.

    Args:
        dimension: Width of the residual stream.
        heads: Attention heads.
        inner: Inner width as a multiple of ``dimension``.
    """

    def __init__(self, dimension: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention, self.cross = _SelfAttention(dimension, heads), _CrossAttention(dimension, heads)
        self.feed = _FeedForward(dimension, inner)

    def remember(self, states: Tensor) -> Memory:
        """Return what attention to the source needs of the encoder's states."""
        return self.cross.remember(states)

    def forward(self, x: Tensor, source: Memory, mask: Tensor | None) -> Tensor:
        """Map a whole target (batch, length, dimension); ``mask`` tells which source positions may be looked at."""
        return self.feed(self.cross(self.attention(x, None, causal=True), source, mask))

    def cache(self, states: Tensor, length: int) -> Cache:
        """Return an empty cache for ``length`` target positions."""
        source = self.remember(states)
        batch, heads, _, width = source.keys.shape
        empty = source.keys.new_empty(2, batch, heads, length, width)
        return Cache(Memory(empty[0], empty[1]), source)

    def step(self, x: Tensor, position: int, cache: Cache, mask: Tensor | None) -> Tensor:
        """Map one new target token (batch, 1, dimension), and remember it."""
        return self.feed(self.cross(self.attention.step(x, position, cache.own), cache.source, mask))
