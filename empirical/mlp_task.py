"""Plain ReLU networks on matrix functions: the published baseline, and what the same budget gives if spent well.

``published``: entries in, entries out, mean squared error, dropout 0.2, constant learning rate. The values of exp span
ten orders of magnitude, so a squared error sees the largest few samples alone, and the measure, which is relative, is
not what is trained.

``improved``: the same widths, data, batches, epochs and learning rate, but entries divided by their standard deviation;
the value split into its size s = sum|entries|, as a logarithm, and its direction, the entries over s; the loss is the
error of the direction plus that of log s, which bounds d1 to first order; no dropout; cosine decay.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from empirical import metrics, truth
from empirical.data import EVALUATION, TRAINING, Examples, draw, stream_generator
from empirical.ensembles import Ensemble
from empirical.models.mlp import PUBLISHED_WIDTHS, Mlp
from empirical.train import Schedule, Task
from empirical.train_memory import check_memory, mlp_parameters, training_bytes
from theory.errors import BadInput

__all__ = ["VARIANTS", "MlpSettings", "MlpTask"]

VARIANTS = ("published", "improved")
_SIGMA = 5 / math.sqrt(3)


@dataclass(frozen=True)
class MlpSettings:
    """Everything that decides a run; entries are normal with standard deviation 5/√3, for log their absolute values.

    Attributes:
        function: Matrix function to learn.
        n: Dimension of the matrices.
        size: Examples in the training set, seen once an epoch.
        variant: ``published`` or ``improved``.
        epochs, batch, rate: Passes over the data, examples a step, learning rate.
        samples: Samples measured at the end.
        seed: Seed of weights, dropout, order, training and test data.
    """

    function: str = "exp"
    n: int = 1
    size: int = 2**10
    variant: str = "published"
    epochs: int = 100
    batch: int = 128
    rate: float = 1e-3
    samples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.function not in truth.FUNCTIONS:
            raise BadInput(f"no matrix function {self.function!r}; choose from {', '.join(truth.FUNCTIONS)}")
        if self.variant not in VARIANTS:
            raise BadInput(f"no variant {self.variant!r}; choose from {', '.join(VARIANTS)}")
        if min(self.n, self.size, self.epochs, self.batch, self.samples) < 1:
            raise BadInput("n, size, epochs, batch and samples must be at least 1")

    @property
    def label(self) -> str:
        """A short name for progress and files."""
        return f"{self.function}-{self.n}-{self.size}-{self.variant}-seed{self.seed}"


class MlpTask(Task):
    """A ReLU network, its fixed training set and its loss.

    Args:
        settings: What to train.
        device: Where.
    """

    kind = "mlp"

    def __init__(self, settings: MlpSettings, device: torch.device) -> None:
        self.configuration = self.settings = settings
        self.device, self.precision, self.seed = device, "float32", settings.seed
        self.batch = min(settings.batch, settings.size)
        self.improved = settings.variant == "improved"
        self.batches = -(-settings.size // self.batch)
        steps = settings.epochs * self.batches
        decay = "cosine" if self.improved else "constant"
        self.schedule = Schedule(steps, settings.rate, decay=decay, report_every=-(-steps // 10))
        entries = settings.n**2
        check_memory(
            training_bytes(
                mlp_parameters((entries, *PUBLISHED_WIDTHS, entries)), max(settings.size, settings.samples), entries
            ),
            device,
            "ask for a smaller n, training set or number of samples",
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            model = Mlp(entries, entries + self.improved, dropout=0.0 if self.improved else 0.2)
        self.model: Mlp = model.to(device)
        examples = self._examples(TRAINING, settings.size)
        self.drawn, self.rejected = examples.drawn, Counter(examples.rejected)
        self._inputs = examples.inputs.flatten(1).float()
        self._targets = self._target(examples.targets)
        self._order: tuple[int, Tensor] | None = None

    def loss(self, step: int) -> Tensor:
        """Return the loss of a batch; every epoch goes through the whole set in an order of its own."""
        epoch, place = divmod(step, self.batches)
        if self._order is None or self._order[0] != epoch:
            generator = stream_generator(self.seed, "order", epoch, self.device)
            self._order = (epoch, torch.randperm(self.settings.size, generator=generator, device=self.device))
        chosen = self._order[1][place * self.batch : (place + 1) * self.batch]
        answer, target = self._run(self._inputs[chosen]), self._targets[chosen]
        if not self.improved:
            return torch.nn.functional.mse_loss(answer, target)
        difference = (answer - target).abs()
        return difference.sum(1).mean()

    def measure(self) -> dict[str, float]:
        """Return the accuracy at 5 % on a small fixed sample."""
        examples = self._examples(EVALUATION, 512)
        distances = metrics.d1(self.answer(examples.inputs), examples.targets)
        return {"accuracy": float((distances < metrics.TOLERANCES[0]).double().mean())}

    @torch.no_grad()
    def answer(self, matrices: Tensor) -> Tensor:
        """Return the network's answers to matrices (batch, n, n)."""
        self.model.eval()
        found = self._run(matrices.flatten(1).float()).double()
        if self.improved:
            found = found[:, :-1] * found[:, -1:].exp()
        return found.reshape(matrices.shape)

    def evaluate(self, samples: int | None = None, seed: int | None = None) -> dict[str, Any]:
        """Measure on fresh samples."""
        count = self.settings.samples if samples is None else samples
        examples = self._examples(EVALUATION, count, 1, seed)
        distances = metrics.d1(self.answer(examples.inputs), examples.targets)
        return {
            "samples": count,
            "drawn": examples.drawn,
            "rejected": examples.rejected,
            "accuracy": metrics.accuracies(distances),
            "quantiles": metrics.quantiles(distances),
        }

    def _run(self, inputs: Tensor) -> Tensor:
        return self.model(inputs / _SIGMA if self.improved else inputs)

    def _target(self, values: Tensor) -> Tensor:
        flat = values.flatten(1)
        if self.improved:
            # A zero value has no direction; it does not occur in these distributions but for rounding.
            size = flat.abs().sum(1, keepdim=True).clamp(min=1e-30)
            flat = torch.cat([flat / size, size.log()], 1)
        return flat.float()

    def _examples(self, stream: str, count: int, number: int = 0, seed: int | None = None) -> Examples:
        kind = "abs_normal" if self.settings.function == "log" else "normal"
        generator = stream_generator(self.seed if seed is None else seed, stream, number, self.device)
        return draw(Ensemble(kind, self.settings.n, _SIGMA), self.settings.function, count, generator)
