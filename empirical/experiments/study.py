"""The encoding study: matrix functions by encodings by dimensions, one transformer each, on one machine or many.

Settings of the study: ``functions``, ``encodings`` and ``dimensions`` (with commas) and ``input_encoding`` (one name,
or ``same`` as the output's); every setting of a transformer run may be given beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from empirical.encodings.names import NAMES, check_name

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["StudySettings", "run", "table"]


@dataclass(frozen=True)
class StudySettings:
    """What is varied.

    Attributes:
        functions: Matrix functions.
        encodings: Encodings of the value.
        dimensions: Dimensions of the matrices.
        input_encoding: Encoding of the matrix, or ``same``.
    """

    functions: tuple[str, ...] = ("exp", "log", "sign", "sin", "cos")
    encodings: tuple[str, ...] = NAMES
    dimensions: tuple[int, ...] = (3, 4, 5)
    input_encoding: str = "same"

    def __post_init__(self) -> None:
        for name in self.encodings if self.input_encoding == "same" else (*self.encodings, self.input_encoding):
            check_name(name)


_SCALES = {
    "smoke": StudySettings(("sign",), ("P10", "B1999"), (1,)),
    "small": StudySettings(("sign", "exp"), ("P10", "P1000", "B1999"), (2,)),
    "full": StudySettings(),
}


def run(request: Request) -> dict[str, Any]:
    """Train one transformer a cell and measure each."""
    from empirical.experiments.transformer import settings_at
    from empirical.settings import override

    own = {field.name for field in fields(StudySettings)}
    study = override(_SCALES[request.scale], {k: v for k, v in request.options.items() if k in own})
    base = override(settings_at(request.scale), {k: v for k, v in request.options.items() if k not in own})
    cells = []
    for function in study.functions:
        # The logarithm needs matrices that have one.
        ensemble = "positive_definite" if function == "log" and base.ensemble == "symmetric_uniform" else base.ensemble
        for n in study.dimensions:
            for encoding in study.encodings:
                for seed in request.seeds:
                    settings = replace(
                        base,
                        function=function,
                        ensemble=ensemble,
                        n=n,
                        input_encoding=encoding if study.input_encoding == "same" else study.input_encoding,
                        output_encoding=encoding,
                        seed=seed,
                    )
                    cells.append(request.cell("empirical.workers:run_transformer", settings.label, settings))
    return {"configuration": {"study": asdict(study), "run": asdict(base)}, "results": request.sweep(cells)}


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show a row a cell."""
    from empirical.experiments.tables import accuracy_header, accuracy_row

    rows = []
    for result in record["results"]:
        settings = result["settings"]
        encodings = f"{settings['input_encoding']} to {settings['output_encoding']}"
        name = f"{settings['function']} n={settings['n']} {encodings}, seed {settings['seed']}"
        rows.append([name, *accuracy_row(result)])
    return ["run", *accuracy_header()], rows
