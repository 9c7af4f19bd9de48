"""Static models, loaded once in a process for all vectorizers that ask for them."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.static_models.files import ModelFiles, find_files
from skrational.text.static_models.labels import find_unknown_token, label_writer
from skrational.text.static_models.matrix import Matrix, read_matrix
from skrational.text.vectors.tables import check_finite
from skrational.text.words.places import without_spaces
from skrational.utils.files import checksum
from skrational.utils.fork_locks import Lock

__all__ = ["StaticModel", "forget_models", "load_model"]

# While one model is searched over, another may be compared with it.
_MOST_LOADED = 2
# Rows that tell one matrix from another.
_SAMPLE = 256

_lock = Lock(delays_forks=False)


@dataclass(frozen=True, eq=False)
class StaticModel:
    """A tokenizer, and a vector for each of its subwords.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Which neither pads nor truncates.
    matrix : Matrix
    write_label : callable
        From a subword of the vocabulary to its label.
    unknown : int or None
        The number of the subword for what isn't known; None: there is none.
    fingerprint : str
        What tells this model from another.
    source : str
        What messages call the matrix: the path of its file.
    """

    tokenizer: Any
    matrix: Matrix
    write_label: Callable[[str], str]
    unknown: int | None
    fingerprint: str
    source: str

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of the subwords of texts, without special tokens."""
        known = list(map(_without_surrogates, texts))
        with self._naming_faults():
            encoded = self.tokenizer.encode_batch_fast(known, add_special_tokens=False)
        return [encoding.ids for encoding in encoded]

    def places(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the numbers of a text's subwords, and where each begins and ends."""
        known = _without_surrogates(text)
        with self._naming_faults():
            encoding = self.tokenizer.encode(known, add_special_tokens=False)
        return encoding.ids, without_spaces(text, encoding.offsets)

    @contextmanager
    def _naming_faults(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # tokenizers raises bare Exception
            raise ValueError(
                f"The tokenizer beside {self.source} is damaged: it can't read a text "
                f"({error})."
            ) from error

    def labels(self, numbers: NDArray[np.integer]) -> list[str]:
        """Return the labels of subwords."""
        names = map(self.tokenizer.id_to_token, numbers.tolist())
        return [self.write_label(name) for name in names]

    def take(self, numbers: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors of subwords.

        Parameters
        ----------
        numbers : ndarray of shape (n,), integer

        Returns
        -------
        ndarray of shape (n, n_features), float32

        Raises
        ------
        ValueError
            If one of them holds NaN or infinity; the message names the subword.
        """
        rows = self.matrix.take(numbers)
        return check_finite(rows, self.labels(numbers), self.source)


def load_model(
    model: str | os.PathLike[str], revision: str | None
) -> tuple[StaticModel, str]:
    """Find and open a model, or get it from those that are open.

    Parameters
    ----------
    model : str or path-like
        As the parameter of `StaticVectorizer`.
    revision : str or None
        A branch, a tag or a commit on the hub; or the fingerprint that the model of a
        folder must have.

    Returns
    -------
    model : StaticModel
    revision : str
        The commit on the hub, or the fingerprint.

    Raises
    ------
    ImportError
        If tokenizers or safetensors isn't installed, or the package with the files.
    FileNotFoundError
        If there is no such model.
    ValueError
        If its files are damaged, don't fit together or are those of another kind of
        model; or it has another fingerprint.
    """
    _check_installed()
    files = find_files(model, revision)
    stats = [path.stat() for path in (files.tokenizer, files.weights)]
    state = tuple((stat.st_size, stat.st_mtime_ns) for stat in stats)
    with _lock.held:
        opened = _open(files, state)
    if files.commit is not None:
        return opened, files.commit
    if revision not in (None, opened.fingerprint):
        raise ValueError(
            f"model={str(model)!r} is another model (fingerprint "
            f"{opened.fingerprint[:12]}...) than revision={revision!r}; expected that "
            "fingerprint, or None for whatever the folder holds."
        )
    return opened, opened.fingerprint


def forget_models() -> None:
    """Release the models that this process keeps for the next vectorizer."""
    with _lock.held:
        _open.cache_clear()


def _check_installed() -> None:
    try:
        import safetensors  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "StaticVectorizer needs tokenizers and safetensors: "
            "pip install 'skrational[static]'"
        ) from error


@functools.lru_cache(maxsize=_MOST_LOADED)
def _open(files: ModelFiles, state: tuple[tuple[int, int], ...]) -> StaticModel:
    """Open the files of a model; their state tells when to do so again."""
    matrix = read_matrix(files.weights)
    tokenizer, content = _read_tokenizer(files.tokenizer)
    spec = json.loads(content)
    n_numbers = 1 + max(tokenizer.get_vocab().values(), default=-1)
    if n_numbers != len(matrix):
        raise ValueError(
            f"{files.weights} has vectors of {len(matrix)} subwords, but "
            f"{files.tokenizer} gives subwords the numbers 0 to {n_numbers - 1}: the "
            "files are damaged, or of two models."
        )
    unknown = find_unknown_token(spec)
    return StaticModel(
        tokenizer,
        matrix,
        label_writer(spec),
        None if unknown is None else tokenizer.token_to_id(unknown),
        _fingerprint(content, matrix),
        str(files.weights),
    )


def _read_tokenizer(path: Path) -> tuple[Any, bytes]:
    """Return a tokenizer that does the same at each call, and the file's content."""
    from tokenizers import Tokenizer

    content = path.read_bytes()
    try:
        tokenizer = Tokenizer.from_str(content.decode())
    except Exception as error:  # tokenizers raises bare Exception
        raise ValueError(
            f"{path} is no file of a tokenizer, or damaged: {error}."
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if getattr(tokenizer.model, "dropout", None) is not None:
        tokenizer.model.dropout = None
    return tokenizer, content


def _fingerprint(tokenizer: bytes, matrix: Matrix) -> str:
    step = max(1, len(matrix) // _SAMPLE)
    sample = matrix.take(np.arange(0, len(matrix), step))
    shape = f"{len(matrix)} {matrix.vectors.shape} {matrix.vectors.dtype}"
    return checksum(tokenizer, shape.encode(), sample.tobytes())


def _without_surrogates(text: str) -> str:
    """Replace what is no character to a tokenizer."""
    if text.isascii():
        return text
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
