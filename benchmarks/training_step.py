"""One training step, forward and backward, against loops written in torch.

    python -m benchmarks.training_step [--rounds 15] [--keep-denormals]

24 WFSAs of 4 states on a batch of 64 documents of 128 tokens, 300 features, one thread.
The contestants take turns within each round; a ratio is the median over the rounds of
the loop's time divided by ours in the same round. All start from token numbers, so the
loops include the gathering of word vectors. Denormal numbers are flushed to zero for
everybody, unless they are kept: on some processors the loops are slower with them by
far.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from skrational.cells.rational import RationalCell, Reading
from skrational.kernels.batches import Corpus
from skrational.sequences import SequenceArray

N_DOCUMENTS, N_TOKENS, N_FEATURES, N_WFSAS, N_STATES = 64, 128, 300, 24, 4
ZIPF_EXPONENT = 1.2
VOCABULARY = 20_000


def make_documents(seed: int) -> SequenceArray:
    """Documents whose words follow Zipf's law."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, VOCABULARY + 1) ** ZIPF_EXPONENT
    n_tokens = N_DOCUMENTS * N_TOKENS
    ids = rng.choice(VOCABULARY, n_tokens, p=frequency / frequency.sum())
    vectors = rng.standard_normal((VOCABULARY, N_FEATURES), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return SequenceArray(vectors, np.arange(0, n_tokens + 1, N_TOKENS), ids)


def transition_weights(cell: RationalCell, x: Tensor) -> tuple[Tensor, Tensor]:
    """F and u of every token, (B, T, d, K)."""
    shape = (*x.shape[:2], N_WFSAS, N_STATES)
    f = torch.sigmoid(x @ cell.W_f.T + cell.b_f)
    u = (1 - f) * (x @ cell.W_u.T)
    return f.view(shape), u.view(shape)


def per_state_loop(cell: RationalCell, x: Tensor) -> Tensor:
    """Scores by a loop over steps and states that indexes f and u."""
    f, u = transition_weights(cell, x)
    states = [x.new_zeros(len(x), N_WFSAS) for _ in range(N_STATES)]
    for t in range(x.shape[1]):
        before = [torch.ones_like(states[0]), *states[:-1]]
        states = [
            f[:, t, :, k] * states[k] + u[:, t, :, k] * before[k]
            for k in range(N_STATES)
        ]
    return torch.stack(states, dim=-1).sum(dim=-1)


def fused_loop(cell: RationalCell, x: Tensor) -> Tensor:
    """Scores by a loop over steps in which all states go together."""
    f, u = transition_weights(cell, x)
    c = x.new_zeros(len(x), N_WFSAS, N_STATES)
    start = x.new_ones(len(x), N_WFSAS, 1)
    for f_t, u_t in zip(f.unbind(1), u.unbind(1), strict=True):
        c = torch.addcmul(f_t * c, u_t, torch.cat([start, c[..., :-1]], dim=-1))
    return c.sum(dim=-1)


def contestants(X: SequenceArray) -> dict[str, Callable[[], None]]:
    """Name each way to take a step."""
    reading = Reading(match="end")
    cell = RationalCell(N_FEATURES, (N_STATES,) * N_WFSAS, 1, reading)
    cell.initialize(torch.Generator().manual_seed(0))
    corpus = Corpus(X, torch.float32, torch.device("cpu"))
    targets = (torch.arange(N_DOCUMENTS) % 2).float()
    ids = torch.from_numpy(X.indices.astype(np.int64)).view(N_DOCUMENTS, N_TOKENS)
    vectors = torch.from_numpy(X.features.copy())
    loss = torch.nn.functional.binary_cross_entropy_with_logits

    def step(scores: Callable[[], Tensor]) -> Callable[[], None]:
        def run() -> None:
            cell.zero_grad(set_to_none=True)
            loss(cell.classify(scores())[:, 0], targets).backward()

        return run

    return {
        "skrational": step(lambda: cell.scores(corpus.batch(np.arange(N_DOCUMENTS)))),
        "fused loop": step(lambda: fused_loop(cell, vectors[ids])),
        "per-state loop": step(lambda: per_state_loop(cell, vectors[ids])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep-denormals", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(not args.keep_denormals)
    X = make_documents(seed=0)
    distinct = len(np.unique(X.indices)) / X.n_tokens
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}")
    print(f"{X.n_tokens} tokens, distinct words / tokens = {distinct:.2f}")
    steps = contestants(X)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(args.rounds + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if round_:
                times[name].append(time.perf_counter() - began)
    ours = np.array(times["skrational"])
    for name, seconds in times.items():
        ratio = np.median(np.array(seconds) / ours)
        print(f"{name:>15}: {1e3 * np.median(seconds):7.1f} ms, {ratio:5.1f} x ours")


if __name__ == "__main__":
    main()
