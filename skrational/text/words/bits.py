"""Bytes read many at a time, and places as the bits of numbers, for compiled code.

Of 64 bytes one number tells which ones are of a class, so that a few operations treat
them all. LLVM splits a vector where the processor has smaller ones.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import llvmlite.ir as ir
from numba import types
from numba.core import cgutils
from numba.core.typing import signature
from numba.extending import intrinsic

__all__ = [
    "BLOCK",
    "classifier",
    "count_ones",
    "first_one",
    "lower_block",
    "memory",
    "read_eight",
]

BLOCK = 64
"""Bytes for which there is one number."""

_BYTES = ir.VectorType(ir.IntType(8), BLOCK)
_NUMBER = ir.IntType(64)


def _at(builder: Any, place: Any, kind: Any) -> Any:
    """Pointer to what begins at a place: some memory and an index."""
    pointer, i = place
    return builder.bitcast(builder.gep(pointer, [i]), kind.as_pointer())


@intrinsic
def memory(typing_context: Any, array: Any) -> Any:
    """Return a pointer to the entries of a flat array, to be indexed like it.

    Of an array each function that takes it counts the references, which costs more than
    many of ours do otherwise, and each index is asked whether it is negative.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    return signature(types.CPointer(array.dtype), array), codegen


@intrinsic
def read_eight(typing_context: Any, data: Any, i: Any) -> Any:
    """Bytes i to i + 7 as a number, of which byte i is the lowest part."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _at(builder, args, _NUMBER)
        number = builder.load(at, align=1)
        return number if sys.byteorder == "little" else builder.bswap(number)

    return signature(types.uint64, data, types.intp), codegen


@intrinsic
def first_one(typing_context: Any, bits: Any) -> Any:
    """Return the place of the lowest bit that is 1; 64 if there is none."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(0))

    return signature(types.int64, types.uint64), codegen


@intrinsic
def count_ones(typing_context: Any, bits: Any) -> Any:
    """How many bits are 1."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return signature(types.int64, types.uint64), codegen


def _between(builder: Any, block: Any, first: str, last: str) -> Any:
    """Which bytes are among these characters.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
    block : value of 64 bytes
    first, last : str
        The first and the last of the characters.

    Returns
    -------
    value of 64 bits
    """
    low, width = ord(first), ord(last) - ord(first)
    shifted = builder.sub(block, ir.Constant(_BYTES, [low] * BLOCK))
    return builder.icmp_unsigned("<=", shifted, ir.Constant(_BYTES, [width] * BLOCK))


def _among(builder: Any, block: Any, ranges: str) -> Any:
    """Which bytes are in one of these ranges, as the bits of a number."""
    ends = zip(ranges[::2], ranges[1::2], strict=True)
    parts = (_between(builder, block, first, last) for first, last in ends)
    bits = builder.bitcast(functools.reduce(builder.or_, parts), _NUMBER)
    return bits if sys.byteorder == "little" else builder.bitreverse(bits)


def classifier(*classes: str) -> Any:
    """Make a function for compiled code that tells the classes of 64 bytes.

    Parameters
    ----------
    *classes : str
        The first and the last character of each range of ASCII that is in the class.

    Returns
    -------
    intrinsic
        Takes the `memory` of bytes and a place, and returns a number (uint64) for each
        class: whose bits tell which of the bytes from that place on belong to it.
    """

    @intrinsic
    def classify(typing_context: Any, data: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            at = _at(builder, args, _BYTES)
            block = builder.load(at, align=1)
            numbers = [_among(builder, block, ranges) for ranges in classes]
            return cgutils.pack_array(builder, numbers)

        numbers = types.UniTuple(types.uint64, len(classes))
        return signature(numbers, data, types.intp), codegen

    return classify


@intrinsic
def lower_block(typing_context: Any, data: Any, i: Any) -> Any:
    """Turn the bytes i to i + 63 to lower case in place, as far as they are ASCII."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _at(builder, args, _BYTES)
        block = builder.load(at, align=1)
        step = ir.Constant(_BYTES, [ord("a") - ord("A")] * BLOCK)
        lower = builder.add(block, step)
        builder.store(
            builder.select(_between(builder, block, "A", "Z"), lower, block),
            at,
            align=1,
        )
        return context.get_dummy_value()

    return signature(types.none, data, types.intp), codegen
