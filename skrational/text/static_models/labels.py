"""Subwords as people read them, whatever their tokenizer writes for spaces and bytes.

A label is the subword's text. One that goes on within a word begins with ``##``, as in
BERT's vocabulary, so that the beginnings of words are seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from skrational.sequences import UNKNOWN

__all__ = ["find_unknown_token", "label_writer"]

_INSIDE = "##"
# Not the post-processor, which only puts special tokens around a text.
_PARTS = ("normalizer", "pre_tokenizer", "decoder")


def label_writer(spec: dict[str, Any]) -> Callable[[str], str]:
    """Return what turns the subwords of a tokenizer into labels.

    Parameters
    ----------
    spec : dict
        The content of its ``tokenizer.json``.

    Returns
    -------
    callable
        From a subword, as in the vocabulary, to its label.

    Examples
    --------
    >>> spec = {"model": {"type": "BPE"}, "pre_tokenizer": {"type": "ByteLevel"}}
    >>> list(map(label_writer(spec), ["Ġgood", "ness", "Ã©", ",", "Ġ", "Ã"]))
    ['good', '##ness', '##é', ',', 'Ġ', 'Ã']
    >>> model = {"type": "BPE", "byte_fallback": True}
    >>> spec = {"model": model, "decoder": {"type": "Metaspace"}}
    >>> list(map(label_writer(spec), ["▁good", "ness", "▁", "<0x0A>"]))
    ['good', '##ness', '▁', '<0x0A>']
    >>> spec = {"model": {"type": "WordPiece", "continuing_subword_prefix": "##"}}
    >>> list(map(label_writer(spec), ["good", "##ness"]))
    ['good', '##ness']
    """
    model = spec["model"]
    parts = list(_parts([spec.get(name) for name in _PARTS]))
    as_is = {token["content"] for token in spec.get("added_tokens") or ()}
    if model.get("byte_fallback"):
        as_is |= {f"<0x{byte:02X}>" for byte in range(256)}
    unknown = find_unknown_token(spec)
    write = _writer(model, parts)

    def label(subword: str) -> str:
        if subword == unknown:
            return UNKNOWN
        return subword if subword in as_is else write(subword)

    return label


def find_unknown_token(spec: dict[str, Any]) -> str | None:
    """Return the subword that stands for what a tokenizer doesn't know, if it has one.

    Parameters
    ----------
    spec : dict
        The content of its ``tokenizer.json``.

    Examples
    --------
    >>> find_unknown_token({"model": {"type": "BPE", "unk_token": "<unk>"}})
    '<unk>'
    >>> find_unknown_token({"model": {"unk_id": 1, "vocab": [["<s>", 0], ["?", 0]]}})
    '?'
    """
    model = spec["model"]
    number = model.get("unk_id")
    token = model.get("unk_token") if number is None else model["vocab"][number][0]
    return None if token is None else str(token)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the components of a tokenizer, which may stand within sequences."""
    if isinstance(value, list):
        for element in value:
            yield from _parts(element)
    elif isinstance(value, dict):
        yield value
        for element in value.values():
            yield from _parts(element)


def _writer(model: dict[str, Any], parts: list[dict[str, Any]]) -> Callable[[str], str]:
    prefix = model.get("continuing_subword_prefix")
    if any(part.get("type") == "ByteLevel" for part in parts):
        return lambda subword: _write_spaced(subword, "Ġ", _read_bytes)
    mark = next(filter(None, map(_mark_of_spaces, parts)), None)
    if mark is not None:
        return lambda subword: _write_spaced(subword, mark, str)
    if prefix:
        return lambda subword: (
            _INSIDE + subword.removeprefix(prefix)
            if subword.startswith(prefix)
            else subword
        )
    return str


def _mark_of_spaces(part: dict[str, Any]) -> str | None:
    """Return the mark that a component puts for spaces, or takes for some."""
    if part.get("type") == "Metaspace":
        return str(part.get("replacement", "▁"))
    pattern = part.get("pattern")
    if part.get("type") == "Replace" and pattern == {"String": " "}:
        return str(part["content"])
    return None


def _write_spaced(subword: str, mark: str, read: Callable[[str], str | None]) -> str:
    """Write the label of a subword that has a mark where a word begins.

    Parameters
    ----------
    subword, mark : str
    read : callable
        Decodes what isn't a mark; None: it's no text.

    Returns
    -------
    str
    """
    words = [read(word) for word in subword.split(mark)]
    text = "" if None in words else " ".join(map(str, words)).strip()
    if not text:
        return subword
    # Marks such as commas follow a word in nearly all cases.
    inside = not subword.startswith(mark) and any(map(str.isalnum, text))
    return _INSIDE + text if inside else text


def _byte_alphabet() -> dict[str, int]:
    """Return the byte that each letter of a byte-level vocabulary stands for."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(byte): byte for byte in printed}
    others = sorted(set(range(256)) - set(printed))
    return letters | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_alphabet()


def _read_bytes(subword: str) -> str | None:
    try:
        return bytes(_BYTES[letter] for letter in subword).decode()
    except (KeyError, UnicodeDecodeError):
        return None
