"""Text sets that already lie in a folder of this machine."""

from __future__ import annotations

import gzip
import io
import os
import re
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from reprlib import repr as cut_repr
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import DatasetNotFoundError
from skrational.utils.files import expanded
from skrational.utils.unpacking import BombError, bounded

__all__ = ["Reviews", "data_folder", "load_reviews", "reviews_available"]

_SPLITS = ("train", "dev", "test")
_VARIABLE = "SKRATIONAL_DATA"
_LABEL = re.compile(r"[+-]?[0-9]{1,19}")
_NAME = re.compile(r"[^\W\d_][^\t\r\n]{0,199}")
_LABELS = np.iinfo(np.int64)
_LONGEST = 2**24


class Reviews(NamedTuple):
    """Texts and labels of one split; unpacks as ``texts, labels``.

    Attributes
    ----------
    texts : list of str
        The documents, tokens separated by spaces.
    labels : ndarray of shape (n_documents,), int64 or str
        The class of each document.

    Examples
    --------
    >>> texts, labels = Reviews(["works well", "not worth it"], np.array([1, 0]))
    >>> texts[labels.argmax()]
    'works well'
    """

    texts: list[str]
    labels: NDArray[Any]


def data_folder() -> Path | None:
    """Return the folder that the variable ``SKRATIONAL_DATA`` names.

    Returns
    -------
    Path or None
        None if the variable is not set or names no folder.

    Examples
    --------
    >>> from skrational.datasets import data_folder, reviews_available
    >>> (data_folder() is not None) == reviews_available()
    True
    """
    value = os.environ.get(_VARIABLE)
    return Path(value) if value and Path(value).is_dir() else None


def reviews_available() -> bool:
    """Whether `load_reviews` has a folder to read, for instance to skip a test.

    Returns
    -------
    bool

    Examples
    --------
    >>> from skrational.datasets import reviews_available
    >>> reviews_available() in (True, False)
    True
    """
    return data_folder() is not None


def load_reviews(
    name: str,
    split: str = "train",
    *,
    data_home: str | os.PathLike[str] | None = None,
    raw: bool = False,
) -> Reviews:
    r"""Read one split of a labelled text set from a local folder.

    The folder holds ``<name>/<split>.tsv.gz``: UTF-8, one document a line, as
    ``label<TAB>text`` without a header. Labels are integers of 64 bits, or
    names, of which the first letter is one: what the first line has, all have.

    Parameters
    ----------
    name : str
        Name of the set, that is, of its folder.
    split : {"train", "dev", "test"}, default="train"
        The split.
    data_home : path, default=None
        The folder of all sets. None: the folder that the environment variable
        ``SKRATIONAL_DATA`` names.
    raw : bool, default=False
        Read ``<name>/raw/<split>.tsv.gz`` instead: the same documents in their original
        case and punctuation, where a set has them.

    Returns
    -------
    Reviews
        A named tuple: ``texts`` (list of str), ``labels`` (ndarray of int64 or str).

    Raises
    ------
    DatasetNotFoundError
        (an OSError) if the folder, the set or the file is missing; the message lists
        the names that there are.
    ValueError
        If ``split`` is not one of the three, or the file is damaged; the message names
        the file and the line.

    Examples
    --------
    >>> import gzip, pathlib, tempfile
    >>> from skrational.datasets import load_reviews
    >>> home = tempfile.TemporaryDirectory()
    >>> folder = pathlib.Path(home.name) / "toasters"
    >>> folder.mkdir()
    >>> lines = b"1\tworks well\n0\tnot worth it\n"
    >>> _ = (folder / "train.tsv.gz").write_bytes(gzip.compress(lines))
    >>> texts, labels = load_reviews("toasters", data_home=home.name)
    >>> texts, labels
    (['works well', 'not worth it'], array([1, 0]))
    >>> home.cleanup()
    """
    if split not in _SPLITS:
        raise ValueError(f"split must be one of {', '.join(_SPLITS)}; got {split!r}.")
    home = _home(data_home)
    available = _names(home)
    if name not in available:
        raise DatasetNotFoundError(
            f"there is no set {name!r} in {home}; available: "
            f"{', '.join(available) or 'none'}."
        )
    folder = home / name / "raw" if raw else home / name
    path = folder / f"{split}.tsv.gz"
    if not path.is_file():
        fault = "is no file" if path.exists() else "does not exist"
        hint = " Not every set has its original text: try raw=False." if raw else ""
        raise DatasetNotFoundError(f"{path} {fault}.{hint}")
    return _read(path)


def _home(data_home: str | os.PathLike[str] | None) -> Path:
    if data_home is not None:
        home = expanded(data_home)
        if not home.is_dir():
            raise DatasetNotFoundError(f"data_home={str(data_home)!r} is no folder.")
        return home
    folder = data_folder()
    if folder is None:
        value = os.environ.get(_VARIABLE)
        state = f"names no folder ({value!r})" if value else "is not set"
        raise DatasetNotFoundError(
            f"the environment variable {_VARIABLE} {state}: set it to the folder of "
            "the text sets, or pass data_home."
        )
    return folder


def _names(home: Path) -> list[str]:
    return sorted(
        folder.name
        for folder in home.iterdir()
        if any((folder / f"{split}.tsv.gz").is_file() for split in _SPLITS)
    )


def _read(path: Path) -> Reviews:
    texts: list[str] = []
    labels: list[Any] = []
    read_label: Callable[[str], Any] = _read_label
    try:
        # Only "\n" ends a line, perhaps after "\r"; others may stand inside a text.
        with (
            bounded(gzip.open(path), path) as content,
            io.TextIOWrapper(content, "utf-8-sig", newline="\n") as file,
        ):
            for line in iter(partial(file.readline, _LONGEST), ""):
                if len(line) == _LONGEST:
                    raise ValueError(f"it has {_LONGEST:,} characters or more")
                label, tab, text = (
                    line.removesuffix("\n").removesuffix("\r").partition("\t")
                )
                if not tab:
                    raise ValueError("no tab between label and text")
                if not labels and _NAME.fullmatch(label):
                    read_label = _read_name
                labels.append(read_label(label))
                texts.append(text)
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is damaged after line {len(texts)}: {error}. Copy it again."
        ) from error
    except BombError:
        raise
    except ValueError as error:
        raise ValueError(
            f"{path}, line {len(texts) + 1}: {error}; expected 'label<TAB>text' with "
            "an integer label, or names in all lines."
        ) from error
    if not texts:
        raise ValueError(f"{path} holds no line; expected 'label<TAB>text'.")
    kind = np.int64 if read_label is _read_label else np.str_
    return Reviews(texts, np.array(labels, dtype=kind))


def _read_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"the label is {cut_repr(text)}")
    return text


def _read_label(text: str) -> int:
    # int() would read digits of any script, spaces around them and 1_0.
    if not _LABEL.fullmatch(text) or not _LABELS.min <= int(text) <= _LABELS.max:
        raise ValueError(f"the label is {cut_repr(text)}")
    return int(text)
