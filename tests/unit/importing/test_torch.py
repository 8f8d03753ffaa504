"""With PyTorch: a `.pt2` is imported, and the digit net of the tutorials goes the whole way."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeasr import importing, study
from edgeasr.errors import InputError
from edgeasr.quantize.executors import Serial
from edgeasr.training.recipes import RECIPES, QuantizationRecipe, Schooling
from tests.conftest import need, need_package
from tests.unit.training.conftest import data  # noqa: F401 - a fixture

need_package("keras")
need_package("onnx")
torch = pytest.importorskip("torch", reason="package torch is missing")
pytest.importorskip("onnxscript", reason="package onnxscript is missing")
_TOOL = Path(__file__).parents[3] / "tools" / "torch_digits.py"


def export(file, model, *shape, **options):
    program = torch.export.export(model.eval(), (torch.zeros(*shape),), **options)
    torch.export.save(program, str(file))
    return file


def net():
    nn = torch.nn
    torch.manual_seed(1)
    made = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(4 * 12 * 8, 3),
    )  # fmt: skip
    made[1].running_mean.normal_()
    made[1].running_var.uniform_(0.5, 2)
    return made


@pytest.mark.slow
def test_a_program_is_imported_and_computes_what_pytorch_does(tmp_path):
    model = net()
    made = importing.load(export(tmp_path / "net.pt2", model, 1, 1, 24, 16), (24, 16))
    assert made.agreement.judge == "PyTorch"
    x = np.random.default_rng(9).standard_normal((5, 24, 16)).astype(np.float32)
    with torch.no_grad():
        wanted = torch.softmax(model(torch.from_numpy(x[:, None])), dim=1).numpy()
    assert np.abs(np.asarray(made.built.model(x[..., None])) - wanted).max() < 1e-5


@pytest.mark.slow
def test_a_dynamic_batch_is_taken(tmp_path):
    shapes = {"input": {0: torch.export.Dim("batch")}}
    file = export(tmp_path / "net.pt2", net(), 2, 1, 24, 16, dynamic_shapes=shapes)
    assert importing.load(file, (24, 16)).built.input_shape == (1, 1, 24, 16)


@pytest.mark.slow
def test_a_program_that_pytorch_does_not_take_is_told_by_its_cause(tmp_path):
    file = export(tmp_path / "net.pt2", net(), 1, 1, 24, 16)
    with zipfile.ZipFile(file) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    name = next(name for name in members if name.endswith("models/model.json"))
    members[name] = members[name].replace(b'"kernel_size"', b'"colonel_size"')
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    with pytest.raises(InputError, match="PyTorch cannot convert it: KeyError: 'kernel_size'"):
        importing.load(file)


def test_a_recurrent_net_is_refused_by_its_operation(tmp_path):
    class Last(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = torch.nn.LSTM(16, 4, batch_first=True)

        def forward(self, x):
            return self.cell(x)[0][:, -1]

    file = export(tmp_path / "net.pt2", Last(), 1, 24, 16)
    with pytest.raises(InputError, match=r'operation "torch\.ops\.aten\.'):
        importing.load(file)


def test_a_checkpoint_is_refused(tmp_path):
    torch.save(net().state_dict(), tmp_path / "net.pt2")
    with pytest.raises(InputError, match=r"has no models/model\.json"):
        importing.load(tmp_path / "net.pt2")


@pytest.mark.slow
def test_the_digit_net_of_the_tutorials_ends_on_a_board(data, tmp_path, monkeypatch):  # noqa: F811
    """On tones in the place of digits: trained, imported, quantized, exported, run; then studied
    in floats, with dynamic ranges, as int8, and trained on int8's grid."""
    need("qemu-system-arm", "arm-none-eabi-gcc", "cmake", "ninja")
    monkeypatch.setenv("EDGEASR_CACHE", str(tmp_path / "cache"))
    done = subprocess.run(
        [sys.executable, _TOOL, data, "--out", tmp_path, "--epochs", "2", "--takes", "1",
         "--clips", "4"],
        capture_output=True, text=True, check=False, cwd=_TOOL.parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "largest difference from PyTorch" in done.stdout
    assert "features 100 %, scores 100 %" in done.stdout

    chosen = (
        RECIPES["float32"], RECIPES["dynamic"], RECIPES["int8"],
        QuantizationRecipe("int8-qat", when="aware", schooling=Schooling(epochs=1)),
    )  # fmt: skip
    plan = study.Plan(
        (str(tmp_path / "digits.keras"),), data, tmp_path / "study", chosen, (1,), "host",
        clips=2, voices=0,
    )  # fmt: skip
    (found,) = study.run(plan, Serial()).models
    rows = {row.recipe: row for row in found.rows}
    assert set(rows) == {"float32", "dynamic", "int8", "int8-qat"}
    assert found.reference_command == "edgeasr import torch-digits.pt2"
    assert rows["float32"].accuracy == found.reference_accuracy
    assert rows["float32"].instructions is None and rows["int8"].instructions is None
    assert rows["float32"].weight_bytes > 3.5 * rows["int8"].weight_bytes
    assert rows["dynamic"].weight_bytes < 0.3 * rows["float32"].weight_bytes


def test_the_example_tells_what_it_needs():
    done = subprocess.run(
        [sys.executable, _TOOL, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "small convolutional digit net" in done.stdout
