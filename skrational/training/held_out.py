"""The temperature of a classifier, from documents that it wasn't trained on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from skrational.cells.base import Cell
from skrational.training.calibration import fit_temperature
from skrational.training.fit import SparseFit
from skrational.training.loop import Examples
from skrational.training.rng import Randomness
from skrational.utils.callers import caller_level

__all__ = ["calibrated", "temperature_of", "temperature_on"]

_ENOUGH, _MOST = 100, 1 / 3
"""So many sequences are held out, if they are not more than this share."""

_logger = logging.getLogger("skrational")


def calibrated(run: SparseFit, train: Callable[[SparseFit], Any]) -> dict[str, float]:
    """Return the temperature for a fit, as a fitted attribute, if it's asked for.

    Parameters
    ----------
    run : SparseFit
        As it was left.
    train : callable
        Trains another fit like this one.
    """
    if getattr(run.params, "calibration", None) is None:
        return {}
    return {"temperature_": temperature_of(run, train)}


@torch.no_grad()
def temperature_on(cell: Cell, examples: Examples) -> float:
    """Fit the temperature of a network on documents that it wasn't trained on."""
    parts = cell.settled().predict_parts(examples.corpus)
    logits = torch.cat([outputs for _, outputs in parts])
    temperature = fit_temperature(
        logits.cpu().numpy().astype(np.float64),
        examples.targets.cpu().numpy(),
        examples.weights.cpu().numpy(),
    )
    _logger.info("temperature %.3f on %d held out", temperature, len(logits))
    return temperature


def temperature_of(run: SparseFit, train: Callable[[SparseFit], Any]) -> float:
    """Return the temperature for a fit that has ended.

    It is fitted on the validation part, if there is one. All other documents were
    trained on, and their logits say nothing of new ones: a second network is trained
    the same way, but for a part of the documents, and these are what it is fitted on.

    Parameters
    ----------
    run : SparseFit
        As it was left. Its random numbers aren't needed any more.
    train : callable
        Trains another fit like this one.

    Returns
    -------
    float
    """
    if run.validation is not None:
        return temperature_on(run.cell, run.validation)
    n = len(run.training.targets)
    fraction = max(run.params.validation_fraction, min(_MOST, _ENOUGH / n))
    rest, held_out = run.data.split(fraction, run.randomness.split)
    if held_out is None:
        warnings.warn(
            f"calibration={run.params.calibration!r} needs samples that are held out; "
            f"{n} are too few for it: temperature_ stays 1.",
            UserWarning,
            stacklevel=caller_level(),
        )
        return 1.0
    _logger.info("calibration: a second fit leaves out %d", len(held_out.weights))
    twin = clone(run.params).set_callbacks()
    twin.warm_start = False
    seed = int(run.randomness.split.integers(np.iinfo(np.int32).max))
    other = SparseFit(twin, rest, Randomness(seed))
    if run.kept is not None:
        other.keep_in(run.kept.of("calibration"))
    train(other)
    return temperature_on(other.cell, other.examples(held_out))
