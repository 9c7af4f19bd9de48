"""The tokens of a batch step by step: the first of every document, then the second."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Steps", "run_steps", "steps_of"]


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


def run_steps(
    step: Callable[..., tuple[Tensor, ...]],
    initial: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> Tensor:
    """Run over the documents and return the first state after each token.

    Parameters
    ----------
    step : callable
        Takes the rows of some tokens and the states before them, and returns the states
        after them.
    initial : Tensor of shape (n_states, n_documents, H)
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    """
    steps = steps_of(offsets)
    rows = _on(initial.device, ids[steps.tokens])
    states: Any = initial.unbind(0)
    after = [initial[0, :0]]
    for start, stop in pairwise(steps.starts.tolist()):
        states = step(rows[start:stop], *(state[: stop - start] for state in states))
        after.append(states[0])
    return torch.cat(after)[_on(initial.device, np.argsort(steps.tokens))]


def _on(device: torch.device, index: NDArray[Any]) -> Tensor:
    return torch.from_numpy(index.astype(np.int64)).to(device)
