"""Errors and warnings that are skrational's own.

Each is a subclass of the built-in that scikit-learn and its users expect, so that
``except ValueError`` goes on working.
"""

__all__ = [
    "DatasetNotFoundError",
    "FeatureCacheWarning",
    "FeatureScaleWarning",
    "LargeTableWarning",
    "ModelFileError",
    "ModelVersionWarning",
    "OutOfVocabularyWarning",
    "SequenceError",
    "SequenceFormWarning",
    "UnusableVectorWarning",
    "VectorFileError",
]


class SequenceError(ValueError):
    """Sequences that do not fit together: shapes, offsets, indices or padding."""


class VectorFileError(ValueError):
    """A file of word vectors that cannot be read to its end."""


class ModelFileError(ValueError):
    """A saved model that is damaged, incomplete, or of a format that isn't known."""


class ModelVersionWarning(UserWarning):
    """A saved model may behave otherwise than under the versions that wrote it."""


class DatasetNotFoundError(OSError):
    """A data set that is neither on this machine nor to be downloaded now."""


class OutOfVocabularyWarning(UserWarning):
    """Much of what texts hold has no word vector: many tokens, or all of a text."""


class UnusableVectorWarning(OutOfVocabularyWarning):
    """Words count as unknown, for their vectors can't be used."""


class LargeTableWarning(UserWarning):
    """Predictions go on without a table that would not fit in memory."""


class FeatureCacheWarning(UserWarning):
    """A cache was damaged or could not be written; results are right.

    It's the cache of features, or that of parsed files of word vectors.
    """


class SequenceFormWarning(UserWarning):
    """An array may have been meant in another way than the one it is read in."""


class FeatureScaleWarning(UserWarning):
    """Features are so large, or so small, that little is learned from them."""
