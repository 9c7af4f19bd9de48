"""Moduli regularization of a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.estimators import _options as options
from skrational.estimators._constraints import OF_CLASSIFIERS
from skrational.estimators._language import READING, LanguageModel
from skrational.estimators._moduli import MODULI, PlacedMethod
from skrational.kernels.elman.next_token import NextTokenElman
from skrational.structures.network import EVERY_STATE, NetworkKind

if TYPE_CHECKING:
    import torch

    from skrational.cells.base import Cell

__all__ = ["ModuliRNNLanguageModel"]


class ModuliRNNLanguageModel(LanguageModel, PlacedMethod):
    """Predict the next token with an Elman network whose units lie on a manifold.

    Words, or characters, have embeddings that are trained along. After each token a
    linear readout of the hidden state says what may come next. The penalty and the
    pruning are those of `ModuliRNNClassifier`: a recurrent weight costs what the
    distance of its two units says, the weights of the smallest magnitude go, and what
    is left is finetuned.

    Start with ``level``, ``n_hidden``, ``sparsity``, the size, and ``random_state``.

    Parameters
    ----------
    level : {"word", "character"}, default="word"
        What a text is split into: words, numbers and punctuation marks, as
        `WordVectorizer` splits it, or characters. Lists of tokens are taken as they
        are.
    lowercase : bool, default=True
        Whether to turn texts to lower case first.
    max_vocabulary : int or None, default=10_000
        The most tokens to know, the commonest ones, beside the mark at the end of a
        text and ``<unk>``, as which all others are read and predicted. None: no limit.
    min_count : int, default=2
        How often a token must occur in the texts of ``fit`` to be known.
    n_hidden : int, default=128
        Hidden units (H), at least 2.
    n_embedding : int, default=64
        Length of an embedding (E).
    sequence_length : int, default=64
        Longer texts are cut into windows of at most so many tokens, and training
        starts each at a state of zeros. Texts that are scored aren't cut.
    pruned : {"recurrent", "all"}, default="recurrent"
        Of which matrices weights are pruned: of the recurrent one, or of all together,
        the embedding and the readout among them, as the paper does. These have a row
        for each word, beside which the recurrent weights are few. Embeddings begin
        small: after a short warmup a cut over all takes them first.
    lambda_, sparsity, manifold, inhibitor, activation, bias, recurrent_init, \
    prune_epochs, positions, learn_positions, position_decay, power, scaling, \
    permuted, solver
        See `ModuliRNNClassifier`.
    learning_rate : float, default=0.003
        Adam's, constant while the network is pruned.
    finetune_schedule : {"cosine", "plateau", "constant"}, default="cosine"
        What becomes of the learning rate in finetuning.
    batch_size : int or None, default=16
        Windows of a step. None: all.
    min_steps_per_epoch : int, default=50
        Steps of an epoch with penalty and pruning, at least: few windows are gone
        through several times.
    max_steps_per_epoch : int or None, default=None
        Steps of an epoch, at most: of more windows it takes a part, and the next one
        goes on where it ended. None: each epoch takes all.
    warmup_epochs, max_epochs, finetune_epochs : int, default=2, 6, 6
        Epochs before penalty and pruning, with them, and after them.
    dropout : float, default=0.3
        Probability of dropping a unit's output to the readout, for each token anew.
    word_dropout, feature_dropout : float, default=0.0
        Probability of dropping the embedding of a word, or a dimension of all
        embeddings, for a whole batch.
    ramp_epochs, early_stopping, validation_fraction, n_iter_no_change, weight_decay, \
    max_grad_norm, dtype, device, random_state, verbose
        See `SparseLSTMLanguageModel`.

    Attributes
    ----------
    learned_structure_ : MaskStructure
        Which weights are left, where the units are, and what weights cost.
    vocabulary_ : list of str
        The tokens by their numbers: ``</s>``, ``<unk>``, then from the commonest on.
    positions_ : ndarray of shape (n_hidden, n_coordinates)
        Where the units are.
    n_links_ : int
        Recurrent weights that are left.
    sparsity_ : float
        Share of the recurrent weights that is gone.
    size_ : int
        Weights that are left, of all matrices.
    weights_ : dict of str to ndarray
        ``Emb`` (n_words, E), ``W_ih`` (H, E), ``W_hh`` (H, H) and, with ``bias``, ``b``
        (H,); ``W_hh[j, k]`` is the weight by which unit j hears unit k.
    coef_ : ndarray of shape (n_words, H)
        Weights of the readout.
    intercept_ : ndarray of shape (n_words,)
    history_ : list of dict
        A row for each epoch; ``loss`` is that of a token, in nats.
    n_iter_ : int
        Epochs.

    See Also
    --------
    SparseLSTMLanguageModel : Reads and predicts the same with gates.
    skrational.model_selection.retrain_mask : Whether the mask alone is worth something.
    skrational.inspection.ManifoldDisplay : Draws units and links on the manifold.

    References
    ----------
    .. [1] Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in
       Recurrent Neural Networks", 2024: word-level language modeling.
       :arxiv:`2406.06290`

    Examples
    --------
    >>> from skrational import ModuliRNNLanguageModel
    >>> model = ModuliRNNLanguageModel(
    ...     level="character", n_hidden=16, sparsity=0.75, dropout=0.0, batch_size=2,
    ...     learning_rate=0.02, random_state=0,
    ... )
    >>> model = model.fit(["abcd" * 10] * 5)
    >>> model.bits_per_character(["abcdabcd"]) < 1
    True
    >>> model.generate(6, prompt="ab", temperature=0.1, random_state=0)
    'cdabcd'
    >>> model.learned_structure_
    64 of 256 recurrent weights, 1568 of 1760 weights in all
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        name: constraint
        for name, constraint in MODULI.items()
        if name not in ("cell", "readout", "length_exponent", *OF_CLASSIFIERS)
    } | READING

    def __init__(
        self,
        *,
        level: options.Level = "word",
        lowercase: bool = True,
        max_vocabulary: int | None = 10_000,
        min_count: int = 2,
        n_hidden: int = 128,
        n_embedding: int = 64,
        sequence_length: int = 64,
        lambda_: float = 1.0,
        sparsity: float = 0.9,
        manifold: Any = "torus",
        inhibitor: options.Inhibitor = "dog",
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
        solver: options.Solver = "subgradient",
        learning_rate: float = 0.003,
        finetune_schedule: options.FinetuneSchedule = "cosine",
        batch_size: int | None = 16,
        min_steps_per_epoch: int = 50,
        max_steps_per_epoch: int | None = None,
        warmup_epochs: int = 2,
        max_epochs: int = 6,
        ramp_epochs: int = 0,
        finetune_epochs: int = 6,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.3,
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
            level=level,
            lowercase=lowercase,
            max_vocabulary=max_vocabulary,
            min_count=min_count,
            n_embedding=n_embedding,
            sequence_length=sequence_length,
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
        self.n_hidden = n_hidden
        self.sparsity = sparsity
        self.manifold = manifold
        self.inhibitor = inhibitor
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

    def _network(self) -> NetworkKind:
        return NetworkKind(
            "elman", self.activation, bool(self.bias), EVERY_STATE, reads_words=True
        )

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> Cell:
        n_inputs = int(self.n_embedding)
        return super()._dense_cell(n_inputs, n_outputs, dtype, generator)

    def _next_token(self, arrays: dict[str, NDArray[np.floating]]) -> NextTokenElman:
        return NextTokenElman.of(arrays, self._kind.activation)

    def _too_sparse(self) -> str:
        structure = self.learned_structure_
        hears = structure.masks["W_ih"][list(structure.units)].any(axis=0)
        if (hears & structure.masks["Emb"].any(axis=0)).any():
            return ""
        rest = "their frequency" if structure.is_empty else "their place in a text"
        return (
            f"sparsity={self.sparsity} and lambda_={self._strength()} left no way from "
            f"words to the readout: tokens are predicted by {rest} alone. Lower "
            "sparsity, or prune only the recurrent weights (pruned='recurrent')."
        )
