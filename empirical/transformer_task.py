"""Training a transformer on a matrix function in tokens: settings, data, loss, and what is measured at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from empirical import ceilings, metrics, truth
from empirical.curriculum import Curriculum
from empirical.data import EVALUATION, TRAINING, Examples, draw, stream_generator
from empirical.encodings.encoding import LARGEST, PAD, Encoding
from empirical.encodings.published import get_encoding
from empirical.ensembles import Ensemble
from empirical.models.numeric import numeric_embedding
from empirical.models.transformer import Transformer, TransformerSize, teacher_forcing
from empirical.train import Schedule, Task
from empirical.train_memory import check_memory, training_bytes, transformer_parameters
from theory.errors import BadInput

__all__ = ["TransformerSettings", "TransformerTask"]


@dataclass(frozen=True)
class TransformerSettings:
    """Everything that decides a run. The defaults are the published protocol at n = 3.

    Attributes:
        function: Matrix function to learn.
        ensemble: Kind of random matrices, with their size ``n``, ``scale`` and ``floor``.
        input_encoding: How the matrix is written.
        output_encoding: How the value is written.
        dimension, heads, encoder_layers, decoder_layers: Shape of the network.
        batch: Examples a step.
        examples: Examples in all; never repeated.
        rate, warmup, decay, clip: Learning rate and gradient clipping, see ``train.Schedule``.
        precision: ``float32``, or ``bfloat16`` on a GPU; ``auto`` is the latter there.
        chunk: Batches drawn at a time.
        reports: Reports and checkpoints over the run.
        probe: Samples measured at every report.
        samples: Samples measured at the end.
        round_inputs: Learn f at the matrix as its tokens say it, and test there: the task is then well posed.
        triangle: Write the upper triangles alone; for symmetric matrices, whose values are symmetric.
        curriculum, growth: Share of the run over which the training matrices grow into the ensemble, and what of them
            grows: ``scale`` or ``coupling``, see ``empirical.curriculum``.
        embedding: Where token vectors start: ``random`` (published), or ``numeric``, see ``empirical.models.numeric``.
        seed: Seed of weights, training and test data.
    """

    function: str = "exp"
    ensemble: str = "symmetric_uniform"
    n: int = 3
    scale: float = 5.0
    floor: float = 0.1
    input_encoding: str = "FP15"
    output_encoding: str = "FP15"
    dimension: int = 512
    heads: int = 8
    encoder_layers: int = 8
    decoder_layers: int = 1
    batch: int = 64
    examples: int = 30_000_000
    rate: float = 1e-4
    warmup: int = 10_000
    decay: str = "constant"
    clip: float = 5.0
    precision: str = "auto"
    chunk: int = 64
    reports: int = 100
    probe: int = 512
    samples: int = 10_000
    round_inputs: bool = False
    triangle: bool = False
    curriculum: float = 0.0
    growth: str = "scale"
    embedding: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.function not in truth.FUNCTIONS:
            raise BadInput(f"no matrix function {self.function!r}; choose from {', '.join(truth.FUNCTIONS)}")
        if min(self.batch, self.chunk, self.reports, self.probe, self.samples) < 1 or self.examples < self.batch:
            raise BadInput("batch, chunk, reports, probe and samples must be at least 1, and examples at least a batch")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise BadInput(f"no precision {self.precision!r}; choose auto, float32 or bfloat16")
        if self.triangle and self.ensemble not in ("symmetric_uniform", "symmetric_spectrum", "positive_definite"):
            raise BadInput("triangle=true needs an ensemble of symmetric matrices")
        if self.n > LARGEST:
            raise BadInput(f"matrices of 1 to {LARGEST} rows and columns have tokens, not n = {self.n}")
        Curriculum(self.curriculum, self.growth)
        if self.embedding not in ("random", "numeric"):
            raise BadInput(f"no embedding {self.embedding!r}; choose random or numeric")
        if self.embedding == "numeric" and self.dimension % 4:
            raise BadInput(f"numeric embeddings need a dimension that is a multiple of 4, not {self.dimension}")

    @property
    def label(self) -> str:
        """A short name for progress and files."""
        return f"{self.function}-{self.n}-{self.input_encoding}-{self.output_encoding}-seed{self.seed}"

    def matrices(self) -> Ensemble:
        """Return the distribution of the matrices."""
        return Ensemble(self.ensemble, self.n, self.scale, self.floor)


class TransformerTask(Task):
    """A transformer, its data streams and its loss.

    Args:
        settings: What to train.
        device: Where.
    """

    kind = "transformer"

    def __init__(self, settings: TransformerSettings, device: torch.device) -> None:
        if settings.precision == "auto":
            settings = replace(settings, precision="bfloat16" if device.type == "cuda" else "float32")
        self.configuration = self.settings = settings
        self.device, self.precision, self.batch, self.seed = device, settings.precision, settings.batch, settings.seed
        self.ensemble, self.curriculum = settings.matrices(), Curriculum(settings.curriculum, settings.growth)
        self.written, self.answered = get_encoding(settings.input_encoding), get_encoding(settings.output_encoding)
        steps = settings.examples // settings.batch
        self.schedule = Schedule(
            steps, settings.rate, settings.warmup, settings.decay, settings.clip, -(-steps // settings.reports)
        )
        size = TransformerSize(settings.dimension, settings.heads, settings.encoder_layers, settings.decoder_layers)
        shape = self._pack(torch.zeros(1, settings.n, settings.n)).shape[1:]
        self._check_memory(shape)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)  # on the CPU, so that every device starts from the same weights
            model = Transformer(
                size,
                len(self.written.vocabulary),
                len(self.answered.vocabulary),
                self.written.length(*shape),
                self.answered.length(*shape),
            )
            if settings.embedding == "numeric":
                _number_embeddings(model, (self.written, self.answered))
        self.model: Transformer = model.to(device)
        self.rejected: Counter[str] = Counter()
        self.drawn = 0
        self._counted = -1
        self._chunk: tuple[int, Tensor, Tensor, bool] | None = None
        self._probe: Examples | None = None

    def _check_memory(self, shape: Sequence[int]) -> None:
        settings = self.settings
        parameters = transformer_parameters(
            settings.dimension,
            (settings.encoder_layers, settings.decoder_layers),
            (len(self.written.vocabulary), len(self.answered.vocabulary)),
            (self.written.length(*shape), self.answered.length(*shape)),
        )
        samples = max(settings.chunk * settings.batch, settings.samples, settings.probe)
        check_memory(
            training_bytes(parameters, samples, settings.n**2),
            self.device,
            "ask for a smaller dimension, fewer layers, or a smaller batch, chunk or number of samples",
        )

    def loss(self, step: int) -> Tensor:
        """Return the mean cross-entropy of the answers' tokens."""
        number, place = divmod(step, self.settings.chunk)
        if self._chunk is None or self._chunk[0] != number:
            self._chunk = (number, *self._draw_chunk(number))
        _, sources, targets, padded = self._chunk
        part = slice(place * self.batch, (place + 1) * self.batch)
        shown, wanted = teacher_forcing(targets[part])
        scores = self.model(sources[part], shown, padded)
        return functional.cross_entropy(scores.flatten(0, 1).float(), wanted.flatten(), ignore_index=PAD)

    def measure(self) -> dict[str, float]:
        """Return the accuracy at 5 % on a small fixed sample."""
        if self._probe is None:
            self._probe = self._examples(self.ensemble, self.settings.probe, EVALUATION, 0)
        answers = self.answer(self._probe.inputs)
        distances = metrics.d1(answers, self._wanted(self._probe.targets))
        return {"accuracy": float((distances < metrics.TOLERANCES[0]).double().mean())}

    def state(self) -> dict[str, Any]:
        """Return the counts of drawn and rejected samples."""
        return {"drawn": self.drawn, "rejected": dict(self.rejected), "counted": self._counted}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the counts back."""
        self.drawn, self.rejected, self._counted = state["drawn"], Counter(state["rejected"]), state["counted"]

    @torch.no_grad()
    def answer(self, matrices: Tensor) -> Tensor:
        """Return the network's answers to matrices (batch, n, n), in float32 and greedily; NaN where it spells none."""
        self.model.eval()
        packed = self._pack(matrices)
        rows, columns = packed.shape[1:]
        # Scores of the whole vocabulary are formed for every sequence: keep them within about a quarter of a gigabyte.
        size = max(1, min(2**26 // len(self.answered.vocabulary), 4096))
        found = [
            self.answered.decode(self.model.greedy(self.written.encode(part)), rows, columns)
            for part in packed.split(size)
        ]
        return self._unpack(torch.cat(found))

    def evaluate(self, samples: int | None = None, seed: int | None = None) -> dict[str, Any]:
        """Measure on fresh samples: accuracy beside the exact solver's, at every tolerance.

        ``accuracy`` compares with the value as its tokens say it (the published measure), ``accuracy_exact`` with the
        value itself; ``ceiling`` and ``ceiling_exact`` are the same for a solver that sees the tokens and errs nowhere.
        """
        count = self.settings.samples if samples is None else samples
        examples = self._examples(self.ensemble, count, EVALUATION, 1, seed)
        answers, wanted = self.answer(examples.inputs), self._wanted(examples.targets)
        best = ceilings.exact_answers(self.settings.function, examples.inputs, self.written, self.answered)
        distances = metrics.d1(answers, wanted)
        return {
            "samples": count,
            "drawn": examples.drawn,
            "rejected": examples.rejected,
            "accuracy": metrics.accuracies(distances),
            "accuracy_exact": metrics.accuracies(metrics.d1(answers, examples.targets)),
            "ceiling": metrics.accuracies(metrics.d1(best, wanted)),
            "ceiling_exact": metrics.accuracies(metrics.d1(best, examples.targets)),
            "spelt": float(answers.isfinite().all(-1).all(-1).double().mean()),
            "quantiles": metrics.quantiles(distances),
        }

    def _draw_chunk(self, number: int) -> tuple[Tensor, Tensor, bool]:
        settings = self.settings
        done = number * settings.chunk / self.schedule.steps
        ensemble = self.curriculum.ensemble(self.ensemble, done)
        examples = self._examples(ensemble, settings.chunk * settings.batch, TRAINING, number, done=done)
        if number > self._counted:
            self._counted = number
            self.drawn += examples.drawn
            self.rejected.update(examples.rejected)
        sources = self.written.encode(self._pack(examples.inputs))
        targets = self.answered.encode(self._pack(examples.targets))
        return sources, targets, bool((sources == PAD).any())

    def _examples(
        self, ensemble: Ensemble, count: int, stream: str, number: int, seed: int | None = None, done: float = 1.0
    ) -> Examples:
        generator = stream_generator(self.seed if seed is None else seed, stream, number, self.device)

        def prepare(matrices: Tensor) -> Tensor:
            loosened = self.curriculum.loosen(matrices, done)
            return ceilings.round_to(self.written, loosened) if self.settings.round_inputs else loosened

        return draw(ensemble, self.settings.function, count, generator, prepare)

    def _wanted(self, values: Tensor) -> Tensor:
        """The values as their tokens say them."""
        return ceilings.round_to(self.answered, values)

    def _pack(self, matrices: Tensor) -> Tensor:
        """What is written of a matrix: itself, or its upper triangle as one row."""
        if not self.settings.triangle:
            return matrices
        rows, columns = torch.triu_indices(self.settings.n, self.settings.n, device=matrices.device)
        return matrices[:, rows, columns][:, None, :]

    def _unpack(self, packed: Tensor) -> Tensor:
        if not self.settings.triangle:
            return packed
        n = self.settings.n
        rows, columns = torch.triu_indices(n, n, device=packed.device)
        matrices = packed.new_empty(len(packed), n, n)
        matrices[:, rows, columns] = matrices[:, columns, rows] = packed[:, 0]
        return matrices


def _number_embeddings(model: Transformer, encodings: tuple[Encoding, Encoding]) -> None:
    """Let the token vectors of source and target start as functions of numbers, from torch's own random state."""
    tables = (model.source_embedding.weight, model.target_embedding.weight)
    with torch.no_grad():
        for table, encoding in zip(tables, encodings, strict=True):
            table.copy_(numeric_embedding(encoding, table.shape[1], torch.default_generator))
