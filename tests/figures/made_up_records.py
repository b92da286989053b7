"""Records made up for the tests of figures; their numbers mean nothing."""

from __future__ import annotations

from typing import Any

__all__ = ["IMPROVED", "RECORDS", "made_up", "region", "variant"]

HEAD = {"schema": 1, "scale": "smoke", "seeds": [0, 1], "device": {"type": "cpu"}, "commit": None, "date": "2000-01-01"}
TOLERANCES = ("0.05", "0.02", "0.01", "0.005")


def made_up(experiment: str, results: list[dict[str, Any]], **body: Any) -> dict[str, Any]:
    return {**HEAD, "experiment": experiment, "configuration": {}, **body, "results": results}


def attacked(function: str, n: int, seed: int, error: float) -> dict[str, Any]:
    where = {"domain": "||A - 1 I||_2 <= 1/2", "route": "series"}
    return {"function": function, "n": n, "seed": seed, "bound": 1e-3, "error": error, "evaluations": 9, **where}


def plain_network(n: int, variant: str, size: int, seed: int, accuracy: float) -> dict[str, Any]:
    settings = {"function": "exp", "n": n, "size": size, "variant": variant, "seed": seed}
    return {"outcome": "finished", "settings": settings, "test": {"accuracy": {"0.05": accuracy}}}


def transformer(encoding: str, seed: int, accuracies: tuple[float, ...]) -> dict[str, Any]:
    settings = {"function": "sign", "n": 2, "output_encoding": encoding, "input_encoding": encoding, "seed": seed}
    curve = [{"examples": 64.0 * k, "loss": 4.0 / k, "accuracy": 0.1 * k} for k in (1, 2, 3)]
    train = {"examples": 192, "curve": curve, "drawn": 200, "rejected": {"singular": 8}}
    test = {
        "samples": 400,
        "accuracy": dict(zip(TOLERANCES, accuracies, strict=True)),
        "ceiling": dict(zip(TOLERANCES, (1.0, 1.0, 0.95, 0.8), strict=True)),
    }
    return {"outcome": "finished", "settings": settings, "train": train, "test": test}


def constructed(
    eps: str, error: float, accuracy: float, covered: float, function: str = "sign", scale: float = 1.0, n: int = 2
) -> dict[str, Any]:
    return {
        "kind": "constructed",
        "function": function,
        "ensemble": {"kind": "symmetric_uniform", "n": n, "scale": scale, "floor": 0.1},
        "n": n,
        "eps": eps,
        "nonzeros": 1000,
        "bound": 2 * error,
        "largest_error": error,
        "covered": covered,
        "accuracy": {"0.05": 1.0, "0.02": 1.0, "0.01": 1.0, "0.005": accuracy},
        "seconds": {"blocks": 1e-5, "matrices": 1e-4},
    }


def region(signs: str, share: float) -> dict[str, Any]:
    deviation = [0.1, 0.2, 0.3, 0.4]
    return {"signs": signs, "share": share, "deviation_attained": deviation, "deviation_proved": deviation}


def boxed(sweep: str, kind: str, value: float, error: float) -> dict[str, Any]:
    proved = {"proved_bound": 2 * error} if kind.startswith("linear") else {"law_below": error / 2}
    return {"sweep": sweep, "kind": kind, "value": value, "largest_error_found": error} | proved


def near(kind: str, seed: int) -> dict[str, Any]:
    """A network of slope 4: off by exactly 1/t - 4t at diag(+-t, 1)."""
    beyond = [{"t": t, "error": 1 / t - 4 * t, "quotient": 4.0} for t in (0.25, 0.125)]
    head = {"sweep": "delta", "kind": kind, "seed": seed, "value": 0.25}
    return head | {"largest_error_found": 3.0, "law_below": 0.01, "beyond": beyond}


RECORDS = {
    "slack": made_up(
        "slack",
        [attacked("sqrt", 2, 0, 4e-4), attacked("sqrt", 2, 1, 5e-4), attacked("log", 3, 0, 2e-4)],
        configuration={"eps": "1e-3"},
    ),
    "accuracy_by_dimension": made_up(
        "mlp_baseline",
        [
            plain_network(n, variant, size, seed, 0.9 / n + 0.01 * seed + size / 10**6)
            for n in (1, 2)
            for variant in ("published", "improved")
            for size in (32, 64)
            for seed in (0, 1)
        ]
        + [{"outcome": "stopped", "settings": {}}],
        configuration={"sizes": [32, 64]},
        published={"exp": [0.3, 0.02, 0.0]},
    ),
    "encodings": made_up(
        "study", [transformer(e, s, (0.9, 0.7, 0.5, 0.1 * s)) for e in ("P10", "FP15") for s in (0, 1)]
    ),
}
RECORDS["learning_curves"] = RECORDS["encodings"]
PUBLISHED = {"triangle": False, "round_inputs": False, "embedding": "random", "curriculum": 0.0}
IMPROVED = {"triangle": True, "round_inputs": True, "embedding": "numeric", "curriculum": 0.6}


def variant(settings: dict[str, Any], seed: int, accuracy: float) -> dict[str, Any]:
    run = transformer("B1999", seed, (accuracy, 0.1, 0.05, 0.01))
    return run | {"settings": run["settings"] | settings}


RECORDS["improvements"] = made_up(
    "improved",
    [variant(PUBLISHED, seed, 0.1) for seed in (0, 1)]
    + [variant(IMPROVED, seed, 0.6) for seed in (0, 1)]
    + [{"outcome": "stopped", "settings": IMPROVED}],
)
RECORDS["learned_vs_constructed"] = made_up(
    "constructed",
    [
        constructed("1e-1", 0.09, 0.4, 1.0),
        constructed("1e-3", 9e-4, 1.0, 1.0),
        constructed("1e-3", 9e-4, 0.7, 0.6, function="exp", scale=5.0),
        constructed("1", 0.5, 0.1, 1.0, n=3),
        {"kind": "refused", "n": 2, "reason": "eps is below the float64 floor"},
        {"kind": "learned shape", "experiment": "study", "n": 2, "name": "P10", "parameters": 7, "seconds": 1e-4},
        constructed("", 0.0, 1.0, 1.0) | {"kind": "torch.linalg.eigh", "seconds": 1e-6},
    ],
)
RECORDS["regions"] = made_up(
    "inversion.tables4to7",
    [
        {
            "seed": seed,
            "kind": "small_better" if seed else "small",
            "mean_error": 0.1,
            "region_samples": 100,
            "regions": [region("+-", 0.75), region("++", 0.25), region("--", 0.0)],
        }
        for seed in (0, 1)
    ],
    box={"name": "2x2-first", "half_width": 0.125},
    configuration={"rate": 5e-5, "better_rate": 1e-3},
)
RECORDS["errors_vs_radius"] = made_up(
    "inversion.errors",
    [
        *(boxed("radius", kind, value, value**2) for kind in ("2fc", "linear approximation") for value in (0.25, 0.5)),
        *(boxed("sigma_min", "linear approximation", value, 0.1 / value) for value in (0.5, 1.0)),
        *(near(kind, seed) for kind in ("2fc", "3fc") for seed in (0, 1)),
    ],
)
RECORDS["blowup"] = RECORDS["errors_vs_radius"]
