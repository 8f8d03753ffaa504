"""Recordings: from files and public data sets to labelled clips, split by speaker."""

from edgeasr.audio.clip import SPLITS, Clip, assign_splits, check_splits
from edgeasr.audio.pcm import fit, read, read_clip
from edgeasr.audio.tasks import Task, task

__all__ = [
    "SPLITS",
    "Clip",
    "Task",
    "assign_splits",
    "check_splits",
    "fit",
    "read",
    "read_clip",
    "task",
]
