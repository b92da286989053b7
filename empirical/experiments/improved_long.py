"""The best variant of ``improved`` for each function, for as long as two cores train in an evening: n = 3.

For exp that is every improvement; for sign the curriculum is left out, which at equal budget lost half its accuracy.
``full`` is 5 and 3.5 million examples on a network of 1.5 million parameters (published: 30 million on 32 million).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from empirical.experiments.improved import ImprovedSettings, settings_at, settings_of, table
from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["run", "table"]


@dataclass(frozen=True)
class LongSettings:
    """What is varied; every setting of a transformer run may be given beside these.

    Attributes:
        functions: Matrix functions.
        variants: For each of them, a name in ``improved.VARIANTS``.
        budgets: For each of them, examples.
    """

    functions: tuple[str, ...] = ("exp", "sign")
    variants: tuple[str, ...] = ("curriculum", "numeric")
    budgets: tuple[int, ...] = (5_000_000, 3_500_000)

    def __post_init__(self) -> None:
        ImprovedSettings(self.functions, self.variants)
        if not len(self.functions) == len(self.variants) == len(self.budgets):
            raise BadInput("functions, variants and budgets need one entry a function each")


_SCALES = {
    "smoke": LongSettings(budgets=(640, 640)),
    "small": LongSettings(budgets=(1_000_000, 1_000_000)),
    "full": LongSettings(),
}


def run(request: Request) -> dict[str, Any]:
    """Train one transformer a function and seed."""
    from empirical.settings import override
    from empirical.transformer_task import TransformerSettings

    _, network = settings_at("smoke" if request.scale == "smoke" else "small")
    samples = {} if request.scale == "smoke" else {"samples": 10_000}
    own = {field.name for field in fields(LongSettings)}
    varied = override(_SCALES[request.scale], {k: v for k, v in request.options.items() if k in own})
    others = {k: v for k, v in request.options.items() if k not in own}
    base = override(TransformerSettings(**network | samples), others)
    cells = []
    for function, variant, budget in zip(varied.functions, varied.variants, varied.budgets, strict=True):
        for seed in request.seeds:
            settings = settings_of(replace(base, examples=budget), function, variant, seed)
            cells.append(request.cell("empirical.workers:run_transformer", f"{variant}-{settings.label}", settings))
    return {"configuration": {"varied": asdict(varied), "run": asdict(base)}, "results": request.sweep(cells)}
