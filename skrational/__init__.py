"""Text classifiers that can be read: sparse rational recurrent networks.

The public names are loaded when they are first used, so that importing the package
loads neither torch nor gensim.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skrational._version import __version__ as __version__
from skrational.utils.moved import find_moved_modules

__all__ = [
    "BertVectorizer",
    "SequenceArray",
    "SparseRationalClassifier",
    "SparseRationalClassifierCV",
    "WordVectorizer",
    "as_sequences",
]

if TYPE_CHECKING:
    from skrational.estimators.rational import SparseRationalClassifier
    from skrational.model_selection import SparseRationalClassifierCV
    from skrational.sequences import SequenceArray, as_sequences
    from skrational.text.bert import BertVectorizer
    from skrational.text.word_vectors import WordVectorizer

_HOMES = {
    "BertVectorizer": "skrational.text.bert",
    "SequenceArray": "skrational.sequences",
    "SparseRationalClassifier": "skrational.estimators.rational",
    "SparseRationalClassifierCV": "skrational.model_selection",
    "WordVectorizer": "skrational.text.word_vectors",
    "as_sequences": "skrational.sequences",
}

find_moved_modules()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'skrational' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
