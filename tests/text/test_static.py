import copy
import importlib.util
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skrational import SequenceArray, SparseRationalClassifier, StaticVectorizer
from skrational.exceptions import OutOfVocabularyWarning
from skrational.inspection import explain
from skrational.inspection.explaining.pieces import pieces_of
from skrational.text.static_models import files, model

tokenizers = pytest.importorskip("tokenizers")
numpy_files = pytest.importorskip("safetensors.numpy")

from tokenizers import (  # noqa: E402
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

CORPUS = [
    "a good movie, really good",
    "not good, not bad, unwatchable",
    "the worst movies are unbelievably bad",
    "watch the best of the unknown movies",
] * 3
TEXTS = ["Good movie, not bad!", "", "unknowable the unable", "漢字 ♞ é", "\ud800 good"]
SPECIAL = ["[UNK]", "[PAD]", "[CLS]", "[SEP]"]
WIDTH = 8


def whole_words():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer, trainers.WordLevelTrainer(special_tokens=SPECIAL)


def word_pieces():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, trainers.WordPieceTrainer(vocab_size=80, special_tokens=SPECIAL)


def bytes_of_words():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet)
    return tokenizer, trainer


def marked_spaces():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    return tokenizer, trainers.BpeTrainer(vocab_size=340, special_tokens=special)


def unigrams():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, trainers.UnigramTrainer(
        vocab_size=60, special_tokens=SPECIAL, unk_token="[UNK]"
    )


KINDS = [whole_words, word_pieces, bytes_of_words, marked_spaces, unigrams]


def make_tokenizer(kind=word_pieces):
    tokenizer, trainer = kind()
    trainer.show_progress = False
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def write(folder, tokenizer, **tensors):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    numpy_files.save_file(tensors, folder / "model.safetensors")
    return folder


def matrix_for(tokenizer, seed=0, dtype=np.float32):
    shape = tokenizer.get_vocab_size(), WIDTH
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def write_bfloat16(path, name, bits):
    """Write a file as the library does, of numbers that numpy has no type for."""
    entry = {"dtype": "BF16", "shape": bits.shape, "data_offsets": [0, bits.nbytes]}
    header = json.dumps({name: entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bits.tobytes())


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield
    model.forget_models()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    tokenizer = make_tokenizer()
    folder = tmp_path_factory.mktemp("model")
    return write(folder, tokenizer, embeddings=matrix_for(tokenizer))


def fitted(folder, **settings):
    return StaticVectorizer(folder, **settings).fit(TEXTS)


def plain(folder, text):
    """The numbers of a text's subwords, as its tokenizer gives them."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = text.replace("\ud800", "\ufffd")
    return tokenizer.encode(text, add_special_tokens=False).ids


def labels_of(X, i):
    return X.labels[X.rows(i)].tolist()


def pinned(folder, commit="0" * 40, name="maker/model", branch="main"):
    """Put a model into the hub's cache, as a download would."""
    from huggingface_hub import constants

    home = Path(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}")
    shutil.copytree(folder, home / "snapshots" / commit)
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / branch).write_text(commit)
    return name


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_of_the_matrix(tmp_path, kind):
    tokenizer = make_tokenizer(kind)
    matrix = matrix_for(tokenizer)
    write(tmp_path, tokenizer, embeddings=matrix)
    X = StaticVectorizer(tmp_path, unit_norm=False).fit_transform(TEXTS)
    assert isinstance(X, SequenceArray)
    assert (X.features.dtype, X.indices.dtype) == (np.float32, np.int32)
    numbers = [plain(tmp_path, text) for text in TEXTS]
    for i, expected in enumerate(numbers):
        np.testing.assert_array_equal(X[i], matrix[expected])
    assert len(X.features) == len(set().union(*numbers))
    assert X.lengths[1] == 0
    assert X.indices[0] == 0


def known_pieces():
    tokenizer, _ = word_pieces()
    vocabulary = ["[UNK]", "un", "##able", ","]
    tokenizer.model = models.WordPiece(dict(zip(vocabulary, range(4), strict=True)))
    return tokenizer


def known_unigrams():
    tokenizer, _ = unigrams()
    pieces = ["[UNK]", "▁good", "movie", "▁", ",", "▁New▁York"]
    costs = [0.0, -1.0, -2.0, -3.0, -3.0, -1.0]
    tokenizer.model = models.Unigram(list(zip(pieces, costs, strict=True)), unk_id=0)
    return tokenizer


@pytest.mark.parametrize(
    ("make", "text", "expected"),
    [
        (whole_words, "Good odd", ["good", "<unk>"]),
        (known_pieces, "unable, 漢", ["un", "##able", ",", "<unk>"]),
        (bytes_of_words, " good movies é", ["good", "movies", "Ġ", "Ã", "©"]),
        (bytes_of_words, "good", ["##go", "##od"]),
        (known_unigrams, "good, goodmovie", ["good", ",", "good", "##movie"]),
        (known_unigrams, "♞ good", ["▁", "<unk>", "good"]),
        (marked_spaces, "é", ["▁", "<0xC3>", "<0xA9>"]),
    ],
)
def test_labels_show_where_words_begin(tmp_path, make, text, expected):
    is_known = make in (known_pieces, known_unigrams)
    tokenizer = make() if is_known else make_tokenizer(make)
    write(tmp_path, tokenizer, embeddings=matrix_for(tokenizer))
    X = StaticVectorizer(tmp_path).fit_transform([text])
    assert labels_of(X, 0) == expected


def test_vectors_are_scaled_unless_told_otherwise(folder):
    X, Y = (fitted(folder, unit_norm=u).transform(TEXTS) for u in (True, False))
    norms = np.linalg.norm(Y.features, axis=1, keepdims=True)
    np.testing.assert_allclose(X.features, Y.features / norms, rtol=1e-6)
    vectorizer = fitted(folder)
    vectorizer.transform(TEXTS)
    assert vectorizer.set_params(unit_norm=False).transform(TEXTS) == Y


def test_results_of_a_vectorizer_share_rows_that_nobody_can_write(folder):
    vectorizer = fitted(folder)
    first = vectorizer.transform(["good"])
    second = vectorizer.transform(["bad good"])
    assert np.shares_memory(first.features, second.features)
    assert not second.features.flags.writeable
    assert first.labels.tolist() == ["good"]
    assert labels_of(second, 0)[-1] == "good"


@pytest.mark.parametrize(
    ("keep", "part"), [("start", slice(2)), ("end", slice(-2, None))]
)
def test_long_texts_are_cut(folder, keep, part):
    X = fitted(folder).transform(TEXTS)
    short = fitted(folder, max_length=2, keep=keep).transform(TEXTS)
    assert [labels_of(short, i) for i in range(len(X))] == [
        labels_of(X, i)[part] for i in range(len(X))
    ]


@pytest.mark.filterwarnings("ignore:[0-9]+% of the tokens of this call")
def test_what_is_not_known_can_be_left_out(folder):
    texts = ["漢 good 字", "字", "bad"]
    X = fitted(folder, oov="drop").transform(texts)
    assert labels_of(X, 0) == ["good"]
    assert X.lengths[1] == 0
    assert labels_of(X, 2)[0] == "bad"
    # As Model2Vec does: what is left out has been counted.
    assert fitted(folder, oov="drop", max_length=1).transform(texts).lengths[0] == 0


def test_what_the_tokenizer_adds_pads_cuts_and_draws_is_switched_off(tmp_path):
    tokenizer = make_tokenizer(bytes_of_words)
    tokenizer.add_special_tokens(["<s>"])
    number = tokenizer.token_to_id("<s>")
    write(tmp_path / "plain", tokenizer, embeddings=matrix_for(tokenizer))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", number)]
    )
    tokenizer.enable_padding(length=9, pad_id=number, pad_token="<s>")
    tokenizer.enable_truncation(4)
    tokenizer.model.dropout = 0.5
    write(tmp_path / "model", tokenizer, embeddings=matrix_for(tokenizer))
    texts = CORPUS[:4]
    X, Y = (fitted(tmp_path / name).transform(texts) for name in ("plain", "model"))
    assert X == Y
    assert X.lengths.max() > 4


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8])
def test_numbers_of_any_precision_are_read(tmp_path, dtype):
    tokenizer = make_tokenizer()
    matrix = (10 * matrix_for(tokenizer)).astype(dtype)
    write(tmp_path, tokenizer, **{"embedding.weight": matrix})
    X = StaticVectorizer(tmp_path, unit_norm=False).fit_transform(TEXTS)
    np.testing.assert_array_equal(X[0], matrix[plain(tmp_path, TEXTS[0])].astype("f4"))


def test_bfloat16_is_read(tmp_path):
    tokenizer = make_tokenizer()
    write(tmp_path, tokenizer, any=np.zeros(1))
    bits = (matrix_for(tokenizer).view(np.uint32) >> 16).astype(np.uint16)
    write_bfloat16(tmp_path / "model.safetensors", "embedding.weight", bits)
    X = StaticVectorizer(tmp_path, unit_norm=False).fit_transform(TEXTS)
    kept = matrix_for(tokenizer).view(np.uint32) & 0xFFFF0000
    expected = kept.view(np.float32)[plain(tmp_path, TEXTS[0])]
    np.testing.assert_array_equal(X[0], expected)


@pytest.mark.parametrize("with_mapping", [False, True])
def test_weights_and_mappings_of_model2vec_are_read(tmp_path, with_mapping):
    tokenizer = make_tokenizer()
    n = tokenizer.get_vocab_size()
    rng = np.random.default_rng(1)
    weights = rng.uniform(size=n).astype(np.float32)
    tensors = {"embeddings": matrix_for(tokenizer), "weights": weights}
    mapping = np.arange(n)
    if with_mapping:
        tensors["embeddings"] = tensors["embeddings"][:7]
        tensors["mapping"] = mapping = rng.integers(7, size=n)
    write(tmp_path, tokenizer, **tensors)
    X = StaticVectorizer(tmp_path, unit_norm=False).fit_transform(TEXTS)
    numbers = plain(tmp_path, TEXTS[0])
    expected = tensors["embeddings"][mapping[numbers]] * weights[numbers, None]
    np.testing.assert_allclose(X[0], expected, rtol=1e-6)


def test_the_folder_of_sentence_transformers_is_read(tmp_path, folder):
    shutil.copytree(folder, tmp_path / "0_StaticEmbedding")
    (tmp_path / "modules.json").write_text("[]")
    assert fitted(tmp_path).transform(TEXTS) == fitted(folder).transform(TEXTS)


def as_wordllama(folder, home, *sizes):
    (home / "weights").mkdir(parents=True)
    (home / "tokenizers").mkdir()
    for size in sizes:
        to = home / "weights" / f"l2_supercat_{size}.safetensors"
        shutil.copy(folder / "model.safetensors", to)
    to = home / "tokenizers" / "l2_supercat_tokenizer_config.json"
    shutil.copy(folder / "tokenizer.json", to)


def test_files_of_a_package_are_found_without_importing_it(
    tmp_path, folder, monkeypatch
):
    as_wordllama(folder, tmp_path / "wordllama", 256)
    (tmp_path / "wordllama" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    X = StaticVectorizer("wordllama").fit_transform(TEXTS)
    assert X == fitted(folder).transform(TEXTS)
    assert "wordllama" not in sys.modules


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(files.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install wordllama"):
        StaticVectorizer("wordllama").fit(TEXTS)


def test_several_models_in_a_folder_are_named(tmp_path, folder):
    as_wordllama(folder, tmp_path / "some", 64, 256)
    with pytest.raises(FileNotFoundError, match=r"several.*_256.*_64.*into a folder"):
        StaticVectorizer(tmp_path / "some").fit(TEXTS)


@pytest.mark.skipif(
    importlib.util.find_spec("wordllama") is None, reason="wordllama isn't installed"
)
def test_wordllama_is_read():
    X = StaticVectorizer("wordllama").fit_transform(["Unputdownable, isn't it?"])
    assert X.n_features == 256
    assert labels_of(X, 0)[:4] == ["Un", "##put", "##down", "##able"]


def test_a_model_of_the_hub_is_found_in_the_cache_and_pinned(tmp_path, folder):
    name = pinned(folder)
    vectorizer = StaticVectorizer(name).fit(TEXTS)
    assert vectorizer.revision_ == "0" * 40
    X = vectorizer.transform(TEXTS)
    assert X == fitted(folder).transform(TEXTS)
    tokenizer = make_tokenizer()
    other = write(tmp_path / "other", tokenizer, embeddings=matrix_for(tokenizer, 1))
    pinned(other, commit="1" * 40)
    assert StaticVectorizer(name).fit(TEXTS).revision_ == "1" * 40
    assert pickle.loads(pickle.dumps(vectorizer)).transform(TEXTS) == X
    assert StaticVectorizer(name, revision="0" * 40).fit_transform(TEXTS) == X


@pytest.mark.parametrize("name", ["nobody/nothing", "./no/such/folder", "a b"])
def test_a_model_that_is_nowhere_is_an_error_that_says_where_was_searched(name):
    with pytest.raises(FileNotFoundError, match=r"no such folder, and no model.*OFFLI"):
        StaticVectorizer(name).fit(TEXTS)


def test_a_folder_without_the_files_is_an_error_that_says_what_it_holds(tmp_path):
    (tmp_path / "vocab.txt").write_text("a")
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json and .*holds vocab"):
        StaticVectorizer(tmp_path).fit(TEXTS)
    with pytest.raises(FileNotFoundError, match=r"is a file; expected the folder"):
        StaticVectorizer(tmp_path / "vocab.txt").fit(TEXTS)


def drop(matrix):
    return {"embeddings": matrix[:-1]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (drop, r"vectors of \d+ subwords, but .* numbers 0 to \d+: .*two models"),
        (lambda m: {"embeddings": m[0]}, r"shape \(8,\); expected a matrix of float"),
        (lambda m: {"embeddings": m[:, :0]}, r", 0\); expected a matrix"),
        (
            lambda m: {"embeddings": m.astype(np.int64)},
            r"type I64 and shape .*expected a matrix of floating-point",
        ),
        (
            lambda m: {"left": m, "right": m[:, :2]},
            r"'left' of type F32 and shape .*'right'.*'embedding.weight'",
        ),
        (
            lambda m: {f"encoder.layer.{i}.output": m for i in range(6)},
            r"and 2 more\. Expected.*use BertVectorizer",
        ),
        (lambda m: {}, "holds no tensor"),
        (lambda m: {"embeddings": m, "weights": m[:3, 0]}, "has 3 weights; expected"),
        (
            lambda m: {"embeddings": m, "weights": np.ones(len(m), np.int32)},
            "'weights' of type I32.*expected a number for each subword",
        ),
        (
            lambda m: {"embeddings": m, "mapping": np.arange(len(m)) - 1},
            "mapping to the rows -1 to",
        ),
        (
            lambda m: {"embeddings": m, "mapping": np.zeros(len(m))},
            "'mapping' of type F64.*expected a row for each subword",
        ),
    ],
)
def test_tensors_that_are_no_static_model_are_refused(tmp_path, make, message):
    tokenizer = make_tokenizer()
    tensors = {k: v.copy() for k, v in make(matrix_for(tokenizer)).items()}
    write(tmp_path, tokenizer, **tensors)
    with pytest.raises(ValueError, match=message):
        StaticVectorizer(tmp_path).fit(TEXTS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no safetensors file, or damaged: .*header"),
        (b"\x80\x04nonsense" * 9, "is no safetensors file, or damaged"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (None, "is no safetensors file, or damaged"),
    ],
)
def test_damaged_matrices_are_refused(tmp_path, folder, content, message):
    shutil.copytree(folder, tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7] if content is None else content)
    with pytest.raises(ValueError, match=message):
        StaticVectorizer(tmp_path / "model").fit(TEXTS)


def test_a_tokenizer_that_cannot_read_texts_is_named(tmp_path):
    vocabulary = {"[UNK]": 0, "good": 1}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[missing]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    vectors = {"embeddings": np.eye(2, dtype=np.float32)}
    numpy_files.save_file(vectors, str(tmp_path / "model.safetensors"))
    with pytest.raises(ValueError, match=r"beside .*model\.safetensors is damaged"):
        StaticVectorizer(tmp_path).fit_transform(["good unheard"])


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"model": 1}'])
def test_damaged_tokenizers_are_refused(tmp_path, folder, content):
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_bytes(content)
    with pytest.raises(ValueError, match="is no file of a tokenizer, or damaged"):
        StaticVectorizer(tmp_path / "model").fit(TEXTS)


def test_vectors_that_are_not_finite_are_refused_where_they_occur(tmp_path):
    tokenizer = make_tokenizer()
    matrix = matrix_for(tokenizer)
    matrix[tokenizer.token_to_id("good")] = np.nan
    write(tmp_path, tokenizer, embeddings=matrix)
    vectorizer = StaticVectorizer(tmp_path).fit(TEXTS)
    assert len(vectorizer.transform(["bad"])) == 1
    with pytest.raises(ValueError, match=r"vector of 'good' in .* holds NaN"):
        vectorizer.transform(["a good bad"])
    assert labels_of(vectorizer.transform(["bad"]), 0)[0] == "bad"


def test_texts_come_in_any_container_but_as_texts(folder):
    X = fitted(folder).transform(TEXTS)
    # Arrow, which pandas keeps strings in, holds no lone surrogates.
    column = pd.Series(TEXTS, index=list("abcde"), dtype=object)
    for texts in (np.array(TEXTS, dtype=object), column, iter(TEXTS), tuple(TEXTS)):
        assert fitted(folder).transform(texts) == X
    vectorizer = fitted(folder).set_output(transform="pandas")
    assert vectorizer.transform(column).index.tolist() == list("abcde")
    assert vectorizer.fit_transform([np.str_("good")]).labels.tolist() == ["good"]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([["good", "bad"]], TypeError, r"Text 0 of X is \['good', 'bad'\] \(list\)"),
        (["good", None], TypeError, "Text 1 of X is None"),
        ([b"good"], TypeError, "decode it"),
        ("good", ValueError, "put a single text into a list"),
        ([], ValueError, "X holds no texts"),
        (np.array([["good"]]), ValueError, "of shape"),
    ],
)
def test_what_is_no_text_is_refused(folder, X, error, message):
    vectorizer = fitted(folder)
    for method in ("fit", "transform", "fit_transform"):
        with pytest.raises(error, match=message):
            getattr(vectorizer, method)(X)


@pytest.mark.parametrize(
    "settings", [{"oov": "random"}, {"max_length": 0}, {"keep": "middle"}]
)
def test_parameters_are_checked_by_fit(folder, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        StaticVectorizer(folder, **settings).fit(TEXTS)
    with pytest.raises(ValueError, match="'model' parameter"):
        StaticVectorizer(3).fit(TEXTS)
    with pytest.raises(ValueError, match="model is ''"):
        StaticVectorizer("").fit(TEXTS)


def test_the_contract_of_scikit_learn_is_kept(folder):
    vectorizer = StaticVectorizer(folder)
    with pytest.raises(NotFittedError):
        vectorizer.transform(TEXTS)
    assert get_tags(vectorizer).input_tags.string
    assert vectorizer.fit(TEXTS) is vectorizer
    assert vectorizer.n_features_out_ == WIDTH
    names = vectorizer.get_feature_names_out()
    assert names.tolist() == [f"staticvectorizer{i}" for i in range(WIDTH)]


def test_a_fit_that_fails_leaves_the_vectorizer_as_it_was(folder):
    vectorizer = fitted(folder)
    X = vectorizer.transform(TEXTS)
    with pytest.raises(FileNotFoundError):
        vectorizer.set_params(model="nobody/nothing").fit(TEXTS)
    assert vectorizer.transform(TEXTS) == X


def test_a_pickle_holds_the_name_of_the_model_and_no_matrix(folder):
    vectorizer = fitted(folder)
    X = vectorizer.transform(TEXTS)
    pickled = pickle.dumps(vectorizer)
    assert len(pickled) < 1000
    model.forget_models()
    for other in (pickle.loads(pickled), copy.deepcopy(vectorizer)):
        assert other.transform(TEXTS) == X
        assert other.revision_ == vectorizer.revision_


def test_a_pickle_refuses_a_model_that_is_gone_or_another(tmp_path, folder):
    home = tmp_path / "model"
    shutil.copytree(folder, home)
    pickled = pickle.dumps(fitted(home))
    moved = pickle.loads(pickled).set_params(model=folder)
    assert moved.transform(TEXTS) == fitted(folder).transform(TEXTS)
    tokenizer = make_tokenizer()
    write(home, tokenizer, embeddings=matrix_for(tokenizer, seed=1))
    with pytest.raises(ValueError, match="is another model"):
        pickle.loads(pickled).transform(TEXTS)
    shutil.rmtree(home)
    with pytest.raises(FileNotFoundError, match=r"isn't there.*set_params\(model"):
        pickle.loads(pickled).transform(TEXTS)


def test_the_revision_of_a_folder_is_its_fingerprint(folder):
    revision = fitted(folder).revision_
    assert fitted(folder, revision=revision).revision_ == revision
    with pytest.raises(ValueError, match="expected that fingerprint, or None"):
        fitted(folder, revision="f" * 64)


def test_a_search_opens_the_model_once(folder, monkeypatch):
    opened = []

    def count(path):
        opened.append(path)
        return read(path)

    read = model.read_matrix
    monkeypatch.setattr(model, "read_matrix", count)
    classifier = SparseRationalClassifier(
        n_wfsas=2, n_states=2, max_epochs=1, finetune_epochs=0, random_state=0
    )
    pipeline = make_pipeline(StaticVectorizer(folder), classifier)
    texts, y = CORPUS, [1, 0, 0, 1] * 3
    grid = {"staticvectorizer__max_length": [2, None]}
    GridSearchCV(pipeline, grid, cv=2).fit(texts, y)
    clone(pipeline).fit(texts, y)
    assert len(opened) == 1


# A dozen texts, of which four are distinct, end no phase by themselves.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_pipeline_learns_from_texts_and_explains_itself(folder, tmp_path):
    texts, y = CORPUS, [1, 0, 0, 1] * 3
    pipeline = make_pipeline(
        StaticVectorizer(folder),
        SparseRationalClassifier(n_wfsas=4, max_epochs=10, random_state=0),
    ).fit(texts, y)
    assert pipeline.score(texts, y) == 1
    joblib.dump(pipeline, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        again.predict_proba(texts), pipeline.predict_proba(texts)
    )
    assert "1 of 2 words unknown" in explain(pipeline, "good 漢").to_text()


def test_looking_up_imports_neither_torch_nor_transformers(folder):
    script = (
        "import sys; from skrational import StaticVectorizer\n"
        f"X = StaticVectorizer({str(folder)!r}).fit_transform(['good movie'])\n"
        "heavy = {'torch', 'transformers', 'gensim'} & set(sys.modules)\n"
        "assert len(X) == 1 and not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TOKENIZERS_PARALLELISM": "false"},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["tokenizers", "safetensors"])
def test_libraries_that_are_missing_are_named(folder, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'skrational\[static\]'"):
        StaticVectorizer(folder).fit(TEXTS)


@pytest.mark.parametrize("settings", [{}, {"oov": "drop"}, {"max_length": 2}])
def test_subwords_know_where_they_stand_in_the_text(folder, settings):
    texts = [*TEXTS, "Good  MOVIES,\n\U0001f600 e\u0301!", "\ud800 good"]
    X = fitted(folder, **settings).transform(texts)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for i, text in enumerate(texts):
        original = X.original(i)
        assert original.text == text
        encoding = tokenizer.encode(text.replace("\ud800", "\ufffd"))
        offsets = encoding.offsets[: settings.get("max_length")]
        found = [*original.spans.tolist(), *original.left_out.tolist()]
        parts = sorted(text[start:stop] for start, stop in found)
        assert parts == sorted(text[start:stop].strip() for start, stop in offsets)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_tokenizer_writes_the_text_is_shown(tmp_path, kind):
    tokenizer = make_tokenizer(kind)
    write(tmp_path, tokenizer, embeddings=matrix_for(tokenizer))
    texts = [
        "Good  movie,\n not BAD",
        " \U0001f600\U0001f468\u200d\U0001f469 e\u0301\u00e9 ",
    ]
    clf = SparseRationalClassifier(n_wfsas=2, lambda_=0, max_epochs=1, random_state=0)
    pipeline = make_pipeline(StaticVectorizer(tmp_path, unit_norm=False), clf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explanations = explain(pipeline.fit([*texts, *CORPUS[:2]], [0, 1] * 2), texts)
    for text, e in zip(texts, explanations, strict=True):
        pieces = pieces_of(e)
        assert "".join(piece.text for piece in pieces) == e.text == text
        assert [t for p in pieces for t in p.tokens] == list(range(len(e.tokens)))


def test_most_subwords_unknown_is_told_once(folder):
    vectorizer = fitted(folder)
    with pytest.warns(OutOfVocabularyWarning) as caught:
        for _ in range(2):
            vectorizer.transform(["\u6f22\u5b57 \u2658"])
    (warning,) = caught
    assert "100% of the tokens of this call have no subword" in str(warning.message)
    assert "such as '\u6f22', '\u5b57', '\u2658'" in str(warning.message)
    assert warning.filename == __file__
