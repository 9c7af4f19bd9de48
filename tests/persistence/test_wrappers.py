"""What scikit-learn puts around models of this package comes back from a folder."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneOut,
    PredefinedSplit,
    RandomizedSearchCV,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skrational.persistence import load, save
from tests.persistence.models import LABELS, TEXTS, WORDS, pipeline, rational, table

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(18, 5))
FRAME = pd.DataFrame({"review": TEXTS, "stars": ROWS[:, 0], "n": np.arange(18)})
GRID = {"sparserationalclassifier__lambda_": [0.1, 1e-3]}
HALVES = [(np.arange(9), np.arange(9, 18)), (np.arange(9, 18), np.arange(9))]
DRAWN = {"sparserationalclassifier__lambda_": stats.loguniform(1e-4, 1e-3)}


def columns(**options):
    parts = [
        ("text", pipeline(table()), "review"),
        ("stars", StandardScaler(), ["stars"]),
        ("kept", "passthrough", slice("stars", "n")),
        ("dropped", "drop", slice(1, 3)),
        ("numbers", MinMaxScaler(), make_column_selector(dtype_include=np.number)),
        ("named", MinMaxScaler(), make_column_selector("n", dtype_exclude=[bool])),
    ]
    return ColumnTransformer(parts, **options).set_output(transform="pandas")


TWO = [("a", pipeline(table())), ("b", pipeline(table(1)))]
CASES = {
    "columns": (columns(), FRAME),
    "columns in a pipeline": (make_pipeline(columns(), LogisticRegression()), FRAME),
    "rest": (columns(remainder="passthrough"), FRAME),
    "temperature": (
        CalibratedClassifierCV(pipeline(table()), method="temperature", cv=2),
        TEXTS,
    ),
    "predefined": (
        GridSearchCV(pipeline(table()), GRID, cv=PredefinedSplit([0] * 9 + [1] * 9)),
        TEXTS,
    ),
    "splits": (GridSearchCV(pipeline(table()), GRID, cv=HALVES), TEXTS),
    "drawn": (
        RandomizedSearchCV(pipeline(table()), DRAWN, n_iter=2, cv=2, random_state=0),
        TEXTS,
    ),
    "voting": (VotingClassifier(TWO, voting="soft"), TEXTS),
    "stacking": (StackingClassifier(TWO, cv=2), TEXTS),
    "bagging": (BaggingClassifier(rational(), 2, random_state=0), ROWS),
    "ufunc": (
        make_pipeline(FunctionTransformer(np.abs), LogisticRegression()),
        ROWS,
    ),
}


def told(model, X):
    names = ("predict_proba", "predict", "transform")
    method = next(name for name in names if hasattr(model, name))
    return np.asarray(getattr(model, method)(X))


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
@pytest.mark.parametrize("name", CASES)
def test_wrappers(name, tmp_path):
    model, X = CASES[name]
    model = clone(model).fit(X, LABELS)
    folder = save(model, tmp_path / "model")
    again = load(folder)
    np.testing.assert_array_equal(told(again, X), told(model, X))
    assert not list(folder.glob("*.skops"))
    twin = save(again, tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (twin / path.name).read_bytes(), path.name
    clone(again).fit(X, LABELS)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (MultiOutputClassifier(LogisticRegression()), np.stack([LABELS, LABELS], 1)),
        (
            ClassifierChain(LogisticRegression()),
            np.stack([LABELS == "cat", LABELS == "dog"], 1),
        ),
    ],
)
def test_several_outputs(model, y, tmp_path):
    model.fit(ROWS, y)
    again = load(save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(ROWS), model.predict(ROWS))


def test_unfitted_searches_and_their_distributions(tmp_path):
    splits = [LeaveOneOut(), PredefinedSplit([0, 1])]
    for cv in splits:
        search = GridSearchCV(rational(), {"n_wfsas": [1]}, cv=cv)
        assert repr(load(save(search, tmp_path / "model")).cv) == repr(cv)
    drawn = {"lambda_": stats.uniform(loc=0.1, scale=2), "n_wfsas": stats.randint(1, 5)}
    again = load(save(RandomizedSearchCV(rational(), drawn), tmp_path / "model"))
    for name, dist in drawn.items():
        found = again.param_distributions[name]
        assert found.rvs(9, random_state=0).tolist() == (
            dist.rvs(9, random_state=0).tolist()
        )


def test_distributions_of_others_are_refused(tmp_path):
    class Mine(stats.rv_continuous):
        pass

    search = RandomizedSearchCV(rational(), {"lambda_": Mine(name="norm")(0)})
    with pytest.raises(TypeError, match="param_distributions, lambda_ is a scipy"):
        save(search, tmp_path / "model")
    assert not any(tmp_path.iterdir())


def test_equal_tables_are_kept_once(tmp_path):
    vectors = table(words=[*WORDS, *(f"w{i}" for i in range(500))])
    one = save(pipeline(vectors).fit(TEXTS, LABELS), tmp_path / "one")
    search = GridSearchCV(pipeline(vectors), GRID, cv=2).fit(TEXTS, LABELS)
    both = save(search, tmp_path / "search")
    sizes = [(f / "weights.safetensors").stat().st_size for f in (one, both)]
    assert sizes[1] < 1.5 * sizes[0]


@pytest.mark.parametrize("value", ["a\ud83d\ude00", "\U0001f600", "\ude00\ud83d"])
def test_halves_of_a_character_stay_halves(value, tmp_path):
    labels = np.where(LABELS == "cat", value, "b").astype(object)
    model = pipeline(table()).fit(TEXTS, labels)
    again = load(save(model, tmp_path / "model"))
    assert again.classes_.tolist() == model.classes_.tolist()
    keyed = FunctionTransformer(kw_args={value: np.str_(value)})
    again = load(save(keyed, tmp_path / "model"))
    assert again.kw_args == {value: value}


def test_attributes_of_others_are_named(tmp_path):
    model = pipeline(table()).fit(TEXTS, LABELS)
    model[1].note_ = 3
    with pytest.raises(ValueError, match=r"no attribute 'note_'; what was set from"):
        save(model, tmp_path / "model")
    del model[1].note_
    save(model, tmp_path / "model")


def test_types_and_slices(tmp_path):
    values = [object, str, bool, np.number, np.integer, np.bool_, np.float32]
    values += [slice("a", "c"), slice(None, -1, 2)]
    model = FunctionTransformer(kw_args={f"a{i}": v for i, v in enumerate(values)})
    again = load(save(model, tmp_path / "model"))
    assert [*again.kw_args.values()] == values


@pytest.mark.parametrize("functions", [[len], len, {"len": 3}, {3: len}])
def test_functions_are_checked(functions, tmp_path):
    folder = save(rational(), tmp_path / "model")
    with pytest.raises(TypeError, match=r"functions (is|has) .*expected"):
        load(folder, functions=functions)
