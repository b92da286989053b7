"""How loose the proved bounds are: every function's bound over the worst error a search finds, confirmed in balls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["CASES", "SlackSettings", "run", "table"]

#: Function, domain options, route.
CASES: tuple[tuple[str, dict[str, str], str | None], ...] = (
    ("expm", {"M": "1"}, None),
    ("expm", {"radius": "1"}, None),
    ("inverse", {"delta": "1/2", "radius": "2"}, None),
    ("inverse", {"delta": "1/2"}, "neumann"),
    ("sign", {"rho": "1/2", "nu": "3/2"}, None),
    ("sqrt", {"rho": "1/2"}, None),
    ("log", {"rho": "1/2"}, None),
    ("sin", {"M": "1"}, None),
    ("cos", {"M": "1"}, None),
)


@dataclass(frozen=True)
class SlackSettings:
    """What is attacked.

    Attributes:
        dimensions: Matrix sizes.
        eps: Accuracy asked of every network, Frobenius norm.
        rounds: Steps of every chain of the search.
        chains: Chains at once.
    """

    dimensions: tuple[int, ...] = (2, 3)
    eps: str = "1e-3"
    rounds: int = 150
    chains: int = 192


_SCALES = {
    "smoke": SlackSettings((2,), rounds=20, chains=64),
    "small": SlackSettings((1, 2, 3)),
    "full": SlackSettings((1, 2, 3, 4), rounds=400, chains=512),
}


def run(request: Request) -> dict[str, Any]:
    """Build and attack every case."""
    from constructions import build
    from empirical.attack import attack
    from empirical.settings import override

    settings = override(_SCALES[request.scale], request.options)
    cells = [(case, n, seed) for n in settings.dimensions for case in CASES for seed in request.seeds]
    results = []
    for number, ((function, domain, route), n, seed) in enumerate(cells, start=1):
        net = build(function, n, settings.eps, route=route, **domain)
        found = attack(net, rounds=settings.rounds, chains=settings.chains, seed=seed)
        measured = net.measured
        results.append(
            {
                "function": function,
                "domain": net.problem.domain.describe(),
                "route": net.plan.route,
                "n": n,
                "seed": seed,
                "hidden_layers": measured.architecture.hidden_layers,
                "width": measured.architecture.width,
                "nonzeros": measured.nonzeros,
                "bound": found.bound,
                "error": found.error,
                "slack": found.slack,
                "evaluations": found.evaluations,
            }
        )
        request.progress.update("slack", number, len(cells))
    return {"configuration": asdict(settings), "results": results}


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return one row a case: size, proved bound, worst error found, and their quotient."""
    header = ["function", "domain", "n", "hidden layers", "non-zeros", "proved bound", "worst error", "slack"]
    rows = [
        [
            row["function"],
            row["domain"],
            str(row["n"]),
            str(row["hidden_layers"]),
            f"{row['nonzeros']:,}",
            f"{row['bound']:.2e}",
            f"{row['error']:.2e}",
            f"{row['slack']:.1f}",
        ]
        for row in record["results"]
    ]
    return header, rows
