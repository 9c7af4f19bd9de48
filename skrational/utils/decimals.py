r"""Many numbers written as Python writes each: in the fewest digits that tell it.

A number is c * 2**q. Whatever is nearer to it than to its neighbours is read as it; of
the shortest decimals among these the nearest is the number's repr. With the largest
10**k below the width of that interval, a multiple of 10**k lies in it, and one of
10**(k + 1) at most: Schubfach [1]_ looks at no other. On which side of a bound they lie
it tells by quarters of 10**k and 128 bits of 10**-k.

References
----------
.. [1] Giulietti, "The Schubfach way to render doubles", 2020.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.core.typing import signature
from numba.extending import intrinsic
from numpy.typing import NDArray

from skrational.utils.compile import jit, read_only

__all__ = ["write_numbers"]

_ROOM = len("-2.2250738585072014e-308, ")
_FIRST_K, _LAST_K = -324, 292
_LEAST_Q, _MANTISSA_BITS = -1074, 52
_TEN = np.uint64(10)
_NULL = np.frombuffer(b"null", np.uint8)
_ZERO, _POINT, _COMMA, _SPACE, _MINUS, _PLUS, _E = np.frombuffer(b"0., -+e", np.uint8)


def write_numbers(values: NDArray[np.float64]) -> tuple[str, NDArray[np.int64]]:
    """Write numbers as JSON does, one after the other.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        None of them infinite.

    Returns
    -------
    text : str
        The numbers, each with ", " behind it; "null" for NaN.
    begins : ndarray of shape (n + 1,), int64
        Where each of them begins in it, and its length.

    Examples
    --------
    >>> text, begins = write_numbers(np.array([0.1, -0.0, 1e23, np.nan]))
    >>> text
    '0.1, -0.0, 1e+23, null, '
    >>> text[begins[1] : begins[2]]
    '-0.0, '
    """
    bits = np.ascontiguousarray(values, np.float64).view(np.int64)
    written = np.empty(_ROOM * len(bits), np.uint8)
    begins = np.zeros(len(bits) + 1, np.int64)
    _write_all(read_only(bits), _powers(), written, begins)
    return str(memoryview(written)[: begins[-1]], "ascii"), begins


@lru_cache
def _powers() -> NDArray[np.uint64]:
    """The first 128 bits of 10**-k for each k, rounded up, in two halves."""
    halves = []
    for k in range(_FIRST_K, _LAST_K + 1):
        shift = 127 - _log2_of_power.py_func(-k)
        numerator = 10 ** max(-k, 0) << max(shift, 0)
        denominator = 10 ** max(k, 0) << max(-shift, 0)
        halves.append(divmod(-(-numerator // denominator), 2**64))
    return read_only(np.array(halves, np.uint64))


@jit
def _write_all(bits, powers, written, begins):  # type: ignore[no-untyped-def]
    """Write numbers that are given by their bits.

    Parameters
    ----------
    bits : ndarray of shape (n,), int64
    powers : ndarray of shape (617, 2), uint64
    written : ndarray of uint8
        To be filled; it has room for them all.
    begins : ndarray of shape (n + 1,), int64
        To be filled; the first is 0.
    """
    place = 0
    for i in range(bits.shape[0]):
        exponent = (bits[i] >> _MANTISSA_BITS) & 0x7FF
        mantissa = bits[i] & ((1 << _MANTISSA_BITS) - 1)
        written[place] = _MINUS
        place += bits[i] < 0
        if exponent == 0x7FF:
            for character in _NULL:
                written[place] = character
                place += 1
        else:
            digits, k = _shortest(exponent, mantissa, powers)
            place = _write_decimal(written, place, digits, k)
        written[place], written[place + 1] = _COMMA, _SPACE
        place += 2
        begins[i + 1] = place


@jit
def _shortest(exponent, mantissa, powers):  # type: ignore[no-untyped-def]
    """The shortest decimal that is read as a number, as digits times 10**k."""
    if exponent == 0 and mantissa == 0:
        return 0, 0
    c = mantissa + (min(exponent, 1) << _MANTISSA_BITS)
    q = _LEAST_Q + max(exponent - 1, 0)
    # The neighbour below a power of two is nearer than the one above.
    is_uneven = mantissa == 0 and exponent > 1
    k = _log10_of_power(q, is_uneven)
    shift = q + _log2_of_power(-k) + 1
    high, low = powers[k - _FIRST_K, 0], powers[k - _FIRST_K, 1]
    # Four times the number and the bounds over 10**k; odd if they aren't whole. A bound
    # is read as the even one of its neighbours.
    lower = _scaled((4 * c - 2 + is_uneven) << shift, high, low) + (c & 1)
    four = _scaled(4 * c << shift, high, low)
    upper = _scaled((4 * c + 2) << shift, high, low) - (c & 1)
    below = four >> 2
    tens = np.int64(np.uint64(below) // _TEN)
    fits, next_fits = lower <= 40 * tens, 40 * tens + 40 <= upper
    if tens > 0 and fits != next_fits:
        return tens + next_fits, k + 1
    fits, next_fits = lower <= 4 * below, 4 * below + 4 <= upper
    if fits != next_fits:
        return below + next_fits, k
    # Half a step is rounded to even.
    return below + ((four & 3) + (below & 1) > 2), k


@jit
def _write_decimal(written, place, digits, k):  # type: ignore[no-untyped-def]
    """Write digits times 10**k as Python's repr does; return the place behind.

    Parameters
    ----------
    written : ndarray of uint8
    place : int
        Where to begin.
    digits, k : int

    Returns
    -------
    int
    """
    rest = np.uint64(digits)
    while rest > 0 and rest % _TEN == 0:
        rest //= _TEN
        k += 1
    n, power = 1, _TEN
    while rest >= power:
        n += 1
        power *= _TEN
    # Where the point stands among the digits.
    point = n + k
    if digits == 0:
        point = 1
    if point <= -4 or point > 16:
        place = _write_digits(written, place, rest, n, 1)
        written[place] = _E
        written[place + 1] = _MINUS if point < 1 else _PLUS
        size = abs(point - 1)
        return _write_digits(written, place + 2, np.uint64(size), 2 + (size > 99), 9)
    if point <= 0:
        for _ in range(2 - point):
            written[place] = _ZERO
            place += 1
        written[place - 1 + point] = _POINT
        return _write_digits(written, place, rest, n, n)
    place = _write_digits(written, place, rest, n, point)
    if point < n:
        return place
    for _ in range(point - n + 2):
        written[place] = _ZERO
        place += 1
    written[place - 2] = _POINT
    return place


@jit
def _write_digits(written, place, digits, n, point):  # type: ignore[no-untyped-def]
    """Write n digits with a point behind some of them, if there are more.

    Parameters
    ----------
    written : ndarray of uint8
    place : int
        Where to begin.
    digits : uint64
    n, point : int

    Returns
    -------
    int
        The place behind.
    """
    at = end = place + n + (point < n)
    for i in range(n, 0, -1):
        if i == point and point < n:
            at -= 1
            written[at] = _POINT
        tens = digits // _TEN
        at -= 1
        written[at] = _ZERO + (digits - tens * _TEN)
        digits = tens
    return end


@jit
def _log2_of_power(k):  # type: ignore[no-untyped-def]
    """The logarithm of 10**k to base 2, rounded down."""
    return (k * 1741647) >> 19


@jit
def _log10_of_power(q, is_uneven):  # type: ignore[no-untyped-def]
    """The logarithm of 2**q, or of three quarters of it, rounded down."""
    return (q * 1262611 - is_uneven * 524031) >> 22


@intrinsic
def _scaled(typing_context: Any, factor: Any, high: Any, low: Any) -> Any:
    """Factor times power, over 2**128: rounded down, or to odd if it isn't whole."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        half, whole = ir.IntType(64), ir.IntType(128)
        factor, high, low = (builder.zext(value, whole) for value in args)
        bits = whole(64)
        product = builder.mul(factor, high)
        carried = builder.lshr(builder.mul(factor, low), bits)
        product = builder.add(product, carried)
        # The power was rounded up: a 1 behind the point is no more than that.
        rest = builder.trunc(product, half)
        is_rest = builder.icmp_unsigned(">", rest, half(1))
        result = builder.trunc(builder.lshr(product, bits), half)
        return builder.or_(result, builder.zext(is_rest, half))

    return signature(types.int64, types.int64, types.uint64, types.uint64), codegen
