"""What users write: type checkers find nothing."""

import numpy as np
from sklearn.pipeline import make_pipeline

import skrational
from skrational import (
    BertVectorizer,
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    StaticVectorizer,
    WordVectorizer,
    as_sequences,
)
from skrational.datasets import load_reviews, make_planted_patterns
from skrational.inspection import Explanation, Explanations, explain, top_phrases
from skrational.model_selection import RegularizationPath, regularization_path

WordVectorizer(["glove.txt", "corpus"], oov="zero", keep="end", random_state=None)
WordVectorizer({"good": [1.0, 2.0]}, tokenizer=str.split, max_length=20, cache=False)
StaticVectorizer("wordllama", oov="drop")
BertVectorizer("bert-base-uncased", tokens="first")

clf = SparseRationalClassifier(
    n_wfsas=12,
    n_states=(1, 2, 3),
    lambda_=0,
    penalty="wfsas",
    semiring="max-plus",
    readout="rho_softmax",
    match="end",
    solver="subgradient",
    finetune_schedule="plateau",
    batch_size=None,
    class_weight={"bad": 1, "good": 2.5},
    dtype="float64",
    random_state=np.random.RandomState(0),
)
SparseRationalClassifier(n_states=[1, 2], class_weight="balanced", random_state=None)
SparseLSTMClassifier(sparsify=("weights", "neurons"), lambda_ratios=[0.1, 1])
SparseGRUClassifier(sparsify="gates", framework="bayes", lambda_ratios={"gates": 2})
SparseLSTMLanguageModel(level="character", sparsify=["vocabulary", "weights"])
ModuliRNNClassifier(cell="lstm", inhibitor="ripple", activation="relu", pruned="all")
ModuliRNNClassifier(inhibitor=lambda distance: distance**2, positions=[[0.0, 1.0]])
ModuliRNNRegressor(loss="cross_entropy", recurrent_init="identity", scaling="raw")
ModuliRNNLanguageModel(level="word", max_vocabulary=None)
SparseRationalClassifierCV(clf, refit="max_transitions", max_transitions=20, cv=3)

pipeline = make_pipeline(WordVectorizer(), clf)
for split in ("train", "dev"):
    texts, labels = load_reviews("kitchen", split)
pipeline.fit(texts, labels)
one: Explanation = explain(pipeline, "Not worth the money.")
several: Explanations = explain(pipeline, texts, progress=False)
first: float = one.remainder + several[0].remainder
shown: str = one.to_text() + several.to_html()
top_phrases(pipeline, texts)

data = make_planted_patterns(n_documents=100)
X: SequenceArray = as_sequences(data.X)
path: RegularizationPath = regularization_path(clf, X, data.y, [0.0, 1e-3])
size: int = path.points[0].size
tail: RegularizationPath = path[1:]
rows: int = len(clf.fit(X, data.y).history_frame())
last: float = clf.history_[-1]["loss"]
print(skrational.inspection.StructureDisplay, skrational.model_selection.lambda_max)
print(skrational.exceptions.SequenceError, skrational.__version__)
skrational.datasets.make_adding(markers="halves")
