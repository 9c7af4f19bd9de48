"""Reviews from templates: which sentences, and what stands in their slots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from skrational.datasets._products import KINDS, PRODUCTS
from skrational.datasets._sentences import (
    ASIDES,
    CHOICES,
    CONCESSIONS,
    CONTRACTIONS,
    FRAMES,
    NEGATED_PARTS,
    NEGATED_VERDICTS,
    OPENERS,
    PLAIN_PARTS,
    PLAIN_VERDICTS,
    TURNS,
    Template,
)

__all__ = ["Dice", "ReviewSentence", "ReviewWriter"]

_T = TypeVar("_T")
_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeio]|u(?!s))")
_BEGIN = re.compile(r"(?:^|(?<=[.?] ))[a-z]")
_CLAUSE = re.compile(r"\{(same|opposite)\}")
_SLOT = re.compile(r"\{(\w+)\}")
_ABOUT_PART = re.compile(r"\{part\}")
_WORD = re.compile(r"[a-z]{5,}")
_SHARES = {"turn": 0.15, "part": 0.4, "negated": 0.5}
_ANY_FAULT = (("failed", "fail"),)
_MOST_TRIES = 20


class ReviewSentence(NamedTuple):
    """A sentence of a made review, and how it was made.

    Attributes
    ----------
    text : str
        As it was before contractions and misspellings.
    sentiment : int
        What it says about the product: good 1, bad -1, neither 0.
    templates : tuple of str
        Its own, and those of the clauses in it.
    """

    text: str
    sentiment: int
    templates: tuple[str, ...]


class Dice:
    """Draws by numbers from 0 to 1 alone, which are the same on every platform.

    Parameters
    ----------
    rng : RandomState

    Examples
    --------
    >>> Dice(np.random.RandomState(0)).shuffled("abc")
    ['a', 'c', 'b']
    """

    def __init__(self, rng: np.random.RandomState) -> None:
        self._rng = rng

    def chance(self, share: float) -> bool:
        """Return True in this share of the throws."""
        return bool(self._rng.random_sample() < share)

    def pick(self, items: Sequence[_T]) -> _T:
        """Draw one of some things."""
        return items[int(self._rng.random_sample() * len(items))]

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """Return things in any order."""
        order = np.argsort(self._rng.random_sample(len(items)), kind="stable")
        return [items[i] for i in order]


class ReviewWriter:
    """Writes reviews, no two of which are alike if that can be helped.

    Parameters
    ----------
    dice : Dice
    misspelled : float
        Share of the longer words that are misspelled.

    Examples
    --------
    >>> text, sentences = ReviewWriter(Dice(np.random.RandomState(0)), 0.0).review(1)
    >>> {sentence.sentiment for sentence in sentences} <= {0, 1}
    True
    """

    def __init__(self, dice: Dice, misspelled: float) -> None:
        self._dice = dice
        self._misspelled = misspelled
        self._written: set[str] = set()

    def review(self, sentiment: int) -> tuple[str, tuple[ReviewSentence, ...]]:
        """Write a good (1) or a bad (-1) review."""
        for _ in range(_MOST_TRIES):
            sentences = _Draft(self._dice, sentiment).sentences()
            text = " ".join(sentence.text for sentence in sentences)
            if text not in self._written:
                break
        self._written.add(text)
        return self._typed(text), sentences

    def _typed(self, text: str) -> str:
        """Type a text as people do: contracted, in a hurry, with misspellings."""
        dice = self._dice
        if dice.chance(0.6):
            for long, short in CONTRACTIONS:
                text = re.sub(rf"\b{long}\b", short, text)
        if dice.chance(0.1):
            text = text.removesuffix(".") + "!"
        elif dice.chance(0.05):
            text = text.removesuffix(".")
        text = _WORD.sub(
            lambda m: self._misspell(m[0]) if dice.chance(self._misspelled) else m[0],
            text,
        )
        return text.lower() if dice.chance(0.05) else text

    def _misspell(self, word: str) -> str:
        """Leave a letter out, double one, or exchange two."""
        i = 1 + self._dice.pick(range(len(word) - 2))
        before, here, after = word[:i], word[i], word[i + 1 :]
        return self._dice.pick(
            (
                before + after,
                before + here + here + after,
                before + after[0] + here + after[1:],
            )
        )


class _Draft:
    """One review while it is written.

    No clause and no part of the product comes up twice in it, so that nothing
    contradicts itself.
    """

    def __init__(self, dice: Dice, sentiment: int) -> None:
        self._dice = dice
        self._sentiment = sentiment
        self._product = dice.pick(PRODUCTS)
        self._parts = dice.shuffled(self._product.parts)
        self._used: set[str] = set()
        self._named = False
        # One of each for the whole review: what is black doesn't come in red, too.
        self._fixed = {
            "product": self._product.name,
            **{name: dice.pick(CHOICES[name]) for name in ("period", "colour", "day")},
        }

    def sentences(self) -> tuple[ReviewSentence, ...]:
        """Write one to four sentences, at least one of which judges the product."""
        dice = self._dice
        plan = ["opinion"]
        if dice.chance(0.5):
            plan.insert(0, "opener")
        if dice.chance(0.4):
            plan.append("opinion")
        if dice.chance(0.5):
            plan.insert(dice.pick(range(1, len(plan) + 1)), "aside")
        return tuple(self._sentence(kind) for kind in plan)

    def _sentence(self, kind: str) -> ReviewSentence:
        if kind == "opener":
            return self._whole(OPENERS, 0)
        if kind == "aside":
            return self._whole(ASIDES, 0)
        if self._dice.chance(_SHARES["turn"]):
            return self._whole(self._agreeing(TURNS), self._sentiment)
        return self._framed()

    def _whole(self, templates: Sequence[Template], sentiment: int) -> ReviewSentence:
        """Write a sentence that is one template."""
        text = self._fresh(templates).text
        return ReviewSentence(_polished(self._filled(text)), sentiment, (text,))

    def _framed(self) -> ReviewSentence:
        """Write a sentence of a frame and clauses."""
        frames = [f for f in FRAMES if f.sentiment in (0, self._sentiment)]
        templates = [self._fresh(frames).text]

        def clause(match: re.Match[str]) -> str:
            drawn = self._judgement() if match[1] == "same" else self._concession()
            templates.append(drawn.text)
            return self._filled(drawn.text)

        text = _CLAUSE.sub(clause, templates[0])
        return ReviewSentence(_polished(text), self._sentiment, tuple(templates))

    def _judgement(self) -> Template:
        """Draw a clause that agrees with the review."""
        # The last part is kept for a concession.
        about_part = len(self._parts) > 1 and self._dice.chance(_SHARES["part"])
        negated = self._dice.chance(_SHARES["negated"])
        if about_part:
            clauses = NEGATED_PARTS if negated else PLAIN_PARTS
        else:
            clauses = NEGATED_VERDICTS if negated else PLAIN_VERDICTS
        return self._fresh(self._agreeing(clauses))

    def _concession(self) -> Template:
        opposite = [c for c in CONCESSIONS if c.sentiment == -self._sentiment]
        return self._fresh(opposite)

    def _agreeing(self, templates: Sequence[Template]) -> list[Template]:
        return [t for t in templates if t.sentiment == self._sentiment]

    def _fresh(self, templates: Sequence[Template]) -> Template:
        """Draw a template that the review doesn't have, if there is one."""
        unused = [t for t in templates if t.text not in self._used]
        drawn = self._dice.pick(unused or templates)
        self._used.add(drawn.text)
        return drawn

    def _filled(self, text: str) -> str:
        """Fill the slots of a template, all of them about the same part."""
        slots = dict(self._fixed)
        if _ABOUT_PART.search(text):
            slots |= self._about_part(needs_fault="{fail" in text)
        if "{it}" in text:
            slots["it"] = self._it("{product}" in text)
        self._named |= "{product}" in text
        return _SLOT.sub(lambda m: slots.get(m[1]) or self._word(m[1]), text)

    def _about_part(self, needs_fault: bool) -> dict[str, str]:
        """Draw a part that hasn't come up, and what fits it."""
        fitting = [p for p in self._parts if KINDS[p.kind].fails or not needs_fault]
        part = (fitting or self._parts)[0]
        self._parts.remove(part)
        kind = KINDS[part.kind]
        failed, fail = self._dice.pick(kind.fails or _ANY_FAULT)
        return {
            "part": f"the {part.name}",
            "is": "are" if part.plural else "is",
            "feels": "feel" if part.plural else "feels",
            "good": self._dice.pick(kind.good),
            "bad": self._dice.pick(kind.bad),
            "failed": failed,
            "fail": fail,
        }

    def _it(self, followed_by_name: bool) -> str:
        """Name the product where it comes up first, or point at it."""
        if self._named or not self._dice.chance(0.7):
            return "it"
        self._named = True
        return "this" if followed_by_name else f"this {self._product.name}"

    def _word(self, slot: str) -> str:
        return self._dice.pick(self._product.uses if slot == "use" else CHOICES[slot])


def _polished(text: str) -> str:
    """Write "an" before vowels, and the first letters of sentences large."""
    text = _BEFORE_VOWEL.sub(r"\1n ", text)
    return _BEGIN.sub(lambda m: m[0].upper(), text)
