"""The strength of the penalty, chosen on documents that are held out."""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from skrational.training.fit import SparseFit
from skrational.training.loop import evaluate
from skrational.training.recipe import finetune, regularize, warmup

__all__ = ["gradient_when_empty", "trained"]

_FROM_DENSE_TO_SPARSE = np.geomspace(1 / 64, 1, 7)
"""Strengths that are tried, of the empty network's gradient."""
_TRIAL_EPOCHS = 3
"""Of finetuning, before a network is compared with others."""
_ENOUGH, _MOST = 300, 1 / 3
"""So many sequences are held out, if they are not more than this share."""

_logger = logging.getLogger("skrational")


def trained(run: SparseFit, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """Regularize, prune, finetune; return the fitted attributes.

    With ``lambda_="auto"`` the network that is finetuned is that of the strength which
    does best on documents that are held out, and rows of the history have the strength
    that was in force. ``data`` is what callbacks are told.
    """
    is_chosen = run.params.lambda_ == "auto"
    if is_chosen and not run.is_resumed:
        _choose_strength(run)
    fitted = run.regularize_prune_finetune(data)
    if is_chosen:
        fitted["history_"] = _with_strength(fitted["history_"], 0.0)
    return fitted


class _Tried(NamedTuple):
    """A network of one strength, not finetuned yet, and its loss once it was."""

    lambda_: float
    fit: SparseFit
    loss: float


def _choose_strength(run: SparseFit) -> None:
    """Leave a fit with the network, and the history, of the best strength.

    If there is nothing left of the fit before it, there is nothing to choose.

    One network is trained under rising strengths, on what isn't held out; at each a
    copy is finetuned for a few epochs. Then the one of the least loss on what is held
    out, as it was before that, is taken over, to be finetuned on all.
    """
    if run.is_empty():
        return
    search = run.copy()
    search.kept = None
    if run.validation is None:
        n = len(run.training.targets)
        fraction = max(run.params.validation_fraction, min(_MOST, _ENOUGH / n))
        rest, held_out = run.data.split(fraction, search.randomness.split)
        if held_out is None:
            raise ValueError(
                f"lambda_='auto' chooses on sequences that are held out; {n} are too "
                "few for that: give a number."
            )
        search.data = rest
        search.training = search.examples(rest)
        search.validation = search.examples(held_out)
    best = min(_tried(search), key=lambda tried: tried.loss)
    _logger.info("lambda_='auto': %.3g, loss %.4f", best.lambda_, best.loss)
    run.cell, run.masks = best.fit.cell, best.fit.masks
    run.history = best.fit.history


def _tried(search: SparseFit) -> list[_Tried]:
    """Train under rising strengths until nothing is left, which is tried as well."""
    assert search.validation is not None
    search.begin_untold()
    search.params = params = copy(search.params)
    params.lambda_, params.early_stopping = 0.0, False
    moments = search.run(warmup(params)) if params.warmup_epochs else None
    search.history = _with_strength(search.history, 0.0)
    scale = gradient_when_empty(search)
    tried = []
    for ratio in _FROM_DENSE_TO_SPARSE:
        params.lambda_ = float(ratio) * scale
        phase = replace(
            regularize(params), epochs=max(1, params.max_epochs // 10), ramp=0
        )
        _logger.info("tries lambda_ %.3g", params.lambda_)
        moments = search.prune(phase, search.run(phase, moments))
        search.history = _with_strength(search.history, params.lambda_)
        branch = search.copy()
        branch.settle()
        kept = branch.copy()
        branch.run(replace(finetune(params), epochs=_TRIAL_EPOCHS))
        if branch.is_empty():
            branch.cell.set_prior(branch.loss.prior(branch.data.shares()))
        loss = evaluate(branch.cell, search.validation, search.loss)[0]
        _logger.debug("lambda_ %.3g: loss %.4f", params.lambda_, loss)
        tried.append(_Tried(params.lambda_, kept, loss))
        if search.is_empty():
            break
    return tried


def _with_strength(
    history: list[dict[str, Any]], lambda_: float
) -> list[dict[str, Any]]:
    """Add the strength of the penalty to rows that don't have it yet."""
    return [row | {"lambda_": row.get("lambda_", lambda_)} for row in history]


def gradient_when_empty(fit: SparseFit) -> float:
    """Norm of the gradient on the unit that the data pull at most.

    Of a network whose units are all empty, with the readout that the warm-up learned:
    in the first step, a lambda below it lets units grow.
    """
    cell, entrance = fit.cell.emptied()
    cell.set_prior(fit.prior)
    n = len(fit.training.targets)
    total = torch.zeros_like(entrance)
    start = 0
    for batch in fit.training.corpus.batches():
        stop = start + len(batch.offsets) - 1
        targets, weights = (
            v[start:stop] for v in (fit.training.targets, fit.training.weights)
        )
        outputs = cell.readout(cell.hidden(batch))
        loss = (fit.loss(outputs, targets) * weights).sum() / n
        total += torch.autograd.grad(loss, entrance)[0]
        start = stop
    # Data without any signal leave no gradient to speak of.
    return max(float(total.flatten(1).norm(dim=1).max()), 1e-8)
