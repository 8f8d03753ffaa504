"""What fake_device.c computes, in Python, and how it is built and started."""

import zlib
from pathlib import Path

import numpy as np

from edgeasr import hostlib, paths, process, protocol
from edgeasr.codegen.environment import render
from edgeasr.link import DescriptorLink, ProcessLink

FRAMES, FEATURES, FRAME_SAMPLES, LABELS, LAYERS = 20, 40, 100, 5, 150
INPUT = FRAMES * FEATURES
WINDOW_BYTES = 2048
STRICT = (
    "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wundef "
    "-Wcast-align -Wmissing-prototypes -Wvla -Werror"
).split()
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
SESSION = ("ear_session.c", "ear_session_audio.c", "ear_session_model.c")


def write_headers(folder: Path) -> None:
    """Write ear_protocol.h and a board_config.h."""
    context = {"protocol": protocol.c_context(), "project": {"generator": "edgeasr"}}
    (folder / "ear_protocol.h").write_text(render("project/ear_protocol.h.j2", context))
    (folder / "board_config.h").write_text(
        '#define EAR_BOARD_NAME "fake"\n#define EAR_PORT_TICKS_HZ 1000000u\n'
        "#define EAR_PORT_MICROPHONE 0u\n"
        f"#ifndef EAR_PORT_RX_BYTES\n#define EAR_PORT_RX_BYTES {WINDOW_BYTES}u\n#endif\n"
    )


def build(
    folder: Path, main: str = "fake_device.c", name: str = "fake", defines: tuple[str, ...] = ()
) -> Path:
    """Compile a test's main file with the session, strictly and with sanitizers."""
    write_headers(folder)
    runtime, program = paths.runtime(), folder / name
    process.run(
        [
            *hostlib.compiler(),
            *STRICT,
            *SANITIZE,
            "-D_DEFAULT_SOURCE",
            *defines,
            f"-I{folder}",
            f"-I{runtime}",
            f"-I{paths.firmware_templates() / 'port'}",
            Path(__file__).with_name(main),
            runtime / "ear_frames.c",
            *(runtime / source for source in SESSION),
            "-o",
            program,
        ]
    )
    return program


def start(program: Path, *, check_window: bool = False) -> ProcessLink:
    """Start the device. check_window: it ends when more than its window is under way."""
    if check_window:
        return ProcessLink(["env", "FAKE_CHECK_WINDOW=1", program])
    return ProcessLink([program])


def stop(link: ProcessLink) -> None:
    """Close the line; the device must end in peace, and its sanitizers must be silent."""
    DescriptorLink.close(link)
    link.process.wait(60)
    said = link.said()
    link.close()
    assert (said, link.process.returncode) == ("", 0)


def rows(pcm: np.ndarray) -> np.ndarray:
    """Return the features: int16 [frames, FEATURES]."""
    frames = pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return frames[:, :FEATURES] ^ frames[:, ::-1][:, :FEATURES]


def features_crc(pcm: np.ndarray) -> int:
    return zlib.crc32(rows(pcm).astype("<i2").tobytes())


def window(pcm: np.ndarray, frames: int | None = None) -> np.ndarray:
    """Return the window after so many frames (all by default): int8 [FRAMES, FEATURES]."""
    made = rows(pcm)[:frames]
    made = np.fix(made / 256).astype(np.int8)[-FRAMES:]
    return np.concatenate([np.zeros((FRAMES - len(made), FEATURES), np.int8), made])


def layer(data: bytes, index: int) -> bytes:
    """Return the output of a layer for an input."""
    work = np.frombuffer(data, np.uint8).astype(np.uint32)
    last = index == LAYERS - 1
    steps = index if last else index + 1
    work = (work + steps * (steps + 1) // 2) & 0xFF
    if last:
        work = np.array([work[i::LABELS].sum() & 0xFF for i in range(LABELS)])
    return work.astype(np.uint8).tobytes()


def output(data: bytes) -> np.ndarray:
    return np.frombuffer(layer(data, LAYERS - 1), np.int8)


def stream(pcm: np.ndarray, *, state: bool = False) -> list[tuple]:
    """Return what a stream yields: ("scores", values, sample), ("event", label, score, sample)."""
    found = []
    for count, frames in enumerate(range(FRAMES, len(pcm) // FRAME_SAMPLES + 1, 2), start=1):
        sample = frames * FRAME_SAMPLES
        made = output(window(pcm, frames).tobytes()).astype(int)
        made[0] += count - 1 if state else 0
        values = tuple(made.astype(np.int8).tolist())
        found.append(("scores", values, sample))
        if count % 3 == 0:
            found.append(("event", count % LABELS, count % 256, sample))
    return found
