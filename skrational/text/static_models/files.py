"""The files of a static model: in a folder, in a package, or from the hub."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import NamedTuple

from skrational.text.encoders.hub import find_model
from skrational.utils.files import expanded

__all__ = ["ModelFiles", "find_files"]

_TOKENIZER, _WEIGHTS = "tokenizer.json", "model.safetensors"
# The module of sentence-transformers, which has a folder of its own.
_MODULE = "*StaticEmbedding"
_WORDLLAMA = "wordllama"
_COMMIT = re.compile("[0-9a-f]{40}")
_FINGERPRINT = re.compile("[0-9a-f]{64}")
_MOST_LISTED = 8


class ModelFiles(NamedTuple):
    """Where a model is.

    Parameters
    ----------
    tokenizer, weights : Path
    commit : str or None
        That on the hub; None: the files are in a folder.
    """

    tokenizer: Path
    weights: Path
    commit: str | None = None


def find_files(model: str | os.PathLike[str], revision: str | None) -> ModelFiles:
    """Find the files of a model, and download them if need be.

    Parameters
    ----------
    model : str or path-like
        A folder, ``"wordllama"``, or a name on the Hugging Face hub.
    revision : str or None
        A branch, a tag or a commit on the hub; a fingerprint is that of a folder.

    Returns
    -------
    ModelFiles

    Raises
    ------
    ImportError
        If the package isn't installed that has the files.
    FileNotFoundError
        If there is no such model, or the folder has other files.
    """
    source = find_model(model)
    if isinstance(source, Path):
        return _in_folder(source)
    if source == _WORDLLAMA:
        return _in_folder(_package())
    if expanded(source).exists():
        raise FileNotFoundError(
            f"model={source!r} is a file; expected the folder that holds {_TOKENIZER} "
            f"and {_WEIGHTS}."
        )
    if revision is not None and _FINGERPRINT.fullmatch(revision):
        raise FileNotFoundError(
            f"The folder model={source!r} isn't there. Put it back, or name its new "
            "place by set_params(model=...)."
        )
    folder = _snapshot(source, revision)
    return _in_folder(folder)._replace(commit=folder.name)


def _in_folder(folder: Path) -> ModelFiles:
    for place in (folder, *sorted(folder.glob(_MODULE))):
        files = ModelFiles(place / _TOKENIZER, place / _WEIGHTS)
        if files.tokenizer.is_file() and files.weights.is_file():
            return files
    pairs = _as_wordllama(folder)
    if len(pairs) == 1:
        return pairs[0]
    if pairs:
        several = ", ".join(files.weights.name for files in pairs)
        raise FileNotFoundError(
            f"model={str(folder)!r} is a folder of several models ({several}): put one "
            f"of them, named {_WEIGHTS}, and its tokenizer, named {_TOKENIZER}, into a "
            "folder."
        )
    names = sorted(path.name for path in folder.iterdir())
    shown = ", ".join(names[:_MOST_LISTED]) or "nothing"
    more = ", ..." if len(names) > _MOST_LISTED else ""
    raise FileNotFoundError(
        f"model={str(folder)!r} is a folder without a static model. Expected "
        f"{_TOKENIZER} and {_WEIGHTS}, in it or in its 0_StaticEmbedding; it holds "
        f"{shown}{more}."
    )


def _as_wordllama(folder: Path) -> list[ModelFiles]:
    """Return the models of a folder that is laid out as the package wordllama is."""
    weights = sorted(folder.glob("weights/*.safetensors"))
    pairs = []
    for path in weights:
        config = path.stem.rpartition("_")[0]
        tokenizer = folder / "tokenizers" / f"{config}_tokenizer_config.json"
        if tokenizer.is_file():
            pairs.append(ModelFiles(tokenizer, path))
    return pairs


def _package() -> Path:
    """Find the folder of wordllama; to import it would take what it needs itself."""
    spec = importlib.util.find_spec(_WORDLLAMA)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            f"model={_WORDLLAMA!r} stands for the files that the package wordllama "
            "brings, which isn't installed: pip install wordllama"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _snapshot(name: str, revision: str | None) -> Path:
    """Return the folder, named by its commit, in which the hub's cache has a model."""
    from huggingface_hub import constants, snapshot_download

    files = (_TOKENIZER, _WEIGHTS)
    patterns = [f"{place}{file}" for place in ("", f"{_MODULE}/") for file in files]
    try:
        folder = Path(
            snapshot_download(name, revision=revision, allow_patterns=patterns)
        )
        if not _COMMIT.fullmatch(folder.name):
            raise OSError(f"no commit is known of {folder}")
    except Exception as error:  # the hub's library has many, for what is one to a user
        version = "" if revision is None else f" (revision {revision!r})"
        offline = (
            " HF_HUB_OFFLINE is set: only the cache was searched."
            if constants.HF_HUB_OFFLINE
            else ""
        )
        reason = " ".join(str(error).split())
        raise FileNotFoundError(
            f"model={name!r} can't be loaded: there is no such folder, and no model of "
            f"this name{version} came from the Hugging Face hub or its cache on this "
            f"machine.{offline} huggingface_hub says: {reason}"
        ) from error
    return folder
