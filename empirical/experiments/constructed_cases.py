"""Constructed networks on the distributions of the learned ones: which domain, which scaling, what the bound covers.

A network is proved on a domain; test matrices are as large as the learned networks' are. Functions on a box are asked
for on the box that holds the entries. sign, sqrt and log live near the identity and are asked for f(A/c), c a power of
two: sign(A) = sign(A/c), sqrt(A) = sqrt(c)·sqrt(A/c) with c a power of four, log(A) = log(A/c) + log(c)·I. Division by
c is exact in float64 and is a change of the first layer's weights alone, as the other two are of the last layer's; the
number of weights stays, a bias of log(c) on the diagonal apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from empirical.data import TRAINING, stream_generator
from empirical.ensembles import Ensemble

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = ["Case", "build", "cases", "covered", "evaluate_network", "natural_scale"]

_NAMES = {"exp": "expm"}
#: Standard deviation of the published baseline's normal entries.
_SIGMA = 5 / math.sqrt(3)
#: Wide: eigenvalues of A/c from 0.0032 to 1.41 in size. Layers grow with log(1/(1 - rho)) alone.
_SIGN = {"rho": "99999/100000", "nu": "2"}
_ROOT = {"rho": "39/40"}


@dataclass(frozen=True)
class Case:
    """A function on a distribution of test matrices, and the domain its networks are proved on.

    Attributes:
        function: As ``empirical.truth`` names it.
        ensemble: Where test matrices come from.
        domain: Domain options of ``constructions.build``.
        learned: The experiment whose networks were tested on this distribution; empty for none.
    """

    function: str
    ensemble: Ensemble
    domain: dict[str, str] = field(default_factory=dict)
    learned: str = ""

    @property
    def construction(self) -> str:
        """The function's name in ``constructions``."""
        return _NAMES.get(self.function, self.function)

    @property
    def scaled(self) -> bool:
        """Whether the network is asked for f(A/c) with a scale c to be chosen."""
        return self.function in ("sign", "sqrt", "log")


def cases(functions: tuple[str, ...], dimensions: tuple[int, ...]) -> list[Case]:
    """List the cases: the study's and the paper's symmetric matrices, given spectra, the baseline's normal entries."""
    found = []
    for n in dimensions:
        for scale, learned in ((1.0, "study"), (5.0, "transformer")):
            box = {"M": f"{scale:g}"}
            symmetric = Ensemble("symmetric_uniform", n, scale)
            found += [Case(f, symmetric, _SIGN if f == "sign" else box, learned) for f in ("exp", "sign", "sin", "cos")]
        definite = Ensemble("positive_definite", n)
        found += [Case(f, definite, _ROOT, "transformer") for f in ("log", "sqrt")]
        normal = Ensemble("normal", n, _SIGMA)
        # Entries have no bound: 8 is 2.8 standard deviations.
        found += [Case(f, normal, _SIGN if f == "sign" else {"M": "8"}, "mlp_baseline") for f in _NORMAL]
        found.append(Case("log", Ensemble("abs_normal", n, _SIGMA), _ROOT, "mlp_baseline"))
    return [case for case in found if case.function in functions]


_NORMAL = ("exp", "sign", "sin", "cos")


def natural_scale(case: Case, seed: int, count: int = 400) -> float:
    """Return the power of two (of four, for sqrt) that brings most of a calibration sample into the domain.

    The sample is of the training stream: no test matrix has a say in it.
    """
    if not case.scaled:
        return 1.0
    matrices = case.ensemble.sample(count, stream_generator(seed, TRAINING, 0, torch.device("cpu")))
    step = 2 if case.function == "sqrt" else 1
    scales = [2.0**exponent for exponent in range(-4, 9, step)]
    return max(scales, key=lambda scale: _share(case, matrices / scale))


def _share(case: Case, matrices: Tensor) -> float:
    """Estimate in float64 which share of matrices the domain holds."""
    eye = torch.eye(case.ensemble.n, dtype=torch.float64)
    numerator, _, denominator = case.domain["rho"].partition("/")
    rho = int(numerator) / int(denominator)
    if case.function == "sign":
        near = torch.linalg.matrix_norm(eye - matrices @ matrices, 2) <= rho
        return float((near & (torch.linalg.matrix_norm(matrices, 2) <= float(case.domain["nu"]))).double().mean())
    return float((torch.linalg.matrix_norm(eye - matrices, 2) <= rho).double().mean())


def covered(net: MatrixNetwork, matrices: Tensor, scale: float) -> Tensor:
    """Tell, exactly, at which matrices the network's bound is proved: a mask."""
    inside = [net.membership(matrix).inside for matrix in (matrices / scale).tolist()]
    return torch.tensor(inside, dtype=torch.bool)


def evaluate_network(case: Case, module: Callable[[Tensor], Tensor], matrices: Tensor, scale: float) -> Tensor:
    """Return the network's answers for f(A), undoing the scale."""
    with torch.no_grad():
        values = module(matrices / scale)
    if case.function == "sqrt":
        return math.sqrt(scale) * values
    if case.function == "log":
        return values + math.log(scale) * torch.eye(case.ensemble.n, dtype=values.dtype)
    return values


def build(case: Case, eps: str) -> Any:
    """Build the case's network; ``relative:1e-6`` asks for 1e-6 of the largest value on the domain (exp alone).

    Raises:
        BadInput: If there is no network for it.
    """
    from constructions.builder import build as build_network

    kind, _, number = eps.rpartition(":")
    relative = kind == "relative"
    domain: dict[str, Any] = dict(case.domain)
    return build_network(case.construction, case.ensemble.n, number, relative=relative, **domain)
