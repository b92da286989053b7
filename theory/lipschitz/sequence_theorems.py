"""Layer norm, softmax, attention, recurrent cells and the transformer layer as theorems."""

from __future__ import annotations

import sympy as sp

from theory.lipschitz.common_steps import CAUCHY
from theory.steps import Identity, Induction, Smt, le
from theory.symbols import (
    A_BLOCKS,
    B_BLOCKS,
    N,
    P,
    Pf,
    Pg,
    Ph,
    a,
    b,
    beta,
    delta,
    eps,
    eta,
    gap,
    lam,
    n,
    rho,
    t,
    tau,
    u,
    v,
    w,
    x,
    xi,
    y,
    z,
    zeta,
)
from theory.theorem import Bound, Kind, Theorem

__all__ = ["ATTENTION", "LAYER_NORM", "LSTM", "RNN", "SOFTMAX", "TRANSFORMER"]

_HERE = "derived here"

LAYER_NORM = Theorem(
    id="lipschitz.layer-norm",
    title="layer norm",
    statement=(
        "g(x) = gamma (x - mean)/sqrt(var + eps) + beta on n entries, |gamma| <= lambda: g is "
        "lambda/sqrt(eps)-Lipschitz "
        "and ||g(x)|| <= lambda sqrt(n) + ||beta||; at m positions the bound is multiplied by sqrt(m)."
    ),
    hypotheses=("eps > 0: with eps = 0 the layer jumps at constant vectors",),
    bound=Bound(lam / sp.sqrt(eps), Kind.UPPER, "fro", "all x, y"),
    steps=(
        Smt("centre", "centring shortens: sum (h - m)^2 = sum h^2 - n m^2", (le(0, x), le(y, x - n * z**2)), le(y, x)),
        Identity(
            "derivative",
            "with t the step along h: d/dt (p + t h)(rho + 2 a t + t^2 b)^(-1/2) at t = 0 is h/rho^(1/2) - p "
            "a/rho^(3/2)",
            sp.diff((x + t * y) / sp.sqrt(rho + 2 * a * t + b * t**2), t).subs(t, 0),
            y / sp.sqrt(rho) - x * a / rho ** sp.Rational(3, 2),
        ),
        Identity(
            "square",
            "its square is (h^2 - 2 h p a/rho + p^2 a^2/rho^2)/rho; summed over entries with sum h p = n a, "
            "sum p^2 = z",
            (y / sp.sqrt(rho) - x * a / rho ** sp.Rational(3, 2)) ** 2,
            (y**2 - 2 * x * y * a / rho + x**2 * a**2 / rho**2) / rho,
        ),
        Smt(
            "contracts",
            "z = n var <= n rho, rho = var + eps: the sum is at most (sum h^2)/rho (H = y, multiplied by rho^2)",
            (le(0, y), le(0, z), le(z, n * rho), le(0, u)),
            le(y * rho**2 - 2 * n * u * rho + z * u, y * rho**2),
        ),
        Smt("floor", "and rho >= eps", (le(0, y), le(0, u), le(u * rho, y), le(eps, rho)), le(u * eps, y)),
        Smt("bounded", "n var/(var + eps) <= n", (le(0, v), le(x * (v + eps), n * v), le(0, x)), le(x, n)),
    ),
    source=_HERE,
    uses=("lipschitz.jacobian",),
)

SOFTMAX = Theorem(
    id="lipschitz.softmax",
    title="softmax",
    statement=(
        "Softmax is 1/2-Lipschitz in the Euclidean norm, ||p|| <= 1, and p = 1/n at 0; the constant is attained."
    ),
    hypotheses=("n >= 2 entries",),
    bound=Bound(sp.Rational(1, 2), Kind.TIGHT, "2", "all x, y"),
    steps=(
        Identity(
            "diagonal",
            "dp_i/dx_i = p_i (1 - p_i) (z the other exponentials)",
            sp.diff(sp.exp(x) / (sp.exp(x) + tau), x),
            sp.exp(x) / (sp.exp(x) + tau) * (1 - sp.exp(x) / (sp.exp(x) + tau)),
        ),
        Identity(
            "off-diagonal",
            "dp_j/dx_i = -p_i p_j (u the numerator of p_j)",
            sp.diff(u / (sp.exp(x) + tau), x),
            -sp.exp(x) / (sp.exp(x) + tau) * u / (sp.exp(x) + tau),
        ),
        Smt(
            "variance",
            "h^T J h is the variance of h under p: with mean u, second moment x, a <= h <= b (mean of (h-a)(b-h) >= 0)",
            (le(0, -x + (a + b) * u - a * b),),
            le(4 * (x - u**2), (b - a) ** 2),
        ),
        Smt(
            "range", "(b - a)^2 <= 2 (a^2 + b^2) <= 2 ||h||^2", (le(a**2 + b**2, gap**2),), le((b - a) ** 2, 2 * gap**2)
        ),
        Smt(
            "norm", "a symmetric J with 0 <= h^T J h <= ||h||^2/2", (le(4 * x, y), le(y, 2 * gap**2)), le(2 * x, gap**2)
        ),
        Identity(
            "attained",
            "n = 2, p = (1/2, 1/2), h = (1, -1): h^T J h = ||h||^2/2",
            2 * sp.Rational(1, 4) - 2 * (-sp.Rational(1, 4)),
            sp.Rational(2, 2),
        ),
        Smt("size", "0 <= p_i <= 1 and sum p_i = 1 give sum p_i^2 <= 1", (le(0, x), le(x, 1)), le(x**2, x)),
    ),
    source=_HERE,
    uses=("lipschitz.jacobian",),
)

_S1, _S2, _, _ = A_BLOCKS
_V1, _V2, _, _ = B_BLOCKS

ATTENTION = Theorem(
    id="lipschitz.attention",
    title="dot-product attention, any number of heads",
    statement=(
        "softmax(Q K^T/sqrt(d)) V on sequences of length T, Q, K, V certified with c = 1 and growths G: certified by "
        "sqrt(T) P_V + G_V(t) (G_Q(s) P_K + G_K(t) P_Q)/(2 sqrt(d)), and it grows at most like sqrt(T) G_V. Masks "
        "change nothing. On the whole space there is no Lipschitz constant; this modulus is quadratic."
    ),
    hypotheses=("a fixed length T", "Q, K, V certified with c = 1"),
    bound=Bound(
        sp.sqrt(n) * Ph + zeta * (xi * Pg + zeta * Pf) / (2 * sp.sqrt(rho)),
        Kind.UPPER,
        "fro",
        "n = T, rho = d, G(s) = s for Q, K, V; P_f, P_g, P_h their moduli",
    ),
    steps=(
        Identity(
            "product-rule",
            "S V - S' V' = S (V - V') + (S - S') V'",
            _S1 * _V1 - _S2 * _V2,
            _S1 * (_V1 - _V2) + (_S1 - _S2) * _V2,
        ),
        Smt(
            "rows",
            "each row of S is a probability vector, so ||S||_2^2 <= ||S||_F^2 <= T, one row more",
            (le(0, x), le(x, n), le(0, y), le(y, 1)),
            le(x + y, n + 1),
        ),
        CAUCHY,
        Smt(
            "heads",
            "heads side by side: sum_h ||Q_h||^2 ||K_h||^2 <= (sum ||Q_h||^2)(sum ||K_h||^2), one head more",
            (le(0, x), le(0, y), le(z, x * y)),
            le(z + u**2 * v**2, (x + u**2) * (y + v**2)),
        ),
        Smt(
            "scores",
            "the scores move by at most (G_Q P_K + G_K P_Q) d beta, beta = 1/sqrt(width); softmax halves it",
            (le(x, beta * (xi * Pg + zeta * Pf) * gap), le(2 * y, x)),
            le(2 * y, beta * (xi * Pg + zeta * Pf) * gap),
        ),
        Smt(
            "together",
            "u = ||S||_2 <= sqrt(T) = lambda, y = ||S - S'||_F, eta = ||V'||",
            (le(0, y), le(0, u), le(u, lam), le(z, u * Ph * gap + y * eta), le(y, w * gap)),
            le(z, (lam * Ph + w * eta) * gap),
        ),
        Smt(
            "growth",
            "||S V||_F <= ||S||_2 ||V||_F",
            (le(0, u), le(u, lam), le(0, v), le(x, u * v), le(v, eta)),
            le(x, lam * eta),
        ),
    ),
    source="derived here; that attention has no Lipschitz constant: Kim, Papamakarios and Mnih, arXiv 2006.04710",
    uses=("lipschitz.product", "lipschitz.softmax", "lipschitz.affine"),
)

RNN = Theorem(
    id="lipschitz.rnn",
    title="recurrent cells over a fixed length",
    statement=(
        "h_t = sigma(W x_t + U h_(t-1) + b), h_0 = 0, t = 1..T, sigma 1-Lipschitz with sigma(0) = 0: x -> "
        "(h_1..h_T) is "
        "Lipschitz with constant ||W|| sum_(k<T) ||U||^k. With sigma = tanh its norm is below sqrt(T width)."
    ),
    hypotheses=("a fixed length T",),
    bound=Bound(a * (lam**N - 1) / (lam - 1), Kind.UPPER, "fro", "a = ||W||, lambda = ||U|| != 1, N = T"),
    steps=(
        Smt(
            "cell",
            "||dh_t|| <= ||W|| ||dx_t|| + ||U|| ||dh_(t-1)||",
            (le(x, y + z), le(y, a * u), le(z, lam * v)),
            le(x, a * u + lam * v),
        ),
        Induction(
            "unrolled",
            "||dh_t|| <= ||W|| sum_k ||U||^k ||dx_(t-k)|| (y the sum so far)",
            Smt("base", "h_0 = 0", (le(x, a * u + lam * 0),), le(x, a * u)),
            Smt("step", "one cell more", (le(v, a * y), le(x, a * u + lam * v)), le(x, a * (u + lam * y))),
        ),
        Smt(
            "shift",
            "the sequence shifted by k, squared and summed, is part of the sum of squares",
            (le(0, x), le(0, y), le(z, x)),
            le(z, x + y),
        ),
        Induction(
            "geometric",
            "sum_(k<T) lambda^k = (lambda^T - 1)/(lambda - 1)",
            Identity("base", "T = 1", (lam - 1) / (lam - 1), sp.Integer(1)),
            Identity("step", "one more", (lam**P - 1) / (lam - 1) + lam**P, (lam ** (P + 1) - 1) / (lam - 1)),
        ),
    ),
    source=_HERE,
    uses=("lipschitz.affine", "lipschitz.tanh", "lipschitz.relu"),
)

LSTM = Theorem(
    id="lipschitz.lstm",
    title="LSTM cells over a fixed length",
    statement=(
        "c_t = f c_(t-1) + i g, h_t = o tanh(c_t), gates sigma(z), g = tanh(z_g), z affine in (x_t, h_(t-1)), zero "
        "initial states: |h_t| < 1, |c_t| <= t, ||dc_t|| <= ||dc_(t-1)|| + (t-1)||dz_f||/4 + ||dz_i||/4 + "
        "||dz_g|| and "
        "||dh_t|| <= ||dc_t|| + ||dz_o||/4. Over a fixed length the LSTM is therefore Lipschitz, with the constant "
        "that this recursion gives."
    ),
    hypotheses=("a fixed length T", "sigma 1/4-Lipschitz in (0, 1), tanh 1-Lipschitz in (-1, 1)"),
    bound=Bound(
        x + t * u / 4 + v / 4 + w, Kind.UPPER, "2", "||dc|| from x = ||dc||, t = |c|, ||dz_f||, ||dz_i||, ||dz_g||"
    ),
    steps=(
        Induction(
            "cell-size",
            "|c_t| <= t",
            Smt("base", "c_0 = 0", (), le(x - x, 0)),
            Smt(
                "step",
                "|f c + i g| <= |c| + 1",
                (le(0, x), le(x, t), le(0, u), le(u, 1), le(0, v), le(v, 1), le(y, u * x + v)),
                le(y, t + 1),
            ),
        ),
        Identity("forget", "f c - f' c' = f (c - c') + (f - f') c'", u * x - v * y, u * (x - y) + (u - v) * y),
        Smt(
            "cell",
            "with |f|, |i|, |g| <= 1 and |c'| <= t (a = |dc|, b = |df|, z = |di|, w = |dg|)",
            (
                le(0, a),
                le(0, b),
                le(0, z),
                le(0, w),
                le(0, u),
                le(u, 1),
                le(0, x),
                le(x, t),
                le(0, v),
                le(v, 1),
                le(y, u * a + b * x + z * v + v * w),
            ),
            le(y, a + t * b + z + w),
        ),
        Smt(
            "output",
            "|o tanh c - o' tanh c'| <= |o| |dc| + |do|",
            (le(0, a), le(0, b), le(0, u), le(u, 1), le(0, v), le(v, 1), le(y, u * a + b * v)),
            le(y, a + b),
        ),
        Smt(
            "matrix",
            "||dh_t|| <= sum_j A_tj ||dx_j||: the norm of A bounds the whole (lipschitz.affine's row and column sums)",
            (le(0, u), le(0, v), le(0, z), le(z, u * x), le(x, v * gap**2)),
            le(z, u * v * gap**2),
        ),
    ),
    source=_HERE,
    uses=("lipschitz.sigmoid", "lipschitz.tanh", "lipschitz.affine"),
)

TRANSFORMER = Theorem(
    id="lipschitz.transformer-layer",
    title="the transformer layer",
    statement=(
        "Two blocks f (attention, then two dense layers with an activation between), each beside a residual "
        "path, with "
        "layer norm n before it (x + f(n(x))) or after it (n(x + f(x))): certified with P = 1 + P_f P_n, or "
        "P_n (1 + P_f), blocks composed. Since ||n|| is bounded, the first form is Lipschitz on the whole space, for "
        "any number of layers; in the second every layer but the first adds constant factors only."
    ),
    hypotheses=("a fixed length", "eps > 0 in the layer norms", "no dropout"),
    bound=Bound(1 + Pf * Pg, Kind.UPPER, "fro", "norm first; P_f at the norm's bound, P_g the norm's constant"),
    steps=(
        Smt("first", "x + f(n(x))", (le(z, gap + y), le(y, Pf * u), le(u, Pg * gap)), le(z, (1 + Pf * Pg) * gap)),
        Smt("after", "n(x + f(x))", (le(z, Pg * u), le(u, gap + y), le(y, Pf * gap)), le(z, Pg * (1 + Pf) * gap)),
        Smt(
            "bounded",
            "P_f at points of norm at most delta is a number: a term lambda u v, u, v <= delta",
            (le(0, u), le(0, v), le(u, delta), le(v, delta)),
            le(lam * u * v, lam * delta**2),
        ),
    ),
    source=_HERE,
    uses=(
        "lipschitz.composition",
        "lipschitz.sum",
        "lipschitz.attention",
        "lipschitz.layer-norm",
        "lipschitz.affine",
        "lipschitz.relu",
        "lipschitz.gelu",
    ),
)
