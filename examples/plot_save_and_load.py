"""
Save a model and load it elsewhere
==================================

A saved model is a folder that holds all that the model needs, and that runs no code
when it is loaded. joblib and pickle keep a fitted pipeline as well.
"""

import tempfile
from pathlib import Path

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer, load, save
from skrational.datasets import make_product_reviews

train = make_product_reviews(2000, random_state=0)
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)
folder = Path(tempfile.mkdtemp())

# %%
# The folder holds JSON, which can be read, the arrays, and a manifest with the checksum
# of each file. A file that was changed is refused.
place = save(pipeline, folder / "pipeline")
for path in sorted(place.iterdir()):
    print(f"{path.name:20} {path.stat().st_size / 1000:8.1f} kB")

# %%
# The loaded model is the saved one, to the bit.
again = load(place)
same = np.array_equal(
    again.predict_proba(train.texts), pipeline.predict_proba(train.texts)
)
print(f"the same probabilities, to the bit: {same}")

# %%
# With joblib. Vectors that were learned from the texts are in the file; of vectors from
# a file only its path is, where ``save`` keeps those of the training texts.
file = folder / "pipeline.joblib"
joblib.dump(pipeline, file)
print(f"{file.stat().st_size / 1000:.0f} kB")
print(
    np.array_equal(joblib.load(file).predict(train.texts), again.predict(train.texts))
)

# %%
# The classifier alone is a few kilobytes.
joblib.dump(pipeline[-1], folder / "classifier.joblib")
print(f"{(folder / 'classifier.joblib').stat().st_size / 1000:.0f} kB")

# %%
# The structure is a value of its own, which goes into a JSON file.
from skrational.structures import structure_from_json

text = pipeline[-1].learned_structure_.to_json()
print(structure_from_json(text) == pipeline[-1].learned_structure_)
