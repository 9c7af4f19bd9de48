import numpy as np
import pytest
import torch

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.groups import Groups, Part
from tests.extensions.penalty import Ridge


def test_the_operator_solves_its_problem():
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    metric = torch.rand(3, 4, generator=generator, dtype=torch.float64) + 0.1
    omega = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    before, groups = w.clone(), Groups((Part((w,), torch.arange(3)),), 3, omega)
    Ridge(0.3).prox_(groups, [metric], 0.5)
    # Where the gradient of the problem is zero.
    gradient = metric * (w - before) / 0.5 + 2 * 0.3 * omega[:, None] * w
    np.testing.assert_allclose(gradient, 0, atol=1e-14)


class RidgeClassifier(SparseRationalClassifier):
    def _charges(self):
        return ((Ridge(self.lambda_), "states"), *super()._charges())


@pytest.mark.parametrize("solver", ["prox", "subgradient"])
def test_an_estimator_is_charged_by_it(solver):
    data = make_planted_patterns(80, random_state=0)
    params = {"n_wfsas": 3, "max_epochs": 5, "min_steps_per_epoch": 1}
    params |= {"finetune_epochs": 0, "random_state": 0}
    plain, charged = (
        cls(**params, solver=solver).fit(data.X, data.y)
        for cls in (SparseRationalClassifier, RidgeClassifier)
    )
    of_epochs = [
        [row["penalty"] for row in clf.history_ if row["phase"] == "regularize"]
        for clf in (plain, charged)
    ]
    assert all(b > a for a, b in zip(*of_epochs, strict=True))
