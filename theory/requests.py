"""From the options of a command line, or keyword arguments, to a problem: every function has its own kind of domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from theory.errors import BadInput
from theory.problem import Around, Ball, Box, CentredBall, Domain, KDelta, Norm, Problem, SignDomain
from theory.rationals import parse_count, parse_positive, parse_rational

__all__ = ["DOMAIN_OPTIONS", "NAMED_FUNCTIONS", "check_domain", "make_problem", "with_levels", "with_order"]

#: Functions with a name of their own; anything else is read as a formula in x.
NAMED_FUNCTIONS = ("expm", "inverse", "sign", "sqrt", "log", "sin", "cos", "product", "power", "polynomial")
#: Options that fix a domain, with what they say.
DOMAIN_OPTIONS = {
    "M": "box |a_ij| <= M (expm, sin, cos, product: default 1; powers and polynomials)",
    "radius": "ball ||A||_2 <= radius (expm, sin, cos, formulas), or ||A||_F <= radius (inverse)",
    "k": "power: the exponent",
    "coefficients": "polynomial: c0,c1,c2,..., from the constant on",
    "delta": "inverse: sigma_min >= delta; route neumann: ||I - A||_2 <= 1 - delta",
    "rho": "sign: ||I - A^2||_2 <= rho; sqrt, log: ||I - A||_2 <= rho (default 1/2)",
    "nu": "sign: ||A||_2 <= nu (default 3/2)",
    "center": "formulas: ball about center * I (default 0)",
    "around": "inverse: the centre A0 of a box, a .npy file or .json rows of rationals; --n follows from it",
    "half_width": "inverse: |A - A0| <= half-width in every entry",
}
_DEFAULT_NU, _DEFAULT_RHO = Fraction(3, 2), Fraction(1, 2)
_ALLOWED = {
    "expm": {"M", "radius"},
    "sin": {"M", "radius"},
    "cos": {"M", "radius"},
    "product": {"M"},
    "power": {"k", "M", "radius", "center"},
    "polynomial": {"coefficients", "M", "radius", "center"},
    "inverse": {"delta", "radius", "around", "half_width"},
    "sign": {"rho", "nu"},
    "sqrt": {"rho"},
    "log": {"rho"},
}


def make_problem(function: str, options: Mapping[str, Any], *, route: str | None = None) -> Problem:
    """Return the problem that a function and options (``n``, ``eps``, ``norm``, domain options) ask for.

    Raises:
        BadInput: If an option is missing, cannot be read, or does not belong to the function.
    """
    given = {name: options[name] for name in DOMAIN_OPTIONS if options.get(name) is not None}
    for name, value in given.items():
        if str(value).strip() == "":
            raise BadInput(f"{_option(name)} is empty: give a positive rational such as 1 or 1/3")
    odd = sorted(set(given) - _options_of(function))
    if odd:
        raise BadInput(f"{function} takes no {_option(odd[0])}; it takes {_taken(function)}")
    if "around" in given or "half_width" in given:
        return _around(options, given, route)
    for name in ("n", "eps"):
        if options.get(name) is None:
            raise BadInput(f"--{name} is required")
    function = _written_out(function, given)
    eps, n = parse_positive(options["eps"], "eps"), parse_count(options["n"], "n")
    norm: Norm = options.get("norm") or "fro"
    problem = Problem(function, n, _domain(function, given, route), eps, norm)
    return _relative(problem) if options.get("relative") else problem


def check_domain(problem: Problem) -> None:
    """Check that a problem's domain is of the kind its function is planned on, wherever the problem came from.

    A plan measures matrices from its function's own centre (0 for expm, the identity for log): on a ball about another
    its bound would be about other matrices.

    Raises:
        BadInput: If it is not.
    """
    unit_ball = isinstance(problem.domain, CentredBall) and problem.domain.centre == 1 and problem.domain.radius < 1
    fits = {
        "expm": isinstance(problem.domain, (Box, Ball)),
        "sin": isinstance(problem.domain, (Box, Ball)),
        "cos": isinstance(problem.domain, (Box, Ball)),
        "product": isinstance(problem.domain, Box),
        "inverse": isinstance(problem.domain, KDelta | Around) or unit_ball,
        "sign": isinstance(problem.domain, SignDomain),
        "sqrt": unit_ball,
        "log": unit_ball,
    }
    if problem.function not in fits and isinstance(problem.domain, Box):
        from theory.functions.polynomials import polynomial_of

        fits[problem.function] = polynomial_of(problem.function) is not None
    if not fits.get(problem.function, isinstance(problem.domain, CentredBall)):
        raise BadInput(f"{problem.function} is not planned on the domain {problem.domain.describe()}")


def _around(options: Mapping[str, Any], given: Mapping[str, Any], route: str | None) -> Problem:
    """Return the problem of the inverse around a centre.

    Raises:
        BadInput: If an option is missing or clashes, or the centre does not fit.
    """
    from theory.centres import centre_of
    from theory.functions.around import around_problem

    if set(given) != {"around", "half_width"}:
        other = sorted(set(given) - {"around", "half_width"})
        missing = sorted({"around", "half_width"} - set(given))
        raise BadInput(
            f"a box around a centre takes no {_option(other[0])}; give --around and --half-width alone"
            if other
            else f"a box around a centre needs {_option(missing[0])} too: {DOMAIN_OPTIONS[missing[0]]}"
        )
    if options.get("relative"):
        raise BadInput("a relative error is offered for expm alone, not around a matrix")
    half_width = parse_positive(given["half_width"], "--half-width")
    centre = centre_of(given["around"])
    if options.get("n") is not None and parse_count(options["n"], "n") != len(centre):
        raise BadInput(f"n = {options['n']}, but the centre is {len(centre)} x {len(centre)}; leave out --n")
    eps = None if options.get("eps") is None else parse_positive(options["eps"], "eps")
    return around_problem(centre, half_width, options.get("norm") or "fro", eps, route)


def with_order(route: str | None, order: str | None, around: str | None) -> str | None:
    """Return the route of a request: ``--order k`` names one.

    Raises:
        BadInput: If the order is not a count, or has nothing to do with the request.
    """
    if order is None:
        return route
    if around is None:
        raise BadInput("--order belongs to --around: the order of the Neumann series around A0")
    from theory.functions.around import FORMS, order_of, order_route

    named = order_route(order)
    if route in FORMS and order_of(named) == 1:
        return route
    if route not in (None, "neumann"):
        raise BadInput(f"route {route} is not of order {order}; leave out --route or --order")
    return named


def _options_of(function: str) -> set[str]:
    """Return the options that fix a function's domain: boxes serve polynomials, beside the formulas' balls."""
    if function in _ALLOWED:
        return _ALLOWED[function]
    from theory.functions.polynomials import polynomial_of

    return {"radius", "center"} if polynomial_of(function) is None else {"M", "radius", "center"}


def _written_out(function: str, given: Mapping[str, Any]) -> str:
    """Return ``power`` and ``polynomial`` as the formulas they stand for, other functions as they are.

    Raises:
        BadInput: If the exponent or the coefficients are missing or cannot be read.
    """
    wanted = {"power": "k", "polynomial": "coefficients"}.get(function)
    if wanted is None:
        return function
    if wanted not in given:
        raise BadInput(f"{function} needs --{wanted}: {DOMAIN_OPTIONS[wanted]}")
    from theory.functions.polynomials import formula_of, power_formula

    return power_formula(given["k"]) if wanted == "k" else formula_of(given["coefficients"])


def with_levels(route: str | None, levels: str | None) -> str | None:
    """Return the route of a request: ``--levels s`` says how often Strassen's product halves its matrices.

    Raises:
        BadInput: If the levels are no count, or the route is another.
    """
    if levels is None:
        return route
    if route != "strassen":
        raise BadInput("--levels belongs to --route strassen")
    return f"strassen-{parse_count(levels, 'levels')}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _relative(problem: Problem) -> Problem:
    """Return the problem with eps times e^theta, the supremum of ||e^A|| on the domain, rounded down.

    Raises:
        BadInput: If the function is not the exponential.
    """
    if problem.function != "expm":
        raise BadInput(f"a relative error is offered for expm alone, not for {problem.function}")
    from flint import ctx

    from theory.evaluate import as_ball, lower
    from theory.norm_model import NormModel

    with ctx.workprec(128):
        theta = NormModel(problem.n, problem.domain).theta
        return replace(problem, eps=lower(as_ball(problem.eps) * theta.exp(), 53))


def _taken(function: str) -> str:
    return ", ".join(_option(name) for name in sorted(_options_of(function)))


def _domain(function: str, given: Mapping[str, Any], route: str | None) -> Domain:
    def value(name: str, default: Fraction | None = None) -> Fraction:
        if name not in given and default is None:
            raise BadInput(f"{function} needs --{name}: {DOMAIN_OPTIONS[name]}")
        return parse_positive(given.get(name, default), name)

    if function in ("expm", "sin", "cos", "product"):
        if "M" in given and "radius" in given:
            raise BadInput("give --M (a box) or --radius (a ball), not both")
        return Ball(value("radius")) if "radius" in given else Box(value("M", Fraction(1)))
    if function == "inverse":
        delta = value("delta")
        if route == "neumann":
            if delta >= 1:
                raise BadInput(f"route neumann needs delta below 1, not {delta}")
            return CentredBall(Fraction(1), 1 - delta)
        return KDelta(delta, value("radius"))
    if function == "sign":
        return SignDomain(value("rho", _DEFAULT_RHO), value("nu", _DEFAULT_NU))
    if function in ("sqrt", "log"):
        rho = value("rho", _DEFAULT_RHO)
        if rho >= 1:
            raise BadInput(f"rho must be below 1, not {rho}: {function} has a branch point at 0")
        return CentredBall(Fraction(1), rho)
    if "M" in given:
        if "radius" in given or "center" in given:
            raise BadInput("give --M (a box about 0) or --radius (a ball), not both")
        return Box(value("M"))
    if "radius" not in given and "M" in _options_of(function):
        raise BadInput(f"{function} needs --M (a box |a_ij| <= M) or --radius (a ball ||A - center I||_2 <= radius)")
    return CentredBall(parse_rational(given.get("center", 0), "center"), value("radius"))
