"""Sine and cosine of symmetric matrices, learned with structure: what the network sees, and how far it has to see.

Networks:

- ``entries``: the published widths from the entries of the matrix to those of the value.
- ``eigenvalues``: a scalar ReLU network between the eigenvalues and V diag(.) V^T; the eigenvectors are computed.
- ``polynomial``: coefficients of a polynomial in the matrix, fitted by least squares; matrix products are computed.

Arguments, raw or ``reduced``: eigenvalues are reduced modulo 2π; matrices are halved until ||B||_F <= 1, the network
gives sin B and cos B, and as many double-angle steps follow. A raw polynomial is in Chebyshev's basis over the bound of
the distribution's norm. The budget (examples, epochs, batches, learning rate) is the same for every trained network.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from empirical import metrics, truth
from empirical.data import EVALUATION, TRAINING, Examples, draw, stream_generator
from empirical.ensembles import Ensemble
from empirical.models.mlp import PUBLISHED_WIDTHS, Mlp
from empirical.train import Schedule, Task, TrainOutcome, train
from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.sweep import Cell

__all__ = ["NETWORKS", "Polynomial", "StructuredSettings", "StructuredTask", "halve", "lift", "run_structured"]

NETWORKS = ("entries", "eigenvalues", "polynomial")
_SCALAR_WIDTHS: tuple[int, ...] = (64, 64, 64)
#: Number of coefficients of a raw polynomial, and of each of a reduced pair.
_RAW_TERMS, _REDUCED_TERMS = 24, 7


@dataclass(frozen=True)
class StructuredSettings:
    """Everything that decides a run; matrices are symmetric with entries uniform on [-scale, scale].

    Attributes:
        function: ``sin`` or ``cos``.
        n, scale: Size and range of the matrices.
        network: One of ``NETWORKS``.
        reduced: Whether the argument is reduced.
        size: Training examples.
        epochs, batch, rate: Passes over the data, examples a step, learning rate.
        samples: Samples measured at the end.
        seed: Seed of weights, order, training and test data.
    """

    function: str = "sin"
    n: int = 3
    scale: float = 5.0
    network: str = "eigenvalues"
    reduced: bool = True
    size: int = 1024
    epochs: int = 100
    batch: int = 128
    rate: float = 1e-3
    samples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.function not in ("sin", "cos"):
            raise BadInput(f"structure is tried on sin and cos, not {self.function!r}")
        if self.network not in NETWORKS:
            raise BadInput(f"no network {self.network!r}; choose from {', '.join(NETWORKS)}")
        if min(self.n, self.size, self.epochs, self.batch, self.samples) < 1:
            raise BadInput("n, size, epochs, batch and samples must be at least 1")

    @property
    def label(self) -> str:
        """A short name for progress and files."""
        argument = "reduced" if self.reduced else "raw"
        return f"{self.function}-{self.n}-{self.network}-{argument}-{self.size}-seed{self.seed}"

    def examples(self, stream: str, count: int, number: int = 0) -> Examples:
        """Return matrices with their values."""
        generator = stream_generator(self.seed, stream, number, torch.device("cpu"))
        return draw(Ensemble("symmetric_uniform", self.n, self.scale), self.function, count, generator)


def halve(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return B = A/2^k with ||B||_F <= 1 and the least such k >= 0, shape (batch,)."""
    norms = torch.linalg.matrix_norm(matrices)
    steps = torch.frexp(norms).exponent.clamp(min=0)  # norm < 2^exponent
    return matrices * torch.exp2(-steps.to(torch.float64))[:, None, None], steps


def lift(sin: Tensor, cos: Tensor, steps: Tensor, function: str) -> Tensor:
    """Take as many double-angle steps from sin B and cos B as each matrix was halved."""
    eye = torch.eye(sin.shape[-1], dtype=sin.dtype)
    for step in range(int(steps.max()) if len(steps) else 0):
        active = (step < steps)[:, None, None]
        sin, cos = torch.where(active, 2 * sin @ cos, sin), torch.where(active, 2 * cos @ cos - eye, cos)
    return sin if function == "sin" else cos


class Polynomial:
    """A matrix polynomial of the function's parity with fitted coefficients.

    Args:
        settings: What to fit, and on what.
    """

    def __init__(self, settings: StructuredSettings) -> None:
        self.settings = settings
        inputs = settings.examples(TRAINING, settings.size).inputs
        if settings.reduced:
            inputs, _ = halve(inputs)
        names = ("sin", "cos") if settings.reduced else (settings.function,)
        self.coefficients = {name: self._fit(name, inputs) for name in names}

    @property
    def parameters(self) -> int:
        """How many coefficients were fitted."""
        return sum(len(values) for values in self.coefficients.values())

    def answer(self, matrices: Tensor) -> Tensor:
        """Return the values at matrices (batch, n, n)."""
        function = self.settings.function
        if not self.settings.reduced:
            return self._value(function, matrices)
        halved, steps = halve(matrices)
        return lift(self._value("sin", halved), self._value("cos", halved), steps, function)

    def _fit(self, name: str, inputs: Tensor) -> Tensor:
        values = truth.evaluate(name, inputs).values
        # Each example counts by its relative error.
        weight = 1 / values.abs().sum((-2, -1))[:, None, None]
        columns = (self._basis(name, inputs) * weight[:, None]).movedim(1, -1).flatten(0, 2)
        return torch.linalg.lstsq(columns, (values * weight).flatten()[:, None], driver="gelsd").solution[:, 0]

    def _value(self, name: str, inputs: Tensor) -> Tensor:
        return torch.einsum("k,bkij->bij", self.coefficients[name], self._basis(name, inputs))

    def _basis(self, name: str, inputs: Tensor) -> Tensor:
        """Return the terms of the function's parity, shape (batch, terms, n, n)."""
        s = self.settings
        count = _REDUCED_TERMS if s.reduced else _RAW_TERMS
        x = inputs if s.reduced else inputs / (s.n * s.scale)
        before, here = torch.eye(s.n, dtype=x.dtype).expand_as(x), x
        terms = [before, here]
        while len(terms) < 2 * count:
            before, here = here, x @ here if s.reduced else 2 * x @ here - before
            terms.append(here)
        return torch.stack(terms[1::2] if name == "sin" else terms[::2], 1)


class StructuredTask(Task):
    """A trained network, between computed parts.

    Args:
        settings: What to train: ``entries`` or ``eigenvalues``.
    """

    kind = "structured"

    def __init__(self, settings: StructuredSettings) -> None:
        self.configuration = self.settings = settings
        self.device, self.precision, self.seed = torch.device("cpu"), "float32", settings.seed
        self.batch = min(settings.batch, settings.size)
        self.batches = -(-settings.size // self.batch)
        steps = settings.epochs * self.batches
        self.schedule = Schedule(steps, settings.rate, decay="cosine", report_every=-(-steps // 10))
        entries = settings.n**2
        examples = settings.examples(TRAINING, settings.size)
        self.drawn, self.rejected = examples.drawn, Counter(examples.rejected)
        if settings.network == "eigenvalues":
            outer, widths = (1, 1), _SCALAR_WIDTHS
            eigenvalues = torch.linalg.eigvalsh(examples.inputs)
            self._inputs = self._angles(eigenvalues)
            self._targets = getattr(torch, settings.function)(eigenvalues).float()
        else:
            outer, widths = (entries, 2 * entries if settings.reduced else entries + 1), PUBLISHED_WIDTHS
            self._inputs, self._targets = self._entries(examples)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model: Mlp = Mlp(*outer, widths)
        self._order: tuple[int, Tensor] | None = None

    def loss(self, step: int) -> Tensor:
        """Return the mean over a batch of relative errors, summed over the parts that are learned."""
        epoch, place = divmod(step, self.batches)
        if self._order is None or self._order[0] != epoch:
            generator = stream_generator(self.seed, "order", epoch, self.device)
            self._order = (epoch, torch.randperm(self.settings.size, generator=generator))
        chosen = self._order[1][place * self.batch : (place + 1) * self.batch]
        inputs, targets = self._inputs[chosen], self._targets[chosen]
        if self.settings.network == "eigenvalues":
            difference = (self.model(inputs[..., None])[..., 0] - targets).abs().sum(1)
            return (difference / targets.abs().sum(1)).mean()
        difference = (self.model(inputs) - targets).abs()
        if not self.settings.reduced:
            return difference.sum(1).mean()  # direction and logarithm of the size: relative errors already
        sizes = targets.abs().unflatten(1, (2, -1)).sum(2)
        return (difference.unflatten(1, (2, -1)).sum(2) / sizes).sum(1).mean()

    def measure(self) -> dict[str, float]:
        """Return the accuracy at 5 % on a small fixed sample."""
        examples = self.settings.examples(EVALUATION, 512)
        distances = metrics.d1(self.answer(examples.inputs), examples.targets)
        return {"accuracy": float((distances < metrics.TOLERANCES[0]).double().mean())}

    @torch.no_grad()
    def answer(self, matrices: Tensor) -> Tensor:
        """Return the answers at matrices (batch, n, n)."""
        self.model.eval()
        s = self.settings
        if s.network == "eigenvalues":
            values, vectors = torch.linalg.eigh(matrices)
            found = self.model(self._angles(values)[..., None])[..., 0].double()
            return (vectors * found[:, None, :]) @ vectors.mT
        if not s.reduced:
            found = self.model((matrices / s.scale).flatten(1).float()).double()
            return (found[:, :-1] * found[:, -1:].exp()).reshape(matrices.shape)
        halved, steps = halve(matrices)
        pair = self.model(halved.flatten(1).float()).double().reshape(-1, 2, s.n, s.n)
        return lift(pair[:, 0], pair[:, 1], steps, s.function)

    def _angles(self, eigenvalues: Tensor) -> Tensor:
        if self.settings.reduced:
            return (torch.remainder(eigenvalues + math.pi, 2 * math.pi) / math.pi - 1).float()
        return (eigenvalues / (self.settings.n * self.settings.scale)).float()

    def _entries(self, examples: Examples) -> tuple[Tensor, Tensor]:
        if self.settings.reduced:
            halved, _ = halve(examples.inputs)
            pair = [truth.evaluate(name, halved).values.flatten(1) for name in ("sin", "cos")]
            return halved.flatten(1).float(), torch.cat(pair, 1).float()
        flat = examples.targets.flatten(1)
        size = flat.abs().sum(1, keepdim=True)
        return (examples.inputs / self.settings.scale).flatten(1).float(), torch.cat(
            [flat / size, size.log()], 1
        ).float()


def run_structured(cell: Cell) -> dict[str, Any]:
    """Train or fit one cell of a sweep and measure it; no checkpoint of a finished one stays."""
    settings = StructuredSettings(**cell.settings)
    record: dict[str, Any] = {"outcome": TrainOutcome.FINISHED.value, "settings": asdict(settings)}
    solver: Polynomial | StructuredTask
    if settings.network == "polynomial":
        solver = Polynomial(settings)
        record |= {"parameters": solver.parameters}
    else:
        solver = StructuredTask(settings)
        limit = cell.seconds_left()
        result = train(
            solver, cell.checkpoint, resume=cell.resume, progress=cell.progress, label=cell.label, max_seconds=limit
        )
        record |= {
            "outcome": result.outcome.value,
            "parameters": sum(parameter.numel() for parameter in solver.model.parameters()),
            "train": result.as_record(solver.batch),
        }
        if result.outcome is not TrainOutcome.STOPPED:
            cell.checkpoint.unlink(missing_ok=True)
    if record["outcome"] == TrainOutcome.FINISHED.value:
        examples = settings.examples(EVALUATION, settings.samples, 1)
        distances = metrics.d1(solver.answer(examples.inputs), examples.targets)
        record["test"] = {
            "samples": settings.samples,
            "accuracy": metrics.accuracies(distances),
            "quantiles": metrics.quantiles(distances),
        }
    return record
