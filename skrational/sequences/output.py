"""What transformers that return sequences have in common."""

from __future__ import annotations

from typing import Any, Self

from skrational.sequences.array import SequenceArray
from skrational.utils.optional import asks_for_pandas

__all__ = ["SequenceOutputMixin"]


class SequenceOutputMixin:
    """For a transformer that returns a SequenceArray, whatever ``set_output`` asks for.

    It stands before scikit-learn's TransformerMixin.

    Examples
    --------
    >>> from skrational import TimeStepTransformer, WordVectorizer
    >>> issubclass(TimeStepTransformer, SequenceOutputMixin)
    True
    >>> issubclass(WordVectorizer, SequenceOutputMixin)
    True
    """

    def set_output(self, *, transform: str | None = None) -> Self:
        """Take note of the container that the steps of a pipeline are to return.

        Sequences are no table, and a SequenceArray is returned in any case. With
        "pandas" it has the index of a pandas column that it was made of, for the data
        frame that a classifier's ``transform`` makes of it.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            None: as it was.

        Returns
        -------
        estimator
            This one.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _with_index_of(self, X: Any, sequences: SequenceArray) -> SequenceArray:
        """Name the sequences as X, a column or sequences, does, if that is of use."""
        if isinstance(X, SequenceArray):
            return sequences.with_index(X.index)
        if hasattr(X, "iloc") and asks_for_pandas(self):
            return sequences.with_index(X.index)
        return sequences
