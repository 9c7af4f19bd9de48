"""Free memory, within the limits of the container that the process runs in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_memory"]

_V2 = "memory.max", "memory.current", "inactive_file"
_V1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"


def available_memory(root: str | os.PathLike[str] = "/") -> int:
    """Bytes that can be allocated without swapping, as far as the system tells.

    The least of what the machine has and of what the limit of each control group leaves
    that the process is in, of version 1 or 2. Pages of files that nobody has used for a
    while count as free: the system gives them back first.

    Parameters
    ----------
    root : str or path-like, default="/"
        The folder that holds ``proc`` and ``sys``.

    Returns
    -------
    int

    Examples
    --------
    >>> available_memory() > 2**20
    True
    """
    path = Path(root)
    return max(0, min([_of_machine(path), *_of_groups(path)]))


def _of_machine(root: Path) -> int:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return 2**32


def _of_groups(root: Path) -> Iterator[int]:
    """Yield what is left of each limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            # Where version 1 is mounted as well, version 2 may stand beside it.
            for top in (mount, mount / "unified"):
                yield from _left(top, group, *_V2)
        elif "memory" in controllers.split(","):
            for name in dict.fromkeys((controllers, "memory")):
                yield from _left(mount / name, group, *_V1)


def _left(top: Path, group: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    """Yield what is left in a group and in those around it, where they have a limit.

    Parameters
    ----------
    top : Path
        Where the groups are mounted.
    group : str
        The path of the group, which in a container may be that outside of it.
    limit, usage : str
        Names of files.
    cache : str
        Key of what can be given back, in the file ``memory.stat``.
    """
    around = Path(group.removeprefix("/"))
    for folder in (top / around, *(top / part for part in around.parents)):
        try:
            most = int((folder / limit).read_text())
            used = int((folder / usage).read_text())
        except (OSError, ValueError):  # no such file, or "max"
            continue
        yield most - used + _cached(folder, cache)


def _cached(folder: Path, key: str) -> int:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
        return int(dict(line.split(None, 1) for line in lines)[key])
    except (OSError, KeyError, ValueError):
        return 0
