"""First-order estimates for the search: what each stage adds to the error, and layers that meet a target.

Logarithms in floats throughout: they propose, an exact evaluation in balls disposes (``theory.plan``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from flint import arb

from theory.analysis import right_growth, source_range
from theory.norm_model import NormModel
from theory.program import Combination, Product, Program

__all__ = ["first_order_shares", "layered_pieces", "log_of", "spread_layers"]


def log_of(value: arb) -> float:
    """Return the logarithm of a ball's middle; minus infinity where it is not positive."""
    return float(value.log().mid()) if value > 0 else -math.inf


def _log_weighted(combination: Combination, sizes: dict[str, float]) -> float:
    """Return log of sum |c_v| size_v from logs."""
    return _log_sum([_log_size(c) + sizes[v] for v, c in combination.terms])


def _log_with_identity(combination: Combination, sizes: dict[str, float], identity: float) -> float:
    own = [_log_size(combination.identity) + identity] if combination.identity else []
    return _log_sum([*own, *([_log_weighted(combination, sizes)] if combination.terms else [])])


def _log_size(value: Fraction) -> float:
    """Return log|value|, also where it is far below the least float (1/5000!)."""
    return math.log(abs(value.numerator)) - math.log(value.denominator)


def _log_sum(logs: Sequence[float]) -> float:
    top = max(logs, default=-math.inf)
    return top if top == -math.inf else top + math.log(sum(math.exp(x - top) for x in logs))


def first_order_shares(program: Program, model: NormModel) -> list[float]:
    """Return, per stage, log of what delta N^2 of its products adds to the output error, to first order.

    Forward the majorants b_V, backward the sensitivities dE/dD_V; a product with ranges B_L, B_R then contributes
    sensitivity * n * 3/2 n B_L B_R / N^2.
    """
    n = model.n

    def share(product: Product) -> float:
        return log_of(model.partial(product.terms(n)))

    sizes: list[dict[str, float]] = [{source.name: log_of(source_range(source, model)) for source in program.sources}]
    for stage in program.stages:
        live = sizes[-1]
        made = {p.name: _log_weighted(p.left, live) + _log_weighted(p.right, live) + share(p) for p in stage.products}
        both = {**live, **made}
        claims = {name: math.log(claim) for name, claim in stage.claims}
        identity = log_of(model.identity)
        sizes.append(
            {
                name: min(_log_with_identity(output, both, identity), claims.get(name, math.inf))
                for name, output in stage.outputs
            }
        )
    growth = log_of(right_growth(program))
    found = [_reaching(program, result, sizes, model, growth) for result in program.results]
    return [max(shares) for shares in zip(*found, strict=True)]


def _reaching(
    program: Program, result: Combination, sizes: Sequence[dict[str, float]], model: NormModel, growth: float
) -> list[float]:
    """Return the contributions to one result (to the only one, unless matrices are cut into blocks)."""
    n, scale = model.n, log_of(model.entry(arb(1)))

    def share(product: Product) -> float:
        return log_of(model.partial(product.terms(n)))

    sensitivity = {name: _log_size(c) + growth for name, c in result.terms}
    contributions = []
    for stage, live in zip(reversed(program.stages), reversed(sizes[:-1]), strict=True):
        gathered: dict[str, list[float]] = {}
        for name, output in stage.outputs:
            if name in sensitivity:
                for v, c in output.terms:
                    gathered.setdefault(v, []).append(sensitivity[name] + _log_size(c))
        total = []
        for product in stage.products:
            here = _log_sum(gathered.pop(product.name, []))
            left, right = _log_weighted(product.left, live), _log_weighted(product.right, live)
            share_of_one = 1.0 if product.how == "difference" else 1.5
            total.append(here + math.log(share_of_one * n * product.terms(n)) + left + right + 2 * scale)
            for factor, other in ((product.left, right), (product.right, left)):
                for v, c in factor.terms:
                    gathered.setdefault(v, []).append(here + _log_size(c) + other + share(product))
        sensitivity = {v: _log_sum(logs) for v, logs in gathered.items()}
        contributions.append(_log_sum(total))
    return contributions[::-1]


def spread_layers(
    stage_radices: Sequence[tuple[int, int, int]], contributions: Sequence[float], log_target: float
) -> list[int]:
    """Return layers per stage so that contributions over N^2 sum to the target: equal shares, then trimmed."""
    share = log_target - math.log(len(contributions))
    layers = [_layers_for(r, (c - share) / 2) for r, c in zip(stage_radices, contributions, strict=True)]
    target = math.exp(0.0)
    terms = [
        math.exp(c - log_target - 2 * layered_pieces(r, m))
        for r, c, m in zip(stage_radices, contributions, layers, strict=True)
    ]
    total = sum(terms)
    order = sorted(range(len(layers)), key=lambda i: terms[i])
    changed = True
    while changed:
        changed = False
        for i in order:
            if layers[i] > 1:
                term = math.exp(
                    min(contributions[i] - log_target - 2 * layered_pieces(stage_radices[i], layers[i] - 1), 700)
                )
                if total - terms[i] + term <= target:
                    total += term - terms[i]
                    terms[i] = term
                    layers[i] -= 1
                    changed = True
    return layers


def layered_pieces(radices: tuple[int, int, int], layers: int) -> float:
    """Return log of the pieces a squarer has with these radices and layers."""
    first, middle, last = radices
    return math.log(first) if layers == 1 else math.log(first) + math.log(last) + (layers - 2) * math.log(middle)


def _layers_for(radices: tuple[int, int, int], log_pieces: float) -> int:
    if log_pieces <= math.log(radices[0]):
        return 1
    rest = log_pieces - layered_pieces(radices, 2)
    return 2 if rest <= 0 else 2 + math.ceil(rest / math.log(radices[1]) - 1e-12)
