"""What can't be exported is refused before anything is written."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, Normalizer

from skrational import (
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    TimeStepTransformer,
    WordVectorizer,
    export_onnx,
)
from tests.deployment.exported import EPOCHS, read_tokenizer
from tests.extensions.method import GatedUnigramClassifier

pytest.importorskip("onnx")

RNG = np.random.default_rng(0)
X = [RNG.normal(size=(n, 3)).astype("f4") for n in RNG.integers(1, 5, size=20)]
Y = np.arange(20) % 2
TEXTS = ["good one", "bad one", "one good", "one bad bad"] * 5


class Doubled(SparseRationalClassifier):
    """Its scores are others."""

    def _scores(self, X):
        return 2 * super()._scores(X)


class Renamed(SparseRationalClassifier):
    """It computes what its parent does."""


def split_commas(text):
    return text.split(",")


@pytest.fixture(scope="module")
def clf():
    return SparseRationalClassifier(n_wfsas=2, **EPOCHS).fit(X, Y)


def pipeline_of(*steps, X=X, y=Y):
    small = SparseRationalClassifier(n_wfsas=2, **EPOCHS)
    return make_pipeline(*steps, small).fit(X, y)


def words(**options):
    return WordVectorizer(n_features=3, min_count=1, **options)


def step(transformer):
    return pipeline_of(TimeStepTransformer(transformer))


REFUSED = {
    "not fitted": (
        lambda _: SparseRationalClassifier(),
        NotFittedError,
        "not fitted",
    ),
    "no estimator": (lambda _: "a path", TypeError, "expected a fitted"),
    "of scikit-learn": (
        lambda _: LogisticRegression().fit(np.eye(2), [0, 1]),
        TypeError,
        "expected a fitted SparseRationalClassifier",
    ),
    "another method": (
        lambda _: GatedUnigramClassifier(max_epochs=1).fit(X, Y),
        TypeError,
        "expected a fitted",
    ),
    "scores of its own": (
        lambda _: Doubled(n_wfsas=2, **EPOCHS).fit(X, Y),
        TypeError,
        "Doubled has a _scores of its own",
    ),
    "language model": (
        lambda _: SparseLSTMLanguageModel(n_units=2, **EPOCHS).fit(TEXTS),
        TypeError,
        "SparseLSTMLanguageModel; a graph can be made of",
    ),
    "calibrated": (
        lambda clf: CalibratedClassifierCV(FrozenEstimator(clf)).fit(X, Y),
        TypeError,
        "CalibratedClassifierCV, which decides otherwise",
    ),
    "threshold": (
        lambda clf: FixedThresholdClassifier(FrozenEstimator(clf)).fit(X, Y),
        TypeError,
        "FixedThresholdClassifier, which decides otherwise",
    ),
    "tokenizer": (
        lambda _: pipeline_of(words(tokenizer=split_commas), X=TEXTS),
        TypeError,
        "tokenizer=split_commas: a function of Python can't",
    ),
    "half a character": (
        lambda _: pipeline_of(X=X, y=np.array(["a", "b\ud800"], object)[Y]),
        TypeError,
        r"classes_ holds 'b\\ud800', with half a character",
    ),
    "large labels": (
        lambda _: pipeline_of(X=X, y=np.array([2**63 - 1, 2**63], np.uint64)[Y]),
        TypeError,
        "classes_ holds 9223372036854775808; the integers of a graph go",
    ),
    "no affine step": (lambda _: step(Normalizer()), TypeError, "Normalizer, which"),
    "clipped": (
        lambda _: step(MinMaxScaler(clip=True)),
        TypeError,
        "MinMaxScaler, which is no affine map",
    ),
    "function": (
        lambda _: step(FunctionTransformer(np.tanh)),
        TypeError,
        "FunctionTransformer, which",
    ),
    "step before": (
        lambda _: pipeline_of(FunctionTransformer(), words(), X=TEXTS),
        TypeError,
        "holds a FunctionTransformer",
    ),
    "step behind": (
        lambda _: pipeline_of(words(), FunctionTransformer(), X=TEXTS),
        TypeError,
        "FunctionTransformer behind its WordVectorizer",
    ),
}


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_no_graph_can_be_made_of(name, clf, tmp_path):
    make, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        export_onnx(make(clf), tmp_path / "model")
    assert not any(tmp_path.iterdir())


def test_a_subclass_that_computes_the_same(tmp_path):
    clf = Renamed(n_wfsas=2, **EPOCHS).fit(X, Y)
    assert export_onnx(clf, tmp_path / "model").is_dir()


def test_parameters(clf, tmp_path):
    with pytest.raises(ValueError, match="vectors is 'some'; expected one of"):
        export_onnx(clf, tmp_path / "model", vectors="some")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.ones((2, 4)), r"shape \(2, 4\); expected \(n_rows, 3\)"),
        (np.ones(3), "expected"),
        (np.ones((0, 3)), "one row at least"),
        (np.full((1, 3), np.nan), "none of them NaN"),
        (np.full((1, 3), "a"), "must hold numbers"),
    ],
    ids=["width", "flat", "empty", "nan", "strings"],
)
def test_tables(table, message, clf, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_onnx(clf, tmp_path / "model", table=table)
    assert not any(tmp_path.iterdir())


def test_a_table_beside_that_of_words(tmp_path):
    with pytest.raises(ValueError, match="table is for models that read vectors"):
        export_onnx(pipeline_of(words(), X=TEXTS), tmp_path / "model", table=[[1.0]])
    assert not any(tmp_path.iterdir())


def test_a_single_text_is_no_list_of_texts(tmp_path):
    read = read_tokenizer(export_onnx(pipeline_of(words(), X=TEXTS), tmp_path / "m"))
    for text in ("good", b"good"):
        with pytest.raises(TypeError, match=r"texts is a .*; expected a list of texts"):
            read(text)


def test_without_onnx(clf, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"skrational\[onnx\]"):
        export_onnx(clf, tmp_path / "model")
    assert not any(tmp_path.iterdir())


class TestPlace:
    def test_files_of_others_stay(self, clf, tmp_path):
        for content in (None, "{}", "no JSON"):
            place = tmp_path / f"other {content}"
            place.mkdir()
            (place / "notes.txt").write_text("mine")
            if content is not None:
                (place / "config.json").write_text(content)
            before = sorted(place.iterdir())
            with pytest.raises(FileExistsError, match="something else"):
                export_onnx(clf, place)
            assert sorted(place.iterdir()) == before
        with pytest.raises(FileExistsError, match=r"notes\.txt"):
            export_onnx(clf, place / "notes.txt")

    def test_an_older_export_is_replaced(self, clf, tmp_path):
        place = tmp_path / "deep" / "model"
        place.mkdir(parents=True)
        assert export_onnx(clf, os.fspath(place)) == place
        first = {path.name: path.read_bytes() for path in place.iterdir()}
        lstm = SparseLSTMClassifier(n_units=2, **EPOCHS).fit(X, Y)
        export_onnx(lstm, place)
        assert (place / "model.onnx").read_bytes() != first["model.onnx"]
        export_onnx(clf, place)
        assert {path.name: path.read_bytes() for path in place.iterdir()} == first
        assert [path.name for path in place.parent.iterdir()] == ["model"]

    def test_modes_stay_and_names_may_be_long(self, clf, tmp_path):
        place = export_onnx(clf, tmp_path / ("n" * 255))
        (place / "model.onnx").chmod(0o640)
        place.chmod(0o750)
        export_onnx(clf, place)
        assert stat.S_IMODE(place.stat().st_mode) == 0o750
        assert stat.S_IMODE((place / "model.onnx").stat().st_mode) == 0o640
        assert list(tmp_path.iterdir()) == [place]

    @pytest.mark.parametrize("call", range(5))
    def test_a_full_disk_leaves_the_old_one(self, call, clf, tmp_path, monkeypatch):
        place = export_onnx(clf, tmp_path / "model")
        before = {path.name: path.read_bytes() for path in place.iterdir()}
        calls = []

        def failing(original):
            def call_or_fail(*args):
                calls.append(args)
                if len(calls) == call + 1:
                    raise OSError(28, "No space left on device")
                return original(*args)

            return call_or_fail

        monkeypatch.setattr(os, "fsync", failing(os.fsync))
        monkeypatch.setattr(os, "rename", failing(os.rename))
        with pytest.raises(OSError, match="No space left"):
            export_onnx(clf, place)
        monkeypatch.undo()
        assert {path.name: path.read_bytes() for path in place.iterdir()} == before
        assert [path.name for path in tmp_path.iterdir()] == ["model"]


EXPORT = """
import sys
import joblib
from skrational import export_onnx

export_onnx(joblib.load(sys.argv[1]), sys.argv[2])
assert "torch" not in sys.modules
"""


def test_exporting_imports_no_torch(clf, tmp_path):
    import joblib

    joblib.dump(clf, tmp_path / "clf")
    command = [sys.executable, "-c", EXPORT, tmp_path / "clf", tmp_path / "model"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
