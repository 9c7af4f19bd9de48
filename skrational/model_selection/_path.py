"""The accuracy-size curve as a value: points, and a fitted classifier for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from numbers import Real
from typing import Any, overload

import numpy as np
from sklearn.base import clone, is_regressor

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.model_selection._cross_fitted import cross_fitted
from skrational.model_selection._one_se import within_one_se
from skrational.model_selection._path_html import path_html
from skrational.model_selection._pipelines import FirstSteps
from skrational.model_selection._point import PathPoint
from skrational.structures import Structure
from skrational.utils.checks import check_count, is_integer
from skrational.utils.optional import data_frame

__all__ = ["PathPoint", "RegularizationPath"]

_FORMATS = {
    "lambda_": "{:.3g}",
    "validation_score": "{:.4f}",
    "test_score": "{:.4f}",
    "seconds": "{:.2f}",
}
_NOT_PRINTED = ("n_parameters", "validation_error")


class RegularizationPath(Sequence[Any]):
    """Classifiers from dense to sparse, as `regularization_path` returns them.

    A sequence: ``path[i]`` is the i-th point as a fitted classifier, ready to predict,
    ``path[i:j]`` a part of the path. Nothing is fitted again for it; each call returns
    a classifier of its own. If the path was fitted for a pipeline, a point is a fitted
    pipeline; the steps before its classifier are the same objects in all of them.

    Parameters
    ----------
    template : estimator
        Its parameters are those that the points have in common.
    points : sequence of PathPoint
    fitted : sequence of dict
        The fitted attributes of each point.
    seconds : float
        Of the whole path, warm-up included.

    Attributes
    ----------
    points : tuple of PathPoint
        In the order of rising ``lambda_``.
    seconds : float
    interrupted : bool
        Whether the path was cut short, by Ctrl-C for instance.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.model_selection import regularization_path
    >>> data = make_planted_patterns(n_documents=300, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=4, warmup_epochs=2, random_state=0)
    >>> path = regularization_path(clf, data.X, data.y, lambdas=[1e-3, 1e-2, 1e-1])
    >>> small = path.smallest_within_one_se()
    >>> small.predict(data.X[:5]).shape
    (5,)
    >>> path.at(n_transitions=6).n_transitions_ <= 6
    True
    """

    _named_as: Structure | None = None
    """Names the columns of a part without points."""
    _first_steps: FirstSteps | None = None
    """What comes before the classifiers, of a path of pipelines."""
    interrupted: bool = False

    def __init__(
        self,
        template: SparseSequenceEstimator,
        points: Sequence[PathPoint],
        fitted: Sequence[dict[str, Any]],
        seconds: float,
    ) -> None:
        self._template = clone(template).set_callbacks()
        self._fitted = tuple(fitted)
        self.points = tuple(points)
        self.seconds = seconds
        self._named_as = self.points[0].structure if self.points else None

    def __len__(self) -> int:
        return len(self.points)

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> RegularizationPath: ...
    def __getitem__(self, i: int | slice) -> Any:
        """Return the i-th point as a fitted classifier, or a part of the path."""
        if isinstance(i, slice):
            part = RegularizationPath(
                self._template, self.points[i], self._fitted[i], self.seconds
            )
            part._named_as = self._named_as or part._named_as
            part._first_steps = self._first_steps
            part.interrupted = self.interrupted
            return part
        if not is_integer(i):
            raise TypeError(
                f"path[{i!r}]: a {type(i).__name__}; expected an integer or a slice."
            )
        if not -len(self) <= i < len(self):
            raise IndexError(
                f"path[{i}] is not on the path, which has {len(self)} points."
            )
        point, fitted = self.points[i], self._fitted[i]
        clf = clone(self._template).set_params(lambda_=point.lambda_)
        clf._adopt(deepcopy(fitted))
        if self._first_steps is None:
            return clf
        return self._first_steps.followed_by(clf)

    @property
    def metric(self) -> str:
        """What the scores are: "accuracy", or "R²" of regressors."""
        return "R²" if is_regressor(self._template) else "accuracy"

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def at(
        self,
        *,
        size: int | None = None,
        n_transitions: int | None = None,
        lambda_: float | None = None,
    ) -> Any:
        """Return the best classifier of a size, or that of a ``lambda_``.

        Parameters
        ----------
        size : int, default=None
            The largest size it may have. Of the points that keep to it, the one of the
            best validation score; among equals the smallest.
        n_transitions : int, default=None
            The same as ``size``, which for automata is the number of transitions.
        lambda_ : float, default=None
            One of the strengths on the path.

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            If no point is that small or of that strength, a size isn't an integer from
            0 upwards or a strength no number, or not exactly one of the parameters is
            given.
        """
        given = {"size": size, "n_transitions": n_transitions, "lambda_": lambda_}
        if sum(value is not None for value in given.values()) != 1:
            listed = ", ".join(f"{name}={value}" for name, value in given.items())
            raise ValueError(
                f"at() takes size, n_transitions or lambda_, one of them; got {listed}."
            )
        if lambda_ is not None:
            if not isinstance(lambda_, Real):
                raise ValueError(f"lambda_ is {lambda_!r}; expected a number.")
            there = [point.lambda_ for point in self.points]
            equal = np.flatnonzero(np.isclose(there, lambda_, rtol=1e-9, atol=0))
            if not len(equal):
                raise ValueError(
                    f"lambda_={lambda_} is not on the path; expected one of {there}."
                )
            return self[int(equal[0])]
        name, given_size = next((n, v) for n, v in given.items() if v is not None)
        most = check_count(name, given_size, 0)
        sizes = [point.size for point in self.points]
        allowed = [i for i, size in enumerate(sizes) if size <= most]
        if sizes and not allowed:
            raise ValueError(
                f"{name}={most}: no point of the path is that small; the smallest has "
                f"{min(sizes)} {self.points[0].structure.size_name}."
            )
        return self[self._best_of(allowed)]

    def best(self) -> Any:
        """Return the classifier of the best validation score; of equals the least."""
        return self[self._best_of(range(len(self)))]

    def smallest_within_one_se(self) -> Any:
        """Return the smallest classifier that is about as good as the best one.

        That is, of those whose validation score is within one standard error, that of
        the best one, of the best score.
        """
        columns = self._columns()
        i = within_one_se(
            columns["validation_score"],
            columns["validation_error"],
            [point.size for point in self.points],
        )
        return self[i]

    def cross_fitted_score(
        self, *, size: int | None = None, n_splits: int = 10, random_state: int = 0
    ) -> float:
        """Return the score to expect of the best point, or the best of a size.

        The validation documents that a point is chosen by flatter it: the best of many
        is the luckiest, too. Here the point is chosen by all but one part of them, and
        scored on that part; the mean over all parts isn't flattered by the choice.

        Parameters
        ----------
        size : int, default=None
            The largest size that a point may have, as in `at`. None: any, as in `best`.
        n_splits : int, default=10
            Parts, at least 2.
        random_state : int, default=0
            Seed of the parts, at least 0.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If no point is that small, the parts are fewer than 2 or more than the
            validation documents, ``random_state`` is no integer, or the path is of a
            version that didn't keep what each document adds to the score.

        Examples
        --------
        >>> from skrational import SparseRationalClassifier
        >>> from skrational.datasets import make_planted_patterns
        >>> from skrational.model_selection import regularization_path
        >>> data = make_planted_patterns(n_documents=300, random_state=0)
        >>> clf = SparseRationalClassifier(n_wfsas=4, warmup_epochs=2, random_state=0)
        >>> path = regularization_path(clf, data.X, data.y, [1e-3, 1e-2])
        >>> best = max(point.validation_score for point in path.points)
        >>> path.cross_fitted_score() <= best
        True
        """
        n_splits = check_count("n_splits", n_splits, 2)
        seed = check_count("random_state", random_state, 0)
        most = None if size is None else check_count("size", size, 0)
        points = [p for p in self.points if most is None or p.size <= most]
        if not points:
            raise ValueError(f"size={size}: no point of the path is that small.")
        return cross_fitted(points, n_splits, seed)

    def _best_of(self, allowed: Sequence[int]) -> int:
        if not allowed:
            raise ValueError("The path has no points; expected at least one.")
        return max(
            allowed,
            key=lambda i: (
                self.points[i].validation_score,
                -self.points[i].size,
            ),
        )

    def _columns(self) -> dict[str, list[Any]]:
        """The columns of `to_frame`."""
        structures = [point.structure for point in self.points]
        columns: dict[str, list[Any]] = {"lambda_": [p.lambda_ for p in self.points]}
        named = [s for s in (*structures[:1], self._named_as) if s is not None][:1]
        for first in named:
            columns[f"n_{first.size_name}"] = [s.size for s in structures]
            for name in first.counts():
                columns[f"n_{name.lower()}"] = [s.counts()[name] for s in structures]
        for name in (
            "n_parameters",
            "validation_score",
            "validation_error",
            "test_score",
            "seconds",
        ):
            columns[name] = [getattr(point, name) for point in self.points]
        for first in named:
            columns[f"{first.part_name}s"] = [s.parts() for s in structures]
        return columns

    def to_frame(self) -> Any:
        """Return a data frame with a row for each point.

        For automata, its columns are ``lambda_``, ``n_transitions``, ``n_wfsas``,
        ``n_parameters``, ``validation_score``, ``validation_error``, ``test_score``,
        ``seconds`` and ``lengths``, the states of each automaton. Other structures have
        their own names of size, counts and parts.

        Raises
        ------
        ImportError
            If pandas isn't installed.
        """
        return data_frame(self._columns())

    def _printed(self) -> dict[str, list[str]]:
        """The columns that are shown, as text."""
        columns = self._columns()
        parts = {f"{point.structure.part_name}s" for point in self.points[:1]}
        return {
            name: [_FORMATS.get(name, "{}").format(value) for value in columns[name]]
            for name in columns
            if name not in {*_NOT_PRINTED, *parts} and not np.isnan(columns[name]).all()
        }

    @property
    def _heading(self) -> str:
        """How many points there are, and what they took."""
        cut = ", interrupted" if self.interrupted else ""
        return f"{len(self)} points in {self.seconds:.1f} s{cut}"

    def __repr__(self) -> str:
        printed = self._printed()
        widths = [max(map(len, (name, *cells))) for name, cells in printed.items()]
        rows = [printed.keys(), *zip(*printed.values(), strict=True)]
        lines = [
            "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join([self._heading, *lines])

    def _repr_html_(self) -> str:
        return path_html(self, self._heading, self._printed())
