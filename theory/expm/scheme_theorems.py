"""The schemes that evaluate a Taylor polynomial: Horner, Paterson-Stockmeyer, three products for degree 8."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from theory.expm.formulas import TAIL, UNIFORM
from theory.polynomials import ROOT, coefficients_of, horner, paterson_stockmeyer
from theory.steps import Exhaustive, Identity, Induction, Smt, eq, le, lt
from theory.symbols import MATRICES, j, k, m, q, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["DEGREE_EIGHT", "HORNER", "PATERSON_STOCKMEYER", "SCHEME"]

_A, _H = MATRICES[:2]
_THETA = "theta = nM on the box |a_ij| <= M, theta = R on the ball ||A||_2 <= R"


def _schemes_agree() -> bool:
    """Every degree up to 10, every block, scalings 0 and 2: the listed program computes the polynomial."""
    for degree in range(1, 11):
        coefficients = [Fraction(1 + 2 * k, 3 + k * k) for k in range(1, degree + 1)]
        for scalings in (0, 2):
            programs = [horner(coefficients, scalings)]
            programs += [paterson_stockmeyer(coefficients, scalings, block) for block in range(1, degree + 1)]
            for program in programs:
                found = coefficients_of(program, scalings)
                if found[1:] != coefficients or found[0]:
                    return False
    return True


def _products_counted() -> bool:
    """Every degree up to 24, every block below it: (b - 1) + (ceil(q/b) - 1) products."""
    return all(
        len(paterson_stockmeyer([Fraction(1)] * degree, 0, block).stages) == block - 1 + -(-degree // block) - 1
        for degree in range(3, 25)
        for block in range(1, degree)
    )


HORNER = Theorem(
    id="expm.horner",
    title="e^A by Horner's rule",
    statement=(
        "H_q = c_q A, H_k = c_k A + A H_{k+1} gives H_1 = sum_{k=1}^q c_k A^k in q - 1 products, the first of them a "
        "square. With c_k = 1/k!, output I + H_1 and all squarers of N pieces the network misses e^A by at most the "
        "tail and eta theta e^((1 + eta) theta). Keeping u_k H_k, u_k a power of two, changes nothing."
    ),
    hypotheses=("theta < q + 2", "those of expm.propagation, uniform form"),
    bound=Bound(TAIL + UNIFORM, Kind.UPPER, "fro", _THETA),
    steps=(
        Induction(
            "horner",
            "A^(k-1) H_k = sum_{i=k}^q c_i A^i: A^(k-1) H_k - A^k H_{k+1} = c_k A^k, for every q",
            Identity("base", "H_q = c_q A", sp.expand(_A ** (q - 1) * (z * _A)), z * _A**q),
            Identity(
                "step",
                "k + 1 -> k",
                sp.expand(_A ** (k - 1) * (z * _A + _A * _H)),
                z * _A**k + _A**k * _H,
            ),
        ),
        Identity(
            "scaled",
            "u H_k = u c_k A + (u/v) A (v H_{k+1})",
            sp.expand(u * (z * _A + _A * _H)),
            sp.expand(u * z * _A + (u / v) * _A * (v * _H)),
        ),
        Smt("growth", "G' = 1 + x + ... + x^(q-1)/(q-1)! is less than e^x by its tail y", (le(0, y),), le(x, x + y)),
        Smt("sum", "truncation and products add", (le(x, u), le(y, v)), le(x + y, u + v)),
        Exhaustive(
            "programs", "the listed programs compute these polynomials: degrees to 10, every block", _schemes_agree
        ),
    ),
    source="derived here",
    uses=("expm.truncation", "expm.propagation"),
    formulas={"products": q - 1},
)

PATERSON_STOCKMEYER = Theorem(
    id="expm.paterson-stockmeyer",
    title="a polynomial of degree q in about 2 sqrt(q) products",
    statement=(
        "With powers A, ..., A^b and H_j = (c_{jb+1} A + ... + c_{jb+b} A^b) + A^b H_{j+1} over the ceil(q/b) blocks, "
        "H_0 = sum_{k=1}^q c_k A^k takes (b - 1) + (ceil(q/b) - 1) products, even powers as squares."
    ),
    hypotheses=("1 <= b < q",),
    bound=Bound(m + sp.ceiling(q / m) - 2, Kind.TIGHT, "products", "degree q, block b = m"),
    steps=(
        Induction(
            "blocks",
            "A^(jb) H_j = the terms from block j on: A^(jb) H_j - A^((j+1)b) H_{j+1} is block j, for all q and b",
            Identity("base", "the last block alone", sp.expand(_A ** (j * m) * _H), _A ** (j * m) * _H),
            Identity(
                "step",
                "j + 1 -> j, the block X = sum c_{jb+i} A^i",
                sp.expand(_A ** (j * m) * (MATRICES[2] + _A**m * _H)),
                _A ** (j * m) * MATRICES[2] + _A ** ((j + 1) * m) * _H,
            ),
        ),
        Identity("block", "A^(jb) A^i = A^(jb+i)", _A ** (j * m) * _A**k, _A ** (j * m + k)),
        Exhaustive("count", "degrees to 24, every block below the degree", _products_counted),
    ),
    source="Paterson, Stockmeyer, SIAM J. Comput. 2 (1973) 60-66",
    uses=("expm.horner",),
)

_X3 = sp.Rational(2, 3)
_R = sp.sqrt(177)
#: The three-product scheme for T_8, Bader, Blanes, Casas, section 3; r = sqrt(177).
SCHEME: dict[str, sp.Expr] = {
    "x1": _X3 * (1 + _R) / 88,
    "x2": _X3 * (1 + _R) / 352,
    "x3": _X3,
    "x4": (29 * _R - 271) / (315 * _X3),
    "x5": 11 * (_R - 1) / (1260 * _X3),
    "x6": 11 * (_R - 9) / (5040 * _X3),
    "x7": (89 - _R) / (5040 * _X3**2),
    "y2": (857 - 58 * _R) / 630,
}


def _scheme_polynomial() -> sp.Expr:
    c = SCHEME
    fourth = x**2 * (c["x1"] * x + c["x2"] * x**2)
    eighth = (c["x3"] * x**2 + fourth) * (c["x4"] + c["x5"] * x + c["x6"] * x**2 + c["x7"] * fourth)
    return 1 + x + c["y2"] * x**2 + eighth


def _root_enclosed() -> bool:
    return ROOT**2 <= 177 < (ROOT + Fraction(1, 2**80)) ** 2


def _positive(name: str, low: sp.Expr) -> Smt:
    return Smt(name, f"{low} > 0 at r = sqrt(177)", (eq(x**2, 177), lt(0, x)), lt(0, low))


DEGREE_EIGHT = Theorem(
    id="expm.degree-8",
    title="the Taylor polynomial of degree 8 in three products",
    statement=(
        "A_2 = X^2, A_4 = A_2 (x1 X + x2 A_2), A_8 = (x3 A_2 + A_4)(x4 I + x5 X + x6 A_2 + x7 A_4), and T_8 = I + X + "
        "y2 A_2 + A_8 exactly, with r = sqrt(177) and coefficients that are all positive, so that T_8 is its own "
        "majorant. The multiple x4 I of a factor is linear and needs no product. Built with r rounded down to 80 bits "
        "behind the point; what that changes is part of the truncation (theorem expm.scaling-squaring)."
    ),
    hypotheses=("exact real arithmetic",),
    bound=Bound(sp.Integer(3), Kind.UPPER, "products", "degree 8"),
    steps=(
        *(
            Identity(
                f"coefficient-{degree}",
                f"of x^{degree} is 1/{degree}!",
                sp.expand(_scheme_polynomial()).coeff(x, degree),
                1 / sp.factorial(degree),
            )
            for degree in range(9)
        ),
        Identity("degree", "nothing beyond", sp.degree(sp.expand(_scheme_polynomial()), x), sp.Integer(8)),
        _positive("positive-x4", 29 * x - 271),
        _positive("positive-x6", x - 9),
        _positive("positive-x7", 89 - x),
        _positive("positive-y2", 857 - 58 * x),
        Identity(
            "commuting",
            "left (x4 I + X) = x4 left + left X: the identity's share is linear",
            sp.expand(_A * (u + _H)),
            u * _A + _A * _H,
        ),
        Exhaustive("root", "the rational stand-in is at most 2^-80 below sqrt(177)", _root_enclosed),
    ),
    source="Bader, Blanes, Casas, Mathematics 7 (2019) 1174, section 3",
    formulas=SCHEME,
)
