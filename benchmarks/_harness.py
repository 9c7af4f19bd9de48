"""What the speed benchmarks share: data, rounds, tables and child processes."""

from __future__ import annotations

import argparse
import ctypes
import datetime
import gc
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from skrational import SequenceArray, SparseRationalClassifier
from skrational.datasets import load_reviews, reviews_available

# A path that is cut short is no measurement: Ctrl-C ends the benchmark.
warnings.filterwarnings("error", "The path was interrupted")

OURS = "skrational"
ZIPF_EXPONENT, VOCABULARY = 1.2, 20_000
"""They give about .2 distinct words a token in 64 documents of 128 tokens, as English
text does."""
SLOW_SECONDS, SLOW_ROUNDS = 2.0, 3
REVIEW_VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"

Call = Callable[[], Any]


class Times(NamedTuple):
    """Seconds of one contestant: one entry a round, NaN where it sat out."""

    wall: NDArray[np.float64]
    cpu: NDArray[np.float64]


def common_options(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--rounds", type=int, help="instead of each benchmark's own")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpu", action="store_true", help="print CPU times, too")
    parser.add_argument("--bare", action="store_true", help="leave the machine out")
    return parser


def main(parser: argparse.ArgumentParser, run: Callable[[Any], None]) -> None:
    """Read the options, say where this runs, and run."""
    options = parser.parse_args()
    set_threads(options.threads)
    if not options.bare:
        print(describe_machine())
    run(options)


def rounds_of(options: Any, full: int, quick: int = 2) -> int:
    return options.rounds or (quick if options.quick else full)


def set_threads(n: int) -> None:
    """Let torch, BLAS and OpenMP use this many threads."""
    threadpool_limits(n)
    torch.set_num_threads(n)


def processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def describe_machine() -> str:
    packages = ("numpy", "torch", "numba", "scikit-learn")
    versions = (f"{name} {importlib.metadata.version(name)}" for name in packages)
    now = datetime.datetime.now()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{processor_name()}, {os.cpu_count()} cores{load}, {now:%d %B %Y}; "
        f"Python {platform.python_version()}, {', '.join(versions)}; "
        f"torch threads: {torch.get_num_threads()}"
    )


def is_installed(package: str) -> bool:
    """Whether a peer's package is here; a printed line says so if not."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        print(f"\n{package} is not installed: left out.")
    return found


def clock(call: Call) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def race(contestants: dict[str, Call], rounds: int) -> dict[str, Times]:
    """Time every contestant once a round, in an order drawn anew for each round.

    The first round, which may compile and load, isn't counted. A contestant that took
    longer than `SLOW_SECONDS` in the second sits out most of the others.
    """
    for call in contestants.values():
        call()
    times = {
        name: Times(np.full(rounds, np.nan), np.full(rounds, np.nan))
        for name in contestants
    }
    names, order = list(contestants), random.Random(0)
    stride = max(1, -(-rounds // SLOW_ROUNDS))
    for round_ in range(rounds):
        order.shuffle(names)
        for name in names:
            wall, cpu = times[name]
            if round_ % stride == 0 or wall[0] <= SLOW_SECONDS:
                wall[round_], cpu[round_] = clock(contestants[name])
    return times


def median(times: Times) -> float:
    return float(np.nanmedian(times.wall))


def ratio(times: Times, ours: Times) -> float:
    """Median over the rounds of their time divided by ours in the same round."""
    return float(np.nanmedian(times.wall / ours.wall))


def median_seconds(call: Call, rounds: int) -> float:
    """Median wall seconds after one call that isn't counted."""
    return median(race({"": call}, rounds)[""])


def print_heading(title: str, *conditions: str) -> None:
    print(f"\n### {title}\n")
    if conditions:
        print(*conditions, sep="\n", end="\n\n")


def print_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a Markdown table whose numbers stand below each other."""
    cells = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [
        "-" * widths[0] if i == 0 else "-" * max(1, n - 1) + ":"
        for i, n in enumerate(widths)
    ]
    for row in (cells[0], rule, *cells[1:]):
        first = row[0].ljust(widths[0])
        others = (cell.rjust(n) for cell, n in zip(row[1:], widths[1:], strict=True))
        print("| " + " | ".join([first, *others]) + " |")
    sys.stdout.flush()


def print_race(
    times: dict[str, Times],
    options: Any,
    ours: str = OURS,
    **extra: Callable[[float], str],
) -> None:
    """Print medians, ratios to ours and the counted rounds.

    ``extra`` names further columns, functions of the median seconds.
    """
    head = ["", "ms", f"x {ours}", "rounds", *extra]
    rows = []
    for name, of_name in times.items():
        seconds = median(of_name)
        counted = int(np.isfinite(of_name.wall).sum())
        row = [name, digits(1e3 * seconds), digits(ratio(of_name, times[ours]))]
        row += [counted, *(column(seconds) for column in extra.values())]
        rows.append(row + [digits(1e3 * np.nanmedian(of_name.cpu))] * options.cpu)
    print_table(head + ["CPU ms"] * options.cpu, rows)


def digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    if not np.isfinite(value):
        return "-"
    magnitude = int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{max(0, 2 - magnitude)}f}"


def ask_child(module: str, *arguments: Any, **environment: str) -> Any:
    """Run a benchmark in a fresh interpreter; its last line is the answer, in JSON."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def peak_bytes(call: Call) -> int:
    """What a call adds to the resident memory at its height.

    The system's own high-water mark, set back before the call: it sees every allocator.
    What malloc keeps of memory freed before is given back first, or the call would
    find it there.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    call()
    return _memory("VmHWM") - before


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no {field}: memory is measured on Linux only")


def zipf_ids(n_tokens: int, vocabulary: int, rng: np.random.Generator) -> NDArray:
    """Word numbers that follow Zipf's law."""
    frequency = 1 / np.arange(1, vocabulary + 1) ** ZIPF_EXPONENT
    return rng.choice(vocabulary, n_tokens, p=frequency / frequency.sum())


def word_vectors(
    vocabulary: int, n_features: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    vectors = rng.standard_normal((vocabulary, n_features), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def make_documents(
    n_documents: int,
    n_tokens: int,
    n_features: int = 300,
    vocabulary: int = VOCABULARY,
    seed: int = 0,
) -> SequenceArray:
    """Type-level documents of equal lengths, whose words follow Zipf's law."""
    rng = np.random.default_rng(seed)
    ids = zipf_ids(n_documents * n_tokens, vocabulary, rng)
    offsets = np.arange(0, len(ids) + 1, n_tokens)
    return SequenceArray(word_vectors(vocabulary, n_features, rng), offsets, ids)


def make_contextual(
    n_documents: int, n_tokens: int, n_features: int = 1024, seed: int = 0
) -> SequenceArray:
    """Token-level documents: each token has a vector of its own, as with BERT."""
    rng = np.random.default_rng(seed)
    rows = word_vectors(n_documents * n_tokens, n_features, rng)
    return SequenceArray(rows, np.arange(0, len(rows) + 1, n_tokens))


def alternating(n: int) -> NDArray[np.intp]:
    """Two classes in turn: labels for what is timed and not judged."""
    return np.arange(n) % 2


def brief_fit(X: SequenceArray, **params: Any) -> SparseRationalClassifier:
    """Fit one epoch without a penalty: of the classifier, only the size matters."""
    params = {"lambda_": 0, "warmup_epochs": 0, "max_epochs": 1} | params
    clf = SparseRationalClassifier(finetune_epochs=0, random_state=0, **params)
    return clf.fit(X, alternating(len(X)))


class Texts(NamedTuple):
    """Texts with their labels, and where they come from."""

    texts: list[str]
    labels: NDArray[np.intp]
    source: str


def load_texts(split: str, quick: bool) -> Texts:
    """Kitchen reviews if SKRATIONAL_DATA is set, invented ones as long otherwise."""
    if reviews_available():
        texts, labels = load_reviews("amazon_kitchen", split)
        loaded = Texts(texts, labels, "amazon_kitchen")
    else:
        loaded = make_texts(3000, seed=0 if split == "train" else 1)
    n = 200 if quick else len(loaded.texts)
    return loaded._replace(texts=loaded.texts[:n], labels=loaded.labels[:n])


def load_vectors() -> Any:
    """The file of word vectors that goes with `load_texts`, or invented ones."""
    if reviews_available():
        return Path(os.environ["SKRATIONAL_DATA"], REVIEW_VECTORS)
    return invented_vectors()


def invented_vectors() -> Any:
    """Vectors of the words of `make_texts`."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(300)
    rows = word_vectors(VOCABULARY, 300, np.random.default_rng(0))
    vectors.add_vectors(invented_words(VOCABULARY), rows)
    return vectors


def make_texts(n_documents: int, seed: int) -> Texts:
    """Texts of invented words; the length of a text has the mean of a review's."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(4.3, 0.8, n_documents), 5, 1000).astype(int)
    words = np.array(invented_words(VOCABULARY), dtype=object)
    tokens = words[zipf_ids(lengths.sum(), VOCABULARY, rng)]
    documents = np.split(tokens, np.cumsum(lengths)[:-1])
    texts = [" ".join(document) for document in documents]
    return Texts(texts, alternating(n_documents), "invented texts")


def invented_words(n: int) -> list[str]:
    """Distinct words; the commoner, the shorter."""
    rng, words = random.Random(0), {}
    while len(words) < n:
        size = 2 + len(str(len(words))) + rng.randrange(3)
        words["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=size))] = None
    return list(words)
