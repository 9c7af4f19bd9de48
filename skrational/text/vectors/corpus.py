"""Word vectors learned from the texts at hand: positive PMI and its main directions.

Words are alike that stand near the same words. How much more often than by chance two
words are neighbours is their pointwise mutual information (PMI); the singular vectors
of the matrix of what is positive of it are the word vectors.

Levy, Goldberg, Dagan, "Improving Distributional Similarity with Lessons Learned from
Word Embeddings", TACL 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd

from skrational.text.vectors.cooccurrence import count_neighbours
from skrational.text.vectors.tables import VectorTable
from skrational.text.vectors.word_source import scale_rows
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.text.words.lexicon import Lexicon
from skrational.utils.threads import single_blas_thread

__all__ = ["LearnedTable", "learn_vectors", "main_directions", "positive_pmi"]

_SMOOTHING = 0.75
"""Frequencies of neighbours to this power are what chance is: else rare ones count too
much (Levy et al., section 3.2)."""
_MOST_WORDS = 2**16
"""The most frequent words; others are too rare for a vector in any corpus so large."""
_N_ITERATIONS = 4


@dataclass(frozen=True, eq=False)
class LearnedTable(VectorTable):
    """Vectors that are nowhere else: a pickle has to hold them."""


def learn_vectors(
    encoded: EncodedTexts,
    lexicon: Lexicon,
    n_features: int,
    window: int,
    min_count: int,
) -> LearnedTable:
    """Learn a vector for each word that is frequent enough.

    Parameters
    ----------
    encoded : EncodedTexts
    lexicon : Lexicon
        Has numbered the words.
    n_features : int
        Width of the vectors, or the number of words if that is less.
    window : int
        How far away a neighbour may be, in tokens.
    min_count : int
        How often a word has to occur.

    Returns
    -------
    LearnedTable
        The most frequent word first; vectors of Euclidean length 1, float16.

    Raises
    ------
    ValueError
        If no word is frequent enough, or none has a neighbour.
    """
    counts = encoded.count_words(len(lexicon))
    by_frequency = np.argsort(-counts, kind="stable")
    numbers = by_frequency[: np.count_nonzero(counts >= min_count)][:_MOST_WORDS]
    if not len(numbers):
        raise ValueError(
            f"No word of the texts occurs min_count={min_count} times: no vectors can "
            "be learned. Give more texts, a lower min_count, or vectors from elsewhere."
        )
    rank = np.full(len(lexicon), len(numbers), np.int32)
    rank[numbers] = np.arange(len(numbers))
    neighbours = count_neighbours(
        rank[encoded.tokens], encoded.offsets, len(numbers), window
    )
    if not neighbours.nnz:
        raise ValueError(
            "No word that is frequent enough has another one beside it: no vectors can "
            "be learned from texts of single words. Give vectors from elsewhere."
        )
    rows = scale_rows(main_directions(positive_pmi(neighbours), n_features))
    index = {word: row for row, word in enumerate(lexicon.words(numbers))}
    return LearnedTable(index, rows.astype(np.float16), "the texts of fit")


def positive_pmi(counts: csr_array) -> csr_array:
    """Take counts of neighbours to what is positive of their PMI.

    Parameters
    ----------
    counts : csr_array of shape (n_words, n_words)

    Returns
    -------
    csr_array of shape (n_words, n_words), float32
        Of row w and column c is
        ``max(0, log(p(w, c) / (p(w) p(c))))``, where p(c) is proportional to the count
        of c to the power of .75.

    Examples
    --------
    >>> counts = csr_array(np.float32([[0, 2], [2, 4]]))
    >>> positive_pmi(counts).toarray().astype(float).round(3).tolist()
    [[0.0, 0.364], [0.089, 0.0]]
    """
    n = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    chance = n**_SMOOTHING
    chance /= chance.sum()
    rows = np.repeat(np.arange(len(n)), np.diff(counts.indptr))
    pmi = np.log(counts.data / (n[rows] * chance[counts.indices]))
    found = csr_array(
        (np.maximum(pmi, 0).astype(np.float32), counts.indices, counts.indptr),
        shape=counts.shape,
    )
    found.eliminate_zeros()
    return found


def main_directions(matrix: csr_array, n_features: int) -> NDArray[np.float32]:
    """Coordinates of rows along the leading singular vectors.

    Parameters
    ----------
    matrix : csr_array of shape (n_words, n_words), float32
    n_features : int

    Returns
    -------
    ndarray of shape (n_words, min(n_words, n_features)), float32
        Singular vectors times the roots of the singular values (Levy et al., section
        3.3): all directions count, the leading ones more.
    """
    width = min(n_features, *matrix.shape)
    with single_blas_thread():
        left, values, _ = randomized_svd(
            matrix, width, n_iter=_N_ITERATIONS, random_state=0
        )
    rows: NDArray[Any] = left * np.sqrt(values)
    return rows.astype(np.float32)
