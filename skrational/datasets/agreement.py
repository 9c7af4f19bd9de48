"""Sentences whose verb agrees with its subject, or with another noun only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.datasets._generator import generator_of
from skrational.sequences import SequenceArray
from skrational.utils.checks import check_count

__all__ = ["AgreementSentences", "make_agreement"]

_NOUNS = tuple(
    tuple(pair.split("/"))
    for pair in (
        "key/keys cabinet/cabinets door/doors teacher/teachers letter/letters "
        "garden/gardens picture/pictures author/authors boat/boats engine/engines "
        "window/windows farmer/farmers bridge/bridges recipe/recipes lawyer/lawyers "
        "tower/towers"
    ).split()
)
_VERBS = tuple(
    tuple(pair.split("/"))
    for pair in "is/are was/were has/have seems/seem looks/look stays/stay".split()
)
_OPENERS = ("near", "behind", "after", "beside")
_LINKS = ("of", "to", "with", "for")
_AFTER = ("beyond", "under", "among", "without")
_ADVERBS = ("really", "often", "clearly", "still", "probably", "rarely")
_N_ELSEWHERE = 3
"""Nouns that are neither the subject nor between it and the verb."""


@dataclass(frozen=True, eq=False)
class AgreementSentences:
    """What `make_agreement` made.

    Attributes
    ----------
    X : SequenceArray of n_sentences sequences
        The sentences as word vectors: type-level, float32, labels are the words.
    y : ndarray of shape (n_sentences,), int64
        1 if the verb agrees with the subject, 0 if not.
    documents : list of list of str
        The tokens.
    subject_is_plural, verb_is_plural : ndarray of shape (n_sentences,), bool
    nouns_are_plural : ndarray of shape (n_sentences, n_attractors + 4), bool
        In their order; the subject is the second.
    vectors : dict of str to ndarray of shape (n_features,), float32
        A vector for each word.
    """

    X: SequenceArray
    y: NDArray[np.int64] = field(repr=False)
    documents: list[list[str]] = field(repr=False)
    subject_is_plural: NDArray[np.bool_] = field(repr=False)
    verb_is_plural: NDArray[np.bool_] = field(repr=False)
    nouns_are_plural: NDArray[np.bool_] = field(repr=False)
    vectors: dict[str, NDArray[np.float32]] = field(repr=False)

    @property
    def texts(self) -> list[str]:
        """The sentences as strings, tokens joined by spaces."""
        return [" ".join(tokens) for tokens in self.documents]


def make_agreement(
    n_sentences: int = 2000,
    *,
    n_attractors: int = 1,
    distance: int = 0,
    vectors: Mapping[str, ArrayLike] | None = None,
    n_features: int = 32,
    random_state: int | np.random.RandomState | None = None,
) -> AgreementSentences:
    """Make sentences in which only the place of a noun tells whether the verb is right.

    "near the boats , the keys to the cabinet are under the tower beyond the letters" is
    right, and wrong with "is": the subject is the first noun behind the comma. Nouns
    between it and the verb, of either number, attract the verb.

    Parameters
    ----------
    n_sentences : int, default=2000
        Half of them are right, up to one.
    n_attractors : int, default=1
        Nouns between the subject and the verb, each in a phrase of three words.
    distance : int, default=0
        Adverbs before the verb, which have no number.
    vectors : mapping from str to array-like of shape (n_features,), default=None
        Word vectors, one for each word of the templates. None: random ones, in which
        the number of a noun or verb, and the kind of a word, are directions.
    n_features : int, default=32
        Length of random vectors, at least 4.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same sentences in each call. None draws fresh entropy.
        NumPy's global generator is not used.

    Returns
    -------
    AgreementSentences

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range, or a word has no vector; the message names it.

    Notes
    -----
    Which words occur tells nothing: the number of the subject is drawn after how many
    of the nouns are plural, so that it is even given the words, and so is that of the
    verb. A bag of words is right half of the time, whatever it is trained on. The task
    is after [1]_, who took sentences from Wikipedia; templates and words are this
    package's own.

    References
    ----------
    .. [1] Linzen, Dupoux, Goldberg. "Assessing the Ability of LSTMs to Learn
       Syntax-Sensitive Dependencies", TACL 4, 2016. :arxiv:`1611.01368`

    Examples
    --------
    >>> data = make_agreement(4, random_state=0)
    >>> data.y.sum().item(), len(data.texts[0].split())
    (2, 16)
    """
    rng = generator_of(random_state)
    for name, value, least in (
        ("n_sentences", n_sentences, 1),
        ("n_attractors", n_attractors, 0),
        ("distance", distance, 0),
        ("n_features", n_features, 4),
    ):
        check_count(name, value, least)
    is_right = rng.permutation(np.arange(n_sentences) % 2 == 0)
    nouns = np.stack([_numbers(n_attractors, rng) for _ in range(n_sentences)])
    subject = nouns[:, 1]
    verb = np.where(is_right, subject, ~subject)
    documents = [
        _sentence(of_nouns, of_verb, n_attractors, distance, rng)
        for of_nouns, of_verb in zip(nouns, verb, strict=True)
    ]
    table = _random_vectors(n_features, rng) if vectors is None else _given(vectors)
    return AgreementSentences(
        X=_sequences(documents, table),
        y=is_right.astype(np.int64),
        documents=documents,
        subject_is_plural=subject,
        verb_is_plural=verb,
        nouns_are_plural=nouns,
        vectors=table,
    )


def _numbers(n_attractors: int, rng: np.random.RandomState) -> NDArray[np.bool_]:
    """Draw which nouns are plural, the subject as the second: even given how many."""
    n = 1 + n_attractors + _N_ELSEWHERE
    n_plural = rng.randint(1, n)
    subject = bool(rng.randint(2))
    others = rng.permutation(np.arange(n - 1) < n_plural - subject)
    return np.insert(others, 1, subject)


def _sentence(
    plural: NDArray[np.bool_],
    verb_is_plural: bool,
    n_attractors: int,
    distance: int,
    rng: np.random.RandomState,
) -> list[str]:
    """Write a sentence.

    Parameters
    ----------
    plural : ndarray of shape (n_nouns,), bool
    verb_is_plural : bool
    n_attractors, distance : int
    rng : RandomState
    """
    chosen = rng.choice(len(_NOUNS), len(plural), replace=len(plural) > len(_NOUNS))
    nouns = [_NOUNS[i][int(p)] for i, p in zip(chosen, plural, strict=True)]

    def one_of(words: tuple[Any, ...]) -> Any:
        return words[rng.randint(len(words))]

    opener, subject, *others = nouns
    words = [one_of(_OPENERS), "the", opener, ",", "the", subject]
    for noun in others[:n_attractors]:
        words += [one_of(_LINKS), "the", noun]
    words += [one_of(_ADVERBS) for _ in range(distance)]
    words.append(one_of(_VERBS)[int(verb_is_plural)])
    for noun in others[n_attractors:]:
        words += [one_of(_AFTER), "the", noun]
    return words


def _random_vectors(
    n_features: int, rng: np.random.RandomState
) -> dict[str, NDArray[np.float32]]:
    """Draw a unit vector for each word: its own, its kind's and its number's."""
    kinds = (_NOUNS, _VERBS, _OPENERS, _LINKS, _AFTER, _ADVERBS, ("the",), (",",))
    number = rng.normal(size=n_features)
    table = {}
    for kind in kinds:
        of_kind = rng.normal(size=n_features)
        for entry in kind:
            forms = entry if isinstance(entry, tuple) else (entry,)
            own = rng.normal(size=n_features)
            for sign, word in zip((-1, 1), forms, strict=False):
                told = sign * number if len(forms) == 2 else 0.0
                vector = of_kind + 0.5 * own + told
                table[word] = (vector / np.linalg.norm(vector)).astype(np.float32)
    return table


def _words() -> list[str]:
    """All words of the templates."""
    pairs = [word for pair in (*_NOUNS, *_VERBS) for word in pair]
    return ["the", ",", *pairs, *_OPENERS, *_LINKS, *_AFTER, *_ADVERBS]


def _given(vectors: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float32]]:
    """Look up the vector of each word; a ValueError names those that have none."""
    missing = [word for word in _words() if word not in vectors]
    if missing:
        raise ValueError(
            f"vectors has none for {', '.join(map(repr, missing[:5]))}"
            f"{' and others' if len(missing) > 5 else ''}; expected one for each of "
            f"the {len(_words())} words of the templates."
        )
    table = {word: np.asarray(vectors[word], np.float32) for word in _words()}
    shapes = {vector.shape for vector in table.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        raise ValueError(
            f"vectors have the shapes {sorted(shapes)}; expected (n_features,) of all."
        )
    return table


def _sequences(
    documents: list[list[str]], vectors: dict[str, NDArray[np.float32]]
) -> SequenceArray:
    row = {word: i for i, word in enumerate(vectors)}
    return SequenceArray(
        np.stack(list(vectors.values())),
        np.cumsum([0] + [len(tokens) for tokens in documents]),
        indices=[row[token] for tokens in documents for token in tokens],
        labels=list(vectors),
    )
