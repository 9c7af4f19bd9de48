"""What benchmarks.serving measures in a fresh process, of a small model."""

import json
from pathlib import Path

import joblib
import pytest
from sklearn.pipeline import make_pipeline

from benchmarks import serving
from skrational import SparseRationalClassifier, WordVectorizer, export_onnx
from skrational.datasets import make_product_reviews


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from Linux"
)
def test_all_forms_give_the_same(tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    reviews = make_product_reviews(60, random_state=0)
    clf = SparseRationalClassifier(n_wfsas=2, max_epochs=1, random_state=0)
    pipeline = make_pipeline(WordVectorizer(n_features=8), clf)
    pipeline.fit(reviews.texts, reviews.labels)
    joblib.dump(pipeline, tmp_path / "model.joblib")
    export_onnx(pipeline, tmp_path / "graph")
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(reviews.texts[:10]))
    of_joblib = serving.ask("joblib", str(tmp_path / "model.joblib"), str(texts))
    of_graph = serving.ask("graph", str(tmp_path / "graph"), str(texts))
    expected = pipeline.predict_proba(reviews.texts[:10])[:, 0]
    assert of_joblib["probabilities"] == pytest.approx(expected)
    assert of_graph["probabilities"] == pytest.approx(expected, abs=1e-5)
    nothing = serving.ask("nothing", "", str(texts))
    assert min(nothing["cpu"], nothing["cold"], nothing["unique"]) > 0
    serving.print_answers({"graph": [of_graph]}, {"graph": serving.size(tmp_path)})
    assert "cold start" in capsys.readouterr().out
