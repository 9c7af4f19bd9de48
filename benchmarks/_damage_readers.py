"""The readers of files: how to make a good one, and how to read it.

A reader of a new kind of file is a function with the decorator `reader`, which writes
its files into a folder and returns how to read them. One that needs a package, or a
module of skrational, that isn't there is left out.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["READERS", "Reader", "available"]

Read = Callable[[], Any]


@dataclass(frozen=True)
class Reader:
    """A kind of file.

    Attributes
    ----------
    name : str
    make : callable
        Writes good files into a folder; returns what reads them, to a value of plain
        Python objects and arrays that tells all that is used of them.
    checked : bool
        Whether the format has a checksum, so that no other numbers may come back.
    needs : tuple of str
        Modules.
    foreign : bool
        Whether another library opens the files: its errors are what it makes them.
    """

    name: str
    make: Callable[[Path], Read]
    checked: bool
    needs: tuple[str, ...] = ()
    foreign: bool = False


READERS: dict[str, Reader] = {}


def reader(name: str, checked: bool, *needs: str, foreign: bool = False) -> Any:
    """Register a function as the `Reader.make` of a reader."""

    def register(make: Callable[[Path], Read]) -> Callable[[Path], Read]:
        READERS[name] = Reader(name, make, checked, needs, foreign)
        return make

    return register


def available() -> tuple[list[Reader], list[str]]:
    """Return the readers that can be tried, and a line for each of the others."""
    there, left_out = [], []
    for one in READERS.values():
        missing = [name for name in one.needs if not _is_there(name)]
        if missing:
            left_out.append(f"{one.name} is left out: {', '.join(missing)} isn't there")
        else:
            there.append(one)
    return there, left_out


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ImportError:
        return False


WORDS = [f"word{i}" for i in range(40)] + ["naïve", "日本", "New York"]
ROWS = np.round(np.random.default_rng(0).normal(size=(len(WORDS), 6)), 3)


def _table(path: Path) -> dict[str, Any]:
    from skrational.text.vectors.vector_files import find_format, read_vectors

    table = read_vectors(path, find_format(path))
    words = list(table.index)
    return {
        "words": words,
        "rows": np.asarray(table.vectors[list(table.index.values())]),
        "parts": getattr(table, "subwords", None)
        and np.asarray(table.subwords.vectors),
    }


def _text(separator: str = " ", header: str = "") -> bytes:
    rows = zip(WORDS, ROWS.tolist(), strict=True)
    lines = (f"{w}{separator}{separator.join(map(str, row))}\n" for w, row in rows)
    return (header + "".join(lines)).encode()


def _binary() -> bytes:
    head = f"{len(WORDS)} {ROWS.shape[1]}\n".encode()
    rows = zip(WORDS, ROWS.astype("<f4"), strict=True)
    return head + b"".join(
        f"{w.replace(' ', '_')} ".encode() + row.tobytes() + b"\n" for w, row in rows
    )


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v.txt", content)
    return file.getvalue()


def _vectors(name: str, content: bytes, folder: Path) -> Read:
    path = folder / name
    path.write_bytes(content)
    return partial(_table, path)


def _register_tables() -> None:
    plain = _text()
    contents: dict[str, tuple[str, bytes, bool]] = {
        "vectors: text": ("v.txt", plain, False),
        "vectors: text, header": ("v.vec", _text(header=f"{len(WORDS)} 6\n"), False),
        "vectors: CSV": ("v.csv", _text(","), False),
        "vectors: tabs": ("v.tsv", _text("\t"), False),
        "vectors: UTF-16": ("v16.txt", plain.decode().encode("utf-16"), False),
        "vectors: word2vec .bin": ("v.bin", _binary(), False),
        "vectors: text .gz": ("v.txt.gz", gzip.compress(plain, mtime=0), True),
        "vectors: text .bz2": ("v.txt.bz2", bz2.compress(plain), True),
        "vectors: text .xz": ("v.txt.xz", lzma.compress(plain), True),
        "vectors: text .zip": ("v.zip", _zipped(plain), True),
        "vectors: .bin.gz": ("v.bin.gz", gzip.compress(_binary(), mtime=0), True),
    }
    for name, (file, content, checked) in contents.items():
        reader(name, checked)(partial(_vectors, file, content))


_register_tables()


def _gensim(kind: str) -> Any:
    from gensim.models import FastText, Word2Vec

    texts = [WORDS[i : i + 8] for i in range(0, 40, 8)] * 3
    options = {"vector_size": 4, "min_count": 1, "seed": 1, "workers": 1}
    if kind == "fasttext":
        return FastText(texts, bucket=30, **options)
    return Word2Vec(texts, **options)


@reader("vectors: fastText .bin", False)
def _fasttext(folder: Path) -> Read:
    from gensim.models.fasttext import save_facebook_model

    path = folder / "v.bin"
    save_facebook_model(_gensim("fasttext"), str(path))
    return partial(_table, path)


@reader("vectors: gensim .kv", False)
def _saved(folder: Path) -> Read:
    path = folder / "v.kv"
    _gensim("fasttext").wv.save(str(path))
    return partial(_table, path)


@reader("vectors: gensim .kv, arrays beside", False)
def _saved_beside(folder: Path) -> Read:
    path = folder / "v.kv"
    _gensim("word2vec").wv.save(str(path), separately=["vectors"])
    return partial(_table, path)


@reader("vectors: gensim .kv.gz, arrays beside", False)
def _saved_packed(folder: Path) -> Read:
    path = folder / "v.kv.gz"
    _gensim("word2vec").wv.save(str(path), separately=["vectors"])
    return partial(_table, path)


@reader("cache of parsed vectors", True)
def _parsed(folder: Path) -> Read:
    from skrational.text.vectors.loading import forget_tables, load_table

    elsewhere = folder.parent / f"{folder.name}-source"
    elsewhere.mkdir(exist_ok=True)
    path = elsewhere / "v.txt"
    path.write_bytes(_text())

    def read() -> Any:
        forget_tables()
        table = load_table(path, folder)
        return list(table.words), table.take(WORDS)

    read()
    return read


@reader("cache of features", True)
def _features(folder: Path) -> Read:
    from skrational.text.features.store import FeatureStore

    keys = [f"{i:064x}" for i in range(8)]
    rows = np.random.default_rng(0).normal(size=(8, 3, 4)).astype(np.float32)

    def embed(positions: Any) -> Any:
        for i in positions:
            yield i, rows[i], ["a", "b", "c"]

    def read() -> Any:
        X = FeatureStore(folder, 4).sequences(keys, embed)
        return X.features[X.row_numbers()].copy(), X.offsets.copy()

    read()
    return read


@reader("checkpoint of a path", True)
def _checkpoint(folder: Path) -> Read:
    from skrational.model_selection._checkpoint import Checkpoint

    about = {"of": "this"}
    checkpoint = Checkpoint(folder, about, 7)
    for i in range(2):
        arrays = {"coef_": np.full((1, 2), i, np.float32), "weights/W": np.eye(2)}
        checkpoint.save(i, ({"lambda_": i}, arrays), ({"seconds": i}, arrays))

    def read() -> Any:
        with warnings.catch_warnings():
            # It's told, and the path begins anew.
            warnings.simplefilter("error", UserWarning)
            try:
                return Checkpoint(folder, about, 7).load()
            except UserWarning as warning:
                raise ValueError(str(warning)) from warning

    return read


@reader("static model", False, "tokenizers", "safetensors")
def _static(folder: Path) -> Read:
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    vocabulary = {word: i for i, word in enumerate(["[UNK]", *WORDS[:30]])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file(
        {"embeddings": ROWS[:31].astype(np.float32)}, str(folder / "model.safetensors")
    )

    def read() -> Any:
        from skrational.text import StaticVectorizer
        from skrational.text.static_models.model import forget_models

        forget_models()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X = StaticVectorizer(folder).fit_transform(
                [" ".join(WORDS[:30]), "x word3"]
            )
        return X.features[X.row_numbers()].copy(), X.offsets.copy()

    return read


@reader("encoder of transformers", False, "transformers", "tokenizers")
def _encoder(folder: Path) -> Read:
    import torch
    import transformers

    vocabulary = {
        word: i
        for i, word in enumerate(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS[:20]]
        )
    }
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)

    def read() -> Any:
        from skrational.text import BertVectorizer
        from skrational.text.encoders.loading import forget_encoders

        forget_encoders()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            vectorizer = BertVectorizer(folder, cache=False, device="cpu")
            X = vectorizer.fit_transform(["word1 word2", "word3 unheard"])
        return X.features[X.row_numbers()].astype(np.float32), X.offsets.copy()

    return read


def _rows_of(path: Path) -> Any:
    from skrational.cli.rows import Layout, open_rows

    with open_rows(str(path), Layout()) as rows:
        return rows.columns, [cells for _, cells in rows.rows]


TEXTS = [(f'A text, with "quotes" {i} and ümläuts', i % 2) for i in range(30)]


def _register_rows() -> None:
    quoted = [(text.replace('"', '""'), label) for text, label in TEXTS]
    csv = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in quoted)
    tsv = "text\tlabel\n" + "".join(f'"{t}"\t{label}\n' for t, label in quoted)
    jsonl = "".join(
        json.dumps({"text": t, "label": label}, ensure_ascii=False) + "\n"
        for t, label in TEXTS
    )
    lines = "".join(f"{text}\n" for text, _ in TEXTS)
    contents = {"t.csv": csv, "t.tsv": tsv, "t.jsonl": jsonl, "t.txt": lines}
    for name, content in contents.items():
        for packed in (False, True):
            data = content.encode()
            file = f"{name}.gz" if packed else name
            data = gzip.compress(data, mtime=0) if packed else data

            def make(folder: Path, file: str = file, data: bytes = data) -> Read:
                (folder / file).write_bytes(data)
                return partial(_rows_of, folder / file)

            reader(f"command line: {file[1:]}", packed)(make)


_register_rows()


@reader("command line: model of joblib", False)
def _model(folder: Path) -> Read:
    import joblib

    from skrational.cli.models import load_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        joblib.dump(_classifier().fit(*_sequences()), folder / "model.joblib")
    return lambda: _learned(load_model(str(folder / "model.joblib")))


@reader("data set: reviews (.tsv.gz)", True)
def _reviews(folder: Path) -> Read:
    from skrational.datasets import load_reviews

    lines = "".join(f"{label}\t{text}\n" for text, label in TEXTS)
    (folder / "toasters").mkdir(parents=True)
    path = folder / "toasters" / "train.tsv.gz"
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))
    return lambda: tuple(load_reviews("toasters", data_home=folder))


@reader("data set: Amazon's archive (.tar.gz)", True)
def _amazon(folder: Path) -> Read:
    from skrational.datasets import remote

    path = folder / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for polarity in ("negative", "positive"):
            content = b"<review>\n<review_text>\nGood\n</review_text>\n</review>\n" * 9
            info = tarfile.TarInfo(f"x/books/{polarity}.review")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    names = ["negative.review", "positive.review"]
    return lambda: remote._read_tar(path, "books", names)


@reader("data set: SST-2's archive (.zip)", True)
def _treebank(folder: Path) -> Read:
    from skrational.datasets import remote

    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trees/dev.txt", "(3 (2 It) (4 works))\n" * 50)
    return lambda: remote._read_zip(path, "trees/dev.txt")


@reader("structure (JSON)", False)
def _structure(folder: Path) -> Read:
    from skrational.structures import RationalStructure, structure_from_json

    structure = RationalStructure((4, 4, 4), (2, 0, 3), 6, 1)
    path = folder / "structure.json"
    path.write_text(structure.to_json())

    def read() -> Any:
        try:
            return structure_from_json(path.read_text("utf-8", "replace")).to_json()
        except (ValueError, TypeError) as error:
            raise type(error)(f"{path}: {error}") from error

    return read


def _classifier() -> Any:
    from skrational import SparseRationalClassifier

    return SparseRationalClassifier(
        n_wfsas=2, warmup_epochs=0, max_epochs=1, finetune_epochs=1, random_state=0
    )


def _sequences() -> tuple[Any, list[int]]:
    from skrational import WordVectorizer

    texts = [" ".join(WORDS[i : i + 4]) for i in range(30)]
    vectors = dict(zip(WORDS[:40], ROWS[:40], strict=True))
    return WordVectorizer(vectors).fit_transform(texts), [i % 2 for i in range(30)]


def _learned(clf: Any) -> Any:
    return type(clf).__name__, clf.coef_, clf.intercept_, clf.weights_


@reader("saved model", True, "skrational.persistence")
def _persisted(folder: Path) -> Read:
    from skrational import persistence

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        persistence.save(_classifier().fit(*_sequences()), folder / "model")
    return lambda: _learned(persistence.load(folder / "model"))


@reader("checkpoint of a fit", True, "skrational.utils.checkpoints")
def _checkpointed(folder: Path) -> Read:
    X, y = _sequences()

    def read() -> Any:
        return _learned(_classifier().fit(X, y, checkpoint_dir=folder))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read()
    return read


@reader("stored sequences", True, "skrational.sequences.stored")
def _stored(folder: Path) -> Read:
    from skrational.sequences.array import SequenceArray
    from skrational.sequences.stored import open_parts, write_batches

    X, _ = _sequences()
    write_batches(folder / "X", [X[:10], X[10:]])

    def read() -> Any:
        found = SequenceArray(*open_parts(folder / "X", check=True))
        return found.features[found.row_numbers()].copy(), found.offsets.copy()

    return read


@reader("skops file", True, "skops", foreign=True)
def _skops(folder: Path) -> Read:
    import skops.io as sio

    from skrational.persistence import TRUSTED_TYPES

    path = folder / "model.skops"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sio.dump(_classifier().fit(*_sequences()), path)
    return lambda: _learned(sio.load(path, trusted=list(TRUSTED_TYPES)))


@reader("Parquet: sequences and words", False, "pyarrow", foreign=True)
def _parquet(folder: Path) -> Read:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from skrational import SequenceArray

    X, _ = _sequences()
    tokens, words = folder / "tokens.parquet", folder / "words.parquet"
    pq.write_table(pa.table({"tokens": X.to_arrow("rows")}), tokens)
    pq.write_table(X.table_to_arrow(), words)

    def read() -> Any:
        found = SequenceArray.from_arrow(
            pq.read_table(tokens)["tokens"], pq.read_table(words)
        )
        return found.features[found.row_numbers()].copy(), found.offsets.copy()

    return read
