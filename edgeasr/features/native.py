"""Features on the host: the device's own C, compiled for this computer."""

import ctypes
import functools

import numpy as np

from edgeasr import hostlib
from edgeasr.errors import InputError
from edgeasr.features.front_end import FrontEnd
from edgeasr.features.specification import c_sources, specification
from edgeasr.features.structs import to_ctypes


class _State(ctypes.Structure):
    """ear_frontend_t"""

    _fields_ = (
        ("spec", ctypes.c_void_p),
        ("samples", ctypes.c_void_p),
        ("words", ctypes.c_void_p),
        ("used", ctypes.c_uint32),
    )


class _Specification:
    """A front end's constants in this process's memory; read only, so threads may share it."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._keep: list[object] = []
        self.library = library(c_sources(front_end))
        described = specification(front_end)
        self._struct = to_ctypes(described, self.library, self._keep)
        self.address = ctypes.addressof(self._struct)
        self.words = described.fields["state_words"] + described.fields["scratch_words"]


@functools.cache
def library(sources: tuple[str, ...]) -> ctypes.CDLL:
    """Return the library of these runtime files. Raises ToolError without a C compiler."""
    loaded = hostlib.load(tuple(s for s in sources if s.endswith(".c")))
    pointer, count = ctypes.c_void_p, ctypes.c_uint32
    loaded.ear_frontend_reset.argtypes = [pointer]
    loaded.ear_frontend_reset.restype = None
    loaded.ear_frontend_push_all.argtypes = [pointer, pointer, count, pointer]
    loaded.ear_frontend_push_all.restype = count
    for kind in ("s8", "u8", "s16", "f32"):
        function = getattr(loaded, f"ear_quantize_features_{kind}")
        function.argtypes = [pointer, pointer, count, pointer]
        function.restype = None
    return loaded


@functools.lru_cache(maxsize=64)
def _loaded(front_end: FrontEnd) -> _Specification:
    return _Specification(front_end)


class Stream:
    """A front end that hears sound piece by piece; pieces of any length give the same features."""

    def __init__(self, front_end: FrontEnd) -> None:
        self.front_end = front_end
        self._specification = _loaded(front_end)
        self._samples = np.zeros(front_end.window_samples, np.int16)
        self._words = np.zeros(self._specification.words, np.uint32)
        self._state = _State(
            self._specification.address, self._samples.ctypes.data, self._words.ctypes.data, 0
        )
        self.reset()

    def reset(self) -> None:
        """Forget all that was heard."""
        self._specification.library.ear_frontend_reset(ctypes.byref(self._state))

    def push(self, pcm: np.ndarray) -> np.ndarray:
        """Take int16 [n] samples, return int16 [k, feature_count]: the frames they completed."""
        pcm = _checked(pcm)
        frames = self.front_end.frames_in(self._state.used + len(pcm))
        features = np.empty((frames, self.front_end.feature_count), np.int16)
        made = self._specification.library.ear_frontend_push_all(
            ctypes.byref(self._state), pcm.ctypes.data, len(pcm), features.ctypes.data
        )
        assert made == frames
        return features


def compute(front_end: FrontEnd, pcm: np.ndarray) -> np.ndarray:
    """Return the features of a whole clip: int16 [frames, feature_count].

    pcm: int16 [n] mono at the front end's sample rate. The state starts afresh with each call.
    Frames are those of `front_end.frames_in(n)`; samples after the last frame are not used. Calls
    from several threads run side by side.
    Raises InputError when pcm is not a one-dimensional int16 array.
    """
    return Stream(front_end).push(pcm)


def _checked(pcm: np.ndarray) -> np.ndarray:
    if not isinstance(pcm, np.ndarray) or pcm.dtype != np.int16 or pcm.ndim != 1:
        found = f"{pcm.dtype} {list(pcm.shape)}" if isinstance(pcm, np.ndarray) else repr(type(pcm))
        raise InputError(f"samples are {found}; a front end takes int16 [n], one channel")
    return np.ascontiguousarray(pcm)
