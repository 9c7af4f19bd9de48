"""`save`: a fitted model becomes a folder."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from errno import EEXIST
from pathlib import Path
from typing import Any, get_args

from sklearn.base import BaseEstimator

from skrational.persistence.contents import companions, strangers
from skrational.persistence.documents import parse, write
from skrational.persistence.encoding import Encoder, Place
from skrational.persistence.manifest import (
    CONFIG,
    MANIFEST,
    STRUCTURE,
    WEIGHTS,
    manifest_bytes,
)
from skrational.persistence.tensors import bytes_of_arrays
from skrational.persistence.vectors import VectorEncoder, Vectors
from skrational.utils.files import expanded
from skrational.utils.folders import replace

__all__ = ["check_place", "files_of", "save"]


def save(
    model: Any,
    folder: str | os.PathLike[str],
    *,
    vectors: Vectors = "all",
    texts: Sequence[Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a model as a folder, which `load` reads without running code of it.

    The folder is written whole or not at all: who is killed while saving, or finds the
    disk full, has the model that was there before.

    Parameters
    ----------
    model : estimator
        Any of this package, fitted or not; or a pipeline, a search or another estimator
        of scikit-learn's around it. What the file format has no room for is kept by
        skops, if that is installed and trusts it.
    folder : str or path-like
        Need not be there. A model that is there is replaced; files such as README.md
        and LICENSE beside it stay, and so do the permissions of the folder and its
        files.
    vectors : {"all", "used", "reference"}, default="all"
        What becomes of the tables of a `WordVectorizer`. ``"all"``: they are kept
        whole, to the bit, so that the loaded model is the saved one; a file of vectors
        may take gigabytes. ``"used"``: the vectors of the words of the training texts,
        in half precision, for a folder that can be mailed; other words are unknown to
        the loaded model, also those that the whole table has. Vectors learned by
        ``"corpus"`` are these words' and are kept to the bit. ``"reference"``: where
        the file is, and its SHA-256, which `load` checks; tables that are in no file
        are kept whole.
    texts : list of str, or of lists of str, default=None
        With ``vectors="used"``, texts whose words count as used. None: those that the
        vectorizer was fitted on.
    overwrite : bool, default=False
        Whether to replace also what is no model, with all that is in it.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    TypeError
        If a part can't be saved in a form that loads without running code; the message
        names the step and its type. Nothing is written then.
    ValueError
        If a fitted attribute isn't as ``fit`` leaves it, such as weights that are NaN,
        or one that was set from outside; if a file of vectors that is to be referred to
        was changed after the fit; or a parameter isn't as documented.
    FileExistsError
        If something else than a model is in the place.
    OSError
        If the folder can't be written.

    Warns
    -----
    UserWarning
        If the model that is replaced can't be removed, as that of another user; the
        message says where it stays.

    See Also
    --------
    load : Reads it.
    push_to_hub : Puts it on the Hugging Face hub.

    Notes
    -----
    The folder holds ``config.json`` (classes, parameters, fitted attributes that are no
    arrays), ``structure.json`` (what was learned of structure), ``weights.safetensors``
    (all arrays), perhaps files of skops, and ``manifest.json`` (the format, versions
    and the SHA-256 of each file). Equal models give equal bytes. `BertVectorizer` and
    `StaticVectorizer` are saved by the name of their model and its fingerprint.
    Callbacks are not saved.

    Examples
    --------
    >>> import tempfile
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.persistence import load, save
    >>> data = make_planted_patterns(n_documents=60, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=2, max_epochs=1, random_state=0)
    >>> clf = clf.fit(data.X, data.y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(clf, f"{folder}/model"))
    >>> bool((again.predict_proba(data.X) == clf.predict_proba(data.X)).all())
    True
    """
    _check(model, vectors, texts, overwrite)
    place = expanded(folder).resolve()
    kept = check_place(place, overwrite)
    files = files_of(model, vectors, texts)
    place.parent.mkdir(parents=True, exist_ok=True)
    replace(place, files, kept)
    return place


def _check(model: Any, vectors: Any, texts: Any, overwrite: Any) -> None:
    """Raise an error for what `save` can't be called with; any objects."""
    if isinstance(model, type) or not isinstance(model, BaseEstimator):
        raise TypeError(
            f"model is a {type(model).__name__}; expected an estimator, such as a "
            "fitted pipeline."
        )
    if vectors not in get_args(Vectors):
        raise ValueError(
            f"vectors is {vectors!r}; expected one of {list(get_args(Vectors))}."
        )
    if texts is not None and vectors != "used":
        raise ValueError(
            f"texts is of use with vectors='used' only; vectors is {vectors!r}."
        )
    if not isinstance(overwrite, bool):
        raise ValueError(f"overwrite is {overwrite!r}; expected True or False.")


def check_place(
    folder: Path, overwrite: bool, advice: str = "overwrite=True removes it"
) -> dict[str, Path]:
    """Return what stays in a folder, or raise an error if too much would be lost.

    Parameters
    ----------
    folder : Path
    overwrite : bool
    advice : str
        What to do about something else that is there.
    """
    if folder in (expanded("~").resolve(), *Path.cwd().parents, Path.cwd()):
        raise FileExistsError(
            EEXIST,
            "it's a folder that you work in; give a folder inside it",
            str(folder),
        )
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        return {}
    if not is_folder:
        if overwrite:
            return {}
        raise FileExistsError(EEXIST, f"it's a file; {advice}", str(folder))
    if (others := strangers(folder)) and not overwrite:
        raise FileExistsError(
            EEXIST,
            f"it holds what is no part of a model ({others[0]!r}); {advice}",
            str(folder),
        )
    return companions(folder)


def files_of(
    model: Any, vectors: Vectors, texts: Sequence[Any] | None
) -> dict[str, bytes]:
    """Return the files of a model, the manifest among them.

    Parameters
    ----------
    model : estimator
    vectors : {"used", "all", "reference"}
    texts : list or None
    """
    encoder = Encoder(VectorEncoder(vectors, texts))
    tree = encoder.encode(model, Place())
    structures = {
        name: {"summary": str(structure), "structure": json.loads(structure.to_json())}
        for name, structure in encoder.structures.items()
    }
    files = {
        CONFIG: write(tree),
        STRUCTURE: write(structures),
        WEIGHTS: bytes_of_arrays(encoder.arrays),
        **encoder.members,
    }
    room = sum(map(len, files.values()))
    for name in (CONFIG, STRUCTURE):
        parse(files[name], name, room)
    return files | {MANIFEST: manifest_bytes(files)}
