"""Records of runs: small JSON files that say what was measured, with what, from which seeds, on what machine.

A record is written whole or not at all. Python's NaN and infinities are not JSON: they are refused when a record is
written, so a body must say ``None`` (or leave a value out) where nothing finite was measured.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from theory.errors import BadInput
from theory.files import write_whole

__all__ = ["RESULTS", "current_commit", "find_record", "load_record", "make_record", "provenance", "save_record"]

#: Where the records kept with the code are.
RESULTS = Path(__file__).resolve().parent / "results"
_SCHEMA = 1
_PACKAGES = ("torch", "numpy", "scipy", "python-flint")


def provenance(device: Any, command: Sequence[str]) -> dict[str, Any]:
    """Return what a reader needs to judge or repeat a run: versions, device, threads, command line, commit, date."""
    import torch

    versions = {"python": platform.python_version(), "funmnet": _version("funmnet")}
    versions |= {name: _version(name) for name in _PACKAGES}
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "command": list(command),
        "commit": current_commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "device": {"type": device.type, "name": name, "threads": torch.get_num_threads()},
        "versions": versions,
    }


def make_record(
    experiment: str,
    scale: str,
    seeds: Sequence[int],
    device: Any,
    command: Sequence[str],
    body: Mapping[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Put an experiment's body (``configuration``, ``results``, …) together with its provenance.

    Raises:
        ValueError: If the body lacks ``configuration`` or ``results``.
    """
    missing = {"configuration", "results"} - set(body)
    if missing:
        raise ValueError(f"an experiment's body must have {' and '.join(sorted(missing))}")
    head = {"schema": _SCHEMA, "experiment": experiment, "scale": scale, "seeds": list(seeds)}
    return head | {"seconds": round(seconds, 3)} | provenance(device, command) | dict(body)


def save_record(path: str | Path, record: Mapping[str, Any]) -> Path:
    """Write a record as JSON, whole or not at all; NaN or an infinity in it is a ValueError."""
    write_whole(path, json.dumps(record, indent=1, sort_keys=False, allow_nan=False, ensure_ascii=False) + "\n")
    return Path(path)


def load_record(path: str | Path) -> dict[str, Any]:
    """Read a record back.

    Raises:
        BadInput: If there is no such file, or it is not a record of this schema.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise BadInput(f"{path} is not JSON; it was not written by this program") from None
    if not isinstance(record, dict) or record.get("schema") != _SCHEMA or "experiment" not in record:
        raise BadInput(f"{path} is not a record of schema {_SCHEMA}; run the experiment again")
    return record


def find_record(experiment: str, scale: str | None, folders: Sequence[Path]) -> Path:
    """Return an experiment's record in the first folder that has one; without a scale the largest there.

    Raises:
        BadInput: If no folder has one.
    """
    scales = [scale] if scale else ["full", "small", "smoke"]
    for folder in folders:
        for name in scales:
            path = folder / f"{experiment}-{name}.json"
            if path.is_file():
                return path
    where = " or ".join(str(folder) for folder in folders)
    raise BadInput(f"no record of {experiment} in {where}; make one with: python -m empirical run {experiment}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        module = sys.modules.get(package)
        return getattr(module, "__version__", None)


def current_commit() -> str | None:
    """Return the checkout's commit, read from its files; None outside a checkout."""
    git = RESULTS.parent.parent / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        reference = git / head[5:]
        if reference.is_file():
            return reference.read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(" " + head[5:])), None)
