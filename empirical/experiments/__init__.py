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
    "structure": (
        "empirical.experiments.mlp_baseline_structure",
        "sine and cosine: what eigenvalues, matrix polynomials and reduced arguments change at equal budget",
    ),
    "slack": (
        "empirical.experiments.slack",
        "proved bounds of constructed networks over the worst errors a search finds",
    ),
    "constructed": (
        "empirical.experiments.constructed",
        "constructed networks on the learned ones' test matrices: accuracy, size, time; beside scipy and torch",
    ),
    "study": (
        "empirical.experiments.study",
        "transformers by function, encoding and dimension, on one machine or many",
    ),
    "improved": (
        "empirical.experiments.improved",
        "transformers on exp and sign at n = 3: what each improvement gives at equal budget",
    ),
    "improved.long": (
        "empirical.experiments.improved_long",
        "transformers on exp and sign at n = 3, the best of the improvements, for an hour and a half on two cores",
    ),
    "inversion.table1": (
        "empirical.experiments.inversion.table1",
        "trained networks for the inverse on boxes: 2x2 first and second, 3x3, 16x16; 2 and 3 layers",
    ),
    "inversion.table2": (
        "empirical.experiments.inversion.table2",
        "the linear approximation of the inverse against trained and constructed networks, 2x2",
    ),
    "inversion.table3": (
        "empirical.experiments.inversion.table3",
        "inference times of the inverse networks on CPU and GPU, beside exact inversion",
    ),
    "inversion.tables4to7": (
        "empirical.experiments.inversion.tables4to7",
        "every linear region of the small inverse network, and how far it is from the linear approximation there",
    ),
    "inversion.errors": (
        "empirical.experiments.inversion.errors",
        "how the inverse networks' error moves with the radius, with sigma_min, and near the singular matrices",
    ),
    "inversion.certified": (
        "empirical.experiments.inversion.certified",
        "certified worst errors of the inverse networks over their whole boxes, beside what random samples find",
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
