"""Where the subwords of a static model stand in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skrational.sequences import Original
from skrational.text.static_models.model import StaticModel
from skrational.text.static_models.rows import Cut
from skrational.text.words.places import arrange

__all__ = ["SubwordFinder"]


@dataclass(frozen=True)
class SubwordFinder:
    """Finds the subwords that a `StaticVectorizer` makes of a text.

    Parameters
    ----------
    model : StaticModel
    cut : Cut
    with_unknown : bool
        Whether what the tokenizer doesn't know is a token.
    """

    model: StaticModel
    cut: Cut
    with_unknown: bool

    def __call__(self, text: Any) -> Original | None:
        """Return a text with the places of its subwords."""
        numbers, places = self.model.places(text)
        kept = self.cut.of(list(range(len(numbers))))
        unknown = None if self.with_unknown else self.model.unknown
        left_out = [numbers[i] == unknown for i in kept]
        return arrange(text, [places[i] for i in kept], left_out)
