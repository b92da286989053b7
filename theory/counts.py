"""Counts of a planned network: architecture by the laws, non-zeros and largest weight from representative rows.

Widths and hidden layers are exact. Non-zeros and the largest weight are UPPER bounds: equal unless a sum of weights
happens to vanish. All of it comes from the theorems' formulas; ``constructions.measure`` reads the same numbers off the
matrices, and a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from flint import arb, ctx

from theory.architecture import Architecture
from theory.evaluate import as_ball
from theory.layout import accumulators, carriers, shares_sums, squarers
from theory.network_plan import NetworkPlan, ProductPlan, StagePlan, linear_part
from theory.program import Combination, Program, Rows
from theory.rows import (
    Reader,
    Row,
    Squarer,
    Summary,
    entry_orbits,
    every_entry,
    every_squarer,
    linear_squares,
    orbits,
    shifts_of,
    squarer_form,
    summary_at,
    sums,
)

__all__ = [
    "Counts",
    "Tally",
    "count_plan",
    "inner_maps",
    "join_map",
    "plan_architecture",
    "stage_architecture",
]


@dataclass(frozen=True)
class Counts:
    """What a plan promises of its matrices; ``biases`` are those of the non-zeros that are biases."""

    architecture: Architecture
    nonzeros: int
    largest_weight: arb
    biases: int = 0


@dataclass(frozen=True)
class Tally:
    """Non-zeros, the biases among them, and the largest weight of some rows."""

    nonzeros: int
    largest: arb
    biases: int = 0

    @classmethod
    def rows(cls, times: int, summary: Summary, constants: Iterable[arb]) -> Tally:
        """Return the tally of ``times`` rows for every constant, all with the summary's weights."""
        nonzeros, largest, biases = 0, summary.largest, 0
        for constant in constants:
            nonzeros += times * summary.count
            biases += 0 if constant.is_zero() else times
            largest = largest.max(abs(constant))
        return cls(nonzeros + biases, largest, biases)


@dataclass(frozen=True)
class _Step:
    """A map between neighbouring hidden layers of one squarer: radices r_j -> r_{j+1}, P_j, and how often it recurs."""

    radix: int
    following: int
    reached: arb
    first: bool
    last: bool
    times: int


def stage_architecture(plan: StagePlan, n: int) -> Architecture:
    """Return a stage's layer widths: ``(r_1 - 1) Q + carried``, then ``r_j Q`` and ``(r_m - 1) Q + accumulators``."""
    counts = [(p.radices, squarers(p.product, n)) for p in plan.products]
    tail = accumulators(plan.stage, n)
    runs = [(n * n * len(plan.stage.live), 1), (sum((r.first - 1) * q for r, q in counts) + carriers(plan.stage, n), 1)]
    if plan.layers > 1:
        for radices, times in _side_by_side([r.middle_runs for r, _ in counts]):
            runs.append((sum(radix * q for radix, (_, q) in zip(radices, counts, strict=True)) + tail, times))
        runs.append((sum((r.last - 1) * q for r, q in counts) + tail, 1))
    runs.append((n * n * len(plan.stage.outputs), 1))
    return Architecture.of_runs(runs)


def _side_by_side(runs: Sequence[Sequence[tuple[int, int]]]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield (radix of every product, how often in a row) for run-length coded radices of one total length."""
    left = [list(reversed(run)) for run in runs]
    while left[0]:
        times = min(run[-1][1] for run in left)
        yield tuple(run[-1][0] for run in left), times
        for run in left:
            radix, count = run.pop()
            if count > times:
                run.append((radix, count - times))


def plan_architecture(plan: NetworkPlan) -> Architecture:
    """Return the architecture of a planned network, stages composed by the laws; its cost grows with stages alone."""
    if type(plan) is not NetworkPlan:
        return _own_architecture(plan)
    size = plan.problem.n**2
    architecture = Architecture(((size * len(plan.problem.inputs), 2),))
    for stage in plan.stages:
        following = stage_architecture(stage, plan.side)
        architecture = following.compose(architecture.select(following.inputs))
    return Architecture(((size, 2),)).compose(architecture.select(size))


def count_plan(plan: NetworkPlan, *, precision: int = 96) -> Counts:
    """Return the counts of a planned network."""
    n = plan.side
    if type(plan) is not NetworkPlan:
        return _own_counts(plan, precision)
    reader = Reader(None, n, plan.program.sources)
    tallies: list[Tally] = []
    with ctx.workprec(precision):
        for stage in plan.stages:
            tallies += join_map(reader, stage)
            tallies += inner_maps(stage, n)
            reader = Reader(stage, n)
        tallies += _output_map(reader, plan)
        largest = arb(0)
        for tally in tallies:
            largest = largest.max(tally.largest)
        return Counts(
            architecture=plan_architecture(plan),
            nonzeros=sum(t.nonzeros for t in tallies),
            largest_weight=largest.upper(),
            biases=sum(t.biases for t in tallies),
        )


def _own_architecture(plan: NetworkPlan) -> Architecture:
    """Return the architecture of a plan that is no program of stages.

    Raises:
        TypeError: If it is of no known kind.
    """
    from theory.expm.monomial_plan import MonomialPlan
    from theory.linearized_plan import LinearizedPlan
    from theory.scalar_plan import ScalarPlan

    if isinstance(plan, LinearizedPlan | ScalarPlan | MonomialPlan):
        return plan.architecture
    raise TypeError(f"no architecture is known of a {type(plan).__name__}")


def _own_counts(plan: NetworkPlan, precision: int) -> Counts:
    """Return the counts of a plan that is no program of stages.

    Raises:
        TypeError: If it is of no known kind.
    """
    from theory.expm.monomial_counts import count_monomial
    from theory.expm.monomial_plan import MonomialPlan
    from theory.linearized_plan import LinearizedPlan
    from theory.scalar_plan import ScalarPlan

    if isinstance(plan, MonomialPlan):
        return count_monomial(plan, precision=precision)
    if isinstance(plan, LinearizedPlan):
        nonzeros, biases, weight = plan.nonzeros()
        return Counts(plan.architecture, nonzeros, as_ball(weight), biases)
    if isinstance(plan, ScalarPlan):
        return Counts(plan.architecture, plan.nonzeros, as_ball(plan.largest_weight), plan.biases)
    raise TypeError(f"no counts are known of a {type(plan).__name__}")


def join_map(reader: Reader, stage: StagePlan) -> Iterator[Tally]:
    """Yield the rows of a stage's first layer, merged with the previous stage's outputs."""
    n, alike, entry_of = reader.n, not reader.reads_constant, remembering(reader)
    for plan in stage.products:
        half = arb(plan.radices.first) / 2
        for times, squarer in orbits(plan.product, n) if alike else every_squarer(plan.product, n):

            def small(
                size: int, shift: int, plan: ProductPlan = plan, squarer: Squarer = squarer, half: arb = half
            ) -> Summary:
                row = Row()
                for name, entry, c in squarer_form(plan, squarer):
                    row.add(entry_of(size, shift, name, entry), c)
                return reader.summary(row, half)

            summary = summary_at(n, shifts_of(reader.before), small) if alike else small(n, 0)
            yield Tally.rows(times, summary, (half + summary.constant - k for k in range(1, plan.radices.first)))
    for name, bound in stage.bounds:
        for times, entry in entry_orbits(n) if alike else every_entry(n):
            reading = _reading(reader, entry_of, name, entry)
            yield Tally.rows(times, reading, [reading.constant + bound.ball])


EntryOf = Callable[[int, int, str, tuple[int, int]], Row]


def remembering(reader: Reader) -> EntryOf:
    """Return (size, shift, name, entry) -> the row of that entry, worked out once: rows are read, never changed."""

    @cache
    def entry_of(size: int, shift: int, name: str, entry: tuple[int, int]) -> Row:
        return replace(reader, n=size, shift=shift).entry(name, entry)

    return entry_of


def _reading(reader: Reader, entry_of: EntryOf, name: str, entry: tuple[int, int]) -> Summary:
    def small(size: int, shift: int) -> Summary:
        return reader.summary(entry_of(size, shift, name, entry), arb(1))

    return small(reader.n, 0) if reader.reads_constant else summary_at(reader.n, shifts_of(reader.before), small)


def _output_map(reader: Reader, plan: NetworkPlan) -> Iterator[Tally]:
    """Yield the rows of the last affine map."""
    if plan.program.right is not None:
        yield from _right_map(reader, plan.program, plan.program.right)
        return
    for result, (times, entry) in product(plan.program.results, list(entry_orbits(reader.n))):

        def small(size: int, shift: int, entry: tuple[int, int] = entry, result: Combination = result) -> Summary:
            sized = replace(reader, n=size, shift=shift)
            row = Row(constant=as_ball(result.identity) if entry[0] == entry[1] else arb(0))
            for name, c in result.terms:
                row.add(sized.entry(name, entry), as_ball(c))
            return sized.summary(row, arb(1))

        summary = summary_at(reader.n, shifts_of(reader.before), small)
        yield Tally.rows(times, summary, [summary.constant])


def _right_map(reader: Reader, program: Program, right: Rows) -> Iterator[Tally]:
    """Yield the rows of the last affine map where a constant matrix multiplies it: every entry is its own."""
    products = () if reader.before is None else reader.before.products
    starts = {(plan.product.inner or (0, 0))[0] for plan in products}
    reader = replace(reader, shift=max(starts, default=0))  # the products of a stage sum the same inner indices
    for _, (i, j) in every_entry(reader.n):
        row = Row()
        for k, line in enumerate(right):
            if not line[j]:
                continue
            row.constant += as_ball(program.output.identity * line[j] * (i == k))
            for name, c in program.output.terms:
                row.add(reader.entry(name, (i, k)), as_ball(c * line[j]))
        summary = reader.summary(row, arb(1))
        yield Tally.rows(1, summary, [summary.constant])


def inner_maps(stage: StagePlan, n: int) -> Iterator[Tally]:
    """Yield the rows between the layers of a stage."""
    for plan in stage.products:
        for step in _steps(plan):
            for tally in (*_kink_rows(stage, plan, step, n), *_accumulator_rows(stage, plan, step, n)):
                yield Tally(tally.nonzeros * step.times, tally.largest, tally.biases * step.times)
    if stage.layers > 1:
        yield from _carried_rows(stage, n)


def _steps(plan: ProductPlan) -> Iterator[_Step]:
    """Yield the maps between neighbouring layers, equal ones grouped (the first of a group has the largest weights)."""
    if plan.radices.layers == 1:
        return
    radix, reached, first = plan.radices.first, arb(plan.radices.first), True
    for following, times in plan.radices.middle_runs:
        yield _Step(radix, following, reached, first, False, 1)
        if times > 1:
            yield _Step(following, following, reached * following, False, False, times - 1)
        radix, reached, first = following, reached * arb(following) ** times, False
    yield _Step(radix, plan.radices.last, reached, first, True, 1)


def _kink_rows(stage: StagePlan, plan: ProductPlan, step: _Step, n: int) -> Iterator[Tally]:
    """Yield rows ``r_{j+1} T_j - k``: T_j = first kink - 2 second + 2 third ..., after layer 1 with carried parts."""
    kinks = range(1 if step.last else 0, step.following)
    if not step.first:
        summary = Summary(step.radix, arb(step.following * (2 if step.radix > 1 else 1)), arb(0))
        yield Tally.rows(squarers(plan.product, n), summary, (arb(-k) for k in kinks))
        return
    bounds = dict(stage.bounds)
    scale = arb(step.radix * step.following) / 2
    for times, squarer in orbits(plan.product, n):
        row = Row()
        for name, entry, c in squarer_form(plan, squarer):
            row.add(Row({(name, entry): arb(1)}, -bounds[name].ball), c)
        largest = arb(2 * step.following)
        for weight in row.terms.values():
            largest = largest.max(abs(scale * weight))
        summary = Summary(step.radix - 1 + len(row.terms), largest, arb(0))
        constant = scale * (1 + row.constant)
        yield Tally.rows(times, summary, (constant - k for k in kinks))


def _accumulator_rows(stage: StagePlan, plan: ProductPlan, step: _Step, n: int) -> Iterator[Tally]:
    """Yield the rows of a product's accumulators: what was carried, plus ``16/P_j^2`` times the odd kinks."""
    # Before the last layer the chords' slope reads every kink, before the others the odd ones.
    kinks = step.radix - (1 if step.first else 0) if step.last else step.radix // 2
    weight = 16 / step.reached**2
    if step.last:
        # The chord takes 8/(P^2 r_m) off the odd kinks and gives as much to the even ones, which is less.
        weight -= 8 / step.reached**2 / step.following
    for part, times, entry in _accumulator_orbits(plan, n):

        def small(size: int, shift: int, part: str = part, entry: tuple[int, int] = entry) -> Summary:
            squares = sums(plan, entry, size, shift)[part]
            largest = arb(0)
            for _, d in squares:
                largest = largest.max(abs(d) * weight)
            count = kinks * len(squares)
            if not step.first:
                return Summary(count + 1, largest.max(arb(1)), arb(0))
            linear = _first_linear(stage, plan, step, part, entry, size, shift)
            for w in linear.terms.values():
                largest = largest.max(abs(w))
            return Summary(count + len(linear.terms), largest, linear.constant)

        summary = summary_at(n, shifts_of(stage), small)
        yield Tally.rows(times, summary, [summary.constant])


def _accumulator_orbits(plan: ProductPlan, n: int) -> Iterator[tuple[str, int, tuple[int, int]]]:
    for times, entry in entry_orbits(n):
        yield "U", times, entry
    if shares_sums(plan.product, n):
        yield "R", n, (0, 0)
        yield "C", n, (0, 0)


def _first_linear(
    stage: StagePlan, plan: ProductPlan, step: _Step, part: str, entry: tuple[int, int], n: int, shift: int
) -> Row:
    """Return the linear part ``sum d (slope - 2) form - d + offset`` on carried matrices, the folded one included."""
    bounds, total, folded = dict(stage.bounds), Row(), stage.folded.get(plan.product.name)
    # With two layers the chords' slope 4 r_2 T / N^2 reads X_1 too: 2/N (form + 1).
    slope = 2 / (step.reached * step.following) if step.last else arb(0)

    def carried(name: str, place: tuple[int, int]) -> Row:
        return Row({(name, place): arb(1)}, -bounds[name].ball)

    for form, d in linear_squares(plan, sums(plan, entry, n, shift)[part]):
        for name, place, c in form:
            total.add(carried(name, place), d * c * (slope - 2))
        total.constant += d * (slope - 1) * (plan.product.how != "difference")
    if part == "U":
        if folded is not None:
            output = dict(stage.stage.outputs)[folded]
            for name, c in linear_part(stage.stage, output).terms:
                total.add(carried(name, entry), as_ball(c / output[plan.product.name]))
        total.constant += plan.offset.ball - plan.centre.ball
    else:
        total.constant += plan.row_offset.ball
    return total


def _carried_rows(stage: StagePlan, n: int) -> Iterator[Tally]:
    """Yield the rows of linear parts carried by themselves: made in layer 2, kept by weight 1 afterwards."""
    bounds = dict(stage.bounds)
    for name, offset in stage.linear_offsets:
        linear = linear_part(stage.stage, dict(stage.stage.outputs)[name])
        largest, constant = arb(1), offset.ball
        for v, c in linear.terms:
            largest = largest.max(abs(as_ball(c)))
            constant -= as_ball(c) * bounds[v].ball
        yield Tally.rows(n * n, Summary(len(linear.terms), largest, arb(0)), [constant])
        yield Tally(n * n * (stage.layers - 2), arb(1))
