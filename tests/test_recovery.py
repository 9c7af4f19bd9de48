"""The main claim on data whose truth is known, and on real reviews."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from benchmarks.planted import recover
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews, reviews_available


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_planted_patterns_are_found_again(seed):
    found, surplus, *_ = recover(seed, n_jobs=1)
    assert found
    assert surplus <= 2


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.filterwarnings("ignore:1 of 2 texts hold no word")
@pytest.mark.skipif(
    not reviews_available(), reason="SKRATIONAL_DATA names no folder of real data"
)
def test_raw_reviews_become_a_small_model_ahead_of_a_prior():
    folder = Path(os.environ["SKRATIONAL_DATA"], "vectors")
    train = load_reviews("amazon_kitchen", "train", raw=True)
    dev = load_reviews("amazon_kitchen", "dev", raw=True)
    pipeline = make_pipeline(
        WordVectorizer(folder / "glove.840B.300d.q8.10k.txt.gz"),
        SparseRationalClassifier(random_state=0),
    ).fit(train.texts, train.labels)
    structure = pipeline[-1].learned_structure_
    assert 0 < structure.n_transitions <= 30
    assert pipeline.score(dev.texts, dev.labels) > 0.87
    assert np.isfinite(pipeline.decision_function(["", "Not worth the money."])).all()
