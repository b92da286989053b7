"""Every improvement at once, for as long as two cores train in an evening: exp and sign at n = 3.

``full`` is five million examples on a network of 1.4 million parameters (published: thirty million on 30 million).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from empirical.experiments.improved import ImprovedSettings, run_with, settings_at, table

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["run", "table"]

_EXAMPLES = {"smoke": {}, "small": {"examples": 1_000_000}, "full": {"examples": 5_000_000, "samples": 10_000}}


def run(request: Request) -> dict[str, Any]:
    """Train one transformer a function."""
    scale = "smoke" if request.scale == "smoke" else "small"
    varied, network = settings_at(scale)
    network = network | _EXAMPLES[request.scale]
    return run_with(request, ImprovedSettings(varied.functions, ("curriculum",)), network)
