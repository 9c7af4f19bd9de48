"""What is left of a pruned model, as values: structures and automata, without torch."""

from skrational.structures.rational import RationalStructure, StructureDiff

__all__ = ["RationalStructure", "StructureDiff"]
