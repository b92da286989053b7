"""Transformers improved by one change after another at equal budget, and what all changes give a longer run.

The changes, each on top of the ones before: ``published`` (every entry written, f at the unrounded matrix), ``posed``
(upper triangles, f at the matrix as its tokens say it), ``numeric`` (token vectors start as functions of the numbers
they stand for), ``curriculum`` (matrices grow into their distribution: their scale, and for sign, which no scale
changes, their coupling). Test matrices are those of the whole distribution for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.experiments.request import Request
    from empirical.transformer_task import TransformerSettings

__all__ = ["VARIANTS", "ImprovedSettings", "run", "settings_at", "settings_of", "table", "variant_of"]

_POSED: dict[str, Any] = {"triangle": True, "round_inputs": True}
_NUMERIC = _POSED | {"embedding": "numeric"}
#: Variant -> settings of a transformer run; each holds those of the one before.
VARIANTS: dict[str, dict[str, Any]] = {
    "published": {},
    "posed": _POSED,
    "numeric": _NUMERIC,
    "curriculum": _NUMERIC | {"curriculum": 0.6},
}


@dataclass(frozen=True)
class ImprovedSettings:
    """What is varied; every setting of a transformer run may be given beside these.

    Attributes:
        functions: Matrix functions.
        variants: Names in ``VARIANTS``.
    """

    functions: tuple[str, ...] = ("exp", "sign")
    variants: tuple[str, ...] = tuple(VARIANTS)

    def __post_init__(self) -> None:
        for name in self.variants:
            if name not in VARIANTS:
                raise BadInput(f"no variant {name!r}; choose from {', '.join(VARIANTS)}")


#: A network that two cores can train, on the published distribution at n = 3. bfloat16 halves the time of a step on
#: CPUs that have its products, and changes nothing on those that emulate them but the speed.
_NETWORK: dict[str, Any] = {"dimension": 128, "heads": 4, "encoder_layers": 3, "precision": "bfloat16"} | {
    "input_encoding": "B1999",
    "output_encoding": "B1999",
    "batch": 64,
    "rate": 1e-3,
    "warmup": 300,
    "decay": "cosine",
    "chunk": 32,
}
_SCALES: dict[str, tuple[ImprovedSettings, dict[str, Any]]] = {
    "smoke": (
        ImprovedSettings(("exp", "sign"), ("published", "curriculum")),
        _NETWORK
        | {"n": 2, "dimension": 16, "encoder_layers": 1, "batch": 16, "examples": 640, "chunk": 4, "warmup": 5}
        | {"reports": 2, "probe": 32, "samples": 100},
    ),
    "small": (ImprovedSettings(), _NETWORK | {"examples": 250_000, "reports": 20, "samples": 4000}),
    # The published network, its 30 million examples, and batches that keep a GPU busy.
    "full": (
        ImprovedSettings(),
        {"input_encoding": "B1999", "output_encoding": "B1999", "batch": 1024, "rate": 4e-4}
        | {"warmup": 2000, "decay": "cosine", "chunk": 32},
    ),
}


def settings_at(scale: str) -> tuple[ImprovedSettings, dict[str, Any]]:
    """Return what is varied at a scale, and the settings every run starts from."""
    return _SCALES[scale]


def run(request: Request) -> dict[str, Any]:
    """Train one transformer a function and variant."""
    from empirical.settings import override
    from empirical.transformer_task import TransformerSettings

    varied, network = settings_at(request.scale)
    own = {field.name for field in fields(ImprovedSettings)}
    varied = override(varied, {k: v for k, v in request.options.items() if k in own})
    base = override(TransformerSettings(**network), {k: v for k, v in request.options.items() if k not in own})
    cells = []
    for function in varied.functions:
        for variant in varied.variants:
            for seed in request.seeds:
                settings = settings_of(base, function, variant, seed)
                cells.append(request.cell("empirical.workers:run_transformer", f"{variant}-{settings.label}", settings))
    return {"configuration": {"varied": asdict(varied), "run": asdict(base)}, "results": request.sweep(cells)}


def settings_of(base: TransformerSettings, function: str, variant: str, seed: int) -> TransformerSettings:
    """Return the settings of one run: what grows under a curriculum depends on the function."""
    own: dict[str, Any] = {"function": function, "seed": seed, "growth": "coupling" if function == "sign" else "scale"}
    return replace(base, **own | VARIANTS[variant])


def variant_of(settings: Mapping[str, Any]) -> str:
    """Return the name of the variant that a run's settings are."""
    unchanged = {"triangle": False, "round_inputs": False, "embedding": "random", "curriculum": 0.0}
    for name, values in VARIANTS.items():
        if all(settings[key] == value for key, value in (unchanged | values).items()):
            return name
    return "other"


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show a row a run."""
    from empirical.experiments.tables import accuracy_header, accuracy_row

    rows = []
    for result in record["results"]:
        settings = result["settings"]
        name = f"{settings['function']} n={settings['n']} {variant_of(settings)}, seed {settings['seed']}"
        rows.append([name, *accuracy_row(result)])
    return ["run", *accuracy_header()], rows
