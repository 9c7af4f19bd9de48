"""``skrational vectors``: tables of word vectors, downloaded or learned."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skrational.cli.examples import read_examples
from skrational.cli.faults import Fault
from skrational.cli.files import (
    check_apart,
    check_writable,
    open_output,
    plain_suffix,
    shown_size,
)
from skrational.cli.messages import note

__all__ = ["get", "learn"]


def get(args: argparse.Namespace) -> None:
    """Download a table, or list those that there are."""
    from skrational.text.vectors.loading import fetch_vectors

    if args.name is None:
        _list_tables()
        return
    # gensim shows its progress on the standard output.
    with redirect_stdout(sys.stderr):
        path = fetch_vectors(args.name)
    print(path)
    note(f"{shown_size(str(path))}. Use it by --vectors {args.name}")


def learn(args: argparse.Namespace) -> None:
    """Learn a table from texts, and write it."""
    from skrational.text.word_vectors import WordVectorizer

    check_apart(args)
    check_writable(args.out)
    texts: list[str] = []
    for table in args.tables:
        texts += read_examples(table, args, needs_label=False).texts
    vectorizer = WordVectorizer(
        n_features=args.n_features, window=args.window, min_count=args.min_count
    ).fit(texts)
    learned = vectorizer.vocabulary(None)
    words, rows = np.asarray(learned.labels).tolist(), learned.features
    with open_output(args.out, text=False) as file:
        _write_word2vec(file, words, rows, binary=plain_suffix(args.out) == ".bin")
    print(f"{len(words):,} words of {rows.shape[1]} numbers, from {len(texts):,} texts")
    note(f"Wrote {args.out}. Use it by --vectors {args.out}")


def _list_tables() -> None:
    from gensim import downloader

    try:
        models: dict[str, Any] = downloader.info()["models"]
    except Exception as error:  # gensim raises bare Exception, too
        raise Fault(
            f"The list of tables can't be downloaded ({error}). Where there is no "
            "network, `skrational vectors learn` makes a table from texts."
        ) from error
    for name, about in sorted(models.items()):
        if not name.startswith("__"):
            size = about.get("file_size", 0) / 1e6
            print(f"{name:40} {about.get('num_records', 0):>9,} words {size:>6,.0f} MB")


def _write_word2vec(
    file: IO[bytes], words: Iterable[str], rows: NDArray[np.float32], binary: bool
) -> None:
    """Write a table as word2vec does.

    Parameters
    ----------
    file : file of bytes
    words : iterable of str
    rows : ndarray of shape (n_words, n_features), float32
    binary : bool
        Whether numbers are written as bytes, or as digits that tell all of a float32.
    """
    file.write("{} {}\n".format(*rows.shape).encode())
    for word, row in zip(words, rows, strict=True):
        numbers = row.tobytes() if binary else " ".join(map(str, row)).encode()
        file.write(word.encode() + b" " + numbers + b"\n")
