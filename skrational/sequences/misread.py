"""Arrays that may have been meant in another way than the one they are read in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["likely_misread"]

_FEW_COLUMNS = 20
_LARGEST_PIXEL = 255
_MOST_PROBED = 1000

_ONE_VECTOR = (
    "X, an array of shape {shape}, is read as {n} sequences of one vector each, in "
    "which there is no order to learn. "
)


def likely_misread(X: Any) -> str:
    """Say what an array may have been meant to be; nothing if there is no doubt.

    Three forms are read without complaint and mean something else: bags of words, such
    as dense TF-IDF, where most numbers are 0; numbers of tokens, integers beyond what a
    pixel holds; and sequences that are padded with rows of zeros.

    Parameters
    ----------
    X : object
        Sequences in any form; only arrays of two or three dimensions are looked at.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> likely_misread(np.ones((3, 30)))
    ''
    >>> print(likely_misread(np.eye(30)))
    X, an array of shape (30, 30), is read as 30 sequences of one vector each, in which
    there is no order to learn. Most of its numbers are 0, as in TF-IDF or counts: ...
    """
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "iuf" or X.size == 0:
        return ""
    some = X[np.linspace(0, len(X) - 1, min(len(X), _MOST_PROBED)).astype(int)]
    if X.ndim == 2:
        fault = _of_a_matrix(some)
        return fault and _ONE_VECTOR.format(shape=X.shape, n=len(X)) + fault
    return _of_padding(some) if X.ndim == 3 else ""


def _of_a_matrix(X: NDArray[Any]) -> str:
    if X.shape[1] < _FEW_COLUMNS:
        return ""
    if X.dtype.kind in "iu" and X.min() >= 0 and X.max() > _LARGEST_PIXEL:
        return (
            f"Its integers, up to {X.max()}, may be numbers of tokens: give the texts "
            "to make_pipeline(WordVectorizer(), estimator) or, with a table of "
            "vectors, [table[row] for row in X]."
        )
    if np.count_nonzero(X) < X.size / 2:
        return (
            "Most of its numbers are 0, as in TF-IDF or counts: a vectorizer of single "
            "words in order, such as WordVectorizer(), belongs in their place. Series "
            "of one channel are X[:, :, None]."
        )
    return ""


def _of_padding(X: NDArray[Any]) -> str:
    """Say if most sequences (n, T, n_features) end in zeros, after other vectors."""
    is_zero = np.logical_not(X.any(axis=2))
    is_padded = is_zero[:, -1] & np.logical_not(is_zero.all(axis=-1))
    if is_padded.sum() <= len(X) / 2:
        return ""
    return (
        "The sequences of X mostly end in rows "
        "of zeros, which are read as tokens. If they are padding, tell where sequences "
        "end: by as_sequences(X, lengths=...), or with NaN in place of the zeros."
    )
