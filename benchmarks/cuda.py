"""Steps and fits on CUDA: beside cuDNN's LSTM, the memory's bandwidth, and the CPU.

    python -m benchmarks.cuda [--rounds 15]

A step is the loss of a batch and its gradients, of automata of 4 states with a readout:
float32, documents of 128 tokens, 300 features. Type-level documents hold each word
vector once, and the LSTMs, which have a readout, too, gather them as part of their
pass; token-level documents have a vector for each token. All launches of a contestant
are recorded as one CUDA graph, so that what is timed is the device. The bandwidth's row
is a copy within the device of as many bytes as our step cannot avoid to read and write,
with its buffers in memory already.

Gated cells run by cuDNN, too: a dense LSTM of 100 units is compared with ``nn.LSTM``
and with the loop that defines it, 256 documents of 512 tokens.

Fits are whole ones, of documents whose class is linear in their mean vector: seconds on
the CPU, with one thread, and on the device, and how far the losses of their epochs are
apart.

Contestants take turns within each round, in an order drawn anew; CUDA events time
them. A ratio is the median over the rounds of a contestant's time divided by ours in
the same round.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks import _harness as harness
from skrational import SparseRationalClassifier
from skrational.kernels import reference
from skrational.kernels.cuda.recording import Recording
from skrational.kernels.gated import cudnn
from skrational.kernels.gated import reference as gated_reference
from skrational.training.losses import BatchLoss, LogLoss
from skrational.utils.devices import has_triton

N_FEATURES, N_STATES, N_TOKENS = 300, 4, 128
LSTM_SIZES = 24, 100
LEVELS, PASSES = ("type-level", "token-level"), ("forward", "forward + backward")
STEPS = (
    *(("type-level", 24, n) for n in (64, 256, 1024, 4096)),
    *(("token-level", 24, n) for n in (64, 1024)),
    *(("type-level", 256, n) for n in (64, 1024)),
)
"""Level, automata, documents."""
REPLAYS = 10
"""Of a recording in a row: the next one is launched while one runs."""
OF_GATED = 256, 512
FITS = (24, 4), (256, 4)
"""Automata and their states."""
N_FITTED, LARGEST_GAP = 3000, 1e-4

Call = Callable[[], Any]


class Problem(NamedTuple):
    """The arguments of a kernel."""

    x: Tensor
    W_u: Tensor
    W_f: Tensor
    b_f: Tensor
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    lengths: tuple[int, ...]


def draw_problem(
    level: str, n_wfsas: int, sizes: list[int], dtype: torch.dtype = torch.float32
) -> Problem:
    rng = np.random.default_rng(0)
    offsets = np.cumsum([0, *sizes])
    ids = np.arange(offsets[-1])
    if level == "type-level":
        words = harness.zipf_ids(offsets[-1], harness.VOCABULARY, rng)
        ids = np.unique(words, return_inverse=True)[1]
    lengths = (N_STATES,) * n_wfsas
    vectors = harness.word_vectors(ids.max() + 1, N_FEATURES, rng)
    weights = (
        torch.from_numpy(rng.normal(size=shape)).to("cuda", dtype).requires_grad_()
        for shape in (2 * ((sum(lengths), N_FEATURES),) + ((sum(lengths),),))
    )
    x = torch.from_numpy(vectors).to("cuda", dtype)
    return Problem(x, *weights, ids.astype(np.int32), offsets, lengths)


def results(kernel: Any, problem: Problem) -> list[Tensor]:
    """Scores and gradients of the weights."""
    scores = kernel.state_scores(*problem)
    return [scores, *torch.autograd.grad(scores.sum(), problem[1:4])]


def check(kernel: Any) -> None:
    """Compare the kernel with the reference before anything is timed."""
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        for level in LEVELS:
            problem = draw_problem(level, 40, [0, 90, 1, 0, 200], dtype)
            exact = Problem(*(p.double() for p in problem[:4]), *problem[4:])
            pairs = zip(
                results(kernel, problem), results(reference, exact), strict=True
            )
            worst = max(
                float((mine - theirs).abs().max() / theirs.abs().max())
                for mine, theirs in pairs
            )
            print(f"{level}, {dtype}: at most {worst:.1e} from the reference")
            if worst > tolerance:
                raise SystemExit("The kernel is wrong: nothing is timed.")


def passes(scores: Callable[[], Tensor], weights: Any) -> list[Call]:
    """A forward pass without gradients, and one with them and its backward pass."""
    weights = list(weights)

    def forward() -> None:
        with torch.no_grad():
            scores()

    def both() -> None:
        torch.autograd.grad(scores().sum(), weights)

    return [forward, both]


def lstm_scores(
    size: int, problem: Problem, shape: tuple[int, int]
) -> tuple[Callable[[], Tensor], nn.LSTM]:
    """What computes last states, (1, B, size), of documents of one length, and of it.

    Parameters
    ----------
    size : int
    problem : Problem
    shape : tuple of int
        Documents, and tokens of each.
    """
    lstm = nn.LSTM(N_FEATURES, size, batch_first=True).to("cuda")
    if len(problem.x) == len(problem.ids):
        x = problem.x.view(*shape, N_FEATURES)
        return lambda: lstm(x)[1][0], lstm
    ids = torch.from_numpy(problem.ids).to("cuda").view(shape)
    return lambda: lstm(problem.x[ids])[1][0], lstm


def unavoidable_bytes(problem: Problem) -> int:
    """What a forward pass and its backward pass must read and write.

    The projection reads x and writes the gates, two numbers a state; the recurrence
    reads them, and writes every c. The backward reads both, and writes the gradient of
    the gates, which is multiplied by x. Scores and weights are left out, and so is that
    tokens read gates of rows that they share.
    """
    n_states = sum(problem.lengths)
    x = problem.x.nbytes
    gates = problem.x.element_size() * len(problem.x) * 2 * n_states
    c = problem.x.element_size() * len(problem.ids) * n_states
    return (x + 2 * gates + c) + (c + 2 * gates) + (gates + x)


def copy(n_bytes: int) -> Call:
    """Copy, which reads and writes ``n_bytes`` together."""
    source, target = torch.empty(2, n_bytes // 2, dtype=torch.uint8, device="cuda")
    return lambda: target.copy_(source)


def our_step(problem: Problem, loss: BatchLoss) -> Recording[Tensor]:
    """A step of the automata of a problem, with a readout."""
    from skrational.kernels.cuda.step import Learner

    d = len(problem.lengths)
    A, a = (torch.randn(*shape, device="cuda") for shape in ((1, d), (1,)))
    weights = *problem[1:4], A, a
    sums = [torch.zeros_like(weight) for weight in weights]
    learner = Learner(weights, sums, problem.lengths, anywhere=True)
    reader = torch.eye(d, device="cuda").repeat_interleave(N_STATES, dim=0)
    ones = torch.ones(len(loss.weights), d)
    arrays = problem.x, problem.ids, problem.offsets
    return learner.prepare(*arrays, reader, ones, loss)


def lstm_step(size: int, problem: Problem, loss: BatchLoss) -> Recording[Any]:
    scores, lstm = lstm_scores(size, problem, (len(loss.weights), N_TOKENS))
    readout = nn.Linear(size, 1).to("cuda")
    weights = [*lstm.parameters(), *readout.parameters()]

    def step() -> Any:
        return torch.autograd.grad(loss(readout(scores()[0])), weights)

    return Recording(step, problem.x.device)


def contestants(problem: Problem) -> dict[str, Call]:
    n = len(problem.offsets) - 1
    targets = torch.from_numpy(harness.alternating(n)).to("cuda")
    loss = BatchLoss(LogLoss(), targets, torch.ones(n, device="cuda"))
    calls: dict[str, Call] = {harness.OURS: our_step(problem, loss)}
    for size in LSTM_SIZES:
        calls[f"cuDNN LSTM, {size} units"] = lstm_step(size, problem, loss)
    calls["copy of as many bytes"] = copy(unavoidable_bytes(problem))
    # Run first, then recorded.
    for call in 2 * list(calls.values()):
        call()
    return calls


def gated_contestants(problem: Problem) -> dict[str, list[Call]]:
    """A dense LSTM of the largest size: ours, which is cuDNN's, theirs, the loop."""
    size = max(LSTM_SIZES)
    scores, lstm = lstm_scores(size, problem, OF_GATED)
    weights = [lstm.weight_ih_l0, lstm.weight_hh_l0]
    varies = np.ones((4, size), bool)
    b = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().view(4, size)

    def states(module: Any) -> Callable[[], Tensor]:
        return lambda: module.lstm_states(
            problem.x, *weights, b, problem.ids, problem.offsets, varies
        )

    return {
        harness.OURS: passes(states(cudnn), weights),
        f"cuDNN LSTM, {size} units": passes(scores, weights),
        "loop in torch": passes(states(gated_reference), weights),
    }


def milliseconds(call: Call, repeats: int = 1) -> float:
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record()
    for _ in range(repeats):
        call()
    ended.record()
    ended.synchronize()
    return began.elapsed_time(ended) / repeats


def race(
    calls: dict[str, Call], rounds: int, repeats: int = 1
) -> dict[str, list[float]]:
    """Milliseconds of every contestant in every round; a first one isn't counted."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    names, order = list(calls), random.Random(0)
    for round_ in range(rounds + 1):
        order.shuffle(names)
        for name in names:
            elapsed = milliseconds(calls[name], repeats)
            if round_:
                times[name].append(elapsed)
    return times


def print_times(times: dict[str, list[float]]) -> None:
    rows = []
    for name, of_name in times.items():
        pairs = zip(of_name, times[harness.OURS], strict=True)
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        rows.append((name, f"{statistics.median(of_name):.3f}", harness.digits(ratio)))
    harness.print_table(("", "ms", f"x {harness.OURS}"), rows)


def print_fits() -> None:
    """Fit on both devices, and compare what they took and what they reached."""
    X = harness.make_documents(N_FITTED, N_TOKENS)
    means = np.stack([X[i].mean(axis=0) for i in range(len(X))])
    direction = np.random.default_rng(1).normal(size=means.shape[1])
    y = means @ direction > np.median(means @ direction)
    rows, largest = [], 0.0
    for n_wfsas, n_states in FITS:
        seconds, losses = {}, {}
        for device in ("cuda", "cpu"):
            clf = SparseRationalClassifier(
                n_wfsas=n_wfsas,
                n_states=n_states,
                warmup_epochs=2,
                max_epochs=3,
                finetune_epochs=3,
                device=device,
                random_state=0,
            )
            clf.fit(X[:200], y[:200])  # compiles
            began = time.perf_counter()
            clf.fit(X, y)
            seconds[device] = time.perf_counter() - began
            losses[device] = np.array([row["loss"] for row in clf.history_])
        n = min(map(len, losses.values()))
        gap = float(np.abs(losses["cuda"][:n] - losses["cpu"][:n]).max())
        largest = max(largest, gap)
        ratio = harness.digits(seconds["cpu"] / seconds["cuda"])
        times = (f"{seconds[device]:.2f}" for device in ("cuda", "cpu"))
        rows.append(
            (f"{n_wfsas} WFSAs of {n_states} states", *times, ratio, f"{gap:.0e}")
        )
    head = "", "CUDA s", "CPU s", "ratio", "largest gap of losses"
    harness.print_table(head, rows)
    print(f"gaps of more than {LARGEST_GAP}: {largest > LARGEST_GAP}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    if not (torch.cuda.is_available() and has_triton()):
        print("No CUDA device, or no Triton: nothing is measured.")
        return
    import triton

    from skrational.kernels.cuda import operation

    print(
        f"{torch.cuda.get_device_name()}; torch {torch.__version__}, triton "
        f"{triton.__version__}; float32 matrix products: "
        f"{torch.get_float32_matmul_precision()}"
    )
    check(operation)
    for level, n_wfsas, n in STEPS:
        problem = draw_problem(level, n_wfsas, [N_TOKENS] * n)
        harness.print_heading(f"{n_wfsas} WFSAs, {level}, {n} documents, a step")
        print_times(race(contestants(problem), rounds, REPLAYS))
    harness.print_heading(f"fits of {N_FITTED} documents of {N_TOKENS} tokens")
    print_fits()
    gated = gated_contestants(
        draw_problem("type-level", 1, [OF_GATED[1]] * OF_GATED[0])
    )
    for i, name in enumerate(PASSES):
        harness.print_heading(f"dense LSTM, type-level, {name}")
        print_times(race({k: v[i] for k, v in gated.items()}, rounds))


if __name__ == "__main__":
    main()
