"""Matrix programs for polynomials: Horner, Paterson-Stockmeyer, and the degree-8 scheme in three products.

A polynomial is given without its constant term, which is linear and free. Powers of X = 2^-s A are what is multiplied;
intermediate results are kept times a power of two near the inverse of their leading coefficient, so that no weight
grows with k!. Powers of two are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from theory.program import Combination, Product, Stage, combination

__all__ = [
    "PolynomialProgram",
    "best_programs",
    "carrying",
    "coefficients_of",
    "degree_eight",
    "evaluated",
    "horner",
    "on_base",
    "paterson_stockmeyer",
]

Coefficients = Sequence[Fraction]


@dataclass(frozen=True)
class PolynomialProgram:
    """Stages that compute ``sum_{k>=1} c_k X^k``, X = 2^-s A, and the combination that holds it after them."""

    stages: tuple[Stage, ...]
    result: Combination


def _unit(coefficient: Fraction) -> Fraction:
    """Return the power of two at most 1/|c|, greater than 1/(2|c|)."""
    inverse = 1 / abs(coefficient)
    shift = inverse.numerator.bit_length() - inverse.denominator.bit_length()
    power = Fraction(1 << shift) if shift >= 0 else Fraction(1, 1 << -shift)
    return power if power <= inverse else power / 2


def horner(coefficients: Coefficients, scalings: int = 0) -> PolynomialProgram:
    """Return Horner's rule ``H_k = c_k A + A H_{k+1}`` in q - 1 products.

    Args:
        coefficients: c_1, ..., c_q of powers of X = 2^-s A; c_q is not zero.
        scalings: s.
    """
    c = [Fraction(0)] + [value / (1 << (scalings * k)) for k, value in enumerate(coefficients, start=1)]
    degree, A = len(c) - 1, combination({"A": 1})
    if degree == 1:
        return PolynomialProgram((), A.scaled(c[1]))
    units = [Fraction(1)] * len(c)
    for k in range(degree, 0, -1):  # a missing coefficient keeps the unit of the one above it
        units[k] = _unit(c[k]) if c[k] else units[k + 1]
    stages = []
    for k in range(degree - 1, 0, -1):
        first, last = k == degree - 1, k == 1
        # The innermost factor is A itself: H_{q-1} = c_{q-1} A + c_q A^2, a square.
        inner = c[degree] if first else 1 / units[k + 1]
        output = combination({"A": units[k] * c[k], "P": units[k] * inner})
        kept = (("H", output),) if last else (("A", A), ("H", output))
        stages.append(Stage((Product("P", A, A if first else combination({"H": 1})),), kept))
    return PolynomialProgram(tuple(stages), combination({"H": 1 / units[1]}))


def paterson_stockmeyer(coefficients: Coefficients, scalings: int = 0, block: int | None = None) -> PolynomialProgram:
    """Return Paterson and Stockmeyer's scheme: powers up to ``block``, then Horner in X^block; 2 sqrt(q) products.

    Source: Paterson, Stockmeyer, SIAM J. Comput. 2 (1973) 60-66.
    """
    degree = len(coefficients)
    block = block or _best_block(degree)
    if block == 1 or degree <= 2:
        return horner(coefficients, scalings)
    powers = _power_stages(block, scalings)
    parts = [dict(enumerate(coefficients[j * block : (j + 1) * block], start=1)) for j in range(-(-degree // block))]
    # parts[j] holds c_{jb+1}, ..., c_{jb+b}: the polynomial is sum_j X^{jb} (c_{jb+1} X + ... + c_{jb+b} X^b).
    stages = list(powers)
    unit = _unit(next(c for c in parts[-1].values() if c))
    current = combination({f"X{i}": unit * c for i, c in parts[-1].items()})
    for position in range(len(parts) - 2, -1, -1):
        lead = next((c for c in parts[position].values() if c), 1 / unit)  # an empty part keeps the unit above
        following = _unit(lead) if position else Fraction(1)
        linear = combination({f"X{i}": following * c for i, c in parts[position].items()})
        output = linear.plus(combination({"P": following / unit}))
        kept = tuple((f"X{i}", combination({f"X{i}": 1})) for i in range(1, block + 1)) if position else ()
        stages.append(Stage((Product("P", combination({f"X{block}": 1}), current),), (*kept, ("H", output))))
        current, unit = combination({"H": 1}), following
    return PolynomialProgram(tuple(stages), current.scaled(1 / unit))


def _best_block(degree: int) -> int:
    """Return the block with the fewest products, (b - 1) + (ceil(q/b) - 1); the smallest such block."""
    return min(range(1, isqrt(degree) + 2), key=lambda b: (b + -(-degree // b), b))


def _power_stages(block: int, scalings: int) -> list[Stage]:
    """Return the stages that make X1, ..., X<block>: even powers as squares."""
    stages: list[Stage] = []
    x = Fraction(1, 1 << scalings)
    for power in range(2, block + 1):
        if power == 2:
            A = combination({"A": 1})
            stages.append(Stage((Product("P", A, A),), (("X1", A.scaled(x)), ("X2", combination({"P": x * x})))))
            continue
        half = power // 2
        left = combination({f"X{half}": 1})
        right = left if power % 2 == 0 else combination({f"X{power - half}": 1})
        kept = tuple((f"X{i}", combination({f"X{i}": 1})) for i in range(1, power))
        stages.append(Stage((Product("P", left, right),), (*kept, (f"X{power}", combination({"P": 1})))))
    return stages


#: sqrt(177) to 80 bits, and the coefficients of the degree-8 scheme with it in place of the root.
ROOT = Fraction(isqrt(177 << 160), 1 << 80)


def _scheme_eight() -> dict[str, Fraction]:
    r, x3 = ROOT, Fraction(2, 3)
    return {
        "x1": x3 * (1 + r) / 88,
        "x2": x3 * (1 + r) / 352,
        "x3": x3,
        "x4": (29 * r - 271) / (315 * x3),
        "x5": 11 * (r - 1) / (1260 * x3),
        "x6": 11 * (r - 9) / (5040 * x3),
        "x7": (89 - r) / (5040 * x3**2),
        "y2": (857 - 58 * r) / 630,
    }


def degree_eight(scalings: int = 0) -> PolynomialProgram:
    """Return e^X - I to degree 8 in three products (Paterson-Stockmeyer needs four).

    ``A2 = X^2; A4 = A2 (x1 X + x2 A2); A8 = (x3 A2 + A4)(x4 I + x5 X + x6 A2 + x7 A4); T_8 - I = X + y2 A2 + A8``, with
    sqrt(177) to 80 bits: ``coefficients_of`` gives the polynomial this really is.

    Source: Bader, Blanes, Casas, Mathematics 7 (2019) 1174, section 3.
    """
    c, x = _scheme_eight(), Fraction(1, 1 << scalings)
    A = combination({"A": 1})
    first = Stage((Product("P", A, A),), (("X1", A.scaled(x)), ("X2", combination({"P": x * x}))))
    second = Stage(
        (Product("P", combination({"X2": 1}), combination({"X1": c["x1"], "X2": c["x2"]})),),
        (("X1", combination({"X1": 1})), ("X2", combination({"X2": 1})), ("X4", combination({"P": 1}))),
    )
    left = combination({"X2": c["x3"], "X4": 1})
    right = combination({"X1": c["x5"], "X2": c["x6"], "X4": c["x7"]})
    output = combination({"X1": 1, "X2": c["y2"], "P": 1}).plus(left.scaled(c["x4"]))
    third = Stage((Product("P", left, right),), (("H", output),))
    return PolynomialProgram((first, second, third), combination({"H": 1}))


def coefficients_of(program: PolynomialProgram, scalings: int = 0) -> list[Fraction]:
    """Return c_0, c_1, ... of the polynomial in X = 2^-s A that a program computes, by exact polynomial arithmetic."""
    values = evaluated(program)[-1] if program.stages else _INPUT
    return [c * (1 << (scalings * k)) for k, c in enumerate(_polynomial(program.result, values))]


def evaluated(program: PolynomialProgram) -> list[dict[str, list[Fraction]]]:
    """Return, for every stage, the polynomials in A that its outputs are: coefficients from c_0 on."""
    values, found = _INPUT, []
    for stage in program.stages:
        have = dict(values)
        for product in stage.products:
            left, right = _polynomial(product.left, values), _polynomial(product.right, values)
            result = [Fraction(0)] * (len(left) + len(right) - 1)
            for i, a in enumerate(left):
                for j, b in enumerate(right):
                    result[i + j] += a * b
            have[product.name] = result
        values = {name: _polynomial(output, have) for name, output in stage.outputs}
        found.append(values)
    return found


_INPUT = {"A": [Fraction(0), Fraction(1)]}


def _polynomial(form: Combination, have: Mapping[str, list[Fraction]]) -> list[Fraction]:
    total = [form.identity]
    for name, c in form.terms:
        term = have[name]
        total += [Fraction(0)] * (len(term) - len(total))
        for k, value in enumerate(term):
            total[k] += c * value
    return total


def on_base(polynomial: PolynomialProgram, base: str) -> PolynomialProgram:
    """Return the program with ``base`` in place of A."""

    def renamed(form: Combination) -> Combination:
        return combination({base if name == "A" else name: c for name, c in form.terms}, form.identity)

    stages = tuple(
        Stage(
            tuple(Product(p.name, renamed(p.left), renamed(p.right)) for p in stage.products),
            tuple((base if name == "A" else name, renamed(output)) for name, output in stage.outputs),
        )
        for stage in polynomial.stages
    )
    return PolynomialProgram(stages, renamed(polynomial.result))


def carrying(polynomial: PolynomialProgram, name: str) -> PolynomialProgram:
    """Return the program with one more matrix carried past every stage (it is there already if it goes on anyway)."""
    keep = (name, combination({name: 1}))
    stages = tuple(
        stage if name in dict(stage.outputs) else Stage(stage.products, (*stage.outputs, keep))
        for stage in polynomial.stages
    )
    return PolynomialProgram(stages, polynomial.result)


def best_programs(coefficients: Coefficients) -> list[PolynomialProgram]:
    """Return Paterson-Stockmeyer programs worth considering: the best block and its neighbours."""
    degree = len(coefficients)
    best = _best_block(degree)
    blocks = sorted({b for b in (best - 1, best, best + 1) if 1 <= b <= max(1, degree // 2)} | {best})
    return [paterson_stockmeyer(coefficients, 0, block) for block in blocks]
