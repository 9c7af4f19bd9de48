"""Whether a mask is worth something by itself: training it anew from other weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skrational.structures.mask import MaskStructure
from skrational.training.fit import SparseFit, training_resources
from skrational.training.held_out import calibrated
from skrational.training.recipe import phases
from skrational.training.rng import Randomness, draw_seed
from skrational.utils.callbacks import with_callbacks
from skrational.utils.checks import check_count
from skrational.utils.torch_state import in_own_state

__all__ = ["MaskRetraining", "retrain_mask"]


@dataclass(frozen=True)
class MaskRetraining:
    """What a mask came to with weights that were drawn anew.

    Attributes
    ----------
    estimators : list of estimator
        Fitted, each with the mask and the positions of the first one.
    original_score : float
        Of the estimator that found the mask, by its own ``score``.
    scores : ndarray of shape (n_repeats,)
        Of the others.
    """

    estimators: list[Any]
    original_score: float
    scores: NDArray[np.float64]

    def __repr__(self) -> str:
        spread = f" (sd {self.scores.std(ddof=1):.3g})" if len(self.scores) > 1 else ""
        return (
            f"score {self.original_score:.4g} with the weights that found the mask, "
            f"{self.scores.mean():.4g}{spread} with new ones"
        )


def retrain_mask(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    X_test: Any = None,
    y_test: Any = None,
    n_repeats: int = 1,
    random_state: int | np.random.RandomState | None = None,
) -> MaskRetraining:
    """Train the mask of a fitted estimator from weights that are drawn anew.

    Masks and positions are kept, all weights are drawn again (and not set back to those
    of the beginning), and training goes through the same epochs with the same penalty.
    A mask is stable if that comes as far as the first fit did.

    Parameters
    ----------
    estimator : fitted estimator
        Whose ``learned_structure_`` is a `MaskStructure`, such as a
        `ModuliRNNClassifier`. It isn't changed.
    X, y
        What it was fitted to.
    X_test, y_test : like X and y, default=None
        What scores are computed on. None: X and y themselves.
    n_repeats : int, default=1
        How many times to draw weights.
    random_state : int, RandomState instance or None, default=None
        Draws the weights and the order of batches. None: other ones each time.

    Returns
    -------
    MaskRetraining

    Raises
    ------
    TypeError
        If the structure of the estimator is no mask.
    ValueError
        If the data are not what they should be.

    References
    ----------
    .. [1] Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in
       Recurrent Neural Networks", 2024: the stability of sparse networks.
       :arxiv:`2406.06290`

    Examples
    --------
    >>> import numpy as np
    >>> from skrational import ModuliRNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 12, size=200)]
    >>> y = [x[:, 0].sum() > 0 for x in X]
    >>> clf = ModuliRNNClassifier(n_hidden=16, random_state=0).fit(X, y)
    >>> found = retrain_mask(clf, X, y, random_state=1)
    >>> new = found.estimators[0].learned_structure_
    >>> np.array_equal(new.mask, clf.learned_structure_.mask)
    True
    """
    structure = getattr(estimator, "learned_structure_", None)
    if not isinstance(structure, MaskStructure):
        check_is_fitted(estimator)
        raise TypeError(
            "estimator must have a mask as its learned_structure_, such as a "
            f"ModuliRNNClassifier; got {type(estimator).__name__} with "
            f"{type(structure).__name__}. Of a pipeline or a search, give the fitted "
            "last step of the best model, and X as that step reads it."
        )
    n_repeats = check_count("n_repeats", n_repeats)
    seeds = np.random.SeedSequence(draw_seed(random_state)).generate_state(n_repeats)
    if X_test is None and y_test is not None:
        raise ValueError("y_test is given without X_test; expected both or none.")
    if X_test is not None and (y_test is None) != (y is None):
        raise ValueError(
            f"X_test is given {'without' if y_test is None else 'with'} y_test; "
            "expected y_test if, and only if, there is y."
        )
    test = (X, y) if X_test is None else (X_test, y_test)
    training = estimator._read_like_training(X, y)
    original_score = estimator.score(*test)
    data = {"X": X, "y": y, "metadata": None}
    found = [
        with_callbacks(_retrain)(estimator, training, data, int(seed)) for seed in seeds
    ]
    scores = np.array([other.score(*test) for other in found])
    return MaskRetraining(found, float(original_score), scores)


@in_own_state
def _retrain(estimator: Any, training: Any, data: dict[str, Any], seed: int) -> Any:
    """Return a clone that was fitted with the mask of an estimator.

    Parameters
    ----------
    estimator : fitted estimator
    training : Labelled, Valued or the like
        What is learned from.
    data : dict
        What callbacks are told.
    seed : int
    """
    twin, structure = clone(estimator), estimator.learned_structure_
    if "warm_start" in twin.get_params():
        twin.set_params(warm_start=False)
    with training_resources(twin.verbose):
        fit = SparseFit(twin, training, Randomness(seed))
        train = partial(_train, structure=structure)
        train(fit, data)
        # The proximal operator may leave further zeros, which aren't cut off.
        fitted = fit.fitted() | {"learned_structure_": structure}
        twin._adopt(fitted | calibrated(fit, train))
    return twin


def _train(
    fit: SparseFit, data: dict[str, Any] | None = None, *, structure: MaskStructure
) -> None:
    """Run all phases with a mask that stays as it is."""
    fit.keep_mask(structure)
    named = [replace(p, pruner=None, prune_every=0) for p in phases(fit.params)]
    fit.begin(len(named), data or {})
    for phase in named:
        fit.run(phase)
    fit.end()
