"""Times per matrix of constructed networks, of scipy and torch, and of networks shaped like the learned ones.

Processor time on one thread, the shortest of several goes at a whole batch: other work on the machine does not count.
Times of learned networks do not depend on their weights (greedy decoding always writes as many tokens as a matrix
takes), so networks with fresh weights are timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["learned_shapes", "reference_functions", "seconds_per_matrix", "transformer_shapes"]

_SYMMETRIC = ("symmetric_uniform", "symmetric_spectrum", "positive_definite")


def seconds_per_matrix(function: Callable[[Tensor], Any], matrices: Tensor, repeats: int = 5) -> float:
    """Return the shortest processor time of a call on a batch, divided by its length."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        function(matrices)
        best = min(best, time.process_time() - start)
    return float(f"{best / len(matrices):.3g}")


def reference_functions(function: str, ensemble: str) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return how scipy and torch compute the function: name -> (batch, n, n) to the same.

    scipy's functions take one matrix at a time (``expm`` a batch). torch has the exponential; other functions go by
    eigenvectors, of symmetric matrices where the distribution is of such.
    """
    symmetric = ensemble in _SYMMETRIC
    name = "torch.matrix_exp" if function == "exp" else f"torch.linalg.{'eigh' if symmetric else 'eig'}"
    by_eigenvectors = _by_eigh if symmetric else _by_eig
    torch_function = torch.matrix_exp if function == "exp" else lambda a: by_eigenvectors(function, a)
    return {_SCIPY[function]: lambda a: _by_scipy(function, a), name: torch_function}


_SCIPY = {
    "exp": "scipy.linalg.expm",
    "log": "scipy.linalg.logm",
    "sign": "scipy.linalg.signm",
    "sin": "scipy.linalg.sinm",
    "cos": "scipy.linalg.cosm",
    "sqrt": "scipy.linalg.sqrtm",
}


def _by_scipy(function: str, matrices: Tensor) -> Tensor:
    import scipy.linalg

    call = getattr(scipy.linalg, _SCIPY[function].rpartition(".")[2])
    array = matrices.numpy()
    values = call(array) if function == "exp" else np.stack([np.real(call(matrix)) for matrix in array])
    return torch.from_numpy(np.ascontiguousarray(values))


def _scalar(function: str, eigenvalues: Tensor) -> Tensor:
    if function == "sign":
        return torch.sign(eigenvalues.real).to(eigenvalues.dtype)
    return getattr(torch, function)(eigenvalues)


def _by_eigh(function: str, matrices: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrices)
    return (vectors * _scalar(function, values)[..., None, :]) @ vectors.mT


def _by_eig(function: str, matrices: Tensor) -> Tensor:
    values, vectors = torch.linalg.eig(matrices)
    product = vectors * _scalar(function, values)[..., None, :]
    return torch.linalg.solve(vectors, product, left=False).real


def transformer_shapes(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the different transformers of a record: settings that decide shape and time."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for result in record["results"]:
        settings = result["settings"]
        key = tuple(settings[name] for name in ("n", "input_encoding", "output_encoding"))
        found.setdefault(key, settings)
    return list(found.values())


def learned_shapes(
    dimensions: tuple[int, ...], records: Mapping[str, Mapping[str, Any]], batch: int
) -> list[dict[str, Any]]:
    """Time networks shaped like the baseline's, and like the transformers of records, by experiment."""
    from empirical.mlp_task import VARIANTS, MlpSettings, MlpTask
    from empirical.transformer_task import TransformerSettings, TransformerTask

    cpu = torch.device("cpu")
    tasks: list[tuple[int, dict[str, Any], Any]] = []
    for n in dimensions:
        for variant in VARIANTS:
            task = MlpTask(MlpSettings("exp", n, 1, variant, samples=1), cpu)
            tasks.append((n, {"experiment": "mlp_baseline", "n": n, "name": variant}, task))
    known = {field.name for field in fields(TransformerSettings)}
    for experiment, record in records.items():
        for settings in transformer_shapes(record):
            if settings["n"] in dimensions:
                size = TransformerSettings(**{name: value for name, value in settings.items() if name in known})
                head = {"experiment": experiment, "n": size.n, "name": size.output_encoding}
                tasks.append((size.n, head, TransformerTask(size, cpu)))
    rows = []
    for n, head, one in tasks:
        shape = (batch, n, n)
        matrices = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        parameters = sum(parameter.numel() for parameter in one.model.parameters())
        seconds = seconds_per_matrix(one.answer, (matrices + matrices.mT) / 2, repeats=3)
        rows.append({"kind": "learned shape", **head, "parameters": parameters, "seconds": seconds})
    return rows
