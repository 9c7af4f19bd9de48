"""Exported pipelines label texts as the pipelines do, without this package."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import (
    ModuliRNNClassifier,
    SparseGRUClassifier,
    SparseRationalClassifier,
    TimeStepTransformer,
    WordVectorizer,
    export_onnx,
)
from skrational.datasets import make_product_reviews
from skrational.deployment.onnx import export as export_module
from skrational.text.tokenize import tokenize
from tests.deployment.exported import EPOCHS, read_tokenizer

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

ROOT = Path(__file__).parents[2]
REVIEWS = make_product_reviews(60, noise=0, random_state=0)
TEXTS, Y = REVIEWS.texts, REVIEWS.labels
ODD = [
    "",
    "?",
    "\u2019",
    "<s> isn't it? </s>",
    "good " * 300,
    "never-met words, unknown 1,000.50 times... :-)",
    "CAFE\u0301 caf\u00e9 co\u00adop coop \u200bxy",
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03a3\u0391\u03a3 \u0130stanbul",
    "half a character: \ud800.",
]


def assert_agree(pipeline, folder, open_session, texts):
    session, read = open_session.folder(folder), read_tokenizer(folder)
    labels, p = session.run(None, read(texts))
    expected = pipeline.predict_proba(texts)
    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-5)
    clear = abs(expected[:, 0] - expected[:, -1]) > 1e-4
    assert (labels == pipeline.predict(texts))[clear].all()
    for text, row in zip(texts, expected, strict=True):
        alone = session.run(["probabilities"], read([text]))[0]
        np.testing.assert_allclose(alone[0], row, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def clf():
    return SparseRationalClassifier(n_wfsas=3, lambda_=1e-4, **EPOCHS)


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"oov": "zero", "lowercase": False, "unit_norm": False},
        {"oov": "drop", "end_token": None},
        {"oov": "drop", "max_length": 3},
        {"max_length": 4, "keep": "end", "start_token": None, "end_token": None},
        {"tokenizer": str.split, "start_token": "the", "end_token": "the"},
        {"tokenizer": tokenize},
        {"stop_words": ["The", ".", "is"]},
    ],
    ids=", ".join,
)
def test_texts_are_read_as_the_vectorizer_reads_them(
    options, clf, open_session, tmp_path
):
    vectorizer = WordVectorizer(n_features=12, min_count=2, **options)
    pipeline = make_pipeline(vectorizer, clf).fit(TEXTS, Y)
    folder = export_onnx(pipeline, tmp_path / "model")
    assert_agree(pipeline, folder, open_session, [*TEXTS[:10], *ODD])


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
def test_lists_of_tokens(clf, open_session, tmp_path):
    documents = [text.split() for text in TEXTS]
    pipeline = make_pipeline(WordVectorizer(n_features=8), clf).fit(documents, Y)
    folder = export_onnx(pipeline, tmp_path / "model")
    assert_agree(
        pipeline, folder, open_session, [*documents[:5], ["THE", "New York"], []]
    )


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
@pytest.mark.parametrize(
    "network",
    [
        SparseRationalClassifier(n_wfsas=3, semiring="max-plus", **EPOCHS),
        SparseGRUClassifier(n_units=5, dtype="float64", **EPOCHS),
        ModuliRNNClassifier(n_hidden=5, readout="last", **EPOCHS),
    ],
    ids=lambda network: type(network).__name__,
)
def test_every_method_and_steps_between(network, open_session, tmp_path):
    steps = TimeStepTransformer(make_pipeline(StandardScaler(), PCA(6)))
    pipeline = make_pipeline(WordVectorizer(n_features=9), steps, network)
    pipeline.fit(TEXTS, Y)
    folder = export_onnx(pipeline, tmp_path / "model")
    assert_agree(pipeline, folder, open_session, [*TEXTS[:10], *ODD])


WORDS = ["not", "good", "bad", "the", "na\u00efve", "co\u00adop", "</s>", "rare"]
ROWS = np.random.default_rng(0).normal(size=(len(WORDS), 5))
FEW = ["Not good", "the bad", "good, good", "not bad nai\u0308ve"] * 4


@pytest.fixture(scope="module")
def joined(clf):
    tables = [dict(zip(WORDS, ROWS, strict=True)), {"good": [1.0], "more": [2.0]}]
    return make_pipeline(WordVectorizer(tables), clf).fit(FEW, [1, 0, 1, 0] * 4)


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
def test_all_of_the_table(joined, open_session, tmp_path):
    folder = export_onnx(joined, tmp_path / "model")
    texts = [
        "rare more",
        "coop co\u00adop co\u200dop",
        "Nai\u0308ve NA\u00cfVE",
        "??",
    ]
    assert_agree(joined, folder, open_session, [*FEW, *texts, *ODD])
    read = read_tokenizer(folder)
    assert read.find("coop") == read.find("co\u00adop") == read.find("co\u200dop")
    assert read.find("nothing") == len(read.numbers) - 1


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
def test_those_of_texts(joined, open_session, tmp_path):
    folder = export_onnx(joined, tmp_path / "model", vectors="used", texts=iter(FEW))
    assert_agree(joined, folder, open_session, [*FEW, "??", ""])
    words = json.loads((folder / "vocabulary.json").read_text())["words"]
    assert set(words) == {"<s>", "</s>", "nai\u0308ve", "not", "good", "the", "bad"}


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
def test_training_words_that_are_kept(joined, open_session, tmp_path, monkeypatch):
    def kept(self):
        return ["good", "absent", "not", "good"]

    monkeypatch.setattr(WordVectorizer, "_known_training_words", kept)
    folder = export_onnx(joined, tmp_path / "model", vectors="used")
    words = json.loads((folder / "vocabulary.json").read_text())["words"]
    assert words == ["<s>", "</s>", "good", "not"]
    assert_agree(joined, folder, open_session, ["not good", "good ??"])


def test_training_words_that_nobody_kept(joined, tmp_path, monkeypatch):
    def kept(self):
        return None

    monkeypatch.setattr(WordVectorizer, "_known_training_words", kept)
    with pytest.raises(ValueError, match="Give texts="):
        export_onnx(joined, tmp_path / "model", vectors="used")
    assert not (tmp_path / "model").exists()


def test_texts_without_a_word_of_the_table(joined, tmp_path):
    with pytest.raises(ValueError, match="none of the words of texts"):
        export_onnx(joined, tmp_path / "model", vectors="used", texts=["??"])


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
def test_a_large_table_is_in_a_file_of_its_own(
    joined, open_session, tmp_path, monkeypatch
):
    monkeypatch.setattr(export_module, "_LARGE_TABLE", 8)
    folder = export_onnx(joined, tmp_path / "model")
    assert (folder / "table.bin").stat().st_size > 8
    assert_agree(joined, folder, open_session, FEW)
    monkeypatch.undo()
    assert export_onnx(joined, folder) == folder
    assert not (folder / "table.bin").exists()


SERVED = """
import builtins, io, json, sys

load = builtins.__import__

def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    top = name.partition(".")[0]
    if level == 0 and top in {"skrational", "sklearn", "scipy", "torch", "numba"}:
        raise AssertionError(name)
    return load(name, globals, locals, fromlist, level)

builtins.__import__ = guarded
import serve

def ask(texts):
    body = json.dumps(texts).encode()
    environ = {"wsgi.input": io.BytesIO(body)}
    return json.loads(b"".join(serve.app(environ, lambda *status: None)))

texts = json.load(sys.stdin)
print("\\n" + json.dumps(ask(texts)))
heavy = {"skrational", "sklearn", "scipy", "torch", "numba", "onnx"} & set(sys.modules)
assert not heavy, heavy
"""


@pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
def test_the_program_of_the_docs_serves_without_this_package(clf, tmp_path):
    page = (ROOT / "docs" / "howto" / "serving.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (program,) = (block for block in blocks if "def app(" in block)
    assert len(program.splitlines()) <= 32
    pipeline = make_pipeline(WordVectorizer(n_features=8), clf).fit(TEXTS, Y)
    export_onnx(pipeline, tmp_path / "graph")
    (tmp_path / "serve.py").write_text(program)
    (tmp_path / "run.py").write_text(SERVED)
    done = subprocess.run(
        [sys.executable, "run.py"],
        input=json.dumps(TEXTS[:5]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert [answer["label"] for answer in answers] == pipeline.predict(
        TEXTS[:5]
    ).tolist()
    p = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(p, pipeline.predict_proba(TEXTS[:5]), atol=1e-4)
