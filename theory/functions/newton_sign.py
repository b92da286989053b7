"""The sign by the iteration of Newton and Schulz, on the residual beside the iterate, and a short series at the end.

From X_0 = A, E_0 = I - A^2 a step multiplies by h, the series of (1 - z)^(-1/2) cut to ``order`` terms,

    X_{k+1} = X_k h(E_k),    E_{k+1} = I - (I - E_k) h(E_k)^2,

which leaves X_k (I - E_k)^(-1/2) = sign A as it is, for any X_k and any E_k of norm below 1, computed or not: nothing
has to commute with A (theorem sign.newton-schulz). All coefficients are positive, so that forward errors through the
program grow no faster than that law says. E is squared (order 2) or cubed (3) a step; once it is small the series that
route ``series`` starts with takes few terms.

Computing E from X at every step would be a product less, but X is as large as ||sign A|| may be, nu / sqrt(1 - rho),
and the square of that stands in its products' errors; E is below 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from theory.errors import OutOfReach
from theory.evaluate import as_ball, upper
from theory.functions.candidates import series_degrees, tolerance
from theory.functions.series import SERIES
from theory.norm_model import NormModel
from theory.plan import Candidate
from theory.polynomials import best_programs, carrying, on_base
from theory.problem import Problem, SignDomain
from theory.program import Combination, Product, Program, Stage, combination

__all__ = ["FORMS", "ORDERS", "Step", "newton_sign_candidates"]

#: Terms of h.
ORDERS = (2, 3)
#: X is updated by a stage of its own, or beside the last product of E: a stage less, and wider.
FORMS = ("alone", "beside")
#: Beyond a residual so small, or a degree so high, another step or one more is the better choice.
_SMALL = Fraction(1, 10**4)
_HIGHEST = 40
_MOST_STEPS = 100
#: Candidates have so many products beyond the fewest, at most: more have not been better.
_BEYOND = 1
#: Least 1 - rho: an error of E counts (1 - rho)^(-3/2) times, and frozen weights make one of some 1e-16.
_LEAST_GAP = Fraction(1, 2**36)
_ONE = Fraction(1)
_X, _E, _F, _P = (combination({name: 1}) for name in "XEFP")


@dataclass(frozen=True)
class Step:
    """A step of the iteration.

    Attributes:
        order: 2 or 3, the terms of h.
    """

    order: int

    @property
    def factor(self) -> tuple[Fraction, ...]:
        """The coefficients of h, from the constant on."""
        series = SERIES["inverse-sqrt"]
        return tuple(series.coefficient(k) for k in range(self.order))

    @property
    def residual(self) -> tuple[Fraction, ...]:
        """The coefficients of E_{k+1} in E_k, from the constant on: those of 1 - (1 - e) h(e)^2."""
        square = _times(self.factor, self.factor)
        return tuple(Fraction(k == 0) - c for k, c in enumerate(_times((Fraction(1), Fraction(-1)), square)))

    def grown(self, rho: Fraction) -> Fraction:
        """Return h(rho), what ||X|| grows by at most, rounded up to 64 bits."""
        return upper(sum((c * rho**k for k, c in enumerate(self.factor)), Fraction(0)), 64)

    def after(self, rho: Fraction) -> Fraction:
        """Return the bound on ||E_{k+1}|| from one on ||E_k||, rounded up to 64 bits."""
        return upper(sum((c * rho**k for k, c in enumerate(self.residual)), Fraction(0)), 64)

    def stages(self, form: str, rho: Fraction, size: Fraction) -> tuple[Stage, ...]:
        """Return the stages of a step from E and X to E and X, one product each but for form ``beside``.

        Args:
            form: ``alone`` or ``beside``.
            rho: Bound on ||E_k||_2; what it says of later matrices is claimed, for sums taken in parts hide it.
            size: Bound on ||X_{k+1}||_2.
        """
        h, r = self.factor, self.residual
        update: dict[str, Fraction]
        last: dict[str, Fraction]
        result: dict[str, Fraction]
        if self.order == 2:
            update, last, result = {"E": h[1]}, {"E": r[3]}, {"F": r[2], "P": _ONE}
        else:
            update, last, result = {"E": h[1], "F": h[2]}, {"F": r[4], "G": r[5]}, {"G": r[3], "P": _ONE}
        bounds = {"F": rho**2, "G": rho**3}
        square = _stage((Product("P", _E, _E),), {"E": _E, "F": _P, "X": _X}, bounds)
        # What nothing reads further on is not carried: it would take width from the squarers.
        read = {"E": _E} if form == "beside" else {}
        cube = _stage((Product("P", _F, _E),), {**read, "F": _F, "G": _P, "X": _X}, bounds)
        powers = (square, cube) if self.order == 3 else (square,)
        bounds = {"E": self.after(rho), "X": size}
        residual, new, factor = Product("P", _F, combination(last)), combination(result), combination(update)
        if form == "beside":
            both = (residual, Product("V", _X, factor))
            return *powers, _stage(both, {"E": new, "X": combination({"V": 1, "X": 1})}, bounds)
        updated = combination({"P": 1, "X": 1})
        own = _stage((Product("P", _X, factor),), {"E": _E, "F": _F, "X": updated}, {"X": size})
        return square, own, *powers[1:], _stage((residual,), {"E": new, "X": _X}, bounds)


def _stage(products: tuple[Product, ...], outputs: Mapping[str, Combination], bounds: Mapping[str, Fraction]) -> Stage:
    """Return a stage that claims the bounds of those of its outputs that have one."""
    return Stage(products, tuple(outputs.items()), tuple((name, bounds[name]) for name in outputs if name in bounds))


def _times(left: tuple[Fraction, ...], right: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Return the coefficients of a product of polynomials."""
    total = [Fraction(0)] * (len(left) + len(right) - 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            total[i + j] += a * b
    return tuple(total)


def newton_sign_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield numbers of steps with the shortest series that end them, for both orders and forms: those of few products.

    Raises:
        OutOfReach: If the residual starts so near 1 that weights rounded to float64 say nothing about it.
    """
    assert isinstance(problem.domain, SignDomain)
    if 1 - problem.domain.rho < _LEAST_GAP:
        raise OutOfReach(
            f"rho is within {float(1 - problem.domain.rho):.2e} of 1, which weights in float64 do not resolve; ask for "
            "a smaller rho"
        )
    found = [each for order in ORDERS for form in FORMS for each in _iterations(problem, Step(order), form)]
    least = min((candidate.program.products for candidate in found), default=0)
    yield from (candidate for candidate in found if candidate.program.products <= least + _BEYOND)


def _iterations(problem: Problem, step: Step, form: str) -> Iterator[Candidate]:
    assert isinstance(problem.domain, SignDomain)
    model, domain, series = NormModel(problem.n, problem.domain), problem.domain, SERIES["inverse-sqrt"]
    A, rho, size = combination({"A": 1}), domain.rho, domain.nu
    first = Stage((Product("P", A, A),), (("E", combination({"P": -1}, 1)), ("X", A)), (("E", rho),))
    stages: tuple[Stage, ...] = (first,)
    for steps in range(1, _MOST_STEPS):
        size = upper(size * step.grown(rho), 64)
        stages, rho = (*stages, *step.stages(form, rho, size)), step.after(rho)
        whole = as_ball(size) * model.truncation_factor
        target = tolerance(problem, model) / whole
        if not series.tail(as_ball(rho), _HIGHEST) < target:
            continue
        for degree, tail in series_degrees(series, as_ball(rho), target):
            for place, end in enumerate(best_programs(series.coefficients(degree))):
                inner = carrying(on_base(end, "E"), "X")
                last = Stage((Product("P", _X, inner.result),), (("X", combination({"P": 1, "X": 1})),))
                yield Candidate(
                    "newton-schulz",
                    "sign.newton-schulz",
                    (("order", step.order), ("form", form), ("steps", steps), ("degree", degree), ("variant", place)),
                    Program((*stages, *inner.stages, last), _X),
                    arb((tail * whole).upper()),
                )
        if rho < _SMALL:
            return
