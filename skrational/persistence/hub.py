"""Saved models on the Hugging Face hub."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skrational.persistence.contents import read_contents
from skrational.persistence.loading import load
from skrational.persistence.manifest import CONFIG, MANIFEST, STRUCTURE, WEIGHTS
from skrational.persistence.saving import save
from skrational.persistence.vectors import Vectors
from skrational.utils.files import expanded

__all__ = ["load_from_hub", "push_to_hub"]

_CARD = "README.md"
_FILES = [MANIFEST, CONFIG, STRUCTURE, WEIGHTS, "*.skops"]
_PLAIN_CARD = """---
library_name: skrational
tags:
- scikit-learn
- interpretability
---

# {name}

```python
from skrational.persistence import load_from_hub

model = load_from_hub({repo!r})
```

The model is a `{kind}`:

```text
{summary}
```
"""


def push_to_hub(
    model: Any,
    repo_id: str,
    *,
    card: str | None = None,
    vectors: Vectors = "all",
    private: bool = False,
    revision: str | None = None,
    commit_message: str = "Push a model of skrational",
    token: str | bool | None = None,
) -> str:
    """Put a model on the Hugging Face hub.

    Parameters
    ----------
    model : estimator, str or path-like
        A model, or the folder that `save` wrote.
    repo_id : str
        Such as ``"me/kitchen-reviews"``; made if it isn't there.
    card : str, default=None
        The model card, as Markdown, such as
        ``skrational.reporting.report(model, texts, labels).to_markdown()``. None: that
        of the folder, or else a short one that says how to load the model.
    vectors : {"all", "used", "reference"}, default="all"
        As of `save`; of no use with a folder.
    private : bool, default=False
        Whether a repository that is made can be seen by its owner only.
    revision : str, default=None
        The branch to put it on, which has to be there. None: the main branch.
    commit_message : str, default="Push a model of skrational"
    token : str or bool, default=None
        Of the user. None: the one that ``hf auth login`` has kept.

    Returns
    -------
    str
        The commit, for ``load_from_hub(repo_id, revision=...)``.

    Raises
    ------
    ImportError
        If huggingface_hub isn't installed.
    ModelFileError
        (a ValueError) if the folder is damaged.
    OSError
        If the hub can't be reached, or refuses.
    TypeError, ValueError
        If the model can't be saved, see `save`; or the card is no text. No repository
        is made then.

    See Also
    --------
    load_from_hub : Loads it.

    Examples
    --------
    >>> from skrational.persistence import push_to_hub
    >>> push_to_hub(pipeline, "me/kitchen-reviews")  # doctest: +SKIP
    '5d8f2c...'
    """
    if card is not None and not isinstance(card, str):
        raise TypeError(
            f"card is a {type(card).__name__}; expected Markdown as a str, or None."
        )
    api = _client(token)
    with tempfile.TemporaryDirectory() as around:
        if isinstance(model, str | os.PathLike):
            folder = expanded(model).absolute()
            read_contents(folder)
        else:
            folder = save(model, Path(around, "model"), vectors=vectors)
        text = _card_of(folder, model, repo_id) if card is None else card
        with _told_of_the_hub(api, repo_id):
            api.create_repo(repo_id, private=private, exist_ok=True)
            pushed = api.create_commit(
                repo_id,
                _operations(folder, text, _there(api, repo_id, revision)),
                commit_message=commit_message,
                revision=revision,
            )
    return str(pushed.oid)


def load_from_hub(
    repo_id: str,
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: str | bool | None = None,
    **options: Any,
) -> Any:
    """Load a model from the Hugging Face hub; nothing in it is run.

    Parameters
    ----------
    repo_id : str
        Such as ``"me/kitchen-reviews"``.
    revision : str, default=None
        A branch, a tag or a commit. None: the main branch, as it is at the moment.
    cache_dir : str or path-like, default=None
        Where downloads are kept. None: where huggingface_hub keeps them.
    token : str or bool, default=None
        Of the user, for private repositories.
    **options
        As of `load`: ``vectors`` and ``functions``.

    Returns
    -------
    estimator

    Raises
    ------
    ImportError
        If huggingface_hub isn't installed.
    OSError
        If there is no such repository, or the hub can't be reached.
    ModelFileError
        (a ValueError) if the repository holds no model, or it's damaged.

    See Also
    --------
    push_to_hub : Puts a model there.

    Examples
    --------
    >>> from skrational.persistence import load_from_hub
    >>> load_from_hub("me/kitchen-reviews", revision="v1")  # doctest: +SKIP
    Pipeline(...)
    """
    api = _client(token)
    with _told_of_the_hub(api, repo_id):
        folder = api.snapshot_download(
            repo_id, revision=revision, cache_dir=cache_dir, allow_patterns=_FILES
        )
    return load(folder, **options)


def _client(token: str | bool | None) -> Any:
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise ImportError(
            "The hub needs huggingface_hub: pip install 'skrational[hub]'"
        ) from error
    return HfApi(token=token, library_name="skrational")


@contextmanager
def _told_of_the_hub(api: Any, repo_id: str) -> Iterator[None]:
    """Let errors of the network name the hub.

    Which library talks to it, and so which errors there are, differs between versions
    of huggingface_hub; of its own errors each says what is wrong.
    """
    try:
        yield
    except Exception as error:
        packages = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
        is_own = "huggingface_hub" in packages
        is_of_network = packages & {"httpx", "httpx2", "requests", "urllib3"}
        if is_own or not (is_of_network or isinstance(error, ConnectionError)):
            raise
        raise ConnectionError(
            f"The hub at {api.endpoint} can't be reached for {repo_id!r}: {error}"
        ) from error


def _there(api: Any, repo_id: str, revision: str | None) -> set[str]:
    """Return the names of the files that a repository has."""
    return set(api.list_repo_files(repo_id, revision=revision))


def _operations(folder: Path, card: str, there: set[str]) -> list[Any]:
    """Return what makes a repository hold the model, and nothing of the one before."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    names = [MANIFEST, *read_contents(folder).files]
    added = [CommitOperationAdd(name, folder / name) for name in names]
    gone = [name for name in there - {*names} if name.endswith(".skops")]
    return [
        *added,
        CommitOperationAdd(_CARD, card.encode()),
        *(CommitOperationDelete(name) for name in sorted(gone)),
    ]


def _card_of(folder: Path, model: Any, repo_id: str) -> str:
    own = folder / _CARD
    if own.is_file():
        return own.read_text(encoding="utf-8")
    model = load(folder) if isinstance(model, str | os.PathLike) else model
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return _PLAIN_CARD.format(
        name=repo_id.rpartition("/")[2],
        repo=repo_id,
        kind=type(last).__name__,
        summary=getattr(last, "learned_structure_", None) or type(model).__name__,
    )
