"""Tests run against the packages of this checkout, with shapes and types checked, deterministic from a seed."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile(
    "funmnet",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("funmnet")
os.environ.setdefault("MPLBACKEND", "Agg")
