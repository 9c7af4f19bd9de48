"""Packed sequences: the one container that every layer above reads."""

from skrational.sequences.array import SequenceArray, as_sequences, check_finite

__all__ = ["SequenceArray", "as_sequences", "check_finite"]
