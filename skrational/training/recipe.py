"""The parameters that all estimators share, as data for the training loop."""

from __future__ import annotations

from typing import Any

from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase

__all__ = ["finetune", "optimization", "phases", "regularize", "warmup"]

_MOST_FEATURE_DROPOUT = 0.5
_FEW, _PLENTY = 3, 9
"""Sequences for each feature up to which the most features are dropped, and none."""

_CAN_BE_SPARED = 50
"""Features of which half can be dropped: what they tell is spread over many."""


def phases(params: Any) -> list[Phase]:
    """Name the phases of a fit: warm up, regularize, finetune.

    The first two are part of the search where ``lambda_`` is yet to be chosen.
    """
    named = [finetune(params)]
    if params.lambda_ != "auto":
        named = [warmup(params), regularize(params), *named]
    return [phase for phase in named if phase.epochs]


def warmup(params: Any) -> Phase:
    """Train before the penalty sets in."""
    return Phase(
        "warmup",
        params.warmup_epochs,
        params.learning_rate,
        max_steps=params.max_steps_per_epoch,
    )


def regularize(params: Any) -> Phase:
    """Learn the structure, and prune at the end, or on the way as well.

    If ``lambda_`` is 0 there is nothing to prune but by a schedule of its own.
    """
    charges = params._charges() if params._strength() else ()
    return Phase(
        "regularize",
        params.max_epochs,
        params.learning_rate,
        charges=charges,
        solver=params.solver,
        pruner=params._pruner() if charges or params._prune_every else None,
        pruned=params._pruned_kind(),
        prune_every=params._prune_every,
        ramp=params.ramp_epochs,
        shrink=params._shrinks_beyond(),
        min_steps=params.min_steps_per_epoch if charges or params._prune_every else 1,
        max_steps=params.max_steps_per_epoch,
        patience=_patience(params),
        settles=True,
    )


def finetune(params: Any) -> Phase:
    """Train what is left."""
    return Phase(
        "finetune",
        params.finetune_epochs,
        params.learning_rate,
        schedule=params.finetune_schedule,
        max_steps=params.max_steps_per_epoch,
        patience=_patience(params),
    )


def optimization(params: Any, n_sequences: int, n_features: int) -> Optimization:
    """What stays the same through all phases, of so many sequences and features."""
    of_features = params.feature_dropout
    if of_features == "auto":
        of_features = _feature_dropout(n_sequences, n_features)
    return Optimization(
        batch_size=params.batch_size,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        dropout=Dropout(params.dropout, params.word_dropout, of_features),
    )


def _patience(params: Any) -> int | None:
    return params.n_iter_no_change if params.early_stopping else None


def _feature_dropout(n_sequences: int, n_features: int) -> float:
    """Probability of dropping a feature that keeps few sequences from being memorized.

    Measured on reviews, sentences and questions, from 100 to 3,000 of them, and vectors
    of 50 and 300 numbers.
    """
    plenty = (n_sequences / max(n_features, 1) - _FEW) / (_PLENTY - _FEW)
    scarcity = 1 - min(max(plenty, 0.0), 1.0)
    return _MOST_FEATURE_DROPOUT * scarcity * min(n_features / _CAN_BE_SPARED, 1.0)
