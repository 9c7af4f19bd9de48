"""Gated networks on a GPU, where there is one."""

import numpy as np
import pytest
import torch

from skrational import SparseGRUClassifier, SparseLSTMClassifier


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("kind", [SparseLSTMClassifier, SparseGRUClassifier])
@pytest.mark.parametrize("framework", ["group_lasso", "bayes"])
def test_a_fit_on_a_gpu_is_that_on_the_cpu(kind, framework):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 5)) for n in rng.integers(0, 12, size=120)]
    y = [bool(x[:, 0].sum() > 0) for x in X]
    params = {
        "n_units": 4,
        "framework": framework,
        "batch_size": None,
        "max_epochs": 5,
        "finetune_epochs": 3,
        "dropout": 0.0,
        "dtype": "float64",
        "random_state": 0,
    }
    here, there = (kind(device=d, **params).fit(X, y) for d in ("cpu", "cuda"))
    assert there.learned_structure_.parts() == here.learned_structure_.parts()
    logits = there.decision_function(X)
    np.testing.assert_allclose(logits, here.decision_function(X), atol=1e-9)
    there.set_params(device="cpu")
    np.testing.assert_allclose(there.decision_function(X), logits, atol=1e-12)
