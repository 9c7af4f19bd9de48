"""Ways to damage the bytes of a file, each a function of the bytes and a generator."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

__all__ = ["KINDS", "damaged"]

Damage = Callable[[bytes, np.random.Generator], bytes]

_HEADS = [
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff",
    b"BZh91AY&SY",
    b"\xfd7zXZ\x00\x00\x04",
    b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    b"PK\x05\x06" + bytes(18),
    b"\x80\x04\x95\x20\x00\x00\x00\x00\x00\x00\x00",
    b"\x80\x02]",
    b"\xba\x16\x4f\x2f\x0c\x00\x00\x00",
    b"\x93NUMPY\x01\x00v\x00{'descr'",
    b"SQLite format 3\x00",
    b"\x89HDF\r\n\x1a\n",
    b"PAR1",
    b"ARROW1\x00\x00",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
    b"<!DOCTYPE html><html>",
    b'{"a": [',
    b"\xff\xfe",
    b"\xff\xfe\x00\x00",
    b"\xef\xbb\xbf",
    b"100000000 300\n",
    b"9223372036854775807 9223372036854775807\n",
]
_NUMBERS = [
    b"99999999999999999999",
    b"4294967296",
    b"2147483647",
    b"-1",
    b"0",
    b"1e999",
]
_TYPES = [b"null", b"true", b'"text"', b"[]", b"{}", b"NaN", b"1.5", b"\x00"]


def _place(content: bytes, random: np.random.Generator) -> int:
    """A place in the file; headers are hit as often as all the rest."""
    most = len(content) if random.random() < 0.5 else min(len(content), 200)
    return int(random.integers(max(1, most)))


def _piece(content: bytes, random: np.random.Generator) -> tuple[int, int]:
    start = _place(content, random)
    return start, start + int(random.integers(1, 2 + len(content) // 4))


def _flipped(content: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(content)
    if changed:
        changed[_place(content, random)] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _garbled(content: bytes, random: np.random.Generator) -> bytes:
    start = _place(content, random)
    n = min(int(random.integers(1, 20)), len(content) - start)
    return content[:start] + random.bytes(n) + content[start + n :]


def _cut(content: bytes, random: np.random.Generator) -> bytes:
    return content[: _place(content, random)]


def _empty(content: bytes, random: np.random.Generator) -> bytes:
    return b"" if random.random() < 0.5 else bytes(int(random.integers(1, 200)))


def _twice(content: bytes, random: np.random.Generator) -> bytes:
    start, stop = _piece(content, random)
    return content[:stop] + content[start:stop] + content[stop:]


def _lost(content: bytes, random: np.random.Generator) -> bytes:
    start, stop = _piece(content, random)
    return content[:start] + content[stop:]


def _swapped(content: bytes, random: np.random.Generator) -> bytes:
    n = max(1, len(content) // 8)
    a, b = sorted(int(i) for i in random.integers(max(1, len(content) - n), size=2))
    if b < a + n:
        return content[b:] + content[:b]
    return (
        content[:a]
        + content[b : b + n]
        + content[a + n : b]
        + content[a : a + n]
        + content[b + n :]
    )


def _zeroed(content: bytes, random: np.random.Generator) -> bytes:
    start, stop = _piece(content, random)
    return content[:start] + bytes(len(content[start:stop])) + content[stop:]


def _of_another_format(content: bytes, random: np.random.Generator) -> bytes:
    head = _HEADS[int(random.integers(len(_HEADS)))]
    return head + (content if random.random() < 0.5 else content[len(head) :])


def _random(content: bytes, random: np.random.Generator) -> bytes:
    return random.bytes(int(random.integers(1, 2000)))


def _longer(content: bytes, random: np.random.Generator) -> bytes:
    # Two compressed files in a row are a whole one, by their formats.
    if random.random() < 0.5 and not content.startswith(
        (b"\x1f\x8b", b"BZh", b"\xfd7z")
    ):
        return content + content
    return content + random.bytes(int(random.integers(1, 200)))


def _huge(content: bytes, random: np.random.Generator) -> bytes:
    """Announce another size: in digits, or in bytes."""
    digits = [*re.finditer(rb"\d+", content[:5000])]
    if digits and random.random() < 0.5:
        match = digits[int(random.integers(min(len(digits), 20)))]
        number = _NUMBERS[int(random.integers(len(_NUMBERS)))]
        return content[: match.start()] + number + content[match.end() :]
    start, n = _place(content, random), int(random.choice([2, 4, 8]))
    last = random.choice([0x7F, 0xFF, 0x00, 0x01])
    number = bytes([0xFF if last != 0x00 else 0x00] * (n - 1)) + bytes([last])
    return content[:start] + number + content[start + n :]


def _of_another_type(content: bytes, random: np.random.Generator) -> bytes:
    """Put another value where one is: a word, a number or a string."""
    values = [*re.finditer(rb"\"[^\"]*\"|[\w.+-]+", content[:20_000])]
    if not values:
        return _garbled(content, random)
    match = values[int(random.integers(len(values)))]
    value = _TYPES[int(random.integers(len(_TYPES)))]
    return content[: match.start()] + value + content[match.end() :]


KINDS: dict[str, Damage] = {
    "bit flipped": _flipped,
    "bytes garbled": _garbled,
    "cut off": _cut,
    "empty or zeros": _empty,
    "part twice": _twice,
    "part lost": _lost,
    "parts swapped": _swapped,
    "part zeroed": _zeroed,
    "another format's head": _of_another_format,
    "random bytes": _random,
    "goes on": _longer,
    "huge size": _huge,
    "another type": _of_another_type,
}


def damaged(content: bytes, seed: tuple[int, ...]) -> tuple[str, bytes]:
    """Return a kind of damage, and the damaged bytes; the same for the same seed."""
    random = np.random.default_rng(seed)
    kind = list(KINDS)[seed[-1] % len(KINDS)]
    return kind, KINDS[kind](content, random)
