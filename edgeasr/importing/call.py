"""One ONNX operation, with its inputs as Keras tensors and constants, for what converts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.errors import InputError
from edgeasr.importing.layout import Value
from edgeasr.importing.network import Network, Node

_NEEDED = object()


@dataclass(frozen=True)
class Call:
    network: Network
    node: Node
    values: Mapping[str, Value]

    def fail(self, message: str) -> InputError:
        """Return an error that names file and operation, to be raised."""
        return InputError(f"{self.network.where}: {self.node}: {message}")

    def value(self, place: int = 0) -> Value:
        """Return an input that is worked out from the window. Raises InputError for a constant."""
        name = self._name(place)
        if name not in self.values:
            raise self.fail(f"input {place} is a constant; a tensor made of the input is needed")
        return self.values[name]

    def is_constant(self, place: int) -> bool:
        return self._name(place) in self.network.constants

    def constant(self, place: int, default: object = _NEEDED) -> np.ndarray:
        """Return a constant input, or the default where it is left out."""
        name = self.node.inputs[place] if place < len(self.node.inputs) else ""
        if not name and default is not _NEEDED:
            return default
        if name not in self.network.constants:
            raise self.fail(
                f'input {place} "{name}" is made of the model\'s input; a constant is needed'
            )
        return self.network.constants[name]

    def floats(self, place: int, shape: Sequence[int]) -> np.ndarray:
        """Return constant weights as float32 of a shape; -1 allows any size."""
        found = self.constant(place)
        if len(found.shape) != len(shape) or any(
            wanted not in (-1, size) for size, wanted in zip(found.shape, shape, strict=True)
        ):
            shown = [size if size >= 0 else "any" for size in shape]
            raise self.fail(f"input {place} has shape {list(found.shape)}; {shown} is needed")
        return found.astype(np.float32)

    def attribute(self, name: str, default: object = None) -> object:
        return self.node.attributes.get(name, default)

    def axes(self, place: int) -> tuple[int, ...] | None:
        """Return the axes of an operation, an attribute before and an input since opset 13 or 18;
        None where they are left out. Counted from 0."""
        found = self.attribute("axes")
        if found is None and place < len(self.node.inputs):
            found = self.constant(place, None)
        return None if found is None else tuple(int(axis) for axis in np.ravel(found))

    def axis(self, axis: int, rank: int) -> int:
        """Return an axis counted from 0. Raises InputError for one that does not exist."""
        if not -rank <= axis < rank:
            raise self.fail(f"axis {axis} of {rank}")
        return axis % rank

    def _name(self, place: int) -> str:
        if place >= len(self.node.inputs) or not self.node.inputs[place]:
            raise self.fail(f"has no input {place}")
        return self.node.inputs[place]
