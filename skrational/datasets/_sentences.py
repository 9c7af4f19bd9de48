"""Sentences of made reviews, as templates with slots.

A clause says something good (1) or bad (-1), plainly or by negating the opposite. A
frame makes a sentence of clauses: ``{same}`` speaks for the verdict of the review,
``{opposite}`` concedes something and never decides.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ASIDES",
    "CHOICES",
    "CONCESSIONS",
    "CONTRACTIONS",
    "FRAMES",
    "NEGATED_PARTS",
    "NEGATED_VERDICTS",
    "OPENERS",
    "PLAIN_PARTS",
    "PLAIN_VERDICTS",
    "TURNS",
    "Template",
]


class Template(NamedTuple):
    """What is to be filled in, and what it says: good 1, bad -1, neither 0."""

    text: str
    sentiment: int = 0


def _templates(sentiment: int, *texts: str) -> tuple[Template, ...]:
    return tuple(Template(text, sentiment) for text in texts)


# Words for the slots of the same names.
CHOICES = {
    "fine": (
        "great",
        "good",
        "useful",
        "excellent",
        "lovely",
        "decent",
        "wonderful",
        "amazing",
    ),
    "poor": (
        "bad",
        "terrible",
        "useless",
        "cheap",
        "awful",
        "mediocre",
        "horrible",
        "ugly",
    ),
    "how": ("really", "very", "quite", "rather"),
    "so": ("really", "very", "quite", "surprisingly", "rather", "pretty"),
    "very": ("really", "very", "all that", "exactly", "particularly", "even remotely"),
    "price": ("the money", "every penny", "the price", "what it costs", "the wait"),
    "anyone": ("anyone", "my friends", "a colleague", "other parents", "my neighbors"),
    "person": (
        "my wife",
        "my husband",
        "my dad",
        "my daughter",
        "my roommate",
        "my mother",
        "myself",
    ),
    "other": ("my sister", "my brother", "a colleague", "my neighbor", "a friend"),
    "period": (
        "a week",
        "two weeks",
        "a month",
        "three months",
        "half a year",
        "a year",
        "ten days",
    ),
    "colour": ("black", "red", "gray", "blue", "green", "white"),
    "occasion": ("my birthday", "Christmas", "our move", "the new apartment", "a trip"),
    "day": ("Monday", "Tuesday", "Wednesday", "Friday", "Saturday"),
}

PLAIN_VERDICTS = (
    *_templates(
        1,
        "{it} is worth {price}",
        "I would recommend {it} to {anyone}",
        "I am {how} happy with {it}",
        "{it} does what it should",
        "I would buy {it} again",
        "{it} is a {fine} {product}",
        "{it} is {so} {fine}",
        "I love {it}",
        "{it} is a bargain",
    ),
    *_templates(
        -1,
        "{it} is a waste of money",
        "I regret buying {it}",
        "I am {how} disappointed with {it}",
        "{it} let me down",
        "I sent {it} back",
        "{it} is a {poor} {product}",
        "{it} is {so} {poor}",
        "I hate {it}",
        "{it} is a ripoff",
    ),
)
NEGATED_VERDICTS = (
    *_templates(
        1,
        "{it} is not a waste of money",
        "I do not regret buying {it}",
        "I am not at all disappointed with {it}",
        "{it} has never let me down",
        "I have not once thought of sending {it} back",
        "{it} is not a {poor} {product}",
        "{it} is not {very} {poor}",
        "I cannot say that {it} is {poor}",
        "{it} is anything but {poor}",
        "there is nothing {poor} about {it}",
        "{it} is far from {poor}",
        "nobody could call {it} a ripoff",
        "I cannot recommend {it} enough",
    ),
    *_templates(
        -1,
        "{it} is not worth {price}",
        "I would not recommend {it} to {anyone}",
        "I am not {very} happy with {it}",
        "{it} does not do what it should",
        "I would never buy {it} again",
        "{it} is not a {fine} {product}",
        "{it} is not {very} {fine}",
        "I cannot say that {it} is {fine}",
        "{it} is anything but {fine}",
        "there is nothing {fine} about {it}",
        "{it} is far from {fine}",
        "nobody could call {it} a bargain",
        "I cannot recommend {it} to {anyone}",
    ),
)
PLAIN_PARTS = (
    *_templates(
        1,
        "{part} {is} {good}",
        "{part} {is} {so} {good}",
        "{part} {feels} {good}",
    ),
    *_templates(
        -1,
        "{part} {is} {bad}",
        "{part} {is} {so} {bad}",
        "{part} {feels} {bad}",
        "{part} {failed} after {period}",
    ),
)
NEGATED_PARTS = (
    *_templates(
        1,
        "{part} {is} not {bad}",
        "{part} {is} not {bad} at all",
        "{part} {is} not {very} {bad}",
        "{part} {is} anything but {bad}",
        "I would not call {part} {bad}",
        "{part} never {failed}",
        "{part} did not {fail} once",
    ),
    *_templates(
        -1,
        "{part} {is} not {good}",
        "{part} {is} not {good} at all",
        "{part} {is} not {very} {good}",
        "{part} {is} anything but {good}",
        "I would not call {part} {good}",
    ),
)
CONCESSIONS = tuple(
    clause
    for clause in (*PLAIN_PARTS, *NEGATED_PARTS)
    if "fail" not in clause.text and not clause.text.startswith("I ")
)
"""What one may grant and still be of another mind: nothing that broke."""

FRAMES = (
    *_templates(
        0,
        "{same}.",
        "{same}, and {same}.",
        "If you ask me, {same}.",
        "All in all, {same}.",
        "To be honest, {same}.",
        "I have to say that {same}.",
        "I guess {same}.",
        "{opposite}, but {same}.",
        "Yes, {opposite}, but {same}.",
        "Although {opposite}, {same}.",
        "{same}, even though {opposite}.",
        "Granted, {opposite}; still, {same}.",
        "{opposite}. However, {same}.",
        "I read that {opposite}, but {same}.",
    ),
    *_templates(-1, "Maybe I was unlucky, but {same}.", "Sorry to say, {same}."),
    *_templates(1, "Maybe I was lucky, but {same}.", "Happy to say, {same}."),
)
"""Their sentiment is that of the reviews they go with, 0 for both."""

TURNS = (
    *_templates(
        1,
        "I was afraid that {it} would be {poor}, but I was wrong.",
        "I expected {part} to be {bad}, and was proved wrong.",
        "Don't believe those who call {it} {poor}.",
        "{poor}? Not to me.",
    ),
    *_templates(
        -1,
        "I was hoping that {it} would be {fine}, but I was wrong.",
        "I expected {part} to be {good}, and was proved wrong.",
        "Don't believe those who call {it} {fine}.",
        "{fine}? Not to me.",
    ),
)
"""Whole sentences that turn what the words in them say."""

OPENERS = _templates(
    0,
    "I bought this {product} for {person}.",
    "We got this {product} for {occasion}.",
    "I have had this {product} for {period}.",
    "I ordered this {product} in {colour}.",
    "This is my second {product}.",
    "{other} picked this {product} for me.",
    "It arrived on a {day}.",
)
ASIDES = _templates(
    0,
    "I use {it} {use}.",
    "My old {product} was {fine}, by the way.",
    "My old {product} was {poor}, by the way.",
    "{other} has a {fine} one from another brand.",
    "{other} has a {poor} one from another brand.",
    "The ads call {it} {fine}.",
    "Some reviews here call {it} {poor}.",
    "My last {product} was not {fine}, I admit.",
    "My last {product} was not {poor}, I admit.",
    "I compared {it} with two others.",
    "The box was larger than I thought.",
    "I read the whole manual first.",
    "{other} asked me where I got {it}.",
)

CONTRACTIONS = (
    ("is not", "isn't"),
    ("are not", "aren't"),
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("did not", "didn't"),
    ("would not", "wouldn't"),
    ("cannot", "can't"),
    ("I am", "I'm"),
    ("I have not", "I haven't"),
    ("It is", "It's"),
    ("it is", "it's"),
)
