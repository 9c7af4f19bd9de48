import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skrational.training.losses import NextTokenLoss
from skrational.training.windows import Windows, next_tokens

END, V = 0, 5

text_lists = st.lists(
    st.lists(st.integers(1, V - 1), max_size=9), min_size=1, max_size=6
)


def cut(texts, length):
    offsets = np.cumsum([0, *map(len, texts)])
    tokens = np.array([t for text in texts for t in text], np.int32)
    pairs = next_tokens(tokens, offsets, END)
    return Windows.cut(*pairs, list("$abcd"), length)


def read(windows):
    """Inputs and targets of each window."""
    X = windows.X
    for i, codes in enumerate(windows.codes):
        targets = codes[codes >= 0].tolist()
        assert (codes[len(targets) :] == -1).all()
        yield X.indices[X.offsets[i] : X.offsets[i + 1]].tolist(), targets


@given(text_lists, st.integers(1, 12))
def test_windows_hold_every_prediction_of_every_text_once(texts, length):
    windows = cut(texts, length)
    pairs = list(read(windows))
    for i, text in enumerate(texts):
        mine = [pairs[k] for k in np.flatnonzero(windows.texts == i)]
        assert [t for inputs, _ in mine for t in inputs] == [END, *text]
        assert [t for _, targets in mine for t in targets] == [*text, END]
        lengths = [len(inputs) for inputs, _ in mine]
        assert len(lengths) == -(-(len(text) + 1) // length)
        assert max(lengths) - min(lengths) <= 1
    assert windows.weights.tolist() == [len(targets) for _, targets in pairs]
    targets = [t for text in texts for t in [*text, END]]
    counts = np.bincount(targets, minlength=V)
    np.testing.assert_allclose(windows.shares(), counts / counts.sum())


@given(text_lists, st.floats(0.05, 0.95), st.integers(0, 5))
def test_texts_are_held_out_whole(texts, fraction, seed):
    windows = cut(texts, 3)
    training, held_out = windows.split(fraction, np.random.default_rng(seed))
    n_held_out = 0 if held_out is None else len(np.unique(held_out.texts))
    assert n_held_out == min(int(fraction * len(texts) + 0.5), len(texts) - 1)
    kept = set(training.texts)
    assert not (kept & set([] if held_out is None else held_out.texts))
    assert len(training) + (len(held_out) if n_held_out else 0) == len(windows)
    expected = [
        p for p, t in zip(read(windows), windows.texts, strict=True) if t in kept
    ]
    assert list(read(training)) == expected


def test_the_loss_is_the_mean_over_each_window():
    targets = torch.tensor([[1, 3, 0], [2, -1, -1], [4, 4, -1]])
    outputs = torch.randn(6, V, generator=torch.Generator().manual_seed(0))
    p = outputs.softmax(1)
    nats = [-torch.log(p[i, t]) for i, t in enumerate([1, 3, 0, 2, 4, 4])]
    expected = torch.stack([sum(nats[:3]) / 3, nats[3], sum(nats[4:]) / 2])
    loss = NextTokenLoss()
    torch.testing.assert_close(loss(outputs, targets), expected)
    torch.testing.assert_close(
        loss.score(outputs, targets), -expected / torch.log(torch.tensor(2.0))
    )


def test_the_prior_is_the_frequency_of_the_words():
    loss, shares = NextTokenLoss(), np.array([0.5, 0.25, 0.25, 0])
    assert loss.n_outputs(4) == 4
    logits = loss.prior(shares)
    p = np.exp(logits) / np.exp(logits).sum()
    assert p == pytest.approx(shares)
