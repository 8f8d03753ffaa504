"""Named ways to quantize a model: which grid each layer gets, when, and what is hoped of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgeasr.errors import InputError, alternatives
from edgeasr.quantize import ACTIVATIONS, INTEGER_ACTIVATIONS, schemes
from edgeasr.quantize.low_bit import ROUNDINGS
from edgeasr.quantize.schemes import Scheme

# When: after training; in training; block after block; part after part of each layer (INQ).
WHEN = ("post", "aware", "blocks", "partition")
_SELECTORS = ("first", "last", "depthwise")


@dataclass(frozen=True)
class Schooling:
    """How a quantized model is trained on from a float one.

    epochs: of each stage; an epoch shows as many pictures as there are training clips. rate:
    highest learning rate, reached after a twentieth of a stage's steps, lowered along a cosine to
    nothing. teaching: share of the loss that compares with the float model's scores at
    `temperature` (Hinton et al., "Distilling the knowledge in a neural network", 2015); the rest
    compares with the labels. The float model alone teaches by default: what is wanted is its
    function in fewer bits. averaging: share of the old mean that the mean of all variables keeps
    at each step; the mean at a stage's end is what is kept.
    """

    epochs: int = 6
    rate: float = 5e-4
    teaching: float = 1.0
    temperature: float = 2.0
    averaging: float = 0.995


# Few bits move weights far.
_LONGER = Schooling(epochs=8, rate=1e-3)
_STAGE = Schooling(epochs=3, rate=1e-3)


@dataclass(frozen=True)
class Goal:
    """points_lost: of accuracy against the float model, at most; bytes_share: of the weights'
    bytes as int8, at most."""

    points_lost: float
    bytes_share: float


@dataclass(frozen=True)
class QuantizationRecipe:
    """weights: the scheme of every layer, but for `layers`, which names others: a layer by its
    operation's number, or `first`, `last`, `depthwise`; a number comes before a word.

    rounding: of low bits after training, or where training begins: see low_bit.quantize_weights.
    blocks: into how many a model falls for `when` "blocks"; shares: of each layer's weights that
    are frozen after each stage of "partition".
    """

    name: str
    weights: str = "uniform8"
    layers: Mapping[str, str] = field(default_factory=dict)
    when: str = "post"
    activations: str = "int8"
    rounding: str = "nearest"
    bias_correction: bool = False
    equalize: bool = False
    schooling: Schooling = Schooling()
    blocks: int = 4
    shares: tuple[float, ...] = (0.5, 0.75, 0.875, 1.0)
    search: bool = False
    goal: Goal | None = None

    def __post_init__(self) -> None:
        for what, allowed in (
            ("when", WHEN), ("activations", ACTIVATIONS), ("rounding", ROUNDINGS),
        ):  # fmt: skip
            value = getattr(self, what)
            if value not in allowed:
                raise InputError(f'{what} "{value}" is not known; {alternatives(value, allowed)}')
        if self.when != "post" and self.activations != "int8":
            raise InputError(
                f"activations {self.activations} go with post-training quantization only; "
                "give int8, or leave the training out"
            )
        if self.activations not in INTEGER_ACTIVATIONS and self.low_bit:
            raise InputError(
                f"activations {self.activations} keep the converter's own weights; "
                f"{self.weights} goes with int8 or int16"
            )
        schemes.parse(self.weights)
        for selector, text in self.layers.items():
            if selector not in _SELECTORS and not selector.isdigit():
                raise InputError(
                    f"layer \"{selector}\": the number of an operation (see 'edgeasr inspect') or "
                    f"{', '.join(_SELECTORS)} is allowed"
                )
            schemes.parse(text)

    @property
    def low_bit(self) -> bool:
        """Whether a layer lies on another grid than int8's."""
        return self.search or any(
            text.partition("/")[0] != "uniform8" for text in (self.weights, *self.layers.values())
        )

    @property
    def trains(self) -> bool:
        return self.when != "post"

    def assign(self, kinds: Mapping[int, str]) -> dict[int, Scheme]:
        """Return the scheme of each layer. kinds: operation number -> its TFLite kind, in order.

        Raises InputError for a number that is no layer with weights.
        """
        numbers = list(kinds)
        for selector in self.layers:
            if selector.isdigit() and int(selector) not in kinds:
                raise InputError(
                    f"layer {selector}: operation #{selector} has no weights; those that have: "
                    + ", ".join(map(str, numbers))
                )

        def text(number: int) -> str:
            words = [str(number)]
            words += ["first"] * (number == numbers[0]) + ["last"] * (number == numbers[-1])
            words += ["depthwise"] * (kinds[number] == "DEPTHWISE_CONV_2D")
            return next((self.layers[word] for word in words if word in self.layers), self.weights)

        return {number: schemes.parse(text(number)) for number in numbers}

    def with_layers(self, layers: Mapping[int, str]) -> QuantizationRecipe:
        """Return the recipe with schemes that a search found, by operation number."""
        return replace(self, layers={str(k): v for k, v in layers.items()}, search=False)


# The first and the last layer are small, and the most sensitive.
_ENDS = {"first": "uniform8", "last": "uniform8"}
# So are depthwise layers.
_TERNARY = {**_ENDS, "depthwise": "uniform4/channel/learned"}
_TWO_BITS = {
    "first": "uniform8", "last": "uniform4/channel/learned",
    "depthwise": "codebook8/tensor/learned",
}  # fmt: skip

RECIPES: Mapping[str, QuantizationRecipe] = {
    recipe.name: recipe
    for recipe in (
        QuantizationRecipe("int8", goal=Goal(0.3, 1.0)),
        QuantizationRecipe(
            "int8-qat", when="aware", schooling=Schooling(epochs=4), goal=Goal(0.0, 1.0)
        ),
        QuantizationRecipe(
            "uniform4-qat", "uniform4/channel/learned", _ENDS, "aware",
            rounding="compensated", goal=Goal(0.3, 0.54)
        ),
        QuantizationRecipe(
            "codebook16-qat", "codebook16/tensor/learned", _ENDS, "aware",
            rounding="compensated", goal=Goal(0.3, 0.54)
        ),
        QuantizationRecipe(
            "codebook8-qat", "codebook8/tensor/learned", _ENDS, "aware",
            rounding="compensated",
            schooling=_LONGER, goal=Goal(1.0, 0.42),
        ),
        QuantizationRecipe(
            "pot4-incremental", "pot4/channel/learned", _ENDS, "partition",
            schooling=_STAGE, goal=Goal(0.7, 0.54),
        ),
        QuantizationRecipe(
            "codebook4-incremental", "codebook4/tensor/learned", _TWO_BITS, "blocks", blocks=2,
            rounding="compensated",
            schooling=Schooling(epochs=6, rate=1e-3), goal=Goal(2.0, 0.30),
        ),
        QuantizationRecipe(
            "mixed", "codebook8/tensor/learned", when="aware", search=True,
            rounding="compensated",
            schooling=_LONGER, goal=Goal(0.5, 0.40),
        ),
        QuantizationRecipe(
            "ternary-incremental", "ternary/channel/learned", _TERNARY, "blocks", blocks=2,
            rounding="compensated",
            schooling=Schooling(epochs=6, rate=1e-3),
        ),
        QuantizationRecipe("uniform4", "uniform4", rounding="compensated"),
        QuantizationRecipe("codebook16", "codebook16", rounding="compensated"),
        QuantizationRecipe("int16x8", activations="int16"),
        QuantizationRecipe("dynamic", activations="dynamic"),
        QuantizationRecipe("float16", activations="float16"),
        QuantizationRecipe("float32", activations="float32"),
    )
}  # fmt: skip


def find(name: str) -> QuantizationRecipe:
    """Return a named recipe. Raises InputError that lists the names."""
    if name not in RECIPES:
        raise InputError(f'recipe "{name}" is not known; {alternatives(name, RECIPES)}')
    return RECIPES[name]


def goals() -> Sequence[QuantizationRecipe]:
    """Return the recipes that have a goal."""
    return [recipe for recipe in RECIPES.values() if recipe.goal]
