"""The tokens of a batch step by step: the first of every document, then the second."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Steps", "steps_of"]


class Steps(NamedTuple):
    """Tokens in the order in which a recurrence reads them.

    Documents are sorted by length, the longest first, so that those which are still
    running at a step are the first ones, and none is padded.
    """

    tokens: NDArray[np.int64]
    """The tokens of step 0, then those of step 1, ...: (n_tokens,)."""

    starts: NDArray[np.int64]
    """Where steps begin in ``tokens``: (n_steps + 1,)."""


def steps_of(offsets: NDArray[np.int64]) -> Steps:
    """Order the tokens of documents step by step.

    Parameters
    ----------
    offsets : ndarray of shape (n_documents + 1,), int64
        Where documents begin among the tokens.

    Examples
    --------
    >>> steps_of(np.array([0, 1, 1, 4])).tokens
    array([1, 0, 2, 3])
    """
    sizes = np.diff(offsets)
    longest_first = np.argsort(-sizes, kind="stable")
    n_ended = np.cumsum(np.bincount(sizes))[:-1] if len(sizes) else sizes
    n_running = len(sizes) - n_ended
    starts = np.concatenate([[0], np.cumsum(n_running)])
    step = np.repeat(np.arange(len(n_running)), n_running)
    place = np.arange(starts[-1]) - starts[step]
    return Steps(offsets[:-1][longest_first][place] + step, starts)
