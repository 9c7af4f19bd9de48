"""The words of planted patterns: slots, fillers and their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.utils.checks import is_integer

Slot: TypeAlias = tuple[str, ...]
Pattern: TypeAlias = tuple[Slot, ...]

DEFAULT_PATTERNS: tuple[Pattern, ...] = (
    (("not", "never", "hardly"), ("worth", "recommended", "advisable")),
    (
        ("stopped", "quit", "ceased"),
        ("working", "heating", "functioning"),
        ("after", "within", "inside"),
    ),
)
_FILLERS = """
the a and i it to of is this for in that with my you have was but on as are so one we
they be had use when or if very can very just all from at me like would has more there
what get them great than good out your about up an time some by our really only which
well little no will too because also other then who how first kitchen do her he set
coffee much even product make used water year their were been size bought nice into
two pan easy cup way machine over old want hot buy put back knife money got could clean
""".split()
_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in ("a", "e", "i", "o", "u")]
WORDS_PER_CLUSTER = 3


def invented_words(rng: np.random.RandomState) -> Iterator[str]:
    """Yield words of two or three syllables, none of them twice."""
    known = set(_FILLERS)
    while True:
        n_syllables = 2 if len(known) < 1000 else 3 + len(known) // 100_000
        word = "".join(rng.choice(_SYLLABLES, n_syllables))
        if word not in known:
            known.add(word)
            yield word


def filler_words(
    n_words: int, patterns: tuple[Pattern, ...], invented: Iterator[str]
) -> list[str]:
    """Words of everyday English, the frequent ones first, then invented ones."""
    taken = {word for pattern in patterns for slot in pattern for word in slot}
    fillers = [word for word in dict.fromkeys(_FILLERS) if word not in taken][:n_words]
    while len(fillers) < n_words:
        word = next(invented)
        if word not in taken:
            fillers.append(word)
    return fillers


def check_patterns(patterns: Any, invented: Iterator[str]) -> tuple[Pattern, ...]:
    """Read the parameter ``patterns``: None, lengths, or patterns of words."""
    if patterns is None:
        return DEFAULT_PATTERNS
    if isinstance(patterns, (str, bytes)) or not isinstance(patterns, Sequence):
        raise TypeError(
            f"patterns must be a sequence of lengths or of patterns; got {patterns!r}."
        )
    if len(patterns) == 0:
        raise ValueError("patterns is empty; give at least one pattern or length.")
    if all(map(is_integer, patterns)):
        if min(patterns) < 1:
            raise ValueError(f"a pattern has at least one slot; got {patterns!r}.")
        return tuple(
            tuple(
                tuple(next(invented) for _ in range(WORDS_PER_CLUSTER))
                for _ in range(length)
            )
            for length in patterns
        )
    return _check_slots(patterns)


def _check_slots(patterns: Sequence[Any]) -> tuple[Pattern, ...]:
    for p, pattern in enumerate(patterns):
        slots = [] if isinstance(pattern, str) or is_integer(pattern) else list(pattern)
        if not slots or any(isinstance(s, str) or not list(s) for s in slots):
            raise ValueError(
                f"pattern {p} is {pattern!r}; expected a sequence of slots, each a "
                "sequence of words, for instance (('not', 'never'), ('worth',))."
            )
    checked = tuple(tuple(tuple(slot) for slot in pattern) for pattern in patterns)
    words = [word for pattern in checked for slot in pattern for word in slot]
    for word in words:
        if not isinstance(word, str) or word.split() != [word]:
            raise ValueError(f"{word!r} is not a word: a string without whitespace.")
    if len(set(words)) < len(words):
        twice = sorted({word for word in words if words.count(word) > 1})
        raise ValueError(f"a word stands in one slot only; found twice: {twice}.")
    return checked


def word_vectors(
    clusters: list[Slot], n_features: int, spread: float, rng: np.random.RandomState
) -> dict[str, NDArray[np.float32]]:
    """Draw vectors of length 1, close together for the words of a cluster.

    Parameters
    ----------
    clusters : list of tuple of str
    n_features : int
    spread : float
        How far the words of a cluster are from its centre.
    rng : RandomState

    Returns
    -------
    dict from str to ndarray of shape (n_features,), float32
        Each word's vector.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> vectors = word_vectors([("good", "great"), ("bad",)], 3, 0.1, rng)
    >>> bool(vectors["good"] @ vectors["great"] > 0.98)
    True
    """
    sizes = [len(cluster) for cluster in clusters]
    centres = _unit_rows(rng.standard_normal((len(clusters), n_features)))
    noise = _unit_rows(rng.standard_normal((sum(sizes), n_features)))
    rows = _unit_rows(np.repeat(centres, sizes, axis=0) + spread * noise)
    words = [word for cluster in clusters for word in cluster]
    return dict(zip(words, rows.astype(np.float32), strict=True))


def _unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
