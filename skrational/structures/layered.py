"""What is left of a network whose automata stand in layers, one reading the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from html import escape
from itertools import pairwise
from typing import Any, ClassVar, Self

from skrational.structures.base import JSONStructure, register_structure
from skrational.structures.diff import StructureDiff
from skrational.structures.rational import RationalStructure

__all__ = ["LayeredDiff", "LayeredStructure"]


@register_structure
@dataclass(frozen=True, repr=False)
class LayeredStructure(JSONStructure):
    """The states that pruning left of each WFSA, layer by layer.

    The first layer reads word vectors; each other one reads, at every token, the scores
    of the automata that are left of the layer before it.

    Parameters
    ----------
    layers : sequence of RationalStructure, at least two
        From the first layer on; stored as a tuple. Only the last one has outputs.

    Raises
    ------
    ValueError
        If the layers don't fit together.

    References
    ----------
    Dodge, Schwartz, Peng, Smith (2019), "RNN architecture learning with sparse
    regularization", arXiv:1909.03011, section 2: "equally applicable to multi-layer
    models".

    Examples
    --------
    >>> first = RationalStructure((4, 4, 4), (2, 0, 1), n_features=300, n_outputs=0)
    >>> second = RationalStructure((4, 4), (0, 3), n_features=2, n_outputs=1)
    >>> structure = LayeredStructure((first, second))
    >>> structure
    6 of 20 transitions in 3 of 5 WFSAs of 2 layers: 3 in 2 of 3, 3 in 1 of 2
    >>> structure.n_transitions, structure.n_parameters
    (6, 1820)
    >>> LayeredStructure.from_json(structure.to_json()) == structure
    True
    """

    layers: tuple[RationalStructure, ...]

    size_name: ClassVar[str] = "transitions"
    size_label: ClassVar[str] = "main-path transitions"
    part_name: ClassVar[str] = "length"

    def __post_init__(self) -> None:
        layers = tuple(self.layers)
        if len(layers) < 2 or not all(type(v) is RationalStructure for v in layers):
            raise ValueError(
                f"layers is {layers!r:.99}; expected two RationalStructures or more."
            )
        for i, (below, above) in enumerate(pairwise(layers)):
            if above.n_features != max(below.n_wfsas, 1) or below.n_outputs:
                raise ValueError(
                    f"layers[{i + 1}] reads {above.n_features} automata of {below!r}, "
                    f"which has {below.n_outputs} outputs; expected as many as are "
                    "left (1, if there are none), and no outputs."
                )
        if layers[-1].n_outputs < 1:
            raise ValueError(f"layers[{len(layers) - 1}] has no outputs.")
        object.__setattr__(self, "layers", layers)

    @property
    def n_features(self) -> int:
        """Length of the word vectors."""
        return self.layers[0].n_features

    @property
    def n_outputs(self) -> int:
        """Rows of the readout."""
        return self.layers[-1].n_outputs

    @property
    def lengths(self) -> tuple[tuple[int, ...], ...]:
        """States of each WFSA that is left, for each layer."""
        return tuple(layer.lengths for layer in self.layers)

    @property
    def survivors(self) -> tuple[tuple[int, ...], ...]:
        """Original index (from 0) of each WFSA that is left, for each layer."""
        return tuple(layer.survivors for layer in self.layers)

    @property
    def n_wfsas(self) -> int:
        """WFSAs left, of all layers."""
        return sum(layer.n_wfsas for layer in self.layers)

    @property
    def n_wfsas_initial(self) -> int:
        """WFSAs before pruning."""
        return sum(layer.n_wfsas_initial for layer in self.layers)

    @property
    def n_transitions(self) -> int:
        """Main-path transitions left, of all layers."""
        return sum(layer.n_transitions for layer in self.layers)

    @property
    def n_transitions_initial(self) -> int:
        """Main-path transitions before pruning."""
        return sum(layer.n_transitions_initial for layer in self.layers)

    @property
    def size(self) -> int:
        """Main-path transitions left, as `n_transitions`."""
        return self.n_transitions

    @property
    def size_initial(self) -> int:
        """Main-path transitions before pruning, as `n_transitions_initial`."""
        return self.n_transitions_initial

    @property
    def share_pruned(self) -> float:
        """Share of the main-path transitions that was pruned, 0 to 1."""
        return 1 - self.n_transitions / self.n_transitions_initial

    @property
    def n_parameters(self) -> int:
        """Parameters left, those of the readout and its bias included."""
        return sum(layer.n_parameters for layer in self.layers)

    @property
    def n_parameters_initial(self) -> int:
        """Parameters before pruning."""
        first, *others = self.layers
        widths = [layer.n_wfsas_initial for layer in self.layers[:-1]]
        dense = [
            replace(layer, n_features=width, n_fixed_self_loops=0)
            for layer, width in zip(others, widths, strict=True)
        ]
        return sum(layer.n_parameters_initial for layer in (first, *dense))

    def counts(self) -> dict[str, int]:
        """Return the number of WFSAs left, by its name in tables."""
        return {"WFSAs": self.n_wfsas}

    def parts(self) -> tuple[tuple[int, int], ...]:
        """Return the layer, from 1, and the length of each WFSA left."""
        return tuple(
            (number, length)
            for number, layer in enumerate(self.layers, 1)
            for length in layer.lengths
        )

    def possible_parts(self) -> list[tuple[int, int]]:
        """Return the layers and lengths that a WFSA can have."""
        return [
            (number, length)
            for number, layer in enumerate(self.layers, 1)
            for length in layer.possible_parts()
        ]

    def diff(self, other: LayeredStructure) -> LayeredDiff:
        """Compare what two structures of as many layers and WFSAs keep.

        Parameters
        ----------
        other : LayeredStructure
            "There" in the result; this structure is "here".

        Raises
        ------
        TypeError
            If ``other`` is not a LayeredStructure.
        ValueError
            If the two began with different numbers of layers or WFSAs.
        """
        if not isinstance(other, LayeredStructure):
            raise TypeError(
                f"other is a {type(other).__name__}; expected a LayeredStructure."
            )
        if len(other.layers) != len(self.layers):
            raise ValueError(
                f"other has {len(other.layers)} layers; expected {len(self.layers)}, "
                "as many as here."
            )
        pairs = zip(self.layers, other.layers, strict=True)
        return LayeredDiff(tuple(here.diff(there) for here, there in pairs))

    def to_dot(self, *, removed: bool = True) -> str:
        """Write the layers as graphs of Graphviz DOT, the last one on top.

        Parameters
        ----------
        removed : bool, default=True
            Whether what was removed is there too.

        Raises
        ------
        ValueError
            If there are too many states to draw.
        """
        return "\n".join(
            layer.to_dot(removed=removed) for layer in reversed(self.layers)
        )

    def to_svg(self, *, removed: bool = True) -> str:
        """Draw the layers as SVG documents, the last one on top, as HTML.

        Parameters
        ----------
        removed : bool, default=True
            Whether what was removed is there too.

        Raises
        ------
        ValueError
            If there are too many states to draw.
        """
        return "\n".join(
            layer.to_svg(removed=removed) for layer in reversed(self.layers)
        )

    def __repr__(self) -> str:
        each = ", ".join(
            f"{v.n_transitions} in {v.n_wfsas} of {v.n_wfsas_initial}"
            for v in self.layers
        )
        return (
            f"{self.n_transitions} of {self.n_transitions_initial} transitions in "
            f"{self.n_wfsas} of {self.n_wfsas_initial} WFSAs of {len(self.layers)} "
            f"layers: {each}"
        )

    def _repr_html_(self) -> str:
        drawn = [
            f"<div>Layer {number}</div>{layer._repr_html_()}"
            for number, layer in reversed(list(enumerate(self.layers, 1)))
        ]
        return f"<div><div>{escape(repr(self))}</div>\n{''.join(drawn)}</div>"

    def _content(self) -> dict[str, Any]:
        return {"layers": [asdict(layer) for layer in self.layers]}

    @classmethod
    def _of_content(cls, content: dict[str, Any]) -> Self:
        return cls(tuple(RationalStructure(**layer) for layer in content["layers"]))


@dataclass(frozen=True, repr=False)
class LayeredDiff:
    """How one structure of layers differs from another; false if it doesn't.

    Parameters
    ----------
    layers : tuple of StructureDiff
        From the first layer on.
    """

    layers: tuple[StructureDiff, ...]

    @property
    def n_transitions(self) -> int:
        """Main-path transitions there, minus those here."""
        return sum(layer.n_transitions for layer in self.layers)

    @property
    def n_parameters(self) -> int:
        """Parameters there, minus those here."""
        return sum(layer.n_parameters for layer in self.layers)

    def __bool__(self) -> bool:
        return any(map(bool, self.layers))

    def __repr__(self) -> str:
        return "\n".join(
            f"layer {number}: {layer!r}" for number, layer in enumerate(self.layers, 1)
        )
