"""Where words get their vectors: from a table, or drawn where the table lacks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skrational.text.vectors.tables import Table
from skrational.text.words.encoded_texts import EncodedTexts

__all__ = ["WordSource", "count_missing", "draw_vectors", "scale_rows"]


@dataclass(frozen=True, eq=False)
class WordSource:
    """Where the vectors of words come from.

    Parameters
    ----------
    table : VectorTable or VectorDict
        The vectors of most words.
    special : mapping from str to ndarray of shape (n_features,)
        The vectors of words that the table lacks.
    unknown : ndarray of shape (n_features,) or None
        The vector of all others; None if they are left out.
    unit_norm : bool
        Whether to scale the vectors of the table to Euclidean length 1.

    Examples
    --------
    >>> from skrational.text.vectors.loading import load_table
    >>> special, unknown = {"</s>": np.float32([0, 1])}, np.float32([0, 0])
    >>> source = WordSource(load_table({"good": [2.0, 0.0]}), special, unknown, True)
    >>> source.take(["</s>", "good", None]).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    """

    table: Table
    special: Mapping[str, NDArray[np.float32]]
    unknown: NDArray[np.float32] | None
    unit_norm: bool

    def __contains__(self, word: object) -> bool:
        return word in self.table or word in self.special

    def same_as(self, other: WordSource) -> bool:
        """Whether the other one gives the same vectors."""
        return (
            self.table.vectors is other.table.vectors
            and self.special is other.special
            and self.unknown is other.unknown
            and self.unit_norm == other.unit_norm
        )

    def take(self, words: list[str | None]) -> NDArray[np.float32]:
        """Return the vectors of known words, and of None that of all others.

        Parameters
        ----------
        words : list of str or None

        Returns
        -------
        ndarray of shape (len(words), n_features), float32

        Raises
        ------
        ValueError
            If one of them holds NaN or infinity; the message names the word.
        """
        rows = np.empty((len(words), self.table.n_features), dtype=np.float32)
        places = {
            w: i for i, w in enumerate(words) if w is not None and w in self.table
        }
        vectors = self.table.take(list(places))
        rows[list(places.values())] = scale_rows(vectors) if self.unit_norm else vectors
        for i, word in enumerate(words):
            if word is None:
                rows[i] = self.unknown
            elif word not in places:
                rows[i] = self.special[word]
        return rows


def scale_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to Euclidean length 1; zeros stay zero.

    Examples
    --------
    >>> scale_rows(np.float32([[3, 4], [0, 0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
    # The squares of other numbers are too large or small for single precision.
    odd = ~((norms > 1e-15) & (norms < 1e18)).ravel()
    if odd.any():
        exact = rows[odd].astype(float)
        norm = np.linalg.norm(exact, axis=1, keepdims=True)
        norms[odd] = 1
        rows = rows.copy()
        rows[odd] = exact / np.where(norm > 0, norm, 1)
    return np.asarray(rows / norms, dtype=np.float32)


def draw_vectors(
    table: Table,
    start_token: str | None,
    end_token: str | None,
    unit_norm: bool,
    random_state: int | np.random.RandomState | None,
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
    """Draw vectors for the start and end tokens that a table lacks, and for unknowns.

    Parameters
    ----------
    table : VectorTable or VectorDict
    start_token, end_token : str or None
    unit_norm : bool
        Whether to scale the vectors to Euclidean length 1.
    random_state : int, RandomState instance or None
        None means fresh entropy: numpy's global generator stays as it is.

    Returns
    -------
    special : dict from str to ndarray of shape (n_features,)
    unknown : ndarray of shape (n_features,)

    Examples
    --------
    >>> from skrational.text.vectors.loading import load_table
    >>> table = load_table({"good": [1.0, 0.0]})
    >>> special, unknown = draw_vectors(table, "good", "</s>", True, 0)
    >>> list(special), unknown.shape
    (['</s>'], (2,))
    """
    rng = np.random.RandomState() if random_state is None else None
    rng = rng or check_random_state(random_state)
    # Always three draws: a vector doesn't depend on which others are needed.
    drawn = rng.uniform(-0.25, 0.25, size=(3, table.n_features)).astype(np.float32)
    unknown, start, end = scale_rows(drawn) if unit_norm else drawn
    # Equal tokens take the vector of the start token.
    given = {end_token: end, start_token: start}
    special = {
        token: vector
        for token, vector in given.items()
        if token is not None and token not in table
    }
    return special, unknown


def count_missing(
    encoded: EncodedTexts, is_known: Mapping[str, bool], left_out: set[str | None]
) -> tuple[Counter[str], int]:
    """Count the words that have no vector.

    Parameters
    ----------
    encoded : EncodedTexts
    is_known : mapping from str to bool
        Whether a word has a vector, in the order of their numbers.
    left_out : set of (str or None)
        What isn't counted: the start and end tokens.

    Returns
    -------
    missing : Counter
        How often each word without a vector occurs.
    n_words : int
        How many words there are, with a vector or without.
    """
    counts = encoded.count_words(len(is_known)).tolist()
    numbers = Counter(dict(zip(is_known, counts, strict=True)))
    for token in left_out & numbers.keys():
        del numbers[token]
    missing = Counter({w: n for w, n in numbers.items() if not is_known[w]})
    return missing, numbers.total()
