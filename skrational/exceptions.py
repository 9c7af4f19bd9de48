"""Errors and warnings that are skrational's own.

Each is a subclass of the built-in that scikit-learn and its users expect, so that
``except ValueError`` goes on working.
"""

__all__ = [
    "DatasetNotFoundError",
    "FeatureCacheWarning",
    "LargeTableWarning",
    "OutOfVocabularyWarning",
    "SequenceError",
    "VectorFileError",
]


class SequenceError(ValueError):
    """Sequences that do not fit together: shapes, offsets, indices or padding."""


class VectorFileError(ValueError):
    """A file of word vectors that cannot be read to its end."""


class DatasetNotFoundError(OSError):
    """A data set that is neither on this machine nor to be downloaded now."""


class OutOfVocabularyWarning(UserWarning):
    """Much of what texts hold has no word vector: many tokens, or all of a text."""


class LargeTableWarning(UserWarning):
    """Predictions go on without a table that would not fit in memory."""


class FeatureCacheWarning(UserWarning):
    """The cache of features was damaged or could not be written; results are right."""
