"""What the encodings share: special tokens, a table of tokens for every signed grid number, matrices as sequences.

A matrix is ``V<rows> V<columns>`` and its entries row by row. Token 0 pads sequences to one length; 1 and 2 start and
end a sequence for the networks and are never part of an encoded matrix.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from empirical.encodings.grid import Grid, in_pieces
from theory.errors import BadInput

__all__ = ["BEGIN", "END", "LARGEST", "PAD", "Encoding"]

PAD, BEGIN, END = 0, 1, 2
#: The largest number of rows or columns that has a token.
LARGEST = 100
_SPECIAL = ("<pad>", "<s>", "</s>", *(f"V{size}" for size in range(1, LARGEST + 1)))


@dataclass(frozen=True)
class Encoding(ABC):
    """A way to write numbers of three significant digits as tokens.

    Attributes:
        name: Its published name.
        grid: The numbers it can write.
        width: Tokens a number takes (the most, where zero takes fewer).
        overflow: The token names of what is too large, by sign; empty where that is refused.
    """

    name: str
    grid: Grid
    width: int
    overflow: tuple[str, ...] = ()

    @property
    @abstractmethod
    def symbols(self) -> tuple[str, ...]:
        """The names of the tokens that write numbers."""

    @abstractmethod
    def write(self, negative: bool, mantissas: Tensor, exponents: Tensor) -> Tensor:
        """Return the tokens (count, width) of the grid numbers of one sign; zero comes first and has no sign."""

    @abstractmethod
    def read(self, tokens: Tensor) -> Tensor:
        """Return the numbers (count,) of tokens (width, count); NaN where they spell none."""

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every token's name, in the order of the token numbers."""
        return _SPECIAL + self.symbols

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Name -> token number."""
        return {name: number for number, name in enumerate(self.vocabulary)}

    def length(self, rows: int, columns: int) -> int:
        """Return the longest sequence a matrix of this shape can take."""
        return 2 + rows * columns * self.width

    def representable(self, values: Tensor) -> Tensor:
        """Tell which numbers have tokens that read back as a number: finite and not too large."""
        return (self.grid.index(values.to(torch.float64).flatten()) < self.grid.size).reshape(values.shape)

    def encode_numbers(self, values: Tensor) -> Tensor:
        """Write numbers as tokens: shape (...) to (..., width), padded at the end where zero takes fewer.

        Minus zero, and what rounds to zero, is plain zero.

        Raises:
            BadInput: If a number is too large, infinite or NaN and the encoding has no token for that.
        """
        flat = values.to(torch.float64).reshape(-1).contiguous()
        index = self.grid.index(flat)
        if not self.overflow and bool((index == self.grid.size).any()):
            bad = flat[index == self.grid.size][0].item()
            raise BadInput(f"{self.name} has no token for {bad}; it writes finite numbers below 9.995e102")
        # Rows of the table: grid numbers and overflow, then the same with a minus; NaN is neither below nor above 0.
        rows = index + (flat < 0).to(torch.int32) * (self.grid.size + 1)
        return _table(self, flat.device).index_select(0, rows).reshape(*values.shape, self.width)

    def encode(self, matrices: Tensor) -> Tensor:
        """Write matrices (batch, rows, columns) as token sequences (batch, length), padded at the end.

        Raises:
            BadInput: If the encoding has no tokens for the shape or for an entry.
        """
        rows, columns = matrices.shape[1:]
        if not (1 <= rows <= LARGEST and 1 <= columns <= LARGEST):
            raise BadInput(f"matrices of 1 to {LARGEST} rows and columns have tokens, not {rows} by {columns}")
        header = torch.tensor([END + rows, END + columns], device=matrices.device)

        def write(piece: Tensor) -> Tensor:
            tokens = self.encode_numbers(piece).reshape(len(piece), -1)
            return self.close_gaps(torch.cat([header.expand(len(piece), -1), tokens], 1))

        return in_pieces(write, matrices, rows * columns)

    def decode(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        """Read sequences (batch, length) of matrices of one shape; padding, ``<s>`` or ``</s>`` ends a sequence.

        A sequence that is no such matrix gives NaN, in the entries that cannot be read or everywhere.
        """
        return in_pieces(lambda piece: self._decode(piece, rows, columns), tokens, rows * columns)

    def _decode(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        count, length = rows * columns, self.length(rows, columns)
        if tokens.shape[1] < length:
            tokens = torch.nn.functional.pad(tokens, (0, length - tokens.shape[1]), value=PAD)
        wrong = (tokens[:, 0] != END + rows) | (tokens[:, 1] != END + columns)
        # Most sequences have full length and spell finite numbers: that can be seen without looking for their ends.
        ends_late = tokens.shape[1] > length and bool((tokens[:, length] > END).any())
        values = self.read(_columns(tokens[:, 2:length], count, self.width)).reshape(-1, rows, columns)
        if ends_late or bool(wrong.any()) or not bool(values.sum().isfinite()):
            stops = (tokens <= END).cumsum(1) > 0
            wrong = wrong | ~stops[:, length] if tokens.shape[1] > length else wrong
            tokens, malformed = self.open_gaps(tokens[:, 2:length].masked_fill(stops[:, 2:length], PAD), count)
            values = self.read(_columns(tokens, count, self.width)).reshape(-1, rows, columns)
            values = values.masked_fill((wrong | malformed)[:, None, None], torch.nan)
        return values

    def close_gaps(self, tokens: Tensor) -> Tensor:
        """Move padding inside sequences to their ends; here no number is padded."""
        return tokens

    def open_gaps(self, tokens: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Pad each of ``count`` numbers of sequences (batch, count·width); also say which sequences are malformed."""
        return tokens, (tokens == PAD).any(1)

    def names(self, tokens: Tensor) -> list[list[str]]:
        """Return the names of the tokens of each sequence, padding left out."""
        vocabulary = self.vocabulary
        return [[vocabulary[token] for token in row if token != PAD] for row in tokens.tolist()]

    def tokens(self, names: Sequence[str]) -> list[int]:
        """Return the token numbers of names.

        Raises:
            BadInput: If the encoding has no such token.
        """
        try:
            return [self.numbers[name] for name in names]
        except KeyError as error:
            raise BadInput(f"{self.name} has no token {error}; was this written with another encoding?") from None


def _columns(tokens: Tensor, count: int, width: int) -> Tensor:
    """Turn (batch, count·width) into (width, batch·count), as small numbers in one stretch for each place."""
    columns = torch.empty((width, len(tokens), count), dtype=torch.int32, device=tokens.device)
    return columns.copy_(tokens.unflatten(1, (count, width)).permute(2, 0, 1)).flatten(1)


@lru_cache(maxsize=16)
def _table(encoding: Encoding, device: torch.device) -> Tensor:
    """Tokens of every grid number and of overflow, then of their negatives; padding where there are none."""
    mantissas, exponents = encoding.grid.decimals()
    table = []
    for negative in (False, True):
        name = encoding.overflow[negative] if encoding.overflow else "<pad>"
        too_large = torch.full((1, encoding.width), encoding.numbers[name])
        table += [encoding.write(negative, mantissas, exponents), too_large]
    return torch.cat(table).to(device)
