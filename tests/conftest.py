"""Tests run against the packages of this checkout, with shapes and types checked, deterministic from a seed."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

#: Modules whose types and shapes are checked while the tests run (those that do not name torch types lazily).
CHECKED = (
    "constructions.exact",
    "constructions.evaluate",
    "constructions.forms",
    "constructions.measure",
    "theory.architecture",
    "theory.dyadic",
    "theory.radices",
)
install_import_hook(CHECKED, "beartype.beartype")

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
