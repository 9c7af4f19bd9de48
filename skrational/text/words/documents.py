"""Documents as they may be given: texts, or lists of tokens."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Number
from typing import Any

__all__ = ["check_any", "check_documents", "check_texts", "elements"]


def check_texts(X: Iterable[str]) -> Iterator[str]:
    """Iterate over texts; raise at the first that isn't one.

    Parameters
    ----------
    X : iterable of str
        A list, a column of pandas, polars or Arrow, a generator, ...

    Yields
    ------
    str

    Raises
    ------
    ValueError
        If X is a single text, not one-dimensional, or without an order.
    TypeError
        If an element isn't a str; the message names its position.

    Examples
    --------
    >>> list(check_texts(("a", "b")))
    ['a', 'b']
    """
    for i, text in enumerate(elements(X)):
        if not isinstance(text, str):
            raise _no_text(i, text, "a str")
        yield text


def check_documents(X: Iterable[Any]) -> Iterator[str | list[str]]:
    """Iterate over texts, or over documents that are tokenised; raise at another one.

    Parameters
    ----------
    X : iterable of str, or of lists of str
        As for `check_texts`. For lists there may be tuples and one-dimensional arrays.

    Yields
    ------
    str or list of str
        All of one kind.

    Raises
    ------
    ValueError
        If X is a single text, or not one-dimensional.
    TypeError
        If an element is neither, or not what the first one is, or a token isn't a str;
        the message names its position.

    Examples
    --------
    >>> list(check_documents([("New York", "is"), []]))
    [['New York', 'is'], []]
    """
    first_is_text = None
    for i, document in enumerate(elements(X)):
        is_text = isinstance(document, str)
        if not is_text and not _is_list(document):
            raise _no_text(i, document, "a str or a list of tokens")
        if first_is_text is not None and is_text != first_is_text:
            kind = "str" if first_is_text else "list of tokens"
            raise _no_text(i, document, f"a {kind}, as text 0 of X is")
        first_is_text = is_text
        yield document if is_text else _check_tokens(i, document)


def check_any(X: Iterable[Any]) -> Iterator[Any]:
    """Iterate over documents for a tokenizer; raise at what is certainly none."""
    for i, document in enumerate(elements(X)):
        if document is None or isinstance(document, (bytes, Number)):
            raise _no_text(i, document, "a str, or what the tokenizer takes")
        yield document


def elements(X: Iterable[Any]) -> Iterable[Any]:
    """Return what holds the documents; raise a ValueError if X can't be iterated over.

    Examples
    --------
    >>> elements(("a", "b"))
    ('a', 'b')
    """
    if isinstance(X, (str, bytes)):
        raise ValueError(
            f"Iterable over raw text documents expected, {type(X).__name__} object "
            "received: put a single text into a list."
        )
    shape = getattr(X, "shape", (0,))
    if len(shape) != 1:
        raise ValueError(
            f"X is a {type(X).__name__} of shape {shape}; expected a list, a column or "
            "another one-dimensional iterable of texts. A column of a data frame is "
            "X['name'] or, in a ColumnTransformer, 'name' without brackets."
        )
    if not isinstance(X, Iterable) or isinstance(X, (Mapping, set, frozenset)):
        raise ValueError(
            f"X is a {type(X).__name__}; expected a list, a column or another "
            "one-dimensional iterable of texts."
        )
    # Elements of Arrow's and polars' columns may be objects of their own.
    for name in ("to_pylist", "to_list"):
        if hasattr(X, name):
            plain: Iterable[Any] = getattr(X, name)()
            return plain
    return X


def _no_text(i: int, text: Any, expected: str) -> TypeError:
    advice = ": decode it" if isinstance(text, bytes) else ""
    return TypeError(
        f"Text {i} of X is {reprlib.repr(text)} ({type(text).__name__}); "
        f"expected {expected}{advice}."
    )


def _is_list(document: Any) -> bool:
    """Whether an element is a sequence of one dimension."""
    if hasattr(document, "tolist"):
        return getattr(document, "ndim", 0) == 1
    return isinstance(document, Sequence) and not isinstance(document, (str, bytes))


def _check_tokens(i: int, document: Any) -> list[str]:
    tokens: list[str] = (
        document.tolist() if hasattr(document, "tolist") else list(document)
    )
    if not set(map(type, tokens)) <= {str}:
        for t, token in enumerate(tokens):
            if not isinstance(token, str):
                advice = ": decode it" if isinstance(token, bytes) else ""
                raise TypeError(
                    f"Token {t} of text {i} of X is {reprlib.repr(token)} "
                    f"({type(token).__name__}); expected a str{advice}."
                )
    return tokens
