"""The monomial route: every entry of ``sum_k A^k / k!`` as a sum over index paths, each product of k entries a tree.

This is our own derivation of the kind of network the literature bounds by width exponential in nM; its constants are
not public. Scalar products are taken by differences of squares, all levels with the same radices, no sharing:

- a degree-k monomial has n^(k+1) copies over all outputs, and ceil(log2 k) levels of products;
- with factors scaled into [-1, 1], errors obey ``1 + e_{l+1} = (1 + e_l)^2 (1 + N^-2)``, so after L levels
  ``e_L = (1 + N^-2)^(2^L - 1) - 1``; entries then err by at most ``e_L sum_k n^(k-1) mu^k / k!``, mu the entry bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flint import arb, ctx

from theory import symbols as S
from theory.evaluate import as_ball, ball
from theory.expm.formulas import MONOMIAL_FREEZING
from theory.expm.truncation import least_degree, taylor_tail
from theory.norm_model import NormModel
from theory.problem import Problem
from theory.radices import Radices
from theory.sizes import Huge, Size, named

__all__ = ["MonomialCounts", "monomial_route", "tree_copies"]

#: Neurons a squarer a layer: two already match folded base 2 with four.
_CAP = (3, 2, 3)
#: Beyond this many digits a count is given by its logarithm.
_DIGITS = 600


@dataclass(frozen=True)
class MonomialCounts:
    """Counts and error of the monomial route (UPPER bounds; hidden layers and width exact)."""

    degree: int
    levels: int
    radices: Radices
    hidden_layers: int
    width: Size
    nonzeros: Size
    bits: arb
    largest_weight: Size
    error: arb
    freezing: arb


def monomial_route(problem: Problem) -> MonomialCounts:
    """Count the monomial network that meets a problem; it is built only where it fits."""
    with ctx.workprec(128):
        return _count(problem)


def _count(problem: Problem) -> MonomialCounts:
    model = NormModel(problem.n, problem.domain)
    eps = as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)
    degree = least_degree(model, eps / 2)
    tail = model.truncation_factor * taylor_tail(model.theta, degree)
    levels = max(degree - 1, 0).bit_length()
    # Frobenius (and nu) error <= n * entry error <= e_L (exp(n mu) - 1), with mu the bound on entries.
    total = (problem.n * model.entry(model.theta)).expm1()
    radices = _radices(levels, (eps - tail) / total)
    tree = _tree_error(levels, radices)
    error = tail + total * tree
    width, nonzeros, bits = _sizes(problem.n, degree, levels, radices)
    return MonomialCounts(
        degree=degree,
        levels=levels,
        radices=radices,
        hidden_layers=levels * radices.layers,
        width=width,
        nonzeros=nonzeros,
        bits=bits,
        largest_weight=_largest(model) if levels else 1,
        error=model.in_norm(error, problem.norm),
        freezing=model.in_norm(_freezing(model, tree), problem.norm) if levels else arb(0),
    )


def _freezing(model: NormModel, tree: arb) -> arb:
    """Return what rounding the weights to float64 may add (expm.monomial), infinite where no bound is proved."""
    if isinstance(_largest(model), Huge) or not 100 * tree <= 1:
        return arb.pos_inf()
    return ball(MONOMIAL_FREEZING, {S.n: model.n, S.mu: model.entry(model.theta)})


def _tree_error(levels: int, radices: Radices) -> arb:
    if levels == 0:
        return arb(0)
    return ((arb(2) ** levels - 1) * (1 / radices.pieces_ball**2).log1p()).expm1()


def _radices(levels: int, room: arb) -> Radices:
    """Return the shallowest radices of the cap whose tree error is below the room."""
    low, high = 0, 1
    while not _tree_error(levels, Radices.lean(*_CAP, high)) < room:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fits = bool(_tree_error(levels, Radices.lean(*_CAP, middle)) < room)
        low, high = (low, middle) if fits else (middle, high)
    return Radices.lean(*_CAP, high)


def _sizes(n: int, degree: int, levels: int, radices: Radices) -> tuple[Size, Size, arb]:
    if n > 1 and (degree + 1) * math.log10(n) + math.log10(degree + 1) > _DIGITS:
        return _huge_sizes(n, degree, levels, radices)
    if levels == 0:
        return 0, n * n + n, arb(0)  # I + A
    width, nonzeros, bits = 0, 0, arb(0)
    for level in range(1, levels + 1):
        products, carried = _level_trees(n, degree, level)
        widths = _level_widths(products, carried, radices)
        width = max(width, *(w for w, _ in widths))
        bits += sum((times * arb(w + 1).log_base(2) for w, times in widths), arb(0))
        nonzeros += _level_nonzeros(products, carried, radices)
    monomials = _trees(n, 1, degree)
    # The output map reads every monomial: one accumulator and the last kinks of two squarers each.
    nonzeros += monomials * (2 * radices.last - 1) + n * n
    return width, nonzeros, bits


def tree_copies(n: int, degree: int) -> int:
    """Return the number of trees of a degree: n^2 entries, n^(k-1) paths each."""
    return int(n ** (degree + 1))


def _trees(n: int, low: int, high: int) -> int:
    """Return the number of trees of degrees low to high, sum of n^(k+1)."""
    return high - low + 1 if n == 1 else (n ** (high + 2) - n ** (low + 1)) // (n - 1)


def _level_trees(n: int, degree: int, level: int) -> tuple[int, int]:
    """Return the products and the carried odd factors of a level, over all trees: ceil(k/2^(l-1)) factors a tree."""
    share = 1 << (level - 1)
    blocks = -(-degree // share)
    if n == 1:
        whole, last = blocks - 1, degree - (blocks - 1) * share
        products = share * (whole // 2) * (-(-whole // 2)) + last * (blocks // 2)
        return products, share * (-(-whole // 2)) + last * (blocks % 2)
    products = carried = 0
    for factors in range(1, blocks + 1):
        trees = _trees(n, (factors - 1) * share + 1, min(factors * share, degree))
        products += trees * (factors // 2)
        carried += trees * (factors % 2)
    return products, carried


def _level_widths(products: int, carried: int, radices: Radices) -> list[tuple[int, int]]:
    """Return (width, times): two squarers a product, both factors carried in layer 1, one accumulator after it."""
    widths = [(2 * (radices.first - 1) * products + 2 * products + carried, 1)]
    widths += [(2 * r * products + products + carried, times) for r, times in radices.middle_runs]
    if radices.layers > 1:
        widths.append((2 * (radices.last - 1) * products + products + carried, 1))
    return widths


def _level_nonzeros(products: int, carried: int, radices: Radices) -> int:
    """Return the non-zeros of a level's maps, at most: first kinks read two factors of 2 r_m - 1 neurons each."""
    reads = 2 * (2 * radices.last - 1)
    total = products * (2 * (radices.first - 1) * (reads + 1) + reads + 2) + carried * (reads // 2 + 1) * radices.layers
    if radices.layers == 1:
        return total
    previous = radices.first + 1  # first kinks and both carried factors
    for r, times in (*radices.middle_runs, (radices.last, 1)):
        rows = r if (r, times) in radices.middle_runs else r - 1
        total += products * (2 * rows * (previous + 1) + 2 * previous + 2)
        total += (times - 1) * products * (2 * rows * (r + 1) + 2 * r + 2)
        previous = r
    return total


def _huge_sizes(n: int, degree: int, levels: int, radices: Radices) -> tuple[Size, Size, arb]:
    """Return sizes by logarithms: the top degree alone from below, a geometric series from above."""
    ln_top = (degree + 1) * arb(n).log()
    series = -(1 - arb(1) / n).log()  # sum over degrees <= n^(K+1) / (1 - 1/n)
    per = arb(max(2 * radices.first, 2 * radices.second + 1, 5) if radices.layers > 1 else 2 * radices.first)
    half = arb(degree).log() - arb(2).log()
    width = Huge.from_ln(ln_top + half, ln_top + series + (per * degree).log())
    each = arb(_level_nonzeros(1, 1, radices))
    nonzeros = Huge.from_ln(
        ln_top + half + each.log() - 2, ln_top + series + (each * 2 * degree).log() + arb(levels + 1).log()
    )
    bits = levels * radices.layers * (ln_top + series + (per * degree).log() + 1) / arb.const_log2()
    return width, nonzeros, bits


def _largest(model: NormModel) -> Size:
    """Return a bound on weights: output coefficients mu^k/k! <= e^mu, zigzag weights at most 9, scales 1/mu."""
    mu = model.entry(model.theta)
    return named(mu.exp() * 2 + 9 + 3 / (2 * mu))
