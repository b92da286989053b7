"""What one stage of a plan puts in each layer: numbers of squarers, accumulators and carried entries.

Counts follow theorems matmul.polarised and matmul.square; the same layout is built in ``constructions.stage``.
"""

from __future__ import annotations

from theory.network_plan import carried_outputs
from theory.program import Product, Stage

__all__ = ["accumulators", "carriers", "shares_sums", "squarers", "stage_squarers", "widest_radices"]


def squarers(product: Product, n: int) -> int:
    """Return the squarers of a product of n x n matrices.

    n^3 for a square; else for each of t terms of the inner sum (n, if all) n^2 + 2n polarised with shared entry
    squares, 2n^2 by differences, 3n^2 with nothing shared.
    """
    each = {"polarised": n**2 + 2 * n, "difference": 2 * n**2, "usual": 3 * n**2}[product.how]
    return n**3 if product.is_square else each * product.terms(n)


def stage_squarers(stage: Stage, n: int) -> int:
    """Return the squarers of all products of a stage."""
    return sum(squarers(product, n) for product in stage.products)


def product_accumulators(product: Product, n: int) -> int:
    """Return the accumulators of a product: one an entry, one a row and column sum where entry squares are shared."""
    return n**2 + 2 * n if shares_sums(product, n) else n**2


def shares_sums(product: Product, n: int) -> bool:
    """Return whether row and column sums of squares are kept: not for a 1 x 1 square, which has none."""
    return product.how == "polarised" and not (product.is_square and n == 1)


def accumulators(stage: Stage, n: int) -> int:
    """Return the accumulators of a stage, carried linear parts included."""
    return sum(product_accumulators(product, n) for product in stage.products) + n**2 * len(carried_outputs(stage))


def carriers(stage: Stage, n: int) -> int:
    """Return the neurons of the first layer that carry the live matrices."""
    return n**2 * len(stage.live)


def widest_radices(stage: Stage, n: int, width: int) -> tuple[int, int, int] | None:
    """Return the largest radices (first, middle, last) whose layers stay within ``width``; None if not even 2s."""
    count = stage_squarers(stage, n)
    if not count:  # one layer of carriers
        return (2, 2, 2) if carriers(stage, n) <= width else None
    first = (width - carriers(stage, n)) // count + 1
    middle = (width - accumulators(stage, n)) // count
    if min(first, middle) < 2:
        return None
    return first, middle, middle + 1
