"""Folders that are replaced whole: by a rename, after all is on the disk.

A folder that is there can't be replaced by a rename alone: it steps aside, and the new
one takes its name. Who is killed between these two leaves the one that stepped aside
beside the name, where `present` finds it and the next `replace` puts it back. Each
writer works in a folder of its own, so that the files of two never mix. What is to be
removed gets a third name first, so that nothing half removed is ever put back.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import stat
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from uuid import uuid4

from skrational.utils.callers import caller_level
from skrational.utils.files import short_name

__all__ = ["leftovers", "present", "replace"]

_NEW, _OLD, _GONE = "new", "old", "gone"
_STALE_SECONDS = 24 * 3600
_TRIES = 100
_ASIDE = re.compile(
    r"\.(?P<name>.+)\.(?P<host>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{8}"
    r"\.(?P<kind>new|old|gone)",
    re.DOTALL,
)


def replace(folder: Path, files: Mapping[str, bytes], kept: Mapping[str, Path]) -> None:
    """Let a folder have these files and no others.

    Parameters
    ----------
    folder : Path
        Absolute; it need not be there, but the folder around it.
    files : mapping from str to bytes
        By their names.
    kept : mapping from str to Path
        Files and folders that are copied into it.

    Raises
    ------
    OSError
        If it can't be written; then what was there before still is.

    Warns
    -----
    UserWarning
        If what it replaces can't be removed.
    """
    _tidy(folder)
    new = _beside(folder, _NEW)
    try:
        new.mkdir()
        # Others may not look into it while it's written, either.
        _permit(new, folder, stat.S_IRWXU)
        for name, content in files.items():
            _write(new / name, content)
            _permit(new / name, folder / name)
        for name, path in kept.items():
            _copy(path, new / name)
        _sync(new)
        _permit(new, folder)
        _swap(new, folder)
        _sync(folder.parent)
    finally:
        _remove(new)


def _permit(new: Path, before: Path, also: int = 0) -> None:
    """Let a file or folder have the mode of the one before it, if there is one."""
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = stat.S_IMODE(before.stat().st_mode) | also
        is_alike = before.is_dir() == new.is_dir()
        if is_alike and mode != stat.S_IMODE(new.stat().st_mode):
            new.chmod(mode)


def _copy(path: Path, to: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, to, symlinks=True)
    else:
        shutil.copy2(path, to)


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Let names be on the disk, where a folder can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(new: Path, folder: Path) -> None:
    """Give a folder the name of another one, which is removed."""
    for _ in range(_TRIES):
        old = _beside(folder, _OLD)
        try:
            with suppress(FileNotFoundError):
                os.rename(folder, old)
            os.rename(new, folder)
        except BaseException as error:  # an interrupt, too
            _restore(old, folder)
            # Another writer came between the two renames: once more.
            if getattr(error, "errno", None) not in (EEXIST, ENOTEMPTY):
                raise
        else:
            left = _remove(old)
            if left is not None:
                warnings.warn(
                    f"What {folder} replaces can't be removed, perhaps since it "
                    f"belongs to another user: it stays as {left}.",
                    UserWarning,
                    stacklevel=caller_level(),
                )
            return
        time.sleep(0.01)
    raise OSError(
        EEXIST, "it is being replaced by others, again and again", str(folder)
    )


def _restore(old: Path, folder: Path) -> None:
    """Put back what stepped aside, unless something else has taken the name."""
    if folder.exists():
        _remove(old)
        return
    with suppress(OSError):
        os.rename(old, folder)


def _remove(path: Path) -> Path | None:
    """Remove what stands beside a folder; return what can't be removed of it."""
    gone = path
    if path.name.endswith(f".{_OLD}"):
        gone = path.with_suffix(f".{_GONE}")
        try:
            os.rename(path, gone)
        except OSError:
            return path if os.path.lexists(path) else None
    if gone.is_dir() and not gone.is_symlink():
        with suppress(OSError):
            gone.chmod(stat.S_IRWXU)  # a folder may forbid it
        shutil.rmtree(gone, ignore_errors=True)
    else:
        with suppress(OSError):
            gone.unlink()
    return gone if os.path.lexists(gone) else None


def present(folder: Path) -> Path:
    """Return the folder, or what stepped aside for one that never came."""
    for _ in range(3):
        if folder.exists():
            return folder
        # A writer may be between two renames at this moment.
        time.sleep(0.02)
    return max(leftovers(folder, _OLD), key=_time_of, default=folder)


def leftovers(folder: Path, kind: str = "*") -> list[Path]:
    """Return what writers, dead or alive, have beside a folder."""
    around, name = folder.parent, short_name(folder.name)
    if not around.is_dir():
        return []
    parts = ((path, _ASIDE.fullmatch(path.name)) for path in around.iterdir())
    return [
        path
        for path, found in parts
        if found and found["name"] == name and kind in ("*", found["kind"])
    ]


def _beside(folder: Path, kind: str) -> Path:
    """Return a free name that tells whose it is."""
    owner = f"{_host()}-{os.getpid()}-{uuid4().hex[:8]}"
    return folder.with_name(f".{short_name(folder.name)}.{owner}.{kind}")


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _tidy(folder: Path) -> None:
    """Put back and remove what writers left that were killed."""
    dead = [path for path in leftovers(folder) if _is_of_the_dead(path)]
    for path in sorted(dead, key=_time_of, reverse=True):
        if path.name.endswith(f".{_OLD}"):
            _restore(path, folder)
        else:
            _remove(path)


def _is_of_the_dead(path: Path) -> bool:
    owner = _ASIDE.fullmatch(path.name)
    if owner and owner["host"] == _host() and not _is_alive(int(owner["process"])):
        return True
    return time.time() - _time_of(path) > _STALE_SECONDS


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # a signal would end it there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _time_of(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
