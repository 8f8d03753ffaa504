"""The layouts: official ones in miniature, manifests, folders of classes."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgeasr.audio import catalog, pcm
from edgeasr.audio.catalog import folder, fsdd, manifest
from edgeasr.audio.clip import check_splits


def record(path: Path, seconds: float = 0.01, rate: int = 16000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pcm.write(path, np.zeros(round(seconds * rate), np.int16), rate)
    return path


def speech_commands(root: Path) -> Path:
    lists = {"testing_list.txt": "cc", "validation_list.txt": "bb"}
    for word in ("yes", "no", "six"):
        for speaker in ("aa", "bb", "cc"):
            for take in range(2):
                record(root / word / f"{speaker}_nohash_{take}.wav")
    for name, speaker in lists.items():
        lines = [f"{w}/{speaker}_nohash_{t}.wav\n" for w in ("yes", "no", "six") for t in range(2)]
        (root / name).write_text("".join(lines))
    record(root / "_background_noise_" / "rain.wav", 10.0, 1000)
    (root / "_background_noise_" / "README.md").write_text("noise")
    return root


def test_speech_commands_keeps_the_official_splits(tmp_path):
    root = speech_commands(tmp_path)
    assert catalog.detect(root) == "speech_commands"
    clips = catalog.load(root)
    words = [c for c in clips if c.speaker]
    assert {(c.speaker, c.split) for c in words} == {
        ("gsc:aa", "train"), ("gsc:bb", "val"), ("gsc:cc", "test"),
    }  # fmt: skip
    assert Counter(c.label for c in words) == {"yes": 6, "no": 6, "six": 6}
    noise = [c for c in clips if not c.speaker]
    assert [(c.label, c.split, c.segment_s) for c in noise] == [
        ("_background_noise_", "train", (0.0, 6.0)),
        ("_background_noise_", "val", (6.0, 8.0)),
        ("_background_noise_", "test", (8.0, 10.0)),
    ]


def test_fsdd_splits_by_speaker(tmp_path):
    for speaker in ("ann", "bob", "cid", "dan"):
        for digit in range(10):
            for index in range(6):
                record(tmp_path / "recordings" / f"{digit}_{speaker}_{index}.wav")
    assert catalog.detect(tmp_path) == "fsdd"
    clips = catalog.load(tmp_path)
    check_splits(clips, "fsdd")
    assert {c.split for c in clips} == {"train", "val", "test"}
    assert {c.label for c in clips} == set("0123456789")
    official = fsdd.load(tmp_path, split="official")
    assert Counter(c.split for c in official) == {"test": 200, "train": 40}
    assert all((int(c.path.stem.split("_")[2]) < 5) == (c.split == "test") for c in official)


def test_audiomnist(tmp_path):
    for speaker in ("01", "02", "03"):
        for digit in range(10):
            record(tmp_path / "data" / speaker / f"{digit}_{speaker}_0.wav", rate=48000)
    (tmp_path / "data" / "audioMNIST_meta.txt").write_text('{"01": {}, "02": {}, "03": {}}')
    assert catalog.detect(tmp_path) == catalog.detect(tmp_path / "data") == "audiomnist"
    clips = catalog.load(tmp_path)
    check_splits(clips, "audiomnist")
    assert {c.speaker for c in clips} == {"audiomnist:01", "audiomnist:02", "audiomnist:03"}
    assert len(pcm.read_clip(clips[0], samples=16000)) == 16000


def test_folder_of_classes(tmp_path):
    for speaker in "abcde":
        record(tmp_path / "on" / f"{speaker}_nohash_0.wav")
        record(tmp_path / "off" / f"{speaker}_nohash_0.wav")
    record(tmp_path / "off" / ".hidden.wav")
    clips = catalog.load(tmp_path)
    check_splits(clips, "folder")
    assert Counter(c.label for c in clips) == {"on": 5, "off": 5}
    assert {c.split for c in clips} == {"train", "val", "test"}


def test_folder_with_speaker_folders_splits_and_a_pattern(tmp_path):
    for speaker in ("ann", "bob"):
        record(tmp_path / "a" / "on" / speaker / "1.wav")
        record(tmp_path / "c" / "on" / f"take1-{speaker}.wav")
    assert {c.speaker for c in folder.load(tmp_path / "a")} == {"a:ann", "a:bob"}
    named = folder.load(tmp_path / "c", speaker=r"-(\w+)\.wav")
    assert {c.speaker for c in named} == {"c:ann", "c:bob"}
    assert {c.split for c in folder.load(tmp_path / "c")} == {"train"}
    record(tmp_path / "b" / "train" / "on" / "1.wav")
    record(tmp_path / "b" / "test" / "on" / "1.wav")
    assert [(c.label, c.split) for c in folder.load(tmp_path / "b")] == [
        ("on", "test"), ("on", "train"),
    ]  # fmt: skip


def test_manifest_reads_what_it_wrote(tmp_path):
    record(tmp_path / "yes" / "1.wav")
    (tmp_path / "manifest.csv").write_text(
        "file,label,word,speaker,split,licence,other\n"
        'yes/1.wav,"a, ""quoted"" label",yes,set:ann,validation,CC0,x\n'
    )
    clips = catalog.load(tmp_path / "manifest.csv")
    assert clips == catalog.load(tmp_path)
    assert clips[0].label == 'a, "quoted" label'
    assert (clips[0].split, clips[0].source, clips[0].speaker) == ("val", "set", "set:ann")
    manifest.write(tmp_path / "copy.csv", clips)
    assert catalog.load(tmp_path / "copy.csv") == clips


def test_manifest_may_reach_audio_beside_its_folder(tmp_path):
    record(tmp_path / "words" / "1.wav")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "manifest.csv").write_text("file,label\n../words/1.wav,yes\n")
    clips = catalog.load(tmp_path / "set")
    assert clips[0].path.samefile(tmp_path / "words" / "1.wav")
    assert clips[0].source == "words"


def test_manifest_without_splits_gets_them_by_speaker(tmp_path):
    rows = ["file,label,speaker"]
    for speaker in "abcdefgh":
        record(tmp_path / f"{speaker}.wav")
        rows += [f"{speaker}.wav,yes,{speaker}"]
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    clips = catalog.load(tmp_path)
    assert {c.split for c in clips} == {"train", "val", "test"}


@pytest.mark.parametrize("part", ["digits", "keywords", "noise"])
def test_shared_manifests(shared_data, part):
    clips = catalog.load(shared_data / part)
    assert len(clips) == {"digits": 2487, "keywords": 4828, "noise": 414}[part]
    assert all(c.licence and c.source and c.split for c in clips)
    sources = {c.source for c in clips}
    assert (
        sources
        == {
            "digits": {"gsc", "fsdd", "audiomnist", "asterisk"},
            "keywords": {"gsc", "dsp20", "wake", "mww", "tflm", "mlperf_sww"},
            "noise": {"esc10", "gsc_background", "gsc_silence", "negative_speech"},
        }[part]
    )
