"""The sparse GRU classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skrational.estimators._gated import SparseGatedClassifier
from skrational.kernels.gated.prediction import PackedGRU
from skrational.structures.gated import GRUStructure

if TYPE_CHECKING:
    from skrational.cells.gru import GRUCell

__all__ = ["SparseGRUClassifier"]


class SparseGRUClassifier(SparseGatedClassifier):
    """Classify sequences with a GRU whose weights, gates and units are learned away.

    All is as in `SparseLSTMClassifier`, but for the cell: a unit has a reset gate, an
    update gate and a candidate. A candidate becomes constant only if its inner bias
    b_hn goes too, so that this is one of its group; without a candidate that varies the
    reset gate has no effect.

    Start with ``n_units``, ``lambda_``, the size, and ``random_state``.

    Parameters
    ----------
    n_units, lambda_, sparsify, lambda_ratios, framework, log_alpha, readout, \
    length_exponent, solver, threshold, learning_rate, finetune_schedule, batch_size, \
    min_steps_per_epoch, max_steps_per_epoch, warmup_epochs, max_epochs, ramp_epochs, \
    finetune_epochs, early_stopping, validation_fraction, n_iter_no_change, dropout, \
    word_dropout, feature_dropout, weight_decay, max_grad_norm, class_weight, \
    calibration, warm_start, dtype, device, random_state, verbose
        See `SparseLSTMClassifier`.

    Attributes
    ----------
    learned_structure_ : GRUStructure
        Which units are left, and which of their gates vary.
    weights_ : dict of str to ndarray
        ``W_ih`` (n_gates, n_inputs) and ``W_hh`` (n_gates, n_units), a row for each
        gate that varies, those of the reset gates first, then update gates and
        candidates; ``b`` (3, n_units), the biases of all gates; ``b_hn``, the inner
        biases of the candidates that vary.

    Examples
    --------
    >>> import numpy as np
    >>> from skrational import SparseGRUClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 12, size=200)]
    >>> y = [x[:, 0].sum() > 0 for x in X]
    >>> clf = SparseGRUClassifier(n_units=8, lambda_=0.02, random_state=0).fit(X, y)
    >>> clf.learned_structure_.n_gates_initial
    24
    """

    learned_structure_: GRUStructure
    _packed_type = PackedGRU

    def _biases(self) -> NDArray[np.floating]:
        b, candidates = self.weights_["b"], self.learned_structure_.varies[-1]
        b_hn = np.zeros((1, b.shape[1]), b.dtype)
        b_hn[0, candidates] = self.weights_["b_hn"]
        return np.concatenate([b, b_hn])

    def _cell_type(self) -> type[GRUCell]:
        from skrational.cells.gru import GRUCell

        return GRUCell
