"""The public data sets that `edgeasr data fetch` knows: where they are, and what they must be."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgeasr.errors import InputError, alternatives


@dataclass(frozen=True)
class PublicSet:
    """One archive of recordings.

    archive_bytes, unpacked_bytes: about, for the check of free disk and against bombs (twice
    unpacked_bytes is refused). sha256: of the archive; None where no digest is published, then
    what arrives is checked by its layout and number of recordings alone, and its digest is shown.
    top: the archive's one top folder, empty where its files lie at the top.
    """

    name: str
    title: str
    holds: str
    url: str
    layout: str
    licence: str
    recordings: int
    speakers: int
    archive_bytes: int
    unpacked_bytes: int
    sha256: str | None = None
    top: str = ""
    note: str = ""


_ALL = (
    # Digest and size: tensorflow/datasets, url_checksums/speech_commands.txt; torchaudio has the
    # same digest.
    PublicSet(
        name="speech_commands",
        title="Speech Commands v0.02",
        holds="35 words, noise",
        url="http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        layout="speech_commands",
        licence="CC BY 4.0",
        recordings=105_829,
        speakers=2_618,
        archive_bytes=2_428_923_189,
        unpacked_bytes=3_600_000_000,
        sha256="af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
    ),
    # Digest: of `git archive --format=tar v1.0.10 | gzip -n`; made the same way, v1.0.9 has the
    # digest that tensorflow/datasets pins for GitHub's archive of it.
    PublicSet(
        name="fsdd",
        title="Free Spoken Digit Dataset v1.0.10",
        holds="digits, 8 kHz",
        url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.10.tar.gz",
        layout="fsdd",
        licence="CC BY-SA 4.0",
        recordings=3_000,
        speakers=6,
        archive_bytes=15_602_882,
        unpacked_bytes=24_000_000,
        sha256="feb479fad3a37883c3d21ed7f982281c2dd1c18d5aefd7e8a5d50f58023392aa",
        top="free-spoken-digit-dataset-1.0.10",
    ),
    PublicSet(
        name="audiomnist",
        title="AudioMNIST",
        holds="digits, 48 kHz",
        url="https://github.com/soerenab/AudioMNIST/archive/refs/heads/master.zip",
        layout="audiomnist",
        licence="MIT",
        recordings=30_000,
        speakers=60,
        archive_bytes=1_000_000_000,
        unpacked_bytes=2_500_000_000,
        top="AudioMNIST-master",
        note="no digest of it is published: checked by layout and number of recordings alone",
    ),
)
SETS: Mapping[str, PublicSet] = {each.name: each for each in _ALL}


def named(name: str) -> PublicSet:
    """Return the set, or raise InputError that lists them."""
    if name not in SETS:
        raise InputError(f'data set "{name}" is not known; {alternatives(name, SETS)}')
    return SETS[name]
