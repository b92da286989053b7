"""What is proved here: theorem ids and where their objects live, loaded on demand."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from theory.errors import BadInput

if TYPE_CHECKING:
    from theory.theorem import Theorem

__all__ = ["THEOREMS", "ids", "load", "load_all", "sources"]

#: ``(theorem id, "module:ATTRIBUTE")`` in the order of the argument: what a theorem uses stands before it.
THEOREMS: tuple[tuple[str, str], ...] = (
    ("square.interpolant", "theory.squaring:INTERPOLANT"),
    ("square.symmetric", "theory.squaring:SYMMETRIC"),
    ("square.count", "theory.squaring:COUNT"),
    ("square.sensitivity", "theory.squaring:SENSITIVITY"),
    ("product.difference", "theory.products:DIFFERENCE"),
    ("product.polarised", "theory.products:POLARISED"),
    ("matmul.polarised", "theory.matmul:POLARISED"),
    ("matmul.square", "theory.matmul:SQUARE"),
    ("matmul.strassen", "theory.matmul:STRASSEN"),
    ("freeze.affine", "theory.freezing:AFFINE"),
    ("freeze.squarer", "theory.freezing:SQUARER"),
    ("freeze.stage", "theory.freezing_stage:STAGE"),
    ("expm.truncation", "theory.expm.theorems:TRUNCATION"),
    ("expm.propagation", "theory.expm.theorems:PROPAGATION"),
    ("expm.horner", "theory.expm.scheme_theorems:HORNER"),
    ("expm.paterson-stockmeyer", "theory.expm.scheme_theorems:PATERSON_STOCKMEYER"),
    ("expm.degree-8", "theory.expm.scheme_theorems:DEGREE_EIGHT"),
    ("expm.degree-12", "theory.expm.few_products_theorems:DEGREE_TWELVE"),
    ("expm.degree-18", "theory.expm.few_products_theorems:DEGREE_EIGHTEEN"),
    ("expm.scaling-squaring", "theory.expm.squaring_theorems:SCALING_SQUARING"),
    ("expm.monomial", "theory.expm.squaring_theorems:MONOMIAL"),
    ("limits.pieces", "theory.limits:PIECES"),
    ("limits.square", "theory.limits:SQUARE"),
    ("limits.expm", "theory.limits:EXPM"),
    ("scalar.pieces", "theory.scalar_limits:PIECES"),
    ("scalar.nonzeros", "theory.scalar_limits:NONZEROS"),
    ("scalar.interpolant", "theory.scalar_theorems:INTERPOLANT"),
    ("scalar.square", "theory.scalar_theorems:SQUARE"),
    ("scalar.product", "theory.scalar_theorems:PRODUCT"),
    ("scalar.odd", "theory.scalar_theorems:ODD"),
    ("scalar.tower", "theory.scalar_theorems:TOWER"),
    ("inverse.blowup", "theory.blowup:BLOWUP"),
    ("inverse.lipschitz", "theory.blowup:LIPSCHITZ"),
    ("inverse.bits", "theory.blowup:BITS"),
    ("analytic.cauchy-tail", "theory.analytic_theorems:CAUCHY"),
    ("analytic.removable", "theory.analytic_theorems:REMOVABLE"),
    ("analytic.explicit-tail", "theory.analytic_theorems:EXPLICIT"),
    ("polynomial.exact", "theory.functions.polynomial_theorems:EXACT"),
    ("series.tail", "theory.functions.theorems:SERIES_TAIL"),
    ("inverse.coupled", "theory.functions.theorems:COUPLED"),
    ("inverse.newton-schulz", "theory.functions.theorems:NEWTON"),
    ("inverse.neumann", "theory.functions.theorems:NEUMANN"),
    ("inverse.linearized", "theory.linearized:LINEARIZED"),
    ("inverse.box", "theory.linearized:BOX"),
    ("inverse.width", "theory.linearized:WIDTH"),
    ("inverse.box.floor", "theory.box_floor:FLOOR"),
    ("sign.series", "theory.functions.theorems:SIGN"),
    ("sign.newton-schulz", "theory.functions.sign_theorems:NEWTON_SIGN"),
    ("cos.doubling", "theory.functions.theorems:COSINE"),
    ("lipschitz.growth", "theory.lipschitz.rule_theorems:GROWTH"),
    ("lipschitz.bounded", "theory.lipschitz.rule_theorems:BOUNDED"),
    ("lipschitz.composition", "theory.lipschitz.rule_theorems:COMPOSITION"),
    ("lipschitz.lowering", "theory.lipschitz.rule_theorems:LOWERING"),
    ("lipschitz.concatenation", "theory.lipschitz.rule_theorems:CONCATENATION"),
    ("lipschitz.sum", "theory.lipschitz.rule_theorems:SUM"),
    ("lipschitz.scaling", "theory.lipschitz.rule_theorems:SCALING"),
    ("lipschitz.product", "theory.lipschitz.rule_theorems:PRODUCT"),
    ("lipschitz.jacobian", "theory.lipschitz.rule_theorems:JACOBIAN"),
    ("lipschitz.collapse", "theory.lipschitz.rule_theorems:COLLAPSE"),
    ("lipschitz.affine", "theory.lipschitz.leaf_theorems:AFFINE"),
    ("lipschitz.spectral-norm", "theory.lipschitz.leaf_theorems:SPECTRAL"),
    ("lipschitz.convolution", "theory.lipschitz.leaf_theorems:CONVOLUTION"),
    ("lipschitz.relu", "theory.lipschitz.leaf_theorems:RELU"),
    ("lipschitz.sigmoid", "theory.lipschitz.leaf_theorems:SIGMOID"),
    ("lipschitz.tanh", "theory.lipschitz.leaf_theorems:TANH"),
    ("lipschitz.gelu", "theory.lipschitz.leaf_theorems:GELU"),
    ("lipschitz.spline", "theory.lipschitz.leaf_theorems:SPLINE"),
    ("lipschitz.root", "theory.lipschitz.leaf_theorems:ROOT"),
    ("lipschitz.layer-norm", "theory.lipschitz.sequence_theorems:LAYER_NORM"),
    ("lipschitz.softmax", "theory.lipschitz.sequence_theorems:SOFTMAX"),
    ("lipschitz.attention", "theory.lipschitz.sequence_theorems:ATTENTION"),
    ("lipschitz.rnn", "theory.lipschitz.sequence_theorems:RNN"),
    ("lipschitz.lstm", "theory.lipschitz.sequence_theorems:LSTM"),
    ("lipschitz.transformer-layer", "theory.lipschitz.sequence_theorems:TRANSFORMER"),
    ("inversion.lemma-3.1", "theory.lipschitz.paper:LEMMA_31"),
    ("inversion.lemma-3.2", "theory.lipschitz.paper:LEMMA_32"),
    ("inversion.lemma-3.3", "theory.lipschitz.paper:LEMMA_33"),
    ("inversion.lemma-3.4", "theory.lipschitz.paper:LEMMA_34"),
    ("inversion.lemma-3.5", "theory.lipschitz.paper:LEMMA_35"),
    ("inversion.lemma-3.6", "theory.lipschitz.paper:LEMMA_36"),
    ("inversion.lemma-3.6.sharp", "theory.lipschitz.sharp:LEMMA_36_SHARP"),
    ("inversion.lemma-3.6.max-norm", "theory.lipschitz.sharp:MAX_NORM"),
    ("inversion.theorem-3.7", "theory.lipschitz.paper:THEOREM_37"),
    ("inversion.theorem-3.7.sharp", "theory.lipschitz.sharp:THEOREM_37_SHARP"),
    ("inversion.theorem-3.8", "theory.lipschitz.paper:THEOREM_38"),
    ("inversion.theorem-3.8.sharp", "theory.lipschitz.sharp:THEOREM_38_SHARP"),
    ("inversion.theorem-3.9", "theory.lipschitz.paper:THEOREM_39"),
    ("inversion.theorem-a.6", "theory.lipschitz.paper:THEOREM_A6"),
    ("inversion.theorem-3.9.sharp", "theory.lipschitz.sharp:THEOREM_39_SHARP"),
    ("inversion.moments.tail", "theory.lipschitz.moments:TAIL"),
    ("inversion.moments.finite", "theory.lipschitz.moments:FINITE"),
    ("inversion.moments.gaussian-2", "theory.lipschitz.moments:GAUSSIAN_2"),
    ("inversion.moments.gaussian", "theory.lipschitz.moments:GAUSSIAN"),
    ("inversion.moments.rate", "theory.lipschitz.moments:RATE"),
)


def ids() -> tuple[str, ...]:
    """Return every theorem id, in order."""
    return tuple(theorem_id for theorem_id, _ in THEOREMS)


def load(theorem_id: str) -> Theorem:
    """Return a theorem by its id, or by its number in the inversion paper (3.6, A.6, "Lemma 3.6").

    Raises:
        BadInput: If there is no such theorem; the message names close matches.
    """
    places = dict(THEOREMS)
    theorem_id = _by_number(theorem_id)
    if theorem_id not in places:
        close = get_close_matches(theorem_id, places, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else "see: python -m theory list"
        raise BadInput(f"no theorem {theorem_id!r}; {hint}")
    module, attribute = places[theorem_id].split(":")
    theorem: Theorem = getattr(import_module(module), attribute)
    return theorem


def _by_number(name: str) -> str:
    """Return the id of a numbered result of the inversion paper; any other name in lower case."""
    name = name.strip().lower()
    number = name.removeprefix("lemma").removeprefix("theorem").strip(" -")
    numbered = {f"inversion.{kind}-{number}" for kind in ("lemma", "theorem")}
    return next((theorem_id for theorem_id, _ in THEOREMS if theorem_id in numbered), name)


def load_all() -> tuple[Theorem, ...]:
    """Return every theorem, in order."""
    return tuple(load(theorem_id) for theorem_id in ids())


def sources() -> dict[str, str]:
    """Return theorem id -> the file that states it, relative to this package."""
    modules = {theorem_id: place.split(":")[0].removeprefix("theory.") for theorem_id, place in THEOREMS}
    return {theorem_id: f"{module.replace('.', '/')}.py" for theorem_id, module in modules.items()}
