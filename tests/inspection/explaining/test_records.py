"""Explanations as JSON, beside `json.dumps` of their dicts."""

import json

import numpy as np
import pytest

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection import explain
from skrational.inspection.explaining.records import plain, write_json

TEXTS = ['": {}', '"a": {}', "\\", '\\": {}', "{}", "", "\u00e9", "\U0001f600"]


@pytest.fixture(scope="module")
def explained():
    data = make_planted_patterns(60, n_features=10, random_state=0)
    clf = SparseRationalClassifier(
        n_wfsas=3, lambda_=0, max_epochs=2, finetune_epochs=0, random_state=0
    )
    return explain(clf.fit(data.X, data.y), data.X)


def test_json_is_that_of_the_dicts(explained):
    assert json.loads(explained.to_json()) == explained.to_dict()
    assert json.loads(explained[0].to_json()) == explained[0].to_dict()
    assert json.loads(explained.to_json(indent=2)) == explained.to_dict()
    assert ", " not in explained[0].to_json()


@pytest.mark.parametrize("text", [*TEXTS, "\ud83d"])
@pytest.mark.parametrize("number", [3, 2**70, np.int64(-4), np.float64(1e-7), True])
def test_whatever_stands_in_a_record_is_read_again(text, number):
    """Half of a surrogate pair and large integers are Python's own to write."""
    record = {
        "texts": np.array(["a", text or "b"]),
        "objects": np.array([text, 1.5], dtype=object),
        "numbers": np.array([0.1, np.nan, 1e300, 5e-324, -0.0]),
        "single": np.array([2.0], np.float32),
        "none": np.empty(0),
        "column": np.arange(6.0).reshape(2, 3)[:, 1],
        "spans": np.array([[0, 1], [2, 3]]),
        "inner": [{"flags": np.array([True, False]), "text": text, "n": number}],
        "pair": (1, None),
    }
    expected = json.loads(json.dumps([plain(record)] * 2))
    assert json.loads(f"[{write_json([record, record])}]") == expected


@pytest.mark.parametrize(
    "value",
    [np.array([np.inf]), -np.inf, [np.array([[0, -np.inf]])], np.float32("inf")],
)
def test_infinite_numbers_are_refused(value):
    with pytest.raises(ValueError, match="infinite numbers; expected finite"):
        write_json([{"inner": [{"scores": value}]}])
