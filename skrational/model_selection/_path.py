"""The accuracy-size curve as a value: points, and a fitted classifier for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from sklearn.base import clone

from skrational.estimators.rational import SparseRationalClassifier
from skrational.model_selection._one_se import within_one_se
from skrational.structures import RationalStructure
from skrational.utils.optional import data_frame

__all__ = ["PathPoint", "RegularizationPath"]

_COLUMNS = {
    "lambda_": "{:.3g}",
    "n_transitions": "{}",
    "n_wfsas": "{}",
    "validation_score": "{:.4f}",
    "test_score": "{:.4f}",
    "seconds": "{:.2f}",
}


@dataclass(frozen=True)
class PathPoint:
    """A point of the curve.

    Attributes
    ----------
    lambda_ : float
        Strength of the penalty.
    structure : RationalStructure
        What was left.
    validation_score : float
        Accuracy on the validation data.
    validation_error : float
        Its standard error, ``sqrt(p (1 - p) / n)`` of n validation documents.
    test_score : float
        Accuracy on the test data; NaN if there were none.
    seconds : float
        What the point added to the time of the path: penalized epochs, finetuning and
        scores.
    """

    lambda_: float
    structure: RationalStructure
    validation_score: float
    validation_error: float
    test_score: float
    seconds: float

    @property
    def n_transitions(self) -> int:
        """Main-path transitions left."""
        return self.structure.n_transitions

    @property
    def n_wfsas(self) -> int:
        """Automata left."""
        return self.structure.n_wfsas

    @property
    def n_parameters(self) -> int:
        """Parameters left, those of the readout included."""
        return self.structure.n_parameters


class RegularizationPath(Sequence[SparseRationalClassifier]):
    """Classifiers from dense to sparse, as `regularization_path` returns them.

    A sequence: ``path[i]`` is the i-th point as a fitted classifier, ready to predict,
    ``path[i:j]`` a part of the path. Nothing is fitted again for it; each call returns
    a classifier of its own.

    Parameters
    ----------
    template : SparseRationalClassifier
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

    def __init__(
        self,
        template: SparseRationalClassifier,
        points: Sequence[PathPoint],
        fitted: Sequence[dict[str, Any]],
        seconds: float,
    ) -> None:
        self._template = clone(template).set_callbacks()
        self._fitted = tuple(fitted)
        self.points = tuple(points)
        self.seconds = seconds

    def __len__(self) -> int:
        return len(self.points)

    @overload
    def __getitem__(self, i: int) -> SparseRationalClassifier: ...
    @overload
    def __getitem__(self, i: slice) -> RegularizationPath: ...
    def __getitem__(
        self, i: int | slice
    ) -> SparseRationalClassifier | RegularizationPath:
        """Return the i-th point as a fitted classifier, or a part of the path."""
        if isinstance(i, slice):
            return RegularizationPath(
                self._template, self.points[i], self._fitted[i], self.seconds
            )
        point, fitted = self.points[i], self._fitted[i]
        clf = clone(self._template).set_params(lambda_=point.lambda_)
        for name, value in deepcopy(fitted).items():
            setattr(clf, name, value)
        return clf

    def __iter__(self) -> Iterator[SparseRationalClassifier]:
        return (self[i] for i in range(len(self)))

    def at(
        self, *, n_transitions: int | None = None, lambda_: float | None = None
    ) -> SparseRationalClassifier:
        """Return the best classifier of a size, or that of a ``lambda_``.

        Parameters
        ----------
        n_transitions : int, default=None
            The most transitions it may have. Of the points that keep to it, the one of
            the best validation score; among equals the smallest.
        lambda_ : float, default=None
            One of the strengths on the path.

        Returns
        -------
        SparseRationalClassifier

        Raises
        ------
        ValueError
            If no point is that small or of that strength, or not exactly one of the
            two is given.
        """
        if (n_transitions is None) == (lambda_ is None):
            raise ValueError(
                "at() takes n_transitions or lambda_, one of them; got "
                f"n_transitions={n_transitions}, lambda_={lambda_}."
            )
        if lambda_ is not None:
            there = [point.lambda_ for point in self.points]
            equal = np.flatnonzero(np.isclose(there, lambda_, rtol=1e-9, atol=0))
            if not len(equal):
                raise ValueError(
                    f"lambda_={lambda_} is not on the path; expected one of {there}."
                )
            return self[int(equal[0])]
        assert n_transitions is not None
        sizes = [point.n_transitions for point in self.points]
        allowed = [i for i, size in enumerate(sizes) if size <= n_transitions]
        if not allowed:
            raise ValueError(
                f"n_transitions={n_transitions}: no point of the path is that small; "
                f"the smallest has {min(sizes)} transitions."
            )
        return self[self._best_of(allowed)]

    def best(self) -> SparseRationalClassifier:
        """Return the classifier of the best validation score; of equals the least."""
        return self[self._best_of(range(len(self)))]

    def smallest_within_one_se(self) -> SparseRationalClassifier:
        """Return the smallest classifier that is about as good as the best one.

        That is, of those whose validation score is within one standard error, that of
        the best one, of the best score.
        """
        columns = self._columns()
        i = within_one_se(
            columns["validation_score"],
            columns["validation_error"],
            columns["n_transitions"],
        )
        return self[i]

    def _best_of(self, allowed: Sequence[int]) -> int:
        return max(
            allowed,
            key=lambda i: (
                self.points[i].validation_score,
                -self.points[i].n_transitions,
            ),
        )

    def _columns(self) -> dict[str, list[Any]]:
        names = (
            "lambda_",
            "n_transitions",
            "n_wfsas",
            "n_parameters",
            "validation_score",
            "validation_error",
            "test_score",
            "seconds",
        )
        columns = {n: [getattr(point, n) for point in self.points] for n in names}
        return columns | {"lengths": [point.structure.lengths for point in self.points]}

    def to_frame(self) -> Any:
        """Return a data frame with a row for each point.

        Its columns are ``lambda_``, ``n_transitions``, ``n_wfsas``, ``n_parameters``,
        ``validation_score``, ``validation_error``, ``test_score``, ``seconds`` and
        ``lengths``, the states of each automaton.

        Raises
        ------
        ImportError
            If pandas isn't installed.
        """
        return data_frame(self._columns())

    def __repr__(self) -> str:
        columns = self._columns()
        shown = {
            name: [form.format(value) for value in columns[name]]
            for name, form in _COLUMNS.items()
            if not np.isnan(columns[name]).all()
        }
        widths = [max(map(len, (name, *cells))) for name, cells in shown.items()]
        rows = [shown.keys(), *zip(*shown.values(), strict=True)]
        lines = [
            "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join([f"{len(self)} points in {self.seconds:.1f} s", *lines])
