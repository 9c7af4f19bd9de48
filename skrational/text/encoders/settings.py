"""What a text's features depend on beside the model, checked against the model."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from skrational.text.encoders.encoder import Encoder
from skrational.utils.checks import is_integer

__all__ = ["EmbeddingSettings", "Layers"]

_USUAL_LAYERS, _USUAL_OVERLAP = 4, 64
_LAST = re.compile(r"(sum|mean)_last_([1-9]\d*)")


@dataclass(frozen=True)
class Layers:
    """Hidden states, added up and scaled.

    Parameters
    ----------
    numbers : tuple of int
        From 0, the embeddings, to the number of layers.
    scale : float
    """

    numbers: tuple[int, ...]
    scale: float

    @classmethod
    def read(cls, layers: Any, n_layers: int) -> Layers:
        """Read the parameter of `BertVectorizer`.

        Raises
        ------
        ValueError
            If it isn't of this form, or there is no such layer.

        Examples
        --------
        >>> Layers.read(None, 12)
        Layers(numbers=(9, 10, 11, 12), scale=1.0)
        >>> Layers.read(None, 2)
        Layers(numbers=(0, 1, 2), scale=1.0)
        >>> Layers.read("mean_last_2", 12)
        Layers(numbers=(11, 12), scale=0.5)
        >>> Layers.read([0, -1], 12)
        Layers(numbers=(0, 12), scale=1.0)
        """
        there = (
            f"the model has layers 0 (the embeddings) to {n_layers}; expected 'last', "
            f"'sum_last_N' or 'mean_last_N' with N up to {n_layers + 1}, or a list of "
            f"different numbers from {-n_layers - 1} to {n_layers}."
        )
        if layers is None:
            layers = f"sum_last_{min(_USUAL_LAYERS, n_layers + 1)}"
        if isinstance(layers, str):
            match = _LAST.fullmatch("sum_last_1" if layers == "last" else layers)
            if match is None or int(match[2]) > n_layers + 1:
                raise ValueError(f"layers is {layers!r}, but {there}")
            n = int(match[2])
            numbers = tuple(range(n_layers + 1 - n, n_layers + 1))
            return cls(numbers, 1.0 if match[1] == "sum" else 1 / n)
        given = np.atleast_1d(np.asarray(layers, dtype=object)).tolist()
        numbered = all(is_integer(i) and -n_layers - 1 <= i <= n_layers for i in given)
        numbers = tuple(int(i) % (n_layers + 1) for i in given) if numbered else ()
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(f"layers is {layers!r}, but {there}")
        return cls(tuple(sorted(numbers)), 1.0)


@dataclass(frozen=True)
class EmbeddingSettings:
    """What a text's features depend on beside the model.

    Parameters
    ----------
    layers : Layers
    tokens, special_tokens, long, overlap, max_length, unit_norm, dtype
        As the parameters of `BertVectorizer`.
    """

    layers: Layers
    tokens: str
    special_tokens: bool
    long: str
    overlap: int | None
    max_length: int | None
    unit_norm: bool
    dtype: str

    def to_dict(self) -> dict[str, Any]:
        """Return what names the features in the cache.

        The default ``overlap`` goes by its usual value, which it has wherever that is
        legal: so it is known before the model is loaded.
        """
        overlap = _USUAL_OVERLAP if self.overlap is None else self.overlap
        return asdict(self) | {"overlap": overlap}

    def overlap_in(self, window: int) -> int:
        """Return how many subwords a window of this size shares with the next."""
        if self.overlap is not None:
            return self.overlap
        return _USUAL_OVERLAP if _USUAL_OVERLAP < window else window // 4

    def window(self, encoder: Encoder) -> int:
        """Return the most subwords of a piece, without special tokens.

        Raises
        ------
        ValueError
            If a parameter doesn't fit the model or its tokenizer.
        """
        if not encoder.tokenizer.is_fast:
            for name, value, fine in (
                ("tokens", self.tokens, "subwords"),
                ("long", self.long, "windows"),
            ):
                if value != fine:
                    raise ValueError(
                        f"{name}={value!r} needs to know where subwords stand in the "
                        "text, which only fast tokenizers tell; this model has "
                        f"{type(encoder.tokenizer).__name__}. Set {name}={fine!r}."
                    )
        limit = min(self.max_length or encoder.limit, encoder.limit)
        window = limit - encoder.n_special
        if window < 1:
            fault = f"max_length={self.max_length} is too small; expected at least"
            if limit == encoder.limit:
                fault = f"The model reads {limit} tokens at a time; it would have to be"
            raise ValueError(
                f"{fault} {encoder.n_special + 1}: the tokenizer puts "
                f"{encoder.n_special} special tokens around each piece."
            )
        if self.overlap_in(window) >= window:
            raise ValueError(
                f"overlap={self.overlap} is too large; expected less than the "
                f"{window} subwords of a window: {window - 1}, or None for a value "
                "that fits."
            )
        return window
