"""Pickles, read without running any code that they name.

What a pickle says of gensim's objects is their state, which goes into stand-ins that
only hold it; so do numpy's arrays, which are opened once it's clear which are needed. A
pickle that names anything else is refused.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections import OrderedDict, defaultdict
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import VectorFileError
from skrational.utils.compile import jit, part

__all__ = ["Array", "Inert", "read_pickle"]


class Inert:
    """Stands in for an object, or a function, that isn't to be made or called."""

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


def read_pickle(path: Path, content: bytes) -> Any:
    """Return what a pickle holds, with stand-ins for objects of gensim and numpy.

    Parameters
    ----------
    path : Path
        For messages.
    content : bytes

    Returns
    -------
    object

    Raises
    ------
    VectorFileError
        If it's damaged, or names what it doesn't need for word vectors.

    Examples
    --------
    >>> read_pickle(Path("v.kv"), pickle.dumps({"good": np.arange(2)}))["good"].open()
    array([0, 1])
    """
    data = np.frombuffer(content, dtype=np.uint8)
    if not _is_sound(data, _ARGUMENTS, _PUTS):
        raise VectorFileError(
            f"{path} is a pickle that is damaged, cut off, or followed by something "
            "else, as those of joblib are; expected gensim's KeyedVectors."
        )
    try:
        return _Unpickler(path, content).load()
    except VectorFileError:
        raise
    except Exception as error:  # whatever damage makes of an instruction
        raise VectorFileError(
            f"{path} is a pickle that is damaged, or that can't be read without "
            f"running its code: {error}. If you trust it, load it yourself with gensim "
            "and give the KeyedVectors."
        ) from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, path: Path, content: bytes) -> None:
        # What Python 2 wrote has its bytes as text.
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        known = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if known is not None:
            return _Callable(known) if isinstance(known, FunctionType) else known
        if re.match(r"gensim\.|numpy\.random(\.|$)", f"{module}.") or (
            name == "hash" and module in ("builtins", "__builtin__")
        ):
            return Inert
        raise VectorFileError(
            f"{self._path} is a pickle that asks for {module}.{name}, which "
            "gensim's KeyedVectors and models don't need. Nothing of it was run. If "
            "you trust the file, load it yourself and give the KeyedVectors (of a "
            "model, its .wv) or a dict from words to vectors."
        )

    def persistent_load(self, pid: Any) -> Any:
        raise VectorFileError(f"{self._path} is a pickle with parts elsewhere.")


class _Callable:
    """A function that a pickle may call, but to which it can't add anything."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("it sets the state of a function")


class _Type:
    """Stands in for a numpy.dtype, whose own state damage may crash."""

    def __init__(self, spec: Any, *options: Any) -> None:
        self.spec = spec
        self._order = "="

    def __setstate__(self, state: Any) -> None:
        self._order = state[1]

    def open(self) -> np.dtype[Any]:
        """Return the type of numbers that it stands for."""
        if not (re.fullmatch(r"[fiu][1248]|b1", self.spec) and self._order in "<>=|"):
            raise ValueError(f"numbers of type {self.spec!r}")
        return np.dtype(self.spec).newbyteorder(self._order)


class Array:
    """Stands in for a numpy.ndarray until it's opened."""

    def __init__(self, *args: Any) -> None:
        self._state: Any = args

    def __setstate__(self, state: Any) -> None:
        # Before these come the version of the state, in versions that have one.
        shape, dtype, by_columns, content = state[-4:]
        self._state = content, dtype, shape, "F" if by_columns else "C"

    def open(self) -> NDArray[Any]:
        """Return the array that it stands for; a ValueError if there is none."""
        try:
            content, dtype, shape, order = self._state
            if isinstance(content, str):
                content = content.encode("latin1")
            array = np.frombuffer(content, dtype=dtype.open())
            return array.reshape(shape, order=order)
        except (AttributeError, TypeError) as error:
            raise ValueError(f"no array of numbers: {error}") from error


def _reconstruct(kind: Any, shape: Any, typecode: Any) -> Array:
    return Array()


def _scalar(dtype: _Type, data: Any = b"") -> Any:
    if isinstance(data, str):
        data = data.encode("latin1")
    return np.frombuffer(data, dtype=dtype.open())[0]


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"encoding {encoding}")
    return text.encode("latin1")


def _bytes(content: Any = ()) -> bytes:
    if isinstance(content, int):
        raise ValueError("zeros")
    return bytes(content)


def _reconstruct_object(kind: Any, base: Any, state: Any) -> Inert:
    return Inert()


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): Array,
    ("numpy", "ndarray"): Inert,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _bytes,
    ("__builtin__", "bytes"): _bytes,
    ("copyreg", "_reconstructor"): _reconstruct_object,
    ("copy_reg", "_reconstructor"): _reconstruct_object,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("collections", "Counter"): dict,
    ("UserString", "defaultdict"): defaultdict,  # of a wrongly renamed Python 2
    **{
        (module, kind.__name__): kind
        for module in ("builtins", "__builtin__")
        for kind in (dict, list, set, frozenset, tuple, int, float, str, bool, complex)
    },
    ("__builtin__", "long"): int,
    ("__builtin__", "unicode"): str,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
}


def _arguments() -> NDArray[np.int64]:
    """Return how the argument of each instruction is given.

    So many bytes; -1: up to the end of the line, -6: of two lines; otherwise as
    `pickletools` has it, after a length of 1, 4 or 8 bytes. -9: no instruction.
    """
    kinds = np.full(256, -9)
    for op in pickletools.opcodes:
        kinds[ord(op.code)] = 0 if op.arg is None else op.arg.n
        if op.arg is pickletools.stringnl_noescape_pair:
            kinds[ord(op.code)] = -6
    return kinds


_ARGUMENTS: Final = _arguments()
_PUTS: Final = np.array([*pickle.BINPUT, *pickle.LONG_BINPUT])
_STOP: Final = ord(pickle.STOP)
_END_OF_LINE: Final = ord("\n")


@jit
def _is_sound(data: Any, arguments: Any, puts: Any) -> Any:
    """Whether all instructions lie in the data, and make room for no more than it has.

    Parameters
    ----------
    data : ndarray of uint8
    arguments : ndarray of shape (256,)
        As `_arguments` returns it.
    puts : ndarray of shape (2,)
        The instructions that number an object: Python makes room for as many.

    Returns
    -------
    bool
    """
    i = 0
    while 0 <= i < len(data):
        code = data[i]
        if code == _STOP:
            return True
        end = _argument_end(data, i + 1, arguments[code])
        numbers = code == puts[0] or code == puts[1]
        if numbers and 0 <= end <= len(data):
            if _integer(data, i + 1, end) > len(data):
                return False
        i = end
    return False


@part
def _argument_end(data: Any, i: Any, kind: Any) -> Any:
    """Return where an instruction's argument ends, which begins at i; -1: nowhere."""
    if kind == -9:
        return -1
    if kind >= 0:
        return i + kind
    if kind == -1 or kind == -6:
        for _ in range(1 if kind == -1 else 2):
            while i < len(data) and data[i] != _END_OF_LINE:
                i += 1
            i += 1
        return i
    start = i + (1 if kind == -2 else 8 if kind == -5 else 4)
    if start > len(data):
        return -1
    size = _integer(data, i, start)
    return start + size if 0 <= size <= len(data) - start else -1


@part
def _integer(data: Any, start: Any, end: Any) -> Any:
    """Return the integer that bytes stand for, the lowest of them first."""
    number = 0
    for i in range(start, end):
        number += np.int64(data[i]) << (8 * (i - start))
    return number
