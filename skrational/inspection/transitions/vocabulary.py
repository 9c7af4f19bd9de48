"""The words that transitions are read by, each with its feature row."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from skrational.inspection.model import Model
from skrational.sequences import SequenceArray

__all__ = ["read_vocabulary"]


def read_vocabulary(model: Model, X: Any = None) -> tuple[list[str], NDArray[Any]]:
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
    words : list of str, length n_words
        Labels; without labels "#0", "#1", ..., the numbers of the rows. Each occurs
        once, a label of several rows with its first one.
    rows : ndarray of shape (n_words, n_features)

    Raises
    ------
    ValueError
        If X is None and there is no vectorizer with a vocabulary, or X is not what is
        read.
    """
    if X is None:
        X = _vocabulary(model)
    sequences = model.read(X)
    if sequences.labels is None:
        return [f"#{row}" for row in range(len(sequences.features))], sequences.features
    first: dict[str, int] = {}
    for row, label in enumerate(sequences.labels):
        first.setdefault(str(label), row)
    return list(first), sequences.features[list(first.values())]


def _vocabulary(model: Model) -> SequenceArray:
    for step in reversed(model.vectorizers):
        if hasattr(step, "vocabulary"):
            return step.vocabulary()
    raise ValueError(
        "X is None, and there is no vectorizer before the classifier whose vocabulary "
        "could be read; expected documents (a SequenceArray with labels names them), "
        "or a Pipeline with a WordVectorizer."
    )
