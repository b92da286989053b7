"""Run an experiment: train or measure, tell progress on stderr, write a record, print its table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from empirical.experiments import EXPERIMENTS, load_experiment
from theory.errors import BadInput

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("experiment", help=", ".join(EXPERIMENTS))
    parser.add_argument("--scale", default="smoke", help="smoke (seconds), small (minutes on two cores), full (a GPU)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--seeds", help="how many (3), or which (0,1,2 or 0:3); the experiment's own by default")
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), help="folder of checkpoints and record (default: runs)"
    )
    parser.add_argument(
        "--store", action="store_true", help="also keep record and small networks with the code, in empirical/results"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoints in the folder")
    parser.add_argument("--max-seconds", type=float, help="stop after this long, at a checkpoint; go on with --resume")
    parser.add_argument("--cluster", default="here", help="where sweeps run: here, processes:N, dask:N or slurm:N")
    parser.add_argument("--threads", type=int, help="CPU threads for torch")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be repeated")
    parser.add_argument("--quiet", action="store_true", help="tell no progress")


def run(arguments: argparse.Namespace) -> int:
    """Run the experiment and write its record.

    Raises:
        BadInput: If the request cannot be met as it stands.
    """
    from empirical.experiments.request import Request, choose_device, parse_seeds
    from empirical.progress import Progress
    from empirical.settings import parse_options
    from empirical.show_cli import print_record
    from empirical.store import RESULTS, current_commit, make_record, save_record
    from empirical.sweep import parse_cluster

    if arguments.threads is not None and arguments.threads < 1:
        raise BadInput("--threads must be at least 1")
    if arguments.max_seconds is not None and not arguments.max_seconds > 0:
        raise BadInput("--max-seconds must be above 0")
    parse_cluster(arguments.cluster)
    module = load_experiment(arguments.experiment)
    own = getattr(module, "DEFAULT_SEEDS", "0")
    seeds = parse_seeds(own if arguments.seeds is None else arguments.seeds)
    options = parse_options(arguments.set)
    folder = make_folder(arguments.out)
    device = choose_device(arguments.device)
    if arguments.threads is not None:
        import torch

        torch.set_num_threads(arguments.threads)
    commit = current_commit()  # what runs is what there was at the start, whatever is committed meanwhile
    with Progress(quiet=arguments.quiet) as progress:
        request = Request(
            experiment=arguments.experiment,
            scale=arguments.scale,
            device=device,
            seeds=seeds,
            folder=folder,
            resume=arguments.resume,
            progress=progress,
            deadline=None if arguments.max_seconds is None else time.time() + arguments.max_seconds,
            options=options,
            cluster=arguments.cluster,
            store=RESULTS if arguments.store else None,
        )
        start = time.monotonic()
        body = module.run(request)
    command = ["python", "-m", "empirical", *_without_places(sys.argv[1:])]
    record = make_record(arguments.experiment, arguments.scale, seeds, device, command, body, time.monotonic() - start)
    record["commit"] = commit
    name = f"{arguments.experiment}-{arguments.scale}.json"
    paths = [save_record(place / name, record) for place in ([folder, RESULTS] if arguments.store else [folder])]
    print_record(record)
    waiting = sum(result.get("outcome") in ("stopped", "not started") for result in body["results"])
    if waiting:
        print(f"{waiting} of {len(body['results'])} runs did not finish; go on with --resume", file=sys.stderr)
    print(f"record: {', '.join(map(str, paths))}", file=sys.stderr)
    return 0


def _without_places(arguments: Sequence[str]) -> list[str]:
    """Leave out where files went: it says nothing about what was measured."""
    kept, skip = [], False
    for argument in arguments:
        if not skip and argument != "--store" and not argument.startswith("--out"):
            kept.append(argument)
        skip = argument == "--out"
    return kept


def make_folder(path: Path) -> Path:
    """Make a folder for results, or say in one line why not.

    Raises:
        BadInput: If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot make the folder {path}: {error.strerror}; choose another with --out") from None
    return path
