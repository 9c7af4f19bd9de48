"""What a fitted language model says of texts, and the texts that it writes."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skrational.exceptions import OutOfVocabularyWarning
from skrational.kernels.recurrent.next_token import NextToken
from skrational.text.vocabulary import END_NUMBER, UNKNOWN_NUMBER, Vocabulary
from skrational.training.windows import next_tokens
from skrational.utils.callers import caller_level
from skrational.utils.checks import check_count

__all__ = ["NextTokenMixin"]


class NextTokenMixin(ABC):
    """Scores texts, and writes some, by a fitted network; in double precision.

    Each text is read from a state of zeros. What counts are its tokens and its end,
    each once; a token that the vocabulary lacks counts as the unknown one.
    """

    _vocabulary: Vocabulary
    weights_: dict[str, NDArray[np.floating]]
    coef_: NDArray[np.floating]
    intercept_: NDArray[np.floating]

    def score_samples(self, X: Iterable[Any]) -> NDArray[np.float64]:
        """Return the log-likelihood of each text, to base e.

        Parameters
        ----------
        X : iterable of str, or of lists of str
            Texts, as for ``fit``.

        Returns
        -------
        ndarray of shape (n_texts,)
        """
        found, offsets = self._log_likelihoods(X)
        return np.add.reduceat(found, offsets[:-1])

    def score(self, X: Iterable[Any], y: Any = None) -> float:
        """Return minus the bits that a token takes: higher is better.

        This is the mean log-likelihood of a token, to base 2, the ends of the texts
        among them. `perplexity` is 2 to the power of minus this.

        Parameters
        ----------
        X : iterable of str, or of lists of str
        y : None
            Ignored.

        Returns
        -------
        float
        """
        return float(self._log_likelihoods(X)[0].mean() / np.log(2))

    def perplexity(self, X: Iterable[Any]) -> float:
        """Return the perplexity of texts: lower is better.

        The number of equally likely tokens among which to choose would be as hard.

        Parameters
        ----------
        X : iterable of str, or of lists of str

        Returns
        -------
        float
        """
        return float(2 ** -self.score(X))

    def bits_per_character(self, X: Iterable[Any]) -> float:
        """Return the bits that a character takes, or the end of a text.

        Parameters
        ----------
        X : iterable of str, or of lists of str

        Returns
        -------
        float
            Lower is better.

        Raises
        ------
        ValueError
            If the model doesn't read characters: the spelling of unknown words and the
            spaces between words have no probability there.
        """
        check_is_fitted(self)
        if self._vocabulary.level != "character":
            raise ValueError(
                "bits_per_character needs level='character'; this model was fitted "
                f"with level={self._vocabulary.level!r}. Use perplexity instead."
            )
        return -self.score(X)

    def unknown_share(self, X: Iterable[Any]) -> float:
        """Return the share of the tokens of X that the vocabulary lacks.

        Models of different vocabularies can't be compared by their perplexities: the
        more tokens are unknown, the easier they are to predict.

        Parameters
        ----------
        X : iterable of str, or of lists of str

        Returns
        -------
        float
        """
        check_is_fitted(self)
        tokens = self._vocabulary.encode(X).tokens
        return float((tokens == UNKNOWN_NUMBER).sum() / max(1, len(tokens)))

    def generate(
        self,
        length: int = 50,
        *,
        prompt: str | Sequence[str] = "",
        temperature: float = 1.0,
        n_samples: int | None = None,
        stop_at_end: bool = True,
        allow_unknown: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> str | list[str]:
        """Write a text, token by token.

        Parameters
        ----------
        length : int, default=50
            The most tokens to write.
        prompt : str or list of str, default=""
            How the text begins; it isn't repeated in what is returned.
        temperature : float, default=1.0
            The logits are divided by this: close to 0, the most likely token comes.
        n_samples : int, default=None
            How many texts to write. None: one.
        stop_at_end : bool, default=True
            Whether a text ends where the model ends it. Otherwise it goes on, without
            an end, until it is as long as it may be.
        allow_unknown : bool, default=False
            Whether ``<unk>`` may be written.
        random_state : int, RandomState or None, default=None
            None: another text each time.

        Returns
        -------
        str, or list of str of length n_samples
            Words are separated by spaces.

        Raises
        ------
        ValueError, TypeError
            If a parameter isn't what it should be.

        Warns
        -----
        OutOfVocabularyWarning
            If the vocabulary lacks tokens of the prompt, which are read as ``<unk>``.
        """
        check_is_fitted(self)
        length = check_count("length", length)
        n = 1 if n_samples is None else check_count("n_samples", n_samples)
        if not isinstance(temperature, Real) or not 0 < temperature < np.inf:
            raise ValueError(
                f"temperature is {temperature!r}; expected a number above 0."
            )
        excluded = [END_NUMBER] * (not stop_at_end) + [UNKNOWN_NUMBER] * (
            not allow_unknown
        )
        drawn = _draw(
            self._model(),
            [END_NUMBER, *self._read_prompt(prompt)],
            excluded,
            (length, n),
            float(temperature),
            np.random.RandomState()
            if random_state is None
            else check_random_state(random_state),
        )
        texts = [
            self._vocabulary.join(_until_end(column)) for column in drawn.T.tolist()
        ]
        return texts[0] if n_samples is None else texts

    @abstractmethod
    def _next_token(self, arrays: dict[str, NDArray[np.floating]]) -> NextToken:
        """Build what says what comes next from the parameters of the fitted cell."""

    def _model(self) -> NextToken:
        arrays = {**self.weights_, "A": self.coef_, "a": self.intercept_}
        return self._next_token(arrays)

    def _log_likelihoods(
        self, X: Iterable[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Log-likelihood of each token and end, and where texts begin among these."""
        check_is_fitted(self)
        inputs, targets, offsets = next_tokens(*self._vocabulary.encode(X), END_NUMBER)
        return self._model().log_likelihoods(inputs, targets, offsets), offsets

    def _read_prompt(self, prompt: Any) -> list[int]:
        """Return the numbers of a prompt's tokens."""
        tokens = [prompt] if isinstance(prompt, str) else prompt
        if not isinstance(tokens, Sequence) or not all(
            isinstance(token, str) for token in tokens
        ):
            raise TypeError(
                f"prompt is {prompt!r}; expected a str or a list of tokens."
            )
        numbers = self._vocabulary.encode([prompt]).tokens
        n_unknown = int((numbers == UNKNOWN_NUMBER).sum())
        if n_unknown:
            warnings.warn(
                f"The vocabulary lacks {n_unknown} of the {len(numbers)} tokens of "
                "prompt; they are read as <unk>.",
                OutOfVocabularyWarning,
                stacklevel=caller_level(),
            )
        return [int(number) for number in numbers]


def _draw(
    model: NextToken,
    read: list[int],
    excluded: list[int],
    shape: tuple[int, int],
    temperature: float,
    random: np.random.RandomState,
) -> NDArray[np.intp]:
    """Draw tokens, each given those before.

    Parameters
    ----------
    model : NextToken
    read : list of int
        Tokens that come before.
    excluded : list of int
        Tokens that are never drawn.
    shape : tuple of two ints
        Tokens of a text, at most, and number of texts.
    temperature : float
    random : RandomState

    Returns
    -------
    ndarray of shape (n_tokens, n_texts)
        Once all texts have ended no more tokens are drawn.
    """
    state = model.start(1)
    for token in read:
        state = model.step(np.array([token]), *state)
    state = tuple(np.repeat(part, shape[1], axis=0) for part in state)
    drawn: list[NDArray[np.intp]] = []
    has_ended = np.zeros(shape[1], bool)
    while len(drawn) < shape[0] and not has_ended.all():
        if drawn:
            state = model.step(drawn[-1], *state)
        logits = model.logits(state[0])
        logits[:, excluded] = -np.inf
        logits -= logits.max(axis=1, keepdims=True)
        with np.errstate(over="ignore"):
            logits /= temperature
        # The largest of logits with Gumbel noise is a draw from their softmax.
        drawn.append((logits + random.gumbel(size=logits.shape)).argmax(axis=1))
        has_ended |= drawn[-1] == END_NUMBER
    return np.array(drawn)


def _until_end(tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(END_NUMBER)] if END_NUMBER in tokens else tokens
