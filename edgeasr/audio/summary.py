"""Clips become a summary: what a data set holds, by label, split and speaker, and what is wrong."""

from collections import Counter
from collections.abc import Callable, Sequence

from edgeasr.audio import pcm
from edgeasr.audio.clip import SPLITS, Clip, crossing_speakers


def summarize(
    clips: Sequence[Clip], on_clip: Callable[[], None] = lambda: None
) -> dict[str, object]:
    """Return counts by label and split, speakers and hours by split, licences, and warnings.

    Durations that the catalog does not give are read from the files' headers; on_clip is called
    once per clip.
    """
    hours = Counter[str]()
    for clip in clips:
        length = clip.duration_s
        hours[clip.split] += (pcm.duration_s(clip.path) if length is None else length) / 3600
        on_clip()
    table = Counter((clip.label, clip.split) for clip in clips)
    return {
        "clips": len(clips),
        "labels": {
            label: {split: table[label, split] for split in SPLITS}
            for label in sorted({clip.label for clip in clips})
        },
        "speakers": {
            split: len({c.speaker for c in clips if c.split == split and c.speaker})
            for split in SPLITS
        },
        "hours": {split: round(hours[split], 4) for split in SPLITS},
        "synthetic": sum(clip.synthetic for clip in clips),
        "licences": sorted({clip.licence for clip in clips if clip.licence}),
        "warnings": _warnings(clips),
    }


def _warnings(clips: Sequence[Clip]) -> list[str]:
    warnings = [
        f'speaker "{name}" stands in {" and ".join(splits)}'
        for name, splits in crossing_speakers(clips).items()
    ]
    unknown = sum(not clip.speaker for clip in clips)
    if unknown:
        warnings.append(f"{unknown} of {len(clips)} clips name no speaker")
    synthetic = sum(clip.synthetic and clip.split != "train" for clip in clips)
    if synthetic:
        warnings.append(f"{synthetic} synthetic clips stand outside train")
    warnings += [f"no clip is in {s}" for s in SPLITS if not any(c.split == s for c in clips)]
    return warnings
