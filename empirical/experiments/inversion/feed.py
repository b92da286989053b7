"""The batches of a training run, a function of seed and step alone: a resumed run sees the very same ones.

A source is a box (or K_δ) with a seed. With a training set of a fixed size it is drawn once and gone through in a new
order every epoch (a last batch that would not be full is left out); without one, fresh matrices are drawn for every
step, as the paper does for 16×16. Batches are made a block of steps at a time, for all sources, in the layout that
``empirical.batched_mlp`` trains on: the batch last.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from empirical import truth
from empirical.data import stream_generator
from empirical.experiments.inversion.boxes import Box, Shell
from theory.errors import BadInput

__all__ = ["Feed", "Source", "TestSet", "draw_test_set"]

_BLOCK_BYTES = 1 << 25
_MOST_BLOCK_STEPS = 256
#: Fresh matrices come in chunks of this many steps, so that a step's matrices depend on its number alone.
_CHUNK_STEPS = 32


@dataclass(frozen=True)
class Source:
    """Where one network's training matrices come from.

    Attributes:
        place: The box, or K_δ.
        seed: Seed of matrices and order.
        size: How many matrices the training set has; None for fresh ones at every step.
    """

    place: Box | Shell
    seed: int
    size: int | None


@dataclass(frozen=True)
class TestSet:
    """Matrices to measure on, and their inverses, right to 1e-13.

    Attributes:
        inputs: float64, shape (count, n²), row by row.
        targets: Of the same shape.
        drawn: How many samples it took.
    """

    __test__ = False  # Not a test for pytest to collect.

    inputs: Tensor
    targets: Tensor
    drawn: int


def draw_test_set(place: Box | Shell, count: int, device: torch.device) -> TestSet:
    """Draw the test matrices of a box: the same ones for every network and every seed.

    Raises:
        BadInput: If one of them has no inverse that is known to 1e-13.
    """
    matrices, drawn = place.sample(count, stream_generator(0, f"inversion test {place.name}", 0, device))
    found = truth.evaluate("inverse", matrices)
    if not bool(found.ok.all()):
        raise BadInput(f"{place.name} holds matrices too near singular ones; choose a smaller reach")
    return TestSet(matrices.flatten(1), found.values.flatten(1), drawn)


class Feed:
    """Batches of several sources side by side.

    Args:
        sources: All of matrices of one size, all with or all without a training set of one size.
        batch: Matrices a step, for every source.
        device: Where they are made.

    Raises:
        BadInput: If the sources do not fit together, or a training set is smaller than a batch.
    """

    def __init__(self, sources: list[Source], batch: int, device: torch.device) -> None:
        if len({(source.place.n, source.size) for source in sources}) != 1:
            raise BadInput("sources fed together need matrices of one size and training sets of one size")
        self.sources, self.batch, self.device = sources, batch, device
        self.entries = sources[0].place.n ** 2
        self.size = sources[0].size
        if self.size is not None and self.size < batch:
            raise BadInput(f"a training set of {self.size} matrices is smaller than a batch of {batch}")
        self._sets = [] if self.size is None else [self._examples(source, 0, self.size) for source in sources]
        self._orders: tuple[int, list[Tensor]] | None = None
        step_bytes = len(sources) * 2 * self.entries * batch * 4
        self.block_steps = max(1, min(_MOST_BLOCK_STEPS, _BLOCK_BYTES // step_bytes))
        self._block: tuple[int, Tensor] | None = None

    def step(self, number: int) -> tuple[Tensor, Tensor]:
        """Return a step's inputs and targets: float32, each of shape (sources, n², batch)."""
        first = self._block_start(number)
        if self._block is None or self._block[0] != first:
            self._block = None  # Give the memory back before the next block is made.
            self._block = (first, self._make(first))
        both = self._block[1][number - first]
        return both[:, : self.entries], both[:, self.entries :]

    @property
    def epoch_steps(self) -> int | None:
        """Steps in one pass over a training set."""
        return None if self.size is None else self.size // self.batch

    def _block_start(self, number: int) -> int:
        span = self.epoch_steps or _CHUNK_STEPS
        place = number % span
        return number - place + place // self.block_steps * self.block_steps

    def _make(self, first: int) -> Tensor:
        """Return a block: (steps, sources, 2n², batch)."""
        span = self.epoch_steps or _CHUNK_STEPS
        steps = min(self.block_steps, span - first % span)
        block = torch.empty(steps, len(self.sources), 2 * self.entries, self.batch, device=self.device)
        for index, source in enumerate(self.sources):
            rows = self._rows(index, source, first, steps)
            block[:, index] = rows.view(steps, self.batch, 2 * self.entries).mT
        return block

    def _rows(self, index: int, source: Source, first: int, steps: int) -> Tensor:
        """Return (steps · batch, 2n²): the matrices of these steps with their inverses."""
        if self.epoch_steps is None:
            chunk, place = divmod(first, _CHUNK_STEPS)
            # All of the chunk is drawn, whatever part of it fits a block: the matrices must not depend on blocks.
            examples = self._examples(source, 1 + chunk, _CHUNK_STEPS * self.batch, place * self.batch)
            return examples[: steps * self.batch]
        epoch, place = divmod(first, self.epoch_steps)
        if self._orders is None or self._orders[0] != epoch:
            self._orders = (epoch, [self._order(each, epoch) for each in self.sources])
        chosen = self._orders[1][index][place * self.batch : (place + steps) * self.batch]
        return self._sets[index][chosen]

    def _order(self, source: Source, epoch: int) -> Tensor:
        generator = stream_generator(source.seed, f"inversion order {source.place.name}", epoch, self.device)
        return torch.randperm(self.size or 0, generator=generator, device=self.device)

    def _examples(self, source: Source, number: int, count: int, skip: int = 0) -> Tensor:
        generator = stream_generator(source.seed, f"inversion training {source.place.name}", number, self.device)
        matrices, _ = source.place.sample(count, generator)
        inputs = matrices[skip:].float()
        # The inverse of the rounded matrix, which is what the network sees: right to about 1e-15 times its condition.
        targets = torch.linalg.inv(inputs.double()).float()
        return torch.cat([inputs.flatten(1), targets.flatten(1)], 1)
