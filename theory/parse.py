"""A user's formula in ``x`` -> SymPy, by a whitelisted walk over Python's syntax tree; the text is never evaluated."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from fractions import Fraction

import sympy as sp
from sympy.printing.str import StrPrinter

from theory.errors import BadInput
from theory.symbols import X

__all__ = ["FUNCTIONS", "MAX_DEPTH", "MAX_LENGTH", "formula_text", "parse_formula"]

#: The functions a formula may call: entire ones, and principal branches with their standard cuts.
FUNCTIONS: dict[str, Callable[..., sp.Expr]] = {
    name: getattr(sp, name)
    for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
                 "asin", "acos", "atan", "asinh", "acosh", "atanh")
}  # fmt: skip
_CONSTANTS: dict[str, sp.Expr] = {"x": X, "pi": sp.pi, "E": sp.E}

MAX_LENGTH = 2000
MAX_DEPTH = 60
_MAX_CHAIN = 300
#: Numbers stay below 2^400 in numerator and denominator: SymPy looks for perfect powers and divisors of constants.
_MAX_BITS = 400
_MAX_EXPONENT = 1000
_NUMBER = re.compile(r"(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE](?P<exponent>[+-]?\d+))?")


def parse_formula(text: str) -> sp.Expr:
    """Return the SymPy expression of a formula in the one variable ``x``.

    Allowed: integers and decimals (a decimal is the rational its text says), ``+ - * / **``, parentheses, ``x``,
    ``pi``, ``E`` and the names in ``FUNCTIONS``. Branches are the principal ones.

    Raises:
        BadInput: If the text is anything else, names a constant that is not real, or is too long, deep or large.
    """
    if not isinstance(text, str) or not text.strip():
        raise BadInput("a formula is needed, such as exp(-x**2)*sin(x)")
    if len(text) > MAX_LENGTH:
        raise BadInput(f"the formula has {len(text)} characters; the limit is {MAX_LENGTH}")
    line = " ".join(text.split())
    _check_nesting(line)
    try:
        with warnings.catch_warnings():
            # Python's parser remarks on odd literals; the answer here is a formula or one line.
            warnings.simplefilter("ignore")
            tree = ast.parse(line, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
        raise BadInput(f"the formula {_short(line)!r} does not parse: {reason}") from None
    return _walk(tree.body, line.encode(), 0)


def formula_text(expression: sp.Expr) -> str:
    """Return the text of an expression in X, with the variable written ``x``; ``parse_formula`` reads it back."""
    return str(_Printer().doprint(expression))


class _Printer(StrPrinter):
    def _print_Symbol(self, symbol: sp.Symbol) -> str:
        return "x" if symbol == X else str(symbol.name)


def _check_nesting(text: str) -> None:
    """Refuse deep nesting before Python's own parser meets it.

    Raises:
        BadInput: If brackets are nested too deep.
    """
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise BadInput(f"the formula is nested {deepest} deep; the limit is {MAX_DEPTH}")


def _walk(node: ast.expr, text: bytes, depth: int) -> sp.Expr:
    if depth > _MAX_CHAIN:
        raise BadInput(f"the formula chains more than {_MAX_CHAIN} operations; group them with parentheses")
    match node:
        case ast.Constant(value=value) if type(value) in (int, float):
            return _number(_source(node, text))
        case ast.Name(id=name):
            return _name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_walk(operand, text, depth + 1)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _walk(operand, text, depth + 1)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as op, right=right):
            return _combine(op, _walk(left, text, depth + 1), _walk(right, text, depth + 1), _quote(node, text))
        case ast.BinOp(op=ast.BitXor()):
            raise BadInput(f"{_quote(node, text)}: write powers with **, not ^")
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            raise BadInput(f"unknown function {_short(name)!r}; there are {', '.join(FUNCTIONS)}")
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if not isinstance(argument, ast.Starred):
            return _apply(name, _walk(argument, text, depth + 1), _quote(node, text))
        case ast.Call(func=ast.Name(id=name)):
            raise BadInput(f"{_quote(node, text)}: {name} takes one argument")
    raise BadInput(f"{_quote(node, text)} ({type(node).__name__}) is not allowed in a formula in x")


def _name(name: str) -> sp.Expr:
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    if name in FUNCTIONS:
        raise BadInput(f"{name} needs an argument: {name}(x)")
    raise BadInput(f"unknown name {_short(name)!r}; a formula has the one variable x, and pi and E")


def _number(source: str) -> sp.Rational:
    """Return the rational a number's text says: 0.1 is one tenth.

    Raises:
        BadInput: If the text is no decimal number, or one too large or small.
    """
    match = _NUMBER.fullmatch(source)
    if match is None:
        raise BadInput(f"{_short(source)!r} is not a number; write integers or decimals")
    if match["exponent"] and abs(int(match["exponent"][:6])) > 120:
        raise BadInput(f"the number {_short(source)} is too large or too small; numbers stay within 1e-120 and 1e120")
    value = Fraction(source.replace("_", ""))
    return _limited(sp.Rational(value.numerator, value.denominator), source)


def _combine(op: ast.operator, left: sp.Expr, right: sp.Expr, shown: str) -> sp.Expr:
    match op:
        case ast.Add():
            result = left + right
        case ast.Sub():
            result = left - right
        case ast.Mult():
            result = left * right
        case ast.Div():
            if right == 0:
                raise BadInput(f"division by zero in {shown}")
            result = left / right
        case _:
            result = _power(left, right, shown)
    return _limited(result, shown)


def _power(base: sp.Expr, exponent: sp.Expr, shown: str) -> sp.Expr:
    if exponent.is_Rational:
        if max(abs(int(exponent.p)), int(exponent.q)) > _MAX_EXPONENT:
            raise BadInput(f"the exponent in {shown} is too large: at most {_MAX_EXPONENT}")
        if base.is_Rational:
            bits = max(abs(int(base.p)).bit_length() - 1, int(base.q).bit_length() - 1)
            if bits * abs(int(exponent.p)) > _MAX_BITS * int(exponent.q):
                raise BadInput(f"{shown} is too large a number")
        if base == 0 and exponent <= 0:
            raise BadInput(f"division by zero in {shown}" if exponent < 0 else f"{shown} has no value")
    if exponent.has(X) and base.is_Rational and base <= 0:
        raise BadInput(f"{shown} has no real values: the base must be positive")
    # Of constants SymPy knows no more than the sign, and finding that can take arbitrarily long.
    evaluate = base.has(X) or exponent.has(X) or (_is_plain(base) and _is_plain(exponent))
    return sp.Pow(base, exponent, evaluate=evaluate)


def _apply(name: str, argument: sp.Expr, shown: str) -> sp.Expr:
    if name == "sqrt":
        return _limited(_power(argument, sp.Rational(1, 2), shown), shown)
    evaluate = argument.has(X) or _is_plain(argument)
    return _limited(FUNCTIONS[name](argument, evaluate=evaluate), shown)


def _is_plain(constant: sp.Expr) -> bool:
    """Whether a constant is a rational or a rational multiple of pi, which SymPy evaluates quickly."""
    return bool(constant.is_Rational or (constant / sp.pi).is_Rational or constant is sp.E)


def _limited(result: sp.Expr, shown: str) -> sp.Expr:
    """Return the result, or refuse it.

    Raises:
        BadInput: If it has no value, is not real, or has a number too long to work with.
    """
    if result.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise BadInput(f"{_short(shown)} has no finite value")
    if result.has(sp.I):
        raise BadInput(f"{_short(shown)} is not a real number; a formula takes real constants")
    for number in result.atoms(sp.Rational) if not result.is_Rational else (result,):
        if max(abs(int(number.p)), int(number.q)).bit_length() > _MAX_BITS:
            raise BadInput(f"{_short(shown)} is too large or too small a number")
    return result


def _source(node: ast.expr, text: bytes) -> str:
    # The text is one line, and Python counts columns in bytes.
    return text[node.col_offset : node.end_col_offset].decode(errors="replace")


def _quote(node: ast.expr, text: bytes) -> str:
    return repr(_short(_source(node, text)))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
