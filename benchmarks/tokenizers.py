"""Texts to word numbers: the compiled tokenizer against libraries and plain Python.

    python -m benchmarks.tokenizers [--rounds 15] [--quick]

All turn the same texts to lower case and number their words by the same vocabulary, on
one thread. Hugging Face's tokenizers runs our pattern, in the syntax of its engine, so
that it finds the same tokens. CountVectorizer's analyzer, OpenNMT's tokenizer,
BlingFire and ``str.split`` have their own idea of a token: the last column tells how
many of our tokens they find. What returns tokens looks them up in a dict. Peers that
are not installed are left out.

The texts are the original kitchen reviews if SKRATIONAL_DATA is set, invented ones
otherwise. A second table is of many languages: the words of one short text, drawn anew.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from sklearn.feature_extraction.text import CountVectorizer

from benchmarks import _harness as harness
from benchmarks._languages import ARTICLE, make_texts
from skrational import WordVectorizer
from skrational.datasets import load_reviews, reviews_available
from skrational.text.tokenize import tokenize
from skrational.text.words.encoded_texts import encode_texts
from skrational.text.words.lexicon import Lexicon
from skrational.text.words.spans import Frame, split_compiled

UNKNOWN = "<unk>"
# In Oniguruma \w holds the combining marks; in Python they have to be added.
CLITIC = r"'(?:s|m|d|re|ve|ll)(?!\w)"
HYPHEN = r"-(?!(?<=\d-)\d)"
PATTERN = (
    r"(?i)[:;=][-']?[()\[\]DP|](?![\w/])|<3(?!\w)"
    r"|(?:[^\W\d_]\.){2,}"
    r"|\d+(?:[.,:/]\d+)+(?!\w)"
    rf"|\w+(?:{HYPHEN}\w+)*?(?=n't(?!\w))"
    rf"|{CLITIC}"
    rf"|\w+(?:(?:{HYPHEN}|(?!{CLITIC})')\w+)*"
    r"|\.\.\.|--|\S"
)


def load(quick: bool) -> tuple[list[str], str]:
    """Texts, and where they come from."""
    if reviews_available():
        texts = load_reviews("amazon_kitchen", raw=True).texts
        return texts[: 200 if quick else None], "amazon_kitchen, original texts"
    return harness.load_texts("train", quick).texts, "invented texts"


def compiled(vocabulary: list[str], tokenizer: Any = None) -> Any:
    """A fitted vectorizer that has met all words."""
    vectors = {word: [float(i)] for i, word in enumerate(vocabulary)}
    vectorizer = WordVectorizer(
        vectors,
        tokenizer=tokenizer,
        start_token=None,
        end_token=None,
        unit_norm=False,
        oov="zero",
    )
    vectorizer.fit([" ".join(vocabulary)])
    return vectorizer


def looked_up(
    lists: Iterator[Iterable[str]] | Iterable[list[str]], number: dict[str, int]
) -> array:
    """Number the tokens of each text."""
    numbers, unknown = array("i"), number[UNKNOWN]
    for tokens in lists:
        numbers.extend([number.get(token, unknown) for token in tokens])
    return numbers


def hugging_face(number: dict[str, int]) -> Any:
    """Hugging Face's tokenizer with our pattern and vocabulary."""
    import tokenizers

    model = tokenizers.models.WordLevel(number, unk_token=UNKNOWN)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.Sequence(
        [
            tokenizers.normalizers.Lowercase(),
            tokenizers.normalizers.Replace("\u2019", "'"),
        ]
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(
        tokenizers.Regex(PATTERN), "removed", invert=True
    )
    return tokenizer


def splitters() -> dict[str, Callable[[list[str]], Iterable[list[str]]]]:
    """Functions from texts to lists of tokens."""
    analyze = CountVectorizer().build_analyzer()
    named = {
        "our regex + dict": lambda texts: (tokenize(text.lower()) for text in texts),
        "CountVectorizer's analyzer + dict": lambda texts: map(analyze, texts),
        "str.split + dict": lambda texts: (text.lower().split() for text in texts),
    }
    if harness.is_installed("blingfire"):
        import blingfire

        named["BlingFire + dict"] = lambda texts: (
            blingfire.text_to_words(text.lower()).split() for text in texts
        )
    if harness.is_installed("pyonmttok"):
        import pyonmttok

        onmt = pyonmttok.Tokenizer("conservative")
        named["OpenNMT + dict"] = lambda texts: (onmt(text.lower()) for text in texts)
    return named


def share_found(ours: Counter[str], lists: Iterable[list[str]]) -> str:
    """Share of our tokens that are among those of a contestant."""
    theirs = Counter(token for tokens in lists for token in tokens)
    return f"{(ours & theirs).total() / ours.total():.1%}"


def run(options: Any) -> None:
    compare_tokenizers(options)
    compare_languages(options)


def compare_tokenizers(options: Any) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts, source = load(options.quick)
    ours = Counter(token for text in texts for token in tokenize(text.lower()))
    vocabulary = [UNKNOWN, *ours]
    number = {word: i for i, word in enumerate(vocabulary)}
    vectorizer, by_function = compiled(vocabulary), compiled(vocabulary, str.split)
    contestants = {
        harness.OURS: lambda: vectorizer.transform(texts),
        "skrational, tokenizer=str.split": lambda: by_function.transform(texts),
    }
    found = {
        harness.OURS: "100.0%",
        "skrational, tokenizer=str.split": share_found(
            ours, (text.lower().split() for text in texts)
        ),
    }
    if harness.is_installed("tokenizers"):
        tokenizer = hugging_face(number)
        encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)

        def their_numbers() -> list[list[int]]:
            return [e.ids for e in encode(texts, add_special_tokens=False)]

        contestants["Hugging Face tokenizers"] = their_numbers
        found["Hugging Face tokenizers"] = share_found(
            ours, ([vocabulary[i] for i in ids] for ids in their_numbers())
        )
    for name, split in splitters().items():
        contestants[name] = lambda split=split: looked_up(split(texts), number)
        found[name] = share_found(ours, split(texts))
    rounds = harness.rounds_of(options, 15)
    times = harness.race(contestants, rounds)
    harness.print_heading(
        "Texts to word numbers",
        f"{source}: {len(texts)} texts, {ours.total()} tokens, {len(ours)} words;",
        "millions of our tokens a second, times ours, and how many of ours are found",
    )
    harness.print_table(
        ["", "Mtokens/s", f"x {harness.OURS}", "our tokens found"],
        (
            [
                name,
                harness.digits(ours.total() / 1e6 / harness.median(of_name)),
                harness.digits(harness.ratio(of_name, times[harness.OURS])),
                found[name],
            ]
            for name, of_name in times.items()
        ),
    )


def compare_languages(options: Any) -> None:
    texts = {name: make_texts(name, 30 if options.quick else 300) for name in ARTICLE}
    numbered = {name: partial(number_words, of_name) for name, of_name in texts.items()}
    times = harness.race(numbered, harness.rounds_of(options, 15))
    harness.print_heading(
        "Languages",
        "millions of tokens a second, times those of English, and millions of "
        "characters a second;",
        "where no space is between words a token is a run of letters, however long",
    )
    n_tokens = {name: len(call()) for name, call in numbered.items()}
    speeds = {
        name: n_tokens[name] / 1e6 / harness.median(times[name]) for name in ARTICLE
    }
    harness.print_table(
        ["", "Mtokens/s", "x English", "Mcharacters/s", "characters a token"],
        (
            [
                name,
                harness.digits(speed),
                harness.digits(speed / speeds["English"]),
                harness.digits(speed * size),
                harness.digits(size),
            ]
            for name, speed in speeds.items()
            for size in [sum(map(len, texts[name])) / n_tokens[name]]
        ),
    )


def number_words(texts: list[str]) -> Any:
    """Numbers of the words of texts, of which none is known before."""
    split = partial(split_compiled, frame=Frame(), lowercase=True)
    return encode_texts(texts, split, Lexicon()).tokens


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
