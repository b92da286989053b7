"""Representative rows of a stage's affine maps, written down from the theorems, not read off any matrix.

The maps are equivariant under renaming matrix indices, so rows fall into few orbits (entries on and off the diagonal,
triples by which indices coincide, ...), and every row of an orbit has as many non-zeros, of the same values. Rows of a
large n follow from two small ones: with three indices fixed, every further index adds the same set of terms, so counts
and constants are affine in n from n = 4 on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from flint import arb

from theory.evaluate import as_ball
from theory.network_plan import ProductPlan, StagePlan, linear_part
from theory.program import Combination, Product, Source

__all__ = [
    "Reader",
    "Row",
    "Squarer",
    "Summary",
    "Terms",
    "entry_orbits",
    "every_entry",
    "every_squarer",
    "linear_squares",
    "orbits",
    "shifts_of",
    "squarer_form",
    "summary_at",
    "sums",
]

Entry = tuple[int, int]
Squarer = tuple[Hashable, ...]
_SMALL = (5, 6)
#: Up to here one row is no more work than the two small ones.
_DIRECT = 11


@dataclass
class Row:
    """A sparse affine functional: atom -> weight, and a constant. Atoms of last kinks count once per kink."""

    terms: dict[Hashable, arb] = field(default_factory=dict)
    constant: arb = field(default_factory=lambda: arb(0))

    def add(self, other: Row, factor: arb) -> None:
        """Add a multiple of another row."""
        for atom, weight in other.terms.items():
            self.terms[atom] = self.terms[atom] + factor * weight if atom in self.terms else factor * weight
        self.constant += factor * other.constant


@dataclass(frozen=True)
class Summary:
    """Non-zero weights of a row, the largest of them, and its constant."""

    count: int
    largest: arb
    constant: arb


def summary_at(n: int, shifts: Sequence[int], small: Callable[[int, int], Summary]) -> Summary:
    """Return the summary of an orbit's row at size n: directly when n is small, else by affine extension.

    Args:
        n: Matrix size.
        shifts: Where the inner range of a partial sum starts relative to the representative's indices: whether a
            representative's index lies in the range decides which terms coincide, so all ways are tried and the
            largest counts (an upper bound; exact for whole sums, where there is one way).
        small: (size, shift) -> summary.
    """
    low, high = _SMALL
    found = []
    for shift in shifts:
        if n <= _DIRECT:
            found.append(small(n, shift))
            continue
        first, second = small(low, shift), small(high, shift)
        found.append(
            Summary(
                count=first.count + (n - low) * (second.count - first.count),
                largest=first.largest.max(second.largest),
                constant=first.constant + (n - low) * (second.constant - first.constant),
            )
        )
    largest = found[0].largest
    for summary in found[1:]:
        largest = largest.max(summary.largest)
    return Summary(max(summary.count for summary in found), largest, found[0].constant)


def shifts_of(*stages: StagePlan | None) -> tuple[int, ...]:
    """Return the shifts to try for rows between these stages."""
    partial = any(p.product.inner is not None for stage in stages if stage is not None for p in stage.products)
    return (0, 1, 2, 100) if partial else (0,)


def entry_orbits(n: int) -> Iterator[tuple[int, Entry]]:
    """Yield (how many, representative) for entries on and off the diagonal."""
    yield n, (0, 0)
    if n > 1:
        yield n * (n - 1), (0, 1)


def orbits(product: Product, n: int) -> Iterator[tuple[int, Squarer]]:
    """Yield (how many, representative) for the squarers of a product (theorems matmul.square and matmul.polarised).

    A part of an inner sum keeps t of n inner indices; which ones does not matter for the counts.
    """
    if product.is_square:
        for size, entry in entry_orbits(n):
            yield size, ("E", *entry)
        if n > 1:
            yield n * (n - 1) // 2, ("P", 0, 1)
            yield n * (n - 1) // 2, ("W", 0, 1)
            yield n * (n - 1), ("M", 0, 1)
        if n > 2:
            yield n * (n - 1) * (n - 2), ("T", 0, 1, 2)
        return
    t = product.terms(n)
    if product.how == "polarised":
        for size, entry in entry_orbits(n):
            yield size // n * t, ("EL", *entry)
            yield size // n * t, ("ER", *entry)
    for kind in _TRIPLES[product.how]:
        yield t, (kind, 0, 0, 0)
        if n > 1:
            for triple in ((0, 0, 1), (0, 1, 1), (0, 1, 0)):
                yield t * (n - 1), (kind, *triple)
        if n > 2:
            yield t * (n - 1) * (n - 2), (kind, 0, 1, 2)


#: The squares of a term l_ik r_kj, of its half sum T, half difference D, or of its factors by themselves, TL and TR.
_TRIPLES = {"polarised": ("T",), "difference": ("T", "D"), "usual": ("T", "TL", "TR")}


def every_entry(n: int) -> Iterator[tuple[int, Entry]]:
    """Yield every entry by itself: where a constant matrix is read, no two rows need be alike."""
    for i in range(n):
        for j in range(n):
            yield 1, (i, j)


def every_squarer(product: Product, n: int) -> Iterator[tuple[int, Squarer]]:
    """Yield every squarer of a product by itself, in the same words as ``orbits``."""
    if product.is_square:
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
        yield from ((1, ("E", i, j)) for _, (i, j) in every_entry(n))
        yield from ((1, (kind, i, j)) for kind in "PW" for i, j in pairs if i < j)
        yield from ((1, ("M", i, j)) for i, j in pairs)
        yield from ((1, ("T", i, k, j)) for i, j in pairs for k in range(n) if k not in (i, j))
        return
    inner = range(*(product.inner or (0, n)))
    for i in range(n):
        for k in inner:
            if product.how == "polarised":
                yield 1, ("EL", i, k)
                yield 1, ("ER", k, i)
            yield from ((1, (kind, i, k, j)) for kind in _TRIPLES[product.how] for j in range(n))


Terms = list[tuple[str, Entry, arb]]


def squarer_form(plan: ProductPlan, squarer: Squarer) -> Terms:
    """Return the form a squarer squares: (matrix, entry, coefficient).

    Raises:
        ValueError: If there is no such squarer.
    """
    left, right = plan.alpha_left.ball, plan.alpha_right.ball
    L, R = plan.product.left, plan.product.right

    def read(factor: Combination, entry: Entry, scale: arb) -> Terms:
        return [(name, entry, scale * as_ball(c)) for name, c in factor.terms]

    match squarer:
        case ("E" | "EL", int(i), int(j)):
            return read(L, (i, j), left)
        case ("ER", int(i), int(j)):
            return read(R, (i, j), right)
        case ("P", int(i), int(k)):
            return read(L, (i, k), left / 2) + read(L, (k, i), left / 2)
        case ("W", int(i), int(j)):
            return read(L, (i, i), left / 2) + read(L, (j, j), left / 2)
        case ("M", int(i), int(j)):
            return read(L, (i, j), left / 2) + read(L, (i, i), left / 4) + read(L, (j, j), left / 4)
        case ("T", int(i), int(k), int(j)):
            return read(L, (i, k), left / 2) + read(R, (k, j), right / 2)
        case ("D", int(i), int(k), int(j)):
            return read(L, (i, k), left / 2) + read(R, (k, j), -right / 2)
        case ("TL", int(i), int(k), int(_)):
            return read(L, (i, k), left)
        case ("TR", int(_), int(k), int(j)):
            return read(R, (k, j), right)
    raise ValueError(f"no such squarer: {squarer}")


def sums(plan: ProductPlan, entry: Entry, n: int, shift: int = 0) -> dict[str, list[tuple[Squarer, arb]]]:
    """Return the squares behind one entry: ``U`` (of the entry), ``R`` (of its row), ``C`` (of its column)."""
    i, j = entry
    d = plan.scale_ball
    others = [k for k in range(n) if k not in (i, j)]
    if not plan.product.is_square:
        inner = range(n) if plan.product.inner is None else range(shift, shift + plan.product.terms(n))
        if plan.product.how != "polarised":
            unshared = {"T": 2 * d, "TL": -d / 2, "TR": -d / 2}
            weights = {"T": d, "D": -d} if plan.product.how == "difference" else unshared
            return {"U": [((kind, i, k, j), weight) for k in inner for kind, weight in weights.items()]}
        return {
            "U": [(("T", i, k, j), 2 * d) for k in inner],
            "R": [(("EL", i, k), d) for k in inner],
            "C": [(("ER", k, j), d) for k in inner],
        }
    rows: list[tuple[Squarer, arb]] = [(("E", i, k), d) for k in range(n) if k != i]
    columns: list[tuple[Squarer, arb]] = [(("E", k, j), d) for k in range(n) if k != j]
    entry_sum: list[tuple[Squarer, arb]]
    if i == j:
        entry_sum = [(("E", i, i), d), *((("P", min(i, k), max(i, k)), 2 * d) for k in others)]
    else:
        entry_sum = [(("M", i, j), 4 * d), (("W", min(i, j), max(i, j)), -d)]
        entry_sum += [(("T", i, k, j), 2 * d) for k in others]
    return {"U": entry_sum, "R": rows, "C": columns} if n > 1 else {"U": entry_sum}


def linear_squares(plan: ProductPlan, squares: Sequence[tuple[Squarer, arb]]) -> Iterator[tuple[Terms, arb]]:
    """Yield (form, weight) for what squares read of the forms themselves; their weights' sum is 0 for a difference.

    In u^2 - v^2 the left factor cancels out of u - v, and balls would not see that its weight is exactly 0.
    """
    if plan.product.how != "difference":
        yield from ((squarer_form(plan, squarer), d) for squarer, d in squares)
        return
    for (kind, i, k, j), d in squares:
        if kind == "T":
            yield squarer_form(plan, ("TR", i, k, j)), d


@dataclass(frozen=True)
class Reader:
    """How entries of live matrices are read off the last hidden layer before a stage (None: the input)."""

    before: StagePlan | None
    n: int
    sources: tuple[Source, ...] = ()
    shift: int = 0

    @property
    def reads_constant(self) -> bool:
        """Whether rows read the input through a constant matrix: then they are not equivariant."""
        return self.before is None and any(source.left is not None for source in self.sources)

    def entry(self, name: str, entry: Entry) -> Row:
        """Return the row that computes one entry of a live matrix."""
        if self.before is None:
            source = next(source for source in self.sources if source.name == name)
            place = entry[::-1] if source.transpose else entry
            constant = as_ball(source.identity) if entry[0] == entry[1] else arb(0)
            if source.left is not None:
                read = [((k, entry[1]), source.factor * c) for k, c in enumerate(source.left[entry[0]]) if c]
                return Row({("in", source.of, source.block, place): as_ball(c) for place, c in read}, constant)
            return Row({("in", source.of, source.block, place): as_ball(source.factor)}, constant)
        plan, output = self.before, dict(self.before.stage.outputs)[name]
        row = Row(constant=as_ball(output.identity) if entry[0] == entry[1] else arb(0))
        for product_plan in plan.products:
            coefficient = output[product_plan.product.name]
            if coefficient:
                row.add(self._product(product_plan, entry), as_ball(coefficient))
        if plan.layers == 1:
            for v, c in linear_part(plan.stage, output).terms:
                row.add(self._carrier(v, entry), as_ball(c))
        elif name in dict(plan.linear_offsets):
            row.add(Row({("lin", name, entry): arb(1)}, -dict(plan.linear_offsets)[name].ball), arb(1))
        return row

    def _carrier(self, name: str, entry: Entry) -> Row:
        assert self.before is not None
        return Row({("carry", name, entry): arb(1)}, -dict(self.before.bounds)[name].ball)

    def _product(self, plan: ProductPlan, entry: Entry) -> Row:
        name, pieces = plan.product.name, plan.radices.pieces_ball
        row = Row()
        for part, squares in sums(plan, entry, self.n, self.shift).items():
            weight = arb(1) if part == "U" else arb((-1, -1))
            if plan.radices.layers > 1:
                offset = plan.offset.ball if part == "U" else plan.row_offset.ball
                place = entry if part == "U" else entry[0] if part == "R" else entry[1]
                row.add(Row({(part, name, place): arb(1)}, -offset), weight)
            for squarer, d in squares:
                row.add(Row({("kink", name, squarer): 8 * d / pieces**2}), weight)
            if plan.radices.layers == 1:
                slope = 2 / pieces
                for form, d in linear_squares(plan, squares):
                    row.constant += weight * d * (slope - 1) * (plan.product.how != "difference")
                    for v, place, c in form:
                        row.add(self._carrier(v, place), weight * d * c * (slope - 2))
        if plan.radices.layers == 1:
            row.constant -= plan.centre.ball
        return row

    @cached_property
    def last_kinks(self) -> dict[str, int]:
        """Product -> the kinks of a squarer's last layer, r_m - 1 neurons of one weight."""
        return {} if self.before is None else {p.product.name: p.radices.last - 1 for p in self.before.products}

    def summary(self, row: Row, factor: arb) -> Summary:
        """Return the summary of ``factor * row``: an atom of last kinks counts once for each of them."""
        count, largest, kinks = 0, arb(0), self.last_kinks
        for atom, weight in row.terms.items():
            if not weight.is_zero():
                count += kinks[atom[1]] if kinks and isinstance(atom, tuple) and atom[0] == "kink" else 1
                largest = largest.max(abs(weight))
        return Summary(count, abs(factor) * largest, factor * row.constant)
