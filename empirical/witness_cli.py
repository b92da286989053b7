"""Find a matrix where a trained inverse network is wrong by more than a given error, and confirm it exactly."""

from __future__ import annotations

import argparse
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput
from theory.rationals import parse_positive, rational_text

if TYPE_CHECKING:
    from empirical.witness import Witness

__all__ = ["add_arguments", "as_json", "run"]

#: Longer numbers could not be printed: Python refuses integers of more than 4300 digits.
_MOST_DIGITS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", type=Path, help="ONNX Gemm/Relu chain, or state dict (.safetensors, .pt) of a Sequential"
    )
    parser.add_argument(
        "--error", default="1e6", help="miss the inverse by more than this, max-entry norm (default: 1e6)"
    )
    parser.add_argument("--radius", help="look in the ball of this Frobenius radius around 0 (default: n)")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the witness.

    Raises:
        BadInput: If a number asked for has too many digits.
    """
    error = parse_positive(arguments.error, "--error")
    radius = None if arguments.radius is None else parse_positive(arguments.radius, "--radius")
    for name, value in (("--error", error), ("--radius", radius or Fraction(1))):
        if max(value.numerator, value.denominator) > 10**_MOST_DIGITS:
            raise BadInput(f"{name} must be a rational of at most {_MOST_DIGITS} digits above and below the line")
    from empirical.models_io import read_chain
    from empirical.witness import find_witness

    witness = find_witness(read_chain(arguments.model), error, radius)
    if arguments.json:
        print(json.dumps(as_json(witness), indent=1))
    else:
        _print(witness)
    return 0


def as_json(witness: Witness) -> dict[str, Any]:
    """Return the witness as JSON values: rationals as text, numbers beside them rounded to the safe side."""
    return {
        "matrix": [[rational_text(entry) for entry in row] for row in witness.matrix],
        "error": _down(witness.error),
        "error_exact": _printable(witness.error),
        "asked": _up(witness.asked),
        "norm": "max",
        "radius": _up(witness.radius),
        "radius_exact": rational_text(witness.radius),
        "radius_norm": "fro",
        "output_bound": _up(witness.output_bound),
        "confirmed": "exact rational arithmetic",
        "subset": {
            "kind": "ball",
            "norm": "fro",
            "centre": "matrix",
            "radius": rational_text(witness.ball.radius),
            "measure_lower_log10": witness.ball.measure_log10,
            "error_exceeds": _up(witness.asked),
        },
        "slab": {
            "kind": "0 < |b - r M^-1 c| < half_width, |M - diagonal I|_F, |r|, |c| <= diagonal/4",
            "half_width": rational_text(witness.slab.half_width),
            "diagonal": rational_text(witness.slab.diagonal),
            "measure_lower_log10": witness.slab.measure_log10,
            "error_exceeds": _up(witness.asked),
        },
    }


def _printable(value: Fraction) -> str | None:
    """Return the exact text, None past 4000 digits: deep networks have such values in exact arithmetic."""
    longest = max(abs(value.numerator), value.denominator)
    return rational_text(value) if longest < 10 ** (4 * _MOST_DIGITS) else None


def _down(value: Fraction) -> float | str:
    return _rounded(value, -math.inf)


def _up(value: Fraction) -> float | str:
    return _rounded(value, math.inf)


def _rounded(value: Fraction, direction: float) -> float | int | str:
    """Return an integer as it is, else a float on the given side; past float's range its exact text."""
    if value.denominator == 1 and abs(value) <= 10**15:
        return int(value)
    try:
        number = float(value)
    except OverflowError:
        return rational_text(value)
    on_side = Fraction(number) <= value if direction < 0 else Fraction(number) >= value
    return number if on_side else math.nextafter(number, direction)


def _print(witness: Witness) -> None:
    n = len(witness.matrix)
    shown = [[rational_text(entry) for entry in row] for row in witness.matrix]
    widths = [max(len(row[j]) for row in shown) for j in range(n)]
    print(f"a {n}×{n} matrix of Frobenius norm at most {witness.radius} that the network inverts wrongly:")
    for row in shown:
        print("  [ " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " ]")
    print(f"error          {_down(witness.error)} in the max-entry norm, confirmed in exact rational arithmetic")
    print(f"asked for      more than {_up(witness.asked)}")
    print(f"why            the network's outputs stay below {_up(witness.output_bound)} on that ball (Frobenius norm)")
    ball, half_width = float(witness.ball.radius), float(witness.slab.half_width)
    print(f"around it      every matrix within {ball:.6g} (Frobenius) is missed by more than asked:")
    print(f"               a set of measure at least 10^{witness.ball.measure_log10:.2f}")
    print(f"a larger set   0 < |b - r M⁻¹ c| < {half_width:.6g} for matrices [[b, r], [c, M]] near it:")
    print(f"               measure at least 10^{witness.slab.measure_log10:.2f}")
