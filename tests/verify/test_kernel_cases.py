"""The kernels run their cases as a C program: under ASan and UBSan, and on a Cortex-M4F in QEMU."""

import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr import paths
from edgeasr.codegen.lower import lower
from edgeasr.codegen.packing import pack
from edgeasr.errors import InputError
from edgeasr.graph import Tensor
from tests.conftest import need
from tests.vectors.kernels import emit
from tests.vectors.kernels.cases import KINDS, Case, cases
from tests.vectors.kernels.cases_packed import GRIDS, LAYERS, pack_for, packed_cases
from tests.vectors.kernels.mutants import mutants
from tests.vectors.kernels.oracle import expected

_PER_KIND = 12
_PER_PACKING = 6
_FLAGS = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wdouble-promotion -Werror".split()
_SANITIZED = "gcc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all".split()
_M4F = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16".split()
_HERE = Path(__file__).parent / "kernels"


@pytest.fixture(scope="module")
def program() -> emit.Program:
    table = [(case, pack) for kind in KINDS for case in cases(kind, _PER_KIND)]
    table += [
        (case, pack_for(unpacker))
        for unpacker in GRIDS
        for layer in LAYERS
        for case in packed_cases(unpacker, layer, _PER_PACKING)
    ]
    return emit.program(
        (case, lower(case.graph, case.op, pack=pack), expected(case)) for case, pack in table
    )


def _compile(program: emit.Program, folder: Path, main: str, command: list[str]) -> Path:
    (folder / "cases.c").write_text(program.text)
    sources = [str(paths.runtime() / s) for s in program.sources if s.endswith(".c")]
    built = folder / "cases"
    done = subprocess.run(
        [*command, *_FLAGS, f"-I{paths.runtime()}", str(folder / "cases.c"), str(_HERE / main),
         *sources, "-o", str(built)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return built


def _verdict(program: emit.Program, output: str) -> None:
    first_wrong = int(output.split("first wrong case:")[1].split()[0])
    assert first_wrong == 0, program.names[first_wrong - 1]


def test_hostile_operations_that_pass_stay_in_bounds(tmp_path: Path) -> None:
    """Whatever lowering lets through of wrong operations, the sanitizers find nothing in it."""
    need("gcc")
    table = [case for kind in KINDS for case in _survivors(kind)]
    assert len(table) > 100
    made = emit.program((case, lower(case.graph, case.op), None) for case in table)
    built = _compile(made, tmp_path, "main_host.c", _SANITIZED)

    done = subprocess.run([built], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr[-4000:]


def _survivors(kind: str) -> Iterator[Case]:
    """Cases of wrong operations that lowering accepts, small enough to run."""
    rng = np.random.default_rng(3)
    for number, graph in enumerate(mutants(kind, 60)):
        try:
            lower(graph, graph.ops[0])
        except InputError:
            continue
        if sum(t.elements for t in graph.tensors) > 20000:
            continue
        op = graph.ops[0]
        inputs = [
            i
            for i in dict.fromkeys(op.inputs)
            if i >= 0 and graph.tensor(i).data is None and not graph.tensor(i).is_variable
        ]
        graph = dataclasses.replace(graph, inputs=tuple(inputs), outputs=op.outputs)
        values = tuple(_extremes(rng, graph.tensor(i)) for i in inputs)
        yield Case(f"{kind}-wrong-{number}", graph, values)


def _extremes(rng: np.random.Generator, tensor: Tensor) -> np.ndarray:
    if tensor.dtype == "float32":
        return np.asarray(
            rng.choice(np.array([-3e38, -1, 0, 1e-40, 3e38], np.float32), tensor.shape)
        )
    if tensor.dtype == "bool":
        return np.asarray(rng.random(tensor.shape) < 0.5)
    limits = np.iinfo(tensor.dtype)
    return np.asarray(rng.choice(np.array([limits.min, limits.max, 0], tensor.dtype), tensor.shape))


def test_clean_under_sanitizers(program: emit.Program, tmp_path: Path) -> None:
    need("gcc")
    built = _compile(program, tmp_path, "main_host.c", _SANITIZED)

    done = subprocess.run([built], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr[-4000:]
    _verdict(program, done.stdout)


def test_bit_exact_on_cortex_m4f(program: emit.Program, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    built = _compile(
        program, tmp_path, "main_semihosting.c",
        ["arm-none-eabi-gcc", *_M4F, "-O2", "-ffreestanding", "-nostartfiles",
         "--specs=nosys.specs", "-T", str(_HERE / "an386.ld")],
    )  # fmt: skip

    done = subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting", "-kernel", built],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    _verdict(program, done.stdout + done.stderr)
