"""Estimators of scikit-learn that the registry lacks: files of skops in the folder."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Any

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning

from skrational.persistence.trusted import TRUSTED_TYPES

__all__ = ["bytes_of_foreign", "foreign_from_bytes"]

_MISSING = (
    "{place} is a {kind}, for which skops is needed: pip install 'skrational[safe]'"
)


def bytes_of_foreign(estimator: Any, place: str) -> bytes:
    """Write an estimator as skops does.

    Raises
    ------
    ImportError
        If skops isn't installed.
    TypeError
        If the estimator holds something that skops doesn't trust.
    """
    kind = type(estimator).__name__
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(_MISSING.format(place=place, kind=kind)) from error
    try:
        content = skops.io.dumps(estimator)
        unknown = _untrusted(content)
    except Exception as error:  # whatever is wrong with an object that it can't keep
        raise TypeError(
            f"{place} is a {kind}, which skops can't save ({error}); joblib.dump keeps "
            "it."
        ) from error
    if unknown:
        raise TypeError(
            f"{place} is a {kind} that holds {', '.join(unknown)}: not known to load "
            "without running code. joblib.dump keeps it."
        )
    return bytes(content)


def _untrusted(content: bytes) -> list[str]:
    import skops.io

    found = skops.io.get_untrusted_types(data=content)
    return sorted(set(found) - set(TRUSTED_TYPES))


def foreign_from_bytes(content: bytes) -> Any:
    """Read what `bytes_of_foreign` wrote.

    Raises
    ------
    ImportError
        If skops isn't installed.
    ValueError
        If it's damaged, or holds something that isn't trusted.
    """
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            "This model holds a file of skops, which is needed: pip install "
            "'skrational[safe]'"
        ) from error
    try:
        _check_room(content)
        if unknown := _untrusted(content):
            raise ValueError(f"it holds {', '.join(unknown)}, which isn't trusted")
        with warnings.catch_warnings():
            # The versions are in the manifest, and are told of once for all.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return skops.io.loads(content, trusted=list(TRUSTED_TYPES))
    except Exception as error:  # whatever damage makes of zipfile, JSON and numpy
        raise ValueError(f"skops can't read it ({error!r:.300})") from error


def _check_room(content: bytes) -> None:
    """Raise a ValueError if members announce more than there is."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError("a member is compressed, as skops doesn't by default")
            if member.file_size > len(content):
                raise ValueError("a member is larger than the file")
            if member.filename.endswith(".npy"):
                _check_array(archive.read(member))


def _check_array(npy: bytes) -> None:
    file = io.BytesIO(npy)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, _, dtype = read(file)
    if (
        dtype.hasobject
        or int(np.prod(shape)) * dtype.itemsize != len(npy) - file.tell()
    ):
        raise ValueError("an array announces another size than it has")
