"""Attack a constructed network: climb its error over its domain, then confirm the worst matrix in balls.

The hunt runs many chains at once in float64 (reference values from ``truth``), each keeping a random step that makes
the error larger. What it reports is proved: the network's exact value at the worst matrix against a ball around f(A).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from empirical.truth import Outcome, evaluate
from theory.errors import BadInput
from theory.problem import Around, Ball, Box, CentredBall, Domain, KDelta, SignDomain

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = ["Attack", "attack", "project", "starts"]

_NAMES = {"expm": "exp"}


@dataclass(frozen=True)
class Attack:
    """The worst matrix found and what is proved there.

    Attributes:
        matrix: Rows of float64 numbers, inside the domain (checked exactly).
        error: A lower bound on the network's error there, in the problem's norm, proved in balls.
        bound: The network's proved bound.
        evaluations: Matrices looked at.
    """

    matrix: tuple[tuple[float, ...], ...]
    error: float
    bound: float
    evaluations: int

    @property
    def slack(self) -> float:
        """Proved bound over the worst error found."""
        return self.bound / self.error if self.error > 0 else float("inf")


def attack(net: MatrixNetwork, *, rounds: int = 150, chains: int = 192, seed: int = 0) -> Attack:
    """Search the domain for the network's worst error.

    Args:
        net: A constructed network of a named function.
        rounds: Steps of every chain.
        chains: How many climb at once.
        seed: Of the search.

    Raises:
        BadInput: If there are no reference values for the function.
    """
    generator = torch.Generator().manual_seed(seed)
    module, domain = net.torch(), net.problem.domain
    function = _NAMES.get(net.problem.function, net.problem.function)
    here = project(starts(domain, net.n, chains, generator), domain)
    here_error = _errors(module, function, here, net.problem.norm, domain)
    for step in range(rounds):
        size = 0.5 * 0.96**step
        change = torch.randn(here.shape, generator=generator, dtype=torch.float64) * size
        # Half the chains move a single entry: worst cases like to sit on faces and edges.
        single = torch.zeros(len(here), net.n**2, dtype=torch.float64)
        single.scatter_(1, torch.randint(net.n**2, (len(here), 1), generator=generator), 1.0)
        change[::2] *= single.reshape(here.shape)[::2]
        there = project(here + change, domain)
        error = _errors(module, function, there, net.problem.norm, domain)
        better = error > here_error
        here = torch.where(better[:, None, None], there, here)
        here_error = torch.where(better, error, here_error)
    for index in torch.argsort(here_error, descending=True)[:8].tolist():
        confirmed = _confirm(net, function, here[index])
        if confirmed is not None:
            matrix, proved = confirmed
            return Attack(matrix, proved, float(net.bound), chains * (rounds + 1))
    raise BadInput("no matrix of the search could be confirmed inside the domain")


def _errors(module: torch.nn.Module, function: str, matrices: Tensor, norm: str, domain: Domain) -> Tensor:
    truth = evaluate(function, matrices)
    with torch.no_grad():
        difference = module(matrices) - truth.values
    error = _norm(difference, norm)
    allowed = (truth.outcomes == Outcome.OK) & _inside(matrices, domain)
    return torch.where(allowed, error, torch.tensor(-1.0, dtype=torch.float64))


def _norm(difference: Tensor, norm: str) -> Tensor:
    if norm == "max":
        return difference.abs().amax((-2, -1))
    if norm == "inf":
        return difference.abs().sum(-1).amax(-1)
    if norm == "2":
        return torch.linalg.matrix_norm(torch.nan_to_num(difference), 2)
    return torch.linalg.matrix_norm(difference)


def _inside(matrices: Tensor, domain: Domain) -> Tensor:
    if not isinstance(domain, SignDomain):
        return torch.ones(len(matrices), dtype=torch.bool)
    eye = torch.eye(matrices.shape[-1], dtype=torch.float64)
    residual = torch.linalg.matrix_norm(eye - matrices @ matrices, 2)
    return (residual <= float(domain.rho)) & (torch.linalg.matrix_norm(matrices, 2) <= float(domain.nu))


def starts(domain: Domain, n: int, count: int, generator: torch.Generator) -> Tensor:
    """Return starting points: random ones, corners, symmetric, skew and rank-one ones."""
    noise = torch.randn(count, n, n, generator=generator, dtype=torch.float64)
    quarter = count // 4
    noise[:quarter] = noise[:quarter].sign()
    noise[quarter : 2 * quarter] = noise[quarter : 2 * quarter] + noise[quarter : 2 * quarter].mT
    noise[2 * quarter : 5 * quarter // 2] -= noise[2 * quarter : 5 * quarter // 2].mT.clone()
    noise[-1], noise[-2] = 1.0, -1.0
    match domain:
        case Box(M):
            return noise * float(M)
        case Ball(radius):
            return noise * (float(radius) / _two(noise))
        case CentredBall(centre, radius):
            return float(centre) * torch.eye(n, dtype=torch.float64) + noise * (float(radius) / _two(noise))
        case KDelta(_, radius):
            return noise * float(radius)
        case Around():
            return _centre(domain) + noise * float(domain.half_width)
        case SignDomain(rho, _):
            # sign-symmetric involutions times square roots of I - E, E symmetric with spectrum in [-rho, rho]
            q, _ = torch.linalg.qr(noise)
            spread = (2 * torch.rand(count, n, generator=generator, dtype=torch.float64) - 1) * float(rho)
            values = torch.where(torch.rand(count, n, generator=generator) < 0.5, 1.0, -1.0) * (1 - spread).sqrt()
            return q @ torch.diag_embed(values) @ q.mT


def _two(matrices: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(matrices, 2).clamp_min(1e-300)[:, None, None]


def project(matrices: Tensor, domain: Domain) -> Tensor:
    """Return matrices of the domain near the given ones (the sign's domain is kept by rejection instead)."""
    match domain:
        case Box(M):
            return matrices.clamp(-float(M), float(M))
        case Ball(radius):
            return matrices * (float(radius) / _two(matrices)).clamp_max(1.0)
        case CentredBall(centre, radius):
            shift = float(centre) * torch.eye(matrices.shape[-1], dtype=torch.float64)
            return shift + (matrices - shift) * (float(radius) / _two(matrices - shift)).clamp_max(1.0)
        case KDelta(delta, radius):
            return _into_k_delta(matrices, float(delta), float(radius))
        case SignDomain():
            return matrices
        case Around():
            middle, d = _centre(domain), float(domain.half_width)
            return middle + (matrices - middle).clamp(-d, d)


def _centre(domain: Around) -> Tensor:
    return torch.tensor([[float(entry) for entry in row] for row in domain.centre], dtype=torch.float64)


def _into_k_delta(matrices: Tensor, delta: float, radius: float) -> Tensor:
    u, s, vh = torch.linalg.svd(matrices)
    s = s.clamp_min(delta)
    # Shrink the excess over delta until ||A||_F <= radius: ||delta + f (s - delta)|| = radius, a quadratic in f.
    excess = s - delta
    a, b = (excess**2).sum(-1), 2 * delta * excess.sum(-1)
    c = s.shape[-1] * delta**2 - radius**2
    factor = (-b + (b**2 - 4 * a * c).clamp_min(0).sqrt()) / (2 * a).clamp_min(1e-300)
    s = delta + excess * factor.clamp(0.0, 1.0)[:, None]
    return u @ torch.diag_embed(s) @ vh


def _confirm(net: MatrixNetwork, function: str, matrix: Tensor) -> tuple[tuple[tuple[float, ...], ...], float] | None:
    """Return the matrix, pulled inside the domain if rounding put it outside, and its error proved in balls."""
    from flint import arb, arb_mat

    from empirical.balls import enclose
    from theory.evaluate import as_ball

    anchor = project(matrix[None], net.problem.domain)[0]
    for pull in (0.0, 1e-14, 1e-12, 1e-10):
        candidate = anchor + (_middle(net) - anchor) * pull
        rows = [[float(entry) for entry in row] for row in candidate]
        if not net.membership(rows).inside:
            continue
        truth = enclose(function, rows)
        if truth is None:
            return None
        value = arb_mat([[as_ball(entry) for entry in row] for row in net.exact(rows)])
        return tuple(tuple(row) for row in rows), float(_lower_norm(value - truth, net.problem.norm, arb(0)))
    return None


def _middle(net: MatrixNetwork) -> Tensor:
    eye = torch.eye(net.n, dtype=torch.float64)
    match net.problem.domain:
        case Box() | Ball():
            return 0 * eye
        case CentredBall(centre, _):
            return float(centre) * eye
        case KDelta(delta, radius):
            return float((delta + radius / net.n**0.5) / 2) * eye if delta < radius else eye
        case SignDomain():
            return eye
        case Around() as domain:
            return _centre(domain)


def _lower_norm(difference, norm: str, zero):  # type: ignore[no-untyped-def]  # arb_mat, arb -> arb
    """Return a lower bound of the norm of a matrix of balls."""
    rows = difference.tolist()
    sizes = [[abs(entry).lower() for entry in row] for row in rows]
    if norm == "max":
        return max((entry for row in sizes for entry in row), key=float)
    if norm == "inf":
        return max((sum(row, zero).lower() for row in sizes), key=float)
    total = sum((entry * entry for row in sizes for entry in row), zero)
    frobenius = total.sqrt().lower()
    # The 2-norm is at least the Frobenius norm over sqrt(n).
    return frobenius if norm == "fro" else (frobenius / Fraction(len(rows)).__float__() ** 0.5).lower()
