"""From texts to sequences of word vectors or contextual embeddings."""

from skrational.text.bert import BertVectorizer
from skrational.text.word_vectors import WordVectorizer

__all__ = ["BertVectorizer", "WordVectorizer"]
