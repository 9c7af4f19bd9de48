import numpy as np
import pytest
import torch

from skrational.cells.batches import Batch
from skrational.training.noise import Dropout

pytestmark = pytest.mark.usefixtures("untouched_generators")


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def batch():
    ids = np.arange(400, dtype=np.int32)
    return Batch(torch.ones(400, 300), ids, np.array([0, 400]))


def test_nothing_is_dropped_by_default(batch, generator):
    before = generator.get_state()
    scores = torch.ones(3, 2)
    assert Dropout().on_features(batch, generator) is batch
    assert Dropout().on_scores(scores, generator) is scores
    assert torch.equal(generator.get_state(), before)


def test_words_are_dropped_as_a_whole(batch, generator):
    noisy = Dropout(words=0.2).on_features(batch, generator)
    assert noisy is batch
    words = noisy.x[:, 0]
    assert torch.equal(noisy.x, words[:, None].expand(400, 300))
    np.testing.assert_allclose(words.unique(), [0, 1 / 0.8])
    assert 0.1 < (words == 0).float().mean() < 0.3


def test_columns_are_dropped_for_the_whole_batch(batch, generator):
    noisy = Dropout(columns=0.4).on_features(batch, generator)
    columns = noisy.x[0]
    assert torch.equal(noisy.x, columns.expand(400, 300))
    np.testing.assert_allclose(columns.unique(), [0, 1 / 0.6], rtol=1e-6)
    assert 0.3 < (columns == 0).float().mean() < 0.5


def test_words_and_columns_multiply(batch, generator):
    x = Dropout(words=0.5, columns=0.5).on_features(batch, generator).x
    assert torch.equal(x, x.amax(1, keepdim=True) * x.amax(0, keepdim=True) / 4)
    assert x.unique().tolist() == [0, 4]


def test_scores_are_dropped_one_by_one(generator):
    scores = torch.full((500, 20), 3.0)
    noisy = Dropout(scores=0.25).on_scores(scores, generator)
    np.testing.assert_allclose(noisy.unique(), [0, 4])
    assert noisy.mean().item() == pytest.approx(3, rel=0.05)
    assert (noisy == 0).any(dim=0).all()
    assert (noisy == 0).any(dim=1).float().mean() > 0.9


def test_masks_follow_from_the_generator():
    scores, dropout = torch.ones(50, 8), Dropout(scores=0.5)
    first, again, other = (
        dropout.on_scores(scores, torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_dropped_scores_pass_no_gradient(generator):
    scores = torch.ones(30, 4, requires_grad=True)
    noisy = Dropout(scores=0.5).on_scores(scores, generator)
    noisy.sum().backward()
    assert torch.equal(scores.grad, noisy.detach())
