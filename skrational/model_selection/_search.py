"""Estimators that choose lambda by cross-validation along paths: what they share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from joblib import delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    clone,
    is_classifier,
)
from sklearn.model_selection import check_cv
from sklearn.utils._param_validation import Interval, StrOptions

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.model_selection._chosen import ChosenEstimatorMixin
from skrational.model_selection._family import template_of
from skrational.model_selection._fold_results import fold_results, standard_errors
from skrational.model_selection._lambdas import check_lambdas
from skrational.model_selection._one_se import within_one_se
from skrational.model_selection._path import RegularizationPath
from skrational.utils.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from skrational.utils.moved import with_new_parameters
from skrational.utils.parallel import results_in_order
from skrational.utils.suggestions import SuggestsNames

if TYPE_CHECKING:
    from skrational.model_selection._cv_runs import KeptPath, Search, SizeLimit
    from skrational.model_selection._path_run import PathRun
    from skrational.training.fit import SparseFit

__all__ = ["PathSearchCV"]

_LIMITS = ("max_size", "max_transitions")
"""Values of ``refit``, and names of the parameters that go with them."""


class PathSearchCV(
    ChosenEstimatorMixin,
    SuggestsNames,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    BaseEstimator,
):
    """A search along paths; a subclass says of which estimators."""

    _default: ClassVar[type[SparseSequenceEstimator]]
    """The class of the estimator that is meant by None."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lambdas": ["array-like", None],
        "n_lambdas": [Interval(Integral, 1, None, closed="left")],
        "cv": ["cv_object"],
        "refit": [StrOptions({"one_se", "best", *_LIMITS})],
        "max_size": [Interval(Integral, 1, None, closed="left"), None],
        "max_transitions": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        lambdas: Sequence[float] | None = None,
        n_lambdas: int = 20,
        cv: Any = 5,
        refit: Literal["one_se", "best", "max_size", "max_transitions"] = "one_se",
        max_size: int | None = None,
        max_transitions: int | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.lambdas = lambdas
        self.n_lambdas = n_lambdas
        self.cv = cv
        self.refit = refit
        self.max_size = max_size
        self.max_transitions = max_transitions
        self.n_jobs = n_jobs
        self.random_state = random_state

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        checkpoint_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Follow a path for each fold, choose, and fit on all samples.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit`` of the estimator.
        groups : array-like of shape (n_sequences,), default=None
            For a ``cv`` that splits by groups, such as `GroupKFold` of scikit-learn.
        checkpoint_dir : path-like, default=None
            A folder in which the paths are kept, point by point, each in a folder of
            its own. If the search is killed, the same call goes on after the last
            points, and ends as if nothing had happened. ``refit``, the limits and
            ``n_jobs`` may be others then: the paths don't depend on them.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not what they should be, or
            ``checkpoint_dir`` holds a search of others. What was fitted before is then
            left as it was.
        OSError
            If ``checkpoint_dir`` is a file, can't be made or written, or another
            process works in it.
        """
        from skrational.model_selection._cv_runs import (
            Search,
            SearchCheckpoint,
            describe_search,
        )
        from skrational.training.rng import draw_seed

        self._validate_params()
        template = self._template()
        limit = self._limit()
        lambdas = None if self.lambdas is None else check_lambdas(self.lambdas)
        labelled = template._read_fit(X, y, sample_weight)
        targets = labelled.targets
        splitter = check_cv(self.cv, targets, classifier=is_classifier(template))
        splits = list(splitter.split(labelled.X, targets, groups))
        if self.refit == "one_se" and len(splits) < 2:
            raise ValueError(
                "refit='one_se' needs a standard error, and that two folds; got "
                f"{len(splits)}."
            )
        seed, about = draw_seed(self.random_state), {}
        if checkpoint_dir is not None:
            named = f"{self.n_lambdas} by default" if lambdas is None else str(lambdas)
            about = describe_search(
                template, labelled, splits, named, self.random_state
            )
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        task = FitTask(self, len(splits) + 1, {"X": X, "y": y, "metadata": metadata})
        with SearchCheckpoint(checkpoint_dir, about, seed) as checkpoint:
            search = Search(template, labelled, splits, checkpoint, about)
            self._search(search, lambdas, limit, task)
        return self

    def _search(
        self,
        search: Search,
        lambdas: list[float] | None,
        limit: SizeLimit | None,
        task: FitTask,
    ) -> None:
        """Follow the paths, choose, and take over the result.

        Parameters
        ----------
        search : Search
        lambdas : list of float or None
        limit : SizeLimit or None
        task : FitTask
        """
        from skrational.model_selection._cv_runs import (
            begin_run,
            default_lambdas,
            finish,
        )

        template, labelled = search.template, search.labelled
        run = begin_run(template, labelled, search.checkpoint.seed, limit)
        if lambdas is None:
            lambdas = default_lambdas(run, self.n_lambdas)
        paths = self._follow_folds(search, lambdas, task)
        results = fold_results(paths, lambdas)
        last = task.phase("refit", 0)
        kept = search.kept("all", lambdas)
        best, branches = self._choose(results, run, lambdas, limit, kept)
        held_out = (labelled[test] for _, test in search.splits)
        fitted = finish(run, branches[best], paths, held_out, best)
        last.end(lambda: fitted)
        task.end(lambda: fitted)
        chosen = clone(template).set_params(lambda_=lambdas[best])
        chosen._adopt(fitted)
        self.best_estimator_ = chosen
        self.lambda_, self.best_index_ = lambdas[best], best
        self.lambdas_ = np.array(lambdas)
        self.cv_results_, self.paths_ = results, paths

    def _template(self) -> SparseSequenceEstimator:
        estimator = self._default() if self.estimator is None else self.estimator
        return template_of(estimator).set_callbacks()

    def _limit(self) -> SizeLimit | None:
        """Return the size that ``refit`` limits the model to, if it does."""
        from skrational.model_selection._cv_runs import SizeLimit

        for name in _LIMITS:
            value = getattr(self, name)
            if (self.refit == name) != (value is not None):
                raise ValueError(
                    f"{name} and refit={name!r} go together; got {name}={value}, "
                    f"refit={self.refit!r}."
                )
        if self.refit not in _LIMITS:
            return None
        return SizeLimit(self.refit, getattr(self, self.refit))

    def _follow_folds(
        self, search: Search, lambdas: list[float], task: FitTask
    ) -> list[RegularizationPath]:
        """Follow the path of each fold, several at once."""
        from skrational.model_selection._cv_runs import follow_fold

        samples, seed = search.labelled, search.checkpoint.seed
        calls = (
            delayed(follow_fold)(
                search.template,
                samples,
                train,
                test,
                lambdas,
                seed,
                search.kept(f"fold-{i}", lambdas),
            )
            for i, (train, test) in enumerate(search.splits)
        )
        running = results_in_order(self.n_jobs, calls)
        paths = []
        for i in range(len(search.splits)):
            fold = task.phase(f"fold {i}", 0)
            paths.append(next(running))
            fold.end(dict)
        return paths

    def _choose(
        self,
        results: dict[str, NDArray[Any]],
        run: PathRun,
        lambdas: list[float],
        limit: SizeLimit | None,
        kept: KeptPath,
    ) -> tuple[int, list[SparseFit]]:
        """Choose a lambda.

        Parameters
        ----------
        results : dict of str to ndarray of shape (n_lambdas,)
        run : PathRun
            On all samples, warmed up.
        lambdas : list of float
        limit : SizeLimit or None
        kept : KeptPath
            Where the path on all samples is kept.

        Returns
        -------
        int
            Its position.
        list of SparseFit
            The branches of the path on all samples, as far as it was followed.
        """
        from skrational.model_selection._cv_runs import branches_of

        means = results["mean_test_score"]
        if limit is not None:
            branches = branches_of(run, lambdas, len(lambdas), kept)
            structures = [branch.cell.structure() for branch in branches]
            sizes = np.array([structure.size for structure in structures])
            allowed = np.flatnonzero(sizes <= limit.size)
            if not len(allowed):
                raise ValueError(
                    f"{limit.name}={limit.size}: the largest lambda, {lambdas[-1]:g}, "
                    f"leaves {sizes[-1]} {structures[-1].size_name}. Add larger ones."
                )
            return int(allowed[np.argmax(means[allowed])]), branches
        if self.refit == "best":
            best = int(np.argmin(results["rank_test_score"]))
        else:
            sizes = results[f"mean_n_{run.fit.cell.structure().size_name}"]
            best = within_one_se(means, standard_errors(results), sizes)
        branches = branches_of(run, lambdas, best + 1, kept)
        return min(best, len(branches) - 1), branches

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(with_new_parameters(type(self), state))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "best_estimator_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_estimator = (self.estimator or self._default()).__sklearn_tags__()
        tags.input_tags = of_estimator.input_tags
        tags.target_tags = of_estimator.target_tags
        tags.classifier_tags = of_estimator.classifier_tags
        tags.regressor_tags = of_estimator.regressor_tags
        tags.transformer_tags = of_estimator.transformer_tags
        return tags
