"""The curve that a regularization path is for: score against size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from skrational.model_selection._artists import (
    add_legend,
    curve_look,
    draw_baseline,
    draw_chosen,
    draw_curve,
    prepare_axes,
)
from skrational.model_selection._curves import (
    baseline_of,
    check_curve,
    check_position,
    check_rule,
    check_shapes,
    line_positions,
    means_of_runs,
)
from skrational.model_selection._sources import (
    curves_of_frame,
    curves_of_paths,
    fit_paths,
    parameters_of,
    score_column,
)
from skrational.utils.figures import new_axes
from skrational.utils.moved import with_new_parameters

__all__ = ["RegularizationPathDisplay"]

_TRANSITIONS = "main-path transitions"

Baseline: TypeAlias = float | tuple[float, ...]
Baselines: TypeAlias = Mapping[str, Baseline | Mapping[str, Baseline]]


class RegularizationPathDisplay:
    """Draw score against number of transitions along regularization paths.

    This is Fig. 3 of [1]_. Runs that differ in their seed, or in the fold left out,
    make one curve: a point is the mean over the runs of the models at one position on
    the grid of ``lambda_``, with the standard deviation (ddof=1) in both directions. A
    run whose path ended before a position doesn't count there; the point then says how
    many do. Displays are made by `from_path`, `from_estimator` or `from_frame`.

    A band is one standard error of the score wide in both directions: of several runs
    that of their mean, of a single one that of its documents. Of points of equal size
    the line goes through the one that is best on the validation data; the others are
    faint. A ring marks the point that was chosen, which also is done on the validation
    data, whatever score is drawn.

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
        ``(n_transitions, score, n_transitions_std, score_std)``. A dict of these by
        what they were scored on, as ``{"validation": 0.88, "test": 0.90}``, draws the
        one of ``score_name``, and none if that isn't among them; without a dict the
        score is taken to be of ``score_name``.
    size_label : str, default="main-path transitions"
        What the sizes count, for the label of the axis.
    errors : dict of str to array-like of shape (n_runs, n_lambdas), default=None
        Standard errors of the scores. They are drawn of curves of a single run.
    ranking : dict of str to array-like of shape (n_runs, n_lambdas), default=None
        Scores that tell which of equally large models is best. None: ``scores``.
    chosen : dict of str to int, default=None
        Position of the point that has a ring, for some of the curves.
    choice : str, default="chosen"
        What the legend calls it.
    metric : str, default="accuracy"
        What the scores are, for the label of the axis; of regressors "R²".

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of Line2D
        The curves.
    errorbars_ : list of ErrorbarContainer
        The curves with their bars.
    bands_ : list of PolyCollection
        One for each curve, empty where standard errors aren't known.
    others_ : list of Line2D
        The points beside each curve, of the sizes that it has a better point of.
    rings_ : dict of str to Line2D
        Around the points that were chosen.
    baselines_ : list of Line2D or ErrorbarContainer
    n_runs_ : dict of str to ndarray of shape (n_lambdas,)
        Runs that count at each position. A logarithmic axis leaves out empty models.

    Raises
    ------
    ValueError
        If names or shapes don't fit together, there are no scores, a position isn't
        there, or a baseline has another form.

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
        for name in ("errors", "ranking", "chosen"):
            setattr(self, name, getattr(self, name) or {})

    def __init__(
        self,
        n_transitions: Mapping[str, ArrayLike],
        scores: Mapping[str, ArrayLike],
        *,
        score_name: str = "validation",
        baselines: Baselines | None = None,
        size_label: str = _TRANSITIONS,
        errors: Mapping[str, ArrayLike] | None = None,
        ranking: Mapping[str, ArrayLike] | None = None,
        chosen: Mapping[str, int] | None = None,
        choice: str = "chosen",
        metric: str = "accuracy",
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
        self.size_label, self.metric = size_label, metric
        given = (baselines or {}).items()
        drawn = {label: baseline_of(label, v, score_name) for label, v in given}
        self.baselines = {k: v for k, v in drawn.items() if v is not None}
        self.errors, self.ranking = (
            {k: np.array(v, float) for k, v in (values or {}).items()}
            for values in (errors, ranking)
        )
        check_shapes("errors", self.errors, self.scores)
        check_shapes("ranking", self.ranking, self.scores)
        self.chosen, self.choice = dict(chosen or {}), choice
        for name, position in self.chosen.items():
            check_position(name, position, self.n_transitions)

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
        prepare_axes(ax, log, self.size_label, f"{self.metric} ({self.score_name})")
        n_before = len(ax.containers)
        self.errorbars_: list[Any] = []
        self.bands_: list[Any] = []
        self.others_: list[Any] = []
        self.n_runs_, self.rings_ = {}, dict[str, Any]()
        for i, (name, sizes) in enumerate(self.n_transitions.items(), n_before):
            sizes = np.where(sizes > 0, sizes, np.nan) if log else sizes
            means = means_of_runs(sizes, self.scores[name], self.errors.get(name))
            ranking = self.ranking.get(name, self.scores[name])
            line = line_positions(means.x, means_of_runs(sizes, ranking).y)
            look = curve_look(i) | kwargs
            for artists, artist in zip(
                (self.errorbars_, self.bands_, self.others_),
                draw_curve(ax, name, means, line, look),
                strict=True,
            ):
                artists.append(artist)
            self.n_runs_[name] = means.n_runs
            if (chosen := self.chosen.get(name)) is not None:
                label = None if self.rings_ else self.choice
                point = means.x[chosen], means.y[chosen]
                self.rings_[name] = draw_chosen(ax, *point, label)
        self.lines_ = [errorbar.lines[0] for errorbar in self.errorbars_]
        self.baselines_ = [
            draw_baseline(ax, i, label, values)
            for i, (label, values) in enumerate(self.baselines.items())
        ]
        add_legend(ax, [*self.baselines, self.choice])
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
        choose: str | None = "smallest_within_one_se",
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
        baselines : dict of str to float, tuple or dict, default=None
            As for the class.
        choose : {"smallest_within_one_se", "best"} or None, default=\
"smallest_within_one_se"
            The point that has a ring: the smallest one of which the mean validation
            score is within one standard error, that of the best one, of the best, or
            the best. None: no ring. Without standard errors there is none either.
        ax, log, **kwargs
            As for `plot`.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        ValueError
            If there is no path, ``score`` or ``choose`` is another word, the paths have
            no such scores, or ``name`` comes with a dict.
        TypeError
            If something else than paths came.
        """
        column = score_column(score)
        curves, labels = curves_of_paths(paths, name, column, _TRANSITIONS)
        parameters = parameters_of(curves, score, choose) | labels
        display = cls(**parameters, baselines=baselines)
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
        choose: str | None = "smallest_within_one_se",
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
        score, name, baselines, choose, ax, log
            As for `from_path`. Of a fitted search the ring is around its own choice,
            unless ``choose`` is None.
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
        column = score_column(score)  # before hours of fitting
        check_rule(choose)
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
        curves, labels = curves_of_paths(paths, name, column, _TRANSITIONS)
        parameters = parameters_of(curves, score, choose) | labels
        display = cls(**parameters, baselines=baselines)
        if choose is not None and hasattr(estimator, "best_index_"):
            display.chosen = dict.fromkeys(curves, estimator.best_index_)
            display.choice = "chosen by the search"
        return display.plot(ax, log=log)

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
        choose: str | None = "smallest_within_one_se",
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
        score, baselines, choose, ax, log, **kwargs
            As for `from_path`.

        Returns
        -------
        RegularizationPathDisplay

        Raises
        ------
        ValueError
            If a column isn't there, or a run has two rows of the same ``lambda_``.
        """
        curves = curves_of_frame(frame, by, seed, size, score_column(score))
        label = _TRANSITIONS if size == "n_transitions" else size.removeprefix("n_")
        parameters = parameters_of(curves, score, choose)
        display = cls(**parameters, baselines=baselines, size_label=label)
        return display.plot(ax, log=log, **kwargs)
