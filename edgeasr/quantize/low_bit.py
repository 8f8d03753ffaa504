"""Post-training quantization of weights to few bits, of any int8 or int16x8 `.tflite`.

The weights of each layer move onto the grid of a scheme; activations stay as they are. With
calibration windows a layer's sums are kept instead of its weights. No TensorFlow is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr import graph
from edgeasr.errors import InputError, alternatives
from edgeasr.oracle import Oracle
from edgeasr.quantize import calibration, grids, reconstruction, rewriting
from edgeasr.quantize.grids import GridWeights
from edgeasr.quantize.rewriting import Layer, LayerWeights
from edgeasr.quantize.schemes import Scheme

ROUNDINGS = ("nearest", "compensated")


@dataclass(frozen=True)
class LayerLoss:
    """What quantization did to one layer, as signal to noise in dB (inf: nothing).

    op: index of its operation. weights_db: of the weights; activations_db: of the layer's outputs,
    None without windows.
    """

    op: int
    name: str
    weights_db: float
    activations_db: float | None = None


def quantize_weights(
    content: bytes,
    scheme: Scheme | Mapping[int, Scheme],
    windows: np.ndarray | None = None,
    *,
    rounding: str = "nearest",
    bias_correction: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> bytes:
    """Return the `.tflite` with the weights of its layers on grids.

    scheme: of all layers, or by the index of the operation (the others stay as they are). windows:
    calibration inputs [n, ...] of the model's own type, which both options need. rounding:
    `nearest` takes for each weight the nearest level; `compensated` takes the levels with which the
    layer's sums come nearest to the original's, layer by layer (see README.md here).
    bias_correction: with `nearest`, move each bias so that sums keep their mean (`compensated`
    always does). Raises InputError for what the model, the scheme or the windows do not allow.
    """
    layers = rewriting.read(content)
    chosen = _by_layer(layers, scheme)
    if rounding not in ROUNDINGS:
        raise InputError(f'rounding "{rounding}" is not known; {alternatives(rounding, ROUNDINGS)}')
    layers = [layer for layer in layers if layer.op.index in chosen]
    if rounding == "nearest" and not bias_correction:
        new = {}
        for layer in layers:
            found = grids.fit(layer.weights, chosen[layer.op.index], layer.axis)
            new[layer.op.index] = _written(layer, found, layer.bias)
        return rewriting.replace(content, new)
    if windows is None:
        needs = "compensated rounding" if rounding == "compensated" else "bias correction"
        raise InputError(f"{needs} needs calibration windows; give recordings to make them of")
    return _calibrated(content, layers, chosen, windows, rounding, progress)


def losses(
    original: bytes,
    quantized: bytes,
    windows: np.ndarray | None = None,
    own: np.ndarray | None = None,
) -> tuple[LayerLoss, ...]:
    """Return what each layer lost, in real numbers of each model's own scales.

    windows: inputs [n, ...] of the original, for activations; own: the same recordings as inputs of
    the quantized model, where its input has another type, scale or zero point. Both models have the
    same layers, in the same order.
    """
    before, after = rewriting.read(original), rewriting.read(quantized)
    heard: list[float | None] = [None] * len(before)
    if windows is not None:
        first = _outputs(original, before, windows)
        second = _outputs(quantized, after, windows if own is None else own)
        heard = [grids.sqnr_db(*pair) for pair in zip(first, second, strict=True)]
    return tuple(
        LayerLoss(old.op.index, old.name, grids.sqnr_db(old.weights, new.weights), activations)
        for old, new, activations in zip(before, after, heard, strict=True)
    )


def _outputs(content: bytes, layers: Sequence[Layer], windows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield each layer's outputs [n, ...] in real numbers."""
    model = graph.parse(content)
    calibration.check_inputs(model, windows)
    seen = calibration.capture(content, [layer.op.outputs[0] for layer in layers], windows)
    for layer in layers:
        output = model.tensor(layer.op.outputs[0])
        steps = seen[output.index].astype(np.float64) - output.quantization.zero_point
        yield steps * output.quantization.scale


def correct(content: bytes, windows: np.ndarray, labels: np.ndarray) -> int:
    """Return for how many windows the largest output (the first of equals) is the label's."""
    calibration.check_inputs(graph.parse(content), windows)
    oracle = Oracle(content)
    found = [int(oracle.invoke(window).argmax()) for window in windows]
    return int(np.sum(np.array(found) == labels))


def _by_layer(
    layers: Sequence[Layer], scheme: Scheme | Mapping[int, Scheme]
) -> Mapping[int, Scheme]:
    if isinstance(scheme, Scheme):
        return {layer.op.index: scheme for layer in layers}
    known = {layer.op.index: layer.name for layer in layers}
    strange = sorted(set(scheme) - set(known))
    if strange:
        raise InputError(
            f"a scheme for operation #{strange[0]}, which has no constant weights; those that "
            f"have: {', '.join(known.values())}"
        )
    return scheme


def _calibrated(
    content: bytes,
    layers: Sequence[Layer],
    chosen: Mapping[int, Scheme],
    windows: np.ndarray,
    rounding: str,
    progress: Callable[[str], None],
) -> bytes:
    calibration.check_inputs(graph.parse(content), windows)
    if rounding == "compensated":
        _refuse_wide(layers)
    original = calibration.capture(content, {layer.op.inputs[0] for layer in layers}, windows)
    new: dict[int, LayerWeights] = {}
    made = content
    for place, layer in enumerate(layers, 1):
        progress(f"{layer.name}, {place} of {len(layers)}")
        entry = layer.op.inputs[0]
        quantized = calibration.capture(made, [entry], windows)[entry] if new else original[entry]
        seen = calibration.moments(layer, original[entry], quantized)
        scheme = chosen[layer.op.index]
        if rounding == "compensated":
            found = reconstruction.reconstruct(layer.weights, layer.axis, scheme, seen)
        else:
            found = grids.fit(layer.weights, scheme, layer.axis)
        new[layer.op.index] = _written(layer, found, reconstruction.bias(found, seen))
        made = rewriting.replace(content, new)
    return made


def _refuse_wide(layers: Sequence[Layer]) -> None:
    for layer in layers:
        taps = layer.weights.size // layer.channels
        if taps > reconstruction.MOST_TAPS:
            raise InputError(
                f"{layer.name} has {taps:,} weights a channel; compensated rounding takes "
                f'{reconstruction.MOST_TAPS:,} at most; use rounding "nearest", or leave it out'
            )


def _written(layer: Layer, found: GridWeights, bias: np.ndarray) -> LayerWeights:
    """Return what to write, with scales large enough for the bias to be held in integers.

    As TFLite's converter does, for channels whose weights almost vanished and whose bias did not.
    """
    least = rewriting.least_scales(layer, bias)
    least = least if len(found.scales) > 1 else least.max(keepdims=True)
    if (found.scales < least).any():
        scales = np.maximum(found.scales, least).astype(np.float32)
        found = grids.assign(layer.weights, scales, found.levels, layer.axis)
    return LayerWeights(found.values, found.scales, bias)
