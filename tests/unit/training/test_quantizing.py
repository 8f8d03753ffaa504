"""Recipes on a model trained on tones: what is written, what is reported, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from edgeasr import graph, paths, quantization, speech, training
from edgeasr.errors import CheckError, InputError
from edgeasr.quantize import schemes
from edgeasr.quantize.executors import Serial
from edgeasr.training import incremental, qat, quantizing, recipes, trials
from edgeasr.training.options import Observer
from edgeasr.training.recipes import RECIPES, QuantizationRecipe, Schooling
from tests.conftest import need_package

need_package("keras")
SHORT = Schooling(epochs=1, rate=1e-3)


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    """Return a folder with the trained model's files."""
    made = tmp_path_factory.mktemp("models")
    training.write(trained, made, "edgeasr train digits")
    return made


@pytest.fixture(scope="module")
def prepared(folder, data, cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEASR_CACHE", str(cache))
        source = quantizing.load_source(folder / "digits.keras")
        return quantizing.prepare(source, data, trains=True, voices=0)


def levels(content):
    made = graph.parse(content)
    return {
        op.index: made.tensor(op.inputs[1]).data
        for op in made.ops
        if op.kind in ("CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D")
    }


@pytest.mark.parametrize(
    "recipe",
    [
        QuantizationRecipe("a", "uniform4/channel/learned", {"last": "uniform8"}, "aware"),
        QuantizationRecipe("b", "ternary", when="blocks", blocks=2),
        QuantizationRecipe("c", "pot4/channel/learned", when="partition", shares=(0.5, 1.0)),
        QuantizationRecipe("d", "codebook8", rounding="compensated"),
        QuantizationRecipe("e", "uniform5/tensor", bias_correction=True, equalize=True),
        QuantizationRecipe("f"),
    ],
    ids=lambda recipe: f"{recipe.weights.partition('/')[0]}-{recipe.when}",
)
def test_a_recipe_puts_each_layer_on_its_grid(prepared, recipe):
    recipe = replace(recipe, schooling=SHORT)
    made = quantizing.run(prepared, recipe)
    stored = levels(made.content)
    chosen = {int(op): schemes.parse(text) for op, text in made.report["layers"].items()}
    assert set(stored) == set(chosen)
    for op, scheme in chosen.items():
        allowed = scheme.levels()
        if allowed is not None:
            assert np.isin(stored[op], allowed).all()
        else:
            assert len(np.unique(stored[op])) <= scheme.size
    report = made.report
    assert report["test"]["correct"] == round(report["test"]["accuracy"] * report["test"]["clips"])
    assert report["weight_bytes"] <= report["int8_weight_bytes"]
    assert ("disagreement" in report) == recipe.trains


def test_the_same_seed_gives_the_same_file(prepared):
    recipe = QuantizationRecipe("a", "codebook8/tensor/learned", when="aware", schooling=SHORT)
    first, second, other = (quantizing.run(prepared, recipe, seed) for seed in (1, 1, 2))
    assert first.content == second.content
    assert first.content != other.content


def test_an_interrupted_training_ends_as_one_that_was_not(prepared, tmp_path):
    recipe = QuantizationRecipe(
        "a", "ternary", when="blocks", blocks=2, schooling=Schooling(epochs=2)
    )
    whole = quantizing.run(prepared, recipe)

    class Stop(Exception):
        pass

    seen = []

    def stop(epoch, total):
        seen.append(epoch.number)
        if len(seen) == 4:  # the second stage's last epoch, before it is kept
            raise Stop

    with pytest.raises(Stop):
        quantizing.run(prepared, recipe, 1, Observer(on_epoch=stop), tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2
    again = []
    resumed = quantizing.run(
        prepared, recipe, 1, Observer(on_epoch=lambda e, t: again.append(e.number)), tmp_path
    )
    assert again == [2]
    assert resumed.content == whole.content
    assert not list(tmp_path.iterdir())


def test_blocks_hold_each_layer_once_the_largest_first(prepared):
    from edgeasr.quantize import folding
    from edgeasr.quantize.simulation import TrainingGraph

    made = TrainingGraph(folding.fold(prepared.source.model))
    names = {name: schemes.parse("ternary") for name in made.weights}
    found = incremental.blocks(made, 2, names)
    assert sorted(name for block in found for name in block) == sorted(names)
    sizes = [made.weights[name].kernel().size for block in found for name in block]
    assert sizes == sorted(sizes, reverse=True)


def test_a_share_of_the_largest_weights_keeps_those_that_are_frozen(prepared):
    from edgeasr.quantize import folding, grids
    from edgeasr.quantize.simulation import TrainingGraph

    made = TrainingGraph(folding.fold(prepared.source.model))
    weights = next(iter(made.weights.values()))
    weights.set_grid(grids.fit(weights.kernel(), schemes.parse("pot4"), 0), on=False)
    half = incremental.largest(weights, 0.5)
    assert half.sum() == round(0.5 * half.size)
    kernel = np.abs(weights.kernel())
    assert kernel[half].min() >= kernel[~half].max()
    weights.freeze(half)
    weights.latent.assign(weights.latent * 0.0)
    more = incremental.largest(weights, 0.75)
    assert more[half].all()
    assert more.sum() == round(0.75 * more.size)


def test_a_recipe_gives_layers_their_schemes_by_number_before_word():
    recipe = QuantizationRecipe(
        "x", "uniform4", {"first": "uniform8", "depthwise": "pot4", "1": "ternary"}
    )
    kinds = {0: "CONV_2D", 1: "DEPTHWISE_CONV_2D", 2: "DEPTHWISE_CONV_2D", 5: "CONV_2D"}
    found = {op: scheme.kind for op, scheme in recipe.assign(kinds).items()}
    assert found == {0: "uniform", 1: "ternary", 2: "pot", 5: "uniform"}
    assert [recipe.assign(kinds)[op].size for op in (0, 5)] == [8, 4]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"when": "later"}, 'when "later" is not known; allowed: aware'),
        ({"activations": "int4"}, 'activations "int4" is not known'),
        ({"rounding": "up"}, 'rounding "up" is not known'),
        ({"when": "aware", "activations": "int16"}, "post-training quantization only"),
        ({"weights": "uniform4", "activations": "float16"}, "keep the converter's own weights"),
        ({"weights": "uniform7"}, "uniform of 7 does not exist"),
        ({"layers": {"middle": "uniform4"}}, 'layer "middle": the number of an operation'),
    ],
)
def test_what_goes_with_nothing_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        QuantizationRecipe("x", **options)


def test_a_layer_that_has_no_weights_is_refused():
    recipe = QuantizationRecipe("x", layers={"3": "uniform4"})
    with pytest.raises(InputError, match="operation #3 has no weights; those that have: 0, 2"):
        recipe.assign({0: "CONV_2D", 2: "CONV_2D"})


def test_every_named_recipe_is_valid_and_found():
    for name, recipe in RECIPES.items():
        assert recipes.find(name) is recipe
    with pytest.raises(InputError, match='recipe "int9" is not known'):
        recipes.find("int9")
    assert len(recipes.goals()) == 8


def quantize(name, data, out, recipe, **options):
    settings = {"seed": 1, "board": None, "executor": Serial()} | options
    return quantization.quantize_model(str(name), data, out, recipe, **settings)


def test_a_model_is_written_with_its_facts(folder, data, kept, tmp_path):
    out = tmp_path / "new" / "q.tflite"
    report = quantize(folder / "digits.keras", data, out, RECIPES["int8"], board="host")
    facts = speech.load(out).facts
    assert facts.labels == ("_silence_", "_unknown_", *"0123456789")
    assert facts.provenance["quantization"]["recipe"] == "int8"
    assert report["file"] == str(out)
    assert [file.name for file in out.parent.iterdir()] == ["q.tflite"]


def test_a_tflite_takes_schemes_without_training(folder, data, tmp_path):
    out = tmp_path / "q.tflite"
    recipe = QuantizationRecipe("x", "codebook16", {"last": "uniform8"})
    report = quantize(folder / "digits.tflite", None, out, recipe)
    stored = list(levels(out.read_bytes()).values())
    assert all(len(np.unique(values)) <= 16 for values in stored[:-1])
    assert report["weight_bytes"] < 0.7 * report["int8_weight_bytes"]
    assert speech.load(out).facts.labels
    with pytest.raises(InputError, match="needs recordings to calibrate with; give --data"):
        quantize(folder / "digits.tflite", None, out, replace(recipe, bias_correction=True))
    calibrated = replace(recipe, rounding="compensated")
    quantize(folder / "digits.tflite", data / "digits", out, calibrated)
    with pytest.raises(InputError, match=r"give its float model \(\.keras\)"):
        quantize(folder / "digits.tflite", data, out, RECIPES["int8-qat"])


def test_what_cannot_be_is_refused_and_leaves_nothing(folder, data, kept, tmp_path):
    out = tmp_path / "q.tflite"
    with pytest.raises(InputError, match=r"no such \.keras file"):
        quantize(tmp_path / "none.keras", data, out, RECIPES["int8"])
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"not a model")
    with pytest.raises(InputError, match=r"broken\.keras: is not a Keras model"):
        quantize(broken, data, out, RECIPES["int8"])
    with pytest.raises(InputError, match="float16: board qemu_mps2_an386 runs the ear engine"):
        quantize(folder / "digits.keras", data, out, RECIPES["float16"], board="qemu_mps2_an386")
    with pytest.raises(InputError, match="needs recordings to calibrate with; give --data"):
        quantize(folder / "digits.keras", None, out, RECIPES["int8"])
    assert [file.name for file in tmp_path.iterdir()] == ["broken.keras"]


def test_a_model_too_large_for_its_board_is_not_written(folder, data, kept, tmp_path):
    facts = (paths.boards() / "qemu_mps2_an386.toml").read_text()
    small = tmp_path / "boards" / "small.toml"
    small.parent.mkdir()
    small.write_text(facts.replace("bytes = 0x400000", "bytes = 0x400", 1))
    out = tmp_path / "made" / "q.tflite"
    with pytest.raises(CheckError, match=r"of flash, board small has 1,024 B"):
        quantize(folder / "digits.keras", data, out, RECIPES["int8"], board=str(small))
    assert not list(out.parent.iterdir())


def test_trials_are_kept_and_not_run_twice(folder, data, kept, tmp_path):
    recipe = QuantizationRecipe("x", "uniform4")
    wanted = [trials.Trial(folder / "digits.keras", recipe, seed) for seed in (1, 2)]
    ran = []

    class Counting(Serial):
        def start(self, make_worker):
            ran.append("started")
            return super().start(make_worker)

    first = trials.run(wanted, data, tmp_path, Counting(), voices=0)
    second = trials.run(wanted, data, tmp_path, Counting(), voices=0)
    assert ran == ["started"]
    assert [one.report for one in first] == [one.report for one in second]
    assert all(one.file.is_file() for one in first)
    other = [trials.Trial(folder / "digits.keras", replace(recipe, weights="pot4"), 1)]
    trials.run(other, data, tmp_path, Counting(), voices=0)
    assert ran == ["started", "started"]


def test_a_checkpoint_that_is_damaged_is_not_trusted(tmp_path):
    file = tmp_path / "x.npz"
    qat.save_arrays(file, {"a": np.arange(3)}, {"n": 1})
    arrays, facts = qat.load_arrays(file)
    assert facts == {"n": 1} and arrays["a"].tolist() == [0, 1, 2]
    file.write_bytes(file.read_bytes()[:-20])
    assert qat.load_arrays(file) is None
