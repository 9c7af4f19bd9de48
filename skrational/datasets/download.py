"""Download of archives: checked, atomic, and once.

An archive appears under its name only when it is complete and its SHA-256 is the
expected one. The expected one is, in this order: what the caller passes; what is known
of the archive; what was recorded beside the file at its first use. Without any of them
the first download is taken on trust and its SHA-256 is recorded.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import tempfile
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from numbers import Integral, Real
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError

from skrational.exceptions import DatasetNotFoundError

__all__ = ["ARCHIVES", "Archive", "clear_data_home", "fetch_archive", "get_data_home"]

logger = logging.getLogger(__name__)

_BLOCK = 1 << 20  # bytes
_TIMEOUT = 30.0  # seconds without an answer
_PASSING = (408, 429, 500, 502, 503, 504)  # HTTP errors that are worth a retry
_CONNECTION_ERRORS = (URLError, ConnectionError, TimeoutError, HTTPException)
_RECORD = ".sha256"


@dataclass(frozen=True)
class Archive:
    """A file to download.

    Attributes
    ----------
    filename : str
        Its name in the data home.
    url : str
        Where it is published.
    sha256 : str or None
        Its SHA-256 in hexadecimal digits, None if unknown.
    """

    filename: str
    url: str
    sha256: str | None = None


ARCHIVES = {
    # No SHA-256 of this archive is published: its first download is taken on trust.
    "amazon_reviews": Archive(
        "domain_sentiment_data.tar.gz",
        "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/domain_sentiment_data.tar.gz",
    ),
    # SHA-256 as in the Hugging Face dataset "sst" (dataset_infos.json).
    "sst2": Archive(
        "trainDevTestTrees_PTB.zip",
        "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
        "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc",
    ),
}


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of downloaded data sets; make it if it does not exist.

    Parameters
    ----------
    data_home : path, default=None
        The folder. None: the environment variable ``SKRATIONAL_HOME``, else
        ``skrational/datasets`` in ``XDG_CACHE_HOME``, else in ``~/.cache``.

    Returns
    -------
    Path
        The folder, "~" expanded.

    Examples
    --------
    >>> import tempfile
    >>> from skrational.datasets import get_data_home
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     home = get_data_home(folder + "/new")
    ...     home.is_dir()
    True
    """
    if data_home is None:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        data_home = os.environ.get("SKRATIONAL_HOME") or f"{cache}/skrational/datasets"
    home = Path(data_home).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    return home


def clear_data_home(data_home: str | os.PathLike[str] | None = None) -> None:
    """Delete the downloaded archives and their recorded checksums.

    Other files in the folder stay, as does the folder.

    Parameters
    ----------
    data_home : path, default=None
        The folder, as in `get_data_home`.

    Examples
    --------
    >>> import tempfile
    >>> from skrational.datasets import clear_data_home
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clear_data_home(folder)
    """
    home = get_data_home(data_home)
    for name in (archive.filename for archive in ARCHIVES.values()):
        for file in (
            home / name,
            home / (name + _RECORD),
            *home.glob(f"{name}.*.part"),
        ):
            file.unlink(missing_ok=True)


def fetch_archive(
    archive: Archive,
    *,
    data_home: str | os.PathLike[str] | None = None,
    download_if_missing: bool = True,
    url: str | None = None,
    checksum: str | None = None,
    n_retries: int = 3,
    delay: float = 1.0,
) -> Path:
    """Return the path of an archive; download it if it is not there.

    Parameters
    ----------
    archive : Archive
        The file.
    data_home : path, default=None
        The folder, as in `get_data_home`.
    download_if_missing : bool, default=True
        Whether to download a file that is not in the folder.
    url : str, default=None
        Another place to download from (http, https or file). None: ``archive.url``.
    checksum : str, default=None
        The SHA-256 that the file must have, 64 hexadecimal digits. None: the known one,
        else the one recorded at the first use.
    n_retries : int, default=3
        Attempts after the first one, if the connection fails.
    delay : float, default=1.0
        Seconds between two attempts.

    Returns
    -------
    Path
        The archive, complete and with the expected SHA-256.

    Raises
    ------
    DatasetNotFoundError
        (an OSError) if the file is neither there nor to be had.
    OSError
        If the SHA-256 is not the expected one; a download is then deleted.
    ValueError, TypeError
        If a parameter is out of range.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     there = pathlib.Path(home, "there")
    ...     _ = there.write_text("reviews")
    ...     fetch_archive(Archive("here", there.as_uri()), data_home=home).read_text()
    'reviews'
    """
    source = archive.url if url is None else url
    _check_parameters(source, checksum, n_retries, delay)
    path = get_data_home(data_home) / archive.filename
    record = path.with_name(path.name + _RECORD)
    expected = (checksum or archive.sha256 or _recorded(record) or "").lower()
    if path.is_file():
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        _compare(path, found, expected, record, "Delete the file to download it again.")
    elif download_if_missing:
        found = _download_with_retries(
            source, path, expected, record, int(n_retries), delay
        )
    else:
        raise DatasetNotFoundError(
            f"{path} does not exist. Pass download_if_missing=True to download it, or "
            f"put {source} there."
        )
    if _recorded(record) != found:
        _write_record(record, found, path.name)
    return path


def _check_parameters(
    url: str, checksum: str | None, n_retries: int, delay: float
) -> None:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https", "file"):
        raise ValueError(f"url must begin with http, https or file; got {url!r}.")
    if checksum is not None and not re.fullmatch("[0-9a-fA-F]{64}", checksum):
        raise ValueError(
            f"checksum must be a SHA-256, 64 hexadecimal digits; got {checksum!r}."
        )
    if not isinstance(n_retries, Integral):
        raise TypeError(f"n_retries must be an integer; got {n_retries!r}.")
    if not isinstance(delay, Real):
        raise TypeError(f"delay must be a number of seconds; got {delay!r}.")
    if n_retries < 0 or delay < 0:
        raise ValueError(
            f"n_retries and delay must not be negative; got {n_retries} and {delay}."
        )


def _download_with_retries(
    url: str, path: Path, expected: str, record: Path, n_retries: int, delay: float
) -> str:
    for attempt in range(n_retries + 1):
        if attempt:
            logger.warning("Download of %s failed; trying again.", url)
            time.sleep(delay)
        try:
            return _download(url, path, expected, record)
        except _CONNECTION_ERRORS as error:
            failure = error
        if isinstance(failure, HTTPError):
            failure.close()
            if failure.code not in _PASSING:
                break
    raise DatasetNotFoundError(
        f"could not download {url} in {attempt + 1} attempt(s): {failure}. If this "
        f"machine is offline, download the file elsewhere and save it as {path}."
    ) from failure


def _download(url: str, path: Path, expected: str, record: Path) -> str:
    """Download to a temporary file, check it, then move it to ``path``."""
    logger.info("Downloading %s to %s.", url, path)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=path.name + ".", suffix=".part"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            found = _transfer(url, file)
        _compare(path, found, expected, record, "The download was deleted.")
        os.replace(name, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    return found


def _transfer(url: str, file: BinaryIO) -> str:
    """Copy the file at ``url``; return its SHA-256."""
    digest = hashlib.sha256()
    size = 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
        while block := response.read(_BLOCK):
            file.write(block)
            digest.update(block)
            size += len(block)
        promised = response.headers.get("Content-Length")
    # urllib reports no error if the connection closes early.
    if promised is not None and size != int(promised):
        raise ConnectionError(f"the transfer ended after {size} of {promised} bytes")
    return digest.hexdigest()


def _compare(path: Path, found: str, expected: str, record: Path, hint: str) -> None:
    if expected and found != expected:
        origin = f" by {record.name}" if _recorded(record) == expected else ""
        raise OSError(
            f"{path.name} has the SHA-256 {found}, but {expected} is expected"
            f"{origin}. The file is damaged or has changed. {hint}"
        )


def _recorded(record: Path) -> str | None:
    words = record.read_text("utf-8").split() if record.is_file() else []
    return words[0] if words else None


def _write_record(record: Path, digest: str, filename: str) -> None:
    # The format of sha256sum, so that "sha256sum --check" reads it.
    partial = record.with_name(f"{record.name}.{os.getpid()}.part")
    partial.write_text(f"{digest}  {filename}\n", "utf-8")
    os.replace(partial, record)
