"""The penalty that leaves nothing."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.estimators.rational import SparseRationalClassifier
from skrational.model_selection._family import check_estimator, template_of
from skrational.training.fit import SparseFit, training_resources
from skrational.training.labelled import Learnable
from skrational.training.recipe import regularize, warmup
from skrational.training.rng import Randomness
from skrational.utils.callbacks import with_callbacks
from skrational.utils.torch_state import in_own_state

__all__ = ["lambda_max"]

_FIRST, _FACTOR, _MOST_FACTORS = 1e-2, 4.0, 12


def lambda_max(
    X: Any,
    y: ArrayLike,
    estimator: SparseSequenceEstimator | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    rtol: float = 0.02,
) -> float:
    """Find the smallest ``lambda_`` that leaves nothing: no state, no unit.

    A lasso has a formula for it, the gradient at zero. Here the readout isn't penalized
    and grows as long as it's worth it, so that states survive penalties far above that
    gradient, and how far depends on the time of training. So the answer is that of
    training itself: the warm-up is run once, the penalized phase from there for
    different strengths, between which an interval is halved.

    Parameters
    ----------
    X, y
        As for `SparseRationalClassifier.fit`.
    estimator : SparseRationalClassifier or another of its family, default=None
        Its parameters are those of the fits; ``lambda_`` and ``warm_start`` don't
        matter. Give it an int as ``random_state`` to have the same answer again. None:
        the defaults.
    sample_weight : array-like of shape (n_sequences,), default=None
        As for ``fit``.
    rtol : float, default=0.02
        The answer is at most so much too large, as a share of it.

    Returns
    -------
    float
        With it, a fit of ``estimator`` on these data leaves nothing; with
        ``1 - rtol`` times it, one leaves some.

    Raises
    ------
    ValueError, TypeError
        If a parameter or the data are not what they should be, or no strength leaves
        nothing, as may happen with ``solver="subgradient"``.

    Notes
    -----
    With the default ``rtol`` the penalized phase is run about ten times, to find an
    interval and to halve it. Where the penalty empties the network, a run ends there.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=200, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=2, max_epochs=3, random_state=0)
    >>> most = lambda_max(data.X, data.y, estimator=clf)
    >>> clf.set_params(lambda_=0.98 * most).fit(data.X, data.y).n_transitions_ > 0
    True
    """
    if estimator is None:
        estimator = SparseRationalClassifier()
    if not isinstance(rtol, Real) or not 0 < rtol < 1:
        raise ValueError(f"rtol must be a number between 0 and 1; got {rtol!r}.")
    template = template_of(check_estimator(estimator)).set_callbacks()
    training = template._read_fit(X, y, sample_weight)
    return with_callbacks(_search)(template, training, float(rtol))


@in_own_state
def _search(
    template: SparseSequenceEstimator, training: Learnable, rtol: float
) -> float:
    with training_resources(template.verbose):
        fit = SparseFit(
            template, training, Randomness.drawn_from(template.random_state)
        )
        fit.begin(None, {})
        phase = warmup(template)
        if phase.epochs:
            fit.run(phase)
        low, high = _bracket(fit)
        while high * (1 - rtol) > low:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if _empties(fit, middle) else (middle, high)
        fit.end()
    return high


def _bracket(fit: SparseFit) -> tuple[float, float]:
    """A strength that leaves something, and a larger one that doesn't."""
    strength = _FIRST
    empty = _empties(fit, strength)
    factor = 1 / _FACTOR if empty else _FACTOR
    for _ in range(_MOST_FACTORS):
        next_ = strength * factor
        if _empties(fit, next_) != empty:
            return min(strength, next_), max(strength, next_)
        strength = next_
    left = "nothing" if empty else f"{fit.params._unit}s"
    raise ValueError(
        f"Fits with lambda_ from {_FIRST} to {strength:g} all leave {left}. "
        "A step removes little, however strong the penalty, subgradient steps may stay "
        "above any threshold, and weights without a price stay anyway: try longer, or "
        f"solver='prox', if it isn't (max_epochs={fit.params.max_epochs}, "
        f"solver={fit.params.solver!r})."
    )


def _empties(fit: SparseFit, lambda_: float) -> bool:
    """Whether the penalized phase of this strength leaves nothing."""
    attempt = fit.copy()
    attempt.params = clone(fit.params).set_params(lambda_=lambda_)
    phase = regularize(attempt.params)
    attempt.run(phase)
    attempt.prune(phase)
    return attempt.is_empty()
