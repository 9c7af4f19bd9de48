"""What estimators with moduli regularization share: parameters and cells."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.estimators._packed import PackedEstimator
from skrational.estimators._sparse import TRAINING, SparseEstimator
from skrational.estimators._values import read_numbers
from skrational.kernels.cpu.scorer import states_of
from skrational.kernels.elman import choose_kernel
from skrational.kernels.elman.prediction import PackedElman
from skrational.kernels.gated.prediction import PackedGRU, PackedLSTM
from skrational.sequences import SequenceArray
from skrational.structures.gated import StateReadout
from skrational.structures.mask import MaskStructure
from skrational.structures.network import EVERY_STATE, NetworkKind

if TYPE_CHECKING:
    import torch

    from skrational.cells.base import Cell
    from skrational.cells.placed import Placement
    from skrational.penalties.base import Penalty
    from skrational.penalties.manifolds import Manifold
    from skrational.penalties.moduli import Moduli
    from skrational.pruning.base import Pruner

__all__ = ["MODULI", "ModuliMethod", "PlacedMethod"]

MODULI: dict[str, list[Any]] = {
    name: constraint for name, constraint in TRAINING.items() if name != "threshold"
} | {
    "n_hidden": [Interval(Integral, 2, 2**12, closed="both")],
    "cell": [StrOptions({"elman", "lstm", "gru"})],
    "activation": [StrOptions({"tanh", "relu"})],
    "bias": ["boolean"],
    "recurrent_init": [StrOptions({"auto", "orthogonal", "identity"})],
    "manifold": [str, callable, object],
    "inhibitor": [str, callable],
    "positions": ["array-like", None],
    "learn_positions": ["boolean"],
    "position_decay": [Interval(Real, 0, 1, closed="right")],
    "power": [Interval(Real, 1, None, closed="left")],
    "scaling": [StrOptions({"mean", "raw"})],
    "permuted": ["boolean"],
    "sparsity": [Interval(Real, 0, 1, closed="left")],
    "pruned": [StrOptions({"all", "recurrent"})],
    "prune_epochs": [Interval(Integral, 1, None, closed="left"), None],
    "readout": [StrOptions({"anywhere", "last"})],
    "length_exponent": [Interval(Real, 0, None, closed="left")],
}
"""Constraints of the parameters."""

_PERMUTATION = 0
"""Seed of the permutation of costs; the positions that it mixes are drawn anew."""


class PlacedMethod(SparseEstimator):
    """An estimator with a network whose units lie on a manifold, pruned by magnitude.

    A subclass says what the network computes.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = MODULI
    _unit = "weight"
    _prune_every = 1

    learned_structure_: MaskStructure
    n_hidden: int
    activation: str
    bias: bool
    recurrent_init: str
    manifold: Any
    inhibitor: Any
    positions: Any
    learn_positions: bool
    position_decay: float
    power: float
    scaling: str
    permuted: bool
    sparsity: float
    pruned: str
    prune_epochs: int | None

    _kind: NetworkKind

    @property
    def sparsity_(self) -> float:
        """Share of the recurrent weights that is gone."""
        check_is_fitted(self)
        return self.learned_structure_.sparsity

    @property
    def n_links_(self) -> int:
        """Recurrent weights that are left."""
        check_is_fitted(self)
        return self.learned_structure_.n_links

    @property
    def positions_(self) -> NDArray[np.float64]:
        """Where the units lie on the manifold, (n_hidden, n_coordinates)."""
        check_is_fitted(self)
        return np.asarray(self.learned_structure_.positions, np.float64)

    def _check_own_parameters(self, device_type: str) -> None:
        self._moduli(1.0)
        if self.solver == "prox" and (self.learn_positions or self.power not in (1, 2)):
            raise ValueError(
                f"solver='prox' needs fixed positions and a power of 1 or 2; got "
                f"learn_positions={self.learn_positions}, power={self.power}. Use "
                "solver='subgradient'."
            )
        if self.prune_epochs is not None and self.prune_epochs > self.max_epochs:
            raise ValueError(
                f"prune_epochs is {self.prune_epochs}; expected at most "
                f"max_epochs={self.max_epochs}."
            )
        if self.warm_start and self.__sklearn_is_fitted__():
            self._check_goes_on()

    def _check_goes_on(self) -> None:
        """Refuse what a fit can't start from, of what the previous one has left."""
        from skrational.cells.placed import check_manifold

        structure = self.learned_structure_
        check_manifold(structure, self.manifold)
        if self.pruned == "recurrent" and structure.size < structure.size_initial - (
            structure.n_links_initial - structure.n_links
        ):
            raise ValueError(
                "pruned is 'recurrent', but the fitted network was pruned over all its "
                "weights, and would get some of them back; expected 'all'."
            )

    def _moduli(self, strength: float) -> Moduli:
        from skrational.penalties.moduli import Moduli

        return Moduli(
            strength,
            self.manifold,
            self.inhibitor,
            float(self.power),
            self.scaling,
            _PERMUTATION if self.permuted else None,
            float(self.position_decay),
        )

    def _charges(self) -> tuple[tuple[Penalty, str], ...]:
        return ((self._moduli(self._strength()), "recurrent"),)

    def _natural_strength(self) -> float | None:
        return 1.0

    def _pruner(self) -> Pruner:
        from skrational.pruning.magnitude import Magnitude

        # By default the last epoch is one at the target, as in the paper.
        n_epochs = self.prune_epochs or max(1, self.max_epochs - 1)
        return Magnitude(float(self.sparsity), n_epochs / self.max_epochs)

    def _too_sparse(self) -> str:
        structure = self.learned_structure_
        if structure.is_empty:
            return (
                f"sparsity={self.sparsity} left no unit that the readout hears: only "
                "the intercept is left. Lower sparsity, or lambda_, or prune the "
                "recurrent weights only."
            )
        if not structure.n_links:
            return (
                f"sparsity={self.sparsity} and lambda_={self.lambda_} left no "
                "recurrent weight: no unit remembers what came before. Lower them."
            )
        return ""

    def _fixed_size(self) -> str:
        if not self.sparsity:
            return ""
        return (
            f"sparsity={self.sparsity} says how many weights are left, whatever "
            "lambda_ is. Set sparsity=0 and solver='prox'."
        )

    def _pruned_kind(self) -> str:
        return self.pruned

    def _placement(self) -> Placement:
        from skrational.cells.placed import Placement

        return Placement(self._moduli(1.0), self.pruned)

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> Cell:
        from skrational.cells.placed import dense_cell

        sizes = n_features, int(self.n_hidden), n_outputs
        network = self._network()
        cell = dense_cell(network, sizes, dtype)
        if network.cell == "elman":
            cell.initialize(generator, self._first_recurrent())
        else:
            cell.initialize(generator)
        return cell.placed(self._placement(), self._first_positions(generator))

    def _first_recurrent(self) -> str:
        """Name what the recurrent weights of an Elman network begin as."""
        if self.recurrent_init != "auto":
            return self.recurrent_init
        return "identity" if self.activation == "relu" else "orthogonal"

    def _first_positions(self, generator: torch.Generator) -> torch.Tensor:
        """Draw positions, or take those that are given; costs are checked."""
        import torch

        from skrational.penalties.manifolds import (
            as_manifold,
            bring_onto_,
            draw_positions,
        )

        manifold = as_manifold(self.manifold)
        if self.positions is None:
            positions = draw_positions(manifold, int(self.n_hidden), generator)
        else:
            positions = torch.from_numpy(self._given_positions(manifold))
            bring_onto_(manifold, positions)
        tried = positions.to(getattr(torch, self.dtype)).requires_grad_(
            self.learn_positions
        )
        costs = self._moduli(1.0).costs(tried)
        if self.learn_positions and not costs.requires_grad:
            raise ValueError(
                f"learn_positions=True needs costs that depend on positions; those of "
                f"inhibitor={self.inhibitor!r} on manifold={self.manifold!r} have no "
                "gradient."
            )
        return positions

    def _given_positions(self, manifold: Manifold) -> NDArray[np.float64]:
        """Check positions that are given; those of a user's distance may be any."""
        import torch

        from skrational.penalties.manifolds import Custom, draw_positions

        given = read_numbers(self.positions, "positions")
        width: Any = "n_coordinates"
        if not isinstance(manifold, Custom):
            width = draw_positions(manifold, 1, torch.Generator()).shape[1]
        n_units = int(self.n_hidden)
        right = given.ndim == 2 and len(given) == n_units and np.isfinite(given).all()
        if not right or width not in ("n_coordinates", given.shape[1]):
            raise ValueError(
                f"positions has the shape {given.shape}; expected finite numbers of "
                f"shape (n_hidden={n_units}, {width}) on manifold={self.manifold!r}."
            )
        return given

    @abstractmethod
    def _network(self) -> NetworkKind:
        """Return what the network computes."""

    def _blank_cell(self, structure: MaskStructure, dtype: torch.dtype) -> Cell:
        from skrational.cells.placed import place_cell

        return place_cell(self._kind, structure, self._placement(), dtype)

    def _learner(self, cell: Any) -> Cell:
        return cell.learning_positions() if self.learn_positions else cell

    def _own_attributes(self, cell: Any) -> dict[str, Any]:
        return {"_kind": cell.kind}


class ModuliMethod(PlacedMethod, PackedEstimator):
    """An estimator of sequences with such a network, Elman's or a gated one."""

    cell: str
    readout: str
    length_exponent: float

    def _network(self) -> NetworkKind:
        return NetworkKind(
            self.cell,
            self.activation,
            bool(self.bias),
            StateReadout(self.readout, float(self.length_exponent)),
        )

    def _read_like_training(self, X: Any, y: Any) -> Any:
        """Read what the fitted network could have learned from."""
        training, structure = self._read_fit(X, y, None), self.learned_structure_
        found = training.X.n_features, self._loss().n_outputs(training.n_targets)
        expected = structure.n_features, structure.n_outputs
        if found != expected:
            raise ValueError(
                f"X and y have {found[0]} features and ask for {found[1]} outputs; the "
                f"mask is of {expected[0]} and {expected[1]}. Give the data of fit."
            )
        classes: Any = getattr(self, "classes_", None)
        if not np.array_equal(training.classes, classes):
            raise ValueError(
                f"y has the classes {training.classes}; expected those of fit, "
                f"{classes}."
            )
        every = self._kind.reading == EVERY_STATE
        if training.at_every_token != every:
            where = ("of each sequence", "after every token")
            raise ValueError(
                f"y has values {where[training.at_every_token]}; expected them "
                f"{where[every]}, as in fit."
            )
        return training

    def _kernel(self, device_type: str) -> str:
        return choose_kernel(device_type)

    def _packed_settings(self) -> Any:
        return self._kind

    def _packed(self) -> Any:
        """Pack the fitted network for predictions."""
        kind, weights = self._kind, self.weights_
        W_ih, W_hh = weights["W_ih"], weights["W_hh"]
        reading = kind.reading
        n_units, n_features = W_hh.shape[1], W_ih.shape[1]
        if kind.cell == "elman":
            b = weights.get("b", np.zeros(n_units, W_hh.dtype))
            return PackedElman.of(
                W_ih, W_hh, b, kind.activation, reading.readout, reading.length_exponent
            )
        packed: type[PackedLSTM | PackedGRU] = PackedLSTM
        biases = [weights["b"]]
        if kind.cell == "gru":
            packed = PackedGRU
            biases.append(weights["b_hn"][None])
        return packed.of(
            W_ih,
            W_hh,
            np.concatenate(biases),
            np.ones((len(W_hh) // n_units, n_units), bool),
            np.arange(n_features),
            n_features,
            reading.readout == "anywhere",
            reading.length_exponent,
        )

    def _scores(self, X: SequenceArray) -> NDArray[np.floating]:
        if self._kind.reading.readout == "every" and self._scores_on_cpu():
            return states_of(self._packed(), X)
        return super()._scores(X)
