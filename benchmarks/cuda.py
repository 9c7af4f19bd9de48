"""The CUDA kernel against cuDNN's LSTM, a loop in torch, and the memory's bandwidth.

    python -m benchmarks.cuda [--rounds 15]

24 and 256 WFSAs of 4 states, float32, 256 documents of 512 tokens, 300 features.
Type-level documents hold each word vector once, and the LSTMs gather them as part of
their pass; token-level documents have a vector for each token. Gradients are those of
the weights. The bandwidth's row is a copy within the device of as many bytes as our
pass cannot avoid to read and write, with its buffers in memory already.

Gated cells run by cuDNN, too: a dense LSTM of 100 units is compared with ``nn.LSTM``
and with the loop that defines it, on the same documents.

Contestants take turns within each round, in an order drawn anew; CUDA events time
them. A ratio is the median over the rounds of a contestant's time divided by ours in
the same round.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks import _harness as harness
from skrational.kernels import reference
from skrational.kernels.gated import cudnn
from skrational.kernels.gated import reference as gated_reference
from skrational.utils.devices import has_triton

N_DOCUMENTS, N_TOKENS, N_FEATURES, N_STATES = 256, 512, 300, 4
N_WFSAS, LSTM_SIZES = (24, 256), (24, 100)
LEVELS, PASSES = ("type-level", "token-level"), ("forward", "forward + backward")

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


def lstm_scores(size: int, problem: Problem) -> tuple[Callable[[], Tensor], nn.LSTM]:
    lstm = nn.LSTM(N_FEATURES, size, batch_first=True).to("cuda")
    shape = N_DOCUMENTS, N_TOKENS
    if len(problem.x) == len(problem.ids):
        x = problem.x.view(*shape, N_FEATURES)
        return lambda: lstm(x)[1][0], lstm
    ids = torch.from_numpy(problem.ids).to("cuda").view(shape)
    return lambda: lstm(problem.x[ids])[1][0], lstm


def unavoidable_bytes(problem: Problem) -> tuple[int, int]:
    """What a forward pass, and one with its backward pass, must read and write.

    The projection reads x and writes z, two numbers a state; the recurrence reads z
    and, for the backward, writes every c. The backward reads c and z and writes the
    gradient of z, which is multiplied by x. Scores and weights are left out.
    """
    n_states = sum(problem.lengths)
    x = problem.x.nbytes
    z = problem.x.element_size() * len(problem.x) * 2 * n_states
    c = problem.x.element_size() * len(problem.ids) * n_states
    return x + 2 * z, (x + 2 * z + c) + (c + 2 * z) + (z + x)


def copy(n_bytes: int) -> Call:
    """Copy, which reads and writes ``n_bytes`` together."""
    source, target = torch.empty(2, n_bytes // 2, dtype=torch.uint8, device="cuda")
    return lambda: target.copy_(source)


def contestants(kernel: Any, problem: Problem) -> dict[str, list[Call]]:
    weights = problem[1:4]
    calls = {
        harness.OURS: passes(lambda: kernel.state_scores(*problem), weights),
        "loop in torch": passes(lambda: reference.state_scores(*problem), weights),
    }
    for size in LSTM_SIZES:
        scores, lstm = lstm_scores(size, problem)
        calls[f"cuDNN LSTM, {size} units"] = passes(scores, lstm.parameters())
    calls["copy of as many bytes"] = [copy(n) for n in unavoidable_bytes(problem)]
    return calls


def gated_contestants(problem: Problem) -> dict[str, list[Call]]:
    """A dense LSTM of the largest size: ours, which is cuDNN's, theirs, the loop."""
    size = max(LSTM_SIZES)
    scores, lstm = lstm_scores(size, problem)
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


def milliseconds(call: Call) -> float:
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record()
    call()
    ended.record()
    ended.synchronize()
    return began.elapsed_time(ended)


def race(calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every contestant in every round; a first one isn't counted."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    names, order = list(calls), random.Random(0)
    for round_ in range(rounds + 1):
        order.shuffle(names)
        for name in names:
            elapsed = milliseconds(calls[name])
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
    for n_wfsas in N_WFSAS:
        for level in LEVELS:
            problem = draw_problem(level, n_wfsas, [N_TOKENS] * N_DOCUMENTS)
            calls = contestants(operation, problem)
            for i, name in enumerate(PASSES):
                harness.print_heading(f"{n_wfsas} WFSAs, {level}, {name}")
                print_times(race({k: v[i] for k, v in calls.items()}, rounds))
    calls = gated_contestants(draw_problem("type-level", 1, [N_TOKENS] * N_DOCUMENTS))
    for i, name in enumerate(PASSES):
        harness.print_heading(f"dense LSTM, type-level, {name}")
        print_times(race({k: v[i] for k, v in calls.items()}, rounds))


if __name__ == "__main__":
    main()
