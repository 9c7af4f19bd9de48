"""The adding problem: numbers, two of which are marked, and the sum of these two."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skrational.datasets._generator import generator_of
from skrational.sequences import SequenceArray
from skrational.sequences.parts import offsets_of
from skrational.utils.checks import check_count, is_integer

__all__ = ["make_adding"]


def make_adding(
    n_sequences: int = 1000,
    length: int | tuple[int, int] = 50,
    *,
    markers: Literal["anywhere", "halves"] = "anywhere",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[SequenceArray, NDArray[np.float64]]:
    """Make sequences of numbers whose two marked ones are to be added.

    Parameters
    ----------
    n_sequences : int, default=1000
        Number of sequences.
    length : int or tuple (int, int), default=50
        Number of tokens, at least 2; or least and largest number, both inclusive.
    markers : {"anywhere", "halves"}, default="anywhere"
        Which tokens are marked: any two, or one in each half.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same sequences in each call. None draws fresh entropy.
        NumPy's global generator is not used.

    Returns
    -------
    X : SequenceArray of n_sequences sequences, float32
        Tokens of two features: a number, uniform from 0 to 1, and 1 if it is marked, 0
        if not.
    y : ndarray of shape (n_sequences,)
        The sum of the two marked numbers. Its variance, the mean squared error of
        who answers 1 always, is 1/6.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The problem is that of [1]_, section 5.4, in the form of [2]_, section 4.1. The
    longer the sequences, the harder it is.

    References
    ----------
    .. [1] Hochreiter, Schmidhuber. "Long Short-Term Memory", Neural Computation 9(8),
       1997.
    .. [2] Le, Jaitly, Hinton. "A Simple Way to Initialize Recurrent Networks of
       Rectified Linear Units", 2015. arXiv:1504.00941.

    Examples
    --------
    >>> X, y = make_adding(3, length=(4, 6), random_state=0)
    >>> X.lengths
    array([4, 5, 4])
    >>> values, marked = X[0].T
    >>> marked.sum().item(), bool(np.isclose(values @ marked, y[0]))
    (2.0, True)
    """
    rng = generator_of(random_state)
    check_count("n_sequences", n_sequences)
    low, high = _check_length(length)
    if markers not in ("anywhere", "halves"):
        raise ValueError(f'markers must be "anywhere" or "halves"; got {markers!r}.')

    lengths = rng.randint(low, high + 1, n_sequences)
    offsets = offsets_of(lengths)
    halves = lengths // 2
    if markers == "halves":
        first, second = rng.randint(halves), rng.randint(halves, lengths)
    else:
        first, second = rng.randint(lengths), rng.randint(lengths - 1)
        # The second is drawn from the places that the first has left.
        second += second >= first
    marked = offsets[:-1] + np.stack([first, second])
    X = np.zeros((offsets[-1], 2), dtype=np.float32)
    X[:, 0] = rng.uniform(size=len(X))
    X[marked, 1] = 1
    return SequenceArray(X, offsets), X[marked, 0].sum(axis=0, dtype=np.float64)


def _check_length(length: Any) -> tuple[int, int]:
    low, high = (length, length) if is_integer(length) else _pair(length)
    if not (is_integer(low) and is_integer(high) and 2 <= low <= high):
        raise ValueError(
            "length must be an integer from 2 upwards, or two of them, low <= high; "
            f"got {length!r}."
        )
    return int(low), int(high)


def _pair(value: Any) -> tuple[Any, Any]:
    try:
        low, high = value
    except (TypeError, ValueError):
        return None, None
    return low, high
