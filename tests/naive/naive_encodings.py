"""The published encodings one number at a time, in plain Python: what the batched ones are compared with."""

from __future__ import annotations

import math


def encode_number(name: str, x: float) -> list[str]:
    """Write one float as token names."""
    if name == "FP15":
        return [_fp15(x)]
    if not math.isfinite(x):
        raise ValueError(f"no token for {x}")
    digits, exponent = _three_digits(x)
    if exponent > 100:
        raise ValueError(f"no token for {x}")
    if digits == 0 or exponent < -100:
        digits, exponent, negative = 0, 0, False
    else:
        negative = x < 0
    sign = "-" if negative else "+"
    if name == "P10":
        return [sign, *str(digits), f"E{exponent}"]
    if name == "P1000":
        return [sign, str(digits), f"E{exponent}"]
    if name == "B1999":
        return [f"N{-digits if negative else digits}", f"E{exponent}"]
    raise ValueError(name)


def _three_digits(x: float) -> tuple[int, int]:
    mantissa, exponent = format(abs(x), ".2e").split("e")
    return int(mantissa.replace(".", "")), int(exponent) - 2


def _fp15(x: float) -> str:
    if math.isnan(x):
        return "NaN"
    digits, exponent = (1000, 99) if math.isinf(x) else _three_digits(x)
    sign = "-" if x < 0 else ""
    if exponent > 6:
        return f"{sign}NaN"
    if exponent < -9:
        # Fewer digits: the nearest whole number of 1e-9, from the decimal expansion of the float itself.
        digits, exponent = int(format(abs(x), ".9f").replace(".", "")), -9
    if digits == 0:
        return "N0e0"
    return f"N{sign}{digits}e{exponent + 9}"


def encode_matrix(name: str, matrix: list[list[float]]) -> list[str]:
    """Write one matrix."""
    names = [f"V{len(matrix)}", f"V{len(matrix[0])}"]
    for row in matrix:
        for x in row:
            names.extend(encode_number(name, x))
    return names


def decode_matrix(name: str, names: list[str]) -> list[list[float]]:
    """Read one matrix back."""
    rows, columns, rest = int(names[0][1:]), int(names[1][1:]), names[2:]
    values = []
    while rest:
        value, rest = _decode_number(name, rest)
        values.append(value)
    if len(values) != rows * columns:
        raise ValueError("wrong number of entries")
    return [values[i * columns : (i + 1) * columns] for i in range(rows)]


def _decode_number(name: str, names: list[str]) -> tuple[float, list[str]]:
    if name == "FP15":
        if names[0] in ("NaN", "-NaN"):
            return math.nan, names[1:]
        mantissa, exponent = names[0][1:].split("e")
        return float(f"{mantissa}e{int(exponent) - 9}"), names[1:]
    if name == "B1999":
        return float(f"{names[0][1:]}{names[1].lower()}"), names[2:]
    sign, end = names[0], 1
    while names[end].isdigit():
        end += 1
    value = float(f"{''.join(names[1:end])}{names[end].lower()}")
    return (-value if sign == "-" else value), names[end + 1 :]
