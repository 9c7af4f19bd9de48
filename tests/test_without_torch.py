"""Predicting and inspecting import no torch: neither from a file nor from numbers."""

import subprocess
import sys
import textwrap
from pathlib import Path

import joblib
import pytest
from sklearn.pipeline import make_pipeline

from skrational import (
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    WordVectorizer,
)
from skrational.datasets import make_planted_patterns

WORDS = ("not", "worth", "it", "good", "bad", "the", "a", "very", "book", "tea")
TEXTS = ["not worth it", "a very good book", "bad tea", "it good", "the the bad"] * 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pipeline from texts, a search, and sequences, as files."""
    folder = tmp_path_factory.mktemp("saved")
    X = make_planted_patterns(60, random_state=0).X.features[: len(WORDS)]
    vectorizer = WordVectorizer(dict(zip(WORDS, X, strict=True)))
    small = {"n_wfsas": 3, "max_epochs": 2, "finetune_epochs": 1, "random_state": 0}
    y = [text.split()[-1] == "it" for text in TEXTS]
    for readout in ("sum", "last", "rho", "rho_softmax"):
        clf = SparseRationalClassifier(**small, readout=readout, lambda_=1e-4)
        joblib.dump(make_pipeline(vectorizer, clf).fit(TEXTS, y), folder / readout)
    search = SparseRationalClassifierCV(
        SparseRationalClassifier(**small), lambdas=[1e-4], cv=2, random_state=0
    )
    joblib.dump(make_pipeline(vectorizer, search).fit(TEXTS, y), folder / "search")
    return folder


def run(folder, script):
    script = f"TEXTS = {TEXTS!r}\n" + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["sum", "last", "rho", "rho_softmax", "search"])
def test_predicting_imports_no_torch(folder, name):
    run(
        folder / name,
        """
        import sys
        import joblib

        model = joblib.load(sys.argv[1])
        for name in ("predict", "predict_proba", "decision_function", "transform"):
            assert len(getattr(model, name)(TEXTS)) == len(TEXTS)
        vectors = model[0].transform(TEXTS).to_list()
        assert (model[-1].predict(vectors) == model.predict(TEXTS)).all()
        assert "torch" not in sys.modules
        """,
    )


def test_inspecting_imports_no_torch(folder):
    run(
        folder / "rho",
        """
        import sys
        import joblib
        from matplotlib.figure import Figure
        from skrational import inspection

        model = joblib.load(sys.argv[1])
        explanations = inspection.explain(model, TEXTS)
        assert explanations.to_html() and explanations.to_json()
        assert inspection.top_phrases(model, TEXTS).to_text()
        assert inspection.top_words(model).to_text()
        assert len(inspection.find_paths(model, TEXTS)[0]) == len(TEXTS)
        inspection.to_networkx(model, 0)
        for display, of in (
            (inspection.AutomatonDisplay, (model,)),
            (inspection.StructureDisplay, (model,)),
            (inspection.PhraseDisplay, (model, TEXTS)),
            (inspection.ExplanationDisplay, (model, TEXTS[0])),
        ):
            display.from_estimator(*of, ax=Figure().subplots())
        assert "torch" not in sys.modules
        """,
    )


def test_what_is_only_looked_up_imports_no_torch(folder):
    run(
        folder,
        """
        import sys
        import skrational
        from skrational import *
        from skrational.model_selection import RegularizationPath
        from skrational.datasets import *
        from skrational.inspection import *
        from skrational.structures import *

        SparseRationalClassifier().get_params()
        assert "torch" not in sys.modules
        """,
    )
