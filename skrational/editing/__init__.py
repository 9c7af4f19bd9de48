"""Change a fitted model that was read: take parts out, and see what that changes."""

from skrational.editing.comparison import ClassScores, Comparison, Flip, compare
from skrational.editing.removal import without
from skrational.utils.lazy import listing

__all__ = ["ClassScores", "Comparison", "Flip", "compare", "without"]

__dir__ = listing(__all__)
