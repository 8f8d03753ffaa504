"""Incremental quantization: part of a model goes on its grid and stays; the rest makes up for it.

Two orders. Blocks: whole layers, the largest first; a block is trained on its grid, with the rest
free, and frozen when the next block's turn comes. Partition: in every layer at once the largest
weights first, frozen where they fall, the rest retrained in floats (Zhou et al., "Incremental
network quantization: towards lossless CNNs with low-precision weights", 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from edgeasr.quantize import grids
from edgeasr.quantize.grids import GridWeights
from edgeasr.quantize.layer_weights import LayerWeights, Learned
from edgeasr.quantize.schemes import Scheme
from edgeasr.quantize.simulation import TrainingGraph
from edgeasr.training.recipes import QuantizationRecipe


@dataclass(frozen=True)
class Stage:
    """prepare: what happens to the graph before the stage's training begins."""

    name: str
    prepare: Callable[[TrainingGraph], None]


# Layers as they are in a graph now -> their weights on the grids of schemes, and their real biases.
Fit = Callable[[TrainingGraph, Mapping[str, Scheme]], Mapping[str, tuple[GridWeights, np.ndarray]]]


def nearest(
    graph: TrainingGraph, schemes: Mapping[str, Scheme]
) -> dict[str, tuple[GridWeights, np.ndarray]]:
    """Fit each layer by itself: each weight to its nearest level."""
    return {
        name: (
            grids.fit(graph.weights[name].kernel(), scheme, 0),
            graph.weights[name].bias.numpy(),
        )
        for name, scheme in schemes.items()
    }


def stages(
    recipe: QuantizationRecipe,
    graph: TrainingGraph,
    schemes: Mapping[str, Scheme],
    fit: Fit = nearest,
) -> list[Stage]:
    """Return the stages of a recipe. schemes: of each layer of the graph, by its name. fit: where
    layers begin on their grids.

    After the last stage every layer is on its grid.
    """
    if recipe.when == "aware":
        return [Stage("all layers on their grids", lambda graph: _enter(graph, schemes, fit))]
    if recipe.when == "blocks":
        return _block_stages(recipe.blocks, graph, schemes, fit)
    return _partition_stages(recipe.shares, schemes)


def _enter(graph: TrainingGraph, schemes: Mapping[str, Scheme], fit: Fit) -> None:
    """Put layers on their grids, to be trained there."""
    for name, (fitted, bias) in fit(graph, schemes).items():
        learned = _learned(schemes[name])
        if fit is nearest:
            graph.weights[name].set_grid(fitted, learned)
        else:
            graph.weights[name].start_at(fitted, bias, learned)
    graph.recompile()


def _learned(scheme: Scheme) -> Learned:
    trains = scheme.rule == "learned"
    return Learned(scales=trains, levels=trains and scheme.levels() is None)


def blocks(
    graph: TrainingGraph, count: int, schemes: Mapping[str, Scheme]
) -> list[tuple[str, ...]]:
    """Return the layers in blocks of about equal numbers of weights, the largest layers first."""
    sizes = {name: graph.weights[name].kernel().size for name in schemes}
    total, found, seen = sum(sizes.values()), [[] for _ in range(count)], 0
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        found[min(count - 1, seen * count // total)].append(name)
        seen += sizes[name]
    return [tuple(block) for block in found if block]


def _block_stages(
    count: int, graph: TrainingGraph, schemes: Mapping[str, Scheme], fit: Fit
) -> list[Stage]:
    made = blocks(graph, count, schemes)

    def stage(place: int) -> Stage:
        def prepare(graph: TrainingGraph) -> None:
            for name in made[place - 1] if place else ():
                graph.weights[name].freeze()
            _enter(graph, {name: schemes[name] for name in made[place]}, fit)

        return Stage(f"block {place + 1} of {len(made)}: {', '.join(made[place])}", prepare)

    return [stage(place) for place in range(len(made))]


def _partition_stages(shares: tuple[float, ...], schemes: Mapping[str, Scheme]) -> list[Stage]:
    def stage(place: int) -> Stage:
        def prepare(graph: TrainingGraph) -> None:
            if not place:
                for name, (fitted, _) in nearest(graph, schemes).items():
                    scales = Learned(scales=_learned(schemes[name]).scales)
                    graph.weights[name].set_grid(fitted, scales, on=False)
                graph.recompile()
            for weights in graph.weights.values():
                weights.freeze(largest(weights, shares[place]))

        return Stage(f"{100 * shares[place]:g} % of the weights of each layer frozen", prepare)

    return [stage(place) for place in range(len(shares))]


def largest(weights: LayerWeights, share: float) -> np.ndarray:
    """Return bool [channels, ...], true for this share of a layer's weights: those that are frozen
    already, then the largest (Zhou et al. found them to matter most)."""
    kernel = np.where(weights.frozen(), np.inf, np.abs(weights.kernel()))
    order = np.argsort(-kernel.ravel(), kind="stable")
    chosen = np.zeros(kernel.size, bool)
    chosen[order[: round(share * kernel.size)]] = True
    return chosen.reshape(kernel.shape)
