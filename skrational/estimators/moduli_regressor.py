"""Moduli regularization for numbers, of each sequence or after each of its tokens."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import StrOptions

from skrational.estimators import _options as options
from skrational.estimators._constraints import OF_CLASSIFIERS
from skrational.estimators._moduli import MODULI, ModuliMethod
from skrational.estimators._regressor import SparseSequenceRegressor

__all__ = ["ModuliRNNRegressor"]


class ModuliRNNRegressor(ModuliMethod, SparseSequenceRegressor):
    """Predict numbers with a recurrent network whose units lie on a manifold.

    All is as in `ModuliRNNClassifier`, but for the targets: y is a number, or several,
    for each sequence, or for each of its tokens. Start with ``n_hidden``, ``sparsity``,
    the size, ``lambda_`` and ``random_state``.

    Parameters
    ----------
    loss : {"squared_error", "cross_entropy"}, default="squared_error"
        "cross_entropy" is for y whose rows are distributions: numbers of at least 0
        that sum to 1, as place cells give.
    n_hidden, lambda_, sparsity, manifold, inhibitor, cell, activation, bias, \
    recurrent_init, pruned, prune_epochs, positions, learn_positions, \
    position_decay, power, scaling, permuted, readout, length_exponent, solver, \
    learning_rate, finetune_schedule, batch_size, min_steps_per_epoch, \
    max_steps_per_epoch, warmup_epochs, max_epochs, ramp_epochs, finetune_epochs, \
    early_stopping, validation_fraction, n_iter_no_change, dropout, word_dropout, \
    feature_dropout, weight_decay, max_grad_norm, dtype, device, random_state, verbose
        See `ModuliRNNClassifier`. By default the readout is that of the last token, and
        there is no dropout. Where y is of tokens, each has a readout of its state.

    Attributes
    ----------
    n_features_in_ : int
        Width of the feature vectors.
    learned_structure_ : MaskStructure
        Which weights are left, where the units are, and what weights cost.
    coef_ : ndarray of shape (n_targets, n_hidden)
        Readout weights, in the unit of y.
    intercept_ : ndarray of shape (n_targets,)
    weights_, positions_, sparsity_, size_, n_iter_, history_
        See `ModuliRNNClassifier`. ``validation_score`` is R squared, or minus the cross
        entropy.

    See Also
    --------
    skrational.datasets.make_navigation : Where an animal is, from its velocities.
    skrational.datasets.make_adding : The sum of two marked numbers.

    References
    ----------
    .. [1] Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in
       Recurrent Neural Networks", 2024. :arxiv:`2406.06290`

    Examples
    --------
    The running mean of a feature, after every token:

    >>> import numpy as np
    >>> from skrational import ModuliRNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 12, size=200)]
    >>> y = [x[:, :1].cumsum(axis=0) for x in X]
    >>> reg = ModuliRNNRegressor(n_hidden=16, random_state=0).fit(X, y)
    >>> [values.shape == target.shape for values, target in zip(reg.predict(X), y)][:3]
    [True, True, True]
    >>> reg.score(X, y) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        name: constraint
        for name, constraint in MODULI.items()
        if name not in (*OF_CLASSIFIERS, "warm_start")
    } | {"loss": [StrOptions({"squared_error", "cross_entropy"})]}

    def __init__(
        self,
        *,
        loss: options.TargetLoss = "squared_error",
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
        readout: options.StatesRead = "last",
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
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        feature_dropout: float = 0.0,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = 5.0,
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
            dtype=dtype,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.loss = loss
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
