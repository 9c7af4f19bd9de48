"""From texts to sequences of word vectors."""

from skrational.text.word_vectors import WordVectorizer

__all__ = ["WordVectorizer"]
