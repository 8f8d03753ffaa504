"""The session, which needs a project's headers, compiles under the strict flags for every core."""

from pathlib import Path

import pytest

from edgeasr import paths, process
from tests.conftest import need
from tests.unit.client import fake
from tests.verify.test_runtime_compiles import _STRICT, _TARGETS

_ALL = (
    "-DEAR_SELF_TEST_RAM_BASE=0x20000000u",
    "-DEAR_SELF_TEST_RAM_BYTES=0x20000u",
)


@pytest.mark.parametrize("defines", [(), _ALL], ids=["least", "all"])
@pytest.mark.parametrize("target", _TARGETS)
def test_session_compiles(target: str, defines: tuple[str, ...], tmp_path: Path) -> None:
    program, *flags = _TARGETS[target]
    need(program)
    fake.write_headers(tmp_path)
    include = [f"-I{d}" for d in (tmp_path, paths.runtime(), paths.firmware_templates() / "port")]
    sources = sorted(paths.runtime().glob("ear_session*.c"))
    assert {*fake.SESSION} < {source.name for source in sources}
    process.run([program, *flags, *_STRICT, *defines, *include, "-c", *sources], cwd=tmp_path)
