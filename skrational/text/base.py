"""What the vectorizers of texts have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator, TransformerMixin

from skrational.sequences import SequenceArray
from skrational.utils.callbacks import CallbackSupportMixin, FitTask, with_callbacks

__all__ = ["TextVectorizer"]


class TextVectorizer(  # type: ignore[call-arg]
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
    ABC,
    auto_wrap_output_keys=None,
):
    """Turns texts into a SequenceArray.

    A subclass has `_fit`, which learns from texts and may transform them on the way,
    and `transform`.

    Examples
    --------
    >>> from skrational.text import BertVectorizer, WordVectorizer
    >>> issubclass(BertVectorizer, TextVectorizer)
    True
    >>> isinstance(WordVectorizer({"good": [1.0]}), TextVectorizer)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        # set_output wraps arrays, but no SequenceArray, of a subclass either.
        super().__init_subclass__(**{"auto_wrap_output_keys": None} | options)

    @with_callbacks
    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Check the parameters and the texts, and learn from these."""
        self._fit_as_task(X, y, transform=False)
        return self

    @with_callbacks
    def fit_transform(self, X: Iterable[str], y: Any = None) -> SequenceArray:
        """Fit, then transform the same texts."""
        sequences = self._fit_as_task(X, y, transform=True)
        assert sequences is not None
        return sequences

    def _fit_as_task(
        self, X: Iterable[str], y: Any, transform: bool
    ) -> SequenceArray | None:
        task = FitTask(self, 0, {"X": X, "y": y})
        self._validate_params()
        sequences = self._fit(X, transform)
        task.end()
        return sequences

    @abstractmethod
    def _fit(self, X: Iterable[str], transform: bool) -> SequenceArray | None:
        """Learn from texts; return them transformed if that is asked for."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
