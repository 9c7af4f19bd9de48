"""Explanations as JSON, beside `json.dumps` of their dicts."""

import json

import numpy as np
import pytest

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection import explain
from skrational.inspection.explaining import explanations as module
from skrational.inspection.explaining import records
from skrational.inspection.explaining.records import plain, write_json

TEXTS = ['": {}', '"a": {}', "\\", '\\": {}', "{}", "", "é\ud83d"]


@pytest.fixture(scope="module")
def explained():
    data = make_planted_patterns(60, n_features=10, random_state=0)
    clf = SparseRationalClassifier(
        n_wfsas=3, lambda_=0, max_epochs=2, finetune_epochs=0, random_state=0
    )
    return explain(clf.fit(data.X, data.y), data.X)


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("at_once", [1, 500, 2**18])
def test_json_does_not_depend_on_what_is_written_at_once(
    explained, few, at_once, monkeypatch
):
    monkeypatch.setattr(records, "_FEW", few)
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", at_once)
    assert explained.to_json() == json.dumps(explained.to_dict())
    assert explained[0].to_json() == json.dumps(explained[0].to_dict())


@pytest.mark.parametrize("few", [0, 10**9])
def test_no_text_is_taken_for_the_place_of_numbers(few, monkeypatch):
    monkeypatch.setattr(records, "_FEW", few)
    record = {
        "texts": TEXTS,
        "numbers": np.array([0.1, np.nan]),
        "none": np.empty(0),
        "text": TEXTS[1],
        "spans": np.array([[0, 1], [2, 3]]),
        "inner": [
            {"scores": np.array([2.0], np.float32), "text": text} for text in TEXTS
        ],
    }
    expected = json.dumps([plain(record)] * 2)
    assert f"[{write_json([record, record])}]" == expected


@pytest.mark.parametrize("few", [0, 10**9])
def test_infinite_numbers_are_refused(few, monkeypatch):
    monkeypatch.setattr(records, "_FEW", few)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json([{"scores": np.array([np.inf])}])
