"""Which runtime files a kernel needs."""

from edgeasr import paths
from edgeasr.codegen.call import KernelCall
from edgeasr.codegen.lower import lower
from edgeasr.codegen.sources import closure
from tests.vectors.kernels.cases import KINDS, cases


def test_closure_follows_includes_and_brings_their_sources() -> None:
    assert closure("ear_softmax_s8.c") == (
        "ear.h",
        "ear_kernels.h",
        "ear_requantize.h",
        "ear_softmax.c",
        "ear_softmax.h",
        "ear_softmax_s8.c",
        "ear_weights.c",
        "ear_weights.h",
    )


def test_closure_of_a_file_that_is_not_there_is_empty() -> None:
    assert closure("ear_nothing.c") == ()


def test_every_kernel_names_files_that_exist() -> None:
    seen = set()
    for kind in KINDS:
        for case in cases(kind, 5):
            call = lower(case.graph, case.op)
            if isinstance(call, KernelCall):
                seen.add(call.kernel)
                assert f"{call.kernel}.c" in call.sources
                for name in call.sources:
                    assert (paths.runtime() / name).is_file()
    assert len(seen) > 50
