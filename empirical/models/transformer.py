"""An encoder-decoder transformer from token sequences to token sequences, with greedy decoding from a cache.

Published size: 8 encoder layers, 1 decoder layer, dimension 512, 8 heads, inner dimension 4·512, learned positions, no
dropout. Not published: where the layer norms are (here before each sublayer, and one at the end of each stack), the
activation (here GELU) and whether the output weights are those of the embedding (here they are).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from empirical.encodings.encoding import BEGIN, END, PAD
from empirical.models.attention import Cache, DecoderLayer, EncoderLayer
from theory.errors import BadInput

__all__ = ["Transformer", "TransformerSize", "teacher_forcing"]


@dataclass(frozen=True)
class TransformerSize:
    """The shape of a transformer.

    Attributes:
        dimension: Width of the residual stream, a multiple of ``heads``.
        heads: Attention heads.
        encoder_layers: Layers that read the input.
        decoder_layers: Layers that write the output.
        inner: Width inside the feed-forward parts, as a multiple of ``dimension``.
    """

    dimension: int = 512
    heads: int = 8
    encoder_layers: int = 8
    decoder_layers: int = 1
    inner: int = 4

    def __post_init__(self) -> None:
        if min(self.dimension, self.heads, self.encoder_layers, self.decoder_layers, self.inner) < 1:
            raise BadInput("a transformer's dimension, heads and layers must be at least 1")
        if self.dimension % self.heads:
            raise BadInput(f"the dimension {self.dimension} must be a multiple of the number of heads, {self.heads}")


def teacher_forcing(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a decoder is shown, ``<s>`` and the tokens, and what it should say, the tokens and ``</s>``."""
    shown = functional.pad(tokens, (1, 0), value=BEGIN)
    wanted = functional.pad(tokens, (0, 1), value=PAD)
    return shown, wanted.scatter(1, (tokens != PAD).sum(1, keepdim=True), END)


class Transformer(nn.Module):
    """Maps source sequences to scores of the next target token.

    Args:
        size: Its shape.
        source_vocabulary: Number of source tokens.
        target_vocabulary: Number of target tokens.
        source_length: The longest source.
        target_length: The longest target, without ``<s>`` and ``</s>``.
    """

    def __init__(
        self,
        size: TransformerSize,
        source_vocabulary: int,
        target_vocabulary: int,
        source_length: int,
        target_length: int,
    ) -> None:
        super().__init__()
        self.size, self.target_length = size, target_length
        self.source_embedding = nn.Embedding(source_vocabulary, size.dimension)
        self.target_embedding = nn.Embedding(target_vocabulary, size.dimension)
        self.source_positions = nn.Parameter(torch.empty(source_length, size.dimension))
        self.target_positions = nn.Parameter(torch.empty(target_length + 1, size.dimension))
        self.encoder = nn.ModuleList(
            EncoderLayer(size.dimension, size.heads, size.inner) for _ in range(size.encoder_layers)
        )
        self.decoder = nn.ModuleList(
            DecoderLayer(size.dimension, size.heads, size.inner) for _ in range(size.decoder_layers)
        )
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(size.dimension), nn.LayerNorm(size.dimension)
        self.output_bias = nn.Parameter(torch.zeros(target_vocabulary))
        for weight in (
            self.source_embedding.weight,
            self.target_embedding.weight,
            self.source_positions,
            self.target_positions,
        ):
            nn.init.normal_(weight, std=size.dimension**-0.5)

    def encode(self, source: Tensor, padded: bool | None = None) -> tuple[Tensor, Tensor | None]:
        """Return the encoder's states (batch, length, dimension) and a mask of those that are not padding.

        Args:
            source: Tokens, shape (batch, length).
            padded: Whether some are padding; None looks, which makes a GPU wait.
        """
        x = self.source_embedding(source) * self.size.dimension**0.5 + self.source_positions[: source.shape[1]]
        visible = source != PAD
        if padded is None:
            padded = not bool(visible.all())
        mask = visible[:, None, None, :] if padded else None
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x), mask

    def forward(self, source: Tensor, shown: Tensor, padded: bool | None = None) -> Tensor:
        """Return scores (batch, length, target vocabulary) of the token after each one shown."""
        memory, mask = self.encode(source, padded)
        x = self._embed_target(shown, 0)
        for layer in self._decoder_layers():
            x = layer(x, layer.remember(memory), mask)
        return self.scores(self.decoder_norm(x))

    def scores(self, states: Tensor) -> Tensor:
        """Return the scores of the target tokens."""
        return functional.linear(states, self.target_embedding.weight, self.output_bias)

    @torch.no_grad()
    def greedy(self, source: Tensor) -> Tensor:
        """Return the sequences got by taking the best token each time, until ``</s>`` or the longest length.

        Returns:
            Tokens, shape (batch, at most target length + 1), padded after ``</s>``.
        """
        memory, mask = self.encode(source)
        caches = [layer.cache(memory, self.target_length + 1) for layer in self._decoder_layers()]
        token = torch.full((len(source), 1), BEGIN, dtype=torch.int64, device=source.device)
        ended = torch.zeros_like(token, dtype=torch.bool)
        answer: list[Tensor] = []
        for position in range(self.target_length + 1):
            state = self._step(token, position, caches, mask)
            token = self.scores(state).argmax(-1).masked_fill(ended, PAD)
            answer.append(token)
            ended = ended | (token == END)
            if bool(ended.all()):
                break
        return torch.cat(answer, 1)

    def _step(self, token: Tensor, position: int, caches: list[Cache], mask: Tensor | None) -> Tensor:
        x = self._embed_target(token, position)
        for layer, cache in zip(self._decoder_layers(), caches, strict=True):
            x = layer.step(x, position, cache, mask)
        return self.decoder_norm(x)

    def _embed_target(self, tokens: Tensor, start: int) -> Tensor:
        positions = self.target_positions[start : start + tokens.shape[1]]
        return self.target_embedding(tokens) * self.size.dimension**0.5 + positions

    def _decoder_layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.decoder if isinstance(layer, DecoderLayer)]
