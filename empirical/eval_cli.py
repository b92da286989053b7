"""Measure a checkpoint: accuracy of the trained network beside what its encodings allow, on samples of your choice."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput

if TYPE_CHECKING:
    import torch

__all__ = ["add_arguments", "load_task", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("checkpoint", type=Path, help="a .pt file that a run wrote")
    parser.add_argument("--samples", type=int, default=10_000, help="test matrices (default: 10000)")
    parser.add_argument("--seed", type=int, help="seed of the test matrices (default: the run's own test set)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--unrounded",
        action="store_true",
        help="ask for f at the matrices themselves, as published, of a network that learned it at rounded ones",
    )
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the measurement.

    Raises:
        BadInput: If the checkpoint cannot be read or the number of samples is not positive.
    """
    from empirical.experiments.request import choose_device
    from empirical.experiments.tables import percent
    from empirical.show_cli import print_table
    from empirical.train_memory import check_memory, training_bytes

    if arguments.samples < 1:
        raise BadInput("--samples must be at least 1")
    device = choose_device(arguments.device)
    task = load_task(arguments.checkpoint, device)
    if arguments.unrounded:
        if not getattr(task.settings, "round_inputs", False):
            raise BadInput("--unrounded is for runs with round_inputs=true; this one never rounded its test matrices")
        task.settings = replace(task.settings, round_inputs=False)
    check_memory(training_bytes(0, arguments.samples, task.settings.n**2), device, "ask for fewer --samples")
    found = task.evaluate(arguments.samples, arguments.seed)
    if arguments.json:
        print(json.dumps(found, indent=1, allow_nan=False))
        return 0
    settings = task.settings
    print(f"{settings.label}: {found['samples']:,} samples, {found['drawn'] - found['samples']:,} rejected on the way")
    kinds = [kind for kind in ("accuracy", "accuracy_exact", "ceiling", "ceiling_exact") if kind in found]
    header = ["percent within", *(f"{100 * float(tolerance):g} %" for tolerance in found["accuracy"])]
    print_table(header, [[kind.replace("_", " "), *map(percent, found[kind].values())] for kind in kinds])
    return 0


def load_task(path: Path, device: torch.device) -> Any:
    """Return the task a checkpoint was written by, with its weights.

    Raises:
        BadInput: If the file is no checkpoint of a kind that can be measured.
    """
    from empirical.mlp_task import MlpSettings, MlpTask
    from empirical.train import load_checkpoint
    from empirical.transformer_task import TransformerSettings, TransformerTask

    kinds: dict[str, tuple[Any, Any]] = {
        "transformer": (TransformerSettings, TransformerTask),
        "mlp": (MlpSettings, MlpTask),
    }
    checkpoint = load_checkpoint(path, device)
    if checkpoint.get("kind") not in kinds:
        raise BadInput(f"{path} holds a {checkpoint.get('kind')!r}, which cannot be measured here")
    settings, task_class = kinds[checkpoint["kind"]]
    try:
        task = task_class(settings(**checkpoint["configuration"]), device)
        task.model.load_state_dict(checkpoint["model"])
    except (TypeError, KeyError, RuntimeError) as error:
        raise BadInput(f"{path} does not fit this version: {str(error).splitlines()[0]}") from None
    return task
