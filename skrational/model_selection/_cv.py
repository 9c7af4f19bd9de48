"""A classifier, and a regressor, that choose lambda by cross-validation along paths."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.base import ClassifierMixin, RegressorMixin

from skrational.estimators._sparse_classifier import SparseSequenceClassifier
from skrational.estimators.rational import SparseRationalClassifier
from skrational.estimators.rational_regressor import SparseRationalRegressor
from skrational.model_selection._chosen import (
    ChosenClassifierMixin,
    ChosenRegressorMixin,
)
from skrational.model_selection._search import PathSearchCV

__all__ = ["SparseRationalClassifierCV", "SparseRationalRegressorCV"]


class SparseRationalClassifierCV(ChosenClassifierMixin, ClassifierMixin, PathSearchCV):
    """A sparse rational classifier whose size is chosen by cross-validation.

    One regularization path for each fold, over the same lambdas, gives accuracy and
    size at each lambda. A last path, on all samples, is followed to the chosen lambda
    and finetuned there.

    Parameters
    ----------
    estimator : SparseRationalClassifier or another of its family, default=None
        Its parameters hold for all fits, ``lambda_`` aside; ``calibration`` reads what
        the folds say of the samples that they left out. None: a
        SparseRationalClassifier with the defaults.
    lambdas : sequence of float, default=None
        Rising strengths of the penalty. None: chosen on X, see `regularization_path`.
    n_lambdas : int, default=20
        How many of them.
    cv : int, splitter or iterable, default=5
        The folds; for an int stratified, without shuffling. They are drawn once.
    refit : {"one_se", "best", "max_size", "max_transitions"}, default="one_se"
        "best" takes the lambda of the best mean accuracy, "one_se" the one of the
        smallest mean size whose accuracy is within one standard error of the best.
        "max_size" answers "the best model of at most ``max_size``": of the lambdas that
        leave no more on all samples, the one of the best mean accuracy.
        "max_transitions" is the same with ``max_transitions``.
    max_size : int, default=None
        From 1 to the size of the dense network; only with ``refit="max_size"``. The
        size is the number of transitions of automata, of gates that vary of an LSTM.
    max_transitions : int, default=None
        The same, under the name that automata have for it; only with
        ``refit="max_transitions"``.
    n_jobs : int, default=None
        Folds at once, in processes. The result doesn't depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the paths; that of ``estimator`` isn't used.

    Attributes
    ----------
    best_estimator_ : SparseRationalClassifier
        Fitted on all samples. For a small file, keep this alone.
    lambda_ : float
        The chosen strength.
    lambdas_ : ndarray of shape (n_lambdas,)
    best_index_ : int
        Of ``lambda_`` in ``lambdas_``.
    cv_results_ : dict of str to ndarray of shape (n_lambdas,)
        ``lambda_``; ``split0_test_score`` and so on, ``mean_test_score``,
        ``std_test_score``, ``rank_test_score``; and ``split0_n_transitions``,
        ``mean_n_transitions``, ``std_n_transitions``, or the same of ``n_gates``. Where
        the path of a fold ended, the empty model counts on.
    paths_ : list of RegularizationPath
        One a fold; validated on what the fold leaves out.
    learned_structure_ : Structure
        Of ``best_estimator_``, like ``n_transitions_``.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame.

    See Also
    --------
    skrational.model_selection.regularization_path : The path of one training set.
    skrational.model_selection.RegularizationPathDisplay : Draws the paths of the folds.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier, SparseRationalClassifierCV
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=300, random_state=0)
    >>> search = SparseRationalClassifierCV(
    ...     SparseRationalClassifier(n_wfsas=4, warmup_epochs=2, max_epochs=10),
    ...     n_lambdas=4, cv=3, refit="max_transitions", max_transitions=8,
    ...     random_state=0,
    ... )
    >>> search.fit(data.X, data.y).n_transitions_ <= 8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [SparseSequenceClassifier, None],
        **PathSearchCV._parameter_constraints,
    }
    _default = SparseRationalClassifier


class SparseRationalRegressorCV(ChosenRegressorMixin, RegressorMixin, PathSearchCV):
    """A sparse rational regressor whose size is chosen by cross-validation.

    All is as in `SparseRationalClassifierCV`, but that scores are R squared, and folds
    aren't stratified.

    Parameters
    ----------
    estimator : SparseRationalRegressor, default=None
        Its parameters hold for all fits, ``lambda_`` aside. None: a
        SparseRationalRegressor with the defaults.
    lambdas, n_lambdas, cv, refit, max_size, max_transitions, n_jobs, random_state
        See `SparseRationalClassifierCV`.

    Attributes
    ----------
    best_estimator_ : SparseRationalRegressor
        Fitted on all samples. For a small file, keep this alone.
    lambda_, lambdas_, best_index_, cv_results_, paths_, learned_structure_, \
    n_features_in_, feature_names_in_
        See `SparseRationalClassifierCV`.

    See Also
    --------
    skrational.model_selection.regularization_path : The path of one training set.

    Examples
    --------
    >>> from skrational import SparseRationalRegressor, SparseRationalRegressorCV
    >>> from skrational.datasets import make_planted_scores
    >>> data = make_planted_scores(n_documents=300, random_state=0)
    >>> search = SparseRationalRegressorCV(
    ...     SparseRationalRegressor(n_wfsas=4, warmup_epochs=2, max_epochs=10),
    ...     n_lambdas=4, cv=3, refit="max_transitions", max_transitions=8,
    ...     random_state=0,
    ... )
    >>> search.fit(data.X, data.y).n_transitions_ <= 8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [SparseRationalRegressor, None],
        **PathSearchCV._parameter_constraints,
    }
    _default = SparseRationalRegressor
