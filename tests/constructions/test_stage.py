"""Stage networks in exact arithmetic: what the theorems transcribe, never clipped, attained, every neuron named.

Theorems: square.interpolant, matmul.polarised, matmul.square.
"""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from constructions.evaluate import evaluate_balls, evaluate_exact
from constructions.network import Network
from constructions.stage import stage_network
from tests.naive.naive_networks import multiply
from tests.naive.naive_stage import hidden_layers, naive_stage
from theory.analysis import analyse
from theory.counts import stage_architecture
from theory.evaluate import as_ball, exact, fraction
from theory.matmul import POLARISED, SQUARE
from theory.network_plan import StagePlan
from theory.norm_model import NormModel
from theory.problem import Box
from theory.program import Combination, Product, Program, Source, Stage, combination
from theory.radices import Radices
from theory.symbols import BL, BR, N, k
from theory.symbols import n as size_symbol

Dense = list[list[Fraction]]
ONE = Fraction(1)
NAMES = ("A", "B", "C")
#: Bounds of the live matrices' entries; A's is the box's own.
BOUNDS = {"A": ONE, "B": Fraction(3, 2), "C": Fraction(1, 3)}
COEFFICIENTS = st.sampled_from([Fraction(c) for c in ("1", "-1", "2", "-1/2", "1/3", "5/8")])


def planned(stage: Stage, n: int, radices: list[list[int]], bounds: dict[str, Fraction] = BOUNDS) -> StagePlan:
    """The stage with scales and offsets as the analysis fixes them, in real arithmetic."""
    sources = tuple(Source(name, range=n * bounds[name]) for name in stage.live)
    program = Program((stage,), Combination(((stage.outputs[0][0], ONE),)), sources)
    model = NormModel(n, Box(ONE))
    return analyse(program, model, [[Radices.of(r) for r in radices]], freeze=False).stages[0]


def factors(draw: st.DrawFn, names: tuple[str, ...]) -> Combination:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    return combination({name: draw(COEFFICIENTS) for name in chosen})


@st.composite
def stages(draw: st.DrawFn) -> tuple[Stage, int, list[list[int]]]:
    """A stage of 1 or 2 products, squares among them, linear parts folded or carried, identities; and n."""
    n, count = draw(st.sampled_from([1, 2, 2, 3])), draw(st.integers(1, 2))
    products = []
    for index in range(count):
        left = factors(draw, NAMES)
        right = left if draw(st.booleans()) else factors(draw, NAMES)
        start = draw(st.integers(0, n - 1))
        inner = draw(st.sampled_from([None, None, (start, n), (0, start + 1)]))
        products.append(Product(f"P{index}", left, right, inner))
    outputs = []
    for index in range(draw(st.integers(1, 2))):
        wanted = draw(st.lists(st.sampled_from([p.name for p in products]), unique=True, max_size=count))
        linear = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
        terms = {name: draw(COEFFICIENTS) for name in [*wanted, *linear]} or {"A": ONE}
        outputs.append((f"Y{index}", combination(terms, draw(st.sampled_from([0, 1, Fraction(-1, 3)])))))
    layers = draw(st.integers(1, 3 if n == 3 else 5))
    radix = st.integers(2, 3 if n == 3 else 6)
    radices = [draw(st.lists(radix, min_size=layers, max_size=layers)) for _ in products]
    return Stage(tuple(products), tuple(outputs)), n, radices


def drawn_points(plan: StagePlan, n: int, seed: int) -> list[dict[str, Dense]]:
    """Zero, where partial sums are lowest; a corner; a random point; one on a coarse grid, where kinks are hit."""
    random = Random(seed)

    def fill(entry: object) -> dict[str, Dense]:
        return {
            name: [[BOUNDS[name] * entry() for _ in range(n)] for _ in range(n)]  # type: ignore[operator]
            for name in plan.stage.live
        }

    return [
        fill(lambda: Fraction(0)),
        fill(lambda: Fraction(random.choice((-1, 1)))),
        fill(lambda: Fraction(random.randint(-997, 997), 997)),
        fill(lambda: Fraction(random.randint(-4, 4), 4)),
    ]


def flat(matrices: dict[str, Dense], names: tuple[str, ...]) -> list[Fraction]:
    return [entry for name in names for row in matrices[name] for entry in row]


@settings(max_examples=25)
@given(stages(), st.integers(0, 10**6))
def test_a_stage_is_what_the_theorems_say(drawn: tuple[Stage, int, list[list[int]]], seed: int) -> None:
    plan, n = planned(*drawn), drawn[1]
    network, names = stage_network(plan, n), tuple(name for name, _ in plan.stage.outputs)
    assert network.architecture == stage_architecture(plan, n)
    for live in drawn_points(plan, n, seed):
        assert evaluate_exact(network, flat(live, plan.stage.live)) == flat(naive_stage(plan, live, n), names)


@settings(max_examples=25)
@given(stages(), st.integers(0, 10**6))
def test_every_neuron_is_in_one_block_and_in_its_range(drawn: tuple[Stage, int, list[list[int]]], seed: int) -> None:
    """What is carried is never clipped: accumulators and carriers stay non-negative, and all below the claimed top."""
    plan, n = planned(*drawn), drawn[1]
    network = stage_network(plan, n)
    for layer, affine in enumerate(network.maps[:-1]):
        covered = sorted((b.start, b.stop) for b in network.blocks if b.layer == layer)
        assert [start for start, _ in covered] == [0, *(stop for _, stop in covered[:-1])]
        assert covered[-1][1] == affine.outputs
    for live in drawn_points(plan, n, seed):
        for layer, before in enumerate(hidden_layers(network, flat(live, plan.stage.live))):
            for block in (b for b in network.blocks if b.layer == layer):
                values = before[block.start : block.stop]
                if block.kind in ("product", "carry"):
                    assert min(values) >= block.lo == 0
                assert max(values) <= block.hi


@settings(max_examples=10)
@given(stages())
def test_first_layer_ranges_hold_on_the_whole_domain(drawn: tuple[Stage, int, list[list[int]]]) -> None:
    """The first layer is affine, so balls over the whole box prove its ranges, up to their rounding outward."""
    plan, n = planned(*drawn), drawn[1]
    network = stage_network(plan, n)
    domain = [as_ball(BOUNDS[name]).union(-as_ball(BOUNDS[name])) for name in plan.stage.live for _ in range(n * n)]
    first = Network((network.maps[0],), network.inputs, (("h", network.maps[0].outputs),))
    values = evaluate_balls(first, domain, precision=200)
    rounding = Fraction(1, 2**20)  # a union's radius has 30 bits
    for block in (b for b in network.blocks if b.layer == 0):
        for ball in values[block.start : block.stop]:
            assert fraction(ball.upper()) <= block.hi * (1 + rounding)
            if block.kind == "carry":
                assert fraction(ball.lower()) >= -rounding * block.hi


@settings(max_examples=10)
@given(stages(), st.integers(0, 10**6))
def test_all_ranges_hold_around_a_point(drawn: tuple[Stage, int, list[list[int]]], seed: int) -> None:
    """Balls through all layers from a small box around a random point: every value of the box at once."""
    plan, n = planned(*drawn), drawn[1]
    network = stage_network(plan, n)
    live = drawn_points(plan, n, seed)[2]
    value = [as_ball(entry * Fraction(999, 1000)) + arb(0, 1e-9) for entry in flat(live, plan.stage.live)]
    for layer, affine in enumerate(network.maps[:-1]):
        one = Network((affine,), (("x", affine.inputs),), (("h", affine.outputs),))
        value = [ball.max(arb(0)) for ball in evaluate_balls(one, value)]
        for block in (b for b in network.blocks if b.layer == layer):
            assert all(fraction(ball.upper()) <= block.hi for ball in value[block.start : block.stop])


def lone(left: str, right: str, n: int, radices: list[int], bound: Fraction = ONE) -> tuple[StagePlan, Network]:
    """The stage of a single product, factors bounded by a power of two, so that scales and centre are exact."""
    product = Product("P", combination({left: 1}), combination({right: 1}))
    plan = planned(Stage((product,), (("Y", combination({"P": 1})),)), n, [radices], {"A": bound, "B": bound})
    return plan, stage_network(plan, n)


def errors(network: Network, matrices: dict[str, Dense], factors: tuple[str, str]) -> list[Fraction]:
    computed = evaluate_exact(network, flat(matrices, tuple(name for name, _ in network.inputs)))
    truth = multiply(matrices[factors[0]], matrices[factors[1]])
    return [c - t for c, t in zip(computed, [entry for row in truth for entry in row], strict=True)]


@pytest.mark.parametrize("radices", [[2], [4], [2, 2], [4, 2, 2], [2, 8, 2]])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_product_attains_its_bound_in_all_entries_at_once(radices: list[int], n: int) -> None:
    """TIGHT, theorem matmul.polarised: == in exact arithmetic at the right points, both ends."""
    bound = Fraction(2)
    plan, network = lone("A", "B", n, radices, bound)
    (product,) = plan.products
    pieces = product.radices.pieces
    assert product.scale == bound**2
    tight = exact(POLARISED.bound.expression, {k: n, BL: bound, BR: bound, N: pieces})
    assert product.centre.fraction == tight / 3
    for offset, end in ((Fraction(0), tight), (Fraction(1, pieces), -tight)):
        left, right = -1 + offset, -1 + offset + Fraction(2, pieces)
        matrices = {"A": [[bound * left] * n] * n, "B": [[bound * right] * n] * n}
        assert set(errors(network, matrices, ("A", "B"))) == {end}


@pytest.mark.parametrize("radices", [[2], [4], [2, 2], [4, 2, 2]])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_square_attains_its_bound_off_the_diagonal(radices: list[int], n: int) -> None:
    """TIGHT, theorem matmul.square: row 0 at a knot, the rest at the next one, or both half a cell on."""
    plan, network = lone("A", "A", n, radices)
    pieces = plan.products[0].radices.pieces
    tight = exact(SQUARE.bound.expression, {size_symbol: n, BL: ONE, N: pieces})
    low, high = Fraction(-1), -1 + Fraction(2, pieces)
    for offset, end in ((Fraction(0), tight), (Fraction(1, pieces), -tight)):
        matrix = [[(low if i == 0 and j else high) + offset for j in range(n)] for i in range(n)]
        found = errors(network, {"A": matrix}, ("A", "A"))
        assert found[1] == end
        assert max(abs(e) for e in found) == tight


@pytest.mark.parametrize("radices", [[3], [5, 3], [3, 7, 5]])
def test_radices_that_no_float_holds_are_exact_in_rationals(radices: list[int]) -> None:
    """N odd: zero is halfway between knots, where every square of X = 0 errs by 1/N^2."""
    n = 2
    plan, network = lone("A", "B", n, radices)
    (product,) = plan.products
    zero: Dense = [[Fraction(0)] * n] * n
    # Each of n terms: 2 e - e/2 - e/2 = e = B_L B_R / N^2; less the centre as rounded.
    expected = n * product.scale / product.radices.pieces**2 - product.centre.fraction
    assert set(errors(network, {"A": zero, "B": zero}, ("A", "B"))) == {expected}


@pytest.mark.parametrize("radices", [[2, 2, 2], [6, 2, 3], [2, 3, 2, 2]])
def test_offsets_are_no_larger_than_they_must_be(radices: list[int]) -> None:
    """At X = 0 with r_1 = 2 mod 4 partial sums are lowest; what is left of the offset is its rounding to 12 bits."""
    plan, network = lone("A", "B", 2, radices)
    layers = list(hidden_layers(network, [Fraction(0)] * 8))
    (block,) = [b for b in network.blocks if b.kind == "product" and b.layer == 1]
    lowest = min(layers[1][block.start : block.stop])
    assert 0 <= lowest <= plan.products[0].offset.fraction / 2**10
