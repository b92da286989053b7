"""What a sweep's cells do: train one network, measure it, return plain values."""

from __future__ import annotations

from typing import Any

from empirical.sweep import Cell

__all__ = ["run_mlp", "run_transformer"]


def run_transformer(cell: Cell) -> dict[str, Any]:
    """Train and measure a transformer; its checkpoint stays."""
    import torch

    from empirical.transformer_task import TransformerSettings, TransformerTask

    task = TransformerTask(TransformerSettings(**cell.settings), torch.device(cell.device))
    return _train_and_measure(cell, task)


def run_mlp(cell: Cell) -> dict[str, Any]:
    """Train and measure a ReLU network; there are many, so only the result stays."""
    import torch

    from empirical.mlp_task import MlpSettings, MlpTask

    result = _train_and_measure(cell, MlpTask(MlpSettings(**cell.settings), torch.device(cell.device)))
    if result["outcome"] != "stopped":
        cell.checkpoint.unlink(missing_ok=True)
    return result


def _train_and_measure(cell: Cell, task: Any) -> dict[str, Any]:
    from dataclasses import asdict

    from empirical.throughput import throughput
    from empirical.train import TrainOutcome, train

    result = train(
        task,
        cell.checkpoint,
        resume=cell.resume,
        progress=cell.progress,
        label=cell.label,
        max_seconds=cell.seconds_left(),
    )
    record: dict[str, Any] = {
        "outcome": result.outcome.value,
        "settings": asdict(task.configuration),
        "parameters": sum(parameter.numel() for parameter in task.model.parameters()),
        "train": result.as_record(task.batch) | {"drawn": task.drawn, "rejected": dict(sorted(task.rejected.items()))},
    }
    if result.outcome is TrainOutcome.FINISHED:
        record["test"] = task.evaluate()
        record["throughput"] = throughput(task, record["train"]["examples_per_second"])
    return record
