"""Certified worst errors of the tables' networks, and of the constructed ones, beside what 10,000 random matrices find.

Networks are looked for as files, in ``networks`` of the run's folder and in those kept with the code; a table of which
there is none at this scale is run first, which trains and keeps them. A network that both tables train, by the same
protocol from the same seed, is certified once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import MATRICES, TrainingSettings, at_scale, size_of
from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.certify.chain import ReluChain
    from empirical.experiments.inversion.boxes import Box
    from empirical.experiments.request import Request
    from empirical.sweep import Cell

__all__ = ["DEFAULT_SEEDS", "CertifiedSettings", "Job", "certify_cell", "run", "table"]

DEFAULT_SEEDS = "0,1,2"
_TABLES = ("inversion.table1", "inversion.table2")
_TABLE2_BOX = "2x2-first"
_WORKER = "empirical.experiments.inversion.certified:certify_cell"
#: Kinds of networks that nobody trains; with 16 pieces those on 3×3 have 504 hidden units, on 16×16 over 100,000.
_CONSTRUCTED = ("linearised network", "second order, 4 pieces", "second order, 16 pieces")


@dataclass(frozen=True)
class CertifiedSettings(TrainingSettings):
    """What is certified, and for how long; training settings are for tables that have no networks yet.

    Attributes:
        matrices: Which boxes.
        gap_2, gap_3, gap_16: Stop at upper <= (1 + gap) lower, by the dimension.
        seconds_2, seconds_3, seconds_16: Longest time a network.
        workers: Processes a network.
    """

    matrices: tuple[str, ...] = MATRICES
    gap_2: float = 0.02
    gap_3: float = 0.1
    gap_16: float = 0.02
    seconds_2: float = 60.0
    seconds_3: float = 600.0
    seconds_16: float = 600.0
    workers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.matrices or set(self.matrices) - set(MATRICES):
            raise BadInput(f"choose matrices from {', '.join(MATRICES)}")
        limits = (self.gap_2, self.gap_3, self.gap_16, self.seconds_2, self.seconds_3, self.seconds_16, self.workers)
        if not min(limits) > 0:
            raise BadInput("gaps, seconds and workers must be positive")

    def limits(self, n: int) -> tuple[float, float]:
        """Return the gap and the seconds of networks on n×n matrices."""
        gaps, seconds = {2: self.gap_2, 3: self.gap_3}, {2: self.seconds_2, 3: self.seconds_3}
        return gaps.get(n, self.gap_16), seconds.get(n, self.seconds_16)


@dataclass(frozen=True)
class Job:
    """One network to certify.

    Attributes:
        source: The table it belongs to, or ``constructed``.
        matrices, kind, seed: Which network.
        file: Where it is; None for a constructed one.
        sha256: Of its weights, so that a resumed run does not take another network's result.
        centre, half_width: The box.
        gap, seconds, workers: How to certify it.
    """

    source: str
    matrices: str
    kind: str
    seed: int | None
    file: str | None
    sha256: str | None
    centre: tuple[tuple[float, ...], ...]
    half_width: float
    gap: float
    seconds: float
    workers: int

    @property
    def label(self) -> str:
        """Its name in the sweep."""
        parts = [self.source.removeprefix("inversion."), self.matrices, *re.findall(r"\w+", self.kind)]
        return "-".join(parts if self.seed is None else [*parts, f"seed{self.seed}"])


def run(request: Request) -> dict[str, Any]:
    """Find or train the networks, certify each."""
    from empirical.settings import override

    settings = at_scale(CertifiedSettings(), request.scale, request.device.type)
    if request.scale == "smoke":
        settings = replace(settings, matrices=MATRICES[:3], seconds_2=10.0, seconds_3=5.0)
    settings = override(settings, request.options)
    boxes = {name: settings.box(name) for name in settings.matrices}
    jobs: list[Job] = []
    for source in _TABLES if _TABLE2_BOX in boxes else _TABLES[:1]:
        found = list(_found(request, source, settings, boxes))
        if not found:
            _train(request, source, settings)
            found = list(_found(request, source, settings, boxes))
        known = {(job.matrices, job.kind, job.seed) for job in jobs}
        jobs += [job for job in found if (job.matrices, job.kind, job.seed) not in known]
    jobs += [_job("constructed", kind, None, None, settings, boxes[name]) for name, kind in _constructed(settings)]
    results = request.sweep([request.cell(_WORKER, job.label, job) for job in jobs])
    return {
        "configuration": asdict(settings),
        "reduced": _reduced(request),
        "measure": "sup over the box of the largest entry of |network - inverse|",
        "boxes": [box.as_record() for box in boxes.values()],
        "results": results,
    }


def certify_cell(cell: Cell) -> dict[str, Any]:
    """Certify one network and return plain values; ``cpu_seconds`` where it was done in one process."""
    import time
    from fractions import Fraction

    import numpy as np

    from empirical.certify.crew import local_crew
    from empirical.certify.inverse import InverseTarget
    from empirical.certify.region import Region
    from empirical.certify.search import Options, certify

    job = Job(**cell.settings)
    region = Region(np.array(job.centre), Fraction(job.half_width))
    chain = _chain(job)
    left = cell.seconds_left()
    seconds = job.seconds if left is None else min(job.seconds, left)
    options = Options(gap=Fraction(str(job.gap)), seconds=seconds)
    before = time.process_time()
    with local_crew(job.workers) as crew:
        certificate = certify(chain, InverseTarget(region.n), region, options, crew)
    cpu = round(time.process_time() - before, 3) if job.workers == 1 else None
    stopped = seconds < job.seconds and not certificate.closed
    values = certificate.as_json() | {"cpu_seconds": cpu}
    if certificate.upper == float("inf"):
        values["upper"] = None
    head = {key: getattr(job, key) for key in ("source", "matrices", "kind", "seed", "sha256", "half_width")}
    return {"outcome": "stopped" if stopped else "certified", "widths": list(chain.architecture)} | head | values


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show a row a network: what samples find, what is attained, what is proved, and the work it took."""
    rows = []
    for result in record["results"]:
        if "lower" not in result:
            rows.append([result["settings"]["matrices"], result["settings"]["kind"], "", result["outcome"], *[""] * 6])
            continue
        lower, upper = result["lower"], result["upper"]
        seed = "" if result["seed"] is None else f", seed {result['seed']}"
        gap = "-" if upper is None or not lower else f"{100 * (upper / lower - 1):.3g} %"
        rows.append(
            [
                result["matrices"],
                result["kind"] + seed,
                "-".join(map(str, result["widths"])),
                f"{result['sampled']:.4g}",
                f"{lower:.5g}",
                "-" if upper is None else f"{upper:.5g}",
                gap,
                "yes" if result["closed"] else result["ended"],
                f"{result['boxes']:,}",
                "-" if result["cpu_seconds"] is None else f"{result['cpu_seconds']:.2f}",
            ]
        )
    header = ["matrices", "network", "widths", "10,000 samples", "attained", "proved", "apart", "closed", "boxes"]
    return [*header, "CPU s"], rows


def _found(request: Request, source: str, settings: CertifiedSettings, boxes: Mapping[str, Box]) -> Iterator[Job]:
    """Networks of a table at the request's scale, for its seeds and boxes; the run's folder goes before the code's."""
    from empirical.store import RESULTS

    seen = set()
    for folder in (request.folder / "networks", RESULTS / "networks"):
        for matrices in settings.matrices:
            prefix = f"{source}-{request.scale}-{matrices}-"
            for file in sorted(folder.glob(f"{prefix}*-seed*")):
                name = re.fullmatch(r"(\w+)-seed(\d+)\.(pt|safetensors)", file.name.removeprefix(prefix))
                if name is None or int(name[2]) not in request.seeds or (matrices, name[1], name[2]) in seen:
                    continue
                seen.add((matrices, name[1], name[2]))
                _check_centre(folder / f"{prefix}centre.npy", boxes[matrices])
                yield _job(source, name[1], int(name[2]), file, settings, boxes[matrices])


def _reduced(request: Request) -> list[str]:
    """Return what the first table's record says of training shorter than the paper's, where there is a record."""
    from empirical.store import RESULTS, find_record, load_record

    try:
        record = load_record(find_record(_TABLES[0], request.scale, [request.folder, RESULTS]))
    except BadInput:
        return []
    return list(record.get("reduced", []))


def _check_centre(file: Path, box: Box) -> None:
    import numpy as np

    from empirical.certify.region import read_centre

    if not np.array_equal(read_centre(file), box.centre_tensor().numpy()):
        raise BadInput(f"{file} is not the centre of {box.name} as it is set; give another --out")


def _train(request: Request, source: str, settings: CertifiedSettings) -> None:
    """Run a table's experiment in the same folder; its training settings and boxes are this one's."""
    from empirical.experiments import load_experiment

    training = {field.name for field in fields(TrainingSettings)}
    options = {name: text for name, text in request.options.items() if name in training}
    if source == _TABLES[0]:
        options["matrices"] = ",".join(settings.matrices)
    request.progress.say(f"no networks of {source} at scale {request.scale}: training them")
    load_experiment(source).run(replace(request, experiment=source, options=options, store=None))


def _constructed(settings: CertifiedSettings) -> Iterator[tuple[str, str]]:
    for name in settings.matrices:
        count = {2: 3, 3: 2}.get(size_of(name), 1)
        yield from ((name, kind) for kind in _CONSTRUCTED[:count])


def _job(source: str, kind: str, seed: int | None, file: Path | None, settings: CertifiedSettings, box: Box) -> Job:
    gap, seconds = settings.limits(box.n)
    return Job(
        source=source,
        matrices=box.name,
        kind=kind,
        seed=seed,
        file=None if file is None else str(file),
        sha256=None if file is None else _digest(file),
        centre=tuple(tuple(float(entry) for entry in row) for row in box.centre),
        half_width=box.half_width,
        gap=gap,
        seconds=seconds,
        workers=settings.workers,
    )


def _digest(file: Path) -> str:
    """Hash a network's weights, whatever the format of its file."""
    from empirical.certify.reading import read_relu_chain

    chain, digest = read_relu_chain(file), hashlib.sha256()
    for array in (*chain.weights, *chain.biases):
        digest.update(str(array.shape).encode() + array.tobytes())
    return digest.hexdigest()[:16]


def _chain(job: Job) -> ReluChain:
    """Read or build the network."""
    from fractions import Fraction

    from empirical.certify.reading import read_relu_chain, relu_chain_of
    from empirical.experiments.inversion.boxes import Box
    from empirical.experiments.inversion.constructed import linearised_network, refined

    if job.file is not None:
        return read_relu_chain(job.file)
    box = Box(job.matrices, tuple(tuple(map(Fraction, row)) for row in job.centre), job.half_width)
    if job.kind == _CONSTRUCTED[0]:
        network = linearised_network(box, shifted=False)
    else:
        network = refined(box, int(job.kind.split()[2])).network
    return relu_chain_of(network)
