"""Automata as pictures, and the artists that all pictures share."""
