"""Typos: each marked line is a fault that type checkers find."""

import skrational
from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    WordVectorizer,
)
from skrational.datasets import make_adding
from skrational.inspection import explain

SparseRationalClassifier(semiring="max_plus")  # fault
SparseRationalClassifier(readout="sums")  # fault
SparseRationalClassifier(match="anywere")  # fault
SparseRationalClassifier(penalty="state")  # fault
SparseRationalClassifier(solver="proximal")  # fault
SparseRationalClassifier(finetune_schedule="cos")  # fault
SparseRationalClassifier(dtype="float16")  # fault
SparseRationalClassifier(class_weight="balance")  # fault
SparseRationalClassifier(lamda_=1e-3)  # fault
SparseRationalClassifier(lambda_="1e-3")  # fault
SparseLSTMClassifier(sparsify=("weight",))  # fault
SparseLSTMClassifier(sparsify=("vocabulary",))  # fault
SparseLSTMClassifier(framework="bayesian")  # fault
SparseLSTMLanguageModel(level="char")  # fault
ModuliRNNClassifier(cell="rnn")  # fault
ModuliRNNClassifier(inhibitor="dogs")  # fault
ModuliRNNRegressor(loss="mse")  # fault
SparseRationalClassifierCV(refit="1se")  # fault
WordVectorizer(oov="ignore")  # fault
make_adding(markers="half")  # fault
explain(SparseRationalClassifier(), "one text")[0]  # fault
print(explain(SparseRationalClassifier(), ["two", "texts"]).tokens)  # fault
print(skrational.inspections)  # fault
print(skrational.model_selection.regularisation_path)  # fault
