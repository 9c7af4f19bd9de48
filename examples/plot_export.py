"""
Automata elsewhere: networkx and OpenFst
========================================

A fitted automaton is a graph with weights on its arcs. `to_networkx` returns it as a
graph, `to_openfst` writes it in the text form that OpenFst reads.
"""

import tempfile
from pathlib import Path

import pandas as pd
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.inspection import to_networkx, to_openfst

train = make_product_reviews(2000, random_state=0)
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=4e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)

# %%
graph = to_networkx(pipeline, wfsa=0, n_words=3)
pd.DataFrame([{"from": a, "to": b, **arc} for a, b, arc in graph.edges(data=True)])

# %%
folder = Path(tempfile.mkdtemp())
to_openfst(pipeline, folder, weights="real")
for file in sorted(folder.iterdir()):
    print(f"{file.name}: {len(file.read_text().splitlines())} lines")
