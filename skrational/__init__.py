"""Text classifiers that can be read: sparse rational recurrent networks.

The public names are loaded when they are first used, so that importing the package
loads neither torch nor gensim.
"""

from typing import TYPE_CHECKING

from skrational._version import __version__ as __version__
from skrational.utils.lazy import lazy_names
from skrational.utils.moved import find_moved_modules

__all__ = [
    "BertVectorizer",
    "ModuliRNNClassifier",
    "ModuliRNNLanguageModel",
    "ModuliRNNRegressor",
    "SequenceArray",
    "SparseGRUClassifier",
    "SparseLSTMClassifier",
    "SparseLSTMLanguageModel",
    "SparseRationalClassifier",
    "SparseRationalClassifierCV",
    "SparseRationalRegressor",
    "SparseRationalRegressorCV",
    "StaticVectorizer",
    "TimeStepTransformer",
    "WordVectorizer",
    "as_sequences",
    "export_onnx",
    "load",
    "save",
    "warm_up",
]

if TYPE_CHECKING:
    from skrational import datasets as datasets
    from skrational import deployment as deployment
    from skrational import editing as editing
    from skrational import exceptions as exceptions
    from skrational import inspection as inspection
    from skrational import model_selection as model_selection
    from skrational import persistence as persistence
    from skrational import reporting as reporting
    from skrational import sequences as sequences
    from skrational import structures as structures
    from skrational import testing as testing
    from skrational import text as text
    from skrational.deployment import export_onnx, warm_up
    from skrational.estimators.gru import SparseGRUClassifier
    from skrational.estimators.language import SparseLSTMLanguageModel
    from skrational.estimators.lstm import SparseLSTMClassifier
    from skrational.estimators.moduli import ModuliRNNClassifier
    from skrational.estimators.moduli_language import ModuliRNNLanguageModel
    from skrational.estimators.moduli_regressor import ModuliRNNRegressor
    from skrational.estimators.rational import SparseRationalClassifier
    from skrational.estimators.rational_regressor import SparseRationalRegressor
    from skrational.estimators.time_steps import TimeStepTransformer
    from skrational.model_selection import (
        SparseRationalClassifierCV,
        SparseRationalRegressorCV,
    )
    from skrational.persistence import load, save
    from skrational.sequences import SequenceArray, as_sequences
    from skrational.text.bert import BertVectorizer
    from skrational.text.static import StaticVectorizer
    from skrational.text.word_vectors import WordVectorizer

_HOMES = {
    "BertVectorizer": "skrational.text.bert",
    "ModuliRNNClassifier": "skrational.estimators.moduli",
    "ModuliRNNLanguageModel": "skrational.estimators.moduli_language",
    "ModuliRNNRegressor": "skrational.estimators.moduli_regressor",
    "SequenceArray": "skrational.sequences",
    "SparseGRUClassifier": "skrational.estimators.gru",
    "SparseLSTMClassifier": "skrational.estimators.lstm",
    "SparseLSTMLanguageModel": "skrational.estimators.language",
    "SparseRationalClassifier": "skrational.estimators.rational",
    "SparseRationalClassifierCV": "skrational.model_selection",
    "SparseRationalRegressor": "skrational.estimators.rational_regressor",
    "SparseRationalRegressorCV": "skrational.model_selection",
    "StaticVectorizer": "skrational.text.static",
    "TimeStepTransformer": "skrational.estimators.time_steps",
    "WordVectorizer": "skrational.text.word_vectors",
    "as_sequences": "skrational.sequences",
    "export_onnx": "skrational.deployment",
    "load": "skrational.persistence",
    "save": "skrational.persistence",
    "warm_up": "skrational.deployment",
}

_MODULES = (
    "datasets",
    "deployment",
    "editing",
    "exceptions",
    "inspection",
    "model_selection",
    "persistence",
    "reporting",
    "sequences",
    "structures",
    "testing",
    "text",
)

# Of a module with __getattr__, type checkers would take any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__, _HOMES | {"__version__": "skrational._version"}, _MODULES
    )
find_moved_modules()
