"""Search for lambda_ from raw text, save the pipeline, and load it elsewhere.

Uses real reviews if the variable SKRATIONAL_DATA names them, else planted patterns.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews, make_planted_patterns, reviews_available


def load() -> tuple[list[str], np.ndarray, object]:
    if reviews_available():
        folder = Path(os.environ["SKRATIONAL_DATA"])
        texts, labels = load_reviews("sst2", "dev")
        return texts, labels, folder / "vectors/glove.6B.50d.vocab.txt.gz"
    data = make_planted_patterns(800, random_state=0)
    return data.texts, data.y, data.vectors


def main() -> None:
    texts, labels, vectors = load()
    pipeline = make_pipeline(
        WordVectorizer(vectors),
        SparseRationalClassifier(max_epochs=10, finetune_epochs=10, random_state=0),
    )
    grid = {"sparserationalclassifier__lambda_": [8e-3, 4e-3, 2e-3]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(texts, labels)
    print("lambda_:", search.best_params_["sparserationalclassifier__lambda_"])
    print("accuracy, cross-validated:", round(search.best_score_, 3))
    print("learned:", search.best_estimator_[-1].learned_structure_)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pipeline.joblib")
        joblib.dump(search.best_estimator_, file)
        again = joblib.load(file)
    same = again.predict_proba(texts) == search.predict_proba(texts)
    print("the same bits after loading:", bool(same.all()))


if __name__ == "__main__":
    main()
