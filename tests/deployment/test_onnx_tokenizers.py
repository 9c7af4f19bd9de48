"""tokenizer.json splits texts as the pattern of this package does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer, export_onnx
from skrational.datasets import load_reviews, make_product_reviews, reviews_available
from skrational.deployment.onnx.tokenizers import tokenizer_json
from skrational.deployment.onnx.vocabulary import Vocabulary
from skrational.text.tokenize import tokenize
from skrational.text.vectors.canonical import canonical
from tests.deployment.exported import EPOCHS, read_tokenizer

pytest.importorskip("onnx")
tokenizers = pytest.importorskip("tokenizers")

SETTINGS = {
    "split": "skrational",
    "lowercase": True,
    "start_token": None,
    "end_token": None,
    "max_length": None,
    "keep": "start",
    "stop_words": [],
    "unknown": 1,
}
SCRIPTS = [
    "It isn't well-made, and cost $1,000.50! O'Brien's tea at 10:30... :-) <3 U.S.",
    "can't CAN'T don\u2019t ain'tn't rock'n'roll 'd 'tis it's D:/ :D/ =) ;-P a--b",
    "1.2.3rd 1/2/2020 1-2 a-1-2 2nd ½ x² № 5 Ⅳ http://x.y/z?a=b a@b.c",
    "Ο Οδυσσέας καλός. ΟΔΟΣ, Σ. ΑΣ' ΣΑ ΑΣ\u0301 Α.Σ. 2Σ",
    "İstanbul'da IŞIK ısındı",
    "Привет, мир! Ёлка и\u0306",
    "नमस्ते दुनिया, क्या हाल है?",
    "தமிழ் மொழி",
    "สวัสดีครับ ราคาถูก",
    "中文很好，不错！",
    "日本語のテスト。 ﾃｽﾄ ｶﾞ",
    "한국어 텍스트 \u1112\u1161\u11ab\u1100\u116e\u11a8",
    "العَرَبِيَّة جميلة،",
    "שָׁלוֹם עולם",
    "ქართული հայերեն አማርኛ",
    "Việt Nam đẹp Vie\u0323\u0302t",
    "👍🏽 👨\u200d👩\u200d👧 🇩🇪🇫🇷 ❤\ufe0f ☺",
    "a\u200bb c\u00a0d\u3000e\x1cf\x85g ≠ =\u0338 a\u20dd cafe\u0301 co\u00adop",
    "ẞ STRASSE ﬁn ǅ \u212a \u212b ſ's",
]
# Whether a sigma ends a word depends on all that is around it.
CHARACTERS = sorted({*"".join(SCRIPTS)} - {"Σ"})


def splitter(settings):
    """Return what splits a text as tokenizer.json says."""
    content = tokenizer_json(Vocabulary(["a"], {}, 1), settings)
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))

    def split(text):
        text = tokenizer.normalizer.normalize_str(text)
        return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]

    return split


def expected(text, lowercase=True):
    words = tokenize(text.lower() if lowercase else text)
    return [canonical(word) for word in words]


@pytest.mark.parametrize("lowercase", [True, False])
def test_texts_of_many_scripts(lowercase):
    split = splitter(SETTINGS | {"lowercase": lowercase})
    for text in SCRIPTS:
        assert split(text) == expected(text, lowercase)


@pytest.fixture(scope="module")
def split():
    return splitter(SETTINGS)


@given(st.text(st.sampled_from(CHARACTERS), max_size=16))
def test_their_characters_in_any_order(split, text):
    assert split(text) == expected(text)


@pytest.mark.data
@pytest.mark.skipif(not reviews_available(), reason="SKRATIONAL_DATA is not set")
def test_real_texts(split):
    for text in load_reviews("amazon_kitchen", "test").texts[:300]:
        assert split(text) == expected(text)


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"oov": "drop", "max_length": 3, "keep": "end"},
        {"lowercase": False, "max_length": 3, "start_token": None},
        {"tokenizer": str.split, "start_token": None, "end_token": None},
        {"stop_words": ["The", ".", "привет", "cafe\u0301"], "end_token": None},
    ],
    ids=str,
)
def test_numbers_are_those_of_the_other(options, tmp_path):
    reviews = make_product_reviews(40, random_state=0)
    pipeline = make_pipeline(
        WordVectorizer(n_features=8, **options),
        SparseRationalClassifier(n_wfsas=2, **EPOCHS),
    ).fit(reviews.texts, reviews.labels)
    folder = export_onnx(pipeline, tmp_path / "model")
    hub = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    read = read_tokenizer(folder)
    n_words = read.config["n_words"]
    for text in [*reviews.texts, *SCRIPTS, "", " ? "]:
        ids = hub.encode(text).ids
        if read.settings["unknown"] is None:
            ids = [number for number in ids if number != n_words]
        assert ids == read.encode(text)


def test_stop_words_and_a_cut_go_in_no_file():
    settings = SETTINGS | {"max_length": 3, "stop_words": ["film"]}
    with pytest.raises(ValueError, match="max_length=3 and stop_words"):
        tokenizer_json(Vocabulary(["a"], {}, 1), settings)
