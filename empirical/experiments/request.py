"""What a user asks an experiment for: scale, device, seeds, where to write, whether to go on from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.progress import Progress
from empirical.sweep import Cell, run_sweep
from theory.errors import BadInput

if TYPE_CHECKING:
    import torch

__all__ = ["SCALES", "Request", "choose_device", "parse_seeds"]

SCALES = ("smoke", "small", "full")
#: A single number up to this is how many seeds; a larger one can only be meant as a seed.
_MOST_SEEDS = 1000


@dataclass(frozen=True)
class Request:
    """One call of an experiment.

    Attributes:
        experiment: Its name in the registry.
        scale: ``smoke`` (seconds), ``small`` (minutes on two cores) or ``full`` (a GPU).
        device: Where tensors live.
        seeds: One run a seed.
        folder: Where checkpoints and the record go; it exists.
        resume: Go on from checkpoints in ``folder``.
        progress: Where progress is told.
        deadline: Stop runs at their next checkpoint after this wall-clock time (``time.time()``), to be resumed later.
        options: ``NAME=VALUE`` overrides of the experiment's configuration, as text.
        cluster: Where the runs of a sweep go: ``here``, ``processes:N``, ``dask:N`` or ``slurm:N``.
        store: Where records are kept with the code, if this one is to be; small networks are kept there too.
    """

    experiment: str
    scale: str
    device: torch.device
    seeds: tuple[int, ...]
    folder: Path
    resume: bool = False
    progress: Progress = field(default_factory=Progress)
    deadline: float | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    cluster: str = "here"
    store: Path | None = None

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise BadInput(f"no scale {self.scale!r}; choose from {', '.join(SCALES)}")
        if not self.seeds:
            raise BadInput("no seeds; give at least one, for example --seeds 0")

    def cell(self, worker: str, label: str, settings: Any) -> Cell:
        """Return one cell of a sweep, with settings from a dataclass."""
        import torch

        return Cell(
            worker,
            f"{self.experiment}-{self.scale}-{label}",
            asdict(settings),
            str(self.folder),
            str(self.device),
            self.resume,
            self.deadline,
            self.progress,
            torch.get_num_threads(),
        )

    def sweep(self, cells: Sequence[Cell]) -> list[dict[str, Any]]:
        """Do the cells where the request says."""
        return run_sweep(cells, self.cluster, self.progress)


def choose_device(name: str) -> torch.device:
    """Return the device of a name: ``auto`` is a GPU where there is one.

    Raises:
        BadInput: If a GPU is asked for and there is none.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise BadInput("--device cuda: torch sees no GPU here; use --device cpu, or auto")
    if name not in ("cpu", "cuda"):
        raise BadInput(f"no device {name!r}; choose from auto, cpu, cuda")
    return torch.device(name)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read ``3`` (how many: 0, 1 and 2), ``0,3,5`` or ``0:4`` (the last number is left out); ``0`` is seed 0.

    Raises:
        BadInput: If the text is none of these, or names a seed twice.
    """
    try:
        if ":" in text:
            first, last = (int(part) for part in text.split(":"))
            seeds = tuple(range(first, last))
        else:
            seeds = tuple(int(part) for part in text.split(","))
            if "," not in text and 0 < seeds[0] <= _MOST_SEEDS:
                seeds = tuple(range(seeds[0]))
    except ValueError:
        raise BadInput(f"cannot read seeds {text!r}; write 3, or 0,1,2, or 0:3") from None
    if not seeds or min(seeds) < 0 or max(seeds) >= 2**31 or len(set(seeds)) < len(seeds):
        raise BadInput(f"seeds {text!r} must be different whole numbers from 0 to 2^31 - 1; write 3, or 0,1,2, or 0:3")
    return seeds
