"""``python -m constructions build | info | eval``: networks as files, with what is proved of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.command import OneLineParser
from theory.errors import BadInput
from theory.files import check_writable
from theory.objectives import MINIMISE, Demand
from theory.problem import NORMS, Problem
from theory.rationals import parse_count
from theory.requests import DOMAIN_OPTIONS, NAMED_FUNCTIONS, make_problem, with_levels, with_order

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork
    from theory.counts import Counts
    from theory.network_plan import NetworkPlan

__all__ = ["main"]

#: Measured rates on one core: seconds a non-zero takes to build, and a fixed start.
_SECONDS_A_NONZERO, _SECONDS_AT_LEAST = 7e-7, 0.3

_DIFFERS = "matrices, or ranges claimed of them, differ from what the theorem builds: the bound is not proved of them"


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m constructions", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=OneLineParser)
    build = commands.add_parser("build", help="plan, build, freeze, measure and write a network")
    _request(build)
    build.add_argument("--out", help="file to write, such as expm.safetensors")
    build.add_argument("--dry-run", action="store_true", help="plan and count only")
    build.add_argument("--json", action="store_true", help="one JSON document on stdout")
    pareto = commands.add_parser("pareto", help="the frontier from deep and narrow to shallow and wide")
    _request(pareto)
    pareto.add_argument("--json", action="store_true", help="one JSON document on stdout")
    info = commands.add_parser("info", help="what a file holds and what is proved of it")
    info.add_argument("file")
    info.add_argument("--json", action="store_true", help="one JSON document on stdout")
    evaluate = commands.add_parser("eval", help="evaluate a network at a matrix, exactly")
    evaluate.add_argument("file")
    evaluate.add_argument(
        "--matrix", required=True, nargs="+", help=".npy file with one n x n matrix (product: two files, X and Y)"
    )
    evaluate.add_argument("--out", help=".npy file for the value")
    evaluate.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("function", help=f"{', '.join(NAMED_FUNCTIONS)}, or a formula in x such as 'exp(-x**2)*sin(x)'")
    parser.add_argument("--n", help="matrix size (with --around that of the centre)")
    parser.add_argument("--eps", help="bound on the error, an exact rational such as 1e-3 (a result with --order)")
    for name, text in DOMAIN_OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", help=text)
    parser.add_argument("--order", help="with --around: order of the Neumann series (default 1 without --eps)")
    parser.add_argument("--levels", help="product, with --route strassen: how often matrices are halved (default 1)")
    parser.add_argument("--norm", default="fro", choices=NORMS, help="norm of the error (default fro)")
    parser.add_argument(
        "--error", default="absolute", choices=("absolute", "relative"), help="expm: relative to e^theta"
    )
    parser.add_argument("--route", help="how (default: at n = 1 the best by --minimise, else the first)")
    parser.add_argument("--minimise", choices=MINIMISE, help="default hidden-layers; at n = 1 nonzeros")
    parser.add_argument("--max-width", help="largest hidden layer allowed")
    parser.add_argument("--max-hidden-layers", help="most hidden layers allowed")
    parser.add_argument("--squarer-width", help="most neurons a squarer a layer")


def _problem(arguments: argparse.Namespace) -> Problem:
    arguments.route = with_order(arguments.route, arguments.order, arguments.around)
    arguments.route = with_levels(arguments.route, arguments.levels)
    options = vars(arguments) | {"relative": arguments.error == "relative"}
    return make_problem(arguments.function, options, route=arguments.route)


def _demand(arguments: argparse.Namespace) -> Demand:
    def limit(name: str) -> int | None:
        text = getattr(arguments, name)
        return None if text is None else parse_count(text, f"--{name.replace('_', '-')}")

    return Demand(arguments.minimise, limit("max_width"), limit("max_hidden_layers"), limit("squarer_width"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    arguments = _parser().parse_args(argv)
    run = {"build": _build, "pareto": _pareto, "info": _info, "eval": _eval}[arguments.command]
    return run(arguments)


def _print_json(document: dict[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=2, allow_nan=False)
    print()


def _build(arguments: argparse.Namespace) -> int:
    problem, demand = _problem(arguments), _demand(arguments)
    if arguments.out is None and not arguments.dry_run:
        raise BadInput("name the file to write with --out FILE, or count only with --dry-run")
    out = None if arguments.dry_run else check_writable(arguments.out)
    from constructions.builder import build_plan, plan_that_fits
    from theory.counts import count_plan

    if not arguments.dry_run:
        plan = plan_that_fits(problem, arguments.route, demand)
        promised = count_plan(plan)
        net = build_plan(plan)
        net.save(out)  # type: ignore[arg-type]
        document = _plan_document(plan, promised) | {"measured": _measured(net), "file": str(out)}
        document["file_bytes"] = Path(out).stat().st_size  # type: ignore[arg-type]
    else:
        from constructions.builder import refuse_unlisted
        from constructions.catalogue import plan_problem

        refuse_unlisted(problem)
        plan = plan_problem(problem, arguments.route, demand)
        promised = count_plan(plan)
        document = _plan_document(plan, promised) | _costs(plan, promised)
    if arguments.json:
        _print_json(document)
    else:
        print(_build_text(document))
    return 0


def _measured(net: MatrixNetwork) -> dict[str, Any]:
    from theory.sizes import size_json

    measured = net.measured
    return {
        "hidden_layers": measured.architecture.hidden_layers,
        "width": measured.architecture.width,
        "nonzeros": measured.nonzeros,
        "bits": float(measured.architecture.bits),
        "largest_weight": size_json(measured.largest_weight),
    }


def _plan_document(plan: NetworkPlan, counts: Counts) -> dict[str, Any]:
    from theory.ledger import status_of
    from theory.sizes import named, size_json

    return {
        "problem": plan.problem.json(),
        "route": plan.route,
        "theorem": plan.theorem,
        "status": status_of(plan.theorem),
        "parameters": dict(plan.parameters),
        "radices": [[product.radices.text() for product in stage.products] for stage in plan.stages],
        "promised": {
            "hidden_layers": counts.architecture.hidden_layers,
            "width": size_json(counts.architecture.width),
            "nonzeros": size_json(counts.nonzeros),
            "bits": size_json(counts.architecture.bits),
            "largest_weight": size_json(named(counts.largest_weight)),
        },
        "error": _rational(plan.error),
        "freezing": _rational(plan.freezing),
        "proved": _rational(plan.proved),
        "budget": [{"part": part, "share": float(share)} for part, share in plan.budget],
    }


def _rational(value: Fraction) -> dict[str, Any]:
    return {"exact": str(value), "float": float(value)}


def _costs(plan: NetworkPlan, counts: Counts) -> dict[str, Any]:
    from constructions.builder import file_bytes, working_bytes
    from theory.sizes import size_json

    return {
        "file_bytes": size_json(file_bytes(plan, counts)),
        "working_bytes": size_json(working_bytes(counts)),
        "expected_seconds": round(_SECONDS_AT_LEAST + counts.nonzeros * _SECONDS_A_NONZERO, 1),
    }


def _build_text(document: dict[str, Any]) -> str:
    promised, measured = document["promised"], document.get("measured")
    parameters = ", ".join(f"{key} {value}" for key, value in document["parameters"].items())
    lines = [
        f"{_what(document['problem'])}",
        f"route {document['route']}{f' ({parameters})' if parameters else ''}, "
        f"theorem {document['theorem']} [{document['status']}]",
        "",
        f"{'':<16}{'promised':>16}" + (f"{'measured':>16}" if measured else ""),
    ]
    for key in ("hidden_layers", "width", "nonzeros", "bits", "largest_weight"):
        row = f"{key.replace('_', ' '):<16}{_number(promised[key]):>16}"
        lines.append(row + (f"{_number(measured[key]):>16}" if measured else ""))
    norm = document["problem"]["norm"]
    lines += [
        "",
        f"proved error    {document['error']['float']:.6g} in real arithmetic ({norm} norm), "
        f"+ {document['freezing']['float']:.3g} for freezing to float64",
    ]
    if measured:
        lines.append(f"written         {document['file']} ({document['file_bytes']:,} bytes)")
        return "\n".join(lines)
    lines += [
        f"file            {_number(document['file_bytes'])} bytes; building takes about "
        f"{_number(document['working_bytes'])} bytes and {document['expected_seconds']} s",
        "error budget, to first order:",
        *(f"  {entry['part']:<32}{entry['share']:.3e}" for entry in document["budget"]),
    ]
    return "\n".join(lines)


def _what(problem: dict[str, Any]) -> str:
    where = Problem.from_json(problem).where
    n, norm = problem["n"], problem["norm"]
    return f"{problem['function']} of {n} x {n} matrices, {where}, error <= {problem['eps']} in the {norm} norm"


def _number(value: Any) -> str:
    if isinstance(value, dict):
        return f"10^{value['log10'][0]:.6g}"
    if isinstance(value, str):
        return f"{float(value):.4e}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _pareto(arguments: argparse.Namespace) -> int:
    from constructions.catalogue import frontier_of
    from theory.bounds import lower_bound
    from theory.sizes import size_json

    problem, demand = _problem(arguments), _demand(arguments)
    least, theorem = lower_bound(problem)
    points = []
    for plan, counts in frontier_of(problem, arguments.route, demand):
        bits = counts.architecture.bits
        points.append(
            {
                "hidden_layers": counts.architecture.hidden_layers,
                "width": counts.architecture.width,
                "nonzeros": size_json(counts.nonzeros),
                "bits": float(bits),
                "bits_over_lower_bound": float(bits / least) if least else None,
                "parameters": dict(plan.parameters),
                "proved": float(plan.proved),
            }
        )
    document: dict[str, Any] = {
        "problem": problem.json(),
        "lower_bound": {"bits": None if least is None else float(least), "theorem": theorem},
        "points": points,
    }
    if arguments.json:
        _print_json(document)
        return 0
    print(_what(document["problem"]))
    print(f"lower bound: {'none known' if least is None else f'{float(least):.4g} bits [{theorem}]'}\n")
    print(f"{'hidden layers':>13}  {'width':>12}  {'non-zeros':>18}  {'bits':>8}  {'/ lower':>8}")
    for point in points:
        ratio = "-" if point["bits_over_lower_bound"] is None else f"{point['bits_over_lower_bound']:.1f}"
        print(
            f"{point['hidden_layers']:>13}  {point['width']:>12,}  {_number(point['nonzeros']):>18}  "
            f"{point['bits']:>8.1f}  {ratio:>8}"
        )
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from constructions.store import load
    from theory.counts import count_plan

    net = load(arguments.file)
    document = _plan_document(net.plan, count_plan(net.plan))
    document |= {"measured": _measured(net), "file": arguments.file, "matches_plan": net.matches_plan}
    document["file_bytes"] = Path(arguments.file).stat().st_size
    blocks: dict[str, int] = {}
    for block in net.network.blocks:
        blocks[block.kind] = blocks.get(block.kind, 0) + block.stop - block.start
    document["blocks"] = blocks
    if arguments.json:
        _print_json(document)
        return 0
    text = _build_text(document).replace("written         ", "file            ")
    print(text)
    print("neurons         " + ", ".join(f"{count:,} {kind}" for kind, count in blocks.items()))
    print(_standing(net))
    return 0


def _standing(net: MatrixNetwork) -> str:
    if net.matches_plan:
        return "checked         the matrices are, weight by weight, what the theorem builds: the bound is theirs"
    return f"NOT CHECKED     {_DIFFERS}"


def _eval(arguments: argparse.Namespace) -> int:
    out = check_writable(arguments.out) if arguments.out else None
    matrix_files = [_readable(path) for path in arguments.matrix]
    from constructions.store import load

    net = load(arguments.file)
    if len(matrix_files) != len(net.problem.inputs):
        names = " and ".join(net.problem.inputs)
        raise BadInput(f"the network takes {names}: give {len(net.problem.inputs)} files after --matrix")
    matrices = [_matrix(file, net.n) for file in matrix_files]
    import numpy as np

    membership = net.membership(*matrices)
    try:
        value = np.array([[float(entry) for entry in row] for row in net.exact(*matrices)])
    except OverflowError:
        raise BadInput(f"the network's value at this matrix is outside float64's range: {membership.reason}") from None
    if out is not None:
        from theory.files import whole_file

        with whole_file(out) as temporary, temporary.open("wb") as handle:
            np.save(handle, value, allow_pickle=False)
    holds = membership.inside and net.matches_plan
    lost = None
    what = ", ".join(net.problem.inputs)
    if not membership.inside:
        claim = f"||network - {net.problem.function}({what})||_{net.problem.norm} <= {float(net.bound):.6g}"
        lost = f"{claim} is not claimed here: {membership.reason}"
    elif not net.matches_plan:
        lost = _DIFFERS
    if arguments.json:
        _print_json(
            {
                "problem": net.problem.json(),
                "value": value.tolist(),
                "proved_bound": _rational(net.bound) if holds else None,
                "norm": net.problem.norm,
                "in_domain": membership.inside,
                "reason": membership.reason,
                "lost": lost,
            }
        )
        return 0
    print(np.array2string(value, precision=12, separator=", "))
    if holds:
        print(
            f"proved          error <= {float(net.bound):.6g} in the {net.problem.norm} norm; "
            f"{what} {'is' if len(matrices) == 1 else 'are'} in the domain: {membership.reason}"
        )
    else:
        print(f"LOST            {lost}")
    return 0


def _readable(path: str) -> Path:
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"no such file: {file}")
    return file


def _matrix(path: Path, n: int) -> Any:
    from tokenize import TokenError
    from zipfile import BadZipFile

    import numpy as np

    try:
        # The header is read first: a hostile shape must not be allocated.
        lazy = np.load(path, allow_pickle=False, mmap_mode="r")
        if not isinstance(lazy, np.ndarray):
            raise BadInput(f"{path} is an archive; give one matrix in a .npy file")
        if lazy.shape != (n, n):
            raise BadInput(f"{path} holds shape {lazy.shape}; the network takes {n} x {n} matrices")
        if lazy.dtype.kind not in "fiu":
            raise BadInput(f"{path} holds {lazy.dtype}, not real numbers")
        A = np.array(lazy, dtype=np.float64)
        if not np.isfinite(A).all():
            raise BadInput(f"{path} has an entry that is not finite")
        if not (lazy.astype(object) == A.astype(object)).all():  # Python compares integers and floats exactly
            raise BadInput(f"{path} has an entry that float64 does not hold exactly")
    except (ValueError, EOFError, OSError, SyntaxError, BadZipFile, TokenError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} is not a .npy file of numbers: {error}") from None
    return A
