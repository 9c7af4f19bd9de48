"""The sparse rational classifier: how a notebook reaches the method."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skrational.cells.batches import Corpus
from skrational.cells.rational import READOUTS, RationalCell, Reading
from skrational.estimators._base import BaseSequenceClassifier
from skrational.estimators._rational_fit import RationalFit, prepared
from skrational.estimators._recipe import spread_lengths
from skrational.kernels import choose_kernel
from skrational.kernels.cpu.scorer import scorer_of
from skrational.kernels.semirings import SEMIRINGS
from skrational.sequences import SequenceArray, check_finite
from skrational.structures import RationalStructure
from skrational.structures.automata import WeightedAutomata
from skrational.training.devices import resolve_device
from skrational.training.labelled import Labelled
from skrational.training.rng import Randomness
from skrational.utils.callbacks import with_callbacks
from skrational.utils.threads import single_thread

__all__ = ["SparseRationalClassifier"]


class SparseRationalClassifier(BaseSequenceClassifier):
    r"""Classify sequences with a few short weighted automata, learned by sparsity.

    Each hidden unit is a weighted finite-state automaton (WFSA) that scores a soft
    pattern. ``fit`` trains ``n_wfsas`` of them with a group lasso in which one group is
    one state, removes the states whose weights went to zero, and finetunes what is left
    without the penalty: the number and the lengths of the automata are learned.

    .. math::
        \min_\theta \ \mathrm{logloss}(\theta)
        + \lambda \sum_{i,k} \lVert w_{i,k} \rVert_2

    where :math:`w_{i,k}` holds all weights that enter state k of WFSA i.

    Parameters
    ----------
    n_wfsas : int, default=24
        Automata before pruning (d).
    n_states : int or tuple of int, default=4
        Main-path transitions of each automaton before pruning (K). A tuple is spread
        over the automata: ``(1, 2, 3, 4)`` gives a quarter of them each length.
    lambda_ : float, default=2e-3
        Strength of the penalty. 0 trains the network without penalty and pruning.
    penalty : {"states", "wfsas", "transitions"}, default="states"
        What a group is: all that enters a state, a whole automaton, or a single
        transition.
    semiring : {"plus-times", "max-plus", "max-times"}, default="plus-times"
        How transitions make a path and paths make a score. The last two run the
        slower reference kernel.
    readout : {"sum", "last", "rho", "rho_softmax"}, default="sum"
        An automaton's score: the sum of its states' scores, that of its last state, or
        their sum weighted by a learned ``sigmoid(rho)`` or ``softmax(rho)``.
    match : {"anywhere", "end"}, default="anywhere"
        "end" reads the scores after the last token, as the paper does, so that a match
        fades with what follows it. "anywhere" adds up the scores after every token,
        divided by ``T ** length_exponent``.
    length_exponent : float, default=0.5
        See ``match``; 0 counts matches, 1 averages them over the sequence.
    solver : {"prox", "subgradient"}, default="prox"
        "prox" applies the penalty's proximal operator in Adam's metric after each step
        and reaches exact zeros; "subgradient" adds the penalty to the loss, as the
        paper does.
    threshold : float, default=0.1
        With "subgradient", groups of a norm up to this are removed; "prox" removes the
        exact zeros only.
    learning_rate : float, default=0.02
        Adam's, constant while the structure is learned.
    finetune_schedule : {"cosine", "plateau", "constant"}, default="cosine"
        What becomes of the learning rate in finetuning: it falls to zero along a
        cosine, is halved whenever the validation loss (without ``early_stopping``, the
        training loss) stalls for 3 epochs, or stays.
    batch_size : int or None, default=64
        Sequences of a step. None: all of them, in the order of X.
    warmup_epochs : int, default=5
        Epochs before the penalty sets in. An order of words takes longer to learn than
        the words do; without a warm-up the states that would tell it are removed first.
    max_epochs : int, default=20
        Epochs with the penalty, at most.
    ramp_epochs : int, default=0
        So many of them let the penalty rise to ``lambda_``, linearly: what is needed
        has time to gather in few states before the others go. It made the difference
        on planted patterns, and none on reviews.
    finetune_epochs : int, default=20
        Epochs after pruning, at most.
    early_stopping : bool, default=False
        Hold out a part of the samples, stop a phase when the validation loss (plus the
        penalty) hasn't improved for ``n_iter_no_change`` epochs, and go back to the
        best epoch. Without it every phase runs to its end: more samples to learn from
        and a learning rate that has come to rest were worth more on the data that the
        defaults were chosen on.
    validation_fraction : float, default=0.1
        Share of each class that is held out. Samples are too few for it where this
        rounds to none; then all are trained on, to the last epoch.
    n_iter_no_change : int, default=10
        Patience, in epochs.
    dropout : float, default=0.4
        Probability that an automaton's score on a sequence is dropped in training.
    word_dropout : float, default=0.0
        Probability that a distinct feature vector is dropped from a batch.
    feature_dropout : float, default=0.0
        Probability that a feature is dropped from a batch.
    weight_decay : float, default=0.0
        Adam's L2 penalty on all weights.
    max_grad_norm : float or None, default=5.0
        Gradients are scaled down to this norm.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    warm_start : bool, default=False
        Start from the weights and the structure of the previous fit. Only states that
        survived it can survive again: useful for a rising ``lambda_``. ``n_wfsas``,
        ``n_states``, ``semiring``, ``readout``, ``match`` and ``length_exponent`` stay
        as they were.
    dtype : {"float32", "float64"}, default="float32"
        Of the computation and the fitted weights.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N" or "mps". "auto" takes the device with the
        fastest kernel, at present the CPU. Predictions fall back to the CPU where the
        device is missing.
    random_state : int, RandomState instance or None, default=None
        Initial weights, order of batches, dropout and validation split. The global
        generators of numpy and torch are neither read nor changed.
    verbose : int, default=0
        1 logs each phase, 2 each epoch, to the logger "skrational" (and to the error
        stream if no handler is set up).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Width of the feature vectors.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame.
    learned_structure_ : RationalStructure
        Which automata and states survived.
    n_transitions_ : int
        Its size: the states that are left, of all automata.
    weights_ : dict of str to ndarray
        ``W_u`` and ``W_f`` (n_transitions, n_features), ``b_f`` (n_transitions,)
        and, with a learned readout, ``rho`` (n_transitions,). Rows are the states of
        the first surviving automaton in order, then of the second, and so on.
    coef_ : ndarray of shape (1, n_wfsas) or (n_classes, n_wfsas)
        Readout weights of the surviving automata.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : int
        Epochs, of all phases.
    history_ : list of dict
        A row for each epoch: ``phase``, ``epoch``, ``loss``, ``penalty``,
        ``validation_loss``, ``validation_score`` (accuracy), ``n_transitions`` that are
        live, ``learning_rate`` and ``seconds``.

    See Also
    --------
    skrational.WordVectorizer : Turns texts into what this classifier reads.
    skrational.model_selection.regularization_path : Fits all sizes in one run.
    skrational.SparseRationalClassifierCV : Chooses the size by cross-validation.

    Notes
    -----
    A two-dimensional X of shape (n, n_features) is read as n sequences of one vector.
    Results don't depend on the number of threads, which is torch's. Predictions from
    word vectors keep a table of transition weights in memory, beside the estimator.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019. :arxiv:`1909.03011`

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> clf = clf.fit(data.X, data.y)
    >>> clf.predict(data.X[:3]).shape
    (3,)
    >>> clf.learned_structure_.n_transitions_initial
    32
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_wfsas": [Interval(Integral, 1, None, closed="left")],
        "n_states": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "lambda_": [Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions({"states", "wfsas", "transitions"})],
        "semiring": [StrOptions(set(SEMIRINGS))],
        "readout": [StrOptions(set(READOUTS))],
        "match": [StrOptions({"anywhere", "end"})],
        "length_exponent": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions({"prox", "subgradient"})],
        "threshold": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "finetune_schedule": [StrOptions({"cosine", "plateau", "constant"})],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "warmup_epochs": [Interval(Integral, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "ramp_epochs": [Interval(Integral, 0, None, closed="left")],
        "finetune_epochs": [Interval(Integral, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "word_dropout": [Interval(Real, 0, 1, closed="left")],
        "feature_dropout": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "warm_start": ["boolean"],
        "dtype": [StrOptions({"float32", "float64"})],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        n_wfsas: int = 24,
        n_states: int | tuple[int, ...] = 4,
        lambda_: float = 2e-3,
        penalty: str = "states",
        semiring: str = "plus-times",
        readout: str = "sum",
        match: str = "anywhere",
        length_exponent: float = 0.5,
        solver: str = "prox",
        threshold: float = 0.1,
        learning_rate: float = 0.02,
        finetune_schedule: str = "cosine",
        batch_size: int | None = 64,
        warmup_epochs: int = 5,
        max_epochs: int = 20,
        ramp_epochs: int = 0,
        finetune_epochs: int = 20,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.4,
        word_dropout: float = 0.0,
        feature_dropout: float = 0.0,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = 5.0,
        class_weight: dict[Any, float] | str | None = None,
        warm_start: bool = False,
        dtype: str = "float32",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_wfsas = n_wfsas
        self.n_states = n_states
        self.lambda_ = lambda_
        self.penalty = penalty
        self.semiring = semiring
        self.readout = readout
        self.match = match
        self.length_exponent = length_exponent
        self.solver = solver
        self.threshold = threshold
        self.learning_rate = learning_rate
        self.finetune_schedule = finetune_schedule
        self.batch_size = batch_size
        self.warmup_epochs = warmup_epochs
        self.max_epochs = max_epochs
        self.ramp_epochs = ramp_epochs
        self.finetune_epochs = finetune_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.feature_dropout = feature_dropout
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.dtype = dtype
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
    ) -> SparseRationalClassifier:
        """Learn the automata: regularize, prune, finetune.

        Parameters
        ----------
        X : SequenceArray, list of ndarray, or ndarray
            Sequences of feature vectors: a `SequenceArray`, a list or object array of
            arrays of shape (T_i, n_features), a three-dimensional array padded with
            NaN, or a two-dimensional array of sequences of one vector.
        y : array-like of shape (n_sequences,)
            Class labels: numbers, strings or booleans.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights, at least 0; a sample of weight 0 is left out.
        X_val, y_val : like X and y, default=None
            Validation data for early stopping, instead of a part of X.

        Returns
        -------
        self : SparseRationalClassifier

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y or a weight is not what it should be. The estimator is
            then as it was before, also when a fit is interrupted.

        Warns
        -----
        ConvergenceWarning
            If ``lambda_`` removed every state: what is left is the intercept, that is,
            the majority classifier.
        """
        training = self._read_fit(X, y, sample_weight)
        if not self.early_stopping and (X_val is not None or y_val is not None):
            raise ValueError(
                "X_val and y_val serve early stopping; got "
                f"early_stopping={self.early_stopping}."
            )
        held_out = self._read_held_out(training, X_val, y_val)
        randomness = Randomness.drawn_from(self.random_state)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        with prepared(self.verbose):
            run = RationalFit(self, training, randomness, held_out)
            fitted = run.regularize_prune_finetune(
                {"X": X, "y": y, "metadata": metadata}
            )
        self._adopt(fitted, X)
        if self.learned_structure_.n_transitions == 0:
            warnings.warn(
                f"lambda_={self.lambda_} removed every state: only the intercept is "
                "left, which predicts the majority class. Lower lambda_.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    @property
    def n_transitions_(self) -> int:
        """Main-path transitions that are left, the size of the model."""
        check_is_fitted(self)
        return self.learned_structure_.n_transitions

    @property
    def automata_(self) -> WeightedAutomata:
        """The automata that are left as numbers, for `skrational.inspection`."""
        check_is_fitted(self)
        structure, reading = self.learned_structure_, self._reading
        with torch.no_grad():
            final = self._cell().final_weights().numpy()
        return WeightedAutomata(
            **{name: self.weights_[name] for name in ("W_u", "W_f", "b_f")},
            final=final,
            lengths=structure.lengths,
            numbers=structure.survivors,
            coef=self.coef_,
            intercept=self.intercept_,
            semiring=reading.semiring,
            match=reading.match,
            length_exponent=reading.divisor_exponent,
        )

    def _read_fit(self, X: Any, y: Any, sample_weight: Any) -> Labelled:
        """Check the parameters and what there is to learn from."""
        self._validate_params()
        spread_lengths(self.n_states, self.n_wfsas)
        choose_kernel(resolve_device(self.device).type, self.semiring)
        return self._read_training(X, y, sample_weight)

    def _adopt(self, fitted: dict[str, Any], X: Any) -> None:
        """Take over the result of a fit, all at once."""
        _check_feature_names(self, X, reset=True)
        for name, value in fitted.items():
            setattr(self, name, value)

    def _logits(
        self, X: SequenceArray, A: NDArray[np.floating], a: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        device = self._prediction_device()
        if choose_kernel(device.type, self._reading.semiring) == "numba":
            settings = self.learned_structure_.lengths, self._reading
            scorer = scorer_of(
                self, self.weights_, settings, lambda: self._cell().automata()
            )
            return scorer.logits(X, A, a, check_finite)
        check_finite(X)
        cell = self._cell().to(device)
        corpus = Corpus(X, cell.A.dtype, device)
        with single_thread(), torch.no_grad():
            scores = torch.cat([cell.scores(batch) for batch in corpus.batches()])
        return scores.cpu().numpy().astype(np.float64) @ A.T + a

    def _cell(self) -> RationalCell:
        """Build the network again."""
        arrays = {**self.weights_, "A": self.coef_, "a": self.intercept_}
        return RationalCell.from_arrays(
            arrays, self.learned_structure_.lengths, self._reading
        )

    def _prediction_device(self) -> torch.device:
        try:
            return resolve_device(self.device)
        except ValueError:
            return torch.device("cpu")

    weights_: dict[str, NDArray[np.floating]]
    learned_structure_: RationalStructure
    history_: list[dict[str, Any]]
    n_iter_: int
    _reading: Reading
