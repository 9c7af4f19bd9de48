"""Compressed files that unpack to far more than they should: they are read no further.

A megabyte of zeros takes a kilobyte in gzip and less in bzip2. Texts and numbers take a
half to a tenth of their size.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

__all__ = ["BombError", "bounded", "most_unpacked"]

_FREE = 2**26
_RATIO = 50
_PIECE = 2**16


class BombError(ValueError):
    """A compressed file unpacks to more than a table or texts would."""


def most_unpacked(path: Path) -> int:
    """Return how many bytes a compressed file may unpack to: 64 MiB, or 50 times more.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     most_unpacked(Path(file.name))
    67108864
    """
    return max(_FREE, _RATIO * path.stat().st_size)


def bounded(stream: Any, path: Path) -> io.BufferedReader:
    """Return a stream of what is unpacked, which ends in an error if it's too much.

    Parameters
    ----------
    stream : file object
        Of the unpacked bytes.
    path : Path
        The compressed file.

    Returns
    -------
    file object
        Raises a `BombError`, which names the file, where it's read too far.
    """
    return io.BufferedReader(_Bounded(stream, path), _PIECE)


class _Bounded(io.RawIOBase):
    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path = stream, path
        self._most = self._left = most_unpacked(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n = int(self._stream.readinto(buffer) or 0)
        self._left -= n
        if self._left < 0:
            raise BombError(
                f"{self._path} unpacks to more than {self._most:,} bytes, "
                f"{_RATIO} times its size or more: unpack it yourself if you trust it, "
                "and give the file in it."
            )
        return n

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
