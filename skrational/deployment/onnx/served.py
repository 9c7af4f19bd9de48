"""Texts to what an exported graph reads, by Python's own modules and numpy alone.

`skrational.deployment.onnx.export` writes this class beside a graph, with the tokenizer
and all else that it needs, as ``tokenizer.py``. `WordVectorizer` defines what it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from skrational.text.tokenize import tokenize
from skrational.text.vectors.canonical import canonical

__all__ = ["Tokenizer"]


class Tokenizer:
    """Turns texts into the numbers of their words.

    Parameters
    ----------
    folder : str or path-like
        Where ``config.json`` and ``vocabulary.json`` are.

    Attributes
    ----------
    config : dict
        What ``config.json`` holds.
    """

    def __init__(self, folder: Any) -> None:
        def read(name: str) -> Any:
            return json.loads(Path(folder, name).read_text(encoding="utf-8"))

        self.config = read("config.json")
        self.settings = self.config["tokenizer"]
        vocabulary = read("vocabulary.json")
        self.numbers = {word: i for i, word in enumerate(vocabulary["words"])}
        self.numbers.update(vocabulary["aliases"])

    def __call__(self, texts: Iterable[Any]) -> dict[str, Any]:
        """Return the inputs of the graph for some texts.

        Parameters
        ----------
        texts : iterable of str, or of lists of str
            The texts, or their tokens.

        Returns
        -------
        dict
            ``ids`` (n_texts, n_tokens), the number of each word, and ``lengths``
            (n_texts,), how many of them each text has; both int64.

        Raises
        ------
        TypeError
            If texts is a single one.
        """
        if isinstance(texts, str | bytes):
            raise TypeError(
                f"texts is a {type(texts).__name__}; expected a list of texts, such as "
                "[text]."
            )
        numbers = [self.encode(text) for text in texts]
        lengths = np.array([len(row) for row in numbers], np.int64)
        ids = np.zeros((len(numbers), max(lengths, default=0)), np.int64)
        for row, found in zip(ids, numbers, strict=True):
            row[: len(found)] = found
        return {"ids": ids, "lengths": lengths}

    def encode(self, text: Any) -> list[int]:
        """Return the numbers of the words of a text, or of a list of tokens."""
        settings = self.settings
        words = self.split(text)
        most = settings["max_length"]
        if most is not None and len(words) > most:
            words = words[:most] if settings["keep"] == "start" else words[-most:]
        before, behind = settings["start_token"], settings["end_token"]
        framed = [
            *([] if before is None else [before]),
            *words,
            *([] if behind is None else [behind]),
        ]
        found = [self.find(word) for word in framed]
        return [number for number in found if number is not None]

    def split(self, text: Any) -> list[str]:
        """Return the tokens of a text, or those of a list as they are looked up."""
        lowercase = self.settings["lowercase"]
        if not isinstance(text, str):
            return [token.lower() if lowercase else token for token in text]
        if lowercase:
            text = text.lower()
        words: list[str]
        if self.settings["split"] == "whitespace":
            words = text.split()
        else:
            words = tokenize(text)
        return words

    def find(self, word: str) -> int | None:
        """Return the number of a word; None of one to be left out, maybe unknown."""
        number: int | None = self.numbers.get(word)
        if number is None:
            form = canonical(word)
            if form not in self.settings["stop_words"]:
                number = self.numbers.get(form, self.settings["unknown"])
        return number
