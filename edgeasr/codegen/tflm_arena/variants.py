"""The builds of TFLite-Micro that differ in what they take from the arena, and their kernels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgeasr.codegen.tflm_arena import kernels, kernels_cmsis, kernels_signal
from edgeasr.codegen.tflm_arena.abi import Abi
from edgeasr.codegen.tflm_arena.kernels import Kernel
from edgeasr.errors import alternatives

_CORES = {
    "none": ("cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m23"),
    "dsp": ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m35p"),
    "mve": ("cortex-m52", "cortex-m55", "cortex-m85"),
}


@dataclass(frozen=True)
class Target:
    """A build of TFLite-Micro.

    abi: of the compiler. cmsis: path of CMSIS-NN's kernels (none, dsp or mve), None for the
    reference kernels. recording: with the allocator that records (the package on PyPI).
    compression: compiled with USE_TFLM_COMPRESSION (the package on PyPI too). quant_spec: with the
    options of FULLY_CONNECTED that came after August 2026. static_memory: compiled with
    TF_LITE_STATIC_MEMORY, as all but Arduino's port are: structs are larger without.
    """

    abi: Abi
    cmsis: str | None = None
    recording: bool = False
    compression: bool = False
    quant_spec: bool = True
    static_memory: bool = True

    @property
    def tensor(self) -> str:
        """The fields of a TfLiteTensor, in the notation of `abi`."""
        return "(ip)2i3p2eb" if self.static_memory else "e2p2ie4pi2b(ip)2p"

    @property
    def node(self) -> str:
        """The fields of a NodeAndRegistration."""
        return "(6pi)p" if self.static_memory else "(7pipb)p"


HOST = Target(Abi(pointer_bytes=8, enum_bytes=4))
PYPI = replace(HOST, recording=True, compression=True)


def cortex_m(cpu: str, *, cmsis_nn: bool = True) -> Target:
    """Return the build by arm-none-eabi-gcc for a core (cortex-m4, cortex-m55+nofp …).

    Raises ValueError for a core that is none of these.
    """
    name = cpu.partition("+")[0]
    path = next((path for path, names in _CORES.items() if name in names), None)
    if path is None:
        known = tuple(name for names in _CORES.values() for name in names)
        raise ValueError(f'core "{cpu}" not found; {alternatives(cpu, known)}')
    # AAPCS on bare metal: an enum is as small as its values allow.
    return Target(Abi(pointer_bytes=4, enum_bytes=1), path if cmsis_nn else None)


def kernel_table(target: Target) -> Mapping[str, Kernel]:
    """Return the kernels of a build, by the operator's kind."""
    table = {**kernels.KERNELS, **kernels_signal.KERNELS}
    if target.cmsis:
        table |= kernels_cmsis.table(target.cmsis)
    if not target.quant_spec:
        table["FULLY_CONNECTED"] = replace(table["FULLY_CONNECTED"], builtin="2e2be")
    if target.compression:
        for kind, fields in (
            ("ASSIGN_VARIABLE", "i"),
            ("CONCATENATION", "10i"),
            ("CONV_2D", "2i"),
            ("DEPTHWISE_CONV_2D", "2i"),
            ("FULLY_CONNECTED", "2i"),
            ("TRANSPOSE_CONV", "2i"),
        ):
            table[kind] = replace(table[kind], data=table[kind].data + fields)
    return table
