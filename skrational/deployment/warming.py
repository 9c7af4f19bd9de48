"""Kernels compiled ahead of the first call."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skrational.kernels.cpu.prediction import PackedAutomata, PackedNetwork
from skrational.kernels.cpu.readout import apply_readout
from skrational.kernels.cpu.scorer import Scorer
from skrational.kernels.gated.prediction import PackedGRU, PackedLSTM
from skrational.sequences import SequenceArray
from skrational.structures.automata import ScoringRule
from skrational.text.word_vectors import WordVectorizer
from skrational.utils.compile import kept_kernels

__all__ = ["warm_up"]

_TYPES = ("float32", "float64")
_WORDS = {"good": [1.0, 0.0], "bad": [0.0, 1.0]}


def warm_up(*, fit: bool = False) -> list[Path]:
    """Compile the kernels of a first prediction, and keep them on disk.

    Numba compiles a kernel when it is first called with arguments of some types, which
    takes seconds. What is compiled here, a later process loads. In a Dockerfile::

        RUN python -c "import skrational; skrational.warm_up()"

    Parameters
    ----------
    fit : bool, default=False
        Whether to compile the kernels of training as well; it imports torch.

    Returns
    -------
    list of Path
        The folders where the kernels are kept: beside the package's sources or, where
        that is read-only, in numba's folder for the user. The variable
        ``NUMBA_CACHE_DIR`` names another one.

    Raises
    ------
    OSError
        If the kernels can't be kept, since no folder can be written or a disk is full.

    Notes
    -----
    Kernels are kept for the processor on which they were compiled. On another kind they
    are compiled again, unless the variable ``NUMBA_CPU_NAME`` is ``generic`` here and
    there, which makes them slower.

    Examples
    --------
    >>> folders = warm_up()
    >>> all(folder.is_dir() for folder in folders)
    True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        texts = _read_texts()
        for dtype in _TYPES:
            _predict(texts, dtype)
            if fit:
                _fit(texts, dtype)
    return kept_kernels()


def _read_texts() -> SequenceArray:
    """Turn texts into sequences, in each way that has kernels of its own."""
    vectorizer = WordVectorizer(_WORDS).fit([["good", "bad"]])
    # So many words that those who number them need more room.
    many = " ".join(map(str, range(3000)))
    X: SequenceArray = vectorizer.transform(["good", f"a na\u00efve text {many}"])
    return X


def _predict(texts: SequenceArray, dtype: str) -> None:
    """Predict as classifiers of this type do, for features of every type."""
    indices = [0, 1, 1]
    for network in _networks(texts.n_features, dtype):
        scorer = Scorer({}, None, network)
        for features in (np.ones((3, texts.n_features), t) for t in ("f2", "f4", "f8")):
            scorer.scores(SequenceArray(features, [0, 3]))
            scorer.scores(SequenceArray(features, [0, 3], indices))
        coef, intercept = np.ones((1, network.n_scores), dtype), np.ones(1, dtype)
        apply_readout(scorer.scores(texts), coef, intercept)


def _networks(n_features: int, dtype: str) -> Iterator[PackedNetwork]:
    """Pack a small network of each kind."""
    lengths, n_states = (1, 2), 3
    weights, ones = np.ones((n_states, n_features), dtype), np.ones(n_states, dtype)
    rule = ScoringRule("plus-times", "sum", "anywhere", 0.5)
    yield PackedAutomata.of(lengths, rule, weights, weights, ones, ones)
    inputs = np.arange(n_features)
    for packed_type, n_gates in ((PackedLSTM, 4), (PackedGRU, 3)):
        W_ih, W_hh, b = (
            np.ones(shape, dtype)
            for shape in ((n_gates, n_features), (n_gates, 1), (4, 1))
        )
        learned = np.ones((n_gates, 1), bool)
        yield packed_type.of(W_ih, W_hh, b, learned, inputs, n_features, True, 0.5)


def _fit(texts: SequenceArray, dtype: str) -> None:
    """Fit classifiers of this type, in each way that has kernels of its own."""
    from skrational.estimators.gru import SparseGRUClassifier
    from skrational.estimators.lstm import SparseLSTMClassifier
    from skrational.estimators.rational import SparseRationalClassifier

    brief: dict[str, Any] = {
        "min_steps_per_epoch": 1,
        "warmup_epochs": 1,
        "max_epochs": 1,
        "finetune_epochs": 1,
        "random_state": 0,
        "dtype": dtype,
    }
    for clf in (
        SparseRationalClassifier(n_wfsas=2, penalty="states", **brief),
        SparseRationalClassifier(n_wfsas=2, penalty="transitions", **brief),
        SparseLSTMClassifier(n_units=2, **brief),
        SparseGRUClassifier(n_units=2, **brief),
    ):
        for X in (texts, texts.to_list()):
            clf.fit(X, [0, 1])
