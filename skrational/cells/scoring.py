"""What a cell computes of sequences, where no compiled kernel does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.cells.batches import Corpus
from skrational.sequences import SequenceArray, check_finite
from skrational.sequences.finite import beyond
from skrational.utils.threads import single_thread
from skrational.utils.torch_state import in_own_state

__all__ = ["scores_by_cell"]

_LARGEST_SHARE = 1e-6
"""Of the largest number of a type: what sums of some thousand features stay below."""


@in_own_state
def scores_by_cell(
    make_cell: Callable[[], Any], X: SequenceArray, device: torch.device
) -> NDArray[np.floating]:
    """Score each sequence with each hidden unit of a cell, (n, d).

    Raises by `check_finite` if X holds NaN or infinity. Of features so large that sums
    may pass through infinity on their way to a number, the scores are NaN.
    """
    check_finite(X)
    cell = make_cell()
    cell.to(device)
    with single_thread(), torch.no_grad(), np.errstate(over="ignore"):
        corpus = Corpus(X, cell.A.dtype, device)
        scores = torch.cat([cell.hidden(batch) for batch in corpus.batches()])
    found: NDArray[np.floating] = scores.cpu().numpy()
    large = beyond(X, _LARGEST_SHARE * float(torch.finfo(cell.A.dtype).max))
    if len(large):
        rows = large
        if len(found) != len(X):  # a row is of a token
            owners = np.repeat(np.arange(len(X)), X.lengths)
            rows = np.flatnonzero(np.isin(owners, large))
        found = found.copy()
        found[rows] = np.nan
    return found
