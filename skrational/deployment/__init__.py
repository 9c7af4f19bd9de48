"""What an image or a server wants to have done before the first request."""

from typing import TYPE_CHECKING

from skrational.utils.lazy import lazy_names

if TYPE_CHECKING:
    from skrational.deployment.onnx.export import export_onnx
    from skrational.deployment.warming import warm_up

__all__ = ["export_onnx", "warm_up"]

# Of a module with __getattr__, type checkers would take any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "export_onnx": "skrational.deployment.onnx.export",
            "warm_up": "skrational.deployment.warming",
        },
    )
