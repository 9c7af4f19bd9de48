"""Documents with known soft patterns, each of which is worth a number of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.datasets._generator import generator_of
from skrational.datasets._vocabulary import Pattern
from skrational.datasets.planted import make_planted_patterns
from skrational.sequences import SequenceArray

__all__ = ["PlantedScores", "make_planted_scores"]


@dataclass(frozen=True, eq=False)
class PlantedScores:
    """What `make_planted_scores` made: the data and the truth behind them.

    Attributes
    ----------
    X : SequenceArray of n_documents sequences
        The documents as word vectors: type-level, float32, labels are the words.
    y : ndarray of shape (n_documents,), float64
        The value of the pattern in the document, 0 without one, plus noise.
    documents : list of list of str
        The tokens.
    planted : ndarray of shape (n_documents,), int64
        Position in ``patterns`` of the pattern in the document, -1 for none.
    vectors : dict of str to ndarray of shape (n_features,), float32
        A vector of length 1 for each word of the vocabulary.
    patterns : tuple of patterns
        A pattern is a tuple of slots, a slot is a tuple of interchangeable words.
    values : tuple of float
        Of each pattern.
    """

    X: SequenceArray
    y: NDArray[np.float64] = field(repr=False)
    documents: list[list[str]] = field(repr=False)
    planted: NDArray[np.int64] = field(repr=False)
    vectors: dict[str, NDArray[np.float32]] = field(repr=False)
    patterns: tuple[Pattern, ...]
    values: tuple[float, ...]

    @property
    def texts(self) -> list[str]:
        """The documents as strings, tokens joined by spaces."""
        return [" ".join(tokens) for tokens in self.documents]

    @property
    def expected(self) -> NDArray[np.float64]:
        """``y`` without its noise, (n_documents,): no prediction is better."""
        return np.array([*self.values, 0.0])[self.planted]


def make_planted_scores(
    n_documents: int = 1000,
    *,
    patterns: Sequence[int] | Sequence[Sequence[Sequence[str]]] | None = None,
    values: ArrayLike | None = None,
    noise: float = 0.2,
    random_state: int | np.random.RandomState | None = None,
) -> PlantedScores:
    """Make documents whose score is the value of the soft pattern that they hold.

    The documents are those of `make_planted_patterns`, with decoys and filler words:
    each word is as frequent whatever the score is, and only their order tells.

    Parameters
    ----------
    n_documents : int, default=1000
        Each pattern, and none, is in equally many.
    patterns : sequence of int or of patterns, default=None
        As for `make_planted_patterns`: None is a bigram and a trigram.
    values : array-like of shape (n_patterns,), default=None
        What each pattern adds to the score. None: 1, -1, 2, -2 and so on.
    noise : float, default=0.2
        Standard deviation of what is added to each score, at least 0.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same documents in each call.

    Returns
    -------
    PlantedScores

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range, or values aren't finite numbers, one for each
        pattern.

    Examples
    --------
    >>> data = make_planted_scores(300, noise=0.0, random_state=0)
    >>> np.unique(data.y, return_counts=True)[1].tolist(), data.values
    ([100, 100, 100], (1.0, -1.0))
    """
    if not isinstance(noise, Real) or not 0 <= float(noise) < np.inf:
        raise ValueError(f"noise is {noise!r}; expected a number from 0 upwards.")
    n_patterns = 2 if patterns is None else len(patterns)
    if values is None:
        values = [(i // 2 + 1) * (1 - i % 2 * 2) for i in range(n_patterns)]
    points = np.asarray(values)
    numeric = points.dtype.kind in "iuf"
    if points.shape != (n_patterns,) or not numeric or not np.isfinite(points).all():
        raise ValueError(
            f"values is {values!r}; expected {n_patterns} finite numbers, one for each "
            "pattern."
        )
    rng = generator_of(random_state)
    data = make_planted_patterns(
        n_documents,
        patterns=patterns,
        class_of_pattern=range(1, n_patterns + 1),
        random_state=rng,
    )
    scores = np.array([*points, 0.0])[data.planted]
    return PlantedScores(
        X=data.X,
        y=scores + noise * rng.standard_normal(len(scores)),
        documents=data.documents,
        planted=data.planted,
        vectors=data.vectors,
        patterns=data.patterns,
        values=tuple(float(value) for value in points),
    )
