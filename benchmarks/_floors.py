"""What no training step on a CPU does without: gathered vectors and matrix products.

Each floor computes in memory that it keeps, on random numbers, nothing but that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks import _harness as harness
from skrational import SequenceArray

NAME = "floor"

Step = Callable[[], None]


def projection(X: SequenceArray, n_columns: int) -> Step:
    """Distinct rows, gather and two products; without repeats the products alone."""
    table, ids = torch.from_numpy(np.array(X.features)), X.indices
    n_distinct = X.n_tokens if ids is None else len(np.unique(ids))
    x = torch.empty(n_distinct, X.n_features)
    weight = torch.randn(n_columns, X.n_features)
    z, dW = torch.empty(n_distinct, n_columns), torch.empty_like(weight)
    number = np.empty(len(table), np.int32)

    def step() -> None:
        if ids is not None:
            distinct = np.flatnonzero(np.bincount(ids, minlength=len(table)))
            number[distinct] = np.arange(len(distinct), dtype=np.int32)
            number[ids]
            torch.index_select(table, 0, torch.from_numpy(distinct), out=x)
        rows = table if ids is None else x
        torch.mm(rows, weight.T, out=z)
        torch.mm(z.T, rows, out=dW)

    return step


def recurrence(X: SequenceArray, n_units: int, n_columns: int) -> Step:
    """`projection`, and the products of the states, token by token, with weights.

    Parameters
    ----------
    X : SequenceArray
        Documents of equal length.
    n_units, n_columns : int
        Units, and what they and the features are multiplied to: 4 units of an LSTM.
    """
    of_features, n_steps = projection(X, n_columns), X.n_tokens // len(X)
    ahead = torch.randn(n_units, n_columns)
    back = ahead.T.contiguous()
    states = torch.randn(n_steps, len(X), n_units)
    columns = torch.randn(n_steps, len(X), n_columns)
    products, d_states = torch.empty_like(columns[0]), torch.empty_like(states[0])
    dW = torch.empty_like(back)

    def step() -> None:
        of_features()
        for t in range(n_steps):
            torch.mm(states[t], ahead, out=products)
        for t in range(n_steps):
            torch.mm(columns[t], back, out=d_states)
        torch.mm(columns.view(-1, n_columns).T, states.view(-1, n_units), out=dW)

    return step


def print_share(times: dict[str, harness.Times]) -> None:
    """Print how long a step of ours takes over the floor, if that has run, too."""
    if NAME in times:
        share = harness.ratio(times[harness.OURS], times[NAME])
        print(f"\n{harness.OURS} / {NAME}: {share:.2f}", flush=True)
