"""What servers, clusters and large corpora need beside a fitted model."""

from typing import TYPE_CHECKING

from skrational.utils.lazy import lazy_names

if TYPE_CHECKING:
    from skrational.deployment.batches import predict_batches, predict_partition
    from skrational.deployment.engines import send_vectors
    from skrational.deployment.onnx.export import export_onnx
    from skrational.deployment.warming import warm_up

__all__ = [
    "export_onnx",
    "predict_batches",
    "predict_partition",
    "send_vectors",
    "warm_up",
]

# Of a module with __getattr__, type checkers would take any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "export_onnx": "skrational.deployment.onnx.export",
            "predict_batches": "skrational.deployment.batches",
            "predict_partition": "skrational.deployment.batches",
            "send_vectors": "skrational.deployment.engines",
            "warm_up": "skrational.deployment.warming",
        },
    )
