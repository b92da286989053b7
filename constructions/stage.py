"""One stage of a plan as a network: squarers with integer zigzags, shared accumulators, carried matrices.

Layer 1 holds the first kinks ``relu(X_1 - k)``, ``X_1 = r_1 (form + 1) / 2``, and the live matrices, carried by one
neuron an entry. Later layers hold kinks ``relu(r_j T_{j-1} - k)`` with integer weights and the accumulators of
``sum d (4 S_j - 2 form - 1)``; the last layer's kinks enter with the chords' slopes (theorem square.interpolant).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from constructions.exact import Batch, ExactMatrix, vstack
from constructions.forms import ProductForms, product_forms
from constructions.network import Affine, Block, Network, port_columns
from theory.network_plan import ProductPlan, StagePlan, linear_part
from theory.program import Combination

__all__ = ["stage_network"]

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Squarers:
    """The squarers of one product: plan, forms, and where their kinks start in the current layer."""

    plan: ProductPlan
    parts: ProductForms

    @property
    def count(self) -> int:
        return self.parts.forms.shape[0]

    @property
    def accumulators(self) -> int:
        return self.parts.sums.shape[0]


@dataclass(frozen=True, eq=False)
class _Builder:
    plan: StagePlan
    n: int
    squarers: tuple[_Squarers, ...]

    # ---- functionals of one layer's neurons, as matrices with a last column for the constant -------------------

    def carried(self, offset: int, width: int) -> ExactMatrix:
        """Return the live matrices as functionals of layer 1: carrier less bound; ``offset`` is the first carrier."""
        batches: list[Batch] = []
        size = self.n**2
        for position, (_, bound) in enumerate(self.plan.bounds):
            rows = position * size + np.arange(size, dtype=np.int64)
            batches.append((rows, offset + rows, Fraction(1)))
            batches.append((rows, np.full(size, width, dtype=np.int64), -bound.fraction))
        return ExactMatrix.from_batches((size * len(self.plan.bounds), width + 1), batches)

    def linear(self, combination: Combination, factor: Fraction = Fraction(1)) -> ExactMatrix:
        """Return a combination of live matrices as a matrix on the stage's inputs (no constant column)."""
        columns = port_columns(tuple((name, self.n**2) for name in self.plan.stage.live))
        size = self.n**2
        rows = np.arange(size, dtype=np.int64)
        batches = [(rows, columns[name], factor * c) for name, c in combination.terms]
        return ExactMatrix.from_batches((size, size * len(columns)), batches)


def stage_network(plan: StagePlan, n: int) -> Network:
    """Return the network of one stage: live matrices in, the stage's outputs out, ``plan.layers`` hidden layers."""
    inputs = tuple((name, n * n) for name in plan.stage.live)
    columns = port_columns(inputs)
    width = n * n * len(inputs)
    squarers = tuple(_Squarers(p, product_forms(p, columns, width, n)) for p in plan.products)
    builder = _Builder(plan, n, squarers)
    maps = [_first(builder, width)]
    blocks = list(_blocks(builder, 0))
    for layer in range(1, plan.layers):
        maps.append(_next(builder, layer))
        blocks += _blocks(builder, layer)
    maps.append(_last(builder))
    outputs = tuple((name, n * n) for name, _ in plan.stage.outputs)
    return Network(tuple(Affine(matrix) for matrix in maps), inputs, outputs, tuple(blocks))


def _radices(builder: _Builder) -> list[list[int]]:
    return [list(s.plan.radices) for s in builder.squarers]


def _kinks(builder: _Builder, layer: int) -> list[range]:
    """Return each product's kink positions in a layer: interior ones only in the first and last layer."""
    depth = builder.plan.layers
    return [range(1 if layer in (0, depth - 1) else 0, r[layer]) for r in _radices(builder)]


def _starts(builder: _Builder, layer: int) -> tuple[list[int], int]:
    """Return where each product's kinks start in a layer, and where the carriers or accumulators start."""
    starts, position = [], 0
    for squarers, kinks in zip(builder.squarers, _kinks(builder, layer), strict=True):
        starts.append(position)
        position += squarers.count * len(kinks)
    return starts, position


def _tail(builder: _Builder, layer: int) -> int:
    """Return the number of carriers (layer 0) or accumulators (later)."""
    if layer == 0:
        return builder.n**2 * len(builder.plan.bounds)
    return sum(s.accumulators for s in builder.squarers) + builder.n**2 * len(builder.plan.linear_offsets)


def _rows_of_kinks(form: ExactMatrix, radix: int, kinks: range) -> Iterable[Batch]:
    """Yield ``radix * form - k`` for every kink k, kink-major; ``form`` has the constant as its last column."""
    count = form.shape[0]
    blocks = count * np.arange(len(kinks), dtype=np.int64)
    for rows, cols, value in form.batches():
        yield (blocks[:, None] + rows).ravel(), np.tile(cols, len(kinks)), radix * value
    last = np.full(count, form.shape[1] - 1, dtype=np.int64)
    for block, k in zip(blocks, kinks, strict=True):
        yield block + np.arange(count, dtype=np.int64), last, Fraction(-k)


def _shift(batches: Iterable[Batch], rows: int) -> Iterable[Batch]:
    for r, c, v in batches:
        yield r + rows, c, v


def _unit_forms(squarers: _Squarers, live: ExactMatrix) -> ExactMatrix:
    """Return z = (form + 1) / 2 in [0, 1] given the live matrices as functionals."""
    form = (squarers.parts.forms @ live).scaled(Fraction(1, 2))
    return form + _constant(form.shape, Fraction(1, 2))


def _constant(shape: tuple[int, int], value: Fraction) -> ExactMatrix:
    rows = np.arange(shape[0], dtype=np.int64)
    return ExactMatrix.from_batches(shape, [(rows, np.full(shape[0], shape[1] - 1, dtype=np.int64), value)])


def _first(builder: _Builder, width: int) -> ExactMatrix:
    starts, position = _starts(builder, 0)
    every = np.arange(width, dtype=np.int64)
    live = ExactMatrix.from_batches((width, width + 1), [(every, every, Fraction(1))])
    batches: list[Batch] = []
    for squarers, start, kinks in zip(builder.squarers, starts, _kinks(builder, 0), strict=True):
        z = _unit_forms(squarers, live)
        batches += _shift(_rows_of_kinks(z, squarers.plan.radices.first, kinks), start)
    batches.append((position + every, every, Fraction(1)))
    size = builder.n**2
    for index, (_, bound) in enumerate(builder.plan.bounds):
        rows = position + index * size + np.arange(size, dtype=np.int64)
        batches.append((rows, np.full(size, width, dtype=np.int64), bound.fraction))
    return ExactMatrix.from_batches((position + width, width + 1), batches)


def _kink_sum(squarers: _Squarers, start: int, kinks: range, width: int, weights: dict[int, Fraction]) -> ExactMatrix:
    """Return sum over kinks of weight * neuron, one row a squarer, on a layer of ``width`` neurons."""
    rows = np.arange(squarers.count, dtype=np.int64)
    alike: dict[Fraction, list[int]] = {}
    for block, k in enumerate(kinks):
        if weights.get(k):
            alike.setdefault(weights[k], []).append(block)
    batches = [
        (
            np.tile(rows, len(blocks)),
            (start + squarers.count * np.array(blocks, dtype=np.int64)[:, None] + rows).ravel(),
            weight,
        )
        for weight, blocks in alike.items()
    ]
    return ExactMatrix.from_batches((squarers.count, width + 1), batches)


def _zigzag(builder: _Builder, which: int, layer: int) -> ExactMatrix:
    """Return T_{layer+1} in [0, 1] as a functional of the layer's neurons."""
    squarers, kinks = builder.squarers[which], _kinks(builder, layer)[which]
    starts, position = _starts(builder, layer)
    width = position + _tail(builder, layer)
    weights = {k: Fraction(1 if k == 0 else 2 * (-1) ** k) for k in kinks}
    total = _kink_sum(squarers, starts[which], kinks, width, weights)
    if layer == 0:  # the linear part comes from the carried matrices
        total += _unit_forms(squarers, builder.carried(position, width)).scaled(squarers.plan.radices.first)
    return total


def _increments(builder: _Builder, which: int, layer: int) -> ExactMatrix:
    """Return what this layer's neurons add to 4 S: 16 / P_j^2 times odd kinks; chords T/N^2 before the last."""
    squarers, kinks = builder.squarers[which], _kinks(builder, layer)[which]
    starts, position = _starts(builder, layer)
    width = position + _tail(builder, layer)
    radices = list(squarers.plan.radices)
    reached = 1
    for r in radices[: layer + 1]:
        reached *= r
    weight = Fraction(16, reached**2)
    total = _kink_sum(squarers, starts[which], kinks, width, {k: weight for k in kinks if k % 2})
    if layer == len(radices) - 2:  # the last layer's chords start with slope r_m T / N^2
        total += _zigzag(builder, which, layer).scaled(Fraction(4, reached**2 * radices[-1]))
    return total


def _next(builder: _Builder, layer: int) -> ExactMatrix:
    """Return the map from hidden layer ``layer - 1`` to ``layer`` (from 0)."""
    starts, position = _starts(builder, layer)
    width = _starts(builder, layer - 1)[1] + _tail(builder, layer - 1)
    batches: list[Batch] = []
    for which, (squarers, start, kinks) in enumerate(
        zip(builder.squarers, starts, _kinks(builder, layer), strict=True)
    ):
        radix = list(squarers.plan.radices)[layer]
        batches += _shift(_rows_of_kinks(_zigzag(builder, which, layer - 1), radix, kinks), start)
    accumulators = _first_accumulators if layer == 1 else _carried_accumulators
    batches += _shift(accumulators(builder, layer), position)
    return ExactMatrix.from_batches((position + _tail(builder, layer), width + 1), batches)


def _first_accumulators(builder: _Builder, layer: int) -> Iterable[Batch]:
    """Yield layer 2's accumulators: linear parts, first increments, offsets that keep them positive, the centring."""
    position = _starts(builder, 0)[1]
    width = position + _tail(builder, 0)
    live = builder.carried(position, width)
    row = 0
    for which, squarers in enumerate(builder.squarers):
        form = squarers.parts.forms @ live
        partial = _increments(builder, which, 0) + form.scaled(-2) + _constant(form.shape, Fraction(-1))
        total = squarers.parts.sums @ partial
        folded = builder.plan.folded.get(squarers.plan.product.name)
        yield from _shift(total.batches(), row)
        if folded is not None:
            output = dict(builder.plan.stage.outputs)[folded]
            factor = 1 / output[squarers.plan.product.name]
            linear = builder.linear(linear_part(builder.plan.stage, output), factor) @ live
            yield from _shift(linear.batches(), row)
        size = min(builder.n**2, squarers.accumulators)
        first = row + np.arange(size, dtype=np.int64)
        rest = row + np.arange(size, squarers.accumulators, dtype=np.int64)
        shift = squarers.plan.offset.fraction - squarers.plan.centre.fraction
        yield first, np.full(len(first), width, dtype=np.int64), shift
        yield rest, np.full(len(rest), width, dtype=np.int64), squarers.plan.row_offset.fraction
        row += squarers.accumulators
    for name, offset in builder.plan.linear_offsets:
        linear = builder.linear(linear_part(builder.plan.stage, dict(builder.plan.stage.outputs)[name])) @ live
        yield from _shift(linear.batches(), row)
        rows = row + np.arange(builder.n**2, dtype=np.int64)
        yield rows, np.full(len(rows), width, dtype=np.int64), offset.fraction
        row += builder.n**2


def _carried_accumulators(builder: _Builder, layer: int) -> Iterable[Batch]:
    """Yield later accumulators: what they were, plus this step's increments; offsets stay."""
    position = _starts(builder, layer - 1)[1]
    tail = np.arange(_tail(builder, layer), dtype=np.int64)
    yield tail, position + tail, Fraction(1)
    row = 0
    for which, squarers in enumerate(builder.squarers):
        yield from _shift((squarers.parts.sums @ _increments(builder, which, layer - 1)).batches(), row)
        row += squarers.accumulators


def _last(builder: _Builder) -> ExactMatrix:
    """Return the map from the last hidden layer to the stage's outputs."""
    layer = builder.plan.layers - 1
    starts, position = _starts(builder, layer)
    width = position + _tail(builder, layer)
    live = builder.carried(position, width) if layer == 0 else None
    products: dict[str, ExactMatrix] = {}
    row = position
    for which, squarers in enumerate(builder.squarers):
        pieces = squarers.plan.radices.pieces
        kinks = _kinks(builder, layer)[which]
        chords = _kink_sum(squarers, starts[which], kinks, width, dict.fromkeys(kinks, Fraction(8, pieces**2)))
        if live is not None:
            # One layer: 4 (X_1 / N^2) - 2 form - 1 from the carried matrices directly.
            form = squarers.parts.forms @ live
            slope = Fraction(2, pieces)
            sums = squarers.parts.sums @ (chords + form.scaled(slope - 2) + _constant(form.shape, slope - 1))
            entries = squarers.parts.entries @ sums
            entries += _constant(entries.shape, -squarers.plan.centre.fraction)
        else:
            sums = (squarers.parts.sums @ chords) + _accumulated(builder, squarers, row, width)
            entries = squarers.parts.entries @ sums
        products[squarers.plan.product.name] = entries
        row += squarers.accumulators
    return _outputs(builder, products, live, row, width)


def _accumulated(builder: _Builder, squarers: _Squarers, start: int, width: int) -> ExactMatrix:
    """Return the accumulators less their offsets."""
    rows = np.arange(squarers.accumulators, dtype=np.int64)
    size = min(builder.n**2, squarers.accumulators)
    constant = np.full(squarers.accumulators, width, dtype=np.int64)
    batches: list[Batch] = [
        (rows, start + rows, Fraction(1)),
        (rows[:size], constant[:size], -squarers.plan.offset.fraction),
        (rows[size:], constant[size:], -squarers.plan.row_offset.fraction),
    ]
    return ExactMatrix.from_batches((squarers.accumulators, width + 1), batches)


def _outputs(
    builder: _Builder, products: dict[str, ExactMatrix], live: ExactMatrix | None, carried: int, width: int
) -> ExactMatrix:
    n, parts = builder.n, []
    place = np.arange(n * n, dtype=np.int64)
    diagonal = np.arange(n, dtype=np.int64) * (n + 1)
    offsets = dict(builder.plan.linear_offsets)
    for name, output in builder.plan.stage.outputs:
        # Short rows first: a product's have thousands of entries, which are sorted at every sum.
        batches: list[Batch] = [(diagonal, np.full(n, width, dtype=np.int64), output.identity)]
        if live is not None:
            batches += (builder.linear(linear_part(builder.plan.stage, output)) @ live).batches()
        elif name in offsets:
            batches.append((place, carried + place, Fraction(1)))
            batches.append((place, np.full(n * n, width, dtype=np.int64), -offsets[name].fraction))
            carried += n * n
        total = ExactMatrix.from_batches((n * n, width + 1), batches)
        for product, entries in products.items():
            total += entries.scaled(output[product])
        parts.append(total)
    return vstack(parts)


def _blocks(builder: _Builder, layer: int) -> Iterable[Block]:
    """Yield what the neurons of a layer are, with claimed ranges."""
    starts, position = _starts(builder, layer)
    for squarers, start, kinks in zip(builder.squarers, starts, _kinks(builder, layer), strict=True):
        radix = list(squarers.plan.radices)[layer]
        stop = start + squarers.count * len(kinks)
        # Kink 0 is X = r T, which rounded weights may push past r; kinks from 1 on have that much room.
        top = Fraction(radix + (1 if kinks.start == 0 else 0))
        yield Block("squarer", squarers.plan.product.name, layer, start, stop, Fraction(0), top)
    size = builder.n**2
    if layer == 0:
        for name, bound in builder.plan.bounds:
            yield Block("carry", name, layer, position, position + size, Fraction(0), 2 * bound.fraction)
            position += size
        return
    for squarers in builder.squarers:
        stop = position + squarers.accumulators
        # Sums of squares are at most 2 n B_L B_R, with the linear part and the offset below them.
        top = 3 * builder.n * squarers.plan.scale + 2 * squarers.plan.offset.fraction
        yield Block("product", squarers.plan.product.name, layer, position, stop, Fraction(0), top)
        position = stop
    for name, offset in builder.plan.linear_offsets:
        yield Block("carry", name, layer, position, position + size, Fraction(0), 2 * offset.fraction)
        position += size
