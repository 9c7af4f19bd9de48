"""The regularization path: checks, the run from dense to sparse, the result."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from skrational._version import __version__
from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.model_selection._checkpoint import Checkpoint
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._family import check_estimator, template_of
from skrational.model_selection._lambdas import check_lambdas, default_lambdas
from skrational.model_selection._path import PathPoint, RegularizationPath
from skrational.model_selection._path_run import PathRun, resume
from skrational.model_selection._path_scores import score_of
from skrational.model_selection._pipelines import split_steps
from skrational.model_selection._records import (
    describe,
    describe_class,
    digest,
    record,
)
from skrational.training.fit import SparseFit, training_resources
from skrational.training.held_out import temperature_on
from skrational.training.labelled import Learnable
from skrational.training.loop import Examples
from skrational.training.rng import Randomness, draw_seed
from skrational.utils.callbacks import with_callbacks
from skrational.utils.callers import caller_level
from skrational.utils.checks import check_count
from skrational.utils.torch_state import in_own_state

__all__ = ["fit_path", "regularization_path"]

_logger = logging.getLogger("skrational")


def regularization_path(
    estimator: SparseSequenceEstimator | Pipeline,
    X: Any,
    y: ArrayLike,
    lambdas: Sequence[float] | None = None,
    *,
    n_lambdas: int = 20,
    sample_weight: ArrayLike | None = None,
    X_val: Any = None,
    y_val: ArrayLike | None = None,
    X_test: Any = None,
    y_test: ArrayLike | None = None,
    epochs_per_lambda: int | None = None,
    finetune_epochs: int | None = None,
    checkpoint_dir: str | os.PathLike[str] | None = None,
) -> RegularizationPath:
    """Fit the whole curve of accuracy against size, from dense to sparse.

    After one warm-up, the network is trained under the smallest lambda, pruned, trained
    on under the next lambda, and so on: weights, structure and the optimizer's state
    are taken over. At each lambda a copy is finetuned and becomes a point of the path.
    A path of 20 points takes less than two and a half times as long as a fit without
    penalty.

    Parameters
    ----------
    estimator : SparseRationalClassifier or another of its family, or a Pipeline
        Another is `SparseRationalRegressor`, whose scores are R squared. A pipeline
        ends with such an estimator; the steps before it are fitted once, on all of X,
        and the points of the path are fitted pipelines. The parameters of
        the estimator hold for all points, except ``lambda_``, ``ramp_epochs``
        and ``warm_start``. It is cloned, with its callbacks: a progress bar counts the
        phases of the path. ``early_stopping`` concerns the finetuning only.
        ``calibration`` fits each point's temperature on the validation data.
    X, y
        As for `SparseRationalClassifier.fit`; with a pipeline, what that reads, such as
        texts.
    lambdas : sequence of float, default=None
        Rising strengths of the penalty, at least 0. None: ``n_lambdas`` of them, in
        equal ratios, from 1/50 of to 10 times the norm of the gradient that the data
        exert on a state, or unit, of the empty network after the warm-up.
    n_lambdas : int, default=20
        See ``lambdas``.
    sample_weight : array-like of shape (n_sequences,), default=None
        As for ``fit``.
    X_val, y_val : like X and y, default=None
        What validation scores are computed on. None: a share of
        ``estimator.validation_fraction``, of each class, is held out of X. The steps of
        a pipeline have seen that share, too, though not those given here.
    X_test, y_test : like X and y, default=None
        If given, each point gets a test score, too.
    epochs_per_lambda : int, default=None
        Epochs under each lambda. None: a tenth of ``estimator.max_epochs``, at least 1.
    finetune_epochs : int, default=None
        Epochs of finetuning of each point. None: half of ``estimator.finetune_epochs``
        for points of up to a tenth of the dense network's size, and in inverse
        proportion to the size for larger ones, which gain nothing from more; at least a
        tenth.
    checkpoint_dir : path-like, default=None
        A folder in which each point is kept as soon as it's done. If the path is begun
        again there, with equal data and parameters, it goes on after the last point and
        ends as if it had not been interrupted. ``random_state=None`` then means the
        seed of the run that was begun.

    Returns
    -------
    RegularizationPath
        It ends at the first point of size 0, so it may have fewer points than
        there are lambdas. Interrupted (by Ctrl-C), it ends with the last point that is
        done; before the first one the KeyboardInterrupt is raised.

    Raises
    ------
    ValueError, TypeError
        If a parameter or the data are not what they should be, or ``checkpoint_dir``
        holds a path of others.
    OSError
        If ``checkpoint_dir`` is a file, can't be made, read or written, or another
        process works in it.

    Warns
    -----
    UserWarning
        If a checkpoint can't be written, because the disk is full for instance; the
        path goes on without them. If one is damaged; the path then begins anew.
    UserWarning
        If the path is interrupted; ``path.interrupted`` is then True.
    FeatureScaleWarning
        As from ``fit``.

    See Also
    --------
    skrational.SparseRationalClassifierCV : Chooses lambda by cross-validated paths.
    lambda_max : The smallest lambda that leaves nothing, for single fits.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 2 for the penalty, Fig. 3 for the curve.
       :arxiv:`1909.03011`
    .. [2] Friedman, Hastie, Tibshirani, "Regularization Paths for Generalized Linear
       Models via Coordinate Descent", Journal of Statistical Software 33(1), 2010,
       section 2.5, for warm starts along a path.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=300, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=4, warmup_epochs=2, random_state=0)
    >>> path = regularization_path(clf, data.X, data.y, lambdas=[0.0, 1e-2, 1e-1])
    >>> path.points[0].n_transitions
    16
    """
    first_steps, classifier = split_steps(estimator)
    hint = " It may be the last step of a pipeline."
    template = template_of(check_estimator(classifier, hint))
    template._validate_params()
    template._check_own_parameters(template._training_device().type)
    epochs = PathEpochs.of(template, epochs_per_lambda, finetune_epochs)
    n_lambdas = check_count("n_lambdas", n_lambdas, 1)
    given = None if lambdas is None else check_lambdas(lambdas)
    if first_steps is not None:
        first_steps, X = first_steps.fit_transform(X, y)
        X_val, X_test = map(first_steps.transform, (X_val, X_test))
    training = template._read_fit(X, y, sample_weight)
    validation = template._read_held_out(training, X_val, y_val)
    test = template._read_held_out(training, X_test, y_test, "test")
    about = {}
    if checkpoint_dir is not None:
        about = {
            "skrational": __version__,
            **describe_class(type(template)),
            **describe(template.get_params()),
            "lambdas": f"{n_lambdas} by default" if given is None else str(given),
            "epochs_per_lambda": str(epochs.per_lambda),
            "finetune_epochs of a point": f"{epochs.least} to {epochs.most}",
            "training data": digest(training),
            "validation data": digest(validation),
            "test data": digest(test),
        }
    seed = draw_seed(template.random_state)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    with Checkpoint(checkpoint_dir, about, seed) as checkpoint:
        template.set_params(**checkpoint.as_begun)
        if validation is None:
            training, validation = _hold_out(template, training, checkpoint.seed)
        path = fit_path(
            template,
            (training, validation, test),
            validation,
            given or n_lambdas,
            epochs,
            checkpoint,
            {"X": X, "y": y, "metadata": metadata},
            may_be_cut=True,
        )
    path._first_steps = first_steps
    return path


def fit_path(
    template: SparseSequenceEstimator,
    parts: tuple[Learnable, Learnable, Learnable | None],
    early: Learnable | None,
    lambdas: list[float] | int,
    epochs: PathEpochs,
    checkpoint: Checkpoint,
    data: dict[str, Any],
    may_be_cut: bool = False,
) -> RegularizationPath:
    """Fit a path whose parameters and data have been checked.

    Parameters
    ----------
    template : SparseSequenceEstimator
        Unfitted.
    parts : tuple of Learnable
        For training, validation and, perhaps, test.
    early : Learnable or None
        Serves early stopping instead of a part of the training data.
    lambdas : list of float, or int
        A number means that many by default.
    epochs : PathEpochs
    checkpoint : Checkpoint
    data : dict
        What callbacks are told.
    may_be_cut : bool, default=False
        Whether an interrupted path ends with what is done. The paths of a search are
        needed whole.

    Returns
    -------
    RegularizationPath
    """
    training, *scored = parts
    n_lambdas = lambdas if isinstance(lambdas, int) else len(lambdas)
    done = _Done([], [])

    @in_own_state
    def follow(template: SparseSequenceEstimator) -> RegularizationPath:
        began = time.perf_counter()
        with training_resources(template.verbose):
            run = PathRun(template, training, checkpoint.seed, epochs, early)
            run.fit.begin(1 + 2 * n_lambdas, data)
            try:
                seconds = _follow(run, lambdas, scored, checkpoint, done)
            except KeyboardInterrupt:
                if not (may_be_cut and done.points):
                    raise
                _warn_of_interrupt(len(done.points), n_lambdas)
                path = done.path(template, time.perf_counter() - began)
                path.interrupted = True
                return path
            run.fit.end()
        return done.path(template, seconds)

    return with_callbacks(follow)(template)


class _Done(NamedTuple):
    """Points of a path that are done, and their fitted attributes."""

    points: list[PathPoint]
    fitted: list[dict[str, Any]]

    def add(self, point: PathPoint, fitted: dict[str, Any]) -> None:
        """Take in a point, last what it is counted by."""
        self.fitted.append(fitted)
        self.points.append(point)

    def path(
        self, template: SparseSequenceEstimator, seconds: float
    ) -> RegularizationPath:
        """Make a path of them."""
        fitted = self.fitted[: len(self.points)]
        return RegularizationPath(template, self.points, fitted, seconds)


def _warn_of_interrupt(n_done: int, n_lambdas: int) -> None:
    warnings.warn(
        f"The path was interrupted after {n_done} of {n_lambdas} points, and holds "
        "these. With checkpoint_dir, one that is begun again goes on from there.",
        UserWarning,
        stacklevel=caller_level(),
    )


def _hold_out(
    estimator: SparseSequenceEstimator, training: Learnable, seed: int
) -> tuple[Learnable, Learnable]:
    """Split a validation part off."""
    rest, held_out = training.with_weight().split(
        estimator.validation_fraction, Randomness(seed).split
    )
    if held_out is None:
        raise ValueError(
            f"X holds {len(training)} sequences, too few to hold out "
            f"validation_fraction={estimator.validation_fraction} of each class; "
            "give X_val and y_val."
        )
    return rest, held_out


def _follow(
    run: PathRun,
    lambdas: list[float] | int,
    scored: list[Learnable | None],
    checkpoint: Checkpoint,
    done: _Done,
) -> float:
    """Go along the path, from the checkpoint on; return the seconds it took.

    Parameters
    ----------
    run : PathRun
    lambdas : list of float, or int
        A number means that many by default.
    scored : list of Learnable or None
        For validation and test.
    checkpoint : Checkpoint
    done : _Done
        Takes in the points.
    """
    began = time.perf_counter()
    kept = resume(run, checkpoint)
    examples = [None if part is None else run.fit.examples(part) for part in scored]
    if kept is None:
        run.warm_up()
        if isinstance(lambdas, int):
            lambdas = default_lambdas(run.scale(), lambdas)
    else:
        lambdas = kept.lambdas
        began -= kept.seconds
        for known in kept.points:
            done.add(*known)
    for i in range(len(done.points), len(lambdas)):
        if done.points and not done.points[-1].size:
            break
        point_began = time.perf_counter()
        run.regularize(i, lambdas[i])
        branch = run.branch(i)
        fitted = run.finetune(branch) | _calibrated(branch, examples[0])
        (score, error), (test, _) = (score_of(branch, part) for part in examples)
        point = _point(lambdas[i], fitted, (score, error, test), point_began)
        _logger.info("point %d of %d: %r", i + 1, len(lambdas), point)
        facts, arrays = run.state()
        facts |= {"lambdas": lambdas, "seconds": time.perf_counter() - began}
        checkpoint.save(i, record(point, fitted), (facts, arrays))
        done.add(point, fitted)
    return time.perf_counter() - began


def _calibrated(branch: SparseFit, validation: Examples | None) -> dict[str, float]:
    """The temperature on validation, as a fitted attribute, if it is asked for."""
    calibration = getattr(branch.params, "calibration", None)
    if calibration is None or validation is None:
        return {}
    return {"temperature_": temperature_on(branch.cell, validation)}


def _point(
    lambda_: float,
    fitted: dict[str, Any],
    scores: tuple[float, float, float],
    began: float,
) -> PathPoint:
    """Join what is known of a point.

    Parameters
    ----------
    lambda_ : float
    fitted : dict
    scores : tuple of float
        On validation, its standard error, and on test.
    began : float
        When the point's first epoch began, by ``time.perf_counter``.
    """
    structure = fitted["learned_structure_"]
    return PathPoint(lambda_, structure, *scores, time.perf_counter() - began)
