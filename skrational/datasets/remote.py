"""Public sentiment sets, downloaded once and parsed from their archives."""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from sklearn.utils import Bunch

from skrational.datasets.download import ARCHIVES, fetch_archive
from skrational.utils.unpacking import bounded, most_unpacked

__all__ = ["fetch_amazon_reviews", "fetch_sst2"]

_DOMAINS = ("books", "dvd", "electronics", "kitchen_&_housewares")
_SPLITS = ("train", "dev", "test")
_POLARITIES = ["negative", "positive"]
_REVIEW = re.compile(r"<review_text>(.*?)</review_text>", re.DOTALL)
_TREE = re.compile(r"\(([0-4]) .+\)")
_LEAF = re.compile(r"\([0-4] ([^ ()]+)\)")
_ESCAPES = {"-LRB-": "(", "-RRB-": ")", r"\/": "/", r"\*": "*"}
_ESCAPED = re.compile("|".join(map(re.escape, _ESCAPES)))


def fetch_amazon_reviews(
    domain: str = "kitchen_&_housewares",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    url: str | None = None,
    checksum: str | None = None,
    n_retries: int = 3,
    delay: float = 1.0,
) -> Any:
    """Load Amazon product reviews of one domain; download them if necessary.

    The Multi-Domain Sentiment Dataset, version 2.0 [1]_: 1000 negative reviews (1 or 2
    stars) and 1000 positive ones (4 or 5 stars) of each domain, as they were written.
    There is no official split, and a few reviews occur more than once: keep copies on
    one side of a split.

    Parameters
    ----------
    domain : str, default="kitchen_&_housewares"
        "books", "dvd", "electronics" or "kitchen_&_housewares".
    data_home : path, default=None
        Folder of the archive, as in `get_data_home`.
    download_if_missing : bool, default=True
        Whether to download the archive (about 30 MB) if it is not there.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    url : str, default=None
        Another place to download the archive from. None: the official one.
    checksum : str, default=None
        SHA-256 that the archive must have. None: see Notes.
    n_retries : int, default=3
        Attempts after the first one, if the connection fails.
    delay : float, default=1.0
        Seconds between two attempts.

    Returns
    -------
    sklearn.utils.Bunch
        ``data`` (list of str), ``target`` (ndarray of int64: 0 negative, 1 positive),
        ``target_names`` and ``filename`` (the archive). With ``return_X_y``, the tuple
        ``(data, target)``.

    Raises
    ------
    DatasetNotFoundError
        (an OSError) if the archive is neither there nor to be downloaded; the message
        says where to put it by hand.
    OSError
        If the archive has not the expected SHA-256.
    ValueError
        If a parameter is out of range, or the archive holds no such reviews.

    Notes
    -----
    No checksum of this archive is published. Its first download is taken on trust, over
    https; its SHA-256 is recorded beside it (``domain_sentiment_data.tar.gz.sha256``)
    and every later load and download must have the same one.

    References
    ----------
    .. [1] Blitzer, Dredze, Pereira. "Biographies, Bollywood, Boom-boxes and Blenders:
       Domain Adaptation for Sentiment Classification", ACL 2007.

    Examples
    --------
    >>> from skrational.datasets import fetch_amazon_reviews
    >>> reviews = fetch_amazon_reviews("books")  # doctest: +SKIP
    >>> len(reviews.data), reviews.target_names  # doctest: +SKIP
    (2000, ['negative', 'positive'])
    """
    if domain not in _DOMAINS:
        raise ValueError(
            f"domain must be one of {', '.join(_DOMAINS)}; got {domain!r}."
        )
    path = fetch_archive(
        ARCHIVES["amazon_reviews"],
        data_home=data_home,
        download_if_missing=download_if_missing,
        url=url,
        checksum=checksum,
        n_retries=n_retries,
        delay=delay,
    )
    files = _read_tar(path, domain, [f"{p}.review" for p in _POLARITIES])
    data: list[str] = []
    target: list[int] = []
    for label, content in enumerate(files):
        # Every byte is a character of Latin-1; the files name no encoding.
        texts = [text.strip() for text in _REVIEW.findall(content.decode("latin-1"))]
        if not texts or len(texts) != content.count(b"<review>"):
            raise ValueError(
                f"{path}: {domain}/{_POLARITIES[label]}.review has {len(texts)} texts "
                f"in {content.count(b'<review>')} reviews."
            )
        data += texts
        target += [label] * len(texts)
    return _answer(data, target, path, return_X_y)


def fetch_sst2(
    split: str = "train",
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    url: str | None = None,
    checksum: str | None = None,
    n_retries: int = 3,
    delay: float = 1.0,
) -> Any:
    """Load binary movie-review sentences (SST-2); download them if necessary.

    Whole sentences of the Stanford Sentiment Treebank [1]_ in its official split, 6920,
    872 and 1821 of them: labels 0 and 1 are negative, 3 and 4 positive, neutral
    sentences are left out. The archive is that of the treebank, because the test split
    of SST-2 in GLUE has no labels.

    Parameters
    ----------
    split : {"train", "dev", "test"}, default="train"
        The split.
    data_home : path, default=None
        Folder of the archive, as in `get_data_home`.
    download_if_missing : bool, default=True
        Whether to download the archive (0.8 MB) if it is not there.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    url : str, default=None
        Another place to download the archive from. None: the official one.
    checksum : str, default=None
        SHA-256 that the archive must have. None: the known one.
    n_retries : int, default=3
        Attempts after the first one, if the connection fails.
    delay : float, default=1.0
        Seconds between two attempts.

    Returns
    -------
    sklearn.utils.Bunch
        ``data`` (list of str, tokens separated by spaces, original case), ``target``
        (ndarray of int64: 0 negative, 1 positive), ``target_names`` and ``filename``
        (the archive). With ``return_X_y``, the tuple ``(data, target)``.

    Raises
    ------
    DatasetNotFoundError
        (an OSError) if the archive is neither there nor to be downloaded; the message
        says where to put it by hand.
    OSError
        If the archive has not the expected SHA-256.
    ValueError
        If a parameter is out of range, or the archive holds no such sentences.

    References
    ----------
    .. [1] Socher et al. "Recursive Deep Models for Semantic Compositionality Over a
       Sentiment Treebank", EMNLP 2013.

    Examples
    --------
    >>> from skrational.datasets import fetch_sst2
    >>> X, y = fetch_sst2("dev", return_X_y=True)  # doctest: +SKIP
    >>> len(X)  # doctest: +SKIP
    872
    """
    if split not in _SPLITS:
        raise ValueError(f"split must be one of {', '.join(_SPLITS)}; got {split!r}.")
    path = fetch_archive(
        ARCHIVES["sst2"],
        data_home=data_home,
        download_if_missing=download_if_missing,
        url=url,
        checksum=checksum,
        n_retries=n_retries,
        delay=delay,
    )
    data: list[str] = []
    target: list[int] = []
    content = _read_zip(path, f"trees/{split}.txt")
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise _damaged(path, f"trees/{split}.txt: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        label, text = _read_tree(line.strip(), f"{path}, {split}.txt, line {number}")
        if label != 2:
            data.append(text)
            target.append(int(label > 2))
    if not data:
        raise _damaged(path, f"trees/{split}.txt has no sentence with a polarity")
    return _answer(data, target, path, return_X_y)


def _answer(data: list[str], target: list[int], path: Path, return_X_y: bool) -> Any:
    """Put texts and labels into the form that was asked for.

    Parameters
    ----------
    data : list of str, length n
    target : list of int, length n
    path : Path
        Of the archive.
    return_X_y : bool
    """
    y = np.array(target, dtype=np.int64)
    if return_X_y:
        return data, y
    return Bunch(
        data=data, target=y, target_names=list(_POLARITIES), filename=str(path)
    )


def _read_tree(line: str, place: str) -> tuple[int, str]:
    """Return the label of the root and the leaves of a tree in brackets."""
    root = _TREE.fullmatch(line)
    leaves = _LEAF.findall(line)
    if not root or line.count("(") != line.count(")") or not leaves:
        raise ValueError(f"{place} is no tree with labels 0 to 4: {line[:60]!r}.")
    words = [_ESCAPED.sub(lambda m: _ESCAPES[m.group()], leaf) for leaf in leaves]
    return int(root[1]), " ".join(words)


def _read_tar(path: Path, folder: str, names: list[str]) -> list[bytes]:
    """Read members of a tar.gz into memory; nothing is extracted to disk."""
    contents: dict[str, bytes] = {}
    most = most_unpacked(path)
    with _opened(path) as raw, bounded(gzip.open(raw), path) as unpacked:
        for member in (archive := tarfile.open(fileobj=unpacked, mode="r|")):
            parts = PurePosixPath(member.name).parts
            if parts[-2:-1] == (folder,) and parts[-1] in names:
                if member.size > most:  # room would be made for all of it
                    raise ValueError(f"{member.name} can't have {member.size} bytes")
                file = archive.extractfile(member)
                contents[parts[-1]] = file.read() if file else b""
        while unpacked.read(2**20):
            pass  # to the end, where the checksum is
    missing = [name for name in names if name not in contents]
    if missing:
        raise _damaged(path, f"there is no {folder}/{missing[0]}")
    return [contents[name] for name in names]


def _read_zip(path: Path, name: str) -> bytes:
    """Read a member of a zip into memory; nothing is extracted to disk."""
    with _opened(path) as raw, zipfile.ZipFile(raw) as archive:
        if name not in archive.namelist():
            raise ValueError(f"there is no {name}")
        with archive.open(name) as member:
            return bounded(member, path).read()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open an archive; whatever reading it raises becomes one error, which names it."""
    with path.open("rb") as file:
        try:
            yield file
        except Exception as error:  # there is no end to what damage can raise
            raise _damaged(path, str(error) or type(error).__name__) from error


def _damaged(path: Path, what: str) -> ValueError:
    return ValueError(
        f"{path} is not the archive that was expected: {what}. clear_data_home() "
        "deletes it with its recorded checksum, so that it is downloaded again."
    )
