"""Figures of tests/sim/baseline.json hold: nothing takes over 1 % more than when it was written.

To accept what is worse, or to keep what became better (DATA is the folder of third-party models):

    edgeasr bench digits keywords DATA/[tm]*.tflite --engines ear --inputs 2 --board BOARD \
        --baseline tests/sim/baseline.json --update-baseline
"""

from pathlib import Path

import pytest

from edgeasr import bench, boards, deploy, speech
from edgeasr.bench import baseline
from tests.conftest import need

_FILE = Path(__file__).with_name("baseline.json")
_HELD = baseline.load(_FILE)
_INPUTS = 2
_CASES = [(b, m) for b, engines in _HELD.items() for m in engines["ear"]]


def _path(model: str, request: pytest.FixtureRequest) -> str:
    if Path(model).stem in deploy.zoo_names():
        return Path(model).stem
    return str(request.getfixturevalue("shared_data") / "models" / model)


@pytest.mark.parametrize(("board", "model"), _CASES)
def test_nothing_became_worse(
    board: str, model: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    loaded = deploy.load_model(_path(model, request), front_end=speech.NONE)

    found = [bench.compare(loaded, boards.load(board), tmp_path, engines=["ear"], inputs=_INPUTS)]

    assert found[0].agrees
    changed = baseline.changes(_HELD, found)
    worse = [str(c) for c in changed if c.percent > baseline.TOLERANCE_PERCENT]
    worse += baseline.lost(_HELD, found)
    assert not worse, "to accept, see the head of this file:\n" + "\n".join(worse)


def test_every_model_of_the_zoo_has_figures() -> None:
    for engines in _HELD.values():
        assert {f"{name}.tflite" for name in deploy.zoo_names()} <= {*engines["ear"]}
