"""`load`: a folder becomes a model again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from skrational.exceptions import ModelFileError
from skrational.persistence.changes import check_versions
from skrational.persistence.contents import Contents, read_contents
from skrational.persistence.decoding import Decoder
from skrational.persistence.documents import parse
from skrational.persistence.manifest import CONFIG, MANIFEST, STRUCTURE, WEIGHTS
from skrational.persistence.tables import VectorDecoder
from skrational.persistence.tensors import arrays_from_bytes
from skrational.structures import Structure, structure_from_json
from skrational.utils.files import expanded

__all__ = ["load"]

_FAULTS = (
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    OverflowError,
    RecursionError,
)
"""What damage makes of well-meant code."""


def load(
    folder: str | os.PathLike[str],
    *,
    vectors: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """Read a model that `save` wrote; nothing in the folder is run.

    Every file is held against its checksum, and every value against what its class can
    be: a folder that is damaged gives an error that names the file, never another
    model. It takes no more memory than three times the folder.

    Parameters
    ----------
    folder : str or path-like
    vectors : str, path-like or list of these, default=None
        Where the files of vectors are that the model refers to, if they have moved.
    functions : mapping from str to callable, default=None
        Functions that the model was saved with, such as a tokenizer of yours, by their
        module and name: ``{"my_module.tokenize": tokenize}``.

    Returns
    -------
    estimator
        Its predictions are those of the saved one to the bit, apart from vectors that
        were saved in half precision.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no folder, or no file of vectors where the model refers to one.
    ModelFileError
        (a ValueError) if a file is damaged, missing or one too many, or the model is of
        a later version.
    ImportError
        If a step needs skops, which isn't installed.
    TypeError
        If functions isn't a mapping from names to functions.

    Warns
    -----
    ModelVersionWarning
        If the model may predict otherwise than under the versions that wrote it.

    See Also
    --------
    save : Writes it.

    Examples
    --------
    >>> import tempfile
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.persistence import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(SparseRationalClassifier(n_wfsas=7), f"{folder}/model")
    ...     load(f"{folder}/model")
    SparseRationalClassifier(n_wfsas=7)
    """
    _check_functions(functions)
    contents = read_contents(expanded(folder).absolute())
    moved = [vectors] if isinstance(vectors, str | os.PathLike) else list(vectors or ())
    model, decoder = _build(contents, moved, dict(functions or {}))
    place = str(contents.folder / MANIFEST)
    check_versions(contents.versions, decoder.classes, place)
    if moved:
        raise ValueError(
            f"vectors names {len(moved)} more files than the model refers to."
        )
    return model


def _check_functions(functions: Any) -> None:
    """Raise a TypeError if functions is no mapping to callables; any object."""
    example = "such as {'my_module.tokenize': tokenize}"
    if functions is None:
        return
    if not isinstance(functions, Mapping):
        raise TypeError(
            f"functions is a {type(functions).__name__}; expected a mapping from names "
            f"to functions, {example}."
        )
    for name, function in functions.items():
        if not isinstance(name, str) or not callable(function):
            raise TypeError(
                f"functions has {name!r:.99}: {function!r:.99}; expected the name of a "
                f"function and the function, {example}."
            )


def _build(
    contents: Contents,
    moved: list[str | os.PathLike[str]],
    functions: dict[str, Callable[..., Any]],
) -> tuple[Any, Decoder]:
    folder, files = contents.folder, contents.files
    room = sum(map(len, files.values()))
    tree = parse(files.pop(CONFIG), str(folder / CONFIG), room)
    records = parse(files.pop(STRUCTURE), str(folder / STRUCTURE), room)
    structures = _structures(records, str(folder / STRUCTURE))
    try:
        arrays = arrays_from_bytes(files.pop(WEIGHTS))
    except ValueError as error:
        raise ModelFileError(f"{folder / WEIGHTS} is damaged: {error}.") from error
    decoder = Decoder(arrays, structures, files, functions, VectorDecoder(moved))
    try:
        model = decoder.decode(tree)
        if not isinstance(model, BaseEstimator):
            raise ValueError(f"it describes a {type(model).__name__}, no estimator")
        if unused := sorted({*arrays, *structures, *files} - decoder.used):
            raise ValueError(f"nothing refers to {unused[0]!r}")
    except ModelFileError:
        raise
    except _FAULTS as error:
        fault = error if isinstance(error, ValueError) else repr(error)
        raise ModelFileError(
            f"{folder / CONFIG} describes no model: {fault!s:.999}."
        ) from error
    return model, decoder


def _structures(records: Any, place: str) -> dict[str, Structure]:
    found = {}
    try:
        for name, record in records.items():
            found[name] = structure_from_json(json.dumps(record["structure"]))
    except _FAULTS as error:
        raise ModelFileError(f"{place} is damaged: {error}.") from error
    return found
