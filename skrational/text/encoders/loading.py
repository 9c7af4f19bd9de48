"""Encoders loaded: once in a process, for all vectorizers that ask for them."""

from __future__ import annotations

import functools
import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skrational.text.encoders.encoder import Encoder
from skrational.text.encoders.hub import (
    check_installed,
    check_revision,
    commit_of,
    find_model,
    reworded_errors,
)
from skrational.utils.devices import resolve_device
from skrational.utils.fork_locks import Lock

__all__ = ["FASTEST", "forget_encoders", "load_encoder", "load_tokenizer"]

FASTEST = ("cuda", "cpu")
"""What ``device="auto"`` stands for: the first of these that is there."""

# While one model is searched over, another may be compared with it.
_MOST_LOADED = 2
# Of a model that has none: more than any text holds.
_NO_LIMIT = 10**9

_lock = Lock(delays_forks=False)
_encoders: OrderedDict[tuple[str, str, str], Encoder] = OrderedDict()


def load_encoder(model: str | os.PathLike[str], revision: str, device: str) -> Encoder:
    """Load a model, or get it from those that are loaded.

    Parameters
    ----------
    model : str or path-like
        As for `describe_encoder`.
    revision : str
        As `describe_encoder` returned it.
    device : str
        "auto", or anything that torch reads.

    Returns
    -------
    Encoder
        Shared by all that ask for it.

    Raises
    ------
    FileNotFoundError, ValueError
        As `describe_encoder`; or if the files lack weights of the model.
    """
    where = resolve_device(device, FASTEST)
    key = (str(find_model(model)), revision, str(where))
    with _lock.held:
        if key not in _encoders:
            _encoders[key] = _load(model, revision, where)
        _encoders.move_to_end(key)
        while len(_encoders) > _MOST_LOADED:
            _encoders.popitem(last=False)
        return _encoders[key]


def forget_encoders() -> None:
    """Release the models that this process keeps for the next vectorizer."""
    with _lock.held:
        _encoders.clear()
        _tokenizer_of.cache_clear()


def load_tokenizer(
    model: str | os.PathLike[str], revision: str
) -> tuple[Any, list[int], list[int]]:
    """Load a model's tokenizer without the model, or get it from those of before.

    Parameters
    ----------
    model, revision
        As for `load_encoder`.

    Returns
    -------
    tokenizer : object of transformers
    prefix, suffix : list of int
        The special tokens that it puts around a text.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_encoder`.
    """
    check_revision(model, revision)
    with _lock.held:
        return _tokenizer_of(find_model(model), revision)


@functools.lru_cache(maxsize=_MOST_LOADED)
def _tokenizer_of(source: Any, revision: str) -> tuple[Any, list[int], list[int]]:
    from transformers import AutoTokenizer

    check_installed()
    commit = commit_of(source, revision)
    with reworded_errors(source, commit), _quiet(isinstance(source, Path)):
        tokenizer = AutoTokenizer.from_pretrained(
            source, revision=commit, trust_remote_code=False
        )
    return tokenizer, *_special_tokens_around(tokenizer)


def _load(model: str | os.PathLike[str], revision: str, device: Any) -> Encoder:
    check_installed()
    import torch
    from transformers import AutoModel, AutoTokenizer

    source = find_model(model)
    commit = commit_of(source, revision)
    check_revision(model, revision)
    # What the files lack is drawn at random: not from the user's generator.
    with (
        reworded_errors(model, commit),
        _quiet(isinstance(source, Path)),
        torch.random.fork_rng(devices=[]),
    ):
        tokenizer = AutoTokenizer.from_pretrained(
            source, revision=commit, trust_remote_code=False
        )
        network, info = AutoModel.from_pretrained(
            source,
            revision=commit,
            dtype=torch.float32,
            trust_remote_code=False,
            output_loading_info=True,
        )
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise ValueError(
            f"The files of model={str(model)!r} lack {len(missing)} of its weights, "
            f"such as {missing[0]!r}."
        )
    network = network.eval().to(device)
    _check_states(model, network, device)
    _check_special_tokens(model, network, tokenizer)
    return Encoder(
        network,
        tokenizer,
        device,
        *_special_tokens_around(tokenizer),
        _limit(network, tokenizer),
        os.getpid(),
    )


@contextmanager
def _quiet(local: bool) -> Iterator[None]:
    """Keep transformers from reports, and from bars if nothing is downloaded."""
    from huggingface_hub.utils import are_progress_bars_disabled
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled() and not are_progress_bars_disabled()
    logging.set_verbosity_error()
    if local and bars:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if local and bars:
            logging.enable_progress_bar()


def _check_states(model: str | os.PathLike[str], network: Any, device: Any) -> None:
    import torch

    n_layers = network.config.num_hidden_layers
    fault = (
        f"model={str(model)!r} has no encoder of texts that returns a hidden state for "
        f"each of its {n_layers} layers."
    )
    try:
        with torch.inference_mode():
            ids = torch.ones((1, 1), dtype=torch.long, device=device)
            output = network(input_ids=ids, output_hidden_states=True)
    except Exception as error:  # a model of images raises whatever it likes
        raise ValueError(fault) from error
    states = getattr(output, "hidden_states", None)
    if states is None or len(states) != n_layers + 1:
        raise ValueError(fault)


def _check_special_tokens(
    model: str | os.PathLike[str], network: Any, tokenizer: Any
) -> None:
    ids = tokenizer.all_special_ids
    n_rows = getattr(network.get_input_embeddings(), "num_embeddings", None)
    if n_rows is not None and max(ids, default=0) >= n_rows:
        raise ValueError(
            f"model={str(model)!r} has vectors of {n_rows} subwords, but its tokenizer "
            f"gives special tokens the numbers {ids}: the files are damaged, or of two "
            "models."
        )


def _special_tokens_around(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Find the special tokens around a text by trial; few tokenizers list them."""
    probe = "a"
    content = tokenizer(probe, add_special_tokens=False)["input_ids"]
    framed = tokenizer(probe)["input_ids"]
    n = len(content)
    start = next(i for i in range(len(framed)) if framed[i : i + n] == content)
    return framed[:start], framed[start + n :]


def _limit(network: Any, tokenizer: Any) -> int:
    """Return the most tokens that a model reads at a time."""
    limits = [_NO_LIMIT, tokenizer.model_max_length]
    positions = getattr(network.config, "max_position_embeddings", None)
    if positions is not None:
        # Like RoBERTa some keep the first positions for padding.
        reserved = [
            module.padding_idx + 1
            for name, module in network.named_modules()
            if name.endswith("position_embeddings")
            and getattr(module, "padding_idx", None) is not None
        ]
        limits.append(positions - max(reserved, default=0))
    return int(min(limit for limit in limits if limit > 0))
