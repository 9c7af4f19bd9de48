"""Documents with known soft patterns, for demonstrations and tests of recovery.

The decoys make the task: every word of a pattern is as frequent in the documents
without it, alone or in a wrong order, so that words tell nothing about the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.datasets._generator import generator_of
from skrational.datasets._vocabulary import (
    WORDS_PER_CLUSTER,
    Pattern,
    check_patterns,
    filler_words,
    invented_words,
    word_vectors,
)
from skrational.datasets._writer import DocumentWriter
from skrational.sequences import SequenceArray
from skrational.utils.checks import is_integer

__all__ = ["PlantedPatterns", "make_planted_patterns"]


@dataclass(frozen=True, eq=False)
class PlantedPatterns:
    """What `make_planted_patterns` made: the data and the truth behind them.

    Attributes
    ----------
    X : SequenceArray of n_documents sequences
        The documents as word vectors: type-level, float32, labels are the words.
    y : ndarray of shape (n_documents,), int64
        The class: that of the pattern in the document, 0 without a pattern (before
        ``label_noise``).
    documents : list of list of str
        The tokens.
    planted : ndarray of shape (n_documents,), int64
        Position in ``patterns`` of the pattern in the document, -1 for none.
    vectors : dict of str to ndarray of shape (n_features,), float32
        A vector of length 1 for each word of the vocabulary.
    patterns : tuple of patterns
        A pattern is a tuple of slots, a slot is a tuple of interchangeable words.
    class_of_pattern : tuple of int
        The class of each pattern.

    Examples
    --------
    >>> data = make_planted_patterns(10, random_state=0)
    >>> data.n_transitions
    5
    """

    X: SequenceArray
    y: NDArray[np.int64] = field(repr=False)
    documents: list[list[str]] = field(repr=False)
    planted: NDArray[np.int64] = field(repr=False)
    vectors: dict[str, NDArray[np.float32]] = field(repr=False)
    patterns: tuple[Pattern, ...]
    class_of_pattern: tuple[int, ...]

    @property
    def texts(self) -> list[str]:
        """The documents as strings, tokens joined by spaces."""
        return [" ".join(tokens) for tokens in self.documents]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Number of main-path transitions of each pattern: one for each slot."""
        return tuple(len(pattern) for pattern in self.patterns)

    @property
    def n_transitions(self) -> int:
        """Number of main-path transitions of all patterns."""
        return sum(self.lengths)


def make_planted_patterns(
    n_documents: int = 1000,
    *,
    patterns: Sequence[int] | Sequence[Sequence[Sequence[str]]] | None = None,
    class_of_pattern: Sequence[int] | None = None,
    n_words: int = 100,
    n_features: int = 50,
    length_range: tuple[int, int] = (8, 20),
    max_gap: int = 2,
    n_decoys: int = 2,
    spread: float = 0.3,
    label_noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> PlantedPatterns:
    """Make documents from known soft patterns, decoys and filler words.

    A document of class c > 0 holds one pattern of that class: a word of each slot, in
    order, with at most ``max_gap`` fillers between two slots. A document of class 0
    holds the words of a pattern in a wrong order instead. All hold decoys besides: a
    pattern out of order, a pattern with a wrong word in one slot, or a single slot
    word. Apart from what it was given, no document holds a pattern, with gaps of
    whatever length.

    Parameters
    ----------
    n_documents : int, default=1000
        Number of documents; classes, and patterns within a class, are equally frequent.
    patterns : sequence of int or of patterns, default=None
        Numbers of slots, for which words are invented, three to a slot; or patterns, as
        slots of words, each word in one slot only. None: a bigram, as in "not worth",
        and a trigram, as in "stopped working after".
    class_of_pattern : sequence of int, default=None
        A class from 1 upwards for each pattern, no class left out. None: 1 for all.
    n_words : int, default=100
        Number of filler words. Their frequencies follow Zipf's law.
    n_features : int, default=50
        Length of the word vectors, at least 2.
    length_range : tuple (int, int), default=(8, 20)
        Least and largest number of tokens of a document, both inclusive.
    max_gap : int, default=2
        Most tokens between two consecutive slots.
    n_decoys : int, default=2
        Decoys that are tried in each document; those without room are left out.
    spread : float, default=0.3
        Distance of a word from the centre of its slot before both are scaled to length
        1: the cosine of two words of a slot is about 1 / (1 + spread ** 2). Fillers
        form clusters of three in the same way.
    label_noise : float, default=0.0
        Share of documents, from 0 to 1, whose class is replaced by another one.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same documents in each call. None draws fresh entropy.
        NumPy's global generator is not used.

    Returns
    -------
    PlantedPatterns
        The data with the truth behind them.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range, or documents are too short for a pattern.

    Notes
    -----
    These are the soft patterns of [1]_, section 3. A rational network with one
    automaton for each pattern, one main-path transition for each slot, separates the
    classes: self-loops near 1 on all other words carry a partial match over fillers and
    decoys. Each slot word is as frequent in all classes, and every wrong order occurs,
    so that words tell nothing and shorter automata only approximate the task. Patterns
    of length 1 are the exception: they are words, and they have no decoys.

    More decoys do not make the task harder: they leave a document without patterns
    only a few orders of its words, and shorter automata learn those.

    References
    ----------
    .. [1] Schwartz, Thomson, Smith. "SoPa: Bridging CNNs, RNNs, and Weighted
       Finite-State Machines", ACL 2018. arXiv:1805.06061.

    Examples
    --------
    >>> data = make_planted_patterns(200, patterns=(2, 3), random_state=0)
    >>> data.X.shape, data.y.mean().item(), data.lengths
    ((200,), 0.5, (2, 3))
    >>> (data.vectors[data.documents[0][0]] == data.X[0][0]).all().item()
    True
    """
    rng = generator_of(random_state)
    _check_numbers(n_documents, n_words, n_features, max_gap, n_decoys)
    if not 0 <= spread < np.inf:
        raise ValueError(f"spread must be a number from 0 upwards; got {spread!r}.")
    if not 0 <= label_noise <= 1:
        raise ValueError(f"label_noise must be from 0 to 1; got {label_noise!r}.")
    invented = invented_words(rng)
    slots = check_patterns(patterns, invented)
    classes = _check_classes(class_of_pattern, len(slots))
    lengths = _check_lengths(length_range, max(map(len, slots)), max_gap)

    fillers = filler_words(n_words, slots, invented)
    clusters = [slot for pattern in slots for slot in pattern]
    clusters += [
        tuple(fillers[i : i + WORDS_PER_CLUSTER])
        for i in range(0, n_words, WORDS_PER_CLUSTER)
    ]
    vectors = word_vectors(clusters, n_features, spread, rng)
    planted = _balanced(n_documents, classes, rng)
    writer = DocumentWriter(slots, fillers, max_gap, n_decoys, rng)
    documents = [
        writer.document(p, rng.randint(lengths[0], lengths[1] + 1)) for p in planted
    ]
    y = np.array((*classes, 0), dtype=np.int64)[planted]
    return PlantedPatterns(
        X=_sequences(documents, vectors),
        y=_with_noise(y, max(classes) + 1, label_noise, rng),
        documents=documents,
        planted=planted,
        vectors=vectors,
        patterns=slots,
        class_of_pattern=classes,
    )


def _check_numbers(
    n_documents: int, n_words: int, n_features: int, max_gap: int, n_decoys: int
) -> None:
    """Check the parameters of `make_planted_patterns` that have these names.

    Parameters
    ----------
    n_documents, n_words, n_features, max_gap, n_decoys : int
    """
    for name, value, least in (
        ("n_documents", n_documents, 1),
        ("n_words", n_words, 1),
        ("n_features", n_features, 2),
        ("max_gap", max_gap, 0),
        ("n_decoys", n_decoys, 0),
    ):
        if not is_integer(value):
            raise TypeError(f"{name} must be an integer; got {value!r}.")
        if value < least:
            raise ValueError(f"{name} must be at least {least}; got {value}.")


def _check_classes(classes: Sequence[int] | None, n_patterns: int) -> tuple[int, ...]:
    if classes is None:
        return (1,) * n_patterns
    if np.shape(classes) != (n_patterns,) or not all(map(is_integer, classes)):
        raise ValueError(
            f"class_of_pattern must hold {n_patterns} integers, one for each pattern; "
            f"got {classes!r}."
        )
    if set(classes) != set(range(1, max(classes) + 1)):
        raise ValueError(
            "class_of_pattern must use every class from 1 to its largest one (class 0 "
            f"is that of documents without a pattern); got {classes!r}."
        )
    return tuple(int(c) for c in classes)


def _check_lengths(length_range: Any, longest: int, max_gap: int) -> tuple[int, int]:
    try:
        low, high = length_range
    except (TypeError, ValueError):
        low = high = None
    if not (is_integer(low) and is_integer(high) and low <= high):
        raise ValueError(
            f"length_range must be two integers, low <= high; got {length_range!r}."
        )
    needed = longest + (longest - 1) * max_gap
    if low < needed:
        raise ValueError(
            f"documents of {low} tokens are too short for a pattern of {longest} slots "
            f"with gaps up to {max_gap}: raise length_range to at least {needed}, or "
            "lower max_gap."
        )
    return int(low), int(high)


def _balanced(
    n_documents: int, classes: tuple[int, ...], rng: np.random.RandomState
) -> NDArray[np.int64]:
    """Draw the pattern of each document so that all classes are equally frequent."""
    planted = np.empty(n_documents, dtype=np.int64)
    order = rng.permutation(n_documents)
    n_classes = max(classes) + 1
    for c in range(n_classes):
        choices = [p for p, of in enumerate(classes) if of == c] or [-1]
        members = order[c::n_classes]
        planted[members] = np.resize(choices, len(members))
    return planted


def _with_noise(
    y: NDArray[np.int64], n_classes: int, label_noise: float, rng: np.random.RandomState
) -> NDArray[np.int64]:
    """Give some documents a wrong class.

    Parameters
    ----------
    y : ndarray of shape (n_documents,), int64
        The right ones.
    n_classes : int
    label_noise : float
        The share of wrong ones, from 0 to 1.
    rng : RandomState

    Returns
    -------
    ndarray of shape (n_documents,), int64
    """
    shifts = rng.randint(1, n_classes, size=len(y))
    replaced = rng.uniform(size=len(y)) < label_noise
    return np.where(replaced, (y + shifts) % n_classes, y)


def _sequences(
    documents: list[list[str]], vectors: dict[str, NDArray[np.float32]]
) -> SequenceArray:
    row = {word: i for i, word in enumerate(vectors)}
    return SequenceArray(
        np.stack(list(vectors.values())),
        np.cumsum([0] + [len(tokens) for tokens in documents]),
        indices=[row[token] for tokens in documents for token in tokens],
        labels=list(vectors),
    )
