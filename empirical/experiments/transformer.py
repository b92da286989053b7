"""One transformer on one matrix function, a run a seed; ``full`` is the published protocol with larger batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.experiments.request import Request
    from empirical.transformer_task import TransformerSettings

__all__ = ["run", "settings_at", "table"]

_SMALL_NETWORK = {"dimension": 64, "heads": 4, "encoder_layers": 2}
_SCALES: dict[str, dict[str, Any]] = {
    "smoke": _SMALL_NETWORK
    | {"n": 1, "examples": 640, "batch": 32, "rate": 1e-3, "warmup": 5, "chunk": 10, "reports": 2, "probe": 64}
    | {"samples": 200, "input_encoding": "P1000", "output_encoding": "P1000"},
    "small": _SMALL_NETWORK
    | {"n": 2, "scale": 1.0, "examples": 100_000, "rate": 2e-3, "warmup": 100, "decay": "cosine", "reports": 20}
    | {"samples": 4000, "input_encoding": "P10", "output_encoding": "P10"},
    # The published batch of 64 leaves a GPU idle: 16 times the batch, 4 times the rate, the same examples.
    "full": {"batch": 1024, "rate": 4e-4, "warmup": 2000, "decay": "cosine", "chunk": 32},
}


def settings_at(scale: str) -> TransformerSettings:
    """Return the settings an experiment starts from at a scale."""
    from empirical.transformer_task import TransformerSettings

    return TransformerSettings(**_SCALES[scale])


def run(request: Request) -> dict[str, Any]:
    """Train one transformer a seed and measure each."""
    from empirical.settings import override

    settings = override(settings_at(request.scale), request.options)
    cells = [
        request.cell("empirical.workers:run_transformer", with_seed.label, with_seed)
        for with_seed in (replace(settings, seed=seed) for seed in request.seeds)
    ]
    return {"configuration": asdict(settings), "results": request.sweep(cells)}


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show a row a seed."""
    from empirical.experiments.tables import accuracy_header, accuracy_row

    settings = record["configuration"]
    name = f"{settings['function']} n={settings['n']} {settings['input_encoding']} to {settings['output_encoding']}"
    rows = [[f"seed {result['settings']['seed']}", *accuracy_row(result)] for result in record["results"]]
    return [name, *accuracy_header()], rows
