"""The words that transitions are read by, each with its feature row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.model import Model
from skrational.sequences import SequenceArray

__all__ = ["Vocabulary", "read_vocabulary"]

# A word that fewer than one of so many documents hold says little of the corpus.
_DOCUMENTS_PER_WORD = 150


class Vocabulary(NamedTuple):
    """Words, their rows, and how often a corpus holds them.

    Attributes
    ----------
    words : list of str, length n_words
        Labels; without labels "#0", "#1", ..., the numbers of the rows. Each occurs
        once, a label of several rows with its first one.
    rows : ndarray of shape (n_words, n_features)
    counts : ndarray of shape (n_words,) or None
        None without a corpus.
    n_documents : int
        Of the corpus.
    """

    words: list[str]
    rows: NDArray[Any]
    counts: NDArray[np.integer] | None
    n_documents: int

    def frequent(self, min_count: int | None) -> NDArray[np.bool_]:
        """Return whether each word occurs so often; all do without a corpus.

        None: once for every 150 documents.
        """
        if self.counts is None:
            return np.ones(len(self.words), bool)
        if min_count is None:
            min_count = self.n_documents // _DOCUMENTS_PER_WORD
        return np.asarray(self.counts >= min_count)


def read_vocabulary(model: Model, X: Any = None) -> Vocabulary:
    """Return the words and their rows.

    Parameters
    ----------
    model : Model
    X : SequenceArray, array-like or None, default=None
        Documents, whose words are taken, in the form that the classifier or its
        pipeline reads: all rows of a SequenceArray, also those without a token. None:
        the table of the pipeline's vectorizer, as its ``vocabulary()`` returns it.

    Returns
    -------
    Vocabulary

    Raises
    ------
    ValueError
        If X is None and there is no vectorizer with a vocabulary, or X is not what is
        read.
    """
    sequences = model.read(_vocabulary(model) if X is None else X)
    features, n_documents = sequences.features, len(sequences)
    labels: Any = sequences.labels
    if labels is None:
        labels = [f"#{row}" for row in range(len(features))]
    first: dict[str, int] = {}
    word_of = np.array([first.setdefault(str(w), len(first)) for w in labels], np.intp)
    _, rows = np.unique(word_of, return_index=True)
    counts = None
    if X is not None:
        words = word_of[sequences.row_numbers()]
        counts = np.bincount(words, minlength=len(first))
    return Vocabulary(list(first), features[rows], counts, n_documents)


def _vocabulary(model: Model) -> SequenceArray:
    for step in reversed(model.vectorizers):
        if hasattr(step, "vocabulary"):
            return step.vocabulary()
    raise ValueError(
        "X is None, and there is no vectorizer before the classifier whose vocabulary "
        "could be read; expected documents (a SequenceArray with labels names them), "
        "or a Pipeline with a WordVectorizer."
    )
