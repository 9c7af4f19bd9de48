"""
Serve a model without torch
===========================

Training needs torch, predicting doesn't. A server that loads a fitted pipeline imports
numpy, scikit-learn and the compiled kernels; this example starts one in which torch
can't be imported at all.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews

train = make_product_reviews(2000, random_state=0)
pipeline = make_pipeline(
    WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
)
pipeline.fit(train.texts, train.labels)
file = Path(tempfile.mkdtemp(), "pipeline.joblib")
joblib.dump(pipeline, file)
print(f"{file.stat().st_size / 1000:.0f} kB")

# %%
# What the server does, after it has forbidden itself to import torch.
SERVER = """
import sys

class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError(name)

sys.meta_path.insert(0, WithoutTorch())

import joblib
from skrational.inspection import explain

pipeline = joblib.load(sys.argv[1])
print(pipeline.predict(["The lid isn't sturdy at all."]))
print(explain(pipeline, "The lid isn't sturdy at all."))
"""
done = subprocess.run(
    [sys.executable, "-c", SERVER, str(file)],
    capture_output=True,
    check=True,
    text=True,
)
print(done.stdout)
