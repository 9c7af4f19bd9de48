"""The encoder that is meant: found in a folder or on the hub, pinned, described."""

from __future__ import annotations

import functools
import hashlib
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from reprlib import repr as cut_repr
from typing import Any, NamedTuple

from skrational.text.encoders.damage import find_damage
from skrational.utils.checks import is_integer
from skrational.utils.files import expanded

__all__ = [
    "Description",
    "check_installed",
    "check_revision",
    "commit_of",
    "describe_encoder",
    "find_model",
    "reworded_errors",
]

_COMMIT = re.compile(r"/snapshots/([0-9a-f]{40})/")
_MOST_LAYERS = 1000
# What a model has weights for, each of which takes half a byte at least.
_COUNTS = (
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_hidden_layers",
    "type_vocab_size",
    "vocab_size",
)


class Description(NamedTuple):
    """What the configuration of a model says.

    Parameters
    ----------
    revision : str
        The commit on the hub, or the fingerprint of the folder.
    n_layers : int
        Number of layers, without the embeddings.
    n_features : int
        Width of a layer.
    n_positions : int or None
        The most tokens that the model reads at a time, if its configuration says so.
    """

    revision: str
    n_layers: int
    n_features: int
    n_positions: int | None


def describe_encoder(
    model: str | os.PathLike[str], revision: str | None
) -> Description:
    """Read the configuration of a model.

    Parameters
    ----------
    model : str or path-like
        A folder, or a name on the Hugging Face hub.
    revision : str or None
        A branch, a tag or a commit; of a folder, its fingerprint.

    Returns
    -------
    Description

    Raises
    ------
    ImportError
        If transformers isn't installed.
    FileNotFoundError
        If there is no such model.
    ValueError
        If it isn't an encoder, or the folder has another fingerprint.
    """
    check_installed()
    from transformers import AutoConfig

    source = find_model(model)
    with reworded_errors(model, revision):
        pinned = _pin(source, revision)
        config = AutoConfig.from_pretrained(
            source, revision=commit_of(source, pinned), trust_remote_code=False
        )
    _check_encoder(model, config)
    if isinstance(source, Path):
        if fault := find_damage(source, weights_only=True):
            raise ValueError(f"model={str(model)!r} is damaged: {fault}")
        _check_size(source, config)
    n_positions = getattr(config, "max_position_embeddings", None)
    return Description(
        pinned, config.num_hidden_layers, config.hidden_size, n_positions
    )


def check_revision(model: str | os.PathLike[str], revision: str) -> None:
    """Raise a ValueError if a folder has other content than this fingerprint.

    What has a name on the hub can't change under it.

    Raises
    ------
    FileNotFoundError
        If ``revision`` is a fingerprint and the folder isn't there.
    ValueError
    """
    source = find_model(model)
    if isinstance(source, Path):
        _pin(source, revision)
    elif not re.fullmatch("[0-9a-f]{40}", revision):
        raise FileNotFoundError(
            f"The folder model={str(model)!r} isn't there. Put it back, or name its "
            "new place by set_params(model=...)."
        )


def check_installed() -> None:
    """Raise an ImportError that says what to install if transformers is missing."""
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "BertVectorizer needs transformers: pip install 'skrational[bert]'"
        ) from error


def find_model(model: str | os.PathLike[str]) -> Path | str:
    """Return a folder as a path, and a name on the hub as it is."""
    if not os.fspath(model):
        raise ValueError("model is ''; expected a folder, or a name on the hub.")
    path = expanded(model)
    return path.resolve() if path.is_dir() else os.fspath(model)


def _pin(source: Path | str, revision: str | None) -> str:
    """Return the commit that a revision means now, or a folder's fingerprint."""
    if isinstance(source, Path):
        files = sorted(path for path in source.iterdir() if path.is_file())
        visible = [path for path in files if not path.name.startswith(".")]
        stats = [path.stat() for path in visible]
        found = _fingerprint(
            tuple(map(str, visible)),
            tuple((stat.st_size, stat.st_mtime_ns) for stat in stats),
        )
        if revision not in (None, found):
            raise ValueError(
                f"model={str(source)!r} is a folder of other content (fingerprint "
                f"{found[:12]}...) than revision={revision!r}; expected that "
                "fingerprint, or None for whatever the folder holds."
            )
        return found
    from transformers.utils import cached_file

    path = str(cached_file(source, "config.json", revision=revision))
    commit = _COMMIT.search(path.replace(os.sep, "/"))
    if commit is None:
        raise OSError(f"no commit is known of {path}")
    return commit[1]


def commit_of(source: Path | str, pinned: str) -> str | None:
    """Return the commit to ask the hub for, which a folder has none of."""
    return None if isinstance(source, Path) else pinned


@functools.lru_cache(maxsize=16)
def _fingerprint(files: tuple[str, ...], stats: tuple[tuple[int, int], ...]) -> str:
    """Return a hash of names and contents; the stats tell when to look again."""
    digest = hashlib.sha256()
    for path, (size, _) in zip(files, stats, strict=True):
        digest.update(f"{len(Path(path).name)} {Path(path).name} {size}\n".encode())
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256")
        digest.update(content.digest())
    return digest.hexdigest()


@contextmanager
def reworded_errors(
    model: str | os.PathLike[str], revision: str | None
) -> Iterator[None]:
    """Turn errors of transformers into one error that names the model."""
    try:
        yield
    except ImportError:
        raise
    except OSError as error:
        from huggingface_hub import constants

        folder = expanded(model)
        if fault := find_damage(folder):
            raise ValueError(f"model={str(model)!r} is damaged: {fault}") from error
        if folder.is_dir():
            what = "the folder lacks a file that transformers needs, or one is damaged"
        else:
            version = "" if revision is None else f" (revision {revision!r})"
            what = (
                "there is no such folder, and no model of this name"
                f"{version} came from the Hugging Face hub or its cache on this machine"
            )
        offline = constants.HF_HUB_OFFLINE and (
            " HF_HUB_OFFLINE is set: only the cache was searched."
        )
        reason = " ".join(str(error).split())
        raise FileNotFoundError(
            f"model={str(model)!r} can't be loaded: {what}.{offline or ''} "
            f"transformers says: {reason}"
        ) from error
    except Exception as error:  # there is no end to what damaged files raise
        if str(error).startswith("model="):
            raise
        if fault := find_damage(expanded(model)):
            raise ValueError(f"model={str(model)!r} is damaged: {fault}") from error
        reason = " ".join(str(error).split())
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(
            f"model={str(model)!r} can't be read. transformers says: {kind}{reason}"
        ) from error


def _check_size(folder: Path, config: Any) -> None:
    """Make sure that the files of weights can be as large as the configuration says."""
    files = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    n_bytes = sum(path.stat().st_size for path in files)
    if not files:  # transformers will tell
        return
    most = dict.fromkeys(_COUNTS, 2 * n_bytes)
    most["num_hidden_layers"] = _MOST_LAYERS  # which may share their weights
    most["hidden_size"] = math.isqrt(2 * n_bytes)
    for name in _COUNTS:
        value = getattr(config, name, None)
        if value is not None and not (is_integer(value) and 0 <= value <= most[name]):
            raise ValueError(
                f"model={str(folder)!r} is damaged: its config.json has {name}="
                f"{cut_repr(value)}; expected an integer from 0 to {most[name]:,}, for "
                f"which the {n_bytes:,} bytes of its weights have room. Or these are "
                f"cut off: {', '.join(map(str, sorted(files)[:4]))}."
            )


def _check_encoder(model: str | os.PathLike[str], config: Any) -> None:
    from transformers.models.auto import modeling_auto

    kind = getattr(config, "model_type", None)
    generates = (
        kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and kind not in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )
    if getattr(config, "is_encoder_decoder", False):
        fault = "it is an encoder-decoder model"
    elif getattr(config, "is_decoder", False) or generates:
        fault = "it is a decoder"
    elif not all(hasattr(config, n) for n in ("num_hidden_layers", "hidden_size")):
        fault = "its configuration has no num_hidden_layers or hidden_size"
    else:
        return
    raise ValueError(
        f"model={str(model)!r}, of type {kind!r}, has no encoder that reads text by "
        f"itself: {fault}. Expected one like BERT, RoBERTa or MiniLM."
    )
