"""Bad recordings, manifests and folders: the sentence says what is wrong and what to do."""

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edgeasr.audio import catalog, pcm
from edgeasr.audio.catalog import folder
from edgeasr.cli import data
from edgeasr.errors import InputError, ToolError

RATE = 16000
TONE = (8000 * np.sin(np.arange(RATE) * 0.1)).astype(np.int16)


@pytest.fixture
def tone(tmp_path):
    """A second of sound in a folder of its own, as WAV and FLAC."""
    for suffix in ("wav", "flac"):
        pcm.write(tmp_path / f"tone.{suffix}", TONE, RATE)
    return tmp_path


def refuses(path, message, **options):
    with pytest.raises(InputError, match=message) as caught:
        pcm.read(path, RATE, **options)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_stereo(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((100, 2)), RATE)
    refuses(tmp_path / "a.wav", "has 2 channels; a clip has one; mix it to mono first")


def test_wrong_rate(tmp_path):
    pcm.write(tmp_path / "a.wav", TONE, 44100)
    refuses(tmp_path / "a.wav", "sample rate is 44100 Hz, wanted are 16000 Hz; resample it first")


def test_no_file_and_a_folder(tmp_path):
    refuses(tmp_path / "a.wav", "no such file")
    refuses(tmp_path, "no such file")


def test_empty_file(tmp_path):
    (tmp_path / "a.wav").touch()
    refuses(tmp_path / "a.wav", r"file is empty \(0 bytes\)")


def test_no_samples(tmp_path):
    pcm.write(tmp_path / "a.wav", TONE[:0], RATE)
    refuses(tmp_path / "a.wav", "holds no samples")


@pytest.mark.parametrize("content", [b"not sound at all", b"RIFF", b"RIFF\0\0\0\0WAVE", b"fLaC\0"])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a"])
def test_not_audio(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    refuses(tmp_path / name, "is not readable as audio .*; WAV, FLAC and OGG are read")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_cut_wav(tone, keep):
    path = tone / "tone.wav"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    refuses(path, r"is cut off: .* of 32,000 bytes of sound are there; copy it again")


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.999])
def test_cut_flac(tone, keep):
    path = tone / "tone.flac"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    refuses(path, "is cut off|is not readable as audio")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path, value):
    sound = np.zeros(100)
    sound[42] = value
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    refuses(tmp_path / "a.wav", "sample 42 is not a finite number")


def test_segment_outside(tone):
    refuses(tone / "tone.wav", r"seconds 0.5 to 1.5 are asked for; it has 1.00 s",
            segment_s=(0.5, 1.5))  # fmt: skip


def test_resampler_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "soxr", None)
    pcm.write(tmp_path / "a.wav", TONE, 8000)
    with pytest.raises(ToolError, match=r"soxr: not installed; .* pip install"):
        pcm.read(tmp_path / "a.wav", RATE, resample=True)


def manifest(folder_, text: str | bytes):
    (folder_ / "manifest.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        catalog.load(folder_)
    message = str(caught.value)
    assert message.startswith(str(folder_ / "manifest.csv"))
    assert "\n" not in message
    return message.removeprefix(str(folder_ / "manifest.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": column file and label missing; it has none"),
        ("file,label\n", ": has no rows"),
        ("path,label\ntone.wav,yes\n", ": column file missing; it has path, label; needed are"),
        ("file,word\ntone.wav,yes\n", ": column label missing"),
        ("file,label\ntone.wav,\n", ":2: label is empty"),
        ("file,label\ntone.wav\n", ":2: label is empty"),
        ('file,label\ntone.wav,"a\nb"\n', ":3: label 'a\\nb' has a character that does not print"),
        ("file,label\ntone.wav,a\x1b[31m\n", ":2: label 'a\\x1b[31m' has a character"),
        (f"file,label\ntone.wav,{'x' * 65}\n", ':2: label "xxxxxxxxxxxxxxxxxxxx…" has 65 char'),
        ("file,label\ngone.wav,yes\n", ':2: file "gone.wav" does not exist'),
        ("file,label\n,yes\n", ":2: file '' is not allowed"),
        ("file,label\n/etc/passwd,yes\n", ":2: file '/etc/passwd' is not allowed; write a path"),
        ("file,label\nC:/x.wav,yes\n", ":2: file 'C:/x.wav' is not allowed"),
        ("file,label\n..\\x.wav,yes\n", ":2: file '..\\\\x.wav' is not allowed"),
        ("file,label\n../../../../../../etc/passwd,yes\n", 'etc/passwd" is not audio by its name'),
        ("file,label\n../up.wav,yes\n", ':2: file "../up.wav" does not exist'),
        ("file,label,split\ntone.wav,yes,exam\n", ':2: split "exam" is not known; allowed: train'),
        ("file,label,split\ntone.wav,yes,test\ntone.flac,yes,\n", ": 1 of 2 rows have no split"),
        ("file,label,duration_s\ntone.wav,yes,long\n", ':2: duration_s "long" is not a number'),
        (b"file,label\ntone.wav,\xff\xfe\n", ": is not readable as CSV in UTF-8"),
        ('file,label\n"tone.wav,yes\n', ": is not readable as CSV"),
        (
            "file,label,speaker,split\ntone.wav,yes,ann,train\ntone.flac,yes,ann,test\n",
            ': speaker "ann" stands in test and train; a speaker may be in one split only',
        ),
    ],
)
def test_manifest(tone, text, message):
    assert message in manifest(tone, text)


def test_nul_in_a_path(tone):
    assert "'tone\\x00.wav' is not allowed" in manifest(tone, b"file,label\ntone\0.wav,yes\n")


def test_no_such_folder_and_empty_folder(tmp_path):
    with pytest.raises(InputError, match="no such file or folder; give a manifest CSV"):
        catalog.load(tmp_path / "none")
    with pytest.raises(InputError, match="holds no recordings in a known layout; known are"):
        catalog.load(tmp_path)
    (tmp_path / "yes").mkdir()
    with pytest.raises(InputError, match="holds no recordings; put them in one folder per class"):
        folder.load(tmp_path)


def test_unknown_layout(tmp_path):
    with pytest.raises(InputError, match='layout "tar" is not known; allowed: audiomnist, folder'):
        catalog.load(tmp_path, "tar")


def test_folder_whose_speaker_crosses(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split / "yes" / "ann").mkdir(parents=True)
        pcm.write(tmp_path / split / "yes" / "ann" / "1.wav", TONE, RATE)
    with pytest.raises(InputError, match=r'speaker ".*:ann" stands in test and train'):
        catalog.load(tmp_path)


def test_public_sets_with_foreign_files(tmp_path):
    (tmp_path / "recordings").mkdir()
    for name in ("0_ann_0", "zero"):
        pcm.write(tmp_path / "recordings" / f"{name}.wav", TONE, RATE)
    with pytest.raises(InputError, match=r"zero\.wav: is not named DIGIT_SPEAKER_INDEX\.wav"):
        catalog.load(tmp_path)


@pytest.mark.parametrize("meta", ["", "[]", '{"01": '])
def test_audiomnist_without_its_table(tmp_path, meta):
    (tmp_path / "audioMNIST_meta.txt").write_text(meta)
    with pytest.raises(InputError, match=r"audioMNIST_meta\.txt: is not .* fetch it again"):
        catalog.load(tmp_path)


def test_show_warns_of_crossing_speakers(tone):
    (tone / "manifest.csv").write_text(
        "file,label,speaker,split\ntone.wav,[red]yes,ann,train\ntone.flac,no,ann,test\n"
    )
    shown = CliRunner().invoke(data.app, ["show", str(tone)])
    assert shown.exit_code == 0
    assert "[red]yes" in shown.stdout
    assert 'warning: speaker "ann" stands in test and train' in shown.stderr
    assert "no clip is in val" in shown.stderr


def test_synthesize_without_words(tmp_path):
    done = CliRunner().invoke(data.app, ["synthesize", "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, InputError)
    assert "no words are given" in str(done.exception)
