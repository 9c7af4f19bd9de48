"""A vector register for numba: eight lanes, one for each automaton of a block.

Numba turns loops into vector code only if it can prove a lot. Here the vectors are
values: the states of an automaton stay in registers over all tokens of a document, and
what is written is what runs. LLVM splits a vector where the processor has smaller ones.
"""

from __future__ import annotations

import operator
from typing import Any

import llvmlite.ir as ir
from numba import types
from numba.core import cgutils
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
)

__all__ = [
    "LANES",
    "broadcast",
    "call_llvm",
    "constant",
    "flush",
    "load",
    "load_wide",
    "maximum",
    "mul_add",
    "splat",
    "store",
    "total",
    "transposed",
    "where_equal",
    "where_positive",
]

LANES = 8
"""Numbers in a vector: one AVX register of float32."""


class Vector(types.Type):
    """The numba type of some float32 or float64."""

    def __init__(self, scalar: types.Float, lanes: int = LANES) -> None:
        self.scalar, self.lanes = scalar, lanes
        super().__init__(name=f"Vector({lanes} x {scalar})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        scalar = manager.lookup(kind.scalar).get_value_type()
        super().__init__(manager, kind, ir.VectorType(scalar, kind.lanes))


def _address(
    context: Any, builder: Any, kind: Any, vector: Vector, array: Any, i: Any
) -> Any:
    """Pointer to the vector that begins at entry i of a flat array of this kind."""
    data = context.make_array(kind)(context, builder, array).data
    pointer = context.get_value_type(vector).as_pointer()
    return builder.bitcast(builder.gep(data, [i]), pointer)


def _width(kind: Any) -> int:
    return int(kind.dtype.bitwidth // 8)


@intrinsic
def load(typing_context: Any, array: Any, i: Any) -> Any:
    """``array[i : i + 8]`` of a contiguous one-dimensional array."""
    return _loading(Vector(array.dtype), array)


@intrinsic
def load_wide(typing_context: Any, array: Any, i: Any) -> Any:
    """``array[i : i + 16]``: one register of AVX-512, or two where there are none."""
    return _loading(Vector(array.dtype, 2 * LANES), array)


def _loading(vector: Vector, array: Any) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _address(context, builder, array, vector, *args)
        return builder.load(at, align=_width(array))

    return signature(vector, array, types.intp), codegen


@intrinsic
def store(typing_context: Any, array: Any, i: Any, value: Any) -> Any:
    """``array[i : i + 8] = value``; for a wide vector, as many as it has."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _address(context, builder, array, value, *args[:2])
        builder.store(args[2], at, align=_width(array))
        return context.get_dummy_value()

    return signature(types.none, array, types.intp, value), codegen


@intrinsic
def splat(typing_context: Any, value: Any, like: Any) -> Any:
    """A number in each lane, of the type of ``like``: a vector, or an array's."""
    kind = like if isinstance(like, Vector) else Vector(like.dtype)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        scalar = context.cast(builder, args[0], sig.args[0], kind.scalar)
        return _splat(builder, context.get_value_type(kind), scalar)

    return signature(kind, value, like), codegen


@intrinsic
def broadcast(typing_context: Any, array: Any, i: Any, like: Any) -> Any:
    """``array[i]`` in each lane of a vector like another one; i isn't negative."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(array)(context, builder, args[0]).data
        number = builder.load(builder.gep(data, [args[1]]))
        return _splat(builder, context.get_value_type(like), number)

    return signature(like, array, types.intp, like), codegen


def _splat(builder: Any, vector: Any, scalar: Any) -> Any:
    out = ir.Constant(vector, ir.Undefined)
    for lane in range(vector.count):
        out = builder.insert_element(out, scalar, ir.IntType(32)(lane))
    return out


@intrinsic
def mul_add(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once where the processor can."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return call_llvm(builder, "fmuladd", args)

    return signature(a, a, a, a), codegen


def call_llvm(builder: Any, name: str, args: Any) -> Any:
    """Call one of LLVM's own functions of vectors."""
    vector = args[0].type
    suffix = "f64" if isinstance(vector.element, ir.DoubleType) else "f32"
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [vector] * len(args)),
        f"llvm.{name}.v{vector.count}{suffix}",
    )
    return builder.call(function, args)


@intrinsic
def flush(typing_context: Any, value: Any, least: Any) -> Any:
    """Set to 0 the lanes whose absolute value is below ``least``."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector, limit = args
        size = call_llvm(builder, "fabs", [vector])
        keep = builder.fcmp_unordered(">=", size, limit)
        return builder.select(keep, vector, constant(vector, 0.0))

    return signature(value, value, value), codegen


@intrinsic
def where_positive(typing_context: Any, value: Any, other: Any) -> Any:
    """The lanes of ``value`` where ``other`` is above 0 or NaN, and 0 elsewhere."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector, condition = args
        zeros = constant(vector, 0.0)
        keep = builder.fcmp_unordered(">", condition, zeros)
        return builder.select(keep, vector, zeros)

    return signature(value, value, other), codegen


@intrinsic
def where_equal(typing_context: Any, a: Any, b: Any, value: Any, other: Any) -> Any:
    """The lanes of ``value`` where ``a == b``, and those of ``other`` elsewhere."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("==", *args[:2]), *args[2:])

    return signature(value, a, a, value, value), codegen


@intrinsic
def maximum(typing_context: Any, a: Any, b: Any) -> Any:
    """The larger number of each lane, or NaN if one of the two is."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a, b = args
        larger = builder.select(builder.fcmp_ordered(">", a, b), a, b)
        return builder.select(builder.fcmp_ordered("ord", a, a), larger, a)

    return signature(a, a, a), codegen


def constant(like: Any, value: float) -> Any:
    """Return a vector of the type of ``like`` with a number in each lane."""
    return ir.Constant(like.type, [value] * like.type.count)


def _define(operation: Any, instruction: str) -> None:
    """Teach numba an operator between vectors."""

    @infer_global(operation)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    @lower_builtin(operation, Vector, Vector)
    def _lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")


@intrinsic
def total(typing_context: Any, value: Any) -> Any:
    """Sum of the lanes, in a fixed order."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        lanes = [
            builder.extract_element(args[0], ir.IntType(32)(i)) for i in range(LANES)
        ]
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [
                builder.fadd(a, b)
                for a, b in zip(lanes[:half], lanes[half:], strict=True)
            ]
        return lanes[0]

    return signature(value.scalar, value), codegen


@intrinsic
def transposed(
    typing_context: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> Any:
    """The columns of the square matrix whose rows are these eight vectors."""
    rows = types.UniTuple(a, LANES)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vectors, number = list(args), ir.IntType(32)
        # Blocks off the diagonal change places: those of one number, then larger ones.
        for size in (1, 2, 4):
            upper = [i for i in range(LANES) if not i & size]
            chosen = [
                [j if not j & size else j - size + LANES for j in range(LANES)],
                [j + size if not j & size else j + LANES for j in range(LANES)],
            ]
            masks = [ir.Constant(ir.VectorType(number, LANES), m) for m in chosen]
            for i in upper:
                pair = vectors[i], vectors[i + size]
                vectors[i], vectors[i + size] = (
                    builder.shuffle_vector(*pair, mask) for mask in masks
                )
        return context.make_tuple(builder, sig.return_type, vectors)

    return signature(rows, a, b, c, d, e, f, g, h), codegen


@intrinsic
def prefetch(typing_context: Any, array: Any, i: Any) -> Any:
    """Have the cache line of ``array[i]`` fetched; what follows doesn't wait for it."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        at = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [at.type, number, number, number]),
            "llvm.prefetch.p0",
        )
        # To be read, kept in all caches, data. Asking to write would take the line away
        # from the other threads that read it.
        builder.call(function, [at, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return signature(types.none, array, types.intp), codegen
