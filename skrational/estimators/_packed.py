"""Scores by a compiled kernel, without torch, where one can compute them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.estimators._sparse_classifier import SparseSequenceClassifier
from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.kernels.cpu.scorer import scorer_of
from skrational.sequences import SequenceArray

__all__ = ["PackedClassifier", "PackedEstimator"]


class PackedEstimator(SparseSequenceEstimator):
    """An estimator whose fitted network is packed for the compiled kernels of the CPU.

    On other devices, and where no kernel computes the network, its cell scores.
    """

    @abstractmethod
    def _kernel(self, device_type: str) -> str:
        """Name the kernel of the fitted network on a device; "numba" scores here."""

    @abstractmethod
    def _packed(self) -> PackedNetwork:
        """Pack the fitted weights."""

    @abstractmethod
    def _packed_settings(self) -> Any:
        """Return what the packed network depends on beside ``weights_``."""

    def _scores(self, X: SequenceArray) -> NDArray[np.floating]:
        if not self._scores_on_cpu():
            return super()._scores(X)
        settings = self._packed_settings()
        return scorer_of(self, self.weights_, settings, self._packed).scores(X)

    def _scores_on_cpu(self) -> bool:
        """Whether the compiled kernel scores, which does without torch."""
        on_cpu = self.device in ("auto", "cpu")
        device_type = "cpu" if on_cpu else self._prediction_device().type
        return self._kernel(device_type) == "numba"


class PackedClassifier(PackedEstimator, SparseSequenceClassifier):
    """A classifier whose fitted network is packed."""
