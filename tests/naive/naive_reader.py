"""A stranger's reader of the native file: numpy and safetensors, the documented names, nothing of this library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

__all__ = ["evaluate", "read"]


def read(path: Path) -> tuple[list[dict[str, np.ndarray]], dict[str, Any]]:
    """The affine maps, first to last, and the metadata with its JSON records parsed."""
    with safe_open(str(path), framework="numpy") as archive:
        records = dict(archive.metadata())
        count = sum(name.endswith(".bias") for name in archive.keys())  # noqa: SIM118 - an archive is no mapping
        names = ("weight.data", "weight.indices", "weight.indptr", "bias")
        maps = [{name: archive.get_tensor(f"{i}.{name}") for name in names} for i in range(count)]
    parsed = {key: json.loads(text) if text[:1] in "[{" else text for key, text in records.items()}
    return maps, parsed


def evaluate(maps: list[dict[str, np.ndarray]], A: np.ndarray) -> np.ndarray:
    """The network at a matrix, row by row, in plain loops."""
    value = A.reshape(-1)
    for place, part in enumerate(maps):
        out = part["bias"].copy()
        for row in range(len(out)):
            for k in range(part["weight.indptr"][row], part["weight.indptr"][row + 1]):
                out[row] += part["weight.data"][k] * value[part["weight.indices"][k]]
        value = np.maximum(out, 0) if place < len(maps) - 1 else out
    return value.reshape(A.shape)
