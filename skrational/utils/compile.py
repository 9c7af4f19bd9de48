"""Compilation of the kernels: numba, cached where a folder can be written."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

__all__ = ["inlined", "jit", "kept_kernels", "part", "read_only"]

_PACKAGE = Path(__file__).parents[1]

_LAST_KNOWN = 0, 68
"""Of numba. `kernel_parts` reaches into what may be others' business in a later one,
which compiles in its own way, and longer."""

_kernels: list[Any] = []
_COMPILES = re.compile(rb"^@(jit|inlined|intrinsic|njit|part)\b", re.MULTILINE)

_OPTIONS = {
    # The kernels release the GIL and start no threads of their own: numba's threading
    # layers abort under joblib's threading backend and hang after a fork.
    "nogil": True,
    # Contraction to FMA only: NaN, infinity and the order of sums keep their meaning.
    "fastmath": {"contract", "nsz"},
    "error_model": "numpy",
    "boundscheck": False,
}


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function as `jit` does, as a part of whoever calls it.

    Vectors that a call would pass through memory stay in registers.

    Parameters
    ----------
    function : callable

    Returns
    -------
    numba.core.dispatcher.Dispatcher
    """
    return _compiled(function, _nrt=False, forceinline=True)


def part(function: Callable[..., Any]) -> Any:
    """Compile a function as `jit` does, for compiled ones to call.

    It makes no array, and returns none that it wasn't given. So it needs no count of
    who refers to an array, which is kept by locked instructions.

    Parameters
    ----------
    function : callable

    Returns
    -------
    numba.core.dispatcher.Dispatcher
    """
    return _compiled(function, _nrt=False)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function on its first call, and keep the machine code on disk.

    The code is kept beside the source or, where that is read-only, in numba's folder
    for the user; ``NUMBA_CACHE_DIR`` names another one. Where none can be written,
    each process compiles for itself.

    Parameters
    ----------
    function : callable

    Returns
    -------
    numba.core.dispatcher.Dispatcher

    Examples
    --------
    >>> @jit
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """
    return _compiled(function)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Make a dispatcher with a cache that never fails a computation."""
    dispatcher = _dispatcher(function, {**_OPTIONS, **options})
    _kernels.append(dispatcher)
    try:
        dispatcher._cache = _Cache(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    return dispatcher


def _dispatcher(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Make numba's dispatcher, of those that compile less where numba is known."""
    if _version(numba.__version__) > _LAST_KNOWN:
        return numba.njit(**options)(function)
    from skrational.utils.kernel_parts import Kernel

    return Kernel(function, options)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def kept_kernels(sources: Path = _PACKAGE) -> list[Path]:
    """Return the folders that hold the machine code of what was called so far.

    Parameters
    ----------
    sources : Path
        Of functions whose code lies in this folder.

    Raises
    ------
    OSError
        If some of it isn't kept.
    """
    called = (kernel for kernel in _kernels if kernel.signatures)
    caches = [
        kernel._cache
        for kernel in called
        if Path(kernel.py_func.__code__.co_filename).is_relative_to(sources)
    ]
    for cache in caches:
        if cache.cache_path is None:
            raise OSError(
                "Compiled kernels can't be kept: neither the package's folders nor "
                "numba's for the user can be written. Let the variable NUMBA_CACHE_DIR "
                "name a folder that can."
            )
        if cache.error is not None:
            raise OSError(
                f"Compiled kernels can't be kept in {cache.cache_path}: {cache.error}. "
                "The variable NUMBA_CACHE_DIR names another folder."
            ) from cache.error
    return sorted({Path(cache.cache_path) for cache in caches})


class _Cache(FunctionCache):
    """Numba's cache on disk, which here never fails a computation.

    Machine code holds what a function calls, and the constants that it reads, but numba
    looks for changes in the function's own file only. Here all files beside it count,
    and all files of the package that lie beside a kernel.
    """

    error: Exception | None = None
    """Why the last machine code wasn't kept."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        folder = Path(function.__code__.co_filename).parent
        stamps = map(_stamp, sorted({folder, *_kernel_folders()}))
        files = self._cache_file
        files._source_stamp = files._source_stamp, *stamps

    def load_overload(self, *args: Any) -> Any:
        """Return nothing, as for a function not yet compiled, if a file is damaged.

        So is one that names a class that an upgrade of the package took away. Numba
        reads the list of what is kept before it writes to it: begin a new one.
        """
        try:
            return super().load_overload(*args)
        except OSError:
            return None
        except (EOFError, UnpicklingError, AttributeError, ImportError):
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, *args: Any) -> None:
        """Go on without the file if there is no room for it."""
        self.error = None
        try:
            super().save_overload(*args)
        except (OSError, EOFError, UnpicklingError) as error:
            self.error = error


@lru_cache
def _kernel_folders() -> frozenset[Path]:
    """Folders of the package in which a source compiles something."""
    return frozenset(
        path.parent
        for path in _PACKAGE.rglob("*.py")
        if _COMPILES.search(path.read_bytes())
    )


@lru_cache
def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of the sources in a folder."""
    files = ((path.name, path.stat()) for path in sorted(folder.glob("*.py")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view.

    To numba an array that can't be written to is of another type, for which a kernel is
    compiled once more. What is only read is therefore always passed as such.

    Parameters
    ----------
    array : ndarray

    Returns
    -------
    ndarray
    """
    view = array.view()
    view.flags.writeable = False
    return view
