"""Encoders of transformers: described without their weights, loaded once, and run."""

from __future__ import annotations

import functools
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text._hub import (
    check_installed,
    check_revision,
    commit_of,
    explained,
    find_place,
)
from skrational.text._pieces import Document

__all__ = ["Encoder", "find_device", "forget_encoders", "load_encoder"]

# Models kept: while one is searched over, another may be compared with it.
_KEPT = 2
# Of a model that has none: more than any text holds.
_NO_LIMIT = 10**9

_lock = threading.Lock()
_encoders: OrderedDict[tuple[str, str, str], Encoder] = OrderedDict()


def _start_anew() -> None:
    """In a child nobody would release a lock that another thread of the parent held."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


@dataclass(frozen=True, eq=False)
class Encoder:
    """A model and its tokenizer.

    Parameters
    ----------
    model, tokenizer : object of transformers
    device : torch.device
        Where the model is.
    prefix, suffix : list of int
        The special tokens around each piece.
    limit : int
        The most tokens of a piece, with the special ones.
    process : int
        Where it was loaded.
    """

    model: Any
    tokenizer: Any
    device: Any
    prefix: list[int]
    suffix: list[int]
    limit: int
    process: int

    @functools.cached_property
    def pads(self) -> bool:
        """Whether a piece has the same features beside a longer one."""
        piece = [*self.prefix, *self.suffix] or [0]
        longer = piece * 3
        layers = range(self.model.config.num_hidden_layers + 1)
        (alone,) = self.embed([piece], layers, 1.0)
        padded, _ = self.embed([piece, longer], layers, 1.0)
        return bool(np.allclose(alone, padded, rtol=1e-3, atol=1e-3))

    @property
    def n_special(self) -> int:
        """Number of special tokens around a piece."""
        return len(self.prefix) + len(self.suffix)

    def tokenize(self, texts: Sequence[str]) -> list[Document]:
        """Cut texts into subwords, however long they are."""
        fast = self.tokenizer.is_fast
        # A lone surrogate is no character to a tokenizer.
        known = [re.sub("[\ud800-\udfff]", "\ufffd", text) for text in texts]
        encoded = self.tokenizer(
            known,
            add_special_tokens=False,
            padding=False,
            truncation=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            return_offsets_mapping=fast,
            verbose=False,
        )
        if not fast:
            return [
                Document(text, ids)
                for text, ids in zip(texts, encoded["input_ids"], strict=True)
            ]
        return [
            Document(
                text,
                encoded["input_ids"][i],
                np.array(encoded["offset_mapping"][i], dtype=np.int64).reshape(-1, 2),
                encoded.word_ids(i),
            )
            for i, text in enumerate(texts)
        ]

    def names(self, ids: Sequence[int]) -> list[str]:
        """Return subwords as the tokenizer writes them."""
        return list(self.tokenizer.convert_ids_to_tokens(list(ids)))

    def embed(
        self, pieces: Sequence[list[int]], layers: Sequence[int], scale: float
    ) -> list[NDArray[np.float32]]:
        """Run the model on pieces of similar length.

        Parameters
        ----------
        pieces : sequence of list of int
            Ids, with special tokens.
        layers : sequence of int
            The hidden states to add up, 0 for the embeddings.
        scale : float
            What their sum is multiplied by.

        Returns
        -------
        list of ndarray of shape (len(piece), n_features), float32
        """
        import torch

        # Where there are no special tokens, an empty text has no token at all.
        longest = max(1, *map(len, pieces))
        ids = np.full((len(pieces), longest), self.tokenizer.pad_token_id or 0)
        mask = np.zeros_like(ids)
        for i, piece in enumerate(pieces):
            ids[i, : len(piece)] = piece
            mask[i, : len(piece)] = 1
        if os.getpid() != self.process:
            # In a fork OpenMP would wait for threads that aren't there.
            torch.set_num_threads(1)
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=False),
        ):
            states = self.model(
                input_ids=torch.from_numpy(ids).to(self.device),
                attention_mask=torch.from_numpy(mask).to(self.device),
                output_hidden_states=True,
            ).hidden_states
            total = sum(states[layer] for layer in layers) * scale
            rows = total.float().cpu().numpy()
        return [row[: len(piece)] for row, piece in zip(rows, pieces, strict=True)]


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
    where = find_device(device)
    key = (str(find_place(model)), revision, str(where))
    with _lock:
        if key not in _encoders:
            _encoders[key] = _load(model, revision, where)
        _encoders.move_to_end(key)
        while len(_encoders) > _KEPT:
            _encoders.popitem(last=False)
        return _encoders[key]


def forget_encoders() -> None:
    """Release the models that this process keeps for the next vectorizer."""
    with _lock:
        _encoders.clear()


def find_device(device: str) -> Any:
    """Turn a device parameter into a torch.device that is there.

    Raises
    ------
    ValueError
        If there is none.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        where = torch.device(device)
        torch.zeros(1, device=where).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} is not available on this machine; expected 'auto', "
            "'cpu', or a device of torch that is there."
        ) from error
    return where


def _load(model: str | os.PathLike[str], revision: str, device: Any) -> Encoder:
    check_installed()
    import torch
    from transformers import AutoModel, AutoTokenizer

    place = find_place(model)
    commit = commit_of(place, revision)
    check_revision(model, revision)
    # What the files lack is drawn at random: not from the user's generator.
    with (
        explained(model, commit),
        _quiet(isinstance(place, Path)),
        torch.random.fork_rng(devices=[]),
    ):
        tokenizer = AutoTokenizer.from_pretrained(
            place, revision=commit, trust_remote_code=False
        )
        network, info = AutoModel.from_pretrained(
            place,
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
    return Encoder(
        network,
        tokenizer,
        device,
        *_frame(tokenizer),
        _limit(network, tokenizer),
        os.getpid(),
    )


@contextmanager
def _quiet(local: bool) -> Iterator[None]:
    """Do without the report on a model's head, and without bars if none is loaded."""
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


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Find the special tokens around a text: not every tokenizer tells them."""
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
