"""The classes and functions that a saved model may name.

A file says ``"StandardScaler"``, and this table says what that is. Nothing else is ever
imported, so that a file can't call for code of its choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np

__all__ = [
    "KNOWN",
    "Known",
    "known_function",
    "known_type",
    "name_of_class",
    "name_of_function",
    "name_of_type",
]

Kind = Literal["estimator", "value", "object"]


@dataclass(frozen=True)
class Known:
    """A class that may be in a saved model.

    Attributes
    ----------
    module : str
    name : str
        That of the class in its module.
    kind : {"estimator", "value", "object"}
        An estimator has parameters and fitted attributes, a value is made of the
        arguments of its class, and an object has attributes only.
    """

    module: str
    name: str
    kind: Kind

    @property
    def is_ours(self) -> bool:
        """Whether the class is one of this package."""
        return self.module.startswith("skrational.")

    def get(self) -> Any:
        """Import the class."""
        return getattr(import_module(self.module), self.name)


_ESTIMATORS = {
    "skrational.estimators.gru": ["SparseGRUClassifier"],
    "skrational.estimators.language": ["SparseLSTMLanguageModel"],
    "skrational.estimators.lstm": ["SparseLSTMClassifier"],
    "skrational.estimators.moduli": ["ModuliRNNClassifier"],
    "skrational.estimators.moduli_language": ["ModuliRNNLanguageModel"],
    "skrational.estimators.moduli_regressor": ["ModuliRNNRegressor"],
    "skrational.estimators.rational": ["SparseRationalClassifier"],
    "skrational.estimators.rational_regressor": ["SparseRationalRegressor"],
    "skrational.estimators.time_steps": ["TimeStepTransformer"],
    "skrational.model_selection._cv": [
        "SparseRationalClassifierCV",
        "SparseRationalRegressorCV",
    ],
    "skrational.text.bert": ["BertVectorizer"],
    "skrational.text.static": ["StaticVectorizer"],
    "skrational.text.word_vectors": ["WordVectorizer"],
    "sklearn.calibration": ["CalibratedClassifierCV"],
    "sklearn.compose": ["ColumnTransformer", "TransformedTargetRegressor"],
    "sklearn.decomposition": ["PCA", "TruncatedSVD"],
    "sklearn.dummy": ["DummyClassifier", "DummyRegressor"],
    "sklearn.ensemble": [
        "BaggingClassifier",
        "StackingClassifier",
        "StackingRegressor",
        "VotingClassifier",
        "VotingRegressor",
    ],
    "sklearn.feature_selection": ["SelectKBest", "VarianceThreshold"],
    "sklearn.frozen": ["FrozenEstimator"],
    "sklearn.impute": ["SimpleImputer"],
    "sklearn.isotonic": ["IsotonicRegression"],
    "sklearn.linear_model": ["LinearRegression", "LogisticRegression", "Ridge"],
    "sklearn.model_selection": [
        "FixedThresholdClassifier",
        "GridSearchCV",
        "RandomizedSearchCV",
        "TunedThresholdClassifierCV",
    ],
    "sklearn.multiclass": [
        "OneVsOneClassifier",
        "OneVsRestClassifier",
        "OutputCodeClassifier",
        "_ConstantPredictor",
    ],
    "sklearn.multioutput": ["ClassifierChain", "MultiOutputClassifier"],
    "sklearn.pipeline": ["FeatureUnion", "Pipeline"],
    "sklearn.preprocessing": [
        "FunctionTransformer",
        "LabelBinarizer",
        "LabelEncoder",
        "MaxAbsScaler",
        "MinMaxScaler",
        "Normalizer",
        "OneHotEncoder",
        "OrdinalEncoder",
        "RobustScaler",
        "StandardScaler",
    ],
}
_VALUES = {
    "skrational.model_selection._path": ["PathPoint"],
    "skrational.model_selection._pipelines": ["FirstSteps"],
    "skrational.structures.automata": ["ScoringRule"],
    "skrational.structures.gated": ["StateReadout"],
    "skrational.structures.network": ["NetworkKind"],
    "skrational.text.vocabulary": ["Vocabulary"],
}
_OBJECTS = {
    "skrational.model_selection._one_se": ["_ScoreAndSize", "_SmallestWithinOneSE"],
    "skrational.model_selection._path": ["RegularizationPath"],
    "sklearn.calibration": [
        "_CalibratedClassifier",
        "_SigmoidCalibration",
        "_TemperatureScaling",
    ],
    "sklearn.compose": ["make_column_selector"],
    "sklearn.metrics._scorer": ["_PassthroughScorer", "_Scorer"],
    "sklearn.model_selection": [
        "GroupKFold",
        "GroupShuffleSplit",
        "KFold",
        "LeaveOneGroupOut",
        "LeaveOneOut",
        "LeavePGroupsOut",
        "LeavePOut",
        "PredefinedSplit",
        "RepeatedKFold",
        "RepeatedStratifiedKFold",
        "ShuffleSplit",
        "StratifiedGroupKFold",
        "StratifiedKFold",
        "StratifiedShuffleSplit",
        "TimeSeriesSplit",
    ],
    "sklearn.model_selection._split": ["_CVIterableWrapper"],
    "sklearn.model_selection._classification_threshold": ["_CurveScorer"],
    "sklearn.utils": ["Bunch"],
}


def _all_known() -> Iterator[Known]:
    tables: list[tuple[Kind, dict[str, list[str]]]] = [
        ("estimator", _ESTIMATORS),
        ("value", _VALUES),
        ("object", _OBJECTS),
    ]
    for kind, table in tables:
        for module, names in table.items():
            yield from (Known(module, name, kind) for name in names)


KNOWN = {known.name: known for known in _all_known()}
"""The classes that a saved model may name, by their names."""

_TYPES: dict[str, type] = {
    **{f"builtins.{t.__name__}": t for t in (bool, float, int, object, str)},
    **{
        t.__name__: t
        for t in (
            np.floating,
            np.generic,
            np.inexact,
            np.integer,
            np.number,
            np.object_,
            np.signedinteger,
            np.str_,
            np.unsignedinteger,
        )
    },
}
"""Types that aren't those of an array of numbers, such as pandas selects columns by."""

_FUNCTIONS: dict[str, Callable[..., Any]] = {"str.split": str.split}
_OF_PACKAGES = ("sklearn.metrics", "sklearn.feature_selection")
_OURS = {"skrational.text.tokenize.tokenize": "skrational.text.tokenize"}


def name_of_class(cls: type) -> str | None:
    """Return the name under which a class is known; None: it isn't."""
    known = KNOWN.get(cls.__name__)
    same_package = known and cls.__module__.startswith(known.module.split(".")[0])
    return cls.__name__ if known and same_package and known.get() is cls else None


def known_type(name: str) -> type | None:
    """Return the type of a name, unless that is the name of a type of numbers."""
    return _TYPES.get(name)


def name_of_type(value: type) -> str | None:
    """Return the name under which a type is saved; None: it can't be.

    Examples
    --------
    >>> name_of_type(object), name_of_type(np.float32), name_of_type(dict)
    ('builtins.object', 'float32', None)
    """
    for name, known in _TYPES.items():
        if value is known:
            return name
    is_numeric = issubclass(value, np.number | np.bool_)
    return value.__name__ if is_numeric else None


def known_function(name: str) -> Callable[..., Any] | None:
    """Return the function of a name; None: there is none that is known.

    Examples
    --------
    >>> known_function("str.split").__name__
    'split'
    >>> known_function("os.system") is None
    True
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    module, _, short = name.rpartition(".")
    if module == "numpy":
        ufunc = getattr(np, short, None)
        return ufunc if isinstance(ufunc, np.ufunc) else None
    if name in _OURS:
        found: Callable[..., Any] = getattr(import_module(_OURS[name]), short)
        return found
    if module in _OF_PACKAGES:
        package = import_module(module)
        value = getattr(package, short) if short in package.__all__ else None
        return value if callable(value) and not isinstance(value, type) else None
    return None


def name_of_function(function: Any) -> str | None:
    """Return the name of a function at the top of a module; None: it has none.

    Examples
    --------
    >>> name_of_function(str.split), name_of_function(lambda: None)
    ('str.split', None)
    """
    for name, known in _FUNCTIONS.items():
        if function is known:
            return name
    if isinstance(function, np.ufunc):
        name = f"numpy.{function.__name__}"
        return name if known_function(name) is function else None
    module = getattr(function, "__module__", None)
    short = getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(short, str) or "<" in short:
        return None
    for package in _OF_PACKAGES:
        if known_function(f"{package}.{short}") is function:
            return f"{package}.{short}"
    return f"{module}.{short}"
