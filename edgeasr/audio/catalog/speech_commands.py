"""Speech Commands v0.02 in its official layout becomes clips with its official splits.

Layout (arXiv:1804.03209 section 4): WORD/SPEAKERHASH_nohash_N.wav, 16 kHz; validation_list.txt and
testing_list.txt name the files that are not for training, chosen by a hash of the speaker, so no
speaker is in two splits; _background_noise_/*.wav are recordings of about a minute.
"""

from pathlib import Path

from edgeasr.audio.catalog import manifest
from edgeasr.audio.clip import Clip, check_splits
from edgeasr.audio.pcm import duration_s
from edgeasr.errors import InputError

NOISE = "_background_noise_"
LICENCE = "CC-BY-4.0 (Speech Commands, P. Warden)"
_LISTS = {"validation_list.txt": "val", "testing_list.txt": "test"}
# No official split of the noise exists: each recording is cut in time, so that no test hears the
# very noise that training heard.
_NOISE_CUTS = (("train", 0.0, 0.6), ("val", 0.6, 0.8), ("test", 0.8, 1.0))


def fits(path: Path) -> bool:
    """True for a folder that has both lists."""
    return all((path / name).is_file() for name in _LISTS)


def load(path: Path, *, check: bool = True) -> list[Clip]:
    """Return all clips, words sorted, then the pieces of background noise (label NOISE)."""
    listed = _listed(path)
    clips = []
    for folder in sorted(p for p in path.iterdir() if p.is_dir() and p.name[0] not in "._"):
        word = manifest.label(folder.name, str(path))
        for file in sorted(folder.glob("*.wav")):
            split = listed.get(f"{folder.name}/{file.name}", "train")
            clips.append(_clip(file, word, split))
    if not clips:
        raise InputError(f"{path}: has Speech Commands' lists but no recordings; fetch it again")
    if check:
        check_splits(clips, str(path))
    return clips + _noise(path)


def _listed(path: Path) -> dict[str, str]:
    listed = {}
    for name, split in _LISTS.items():
        try:
            lines = (path / name).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path / name}: is not readable ({error}); fetch it again") from None
        listed.update((line.strip(), split) for line in lines if line.strip())
    return listed


def _clip(file: Path, word: str, split: str) -> Clip:
    speaker, mark, _ = file.stem.partition("_nohash_")
    return Clip(
        path=file,
        label=word,
        word=word,
        speaker=f"gsc:{speaker}" if mark else "",
        split=split,
        source="gsc",
        licence=LICENCE,
    )


def _noise(path: Path) -> list[Clip]:
    clips = []
    for file in sorted((path / NOISE).glob("*.wav")):
        length = duration_s(file)
        for split, start, end in _NOISE_CUTS:
            segment = (start * length, end * length)
            clips.append(Clip(path=file, label=NOISE, split=split, source="gsc", licence=LICENCE,
                              segment_s=segment, duration_s=segment[1] - segment[0]))  # fmt: skip
    return clips
