"""The bench of the kernel cases notices what is wrong: outputs, state, and writes beside them."""

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeasr import paths
from edgeasr.codegen.call import Array, KernelCall, Struct, Value
from edgeasr.codegen.lower import lower
from tests.conftest import need
from tests.vectors.kernels import emit, host
from tests.vectors.kernels.cases import Case, cases
from tests.vectors.kernels.oracle import Outputs, expected
from tests.vectors.kernels.test_kernels import ours

_MAIN = Path(__file__).parents[2] / "verify" / "kernels" / "main_host.c"


def _case(kind: str, kernel: str) -> tuple[Case, KernelCall]:
    """Return the first case of a family that becomes a call of this kernel."""
    for case in cases(kind, 40):
        made = lower(case.graph, case.op)
        if isinstance(made, KernelCall) and made.kernel == kernel:
            return case, made
    raise LookupError(kind)


def _inputs(case: Case, step: int = 0) -> dict[int, np.ndarray]:
    return dict(zip(case.graph.inputs, case.steps[step], strict=True))


def test_a_write_behind_an_output_is_seen() -> None:
    case, call = _case("slice", "ear_copy_block")
    start, count, *others = call.arguments
    longer = dataclasses.replace(call, arguments=(start, Value(count.value + 1), *others))

    with pytest.raises(AssertionError, match="ear_copy_block wrote outside"):
        host.Layer(case.graph, longer).invoke(_inputs(case))


def test_each_output_is_compared() -> None:
    case, call = _case("split_v", "ear_split")
    got = host.Layer(case.graph, _other_rows(call)).invoke(_inputs(case))

    wanted = expected(case)[0]
    assert len(got) == len(wanted) > 1
    assert any(a.tobytes() != b.tobytes() for a, b in zip(got, wanted, strict=True))


def _other_rows(call: KernelCall) -> KernelCall:
    """Return the call with a byte less for the last output."""
    params, *others = call.arguments
    assert isinstance(params, Struct)
    rows = params.fields["row_bytes"]
    assert isinstance(rows, Array)
    short = rows.values.copy()
    short[-1] -= 1
    fields = {**params.fields, "row_bytes": dataclasses.replace(rows, values=short)}
    changed = Struct(params.name, params.c_type, fields)
    return dataclasses.replace(call, arguments=(changed, *others))


def test_state_lasts_and_decides() -> None:
    case = next(c for c in cases("circular_buffer", 40) if c.graph.tensors[1].shape[1] > 3)
    wanted = expected(case)
    fresh = [ours(dataclasses.replace(case, inputs=step, later=()))[0] for step in case.steps]

    assert _same(ours(case), wanted)
    assert not _same(tuple(fresh), wanted)


def _same(one: tuple[Outputs, ...], other: tuple[Outputs, ...]) -> bool:
    return all(
        a.tobytes() == b.tobytes()
        for steps in zip(one, other, strict=True)
        for a, b in zip(*steps, strict=True)
    )


@pytest.mark.parametrize("kind", ["split_v", "circular_buffer", "dequantize_int8"])
def test_the_program_names_the_case_that_differs(kind: str, tmp_path: Path) -> None:
    """The last output of the last invocation of the last case is changed by one bit."""
    need("gcc")
    table = [(c, lower(c.graph, c.op), expected(c)) for c in cases(kind, 5)]
    table = [row for row in table if isinstance(row[1], KernelCall)]
    case, call, wanted = table[-1]
    raw = np.frombuffer(wanted[-1][-1].tobytes(), np.uint8).copy()
    raw[-1] ^= 1
    changed = (*wanted[-1][:-1], raw.view(wanted[-1][-1].dtype).reshape(wanted[-1][-1].shape))

    assert _first_wrong(table, tmp_path) == 0
    table[-1] = (case, call, (*wanted[:-1], changed))
    assert _first_wrong(table, tmp_path) == len(table)


def _first_wrong(table: list, folder: Path) -> int:
    program = emit.program(table)
    (folder / "cases.c").write_text(program.text)
    sources = [str(paths.runtime() / name) for name in program.sources if name.endswith(".c")]
    command = ["gcc", "-std=c11", f"-I{paths.runtime()}", "cases.c", str(_MAIN), *sources]
    subprocess.run([*command, "-o", "cases"], cwd=folder, check=True)
    done = subprocess.run([folder / "cases"], capture_output=True, text=True, check=True)
    return int(done.stdout.split(":")[1])
