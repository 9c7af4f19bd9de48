"""Automata over a vocabulary, for other programs."""
