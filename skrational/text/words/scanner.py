r"""The tokenizer's pattern as a compiled scanner.

`skrational.text.tokenize` defines the tokens; this finds the same ones. It reads kinds
of characters, not characters: those that the pattern treats alike share a kind. The
kinds are ordered, so that ``\w`` and the other classes are comparisons.

This is for pieces of text between spaces; behind each there must be a SPACE.
"""

from __future__ import annotations

from typing import Any, Final

from skrational.utils.compile import part

__all__ = ["token_end"]

SPACE: Final = 0
OTHER: Final = 1
FLAG: Final = 2  # half of one
APOSTROPHE: Final = 3
HYPHEN: Final = 4
DOT: Final = 5
COMMA: Final = 6
COLON: Final = 7
SLASH: Final = 8
EYES: Final = 9  # ; and =
MOUTH: Final = 10  # ( ) [ ] |
LESS: Final = 11
INVISIBLE: Final = 12  # never read
MARK: Final = 13  # combining; from here on: parts of words
UNDERSCORE: Final = 14  # from here on: \w
DIGIT: Final = 15
THREE: Final = 16
ALPHA: Final = 17  # from here on: letters
D: Final = 18  # each of these and its capital
E: Final = 19
L: Final = 20
M_OR_S: Final = 21
N: Final = 22
P: Final = 23
R_OR_V: Final = 24
T: Final = 25


# Each function returns where the token, or the part of one, that begins at i ends, and
# i if none begins there. None reads beyond the space behind the piece.


@part
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
    elif (kinds[i] == HYPHEN or kinds[i] == FLAG) and kinds[i + 1] == kinds[i]:
        end = i + 2
    return _marks_end(kinds, end if end > i else i + 1)


@part
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


@part
def _letters_end(kinds: Any, i: Any) -> Any:
    while kinds[i] >= MARK:
        i += 1
    return i


@part
def _marks_end(kinds: Any, i: Any) -> Any:
    while kinds[i] == MARK:
        i += 1
    return i


@part
def _is_digit(kind: Any) -> Any:
    return kind == DIGIT or kind == THREE


@part
def _digits_end(kinds: Any, i: Any) -> Any:
    while _is_digit(kinds[i]):
        i += 1
    return i


@part
def _abbreviation_end(kinds: Any, i: Any) -> Any:
    end, n_letters = i, 0
    while kinds[end] >= ALPHA:
        dot = _marks_end(kinds, end + 1)
        if kinds[dot] != DOT:
            break
        end = dot + 1
        n_letters += 1
    return end if n_letters > 1 else i


@part
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


@part
def _joins_by_hyphen(kinds: Any, i: Any) -> Any:
    """Whether there is a hyphen at i, behind a letter, that continues the word."""
    return (
        kinds[i] == HYPHEN
        and kinds[i + 1] >= MARK
        and not (_is_digit(kinds[i - 1]) and _is_digit(kinds[i + 1]))
    )


@part
def _joins_by_apostrophe(kinds: Any, i: Any) -> Any:
    return (
        kinds[i] == APOSTROPHE and kinds[i + 1] >= MARK and _clitic_end(kinds, i) == i
    )


@part
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


@part
def _compound_end(kinds: Any, i: Any) -> Any:
    end = _letters_end(kinds, i)
    while _joins_by_hyphen(kinds, end) or _joins_by_apostrophe(kinds, end):
        end = _letters_end(kinds, end + 1)
    return end


@part
def _clitic_end(kinds: Any, i: Any) -> Any:
    first = kinds[i + 1]
    if first == M_OR_S or first == D:
        end = i + 2
    elif (first == L and kinds[i + 2] == L) or (first == R_OR_V and kinds[i + 2] == E):
        end = i + 3
    else:
        return i
    return end if kinds[end] < MARK else i


@part
def _emoticon_end(kinds: Any, i: Any) -> Any:
    if kinds[i] == LESS:
        heart = kinds[i + 1] == THREE and kinds[i + 2] < MARK
        return i + 2 if heart else i
    mouth = i + 1
    if kinds[mouth] == APOSTROPHE or kinds[mouth] == HYPHEN:
        mouth += 1
    if kinds[mouth] != MOUTH and kinds[mouth] != D and kinds[mouth] != P:
        return i
    behind = kinds[mouth + 1]
    return mouth + 1 if behind < MARK and behind != SLASH else i
