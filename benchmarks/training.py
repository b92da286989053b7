"""Training steps against a plain ``nn.Transformer`` loop that makes its data in Python: a ratio in one run.

``python -m benchmarks.training [--function exp] [--n 3] [--encoding B1999] [--dimension 128] [--steps 20]
[--precision float32]``; in bfloat16 both loops run in torch's mixed precision.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import scipy.linalg
import torch
from torch import nn

from benchmarks.ratios import Ratio
from empirical.encodings import get_encoding
from empirical.encodings.encoding import PAD
from empirical.models.transformer import teacher_forcing
from empirical.train import autocast
from empirical.transformer_task import TransformerSettings, TransformerTask
from tests.naive.naive_encodings import encode_matrix

FUNCTIONS = {"exp": scipy.linalg.expm, "sign": scipy.linalg.signm, "sin": scipy.linalg.sinm, "cos": scipy.linalg.cosm}


class PlainTransformer(nn.Module):
    """torch's own encoder-decoder with embeddings and learned positions."""

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        d, n = settings.dimension, settings.n
        written, answered = get_encoding(settings.input_encoding), get_encoding(settings.output_encoding)
        self.source, self.target = nn.Embedding(len(written.vocabulary), d), nn.Embedding(len(answered.vocabulary), d)
        self.source_positions = nn.Parameter(torch.randn(written.length(n, n), d))
        self.target_positions = nn.Parameter(torch.randn(answered.length(n, n) + 1, d))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about nested tensors, which training does not use
            self.core = nn.Transformer(
                d,
                settings.heads,
                settings.encoder_layers,
                settings.decoder_layers,
                4 * d,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
        self.head = nn.Linear(d, len(answered.vocabulary))

    def forward(self, source: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """Return scores of the token after each one shown."""
        length = shown.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        x = self.source(source) + self.source_positions[: source.shape[1]]
        y = self.target(shown) + self.target_positions[:length]
        return self.head(self.core(x, y, tgt_mask=mask, tgt_is_causal=True))


def python_batch(settings: TransformerSettings, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw, evaluate and encode one matrix after the other."""
    written, answered = get_encoding(settings.input_encoding), get_encoding(settings.output_encoding)
    sources, targets = [], []
    for _ in range(settings.batch):
        matrix = random.uniform(-settings.scale, settings.scale, (settings.n, settings.n))
        matrix = np.triu(matrix) + np.triu(matrix, 1).T
        value = FUNCTIONS[settings.function](matrix)
        sources.append([written.numbers[name] for name in encode_matrix(written.name, matrix.tolist())])
        targets.append([answered.numbers[name] for name in encode_matrix(answered.name, value.tolist())])
    return padded(sources), padded(targets)


def padded(rows: list[list[int]]) -> torch.Tensor:
    length = max(map(len, rows))
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])


def steps_per_second(loss: Callable[[int], torch.Tensor], model: nn.Module, steps: int, fused: bool) -> float:
    """Count steps a second of processor time, on one thread: other work on the machine does not count."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=fused)
    start = 0.0
    for step in range(steps + 3):
        if step == 3:
            start = time.process_time()
        optimizer.zero_grad()
        loss(step).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    return steps / (time.process_time() - start)


def rates(settings: TransformerSettings, steps: int) -> tuple[float, float]:
    """Return examples a second, ours and the plain loop's, on one thread."""
    torch.set_num_threads(1)
    task = TransformerTask(settings, torch.device("cpu"))
    plain, random = PlainTransformer(settings), np.random.default_rng(0)

    def own_loss(step: int) -> torch.Tensor:
        with autocast(task):
            return task.loss(step)

    def plain_loss(step: int) -> torch.Tensor:
        source, target = python_batch(settings, random)
        shown, wanted = teacher_forcing(target)
        with autocast(task):
            scores = plain(source, shown)
            return nn.functional.cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=PAD)

    # In turns, so that a machine busy with other things slows both alike.
    ours, theirs = [], []
    for _ in range(3):
        ours.append(steps_per_second(own_loss, task.model, steps, fused=True))
        theirs.append(steps_per_second(plain_loss, plain, steps, fused=False))
    return max(ours) * settings.batch, max(theirs) * settings.batch


def small_settings(
    function: str, n: int, encoding: str, dimension: int, layers: int, precision: str = "float32"
) -> TransformerSettings:
    return TransformerSettings(
        function=function,
        n=n,
        input_encoding=encoding,
        output_encoding=encoding,
        dimension=dimension,
        encoder_layers=layers,
        chunk=16,
        precision=precision,
    )


def measure() -> list[Ratio]:
    """Return how many times the plain loop's examples a second ours are, for two encodings and two precisions."""
    found = []
    for precision in ("float32", "bfloat16"):
        for encoding in ("P10", "B1999"):
            ours, plain = rates(small_settings("exp", 3, encoding, 128, 2, precision), 12)
            name = f"exp n = 3 {encoding} d = 128 {precision}: training steps, times a plain loop's"
            found.append(Ratio(name, ours / plain, "at_least", 1))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", default="exp", choices=sorted(FUNCTIONS))
    parser.add_argument("--n", type=int, default=3)
    parser.add_argument("--encoding", default="B1999")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    a = parser.parse_args(argv)
    first, second = rates(small_settings(a.function, a.n, a.encoding, a.dimension, a.layers, a.precision), a.steps)
    name = f"{a.function} n={a.n} {a.encoding} d={a.dimension} {a.precision}"
    print(f"{name}: {first:,.0f} examples/s, plain {second:,.0f}, ratio {first / second:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
