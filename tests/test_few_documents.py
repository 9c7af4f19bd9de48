"""A lambda_ leaves about as much of few documents as of many."""

import pytest

from benchmarks import defaults, few_documents
from skrational.datasets import reviews_available


@pytest.mark.skipif(
    not reviews_available(), reason="SKRATIONAL_DATA names no folder of real data"
)
def test_fifty_reviews_leave_no_larger_a_model_than_a_thousand():
    data = defaults.load("amazon_kitchen")
    few, _ = few_documents.measure({}, 0, 50, data)
    many, _ = few_documents.measure({}, 0, 1000, data)
    in_single_passes, _ = few_documents.measure({"min_steps_per_epoch": 1}, 0, 50, data)
    assert 0 < few < 1.25 * many
    assert in_single_passes > 2 * many
