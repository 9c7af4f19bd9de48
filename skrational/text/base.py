"""What the vectorizers of texts have in common."""

from __future__ import annotations

import functools
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)

from skrational.exceptions import OutOfVocabularyWarning
from skrational.sequences import Original, SequenceArray
from skrational.sequences.output import SequenceOutputMixin
from skrational.text.vectors.coverage import UnknownWords
from skrational.text.words.held import examples_of_unknown, hold_originals
from skrational.utils.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from skrational.utils.callers import called_function, caller_level
from skrational.utils.suggestions import SuggestsNames

__all__ = ["TextVectorizer"]

_ADVICE = (
    "Try a model whose tokenizer knows the language and the script of these texts."
)


class TextVectorizer(  # type: ignore[call-arg]
    SuggestsNames,
    CallbackSupportMixin,
    SequenceOutputMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    ABC,
    auto_wrap_output_keys=None,
):
    """Turns texts into a SequenceArray.

    A subclass has `_fit`, which learns from texts, sets ``n_features_out_`` and may
    transform them on the way, and `transform`; and `_finder`, if its tokens can be
    found in the texts.

    Examples
    --------
    >>> from skrational.text import BertVectorizer, WordVectorizer
    >>> issubclass(BertVectorizer, TextVectorizer)
    True
    >>> isinstance(WordVectorizer({"good": [1.0]}), TextVectorizer)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    n_features_out_: int

    def __init_subclass__(cls, **options: Any) -> None:
        # A SequenceArray isn't wrapped into a data frame, of a subclass either.
        super().__init_subclass__(**{"auto_wrap_output_keys": None} | options)
        if "transform" in vars(cls):
            cls.transform = _naming(cls.transform)

    @property
    def _n_features_out(self) -> int:
        return self.n_features_out_

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the features of a token's vector, for the next step of a pipeline.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored: any column of texts gives the same features.

        Returns
        -------
        ndarray of shape (n_features_out,), str
            The name of the class with the number of each feature.

        Raises
        ------
        NotFittedError
            If the vectorizer isn't fitted.
        """
        return super().get_feature_names_out()

    @with_callbacks
    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Check the parameters and the texts, and learn from these."""
        self._fit_as_task(X, y, transform=False)
        return self

    @with_callbacks
    def fit_transform(self, X: Iterable[str], y: Any = None) -> SequenceArray:
        """Fit, then transform the same texts.

        Parameters
        ----------
        X : iterable of str
            The texts, or what else `fit` takes; at least one. They are read once.
        y : None
            Ignored.

        Returns
        -------
        SequenceArray of len(X) sequences
            As `transform` returns it, with the rows of these texts only.
        """
        sequences = self._fit_as_task(X, y, transform=True)
        assert sequences is not None
        return sequences

    def _fit_as_task(
        self, X: Iterable[str], y: Any, transform: bool
    ) -> SequenceArray | None:
        task = FitTask(self, 0, {"X": X, "y": y})
        self._validate_params()
        self.__dict__.pop("_warned", None)
        sequences = self._fit(X, transform)
        task.end()
        return sequences if sequences is None else self._named(X, sequences)

    def _named(self, X: Iterable[Any], sequences: SequenceArray) -> SequenceArray:
        """Let sequences know the documents they were made of, and their names."""
        held = hold_originals(X, self._finder())
        return self._with_index_of(X, sequences.with_originals(held))

    def _warn_of_unknown(
        self, X: Iterable[Any], sequences: SequenceArray, n_unknown: int, n_tokens: int
    ) -> None:
        """Warn if the tokenizer knows less than half of the tokens of a call.

        Parameters
        ----------
        X : iterable of str
        sequences : SequenceArray
            What was made of it.
        n_unknown, n_tokens : int
            Without the tokens around a text.
        """
        words = UnknownWords(n_unknown, n_tokens, ())
        warned = self.__dict__.setdefault("_warned", set())
        if not words.are_most or called_function() in warned:
            return
        warned.add(called_function())
        held = hold_originals(X, self._finder())
        some = examples_of_unknown(sequences.with_originals(held))
        message = words._replace(examples=some).describe(_ADVICE, "subword")
        warnings.warn(message, OutOfVocabularyWarning, stacklevel=caller_level())

    def _finder(self) -> Callable[[Any], Original | None] | None:
        """Return what finds the tokens of a document in it, as the parameters are now.

        None: tokens are shown by their labels.
        """
        return None

    @abstractmethod
    def _fit(self, X: Iterable[str], transform: bool) -> SequenceArray | None:
        """Learn from texts; return them transformed if that is asked for."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _naming(transform: Callable[..., SequenceArray]) -> Any:
    """Let the sequences of a ``transform`` know what they were made of."""

    @functools.wraps(transform)
    def transform_and_name(self: TextVectorizer, X: Iterable[str]) -> SequenceArray:
        return self._named(X, transform(self, X))

    return transform_and_name
