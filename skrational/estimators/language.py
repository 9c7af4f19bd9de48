"""The sparse LSTM language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrational.estimators import _options as options
from skrational.estimators._constraints import OF_CLASSIFIERS
from skrational.estimators._gated import GATED, GatedMethod
from skrational.estimators._language import READING, LanguageModel
from skrational.estimators._sparse import TRAINING
from skrational.kernels.gated.next_token import NextTokenLSTM
from skrational.structures.language import LSTMLanguageStructure
from skrational.structures.network import EVERY_STATE

if TYPE_CHECKING:
    import torch

    from skrational.cells.language import LSTMLanguageCell

__all__ = ["SparseLSTMLanguageModel"]

_DEFAULT_LAMBDA = 3e-4


class SparseLSTMLanguageModel(LanguageModel, GatedMethod):
    """Predict the next token with an LSTM of which gates, units and words go.

    Words, or characters, have embeddings that are trained along. After each token a
    linear readout of the hidden state says what may come next. Penalties remove single
    weights, gates (which become constants), units, and the embeddings of words; what is
    left is trained on without them.

    Start with ``level``, ``n_units``, ``lambda_``, the size, and ``random_state``. The
    parameters come in groups: reading, the network, what is removed of it, the solver,
    optimization, phases, early stopping, noise, and the rest.

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
    n_units : int, default=128
        Hidden units before pruning.
    n_embedding : int, default=64
        Length of an embedding before pruning.
    sequence_length : int, default=64
        Longer texts are cut into windows of at most so many tokens, and training
        starts each at a state of zeros. Texts that are scored aren't cut.
    lambda_ : float or None, default=None
        Strength of the penalties; 0 prunes nothing. None: 3e-4.
    sparsify : str or tuple of str, default=all but "inputs"
        What the penalties remove: "weights", single ones, those of the embeddings and
        the readout among them; "gates", all weights that enter a gate of a unit, which
        is then a constant; "neurons", all that leave a unit; "inputs", a dimension of
        the embedding; "vocabulary", the embedding of a word, which is then a step of
        time and no more, but may still be predicted.
    lambda_ratios : tuple of float, dict or None, default=None
        Strength of each of them as a multiple of ``lambda_``, in the order of
        ``sparsify`` or by name. None: 0.02 for weights, 1 for the others.
    solver : {"prox", "subgradient"}, default="prox"
        Proximal operators after each step, which leave exact zeros, or penalties that
        are added to the loss.
    threshold : float, default=0.01
        With ``solver="subgradient"``, norms up to this are pruned.
    learning_rate : float, default=0.01
        Of Adam.
    finetune_schedule : {"cosine", "plateau", "constant"}, default="cosine"
        How the learning rate falls while what is left is trained.
    batch_size : int or None, default=16
        Windows of a step. None: all.
    min_steps_per_epoch : int, default=50
        Steps of a penalized epoch, at least: few windows are gone through several
        times.
    max_steps_per_epoch : int or None, default=None
        Steps of an epoch, at most: of more windows it takes a part, and the next one
        goes on where it ended. None: each epoch takes all.
    warmup_epochs, max_epochs, finetune_epochs : int, default=2, 6, 6
        Epochs before the penalties, with them, and after pruning.
    ramp_epochs : int, default=0
        Epochs over which the penalties rise to their full strength.
    early_stopping : bool, default=False
        Whether to keep the best epoch on held-out texts.
    validation_fraction : float, default=0.1
        Share of the texts to hold out.
    n_iter_no_change : int, default=10
        Epochs without improvement after which to stop.
    dropout : float, default=0.3
        Probability of dropping a unit's output to the readout, for each token anew.
    word_dropout, feature_dropout : float, default=0.0
        Probability of dropping the embedding of a word, or a dimension of all
        embeddings, for a whole batch.
    weight_decay : float, default=0.0
        Of Adam, decoupled.
    max_grad_norm : float or None, default=5.0
        Gradients are scaled down to this norm.
    dtype : {"float32", "float64"}, default="float32"
        Of training and of the fitted weights; scores are computed in double precision.
    device : str, default="auto"
        "auto", "cpu" or one of torch's names. Texts are scored and written on the CPU.
    random_state : int, RandomState or None, default=None
        Determines a fit.
    verbose : int, default=0
        1 tells each epoch in a line.

    Attributes
    ----------
    learned_structure_ : LSTMLanguageStructure
        The table of units and gates that are left, their constants, and the words.
    vocabulary_ : list of str
        The tokens by their numbers: ``</s>``, ``<unk>``, then from the commonest on.
    weights_ : dict of str to ndarray
        ``Emb``, ``W_ih``, ``W_hh`` and ``b``: rows of embeddings for the words that are
        left, rows of weights for the gates that vary.
    coef_ : ndarray of shape (n_words, n_units)
        Weights of the readout.
    intercept_ : ndarray of shape (n_words,)
    n_gates_, n_units_ : int
        Gates that vary, and units, that are left.
    size_ : int
        ``n_gates_``.
    history_ : list of dict
        A row for each epoch; ``loss`` is that of a token, in nats.
    n_iter_ : int
        Epochs.

    See Also
    --------
    SparseLSTMClassifier : The same network, for labels.

    References
    ----------
    Lobacheva, Chirkova, Markovich, Vetrov (2020), "Structured sparsification of gated
    recurrent neural networks", AAAI, arXiv:1911.05585.

    Examples
    --------
    >>> from skrational import SparseLSTMLanguageModel
    >>> model = SparseLSTMLanguageModel(
    ...     level="character", n_units=8, lambda_=0.0, dropout=0.0, batch_size=2,
    ...     learning_rate=0.05, finetune_epochs=16, random_state=0,
    ... )
    >>> model = model.fit(["abcd" * 10] * 5)
    >>> model.bits_per_character(["abcdabcd"]) < 1
    True
    >>> model.generate(6, prompt="ab", temperature=0.1, random_state=0)
    'cdabcd'
    >>> model.learned_structure_
    32 of 32 gates (i: 8, f: 8, g: 8, o: 8) in 8 of 8 units, reading 6 of 6 words
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        {
            name: constraint
            for name, constraint in TRAINING.items()
            if name not in OF_CLASSIFIERS
        }
        | GATED
        | READING
    )
    _kinds = ("weights", "gates", "neurons", "inputs", "vocabulary")
    framework = "group_lasso"

    learned_structure_: LSTMLanguageStructure

    def __init__(
        self,
        *,
        level: options.Level = "word",
        lowercase: bool = True,
        max_vocabulary: int | None = 10_000,
        min_count: int = 2,
        n_units: int = 128,
        n_embedding: int = 64,
        sequence_length: int = 64,
        lambda_: float | None = None,
        sparsify: options.WordGroups = ("weights", "gates", "neurons", "vocabulary"),
        lambda_ratios: Sequence[float] | Mapping[str, float] | None = None,
        solver: options.Solver = "prox",
        threshold: float = 0.01,
        learning_rate: float = 0.01,
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
            dtype=dtype,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_units = n_units
        self.sparsify = sparsify
        self.lambda_ratios = lambda_ratios

    def _strength(self) -> float:
        return _DEFAULT_LAMBDA if self.lambda_ is None else self.lambda_

    def _too_sparse(self) -> str:
        structure = self.learned_structure_
        if structure.inputs:
            return ""
        rest = "their frequency" if structure.is_empty else "their place in a text"
        return (
            f"lambda_={self._strength()} removed every word that a gate reads: tokens "
            f"are predicted by {rest} alone. Lower lambda_."
        )

    def _cell_type(self) -> type[LSTMLanguageCell]:
        from skrational.cells.language import LSTMLanguageCell

        return LSTMLanguageCell

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> LSTMLanguageCell:
        cell = self._cell_type().dense(
            self.n_embedding, self.n_units, n_outputs, EVERY_STATE, dtype
        )
        return cell.initialize(generator)

    def _blank_cell(
        self, structure: LSTMLanguageStructure, dtype: torch.dtype
    ) -> LSTMLanguageCell:
        return self._cell_type()(structure, EVERY_STATE, dtype)

    def _next_token(self, arrays: dict[str, NDArray[np.floating]]) -> NextTokenLSTM:
        return NextTokenLSTM.of(arrays, self.learned_structure_)
