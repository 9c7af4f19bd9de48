r"""The tokenizer as ``tokenizer.json``, which the tokenizers of Hugging Face read.

They run in Rust, Python, JavaScript and more. Their regular expressions are those of
Oniguruma, so that the pattern of `skrational.text.tokenize` is written in its words:
what Python's module re means by ``\w`` or by a space is spelt out, and so are capital
letters. Texts are brought into Unicode's normal form C first, and invisible characters
are left out; the words of the table are, too.
"""

from __future__ import annotations

import re
from typing import Any

from skrational.deployment.onnx.vocabulary import Vocabulary
from skrational.text.tokenize import INVISIBLE
from skrational.text.vectors.canonical import canonical

__all__ = ["tokenizer_json"]

_SPACE = (
    r"\x09-\x0d\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200b}\x{2028}\x{2029}"
    r"\x{202f}\x{205f}\x{3000}"
)
# The later parts of a decomposed syllable of Korean count as marks.
_MARKS = r"\p{M}\x{1161}-\x{11ff}\x{d7b0}-\x{d7fb}"
_L = rf"[\p{{L}}\p{{N}}_{_MARKS}]"
_D = r"\p{Nd}"
_ALPHA = r"[\p{L}\p{Nl}\p{No}]"
_S = "sS\u017f"
_CLITIC = rf"'(?:[{_S}]|[mM]|[dD]|[rR][eE]|[vV][eE]|[lL][lL])(?!{_L})"
_NOT = r"[nN]'[tT]"
_HYPHEN = rf"-(?!(?<={_D}-){_D})"

_TOKEN = "|".join(
    [
        rf"[:;=][-']?[()\[\]DPdp|](?!{_L}|/)",
        rf"<3(?!{_L})",
        rf"(?:{_ALPHA}[{_MARKS}]*\.){{2,}}",
        rf"{_D}+(?:[.,:/]{_D}+)+(?!{_L})",
        rf"{_L}+(?:{_HYPHEN}{_L}+)*?(?={_NOT}(?!{_L}))",
        _CLITIC,
        rf"{_L}+(?:(?:{_HYPHEN}|(?!{_CLITIC})'){_L}+)*",
        rf"(?:\.\.\.|--|[\x{{1f1e6}}-\x{{1f1ff}}]{{2}}|[^{_SPACE}])[{_MARKS}]*",
    ]
)
# U+200B stands between words, but isn't a space to Python.
_WORD = rf"[^{_SPACE.replace('200b', '200a')}]+"
# Greek writes another letter at the end of a word, as Python does in lower case. Its
# end isn't seen behind marks, and those such as an apostrophe don't end a word.
_CASED = r"[\p{Lu}\p{Ll}\p{Lt}\x{2160}-\x{217f}]"
_IGNORED = r"[\p{M}\p{Lm}\p{Sk}\p{Cf}'.:\x{b7}\x{2019}]"
_BEHIND = "|".join(_CASED + n * _IGNORED for n in range(3))
_FINAL_SIGMA = rf"(?<={_BEHIND})\x{{3a3}}(?!{_IGNORED}*{_CASED})"


def tokenizer_json(vocabulary: Vocabulary, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what ``tokenizer.json`` holds.

    Parameters
    ----------
    vocabulary : Vocabulary
    settings : dict
        As `settings_of` gives them.

    Returns
    -------
    dict
        Unknown words have the number ``len(vocabulary.words)``, also if they are to be
        left out.

    Raises
    ------
    ValueError
        If there are stop words, and texts are cut: these tokenizers cut them later.
    """
    words: dict[str, int] = {}
    for i, word in enumerate(vocabulary.words):
        words.setdefault(canonical(word), i)
    unknown = "<unk>"
    while unknown in words:
        unknown += ">"
    words[unknown] = len(vocabulary.words)
    framing = settings["start_token"], settings["end_token"]
    return {
        "version": "1.0",
        "truncation": _truncation(settings),
        "padding": None,
        "added_tokens": [],
        "normalizer": _normalizer(settings),
        "pre_tokenizer": _pre_tokenizer(settings),
        "post_processor": _template(framing, words),
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": words, "unk_token": unknown},
    }


def _splits_at_spaces(settings: dict[str, Any]) -> bool:
    return bool(settings["split"] == "whitespace")


def _pre_tokenizer(settings: dict[str, Any]) -> dict[str, Any]:
    """Say how texts are split, and which words are left out of them."""
    split = {
        "type": "Split",
        "pattern": {"Regex": _WORD if _splits_at_spaces(settings) else _TOKEN},
        "behavior": "Removed",
        "invert": True,
    }
    if not settings["stop_words"]:
        return split
    words = "|".join(map(re.escape, settings["stop_words"]))
    leave_out = split | {"pattern": {"Regex": rf"\A(?:{words})\z"}, "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, leave_out]}


def _truncation(settings: dict[str, Any]) -> dict[str, Any] | None:
    """Say how many tokens are kept, those around a text among them."""
    if settings["max_length"] is None:
        return None
    if settings["stop_words"]:
        raise ValueError(
            f"WordVectorizer has max_length={settings['max_length']} and stop_words: "
            "it cuts texts before it leaves words out, which tokenizer.json can't say. "
            "Export a vectorizer with max_length=None."
        )
    around = (settings["start_token"], settings["end_token"])
    n_around = sum(token is not None for token in around)
    return {
        "direction": "Right" if settings["keep"] == "start" else "Left",
        "max_length": settings["max_length"] + n_around,
        "strategy": "LongestFirst",
        "stride": 0,
    }


def _normalizer(settings: dict[str, Any]) -> dict[str, Any]:
    """Say what becomes of characters, in order."""

    def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
        return {"type": "Replace", "pattern": pattern, "content": content}

    steps = []
    if settings["lowercase"]:
        steps = [replace({"Regex": _FINAL_SIGMA}, "\u03c2"), {"type": "Lowercase"}]
    if not _splits_at_spaces(settings):
        steps.append(replace({"String": "\u2019"}, "'"))
    steps += [replace({"Regex": f"[{_oniguruma(INVISIBLE)}]"}, ""), {"type": "NFC"}]
    return {"type": "Sequence", "normalizers": steps}


def _oniguruma(characters: str) -> str:
    r"""Write ``\u034f`` and the like as Oniguruma reads them.

    Examples
    --------
    >>> _oniguruma(r"\xad\u034f-\U0001bca0")
    '\\x{ad}\\x{034f}-\\x{0001bca0}'
    """
    code = r"\\(?:x(\w{2})|u(\w{4})|U(\w{8}))"
    return re.sub(code, lambda m: rf"\x{{{m[1] or m[2] or m[3]}}}", characters)


def _template(
    framing: tuple[str | None, str | None], words: dict[str, int]
) -> dict[str, Any] | None:
    """Say which tokens come before and behind a text."""
    start, end = framing
    if start is None and end is None:
        return None

    def special(token: str | None) -> list[dict[str, Any]]:
        return [] if token is None else [{"SpecialToken": {"id": token, "type_id": 0}}]

    text = [{"Sequence": {"id": "A", "type_id": 0}}]
    known = {
        token: {"id": token, "ids": [words[canonical(token)]], "tokens": [token]}
        for token in framing
        if token is not None
    }
    single = [*special(start), *text, *special(end)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": known,
    }
