"""Packed sequences: the one container that every layer above reads."""

from skrational.sequences.array import UNKNOWN, SequenceArray
from skrational.sequences.finite import check_finite
from skrational.sequences.reading import as_sequences
from skrational.utils.lazy import listing

__all__ = ["UNKNOWN", "SequenceArray", "as_sequences", "check_finite"]

__dir__ = listing(__all__)
