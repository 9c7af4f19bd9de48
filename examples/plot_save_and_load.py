"""
Save a model and load it elsewhere
==================================

A fitted pipeline holds numbers and words: joblib and pickle keep it, and skops keeps it
in a form that runs no code when it is loaded.
"""

import tempfile
from pathlib import Path

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews

train = make_product_reviews(2000, random_state=0)
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)
folder = Path(tempfile.mkdtemp())

# %%
# With joblib. Vectors that were learned from the texts are in the file; of vectors from
# a file only its path is.
file = folder / "pipeline.joblib"
joblib.dump(pipeline, file)
again = joblib.load(file)
print(f"{file.stat().st_size / 1000:.0f} kB")
same = np.array_equal(
    again.predict_proba(train.texts), pipeline.predict_proba(train.texts)
)
print(f"the same probabilities, to the bit: {same}")

# %%
# The classifier alone is a few kilobytes.
joblib.dump(pipeline[-1], folder / "classifier.joblib")
print(f"{(folder / 'classifier.joblib').stat().st_size / 1000:.0f} kB")

# %%
# The structure is a value of its own, which goes into a JSON file.
from skrational.structures import structure_from_json

text = pipeline[-1].learned_structure_.to_json()
print(structure_from_json(text) == pipeline[-1].learned_structure_)
