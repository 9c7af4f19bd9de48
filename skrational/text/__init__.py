"""From texts to sequences of word vectors, static or contextual embeddings."""

from typing import TYPE_CHECKING

from skrational.utils.lazy import lazy_names

if TYPE_CHECKING:
    from skrational.text.bert import BertVectorizer
    from skrational.text.static import StaticVectorizer
    from skrational.text.word_vectors import WordVectorizer

__all__ = ["BertVectorizer", "StaticVectorizer", "WordVectorizer"]

_HOMES = {
    "BertVectorizer": "skrational.text.bert",
    "StaticVectorizer": "skrational.text.static",
    "WordVectorizer": "skrational.text.word_vectors",
}

# Of a module with __getattr__, type checkers would take any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
