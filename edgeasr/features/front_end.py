"""FrontEnd: which features are made of sound, with every parameter; refuses what cannot work."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from edgeasr.errors import InputError, alternatives

_COMMON = ("kind", "sample_rate_hz", "window_ms", "hop_ms", "channels", "lower_hz", "upper_hz")
_OF_KIND = {
    "micro": (
        "noise_reduction",
        "smoothing_bits",
        "even_smoothing",
        "odd_smoothing",
        "min_signal_remaining",
        "pcan",
        "pcan_strength",
        "pcan_offset",
        "pcan_gain_bits",
        "log_shift",
    ),
    "logmel": ("n_fft", "mel_scale", "mel_norm"),
    "mfcc": ("n_fft", "mel_scale", "mel_norm", "coefficients"),
}
# Field: (least, most), both allowed.
_RANGE = {
    "sample_rate_hz": (1000, 192_000),
    "window_ms": (0.1, 1000.0),
    "hop_ms": (0.1, 1000.0),
    "channels": (1, 128),
    "lower_hz": (0.0, 96_000.0),
    "upper_hz": (1.0, 96_000.0),
    "smoothing_bits": (0, 16),
    "even_smoothing": (0.0, 1.0),
    "odd_smoothing": (0.0, 1.0),
    "min_signal_remaining": (0.0, 1.0),
    "pcan_strength": (0.0, 2.0),
    "pcan_offset": (0.0, 1e6),
    "pcan_gain_bits": (0, 30),
    "log_shift": (0, 10),
    "n_fft": (0, 4096),
    "coefficients": (1, 128),
}
_CHOICES = {"kind": tuple(_OF_KIND), "mel_scale": ("slaney", "htk"), "mel_norm": ("slaney", "none")}
_MAX_FFT = 4096


@dataclass(frozen=True)
class FrontEnd:
    """A front end and its parameters; the ones of other kinds are ignored.

    kind: `micro` is TFLite-Micro's fixed-point front end, `logmel` and `mfcc` are librosa's
    melspectrogram and mfcc in integers. n_fft 0 stands for the next power of two that holds a
    window. smoothing: share of a new frame in the noise estimate, for even and odd channels.
    log_shift: `micro` features are ln(x) * 2^log_shift.
    """

    kind: str = "micro"
    sample_rate_hz: int = 16_000
    window_ms: float = 30
    hop_ms: float = 10
    channels: int = 40
    lower_hz: float = 125.0
    upper_hz: float = 7500.0
    noise_reduction: bool = True
    smoothing_bits: int = 10
    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    min_signal_remaining: float = 0.05
    pcan: bool = True
    pcan_strength: float = 0.95
    pcan_offset: float = 80.0
    pcan_gain_bits: int = 21
    log_shift: int = 6
    n_fft: int = 0
    mel_scale: str = "slaney"
    mel_norm: str = "slaney"
    coefficients: int = 13

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_value(field.name, getattr(self, field.name), field.default)
        _check_together(self)

    @property
    def window_samples(self) -> int:
        return int(self.window_ms * self.sample_rate_hz / 1000 + 1e-6)

    @property
    def hop_samples(self) -> int:
        return int(self.hop_ms * self.sample_rate_hz / 1000 + 1e-6)

    @property
    def fft_length(self) -> int:
        """Real samples of one transform: a power of two."""
        least = 1 << (self.window_samples - 1).bit_length()
        return least if self.kind == "micro" or self.n_fft == 0 else self.n_fft

    @property
    def feature_count(self) -> int:
        """Features of one frame."""
        return self.coefficients if self.kind == "mfcc" else self.channels

    @property
    def unit(self) -> float:
        """Real value of one int16 step: of a natural logarithm for `micro`, else in dB."""
        return {"micro": 1 / (1 << self.log_shift), "logmel": 1 / 256, "mfcc": 1 / 32}[self.kind]

    def frames_in(self, samples: int) -> int:
        """Return how many whole frames `samples` samples hold."""
        if samples < self.window_samples:
            return 0
        return 1 + (samples - self.window_samples) // self.hop_samples

    def samples_for(self, frames: int) -> int:
        """Return the least number of samples that hold `frames` frames."""
        return self.window_samples + (frames - 1) * self.hop_samples if frames > 0 else 0

    def to_dict(self) -> dict[str, object]:
        """Return the parameters of this kind, as JSON can hold them."""
        return {name: getattr(self, name) for name in (*_COMMON, *_OF_KIND[self.kind])}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "FrontEnd":
        """Read what to_dict wrote; parameters left out take their defaults, `kind` may not be.

        Raises InputError for an unknown key, a wrong type, or a value out of range.
        """
        if not isinstance(values, Mapping):
            raise InputError(f"front end: {values!r} is not a table of parameters")
        kind = values.get("kind", MISSING)
        if kind is MISSING:
            raise InputError(f'front end: "kind" is missing; {alternatives("", _OF_KIND)}')
        _check_value("kind", kind, "")
        allowed = (*_COMMON, *_OF_KIND[kind])
        for name in values:
            if name not in allowed:
                raise InputError(
                    f'front end: "{name}" is not a parameter of kind {kind}; '
                    f"{alternatives(str(name), allowed)}"
                )
        return cls(**values)


def _check_value(name: str, value: object, default: object) -> None:
    """Raise InputError unless value has the type of the default and lies in its range."""
    wanted = float if name in _RANGE and isinstance(_RANGE[name][0], float) else type(default)
    good = isinstance(value, (int, float) if wanted is float else wanted)
    if not good or (isinstance(value, bool) and wanted is not bool):
        word = {float: "a number", int: "a whole number", bool: "true or false"}.get(wanted, "text")
        raise InputError(f"front end: {name} is {value!r}; it must be {word}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise InputError(f'front end: {name} is "{value}"; {alternatives(value, _CHOICES[name])}')
    if name in _RANGE:
        least, most = _RANGE[name]
        if not (math.isfinite(value) and least <= value <= most):
            raise InputError(f"front end: {name} is {value}; {least:g} to {most:g} are allowed")


def _check_together(front_end: FrontEnd) -> None:
    """Raise InputError where parameters that are good alone do not fit each other."""
    f = front_end
    half_rate = f.sample_rate_hz / 2
    if f.hop_samples < 1:
        raise InputError(f"front end: hop_ms is {f.hop_ms}, less than one sample; use a longer one")
    if f.hop_ms > f.window_ms:
        raise InputError(
            f"front end: window_ms is {f.window_ms}, shorter than hop_ms ({f.hop_ms}); sound would "
            "be skipped; use a longer window or a shorter hop"
        )
    if f.upper_hz > half_rate:
        raise InputError(
            f"front end: upper_hz is {f.upper_hz:g}, above half of the sample rate "
            f"({half_rate:g} Hz)"
        )
    if f.lower_hz >= f.upper_hz:
        raise InputError(
            f"front end: lower_hz is {f.lower_hz:g}, not below upper_hz ({f.upper_hz:g})"
        )
    if not 33 <= f.window_samples <= _MAX_FFT:
        raise InputError(
            f"front end: window_ms is {f.window_ms} ({f.window_samples} samples); 33 to {_MAX_FFT} "
            "samples are allowed"
        )
    {"micro": _check_micro, "logmel": _check_mel, "mfcc": _check_mel}[f.kind](f)


def _check_micro(f: FrontEnd) -> None:
    correction = f.fft_length.bit_length() - 1 - 6
    half_rate = f.sample_rate_hz / 2
    if f.upper_hz >= half_rate:
        raise InputError(
            f"front end: upper_hz is {f.upper_hz:g}; kind micro allows less than {half_rate:g} Hz, "
            "half of the sample rate"
        )
    hz_per_bin = f.sample_rate_hz / f.fft_length
    if int(1.5 + f.lower_hz / hz_per_bin) * hz_per_bin >= f.upper_hz:
        raise InputError(
            f"front end: no frequency of the FFT (every {hz_per_bin:g} Hz) lies between lower_hz "
            f"({f.lower_hz:g}) and upper_hz ({f.upper_hz:g}); use a wider band or a longer window"
        )
    if f.pcan and f.smoothing_bits < correction:
        raise InputError(
            f"front end: smoothing_bits is {f.smoothing_bits}; a window of {f.window_samples} "
            f"samples with pcan needs {correction} or more"
        )
    if f.pcan and f.pcan_gain_bits < correction + 12:
        raise InputError(
            f"front end: pcan_gain_bits is {f.pcan_gain_bits}; a window of {f.window_samples} "
            f"samples needs {correction + 12} or more"
        )


def _check_mel(f: FrontEnd) -> None:
    if f.n_fft and (f.n_fft & (f.n_fft - 1) or f.n_fft < f.window_samples):
        raise InputError(
            f"front end: n_fft is {f.n_fft}; 0 or a power of two from the window's "
            f"{f.window_samples} samples up is allowed"
        )
    if f.kind == "mfcc" and f.coefficients > f.channels:
        raise InputError(
            f"front end: coefficients is {f.coefficients}, more than the {f.channels} channels"
        )
    if f.kind == "mfcc" and f.channels > 100:
        raise InputError(f"front end: channels is {f.channels}; kind mfcc allows 100 at most")
