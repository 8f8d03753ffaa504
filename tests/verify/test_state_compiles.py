"""The generated C of models with state compiles under the strict flags, and runs when sanitized."""

import subprocess
from pathlib import Path

import pytest

from edgeasr import paths
from edgeasr.codegen.model import generate
from tests.conftest import need
from tests.vectors.kernels.programs import random
from tests.verify.test_runtime_compiles import _STRICT, _TARGETS

_SEEDS = range(4)


def _write(folder: Path, seed: int) -> tuple[str, ...]:
    """Write the C of a random program; return the runtime files that it needs."""
    graph = random(seed)
    code = generate(graph, name="x", labels=["a"], content=b"", board="b", where="x")
    assert "memcpy(arena" in code.files["model.c"] or "memset(arena" in code.files["model.c"]
    for name, text in code.files.items():
        (folder / name).write_text(text)
    return tuple(str(paths.runtime() / name) for name in code.sources if name.endswith(".c"))


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("target", _TARGETS)
def test_models_with_state_compile(target: str, seed: int, tmp_path: Path) -> None:
    program, *flags = _TARGETS[target]
    need(program)
    _write(tmp_path, seed)
    include = [f"-I{paths.runtime()}", "-I."]

    done = subprocess.run(
        [program, *flags, *_STRICT, *include, "-c", "model.c"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert not done.stderr


@pytest.mark.parametrize("seed", _SEEDS)
def test_models_with_state_run_in_bounds(seed: int, tmp_path: Path) -> None:
    need("gcc")
    sources = _write(tmp_path, seed)
    main = Path(__file__).parents[1] / "fuzz" / "invoke.c"
    sanitized = "gcc -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all".split()

    subprocess.run(
        [*sanitized, f"-I{paths.runtime()}", "-I.", "model.c", main, *sources, "-lm", "-o", "run"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    done = subprocess.run(["./run"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-4000:]
