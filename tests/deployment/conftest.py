"""Sessions of onnxruntime on exported models."""

import pytest

from skrational import export_onnx


@pytest.fixture(scope="session")
def open_session(tmp_path_factory):
    """Export a model, and open it in onnxruntime."""
    ort = pytest.importorskip("onnxruntime")

    def open_folder(folder):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = str(folder / "model.onnx")
        return ort.InferenceSession(path, options, ["CPUExecutionProvider"])

    def export(estimator, **options):
        folder = tmp_path_factory.mktemp("onnx") / "model"
        return open_folder(export_onnx(estimator, folder, **options))

    export.folder = open_folder
    return export
