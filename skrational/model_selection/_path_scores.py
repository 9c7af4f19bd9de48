"""How good a point of a path is, and how sure that is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skrational.training.fit import SparseFit
from skrational.training.loop import Examples
from skrational.training.losses import Loss, SquaredError

__all__ = ["PointScore", "score_of"]


class PointScore(NamedTuple):
    """A score, and its standard error over documents."""

    score: float
    error: float


@torch.no_grad()
def score_of(branch: SparseFit, examples: Examples | None) -> PointScore:
    """Score a network: accuracy or, of numbers, R squared; NaN without examples."""
    if examples is None:
        return PointScore(np.nan, np.nan)
    parts = branch.cell.predict_parts(examples.corpus)
    outputs = torch.cat([outputs for _, outputs in parts])
    scores = _scores(branch.loss, outputs, examples).cpu().double()
    # In double precision, which not every device has.
    weights = examples.weights.cpu().double()
    score = float((scores * weights).mean())
    variance = float((scores.square() * weights).mean()) - score**2
    n_effective = float(weights.sum() ** 2 / weights.square().sum())
    return PointScore(score, (max(variance, 0) / n_effective) ** 0.5)


def _scores(loss: Loss, outputs: Tensor, examples: Examples) -> Tensor:
    """Score of each document, (n,), of which that of the model is the mean."""
    targets = examples.targets
    if not isinstance(loss, SquaredError):
        return loss.score(outputs, targets)
    weights = examples.weights[:, None]
    spread = (targets - (targets * weights).mean(dim=0)).square()
    variance = (spread * weights).mean(dim=0)
    errors = (outputs - targets).square()
    # As scikit-learn has it: 0 where nothing varies, but 1 of a perfect prediction.
    shares = torch.where(variance > 0, errors / variance, (errors > 0).to(errors))
    return 1 - shares.mean(dim=1)
