"""Models of few bits in the simulator: the host's bits on real recordings, in less flash."""

import pytest

from edgeasr import boards, deploy, hil, paths, quantization, speech, toolchain
from edgeasr.audio import catalog
from edgeasr.quantize.executors import Serial
from edgeasr.training.recipes import QuantizationRecipe
from tests.conftest import need

BOARD = "qemu_mps2_an386"
CLIPS = 12


@pytest.fixture(scope="module")
def as_int8(tmp_path_factory, shared_data):
    """Flash bytes and instructions an inference of the model before it."""
    need("arm-none-eabi-gcc", "qemu-system-arm", "cmake")
    model = deploy.load_model("digits")
    made = deploy.export(model, boards.load(BOARD), tmp_path_factory.mktemp("raw") / "p")
    flash = toolchain.build(made.folder).flash_bytes
    return flash, hil.run(made, _clips(shared_data, model, 1)).instructions("inference")


def _clips(shared_data, model, count):
    clips = catalog.load(shared_data / "digits")
    return hil.select(clips, model.facts.labels, split="test", limit=count)[0]


@pytest.mark.board(BOARD)
@pytest.mark.parametrize(
    "weights, share", [("codebook8", 0.39), ("uniform4", 0.51), ("pot4", 0.51), ("ternary", 0.21)]
)
def test_a_low_bit_model_hears_what_the_host_hears(weights, share, as_int8, shared_data, tmp_path):
    out = tmp_path / "low.tflite"
    report = quantization.quantize_model(
        str(paths.zoo() / "digits.tflite"), None, out, QuantizationRecipe("low", weights),
        seed=1, board=BOARD, executor=Serial(),
    )  # fmt: skip
    assert report["weight_bytes"] <= share * report["int8_weight_bytes"]
    model = speech.load(out)
    made = deploy.export(model, boards.load(BOARD), tmp_path / "project")
    built = toolchain.build(made.folder)
    saved = report["int8_weight_bytes"] - report["weight_bytes"]
    flash, instructions = as_int8
    assert flash - built.flash_bytes > 0.9 * saved
    heard = hil.run(made, _clips(shared_data, model, CLIPS))
    assert len(heard.outcomes) == CLIPS
    assert heard.agreement == 1.0
    # Unpacking costs less than a fifth.
    assert deploy.macs(model) < heard.instructions("inference") < 1.2 * instructions
