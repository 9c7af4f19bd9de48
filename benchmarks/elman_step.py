"""Training steps and predictions of Elman networks, against torch's own.

    python -m benchmarks.elman_step

float32, one thread, 300-d vectors, batches of 64 documents of 128 tokens. Words follow
Zipf's law, as in a text of English: .2 words a token are distinct; or they are drawn
evenly from 3,700: .4; or each token has a vector of its own. Contestants start from
token numbers, and read the state after the last token. The floor is what no network can
do without: distinct words, their vectors and all matrix products, token by token. They
take turns within each round; a ratio is the median over the rounds of a contestant's
time divided by ours in the same round. Predictions are from the second call on, when
the table of the words is there. The last tables compare the sparse pass with the dense
one over the recurrence alone, on documents of unequal length.
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
from skrational.cells.elman import ElmanCell
from skrational.kernels.cpu.scorer import Scorer
from skrational.kernels.elman.prediction import PackedElman
from skrational.structures.gated import StateReadout
from skrational.utils.buffers import recycling

N_DOCUMENTS, N_TOKENS, N_FEATURES, N_UNITS, N_WORDS = 64, 128, 300, 128, 3700
TEXT, EVEN, DISTINCT = "words of a text", "words drawn evenly", "distinct vectors"
ACTIVATIONS = ("tanh", "relu")
SIZES, DENSITIES = (64, 128, 256, 512), (0.5, 0.2, 0.1, 0.02)

Call = Callable[[], Any]


def make_documents(kind: str, n_documents: int, seed: int = 0) -> SequenceArray:
    rng = np.random.default_rng(seed)
    n_tokens = n_documents * N_TOKENS
    ids = {
        TEXT: lambda: harness.zipf_ids(n_tokens, harness.VOCABULARY, rng),
        EVEN: lambda: rng.integers(0, N_WORDS, n_tokens),
        DISTINCT: lambda: np.arange(n_tokens),
    }[kind]()
    vectors = harness.word_vectors(ids.max() + 1, N_FEATURES, rng)
    return SequenceArray(vectors, np.arange(0, n_tokens + 1, N_TOKENS), ids)


def make_cell(activation: str) -> ElmanCell:
    reading = StateReadout("last", 0.0)
    cell = ElmanCell(N_FEATURES, N_UNITS, 1, reading, activation, True, torch.float32)
    return cell.initialize(torch.Generator().manual_seed(0))


class Peer(nn.Module):
    """A linear head on the last state of torch's own network."""

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.layer = nn.RNN(
            N_FEATURES, N_UNITS, batch_first=True, nonlinearity=activation
        )
        self.head = nn.Linear(N_UNITS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One logit a document."""
        return self.head(self.layer(x)[0][:, -1])[:, 0]


def steps(X: SequenceArray, activation: str) -> dict[str, Call]:
    """A step of ours, its floor, and a step of torch's network."""
    corpus = Corpus(X, torch.float32, torch.device("cpu"))
    targets = torch.from_numpy(harness.alternating(len(X))).float()
    documents = np.arange(len(X))
    vectors = torch.from_numpy(np.array(X.features))
    ids = torch.from_numpy(X.row_numbers().astype(np.int64)).view(len(X), -1)
    ours, other = make_cell(activation), Peer(activation)
    return {
        harness.OURS: trained(
            lambda: ours(corpus.batch(documents))[:, 0], ours, targets
        ),
        _floors.NAME: _floors.recurrence(X, N_UNITS, N_UNITS),
        "nn.RNN": trained(lambda: other(vectors[ids]), other, targets),
    }


def predictions(X: SequenceArray, activation: str) -> dict[str, Call]:
    """Predictions of ours, dense and with .1 and .02 of W_hh, and of torch's."""
    contestants: dict[str, Call] = {}
    rng = np.random.default_rng(0)
    for density in (1.0, 0.1, 0.02):
        cell = make_cell(activation)
        with torch.no_grad():
            cell.W_hh.copy_(torch.from_numpy(recurrent(N_UNITS, density, rng)))
        name = harness.OURS if density == 1.0 else f"{density:g} of W_hh"
        contestants[name] = partial(Scorer({}, None, cell.packed()).scores, X)
    return {**contestants, "nn.RNN": peers.predictor(Peer(activation), X)}


def recurrent(n_units: int, density: float, rng: np.random.Generator) -> Any:
    """Draw recurrent weights of which a share isn't 0."""
    shape = n_units, n_units
    kept = rng.random(shape) < density
    scale = np.float32((n_units * density) ** -0.5)
    return scale * (kept * rng.normal(size=shape)).astype(np.float32)


def sparse_and_dense(
    n_units: int, activation: str, density: float, n_documents: int
) -> dict[str, Call]:
    """The recurrence by the dense and by the sparse pass, on ragged documents."""
    rng = np.random.default_rng(0)
    offsets = np.cumsum([0, *rng.geometric(1 / 20, n_documents)])
    ids = rng.integers(0, 500, offsets[-1]).astype(np.int32)
    W_ih = rng.normal(size=(n_units, 8)).astype(np.float32)
    W_hh, b = recurrent(n_units, density, rng), np.zeros(n_units, np.float32)
    features = rng.normal(size=(500, 8)).astype(np.float32)
    calls: dict[str, Call] = {}
    for name, sparse in (("dense", False), ("sparse", True)):
        packed = PackedElman.of(W_ih, W_hh, b, activation, "last", 0.0, sparse=sparse)
        table = np.empty((500, packed.width), np.float32)
        packed.project(features, np.arange(500), table)
        calls[name] = partial(packed.states, table, ids, offsets)
    return calls


def section(title: str, contestants: dict[str, Call], options: Any) -> None:
    with recycling():  # as in a fit
        times = harness.race(contestants, harness.rounds_of(options, full=15))
    harness.print_heading(title)
    harness.print_race(times, options)
    _floors.print_share(times)


def print_sparse(options: Any) -> None:
    """Print how many times as fast the sparse pass is, by size and density."""
    rounds = harness.rounds_of(options, full=7)
    for n_documents in (1, 8 if options.quick else 128):
        rows = []
        for activation in ACTIVATIONS:
            for n_units in SIZES[:1] if options.quick else SIZES:
                cells = [f"{activation}, {n_units} units"]
                for density in DENSITIES:
                    calls = sparse_and_dense(n_units, activation, density, n_documents)
                    times = harness.race(calls, rounds)
                    ratio = harness.ratio(times["dense"], times["sparse"])
                    cells.append(harness.digits(ratio))
                rows.append(cells)
        title = f"Time of the dense pass divided by the sparse one's, {n_documents} "
        harness.print_heading(title + ("document" if n_documents == 1 else "documents"))
        harness.print_table(["", *(f"{d:g} of W_hh" for d in DENSITIES)], rows)
    print("\nPackedElman takes the sparse pass up to .1 of W_hh.", flush=True)


def run(options: Any) -> None:
    torch.set_flush_denormal(True)
    n_documents = 8 if options.quick else N_DOCUMENTS
    documents = {
        kind: make_documents(kind, n_documents) for kind in (TEXT, EVEN, DISTINCT)
    }
    many = make_documents(TEXT, 2 * n_documents, seed=1)
    for activation in ACTIVATIONS:
        for kind, X in documents.items():
            title = f"A step, {activation}, {kind}"
            section(title, steps(X, activation), options)
        section(f"Prediction, {activation}", predictions(many, activation), options)
    print_sparse(options)


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
