"""The sparse LSTM classifier: structured sparsification of gated networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skrational.estimators._gated import SparseGatedClassifier
from skrational.kernels.gated.prediction import PackedLSTM
from skrational.structures.gated import LSTMStructure

if TYPE_CHECKING:
    from skrational.cells.lstm import LSTMCell

__all__ = ["SparseLSTMClassifier"]


class SparseLSTMClassifier(SparseGatedClassifier):
    r"""Classify sequences with an LSTM whose weights, gates and units are learned away.

    ``fit`` trains a long short-term memory under penalties on nested groups: single
    weights, all weights that enter a gate of a unit, and all that leave a unit. A gate
    without weights is a constant, the activation of its bias; a unit that nothing
    listens to is gone. What is left is cut out, really smaller and faster, and
    finetuned without the penalty; a table says which gates of which units still vary.

    .. math::
        \min_\theta \ \mathrm{logloss}(\theta) + \lambda \Big(
        \rho_W \sum_j \lvert w_j \rvert
        + \rho_G \sum_{g,k} \lVert w^{\mathrm{in}}_{g,k} \rVert_2
        + \rho_N \sum_k \lVert w^{\mathrm{out}}_k \rVert_2 \Big)

    where :math:`w^{\mathrm{in}}_{g,k}` enters gate g of unit k, without its bias, and
    :math:`w^{\mathrm{out}}_k` leaves unit k, to the gates and to the readout.

    Start with ``n_units``, ``lambda_``, the size, and ``random_state``. The parameters
    come in groups: the network and what is removed of it, what is read, the solver,
    optimization, phases, early stopping, noise, and the rest.

    Parameters
    ----------
    n_units : int, default=64
        Hidden units before pruning (H).
    lambda_ : float or None, default=None
        Strength of all penalties. 0 trains the dense network. None: 2e-3 for the group
        lasso, and 1 for the Bayesian framework, where that means the evidence lower
        bound.
    sparsify : tuple of str, default=("weights", "gates", "neurons")
        Which groups there are: some of "weights", "gates", "neurons" and "inputs", the
        weights that leave a feature. The paper's arms are ("weights",), ("weights",
        "neurons") and all three.
    lambda_ratios : tuple of float, dict or None, default=None
        Strength of each kind of ``sparsify`` as a multiple of ``lambda_`` (the rho). A
        tuple is in the order of ``sparsify``, a dict has its names as keys. None: 0.02
        for weights, 1 for the others; 1 for all with "bayes".
    framework : {"group_lasso", "bayes"}, default="group_lasso"
        "bayes" is sparse variational dropout [2]_: weights, and a factor for each
        group, are drawn in training, under a log-uniform prior; those go whose noise
        exceeds them. It needs settings of its own, see the notes.
    log_alpha : float, default=3.0
        With "bayes", a weight or a factor goes if the logarithm of its variance divided
        by its squared mean is at least this.
    readout : {"anywhere", "last"}, default="anywhere"
        What the linear readout reads: the sum of the hidden states after every token,
        divided by ``T ** length_exponent``, or the state after the last token, as in
        the paper.
    length_exponent : float, default=0.5
        See ``readout``.
    solver : {"prox", "subgradient"}, default="prox"
        Of the group lasso. "prox" applies the proximal operators one after the other,
        weights first, after each step and reaches exact zeros; "subgradient" adds the
        penalties to the loss, as the paper does.
    threshold : float, default=0.01
        With "subgradient", a group, be it a single weight, goes if its norm is at most
        this.
    learning_rate : float, default=0.02
        Adam's, constant while the structure is learned.
    finetune_schedule : {"cosine", "plateau", "constant"}, default="cosine"
        What becomes of the learning rate in finetuning.
    batch_size : int or None, default=64
        Sequences of a step. None: all of them, in the order of X.
    min_steps_per_epoch : int, default=50
        Batches of an epoch with the penalty, at least: few sequences are gone through
        several times.
    max_steps_per_epoch : int or None, default=400
        Batches of an epoch, at most. Of more sequences (25,600 in batches of 64) an
        epoch takes a part, and the next one goes on where it ended, so that very many
        of them are gone through fewer times. None: each epoch takes all.
    warmup_epochs : int, default=5
        Epochs before the penalty sets in.
    max_epochs : int, default=15
        Epochs with the penalty, at most. When more than a third of the gates is gone,
        the network is cut, so that the rest of them takes less time.
    ramp_epochs : int, default=0
        So many of them let the penalty rise to ``lambda_``, linearly. With "bayes" this
        anneals the weight of the divergence.
    finetune_epochs : int, default=10
        Epochs after pruning, at most. Weights that are zero stay zero.
    early_stopping : bool, default=False
        Hold out a part of the samples, stop a phase when the validation loss (plus the
        penalty) hasn't improved for ``n_iter_no_change`` epochs, and go back to the
        best epoch.
    validation_fraction : float, default=0.1
        Share of each class that is held out.
    n_iter_no_change : int, default=10
        Patience, in epochs.
    dropout : float, default=0.1
        Probability that what the readout reads of a unit on a sequence is dropped in
        training.
    word_dropout : float, default=0.0
        Probability that a distinct feature vector is dropped from a batch.
    feature_dropout : float, default=0.0
        Probability that a feature is dropped from a batch.
    weight_decay : float, default=0.0
        Adam's L2 penalty on all weights; 0 with "bayes", which has a prior.
    max_grad_norm : float or None, default=5.0
        Gradients are scaled down to this norm.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    calibration : {"temperature"} or None, default=None
        "temperature" divides logits by ``temperature_``, fitted on the validation part
        or on what a second fit leaves out, so that probabilities aren't too sure.
    warm_start : bool, default=False
        Start from the weights and the structure of the previous fit: only what survived
        it can survive again. ``n_units``, ``readout`` and ``length_exponent`` stay as
        they were.
    dtype : {"float32", "float64"}, default="float32"
        Of the computation and the fitted weights.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N" or "mps". "auto" is the CPU, whose results are
        the same to the bit everywhere. Predictions fall back to the CPU where the
        device is missing.
    random_state : int, RandomState instance or None, default=None
        Initial weights, order of batches, dropout, noise and validation split. The
        global generators of numpy and torch are neither read nor changed.
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
    learned_structure_ : LSTMStructure
        Which units are left, and which of their gates vary; with counts, compression,
        bytes, and a reading in words.
    n_gates_ : int
        Its size: the gates that are not constant.
    n_units_ : int
        Units that are left.
    weights_ : dict of str to ndarray
        ``W_ih`` (n_gates, n_inputs) and ``W_hh`` (n_gates, n_units), a row for each
        gate that varies, those of the input gates first, then forget gates, information
        flow and output gates; ``b`` (4, n_units), the biases of all gates.
    coef_ : ndarray of shape (1, n_units) or (n_classes, n_units)
        Readout weights of the units that are left.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    temperature_ : float
        1.0 without ``calibration``.
    n_iter_ : int
        Epochs, of all phases.
    history_ : list of dict
        A row for each epoch: ``phase``, ``epoch``, ``loss``, ``penalty``,
        ``validation_loss``, ``validation_score`` (accuracy), ``n_gates`` that vary,
        ``learning_rate`` and ``seconds``.

    See Also
    --------
    SparseGRUClassifier : The same with another cell.
    SparseRationalClassifier : Automata, which can be read more closely.
    skrational.model_selection.regularization_path : Fits all sizes in one run.

    Notes
    -----
    Gates are the paper's, the information flow g among them. The sigmoid is the
    logistic function. Nested groups have no joint proximal operator in Adam's metric;
    one after the other is exact in the Euclidean metric.

    With ``framework="bayes"`` every weight, and a factor of every group, has a normal
    posterior. Its divergence from a log-uniform prior, times ``lambda_`` and divided by
    the number of sequences, is added to the loss, whatever ``solver`` says. Weights and
    factors are drawn once a batch, for all its sequences and times; the forerunner [2]_
    draws the factors for each sequence, with which no two of them could share a matrix
    product. The readout is drawn for each sequence. Noise of its own makes ``dropout``
    superfluous, and sparsity comes late: try ``dropout=0``, ``learning_rate=0.02`` and
    ``max_epochs`` for at least 2000 steps. On few sequences (trec's 5000) ``lambda_=1``
    cost three points of accuracy or more; 0.1 to 0.3 cost none, and left more.

    References
    ----------
    .. [1] Lobacheva, Chirkova, Markovich, Vetrov, "Structured Sparsification of Gated
       Recurrent Neural Networks", AAAI 2020. :arxiv:`1911.05585`
    .. [2] Chirkova, Lobacheva, Vetrov, "Bayesian Compression for Natural Language
       Processing", EMNLP 2018. :arxiv:`1810.10927`

    Examples
    --------
    >>> import numpy as np
    >>> from skrational import SparseLSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 12, size=200)]
    >>> y = [x[:, 0].sum() > 0 for x in X]
    >>> clf = SparseLSTMClassifier(n_units=8, lambda_=0.02, random_state=0).fit(X, y)
    >>> clf.predict(X[:3]).shape
    (3,)
    >>> clf.n_gates_ < 32
    True
    """

    learned_structure_: LSTMStructure
    _packed_type = PackedLSTM

    def _cell_type(self) -> type[LSTMCell]:
        from skrational.cells.lstm import LSTMCell

        return LSTMCell
