"""Compilation of the kernels: numba, cached where a folder can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numpy.typing import NDArray

__all__ = ["frozen", "jit"]

_OPTIONS = {
    # The kernels release the GIL and start no threads of their own: numba's threading
    # layers abort under joblib's threading backend and hang after a fork.
    "nogil": True,
    # Contraction to FMA only: NaN, infinity and the order of sums keep their meaning.
    "fastmath": {"contract", "nsz"},
    "error_model": "numpy",
    "boundscheck": False,
}


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
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        return numba.njit(**_OPTIONS)(function)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
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
