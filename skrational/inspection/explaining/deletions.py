"""What each token does to a prediction, by predicting without it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.model import Model, log_odds
from skrational.sequences import SequenceArray

__all__ = ["effects_by_deletion", "pieces"]

_MOST_TOKENS = 2**18
"""Of shortened documents that are predicted at once."""


def effects_by_deletion(
    model: Model,
    X: SequenceArray,
    logits: NDArray[np.float64],
    classes: NDArray[np.intp],
) -> NDArray[np.float64]:
    """What each token alone adds to the log-odds of a class, for any classifier.

    A document of T tokens takes T predictions of documents of T - 1, some of which are
    made at once.

    Parameters
    ----------
    model : Model
    X : SequenceArray
        n documents.
    logits : ndarray of shape (n, n_outputs)
        What the classifier computes of them.
    classes : ndarray of shape (n,), integer
        Number of the class, for each document.

    Returns
    -------
    ndarray of shape (n_tokens,), float64
        Log-odds of the document less those of the document without the token.
    """
    document = np.repeat(np.arange(len(X)), X.lengths)
    odds = log_odds(logits, classes)[document]
    for piece in pieces(X.lengths[document], _MOST_TOKENS):
        without = model.predict(_without_each(X, document[piece], piece.start))
        odds[piece] -= log_odds(without.logits, classes[document[piece]])
    return odds


def pieces(costs: NDArray[np.integer], most: int) -> Iterator[slice]:
    """Cut a row of things into pieces that cost at most so much, or are single.

    Examples
    --------
    >>> list(pieces(np.array([2, 2, 2, 9, 1]), 4))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    ends = np.cumsum(costs)
    start = 0
    while start < len(costs):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + most, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop


def _without_each(
    X: SequenceArray, document: NDArray[np.intp], first: int
) -> SequenceArray:
    """Leave out one token after the other, each from a copy of its document.

    Parameters
    ----------
    X : SequenceArray
    document : ndarray of shape (n,)
        The document of each of n tokens that follow one another.
    first : int
        The first one's number in X.

    Returns
    -------
    SequenceArray
        n documents.
    """
    lengths = X.lengths[document] - 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens = np.arange(offsets[-1])
    tokens += np.repeat(X.offsets[document] - offsets[:-1], lengths)
    deleted = np.arange(first, first + len(document))
    tokens += tokens >= np.repeat(deleted, lengths)
    return SequenceArray(X.features, offsets, X.row_numbers()[tokens], X.labels)
