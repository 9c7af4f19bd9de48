"""What language models share: the vocabulary, and ``fit``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils._param_validation import Interval, StrOptions

from skrational.estimators import _options as options
from skrational.estimators._next_token import NextTokenMixin
from skrational.estimators._sparse import SparseEstimator
from skrational.text.vocabulary import END_NUMBER, Vocabulary
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.training.windows import Windows, next_tokens
from skrational.utils.callbacks import with_callbacks

if TYPE_CHECKING:
    from skrational.training.losses import Loss

__all__ = ["READING", "LanguageModel"]

READING: dict[str, list[Any]] = {
    "level": [StrOptions({"word", "character"})],
    "lowercase": ["boolean"],
    "max_vocabulary": [Interval(Integral, 1, 10**6, closed="both"), None],
    "min_count": [Interval(Integral, 1, None, closed="left")],
    "n_embedding": [Interval(Integral, 1, 2**16, closed="both")],
    "sequence_length": [Interval(Integral, 1, 2**16, closed="both")],
}
"""Constraints of the parameters that all language models have."""


class LanguageModel(NextTokenMixin, SparseEstimator):
    """A network that reads embedded tokens, and after each of them predicts the next.

    A subclass names its network; see `SparseLSTMLanguageModel` for the parameters.
    """

    _vocabulary: Vocabulary

    def __init__(
        self,
        *,
        level: options.Level,
        lowercase: bool,
        max_vocabulary: int | None,
        min_count: int,
        n_embedding: int,
        sequence_length: int,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.level = level
        self.lowercase = lowercase
        self.max_vocabulary = max_vocabulary
        self.min_count = min_count
        self.n_embedding = n_embedding
        self.sequence_length = sequence_length

    @property
    def vocabulary_(self) -> list[str]:
        """The tokens that the model knows, by number; the first two are marks."""
        return self._vocabulary.words

    @with_callbacks
    def fit(
        self,
        X: Iterable[Any],
        y: Any = None,
        *,
        X_val: Any = None,
        checkpoint_dir: str | os.PathLike[str] | None = None,
    ) -> Self:
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
        checkpoint_dir : path-like, default=None
            A folder in which the last epoch is kept. If the fit is killed or
            interrupted, the same call goes on after that epoch, and ends as if nothing
            had happened, to the bit; after the end it returns the same model at once.
            ``random_state=None`` then means the seed of the fit that was begun. Every
            fit needs a folder of its own.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, TypeError
            If a parameter or a text is not what it should be, or not one token is left
            to learn from. The estimator is then as it was before, also when a fit is
            interrupted. A ValueError, too, if ``checkpoint_dir`` holds a fit of other
            data or parameters, or of another version.
        OSError
            If ``checkpoint_dir`` is a file, can't be made or written, or another
            process works in it.

        Warns
        -----
        ConvergenceWarning
            If so much was removed that the network reads no word any more.
        UserWarning
            If an epoch can't be kept, because the disk is full for instance; the fit
            goes on without. If one is damaged; the fit then goes on from an earlier
            one, or begins anew.
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
        data = {"X": X, "y": None, "metadata": None}
        self._learn(training, held_out, data, checkpoint_dir)
        return self

    def _learn_vocabulary(self, X: Iterable[Any]) -> tuple[Vocabulary, EncodedTexts]:
        vocabulary, encoded = Vocabulary.learn(
            X, self.level, self.lowercase, self.max_vocabulary, self.min_count
        )
        _check_tokens(encoded)
        if len(vocabulary) == 0:
            raise ValueError(
                f"None of the {len(encoded.tokens)} tokens of X occurs "
                f"min_count={self.min_count} times. Lower min_count."
            )
        return vocabulary, encoded

    def _read_like_training(self, X: Iterable[Any], y: Any) -> Windows:
        """Read what the fitted network could have learned from, by its vocabulary."""
        self._validate_params()
        self._check_own_parameters(self._training_device().type)
        encoded = self._vocabulary.encode(X)
        _check_tokens(encoded)
        return self._cut(encoded, self._vocabulary)

    def _cut(self, encoded: EncodedTexts, vocabulary: Vocabulary) -> Windows:
        inputs, targets, offsets = next_tokens(*encoded, END_NUMBER)
        return Windows.cut(
            inputs, targets, offsets, vocabulary.words, self.sequence_length
        )

    def _loss(self) -> Loss:
        from skrational.training.losses import NextTokenLoss

        return NextTokenLoss()

    def _data_attributes(self, data: Windows) -> dict[str, Any]:
        words = data.classes.tolist()
        return {"_vocabulary": Vocabulary(words, self.level, self.lowercase)}

    def __sklearn_is_fitted__(self) -> bool:
        # The parameter ``lambda_`` ends as fitted attributes do.
        return hasattr(self, "_vocabulary")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _check_tokens(encoded: EncodedTexts) -> None:
    """Raise a ValueError if there is no token to learn from."""
    if len(encoded.tokens) == 0:
        raise ValueError(
            f"X holds {len(encoded.offsets) - 1} texts, but not one token to learn "
            "from."
        )
