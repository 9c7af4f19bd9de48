"""The vectors of a static model, mapped from a safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.rows import as_float32
from skrational.text.vectors.signatures import name_text

__all__ = ["Matrix", "read_matrix"]

# Model2Vec's name, and that of sentence-transformers and WordLlama.
_VECTORS = ("embeddings", "embedding.weight")
_MAPPING, _WEIGHTS = "mapping", "weights"
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
# Model2Vec rounds to bytes on request.
_NUMBERS = _FLOATS | {"I8": "<i1"}
_INTEGERS = {"I64": "<i8", "I32": "<i4", "I16": "<i2", "U32": "<u4", "U16": "<u2"}


@dataclass(frozen=True, eq=False)
class Matrix:
    """The vectors of subwords by their numbers.

    Parameters
    ----------
    vectors : ndarray of shape (n_rows, n_features)
        A memory map.
    is_bfloat16 : bool
        Whether the vectors are the bits of bfloat16, which numpy lacks.
    mapping : ndarray of shape (n_subwords,), integer, or None
        The row of each subword; None: its number.
    weights : ndarray of shape (n_subwords,), float32, or None
        What a subword's row is multiplied by.

    Examples
    --------
    >>> vectors = np.float32([[1, 2], [3, 4]])
    >>> matrix = Matrix(vectors, False, np.array([1, 1, 0]), np.float32([1, 2, 1]))
    >>> len(matrix), matrix.take(np.array([1, 2])).tolist()
    (3, [[6.0, 8.0], [1.0, 2.0]])
    """

    vectors: NDArray[Any]
    is_bfloat16: bool
    mapping: NDArray[np.integer] | None
    weights: NDArray[np.float32] | None

    def __len__(self) -> int:
        """Count the subwords."""
        return len(self.vectors if self.mapping is None else self.mapping)

    @property
    def n_features(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    def take(self, numbers: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the vectors of some subwords, of shape (len(numbers), n_features)."""
        rows = numbers if self.mapping is None else self.mapping[numbers]
        vectors = _as_numbers(self.vectors[rows], self.is_bfloat16)
        if self.weights is None:
            return vectors
        with np.errstate(over="ignore"):
            return np.asarray(vectors * self.weights[numbers, None], dtype=np.float32)


class _Tensor:
    """A tensor of a file, mapped into memory."""

    def __init__(self, path: Path, name: str, entry: dict[str, Any], at: int) -> None:
        self.path, self.name = path, name
        self.kind, self.shape = str(entry["dtype"]), tuple(entry["shape"])
        self._at = at + entry["data_offsets"][0]

    def __str__(self) -> str:
        return f"{self.name!r} of type {self.kind} and shape {self.shape}"

    def open(self, kinds: dict[str, str], n_dimensions: int, what: str) -> NDArray[Any]:
        """Map it, if it is what was expected.

        Parameters
        ----------
        kinds : dict from str to str
            numpy's name of each type that it may have.
        n_dimensions : int
        what : str
            What a message says was expected.

        Returns
        -------
        ndarray
        """
        fits = self.kind in kinds and len(self.shape) == n_dimensions
        if not fits or 0 in self.shape:
            raise ValueError(f"{self.path} holds {self}; expected {what}.")
        return np.memmap(self.path, kinds[self.kind], "r", self._at, self.shape)


def read_matrix(path: Path) -> Matrix:
    """Map the vectors of a static model.

    Parameters
    ----------
    path : Path
        A safetensors file.

    Returns
    -------
    Matrix

    Raises
    ------
    ValueError
        If the file is damaged, or its tensors aren't those of a static model.
    """
    tensors = _read_header(path)
    chosen = _choose(path, tensors)
    vectors = chosen.open(
        _NUMBERS, 2, f"a matrix of floating-point numbers ({', '.join(_NUMBERS)})"
    )
    mapping = weights = None
    if _MAPPING in tensors and chosen.name != _MAPPING:
        mapping = np.array(
            tensors[_MAPPING].open(_INTEGERS, 1, "a row for each subword")
        )
        if not (0 <= mapping.min() and mapping.max() < len(vectors)):
            raise ValueError(
                f"{path} has a mapping to the rows {mapping.min()} to {mapping.max()}; "
                f"expected rows from 0 to {len(vectors) - 1}, which its matrix has."
            )
    n_subwords = len(vectors if mapping is None else mapping)
    if _WEIGHTS in tensors and chosen.name != _WEIGHTS:
        tensor = tensors[_WEIGHTS]
        weights = _as_numbers(
            tensor.open(_FLOATS, 1, "a number for each subword"), tensor.kind == "BF16"
        )
        if len(weights) != n_subwords:
            raise ValueError(
                f"{path} has {len(weights)} weights; expected one for each of its "
                f"{n_subwords} subwords."
            )
    return Matrix(vectors, chosen.kind == "BF16", mapping, weights)


def _read_header(path: Path) -> dict[str, _Tensor]:
    """Return the tensors of a file whose header the safetensors library finds right."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
        with open(path, "rb") as file:
            n_bytes = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(n_bytes))
    except FileNotFoundError:
        raise
    except Exception as error:  # the library's own isn't public in all versions
        with open(path, "rb") as file:
            looks = name_text(file.read(1000))
        raise ValueError(
            f"{path} is no safetensors file, or damaged: {looks or error}."
        ) from error
    return {
        name: _Tensor(path, name, entry, 8 + n_bytes)
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _choose(path: Path, tensors: dict[str, _Tensor]) -> _Tensor:
    """Return the tensor that holds the vectors."""
    known = [tensors[name] for name in _VECTORS if name in tensors]
    if known:
        return known[0]
    if len(tensors) == 1:
        return next(iter(tensors.values()))
    first = "; ".join(map(str, list(tensors.values())[:4])) or "no tensor"
    more = f"; and {len(tensors) - 4} more" if len(tensors) > 4 else ""
    layers = any("layer" in name for name in tensors)
    advice = (
        " It seems to be a network of layers, as BERT is: use BertVectorizer."
        if layers
        else ""
    )
    raise ValueError(
        f"{path} holds {first}{more}. Expected the matrix of a static model, which is "
        f"named {' or '.join(map(repr, _VECTORS))}, or is the only tensor.{advice}"
    )


def _as_numbers(values: NDArray[Any], is_bfloat16: bool) -> NDArray[np.float32]:
    """Return numbers in single precision, of which bfloat16 is the upper half."""
    if is_bfloat16:
        return (values.astype(np.uint32) << 16).view(np.float32)
    return as_float32(values)
