"""Encoders of transformers, and the contextual features that they make of texts."""
