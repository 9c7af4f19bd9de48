"""What stands beside the automata in figure3, fitted from the same run's data."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from benchmarks import _peers as peers
from benchmarks._features import Features, Texts
from skrational import SequenceArray

Result = dict[str, Any]
BATCH_SIZE, DROPOUT = 64, 0.4


def tfidf(texts: Texts) -> Result:
    """Words and pairs of words; the strength of the penalty is chosen on dev."""
    vectorizer = TfidfVectorizer(
        tokenizer=str.split,
        token_pattern=None,
        ngram_range=(1, 2),
        min_df=2,
        sublinear_tf=True,
    )
    X = {"train": vectorizer.fit_transform(texts["train"][0])}
    X |= {split: vectorizer.transform(texts[split][0]) for split in ("dev", "test")}
    models = {C: LogisticRegression(C=C, max_iter=2000) for C in (1, 10, 100)}
    return _best_linear(models, X, {split: y for split, (_, y) in texts.items()})


def mean_vectors(features: Features) -> Result:
    """Logistic regression on the mean vector of each document."""
    X = {split: _means(sequences) for split, (sequences, _) in features.items()}
    models = {
        C: make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=2000))
        for C in (1e-3, 1e-2, 1e-1, 1)
    }
    return _best_linear(models, X, {split: y for split, (_, y) in features.items()})


def lstm(
    features: Features,
    size: int,
    epochs: int,
    rates: tuple[float, ...],
    n_tokens: int,
    seed: int,
) -> Result:
    """The best epoch of the best learning rate, on dev, of torch's LSTM.

    Its states are averaged over the last tokens of a document: to read the last state
    alone was worse.
    """
    cut = {s: (_last_tokens(X, n_tokens), y) for s, (X, y) in features.items()}
    trained = [_train(cut, size, epochs, rate, seed) for rate in rates]
    best = max(trained, key=lambda result: result["dev"])
    net = best.pop("net")
    return best | {
        "test": _accuracy(net, *cut["test"]),
        "n_parameters": sum(weights.numel() for weights in net.parameters()),
    }


def _best_linear(
    models: dict[float, Any], X: dict[str, Any], y: dict[str, NDArray]
) -> Result:
    for model in models.values():
        model.fit(X["train"], y["train"])
    dev = {C: model.score(X["dev"], y["dev"]) for C, model in models.items()}
    C = max(dev, key=dev.__getitem__)
    return {
        "dev": dev[C],
        "test": models[C].score(X["test"], y["test"]),
        "n_parameters": X["train"].shape[1] + 1,
        "hyper_parameters": {"C": C},
    }


def _means(X: SequenceArray) -> NDArray[np.float32]:
    weights = np.repeat(1 / np.maximum(X.lengths, 1), X.lengths).astype(np.float32)
    shape = len(X), len(X.features)
    return csr_matrix((weights, X.row_numbers(), X.offsets), shape) @ X.features


def _last_tokens(X: SequenceArray, n: int) -> SequenceArray:
    kept = X.offsets[1:].repeat(X.lengths) - np.arange(X.n_tokens) <= n
    offsets = np.concatenate([[0], np.minimum(X.lengths, n).cumsum()])
    return SequenceArray(X.features, offsets, X.indices[kept])


class _Averaged(nn.Module):
    def __init__(self, n_features: int, size: int) -> None:
        super().__init__()
        self.layer = nn.LSTM(n_features, size, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(size, 1)
        # Unit vectors give its gates next to nothing to start from.
        self.scale = n_features**0.5 / 2

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.layer(self.scale * x)
        return self.head(self.dropout(states.mean(dim=1)))[:, 0]


def _train(
    features: Features, size: int, epochs: int, rate: float, seed: int
) -> Result:
    """The weights after the epoch of the best dev accuracy."""
    X, y = features["train"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _Averaged(X.n_features, size)
        optimizer = torch.optim.Adam(net.parameters(), lr=rate)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
        table, rng = peers.table_with_padding(X), np.random.default_rng(seed)
        best: Result = {"dev": -1.0}
        for epoch in range(1, epochs + 1):
            _train_epoch(net, optimizer, table, X, torch.from_numpy(y).float(), rng)
            decay.step()
            dev = _accuracy(net, *features["dev"])
            if dev > best["dev"]:
                weights = {k: v.clone() for k, v in net.state_dict().items()}
                chosen = {"size": size, "learning_rate": rate, "epochs": epoch}
                best = {"dev": dev, "hyper_parameters": chosen}
    net.load_state_dict(weights)
    return best | {"net": net}


def _train_epoch(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    table: Tensor,
    X: SequenceArray,
    targets: Tensor,
    rng: np.random.Generator,
) -> None:
    """Batches of documents of like length, in an order drawn anew."""
    net.train()
    order = rng.permutation(len(X))
    order = order[np.argsort(X.lengths[order], kind="stable")]
    batches = list(peers.batches(order, BATCH_SIZE))
    for i in rng.permutation(len(batches)):
        optimizer.zero_grad(set_to_none=True)
        words = table[peers.padded(X, batches[i], len(table) - 1)]
        loss = nn.functional.binary_cross_entropy_with_logits
        loss(net(words), targets[batches[i]]).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1)
        optimizer.step()


def _accuracy(net: nn.Module, X: SequenceArray, y: NDArray) -> float:
    return float(np.mean(peers.predictor(net, X)() == y))
