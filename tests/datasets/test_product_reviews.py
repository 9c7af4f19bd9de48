import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import _sentences, make_product_reviews
from skrational.datasets._products import KINDS, PRODUCTS
from skrational.datasets._sentences import Template

FIRST = (
    "I wouldn't call the clamp well made, and this tripod is far from decent.",
    "I bought this tripod for my roommate. Yes, the legs are well made, but the feet "
    "bent after a month. My old tripod was ugly, by the way.",
)


@pytest.fixture(scope="module")
def reviews():
    return make_product_reviews(random_state=0)


def all_templates():
    for name in _sentences.__all__:
        value = getattr(_sentences, name)
        if isinstance(value, tuple) and value and isinstance(value[0], Template):
            yield from value


def test_classes_are_balanced_before_and_after_the_noise(reviews):
    assert reviews.labels.sum() == 1500
    assert reviews.mislabelled.sum() == 90
    assert reviews.labels[reviews.mislabelled].sum() == 45
    assert len(reviews.texts) == len(reviews.sentences) == 3000
    assert "3,000 reviews, 50% good, 3.0% mislabelled" in repr(reviews)


def test_labels_agree_with_what_the_sentences_say(reviews):
    says = [{s.sentiment for s in of_one} - {0} for of_one in reviews.sentences]
    assert all(len(one) == 1 for one in says)
    good = np.array([one == {1} for one in says])
    assert np.array_equal(good != (reviews.labels == 1), reviews.mislabelled)


def test_sentences_say_what_their_templates_say(reviews):
    """Read again: the clause behind a frame's {same} decides, {opposite} concedes."""
    sentiment_of = {t.text: t.sentiment for t in all_templates()}
    for of_one in reviews.sentences:
        for sentence in of_one:
            first, *clauses = sentence.templates
            roles = re.findall(r"\{(same|opposite)\}", first)
            assert len(roles) == len(clauses)
            if not roles:
                assert sentiment_of[first] == sentence.sentiment
            for role, clause in zip(roles, clauses, strict=True):
                sign = 1 if role == "same" else -1
                assert sentiment_of[clause] == sign * sentence.sentiment


def test_negations_turn_the_words_of_the_other_side():
    """Independent of the writer: words of praise and blame, and what negates them."""
    negator = re.compile(r"\b(not|never|nothing|nobody|anything but|far from|cannot)\b")
    good = re.compile(r"\{(fine|good|price)\}|\b(happy|recommend|buy|bargain|love)\b")
    bad = re.compile(
        r"\{(poor|bad|failed|fail)\}|waste|regret|disappointed|ripoff|hate"
    )
    for template in (*_sentences.NEGATED_VERDICTS, *_sentences.NEGATED_PARTS):
        assert negator.search(template.text), template
        if "enough" in template.text:  # "cannot recommend it enough"
            continue
        # "regret buying" holds a word of either side.
        blames = bad.search(template.text)
        praises = good.search(template.text.replace("buying", ""))
        assert not (blames and praises), template
        if blames or praises:
            assert template.sentiment == (1 if blames else -1), template
    for template in (*_sentences.PLAIN_VERDICTS, *_sentences.PLAIN_PARTS):
        assert not negator.search(template.text), template


def test_every_template_and_product_is_used(reviews):
    used = {t for one in reviews.sentences for s in one for t in s.templates}
    assert used == {template.text for template in all_templates()}
    together = " ".join(reviews.texts)
    for product in PRODUCTS:
        assert product.name in together
        for part in product.parts:
            assert part.name in together
    for kind in KINDS.values():
        for word in (*kind.good, *kind.bad):
            assert word in together


def test_few_reviews_occur_twice(reviews):
    assert len(set(reviews.texts)) > 0.98 * len(reviews.texts)


def test_reviews_are_of_one_to_four_sentences(reviews):
    counts = np.bincount([len(of_one) for of_one in reviews.sentences])
    assert counts[0] == 0
    assert (counts[1:5] > 100).all()
    assert len(counts) == 5


def sentences_of(reviews):
    return [s.text for of_one in reviews.sentences for s in of_one]


def test_slots_are_filled_and_sentences_are_written_properly(reviews):
    for text in sentences_of(reviews):
        assert not re.search(r"[{}]|  | ,|\.\.", text), text
        assert re.fullmatch(r"[A-Z].*[.?!]", text), text
        assert not re.search(r"[.?] [a-z]", text), text
        assert not re.search(r"\b(\w+) \1\b", text), text


def test_articles_go_with_the_words_behind_them(reviews):
    """By sound: "useful" begins like "you"."""
    sounds_like_vowel = {"amazing", "awful", "excellent", "ugly", "alarm", "electric"}
    sounds_like_vowel |= {"office", "umbrella"}
    found = set()
    for text in sentences_of(reviews):
        for article, word in re.findall(r"\b(an?) (\w+)", text, re.IGNORECASE):
            assert (article.lower() == "an") == (word in sounds_like_vowel), text
            found.add(word)
    assert {"useful", "awful", "ugly"} <= found


def test_verbs_agree_with_the_parts(reviews):
    plurals = {p.name for product in PRODUCTS for p in product.parts if p.plural}
    singulars = {p.name for product in PRODUCTS for p in product.parts if not p.plural}
    assert not plurals & singulars
    for text in sentences_of(reviews):
        for name, verb in re.findall(r"[Tt]he ([a-z ]+?) (is|are|feels?)\b", text):
            assert (name in plurals) == (verb in ("are", "feel")), text


def test_nothing_is_said_of_a_part_that_does_not_fit_it(reviews):
    kinds = {part.name: KINDS[part.kind] for pr in PRODUCTS for part in pr.parts}
    adjectives = {w for kind in KINDS.values() for w in (*kind.good, *kind.bad)}
    said = re.compile(
        rf"[Tt]he ({'|'.join(kinds)}) (?:is|are|feels?) (?:\w+ )*?"
        rf"({'|'.join(sorted(adjectives, key=len, reverse=True))})\b"
    )
    n_found = 0
    for text in sentences_of(reviews):
        for name, word in said.findall(text):
            assert word in (*kinds[name].good, *kinds[name].bad), text
            n_found += 1
    assert n_found > 1000


def test_a_review_is_about_one_product_and_names_no_part_twice(reviews):
    for of_one in reviews.sentences:
        text = " ".join(s.text for s in of_one)
        named = {p.name for p in PRODUCTS if re.search(rf"\b{p.name}\b", text)}
        assert len(named) <= 1, text
        parts = {p.name for product in PRODUCTS for p in product.parts}
        judged = re.findall(rf"\b[Tt]he ({'|'.join(parts)})\b", text)
        assert len(judged) == len(set(judged)), text


def test_the_seed_decides_on_every_platform():
    """The first review of two seeds, as every machine has to write it."""
    assert make_product_reviews(1, random_state=0).texts == [FIRST[0]]
    assert make_product_reviews(1, random_state=1).texts == [FIRST[1]]
    again = make_product_reviews(50, random_state=7)
    other = make_product_reviews(50, random_state=np.random.RandomState(7))
    assert again.texts == other.texts
    assert np.array_equal(again.labels, other.labels)
    assert again.texts != make_product_reviews(50, random_state=8).texts


def test_the_global_generator_stays_as_it_is():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_product_reviews(5)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_noise_and_misspellings_can_be_left_out():
    clean = make_product_reviews(300, noise=0, misspelled=0, random_state=0)
    assert not clean.mislabelled.any()
    known = set(re.findall(r"[a-z]+", " ".join(sentences_of(clean)).lower()))
    known |= {"isn", "aren", "don", "doesn", "didn", "wouldn", "haven", "can"}
    known |= {"t", "m", "s"}
    assert set(re.findall(r"[a-z]+", " ".join(clean.texts).lower())) <= known
    typed = make_product_reviews(300, misspelled=0.1, random_state=0)
    assert set(re.findall(r"[a-z]+", " ".join(typed.texts).lower())) - known


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_reviews": 0}, "n_reviews is 0; expected an integer from 1"),
        ({"n_reviews": 2.5}, "n_reviews is 2.5"),
        ({"noise": 1.5}, "noise is 1.5; expected a number from 0 to 1"),
        ({"noise": None}, "noise is None"),
        ({"misspelled": -1}, "misspelled is -1"),
        ({"misspelled": True}, "misspelled is True"),
    ],
)
def test_faulty_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_product_reviews(**parameters)


@pytest.mark.slow
def test_automata_are_ahead_of_words_and_pairs(reviews):
    """What the set is for: order decides, and a bag of words doesn't see it."""
    train, test = slice(0, 1500), slice(1500, 2200)
    texts, labels = reviews.texts, reviews.labels
    bags = [
        make_pipeline(
            TfidfVectorizer(ngram_range=(1, n)), LogisticRegression(C=10, max_iter=500)
        )
        for n in (1, 2)
    ]
    of_bags = [
        bag.fit(texts[train], labels[train]).score(texts[test], labels[test])
        for bag in bags
    ]
    pipeline = make_pipeline(WordVectorizer(), SparseRationalClassifier(random_state=0))
    pipeline.fit(texts[train], labels[train])
    of_automata = pipeline.score(texts[test], labels[test])
    assert max(of_bags) < 0.85
    assert max(of_bags) + 0.05 < of_automata < 1
