"""Read a fitted model: paths, phrases, explanations, pictures, exports."""

from skrational.inspection.explain import explain
from skrational.inspection.explanations import Explanation, Explanations
from skrational.inspection.graphs import to_networkx
from skrational.inspection.openfst import to_openfst
from skrational.inspection.paths import Path, Paths, find_paths

__all__ = [
    "Explanation",
    "Explanations",
    "Path",
    "Paths",
    "explain",
    "find_paths",
    "to_networkx",
    "to_openfst",
]
