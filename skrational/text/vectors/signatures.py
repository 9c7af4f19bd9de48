"""What a file looks like that holds no word vectors, or none that are read here."""

from __future__ import annotations

import re

__all__ = ["name_binary", "name_text"]

_TABLE = "read it with {}, and give a dict from words to vectors"
_UNPACK = "unpack it, as by `{}`, and give the file in it"
_AGAIN = "the download went wrong; get the file itself"

# No text table begins with any of these: each has bytes that are none of a text's.
_BINARY = [
    (rb"\x28\xb5\x2f\xfd", "a file compressed by zstd", _UNPACK.format("unzstd")),
    (rb"\x04\x22\x4d\x18", "a file compressed by lz4", _UNPACK.format("unlz4")),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK.format("7z x")),
    (rb"Rar!\x1a\x07", "a rar archive", _UNPACK.format("unrar x")),
    (
        rb"\x1f[\x9d\xa0]",
        "a file compressed by compress (.Z)",
        _UNPACK.format("uncompress"),
    ),
    (rb"LZIP[\0\x01]", "a file compressed by lzip", _UNPACK.format("lzip -d")),
    (rb"\xff\x06\0\0sNaPpY", "a file compressed by snappy", _UNPACK.format("snzip -d")),
    (
        rb"x([\x01\x9c\xda]|\^[\s\S]{0,60}?[\0-\x08\x0e-\x1f])",
        "a zlib stream, such as joblib writes",
        "load it yourself",
    ),
    (rb"[\s\S]{257}ustar(\0|  \0)", "a tar archive", _UNPACK.format("tar -xf")),
    (
        rb"\x1f\x8b|BZh[1-9]1AY&SY|\xfd7zXZ\0|PK[\x03\x05][\x04\x06]",
        "something compressed twice",
        "unpack it once",
    ),
    (
        rb"\x93NUMPY",
        "a numpy array (.npy) without words",
        "give a dict, as by dict(zip(words, numpy.load(...)))",
    ),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", _TABLE.format("h5py or pandas.read_hdf")),
    (
        rb"PAR1[\0-\x08\x0e-\x1f]",
        "a Parquet file",
        _TABLE.format("pandas.read_parquet"),
    ),
    (
        rb"ARROW1\0\0|FEA1\0|\xff\xff\xff\xff[\s\S]{2}\0\0",
        "an Arrow or Feather file",
        _TABLE.format("pandas.read_feather"),
    ),
    (
        rb"[\s\S]{3}\0\0\0\0\0\{\"",
        "a safetensors file",
        _TABLE.format("safetensors.numpy.load_file"),
    ),
    (rb"GGUF[\0-\x08\x0e-\x1f]", "a GGUF file, a language model", "give word vectors"),
    (
        rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19",
        "a PyTorch checkpoint",
        "load it, and give a dict from words to vectors",
    ),
    (
        rb"SQLite format 3\0",
        "an SQLite database, such as pymagnitude writes",
        "give a dict from words to vectors",
    ),
    (
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office document, such as an Excel workbook",
        "save the table as a text file (CSV, UTF-8)",
    ),
    (rb"RD[AX][23]\n[XAB]\n|[XB]\n\0\0\0", "an R data file", "write it as text from R"),
    (rb"MATLAB 5\.0 MAT-file", "a MATLAB file", _TABLE.format("scipy.io.loadmat")),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a[\s\S]{0,6}\0", "an image", "give word vectors"),
    (rb"%PDF-\d\.\d[\r\n]", "a PDF document", "give word vectors"),
    (rb"\x7fELF|MZ[\x90\0]", "a program", "give word vectors"),
]

# Words may look like these: only where no table can be read are they looked for.
_TEXT = [
    (
        rb"version https://git-lfs\.github\.com/",
        "a pointer of Git LFS, not the file that it stands for",
        "run `git lfs pull`",
    ),
    (
        rb"[./]*(git/)?annex/objects/",
        "a pointer of git-annex, not the file that it stands for",
        "run `git annex get`",
    ),
    (
        rb"(outs|deps|md5|wdir|frozen):\s",
        "a pointer of DVC, not the file that it stands for",
        "run `dvc pull`, and give the file itself",
    ),
    (rb"(?i)<(!doctype\s+html|html|head|body|script|meta)\b", "an HTML page", _AGAIN),
    (
        rb"(?i)<table\b",
        "a table in HTML, such as pandas writes",
        _TABLE.format("pandas.read_html"),
    ),
    (
        rb"(?i)(404|403|401)?:? ?(page |entry |repository |file )?"
        rb"(not found|forbidden|access denied)|invalid username"
        rb"|\{\s*\"(error|message|detail)\"\s*:\s*\"",
        "a server's message instead of a file",
        _AGAIN,
    ),
    (rb"<\?xml|<[A-Za-z]+[\s>/]", "an XML document", _AGAIN),
    (rb"[\[{]\s*[\"{\[}]", "a JSON file", _TABLE.format("json.load")),
    (
        rb"([^\n]*\n)?\S+[ \t,:;]+[\"']?(array|tensor)?[\[(]",
        "lists as Python prints them",
        "write a word and its plain numbers in each line",
    ),
    (
        rb"\d+ \d+ \d+ \d+ \d+ \d+ \S+ \S+\s*\n",
        "a table of floret, of n-grams without words",
        "give a dict of the words that matter",
    ),
    (
        rb"c(copy_?reg|__builtin__|builtins|numpy|gensim|collections)[\w.]*\n"
        rb"|\([dl]p?\d*\n|\(i|[}\])]q\0|\([dl]q\0",
        "a pickle",
        "load it yourself if you trust it, and give the KeyedVectors or dict in it",
    ),
]


def name_binary(head: bytes) -> str | None:
    r"""Tell what a file looks like whose first bytes no text table has.

    Parameters
    ----------
    head : bytes
        The beginning of its content.

    Returns
    -------
    str or None
        What it is and what to do; None if nothing known looks like that.

    Examples
    --------
    >>> name_binary(b"GGUF\x03\0\0\0")
    'a GGUF file, a language model: give word vectors'
    >>> name_binary(b"GGUF 0.5 0.25\n") is None
    True
    """
    return _name(head, _BINARY)


def name_text(head: bytes) -> str | None:
    r"""Tell what a text looks like that could not be read as a table; as `name_binary`.

    Examples
    --------
    >>> name_text(b"<!DOCTYPE html>\n<html><title>Sign in</title>")
    'an HTML page: the download went wrong; get the file itself'
    """
    named = _name(head.lstrip(b"\xef\xbb\xbf \t\r\n"), _TEXT)
    if named is None and b"\0" in head:
        # Half of the bytes of Latin letters in UTF-16 are zero.
        zeros = sorted([head[::2].count(0), head[1::2].count(0)])
        if zeros[0] < 0.1 * zeros[1] and zeros[1] > 0.2 * len(head):
            return "UTF-16 text without a byte order mark: save it as UTF-8"
        return (
            "binary data of a format that isn't known here, or of word2vec without its "
            "first line (n_words n_features): give word vectors"
        )
    return named


def _name(head: bytes, looks: list[tuple[bytes, str, str]]) -> str | None:
    for pattern, what, advice in looks:
        if re.match(pattern, head):
            return f"{what}: {advice}"
    return None
