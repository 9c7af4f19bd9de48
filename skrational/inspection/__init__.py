"""Read a fitted model: paths, phrases, explanations, pictures, exports."""

from skrational.inspection._automaton_display import AutomatonDisplay
from skrational.inspection._explanation_display import ExplanationDisplay
from skrational.inspection._phrase_display import PhraseDisplay
from skrational.inspection._structure_display import StructureDisplay
from skrational.inspection.explain import explain
from skrational.inspection.explanations import Explanation, Explanations
from skrational.inspection.graphs import to_networkx
from skrational.inspection.openfst import to_openfst
from skrational.inspection.paths import Path, Paths, find_paths
from skrational.inspection.phrases import Phrase, Phrases, top_phrases
from skrational.inspection.words import TransitionWord, TransitionWords, top_words

__all__ = [
    "AutomatonDisplay",
    "Explanation",
    "ExplanationDisplay",
    "Explanations",
    "Path",
    "Paths",
    "Phrase",
    "PhraseDisplay",
    "Phrases",
    "StructureDisplay",
    "TransitionWord",
    "TransitionWords",
    "explain",
    "find_paths",
    "to_networkx",
    "to_openfst",
    "top_phrases",
    "top_words",
]
