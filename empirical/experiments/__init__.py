"""The experiments, one module each: what it trains or measures, at three scales, and how its record reads as a table.

A module offers ``run(request) -> body`` and ``table(record) -> (header, rows)``: the body is plain JSON values with
at least ``configuration`` and ``results``; ``empirical.store`` adds seeds, versions, device and command line.
"""

from __future__ import annotations

from types import ModuleType

__all__ = ["EXPERIMENTS", "load_experiment"]

#: Experiment -> (module, one line of help); a module is imported when its experiment is asked for.
EXPERIMENTS: dict[str, tuple[str, str]] = {
    "encodings": (
        "empirical.experiments.encodings",
        "what the encodings allow: the score of an exact solver that reads and writes tokens",
    ),
    "transformer": (
        "empirical.experiments.transformer",
        "one encoder-decoder transformer on one matrix function, a run a seed",
    ),
    "mlp_baseline": (
        "empirical.experiments.mlp_baseline",
        "plain ReLU networks by dimension and training-set size, beside the published table, and improved",
    ),
    "study": (
        "empirical.experiments.study",
        "transformers by function, encoding and dimension, on one machine or many",
    ),
}


def load_experiment(name: str) -> ModuleType:
    """Import an experiment's module.

    Raises:
        BadInput: If there is no such experiment.
    """
    from importlib import import_module

    from theory.errors import BadInput

    if name not in EXPERIMENTS:
        raise BadInput(f"no experiment {name!r}; choose from {', '.join(EXPERIMENTS)}")
    return import_module(EXPERIMENTS[name][0])
