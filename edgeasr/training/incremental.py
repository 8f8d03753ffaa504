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
from edgeasr.quantize.layer_weights import LayerWeights, Learned
from edgeasr.quantize.schemes import Scheme
from edgeasr.quantize.simulation import TrainingGraph
from edgeasr.training.recipes import QuantizationRecipe


@dataclass(frozen=True)
class Stage:
    """prepare: what happens to the graph before the stage's training begins."""

    name: str
    prepare: Callable[[TrainingGraph], None]


def stages(
    recipe: QuantizationRecipe, graph: TrainingGraph, schemes: Mapping[str, Scheme]
) -> list[Stage]:
    """Return the stages of a recipe. schemes: of each layer of the graph, by its name.

    After the last stage every layer is on its grid.
    """
    if recipe.when == "aware":
        return [Stage("all layers on their grids", lambda g: _enter(g, schemes, tuple(schemes)))]
    if recipe.when == "blocks":
        return _block_stages(recipe.blocks, graph, schemes)
    return _partition_stages(recipe.shares, schemes)


def _enter(
    graph: TrainingGraph, schemes: Mapping[str, Scheme], names: tuple[str, ...], *, on: bool = True
) -> None:
    """Put layers on the grids that fit their weights as they are now."""
    for name in names:
        weights, scheme = graph.weights[name], schemes[name]
        trains = scheme.rule == "learned"
        learned = Learned(scales=trains, levels=on and trains and scheme.levels() is None)
        weights.set_grid(grids.fit(weights.kernel(), scheme, 0), learned, on=on)
    graph.recompile()


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


def _block_stages(count: int, graph: TrainingGraph, schemes: Mapping[str, Scheme]) -> list[Stage]:
    made = blocks(graph, count, schemes)

    def stage(place: int) -> Stage:
        def prepare(graph: TrainingGraph) -> None:
            for name in made[place - 1] if place else ():
                graph.weights[name].freeze()
            _enter(graph, schemes, made[place])

        return Stage(f"block {place + 1} of {len(made)}: {', '.join(made[place])}", prepare)

    return [stage(place) for place in range(len(made))]


def _partition_stages(shares: tuple[float, ...], schemes: Mapping[str, Scheme]) -> list[Stage]:
    def stage(place: int) -> Stage:
        def prepare(graph: TrainingGraph) -> None:
            if not place:
                _enter(graph, schemes, tuple(schemes), on=False)
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
