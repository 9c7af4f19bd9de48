"""The parameters of a classifier as data for the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skrational.penalties.group_lasso import GroupLasso
from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase

__all__ = ["finetune", "optimization", "phases", "regularize", "spread_lengths"]


def phases(params: Any) -> list[Phase]:
    """Name the phases of a fit: warm up, regularize, finetune."""
    named = [warmup(params), regularize(params), finetune(params)]
    return [phase for phase in named if phase.epochs]


def warmup(params: Any) -> Phase:
    """Train before the penalty sets in."""
    return Phase("warmup", params.warmup_epochs, params.learning_rate)


def regularize(params: Any) -> Phase:
    """Learn the structure, unless ``lambda_`` is 0."""
    return Phase(
        "regularize",
        params.max_epochs,
        params.learning_rate,
        penalty=GroupLasso(params.lambda_) if params.lambda_ else None,
        grouping=params.penalty,
        ramp=params.ramp_epochs,
        solver=params.solver,
        patience=_patience(params),
    )


def finetune(params: Any) -> Phase:
    """Train what is left."""
    return Phase(
        "finetune",
        params.finetune_epochs,
        params.learning_rate,
        schedule=params.finetune_schedule,
        patience=_patience(params),
    )


def optimization(params: Any) -> Optimization:
    """What stays the same through all phases."""
    return Optimization(
        batch_size=params.batch_size,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        dropout=Dropout(params.dropout, params.word_dropout, params.feature_dropout),
    )


def _patience(params: Any) -> int | None:
    return params.n_iter_no_change if params.early_stopping else None


def spread_lengths(n_states: int | Sequence[int], n_wfsas: int) -> tuple[int, ...]:
    """Give each automaton its number of states.

    Parameters
    ----------
    n_states : int or sequence of int
    n_wfsas : int

    Returns
    -------
    tuple of int, of length n_wfsas
        Lengths in the order of ``n_states``, as equally often as possible.

    Raises
    ------
    ValueError
        If a length isn't a positive integer or there are more lengths than automata.

    Examples
    --------
    >>> spread_lengths((1, 2, 3), 7)
    (1, 1, 1, 2, 2, 3, 3)
    """
    if isinstance(n_states, Integral):
        return (int(n_states),) * n_wfsas
    lengths = tuple(n_states)  # type: ignore[arg-type]
    positive = all(
        isinstance(n, Integral) and not isinstance(n, bool) and n >= 1 for n in lengths
    )
    if not lengths or not positive or len(lengths) > n_wfsas:
        raise ValueError(
            f"n_states must be a positive integer or a tuple of at most n_wfsas="
            f"{n_wfsas} of them; got {n_states!r}."
        )
    parts = np.array_split(np.arange(n_wfsas), len(lengths))
    counts = [len(part) for part in parts]
    return tuple(int(n) for n in np.repeat(lengths, counts))
