"""The product X Y of two matrices: polarised, by differences, unshared, or by Strassen's seven products a level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from flint import arb

from theory.errors import BadInput
from theory.plan import Candidate
from theory.problem import Problem
from theory.program import Combination, Product, Program, Source, Stage, combination

__all__ = ["product_candidates", "product_routes", "strassen_levels", "strassen_program"]

_THEOREMS = {"polarised": "matmul.polarised", "difference": "product.difference", "usual": "product.polarised"}
_MOST_LEVELS = 4

Blocks = Sequence[Sequence[Combination]]


def product_routes(n: int) -> tuple[str, ...]:
    """Return the routes of a product, the default first: up to n = 2 differences take no more squarers and err less."""
    first = ("difference", "polarised") if n <= 2 else ("polarised", "difference")
    return (*first, "usual", *(("strassen",) if n % 2 == 0 else ()))


def strassen_levels(route: str, n: int) -> int:
    """Return the levels a route such as ``strassen-2`` names; ``strassen`` has one.

    Raises:
        BadInput: If n cannot be halved so often, or the levels are too many to list.
    """
    text = route.removeprefix("strassen").removeprefix("-") or "1"
    levels = int(text) if text.isdecimal() and len(text) < 4 else 0
    if not 1 <= levels <= _MOST_LEVELS:
        raise BadInput(f"Strassen's product is listed for 1 to {_MOST_LEVELS} levels, not {text}")
    if n % 2**levels:
        raise BadInput(f"route {route} needs n divisible by {2**levels}, {2**levels} blocks a side; n = {n} is not")
    return levels


def product_candidates(problem: Problem, route: str) -> Iterator[Candidate]:
    """Yield the one program of a route; nothing is truncated.

    Raises:
        BadInput: If there is no such route, or it does not fit n.
    """
    if route.startswith("strassen"):
        levels = strassen_levels(route, problem.n)
        program = strassen_program(problem.n, levels)
        yield Candidate(route, "matmul.strassen", (("levels", levels),), program, arb(0))
        return
    if route not in _THEOREMS:
        raise BadInput(f"no route {route!r} for product; choose from {', '.join(product_routes(problem.n))}")
    X, Y, P = (combination({name: 1}) for name in "XYP")
    stage = Stage((Product("P", X, Y, how=route),), (("Z", P),))
    sources = (Source("X", of="X"), Source("Y", of="Y"))
    yield Candidate(route, _THEOREMS[route], (), Program((stage,), combination({"Z": 1}), sources), arb(0))


def strassen_program(n: int, levels: int) -> Program:
    """Return Strassen's product of n x n matrices: all 7^levels products of blocks at once, in one stage.

    Source: Strassen, Numer. Math. 13 (1969) 354. Leaves are polarised, 1 x 1 leaves differences (two squarers).
    """
    grid = 1 << levels
    names = {name: [[f"{name}{i}_{j}" for j in range(grid)] for i in range(grid)] for name in "XYZ"}
    X, Y = ([[combination({entry: 1}) for entry in row] for row in names[name]] for name in "XY")
    products: list[Product] = []
    blocks = _strassen(X, Y, products, "difference" if n == grid else "polarised")
    outputs = tuple(
        (name, block)
        for line, row in zip(names["Z"], blocks, strict=True)
        for name, block in zip(line, row, strict=True)
    )
    results = [combination({name: 1}) for name, _ in outputs]
    sources = tuple(
        Source(entry, of=name, block=(i, j))
        for name in "XY"
        for i, row in enumerate(names[name])
        for j, entry in enumerate(row)
    )
    return Program((Stage(tuple(products), outputs),), results[0], sources, further=tuple(results[1:]))


def _strassen(A: Blocks, B: Blocks, products: list[Product], how: str) -> list[list[Combination]]:
    """Return the blocks of A B as combinations of products, which are added to the list."""
    if len(A) == 1:
        name = f"P{len(products)}"
        products.append(Product(name, A[0][0], B[0][0], how=how))
        return [[combination({name: 1})]]
    (a11, a12), (a21, a22) = _quarters(A)
    (b11, b12), (b21, b22) = _quarters(B)
    pairs = (
        (_sum(a11, a22), _sum(b11, b22)),
        (_sum(a21, a22), b11),
        (a11, _sum(b12, b22, -1)),
        (a22, _sum(b21, b11, -1)),
        (_sum(a11, a12), b22),
        (_sum(a21, a11, -1), _sum(b11, b12)),
        (_sum(a12, a22, -1), _sum(b21, b22)),
    )
    m1, m2, m3, m4, m5, m6, m7 = (_strassen(left, right, products, how) for left, right in pairs)
    c11, c22 = _sum(_sum(m1, m4), _sum(m7, m5, -1)), _sum(_sum(m1, m2, -1), _sum(m3, m6))
    top = [left + right for left, right in zip(c11, _sum(m3, m5), strict=True)]
    return top + [left + right for left, right in zip(_sum(m2, m4), c22, strict=True)]


def _quarters(A: Blocks) -> list[list[list[list[Combination]]]]:
    half = len(A) // 2
    parts = (slice(0, half), slice(half, None))
    return [[[list(row[columns]) for row in A[rows]] for columns in parts] for rows in parts]


def _sum(A: Blocks, B: Blocks, sign: int = 1) -> list[list[Combination]]:
    return [[a.plus(b.scaled(Fraction(sign))) for a, b in zip(*rows, strict=True)] for rows in zip(A, B, strict=True)]
