"""Certify the worst error of a trained network over a box of matrices: a proved upper and an attained lower bound."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput
from theory.rationals import parse_count, parse_positive, rational_text

if TYPE_CHECKING:
    from empirical.certify.crew import Crew
    from empirical.certify.expansion import Target
    from empirical.certify.region import Region

__all__ = ["FUNCTIONS", "add_arguments", "run"]

FUNCTIONS = ("inverse", "expm")
NORM_NAMES = ("max", "inf", "one")
_MODEL_HELP = (
    "ONNX Gemm/Relu chain, or the state dict (.safetensors, .pt) of an nn.Sequential of Linear and ReLU, "
    "matrices flattened row by row"
)
#: Longer than anybody waits; what is beyond it may be beyond float64 too.
_LONGEST_SECONDS = Fraction(10**9)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    parser.add_argument("--around", required=True, metavar="A0.npy", help="centre of the box, a square matrix")
    parser.add_argument("--half-width", required=True, metavar="d", help="half-width in every entry, a rational")
    parser.add_argument("--function", required=True, choices=FUNCTIONS, help="what the network imitates")
    parser.add_argument("--gap", default="0.02", help="stop at upper <= (1 + gap) lower (default 0.02)")
    parser.add_argument("--seconds", default="60", help="stop after this time with the bounds so far (default 60)")
    parser.add_argument("--norm", default="max", choices=NORM_NAMES, help="max-entry (default), or induced inf or 1")
    parser.add_argument("--seed", default="0", help="seed of the random points and climbs (default 0)")
    parser.add_argument("--workers", metavar="k", help="processes, or jobs with --slurm (default: the cores at hand)")
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument("--cluster", metavar="tcp://...", help="work on this Dask cluster")
    cluster.add_argument("--slurm", action="store_true", help="work in Slurm jobs (dask-jobqueue, its configuration)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Certify and print; exit code 0 whenever the bounds are valid, whether the gap was met or not.

    Raises:
        BadInput: If an input cannot be read or does not fit, or no finite bound exists or was found.
    """
    started = time.monotonic()
    half_width = parse_positive(arguments.half_width, "--half-width")
    gap = parse_positive(arguments.gap, "--gap")
    seconds = float(min(parse_positive(arguments.seconds, "--seconds"), _LONGEST_SECONDS))
    seed = _seed(arguments.seed)
    workers = parse_count(arguments.workers, "--workers", most=4096) if arguments.workers else _cores()
    if not (arguments.cluster or arguments.slurm):
        # The processes are the parallelism; this one's BLAS need not start threads of its own.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from empirical.certify.reading import read_relu_chain
    from empirical.certify.region import Region, read_centre
    from empirical.certify.search import Options, certify

    region = Region(read_centre(arguments.around), half_width)
    chain = read_relu_chain(arguments.model)
    target = _target(arguments.function, region)
    with _stop_on_signals() as stop, _crew(arguments, workers) as crew:
        left = max(seconds - (time.monotonic() - started), 1e-3)
        options = Options(arguments.norm, gap, left, seed, stop, _reporter())
        certificate = certify(chain, target, region, options, crew)
    if certificate.upper == float("inf"):
        raise BadInput(
            f"no finite bound ({certificate.ended}): singular matrices within {arguments.half_width} of the centre "
            "could not be excluded; shrink --half-width or give more --seconds"
            if arguments.function == "inverse"
            else f"no finite bound ({certificate.ended}); shrink --half-width or give more --seconds"
        )
    if arguments.json:
        setting = {"function": arguments.function, "half_width": rational_text(half_width), "seed": seed}
        print(json.dumps({**certificate.as_json(), **setting}, allow_nan=False))
    else:
        print("\n".join(certificate.lines()))
    return 0


def _seed(text: str) -> int:
    return 0 if text.strip() == "0" else parse_count(text, "--seed", most=2**63)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _target(function: str, region: Region) -> Target:
    if function == "expm":
        from empirical.certify.expm import ExpmTarget

        return ExpmTarget.over(region)
    from empirical.certify.inverse import InverseTarget
    from empirical.certify.singular import holds_singular

    if holds_singular(region):
        raise BadInput("the box holds a singular matrix (its determinant changes sign), so the worst error is infinite")
    return InverseTarget(region.n)


def _crew(arguments: argparse.Namespace, workers: int) -> Crew:
    from empirical.certify.crew import local_crew

    if arguments.cluster:
        from empirical.certify.dask_crew import cluster_crew

        return cluster_crew(arguments.cluster)
    if arguments.slurm:
        from empirical.certify.dask_crew import slurm_crew

        return slurm_crew(workers)
    return local_crew(workers)


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a request to stop with the bounds so far; a second one acts as usual."""
    received: list[int] = []
    names = (signal.SIGINT, signal.SIGTERM)
    before = {name: signal.getsignal(name) for name in names}

    def note(number: int, frame: Any) -> None:
        received.append(number)
        for name in names:
            signal.signal(name, before[name])

    for name in names:
        signal.signal(name, note)
    try:
        yield lambda: bool(received)
    finally:
        for name in names:
            signal.signal(name, before[name])


def _reporter() -> Callable[[int, int, float, float], None]:
    """Progress on a terminal's stderr, once a second; silence elsewhere."""
    if not sys.stderr.isatty():
        return lambda boxes, open_boxes, lower, upper: None
    last = [time.monotonic()]

    def report(boxes: int, open_boxes: int, lower: float, upper: float) -> None:
        if time.monotonic() - last[0] >= 1:
            last[0] = time.monotonic()
            print(f"{boxes} boxes, {open_boxes} open, error between {lower:.6g} and {upper:.6g}", file=sys.stderr)

    return report
