"""What the encodings themselves allow: the score of a solver that reads and writes tokens and errs nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from empirical.encodings.names import NAMES, check_name
from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["CeilingSettings", "run", "table"]


@dataclass(frozen=True)
class CeilingSettings:
    """What is measured.

    Attributes:
        functions: Matrix functions.
        encodings: Encodings of matrix and value.
        dimensions: Dimensions of the matrices.
        ensemble: Kind of random matrices; log takes ``positive_definite`` ones instead of ``symmetric_uniform``.
        samples: Matrices a cell.
    """

    functions: tuple[str, ...] = ("exp", "log", "sign", "sin", "cos", "sqrt", "inverse")
    encodings: tuple[str, ...] = NAMES
    dimensions: tuple[int, ...] = (1, 2, 3, 4, 5)
    ensemble: str = "symmetric_uniform"
    samples: int = 10_000

    def __post_init__(self) -> None:
        for name in self.encodings:
            check_name(name)
        if min(self.samples, *self.dimensions) < 1:
            raise BadInput("samples and dimensions must be at least 1")


_SCALES = {
    "smoke": CeilingSettings(("exp", "sign"), NAMES, (2,), samples=200),
    "small": CeilingSettings(dimensions=(3,), samples=2000),
    "full": CeilingSettings(),
}


def run(request: Request) -> dict[str, Any]:
    """Measure every cell."""
    from empirical.settings import override

    settings = override(_SCALES[request.scale], request.options)
    from empirical.train_memory import check_memory, training_bytes

    needed = training_bytes(0, settings.samples, max(settings.dimensions) ** 2)
    check_memory(needed, request.device, "ask for fewer samples or smaller dimensions")
    results = []
    cells = [(f, n, seed) for f in settings.functions for n in settings.dimensions for seed in request.seeds]
    for number, (function, n, seed) in enumerate(cells, start=1):
        results += _measure(settings, function, n, seed, request.device)
        request.progress.update("ceilings", number, len(cells))
    return {"configuration": asdict(settings), "results": results}


def _measure(settings: CeilingSettings, function: str, n: int, seed: int, device: Any) -> list[dict[str, Any]]:
    """Measure all encodings on the same matrices."""
    from empirical import ceilings, metrics
    from empirical.data import EVALUATION, chunk
    from empirical.encodings.published import get_encoding
    from empirical.ensembles import Ensemble

    symmetric = settings.ensemble == "symmetric_uniform"
    kind = "positive_definite" if symmetric and function in ("log", "sqrt") else settings.ensemble
    examples = chunk(Ensemble(kind, n), function, settings.samples, seed, EVALUATION, 1, device)
    results = []
    by_grid: dict[Any, Any] = {}
    for name in settings.encodings:
        encoding = get_encoding(name)
        # Encodings that write the same numbers allow the same answers.
        if encoding.grid not in by_grid:
            by_grid[encoding.grid] = ceilings.exact_answers(function, examples.inputs, encoding, encoding)
        answers = by_grid[encoding.grid]
        usable = encoding.representable(examples.targets)
        wanted = ceilings.round_to(encoding, examples.targets)
        results.append(
            {
                "function": function,
                "ensemble": kind,
                "n": n,
                "encoding": name,
                "seed": seed,
                "drawn": examples.drawn,
                "rejected": examples.rejected,
                "tokens": encoding.length(n, n),
                "unwritable": float((~usable).any(-1).any(-1).double().mean()),
                "ceiling": metrics.accuracies(metrics.d1(answers, wanted)),
                "ceiling_exact": metrics.accuracies(metrics.d1(answers, examples.targets)),
            }
        )
    return results


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show a row a cell."""
    from empirical.experiments.tables import percent

    header = ["cell", "tokens", "5 %", "2 %", "1 %", "0.5 %", "unwritable %"]
    rows = []
    for result in record["results"]:
        name = f"{result['function']} n={result['n']} {result['encoding']}, {result['ensemble']}, seed {result['seed']}"
        shares = [percent(share) for share in result["ceiling"].values()]
        rows.append([name, str(result["tokens"]), *shares, percent(result["unwritable"])])
    return header, rows
