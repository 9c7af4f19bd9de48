"""A second method, complete: gated unigrams, of which a group lasso keeps some.

A hidden unit weighs each word, sigmoid(G x + g) * (W x), and adds up over a document.
"""

from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from skrational.cells.base import ReadoutCell
from skrational.estimators._sparse import TRAINING
from skrational.estimators._sparse_classifier import SparseSequenceClassifier
from skrational.groups import Groups, Part
from skrational.penalties.group_lasso import GroupLasso
from skrational.structures.base import JSONStructure, register_structure


@register_structure
@dataclass(frozen=True)
class UnigramStructure(JSONStructure):
    units: list
    size_initial: int
    n_features: int
    n_outputs: int

    size_name: ClassVar = "units"
    part_name: ClassVar = "unit"
    size = property(lambda self: len(self.units))
    n_parameters = property(lambda self: self.size * (2 * self.n_features + 1))

    def parts(self):
        return tuple(self.units)

    def possible_parts(self):
        return range(self.size_initial)

    def diff(self, other):
        return sorted({*self.units} ^ {*other.units})


class GatedUnigramCell(ReadoutCell):
    def __init__(self, structure, dtype):
        super().__init__()
        self._structure = structure
        n, E, n_outputs = structure.size, structure.n_features, structure.n_outputs
        shapes = {"W": (n, E), "G": (n, E), "g": (n,), "A": (n_outputs, n)}
        for name, shape in (shapes | {"a": (n_outputs,)}).items():
            setattr(self, name, nn.Parameter(torch.zeros(shape, dtype=dtype)))

    def initialize(self, generator):
        for p in (self.W, self.G, self.A):
            p.data.normal_(0, 0.5, generator=generator)
        return self

    def hidden(self, batch):
        x, sizes = batch.x, torch.from_numpy(np.diff(batch.offsets))
        u = (torch.sigmoid(x @ self.G.T + self.g) * (x @ self.W.T))[batch.ids]
        document = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        return u.new_zeros(len(sizes), u.shape[1]).index_add(0, document, u)

    def groups(self, kind):
        unit = torch.arange(len(self.g))
        return Groups((Part((self.W, self.G, self.g), unit),), len(unit))

    def pruned(self, kind, live):
        small, mask = (
            self.blank(self.live_structure(kind, live)),
            torch.from_numpy(live),
        )
        cut = partial(self.cut, rows=mask, units=mask)
        return small.set_parameters(cut(self.parameters())), cut

    def live_structure(self, kind, live):
        units = np.array(self._structure.units, int)[live].tolist()
        return replace(self._structure, units=units)

    def emptied(self):
        cell = self.blank(self._structure)
        cell.A.data.copy_(self.A)
        return cell, cell.W

    def structure(self):
        return self._structure

    def blank(self, structure):
        return GatedUnigramCell(structure, self.a.dtype)


class GatedUnigramClassifier(SparseSequenceClassifier):
    _parameter_constraints: ClassVar = TRAINING | {"n_units": [Integral]}

    def __init__(self, *, n_units=8, lambda_=2e-3, max_epochs=20, random_state=None):
        super().__init__(
            lambda_=lambda_,
            max_epochs=max_epochs,
            finetune_epochs=max_epochs,
            batch_size=None,
            dropout=0.0,
            dtype="float64",
            random_state=random_state,
        )
        self.n_units = n_units

    def _dense_cell(self, n_features, n_outputs, dtype, generator):
        units = list(range(self.n_units))
        structure = UnigramStructure(units, self.n_units, n_features, n_outputs)
        return GatedUnigramCell(structure, dtype).initialize(generator)

    def _blank_cell(self, structure, dtype):
        return GatedUnigramCell(structure, dtype)

    def _charges(self):
        return ((GroupLasso(self.lambda_), "units"),)
