"""Constructed networks on the learned ones' test distributions: accuracy, size and time, beside scipy and torch.

Nothing is trained. Where the distribution is not inside the domain the bound is proved on, ``covered`` says which share
of the samples is, decided exactly for each; ``accuracy`` counts every sample (the network itself, its matrices, is
evaluated wherever a sample lies), ``accuracy_covered`` those that are covered. Answers are real numbers compared with
the value itself, no tokens between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput
from theory.rationals import parse_positive

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.data import Examples
    from empirical.experiments.constructed_cases import Case
    from empirical.experiments.request import Request

__all__ = ["ConstructedSettings", "run", "table"]

#: Beyond this, single networks have millions of weights: ``python -m constructions build`` makes them one at a time.
_LARGEST = 8
_FUNCTIONS = ("exp", "sign", "sin", "cos", "log", "sqrt")


@dataclass(frozen=True)
class ConstructedSettings:
    """What is built and measured.

    Attributes:
        functions: Matrix functions.
        dimensions: Matrix sizes.
        eps: Error bounds asked for, Frobenius norm.
        relative_eps: Error bounds relative to the largest value on the box, asked for exp beside ``eps``.
        samples: Test matrices.
        timed: Matrices in the batch that is timed.
    """

    functions: tuple[str, ...] = _FUNCTIONS
    dimensions: tuple[int, ...] = (1, 2, 3, 4, 5)
    eps: tuple[str, ...] = ("1", "1e-1", "1e-2", "1e-3")
    relative_eps: tuple[str, ...] = ("1e-3", "1e-6", "1e-9")
    samples: int = 10_000
    timed: int = 1024

    def __post_init__(self) -> None:
        odd = sorted(set(self.functions) - set(_FUNCTIONS))
        if odd:
            raise BadInput(f"no constructed network of {odd[0]!r} here; choose from {', '.join(_FUNCTIONS)}")
        if min(self.samples, self.timed, *self.dimensions) < 1:
            raise BadInput("samples, timed and dimensions must be at least 1")
        if max(self.dimensions) > _LARGEST:
            raise BadInput(f"dimensions up to {_LARGEST} are measured here, not {max(self.dimensions)}")
        for eps in self.eps + self.relative_eps:
            parse_positive(eps, "eps")


_SCALES = {
    "smoke": ConstructedSettings(("exp", "sign", "log"), (2,), ("1e-1",), (), samples=200, timed=64),
    "small": ConstructedSettings(dimensions=(2, 3), samples=2000),
    "full": ConstructedSettings(),
}


def run(request: Request) -> dict[str, Any]:
    """Build, evaluate and time; everything on the CPU, on one thread."""
    import torch

    from empirical.experiments.constructed_cases import cases
    from empirical.settings import override
    from empirical.train_memory import check_memory, training_bytes

    settings = override(_SCALES[request.scale], request.options)
    needed = training_bytes(0, max(settings.samples, settings.timed), max(settings.dimensions) ** 2)
    check_memory(needed, torch.device("cpu"), "ask for fewer samples")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        work = [(case, seed) for case in cases(settings.functions, settings.dimensions) for seed in request.seeds]
        results: list[dict[str, Any]] = []
        for number, (case, seed) in enumerate(work, start=1):
            results += _measure(case, settings, seed)
            request.progress.update("constructed", number, len(work))
        results += _learned(settings)
    finally:
        torch.set_num_threads(threads)
    return {"configuration": asdict(settings), "results": results}


def _measure(case: Case, settings: ConstructedSettings, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row a network, then one for scipy and one for torch, all on the same samples."""
    import torch

    from empirical import metrics
    from empirical.data import EVALUATION, chunk
    from empirical.experiments.constructed_cases import natural_scale
    from empirical.experiments.constructed_times import reference_functions, seconds_per_matrix

    cpu = torch.device("cpu")
    examples = chunk(case.ensemble, case.function, settings.samples, seed, EVALUATION, 1, cpu)
    head = {
        "function": case.function,
        "ensemble": asdict(case.ensemble),
        "n": case.ensemble.n,
        "seed": seed,
        "samples": settings.samples,
        "drawn": examples.drawn,
        "rejected": examples.rejected,
    }
    scale = natural_scale(case, seed)
    demands = settings.eps + tuple(f"relative:{eps}" for eps in settings.relative_eps if case.function == "exp")
    known: dict[str, Tensor] = {}
    for eps in demands:
        yield head | {"learned": case.learned, "eps": eps} | _network(case, eps, scale, examples, settings, known)
    for name, function in reference_functions(case.function, case.ensemble.kind).items():
        answers = function(examples.inputs)
        yield head | {
            "kind": name,
            "accuracy": metrics.accuracies(metrics.d1(answers, examples.targets)),
            "seconds": seconds_per_matrix(function, examples.inputs[: settings.timed], repeats=3),
        }


def _network(
    case: Case,
    eps: str,
    scale: float,
    examples: Examples,
    settings: ConstructedSettings,
    known: dict[str, Tensor],
) -> dict[str, Any]:
    """Build and measure one network; a demand that cannot be met is told in its own words."""
    import torch

    from empirical import metrics
    from empirical.experiments.constructed_cases import build, covered, evaluate_network
    from empirical.experiments.constructed_times import seconds_per_matrix

    try:
        net = build(case, eps)
    except BadInput as error:
        return {"kind": "refused", "domain": case.domain, "reason": str(error)}
    where = net.problem.domain.describe()
    if where not in known:
        known[where] = covered(net, examples.inputs, scale)  # the same for every eps
    inside = known[where]
    modules = {"blocks": net.torch("blocks"), "matrices": net.torch("csr")}
    answers = evaluate_network(case, modules["matrices"], examples.inputs, scale)
    distances = metrics.d1(answers, examples.targets)
    # sqrt(A) = sqrt(c) sqrt(A/c): the network's own error is that much smaller.
    unit = scale**0.5 if case.function == "sqrt" else 1.0
    errors = torch.linalg.matrix_norm(answers - examples.targets)[inside] / unit
    batch = examples.inputs[: settings.timed]
    measured = net.measured
    return {
        "kind": "constructed",
        "domain": where,
        "scale": scale,
        "route": net.plan.route,
        "hidden_layers": measured.architecture.hidden_layers,
        "width": measured.architecture.width,
        "nonzeros": measured.nonzeros,
        "bound": float(net.bound),
        "largest_error": float(f"{errors.max():.6g}") if len(errors) else None,
        "covered": float(inside.double().mean()),
        "accuracy": metrics.accuracies(distances),
        "accuracy_covered": metrics.accuracies(distances[inside]) if len(errors) else None,
        "seconds": {
            name: seconds_per_matrix(partial(evaluate_network, case, module, scale=scale), batch)
            for name, module in modules.items()
        },
    }


def _learned(settings: ConstructedSettings) -> list[dict[str, Any]]:
    from empirical.experiments.constructed_times import learned_shapes
    from empirical.store import RESULTS, find_record, load_record

    records = {}
    for experiment in ("study", "improved.long"):
        try:
            records[experiment] = load_record(find_record(experiment, None, [RESULTS]))
        except BadInput:
            continue
    return learned_shapes(settings.dimensions, records, settings.timed)


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show a row a network, and one for scipy and torch each."""
    from empirical.experiments.tables import percent

    header = ["network", "hidden layers", "non-zeros", "covered %", "5 %", "2 %", "1 %", "0.5 %", "µs a matrix"]
    rows = []
    for result in record["results"]:
        if result["kind"] == "learned shape":
            name = f"time alone: {result['experiment']} n={result['n']} {result['name']}"
            rows.append([name, "-", f"{result['parameters']:,}", *["-"] * 5, f"{1e6 * result['seconds']:.3g}"])
            continue
        ensemble = result["ensemble"]
        name = f"{result['function']} n={result['n']} {ensemble['kind']} {ensemble['scale']:.3g}"
        if result["kind"] == "refused":
            # The record says why; the reason is too long for a table.
            rows.append([f"{name}, eps {result['eps']}", "refused", *["-"] * 7])
            continue
        shares = [percent(share) for share in result["accuracy"].values()]
        if result["kind"] == "constructed":
            size = [str(result["hidden_layers"]), f"{result['nonzeros']:,}", percent(result["covered"])]
            seconds = result["seconds"]["blocks"]
            rows.append([f"{name}, eps {result['eps']}", *size, *shares, f"{1e6 * seconds:.3g}"])
        else:
            rows.append([f"{name}, {result['kind']}", "-", "-", "-", *shares, f"{1e6 * result['seconds']:.3g}"])
    return header, rows
