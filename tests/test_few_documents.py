"""A lambda_ leaves about as much of few documents as of many."""

import pytest

from benchmarks.few_documents import FewJob, run
from skrational.datasets import reviews_available


@pytest.mark.skipif(
    not reviews_available(), reason="SKRATIONAL_DATA names no folder of real data"
)
def test_a_hundred_reviews_leave_about_as_much_as_a_thousand():
    few, many = (
        run(FewJob("dev", "amazon_kitchen", n, "defaults", 0))[1][0]
        for n in (100, 1000)
    )
    assert 0.5 * many["size"] < few["size"] < 2 * many["size"]
    assert few["accuracy"] < many["accuracy"]
