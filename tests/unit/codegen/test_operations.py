"""The table of operations says what the engine has, and the runtime's README shows it."""

import pytest

from edgeasr import paths
from edgeasr.codegen.lower import lower, supported
from edgeasr.codegen.operations import operations, reason, table
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from tests.vectors.kernels.building import Case
from tests.vectors.kernels.cases import KINDS, cases

# They have no case of their own: they move nothing, or are tried with whole models.
_WITHOUT_CASES = {
    "ASSIGN_VARIABLE", "CALL_ONCE", "EXPAND_DIMS", "READ_VARIABLE", "RESHAPE", "SQUEEZE",
    "VAR_HANDLE",
}  # fmt: skip
_BEGIN, _END = "<!-- operations -->\n\n", "\n\n<!-- end of operations -->"


def _first_type(case: Case) -> str:
    operands = [case.graph.tensor(i) for i in case.op.inputs if i >= 0]
    computed = [t for t in operands if t.data is None and not t.is_variable]
    return (computed or operands)[0].dtype


def test_types_are_those_tried_against_tflite_micro() -> None:
    tried: dict[str, set[str]] = {}
    for family in KINDS:
        for case in cases(family, 40):
            tried.setdefault(case.op.kind, set()).add(_first_type(case))

    for operation in operations():
        if operation.types and operation.kind not in _WITHOUT_CASES:
            assert tried[operation.kind] == set(operation.types), operation.kind


def test_every_kernel_is_in_the_table() -> None:
    assert {o.kind for o in operations() if o.types} == set(supported())


def test_every_lack_has_a_reason_and_no_kernel() -> None:
    for operation in operations():
        if not operation.types:
            assert operation.reason == reason(operation.kind)
            assert operation.kind not in supported()


@pytest.mark.parametrize("kind", ["EXP", "WHILE", "CUSTOM:TFLite_Detection_PostProcess"])
def test_refusals_say_why(kind: str) -> None:
    tensors = tuple(Tensor(i, f"t{i}", (1, 4), "int8") for i in range(2))
    graph = Graph("main", tensors, (Op(0, kind, (0,), (1,)),), (0,), (1,))

    with pytest.raises(InputError, match=f"#0 {kind}: not supported: ") as error:
        lower(graph, graph.ops[0])
    assert reason(kind) in str(error.value)


def test_readme_has_the_table(request: pytest.FixtureRequest) -> None:
    file = paths.firmware_templates() / "README.md"
    head, rest = file.read_text().split(_BEGIN)
    shown, tail = rest.split(_END)
    if request.config.getoption("--update-golden"):
        file.write_text(head + _BEGIN + table() + _END + tail)
    else:
        assert shown == table(), "operations changed; see --update-golden"
