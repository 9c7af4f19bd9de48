"""Documents with planted patterns, written token by token."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from skrational.datasets._vocabulary import Pattern, Slot


class DocumentWriter:
    """Writes documents from slots, fillers and decoys.

    Parameters
    ----------
    patterns : tuple of patterns
        A pattern is a tuple of slots, a slot a tuple of words.
    fillers : list of str
        The words around the patterns, the frequent ones first.
    max_gap : int
        The most fillers between two slots.
    n_decoys : int
        How many wrong patterns to put into a document.
    rng : RandomState

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> writer = DocumentWriter(((("not",), ("worth",)),), ["the", "it"], 1, 0, rng)
    >>> tokens = writer.document(0, 5)
    >>> len(tokens), tokens.index("not") < tokens.index("worth")
    (5, True)
    """

    def __init__(
        self,
        patterns: tuple[Pattern, ...],
        fillers: list[str],
        max_gap: int,
        n_decoys: int,
        rng: np.random.RandomState,
    ) -> None:
        self.patterns = patterns
        self.orderable = [p for p in patterns if len(p) > 1]
        self.fillers = fillers
        weights = 1 / np.arange(1, len(fillers) + 1)
        self.frequencies = weights / weights.sum()
        self.max_gap = max_gap
        self.n_decoys = n_decoys
        self.rng = rng

    def document(self, planted: int, length: int) -> list[str]:
        """Write a document of ``length`` tokens with one pattern (-1: none)."""
        if planted >= 0:
            pieces = [self.spell(self.patterns[planted])]
        else:
            pieces = [self.spell(self.shuffled())] if self.orderable else []
        n_decoys = self.n_decoys if self.orderable else 0
        for _ in range(n_decoys):
            decoy = self.decoy()
            if sum(map(len, pieces)) + len(decoy) <= length:
                pieces = self.inserted(pieces, decoy, {planted} - {-1})
        for _ in range(length - sum(map(len, pieces))):
            pieces.insert(self.rng.randint(len(pieces) + 1), [self.filler()])
        return list(chain(*pieces))

    def inserted(
        self, pieces: list[list[str]], piece: list[str], allowed: set[int]
    ) -> list[list[str]]:
        """Insert a piece where it completes no pattern but the allowed ones.

        A piece without such a place is taken apart, not dropped: it would be dropped
        more often in one class than in the other, and its words would tell the classes
        apart. A single word always has a place, at the end if its slot is the first of
        a pattern, else at the beginning.
        """
        trials = [[*pieces[:i], piece, *pieces[i:]] for i in range(len(pieces) + 1)]
        fitting = [t for t in trials if self.found_in(list(chain(*t))) == allowed]
        if fitting:
            return fitting[self.rng.randint(len(fitting))]
        for token in piece:
            pieces = self.inserted(pieces, [token], allowed)
        return pieces

    def filler(self) -> str:
        return self.fillers[self.rng.choice(len(self.fillers), p=self.frequencies)]

    def spell(self, slots: Sequence[Slot]) -> list[str]:
        """Draw a word for each slot and a gap before each but the first."""
        tokens: list[str] = []
        for k, slot in enumerate(slots):
            gap = self.rng.randint(self.max_gap + 1) if k else 0
            tokens += [self.filler() for _ in range(gap)]
            tokens.append(slot[self.rng.randint(len(slot))])
        return tokens

    def shuffled(self) -> list[Slot]:
        """Slots of a pattern in a wrong order."""
        pattern = self.orderable[self.rng.randint(len(self.orderable))]
        order = np.arange(len(pattern))
        while np.all(np.diff(order) > 0):
            order = self.rng.permutation(len(pattern))
        return [pattern[k] for k in order]

    def decoy(self) -> list[str]:
        """Slots out of order, a pattern with a wrong slot, or a single word."""
        kind = self.rng.randint(3)
        if kind == 0:
            return self.spell(self.shuffled())
        pattern = self.orderable[self.rng.randint(len(self.orderable))]
        k = self.rng.randint(len(pattern))
        if kind == 1:
            # Slots of other patterns, or one automaton could learn the union of two.
            wrong = [s for p in self.orderable for s in p if s is not pattern[k]]
            wrong.append((self.filler(),))
            slot = wrong[self.rng.randint(len(wrong))]
            return self.spell([*pattern[:k], slot, *pattern[k + 1 :]])
        return self.spell(pattern[k : k + 1])

    def found_in(self, tokens: list[str]) -> set[int]:
        """Patterns that stand in the tokens in order, with gaps of any length."""
        found = set()
        for p, pattern in enumerate(self.patterns):
            rest = iter(tokens)
            if all(any(token in slot for token in rest) for slot in pattern):
                found.add(p)
        return found
