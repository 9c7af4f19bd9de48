"""Every Python block of README and docs runs, in order, in one namespace a page.

A block that can't run says why in a comment above it: ``<!-- not run: the reason -->``.
"""

import importlib
import re
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skrational import WordVectorizer, datasets
from skrational.datasets import make_product_reviews

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "howto").glob("*.md")),
]
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>\S[^>]*) -->\n+)?```python\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MOST_NOT_RUN = 9
# They presume nothing: a reader pastes their first block into an empty notebook.
FIRST_PAGES = ("README.md", "docs/index.md")
N_TEXTS = 90


def read_blocks(page):
    """Return (reason not to run it or None, code on the lines that it has) of each."""
    text = page.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == text.count("```python"), page
    return [
        (
            match["reason"],
            "\n" * text.count("\n", 0, match.start("code")) + match["code"],
        )
        for match in BLOCK.finditer(text)
    ]


BLOCKS = {page.relative_to(ROOT).as_posix(): read_blocks(page) for page in PAGES}


def write_vectors(file, texts):
    """Write a small table in GloVe's format with the words of texts."""
    rng = np.random.default_rng(0)
    words = sorted({word.lower() for text in texts for word in text.split()})
    rows = [f"{w} " + " ".join(f"{x:.3f}" for x in rng.normal(size=8)) for w in words]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def presumed(tmp_path):
    """What the pages presume that a reader has: texts, labels, tables, series."""
    reviews = make_product_reviews(N_TEXTS, noise=0, random_state=0)
    texts, labels = reviews.texts, reviews.labels
    more = make_product_reviews(2 * N_TEXTS, random_state=1).texts
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"review": texts, "title": more[:N_TEXTS], "stars": rng.integers(1, 6, N_TEXTS)}
    )
    diaries = [
        " ".join(rng.choice(["earn", "spend", "tea"], 6)) for _ in range(N_TEXTS)
    ]
    rich = [text.count("earn") > text.count("spend") for text in diaries]
    lengths = rng.integers(8, 15, N_TEXTS)
    vectorizer = WordVectorizer(min_count=1).fit(texts)
    return {
        "__name__": "__main__",
        "texts": texts,
        "labels": labels,
        "y": labels,
        "topics": np.array(["pans", "knives", "mugs"])[np.arange(N_TEXTS) % 3],
        "more_texts": more[:10],
        "dev_texts": more[:20],
        "y_dev": labels[:20],
        "diaries": diaries,
        "balances": np.where(rich, "rich", "poor"),
        "vectorizer": vectorizer,
        "X": vectorizer.transform(texts),
        "X_dev": vectorizer.transform(more[:20]),
        "all_texts": [*texts, *more],
        "frame": frame,
        "path": write_vectors(tmp_path / "vectors.txt", texts),
        "series": [
            rng.normal(size=(n, 2)) + 2 * label
            for n, label in zip(lengths, labels, strict=True)
        ],
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if blocks])
def test_python_blocks_run(page, presumed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if page in FIRST_PAGES:
        presumed = {"__name__": "__main__"}
        few = partial(make_product_reviews, N_TEXTS)
        monkeypatch.setattr(datasets, "make_product_reviews", few)
    for reason, code in BLOCKS[page]:
        if reason is None:
            exec(compile(code, str(ROOT / page), "exec"), presumed)


def test_few_blocks_are_not_run_and_each_says_why():
    reasons = [reason for blocks in BLOCKS.values() for reason, _ in blocks if reason]
    assert len(reasons) <= MOST_NOT_RUN, reasons


@pytest.mark.parametrize(
    "module",
    [
        "skrational",
        "skrational.datasets",
        "skrational.exceptions",
        "skrational.inspection",
        "skrational.model_selection",
        "skrational.persistence",
        "skrational.editing",
        "skrational.reporting",
        "skrational.structures",
        "skrational.testing",
    ],
)
def test_the_reference_names_all_that_is_public(module):
    text = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    named = set(re.findall(r"^   (\w+)$", text, re.MULTILINE))
    assert set(importlib.import_module(module).__all__) <= named


def test_links_of_the_readme_lead_to_files():
    links = runpy.run_path(str(ROOT / "docs" / "check_links.py"))
    assert links["find_missing_files"]() == []
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not re.findall(r"\]\((?!https?:)", text)


def test_a_link_to_no_file_or_no_anchor_is_found(tmp_path):
    links = runpy.run_path(str(ROOT / "docs" / "check_links.py"))
    (tmp_path / "a.html").write_text(
        '<p id="here"></p><a href="#here"></a><a href="b.html#there"></a>'
        '<a href="https://example.org"></a>'
    )
    (tmp_path / "b.html").write_text('<p id="there"></p><a href="a.html"></a>')
    assert links["find_broken_links"](tmp_path) == []
    (tmp_path / "b.html").write_text('<a href="a.html#nowhere"></a><img src="c.png">')
    assert sorted(links["find_broken_links"](tmp_path)) == [
        "a.html: b.html#there",
        "b.html: a.html#nowhere",
        "b.html: c.png",
    ]
