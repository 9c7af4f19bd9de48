"""Ctrl-C at random moments: the process is afterwards as it was, and fits the same.

::

    python -m benchmarks.interrupts --interrupts 400

A signal comes at a random moment of a fit, a path, a search or a prediction, and raises
a KeyboardInterrupt. Then the state of the process is compared with that of before
(gradients, inference mode, autocast, default type and device, precision, threads of
torch and BLAS, level and handlers of the log, global generators, open files), and so is
what the next call returns. Printed are, for each kind of work, the calls that were
interrupted, and the faults. The exit status tells whether there was any.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import torch

from skrational import (
    ModuliRNNClassifier,
    SequenceArray,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
)
from skrational.model_selection import regularization_path
from skrational.utils import threads

__all__ = ["WORK", "interrupt", "main", "state"]

_SHORT = {
    "warmup_epochs": 1,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 4,
    "random_state": 0,
}
_AUTOMATA = {"n_wfsas": 4, "n_states": 2, "lambda_": 1e-4}
_RNG = np.random.default_rng(0)
_X = SequenceArray(_RNG.normal(size=(300, 5)), np.arange(0, 301, 5))
_Y = np.arange(60) % 2
_TEXTS = ["a good book", "a bad book", "good tea", "not a good tea"] * 5


def state() -> dict[str, Any]:
    """Return what a call may not leave changed."""
    log = logging.getLogger("skrational")
    return {
        "gradients": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "default dtype": torch.get_default_dtype(),
        "default device": torch.empty(0).device,
        "precision": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "threads of torch": torch.get_num_threads(),
        "threads given": threads.given_threads(),
        "threads of BLAS": threads._blas_threads(),
        "log": (log.level, len(log.handlers)),
        "numpy.random": np.random.get_state()[2],  # noqa: NPY002
        "torch's generator": int(torch.get_rng_state().sum()),
        "errors of numpy": tuple(np.geterr().items()),
        "open files": psutil.Process().num_fds(),
    }


def _automata() -> Any:
    return SparseRationalClassifier(**_AUTOMATA, **_SHORT)


def _fit() -> Any:
    return _automata().set_params(verbose=0).fit(_X, _Y).coef_


def _fit_gated() -> Any:
    return SparseLSTMClassifier(n_units=3, **_SHORT).fit(_X, _Y).coef_


def _fit_placed() -> Any:
    return ModuliRNNClassifier(n_hidden=6, sparsity=0.5, **_SHORT).fit(_X, _Y).coef_


def _fit_language_model() -> Any:
    model = SparseLSTMLanguageModel(n_units=3, **_SHORT).fit(_TEXTS)
    return model.score_samples(_TEXTS)


def _path() -> Any:
    path = regularization_path(_automata(), _X, _Y, lambdas=[1e-4, 1e-3])
    return path[0].coef_ if len(path) else np.zeros(0)


def _search() -> Any:
    search = SparseRationalClassifierCV(
        _automata(), lambdas=[1e-4], cv=2, random_state=0
    )
    return search.fit(_X, _Y).best_estimator_.coef_


def _predict() -> Any:
    clf = _fitted.setdefault("clf", _automata().fit(_X, _Y))
    fresh = SequenceArray(_X.features.copy(), _X.offsets)
    return np.concatenate([clf.decision_function(fresh) for _ in range(20)])


_fitted: dict[str, Any] = {}

WORK: dict[str, Callable[[], Any]] = {
    "fit": _fit,
    "gated": _fit_gated,
    "placed": _fit_placed,
    "language": _fit_language_model,
    "path": _path,
    "search": _search,
    "predict": _predict,
}


def interrupt(work: Callable[[], Any], delay: float) -> bool:
    """Do work that a signal interrupts after a while; return whether it was in time."""

    def raise_interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, raise_interrupt)
    interrupted = False
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        work()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return interrupted


def faults_after(
    work: Callable[[], Any], expected: Any, found_before: dict[str, Any]
) -> list[str]:
    """Say what an interrupted call has left changed."""
    gc.collect()
    after = state()
    changed = [
        f"{name}: {after[name]} instead of {value}"
        for name, value in found_before.items()
        if after[name] != value
    ]
    try:
        if not np.array_equal(work(), expected):
            changed.append("the next call returns something else")
    except Exception as error:
        changed.append(f"the next call fails: {error!r}")
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Interrupt; return 1 if anything was left changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interrupts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    moments, n_faults = random.Random(options.seed), 0
    for i, (name, work) in enumerate(WORK.items()):
        work()
        began = time.perf_counter()
        expected = work()
        seconds = time.perf_counter() - began
        n = (options.interrupts + i) // len(WORK)
        before, n_interrupted, faults = state(), 0, []
        for _ in range(n):
            n_interrupted += interrupt(work, max(1e-6, moments.uniform(0, seconds)))
            faults += faults_after(work, expected, before)
        print(f"{name:9} {n} calls, {n_interrupted} interrupted, {len(faults)} faults")
        for fault in faults:
            print(f"    {fault}")
        sys.stdout.flush()
        n_faults += len(faults)
    return int(n_faults > 0)


if __name__ == "__main__":
    sys.exit(main())
