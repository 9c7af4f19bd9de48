"""Moduli regularization: recurrent networks whose units lie on a manifold."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from skrational.estimators import _options as options
from skrational.estimators._moduli import MODULI, ModuliMethod
from skrational.estimators._packed import PackedClassifier

__all__ = ["ModuliRNNClassifier"]


class ModuliRNNClassifier(ModuliMethod, PackedClassifier):
    r"""Classify sequences with a recurrent network whose units lie on a manifold.

    ``fit`` gives each hidden unit a position on a manifold and trains the network under
    a penalty by which a recurrent weight costs what the distance of its two units says.
    Meanwhile the weights of the smallest magnitude are pruned, more with every epoch,
    up to a sparsity; what is left is finetuned without the penalty.

    .. math::
        \min_\theta \ \mathrm{logloss}(\theta)
        + \lambda \operatorname{mean}_{jk} F_{jk} |w_{jk}|^l,
        \qquad F_{jk} = f(d(x_j, x_k))

    where :math:`x_j` is the position of unit j, d the distance on the manifold, and f
    the inhibitor.

    Start with ``n_hidden``, ``sparsity``, the size, ``lambda_`` and ``random_state``.
    The parameters come in groups: size and penalty, the network, what is pruned, the
    positions and their costs, what is read, the solver, optimization, phases, early
    stopping, noise, and the rest.

    Parameters
    ----------
    n_hidden : int, default=128
        Hidden units (H), at least 2.
    lambda_ : float, default=1.0
        Strength of the penalty, a mean over the recurrent weights. 0: no penalty; the
        weights are pruned all the same.
    sparsity : float, default=0.9
        Share of the weights that is pruned, from 0 to below 1.
    manifold : str, Manifold or callable, default="torus"
        "circle", "sphere", "s3", "torus", "torus6" (of six dimensions), "klein" or
        "r3"; a manifold of `skrational.penalties.manifolds`, such as ``Torus(3)``; or a
        distance: a function of two tensors of points, (..., n_coordinates), that
        returns a tensor (...). It needs ``positions``.
    inhibitor : str or callable, default="dog"
        What a distance costs. "dog", the inverted difference of Gaussians: far and very
        near units; "diffusion", its square; "ripple"; "gauss"; "constant", which makes
        the penalty plain L1; or a function of a tensor of distances.
    cell : {"elman", "lstm", "gru"}, default="elman"
        The network. Gates of an LSTM or a GRU have the same costs.
    activation : {"tanh", "relu"}, default="tanh"
        Of the Elman network.
    bias : bool, default=True
        Whether units of the Elman network have a bias.
    recurrent_init : {"auto", "orthogonal", "identity"}, default="auto"
        What the recurrent weights of the Elman network begin as. "auto": the identity
        for "relu", an orthogonal matrix for "tanh".
    pruned : {"recurrent", "all"}, default="recurrent"
        Of which matrices weights are pruned: of the recurrent one, or of all together,
        as the paper does. At some hundred units a cut over all leaves hardly any
        recurrent weights.
    prune_epochs : int or None, default=None
        Epochs, of ``max_epochs``, over which the sparsity rises, linearly. None: all
        but the last one.
    positions : array-like of shape (n_hidden, n_coordinates), default=None
        Where the units lie. None: they are drawn.
    learn_positions : bool, default=False
        Whether positions are trained along, up to finetuning.
    position_decay : float, default=0.99
        Factor of the gradient of positions that are learned, once for each epoch.
    power : float, default=1.0
        The l of the penalty, at least 1.
    scaling : {"mean", "raw"}, default="mean"
        "mean" divides the costs by their mean, so that ``lambda_`` means the same for
        all manifolds and inhibitors. "raw" leaves them: the authors' "dog" then costs
        66 to 81 on average, or about 41 on "r3", where units are drawn nearer.
    permuted : bool, default=False
        Whether costs are shuffled among the pairs of units: the control, with the same
        costs but without geometry.
    readout : {"anywhere", "last"}, default="anywhere"
        What the linear readout reads: the sum of the hidden states after every token,
        divided by ``T ** length_exponent``, or the state after the last token.
    length_exponent : float, default=0.5
        See ``readout``.
    solver : {"subgradient", "prox"}, default="subgradient"
        "subgradient" adds the penalty to the loss. "prox" applies its proximal operator
        after each step, which leaves exact zeros: with ``sparsity=0`` the penalty alone
        decides how many.
    learning_rate : float, default=0.003
        Adam's, constant while the network is pruned.
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
        Epochs before penalty and pruning set in.
    max_epochs : int, default=15
        Epochs with penalty and pruning, at most.
    ramp_epochs : int, default=0
        So many of them let the penalty rise to ``lambda_``, linearly.
    finetune_epochs : int, default=10
        Epochs after that, at most. Pruned weights stay zero.
    early_stopping : bool, default=False
        Hold out a part of the samples, stop a phase when the validation loss (plus the
        penalty) hasn't improved for ``n_iter_no_change`` epochs, and go back to the
        best epoch, of those at full sparsity.
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
        Adam's L2 penalty on all weights, not on positions.
    max_grad_norm : float or None, default=5.0
        Gradients are scaled down to this norm.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    calibration : {"temperature"} or None, default=None
        "temperature" divides logits by ``temperature_``, fitted on the validation part
        or on what a second fit leaves out, so that probabilities aren't too sure.
    warm_start : bool, default=False
        Start from the weights, the masks and the positions of the previous fit.
        ``n_hidden``, ``cell``, ``activation`` and the readout stay as they were.
    dtype : {"float32", "float64"}, default="float32"
        Of the computation and the fitted weights.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:N" or "mps". "auto" is the CPU, whose results are
        the same to the bit everywhere. Predictions fall back to the CPU where the
        device is missing.
    random_state : int, RandomState instance or None, default=None
        Initial weights, positions, order of batches, dropout and validation split. The
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
    learned_structure_ : MaskStructure
        Which weights are left, where the units are, and what weights cost.
    positions_ : ndarray of shape (n_hidden, n_coordinates)
        Its positions.
    n_links_ : int
        Recurrent weights that are left.
    sparsity_ : float
        Share of the recurrent weights that is gone.
    size_ : int
        Weights that are left, of all matrices.
    weights_ : dict of str to ndarray
        ``W_ih`` (H, n_features), ``W_hh`` (H, H) and, with ``bias``, ``b`` (H,) of an
        Elman network; ``W_hh[j, k]`` is the weight by which unit j hears unit k. Those
        of an LSTM or a GRU have as many rows for each gate.
    coef_ : ndarray of shape (1, n_hidden) or (n_classes, n_hidden)
        Readout weights.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    temperature_ : float
        1.0 without ``calibration``.
    n_iter_ : int
        Epochs, of all phases.
    history_ : list of dict
        A row for each epoch: ``phase``, ``epoch``, ``loss``, ``penalty``,
        ``validation_loss``, ``validation_score`` (accuracy), ``n_weights`` that are
        left, ``learning_rate`` and ``seconds``.

    See Also
    --------
    ModuliRNNRegressor : The same for numbers, also after every token.
    skrational.model_selection.retrain_mask : Whether the mask alone is worth something.
    skrational.inspection.ManifoldDisplay : Draws units and links on the manifold.

    References
    ----------
    .. [1] Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in
       Recurrent Neural Networks", 2024, sections 2 and 3. :arxiv:`2406.06290`

    Examples
    --------
    >>> import numpy as np
    >>> from skrational import ModuliRNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 12, size=200)]
    >>> y = [x[:, 0].sum() > 0 for x in X]
    >>> clf = ModuliRNNClassifier(n_hidden=16, random_state=0).fit(X, y)
    >>> clf.predict(X[:3]).shape
    (3,)
    >>> clf.n_links_
    26
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = MODULI

    def __init__(
        self,
        *,
        n_hidden: int = 128,
        lambda_: float = 1.0,
        sparsity: float = 0.9,
        manifold: Any = "torus",
        inhibitor: options.Inhibitor = "dog",
        cell: options.CellName = "elman",
        activation: options.Activation = "tanh",
        bias: bool = True,
        recurrent_init: options.RecurrentInit = "auto",
        pruned: options.Pruned = "recurrent",
        prune_epochs: int | None = None,
        positions: ArrayLike | None = None,
        learn_positions: bool = False,
        position_decay: float = 0.99,
        power: float = 1.0,
        scaling: options.Scaling = "mean",
        permuted: bool = False,
        readout: options.StatesRead = "anywhere",
        length_exponent: float = 0.5,
        solver: options.Solver = "subgradient",
        learning_rate: float = 0.003,
        finetune_schedule: options.FinetuneSchedule = "cosine",
        batch_size: int | None = 64,
        min_steps_per_epoch: int = 50,
        max_steps_per_epoch: int | None = 400,
        warmup_epochs: int = 5,
        max_epochs: int = 15,
        ramp_epochs: int = 0,
        finetune_epochs: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.1,
        word_dropout: float = 0.0,
        feature_dropout: float = 0.0,
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
            lambda_=lambda_,
            solver=solver,
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
        self.n_hidden = n_hidden
        self.sparsity = sparsity
        self.manifold = manifold
        self.inhibitor = inhibitor
        self.cell = cell
        self.activation = activation
        self.bias = bias
        self.recurrent_init = recurrent_init
        self.pruned = pruned
        self.prune_epochs = prune_epochs
        self.positions = positions
        self.learn_positions = learn_positions
        self.position_decay = position_decay
        self.power = power
        self.scaling = scaling
        self.permuted = permuted
        self.readout = readout
        self.length_exponent = length_exponent
