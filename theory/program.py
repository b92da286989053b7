"""Matrix programs: straight-line programs whose stages multiply linear combinations of matrices.

Every construction here (Horner, Paterson-Stockmeyer, scaling and squaring, Newton-Schulz, ...) is such a program; one
analysis bounds its error, one set of formulas counts its network, one builder makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import isqrt
from types import MappingProxyType
from typing import Any

__all__ = ["HOW", "Combination", "Product", "Program", "Rows", "Source", "Stage", "combination"]

#: How a product of matrices is made of squares (theorems matmul.polarised, product.difference, product.polarised).
HOW = ("polarised", "difference", "usual")
#: A constant matrix.
Rows = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True)
class Combination:
    """A linear combination ``sum of c_v V + c I`` of named n x n matrices and the identity.

    Attributes:
        terms: (name, coefficient) sorted by name, no coefficient zero.
        identity: The coefficient of the identity.

    Raises:
        ValueError: If a name repeats or a coefficient is zero.
    """

    terms: tuple[tuple[str, Fraction], ...]
    identity: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        names = [name for name, _ in self.terms]
        if names != sorted(set(names)) or any(coefficient == 0 for _, coefficient in self.terms):
            raise ValueError(f"terms must be sorted, distinct and non-zero: {self.terms}")

    def __getitem__(self, name: str) -> Fraction:
        return dict(self.terms).get(name, Fraction(0))

    @property
    def names(self) -> tuple[str, ...]:
        """The matrices that appear."""
        return tuple(name for name, _ in self.terms)

    def without_identity(self) -> Combination:
        """Return the combination less its multiple of the identity."""
        return Combination(self.terms)

    def restricted(self, names: frozenset[str]) -> Combination:
        """Return the part in the given matrices (no identity)."""
        return Combination(tuple((name, c) for name, c in self.terms if name in names))

    def scaled(self, factor: Fraction) -> Combination:
        """Return a multiple."""
        return combination({name: factor * c for name, c in self.terms}, factor * self.identity)

    def plus(self, other: Combination) -> Combination:
        """Return the sum."""
        total: dict[str, Fraction] = dict(self.terms)
        for name, c in other.terms:
            total[name] = total.get(name, Fraction(0)) + c
        return combination(total, self.identity + other.identity)

    def json(self) -> dict[str, Any]:
        """Return a document; coefficients as text."""
        return {"terms": {name: str(c) for name, c in self.terms}, "identity": str(self.identity)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Combination:
        """Read a combination back."""
        return combination(
            {str(name): Fraction(c) for name, c in document["terms"].items()}, Fraction(document["identity"])
        )


def combination(terms: Mapping[str, Fraction | int], identity: Fraction | int = 0) -> Combination:
    """Return the combination with these coefficients; zeros are dropped."""
    kept = sorted((name, Fraction(c)) for name, c in terms.items() if c)
    return Combination(tuple(kept), Fraction(identity))


@dataclass(frozen=True)
class Product:
    """The matrix product ``left @ right`` of two identity-free combinations; a square when they are equal.

    Attributes:
        name: Its name in the stage.
        left: The left factor.
        right: The right factor.
        inner: The inner indices summed over, start and stop; None for all of them. A part of the sum is no square.
        how: ``polarised`` with entry squares shared, every term a ``difference`` of two squares, or ``usual``: every
            term polarised by itself, nothing shared.

    Raises:
        ValueError: If a factor holds the identity (multiples of it are linear and need no product) or is empty, or
            the inner range is, or there is no such way.
    """

    name: str
    left: Combination
    right: Combination
    inner: tuple[int, int] | None = None
    how: str = "polarised"

    def __post_init__(self) -> None:
        if self.how not in HOW:
            raise ValueError(f"{self.name}: no way {self.how!r} to multiply; choose from {', '.join(HOW)}")
        if self.inner is not None and not 0 <= self.inner[0] < self.inner[1]:
            raise ValueError(f"{self.name}: the inner range {self.inner} is empty")
        if self.left.identity or self.right.identity or not self.left.terms or not self.right.terms:
            raise ValueError(f"{self.name}: factors must be non-empty and free of the identity")

    @property
    def is_square(self) -> bool:
        """Whether both factors are the same combination, so that squarers are shared."""
        return self.left == self.right and self.inner is None and self.how == "polarised"

    def terms(self, n: int) -> int:
        """Return how many products an entry sums."""
        return n if self.inner is None else self.inner[1] - self.inner[0]


@dataclass(frozen=True)
class Stage:
    """Products in parallel, then the matrices that go on, each a combination of the live ones and the products.

    A stage without products is one layer that carries matrices: what reads them reads n^2 neurons each, not the last
    kinks of the squarers before.

    Attributes:
        products: What is multiplied.
        outputs: What goes on.
        claims: Bounds on outputs in the analysis norm that the route's theorem proves and absolute values alone do not
            see (a residual that shrinks by cancellation).

    Raises:
        ValueError: If names clash, nothing goes on, or a claim is about nothing.
    """

    products: tuple[Product, ...]
    outputs: tuple[tuple[str, Combination], ...]
    claims: tuple[tuple[str, Fraction], ...] = ()

    def __post_init__(self) -> None:
        produced = [product.name for product in self.products]
        made = [name for name, _ in self.outputs]
        if {name for name, _ in self.claims} - set(made):
            raise ValueError("a claim bounds an output of the stage")
        if not made or len(set(produced)) != len(produced) or len(set(made)) != len(made):
            raise ValueError("a stage has outputs, its products and outputs all with distinct names")

    @cached_property
    def product_names(self) -> frozenset[str]:
        """Names of the products."""
        return frozenset(product.name for product in self.products)

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """Product -> output for products that a single output uses; each output folds into at most one product."""
        folded: dict[str, str] = {}
        taken: set[str] = set()
        for product in self.products:
            users = [name for name, output in self.outputs if output[product.name]]
            if len(users) == 1 and users[0] not in taken:
                folded[product.name] = users[0]
                taken.add(users[0])
        return MappingProxyType(folded)

    @cached_property
    def carried(self) -> tuple[str, ...]:
        """The outputs whose linear part is not empty and not folded into a product."""
        folded = set(self.folded.values())
        return tuple(
            name for name, output in self.outputs if name not in folded and set(output.names) - self.product_names
        )

    @cached_property
    def live(self) -> tuple[str, ...]:
        """The incoming matrices this stage reads, sorted."""
        names: set[str] = set()
        for product in self.products:
            names.update(product.left.names, product.right.names)
        for _, output in self.outputs:
            names.update(set(output.names) - self.product_names)
        return tuple(sorted(names))


@dataclass(frozen=True)
class Source:
    """A matrix a program starts from: ``factor * left A + identity * I``, or the same of the transpose of A.

    Attributes:
        name: Its name in the program.
        factor: Multiple of the input (a short dyadic keeps the first layer exact).
        identity: Multiple of the identity added.
        transpose: Whether the input is transposed.
        range: Bound in the analysis norm on the domain; None for the domain's own radius.
        left: A constant matrix that multiplies A from the left; None for the identity.
        of: The input it reads, where there are several.
        block: Which block of it, row and column from 0, where the program multiplies blocks.

    Raises:
        ValueError: If a transposed source is to be multiplied as well.
    """

    name: str
    factor: Fraction = Fraction(1)
    identity: Fraction = Fraction(0)
    transpose: bool = False
    range: Fraction | None = None
    left: Rows | None = None
    of: str = "A"
    block: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.left is not None and self.transpose:
            raise ValueError("a source is transposed or multiplied from the left, not both")


_INPUT = (Source("A"),)


@dataclass(frozen=True)
class Program:
    """Stages in sequence from sources, affine in the input, to one output combination.

    Attributes:
        stages: What is computed.
        output: The result.
        sources: What it starts from.
        right: A constant matrix that multiplies the result from the right; None for the identity.
        further: More results, where matrices are computed block by block: blocks in order, ``output`` the first.
        law: A law of its own by which errors go through the stages (``theory.analysis.Law``), stated for these very
            stages: they are then neither chunked nor carried. None for forward errors.

    Raises:
        ValueError: If a stage reads a matrix that is not there.
    """

    stages: tuple[Stage, ...]
    output: Combination
    sources: tuple[Source, ...] = _INPUT
    right: Rows | None = None
    further: tuple[Combination, ...] = ()
    law: Any = None

    def __post_init__(self) -> None:
        have: set[str] = {source.name for source in self.sources}
        for stage in self.stages:
            missing = set(stage.live) - have
            if missing:
                raise ValueError(f"a stage reads {sorted(missing)}, which the one before does not give")
            have = {name for name, _ in stage.outputs}
        if any(set(result.names) - have for result in self.results):
            raise ValueError("the output reads a matrix that is not there")

    @property
    def results(self) -> tuple[Combination, ...]:
        """The blocks of the result, row by row; one where nothing is cut into blocks."""
        return (self.output, *self.further)

    @property
    def grid(self) -> int:
        """Blocks a side: the program multiplies matrices of 1/grid the size."""
        return isqrt(len(self.results))

    def chunked(self, n: int, chunk: int) -> Program:
        """Return the program with every product's inner sum taken ``chunk`` terms at a time, in sequence.

        A product of n terms becomes ceil(n / chunk) stages that carry the partial sum: narrower by n / chunk, and
        deeper by as much.
        """
        if chunk >= n or self.law is not None:
            return self
        stages = [part for stage in self.stages for part in _parts(stage, n, chunk)]
        return Program(tuple(stages), self.output, self.sources, self.right, self.further)

    def carried(self) -> Program:
        """Return the program with every stage's outputs carried by a layer of their own before the next stage.

        Merged, a row of the next stage reads the last kinks of n squarers for every entry it reads; carried, one
        neuron for every entry: a layer more, and n times as few non-zeros where stages are shallow and wide. Factors
        that combine several matrices are carried as one.
        """
        if self.law is not None:
            return self
        stages: list[Stage] = []
        current = self.stages[:1]
        for following in self.stages[1:]:
            stage, following = _with_factors(current[0], following)
            stages += [stage, Stage((), tuple((name, combination({name: 1})) for name in following.live))]
            current = (following,)
        return replace(self, stages=(*stages, *current))

    @property
    def products(self) -> int:
        """Number of matrix products."""
        return sum(len(stage.products) for stage in self.stages)


def _with_factors(stage: Stage, following: Stage) -> tuple[Stage, Stage]:
    """Return both stages, the first giving the factors of the second's products as single matrices."""
    made, products = dict(stage.outputs), []
    factors: dict[str, Combination] = {}
    for product in following.products:
        read = []
        for side, factor in (("L", product.left), ("R", product.right)):
            if len(factor.terms) == 1:
                read.append(factor)
                continue
            known = next((name for name, of in factors.items() if of == factor), f"{side}:{product.name}")
            factors[known] = factor
            read.append(combination({known: 1}))
        products.append(replace(product, left=read[0], right=read[1]))
    following = replace(following, products=tuple(products))
    for name, factor in factors.items():
        total = combination({})
        for v, c in factor.terms:
            total = total.plus(made[v].scaled(c))
        made[name] = total
    outputs = tuple((name, form) for name, form in made.items() if name in following.live)
    claims = tuple((name, claim) for name, claim in stage.claims if name in following.live)
    return replace(stage, outputs=outputs, claims=claims), following


def _parts(stage: Stage, n: int, chunk: int) -> list[Stage]:
    """Return the stages that compute a stage's products part by part."""
    if not stage.products:
        return [stage]
    ranges = [(start, min(start + chunk, n)) for start in range(0, n, chunk)]
    live = {name: combination({name: 1}) for name in stage.live}
    parts = []
    for place, inner in enumerate(ranges):
        products = tuple(Product(p.name, p.left, p.right, inner, p.how) for p in stage.products)
        # So far: the partial sum that came in (none at first) and this part's product.
        sums = {p.name: combination({p.name: 1, **({f"S:{p.name}": 1} if place else {})}) for p in stage.products}
        if place < len(ranges) - 1:
            outputs = (*live.items(), *((f"S:{name}", total) for name, total in sums.items()))
            parts.append(Stage(products, outputs))
            continue
        finals = []
        for name, output in stage.outputs:
            total = output
            for product, partial in sums.items():
                total = total.plus(partial.scaled(output[product])).plus(combination({product: -output[product]}))
            finals.append((name, total))
        parts.append(Stage(products, tuple(finals), stage.claims))
    return parts
