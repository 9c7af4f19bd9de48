"""What a cell computes of sequences, where no compiled kernel does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.cells.batches import Corpus
from skrational.sequences import SequenceArray, check_finite
from skrational.utils.threads import single_thread
from skrational.utils.torch_state import in_own_state

__all__ = ["scores_by_cell"]


@in_own_state
def scores_by_cell(
    make_cell: Callable[[], Any], X: SequenceArray, device: torch.device
) -> NDArray[np.floating]:
    """Score each sequence with each hidden unit of a cell, (n, d).

    Raises by `check_finite` if X holds NaN or infinity.
    """
    check_finite(X)
    cell = make_cell()
    corpus = Corpus(X, cell.A.dtype, device)
    cell.to(device)
    with single_thread(), torch.no_grad():
        scores = torch.cat([cell.hidden(batch) for batch in corpus.batches()])
    return np.asarray(scores.cpu().numpy())
