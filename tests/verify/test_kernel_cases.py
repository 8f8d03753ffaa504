"""The kernels run their cases as a C program, as lowered for each extension: under ASan and UBSan,
and on every core in QEMU.
"""

import dataclasses
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr import paths
from edgeasr.codegen.extensions import EXTENSIONS, of_core
from edgeasr.codegen.lower import lower
from edgeasr.codegen.packing import pack
from edgeasr.errors import InputError
from edgeasr.graph import Tensor
from tests.conftest import need
from tests.vectors.kernels import emit
from tests.vectors.kernels.cases import KINDS, Case, cases
from tests.vectors.kernels.cases_packed import GRIDS, LAYERS, pack_for, packed_cases
from tests.vectors.kernels.cases_wide import REAL, WIDE
from tests.vectors.kernels.mutants import mutants
from tests.vectors.kernels.oracle import expected

# Kinds with kernels of some extension's own have more cases than others.
_OWN_KERNELS = ("conv2d", "depthwise", "dense", "conv2d_int4", "depthwise_int4", "dense_int4",
                "svdf", "average_pool", "max_pool", "add", "sub", *WIDE)  # fmt: skip
_PER_OWN_KIND, _PER_REAL_LAYER, _PER_KIND = 60, 2, 5
_PER_PACKING = 6
_PACKED_LAYERS = ("conv2d", "depthwise", "dense")
_FLAGS = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wdouble-promotion -Werror".split()
_SANITIZED = "gcc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all".split()
_HERE = Path(__file__).parent / "kernels"


@dataclasses.dataclass(frozen=True)
class _Bare:
    """A core, the machine of QEMU that runs its code, and that machine's memory."""

    core: str
    machine: str
    flags: str = ""
    vectors: int = 0
    code: int = 0x400
    data: int = 0x20000000


# No machine has a Cortex-M0+ with enough memory: a Cortex-M3 runs its code, and traps like it.
_BARE = (
    _Bare("cortex-m0plus", "mps2-an385", "-DEAR_TRAP_UNALIGNED"),
    _Bare("cortex-m3", "mps2-an385"),
    _Bare("cortex-m4", "mps2-an386", "-mfloat-abi=hard -mfpu=fpv4-sp-d16"),
    _Bare("cortex-m7", "mps2-an500", "-mfloat-abi=hard -mfpu=fpv5-d16"),
    _Bare(
        "cortex-m33", "mps2-an505", "-mfloat-abi=hard -mfpu=fpv5-sp-d16",
        vectors=0x10000000, code=0x80000000, data=0x38000000,
    ),
    _Bare("cortex-m55", "mps3-an547", "-mfloat-abi=hard", code=0x60000000, data=0x61000000),
)  # fmt: skip


def _count(kind: str) -> int:
    if kind in REAL:
        return _PER_REAL_LAYER
    return _PER_OWN_KIND if kind in _OWN_KERNELS else _PER_KIND


@functools.cache
def _program(extension: str) -> emit.Program:
    table = [(case, pack) for kind in KINDS for case in cases(kind, _count(kind))]
    table += [
        (case, pack_for(unpacker))
        for unpacker in GRIDS
        for layer in (LAYERS if extension == "none" else _PACKED_LAYERS)
        for case in packed_cases(unpacker, layer, _PER_PACKING)
    ]
    return emit.program(
        (case, lower(case.graph, case.op, pack=pack, extension=extension), expected(case))
        for case, pack in table
    )


def _compile(program: emit.Program, folder: Path, main: str, command: list[str]) -> Path:
    """The tables of the cases are compiled without optimization, which only takes time there."""
    (folder / "cases.c").write_text(program.text)
    sources = [str(paths.runtime() / s) for s in program.sources if s.endswith(".c")]
    built, table = folder / "cases", folder / "cases.o"
    compiling = [flag for flag in command if not flag.startswith(("-T", "-Wl", "-static"))]
    _run([*compiling, *_FLAGS, f"-I{paths.runtime()}", "-O0", "-c", str(folder / "cases.c"),
          "-o", str(table)])  # fmt: skip
    _run([*command, *_FLAGS, f"-I{paths.runtime()}", str(table), str(_HERE / main), *sources,
          "-o", str(built)])  # fmt: skip
    return built


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def _verdict(program: emit.Program, output: str) -> None:
    first_wrong = int(output.split("first wrong case:")[1].split()[0])
    assert first_wrong == 0, program.names[first_wrong - 1]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_hostile_operations_that_pass_stay_in_bounds(extension: str, tmp_path: Path) -> None:
    """Whatever lowering lets through of wrong operations, the sanitizers find nothing in it."""
    need("gcc")
    table = [case for kind in KINDS for case in _survivors(kind, extension)]
    assert len(table) > 100
    made = emit.program(
        (case, lower(case.graph, case.op, extension=extension), None) for case in table
    )
    built = _compile(made, tmp_path, "main_host.c", _SANITIZED)

    done = subprocess.run([built], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr[-4000:]


def _survivors(kind: str, extension: str) -> Iterator[Case]:
    """Cases of wrong operations that lowering accepts, small enough to run."""
    rng = np.random.default_rng(3)
    for number, graph in enumerate(mutants(kind, 60)):
        try:
            lower(graph, graph.ops[0], extension=extension)
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


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_clean_under_sanitizers(extension: str, tmp_path: Path) -> None:
    """An extension's kernels compile for the host too, and do the same there in plain C."""
    need("gcc")
    program = _program(extension)
    built = _compile(program, tmp_path, "main_host.c", _SANITIZED)

    done = subprocess.run([built], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr[-4000:]
    _verdict(program, done.stdout)


@pytest.mark.parametrize("bare", _BARE, ids=lambda bare: bare.core)
def test_bit_exact_on_cortex_m(bare: _Bare, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    program = _program(of_core(bare.core))
    places = [f"-Wl,--defsym=ear_{n}={getattr(bare, n):#x}" for n in ("vectors", "code", "data")]
    built = _compile(
        program, tmp_path, "main_semihosting.c",
        ["arm-none-eabi-gcc", f"-mcpu={bare.core}", "-mthumb", *bare.flags.split(), "-O2",
         "-ffreestanding", "-nostartfiles", "--specs=nosys.specs", *places,
         f"-T{_HERE / 'bare.ld'}"],
    )  # fmt: skip

    done = subprocess.run(
        ["qemu-system-arm", "-M", bare.machine, "-nographic", "-semihosting", "-kernel", built],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    _verdict(program, done.stdout + done.stderr)


def test_bit_exact_on_aarch64(tmp_path: Path) -> None:
    need("aarch64-linux-gnu-gcc", "qemu-aarch64")
    program = _program("neon")
    command = ["aarch64-linux-gnu-gcc", "-mcpu=cortex-a72", "-O2", "-static", "-ffp-contract=off"]
    built = _compile(program, tmp_path, "main_host.c", command)

    done = subprocess.run(
        ["qemu-aarch64", built], capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr[-4000:]
    _verdict(program, done.stdout)
