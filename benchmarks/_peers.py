"""What the library is timed against, written from the equations for today's torch.

Networks take word vectors (B, T, E) and return one logit a document. The recurrent
ones read the state after the last token, so that documents are padded in front.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from torch import Tensor, nn

from skrational import SequenceArray
from skrational.cells.rational import RationalCell


def transition_weights(cell: RationalCell, x: Tensor) -> tuple[Tensor, Tensor]:
    """F and u of every token, (B, T, d, K)."""
    n_wfsas = len(cell.lengths)
    shape = (*x.shape[:2], n_wfsas, len(cell.b_f) // n_wfsas)
    f = torch.sigmoid(x @ cell.W_f.T + cell.b_f)
    u = (1 - f) * (x @ cell.W_u.T)
    return f.view(shape), u.view(shape)


def per_state_loop(cell: RationalCell, x: Tensor) -> Tensor:
    """Scores by a loop over tokens and states that indexes f and u."""
    f, u = transition_weights(cell, x)
    n_states = f.shape[-1]
    states = [x.new_zeros(f.shape[0], f.shape[2]) for _ in range(n_states)]
    total = list(states)
    for t in range(x.shape[1]):
        before = [torch.ones_like(states[0]), *states[:-1]]
        states = [
            f[:, t, :, k] * states[k] + u[:, t, :, k] * before[k]
            for k in range(n_states)
        ]
        if cell.rule.match == "anywhere":
            total = [total[k] + states[k] for k in range(n_states)]
    return _read(cell, x, torch.stack(states, dim=-1), torch.stack(total, dim=-1))


def fused_loop(cell: RationalCell, x: Tensor) -> Tensor:
    """Scores by a loop over tokens in which all states go together."""
    f, u = transition_weights(cell, x)
    c = x.new_zeros(f.shape[0], *f.shape[2:])
    total = c
    start = x.new_ones(*c.shape[:2], 1)
    for f_t, u_t in zip(f.unbind(1), u.unbind(1), strict=True):
        c = torch.addcmul(f_t * c, u_t, torch.cat([start, c[..., :-1]], dim=-1))
        if cell.rule.match == "anywhere":
            total = total + c
    return _read(cell, x, c, total)


def _read(cell: RationalCell, x: Tensor, last: Tensor, total: Tensor) -> Tensor:
    if cell.rule.match == "end":
        return last.sum(dim=-1)
    return total.sum(dim=-1) / x.shape[1] ** cell.rule.length_exponent


class Recurrent(nn.Module):
    """A linear head on the last state of torch's own LSTM or GRU."""

    def __init__(self, layer: Any, n_features: int, size: int) -> None:
        super().__init__()
        self.layer = layer(n_features, size, batch_first=True)
        self.head = nn.Linear(size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x)[0][:, -1])[:, 0]


class Convolution(nn.Module):
    """A linear head on the greatest response of each filter of three words."""

    def __init__(self, n_features: int, size: int) -> None:
        super().__init__()
        self.layer = nn.Conv1d(n_features, size, 3, padding=1)
        self.head = nn.Linear(size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x.transpose(1, 2)).relu().amax(dim=2))[:, 0]


NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "nn.LSTM(24)": lambda n_features: Recurrent(nn.LSTM, n_features, 24),
    "nn.LSTM(100)": lambda n_features: Recurrent(nn.LSTM, n_features, 100),
    "nn.GRU(24)": lambda n_features: Recurrent(nn.GRU, n_features, 24),
    "nn.GRU(100)": lambda n_features: Recurrent(nn.GRU, n_features, 100),
    "CNN, 100 filters": lambda n_features: Convolution(n_features, 100),
}


def network(name: str, n_features: int) -> nn.Module:
    """A network with the same initial weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return NETWORKS[name](n_features)


def table_with_padding(X: SequenceArray) -> Tensor:
    """The word vectors, and a row of zeros as the last."""
    table = torch.zeros(len(X.features) + 1, X.n_features)
    table[:-1] = torch.from_numpy(np.array(X.features))
    return table


def padded(X: SequenceArray, documents: NDArray[np.intp], padding: int) -> Tensor:
    """Row numbers of the documents, (B, T), with padding in front."""
    ends, lengths = X.offsets[documents + 1], X.lengths[documents]
    tokens = ends[:, None] + np.arange(-max(lengths.max(), 1), 0)
    missing = tokens < (ends - lengths)[:, None]
    tokens[missing] = 0
    return torch.from_numpy(np.where(missing, padding, X.row_numbers()[tokens]))


def batches(order: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    return (order[i : i + size] for i in range(0, len(order), size))


def train_epoch(
    net: nn.Module, X: SequenceArray, y: NDArray, size: int, *, alike: bool
) -> None:
    """One epoch of Adam; batches of documents of like length, or just as drawn."""
    table = table_with_padding(X)
    targets = torch.from_numpy(np.asarray(y)).float()
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    order = np.random.default_rng(0).permutation(len(X))
    if alike:
        order = order[np.argsort(X.lengths[order], kind="stable")]
    loss = nn.functional.binary_cross_entropy_with_logits
    for documents in batches(order, size):
        optimizer.zero_grad(set_to_none=True)
        ids = padded(X, documents, len(table) - 1)
        loss(net(table[ids]), targets[documents]).backward()
        optimizer.step()


def predictor(net: nn.Module, X: SequenceArray, size: int = 128) -> Callable[[], Any]:
    """Labels of all documents, in batches of like length."""
    table = table_with_padding(X)
    net.eval()

    @torch.inference_mode()
    def predict() -> NDArray[np.bool_]:
        labels = np.empty(len(X), bool)
        for documents in batches(np.argsort(X.lengths, kind="stable"), size):
            ids = padded(X, documents, len(table) - 1)
            labels[documents] = (net(table[ids]) > 0).numpy()
        return labels

    return predict


def tfidf_classifier(n_words: int, **options: Any) -> Pipeline:
    """Logistic regression on TF-IDF of runs of up to so many words."""
    vectorizer = TfidfVectorizer(ngram_range=(1, n_words), **options)
    return make_pipeline(vectorizer, LogisticRegression(max_iter=1000))


def fasttext_classifier(texts: list[str], labels: NDArray, n_words: int) -> Any:
    """A fastText model, 100-d, on runs of up to so many words.

    It predicts a list at once: its method for a single text fails with numpy 2 in the
    older wheels. A table smaller than its default (800 MB) serves its speed.
    """
    import fasttext

    lines = [
        f"__label__{label} {' '.join(text.split())}\n"
        for text, label in zip(texts, labels, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        path.write_text("".join(lines), encoding="utf-8")
        params = {"dim": 100, "wordNgrams": n_words, "bucket": 200_000, "thread": 1}
        # On few texts it stops at random, over a loss that it read before setting it.
        for _ in range(30):
            with suppress(RuntimeError):
                return fasttext.train_supervised(str(path), verbose=0, **params)
    raise RuntimeError("fastText failed in each of 30 attempts at a fit")


def fasttext_predictor(model: Any, texts: list[str]) -> Callable[[], Any]:
    return lambda: model.predict([text.replace("\n", " ") for text in texts])
