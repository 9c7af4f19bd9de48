"""What gensim saves: a pickle, and the large arrays in files beside it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import VectorFileError
from skrational.text.vectors.pickles import Array, Inert, read_pickle
from skrational.text.vectors.streams import naming_faults, open_content
from skrational.text.vectors.subwords import Subwords, SubwordTable
from skrational.text.vectors.tables import VectorTable
from skrational.utils.checks import is_integer
from skrational.utils.unpacking import bounded

__all__ = ["read_saved"]


def read_saved(path: Path) -> VectorTable:
    """Read what gensim's ``save`` wrote, without running code that it names.

    Parameters
    ----------
    path : Path
        The pickle of KeyedVectors, or of a model that has some, of any version of
        gensim. Arrays beside it are mapped into memory.

    Returns
    -------
    VectorTable, or SubwordTable for fastText's

    Raises
    ------
    VectorFileError
        If it's damaged, holds something else, or a file beside it isn't there.
    """
    with naming_faults(path), open_content(path) as stream:
        content = stream.read()
    saved = read_pickle(path, content)
    keyed, prefix = _find_keyed(saved, str(path))
    state = _State(path, keyed, prefix)
    index = _read_index(path, keyed)
    if state.has("vectors_ngrams") or state.has("syn0_ngrams"):
        return _read_subwords(path, state, index)
    return VectorTable(index, state.array("vectors", "syn0"), str(path))


def _find_keyed(saved: Any, prefix: str) -> tuple[Any, str]:
    """Return the part that holds words, and how the names of its files begin."""
    wv = getattr(saved, "wv", None)
    if isinstance(wv, Inert):
        return wv, f"{prefix}.wv"
    if not isinstance(saved, Inert):
        kind = type(saved).__name__
        holds = "an array" if isinstance(saved, Array) else f"a {kind}"
        raise VectorFileError(
            f"{prefix} is a pickle of {holds}; expected gensim's KeyedVectors. If you "
            "trust it, load it yourself and give a dict from words to vectors."
        )
    return saved, prefix


class _State:
    """The arrays of a saved object, in its pickle or beside it.

    Parameters
    ----------
    path : Path
        That of the pickle.
    keyed : Inert
    prefix : str
        How the names of the files beside it begin.
    """

    def __init__(self, path: Path, keyed: Inert, prefix: str) -> None:
        self.path, self.keyed, self._prefix = path, keyed, prefix
        self._beside = set(getattr(keyed, "__numpys", None) or ())

    def has(self, name: str) -> bool:
        """Whether there is such an array."""
        return name in self._beside or isinstance(
            getattr(self.keyed, name, None), Array
        )

    def array(self, *names: str) -> NDArray[Any]:
        """Return the first of the arrays that there is."""
        for name in names:
            if name in self._beside:
                return self._load(name)
            value = getattr(self.keyed, name, None)
            if isinstance(value, Array):
                try:
                    return value.open()
                except ValueError as error:
                    raise VectorFileError(
                        f"{self.path} holds an array that is damaged: {error}."
                    ) from error
        raise VectorFileError(
            f"{self.path} holds no array {names[0]!r}; expected gensim's KeyedVectors."
        )

    def _load(self, name: str) -> NDArray[Any]:
        # Beside a compressed pickle gensim compresses the arrays.
        packed = self.path.suffix in (".gz", ".bz2")
        beside = Path(f"{self._prefix}.{name}.{'npz' if packed else 'npy'}")
        try:
            if packed:
                return _read_packed(beside)
            mapped = np.lib.format.open_memmap(beside, mode="r")
        except FileNotFoundError as error:
            raise VectorFileError(
                f"{self.path} has its vectors in {beside}, which isn't there: put it "
                "beside the other, under this name."
            ) from error
        except Exception as error:  # whatever numpy says of a damaged file
            raise VectorFileError(f"{beside} is damaged: {error}") from error
        return np.asanyarray(mapped)


def _read_packed(path: Path) -> NDArray[Any]:
    """Read the only array of an archive; its header may announce anything."""
    with zipfile.ZipFile(path) as archive, archive.open("val.npy") as member:
        content = bounded(member, path).read()
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, by_columns, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds objects, not numbers")
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if by_columns else "C")


def _read_index(path: Path, keyed: Inert) -> dict[str, int]:
    index = getattr(keyed, "key_to_index", None)
    if not isinstance(index, dict):
        vocab = getattr(keyed, "vocab", None)
        if not isinstance(vocab, dict):
            raise VectorFileError(
                f"{path} is a pickle without words; expected gensim's KeyedVectors."
            )
        index = {word: getattr(entry, "index", None) for word, entry in vocab.items()}
    if not all(
        isinstance(word, str) and isinstance(row, (int, np.integer))
        for word, row in index.items()
    ):
        raise VectorFileError(f"{path} has keys that are no words (str).")
    return index


def _read_subwords(path: Path, state: _State, index: dict[str, int]) -> VectorTable:
    keyed = state.keyed
    if not getattr(keyed, "compatible_hash", False) or hasattr(keyed, "hash2index"):
        raise VectorFileError(
            f"{path} holds n-grams as gensim kept them before version 4: load it with "
            "gensim, and save its words alone by save_word2vec_format."
        )
    words = state.array("vectors_vocab")
    n_buckets, *lengths = (
        _integer(path, keyed, name) for name in ("bucket", "min_n", "max_n")
    )
    if not n_buckets:
        return VectorTable(index, words, str(path))
    ngrams = state.array("vectors_ngrams")
    if len(ngrams) != n_buckets or ngrams.shape[1:] != words.shape[1:]:
        raise VectorFileError(
            f"{path} has n-grams of shape {ngrams.shape}; expected ({n_buckets}, "
            f"{words.shape[-1]})."
        )
    subwords = Subwords(ngrams, *lengths)
    return SubwordTable(index, words, str(path), subwords=subwords, whole=False)


def _integer(path: Path, keyed: Inert, name: str) -> int:
    value = getattr(keyed, name, None)
    if not is_integer(value):
        raise VectorFileError(f"{path} has a {name!r} of {value!r}; expected a number.")
    return int(value)  # type: ignore[arg-type]
