"""Speech synthesisers of Debian: a voice, a word, a rate and a pitch become a WAV file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edgeasr import process
from edgeasr.errors import InputError, alternatives

_TIMEOUT_S = 60


@dataclass(frozen=True)
class Voice:
    """One voice of an engine. size: factor on all its frequencies, as of a smaller head (> 1)."""

    engine: str
    name: str
    variant: str = ""
    size: float = 1.0

    @property
    def speaker(self) -> str:
        parts = [self.engine, self.name, self.variant or f"x{self.size:.2f}"]
        return "synthetic:" + ":".join(parts)


@dataclass(frozen=True)
class Take:
    """A word said once. rate: 1 is the voice's own, 2 twice as fast; pitch: 1 is its own."""

    voice: Voice
    word: str
    rate: float
    pitch: float
    file: Path


# Accents of English, and the variants of espeak-ng that sound like people (not robots, demons or
# whispers, which have no voice at all).
_ESPEAK_ACCENTS = (
    "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029",
    "en-us-nyc",
)  # fmt: skip
_ESPEAK_VARIANTS = (
    *(f"m{n}" for n in range(1, 9)), *(f"f{n}" for n in range(1, 6)), "klatt", "klatt2", "klatt3",
    "klatt4", "adam", "Alex", "Alicia", "Andrea", "Andy", "anika", "Annie", "antonio", "aunty",
    "belinda", "benjamin", "boris", "caleb", "david", "Denis", "Diogo", "ed", "edward", "Gene",
    "grandma", "grandpa", "gustave", "Henrique", "Hugo", "iven", "iven2", "Jacky", "john", "Lee",
    "linda", "marcelo", "Marco", "Mario", "max", "Michael", "michel", "miguel", "Mike", "norbert",
    "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2",
    "travis", "victor", "zac",
)  # fmt: skip
_FLITE_VOICES = ("awb", "kal16", "rms", "slt")
_FLITE_PITCH_HZ = {"awb": 105.0, "kal16": 100.0, "rms": 90.0, "slt": 165.0}
# festival's name of the voice: the command that chooses it.
_FESTIVAL_VOICES = {"kal": "voice_kal_diphone", "slt": "voice_cmu_us_slt_arctic_hts"}
_SIZES = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)


def espeak_voices() -> list[Voice]:
    """Return every accent with every variant that this espeak-ng has (it ignores unknown ones)."""
    program = _program("espeak-ng")
    listed = process.run([program, "--voices=variant"], timeout_s=_TIMEOUT_S)
    there = set(re.findall(r"!v/(\S+)", listed))
    variants = [name for name in _ESPEAK_VARIANTS if name in there]
    accents = process.run([program, "--voices=en"], timeout_s=_TIMEOUT_S).split()
    return [Voice("espeak-ng", a, v) for a in _ESPEAK_ACCENTS if a in accents for v in variants]


def espeak(takes: Sequence[Take], done: Callable[[], None]) -> None:
    """Say each take with espeak-ng: 175 words a minute and pitch 50 of 100 are its own."""
    program = _program("espeak-ng")
    for take in takes:
        voice = f"{take.voice.name}+{take.voice.variant}"
        pitch = min(max(round(50 * take.pitch), 0), 99)
        process.run(
            [program, "-v", voice, "-s", str(round(175 * take.rate)), "-p", str(pitch),
             "-w", take.file, "--", take.word],
            timeout_s=_TIMEOUT_S,
        )  # fmt: skip
        done()


def flite_voices() -> list[Voice]:
    """Return flite's voices in several sizes."""
    there = process.run([_program("flite"), "-lv"], timeout_s=_TIMEOUT_S).split()
    names = [name for name in _FLITE_VOICES if name in there]
    return [Voice("flite", name, size=size) for name in names for size in _SIZES]


def flite(takes: Sequence[Take], done: Callable[[], None]) -> None:
    """Say each take with flite."""
    program = _program("flite")
    for take in takes:
        pitch = _FLITE_PITCH_HZ[take.voice.name] * take.pitch
        process.run(
            [program, "-voice", take.voice.name, "--setf", f"duration_stretch={1 / take.rate:.3f}",
             "--setf", f"int_f0_target_mean={pitch:.1f}", "-t", take.word, "-o", take.file],
            timeout_s=_TIMEOUT_S,
        )  # fmt: skip
        done()


def festival_voices() -> list[Voice]:
    """Return festival's English voices that are installed, in several sizes."""
    script = "(print (voice.list))"
    there = process.run([_program("festival"), "-b", script], timeout_s=_TIMEOUT_S)
    names = [n for n, c in _FESTIVAL_VOICES.items() if c.removeprefix("voice_") in there]
    return [Voice("festival", name, size=size) for name in names for size in _SIZES]


def festival(takes: Sequence[Take], done: Callable[[], None]) -> None:
    """Say all takes in one run of festival, whose start takes longer than many words."""
    if not takes:
        return
    script = takes[0].file.with_suffix(".scm")
    script.write_text("\n".join(_festival_line(take) for take in takes))
    process.run([_program("festival"), "-b", script], timeout_s=_TIMEOUT_S + len(takes))
    script.unlink()
    for _ in takes:
        done()


def _festival_line(take: Take) -> str:
    voice = _FESTIVAL_VOICES[take.voice.name]
    say = f'(set! u (Utterance Text "{take.word}"))(utt.synth u)'
    # kal is a diphone voice and obeys festival's own prosody; slt obeys its engine's rate alone.
    prosody = (
        f"(Parameter.set 'Duration_Stretch {1 / take.rate:.3f})"
        f"(set! int_lr_params '((target_f0_mean {105 * take.pitch:.1f}) (target_f0_std 14) "
        f"(model_f0_mean 170) (model_f0_std 34)))"
        if take.voice.name == "kal"
        else f'(set! hts_engine_params (append hts_engine_params \'(("-r" {take.rate:.3f}))))'
    )
    return f'({voice}){prosody}{say}(utt.save.wave u "{take.file}" \'riff)'


@dataclass(frozen=True)
class Engine:
    """A program: its voices, and how it says takes into their files."""

    voices: Callable[[], list[Voice]]
    say: Callable[[Sequence[Take], Callable[[], None]], None]
    package: str
    licence: str


ENGINES: Mapping[str, Engine] = {
    "espeak-ng": Engine(espeak_voices, espeak, "espeak-ng", "GPL-3.0 program, speech free to use"),
    "flite": Engine(flite_voices, flite, "flite", "BSD-like (CMU Flite)"),
    "festival": Engine(
        festival_voices, festival, "festival festvox-kallpc16k festvox-us-slt-hts",
        "BSD-like (CMU, University of Edinburgh)",
    ),
}  # fmt: skip


def engine(name: str) -> Engine:
    """Return the engine, or raise InputError that lists them."""
    if name not in ENGINES:
        raise InputError(f'engine "{name}" is not known; {alternatives(name, ENGINES)}')
    return ENGINES[name]


@cache
def _program(name: str) -> str:
    install = f"apt-get install {ENGINES[name].package}"
    return process.find_program(name, needed_for="synthesising speech", install=install)
