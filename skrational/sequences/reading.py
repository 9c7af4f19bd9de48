"""Sequences in any accepted form, read as one container."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skrational.exceptions import SequenceError
from skrational.sequences.array import SequenceArray
from skrational.sequences.forms import (
    Form,
    as_floats,
    form_of,
    read_list,
    read_padded,
    take_column,
)

__all__ = ["as_sequences", "pack"]

_STRINGS = (
    "X holds strings; expected sequences of one vector a token. Put a text vectorizer "
    "in front of the estimator, for instance make_pipeline(WordVectorizer(), "
    "estimator)."
)


def as_sequences(
    X: Any,
    *,
    lengths: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    allow_nan: bool = False,
) -> SequenceArray:
    """Read any accepted form of sequences as a `SequenceArray`.

    Parameters
    ----------
    X : SequenceArray, list, ndarray, tensor, column or data frame
        One of: a SequenceArray (returned as it is); a list, an object array or a column
        of pandas, polars or Arrow of arrays or nested lists of shape (T_i, n_features),
        T_i >= 0; a three-dimensional array of shape (n_sequences, T, n_features),
        padded at the end of each sequence with rows of NaN unless ``lengths`` is given;
        a two-dimensional array or data frame of shape (n_sequences, n_features), read
        as sequences of one vector.
    lengths : array-like of shape (n_sequences,), integer, default=None
        Numbers of tokens, for a three-dimensional X.
    labels : array-like of shape (n_tokens,), str, default=None
        What to show for each token.
    allow_nan : bool, default=False
        Whether NaN may stand before the end of padded sequences too, for values that
        are missing; see `TimeStepTransformer`.

    Returns
    -------
    SequenceArray

    Raises
    ------
    TypeError
        If X holds strings or is a sparse matrix.
    SequenceError
        (a ValueError) if the shapes do not fit together, or NaN stands before the end
        of a padded sequence.

    Examples
    --------
    >>> import numpy as np
    >>> as_sequences([np.zeros((3, 5)), np.zeros((0, 5)), np.ones((1, 5))])
    SequenceArray(3 sequences, 4 tokens of 5 features in 4 rows, token-level)
    >>> padded = np.ones((2, 3, 5))
    >>> padded[0, 1:] = np.nan
    >>> as_sequences(padded).lengths
    array([1, 3])
    """
    if lengths is not None and getattr(X, "ndim", None) != 3:
        raise SequenceError("lengths goes with a three-dimensional X only.")
    if isinstance(X, SequenceArray):
        if labels is not None:
            raise SequenceError("X is a SequenceArray, which has its own labels.")
        return X
    X = take_column(X)
    if isinstance(X, SequenceArray):
        if labels is None:
            return X
        return SequenceArray(X.features, X.offsets, labels=labels)
    return pack(X, form_of(X), lengths, labels, allow_nan)


def pack(
    X: Any,
    form: Form,
    lengths: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    allow_nan: bool = False,
) -> SequenceArray:
    """Pack sequences whose form is known.

    Parameters
    ----------
    X : list, ndarray or tensor
    form : Form
        As `form_of` returns it.
    lengths : array-like of shape (n_sequences,), default=None
        Numbers of tokens, for the form "padded".
    labels : array-like of shape (n_tokens,), default=None
    allow_nan : bool, default=False

    Returns
    -------
    SequenceArray

    Raises
    ------
    TypeError, SequenceError
        As `as_sequences`.
    """
    if form == "sparse":
        raise TypeError(
            "X is a sparse matrix, such as TF-IDF; expected sequences of one dense "
            "vector a token. sparse input is not supported: for texts, put "
            "WordVectorizer() in the place of what made it."
        )
    if form == "strings":
        raise TypeError(_STRINGS)
    if form == "ragged":
        return SequenceArray(*read_list(list(X)), labels=labels)
    array = as_floats(X) if np.ma.isMaskedArray(X) else np.asarray(X)
    if array.ndim == 3:
        return SequenceArray(*read_padded(array, lengths, allow_nan), labels=labels)
    if array.ndim == 2:
        return SequenceArray(array, np.arange(len(array) + 1), labels=labels)
    raise SequenceError(
        f"X has {array.ndim} dimensions (shape {array.shape}); expected a "
        "SequenceArray, a list of arrays of shape (T_i, n_features), or an array of 2 "
        "or 3 dimensions."
    )
