"""Small models of every kind, fitted in no time."""

import warnings

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    SparseRationalRegressor,
    SparseRationalRegressorCV,
    TimeStepTransformer,
    WordVectorizer,
)
from skrational.model_selection import score_and_size, smallest_within_one_se

TEXTS = ["the cat sat on the mat .", "A dog ran in the park .", "the dog sat ."] * 6
LABELS = np.array(["cat", "dog", "dog"] * 6)
WORDS = ("the", "cat", "sat", "on", "mat", "dog", "ran", "in", "park")
SHORT = {"max_epochs": 2, "finetune_epochs": 1, "warmup_epochs": 1, "random_state": 0}
RATIONAL = {"n_wfsas": 3, "n_states": 2, **SHORT}
LANGUAGE = {
    "n_embedding": 3, "min_count": 1, "min_steps_per_epoch": 5, **SHORT
}  # fmt: skip


def rational(**params):
    return SparseRationalClassifier(**{**RATIONAL, **params})


def table(seed=0, words=WORDS, width=4):
    rng = np.random.default_rng(seed)
    return {word: rng.normal(size=width).astype("f4") for word in words}


def pipeline(vectors=None, **params):
    vectors = table() if vectors is None else vectors
    return make_pipeline(WordVectorizer(vectors, min_count=1), rational(**params))


def predictions(model, data):
    """What a model says of data, by method."""
    names = ("predict", "predict_proba", "decision_function", "score_samples")
    if isinstance(model, SparseLSTMLanguageModel | ModuliRNNLanguageModel):
        names = ("score_samples",)
    found = {n: np.asarray(getattr(model, n)(data)) for n in names if hasattr(model, n)}
    if hasattr(model, "transform") and not found:
        X = model.transform(data)
        found["transform"] = X.features[X.row_numbers()]
    return found


def assert_same(a, b):
    assert a.keys() == b.keys()
    assert a
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def recipes(X, y):
    """How to fit each model, and the data that it predicts, by name."""
    three = np.array(["a", "b", "c"])[y + np.arange(len(y)) % 2]
    fitted = {
        "rational": lambda: rational().fit(X, y),
        "rho": lambda: rational(readout="rho", calibration="temperature").fit(X, three),
        "emptied": lambda: rational(lambda_=10.0).fit(X, y),
        "max-plus": lambda: rational(semiring="max-plus", dtype="float64").fit(X, y),
        "layers": lambda: rational(n_layers=2, lambda_=1e-4).fit(X, y),
        "lstm": lambda: SparseLSTMClassifier(n_units=4, **SHORT).fit(X, y),
        "gru": lambda: SparseGRUClassifier(n_units=4, **SHORT).fit(X, y),
        "bayes": lambda: SparseLSTMClassifier(
            n_units=4, framework="bayes", **SHORT
        ).fit(X, y),
        "elman": lambda: ModuliRNNClassifier(n_hidden=6, **SHORT).fit(X, y),
        "moduli gru": lambda: ModuliRNNClassifier(n_hidden=6, cell="gru", **SHORT).fit(
            X, y
        ),
        "regressor": lambda: ModuliRNNRegressor(n_hidden=6, **SHORT).fit(
            X, np.c_[y, 1 - y]
        ),
        "labels": lambda: rational(calibration="temperature").fit(X, np.c_[y, 1 - y]),
        "numbers": lambda: SparseRationalRegressor(**RATIONAL).fit(X, y + 0.5),
        "search of numbers": lambda: SparseRationalRegressorCV(
            SparseRationalRegressor(**RATIONAL), n_lambdas=2, cv=2, random_state=0
        ).fit(X, np.c_[y, 1 - y]),
        "search": lambda: SparseRationalClassifierCV(
            rational(), n_lambdas=2, cv=2, random_state=0
        ).fit(X, y),
        "steps": lambda: make_pipeline(
            TimeStepTransformer(StandardScaler()), rational()
        ).fit(X, y),
        "calibrated": lambda: CalibratedClassifierCV(
            FrozenEstimator(rational().fit(X, y))
        ).fit(X, y),
        "isotonic": lambda: CalibratedClassifierCV(
            rational(), method="isotonic", cv=2
        ).fit(X, y),
        "threshold": lambda: FixedThresholdClassifier(rational(), threshold=0.3).fit(
            X, y
        ),
        "tuned": lambda: TunedThresholdClassifierCV(rational(), cv=2).fit(X, y),
        "grid": lambda: GridSearchCV(
            rational(),
            {"lambda_": [1e-3, 1e-2]},
            cv=2,
            scoring=score_and_size(),
            refit=smallest_within_one_se(),
        ).fit(X, y),
    }
    of_texts = {
        "lstm language": lambda: SparseLSTMLanguageModel(n_units=4, **LANGUAGE).fit(
            TEXTS
        ),
        "moduli language": lambda: ModuliRNNLanguageModel(n_hidden=4, **LANGUAGE).fit(
            TEXTS
        ),
        "corpus": lambda: WordVectorizer(min_count=1, n_features=4).fit(TEXTS),
        "pipeline": lambda: pipeline("corpus").fit(TEXTS, LABELS),
    }
    found = {name: (fit, X) for name, fit in fitted.items()}
    return found | {name: (fit, TEXTS) for name, fit in of_texts.items()}


class Models:
    """Fits a model when it is first asked for."""

    def __init__(self, X, y):
        self.recipes, self.fitted = recipes(X, y), {}

    def __getitem__(self, name):
        fit, data = self.recipes[name]
        if name not in self.fitted:
            with warnings.catch_warnings():
                # So short fits leave too little, or too much.
                warnings.simplefilter("ignore")
                self.fitted[name] = fit()
        return self.fitted[name], data
