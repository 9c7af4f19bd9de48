"""One training step, forward and backward, against loops and other networks.

    python -m benchmarks.training_step [--match anywhere] [--keep-denormals]

24 WFSAs of 4 states, float32, one thread, batches of 64 documents. Contestants take
turns within each round; a ratio is the median over the rounds of a contestant's time
divided by ours in the same round. Type-level contestants start from token numbers, so
that the gathering of word vectors is part of their step; token-level ones find the
vectors of their batch in place. The floor is what no
implementation can do without: to find the distinct words, gather their vectors, and
compute the two matrix products of the projection, into memory that is already there.

Denormal numbers are flushed to zero for everybody, unless they are kept: on some
processors the loops are slower with them by far. The LSTM's work space is larger than
what glibc's malloc keeps at hand; it is timed a second time with a malloc that keeps
all. Memory is what one step adds to the resident memory of a fresh process in which a
step on two documents has already loaded, compiled and started everything.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from os import environ
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import _floors
from benchmarks import _harness as harness
from benchmarks import _peers as peers
from skrational import SequenceArray
from skrational.cells.batches import Batch, Corpus
from skrational.cells.rational import RationalCell
from skrational.structures.automata import ScoringRule
from skrational.training.losses import BatchLoss, LogLoss
from skrational.training.noise import Dropout
from skrational.utils.buffers import recycling

N_DOCUMENTS, N_WFSAS, N_STATES = 64, 24, 4
KEEP_ALL = {
    "MALLOC_MMAP_THRESHOLD_": "2000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
}
SEMIRINGS = {f"skrational, {name}": name for name in ("max-plus", "max-times")}
COPYING = "skrational, copying its batch too"
FLOOR, PER_STATE = _floors.NAME, "loop over tokens and states"
FUSED = "loop over tokens, states fused"

Step = Callable[[], None]


def trained(scores: Callable[[], Tensor], module: nn.Module, targets: Tensor) -> Step:
    """Forward and backward with the loss of two classes."""

    def step() -> None:
        module.zero_grad(set_to_none=True)
        logits = scores()
        loss = nn.functional.binary_cross_entropy_with_logits(logits, targets)
        loss.backward()

    return step


def contestants(X: SequenceArray, match: str, chosen: Iterable[str]) -> dict[str, Step]:
    """Each way to take a step on these documents; ours comes first."""
    reading = ScoringRule(match=match)
    cell = RationalCell(X.n_features, (N_STATES,) * N_WFSAS, 1, reading)
    cell.initialize(torch.Generator().manual_seed(0))
    corpus = Corpus(X, torch.float32, torch.device("cpu"))
    targets = torch.from_numpy(harness.alternating(len(X))).float()
    documents = np.arange(len(X))
    vectors = torch.from_numpy(np.array(X.features))
    shape = len(X), X.n_tokens // len(X)
    ids = torch.from_numpy(X.row_numbers().astype(np.int64)).view(shape)

    def read() -> Tensor:
        """The vectors of all tokens, (B, T, E)."""
        return vectors.view(*shape, -1) if X.indices is None else vectors[ids]

    def network(name: str) -> Step:
        net = peers.network(name, X.n_features)
        return trained(lambda: net(read()), net, targets)

    def of_cell(scores: Callable[[], Tensor]) -> Step:
        return trained(lambda: cell.readout(scores())[:, 0], cell, targets)

    def of_batch() -> Step:
        """A batch that lies there, as the others find their vectors."""
        batch = corpus.batch(documents)
        return in_fit(lambda: batch)

    def of_corpus() -> Step:
        return in_fit(lambda: corpus.batch(documents))

    def in_fit(batch: Callable[[], Batch]) -> Step:
        """A step as a fit takes it."""
        loss = BatchLoss(LogLoss(), targets.long(), torch.ones(len(X)))
        learn = cell.learner(Dropout(), torch.Generator())

        def step() -> None:
            cell.zero_grad(set_to_none=False)
            learn(batch(), loss)

        return step

    def of_semiring(name: str) -> Step:
        rule = replace(reading, semiring=name)
        other = RationalCell(X.n_features, cell.lengths, 1, rule)
        other.load_state_dict(cell.state_dict())
        return trained(lambda: other(corpus.batch(documents))[:, 0], other, targets)

    steps: dict[str, Callable[[], Step]] = {
        **{key: partial(of_semiring, name) for key, name in SEMIRINGS.items()},
        harness.OURS: of_batch if X.indices is None else of_corpus,
        COPYING: of_corpus,
        FLOOR: lambda: _floors.projection(X, 2 * N_WFSAS * N_STATES),
        FUSED: lambda: of_cell(lambda: peers.fused_loop(cell, read())),
        PER_STATE: lambda: of_cell(lambda: peers.per_state_loop(cell, read())),
        **{name: partial(network, name) for name in peers.NETWORKS},
    }
    return {name: steps[name]() for name in (harness.OURS, *chosen)}


ALL = (FLOOR, FUSED, PER_STATE, *peers.NETWORKS)


def section(
    title: str, X: SequenceArray, match: str, chosen: Iterable[str], options: Any
) -> None:
    """Time the chosen contestants and print their table."""
    n_distinct = X.n_tokens if X.indices is None else len(np.unique(X.indices))
    harness.print_heading(
        title,
        f'{len(X)} documents of {X.n_tokens // len(X)} tokens, match="{match}", '
        f"{X.n_features} features, distinct words / tokens = "
        f"{n_distinct / X.n_tokens:.2f}, denormals "
        f"{'kept' if options.keep_denormals else 'flushed'} for all",
    )
    rounds = harness.rounds_of(options, full=15)
    with recycling():  # as in a fit
        times = harness.race(contestants(X, match, chosen), rounds)
    harness.print_race(times, options)
    _floors.print_share(times)


def time_steps(options: Any, malloc: str) -> None:
    """All sections; with the second malloc, those that it may change."""
    torch.set_flush_denormal(not options.keep_denormals)
    n = 8 if options.quick else N_DOCUMENTS
    default = malloc == "default malloc"
    short, long = harness.make_documents(n, 128), harness.make_documents(n, 512)
    contextual = harness.make_contextual(n, 128)
    chosen = ALL if default else tuple(name for name in ALL if name != PER_STATE)
    section(f"A step, {malloc}", short, options.match, chosen, options)
    if default:
        other = "end" if options.match == "anywhere" else "anywhere"
        loops = (FLOOR, FUSED, PER_STATE, *SEMIRINGS)
        section("A step, the other reading", short, other, loops, options)
        # Nothing else evicts the caches between the steps.
        alone = "A step with its floor alone"
        section(alone, short, options.match, (FLOOR,), options)
    section(f"A step, longer documents, {malloc}", long, options.match, chosen, options)
    chosen = (COPYING, FLOOR, FUSED, "nn.LSTM(24)", "nn.LSTM(100)")
    section(
        f"A step, token-level, {malloc}", contextual, options.match, chosen, options
    )


def measure_memory(name: str, n_tokens: int, options: Any) -> int:
    """Bytes that one step adds, in this process."""
    torch.set_flush_denormal(not options.keep_denormals)
    X = harness.make_documents(8 if options.quick else N_DOCUMENTS, n_tokens)
    chosen = [] if name == harness.OURS else [name]
    contestants(X[:2], options.match, chosen)[name]()
    step = contestants(X, options.match, chosen)[name]
    return harness.peak_bytes(step)


def print_memory(options: Any) -> None:
    """What a step adds, in fresh processes, beside the array of all states."""
    harness.print_heading(
        "Memory of a step",
        "Resident memory added at its height by one step, in a fresh process after a "
        "step on two documents;\nmedian of three processes. The state array holds "
        "tokens x states float32 numbers.",
    )
    n = 8 if options.quick else N_DOCUMENTS
    rows = []
    for n_tokens in (128, 512):
        array = 4 * n * n_tokens * N_WFSAS * N_STATES
        for name in (harness.OURS, FUSED, "nn.LSTM(24)", "nn.LSTM(100)"):
            added = statistics.median(
                harness.ask_child(
                    "training_step", *passed_on(options), "--memory", name, n_tokens
                )
                for _ in range(harness.rounds_of(options, full=3, quick=1))
            )
            cells = [f"{name}, T = {n_tokens}"]
            cells += [harness.digits(n / 1e6) for n in (added, array)]
            rows.append([*cells, harness.digits(added / array)])
    harness.print_table(["", "MB", "state array, MB", "x state array"], rows)


def passed_on(options: Any) -> list[str]:
    """The options for a child process."""
    flags = ("quick", "cpu", "keep_denormals")
    given = [f"--{flag.replace('_', '-')}" for flag in flags if getattr(options, flag)]
    rounds = ["--rounds", str(options.rounds)] if options.rounds else []
    values = ["--match", options.match, "--threads", str(options.threads)]
    return ["--bare", *given, *rounds, *values]


def run(options: Any) -> None:
    if options.memory:
        name, n_tokens = options.memory
        print(json.dumps(measure_memory(name, int(n_tokens), options)))
    elif options.malloc_kept:
        time_steps(options, "malloc that keeps all")
    else:
        time_steps(options, "default malloc")
        command = [sys.executable, "-m", "benchmarks.training_step", "--malloc-kept"]
        subprocess.run(
            [*command, *passed_on(options)], env={**environ, **KEEP_ALL}, check=True
        )
        print_memory(options)


def options_parser() -> argparse.ArgumentParser:
    parser = harness.common_options(__doc__)
    parser.add_argument("--match", choices=["end", "anywhere"], default="end")
    parser.add_argument("--keep-denormals", action="store_true")
    # What the child processes are asked for.
    parser.add_argument("--malloc-kept", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    harness.main(options_parser(), run)
