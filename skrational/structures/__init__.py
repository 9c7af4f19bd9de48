"""What is left of a pruned model, as values: structures and automata, without torch."""

from skrational.structures.base import Structure, structure_from_json
from skrational.structures.gated import GRUStructure, LSTMStructure
from skrational.structures.language import LSTMLanguageStructure
from skrational.structures.layered import LayeredStructure
from skrational.structures.mask import MaskStructure
from skrational.structures.rational import RationalStructure, StructureDiff
from skrational.utils.lazy import listing

__all__ = [
    "GRUStructure",
    "LSTMLanguageStructure",
    "LSTMStructure",
    "LayeredStructure",
    "MaskStructure",
    "RationalStructure",
    "Structure",
    "StructureDiff",
    "structure_from_json",
]

__dir__ = listing(__all__)
