"""The sparse rational regressor: the same automata for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrational.estimators import _options as options
from skrational.estimators._constraints import OF_CLASSIFIERS
from skrational.estimators._rational import RATIONAL, RationalMethod
from skrational.estimators._regressor import SparseSequenceRegressor
from skrational.structures.meaning import OutputKind

__all__ = ["SparseRationalRegressor"]


class SparseRationalRegressor(RationalMethod, SparseSequenceRegressor):
    r"""Predict numbers of sequences with a few short weighted automata.

    All is as in `SparseRationalClassifier`, but for the targets: y is a number for each
    sequence, such as the stars of a review, or several. The loss is the squared error:

    .. math::
        \min_\theta \ \operatorname{mean}_n
        \left( \frac{\hat y_n - y_n}{\sigma_y} \right)^2
        + \lambda \sum_{i,k} \lVert w_{i,k} \rVert_2

    where :math:`w_{i,k}` holds all weights that enter state k of WFSA i. Targets are
    divided by their standard deviation :math:`\sigma_y`, so that ``lambda_`` means the
    same in whatever unit they are; of several, the error is the mean over them.

    Start with ``lambda_``, the size, and ``random_state``.

    Parameters
    ----------
    n_wfsas, n_states, lambda_, penalty, semiring, readout, match, length_exponent
        The automata: see `SparseRationalClassifier`.
    solver, threshold, learning_rate, finetune_schedule, batch_size
        See `SparseRationalClassifier`.
    min_steps_per_epoch, max_steps_per_epoch, warmup_epochs, max_epochs, ramp_epochs
        See `SparseRationalClassifier`.
    finetune_epochs, early_stopping, validation_fraction, n_iter_no_change, dropout
        See `SparseRationalClassifier`. Of ``validation_fraction`` the share is one of
        all samples.
    word_dropout, feature_dropout, weight_decay, max_grad_norm, warm_start
        See `SparseRationalClassifier`.
    dtype, device, random_state, verbose
        See `SparseRationalClassifier`.

    Attributes
    ----------
    n_features_in_ : int
        Width of the feature vectors.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame.
    learned_structure_ : RationalStructure
        Which automata and states survived.
    n_transitions_ : int
        Its size: the states that are left, of all automata.
    coef_ : ndarray of shape (n_targets, n_wfsas)
        Readout weights of the surviving automata, in the unit of y.
    intercept_ : ndarray of shape (n_targets,), float64
    weights_, automata_, rules_, lambda_used_, n_iter_, history_
        See `SparseRationalClassifier`. ``validation_score`` is 1 less the mean squared
        error in the unit of the training data: R squared, but for what the held-out
        part varies otherwise.

    See Also
    --------
    skrational.SparseRationalRegressorCV : Chooses the size by cross-validation.
    skrational.ModuliRNNRegressor : Also for values after every token.
    skrational.datasets.make_planted_scores : Documents with a known score.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019. :arxiv:`1909.03011`

    Examples
    --------
    >>> import numpy as np
    >>> from skrational import SparseRationalRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 12, size=200)]
    >>> y = [x[:, 0].sum() / len(x) ** 0.5 for x in X]
    >>> reg = SparseRationalRegressor(n_wfsas=4, random_state=0).fit(X, y)
    >>> reg.predict(X[:3]).shape
    (3,)
    >>> reg.score(X, y) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        name: constraint
        for name, constraint in RATIONAL.items()
        if name not in OF_CLASSIFIERS
    }
    _takes_tokens = False

    loss = "squared_error"

    def __init__(
        self,
        *,
        n_wfsas: options.NumberOfWFSAs = "auto",
        n_states: int | Sequence[int] = 4,
        lambda_: options.Strength = 2e-3,
        penalty: options.Penalized = "states",
        semiring: options.Semiring = "plus-times",
        readout: options.Readout = "sum",
        match: options.Match = "anywhere",
        length_exponent: float = 0.5,
        solver: options.Solver = "prox",
        threshold: float = 0.1,
        learning_rate: float = 0.02,
        finetune_schedule: options.FinetuneSchedule = "cosine",
        batch_size: int | None = 64,
        min_steps_per_epoch: int = 50,
        max_steps_per_epoch: int | None = 400,
        warmup_epochs: int = 5,
        max_epochs: int = 20,
        ramp_epochs: int = 0,
        finetune_epochs: int = 20,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.4,
        word_dropout: float = 0.0,
        feature_dropout: options.FeatureDropout = "auto",
        weight_decay: float = 0.0,
        max_grad_norm: float | None = 5.0,
        warm_start: bool = False,
        dtype: options.FloatType = "float32",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            n_wfsas=n_wfsas,
            n_states=n_states,
            lambda_=lambda_,
            penalty=penalty,
            semiring=semiring,
            readout=readout,
            match=match,
            length_exponent=length_exponent,
            solver=solver,
            threshold=threshold,
            learning_rate=learning_rate,
            finetune_schedule=finetune_schedule,
            batch_size=batch_size,
            min_steps_per_epoch=min_steps_per_epoch,
            max_steps_per_epoch=max_steps_per_epoch,
            warmup_epochs=warmup_epochs,
            max_epochs=max_epochs,
            ramp_epochs=ramp_epochs,
            finetune_epochs=finetune_epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            dropout=dropout,
            word_dropout=word_dropout,
            feature_dropout=feature_dropout,
            weight_decay=weight_decay,
            max_grad_norm=max_grad_norm,
            dtype=dtype,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.warm_start = warm_start

    def _outputs(self) -> tuple[NDArray[np.intp], OutputKind]:
        return np.arange(len(self.intercept_)), "values"
