"""What there is to know of a prediction, before it is shown in any way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.paths import Path
from skrational.inspection.model import log_odds
from skrational.inspection.names import mark_unknown
from skrational.inspection.wrappers import Verdict
from skrational.sequences import Original
from skrational.utils.figures import class_colour

__all__ = ["ExplainedPrediction"]


@dataclass(frozen=True, eq=False, repr=False)
class ExplainedPrediction:
    """The values of an `Explanation`, which says what each of them is.

    Text, HTML and pictures are made of these; `Explanation` adds the methods that make
    them.
    """

    part: ClassVar[str] = "WFSA"
    """What the contributions are of."""
    has_paths: ClassVar[bool] = True
    """Whether there is a path behind each contribution."""
    is_value: ClassVar[bool] = False
    """Whether a number is predicted, and not a class."""

    tokens: tuple[str, ...]
    classes: NDArray[Any]
    prediction: Any
    probabilities: NDArray[np.floating]
    logits: NDArray[np.floating]
    bias: NDArray[np.float64]
    contributions: NDArray[np.float64]
    scores: NDArray[np.float64]
    numbers: tuple[int, ...]
    best: tuple[Path | None, ...]
    worst: tuple[Path | None, ...]
    paths: tuple[Path | None, ...]
    shares: NDArray[np.float64]
    main_path_weights: NDArray[np.float64]
    self_loop_weights: NDArray[np.float64]
    effects: NDArray[np.float64]
    probabilities_without: NDArray[np.floating]
    # An explanation that version 0.1.0 pickled has none of these.
    n_words: int | None = None
    n_unknown: int | None = None
    gates: tuple[str, ...] = ()
    temperature: float = 1.0
    verdicts: tuple[Verdict, ...] = ()
    original: Original | None = None
    toward: str = "prediction"

    @property
    def text(self) -> str | None:
        """The document as it was given, None if only its tokens are known."""
        return None if self.original is None else self.original.text

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens as they stand in the text, length T; marks by their labels."""
        return self.tokens if self.original is None else self.original.read(self.tokens)

    @property
    def marked_words(self) -> tuple[str, ...]:
        """The same, with "[?]" behind those that are unknown."""
        return mark_unknown(self.tokens, self.words)

    @property
    def token_weights(self) -> NDArray[np.float64]:
        """Share of each WFSA's score that goes through each token, (d, T)."""
        return self.main_path_weights + self.self_loop_weights

    @property
    def predictions_without(self) -> list[Any]:
        """What is predicted if the phrase of each WFSA is cut out, length d."""
        return [self.classes[p.argmax()] for p in self.probabilities_without]

    @property
    def output(self) -> int:
        """The output that speaks of the predicted class; 0 for two classes."""
        return 0 if len(self.logits) == 1 else self.predicted

    @property
    def remainder(self) -> float:
        """What the effects of single tokens leave of the log-odds of the prediction.

        The log-odds less those of an empty document, less the sum of the ``effects``:
        what tokens do together.
        """
        here, empty = log_odds(
            np.stack([self.logits, self.bias]), np.full(2, self.predicted)
        )
        return float(here - empty - self.effects.sum())

    @property
    def support(self) -> NDArray[np.float64]:
        """Contributions to the predicted class, (d,): for ``classes[0]`` of two, minus.

        For more classes they are those to the logit of the predicted class.
        """
        negated = len(self.logits) == 1 and self.predicted == 0
        return -self.contributions[0] if negated else self.contributions[self.output]

    @property
    def target(self) -> int:
        """Number of the class that what is shown counts towards."""
        return 1 if self.toward == "positive" else self.predicted

    @property
    def direction(self) -> int:
        """1 if what is shown counts towards the prediction, -1 if against it."""
        return 1 if self.target == self.predicted else -1

    @property
    def colours(self) -> tuple[str, str]:
        """Colours of what speaks for the prediction, and of what speaks against it.

        Of two classes they are those of the two, of more that of the prediction and
        grey.
        """
        n_classes = len(self.classes)
        other = 1 - self.predicted if n_classes == 2 else None
        return class_colour(self.predicted, n_classes), class_colour(other, n_classes)

    @property
    def order(self) -> list[int]:
        """The WFSAs, the one of the largest contribution, in size, first."""
        return np.argsort(-np.abs(self.support), kind="stable").tolist()

    @property
    def predicted(self) -> int:
        """Number of the predicted class in ``classes``."""
        return int(np.flatnonzero(self.classes == self.prediction)[0])
