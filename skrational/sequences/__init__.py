"""Packed sequences: the one container that every layer above reads."""

from skrational.sequences.array import SequenceArray
from skrational.sequences.finite import check_finite
from skrational.sequences.originals import (
    NOWHERE,
    UNKNOWN,
    Original,
    Originals,
    is_unknown,
)
from skrational.sequences.reading import as_sequences
from skrational.utils.lazy import listing

__all__ = [
    "NOWHERE",
    "UNKNOWN",
    "Original",
    "Originals",
    "SequenceArray",
    "as_sequences",
    "check_finite",
    "is_unknown",
]

__dir__ = listing(__all__)
