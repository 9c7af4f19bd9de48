"""Read a fitted model: paths, phrases, explanations, pictures, exports."""

import sys

from skrational.inspection.drawing.automata import AutomataDisplay
from skrational.inspection.drawing.automaton import AutomatonDisplay
from skrational.inspection.drawing.gates import GateDisplay
from skrational.inspection.drawing.manifold import ManifoldDisplay
from skrational.inspection.drawing.structure import StructureDisplay
from skrational.inspection.explaining.batches import explain_batches
from skrational.inspection.explaining.display import ExplanationDisplay
from skrational.inspection.explaining.explain import explain
from skrational.inspection.explaining.explanations import Explanation, Explanations
from skrational.inspection.explaining.gated import GatedExplanation
from skrational.inspection.explaining.layered import LayeredExplanation, Reading
from skrational.inspection.explaining.values import ValueExplanation
from skrational.inspection.exports.graphs import to_networkx
from skrational.inspection.exports.openfst import to_openfst
from skrational.inspection.layers import first_layer
from skrational.inspection.matching.paths import Path, Paths, find_paths
from skrational.inspection.outputs import single_output
from skrational.inspection.phrases import Phrase, Phrases, top_phrases
from skrational.inspection.phrases.display import PhraseDisplay
from skrational.inspection.transitions.words import (
    TransitionWord,
    TransitionWords,
    top_words,
)
from skrational.utils.lazy import listing

__all__ = [
    "AutomataDisplay",
    "AutomatonDisplay",
    "Explanation",
    "ExplanationDisplay",
    "Explanations",
    "GateDisplay",
    "GatedExplanation",
    "LayeredExplanation",
    "ManifoldDisplay",
    "Path",
    "Paths",
    "Phrase",
    "PhraseDisplay",
    "Phrases",
    "Reading",
    "StructureDisplay",
    "TransitionWord",
    "TransitionWords",
    "ValueExplanation",
    "explain",
    "explain_batches",
    "find_paths",
    "first_layer",
    "single_output",
    "to_networkx",
    "to_openfst",
    "top_phrases",
    "top_words",
]

# The function has the name that its module had, which the import of a moved module
# would give back to the module.
sys.modules.setdefault(f"{__name__}.explain", sys.modules[explain.__module__])

__dir__ = listing(__all__)
