"""A quantized model beside the one it was made of: what each layer lost, on real recordings.

Both have the same layers with weights, in the same order; activations may have other scales. What
has other layers, or recognises other labels, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph, speech
from edgeasr.errors import InputError
from edgeasr.inspection.model import Inspection, find_facts
from edgeasr.models import hearing
from edgeasr.quantize import low_bit, rewriting
from edgeasr.quantize.rewriting import Layer, LayerWeights

if TYPE_CHECKING:
    from edgeasr.audio import Clip
    from edgeasr.graph import Graph
    from edgeasr.speech import SpeechModel


@dataclass(frozen=True)
class LayerComparison:
    """What one layer lost; op: number of its operation in the quantized model.

    weights_db, activations_db: signal to noise against the original, inf where nothing differs;
    activations are the layer's outputs, with all layers before it quantized too. lost_alone: clips
    fewer that the original recognises with this layer's weights and bias alone replaced, below 0
    where it recognises more; None, as the activations, without recordings. Layers that were trained
    together on their grids make up for one another: of these it is an upper bound of the layer's
    share in what the model lost.
    """

    op: int
    weights_db: float
    activations_db: float | None
    lost_alone: int | None


@dataclass(frozen=True)
class Comparison:
    """A model against its original. correct_*: of so many `clips`, by the largest score."""

    original: str
    layers: tuple[LayerComparison, ...]
    clips: int = 0
    correct_original: int = 0
    correct: int = 0

    def points(self, clips: int) -> float:
        """Return so many clips in percentage points of all."""
        return 100 * clips / self.clips

    def to_dict(self) -> dict[str, object]:
        """Return it for JSON; dB are null where nothing differs, or nothing was measured."""
        found: dict[str, object] = {"original": self.original, "clips": self.clips}
        if self.clips:
            found["accuracy_original"] = self.correct_original / self.clips
            found["accuracy"] = self.correct / self.clips
        rows = [
            {
                "op": layer.op,
                "sqnr_weights_db": _finite(layer.weights_db),
                "sqnr_activations_db": _finite(layer.activations_db),
                "points_lost_alone": self.points(layer.lost_alone) if self.clips else None,
            }
            for layer in self.layers
        ]
        return found | {"layers": rows}


def compare(
    seen: Inspection,
    original: Path,
    clips: Sequence[Clip] = (),
    on_step: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Comparison:
    """Compare a model with the `.tflite` that it was quantized from.

    clips: labelled recordings, for activations and accuracy; without them weights alone are
    compared. on_step hears what is being done, and how many steps of how many are. Raises
    InputError when the two do not have the same layers or labels, ToolError without tflite-micro
    (for recordings).
    """
    before = graph.load(original) and original.read_bytes()
    after = seen.path.read_bytes()
    pairs = _pairs(
        rewriting.read(before, original.name), rewriting.read(after, seen.path.name),
        original.name, seen.path.name,
    )  # fmt: skip
    _check_labels(seen, original)
    if not clips:
        layers = tuple(
            LayerComparison(new.op.index, loss.weights_db, None, None)
            for (_, new), loss in zip(pairs, low_bit.losses(before, after), strict=True)
        )
        return Comparison(original.name, layers)
    return _heard(seen, speech.load(original), pairs, clips, on_step)


def _heard(
    seen: Inspection,
    first: SpeechModel,
    pairs: Sequence[tuple[Layer, Layer]],
    clips: Sequence[Clip],
    on_step: Callable[[str, int, int], None],
) -> Comparison:
    second = _second(seen, first)
    steps = len(pairs) + 3
    on_step("activations", 0, steps)
    windows, own = hearing.inputs(first, clips), hearing.inputs(second, clips)
    losses = low_bit.losses(first.content, second.content, windows, own)
    labels = np.array([first.facts.labels.index(clip.label) for clip in clips])
    on_step("accuracy", 1, steps)
    whole = low_bit.correct(first.content, windows, labels)
    on_step("accuracy", 2, steps)
    correct = low_bit.correct(second.content, own, labels)
    layers = []
    for number, ((old, new), loss) in enumerate(zip(pairs, losses, strict=True), 3):
        on_step(f"{new.name} alone", number, steps)
        lost = 0
        if not _same(old, new):
            stored = {old.op.index: _stored(second.graph, new, second.path.name)}
            alone = rewriting.replace(first.content, stored, first.path.name)
            lost = whole - low_bit.correct(alone, windows, labels)
        layers.append(LayerComparison(new.op.index, loss.weights_db, loss.activations_db, lost))
    return Comparison(first.path.name, tuple(layers), len(clips), whole, correct)


def _pairs(
    before: Sequence[Layer], after: Sequence[Layer], first: str, second: str
) -> list[tuple[Layer, Layer]]:
    """Return the layers of both by twos; raise InputError at the first two that differ."""
    advice = f"give the int8 model that {second} was made of"
    for old, new in zip(before, after, strict=False):
        if (old.op.kind, old.weights.shape) != (new.op.kind, new.weights.shape):
            raise InputError(
                f"{second} and {first} do not have the same layers: {new.name} has weights of "
                f"shape {list(new.weights.shape)}, {old.name} of {list(old.weights.shape)}; "
                + advice
            )
    if len(before) != len(after):
        raise InputError(
            f"{second} and {first} do not have the same layers: {len(after)} with weights, "
            f"and {len(before)}; {advice}"
        )
    return list(zip(before, after, strict=True))


def _check_labels(seen: Inspection, original: Path) -> None:
    facts, *_ = find_facts(original)
    if seen.facts and facts and seen.facts.labels != facts.labels:
        raise InputError(
            f"{seen.path.name} recognises {', '.join(seen.facts.labels)}; {original.name} "
            f"{', '.join(facts.labels)}; give the int8 model that {seen.path.name} was made of"
        )


def _second(seen: Inspection, first: SpeechModel) -> SpeechModel:
    """Return the model that is seen; where it has no facts, those of the original are its own."""
    if seen.facts is None:
        content = seen.path.read_bytes()
        return replace(first, path=seen.path, content=content, graph=seen.graph)
    return speech.load(seen.path)


def _same(old: Layer, new: Layer) -> bool:
    return np.array_equal(old.weights, new.weights) and np.array_equal(old.bias, new.bias)


def _stored(model: Graph, layer: Layer, where: str) -> LayerWeights:
    """Return a layer's weights as the file has them, its bias in real numbers."""
    tensor = model.tensor(layer.op.inputs[1])
    if tensor.quantization.zero_points.any():
        raise InputError(
            f"{where}: {layer.name} has weights with a zero point of "
            f"{tensor.quantization.zero_points.max()}; only symmetric weights can be compared"
        )
    return LayerWeights(tensor.data.astype(np.int8), tensor.quantization.scales, layer.bias)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
