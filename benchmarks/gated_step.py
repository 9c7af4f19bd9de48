"""Training steps and predictions of LSTMs and GRUs, against torch's own.

    python -m benchmarks.gated_step

float32, one thread, 300-d vectors, batches of 64 documents of 128 tokens. Words are
drawn evenly from 3,700, so that .4 words a token are distinct: a text of English, with
.2, is easier. All gates of the dense networks are learned; the compact one is what
sparsification leaves, 30 learned gates in 20 units. Contestants start from token
numbers, and read the state after the last token. The floor is what no dense network can
do without: distinct words, their vectors and all matrix products, token by token. They
take turns within each round; a ratio is the median over the rounds of a contestant's
time divided by ours in the same round. Predictions are from the second call on, when
the table of the words is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import _floors
from benchmarks import _harness as harness
from benchmarks import _peers as peers
from benchmarks.training_step import trained
from skrational import SequenceArray
from skrational.cells.batches import Corpus
from skrational.kernels import gated
from skrational.kernels.cpu.scorer import Scorer
from skrational.kernels.gated.prediction import PackedGRU, PackedLSTM
from skrational.utils.buffers import recycling

N_DOCUMENTS, N_TOKENS, N_FEATURES, N_WORDS = 64, 128, 300, 3700
N_GATES = {"LSTM": 4, "GRU": 3}
STATES = {"LSTM": gated.lstm_states, "GRU": gated.gru_states}
PACKED = {"LSTM": PackedLSTM, "GRU": PackedGRU}
COMPACT = 20, 30
"""Units and learned gates of the compact network."""

Call = Callable[[], Any]


def make_documents(n_documents: int, seed: int = 0) -> SequenceArray:
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, N_WORDS, n_documents * N_TOKENS)
    vectors = harness.word_vectors(N_WORDS, N_FEATURES, rng)
    return SequenceArray(vectors, np.arange(0, len(ids) + 1, N_TOKENS), ids)


class Gated(nn.Module):
    """A linear head on the last state of a gated cell with some learned gates."""

    def __init__(self, kind: str, n_units: int, n_learned: int | None = None) -> None:
        super().__init__()
        self.kind = kind
        n_gates = N_GATES[kind] * n_units
        n_learned = n_learned or n_gates
        rng = np.random.default_rng(0)
        self.learned = np.zeros((N_GATES[kind], n_units), dtype=bool)
        self.learned.flat[rng.choice(n_gates, n_learned, replace=False)] = True
        shapes = (n_learned, N_FEATURES), (n_learned, n_units), (4, n_units)
        weights = (torch.from_numpy(rng.uniform(-0.1, 0.1, shape)) for shape in shapes)
        self.weights = nn.ParameterList(weight.float() for weight in weights)
        self.head = nn.Linear(n_units, 1)

    def forward(self, batch: Any) -> Tensor:
        """One logit a document."""
        states = STATES[self.kind](
            batch.x, *self.weights, batch.ids, batch.offsets, self.learned
        )
        return self.head(states[torch.from_numpy(batch.offsets[1:] - 1)])[:, 0]

    def scorer(self) -> Scorer:
        """What predicts with the weights."""
        arrays = (weight.detach().numpy() for weight in self.weights)
        inputs = np.arange(N_FEATURES)
        packed = PACKED[self.kind].of(
            *arrays, self.learned, inputs, N_FEATURES, False, 0.0
        )
        return Scorer({}, None, packed)


def steps(X: SequenceArray, kind: str, n_units: int) -> dict[str, Call]:
    """A step of the dense network, of the compact one and torch's; and the floor."""
    corpus = Corpus(X, torch.float32, torch.device("cpu"))
    targets = torch.from_numpy(harness.alternating(len(X))).float()
    documents = np.arange(len(X))
    vectors = torch.from_numpy(np.array(X.features))
    ids = torch.from_numpy(X.row_numbers().astype(np.int64)).view(len(X), -1)

    def ours(net: Gated) -> Call:
        return trained(lambda: net(corpus.batch(documents)), net, targets)

    name = f"nn.{kind}({n_units})"
    other = peers.network(name, X.n_features)
    return {
        harness.OURS: ours(Gated(kind, n_units)),
        "compact": ours(Gated(kind, *COMPACT)),
        _floors.NAME: _floors.recurrence(X, n_units, N_GATES[kind] * n_units),
        name: trained(lambda: other(vectors[ids]), other, targets),
    }


def predictions(X: SequenceArray, kind: str, n_units: int) -> dict[str, Call]:
    name = f"nn.{kind}({n_units})"
    nets = {harness.OURS: Gated(kind, n_units), "compact": Gated(kind, *COMPACT)}
    ours = {key: partial(net.scorer().scores, X) for key, net in nets.items()}
    return {**ours, name: peers.predictor(peers.network(name, X.n_features), X)}


def section(title: str, contestants: dict[str, Call], options: Any) -> None:
    """Time them, and print how they compare with the compact network, too."""
    with recycling():  # as in a fit
        times = harness.race(contestants, harness.rounds_of(options, full=15))
    harness.print_heading(title)
    harness.print_race(times, options)
    *_, name = contestants
    share = harness.ratio(times[name], times["compact"])
    print(f"\n{name} / compact: {harness.digits(share)}", flush=True)
    _floors.print_share(times)


def run(options: Any) -> None:
    torch.set_flush_denormal(True)
    X = make_documents(8 if options.quick else N_DOCUMENTS)
    many = make_documents(16 if options.quick else 8 * N_DOCUMENTS, seed=1)
    for kind in N_GATES:
        for n_units in (100, 24):
            title = f"{kind}, {n_units} units"
            section(f"A step, {title}", steps(X, kind, n_units), options)
            section(f"Prediction, {title}", predictions(many, kind, n_units), options)


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
