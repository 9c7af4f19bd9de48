"""Models on the hub, by the hub's own client, against a hub in this process."""

import builtins

import pytest

from skrational.exceptions import ModelFileError
from skrational.persistence import load, load_from_hub, push_to_hub, save
from tests.persistence.local_hub import LocalHub
from tests.persistence.models import assert_same, predictions

hub = pytest.importorskip("huggingface_hub", reason="needs the extra [hub]")
REPO = "me/model"


@pytest.fixture
def server(monkeypatch, tmp_path):
    from huggingface_hub import constants

    with LocalHub() as local:
        for name, value in {
            "ENDPOINT": local.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": local.url
            + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_PROGRESS_BARS": True,
        }.items():
            monkeypatch.setattr(constants, name, value)
        yield local


def push(model, **options):
    return push_to_hub(model, REPO, token="hf_secret", **options)


def pull(tmp_path, **options):
    options = {"token": "hf_secret", "cache_dir": tmp_path / "cache"} | options
    return load_from_hub(REPO, **options)


def test_a_model_comes_back_from_the_hub(server, models, tmp_path):
    model, data = models["pipeline"]
    commit = push(model)
    number, files = server.repos[REPO][-1]
    assert commit == number
    assert {"manifest.json", "config.json", "README.md"} < set(files)
    card = files["README.md"].decode()
    assert card.startswith("---\nlibrary_name: skrational")
    assert f'load_from_hub("{REPO}")' in card.replace("'", '"')
    assert str(model[-1].learned_structure_) in card
    assert "Bearer hf_secret" in server.tokens
    assert_same(predictions(pull(tmp_path), data), predictions(model, data))


def test_revisions_are_those_of_the_hub(server, models, tmp_path):
    first, X = models["steps"]
    second, _ = models["rational"]
    commit = push(first)
    push(second, card="# Mine")
    assert server.repos[REPO][-1][1]["README.md"] == b"# Mine"
    assert_same(predictions(pull(tmp_path), X), predictions(second, X))
    found = pull(tmp_path, revision=commit)
    assert_same(predictions(found, X), predictions(first, X))
    with pytest.raises(OSError, match="nowhere"):
        pull(tmp_path, revision="nowhere")


def test_a_folder_is_pushed_with_its_card(server, models, tmp_path):
    model, X = models["rational"]
    folder = save(model, tmp_path / "model")
    (folder / "README.md").write_text("# A card")
    push(folder)
    assert server.repos[REPO][-1][1]["README.md"] == b"# A card"
    again = pull(tmp_path)
    assert_same(predictions(again, X), predictions(load(folder), X))
    (folder / "weights.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match=r"weights\.safetensors"):
        push(folder)
    assert len(server.repos[REPO]) == 1


def test_files_of_skops_of_the_model_before_are_removed(server, models, tmp_path):
    push(models["rational"][0])
    server.repos[REPO][-1][1]["step-0.skops"] = b"of another model"
    with pytest.raises(ModelFileError, match=r"step-0\.skops"):
        pull(tmp_path)
    push(models["rho"][0])
    assert "step-0.skops" not in server.repos[REPO][-1][1]
    assert pull(tmp_path).classes_.tolist() == ["a", "b", "c"]


def test_what_the_hub_has_is_held_against_its_manifest(server, models, tmp_path):
    push(models["rational"][0])
    files = server.repos[REPO][-1][1]
    files["weights.safetensors"] = files["weights.safetensors"][:-1] + b"x"
    with pytest.raises(ModelFileError, match=r"weights\.safetensors is damaged"):
        pull(tmp_path)
    del files["weights.safetensors"]
    with pytest.raises(ModelFileError, match=r"weights\.safetensors is missing"):
        pull(tmp_path, cache_dir=tmp_path / "another")


def test_a_repository_that_is_not_there(server, tmp_path):
    with pytest.raises(OSError, match="me/model"):
        pull(tmp_path)


def test_what_cannot_be_saved_makes_no_repository(server, models):
    with pytest.raises(TypeError, match="expected an estimator"):
        push([1, 2])
    assert server.repos == {}


def test_a_card_that_is_no_text_makes_no_repository(server, models):
    with pytest.raises(TypeError, match="card is a int; expected Markdown"):
        push(models["rational"][0], card=3)
    assert server.repos == {}


def test_without_a_network_the_hub_is_named(server, models, tmp_path, monkeypatch):
    from huggingface_hub import constants

    nowhere = "http://127.0.0.1:9"
    monkeypatch.setattr(constants, "ENDPOINT", nowhere)
    with pytest.raises(OSError, match=f"The hub at {nowhere} can't be reached"):
        push(models["rational"][0])
    with pytest.raises(OSError, match="Hub"):
        pull(tmp_path)


def test_without_the_client_the_extra_is_named(monkeypatch, models):
    real = builtins.__import__

    def fail(name, *args, **options):
        if name == "huggingface_hub":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(ImportError, match=r"pip install 'skrational\[hub\]'"):
        push(models["rational"][0])
    with pytest.raises(ImportError, match=r"pip install 'skrational\[hub\]'"):
        load_from_hub(REPO)
