"""The texts and word vectors of long runs, vectorized once and kept on disk."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational import SequenceArray, WordVectorizer
from skrational.datasets import load_reviews, make_planted_patterns

SPLITS = ("train", "dev", "test")
PLANTED = "planted"
FILES = {
    "50-d": "glove.6B.50d.vocab.txt.gz",
    "300-d": "glove.840B.300d.q8.10k.txt.gz",
}
JOINED = "50-d and 300-d"
"""Both vectors of a word one after the other, zeros where it has only one."""
WITH_SUBWORDS = "50-d, 300-d and WordLlama"
"""Beside them the mean of the subwords that WordLlama cuts a word into."""
FIRST_TOKENS = {"imdb": 200}
"""Of these sets only the first tokens of a document are read."""

Texts = dict[str, tuple[list[str], NDArray[np.int64]]]
Features = dict[str, tuple[SequenceArray, NDArray[np.int64]]]


def load_texts(name: str, whole: bool = False) -> Texts:
    """Texts and labels of the three splits, long ones whole or cut."""
    if name != PLANTED:
        return {split: _read_split(name, split, whole) for split in SPLITS}
    data = _planted()
    parts = (slice(0, 200), slice(200, 300), slice(300, 500))
    return {
        split: (data.texts[part], data.y[part])
        for split, part in zip(SPLITS, parts, strict=True)
    }


def _read_split(
    name: str, split: str, whole: bool
) -> tuple[list[str], NDArray[np.int64]]:
    texts, labels = load_reviews(name, split)
    if name in FIRST_TOKENS and not whole:
        texts = [" ".join(text.split()[: FIRST_TOKENS[name]]) for text in texts]
    return texts, labels


def load_features(
    name: str, vectors: str, folder: Path, whole: bool = False
) -> Features:
    """Sequences and labels of the three splits, their features mapped into memory.

    Parameters
    ----------
    name, vectors : str
    folder : Path
        Where they are kept.
    whole : bool, default=False
        Whether long texts are not cut.
    """
    home = folder / "features" / name
    if not home.is_dir():
        _write(_vectorize(name, vectors, whole), home)
    rows = np.load(home / "rows.npy", mmap_mode="r")
    features = {}
    for split in SPLITS:
        with np.load(home / f"{split}.npz") as parts:
            X = SequenceArray(
                rows[: int(parts["n_rows"])], parts["offsets"], parts["indices"]
            )
            features[split] = X, parts["labels"]
    return features


def _vectorize(name: str, vectors: str, whole: bool) -> Features:
    texts = load_texts(name, whole)
    vectorizer = WordVectorizer(
        _word_vectors(vectors), lowercase=False, tokenizer=str.split
    )
    vectorizer.fit(texts["train"][0])
    return {
        split: (vectorizer.transform(texts[split][0]), texts[split][1])
        for split in SPLITS
    }


def _write(features: Features, home: Path) -> None:
    """All files or none: whoever is killed here leaves only the folder beside it."""
    unfinished = home.with_name(f"{home.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    # A vectorizer appends rows, so the last split has those of the others.
    np.save(unfinished / "rows.npy", features["test"][0].features)
    for split, (X, labels) in features.items():
        np.savez(
            unfinished / f"{split}.npz",
            n_rows=len(X.features),
            offsets=X.offsets,
            indices=X.indices,
            labels=labels,
        )
    os.replace(unfinished, home)


@functools.cache
def _word_vectors(vectors: str) -> Any:
    if vectors == PLANTED:
        return _planted().vectors
    if vectors == WITH_SUBWORDS:
        joined = _word_vectors(JOINED)
        return _join_units(joined, subword_means(list(joined.key_to_index)))
    if vectors != JOINED:
        return Path(os.environ["SKRATIONAL_DATA"], "vectors", FILES[vectors])
    return _join(*(_read(_word_vectors(part)) for part in FILES))


def subword_means(words: list[str]) -> Any:
    """A table of the mean of each word's subwords."""
    from gensim.models import KeyedVectors

    from skrational.text import StaticVectorizer

    X = StaticVectorizer("wordllama", unit_norm=False).fit_transform(words)
    means = np.zeros((len(words), X.n_features), np.float32)
    for i in np.flatnonzero(X.lengths):
        means[i] = X[i].mean(axis=0)
    table = KeyedVectors(X.n_features)
    table.add_vectors(words, means)
    return table


def _read(path: Path) -> Any:
    from gensim.models import KeyedVectors

    return KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=True)


def _join_units(joined: Any, table: Any) -> Any:
    """Join a table that has all words to one that is joined already."""
    from gensim.models import KeyedVectors

    words = list(joined.key_to_index)
    both = KeyedVectors(joined.vector_size + table.vector_size)
    both.add_vectors(words, np.hstack([joined.vectors, table.get_normed_vectors()]))
    return both


def _join(*tables: Any) -> Any:
    """Unit vectors of all tables side by side."""
    from gensim.models import KeyedVectors

    words = list(dict.fromkeys(word for table in tables for word in table.key_to_index))
    parts = [np.zeros((len(words), table.vector_size), np.float32) for table in tables]
    for part, table in zip(parts, tables, strict=True):
        known = [word in table.key_to_index for word in words]
        part[known] = table.get_normed_vectors()[
            [table.key_to_index[word] for word in words if word in table.key_to_index]
        ]
    joined = KeyedVectors(sum(table.vector_size for table in tables))
    joined.add_vectors(words, np.hstack(parts))
    return joined


@functools.cache
def _planted() -> Any:
    return make_planted_patterns(500, random_state=0)
