"""Generated text, kept: a change of what is generated is seen in the diff of tests/golden/.

`pytest tests/golden --update-golden` writes it anew; read the diff before committing it.
"""

from pathlib import Path

import pytest

from edgeasr import boards, deploy, speech
from edgeasr.codegen import extensions
from tests import tiny
from tests.unit.speech.test_model import NASTY

_HERE = Path(__file__).parent
_CASES = {
    "tiny-host": ("host", {}),
    "tiny-qemu_mps2_an386": ("qemu_mps2_an386", {}),
    "tiny-rpi4": ("rpi4", {}),
    "nasty-labels": ("host", {"labels": NASTY[:4], "name": 'n*/"'}),
    "tflm-host": ("host", {"labels": NASTY[:4], "name": 'n*/"'}),
    "tflm-qemu_mps2_an386": ("qemu_mps2_an386", {}),
}


def _generated(folder: Path, board: str, changes: dict, engine: str = "ear") -> dict[str, str]:
    """The project's generated text files, without those that are copied as they are."""
    model = speech.load(tiny.write_model(folder / "tiny.tflite", **changes))
    loaded = boards.load(board)
    if engine == "tflm":
        code = deploy.generate_tflm(model, loaded)
    else:
        extension = extensions.of_core(loaded.core)
        code = deploy.generate_model(model, board, extension=extension)
    files = deploy.project_files(model, loaded, code)
    return {name: text for name, text in files.items() if isinstance(text, str)}


@pytest.mark.parametrize("case", _CASES)
def test_generated_text_is_as_kept(
    case: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    generated = _generated(tmp_path, *_CASES[case], "tflm" if "tflm" in case else "ear")
    folder = _HERE / case
    if request.config.getoption("--update-golden"):
        for name, text in generated.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    kept = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    assert sorted(generated) == sorted(kept)
    for name, text in generated.items():
        assert text == kept[name], f"{case}/{name} changed; see --update-golden"


def test_generation_is_reproducible(tmp_path: Path) -> None:
    first = _generated(tmp_path, "host", {})
    second = _generated(tmp_path, "host", {})

    assert first == second
    for text in first.values():
        assert str(tmp_path) not in text and str(Path.home()) not in text
