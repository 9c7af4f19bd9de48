"""The curve that a regularization path is for: score against size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.model_selection._artists import (
    add_legend,
    curve_look,
    draw_baseline,
    draw_curve,
    prepare_axes,
)
from skrational.model_selection._curves import (
    check_curve,
    checked_baseline,
    fit_paths,
    points_of_runs,
    rows_by_value,
    score_column,
    size_label_of,
    sizes_and_scores,
    stacked,
)
from skrational.utils.figures import new_axes
from skrational.utils.moved import with_new_parameters

__all__ = ["RegularizationPathDisplay"]

_TRANSITIONS = "main-path transitions"

Baselines: TypeAlias = Mapping[str, float | tuple[float, ...]]


class RegularizationPathDisplay:
    """Draw score against number of transitions along regularization paths.

    This is Fig. 3 of [1]_. Runs that differ in their seed, or in the fold left out,
    make one curve: a point is the mean over the runs of the models at one position on
    the grid of ``lambda_``, with the standard deviation (ddof=1) in both directions. A
    run whose path ended before a position doesn't count there; the point then says how
    many do. Displays are made by `from_path`, `from_estimator` or `from_frame`.

    Parameters
    ----------
    n_transitions : dict of str to array-like of shape (n_runs, n_lambdas)
        Main-path transitions, by name of the curve (a data set, a method); NaN after
        the end of a path. A curve that needs no name has the name "".
    scores : dict of str to array-like of shape (n_runs, n_lambdas)
        Scores, under the same names.
    score_name : str, default="validation"
        What the scores were measured on, for the label of the axis.
    baselines : dict of str to float or tuple, default=None
        Other models, by label: ``score`` for a horizontal line, or
        ``(n_transitions, score)``, or these with their standard deviations,
        ``(n_transitions, score, n_transitions_std, score_std)``.
    size_label : str, default="main-path transitions"
        What the sizes count, for the label of the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of Line2D
        The curves.
    errorbars_ : list of ErrorbarContainer
        The curves with their bars.
    baselines_ : list of Line2D or ErrorbarContainer
    n_runs_ : dict of str to ndarray of shape (n_lambdas,)
        Runs that count at each position. A logarithmic axis leaves out empty models.

    Raises
    ------
    ValueError
        If names or shapes don't fit together, there are no scores, or a baseline has
        another form.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019. :arxiv:`1909.03011`

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> display = RegularizationPathDisplay(
    ...     n_transitions={"kitchen": [[64, 16, 4], [60, 20, np.nan]]},
    ...     scores={"kitchen": [[0.89, 0.90, 0.86], [0.88, 0.90, np.nan]]},
    ...     baselines={"TF-IDF": 0.902},
    ... )
    >>> display.plot(ax=Figure().subplots()).n_runs_
    {'kitchen': array([2, 2, 1])}
    """

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(with_new_parameters(type(self), state))

    def __init__(
        self,
        n_transitions: Mapping[str, ArrayLike],
        scores: Mapping[str, ArrayLike],
        *,
        score_name: str = "validation",
        baselines: Baselines | None = None,
        size_label: str = _TRANSITIONS,
    ) -> None:
        if list(n_transitions) != list(scores):
            raise ValueError(
                f"scores has the names {list(scores)}; expected those of "
                f"n_transitions, {list(n_transitions)}."
            )
        if not n_transitions:
            raise ValueError("n_transitions holds no curve; expected at least one.")
        self.n_transitions = {k: np.array(v, float) for k, v in n_transitions.items()}
        self.scores = {k: np.array(v, float) for k, v in scores.items()}
        for name, sizes in self.n_transitions.items():
            check_curve(name, sizes, self.scores[name])
        self.score_name = score_name
        self.size_label = size_label
        given = (baselines or {}).items()
        self.baselines = {label: checked_baseline(label, v) for label, v in given}

    def plot(
        self, ax: Any = None, *, log: bool = True, **kwargs: Any
    ) -> RegularizationPathDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; what is there stays. None makes a new figure.
        log : bool, default=True
            Whether sizes are on a logarithmic axis, which has no place for models
            without transitions.
        **kwargs
            Passed on to ``Axes.errorbar`` for each curve.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        ImportError
            If matplotlib isn't installed.
        """
        ax = new_axes() if ax is None else ax
        prepare_axes(ax, log, self.size_label, f"accuracy ({self.score_name})")
        n_before = len(ax.containers)
        self.errorbars_, self.n_runs_ = [], {}
        for i, (name, sizes) in enumerate(self.n_transitions.items(), n_before):
            sizes = np.where(sizes > 0, sizes, np.nan) if log else sizes
            errorbar, self.n_runs_[name] = draw_curve(
                ax, name, sizes, self.scores[name], curve_look(i) | kwargs
            )
            self.errorbars_.append(errorbar)
        self.lines_ = [errorbar.lines[0] for errorbar in self.errorbars_]
        self.baselines_ = [
            draw_baseline(ax, i, label, values)
            for i, (label, values) in enumerate(self.baselines.items())
        ]
        add_legend(ax, self.baselines)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_path(
        cls,
        paths: Any,
        *,
        score: str = "validation",
        name: str | None = None,
        baselines: Baselines | None = None,
        ax: Any = None,
        log: bool = True,
        **kwargs: Any,
    ) -> RegularizationPathDisplay:
        """Draw paths that were fitted before.

        Parameters
        ----------
        paths : RegularizationPath, list of them, or dict of str to either
            One run, the runs of one curve, or the curves by name.
        score : {"validation", "test"}, default="validation"
            Which score of the paths is drawn.
        name : str, default=None
            Name of a single curve.
        baselines : dict of str to float or tuple, default=None
            As for the class.
        ax, log, **kwargs
            As for `plot`.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        ValueError
            If there is no path, ``score`` is another word, the paths have no such
            scores, or ``name`` comes with a dict.
        TypeError
            If something else than paths came.
        """
        column = score_column(score)
        if isinstance(paths, Mapping) and name is not None:
            raise ValueError(
                f"name is {name!r}, but paths is a dict, whose keys are the names; "
                "expected None."
            )
        named = paths if isinstance(paths, Mapping) else {name or "": paths}
        runs = {str(name): points_of_runs(value) for name, value in named.items()}
        curves = {
            name: stacked([sizes_and_scores(run, column) for run in of_curve])
            for name, of_curve in runs.items()
        }
        points = chain.from_iterable(chain.from_iterable(runs.values()))
        label = size_label_of(points, _TRANSITIONS)
        display = cls._of(curves, score, baselines, label)
        return display.plot(ax, log=log, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: ArrayLike | None = None,
        *,
        random_states: Iterable[int] | None = (0, 1, 2),
        score: str = "validation",
        name: str | None = None,
        baselines: Baselines | None = None,
        ax: Any = None,
        log: bool = True,
        **kwargs: Any,
    ) -> RegularizationPathDisplay:
        """Draw the paths of a fitted search, or fit paths and draw them.

        Parameters
        ----------
        estimator : SparseRationalClassifierCV or SparseRationalClassifier
            A fitted search, which has a path for each fold, or an unfitted classifier,
            for which a path is fitted with each seed.
        X, y : default=None
            Data for a classifier, as for its ``fit``.
        random_states : iterable of int or None, default=(0, 1, 2)
            Seeds for a classifier. None: one path, with its own.
        score, name, baselines, ax, log
            As for `from_path`.
        **kwargs
            Passed on to `regularization_path`, such as ``X_test`` and ``y_test``.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        ValueError
            If data came with a fitted search, or none with a classifier; and as for
            `from_path`.
        """
        score_column(score)  # before hours of fitting
        if not hasattr(estimator, "paths_"):
            paths = fit_paths(estimator, X, y, random_states, kwargs)
        elif X is None and y is None and not kwargs:
            paths = list(estimator.paths_)
        else:
            raise ValueError(
                f"X, y or {list(kwargs)} came with a fitted "
                f"{type(estimator).__name__}, whose paths_ are there to be drawn; "
                "expected the estimator alone."
            )
        return cls.from_path(
            paths, score=score, name=name, baselines=baselines, ax=ax, log=log
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        by: str | None = "dataset",
        seed: str | None = "seed",
        size: str = "n_transitions",
        score: str = "validation",
        baselines: Baselines | None = None,
        ax: Any = None,
        log: bool = True,
        **kwargs: Any,
    ) -> RegularizationPathDisplay:
        """Draw a table of many paths, such as a benchmark's.

        Parameters
        ----------
        frame : DataFrame
            What `RegularizationPath.to_frame` returned for each path, one below the
            other, with columns that tell the paths apart.
        by : str or None, default="dataset"
            The column that names the curve. None: there is one.
        seed : str or None, default="seed"
            The column that tells the runs of a curve apart. None: there is one.
        size : str, default="n_transitions"
            The column of the sizes.
        score, baselines, ax, log, **kwargs
            As for `from_path`.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        ValueError
            If a column isn't there, or a run has two rows of the same ``lambda_``.
        """
        column = score_column(score)
        labels = [label for label in (by, seed) if label is not None]
        expected = [*labels, "lambda_", size, column]
        if missing := set(expected) - set(frame.columns):
            raise ValueError(f"frame has no {sorted(missing)}; expected {expected}.")
        if (again := frame.duplicated([*labels, "lambda_"])).any():
            row = frame.loc[again, [*labels, "lambda_"]].iloc[0].to_dict()
            raise ValueError(
                f"frame has several rows of {row}; expected one, with by={by!r} and "
                f"seed={seed!r} telling the paths apart."
            )
        curves = {
            str(name): stacked(
                [
                    run.sort_values("lambda_")[[size, column]].to_numpy()
                    for _, run in rows_by_value(curve, seed)
                ]
            )
            for name, curve in rows_by_value(frame, by)
        }
        label = _TRANSITIONS if size == "n_transitions" else size.removeprefix("n_")
        display = cls._of(curves, score, baselines, label)
        return display.plot(ax, log=log, **kwargs)

    @classmethod
    def _of(
        cls,
        curves: Mapping[str, NDArray[np.floating]],
        score: str,
        baselines: Baselines | None,
        size_label: str,
    ) -> RegularizationPathDisplay:
        """Make a display of stacked runs.

        Parameters
        ----------
        curves : dict of str to ndarray of shape (n_runs, n_lambdas, 2)
            Sizes and scores.
        score : {"validation", "test"}
        baselines : dict or None
        size_label : str

        Returns
        -------
        RegularizationPathDisplay
        """
        sizes, scores = (
            {name: runs[..., i] for name, runs in curves.items()} for i in (0, 1)
        )
        return cls(
            sizes,
            scores,
            score_name=score,
            baselines=baselines,
            size_label=size_label,
        )
