"""The network algebra as laws of realisations, in exact rationals on random networks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructions.algebra import add, affine, compose, extend, identity, parallel, rename, stack
from constructions.network import Block, Network
from tests.naive.naive_networks import affine_map, dense, from_dense, multiply, networks, points, realise

X = (("x", 2), ("t", 1))
Y = (("y", 1), ("z", 2))
Z = (("p", 2),)
DEPTH = st.shared(st.integers(0, 3), key="depth")


def value(network: Network, x: list[Fraction]) -> list[Fraction]:
    return realise(network, x)[-1]


def depth(network: Network) -> int:
    return len(network.maps) - 1


@given(networks(X, Y), points(3))
def test_a_network_is_called_by_place_and_by_name(f: Network, x: list[Fraction]) -> None:
    assert f(x) == value(f, x)
    assert f.at(t=x[2:], x=x[:2]) == {"y": f(x)[:1], "z": f(x)[1:]}


@given(networks(X, Y), networks(Y, Z), points(3))
def test_composition_realises_g_of_f_with_no_layer_between(f: Network, g: Network, x: list[Fraction]) -> None:
    both = compose(g, f)
    assert value(both, x) == value(g, value(f, x))
    assert depth(both) == depth(f) + depth(g)
    assert (both.inputs, both.outputs) == (X, Z)


@given(networks(X, Y), networks(Y, Z))
def test_the_touching_maps_are_merged_into_one(f: Network, g: Network) -> None:
    merged = dense(compose(g, f).maps[depth(f)].augmented)
    last, first = dense(f.maps[-1].augmented), dense(g.maps[0].augmented)
    linear = multiply([row[:-1] for row in first], [row[:-1] for row in last])
    constants = affine_map(first, [row[-1] for row in last])
    assert merged == [[*row, b] for row, b in zip(linear, constants, strict=True)]


@given(networks(X, Y), networks(Y, Z), networks(Z, X))
def test_composition_is_associative_weight_by_weight(f: Network, g: Network, h: Network) -> None:
    left, right = compose(h, compose(g, f)), compose(compose(h, g), f)
    pairs = zip(left.maps, right.maps, strict=True)
    assert all(one.augmented.equals(two.augmented) for one, two in pairs)


@given(networks(X, Y))
def test_identities_are_neutral_weight_by_weight(f: Network) -> None:
    for same in (compose(f, identity(X)), compose(identity(Y), f)):
        assert all(a.augmented.equals(b.augmented) for a, b in zip(same.maps, f.maps, strict=True))


@given(networks(X, Y), networks((("z", 2), ("y", 1)), Z), points(3))
def test_composition_takes_wires_by_name_in_any_order(f: Network, g: Network, x: list[Fraction]) -> None:
    y, z0, z1 = value(f, x)
    assert value(compose(g, f), x) == value(g, [z0, z1, y])


@given(networks(X, Y), networks((("z", 2),), Z), points(3))
def test_wires_nobody_reads_fall_away(f: Network, g: Network, x: list[Fraction]) -> None:
    both = compose(g, f)
    assert value(both, x) == value(g, value(f, x)[1:])
    assert both.maps[depth(f)].outputs == g.maps[0].outputs


@given(st.data(), DEPTH, points(3), points(2))
def test_parallel_networks_do_not_touch(data: st.DataObject, hidden: int, x: list[Fraction], u: list[Fraction]) -> None:
    f = data.draw(networks(X, Y, hidden))
    g = data.draw(networks((("u", 2),), Z, hidden))
    both = parallel(f, g)
    assert value(both, x + u) == value(f, x) + value(g, u)
    assert both.at(x=x[:2], t=x[2:], u=u)["p"] == value(g, u)


@given(st.data(), DEPTH, points(3))
def test_stacked_networks_read_the_same_wires(data: st.DataObject, hidden: int, x: list[Fraction]) -> None:
    f = data.draw(networks(X, Y, hidden))
    g = data.draw(networks((("t", 1), ("x", 2)), Z, hidden))
    both = stack(f, g)
    assert both.inputs == X
    assert both.outputs == Y + Z
    assert value(both, x) == value(f, x) + value(g, x[2:] + x[:2])


@given(st.data(), DEPTH, points(3))
def test_sums_add_wires_of_one_name(data: st.DataObject, hidden: int, x: list[Fraction]) -> None:
    f = data.draw(networks(X, Y, hidden))
    g = data.draw(networks(X, (("z", 2), ("y", 1)), hidden))
    total = add(f, g)
    z0, z1, y = value(g, x)
    assert total.outputs == Y
    assert depth(total) == hidden
    assert value(total, x) == [a + b for a, b in zip(value(f, x), [y, z0, z1], strict=True)]


@given(networks(X, X), points(3))
def test_a_network_onto_its_own_wires_stacks_and_adds(f: Network, x: list[Fraction]) -> None:
    """Names that are inputs and outputs at once are no clash: x -> x + f(x) is a sum like any other."""
    carried = extend(identity(X), depth(f), Fraction(-3), Fraction(3))
    assert value(add(carried, f), x) == [a + b for a, b in zip(x, value(f, x), strict=True)]
    primed = rename(f, {"x": "x'"})
    renamed = Network(f.maps, X, (("x'", 2), ("y", 1)))
    assert value(stack(renamed, f), x) == value(f, x) * 2
    assert stack(renamed, f).outputs == (("x'", 2), ("y", 1), *X)
    assert primed.inputs == primed.outputs == (("x'", 2), ("t", 1))


@given(networks(X, Y), points(3), st.integers(0, 4), st.fractions(-5, 5, max_denominator=9), st.integers(0, 9))
def test_extension_carries_values_exactly_on_its_range_and_clips_below(
    f: Network, x: list[Fraction], layers: int, lowest: Fraction, span: int
) -> None:
    longer = extend(f, layers, lowest, lowest + span)
    assert depth(longer) == depth(f) + layers
    clipped = [v if layers == 0 else max(v, lowest) for v in value(f, x)]
    assert value(longer, x) == clipped
    carried = [b for b in longer.blocks if b.kind == "carry"]
    assert [(b.layer, b.start, b.stop, b.lo, b.hi) for b in carried] == [
        (depth(f) + i, 0, 3, 0, span) for i in range(layers)
    ]


@given(networks(X, Y), points(3))
def test_renaming_changes_names_alone(f: Network, x: list[Fraction]) -> None:
    other = rename(f, {"x": "a", "y": "b"})
    assert (other.inputs, other.outputs) == ((("a", 2), ("t", 1)), (("b", 1), ("z", 2)))
    assert value(other, x) == value(f, x)


@given(st.data(), points(3))
def test_blocks_move_with_their_neurons(data: st.DataObject, x: list[Fraction]) -> None:
    """Mark one neuron; wherever the algebra puts it, it still has the value it had."""
    f, g = data.draw(networks(X, Y, 2)), data.draw(networks(Y, Z, 2))
    marked = Network(g.maps, g.inputs, g.outputs, (Block("affine", "mark", 1, 0, 1, Fraction(0), Fraction(1)),))

    def at_mark(network: Network, point: list[Fraction]) -> Fraction:
        (block,) = network.blocks
        assert block.name == "mark"
        return realise(network, point)[block.layer][block.start]

    y = value(f, x)
    expected = at_mark(marked, y)
    assert at_mark(compose(marked, f), x) == expected
    assert at_mark(parallel(f, rename(marked, {"y": "a", "z": "b"})), x + y) == expected
    assert at_mark(add(g, marked), y) == expected
    assert at_mark(stack(rename(g, {"p": "q"}), marked), y) == expected


def constant(inputs: int, outputs: int) -> Network:
    ports = ((("x", inputs),), (("y", outputs),))
    return affine(from_dense([[Fraction(1)] * (inputs + 1)] * outputs, inputs + 1), *ports)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: compose(constant(2, 1), constant(2, 1)), "no output wire 'x'"),
        (lambda: compose(constant(2, 1), rename(constant(2, 1), {"y": "x"})), "no output wire 'x' of width 2"),
        (lambda: parallel(constant(1, 1), extend(constant(1, 1), 1, Fraction(0), Fraction(1))), "extend the shallower"),
        (lambda: parallel(constant(1, 1), rename(constant(1, 1), {"x": "u"})), "two output wires have the same name"),
        (lambda: parallel(constant(1, 1), rename(constant(1, 1), {"y": "u"})), "two input wires have the same name"),
        (lambda: stack(constant(1, 1), constant(2, 1)), "the input wires differ"),
        (lambda: stack(constant(1, 1), constant(1, 1)), "two output wires have the same name"),
        (lambda: add(constant(1, 1), constant(1, 2)), "the output wires differ"),
        (lambda: add(constant(1, 1), extend(constant(1, 1), 2, Fraction(0), Fraction(1))), "equal depth"),
        (lambda: extend(constant(1, 1), -1, Fraction(0), Fraction(1)), "at least 0 layers"),
        (lambda: extend(constant(1, 1), 1, Fraction(2), Fraction(1)), "range that is not empty"),
        (lambda: Network((), (("x", 1),), (("y", 1),)), "at least one affine map"),
        (lambda: Network(constant(1, 1).maps, (("x", 2),), (("y", 1),)), "do not name 1 entries"),
        (lambda: Network(constant(2, 1).maps, (("x", 3), ("u", -1)), (("y", 1),)), "do not name 2 entries"),
        (lambda: Network((*constant(1, 2).maps, *constant(1, 1).maps), (("x", 1),), (("y", 1),)), "2 outputs into 1"),
        (lambda: constant(2, 1).at(x=[Fraction(1)]), "by name and width"),
        (lambda: constant(1, 1).at(y=[Fraction(1)]), "by name and width"),
        (lambda: constant(2, 1)([Fraction(1)]), "takes 2 numbers, not 1"),
    ],
)
def test_what_does_not_fit_is_named(wrong: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        wrong()  # type: ignore[operator]
