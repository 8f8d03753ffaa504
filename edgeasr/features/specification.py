"""A front end as the runtime wants it: its constants, and the C files that they are for."""

from edgeasr.features import mel, micro
from edgeasr.features.front_end import FrontEnd
from edgeasr.features.structs import Struct

_MEL = ("ear_fft_int32.c", "ear_fft_int32.h", "ear_frontend_mel.c", "ear_frontend_mel.h")
_MICRO = (
    "ear_fft_int16.c", "ear_fft_int16.h", "ear_fft_int16_arithmetic.h", "ear_fft_stages.h",
    "ear_frontend_micro.c", "ear_frontend_micro.h", "ear_micro.h",
)  # fmt: skip
_SOURCES = {
    "micro": _MICRO,
    "logmel": _MEL,
    "mfcc": _MEL,
}
COMMON_SOURCES = ("ear.h", "ear_frontend.c", "ear_frontend.h")


def specification(front_end: FrontEnd) -> Struct:
    """Return the ear_frontend_spec_t of a front end."""
    return (micro if front_end.kind == "micro" else mel).specification(front_end)


def c_sources(front_end: FrontEnd) -> tuple[str, ...]:
    """Return the files of the runtime, headers too, that a front end needs."""
    return tuple(sorted((*COMMON_SOURCES, *_SOURCES[front_end.kind])))
