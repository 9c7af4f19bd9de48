"""Vectorizers that an earlier version pickled."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from skrational.sequences import SequenceArray

# A pickle that numpy 2 has written names modules that numpy 1 lacks.
pytest.importorskip("numpy", "2.0")
pytestmark = pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")

FOLDER = Path(__file__).parent.parent / "fixtures"


@pytest.fixture(params=["0.1.0"])
def saved(request):
    return pickle.loads((FOLDER / request.param / "vectorizers.pkl").read_bytes())


def test_word_vectorizers_transform_as_before(saved):
    assert len(saved["word_vectorizers"]) == 3
    for name, pickled in saved["word_vectorizers"].items():
        X, expected = pickle.loads(pickled).transform(saved["texts"]), saved["expected"]
        assert isinstance(X, SequenceArray)
        for part in ("features", "offsets", "indices"):
            found = getattr(X, part)
            assert found.dtype == expected[name][part].dtype
            np.testing.assert_array_equal(found, expected[name][part])
        assert X.labels.tolist() == expected[name]["labels"]


def test_word_vectorizers_are_fitted_anew_as_before(saved):
    for pickled in saved["word_vectorizers"].values():
        vectorizer = pickle.loads(pickled)
        first = vectorizer.transform(saved["texts"])
        assert vectorizer.fit(saved["texts"][:2]).transform(saved["texts"]) == first


def test_bert_vectorizers_have_their_state(saved):
    vectorizer = pickle.loads(saved["bert"])
    state = dict(vars(vectorizer))
    assert state == saved["bert_state"]
    assert vectorizer.get_params()["layers"] == "mean_last_2"
