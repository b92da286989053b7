"""Counts of a monomial network: its prototype trees' rows, times their copies."""

from __future__ import annotations

from collections.abc import Iterator

from flint import arb, ctx

from theory.counts import Counts, Tally, inner_maps, join_map
from theory.evaluate import as_ball
from theory.expm.monomial_plan import MonomialPlan
from theory.rows import Reader, Row, Summary

__all__ = ["count_monomial"]


def count_monomial(plan: MonomialPlan, *, precision: int = 96) -> Counts:
    """Return the counts of a planned monomial network."""
    with ctx.workprec(precision):
        tallies = [*_trees(plan), *_output_rows(plan)]
        largest = arb(0)
        for tally in tallies:
            largest = largest.max(tally.largest)
        return Counts(
            architecture=plan.architecture,
            nonzeros=sum(tally.nonzeros for tally in tallies),
            largest_weight=largest.upper(),
            biases=sum(tally.biases for tally in tallies),
        )


def _trees(plan: MonomialPlan) -> Iterator[Tally]:
    n = plan.problem.n
    for degree, (parts, copies) in enumerate(zip(plan.parts, plan.copies, strict=True), start=1):
        reader = Reader(None, 1, plan.program.sources)
        for part in parts:
            rows = [*join_map(reader, part), *inner_maps(part, 1)]
            yield from (Tally(copies * row.nonzeros, row.largest, copies * row.biases) for row in rows)
            reader = Reader(part, 1)
        if parts:
            # Of n^(k+1) paths n^(k-1) have three equal indices at a given pair of the first level: its half sum reads
            # one entry with twice the weight, its half difference none.
            for pair in parts[0].products:
                rows_each = pair.radices.first - 1
                weight = pair.alpha_left.ball * pair.radices.first / 2
                yield Tally(-3 * rows_each * n ** (degree - 1), weight)


def _output_rows(plan: MonomialPlan) -> Iterator[Tally]:
    """Yield the rows of the last affine map: every entry reads n^(k-1) trees of degree k."""
    n, weights = plan.problem.n, dict(plan.program.output.terms)
    count, largest, constant = 0, arb(0), arb(0)
    for degree, parts in enumerate(plan.parts, start=1):
        name = f"x{degree}.0"
        reader = Reader(parts[-1], 1) if parts else Reader(None, 1, plan.program.sources)
        summary = reader.summary(_scaled(reader.entry(name, (0, 0)), as_ball(weights[name])), arb(1))
        copies = n ** (degree - 1)
        count += copies * summary.count
        constant += copies * summary.constant
        largest = largest.max(summary.largest)
    for rows, identity in ((n, 1), (n * n - n, 0)):
        if rows:
            yield Tally.rows(rows, Summary(count, largest, arb(0)), [constant + identity])


def _scaled(row: Row, factor: arb) -> Row:
    total = Row()
    total.add(row, factor)
    return total
