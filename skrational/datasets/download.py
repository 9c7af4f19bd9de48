"""Download of archives: checked, atomic, and once.

An archive appears under its name only when it is complete and its SHA-256 is the
expected one. The expected one is, in this order: what the caller passes; what is known
of the archive; what was recorded beside the file at its first use. Without any of them
the first download is taken on trust and its SHA-256 is recorded.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from http.client import HTTPException
from numbers import Real
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from sklearn.datasets import fetch_file

from skrational.exceptions import DatasetNotFoundError
from skrational.utils.checks import is_integer
from skrational.utils.files import cache_root, expanded, replaced_file, unfinished_files

__all__ = ["ARCHIVES", "Archive", "clear_data_home", "fetch_archive", "get_data_home"]

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

    Examples
    --------
    >>> Archive("reviews.zip", "https://example.org/reviews.zip").sha256 is None
    True
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
        home = cache_root("SKRATIONAL_HOME", "datasets")
    else:
        home = expanded(data_home)
    if home.is_file():
        raise NotADirectoryError(
            f"data_home={str(home)!r} is a file; expected a folder."
        )
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
    for path in (home / archive.filename for archive in ARCHIVES.values()):
        record = _record_of(path)
        # scikit-learn names its unfinished downloads otherwise than we do.
        unfinished = [*home.glob(f"{path.name}.part_*"), *unfinished_files(record)]
        for file in (path, record, *unfinished):
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
    for there in (path, _record_of(path)):
        if there.is_dir():
            raise IsADirectoryError(f"{there} is a folder; expected a file.")
    known = checksum or archive.sha256
    recorded = _recorded(path, needed=not known)
    expected = (known or recorded or "").lower()
    if path.is_file():
        _check_file(path, expected, by_record=not known)
    elif download_if_missing:
        _download(source, path, expected, int(n_retries), delay)
    else:
        raise DatasetNotFoundError(
            f"{path} does not exist. Pass download_if_missing=True to download it, or "
            f"put {source} there."
        )
    found = expected or _sha256(path)
    if recorded != found:
        # The format of sha256sum, so that "sha256sum --check" reads it.
        with replaced_file(_record_of(path), "w", encoding="utf-8") as file:
            file.write(f"{found}  {path.name}\n")
    return path


def _check_parameters(
    url: str, checksum: str | None, n_retries: int, delay: float
) -> None:
    """Check the parameters of `fetch_archive` that have these names.

    Parameters
    ----------
    url : str
    checksum : str or None
    n_retries : int
    delay : float
    """
    if urlsplit(url).scheme not in ("http", "https", "file"):
        raise ValueError(f"url must begin with http, https or file; got {url!r}.")
    if checksum is not None and not re.fullmatch("[0-9a-fA-F]{64}", checksum):
        raise ValueError(
            f"checksum must be a SHA-256, 64 hexadecimal digits; got {checksum!r}."
        )
    if not is_integer(n_retries):
        raise TypeError(f"n_retries must be an integer; got {n_retries!r}.")
    if not isinstance(delay, Real):
        raise TypeError(f"delay must be a number of seconds; got {delay!r}.")
    if n_retries < 0 or delay < 0:
        raise ValueError(
            f"n_retries and delay must not be negative; got {n_retries} and {delay}."
        )


def _download(
    url: str, path: Path, expected: str, n_retries: int, delay: float
) -> None:
    """Download a file, which appears when it is complete and as expected.

    Parameters
    ----------
    url : str
    path : Path
        The name under which it appears.
    expected : str
        Its SHA-256; "": whatever it is.
    n_retries : int
    delay : float
        Seconds between two attempts.
    """
    # scikit-learn asks for the name of a host.
    url = re.sub("^file:///", "file://localhost/", url)
    options = {"sha256": expected or None, "n_retries": n_retries, "delay": delay}
    try:
        fetch_file(url, path.parent, path.name, **options)
    except _CONNECTION_ERRORS as error:
        if isinstance(error, HTTPError):
            error.close()
        raise DatasetNotFoundError(
            f"could not download {url}: {error}. If this machine is offline, download "
            f"the file elsewhere and save it as {path}."
        ) from error


def _check_file(path: Path, expected: str, by_record: bool) -> None:
    found = _sha256(path)
    if expected and found != expected:
        record = _record_of(path).name
        by, too = (f" by {record}", f" and {record}") if by_record else ("", "")
        raise OSError(
            f"{path.name} has the SHA-256 {found}, but {expected} is expected{by}. It "
            f"is damaged or has changed. Delete the file{too} to download it again."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + _RECORD)


def _recorded(path: Path, needed: bool) -> str | None:
    """Return the SHA-256 that was recorded when a file was first used, if any.

    Raises
    ------
    OSError
        If the record is damaged, and needed.
    """
    record = _record_of(path)
    if not record.exists():
        return None
    digest, _, name = record.read_text("utf-8", "replace").partition("  ")
    if re.fullmatch("[0-9a-f]{64}", digest) and name.rstrip("\n") == path.name:
        return digest
    if needed:
        raise OSError(
            f"{record} is damaged; expected the SHA-256 of {path.name} and its name. "
            "Delete both to download the file again, or pass its checksum."
        )
    return None
