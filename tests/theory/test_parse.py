"""Formulas are read by a whitelist: what is allowed means what it says, all else is one clear line."""

from __future__ import annotations

import builtins
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import BadInput
from theory.parse import FUNCTIONS, MAX_DEPTH, MAX_LENGTH, formula_text, parse_formula
from theory.symbols import X


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(-x**2)*sin(x)", sp.exp(-(X**2)) * sp.sin(X)),
        ("0.1*x", X / 10),
        ("1e-3 + 2.5E+1", sp.Rational(25001, 1000)),
        ("1_000*x", 1000 * X),
        (".5", sp.Rational(1, 2)),
        ("3.", sp.Integer(3)),
        ("1/3", sp.Rational(1, 3)),
        ("-x**2", -(X**2)),
        ("2**-1", sp.Rational(1, 2)),
        ("x**0.5", sp.sqrt(X)),
        ("sqrt(x**2)", sp.sqrt(X**2)),
        ("log(exp(x))", sp.log(sp.exp(X))),
        ("cos(pi/3)", sp.Rational(1, 2)),
        ("E**x", sp.exp(X)),
        ("+x - -1", X + 1),
        ("2**x", 2**X),
        ("x\n  + 1", X + 1),
        ("tan(x)/x", sp.tan(X) / X),
    ],
)
def test_a_formula_means_what_it_says(text: str, expected: sp.Expr) -> None:
    assert parse_formula(text) == expected


def test_every_function_can_be_called() -> None:
    for name, function in FUNCTIONS.items():
        assert parse_formula(f"{name}(x/7)") == function(X / 7)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a formula is needed"),
        ("   ", "a formula is needed"),
        ("x^2", "write powers with"),
        ("y", "unknown name 'y'"),
        ("X", "unknown name 'X'"),
        ("I*x", "unknown name 'I'"),
        ("foo(x)", "unknown function 'foo'"),
        ("__import__('os')", "unknown function '__import__'"),
        ("x.__class__", "Attribute"),
        ("(x).real", "Attribute"),
        ("x[0]", "Subscript"),
        ("[x]", "List"),
        ("lambda: x", "Lambda"),
        ("x if x else 1", "IfExp"),
        ("x < 1", "Compare"),
        ("x and x", "BoolOp"),
        ("not x", "UnaryOp"),
        ("~x", "UnaryOp"),
        ("x // 2", "BinOp"),
        ("x % 2", "BinOp"),
        ("x @ x", "BinOp"),
        ("(y := x)", "NamedExpr"),
        ("'x'", "Constant"),
        ("f'{x}'", "JoinedStr"),
        ("True", "Constant"),
        ("None", "Constant"),
        ("...", "Constant"),
        ("1j", "Constant"),
        ("0x10", "not a number"),
        ("exp", "needs an argument"),
        ("exp()", "takes one argument"),
        ("exp(x, x)", "takes one argument"),
        ("exp(*x)", "takes one argument"),
        ("exp(x=x)", "takes one argument"),
        ("exp(x)(x)", "Call"),
        ("x = 1", "does not parse"),
        ("x +", "does not parse"),
        ("x)", "does not parse"),
        ("x\0", "does not parse"),
        ("1/0", "division by zero"),
        ("1/(x - x)", "division by zero"),
        ("0**-1", "division by zero"),
        ("0**0", "no value"),
        ("log(0)", "no finite value"),
        ("tan(pi/2)", "no finite value"),
        ("sqrt(-2)*x", "not a real number"),
        ("log(-2)", "not a real number"),
        ("(-2)**x", "must be positive"),
        ("1e999999", "too large or too small"),
        ("1e-999999999999", "too large or too small"),
        ("9" * 200, "too large or too small"),
        ("10**10**10", "too large"),
        ("x**(10**100)", "too large"),
        ("x**1001", "too large"),
        ("(10**100)**100", "too large"),
        ("10**119*10**119", "too large"),
        ("(" * 61 + "x" + ")" * 61, f"the limit is {MAX_DEPTH}"),
        ("[" * 500 + "]" * 500, f"the limit is {MAX_DEPTH}"),
        ("-" * 1000 + "x", "chains more than"),
        ("x" + "+x" * 900, "chains more than"),
        ("x" * (MAX_LENGTH + 1), f"the limit is {MAX_LENGTH}"),
    ],
)
def test_everything_else_is_one_clear_line(text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        parse_formula(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_nothing_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("a user's string was evaluated")

    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    monkeypatch.setattr(sp, "sympify", forbidden)
    monkeypatch.setattr(sp, "parse_expr", forbidden)
    assert parse_formula("exp(x)/(1 + 0.5*x)**(1/2)") == sp.exp(X) / sp.sqrt(1 + X / 2)


@pytest.mark.parametrize(
    "text", ["asin(sin(10**30))", "asin(sin(exp(exp(1000))))", "sqrt(exp(exp(50)) - 1)", "acos(2)"]
)
def test_constants_are_kept_unevaluated_where_evaluation_could_take_forever(text: str) -> None:
    assert not parse_formula(text).has(X)


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=1000), st.integers(0, 6))
def test_decimals_are_read_exactly(value: Fraction, digits: int) -> None:
    text = f"{float(value):.{digits}f}"
    exact = Fraction(text)
    assert parse_formula(text) == sp.Rational(exact.numerator, exact.denominator)


@given(st.text(alphabet="x0123456789.+-*/()eEpi sincolgqrtahj,_^[]'\"\\#", max_size=40))
def test_any_text_gives_a_formula_or_bad_input(text: str) -> None:
    try:
        expression = parse_formula(text)
    except BadInput:
        return
    assert expression.free_symbols <= {X}
    assert not expression.has(sp.I, sp.nan, sp.zoo)


@pytest.mark.parametrize(
    "text",
    ["exp(-x**2)*sin(x)", "x**(2/3)/7 - pi*E", "1/sqrt(1 - x)", "acosh(2 + x)**2", "tan(x/3)*2**x", "exp(exp(2))*x"],
)
def test_a_formula_survives_printing(text: str) -> None:
    expression = parse_formula(text)
    assert parse_formula(formula_text(expression)) == expression
