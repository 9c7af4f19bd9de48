"""Every model comes back from its folder to the bit, and goes there again."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import KernelPCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skrational
from skrational import SparseRationalClassifier, TimeStepTransformer, WordVectorizer
from skrational.exceptions import ModelFileError
from skrational.persistence import load, save
from tests.persistence.models import (
    LABELS,
    TEXTS,
    assert_same,
    pipeline,
    predictions,
    rational,
    table,
)

NAMES = (
    "rational", "rho", "emptied", "max-plus", "layers", "lstm", "gru", "bayes", "elman",
    "moduli gru", "regressor", "labels", "numbers", "search of numbers", "search",
    "steps", "calibrated", "isotonic",
    "threshold", "tuned", "grid", "lstm language", "moduli language", "corpus",
    "pipeline",
)  # fmt: skip


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_predicts_the_same_to_the_bit(name, models, tmp_path):
    model, data = models[name]
    folder = save(model, tmp_path / "model")
    again = load(folder)
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    assert_same(predictions(again, data), predictions(model, data))
    assert content_of(save(again, tmp_path / "again")) == content_of(folder)


def test_no_model_is_forgotten(models):
    assert sorted(models.recipes) == sorted(NAMES)


def test_attributes_and_structure_come_back(models, tmp_path):
    clf, _ = models["rho"]
    again = load(save(clf, tmp_path / "model"))
    assert again.learned_structure_ == clf.learned_structure_
    assert again.history_frame().equals(clf.history_frame())
    assert [type(v) for v in again.history_[0].values()] == [
        type(v) for v in clf.history_[0].values()
    ]
    np.testing.assert_array_equal(again.rules_, clf.rules_)
    assert again.rules_.dtype == clf.rules_.dtype
    for name, array in clf.weights_.items():
        assert again.weights_[name].dtype == array.dtype
        assert again.weights_[name].flags.writeable
    search, X = models["search"]
    found = load(save(search, tmp_path / "search"))
    np.testing.assert_equal(found.cv_results_, search.cv_results_)
    assert repr(found.paths_) == repr(search.paths_)
    assert_same(predictions(found.paths_[0][1], X), predictions(search.paths_[0][1], X))


def test_a_loaded_model_is_cloned_and_goes_on_learning(models, series, tmp_path):
    clf, X = models["rational"]
    again = load(save(clf, tmp_path / "model"))
    assert clone(again).get_params() == clf.get_params()
    fresh = clone(clf).fit(X, series[1])
    assert_same(predictions(clone(again).fit(X, series[1]), X), predictions(fresh, X))
    again.set_params(warm_start=True, lambda_=1e-4).fit(X, series[1])
    assert again.n_transitions_ <= clf.n_transitions_


def test_an_unfitted_model_is_saved_too(tmp_path):
    for model in (
        pipeline("corpus"),
        WordVectorizer("some/vectors.txt", tokenizer=str.split),
        rational(n_states=(1, 2), class_weight={"a": 2.0, "b": 1}, n_wfsas=2),
        rational(class_weight={0: 1.0, np.int64(1): 3.0}),
        rational(random_state=np.random.RandomState(3)),
    ):
        again = load(save(model, tmp_path / "model"))
        if model.get_params().get("random_state") == 0 or "steps" in vars(model):
            assert repr(again) == repr(model)
    assert again.random_state.rand() == np.random.RandomState(3).rand()
    assert not hasattr(again, "coef_")


def test_parameters_that_json_has_no_word_for(tmp_path):
    values = [
        [{}, {}], [{"a": 1}, {"a": None}], [{"b": 1.5, "c": True}, {"b": -np.inf}],
        {"$array": "x"}, {(1, "a"): (2,)}, [1, (2, [3.5, np.float32(1)])],
        [f"w{i}" for i in range(99)], 2**80, np.dtype("f4"), np.float64, Path("a/b"),
        np.ma.masked_array([1.0, 2.0], [True, False]), np.asfortranarray(np.eye(3, 2)),
        np.array(["a", "bc"], dtype="<U900"), np.array([None, 1, "x"], dtype=object),
        np.array(3), np.zeros((0, 2)), np.arange(3, dtype=">i4"), "\ud800",
    ]  # fmt: skip
    model = FunctionTransformer(kw_args={f"a{i}": v for i, v in enumerate(values)})
    again = load(save(model, tmp_path / "model"))
    for value, found in zip(values, again.kw_args.values(), strict=True):
        assert type(found) is type(value)
        np.testing.assert_equal(found, value)
        if isinstance(value, np.ndarray):
            assert found.dtype == value.dtype.newbyteorder("=")
            assert found.flags.c_contiguous == value.flags.c_contiguous


def test_a_pickle_of_a_loaded_model_works(models, tmp_path):
    model, data = models["pipeline"]
    again = pickle.loads(pickle.dumps(load(save(model, tmp_path / "model"))))
    assert_same(predictions(again, data), predictions(model, data))


def test_data_frames_and_their_names(series, tmp_path):
    pd = pytest.importorskip("pandas")
    X, y = series
    frame = pd.DataFrame(X.features[: len(y), :3], columns=["p", "q", "r"])
    clf = rational().set_output(transform="pandas").fit(frame, y)
    again = load(save(clf, tmp_path / "model"))
    assert again.feature_names_in_.tolist() == ["p", "q", "r"]
    pd.testing.assert_frame_equal(again.transform(frame), clf.transform(frame))


def test_metadata_requests_are_saved(models, tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        clf = rational().set_fit_request(sample_weight=True, X_val="held_out")
        again = load(save(clf, tmp_path / "model"))
        assert again.get_metadata_routing().fit.requests == {
            **clf.get_metadata_routing().fit.requests
        }


def test_the_folder_can_be_read_by_people(models, tmp_path):
    folder = save(models["pipeline"][0], tmp_path / "model")
    files = content_of(folder)
    names = {"config.json", "manifest.json", "structure.json", "weights.safetensors"}
    assert set(files) == names
    config = json.loads(files["config.json"])
    steps = dict(step["$tuple"] for step in config["parameters"]["steps"])
    classifier = steps["sparserationalclassifier"]
    assert classifier["$class"] == "SparseRationalClassifier"
    assert classifier["parameters"]["n_wfsas"] == 3
    (structure,) = json.loads(files["structure.json"]).values()
    assert structure["summary"] == str(models["pipeline"][0][-1].learned_structure_)
    manifest = json.loads(files["manifest.json"])
    assert manifest["versions"]["skrational"] == skrational.__version__
    assert {"numpy", "scikit-learn", "python"} <= set(manifest["versions"])


def test_objects_that_were_one_stay_one(models, tmp_path):
    model, _ = models["calibrated"]
    again = load(save(model, tmp_path / "model"))
    inner = {id(one.estimator) for one in again.calibrated_classifiers_}
    assert len(inner) == 1


def test_predicting_from_a_folder_imports_no_torch(models, tmp_path):
    save(models["pipeline"][0], tmp_path / "model")
    script = (
        "import sys, skrational\n"
        f"model = skrational.load({str(tmp_path / 'model')!r})\n"
        f"model.predict_proba({TEXTS!r})\n"
        "assert not {'torch', 'gensim', 'huggingface_hub', 'skops'} & {*sys.modules}"
    )
    subprocess.run(
        [sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2]
    )


def shout(text):
    return text.upper().split()


def test_a_function_comes_back_only_if_it_is_given(tmp_path):
    name = f"{shout.__module__}.shout"
    vectorizer = WordVectorizer("corpus", tokenizer=shout, min_count=1).fit(TEXTS)
    folder = save(vectorizer, tmp_path / "model")
    with pytest.raises(ModelFileError, match="isn't known; give it to load"):
        load(folder)
    again = load(folder, functions={name: shout})
    assert again.tokenizer is shout
    assert_same(predictions(again, TEXTS), predictions(vectorizer, TEXTS))


class Doubling(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return 2 * X


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Doubling(), r"step 'doubling' \(Doubling\) is a .*Doubling, which can't be"),
        (
            FunctionTransformer(lambda X: X),
            r"step 'functiontransformer' \(FunctionTransformer\), func is a function "
            "without a name",
        ),
        (
            FunctionTransformer(kw_args={"a": {1, 2}}),
            "kw_args, a is a builtins.set, which can't be saved",
        ),
    ],
)
def test_what_cannot_be_saved_is_named_before_anything_is_written(
    step, message, tmp_path
):
    with pytest.raises(TypeError, match=message):
        save(make_pipeline(step, rational()), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_other_estimators_of_scikit_learn_go_by_skops(series, tmp_path):
    pytest.importorskip("skops", reason="needs the extra [safe]")
    X, y = series
    kernel = TimeStepTransformer(KernelPCA(3, kernel="rbf"))
    scaled = TimeStepTransformer(StandardScaler())
    model = make_pipeline(kernel, scaled, rational()).fit(X, y)
    folder = save(model, tmp_path / "model")
    assert (folder / "step-0.skops").is_file()
    again = load(folder)
    assert_same(predictions(again, X), predictions(model, X))
    model.set_params(**{"timesteptransformer-1__transformer": KernelPCA(kernel=shout)})
    with pytest.raises(TypeError, match=r"step 'timesteptransformer-1'.*shout"):
        save(model, tmp_path / "other")
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(value, models, tmp_path):
    clf = load(save(models["rational"][0], tmp_path / "model"))
    clf.weights_["W_u"][0, 0] = value
    with pytest.raises(ValueError, match=r"weights_\['W_u'\] holds NaN or infinity"):
        save(clf, tmp_path / "other")
    clf.weights_["W_u"] = np.zeros_like(clf.weights_["W_u"][:, :-1])
    with pytest.raises(ValueError, match="its structure says"):
        save(clf, tmp_path / "other")


def test_parameters_of_save_and_load_are_checked(models, tmp_path):
    clf, _ = models["rational"]
    with pytest.raises(TypeError, match="model is a list; expected an estimator"):
        save([clf], tmp_path / "model")
    with pytest.raises(TypeError, match="model is a ABCMeta; expected"):
        save(SparseRationalClassifier, tmp_path / "model")
    with pytest.raises(ValueError, match="vectors is 'some'; expected one of"):
        save(clf, tmp_path / "model", vectors="some")
    with pytest.raises(ValueError, match="overwrite is 1; expected True or False"):
        save(clf, tmp_path / "model", overwrite=1)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"for joblib\.load"):
        load(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelFileError, match=r"holds no manifest\.json"):
        load(tmp_path / "empty")
    folder = save(clf, tmp_path / "model")
    with pytest.raises(ValueError, match="vectors names 1 more files"):
        load(folder, vectors="vectors.txt")


def test_labels_and_words_of_any_alphabet(tmp_path):
    words = ["ñandú", "中文", "\ud800", "co\u00adop", "a\nb", ""]
    texts = [[w, words[0]] for w in words] * 3
    labels = np.array(["да", "нет", "是"] * 6)
    model = pipeline(table(words=words), n_wfsas=2).fit(texts, labels)
    again = load(save(model, tmp_path / "model", vectors="all"))
    assert_same(predictions(again, texts), predictions(model, texts))
    again = load(save(model, tmp_path / "used", vectors="used"))
    assert (again.predict(texts) == model.predict(texts)).all()
    assert again.classes_.tolist() == model.classes_.tolist()


def test_a_pipeline_on_another_labels_type(tmp_path):
    for labels in (LABELS == "cat", LABELS.astype(object), np.arange(18) % 3):
        model = pipeline().fit(TEXTS, labels)
        again = load(save(model, tmp_path / "model", vectors="all"))
        assert again.classes_.dtype == model.classes_.dtype
        assert_same(predictions(again, TEXTS), predictions(model, TEXTS))
