"""How often words of texts stand near each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrational.utils.compile import jit, read_only

__all__ = ["count_neighbours"]


def count_neighbours(
    tokens: NDArray[np.int32], offsets: NDArray[np.int64], n_words: int, window: int
) -> csr_array:
    """Count the neighbours of each word, the more the nearer they stand.

    A word at a distance of d tokens counts ``(window + 1 - d) / window``, as in the
    mean over the random windows of word2vec.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
        Numbers of words, below ``n_words``; others aren't counted, but take a place.
    offsets : ndarray of shape (n_texts + 1,), int64
        Where texts begin: words of different texts are no neighbours.
    n_words : int
    window : int
        Distance of the farthest neighbour.

    Returns
    -------
    csr_array of shape (n_words, n_words), float32
        Symmetric.

    Examples
    --------
    >>> tokens, offsets = np.array([0, 1, 1, 0], np.int32), np.array([0, 3, 4])
    >>> count_neighbours(tokens, offsets, 2, 2).toarray().tolist()
    [[0.0, 1.5], [1.5, 2.0]]
    """
    counted = np.flatnonzero(tokens < n_words)
    places = counted[np.argsort(tokens[counted], kind="stable")]
    starts = np.searchsorted(tokens[places], np.arange(n_words + 1))
    ends = np.repeat(offsets[1:], np.diff(offsets))
    begins = np.repeat(offsets[:-1], np.diff(offsets))
    places_of = [read_only(a) for a in (tokens, begins, ends, places, starts)]
    sums, met = np.zeros(n_words), np.empty(n_words, np.int32)
    indptr = np.zeros(n_words + 1, np.int64)
    indices = np.empty(max(1024, 4 * n_words), np.int32)
    data = np.empty(indices.size, np.float32)
    word = 0
    while True:
        word = _count(*places_of, window, word, sums, met, indptr, indices, data)
        if word == n_words:
            break
        more = max(indices.size, n_words)
        indices = np.concatenate((indices, np.empty(more, np.int32)))
        data = np.concatenate((data, np.empty(more, np.float32)))
    n = indptr[-1]
    counts = csr_array((data[:n], indices[:n], indptr), shape=(n_words, n_words))
    counts.sort_indices()
    return counts


@jit
def _count(  # type: ignore[no-untyped-def]
    tokens, begins, ends, places, starts, window, word, sums, met, indptr, indices, data
):
    """Count the neighbours of this word and the next ones, while there is room.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
    begins, ends : ndarray of shape (n_tokens,), int64
        Where the text of each token begins and ends.
    places : ndarray of shape (n_counted,), int64
        Where words stand: those of word 0, then those of word 1, ...
    starts : ndarray of shape (n_words + 1,), int64
        Where words begin in ``places``.
    window, word : int
    sums : ndarray of shape (n_words,), float64
        Zeros, before and after.
    met : ndarray of shape (n_words,), int32
        Room for the neighbours of a word.
    indptr : ndarray of shape (n_words + 1,), int64
    indices : ndarray of shape (n,), int32
    data : ndarray of shape (n,), float32
        Where counts are written, as of a sparse array; each row's in any order.

    Returns
    -------
    int
        The first word not counted; ``n_words`` if all are.
    """
    n_words, n = met.size, indptr[word]
    while word < n_words:
        n_met = 0
        for i in range(starts[word], starts[word + 1]):
            place = places[i]
            first = max(begins[place], place - window)
            last = min(ends[place], place + window + 1)
            for other in range(first, last):
                neighbour = tokens[other]
                if other == place or neighbour >= n_words:
                    continue
                if sums[neighbour] == 0:
                    met[n_met] = neighbour
                    n_met += 1
                sums[neighbour] += (window + 1 - abs(other - place)) / window
        fits = n + n_met <= indices.size
        for i in range(n_met):
            if fits:
                indices[n + i], data[n + i] = met[i], sums[met[i]]
            sums[met[i]] = 0
        if not fits:
            break
        n += n_met
        word += 1
        indptr[word] = n
    return word
