"""Instructions of a core for which the runtime has kernels of their own.

Lowering chooses kernels and lays out weights for one extension. Each kernel compiles for every
core all the same: where the core lacks the instructions, plain C gives the same bits.
"""

NONE, DSP, MVE, NEON = EXTENSIONS = ("none", "dsp", "mve", "neon")
# DSP: two int16 in a word. MVE (Helium) and NEON: vectors of 128 bits.
_BY_CORE = {
    "cortex-m4": DSP,
    "cortex-m7": DSP,
    "cortex-m33": DSP,
    "cortex-m55": MVE,
    "cortex-m85": MVE,
    "cortex-a53": NEON,
    "cortex-a72": NEON,
    "cortex-a76": NEON,
}


def of_core(core: str) -> str:
    """Return the extension of a core, named as GCC's -mcpu names it; NONE for any other."""
    return _BY_CORE.get(core, NONE)
