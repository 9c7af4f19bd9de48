"""The sparse rational classifier: how a notebook reaches the method."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skrational.estimators import _options as options
from skrational.estimators._layers import MOST_LAYERS
from skrational.estimators._multilabel import MultilabelClassifier
from skrational.estimators._rational import RATIONAL, RationalMethod
from skrational.structures.meaning import OutputKind

__all__ = ["SparseRationalClassifier"]


class SparseRationalClassifier(RationalMethod, MultilabelClassifier):
    r"""Classify sequences with a few short weighted automata, learned by sparsity.

    Each hidden unit is a weighted finite-state automaton (WFSA) that scores a soft
    pattern. ``fit`` trains ``n_wfsas`` of them with a group lasso in which one group is
    one state, removes the states whose weights went to zero, and finetunes what is left
    without the penalty: the number and the lengths of the automata are learned.

    .. math::
        \min_\theta \ \mathrm{logloss}(\theta)
        + \lambda \sum_{i,k} \lVert w_{i,k} \rVert_2

    where :math:`w_{i,k}` holds all weights that enter state k of WFSA i.

    Start with ``lambda_``, the size, and ``random_state``. The parameters come in
    groups: the automata, solver, optimization, phases, early stopping, noise, the rest.

    Parameters
    ----------
    n_wfsas : int or "auto", default="auto"
        Automata before pruning (d). "auto": one for each class, but at least 24 and at
        most 96. Many classes take many automata to be told apart; with few classes,
        many learn the training set by heart.
    n_states : int or tuple of int, default=4
        Main-path transitions of each automaton before pruning (K). A tuple is spread
        over the automata: ``(1, 2, 3, 4)`` gives a quarter of them each length.
    n_layers : int, default=1
        Layers of automata, 1 to 3, each of ``n_wfsas`` of ``n_states``. The first reads
        the vectors of the tokens, each other one the scores that the automata before
        it have at every token, and the readout the last.
    lambda_ : float or "auto", default=2e-3
        Strength of the penalty. 0 trains the network without penalty and pruning.
        "auto": the one, of up to seven along a short path, whose network does best on
        sequences that are held out (``validation_fraction``, but at least 300 or a
        third of them); that network is then finetuned on all. It may be the emptied
        one, if none does better than the frequencies of the classes.
    penalty : {"states", "wfsas", "transitions"}, default="states"
        What a group is: all that enters a state, a whole automaton, or a single
        transition.
    semiring : {"plus-times", "max-plus", "max-times"}, default="plus-times"
        How transitions make a path and paths make a score. The last two run the
        slower reference kernel elsewhere than on the CPU.
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
        Sequences of a step. None: all of them, in the order of X, so that an epoch is
        one step.
    min_steps_per_epoch : int, default=50
        Batches of an epoch with the penalty, at least: few sequences are gone through
        several times. The penalty takes a little from each state in each step, so that
        in single passes (1) the same ``lambda_`` leaves the more of the model, the
        fewer sequences there are.
    max_steps_per_epoch : int or None, default=400
        Batches of an epoch, at most. Of more sequences (25,600 in batches of 64) an
        epoch takes a part, and the next one goes on where it ended, so that very many
        of them are gone through fewer times. None: each epoch takes all.
    warmup_epochs : int, default=5
        Epochs before the penalty sets in. An order of words takes longer to learn than
        the words do; without a warm-up the states that would tell it are removed first.
    max_epochs : int, default=20
        Epochs with the penalty, at most; see ``min_steps_per_epoch``.
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
    feature_dropout : float or "auto", default="auto"
        Probability that a feature is dropped from a batch. "auto": 0.5 where there are
        up to three sequences for each feature, which are easily learned by heart, and
        none from nine on; of fewer than 50 features less, in proportion.
    weight_decay : float, default=0.0
        Adam's L2 penalty on all weights.
    max_grad_norm : float or None, default=5.0
        Gradients are scaled down to this norm.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    calibration : {"temperature"} or None, default=None
        Divide logits by ``temperature_``, so that probabilities aren't too sure; it's
        fitted on the validation part, or on what a second fit leaves out.
    warm_start : bool, default=False
        Start from the weights and the structure of the previous fit. Only states that
        survived it can survive again: useful for a rising ``lambda_``. ``n_wfsas``,
        ``n_states``, ``n_layers``, ``semiring``, ``readout``, ``match`` and
        ``length_exponent`` stay as they were.
    dtype : {"float32", "float64"}, default="float32"
        Of the computation and the fitted weights.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N" or "mps". "auto" is the CPU, whose results are
        the same to the bit everywhere; a GPU trains faster, the more so the more states
        there are. Predictions fall back to the CPU where the device is missing.
    random_state : int, RandomState instance or None, default=None
        Initial weights, order of batches, dropout and validation split. The global
        generators of numpy and torch are neither read nor changed.
    verbose : int, default=0
        1 tells each epoch in a line, of a path each point; 2 its epochs, too. Lines go
        to the logger "skrational", and to the error stream if no handler is set up.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Width of the feature vectors.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame.
    learned_structure_ : RationalStructure or LayeredStructure
        Which automata and states survived; of several layers, in which.
    n_transitions_ : int
        Its size: the states that are left, of all automata.
    weights_ : dict of str to ndarray
        ``W_u`` and ``W_f`` (n_transitions, n_features), ``b_f`` (n_transitions,)
        and, with a learned readout, ``rho`` (n_transitions,). Rows are the states of
        the first surviving automaton in order, then of the second, and so on. Of
        several layers names begin with theirs: ``"layer1.W_u"``.
    coef_ : ndarray of shape (1, n_wfsas) or (n_classes, n_wfsas)
        Readout weights of the surviving automata.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    temperature_ : float
        1.0 without ``calibration``.
    rules_ : ndarray of shape (n_wfsas, 2, 3), str
        Phrases of X that each automaton, of the first layer, scores highest, and
        lowest; "" for none.
    lambda_used_ : float
        ``lambda_``, or the strength that was chosen: 0 if the fit went on from one that
        has left nothing to choose it for.
    n_iter_ : int
        Epochs, of all phases.
    history_ : list of dict
        A row for each epoch: ``phase``, ``epoch``, ``loss``, ``penalty``,
        ``validation_loss``, ``validation_score`` (accuracy), ``n_transitions`` that are
        live, ``learning_rate`` and ``seconds``; with ``lambda_="auto"`` also
        ``lambda_``, the strength that was in force: 0 in warm-up and finetuning, and in
        between each that was tried on the way to the one that was chosen.

    See Also
    --------
    skrational.WordVectorizer : Turns texts into what this classifier reads.
    skrational.model_selection.regularization_path : Fits all sizes in one run.
    skrational.SparseRationalClassifierCV : Chooses the size by cross-validation.
    skrational.SparseRationalRegressor : The same automata for numbers.

    Notes
    -----
    y may be an indicator matrix, (n, n_labels): then each label has a logistic loss, a
    logit and a probability of its own, ``classes_`` are the numbers of the labels, and
    ``predict`` returns such a matrix. ``class_weight`` has to be None. Of what is held
    out, shares are those of the rarest label of each sequence.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = RATIONAL | {
        "n_layers": [Interval(Integral, 1, MOST_LAYERS, closed="both")]
    }

    def __init__(
        self,
        *,
        n_wfsas: options.NumberOfWFSAs = "auto",
        n_states: int | Sequence[int] = 4,
        n_layers: int = 1,
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
        class_weight: options.ClassWeight = None,
        calibration: options.Calibration = None,
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
            class_weight=class_weight,
            calibration=calibration,
            warm_start=warm_start,
            dtype=dtype,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_layers = n_layers

    def _outputs(self) -> tuple[NDArray[Any], OutputKind]:
        return self.classes_, "labels" if self._multilabel else "classes"
