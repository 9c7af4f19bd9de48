"""What is left of a language model: gates and units, and the words that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skrational.structures.base import register_structure
from skrational.structures.gate_checks import rising
from skrational.structures.gated import LSTMStructure

__all__ = ["LSTMLanguageStructure"]


@register_structure
@dataclass(frozen=True, repr=False)
class LSTMLanguageStructure(LSTMStructure):
    """The units, gates and words that pruning left of a language model.

    Features are the dimensions of the embedding; the outputs are the words of the
    vocabulary, all of which can be predicted. A word that isn't left has an embedding
    of zeros: it counts as a step of time, and whatever word it is.

    Parameters
    ----------
    words : sequence of int, default=None
        Numbers, from 0, of the words that are left; stored as a tuple. None: all.

    Examples
    --------
    >>> structure = LSTMLanguageStructure(
    ...     n_units_initial=4, n_features=8, n_outputs=100, units=(0, 3),
    ...     constants=((0.9, 0.99, None, 0.7), (None, None, None, 0.5)),
    ...     inputs=range(8), n_weights=400, words=range(50),
    ... )
    >>> structure
    4 of 16 gates (i: 1, f: 1, g: 2, o: 0) in 2 of 4 units, reading 50 of 100 words
    >>> structure.n_weights_initial
    1392
    """

    words: tuple[int, ...] = field(default=None, kw_only=True)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if self.words is not None:
            words = rising("words", self.words, self.n_outputs)
        else:
            words = tuple(range(self.n_outputs))
        object.__setattr__(self, "words", words)
        super().__post_init__()

    def _most_weights(self) -> int:
        return super()._most_weights() + len(self.words) * len(self.inputs)

    @property
    def n_words(self) -> int:
        """Words that are left."""
        return len(self.words)

    @property
    def n_words_initial(self) -> int:
        """Words of the vocabulary, the two marks among them."""
        return self.n_outputs

    @property
    def n_weights_initial(self) -> int:
        """Weights before pruning, the embedding's among them; biases don't count."""
        return super().n_weights_initial + self.n_outputs * self.n_features

    @property
    def n_bytes(self) -> int:
        """Bytes that the fitted arrays take; four for each word that is left."""
        return super().n_bytes + 4 * self.n_words

    def counts(self) -> Mapping[str, int]:
        """Return the numbers of units, inputs, words and weights that are left."""
        return {**super().counts(), "words": self.n_words}

    def __repr__(self) -> str:
        return (
            f"{super().__repr__()}, reading {self.n_words} of {self.n_words_initial} "
            "words"
        )

    def reading(self) -> str:
        """Say in words what is left: one line for each thing worth knowing."""
        words = f"{self.n_words} of {self.n_words_initial} words are told apart."
        return f"{super().reading()}\n{words}"
