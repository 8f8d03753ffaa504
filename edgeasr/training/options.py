"""What is trained and how, and whom the pipeline tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edgeasr.audio.augment import AugmentSpec
from edgeasr.features import FrontEnd
from edgeasr.models.examples import Examples, Window
from edgeasr.models.fitting import Epoch, Recipe
from edgeasr.models.picture import PictureSpec

# Chosen by measuring: see the README of the zoo.
FRONT_END = FrontEnd(
    kind="micro", window_ms=30, hop_ms=20, channels=40, noise_reduction=False, pcan=False
)
FRAMES = 49
NOISE_SNR_DB = 10.0
# Keywords have hundreds of speakers to learn from, digits few: they are held back less.
RECIPES = {
    "digits": Recipe(),
    "keywords": Recipe(
        epochs=75, last_rate=0.0, weight_decay=1e-4, mix=0.3, synthetic_share=0.4,
        averaging=0.998, picture=PictureSpec(warp=0.12, frequency_mask=6, time_mask=7),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """What is trained, and how. synthetic: clips per word of synthetic voices, 0 for none."""

    task: str
    architecture: str = "ds_resnet"
    window: Window = Window(FRONT_END, FRAMES)  # noqa: RUF009 - frozen
    recipe: Recipe = field(default_factory=Recipe)
    augment: AugmentSpec = field(
        default_factory=lambda: AugmentSpec(band_limit_chance=0.3, noise_chance=0.6)
    )
    takes: int = 6
    synthetic: int = 200
    synthetic_takes: int = 3


@dataclass(frozen=True)
class Observer:
    """Whom the pipeline tells what it does: a line, clips done of a total, an epoch, a warning."""

    say: Callable[[str], None] = lambda line: None
    on_clips: Callable[[str, int, int], None] = lambda what, done, total: None
    on_epoch: Callable[[Epoch, int], None] = lambda epoch, total: None


@dataclass(frozen=True)
class Arrays:
    """Examples of each split of a task."""

    train: Examples
    val: Examples
    test: Examples
