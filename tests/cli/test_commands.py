"""What commands make of a table, and what they say of one they can't use."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalRegressor, WordVectorizer, load, save
from skrational.training.loop import PhaseRun
from tests.cli.conftest import quick, reviews, write_json, write_table


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def texts_of(rows):
    return [row["review"] for row in rows]


def test_a_fitted_model_is_a_pipeline_that_knows_the_classes(folder):
    model = joblib.load(folder / "model.joblib")
    test = reviews(40, 1)
    assert model.classes_.tolist() == ["bad", "good"]
    assert model.score(texts_of(test), [row["stars"] for row in test]) > 0.9


def test_equal_seeds_give_equal_models_and_formats_do_not_matter(
    folder, skrational, tmp_path
):
    test = texts_of(reviews(40, 1))
    expected = joblib.load(folder / "model.joblib").predict_proba(test)
    write_json(tmp_path / "train.jsonl", reviews(200, 0))
    write_table(tmp_path / "train.tsv", reviews(200, 0), "\t")
    for name in ("train.jsonl", "train.tsv"):
        out = tmp_path / "model"
        columns = ("--text", "review", "--label", "stars")
        code, _, _ = skrational(
            "fit", tmp_path / name, *columns, "--out", out, *quick()
        )
        assert code == 0
        np.testing.assert_array_equal(load(out).predict_proba(test), expected)


@pytest.mark.parametrize("command", ["fit", "path"])
def test_an_interrupted_command_goes_on_from_its_checkpoint(
    folder, skrational, tmp_path, monkeypatch, command
):
    run_epoch, begun = PhaseRun.run_epoch, []

    def interrupted(self):
        begun.append(self)
        if len(begun) == 8:
            raise KeyboardInterrupt
        return run_epoch(self)

    call = (
        command, folder / "train.csv", "--text", "review", "--label", "stars",
        *(("--points", "3") if command == "path" else ()), *quick(),
    )  # fmt: skip
    kept = tmp_path / "kept"
    assert skrational(*call, "--out", tmp_path / "whole")[0] == 0
    monkeypatch.setattr(PhaseRun, "run_epoch", interrupted)
    code, _, said = skrational(*call, "--out", tmp_path / "m", "--checkpoint", kept)
    assert code == 130
    assert f"it goes on from {kept}" in said
    monkeypatch.setattr(PhaseRun, "run_epoch", run_epoch)
    code, _, said = skrational(*call, "--out", tmp_path / "m", "--checkpoint", kept)
    assert code == 0, said
    test = texts_of(reviews(40, 1))
    a, b = (load(tmp_path / name).predict_proba(test) for name in ("m", "whole"))
    np.testing.assert_array_equal(a, b)
    code, _, said = skrational(
        *call, "--out", tmp_path / "m", "--checkpoint", kept, "--seed", "3"
    )
    assert code == 1
    assert "random_state: 0 there, 3 here" in said


def test_lambda_seed_and_settings_reach_the_estimators(folder, skrational, tmp_path):
    out = tmp_path / "m"
    code, printed, _ = skrational(
        "fit", folder / "train.csv", "--text", "review", "--label", "stars",
        "--out", out, *quick(), "--lambda", "100", "--seed", "7",
        "--set", "vectorizer__oov=zero",
    )  # fmt: skip
    model = load(out)
    params = model.get_params()
    assert code == 0
    assert params["classifier__lambda_"] == 100
    assert params["classifier__random_state"] == 7
    assert params["classifier__n_wfsas"] == 2
    assert params["vectorizer__oov"] == "zero"
    assert printed == "0 of 4 transitions in 0 of 2 WFSAs, learned from 200 texts\n"


def test_warnings_are_said_without_lines_of_code(folder, skrational, tmp_path):
    args = ("--text", "review", "--label", "stars", "--out", tmp_path / "m", *quick())
    _, _, said = skrational("fit", folder / "train.csv", *args, "--lambda", "100")
    assert "warning: lambda_=100.0 removed every state" in said
    assert "ConvergenceWarning" not in said


def test_predictions_are_those_of_the_model_row_by_row(folder, skrational, tmp_path):
    test = reviews(40, 1)
    model = joblib.load(folder / "model.joblib")
    out = tmp_path / "predictions.csv"
    code, printed, _ = skrational(
        "predict", folder / "model.joblib", folder / "test.csv", "--text", "review",
        "--out", out,
    )  # fmt: skip
    rows = rows_of(out.read_text())
    assert (code, printed) == (0, "")
    assert list(rows[0]) == ["prediction", "probability_bad", "probability_good"]
    assert [row["prediction"] for row in rows] == model.predict(texts_of(test)).tolist()
    shares = [[float(row[f"probability_{c}"]) for c in ("bad", "good")] for row in rows]
    np.testing.assert_array_equal(
        np.float32(shares), model.predict_proba(texts_of(test))
    )


def test_parts_of_a_table_are_predicted_as_the_whole(folder, skrational, monkeypatch):
    args = ("predict", folder / "model.joblib", folder / "test.csv", "--text", "review")
    _, whole, _ = skrational(*args)
    monkeypatch.setattr("skrational.cli.using._AT_ONCE", 7)
    assert skrational(*args)[1] == whole


def test_columns_are_kept_if_asked_for(folder, skrational, tmp_path):
    rows = [row | {"prediction": "?", "n": i} for i, row in enumerate(reviews(3, 1))]
    table = write_json(tmp_path / "t.jsonl", rows)
    args = ("predict", folder / "model.joblib", table, "--text", "review", "--keep")
    _, printed, _ = skrational(*args, "--output-format", "jsonl")
    found = [json.loads(line) for line in printed.splitlines()]
    assert [{k: row[k] for k in rows[0]} for row in found] == rows
    assert set(found[0]) - set(rows[0]) == {
        "prediction_", "probability_bad", "probability_good"
    }  # fmt: skip
    _, printed, _ = skrational(*args)
    assert [row["n"] for row in rows_of(printed)] == ["0", "1", "2"]


def test_empty_texts_keep_their_rows_and_are_named(folder, skrational, tmp_path):
    rows = [{"id": "1", "review": "great"}, {"id": "2", "review": " "}]
    table = write_table(tmp_path / "t.csv", rows)
    code, printed, said = skrational(
        "predict", folder / "model.joblib", table, "--text", "review"
    )
    assert code == 0
    assert len(rows_of(printed)) == 2
    assert "1 texts are empty, the first on line 3" in said


def test_the_standard_input_is_read_and_one_line_is_one_text(
    folder, skrational, monkeypatch
):
    lines = io.BytesIO(b"a great kettle\nthe awful box\n")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=lines))
    _, printed, _ = skrational(
        "predict", folder / "model.joblib", "-", "--format", "lines"
    )
    assert [row["prediction"] for row in rows_of(printed)] == ["good", "bad"]


def test_scores_are_those_of_scikit_learn(folder, skrational, tmp_path):
    test = reviews(40, 1)
    labels = [row["stars"] for row in test]
    model = joblib.load(folder / "model.joblib")
    args = ("test", folder / "model.joblib", folder / "test.csv")
    args += ("--text", "review", "--label", "stars")
    code, printed, _ = skrational(*args, "--json")
    scores = json.loads(printed)
    predicted, shares = (
        model.predict(texts_of(test)),
        model.predict_proba(texts_of(test)),
    )
    assert code == 0
    assert scores["texts"] == 40
    assert scores["accuracy"] == accuracy_score(labels, predicted)
    assert scores["log_loss"] == pytest.approx(log_loss(labels, shares))
    assert np.trace(scores["confusion"]) == scores["accuracy"] * 40
    assert scores["most_frequent"]["accuracy"] == 0.5
    out = tmp_path / "scores.txt"
    skrational(*args, "--out", out)
    assert f"accuracy  {scores['accuracy']:.3f} on 40 texts" in out.read_text()


def test_labels_that_are_numbers_are_the_same_in_every_format(skrational, tmp_path):
    rows = [row | {"stars": int(row["stars"] == "good")} for row in reviews(100, 0)]
    table = write_table(tmp_path / "t.csv", rows)
    json_table = write_json(tmp_path / "t.jsonl", rows)
    columns = ("--text", "review", "--label", "stars")
    skrational("fit", table, *columns, "--out", tmp_path / "m", *quick())
    assert load(tmp_path / "m").classes_.tolist() == [0, 1]
    args = ("test", tmp_path / "m")
    scores = [skrational(*args, t, *columns, "--json") for t in (table, json_table)]
    assert scores[0][:2] == scores[1][:2]
    assert scores[0][0] == 0


def test_a_path_is_printed_and_its_point_written(folder, skrational, tmp_path):
    out, curve = tmp_path / "m", tmp_path / "curve.csv"
    args = ("path", folder / "train.csv", "--text", "review", "--label", "stars")
    more = ("--points", "3", "--max-transitions", "2", "--curve", curve)
    data = ("--dev", folder / "test.csv", "--test", folder / "test.csv")
    code, printed, _ = skrational(*args, *more, *data, "--out", out, *quick())
    assert code == 0
    points = rows_of(curve.read_text())
    assert len(points) == len(printed.splitlines()) - 1
    model = load(out)
    assert model[-1].n_transitions_ <= 2
    assert printed.count("->") == 1
    test = reviews(40, 1)
    score = model.score(texts_of(test), [row["stars"] for row in test])
    chosen = [p for p in points if float(p["lambda_"]) == model[-1].lambda_]
    assert float(chosen[0]["test_score"]) == pytest.approx(score)
    assert chosen[0]["test_score"] == chosen[0]["validation_score"]


def test_scores_that_are_not_there_are_null(folder, skrational, tmp_path):
    args = ("path", folder / "train.csv", "--text", "review", "--label", "stars")
    more = ("--points", "1", "--out", tmp_path / "m", *quick())
    skrational(*args, *more, "--curve", tmp_path / "curve.jsonl")
    (point,) = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert json.loads(point)["test_score"] is None
    skrational(*args, *more, "--curve", tmp_path / "curve.csv")
    assert rows_of((tmp_path / "curve.csv").read_text())[0]["test_score"] == ""


def test_explanations_as_text_page_and_json(folder, skrational, tmp_path):
    args = ("explain", folder / "model.joblib")
    code, printed, _ = skrational(*args, "--document", "a <great> kettle")
    assert code == 0
    assert "great" in printed
    table = (folder / "test.csv", "--text", "review", "--first", "2")
    _, printed, said = skrational(*args, *table, "--output-format", "jsonl")
    assert len(printed.splitlines()) == 2
    assert json.loads(printed.splitlines()[0])["classes"] == ["bad", "good"]
    assert "the first 2 texts" in said
    page = tmp_path / "page.html"
    skrational(*args, "--document", "a <great> kettle", "--out", page)
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in html
    assert "<great>" not in html


def test_a_report_is_what_the_library_writes(folder, skrational, tmp_path, monkeypatch):
    given = []

    def report(model, texts, y=None, *, title="Report"):
        given.append((texts, y, title))
        return SimpleNamespace(to_html=lambda: "<!DOCTYPE html>")

    monkeypatch.setitem(
        __import__("sys").modules,
        "skrational.reporting",
        SimpleNamespace(report=report),
    )
    out = tmp_path / "report.html"
    args = ("report", folder / "model.joblib", folder / "test.csv", "--out", out)
    code, _, _ = skrational(*args, "--text", "review", "--label", "stars")
    test = reviews(40, 1)
    assert code == 0
    assert out.read_text() == "<!DOCTYPE html>"
    assert given == [(texts_of(test), [row["stars"] for row in test], "Report")]
    skrational(*args, "--text", "review", "--title", "T")
    assert given[1][1:] == (None, "T")


def test_learned_vectors_are_those_that_fit_would_learn(folder, skrational, tmp_path):
    texts = texts_of(reviews(200, 0))
    expected = joblib.load(folder / "model.joblib")[0].vocabulary(None)
    for name in ("vectors.txt", "vectors.bin"):
        code, printed, _ = skrational(
            "vectors", "learn", folder / "train.csv", "--text", "review",
            "--n-features", "17", "--out", tmp_path / name,
        )  # fmt: skip
        assert code == 0
        assert printed.startswith(f"{len(expected)} words of 17 numbers")
        vectorizer = WordVectorizer(tmp_path / name, cache=False).fit(texts)
        found = vectorizer.vocabulary(None)
        assert found.labels.tolist() == expected.labels.tolist()
        # They are scaled to length 1 once more.
        np.testing.assert_allclose(found.features, expected.features, atol=2e-7)


def test_vectors_may_be_several_tables(folder, skrational, tmp_path):
    table = tmp_path / "vectors.txt"
    table.write_text("2 2\ngreat 1 0\nbad 0 1\n")
    args = ("fit", folder / "train.csv", "--text", "review", "--label", "stars")
    for given in (
        ("--vectors", f"corpus,{table}"),
        ("--vectors", "corpus", "--vectors", table),
    ):
        code, _, _ = skrational(*args, "--out", tmp_path / "m", *quick(), *given)
        assert code == 0
        assert load(tmp_path / "m")[0].n_features_out_ == 19


def test_tables_are_downloaded_by_gensim(skrational, tmp_path, monkeypatch):
    from gensim import downloader

    def load(name, return_path):
        print("[====] 100%")
        path = tmp_path / f"{name}.gz"
        path.write_bytes(b"123")
        return str(path)

    models = {"tiny-table": {"num_records": 5, "file_size": 2e6}, "__testing": {}}
    monkeypatch.setattr(downloader, "info", lambda: {"models": models})
    monkeypatch.setattr(downloader, "load", load)
    code, printed, said = skrational("vectors", "get", "tiny-table")
    assert (code, printed) == (0, f"{tmp_path / 'tiny-table.gz'}\n")
    assert "100%" in said
    _, printed, _ = skrational("vectors", "get")
    assert printed.split() == ["tiny-table", "5", "words", "2", "MB"]
    code, _, said = skrational("vectors", "get", "other-table")
    assert code == 1
    assert "tiny-table" in said

    def info():
        raise OSError("no network")

    monkeypatch.setattr(downloader, "info", info)
    for args in ((), ("tiny-table",)):
        code, _, said = skrational("vectors", "get", *args)
        assert (code, "no network" in said) == (1, True)
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("review,stars\ngreat,good\n,bad\n", "line 3: the text ('review') is empty."),
        ("review,stars\ngreat,good\nbad, \n", "line 3: the label ('stars') is missing"),
        ("review,stars\ngreat,good\nbad,bad,1\n", "line 3: 3 cells"),
        ("review,stars\ngreat,good\nbad,good\n", "one class only, 'good'"),
        ("review,stars\n", "holds no row with a text"),
        (
            "review,stars\n" + "".join(f"great,{i}\n" for i in range(50)),
            "is --label the column of the classes?",
        ),
    ],
)
def test_data_that_nothing_can_be_learned_from(skrational, tmp_path, content, message):
    table = tmp_path / "t.csv"
    table.write_text(content)
    columns = ("--text", "review", "--label", "stars")
    code, printed, said = skrational("fit", table, *columns, "--out", tmp_path / "m")
    assert (code, printed) == (1, "")
    assert message in said
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"review": 5, "stars": 1}, "line 2: 'review' is 5; expected a string"),
        ({"review": None, "stars": 1}, "line 2: the text ('review') is empty"),
        ({"stars": 1}, "line 2: the text ('review') is empty"),
        ({"review": "\ud800", "stars": 1}, "line 2: 'review' holds half a surrogate"),
        ({"review": "a", "stars": None}, "line 2: the label ('stars') is missing"),
        ({"review": "a", "stars": float("nan")}, "line 2: the label ('stars') is mis"),
        ({"review": "a", "stars": [1]}, "line 2: the label ('stars') is [1]"),
    ],
)
def test_json_that_holds_something_else(skrational, tmp_path, row, message):
    first = {"review": "great", "stars": 0}
    table = write_json(tmp_path / "t.jsonl", [first, row])
    columns = ("--text", "review", "--label", "stars")
    code, _, said = skrational("fit", table, *columns, "--out", tmp_path / "m")
    assert code == 1
    assert message in said


def test_rows_that_lack_something_can_be_left_out(folder, skrational, tmp_path):
    rows = reviews(40, 1)
    lacking = [{"id": "", "review": "", "stars": "bad"}]
    table = write_table(tmp_path / "t.csv", rows + lacking)
    args = ("test", folder / "model.joblib", table, "--text", "review")
    args += ("--label", "stars", "--json")
    assert skrational(*args)[0] == 1
    code, printed, said = skrational(*args, "--skip-incomplete")
    assert (code, json.loads(printed)["texts"]) == (0, 40)
    assert "1 rows without a text or a label are left out" in said


def test_labels_that_the_model_does_not_know(folder, skrational, tmp_path):
    table = write_table(tmp_path / "t.csv", [{"review": "a", "stars": "fair"}])
    code, _, said = skrational("test", folder / "model.joblib", table)
    assert code == 1
    assert "line 2: the model knows no class 'fair'; it knows bad, good." in said


def test_models_that_predict_numbers(skrational, tmp_path):
    vectors = {"good": [1.0, 0.0], "bad": [0.0, 1.0]}
    clf = SparseRationalRegressor(n_wfsas=2, lambda_=0, random_state=0)
    model = make_pipeline(WordVectorizer(vectors), clf)
    save(model.fit(["good", "bad"] * 20, [5.0, 1.0] * 20), tmp_path / "model")
    rows = [{"text": "good", "label": "5"}, {"text": "bad", "label": "1.5"}]
    table = write_table(tmp_path / "t.csv", rows)
    page = tmp_path / "page.html"
    code, _, said = skrational("report", tmp_path / "model", table, "--out", page)
    assert code == 0, said
    assert "absolute error" in page.read_text(encoding="utf-8")
    code, _, said = skrational("test", tmp_path / "model", table)
    assert code == 1
    assert "predicts numbers" in said
    rows[1]["label"] = "much"
    table = write_table(tmp_path / "t.csv", rows)
    code, _, said = skrational("report", tmp_path / "model", table, "--out", page)
    assert code == 1
    assert "line 3: 'much' is no number" in said


def test_files_that_are_no_models(folder, skrational, tmp_path):
    def predict(model):
        code, printed, said = skrational(
            "predict", model, folder / "test.csv", "--text", "review"
        )
        assert (code, printed) == (1, "")
        return said

    assert "No such file" in predict(tmp_path / "nowhere")
    assert "can't be read as a model" in predict(folder / "test.csv")
    whole = (folder / "model.joblib").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    assert "can't be read as a model" in predict(tmp_path / "cut")
    joblib.dump([1], tmp_path / "list")
    assert "holds an object of the class list" in predict(tmp_path / "list")
    classifier = joblib.load(folder / "model.joblib")[-1]
    joblib.dump(classifier, tmp_path / "alone")
    assert "expected a pipeline" in predict(tmp_path / "alone")


def test_any_classifier_of_texts_predicts_but_not_all_explain(
    folder, skrational, tmp_path
):
    model = tmp_path / "m"
    joblib.dump(DummyClassifier().fit(["a", "b", "c"], ["x", "x", "y"]), model)
    code, printed, _ = skrational(
        "predict", model, folder / "test.csv", "--text", "review"
    )
    assert code == 0
    assert {row["prediction"] for row in rows_of(printed)} == {"x"}
    code, _, said = skrational("explain", model, "--document", "a")
    assert code == 1
    assert "DummyClassifier" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("args", [(), ("--fit",)])
def test_warm_up_prints_the_folders_of_what_it_compiles(skrational, monkeypatch, args):
    def warm_up(*, fit):
        assert fit == bool(args)
        return [Path("one"), Path("two")]

    monkeypatch.setattr("skrational.deployment.warm_up", warm_up)
    assert skrational("warm-up", *args)[:2] == (0, "one\ntwo\n")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "usage: skrational"),
        (("prdict",), "Did you mean 'predict'?"),
        (("vectors",), "usage: skrational vectors"),
        (("vectors", "lern"), "Did you mean 'learn'?"),
        (("fit", "t.csv"), "--out"),
        (("fit", "t.csv", "--out", "m", "--lamda", "1"), "Did you mean '--lambda'?"),
        (("fit", "t.csv", "--out", "m", "--lambda", "-1"), "-1 is no number from 0"),
        (("fit", "t.csv", "--out", "m", "--seed", "x"), "'x' is no integer"),
        (("path", "t.csv", "--out", "m", "--max-transitions", "0"), "0 is no integer"),
        (("fit", "t.csv", "--out", "nowhere/m"), "there is no folder 'nowhere'"),
        (("fit", "t.csv", "--out", "m", "--set", "n_wfsa=2"), "Did you mean 'n_wfsas'"),
        (("fit", "t.csv", "--out", "m", "--set", "n_wfsas=abc"), "'n_wfsas' parameter"),
        (("fit", "t.csv", "--out", "m", "--set", "vectorizer__window=0"), "'window'"),
        (("fit", "t.csv", "--out", "m", "--delimiter", ";;"), "';;' is no delimiter"),
        (("vectors", "learn", "t.csv", "--out", "m", "--set", "a=1"), "unknown: --set"),
        (("fit", "t.csv", "--out", "m", "--vectors", "a,,b"), "a name is missing"),
        (("explain", "m"), "Nothing to explain"),
        (("predict", "-", "-"), "can't both be the standard input"),
    ],
)
def test_usage_is_wrong(skrational, args, message):
    code, printed, said = skrational(*args)
    assert (code, printed) == (2, "")
    assert message in said
    assert "Traceback" not in said


def test_wrong_columns_are_a_fault_of_usage(folder, skrational):
    args = ("test", folder / "model.joblib", folder / "test.csv", "--text", "reviews")
    code, _, said = skrational(*args)
    assert code == 2
    assert "there are 'id', 'review', 'stars'. Did you mean 'review'?" in said


def test_values_that_a_parameter_cannot_have(folder, skrational, tmp_path):
    columns = ("--text", "review", "--label", "stars", "--out", tmp_path / "m")
    code, _, said = skrational(
        "fit", folder / "train.csv", *columns, "--set", "semiring=plus"
    )
    assert code == 2
    assert "The 'semiring' parameter of SparseRationalClassifier" in said


@pytest.mark.parametrize("command", ["fit", "path", "test", "predict", "explain"])
def test_help_has_examples_that_the_parser_takes(skrational, command):
    code, printed, _ = skrational(command, "--help")
    assert code == 0
    assert "example" in printed
    assert f"skrational {command}" in printed


def test_debug_shows_where_an_error_arose(folder, skrational):
    args = ("predict", folder / "test.csv", folder / "test.csv", "--text", "review")
    assert "Traceback" not in skrational(*args)[2]
    assert "Traceback" in skrational(*args, "--debug")[2]


def test_nothing_that_is_written_otherwise_is_suggested(skrational):
    args = ("vectors", "learn", "t.csv", "--out", "m", "--set", "min_count=1")
    assert "Did you mean" not in skrational(*args)[2]


def test_a_path_of_few_texts_asks_for_others(skrational, tmp_path):
    table = write_table(tmp_path / "t.csv", reviews(2, 0))
    columns = (
        "--text",
        "review",
        "--label",
        "stars",
        "--set",
        "vectorizer__min_count=1",
    )
    settings = ("--set", "vectorizer__n_features=2", "--out", tmp_path / "m")
    code, _, said = skrational("path", table, *columns, *settings)
    assert code == 1
    assert "--dev TABLE" in said
    assert "X_val" not in said


def test_a_name_without_an_ending_is_that_of_a_folder(folder, skrational, tmp_path):
    out = tmp_path / "model"
    args = ("fit", folder / "train.csv", "--text", "review", "--label", "stars")
    code, _, said = skrational(*args, "--out", out, *quick())
    assert code == 0
    assert f"Wrote {out}" in said
    assert (out / "manifest.json").is_file()
    columns = ("--text", "review")
    of_file, of_folder = (
        skrational("predict", model, folder / "test.csv", *columns)
        for model in (folder / "model.joblib", out)
    )
    assert of_folder == of_file
    assert skrational(*args, "--out", f"{out}/", *quick())[0] == 0
    (out / "weights.safetensors").write_bytes(b"")
    code, printed, said = skrational("predict", out, folder / "test.csv", *columns)
    assert (code, printed) == (1, "")
    assert "weights.safetensors has 0 bytes" in said
    (out / "notes.txt").write_text("mine")
    code, _, said = skrational(*args, "--out", out, *quick())
    assert code == 2
    assert "it holds what is no part of a model ('notes.txt')" in said
    code, _, said = skrational(*args, "--out", tmp_path / "no" / "model", *quick())
    assert code == 2
    assert "there is no folder" in said
