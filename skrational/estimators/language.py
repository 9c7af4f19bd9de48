"""The sparse LSTM language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from skrational.estimators._gated import GATED, GatedMethod
from skrational.estimators._next_token import NextTokenMixin
from skrational.estimators._sparse import TRAINING
from skrational.structures.language import LSTMLanguageStructure
from skrational.text.vocabulary import END_NUMBER, Vocabulary
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.training.windows import Windows, next_tokens
from skrational.utils.callbacks import with_callbacks

if TYPE_CHECKING:
    import torch

    from skrational.cells.language import LSTMLanguageCell
    from skrational.training.losses import Loss

__all__ = ["SparseLSTMLanguageModel"]


class SparseLSTMLanguageModel(NextTokenMixin, GatedMethod):
    """Predict the next token with an LSTM of which gates, units and words go.

    Parameters
    ----------
    level : {"word", "character"}, default="word"
        What a text is split into: words, numbers and punctuation, as `WordVectorizer`
        does, or characters. Texts may also be lists of tokens.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        {
            name: constraint
            for name, constraint in TRAINING.items()
            if name not in ("class_weight", "warm_start")
        }
        | GATED
        | {
            "level": [StrOptions({"word", "character"})],
            "lowercase": ["boolean"],
            "max_vocabulary": [Interval(Integral, 1, 10**6, closed="both"), None],
            "min_count": [Interval(Integral, 1, None, closed="left")],
            "n_embedding": [Interval(Integral, 1, 2**16, closed="both")],
            "sequence_length": [Interval(Integral, 1, 2**16, closed="both")],
        }
    )
    _kinds = ("weights", "gates", "neurons", "inputs", "vocabulary")
    framework = "group_lasso"

    learned_structure_: LSTMLanguageStructure

    def __init__(
        self,
        *,
        level: str = "word",
        lowercase: bool = True,
        max_vocabulary: int | None = 10_000,
        min_count: int = 2,
        n_units: int = 128,
        n_embedding: int = 64,
        sequence_length: int = 64,
        lambda_: float | None = None,
        sparsify: tuple[str, ...] = ("weights", "gates", "neurons", "vocabulary"),
        lambda_ratios: tuple[float, ...] | Mapping[str, float] | None = None,
        solver: str = "prox",
        threshold: float = 0.01,
        learning_rate: float = 0.005,
        finetune_schedule: str = "cosine",
        batch_size: int | None = 32,
        min_steps_per_epoch: int = 50,
        warmup_epochs: int = 2,
        max_epochs: int = 12,
        ramp_epochs: int = 0,
        finetune_epochs: int = 8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.3,
        word_dropout: float = 0.0,
        feature_dropout: float = 0.0,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = 5.0,
        dtype: str = "float32",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            lambda_=lambda_,  # type: ignore[arg-type]
            solver=solver,
            threshold=threshold,
            learning_rate=learning_rate,
            finetune_schedule=finetune_schedule,
            batch_size=batch_size,
            min_steps_per_epoch=min_steps_per_epoch,
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
        self.level = level
        self.lowercase = lowercase
        self.max_vocabulary = max_vocabulary
        self.min_count = min_count
        self.n_units = n_units
        self.n_embedding = n_embedding
        self.sequence_length = sequence_length
        self.sparsify = sparsify
        self.lambda_ratios = lambda_ratios

    @property
    def vocabulary_(self) -> list[str]:
        """The tokens that the model knows, by number; the first two are marks."""
        return self._vocabulary.words

    @with_callbacks
    def fit(self, X: Iterable[Any], y: Any = None, *, X_val: Any = None) -> Self:
        """Learn the vocabulary, the structure and the weights.

        Parameters
        ----------
        X : iterable of str, or of lists of str
            Texts, or texts that are tokenised: a list, a column of pandas, polars or
            Arrow, a generator.
        y : None
            Ignored.
        X_val : like X, default=None
            Validation data for early stopping, instead of a part of X.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not what it should be, or not one token is left
            to learn from. The estimator is then as it was before, also when a fit is
            interrupted.

        Warns
        -----
        ConvergenceWarning
            If ``lambda_`` removed every gate.
        """
        self._validate_params()
        self._check_own_parameters(self._training_device().type)
        if X_val is not None and not self.early_stopping:
            raise ValueError(
                "X_val serves early stopping; got "
                f"early_stopping={self.early_stopping}."
            )
        vocabulary, encoded = self._learn_vocabulary(X)
        training = self._cut(encoded, vocabulary)
        held_out = (
            None if X_val is None else self._cut(vocabulary.encode(X_val), vocabulary)
        )
        self._learn(training, held_out, {"X": X, "y": None, "metadata": None})
        return self

    def _learn_vocabulary(self, X: Iterable[Any]) -> tuple[Vocabulary, EncodedTexts]:
        vocabulary, encoded = Vocabulary.learn(
            X, self.level, self.lowercase, self.max_vocabulary, self.min_count
        )
        if len(encoded.tokens) == 0:
            raise ValueError(
                f"X holds {len(encoded.offsets) - 1} texts, but not one token to learn "
                "from."
            )
        if len(vocabulary) == 0:
            raise ValueError(
                f"None of the {len(encoded.tokens)} tokens of X occurs "
                f"min_count={self.min_count} times. Lower min_count."
            )
        return vocabulary, encoded

    def _cut(self, encoded: EncodedTexts, vocabulary: Vocabulary) -> Windows:
        inputs, targets, offsets = next_tokens(*encoded, END_NUMBER)
        return Windows.cut(
            inputs, targets, offsets, vocabulary.words, self.sequence_length
        )

    def _loss(self) -> Loss:
        from skrational.training.losses import NextTokenLoss

        return NextTokenLoss()

    def _data_attributes(
        self, classes: NDArray[Any], n_features: int, names: NDArray[Any] | None
    ) -> dict[str, Any]:
        words = classes.tolist()
        return {"_vocabulary": Vocabulary(words, self.level, self.lowercase)}

    def _too_sparse(self) -> str:
        structure = self.learned_structure_
        if structure.size:
            return ""
        rest = "their frequency" if structure.is_empty else "their place in a text"
        return (
            f"lambda_={self._strength()} removed every gate: tokens are predicted by "
            f"{rest} alone. Lower lambda_."
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
        from skrational.cells.language import EVERY_STATE

        cell = self._cell_type().dense(
            self.n_embedding, self.n_units, n_outputs, EVERY_STATE, dtype
        )
        return cell.initialize(generator)

    def _blank_cell(
        self, structure: LSTMLanguageStructure, dtype: torch.dtype
    ) -> LSTMLanguageCell:
        from skrational.cells.language import EVERY_STATE

        return self._cell_type()(structure, EVERY_STATE, dtype)

    def __sklearn_is_fitted__(self) -> bool:
        # The parameter ``lambda_`` ends as fitted attributes do.
        return hasattr(self, "_vocabulary")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
