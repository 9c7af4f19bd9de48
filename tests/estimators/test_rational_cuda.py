"""Automata on a GPU, where there is one."""

import numpy as np
import pytest
import torch

from skrational import SequenceArray, SparseRationalClassifier


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("readout", ["sum", "last", "rho"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_fit_on_a_gpu_is_that_on_the_cpu(readout, n_classes):
    rng = np.random.default_rng(0)
    offsets = np.cumsum([0, *rng.integers(0, 12, size=200)])
    ids = rng.integers(0, 60, size=offsets[-1])
    X = SequenceArray(rng.normal(size=(60, 5)), offsets, ids)
    means = np.array([x.sum() if len(x) else 0.0 for x in X])
    y = np.digitize(means, np.quantile(means, np.arange(1, n_classes) / n_classes))
    params = {
        "n_wfsas": 5,
        "n_states": (1, 2, 3, 4, 6),
        "readout": readout,
        "batch_size": 32,
        "warmup_epochs": 2,
        "max_epochs": 3,
        "finetune_epochs": 2,
        "min_steps_per_epoch": 1,
        "dtype": "float64",
        "random_state": 0,
    }
    here, there = (
        SparseRationalClassifier(device=device, **params).fit(X, y)
        for device in ("cpu", "cuda")
    )
    assert there.learned_structure_.lengths == here.learned_structure_.lengths
    losses = ([row["loss"] for row in clf.history_] for clf in (here, there))
    np.testing.assert_allclose(*losses, rtol=1e-8)
    logits = there.decision_function(X)
    np.testing.assert_allclose(logits, here.decision_function(X), atol=1e-7)
