r"""The tokenizer's pattern as a compiled scanner.

`skrational.text.tokenize` defines the tokens; this finds the same ones. It reads kinds
of characters, not characters: those that the pattern treats alike share a kind. The
kinds are ordered, so that ``\w`` and the other classes are comparisons.

This is for pieces of text between spaces; behind each there must be a SPACE.
"""

from __future__ import annotations

from typing import Any, Final

from skrational.utils.compile import jit

__all__ = ["token_end"]

SPACE: Final = 0
OTHER: Final = 1
APOSTROPHE: Final = 2
HYPHEN: Final = 3
DOT: Final = 4
COMMA: Final = 5
COLON: Final = 6
SLASH: Final = 7
EYES: Final = 8  # ; and =
MOUTH: Final = 9  # ( ) [ ] |
LESS: Final = 10
MARK: Final = 11  # combining; from here on: parts of words
UNDERSCORE: Final = 12  # from here on: \w
DIGIT: Final = 13
THREE: Final = 14
ALPHA: Final = 15  # from here on: letters
D: Final = 16  # each of these and its capital
E: Final = 17
L: Final = 18
M_OR_S: Final = 19
N: Final = 20
P: Final = 21
R_OR_V: Final = 22
T: Final = 23


# Each function returns where the token, or the part of one, that begins at i ends, and
# i if none begins there. None reads beyond the space behind the piece.


@jit
def token_end(kinds: Any, i: Any) -> Any:
    """Return where the token ends that begins at i.

    Parameters
    ----------
    kinds : memory of uint8
        The kinds of the characters of a piece of text, and a SPACE.
    i : int
        Of a character that isn't a SPACE.

    Returns
    -------
    int
    """
    if kinds[i] >= MARK:
        return _word_end(kinds, i)
    end = i
    if kinds[i] == APOSTROPHE:
        end = _clitic_end(kinds, i)
    elif kinds[i] == COLON or kinds[i] == EYES or kinds[i] == LESS:
        end = _emoticon_end(kinds, i)
    elif kinds[i] == DOT and kinds[i + 1] == DOT and kinds[i + 2] == DOT:
        end = i + 3
    elif kinds[i] == HYPHEN and kinds[i + 1] == HYPHEN:
        end = i + 2
    return end if end > i else i + 1


@jit
def _word_end(kinds: Any, i: Any) -> Any:
    end = _letters_end(kinds, i)
    if kinds[end] < APOSTROPHE or kinds[end] > SLASH:
        return end
    if kinds[i] >= ALPHA:
        special = _abbreviation_end(kinds, i)
    else:
        special = _number_end(kinds, i)
    if special == i:
        special = _negated_end(kinds, i)
    return special if special > i else _compound_end(kinds, i)


@jit
def _letters_end(kinds: Any, i: Any) -> Any:
    while kinds[i] >= MARK:
        i += 1
    return i


@jit
def _is_digit(kind: Any) -> Any:
    return kind == DIGIT or kind == THREE


@jit
def _digits_end(kinds: Any, i: Any) -> Any:
    while _is_digit(kinds[i]):
        i += 1
    return i


@jit
def _abbreviation_end(kinds: Any, i: Any) -> Any:
    end = i
    while kinds[end] >= ALPHA and kinds[end + 1] == DOT:
        end += 2
    return end if end > i + 2 else i


@jit
def _number_end(kinds: Any, i: Any) -> Any:
    whole = _digits_end(kinds, i)
    before = end = whole
    while DOT <= kinds[end] <= SLASH and _is_digit(kinds[end + 1]):
        before = end
        end = _digits_end(kinds, end + 1)
    if kinds[end] >= MARK:
        # The last digits belong to a word: 1.2.3rd is 1.2 and then .3rd.
        end = before
    return end if end > whole else i


@jit
def _joins_by_hyphen(kinds: Any, i: Any) -> Any:
    """Whether there is a hyphen at i, behind a letter, that continues the word."""
    return (
        kinds[i] == HYPHEN
        and kinds[i + 1] >= MARK
        and not (_is_digit(kinds[i - 1]) and _is_digit(kinds[i + 1]))
    )


@jit
def _joins_by_apostrophe(kinds: Any, i: Any) -> Any:
    return (
        kinds[i] == APOSTROPHE and kinds[i + 1] >= MARK and _clitic_end(kinds, i) == i
    )


@jit
def _negated_end(kinds: Any, i: Any) -> Any:
    """End of a word before its n't."""
    start = i
    end = _letters_end(kinds, i)
    while _joins_by_hyphen(kinds, end):
        start = end + 1
        end = _letters_end(kinds, start)
    negated = (
        kinds[end - 1] == N
        and kinds[end] == APOSTROPHE
        and kinds[end + 1] == T
        and kinds[end + 2] < MARK
    )
    return end - 1 if negated and end > start + 1 else i


@jit
def _compound_end(kinds: Any, i: Any) -> Any:
    end = _letters_end(kinds, i)
    while _joins_by_hyphen(kinds, end) or _joins_by_apostrophe(kinds, end):
        end = _letters_end(kinds, end + 1)
    return end


@jit
def _clitic_end(kinds: Any, i: Any) -> Any:
    first = kinds[i + 1]
    if first == M_OR_S or first == D:
        end = i + 2
    elif (first == L and kinds[i + 2] == L) or (first == R_OR_V and kinds[i + 2] == E):
        end = i + 3
    else:
        return i
    return end if kinds[end] < MARK else i


@jit
def _emoticon_end(kinds: Any, i: Any) -> Any:
    if kinds[i] == LESS:
        heart = kinds[i + 1] == THREE and kinds[i + 2] < UNDERSCORE
        return i + 2 if heart else i
    mouth = i + 1
    if kinds[mouth] == APOSTROPHE or kinds[mouth] == HYPHEN:
        mouth += 1
    if kinds[mouth] != MOUTH and kinds[mouth] != D and kinds[mouth] != P:
        return i
    behind = kinds[mouth + 1]
    return mouth + 1 if behind < UNDERSCORE and behind != SLASH else i
