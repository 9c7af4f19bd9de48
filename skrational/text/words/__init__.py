"""Texts cut into words, and the words numbered: bytes and compiled code."""
