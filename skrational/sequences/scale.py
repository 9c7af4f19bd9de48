"""The scale of features: whether a network can learn from numbers of this size.

A step of Adam moves each weight by about the learning rate, so it moves the logit of a
transition by about the learning rate times the sum of a row's absolute values. With the
default of 0.02, planted patterns in vectors of 10, 50 and 300 features are learned if
these sums are 1 to 50, and worse and worse up to 150. Beyond 220 and below 0.25 next to
nothing is. Rows of length 1 have sums of about 3, 6 and 14. Sequences of one step have
no order to learn: tables of 784 standardised columns, whose sums are about 630, suffer
nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences.array import SequenceArray
from skrational.sequences.finite import place_of, used_rows
from skrational.utils.memory_maps import read_rows, release

__all__ = ["extreme_value", "odd_scale"]

_LEAST, _MOST, _MOST_OF_ONE_STEP = 0.25, 220.0, 1000.0
_EXTREME = 1e6
_PROBED_TOKENS = 1024
_DOMINANT = 0.9
_CURE = (
    "Scale them, so that rows have lengths of about 1 to 10: by unit_norm=True of the "
    "vectorizers, or for measurements by TimeStepTransformer(StandardScaler()) and, of "
    "very many channels, a division by the square root of their number."
)


def odd_scale(X: SequenceArray) -> str:
    """Say what is wrong with the scale of the features; nothing if it suits a network.

    Some tokens, spread over all documents, stand for the others.

    Parameters
    ----------
    X : SequenceArray
        At least one token.

    Returns
    -------
    str

    Examples
    --------
    >>> odd_scale(SequenceArray(np.eye(3), [0, 3]))
    ''
    >>> odd_scale(SequenceArray(1e30 * np.eye(3), [0, 3]))
    "The features of X are so large that little may be learned from them: the absolute
    values of a token's features add up to 1e+30 (median); expected 0.25 to 220. ..."
    """
    n_probed = min(X.n_tokens, _PROBED_TOKENS)
    tokens = np.linspace(0, X.n_tokens - 1, n_probed).astype(np.int64)
    rows = tokens if X.indices is None else X.indices[tokens]
    sizes = np.abs(read_rows(X.features, rows).astype(np.float64))
    with np.errstate(over="ignore"):
        sums = sizes.sum(axis=1)
    if not sums.any():  # zero vectors, as of unknown words, say nothing
        return ""
    median = float(np.median(sums[sums > 0]))
    most = _MOST_OF_ONE_STEP if X.lengths.max() == 1 else _MOST
    if _LEAST <= median <= most:
        return ""
    return (
        f"The features of X are so {'large' if median > most else 'small'} that little "
        "may be learned from them: the absolute values of a token's features add up to "
        f"{median:.3g} (median){_dominant(sizes)}; expected {_LEAST:g} to {most:g}. "
        f"{_CURE}"
    )


def _dominant(sizes: NDArray[Any]) -> str:
    """Name the feature that makes up most of (n_tokens, n_features) absolute values."""
    if sizes.shape[1] == 1:
        return ""
    shares = np.mean(sizes / sizes.max(), axis=0)
    largest = int(shares.argmax())
    if shares[largest] < _DOMINANT * shares.sum():
        return ""
    return f", nearly all of it in feature {largest}"


def extreme_value(X: SequenceArray) -> str:
    """Say where the largest value stands if that lets training diverge, else nothing.

    Unlike `odd_scale` this reads all of X.
    """
    largest, row = 0.0, 0
    rows = X.features
    for used in used_rows(X):
        peaks = np.abs(rows[used]).max(axis=1, initial=0)
        release(rows)
        if peaks.max(initial=0) > largest:
            largest, row = float(peaks.max()), int(used[peaks.argmax()])
    if largest <= _EXTREME:
        return ""
    return f"X holds values as large as {largest:.3g}: {place_of(X, row)}. {_CURE}"
