"""kill -9 at random moments of what takes long; then the same call again.

    python -m benchmarks.kills --out FOLDER [--rounds 20] [--kinds fit-lstm path ...]

Of each kind the work is done once without a kill. In each round a process begins it in
a folder of its own, and is killed after a random part of the time that it should take,
in every other round as soon as it then writes a file; the same call is then made again,
and its result compared to the bit. A line of
``FOLDER/kills.jsonl`` is written for each round, and rounds that have one aren't run
again. The table says of each kind

- where the kills fell: before anything was kept, while more was to come, or after the
  end; and how many of them left an unfinished file, or a database's journal;
- how many of the calls that followed had a result (resumed), did some of the work again
  that was done (the most epochs, points or documents that were), failed, warned or left
  unfinished files behind (lost), and had another result (different).

Processes are forked from one that has loaded and compiled everything, so that the kills
fall on the work. It needs ``os.fork``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks import _harness as harness
from skrational import (
    ModuliRNNClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
)
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path
from skrational.model_selection._path_run import PathRun
from skrational.text.features.store import FeatureStore
from skrational.text.vectors.loading import forget_tables, load_table
from skrational.training.loop import PhaseRun

DATA = make_planted_patterns(200, random_state=0)
EPOCHS = {
    "warmup_epochs": 3,
    "max_epochs": 8,
    "finetune_epochs": 8,
    "min_steps_per_epoch": 10,
    "random_state": 0,
}
N_WORDS, N_NUMBERS = 20_000, 50
N_DOCUMENTS = 80


class Kind(NamedTuple):
    """Something that takes long.

    Attributes
    ----------
    work : callable
        Takes a folder for what is kept, and a folder of what was prepared; returns the
        result as bytes.
    unit : (type, str) or None
        The method that is called once for each part of the work.
    kept : str
        Pattern of the files that show that something has been kept.
    most_again : int or None
        Parts that may be done again after a kill; None: all.
    """

    work: Callable[[Path, Path], bytes]
    unit: tuple[type, str] | None
    kept: str
    most_again: int | None


def fit(estimator: Any) -> Callable[[Path, Path], bytes]:
    def work(folder: Path, _: Path) -> bytes:
        return model_bytes(estimator.fit(DATA.X, DATA.y, checkpoint_dir=folder))

    return work


def follow_path(folder: Path, _: Path) -> bytes:
    clf = SparseRationalClassifier(**EPOCHS)
    path = regularization_path(clf, DATA.X, DATA.y, n_lambdas=8, checkpoint_dir=folder)
    return b"".join(map(model_bytes, path))


def parse(folder: Path, prepared: Path) -> bytes:
    found = []
    for _ in range(2):  # from the file, and from what was kept
        table = load_table(prepared / "vectors.txt", folder)
        found.append(pickle.dumps((list(table.index), np.array(table.vectors))))
        forget_tables()
    return b"".join(found)


class Embedder:
    """Stands for a neural network: numbers of a document depend on its position."""

    def document(self, position: int) -> np.ndarray:
        """Embed a document."""
        time.sleep(0.005)
        return np.random.default_rng(position).normal(size=(1 + position % 40, 64))

    def __call__(self, positions: list[int]) -> Iterator[tuple[int, Any, list[str]]]:
        """Embed documents; see `FeatureStore.sequences`."""
        for position in positions:
            rows = self.document(position)
            yield position, rows, [f"token {i}" for i in range(len(rows))]


def embed(folder: Path, _: Path) -> bytes:
    keys = [hashlib.sha256(b"%d" % i).hexdigest() for i in range(N_DOCUMENTS)]
    X = FeatureStore(folder, n_features=64).sequences(keys, Embedder())
    return b"".join(np.ascontiguousarray(x).tobytes() for x in X)


EPOCH = (PhaseRun, "run_epoch")
KINDS = {
    "fit-rational": Kind(
        fit(SparseRationalClassifier(calibration="temperature", **EPOCHS)),
        EPOCH,
        "*.npz",
        1,
    ),
    "fit-lstm": Kind(
        fit(SparseLSTMClassifier(n_units=16, framework="bayes", lambda_=0.1, **EPOCHS)),
        EPOCH,
        "*.npz",
        1,
    ),
    "fit-moduli": Kind(
        fit(ModuliRNNClassifier(n_hidden=32, early_stopping=True, **EPOCHS)),
        EPOCH,
        "*.npz",
        1,
    ),
    "path": Kind(follow_path, (PathRun, "finetune"), "trunk.npz", 1),
    "vectors": Kind(parse, None, "*/*.npy", None),
    "embedding": Kind(embed, (Embedder, "document"), "index.db", 1),
}


def model_bytes(model: Any) -> bytes:
    """The fitted attributes of a model, and what it predicts, but for its seconds."""
    rows = [{**row, "seconds": 0.0} for row in model.history_]
    weights = [model.weights_[name].tobytes() for name in sorted(model.weights_)]
    facts = (rows, model.learned_structure_.to_json(), model.temperature_)
    arrays = (model.coef_, model.intercept_, model.predict_proba(DATA.X))
    return b"".join(
        [*weights, repr(facts).encode(), *(array.tobytes() for array in arrays)]
    )


class Run(NamedTuple):
    """What a process did.

    Attributes
    ----------
    result : str
        Hash of the result; empty without one.
    seconds : float
    n_parts : int
        Parts that it began.
    trouble : str
        What it raised or warned of.
    """

    result: str
    seconds: float
    n_parts: int
    trouble: str


def run(
    kind: Kind,
    folder: Path,
    home: Path,
    kill_after: float | None = None,
    while_writing: bool = False,
) -> Run:
    """Do the work in a fork, which may be killed.

    Parameters
    ----------
    kind : Kind
    folder : Path
        For what is kept.
    home : Path
        For what was prepared, and what the process reports.
    kill_after : float or None, default=None
        Seconds.
    while_writing : bool, default=False
        Whether to wait then until a file is being written.
    """
    report, parts = folder.with_suffix(".report"), folder.with_suffix(".parts")
    for path in (report, parts):
        path.unlink(missing_ok=True)
    began = time.perf_counter()
    process = os.fork()
    if not process:
        try:
            _work(kind, folder, home, report, parts)
        finally:
            os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        while while_writing and not (_is_writing(folder) or report.exists()):
            pass
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    seconds = time.perf_counter() - began
    n_parts = parts.stat().st_size if parts.exists() else 0
    told = json.loads(report.read_text()) if report.exists() else {}
    return Run(told.get("result", ""), seconds, n_parts, told.get("trouble", ""))


def _is_writing(folder: Path) -> bool:
    """Whether there is an unfinished file, or a database's journal."""
    return any(
        name.endswith((".part", "-journal"))
        for _, _, names in os.walk(folder)
        for name in names
    )


def _work(kind: Kind, folder: Path, home: Path, report: Path, parts: Path) -> None:
    """What the fork does; see `run`."""
    if kind.unit is not None:
        _count(*kind.unit, parts)
    told = {"result": "", "trouble": ""}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            told["result"] = hashlib.sha256(kind.work(folder, home)).hexdigest()
        except Exception as error:
            told["trouble"] = repr(error)
    told["trouble"] += "".join(str(warning.message) for warning in caught)
    unfinished = report.with_suffix(".writing")
    unfinished.write_text(json.dumps(told))
    unfinished.replace(report)


def _count(owner: type, name: str, parts: Path) -> None:
    """Write a byte whenever a method is called."""
    method = getattr(owner, name)
    file = os.open(parts, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def counted(*args: Any, **kwargs: Any) -> Any:
        os.write(file, b".")
        return method(*args, **kwargs)

    setattr(owner, name, counted)


def kill_once(name: str, i: int, whole: Run, home: Path) -> dict[str, Any]:
    """A round: a kill, and the same call again.

    Parameters
    ----------
    name : str
        Of the kind.
    i : int
        Number of the round, from which the moment is drawn.
    whole : Run
        Without a kill.
    home : Path
    """
    kind, folder = KINDS[name], home / f"{name}-{i}"
    shutil.rmtree(folder, ignore_errors=True)
    moment = random.Random(f"{name} {i}").uniform(0, 1.05 * whole.seconds)
    killed = run(kind, folder, home, moment, while_writing=i % 2 == 1)
    was_writing = _is_writing(folder)
    has_kept = any(folder.glob(kind.kept))
    where = "after" if killed.result else "during" if has_kept else "before"
    again = run(kind, folder, home)
    left_over = [p.name for p in folder.rglob("*") if p.name.endswith(".part")]
    n_again = killed.n_parts + again.n_parts - whole.n_parts
    too_many = kind.most_again is not None and n_again > kind.most_again
    shutil.rmtree(folder)
    return {
        "kind": name,
        "round": i,
        "moment": moment,
        "where": where,
        "writing": was_writing,
        "resumed": bool(again.result),
        "again": n_again if kind.unit else None,
        "lost": bool(not again.result or again.trouble or left_over or too_many),
        "trouble": again.trouble or ", ".join(left_over),
        "different": again.result != whole.result,
    }


def prepare(home: Path) -> None:
    """Write a table of vectors, once."""
    path = home / "vectors.txt"
    if not path.exists():
        rows = np.random.default_rng(0).normal(size=(N_WORDS, N_NUMBERS)).round(4)
        lines = (f"word{i} {' '.join(map(str, r))}\n" for i, r in enumerate(rows))
        path.write_text("".join(lines))


def run_all(home: Path, kinds: list[str], rounds: int) -> list[dict[str, Any]]:
    """Run the rounds that are missing; return all of them."""
    torch.set_num_threads(1)
    prepare(home)
    log = home / "kills.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    found = [json.loads(line) for line in lines]
    done = {(row["kind"], row["round"]) for row in found}
    for name in kinds:
        missing = [i for i in range(rounds) if (name, i) not in done]
        if missing:
            whole = run_whole(name, home)
        for i in missing:
            found.append(kill_once(name, i, whole, home))
            with log.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
    return found


def run_whole(name: str, home: Path) -> Run:
    """Do the work without a kill, after this process has compiled what it needs."""
    folder = home / f"{name}-whole"
    shutil.rmtree(folder, ignore_errors=True)
    KINDS[name].work(folder, home)
    shutil.rmtree(folder)
    whole = run(KINDS[name], folder, home)
    shutil.rmtree(folder)
    if whole.trouble:
        raise RuntimeError(f"{name} fails without a kill: {whole.trouble}")
    return whole


def table(rows: list[dict[str, Any]], kinds: list[str]) -> list[list[Any]]:
    """A line for each kind."""
    lines = []
    for name in kinds:
        of_kind = [row for row in rows if row["kind"] == name]
        places = [row["where"] for row in of_kind]
        again = [row["again"] for row in of_kind if row["again"] is not None]
        lines.append(
            [
                name,
                len(of_kind),
                *(places.count(where) for where in ("before", "during", "after")),
                sum(row["writing"] for row in of_kind),
                sum(row["resumed"] for row in of_kind),
                max(again, default="-"),
                sum(row["lost"] for row in of_kind),
                sum(row["different"] for row in of_kind),
            ]
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    options = parser.parse_args()
    home = options.out.expanduser().absolute()
    home.mkdir(parents=True, exist_ok=True)
    rows = run_all(home, options.kinds, options.rounds)
    places = ["before", "during", "after", "amid a file"]
    head = ["kind", "kills", *places, "resumed", "again at most", "lost", "different"]
    harness.print_table(head, table(rows, options.kinds))
    for row in rows:
        if row["lost"] or row["different"]:
            print(json.dumps(row))


if __name__ == "__main__":
    main()
