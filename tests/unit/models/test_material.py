"""The clips of the zoo's tasks: no speaker of the test is heard in training or tuning."""

import pytest

from edgeasr.models import material


@pytest.mark.parametrize("name", material.TASK_NAMES)
def test_no_speaker_of_test_stands_in_train_or_val(shared_data, name):
    task = material.gather(name, shared_data).task
    speakers = {
        split: {clip.speaker for clip in task.split(split) if clip.speaker}
        for split in ("train", "val", "test")
    }
    assert speakers["test"]
    assert not speakers["test"] & (speakers["train"] | speakers["val"])
    assert not speakers["val"] & speakers["train"]


@pytest.mark.parametrize("name", material.TASK_NAMES)
def test_no_recording_of_test_is_trained_on(shared_data, name):
    gathered = material.gather(name, shared_data)
    files = {
        split: {(clip.path.resolve(), clip.segment_s) for clip in gathered.task.split(split)}
        for split in ("train", "val", "test")
    }
    assert not files["test"] & (files["train"] | files["val"])
    assert not gathered.synthetic


@pytest.mark.parametrize("name", material.TASK_NAMES)
def test_every_label_has_clips_in_every_split(shared_data, name):
    for label, counts in material.gather(name, shared_data).task.counts().items():
        assert min(counts.values()) >= 30, (label, counts)


def test_foreign_speech_is_kept_apart(shared_data):
    gathered = material.gather("keywords", shared_data)
    used = {clip.path.resolve() for clip in gathered.task.clips}
    assert gathered.negative
    assert not used & {clip.path.resolve() for clip in gathered.negative}
