"""Elementary functions of vectors: the exponential, and what is made of it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import llvmlite.ir as ir
from numba.core.typing import signature
from numba.extending import intrinsic

from skrational.utils.simd import call_llvm, constant

__all__ = ["exp_less_one", "log_sigmoid", "sigmoid", "tanh"]


class _Format(NamedTuple):
    """What exp needs to know of a type of numbers."""

    bits: int
    fraction: int
    bound: float
    """Beyond it a sigmoid is 0 or 1 to the last bit that counts."""
    ln2: tuple[float, float]
    """In two parts, of which the first has few bits: its multiples are exact."""
    degree: int
    """Of a Taylor polynomial that is exact to the last bit."""


_FORMATS = {
    "float": _Format(32, 23, 87.0, (0.693359375, math.log(2) - 0.693359375), 7),
    "double": _Format(64, 52, 708.0, (0.6931471803691238, 1.9082149292705877e-10), 13),
}


def _split_power(builder: Any, x: Any) -> tuple[Any, Any, Any]:
    """Split ``exp(x)`` into (scale, rest, tail) = (2^n, r, (e^r - 1) / r).

    NaN stays NaN; x beyond the bounds counts as the bound.
    """
    form = _FORMATS[str(x.type.element)]
    ints = ir.VectorType(ir.IntType(form.bits), x.type.count)
    bias, fraction = 2 ** (form.bits - form.fraction - 2) - 1, form.fraction
    # A comparison with NaN chooses NaN in both selections.
    low, high = constant(x, -form.bound), constant(x, form.bound)
    x = builder.select(builder.fcmp_unordered(">", x, low), x, low)
    x = builder.select(builder.fcmp_unordered("<", x, high), x, high)
    power = call_llvm(
        builder, "nearbyint", [builder.fmul(x, constant(x, math.log2(math.e)))]
    )
    rest = x
    for part in form.ln2:
        rest = call_llvm(builder, "fmuladd", [power, constant(x, -part), rest])
    tail = constant(x, 1 / math.factorial(form.degree))
    for k in range(form.degree - 1, 0, -1):
        term = constant(x, 1 / math.factorial(k))
        tail = call_llvm(builder, "fmuladd", [tail, rest, term])
    bias, fraction = (ir.Constant(ints, [n] * x.type.count) for n in (bias, fraction))
    exponent = builder.add(builder.fptosi(power, ints), bias)
    shifted = builder.shl(exponent, fraction)
    return builder.bitcast(shifted, x.type), rest, tail


@intrinsic
def sigmoid(typing_context: Any, x: Any) -> Any:
    """``1 / (1 + exp(-x))`` in each lane."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        one = constant(args[0], 1.0)
        minus = builder.fsub(constant(args[0], 0.0), args[0])
        scale, rest, tail = _split_power(builder, minus)
        series = call_llvm(builder, "fmuladd", [tail, rest, one])
        return builder.fdiv(one, call_llvm(builder, "fmuladd", [series, scale, one]))

    return signature(x, x), codegen


def _exp_less_one(builder: Any, x: Any) -> Any:
    scale, rest, tail = _split_power(builder, x)
    parts = builder.fmul(rest, tail), scale, builder.fsub(scale, constant(x, 1.0))
    return call_llvm(builder, "fmuladd", parts)


@intrinsic
def exp_less_one(typing_context: Any, x: Any) -> Any:
    """``exp(x) - 1`` in each lane, also of small numbers to the last bits."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _exp_less_one(builder, args[0])

    return signature(x, x), codegen


@intrinsic
def tanh(typing_context: Any, x: Any) -> Any:
    """Hyperbolic tangent in each lane, also of small numbers to the last bits."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        two = constant(args[0], 2.0)
        # Beyond 22 the result is 1 in both types; exp(2 x) stays below infinity.
        less_one = _exp_less_one(builder, builder.fmul(two, args[0]))
        return builder.fdiv(less_one, builder.fadd(less_one, two))

    return signature(x, x), codegen


@intrinsic
def log_sigmoid(typing_context: Any, x: Any) -> Any:
    """``-log(1 + exp(-x))`` in each lane, also of large x to the last bits."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        x, zero, two = args[0], constant(args[0], 0.0), constant(args[0], 2.0)
        minus_size = builder.fsub(zero, call_llvm(builder, "fabs", [x]))
        scale, rest, tail = _split_power(builder, minus_size)
        # With e = exp(-|x|): log(1 + e) = 2 artanh(e / (2 + e)); three bits a term.
        e = call_llvm(builder, "fmuladd", [builder.fmul(rest, tail), scale, scale])
        s = builder.fdiv(e, builder.fadd(e, two))
        square = builder.fmul(s, s)
        series = zero
        for k in range(_FORMATS[str(e.type.element)].fraction // 3, -1, -1):
            term = constant(e, 2 / (2 * k + 1))
            series = call_llvm(builder, "fmuladd", [series, square, term])
        least = builder.select(builder.fcmp_ordered("<", x, zero), x, zero)
        return builder.fsub(least, builder.fmul(s, series))

    return signature(x, x), codegen
