"""Kernels compiled ahead of the first call."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from skrational.kernels.cpu.layers import PackedLayers
from skrational.kernels.cpu.max_prediction import pack_automata
from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.kernels.cpu.readout import apply_readout
from skrational.kernels.cpu.scorer import Scorer
from skrational.kernels.elman.prediction import PackedElman
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

        RUN skrational warm-up

    Parameters
    ----------
    fit : bool, default=False
        Whether to compile the kernels of training as well, of automata those of
        plus-times, and of explanations; it imports torch.

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
        _write()
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
    automata: list[PackedNetwork] = []
    for semiring in ("plus-times", "max-plus"):  # max-times has the same kernels
        rule = ScoringRule(semiring, "sum", "anywhere", 0.5)
        for lengths in (1, 2), (5,):  # beyond four states kernels have more to do
            weights = np.ones((sum(lengths), texts.n_features), dtype)
            ones = np.ones(sum(lengths), dtype)
            automata.append(pack_automata(lengths, rule, weights, weights, ones, ones))
        above = np.ones((sum(lengths), len(lengths)), dtype)
        last = pack_automata(lengths, rule, above, above, ones, ones)
        layer = lengths, semiring, weights, weights, ones, ones
        automata.append(PackedLayers.of([layer], last))
    indices = [0, 1, 1]
    gated = _gated(PackedLSTM, dtype), _gated(PackedGRU, dtype)
    for network in (*automata, *gated, *_elman(dtype)):
        scorer = Scorer({}, None, network)
        for features in (np.ones((3, texts.n_features), t) for t in ("f2", "f4", "f8")):
            scorer.scores(SequenceArray(features, [0, 3]))
            scorer.scores(SequenceArray(features, [0, 3], indices))
        coef = np.ones((1, network.n_scores), dtype)
        apply_readout(scorer.scores(texts), coef, np.ones(1, dtype))


def _gated(kind: Any, dtype: str) -> Any:
    """Pack a gated network of one unit."""
    n_gates, n_features = 4 if kind is PackedLSTM else 3, len(_WORDS)
    return kind.of(
        np.ones((n_gates, n_features), dtype),
        np.ones((n_gates, 1), dtype),
        np.ones((4, 1), dtype),
        np.ones((n_gates, 1), bool),
        np.arange(n_features),
        n_features,
        True,
        0.5,
    )


def _elman(dtype: str) -> list[PackedElman]:
    """Pack an Elman network of one unit, dense and sparse."""
    W_ih, W_hh, b = (np.ones(shape, dtype) for shape in ((1, len(_WORDS)), (1, 1), 1))
    pack = partial(PackedElman.of, W_ih, W_hh, b, "tanh", "last", 0.0)
    return [pack(sparse=sparse) for sparse in (False, True)]


def _write() -> None:
    """Read a token as a language model does, in double precision."""
    lstm, state = _gated(PackedLSTM, "float64"), np.zeros((1, 1))
    lstm.step(np.zeros((1, lstm.width)), state, state)


def _fit(texts: SequenceArray, dtype: str) -> None:
    """Fit classifiers of this type, in each way that has kernels of its own."""
    from skrational.estimators.gru import SparseGRUClassifier
    from skrational.estimators.lstm import SparseLSTMClassifier
    from skrational.estimators.moduli import ModuliRNNClassifier
    from skrational.estimators.rational import SparseRationalClassifier
    from skrational.inspection import explain

    shortest: dict[str, Any] = {
        "min_steps_per_epoch": 1,
        "warmup_epochs": 1,
        "max_epochs": 1,
        "finetune_epochs": 1,
        "random_state": 0,
        "dtype": dtype,
    }
    WordVectorizer(min_count=1).fit([["good", "bad"]])
    automata = SparseRationalClassifier(n_wfsas=2, penalty="states", **shortest)
    for clf in (
        automata,
        SparseRationalClassifier(n_wfsas=2, penalty="transitions", **shortest),
        SparseRationalClassifier(n_wfsas=2, n_states=5, **shortest),
        SparseRationalClassifier(n_wfsas=2, readout="rho", **shortest),
        SparseRationalClassifier(n_wfsas=2, n_layers=2, **shortest),
        SparseLSTMClassifier(n_units=2, **shortest),
        SparseGRUClassifier(n_units=2, **shortest),
        ModuliRNNClassifier(n_hidden=2, **shortest),
    ):
        for X in (texts, texts.to_list()):
            clf.fit(X, [0, 1])
    explain(automata, texts)
